//! Worlds in which TED calls its parameters something else: the keys behind the labels are not public, so nobody may know them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Other keys and labels for parameters of the root template. Keys of nested templates stay: they are TED's inner affair.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Rename {
    /// Key in the data → key in this world.
    pub keys: BTreeMap<String, String>,
    /// Label in the data → label in this world; an empty one: no label at all.
    pub labels: BTreeMap<String, String>,
}

impl Rename {
    /// What this world calls the parameter `key`.
    pub(crate) fn key<'a>(&'a self, key: &'a str) -> &'a str {
        self.keys.get(key).map_or(key, String::as_str)
    }

    /// Renames in a rendered root template. [`Rename::check`] has seen that it can be done.
    pub(super) fn apply(&self, body: &mut Value) {
        if let Some(parameters) = body.get_mut("Parameters").and_then(Value::as_object_mut) {
            *parameters = std::mem::take(parameters)
                .into_iter()
                .map(|(key, parameter)| (self.key(&key).to_owned(), parameter))
                .collect();
        }
        for section in ["Conditions", "Resources", "Outputs"] {
            body.get_mut(section).into_iter().for_each(|section| self.references(section));
        }
        if let Some(interface) = body
            .pointer_mut("/Metadata/AWS::CloudFormation::Interface")
            .and_then(Value::as_object_mut)
        {
            self.interface(interface);
        }
    }

    fn interface(&self, interface: &mut Map<String, Value>) {
        let groups = interface
            .get_mut("ParameterGroups")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten();
        for key in groups.filter_map(|group| group.get_mut("Parameters")?.as_array_mut()).flatten()
        {
            if let Value::String(key) = key {
                *key = self.key(key).to_owned();
            }
        }
        if let Some(labels) = interface.get_mut("ParameterLabels").and_then(Value::as_object_mut) {
            let relabelled = std::mem::take(labels).into_iter().filter_map(|(key, mut label)| {
                if let Some(new) = label
                    .get("default")
                    .and_then(Value::as_str)
                    .and_then(|label| self.labels.get(label))
                {
                    if new.is_empty() {
                        return None;
                    }
                    label["default"] = new.as_str().into();
                }
                Some((self.key(&key).to_owned(), label))
            });
            *labels = relabelled.collect();
        }
    }

    /// Renames in every `Ref` and `Fn::Sub` of `value`.
    fn references(&self, value: &mut Value) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(target)) = object.get_mut("Ref") {
                    *target = self.key(target).to_owned();
                }
                match object.get_mut("Fn::Sub") {
                    Some(Value::String(text)) => *text = self.substitutions(text),
                    Some(Value::Array(parts)) => {
                        if let Some(Value::String(text)) = parts.first_mut() {
                            *text = self.substitutions(text);
                        }
                    }
                    _ => {}
                }
                object.values_mut().for_each(|value| self.references(value));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.references(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn substitutions(&self, text: &str) -> String {
        let mut parts = text.split("${");
        let mut renamed = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap_or((part, ""));
            renamed.push_str("${");
            renamed.push_str(self.key(name));
            renamed.push('}');
            renamed.push_str(rest);
        }
        renamed
    }

    /// Whether every key and label is in the data, whose root template is `root`, and the new keys are keys that nothing else has.
    ///
    /// # Errors
    /// The first that is not so, as a sentence.
    pub(super) fn check(&self, root: &Value) -> Result<(), String> {
        let section = |name: &str| root.get(name).and_then(Value::as_object);
        let Some(parameters) = section("Parameters") else {
            return Err("rename: TED has no parameters".to_owned());
        };
        for (old, new) in &self.keys {
            if !parameters.contains_key(old) {
                return Err(format!("rename: no version of TED has a parameter `{old}`"));
            }
            // AWS docs: CloudFormation user guide, parameters: logical names are alphanumeric.
            if new.is_empty() || !new.chars().all(|c| c.is_ascii_alphanumeric()) {
                return Err(format!(
                    "rename: `{new}` is no key for `{old}`: letters and digits only"
                ));
            }
            if section("Resources").is_some_and(|resources| resources.contains_key(new)) {
                return Err(format!("rename: a resource is called `{new}`, so `{old}` cannot be"));
            }
            if parameters.keys().any(|key| key != old && self.key(key) == new) {
                return Err(format!("rename: two parameters would be called `{new}`"));
            }
        }
        let has = |label: &str| {
            parameters
                .values()
                .any(|parameter| parameter.get("x-label").and_then(Value::as_str) == Some(label))
        };
        match self.labels.keys().find(|label| !has(label)) {
            Some(label) => {
                Err(format!("rename: no version of TED has a parameter labelled `{label}`"))
            }
            None => Ok(()),
        }
    }
}
