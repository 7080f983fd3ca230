//! The update of the provisioned product: one request, under a token that makes it the same one for whoever acts on the same "before".

use super::Outcome;
use crate::assess::types::{ParameterValue, UpdateOrder};
use crate::aws::{self, IdempotencyToken, PathRef, UpdateRequest, Writer};

/// Sends an update.
pub(super) async fn send(writer: &Writer, order: &UpdateOrder) -> Outcome {
    let mut outcome = Outcome::default();
    // Letters and digits of a digest: it always is one.
    let Ok(token) = IdempotencyToken::new(order.token.clone()) else {
        outcome.passed_over.push("the update's token is none".to_owned());
        return outcome;
    };
    let parameters = order.parameters.iter().filter_map(|parameter| {
        let value = match &parameter.value {
            ParameterValue::Value(value) => aws::ParameterValue::Value(value.clone()),
            ParameterValue::Previous => aws::ParameterValue::Previous,
            ParameterValue::Default => return None,
        };
        Some((parameter.key.clone(), value))
    });
    let request = UpdateRequest {
        provisioned_product_id: order.provisioned_product_id.clone(),
        product_id: order.product_id.clone(),
        artifact_id: order.artifact_id.clone(),
        path: Some(PathRef::Id(order.path_id.clone())),
        parameters: parameters.collect(),
        token,
    };
    let what = format!("update `{}`", order.provisioned_product_id);
    match writer.update_provisioned_product(&request).await {
        aws::Outcome::Accepted(record) => {
            outcome.done = 1;
            outcome.record_id = Some(record.id);
        }
        aws::Outcome::Refused(error) => outcome.refuse(&format!("cannot {what}"), &error),
        aws::Outcome::Unknown(error) => {
            outcome.unknown.push(format!("nobody knows whether AWS took the {what}: {error}"));
        }
    }
    outcome
}
