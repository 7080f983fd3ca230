//! What a version asks for: its template's parameters, and what comes with them for the person who fills them in.

use super::access::{self, artifact, named, not_found, product};
use super::state::Path;
use crate::error::ApiError;
use crate::node::Map;
use crate::options::EmptyDefault;
use crate::services::Call;
use crate::services::cloudformation::template::{Parameter, Template};
use serde_json::Value;

/// Outputs of a version are listed up to this many (botocore model, `ProvisioningArtifactOutputs`).
const MOST_OUTPUTS: usize = 60;

pub(super) fn describe_provisioning_parameters(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let state = &call.region().servicecatalog;
    let product = product(state, named(&call.input, "ProductId", "ProductName")?, |_| true)?;
    let artifact = artifact(
        product,
        named(&call.input, "ProvisioningArtifactId", "ProvisioningArtifactName")?,
    )?;
    let path = access::path(
        state,
        product,
        &call.caller,
        &call.input,
        call.world.options.stale_path.as_str(),
    )?;
    if !artifact.active {
        return Err(not_found(&artifact.id));
    }
    let outputs = outputs(&artifact.template);
    Ok(Map::new()
        .list(
            "ProvisioningArtifactParameters",
            nodes(&artifact.template, call.world.options.empty_default),
        )
        .list("ConstraintSummaries", constraints(path))
        .list("UsageInstructions", instructions(&artifact.template, path))
        .list("TagOptions", Vec::<Map>::new())
        // The same under its older name.
        .list("ProvisioningArtifactOutputs", outputs.clone())
        .list("ProvisioningArtifactOutputKeys", outputs))
}

/// The parameters of `template` in its order.
pub(super) fn nodes(template: &Template, empty: EmptyDefault) -> impl Iterator<Item = Map> {
    template.parameters.iter().map(move |parameter| node(parameter, empty))
}

/// The constraints of `path`, in words.
pub(super) fn constraints(path: &Path) -> Vec<Map> {
    let mut constraints = Vec::new();
    if let Some(role) = &path.launch_role {
        constraints.push(
            Map::new().with("Type", "LAUNCH").with("Description", format!("Launch as {role}")),
        );
    }
    if path.rules.is_some() {
        constraints.push(
            Map::new()
                .with("Type", "TEMPLATE")
                .with("Description", "Rules for the template's parameters"),
        );
    }
    if path.tag_updates {
        constraints.push(
            Map::new().with("Type", "RESOURCE_UPDATE").with("Description", "Tags may be updated"),
        );
    }
    constraints
}

/// `AllowedValues` is there even when it is empty, and limits are text (facts: live recordings).
fn node(parameter: &Parameter, empty: EmptyDefault) -> Map {
    let shown = |default: &&String| match empty {
        EmptyDefault::Shown => true,
        EmptyDefault::Absent => !default.is_empty(),
    };
    let constraints = Map::new()
        .list("AllowedValues", parameter.allowed_values.iter())
        .maybe("AllowedPattern", parameter.allowed_pattern.as_ref())
        .maybe("ConstraintDescription", parameter.constraint_description.as_ref())
        .maybe("MaxLength", parameter.max_length.as_ref())
        .maybe("MinLength", parameter.min_length.as_ref())
        .maybe("MaxValue", parameter.max_value.as_ref())
        .maybe("MinValue", parameter.min_value.as_ref());
    Map::new()
        .with("ParameterKey", &parameter.key)
        .maybe("DefaultValue", parameter.default.as_ref().filter(shown))
        .with("ParameterType", &parameter.kind)
        .with("IsNoEcho", parameter.no_echo)
        .maybe("Description", parameter.description.as_ref())
        .with("ParameterConstraints", constraints)
}

/// The instructions AWS gives (facts: live recordings; `launchAsRole` from code that reads it).
fn instructions(template: &Template, path: &Path) -> Vec<Map> {
    let text = |name: &str| template.body.get(name).and_then(Value::as_str);
    let mut all = vec![
        ("rules", rules(template, path)),
        ("version", text("AWSTemplateFormatVersion").unwrap_or("2010-09-09").to_owned()),
    ];
    if !template.description.is_empty() {
        all.push(("description", template.description.clone()));
    }
    if let Some(metadata) = &template.metadata {
        all.push(("metadata", metadata.to_string()));
    }
    all.push((
        "tagUpdateOnProvisionedProduct",
        if path.tag_updates { "ALLOWED" } else { "NOT_ALLOWED" }.to_owned(),
    ));
    if let Some(role) = &path.launch_role {
        all.push(("launchAsRole", role.clone()));
    }
    all.into_iter()
        .map(|(kind, value)| Map::new().with("Type", kind).with("Value", value))
        .collect()
}

/// The template's own rules and the path's, as JSON.
fn rules(template: &Template, path: &Path) -> String {
    let mut merged = serde_json::Map::new();
    for rules in [template.body.get("Rules"), path.rules.as_ref()]
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
    {
        merged.extend(rules.clone());
    }
    Value::Object(merged).to_string()
}

fn outputs(template: &Template) -> Vec<Map> {
    let outputs = template.body.get("Outputs").and_then(Value::as_object).into_iter().flatten();
    outputs
        .take(MOST_OUTPUTS)
        .map(|(key, output)| {
            Map::new()
                .with("Key", key)
                .maybe("Description", output.get("Description").and_then(Value::as_str))
        })
        .collect()
}
