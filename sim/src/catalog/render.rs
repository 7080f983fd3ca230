//! Rendering of one version of a template: annotations are decided and disappear, placeholders are filled.

use super::notation::Fault;
use semver::Version;
use serde_json::{Map, Value, json};

/// What a template is rendered for.
pub(super) struct Context<'a> {
    pub(super) version: &'a Version,
    /// Values of the world's options that `x-when` asks for.
    pub(super) options: &'a [(&'a str, &'a str)],
    /// Names and values of `{{…}}`.
    pub(super) placeholders: &'a [(&'a str, &'a str)],
}

const INTERFACE: &str = "AWS::CloudFormation::Interface";

/// A whole template: its values, the labels of its parameters collected in its metadata.
pub(super) fn template(data: &Value, context: &Context<'_>) -> Result<Value, Fault> {
    let mut body = value(data, context)?
        .filter(Value::is_object)
        .ok_or_else(|| Fault::new("there is no template"))?;
    let mut labels = Map::new();
    for (key, parameter) in
        body.get_mut("Parameters").and_then(Value::as_object_mut).into_iter().flatten()
    {
        if let Value::String(kind) = parameter {
            *parameter = json!({"Type": kind});
        }
        if let Some(label) =
            parameter.as_object_mut().and_then(|parameter| parameter.remove("x-label"))
        {
            labels.insert(key.clone(), json!({"default": label}));
        }
    }
    let parameters = body.get("Parameters").cloned().unwrap_or_default();
    if let Some(interface) =
        body.pointer_mut(&format!("/Metadata/{INTERFACE}")).and_then(Value::as_object_mut)
    {
        if let Some(groups) = interface.get_mut("ParameterGroups").and_then(Value::as_array_mut) {
            groups
                .iter_mut()
                .filter_map(|group| group.get_mut("Parameters")?.as_array_mut())
                .for_each(|keys| {
                    keys.retain(|key| {
                        key.as_str().is_some_and(|key| parameters.get(key).is_some())
                    });
                });
            groups.retain(|group| {
                group
                    .get("Parameters")
                    .and_then(Value::as_array)
                    .is_some_and(|keys| !keys.is_empty())
            });
        }
        interface.insert("ParameterLabels".to_owned(), labels.into());
    } else if !labels.is_empty() {
        return Err(Fault::new(format!("labels need Metadata.{INTERFACE}")));
    }
    Ok(body)
}

/// One value; absent when its annotations say so.
pub(super) fn value(data: &Value, context: &Context<'_>) -> Result<Option<Value>, Fault> {
    match data {
        Value::Object(object) => self::object(object, context),
        Value::Array(items) => {
            let items: Result<Vec<Option<Value>>, Fault> = items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    value(item, context).map_err(|fault| fault.at(index.to_string()))
                })
                .collect();
            Ok(Some(items?.into_iter().flatten().collect::<Vec<_>>().into()))
        }
        Value::String(text) => Ok(Some(fill(text, context.placeholders)?.into())),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(Some(data.clone())),
    }
}

fn object(object: &Map<String, Value>, context: &Context<'_>) -> Result<Option<Value>, Fault> {
    if !applies(object, context)? {
        return Ok(None);
    }
    if let Some(alternatives) = object.get("x-first") {
        let alternatives =
            alternatives.as_array().ok_or_else(|| Fault::new("must be a list").at("x-first"))?;
        for (index, alternative) in alternatives.iter().enumerate() {
            if let Some(chosen) = value(alternative, context)
                .map_err(|fault| fault.at(index.to_string()).at("x-first"))?
            {
                return Ok(Some(chosen));
            }
        }
        return Err(
            Fault::new(format!("no alternative is there in {}", context.version)).at("x-first")
        );
    }
    if let Some(inner) = object.get("x-value") {
        return value(inner, context).map_err(|fault| fault.at("x-value"));
    }
    let mut rendered = Map::new();
    for (key, member) in effective(object, context)? {
        match key {
            "x-since" | "x-until" | "x-when" | "x-from" => {}
            "x-label" => drop(rendered.insert(key.to_owned(), member.clone())),
            _ if key.starts_with("x-") => return Err(Fault::new("is no annotation").at(key)),
            _ => {
                if let Some(member) = value(member, context).map_err(|fault| fault.at(key))? {
                    rendered.insert(key.to_owned(), member);
                }
            }
        }
    }
    Ok(Some(rendered.into()))
}

fn applies(object: &Map<String, Value>, context: &Context<'_>) -> Result<bool, Fault> {
    let bound = |name: &str| {
        object
            .get(name)
            .map(|bound| {
                version(bound.as_str().unwrap_or_default()).map_err(|fault| fault.at(name))
            })
            .transpose()
    };
    if bound("x-since")?.is_some_and(|since| *context.version < since)
        || bound("x-until")?.is_some_and(|until| *context.version >= until)
    {
        return Ok(false);
    }
    let wanted = object.get("x-when").and_then(Value::as_object);
    if object.contains_key("x-when") && wanted.is_none() {
        return Err(Fault::new("must be a map of options").at("x-when"));
    }
    for (option, wanted) in wanted.into_iter().flatten() {
        let (_, is) = context
            .options
            .iter()
            .find(|(name, _)| name == option)
            .ok_or_else(|| Fault::new("is no option").at(option).at("x-when"))?;
        let holds = match wanted {
            Value::Array(any) => any.iter().any(|one| one.as_str() == Some(is)),
            one => one.as_str() == Some(is),
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The members of `object` as they are in this version: `x-from` gives later versions other ones.
fn effective<'v>(
    object: &'v Map<String, Value>,
    context: &Context<'_>,
) -> Result<Vec<(&'v str, &'v Value)>, Fault> {
    let mut changes = Vec::new();
    for (from, members) in object.get("x-from").and_then(Value::as_object).into_iter().flatten() {
        let members = members
            .as_object()
            .ok_or_else(|| Fault::new("must be a map of members").at(from).at("x-from"))?;
        changes.push((version(from).map_err(|fault| fault.at("x-from"))?, members));
    }
    changes.retain(|(from, _)| from <= context.version);
    changes.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut members: std::collections::BTreeMap<&str, &Value> =
        object.iter().map(|(key, member)| (key.as_str(), member)).collect();
    for (_, changed) in changes {
        members.extend(changed.iter().map(|(key, member)| (key.as_str(), member)));
    }
    Ok(members.into_iter().collect())
}

fn version(text: &str) -> Result<Version, Fault> {
    Version::parse(text).map_err(|error| Fault::new(format!("`{text}` is no version: {error}")))
}

/// `text` with every `{{name}}` replaced.
pub(super) fn fill(text: &str, placeholders: &[(&str, &str)]) -> Result<String, Fault> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{{") {
        let (name, after) = behind
            .split_once("}}")
            .ok_or_else(|| Fault::new(format!("`{{{{` without `}}}}` in `{text}`")))?;
        let (_, with) = placeholders
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| Fault::new(format!("`{{{{{name}}}}}` is no placeholder")))?;
        filled.push_str(before);
        filled.push_str(with);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}
