//! Starting an operation on a root stack: what CloudFormation refuses at once, and the first step of what it accepts.

use super::state::{Parameters, Stack, Status, Version};
use super::template::{Parameter, Template};
use super::{Given, Update, engine};
use crate::error::ApiError;
use crate::services::iam::Principal;
use crate::spec::matches;
use crate::world::{Region, Scope, World};
use std::collections::BTreeMap;
use std::sync::Arc;

/// CloudFormation's code for every refusal of its input.
pub(super) fn refused(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}

/// Starts an update of a root stack. From then on timers carry it to its end.
///
/// # Errors
/// `ValidationError` as CloudFormation words it: stack missing, in a state that takes no update, parameters refused, nothing to change.
pub(crate) fn start_update(
    world: &mut World,
    scope: &Scope,
    principal: &Principal,
    update: Update,
) -> Result<(), ApiError> {
    let region = world.region(scope);
    let stack = region
        .cloudformation
        .find(&update.stack_name)
        .filter(|stack| stack.status != Status::DeleteComplete);
    let stack =
        Arc::clone(stack.ok_or_else(|| {
            refused(format!("Stack with id {} does not exist", update.stack_name))
        })?);
    if !stack.is_root() {
        return Err(refused(format!(
            "Cannot update nested stack {} directly; update its root stack",
            stack.id
        )));
    }
    if !stack.status.takes_update() {
        return Err(refused(format!(
            "Stack:{} is in {} state and can not be updated.",
            stack.id,
            stack.status.as_str()
        )));
    }
    let given = merge(&stack, &update.template, &update.parameters)?;
    let parameters = check(region, &update.template, given)?;
    if *update.template == *stack.template
        && parameters == stack.parameters
        && update.role_arn == stack.role_arn
    {
        return Err(refused("No updates are to be performed."));
    }
    let after = Version { template: update.template, parameters };
    engine::begin_update(
        world,
        scope,
        &stack.name,
        principal,
        after,
        update.role_arn,
        update.client_token.as_deref(),
    );
    Ok(())
}

/// The values of the update: given ones, previous ones, and the new template's defaults for what was left out.
fn merge(
    stack: &Stack,
    template: &Template,
    given: &BTreeMap<String, Given>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let unknown: Vec<&str> =
        given.keys().filter(|key| template.parameter(key).is_none()).map(String::as_str).collect();
    if !unknown.is_empty() {
        if template.parameters.is_empty() {
            return Err(refused(
                "Parameter values specified for a template which does not require them.",
            ));
        }
        return Err(refused(format!(
            "Parameters: [{}] do not exist in the template",
            unknown.join(", ")
        )));
    }
    let mut values = BTreeMap::new();
    let mut missing = Vec::new();
    for parameter in &template.parameters {
        let key = &parameter.key;
        let value = match given.get(key) {
            Some(Given::Value(value)) => Some(value.trim().to_owned()),
            Some(Given::Previous) => Some(stack.parameters.given.get(key).cloned().ok_or_else(|| {
                refused(format!("Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for a parameter key not in the previous template"))
            })?),
            None => parameter.default.clone(),
        };
        match value {
            Some(value) => drop(values.insert(key.clone(), value)),
            None => missing.push(key.as_str()),
        }
    }
    if missing.is_empty() {
        Ok(values)
    } else {
        Err(refused(format!("Parameters: [{}] must have values", missing.join(", "))))
    }
}

/// Checks values against the template's constraints and resolves those of an SSM type.
pub(super) fn check(
    region: &Region,
    template: &Template,
    given: BTreeMap<String, String>,
) -> Result<Parameters, ApiError> {
    let mut resolved = BTreeMap::new();
    for parameter in &template.parameters {
        let Some(value) = given.get(&parameter.key) else { continue };
        if parameter.kind.starts_with("AWS::SSM::Parameter::Value") {
            let found = region.parameters.get(value).cloned();
            resolved.insert(
                parameter.key.clone(),
                found.ok_or_else(|| refused(format!("Unable to fetch parameters [{value}] from parameter store for this account.")))?,
            );
        } else {
            constraint(parameter, value).map_err(refused)?;
        }
    }
    Ok(Parameters { given, resolved })
}

/// The first constraint of `parameter` that `value` breaks, in CloudFormation's words.
fn constraint(parameter: &Parameter, value: &str) -> Result<(), String> {
    let key = &parameter.key;
    let said = |default: String| match &parameter.constraint_description {
        Some(description) => format!("Parameter {key} failed to satisfy constraint: {description}"),
        None => default,
    };
    if !parameter.allowed_values.is_empty()
        && !parameter.allowed_values.iter().any(|allowed| allowed == value)
    {
        return Err(format!("Parameter '{key}' must be one of AllowedValues"));
    }
    if let Some(pattern) =
        parameter.allowed_pattern.as_deref().filter(|pattern| !matches(pattern, value))
    {
        return Err(said(format!("Parameter '{key}' must match pattern {pattern}")));
    }
    let limit = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<f64>().ok());
    #[expect(clippy::cast_precision_loss, reason = "lengths are below 4096")]
    let length = value.chars().count() as f64;
    if let Some(min) = limit(&parameter.min_length).filter(|min| length < *min) {
        return Err(said(format!("Parameter '{key}' must contain at least {min} characters")));
    }
    if let Some(max) = limit(&parameter.max_length).filter(|max| length > *max) {
        return Err(said(format!("Parameter '{key}' must contain at most {max} characters")));
    }
    if parameter.kind == "Number" {
        let number: f64 =
            value.parse().map_err(|_| format!("Parameter '{key}' must be a number."))?;
        if let Some(min) = limit(&parameter.min_value).filter(|min| number < *min) {
            return Err(said(format!("Parameter '{key}' must be a number not less than {min}")));
        }
        if let Some(max) = limit(&parameter.max_value).filter(|max| number > *max) {
            return Err(said(format!("Parameter '{key}' must be a number not greater than {max}")));
        }
    }
    Ok(())
}

/// Continues a failed rollback of a root stack, without the resources in `skip`.
///
/// # Errors
/// `ValidationError` in the texts that were met in the field (`facts`: `ContinueUpdateRollback`).
pub(crate) fn continue_rollback(
    world: &mut World,
    scope: &Scope,
    principal: &Principal,
    name: &str,
    skip: &[String],
    force: bool,
) -> Result<(), ApiError> {
    let state = &world.region(scope).cloudformation;
    let root = state.find(name).filter(|stack| stack.status != Status::DeleteComplete);
    let root = Arc::clone(root.ok_or_else(|| refused(format!("Stack [{name}] does not exist")))?);
    if !root.is_root() {
        return Err(refused("RollbackUpdatedStack cannot be invoked on child stacks"));
    }
    if root.status != Status::RollbackFailed {
        return Err(refused(format!(
            "Stack:{} is in {} state and can not continue rollback.",
            root.id,
            root.status.as_str()
        )));
    }
    if force && !skip.is_empty() {
        return Err(refused("ForceRollback and ResourcesToSkip cannot be specified together"));
    }
    let mut skipped = Vec::new();
    for item in skip {
        let (stack_name, logical_id) = item.split_once('.').unwrap_or((root.name.as_str(), item));
        let stack = state
            .stacks
            .get(stack_name)
            .ok_or_else(|| refused(format!("Stack [{stack_name}] does not exist")))?;
        if stack.root != root.name {
            return Err(refused(format!(
                "Stack [{stack_name}] does not belong to stack {}",
                root.name
            )));
        }
        let work = stack.run.as_ref().and_then(|run| run.works.get(logical_id));
        if work.is_some_and(|work| &*work.kind == super::state::NESTED) {
            return Err(refused("Nested stacks could not be skipped"));
        }
        if !work.is_some_and(|work| matches!(work.state, super::state::WorkState::Failed(_))) {
            return Err(refused(format!(
                "Resource [{item}] cannot be skipped. Only the resources failed during UpdateRollback are allowed to be skipped"
            )));
        }
        skipped.push((stack_name.to_owned(), logical_id.to_owned()));
    }
    engine::begin_continue(world, scope, &root.name, principal, &skipped, force);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_constraint_is_refused_in_cloudformations_words() {
        let number = Parameter {
            key: "N".to_owned(),
            kind: "Number".to_owned(),
            min_value: Some("5".to_owned()),
            max_value: Some("9".to_owned()),
            ..Parameter::default()
        };
        let text = Parameter {
            key: "T".to_owned(),
            kind: "String".to_owned(),
            min_length: Some("2".to_owned()),
            max_length: Some("3".to_owned()),
            ..Parameter::default()
        };
        let choice = Parameter {
            key: "C".to_owned(),
            kind: "String".to_owned(),
            allowed_values: vec!["redis".to_owned()],
            ..Parameter::default()
        };
        let pattern = Parameter {
            key: "P".to_owned(),
            kind: "String".to_owned(),
            allowed_pattern: Some("[a-z]+".to_owned()),
            ..Parameter::default()
        };
        let described =
            Parameter { constraint_description: Some("lower case".to_owned()), ..pattern.clone() };
        let lookaround =
            Parameter { allowed_pattern: Some("(?!x).*".to_owned()), ..pattern.clone() };
        for (parameter, value, expected) in [
            (&number, "7", None),
            (&number, "4", Some("Parameter 'N' must be a number not less than 5")),
            (&number, "10", Some("Parameter 'N' must be a number not greater than 9")),
            (&number, "ten", Some("Parameter 'N' must be a number.")),
            (&text, "a", Some("Parameter 'T' must contain at least 2 characters")),
            (&text, "abcd", Some("Parameter 'T' must contain at most 3 characters")),
            (&choice, "Redis", Some("Parameter 'C' must be one of AllowedValues")),
            (&pattern, "a1", Some("Parameter 'P' must match pattern [a-z]+")),
            (&described, "a1", Some("Parameter P failed to satisfy constraint: lower case")),
            (&lookaround, "anything", None),
        ] {
            assert_eq!(
                constraint(parameter, value).err().as_deref(),
                expected,
                "{} = {value}",
                parameter.key
            );
        }
    }
}
