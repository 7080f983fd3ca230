//! Reading of data files: YAML with CloudFormation's short forms (`!Ref`, `!If` …) into JSON with the long ones.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use serde_yaml::Value as Yaml;

/// What is wrong with data, and where.
#[derive(Debug)]
pub(super) struct Fault {
    /// Innermost first.
    place: Vec<String>,
    what: String,
}

impl Fault {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { place: Vec::new(), what: what.into() }
    }

    /// The same, inside `place`.
    pub(super) fn at(mut self, place: impl Into<String>) -> Self {
        self.place.push(place.into());
        self
    }

    /// The same, met while `version` was rendered.
    pub(super) fn while_rendering(mut self, version: &str) -> Self {
        self.what = format!("{} (in {version})", self.what);
        self
    }

    /// `ted.yaml: root.Parameters.HiveName: …`
    pub(super) fn in_file(self, file: &str) -> String {
        let place: Vec<&str> = self.place.iter().rev().map(String::as_str).collect();
        if place.is_empty() {
            format!("{file}: {}", self.what)
        } else {
            format!("{file}: {}: {}", place.join("."), self.what)
        }
    }
}

/// Reads `text`.
///
/// # Errors
/// File, place (line and column of what is no YAML, else the path of keys) and fault.
pub(super) fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, String> {
    let mut yaml: Yaml = serde_yaml::from_str(text).map_err(|error| format!("{file}: {error}"))?;
    yaml.apply_merge().map_err(|error| format!("{file}: {error}"))?;
    let value = json(&yaml).map_err(|fault| fault.in_file(file))?;
    serde_json::from_value(value).map_err(|error| format!("{file}: {error}"))
}

fn json(yaml: &Yaml) -> Result<Value, Fault> {
    Ok(match yaml {
        Yaml::Null => return Err(Fault::new("a value is missing")),
        Yaml::Bool(flag) => (*flag).into(),
        Yaml::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            // `8.0` and `7.10` would lose their spelling.
            None => return Err(Fault::new(format!("{number} must be quoted"))),
        },
        Yaml::String(text) => text.as_str().into(),
        Yaml::Sequence(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| json(item).map_err(|fault| fault.at(index.to_string())))
            .collect::<Result<Vec<_>, _>>()?
            .into(),
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let key =
                    key.as_str().ok_or_else(|| Fault::new(format!("key {key:?} must be text")))?;
                map.insert(key.to_owned(), json(value).map_err(|fault| fault.at(key))?);
            }
            map.into()
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let argument = json(&tagged.value).map_err(|fault| fault.at(&tag))?;
            long_form(&tag, &argument)?
        }
    })
}

/// AWS docs: CloudFormation user guide, intrinsic function reference, the short form of each function.
fn long_form(tag: &str, argument: &Value) -> Result<Value, Fault> {
    let name = tag.trim_start_matches('!');
    match name {
        "Ref" | "Condition" => Ok(json!({ name: argument })),
        "GetAtt" => match argument.as_str().and_then(|path| path.split_once('.')) {
            Some((logical_id, attribute)) => Ok(json!({"Fn::GetAtt": [logical_id, attribute]})),
            None => Err(Fault::new(format!("!GetAtt {argument} is not `Resource.Attribute`"))),
        },
        "And" | "Equals" | "FindInMap" | "If" | "Join" | "Not" | "Or" | "Select" | "Split"
        | "Sub" => Ok(json!({ format!("Fn::{name}"): argument })),
        _ => Err(Fault::new(format!("`{tag}` is no function"))),
    }
}
