//! Evaluation of templates: conditions, intrinsic functions, the order in which resources depend on each other.
//!
//! AWS docs: CloudFormation user guide, intrinsic function reference and pseudo parameters reference.

use super::template::Template;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What references resolve to.
pub(super) struct Environment<'a> {
    pub(super) template: &'a Template,
    /// Values as resources see them: SSM-typed parameters are resolved.
    pub(super) parameters: &'a BTreeMap<String, String>,
    pub(super) pseudo: &'a BTreeMap<&'static str, String>,
    /// `Ref` of a resource, by logical id; absent while it does not exist.
    pub(super) reference: &'a dyn Fn(&str) -> Option<String>,
    /// `Fn::GetAtt`, by logical id and attribute.
    pub(super) attribute: &'a dyn Fn(&str, &str) -> Option<String>,
}

/// Why a value could not be evaluated: a sentence as CloudFormation would give it.
pub(super) type Reason = String;

impl Environment<'_> {
    /// Evaluates `value`. `AWS::NoValue` becomes null and disappears from the object or list around it.
    pub(super) fn evaluate(&self, value: &Value) -> Result<Value, Reason> {
        match value {
            Value::Object(object) => {
                if let Some((name, argument)) = function(object) {
                    return self.call(name, argument);
                }
                let mut evaluated = Map::new();
                for (key, value) in object {
                    let value = self.evaluate(value)?;
                    if !value.is_null() {
                        evaluated.insert(key.clone(), value);
                    }
                }
                Ok(Value::Object(evaluated))
            }
            Value::Array(items) => {
                let items: Result<Vec<Value>, Reason> =
                    items.iter().map(|item| self.evaluate(item)).collect();
                Ok(Value::Array(items?.into_iter().filter(|item| !item.is_null()).collect()))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(value.clone()),
        }
    }

    /// Whether the condition called `name` holds.
    pub(super) fn condition(&self, name: &str) -> Result<bool, Reason> {
        let condition = self
            .template
            .conditions()
            .get(name)
            .ok_or_else(|| format!("Template error: unresolved condition {name}"))?;
        self.truth(condition)
    }

    fn truth(&self, value: &Value) -> Result<bool, Reason> {
        if let Some(name) = value.get("Condition").and_then(Value::as_str) {
            return self.condition(name);
        }
        match value.as_object().and_then(function) {
            Some(("Fn::Equals", Value::Array(sides))) if sides.len() == 2 => {
                Ok(text(&self.evaluate(&sides[0])?) == text(&self.evaluate(&sides[1])?))
            }
            Some(("Fn::Not", Value::Array(inner))) if inner.len() == 1 => {
                Ok(!self.truth(&inner[0])?)
            }
            Some(("Fn::And", Value::Array(inner))) => {
                inner.iter().try_fold(true, |all, one| Ok(self.truth(one)? && all))
            }
            Some(("Fn::Or", Value::Array(inner))) => {
                inner.iter().try_fold(false, |any, one| Ok(self.truth(one)? || any))
            }
            _ => Err(format!("Template error: {value} is not a condition")),
        }
    }

    fn call(&self, name: &str, argument: &Value) -> Result<Value, Reason> {
        let broken = || {
            format!(
                "Template error: every {name} object must have a valid argument, got {argument}"
            )
        };
        match (name, argument) {
            ("Ref", Value::String(target)) => self.reference(target),
            ("Fn::GetAtt", argument) => {
                let (logical, attribute) = attribute_path(argument).ok_or_else(broken)?;
                (self.attribute)(&logical, &attribute).map(Value::from).ok_or_else(|| format!("Template error: resource {logical} does not support attribute type {attribute} in Fn::GetAtt"))
            }
            ("Fn::If", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(name), yes, no] => {
                    self.evaluate(if self.condition(name)? { yes } else { no })
                }
                _ => Err(broken()),
            },
            ("Fn::Sub", argument) => self.substitute(argument).ok_or_else(broken)?,
            ("Fn::Join", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(between), list] => {
                    let list = self.evaluate(list)?;
                    Ok(list
                        .as_array()
                        .ok_or_else(broken)?
                        .iter()
                        .map(text)
                        .collect::<Vec<_>>()
                        .join(between)
                        .into())
                }
                _ => Err(broken()),
            },
            ("Fn::Split", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(at), whole] => Ok(text(&self.evaluate(whole)?)
                    .split(at.as_str())
                    .map(Value::from)
                    .collect::<Vec<_>>()
                    .into()),
                _ => Err(broken()),
            },
            ("Fn::Select", Value::Array(parts)) => match parts.as_slice() {
                [index, list] => {
                    let index: usize =
                        text(&self.evaluate(index)?).parse().map_err(|_| broken())?;
                    let list = match self.evaluate(list)? {
                        Value::Array(items) => items,
                        other => text(&other).split(',').map(Value::from).collect(),
                    };
                    list.into_iter().nth(index).ok_or_else(broken)
                }
                _ => Err(broken()),
            },
            ("Fn::FindInMap", Value::Array(parts)) => match parts.as_slice() {
                [map, first, second] => {
                    let (map, first, second) = (
                        text(&self.evaluate(map)?),
                        text(&self.evaluate(first)?),
                        text(&self.evaluate(second)?),
                    );
                    let found = self
                        .template
                        .body
                        .get("Mappings")
                        .and_then(|maps| maps.get(&map)?.get(&first)?.get(&second));
                    found.cloned().ok_or_else(|| {
                        format!(
                            "Template error: Unable to get mapping for {map}::{first}::{second}"
                        )
                    })
                }
                _ => Err(broken()),
            },
            ("Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not", _) => {
                Err(format!("Template error: {name} stands outside Conditions"))
            }
            _ => Err(broken()),
        }
    }

    fn reference(&self, target: &str) -> Result<Value, Reason> {
        if target == "AWS::NoValue" {
            return Ok(Value::Null);
        }
        if let Some(value) = self.pseudo.get(target) {
            return Ok(value.as_str().into());
        }
        if let Some(parameter) =
            self.template.parameters.iter().find(|parameter| parameter.key == target)
        {
            let value = self.parameters.get(target).map(String::as_str).unwrap_or_default();
            // A list parameter is a list to the resources that refer to it.
            return Ok(if parameter.kind.contains("List") {
                value.split(',').map(|item| Value::from(item.trim())).collect::<Vec<_>>().into()
            } else {
                value.into()
            });
        }
        (self.reference)(target).map(Value::from).ok_or_else(|| format!("Template format error: Unresolved resource dependencies [{target}] in the Resources block of the template"))
    }

    fn substitute(&self, argument: &Value) -> Option<Result<Value, Reason>> {
        let (template, names) = match argument {
            Value::String(template) => (template.as_str(), None),
            Value::Array(parts) => (parts.first()?.as_str()?, Some(parts.get(1)?.as_object()?)),
            _ => return None,
        };
        Some(
            fill(template, |name| {
                if let Some(value) = names.and_then(|names| names.get(name)) {
                    return self.evaluate(value).map(|value| text(&value));
                }
                match name.split_once('.') {
                    Some((logical, attribute)) => (self.attribute)(logical, attribute)
                        .ok_or_else(|| format!("Template error: unresolved {name} in Fn::Sub")),
                    None => self.reference(name).map(|value| text(&value)),
                }
            })
            .map(Value::from),
        )
    }
}

/// Replaces each `${Name}` of `template`; `${!Name}` stays as `${Name}`.
fn fill(
    template: &str,
    mut value: impl FnMut(&str) -> Result<String, Reason>,
) -> Result<String, Reason> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once("${") {
        let (name, after) = behind
            .split_once('}')
            .ok_or_else(|| format!("Template error: unclosed variable in Fn::Sub: {template}"))?;
        filled.push_str(before);
        match name.strip_prefix('!') {
            Some(literal) => filled.extend(["${", literal, "}"]),
            None => filled.push_str(&value(name.trim())?),
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// The function an object calls: its only key, `Ref` or `Fn::…`.
fn function(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = object.iter().next().filter(|_| object.len() == 1)?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name.as_str(), argument))
}

fn attribute_path(argument: &Value) -> Option<(String, String)> {
    match argument {
        Value::String(path) => path
            .split_once('.')
            .map(|(logical, attribute)| (logical.to_owned(), attribute.to_owned())),
        Value::Array(parts) => match parts.as_slice() {
            [Value::String(logical), Value::String(attribute)] => {
                Some((logical.clone(), attribute.clone()))
            }
            _ => None,
        },
        _ => None,
    }
}

/// A scalar as CloudFormation's text; lists are comma-joined.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// The logical ids that `resource` (a resource of a template) refers to or waits for, those that `is_resource`.
pub(super) fn dependencies(
    resource: &Value,
    is_resource: &dyn Fn(&str) -> bool,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    match resource.get("DependsOn") {
        Some(Value::String(one)) => drop(found.insert(one.clone())),
        Some(Value::Array(many)) => found.extend(many.iter().map(text)),
        _ => {}
    }
    if let Some(properties) = resource.get("Properties") {
        references(properties, &mut found);
    }
    found.retain(|name| is_resource(name));
    found
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            match function(object) {
                Some(("Ref", Value::String(target))) => drop(found.insert(target.clone())),
                Some(("Fn::GetAtt", argument)) => {
                    found.extend(attribute_path(argument).map(|(logical, _)| logical));
                }
                Some(("Fn::Sub", argument)) => {
                    let template = argument
                        .as_str()
                        .or_else(|| argument.get(0).and_then(Value::as_str))
                        .unwrap_or_default();
                    let _ = fill(template, |name| {
                        found.insert(name.split('.').next().unwrap_or(name).to_owned());
                        Ok(String::new())
                    });
                }
                _ => {}
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn evaluated(expression: &Value) -> Result<Value, Reason> {
        let body = json!({
            "Parameters": {"Engine": {"Type": "String"}, "Zones": {"Type": "CommaDelimitedList"}},
            "Conditions": {"IsValkey": {"Fn::Equals": [{"Ref": "Engine"}, "valkey"]}, "IsRedis": {"Fn::Not": [{"Condition": "IsValkey"}]}},
            "Mappings": {"Family": {"8.0": {"name": "valkey8"}}},
            "Resources": {},
        });
        let parameter = |key: &str, kind: &str| super::super::template::Parameter {
            key: key.to_owned(),
            kind: kind.to_owned(),
            ..Default::default()
        };
        let template = Template {
            parameters: vec![
                parameter("Engine", "String"),
                parameter("Zones", "CommaDelimitedList"),
            ],
            body,
            ..Template::default()
        };
        let parameters = BTreeMap::from([
            ("Engine".to_owned(), "valkey".to_owned()),
            ("Zones".to_owned(), "a, b".to_owned()),
        ]);
        let pseudo = BTreeMap::from([("AWS::Region", "us-east-2".to_owned())]);
        let environment = Environment {
            template: &template,
            parameters: &parameters,
            pseudo: &pseudo,
            reference: &|name| (name == "Cache").then(|| "turbot-cache".to_owned()),
            attribute: &|name, attribute| (name == "Cache").then(|| format!("cache.{attribute}")),
        };
        environment.evaluate(expression)
    }

    #[test]
    fn each_function_gives_what_cloudformation_gives() {
        for (expression, expected) in [
            (json!({"Ref": "Engine"}), json!("valkey")),
            (json!({"Ref": "Zones"}), json!(["a", "b"])),
            (json!({"Ref": "AWS::Region"}), json!("us-east-2")),
            (json!({"a": {"Ref": "AWS::NoValue"}, "b": 1}), json!({"b": 1})),
            (json!({"Fn::If": ["IsValkey", "v", {"Ref": "Nothing"}]}), json!("v")),
            (json!({"Fn::If": ["IsRedis", "r", {"Ref": "AWS::NoValue"}]}), json!(null)),
            (json!({"Fn::GetAtt": "Cache.Endpoint.Port"}), json!("cache.Endpoint.Port")),
            (
                json!({"Fn::Sub": "${Engine}-${Cache.Arn}-${!x}-${AWS::Region}"}),
                json!("valkey-cache.Arn-${x}-us-east-2"),
            ),
            (
                json!({"Fn::Sub": ["${a}${Cache}", {"a": {"Ref": "Engine"}}]}),
                json!("valkeyturbot-cache"),
            ),
            (json!({"Fn::Join": ["-", {"Fn::Split": ["_", "a_b_c"]}]}), json!("a-b-c")),
            (json!({"Fn::Select": ["1", {"Ref": "Zones"}]}), json!("b")),
            (json!({"Fn::FindInMap": ["Family", "8.0", "name"]}), json!("valkey8")),
        ] {
            assert_eq!(evaluated(&expression), Ok(expected), "{expression}");
        }
        assert!(evaluated(&json!({"Ref": "Nothing"})).is_err());
        assert!(evaluated(&json!({"Fn::FindInMap": ["Family", "9", "name"]})).is_err());
    }

    #[test]
    fn dependencies_are_found_in_every_form() {
        let resource = json!({"DependsOn": ["A"], "Properties": {"x": {"Ref": "B"}, "y": [{"Fn::GetAtt": ["C", "Arn"]}], "z": {"Fn::Sub": "${D.Arn}${P}"}}});
        let found = dependencies(&resource, &|name| name != "P");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["A", "B", "C", "D"]);
    }
}
