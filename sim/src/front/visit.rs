//! One request on its way through: read, admitted, carried out, logged.

use super::log::Entry;
use super::{Delivery, MAX_BODY, State, refusal, resource};
use crate::error::ApiError;
use crate::faults::{Asked, Strike};
use crate::node::Map;
use crate::options::Options;
use crate::services::Call;
use crate::services::iam::{self, Principal};
use crate::spec::{self, Effect, Service};
use crate::wire::{self, Decoded, auth::CredentialScope};
use crate::world::{Scope, World};
use bytes::Bytes;
use http::{Request, Response};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// A user agent in the log is cut to this many characters.
const MAX_USER_AGENT: usize = 512;

/// A request, as far as it could be read.
#[derive(Debug)]
pub(super) struct Read {
    /// What is asked, or why that cannot be told.
    asked: Result<Decoded, Unreadable>,
    credentials: Option<CredentialScope>,
    session_token: Option<String>,
    user_agent: String,
}

/// A request that gets an error whatever the state of the world.
#[derive(Debug)]
struct Unreadable {
    service: Option<Service>,
    operation: String,
    error: ApiError,
}

/// Service, signature, operation and input of a request. A panic on the way is the request's fault and gets `InternalFailure`.
pub(super) fn read(request: &Request<Bytes>) -> Read {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let asked = catch_unwind(AssertUnwindSafe(|| decode(request))).unwrap_or_else(|_| {
        Err(Unreadable {
            service: None,
            operation: String::new(),
            error: refusal::internal(Service::Sts),
        })
    });
    Read {
        asked,
        credentials: wire::auth::scope(request.headers()),
        session_token: header("x-amz-security-token").map(str::to_owned),
        user_agent: header("user-agent").unwrap_or_default().chars().take(MAX_USER_AGENT).collect(),
    }
}

fn decode(request: &Request<Bytes>) -> Result<Decoded, Unreadable> {
    let unreadable = |service, error| Unreadable { service, operation: String::new(), error };
    let Some(service) = wire::service_of(request) else {
        return Err(unreadable(None, refusal::no_service(request)));
    };
    if request.body().len() > MAX_BODY {
        return Err(unreadable(Some(service), refusal::too_large(service)));
    }
    wire::auth::check(service, request.headers())
        .map_err(|error| unreadable(Some(service), error))?;
    wire::decode(service, request).map_err(|bad| Unreadable {
        service: Some(bad.service),
        operation: bad.operation,
        error: bad.error,
    })
}

/// A request on its way through: what its log entry says so far, and what it needs to run.
#[derive(Debug)]
pub(super) struct Visit {
    decoded: Decoded,
    principal: Principal,
    scope: Scope,
    entry: Entry,
}

/// Lets a request in: who asks, and which faults strike. A refused one is logged and answered at once.
pub(super) fn admit(
    state: &mut State,
    read: Read,
) -> Result<(Visit, Strike), Box<Response<Bytes>>> {
    let now = state.world.now();
    let mut entry = Entry {
        request_id: state.request_ids.uuid(),
        user_agent: read.user_agent,
        ..Entry::default()
    };
    if let Some(credentials) = read.credentials {
        entry.access_key = credentials.access_key;
        entry.region = credentials.region;
    }
    let decoded = match read.asked {
        Ok(decoded) => decoded,
        Err(unreadable) => {
            entry.service = unreadable.service.map(Service::name);
            entry.operation = unreadable.operation;
            return Err(refuse(state, entry, unreadable.service, &unreadable.error));
        }
    };
    let (service, operation) = (decoded.service, decoded.operation);
    entry.service = Some(service.name());
    operation.name.clone_into(&mut entry.operation);
    entry.effect = Some(operation.effect);
    entry.parameters = decoded.input.clone();
    let strict = state.world.options.strict_credentials;
    let principal = match state.world.iam.principal_for(
        &entry.access_key,
        read.session_token.as_deref(),
        strict,
        now,
    ) {
        Ok(principal) => principal,
        Err(error) => {
            return Err(refuse(state, entry, Some(service), &iam::denied(service, error)));
        }
    };
    entry.caller.clone_from(&principal.arn);
    entry.account.clone_from(&principal.account);
    let since_start = now.since(state.started);
    let strike = state.faults.strike(&Asked {
        service,
        operation: operation.name,
        effect: operation.effect,
        caller: &principal.arn,
        since_start,
    });
    let scope = Scope::new(principal.account.clone(), entry.region.clone());
    Ok((Visit { decoded, principal, scope, entry }, strike))
}

/// Logs a refused request and writes its answer.
fn refuse(
    state: &mut State,
    mut entry: Entry,
    service: Option<Service>,
    error: &ApiError,
) -> Box<Response<Bytes>> {
    let now = state.world.now();
    let response = match service {
        Some(service) => wire::encode_error(service, error, &entry.request_id, now),
        None => refusal::without_service(error, &entry.request_id, now),
    };
    entry.status = Some(error.status);
    entry.error_code = Some(error.code.to_string());
    state.log.push(entry, now);
    Box::new(response)
}

impl Visit {
    /// Runs the operation as the faults allow, logs it, and says how its answer travels.
    pub(super) fn carry_out(&mut self, state: &mut State, strike: &Strike) -> Delivery {
        self.entry.fault.clone_from(&strike.named);
        if let Some(silent) = strike.before_execution() {
            state.log.push(std::mem::take(&mut self.entry), state.world.now());
            return silent;
        }
        let outcome = match strike.error(
            self.decoded.service,
            &self.principal,
            self.decoded.operation.name,
        ) {
            Some(error) => Err(error),
            None => self.run(&mut state.world, strike.lag),
        };
        let now = state.world.now();
        let response = match &outcome {
            Ok(answer) => wire::encode(&self.decoded, answer, &self.entry.request_id, now),
            Err(error) => {
                wire::encode_error(self.decoded.service, error, &self.entry.request_id, now)
            }
        };
        self.entry.status = Some(response.status().as_u16());
        self.entry.error_code = outcome.err().map(|error| error.code.to_string());
        state.log.push(std::mem::take(&mut self.entry), now);
        strike.deliver(response)
    }

    fn run(&self, world: &mut World, fault_lag: Duration) -> Result<Map, ApiError> {
        let Decoded { service, operation, input } = &self.decoded;
        let action = format!("{}:{}", service.name(), operation.name);
        let resource = resource::of(*service, operation.name, input, &self.scope);
        world
            .iam
            .authorize(&self.principal, &action, &resource)
            .map_err(|error| iam::denied(*service, error))?;
        let input = spec::validate(*service, operation, input)?;
        let lag = if operation.effect == Effect::Read {
            fault_lag.max(index_lag(&world.options, *service, operation.name))
        } else {
            Duration::ZERO
        };
        let scope = self.scope.clone();
        let run = |world: &mut World| {
            let mut call =
                Call { world, scope: self.scope.clone(), caller: self.principal.clone(), input };
            guarded(*service, || (operation.run)(&mut call))
        };
        if lag.is_zero() { run(world) } else { world.as_of(&scope, lag, run) }
    }
}

/// How old this world's answers to an operation are without any fault.
fn index_lag(options: &Options, service: Service, operation: &str) -> Duration {
    match (service, operation) {
        (Service::ServiceCatalog, "SearchProvisionedProducts") => options.search_lag,
        (Service::ServiceCatalog, "DescribeProvisionedProduct") => options.describe_lag,
        _ => Duration::ZERO,
    }
}

/// Runs a handler. Its panic is an answer: the service broke.
fn guarded<T>(service: Service, run: impl FnOnce() -> Result<T, ApiError>) -> Result<T, ApiError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(refusal::internal(service)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_that_panics_answers_that_the_service_broke() {
        let outcome = guarded::<()>(Service::Lambda, || panic!("a bug"));
        assert_eq!(outcome, Err(refusal::internal(Service::Lambda)));
        assert_eq!(guarded(Service::Rds, || Ok(1)), Ok(1));
    }
}
