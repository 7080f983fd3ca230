//! The AWS commands that do by hand what recovery would do, or may not.

use super::{Case, update_after};
use crate::assess::types::{ParameterValue, UpdateOrder};
use crate::desired::Recovery as Who;
use crate::observe::observation::Stack;
use serde_json::json;

/// What a person types to get the stack back, in its order.
pub(super) fn way_back(case: &Case<'_>, root: &Stack, skip: &[String]) -> String {
    let region = &case.observation.region;
    format!(
        "`{}`, then `aws cloudformation wait stack-rollback-complete --stack-name {} --region {}`",
        continuation(&root.name, region, skip),
        word(&root.name),
        word(region)
    )
}

/// What sends the update that follows, where that is a person's as well; elsewhere it is sent by itself, once its gates hold.
pub(super) fn update(case: &Case<'_>) -> Option<String> {
    let manual = case.desired.spec.policy.recovery == Who::Manual;
    if !manual && !is_past_the_door(case) {
        return None;
    }
    Some(update_command(&update_after(case)?, &case.observation.region))
}

fn is_past_the_door(case: &Case<'_>) -> bool {
    case.context
        .diagnosis
        .as_ref()
        .is_some_and(|(_, found)| found.cause == crate::assess::diagnosis::Cause::PastTheDoor)
}

/// Continues the rollback.
pub(super) fn continuation(stack: &str, region: &str, skip: &[String]) -> String {
    let names: Vec<String> = skip.iter().map(|name| word(name)).collect();
    let skips = if names.is_empty() {
        String::new()
    } else {
        format!(" --resources-to-skip {}", names.join(" "))
    };
    format!(
        "aws cloudformation continue-update-rollback --stack-name {} --region {}{skips}",
        word(stack),
        word(region)
    )
}

/// Sends an update.
pub(super) fn update_command(order: &UpdateOrder, region: &str) -> String {
    let parameters: Vec<_> = order
        .parameters
        .iter()
        .filter_map(|parameter| match &parameter.value {
            ParameterValue::Value(value) => Some(json!({"Key": parameter.key, "Value": value})),
            ParameterValue::Previous => {
                Some(json!({"Key": parameter.key, "UsePreviousValue": true}))
            }
            // Left out it takes its default.
            ParameterValue::Default => None,
        })
        .collect();
    format!(
        "aws servicecatalog update-provisioned-product --region {} --provisioned-product-id {} --product-id {} --provisioning-artifact-id {} --path-id {} --provisioning-parameters {}",
        word(region),
        word(&order.provisioned_product_id),
        word(&order.product_id),
        word(&order.artifact_id),
        word(&order.path_id),
        quoted(&serde_json::Value::from(parameters).to_string()),
    )
}

/// A word as a shell takes it: as it is when it is plain, else quoted.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
