//! Templates: parameters, conditions, resources, outputs, and the few intrinsic functions that TED-like templates use.

use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A parsed template.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Template {
    pub(crate) description: String,
    pub(crate) metadata: Option<Value>,
    /// In the template's order.
    pub(crate) parameters: Vec<Parameter>,
    /// The template itself, as JSON.
    pub(crate) body: Value,
    /// Templates of nested stacks, by the `TemplateURL` that names them.
    pub(crate) nested: BTreeMap<String, Arc<Template>>,
}

/// A template's parameter. Absent and empty defaults are different things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) key: String,
    /// `String`, `Number`, `CommaDelimitedList`, `AWS::SSM::Parameter::Value<String>` …
    pub(crate) kind: String,
    pub(crate) default: Option<String>,
    pub(crate) no_echo: bool,
    pub(crate) description: Option<String>,
    pub(crate) allowed_values: Vec<String>,
    pub(crate) allowed_pattern: Option<String>,
    pub(crate) constraint_description: Option<String>,
    pub(crate) min_length: Option<String>,
    pub(crate) max_length: Option<String>,
    pub(crate) min_value: Option<String>,
    pub(crate) max_value: Option<String>,
}

impl Parameter {
    fn parse(key: &str, definition: &Value) -> Result<Self, String> {
        let text = |name: &str| match definition.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(Value::Bool(flag)) => Ok(Some(flag.to_string())),
            Some(other) => Err(format!("parameter {key}: {name} must be a scalar, not {other}")),
        };
        let allowed =
            definition.get("AllowedValues").and_then(Value::as_array).into_iter().flatten();
        Ok(Self {
            key: key.to_owned(),
            kind: text("Type")?.ok_or_else(|| format!("parameter {key}: Type is missing"))?,
            default: text("Default")?,
            no_echo: text("NoEcho")?.is_some_and(|flag| flag.eq_ignore_ascii_case("true")),
            description: text("Description")?,
            allowed_values: allowed.map(super::evaluate::text).collect(),
            allowed_pattern: text("AllowedPattern")?,
            constraint_description: text("ConstraintDescription")?,
            min_length: text("MinLength")?,
            max_length: text("MaxLength")?,
            min_value: text("MinValue")?,
            max_value: text("MaxValue")?,
        })
    }
}

impl Template {
    /// Reads a template whose functions are written in the long form (`Fn::If`, not `!If`).
    ///
    /// # Errors
    /// What is wrong, and where.
    pub(crate) fn parse(body: Value, nested: BTreeMap<String, Arc<Self>>) -> Result<Self, String> {
        if !body.get("Resources").is_some_and(Value::is_object) {
            return Err("At least one Resources member must be defined.".to_owned());
        }
        let parameters: Result<Vec<Parameter>, String> = section(&body, "Parameters")
            .iter()
            .map(|(key, definition)| Parameter::parse(key, definition))
            .collect();
        Ok(Self {
            description: body
                .get("Description")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            metadata: body.get("Metadata").cloned(),
            parameters: parameters?,
            nested,
            body,
        })
    }

    /// The conditions by name; none when the template has none.
    pub(crate) fn conditions(&self) -> &serde_json::Map<String, Value> {
        section(&self.body, "Conditions")
    }

    /// The resources by logical id.
    pub(crate) fn resources(&self) -> &serde_json::Map<String, Value> {
        section(&self.body, "Resources")
    }

    /// The outputs by key.
    pub(crate) fn outputs(&self) -> &serde_json::Map<String, Value> {
        section(&self.body, "Outputs")
    }

    /// The parameter called `key`.
    pub(crate) fn parameter(&self, key: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.key == key)
    }
}

fn section<'v>(body: &'v Value, name: &str) -> &'v serde_json::Map<String, Value> {
    static NONE: std::sync::LazyLock<serde_json::Map<String, Value>> =
        std::sync::LazyLock::new(serde_json::Map::new);
    body.get(name).and_then(Value::as_object).unwrap_or(&NONE)
}
