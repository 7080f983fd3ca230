//! Resources of a stack: who provides each type, and the words in which a provider's error reaches the events.

use super::engine::Look;
use super::generic;
use super::provider::{Actual, On, Progress, Provider};
use super::state::{Action, NESTED, Resource, Work, name_from_arn};
use crate::error::ApiError;
use crate::options::RollbackOfRefused;
use crate::services::iam::Principal;
use crate::services::{elasticache, lambda, rds, sqs};
use crate::time::SimTime;
use crate::world::{Region, Scope, World};
use serde_json::Value;

/// Types with a service of their own.
const PROVIDERS: [&[(&str, &dyn Provider)]; 4] =
    [elasticache::PROVIDERS, lambda::PROVIDERS, rds::PROVIDERS, sqs::PROVIDERS];

/// Errors that pass by themselves: on the way back the handler tries again until the resource takes the change.
const PASSING: [&str; 4] = [
    "InvalidDBInstanceState",
    "InvalidReplicationGroupState",
    "InvalidCacheClusterState",
    "ResourceInUseException",
];

/// The provider of `kind`; generic types have none.
pub(super) fn provider(kind: &str) -> Option<&'static dyn Provider> {
    PROVIDERS
        .iter()
        .flat_map(|list| list.iter())
        .find(|(name, _)| *name == kind)
        .map(|(_, provider)| *provider)
}

/// Whether a change from `before` to `after` makes a new resource.
pub(super) fn replaces(kind: &str, before: &Value, after: &Value) -> bool {
    match provider(kind) {
        Some(provider) => provider
            .create_only()
            .iter()
            .any(|property| before.get(property) != after.get(property)),
        None => generic::replaces(kind, before, after),
    }
}

/// What `Fn::GetAtt` reads from `resource`.
pub(super) fn attribute(
    scope: &Scope,
    region: &Region,
    resource: &Resource,
    name: &str,
) -> Option<String> {
    if &*resource.kind == NESTED {
        let key = name.strip_prefix("Outputs.")?;
        let stack = region.cloudformation.stacks.get(name_from_arn(&resource.physical_id)?)?;
        return stack
            .outputs
            .iter()
            .find(|output| output.key == key)
            .map(|output| output.value.clone());
    }
    match provider(&resource.kind) {
        Some(provider) => provider.attributes(region, &resource.physical_id).remove(name),
        None => Some(generic::attribute(scope, &resource.kind, &resource.physical_id, name)),
    }
}

/// Starts what `work` says. Answers when a generic resource is done; others are looked at.
///
/// # Errors
/// The reason its event gives.
pub(super) fn begin(
    world: &mut World,
    scope: &Scope,
    principal: &Principal,
    stack_name: &str,
    logical_id: &str,
    work: &mut Work,
) -> Result<Option<SimTime>, String> {
    let kind = work.kind.to_string();
    let Some(provider) = provider(&kind) else {
        let id = match (&work.action, &work.old_id) {
            (Action::Update, Some(id)) => id.clone(),
            _ => generic::named(&kind, &work.new)
                .unwrap_or_else(|| format!("{stack_name}-{logical_id}-{}", world.suffix())),
        };
        let verb = if work.action == Action::Update { "Update" } else { "Create" };
        allow_generic(world, scope, principal, &kind, &id, verb)?;
        if work.action != Action::Update {
            work.new_id = Some(id);
        }
        work.began = true;
        return Ok(Some(world.now() + world.options.resource_time));
    };
    let mut on = On { world, scope, principal, stack_name, logical_id };
    let begun = match (&work.action, &work.old_id) {
        (Action::Update, Some(id)) => provider.update(&mut on, id, &work.old, &work.new),
        _ => provider.create(&mut on, &work.new).map(|id| work.new_id = Some(id)),
    };
    begun.map_err(|error| handler_message(world, provider.service(), &error))?;
    work.began = true;
    Ok(None)
}

/// How putting a resource back begins.
pub(super) enum PutBack {
    /// Done at this time, or when the provider says so.
    Begun(Option<SimTime>),
    /// The resource cannot take it yet.
    TryAgain(String),
    /// It will not take it.
    Failed(String),
}

/// Starts putting an updated resource back to what it was.
pub(super) fn put_back(
    world: &mut World,
    scope: &Scope,
    principal: &Principal,
    stack_name: &str,
    logical_id: &str,
    work: &Work,
) -> PutBack {
    let id = work.old_id.clone().unwrap_or_default();
    if !work.began && world.options.rollback_of_refused == RollbackOfRefused::Skipped {
        return PutBack::Begun(Some(world.now()));
    }
    let Some(provider) = provider(&work.kind) else {
        if !work.began {
            return PutBack::Begun(Some(world.now()));
        }
        return match allow_generic(world, scope, principal, &work.kind, &id, "Update") {
            Ok(()) => PutBack::Begun(Some(world.now() + world.options.resource_time)),
            Err(reason) => PutBack::Failed(reason),
        };
    };
    let mut on = On { world, scope, principal, stack_name, logical_id };
    match provider.update(&mut on, &id, &work.new, &work.old) {
        Ok(()) => PutBack::Begun(None),
        Err(error) => {
            let passing = PASSING.contains(&error.code.as_ref());
            let message = handler_message(world, provider.service(), &error);
            if passing { PutBack::TryAgain(message) } else { PutBack::Failed(message) }
        }
    }
}

/// Starts removing a resource.
///
/// # Errors
/// The reason its event gives.
pub(super) fn remove(
    world: &mut World,
    scope: &Scope,
    principal: &Principal,
    stack_name: &str,
    logical_id: &str,
    kind: &str,
    physical_id: &str,
) -> Result<(), String> {
    match provider(kind) {
        Some(provider) => {
            let mut on = On { world, scope, principal, stack_name, logical_id };
            provider
                .delete(&mut on, physical_id)
                .map_err(|error| handler_message(world, provider.service(), &error))
        }
        None => allow_generic(world, scope, principal, kind, physical_id, "Delete"),
    }
}

/// Whether a resource that is being removed is still there.
pub(super) fn going(world: &World, scope: &Scope, kind: &str, physical_id: &str) -> bool {
    provider(kind)
        .is_some_and(|provider| provider.progress(world, scope, physical_id) == Progress::Busy)
}

/// Looks at a resource that its service is working on.
pub(super) fn look(world: &mut World, scope: &Scope, work: &Work) -> Look {
    let Some(provider) = provider(&work.kind) else { return Look::Done };
    let id = work.new_id.as_ref().or(work.old_id.as_ref()).map(String::as_str).unwrap_or_default();
    match provider.progress(world, scope, id) {
        Progress::Busy => Look::Busy,
        Progress::Done => Look::Done,
        Progress::Failed(error) => Look::Failed(handler_message(world, provider.service(), &error)),
    }
}

/// What a resource is like in reality; generic ones are always as their template says, custom ones nobody can read.
pub(super) fn actual(region: &Region, kind: &str, physical_id: &str) -> Option<Actual> {
    if kind.starts_with("Custom::") {
        return Some(Actual::Unsupported);
    }
    provider(kind).map(|provider| provider.actual(region, physical_id))
}

/// The rights that changing a resource of a generic type needs: `<service>:<Verb><Resource>`. Real handlers need several with other
/// names; one is enough for a scenario to deny.
fn allow_generic(
    world: &mut World,
    scope: &Scope,
    principal: &Principal,
    kind: &str,
    id: &str,
    verb: &str,
) -> Result<(), String> {
    let mut parts = kind.split("::").skip(1);
    let (service, resource) =
        (parts.next().unwrap_or("custom"), parts.next().unwrap_or("Resource"));
    let action = format!("{}:{verb}{resource}", service.to_lowercase());
    let arn = generic::attribute(scope, kind, id, "Arn");
    world
        .iam
        .authorize(principal, &action, &arn)
        .map_err(|error| handler_message(world, service, &error))
}

/// A provider's error as CloudFormation relays it (met in the field for RDS; the same form for all).
fn handler_message(world: &mut World, service: &str, error: &ApiError) -> String {
    let code = match error.code.as_ref() {
        code if code.contains("AccessDenied") => "AccessDenied",
        code if code.contains("NotFound") => "NotFound",
        code if code.contains("AlreadyExists") => "AlreadyExists",
        code if PASSING.contains(&code) => "GeneralServiceException",
        _ => "InvalidRequest",
    };
    let (request, token) = (world.uuid(), world.uuid());
    format!(
        "Resource handler returned message: \"{} (Service: {service}, Status Code: {}, Request ID: {request})\" (RequestToken: {token}, HandlerErrorCode: {code})",
        error.message, error.status
    )
}
