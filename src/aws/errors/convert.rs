//! From the SDK's error to ours.

use super::{Error, Kind, classify, presentable};
use crate::aws::table::{Op, Service};
use crate::text::sanitize;
use aws_config::imds::client::error::ImdsError;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_types::request_id::RequestId;
use std::error::Error as StdError;
use std::io;
use std::time::Duration;

/// Longest pause that an answer may ask us to make; a hostile or broken header must not stop the loop for a day.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(1);

impl Error {
    /// Classifies what the SDK returned for `op`.
    pub(crate) fn from_sdk<E>(op: Op, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let operation = op.operation();
        match error {
            // An answer that says "done" and cannot be read is reported by the SDK like an error of the service. It is none:
            // taken for a refusal, a write that was carried out would be sent again.
            SdkError::ServiceError(context) if context.raw().status().is_success() => {
                let raw = context.raw();
                let text = chain_text(context.err());
                Self {
                    http_status: Some(raw.status().as_u16()),
                    request_id: header(raw, "x-amzn-requestid"),
                    ..Self::unanswered(operation.service, operation.name, Kind::BadAnswer, &text)
                }
            }
            SdkError::ServiceError(context) => {
                let meta = context.err().meta();
                Self::answered(operation.service, operation.name, meta, Some(context.raw()))
            }
            SdkError::ConstructionFailure(_) => Self::unanswered(
                operation.service,
                operation.name,
                Kind::Invalid,
                &chain_text(error),
            ),
            SdkError::TimeoutError(_) => Self::unanswered(
                operation.service,
                operation.name,
                Kind::Transport { may_have_arrived: true },
                "no answer within the time allowed for one attempt",
            ),
            SdkError::DispatchFailure(_) => {
                Self::dispatch(operation.service, operation.name, error)
            }
            SdkError::ResponseError(context) => {
                let mut failure = Self::unanswered(
                    operation.service,
                    operation.name,
                    Kind::BadAnswer,
                    &chain_text(error),
                );
                let status = context.raw().status().as_u16();
                if status >= 500 {
                    failure.kind = Kind::Service;
                }
                failure.http_status = Some(status);
                failure.request_id = header(context.raw(), "x-amzn-requestid");
                failure
            }
            // The enum is open. Not knowing what happened, assume the worst.
            _ => Self::unanswered(
                operation.service,
                operation.name,
                Kind::Transport { may_have_arrived: true },
                &chain_text(error),
            ),
        }
    }

    fn answered(
        service: Service,
        operation: &str,
        meta: &ErrorMetadata,
        raw: Option<&HttpResponse>,
    ) -> Self {
        let code = meta.code().unwrap_or_default();
        let message = meta.message().unwrap_or_default();
        let http_status = raw.map(|raw| raw.status().as_u16());
        Self {
            kind: classify(service, code, message, http_status),
            service,
            operation: operation.to_owned(),
            code: (!code.is_empty()).then(|| sanitize(code)),
            message: presentable(code, message),
            request_id: meta
                .request_id()
                .map(sanitize)
                .or_else(|| raw.and_then(|raw| header(raw, "x-amzn-requestid"))),
            http_status,
            retry_after: raw.and_then(retry_after),
        }
    }

    fn unanswered(service: Service, operation: &str, kind: Kind, message: &str) -> Self {
        Self {
            kind,
            service,
            operation: operation.to_owned(),
            code: None,
            message: presentable("", message),
            request_id: None,
            http_status: None,
            retry_after: None,
        }
    }

    /// A request that did not get an answer: credentials could not be had, or the connection failed.
    fn dispatch(service: Service, operation: &str, error: &(dyn StdError + 'static)) -> Self {
        if let Some(credentials) = find::<CredentialsError>(error) {
            return Self::credentials(service, operation, credentials);
        }
        let arrived = !never_left(error);
        let message =
            find::<ConnectorError>(error).map_or_else(|| chain_text(error), |c| chain_text(c));
        Self::unanswered(
            service,
            operation,
            Kind::Transport { may_have_arrived: arrived },
            &message,
        )
    }

    /// The credential chain failed, before anything was sent to the service.
    fn credentials(service: Service, operation: &str, error: &CredentialsError) -> Self {
        // A role that cannot be assumed is an answer of STS: say so, with its code.
        if let Some(meta) = find::<AssumeRoleError>(error).map(ProvideErrorMetadata::meta) {
            return Self::answered(Service::Sts, "AssumeRole", meta, None).never_sent();
        }
        if let Some(meta) =
            find::<AssumeRoleWithWebIdentityError>(error).map(ProvideErrorMetadata::meta)
        {
            return Self::answered(Service::Sts, "AssumeRoleWithWebIdentity", meta, None)
                .never_sent();
        }
        let kind = match error {
            CredentialsError::CredentialsNotLoaded(_) => Kind::NoCredentials,
            CredentialsError::ProviderTimedOut(_) => Kind::Transport { may_have_arrived: false },
            // The last link of the chain asks the instance metadata service. Where there is none, something else may answer.
            _ if matches!(find::<ImdsError>(error), Some(ImdsError::FailedToLoadToken(_))) => {
                Kind::NoCredentials
            }
            _ if find::<ConnectorError>(error).is_some() => {
                Kind::Transport { may_have_arrived: false }
            }
            // A login that ran out, a profile that is wrong, a helper program that failed.
            _ => Kind::BadCredentials,
        };
        // That each of five places has none says no more than that there are none.
        let text = chain_text(error);
        let text = if text.contains("no credentials found in chain") { "" } else { &text };
        Self::unanswered(service, operation, kind, text)
    }

    /// A failure on the way to the credentials says nothing about the request itself, which was never sent.
    fn never_sent(mut self) -> Self {
        if self.kind.may_have_arrived() {
            self.kind = Kind::Transport { may_have_arrived: false };
        }
        self
    }
}

/// True if the chain proves that no connection came about, so that the request cannot have been carried out.
fn never_left(error: &(dyn StdError + 'static)) -> bool {
    let refused = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
        )
    };
    find::<hyper_util::client::legacy::Error>(error)
        .is_some_and(hyper_util::client::legacy::Error::is_connect)
        || find::<io::Error>(error).is_some_and(refused)
        || find::<ConnectorError>(error).is_some_and(ConnectorError::is_user)
}

/// The first error of type `T` in a chain of causes.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    chain(error).find_map(|cause| cause.downcast_ref())
}

fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |cause: &&'a (dyn StdError + 'static)| (*cause).source())
}

/// The texts of a chain of causes, each said once.
fn chain_text(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    for cause in chain(error).map(ToString::to_string) {
        if text.ends_with(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    text
}

fn header(raw: &HttpResponse, name: &str) -> Option<String> {
    raw.headers().get(name).map(sanitize)
}

/// `x-amz-retry-after` is in milliseconds, `retry-after` (Lambda) in seconds.
fn retry_after(raw: &HttpResponse) -> Option<Duration> {
    let number = |name| raw.headers().get(name).and_then(|value| value.trim().parse::<u64>().ok());
    number("x-amz-retry-after")
        .map(Duration::from_millis)
        .or_else(|| number("retry-after").map(Duration::from_secs))
        .map(|pause| pause.min(MAX_RETRY_AFTER))
}
