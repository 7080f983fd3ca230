//! Everything we change, and nothing else. Only `act` is given a writer.
//!
//! There is no call here that terminates or deletes anything, and none will be added. A writer decides nothing: what to
//! send, under which token, comes from the plan.
//!
//! Guarantees: a request that may have arrived is never sent again; its outcome is [`Outcome::Unknown`], and the next look
//! at AWS tells. A parameter is sent with a value or with "use the previous one", never with both.

use super::call::Caller;
use super::convert::{prose, time};
use super::errors::Error;
use super::reader::record_of;
use super::session::Clients;
use super::table::Op;
use super::types::{Mapping, Record};
use aws_sdk_servicecatalog::types::UpdateProvisioningParameter;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// AWS took it. That is not success: look.
    Accepted(T),
    /// AWS did not do it.
    Refused(Error),
    /// It may have been done. Never send it again: look.
    Unknown(Error),
}

impl<T> Outcome<T> {
    fn of(answer: Result<T, Error>) -> Self {
        match answer {
            Ok(value) => Self::Accepted(value),
            Err(error) if error.may_have_arrived() => Self::Unknown(error),
            Err(error) => Self::Refused(error),
        }
    }
}

/// An idempotency token that Service Catalog and CloudFormation both take: letters, digits and `-`, not `-` first, at most 128.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyToken(String);

/// A text that cannot be an idempotency token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency token has 1 to 128 letters, digits and `-`, and does not begin with `-`")]
pub struct BadToken;

impl IdempotencyToken {
    /// Checks the text.
    ///
    /// # Errors
    /// A character is not allowed, or the length.
    pub fn new(text: impl Into<String>) -> Result<Self, BadToken> {
        let text = text.into();
        let fits = (1..=128).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !text.starts_with('-');
        if fits { Ok(Self(text)) } else { Err(BadToken) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a parameter is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterValue {
    /// What the running stack has.
    Previous,
    /// This value.
    Value(String),
}

/// The launch path of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathRef {
    /// `lp-…`.
    Id(String),
    /// The portfolio's name.
    Name(String),
}

/// One update of a provisioned product, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateRequest {
    /// `pp-…`.
    pub provisioned_product_id: String,
    /// `prod-…`.
    pub product_id: String,
    /// `pa-…`: the version to run.
    pub artifact_id: String,
    /// The path; without one AWS takes the only one, or refuses.
    pub path: Option<PathRef>,
    /// Every parameter of the version. One that is left out takes the template's default, not its present value.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// Equal tokens are one update.
    pub token: IdempotencyToken,
}

/// Changes one account and region, as one principal.
#[derive(Clone, Debug)]
pub struct Writer {
    clients: Arc<Clients>,
    caller: Caller,
}

impl Writer {
    pub(super) fn new(clients: Arc<Clients>, caller: Caller) -> Self {
        Self { clients, caller }
    }

    /// Starts an update. Accepted means that there is a record; most refusals come minutes later, in that record.
    #[expect(
        clippy::disallowed_methods,
        reason = "the writer is the one place that changes anything"
    )]
    pub async fn update_provisioned_product(&self, request: &UpdateRequest) -> Outcome<Record> {
        let (path_id, path_name) = match &request.path {
            None => (None, None),
            Some(PathRef::Id(id)) => (Some(id.clone()), None),
            Some(PathRef::Name(name)) => (None, Some(name.clone())),
        };
        let parameters: Vec<_> = request.parameters.iter().map(parameter).collect();
        let send = self.caller.write(Op::UpdateProvisionedProduct, || {
            let call = self.clients.catalog.update_provisioned_product();
            let call = call
                .provisioned_product_id(&request.provisioned_product_id)
                .product_id(&request.product_id);
            let call = call.provisioning_artifact_id(&request.artifact_id);
            let call = call.set_path_id(path_id.clone()).set_path_name(path_name.clone());
            let call = call.set_provisioning_parameters(Some(parameters.clone()));
            call.update_token(request.token.as_str()).send()
        });
        let answer = send.await;
        let operation = Op::UpdateProvisionedProduct.operation();
        let lacks = || {
            Error::bad_answer(operation.service, operation.name, "the answer has no `RecordDetail`")
        };
        Outcome::of(answer.and_then(|answer| answer.record_detail.map(record_of).ok_or_else(lacks)))
    }

    /// Goes on with a rollback that failed. `skip`: resources of the root by logical id, of nested stacks as
    /// `<physical stack name>.<logical id>`. Never passes a role: the stack keeps its own.
    #[expect(
        clippy::disallowed_methods,
        reason = "the writer is the one place that changes anything"
    )]
    pub async fn continue_update_rollback(
        &self,
        root_stack: &str,
        skip: &[String],
        token: &IdempotencyToken,
    ) -> Outcome<()> {
        let send = self.caller.write(Op::ContinueUpdateRollback, || {
            let call =
                self.clients.cloudformation.continue_update_rollback().stack_name(root_stack);
            let call = call.set_resources_to_skip((!skip.is_empty()).then(|| skip.to_vec()));
            call.client_request_token(token.as_str()).send()
        });
        Outcome::of(send.await.map(|_| ()))
    }

    /// Turns a trigger on or off. The answer shows it on the way there (`Disabling`).
    #[expect(
        clippy::disallowed_methods,
        reason = "the writer is the one place that changes anything"
    )]
    pub async fn set_mapping_enabled(&self, uuid: &str, enabled: bool) -> Outcome<Mapping> {
        let send = self.caller.write(Op::UpdateEventSourceMapping, || {
            self.clients.lambda.update_event_source_mapping().uuid(uuid).enabled(enabled).send()
        });
        Outcome::of(send.await.map(|mapping| Mapping {
            uuid: mapping.uuid.unwrap_or_else(|| uuid.to_owned()),
            arn: mapping.event_source_mapping_arn,
            event_source_arn: mapping.event_source_arn,
            function_arn: mapping.function_arn,
            state: mapping.state,
            state_reason: prose(mapping.state_transition_reason),
            modified_at: time(mapping.last_modified),
            last_result: prose(mapping.last_processing_result),
        }))
    }

    /// Sets one tag of a trigger, by the trigger's own ARN. Other tags stay.
    #[expect(
        clippy::disallowed_methods,
        reason = "the writer is the one place that changes anything"
    )]
    pub async fn tag_mapping(&self, mapping_arn: &str, key: &str, value: &str) -> Outcome<()> {
        let send = self.caller.write(Op::TagResource, || {
            self.clients.lambda.tag_resource().resource(mapping_arn).tags(key, value).send()
        });
        Outcome::of(send.await.map(|_| ()))
    }
}

/// Value or "previous", never both: AWS refuses both, although its documentation says that the value is ignored.
fn parameter((key, value): (&String, &ParameterValue)) -> UpdateProvisioningParameter {
    let parameter = UpdateProvisioningParameter::builder().key(key);
    match value {
        ParameterValue::Previous => parameter.use_previous_value(true),
        ParameterValue::Value(value) => parameter.value(value),
    }
    .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_what_both_services_take() {
        for (text, fits, why) in [
            ("a1-b2", true, "letters, digits, hyphen"),
            ("0", true, "one digit"),
            ("", false, "empty"),
            ("-a", false, "hyphen first"),
            ("a_b", false, "CloudFormation takes no underscore"),
            ("2026-08-01T10:00:00", false, "colons"),
            ("v1.2", false, "dots"),
        ] {
            assert_eq!(IdempotencyToken::new(text).is_ok(), fits, "{why}");
        }
        assert!(IdempotencyToken::new("x".repeat(128)).is_ok());
        assert!(IdempotencyToken::new("x".repeat(129)).is_err());
    }

    #[test]
    fn a_parameter_has_a_value_or_the_previous_one() {
        let previous = parameter((&"K".to_owned(), &ParameterValue::Previous));
        assert_eq!((previous.value(), previous.use_previous_value()), (None, true));
        let value = parameter((&"K".to_owned(), &ParameterValue::Value(String::new())));
        assert_eq!(
            (value.value(), value.use_previous_value()),
            (Some(""), false),
            "an empty value is a value"
        );
    }
}
