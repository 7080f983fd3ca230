//! What a template's expressions see: parameters, pseudo parameters, the stack's resources as they are now.

use super::engine::Engine;
use super::state::{Stack, Version};
use super::{evaluate, resources};
use crate::world::{Region, Scope};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Engine<'_> {
    pub(super) fn wanted(&self, stack: &Stack, version: &Version, resource: &Value) -> bool {
        let Some(condition) = resource.get("Condition").and_then(Value::as_str) else {
            return true;
        };
        self.with_environment(stack, version, |environment| environment.condition(condition))
            .unwrap_or(false)
    }

    /// The properties of a resource in `version`.
    ///
    /// # Errors
    /// Why they cannot be evaluated (yet).
    pub(super) fn properties(
        &self,
        stack: &Stack,
        version: &Version,
        logical_id: &str,
    ) -> Result<Value, String> {
        let resource = version
            .template
            .resources()
            .get(logical_id)
            .ok_or("no such resource in the template")?;
        let properties = resource
            .get("Properties")
            .cloned()
            .unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        self.with_environment(stack, version, |environment| environment.evaluate(&properties))
    }

    pub(super) fn with_environment<T>(
        &self,
        stack: &Stack,
        version: &Version,
        work: impl FnOnce(&evaluate::Environment<'_>) -> T,
    ) -> T {
        let region = self.region();
        let parameters = version.parameters.effective();
        let pseudo = pseudo(self.scope, stack);
        let reference =
            |id: &str| stack.resources.get(id).map(|resource| resource.physical_id.clone());
        let attribute = |id: &str, name: &str| {
            resources::attribute(self.scope, region, stack.resources.get(id)?, name)
        };
        work(&evaluate::Environment {
            template: &version.template,
            parameters: &parameters,
            pseudo: &pseudo,
            reference: &reference,
            attribute: &attribute,
        })
    }

    /// The outputs of `stack` as its template and resources are now. Outputs that cannot be evaluated are left out.
    pub(super) fn outputs(&self, stack: &Stack) -> Vec<super::state::Output> {
        let version =
            Version { template: Arc::clone(&stack.template), parameters: stack.parameters.clone() };
        self.with_environment(stack, &version, |environment| {
            let wanted = |output: &Value| {
                output
                    .get("Condition")
                    .and_then(Value::as_str)
                    .is_none_or(|name| environment.condition(name).unwrap_or(false))
            };
            let evaluated = |value: Option<&Value>| {
                value
                    .and_then(|value| environment.evaluate(value).ok())
                    .map(|value| evaluate::text(&value))
            };
            let outputs = version.template.outputs().iter().filter(|(_, output)| wanted(output));
            outputs
                .filter_map(|(key, output)| {
                    Some(super::state::Output {
                        key: key.clone(),
                        value: evaluated(output.get("Value"))?,
                        description: evaluated(output.get("Description")),
                        export: evaluated(
                            output.get("Export").and_then(|export| export.get("Name")),
                        ),
                    })
                })
                .collect()
        })
    }
}

/// The template and parameters of a nested stack, from the evaluated properties of its resource.
pub(super) fn nested_version(
    region: &Region,
    above: &Version,
    properties: &Value,
) -> Result<Version, String> {
    let url = properties.get("TemplateURL").map(evaluate::text).unwrap_or_default();
    let template = above
        .template
        .nested
        .get(&url)
        .ok_or_else(|| format!("TemplateURL must be a supported URL: {url}"))?;
    let mut given: BTreeMap<String, String> = template
        .parameters
        .iter()
        .filter_map(|parameter| Some((parameter.key.clone(), parameter.default.clone()?)))
        .collect();
    for (key, value) in
        properties.get("Parameters").and_then(Value::as_object).into_iter().flatten()
    {
        if template.parameter(key).is_none() {
            return Err(format!("Parameters: [{key}] do not exist in the template"));
        }
        given.insert(key.clone(), evaluate::text(value));
    }
    if let Some(missing) =
        template.parameters.iter().find(|parameter| !given.contains_key(&parameter.key))
    {
        return Err(format!("Parameters: [{}] must have values", missing.key));
    }
    let parameters = super::start::check(region, template, given).map_err(|error| error.message)?;
    Ok(Version { template: Arc::clone(template), parameters })
}

fn pseudo(scope: &Scope, stack: &Stack) -> BTreeMap<&'static str, String> {
    let suffix = if scope.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    BTreeMap::from([
        ("AWS::AccountId", scope.account.clone()),
        ("AWS::Region", scope.region.clone()),
        ("AWS::Partition", scope.partition().to_owned()),
        ("AWS::StackName", stack.name.clone()),
        ("AWS::StackId", stack.id.clone()),
        ("AWS::URLSuffix", suffix.to_owned()),
    ])
}
