//! Tags of functions and mappings, by ARN.

use super::name::FunctionName;
use super::{function_not_found, invalid, not_found, transitions};
use crate::error::ApiError;
use crate::node::Map;
use crate::services::Call;
use std::collections::BTreeMap;

/// Tags of one resource (Lambda developer guide, "Tag restrictions").
const MAX_TAGS: usize = 50;
/// Characters of a tag's key.
const MAX_KEY: usize = 128;
/// Keys with this prefix are AWS's own.
const RESERVED: &str = "aws:";

pub(super) fn list(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let tags = match target(call)? {
        Target::Function(name) => {
            call.region().lambda.function(&name).map(|function| &function.tags)
        }
        Target::Mapping(uuid) => call.region().lambda.mapping(&uuid).map(|mapping| &mapping.tags),
    };
    let tags = tags
        .into_iter()
        .flatten()
        .fold(Map::new(), |map, (key, value)| map.with(key.clone(), value));
    Ok(Map::new().with("Tags", tags))
}

pub(super) fn tag(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let added = call.input.entries("Tags");
    if let Some(wrong) = added
        .iter()
        .flat_map(|(key, value)| [key, value])
        .find(|text| !text.chars().all(may_stand_in_a_tag))
    {
        return Err(invalid(format!(
            "The tag key or value '{wrong}' has characters that are not allowed."
        )));
    }
    for key in added.keys() {
        if key.is_empty() || key.chars().count() > MAX_KEY {
            return Err(invalid(format!(
                "The tag key '{key}' must have 1 to {MAX_KEY} characters."
            )));
        }
        if key.to_ascii_lowercase().starts_with(RESERVED) {
            return Err(invalid(format!(
                "The tag key '{key}' is reserved: it may not begin with {RESERVED}"
            )));
        }
    }
    change(call, |tags| {
        let mut together = tags.clone();
        together.extend(added);
        if together.len() > MAX_TAGS {
            return Err(invalid(format!("A resource has at most {MAX_TAGS} tags.")));
        }
        *tags = together;
        Ok(())
    })
}

pub(super) fn untag(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let keys = call.input.texts("TagKeys");
    change(call, |tags| {
        tags.retain(|key, _| !keys.contains(key));
        Ok(())
    })
}

/// A resource that has tags.
enum Target {
    Function(String),
    Mapping(String),
}

/// The resource with the ARN of the request, when it exists here.
fn target(call: &Call<'_>) -> Result<Target, ApiError> {
    let arn = call.input.need("Resource");
    let prefix = call.scope.arn("lambda", "");
    let Some(rest) = arn.strip_prefix(&prefix) else {
        return Err(not_found(format!("The resource {arn} is not in this account and region.")));
    };
    if let Some(uuid) = rest.strip_prefix("event-source-mapping:") {
        let mapping =
            call.region().lambda.mapping(uuid).ok_or_else(transitions::mapping_not_found)?;
        return Ok(Target::Mapping(mapping.uuid.to_string()));
    }
    if !rest.starts_with("function:") {
        return Err(not_found("The resource you requested does not exist."));
    }
    let name = FunctionName::parse(arn);
    if name.qualifier.is_some() {
        return Err(invalid(
            "Tags on function aliases and versions are not supported. Please specify either a function name or an unqualified function ARN.",
        ));
    }
    let function = call
        .region()
        .lambda
        .function(name.name)
        .ok_or_else(|| function_not_found(&call.scope, name.name, None))?;
    Ok(Target::Function(function.name.to_string()))
}

fn change(
    call: &mut Call<'_>,
    change: impl FnOnce(&mut BTreeMap<String, String>) -> Result<(), ApiError>,
) -> Result<Map, ApiError> {
    let target = target(call)?;
    let (now, moves) = (call.now(), call.world.options.tag_moves_last_modified);
    let lambda = &mut call.region_mut().lambda;
    match target {
        Target::Function(name) => {
            lambda.function_mut(&name).map(|function| change(&mut function.tags)).transpose()?
        }
        Target::Mapping(uuid) => {
            let Some(mapping) = lambda.mapping_mut(&uuid) else {
                return Err(transitions::mapping_not_found());
            };
            change(&mut mapping.tags)?;
            if moves {
                mapping.modified = now;
            }
            None
        }
    };
    Ok(Map::new())
}

/// Letters, digits and blanks of any script, and `_ . : / = + - @` (botocore model: the pattern of keys and values).
fn may_stand_in_a_tag(character: char) -> bool {
    character.is_alphanumeric() || character == ' ' || "_.:/=+-@".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::services::iam::testing::{ask, pass, scope, text, world};
    use crate::services::lambda::{Function, add_function, add_mapping};
    use crate::spec::Service;
    use crate::world::World;
    use serde_json::{Value, json};

    fn tagged(options: Options) -> (World, String, String) {
        let mut world = world(options);
        add_function(&mut world, &scope(), Function::new("worker", "role".into()));
        let uuid =
            add_mapping(&mut world, &scope(), "worker", "arn:aws:sqs:us-east-2:444455556666:work")
                .unwrap();
        let arn = scope().arn("lambda", format_args!("event-source-mapping:{uuid}"));
        (world, uuid, arn)
    }

    fn tags(world: &mut World, operation: &str, input: &Value) -> Result<Map, ApiError> {
        ask(world, Service::Lambda, operation, input)
    }

    #[test]
    fn tags_are_set_read_and_removed_by_arn() {
        let (mut world, _, mapping) = tagged(Options::default());
        for arn in [mapping, scope().arn("lambda", "function:worker")] {
            let given = json!({"Resource": arn, "Tags": {"ted-controller:hold:pp-x": "held rec-1", "team": ""}});
            assert_eq!(tags(&mut world, "TagResource", &given).unwrap(), Map::new());
            tags(&mut world, "TagResource", &json!({"Resource": arn, "Tags": {"team": "db"}}))
                .unwrap();
            let found = tags(&mut world, "ListTags", &json!({"Resource": arn})).unwrap();
            assert_eq!(
                text(&found, "Tags.ted-controller:hold:pp-x").as_deref(),
                Some("held rec-1"),
                "{arn}"
            );
            assert_eq!(text(&found, "Tags.team").as_deref(), Some("db"), "overwritten");
            tags(
                &mut world,
                "UntagResource",
                &json!({"Resource": arn, "TagKeys": ["team", "absent"]}),
            )
            .unwrap();
            let found = tags(&mut world, "ListTags", &json!({"Resource": arn})).unwrap();
            assert_eq!(text(&found, "Tags.team"), None, "{arn}");
        }
    }

    #[test]
    fn tagging_moves_last_modified_only_by_option() {
        for moves in [false, true] {
            let (mut world, uuid, arn) =
                tagged(Options { tag_moves_last_modified: moves, ..Options::default() });
            for (operation, input) in [
                ("TagResource", json!({"Resource": arn, "Tags": {"a": "b"}})),
                ("UntagResource", json!({"Resource": arn, "TagKeys": ["a"]})),
            ] {
                pass(&mut world, 60);
                tags(&mut world, operation, &input).unwrap();
                let modified = world.region(&scope()).lambda.mapping(&uuid).unwrap().modified;
                assert_eq!(modified == world.now(), moves, "{operation}, {moves}");
            }
        }
    }

    #[test]
    fn what_cannot_be_tagged_is_refused() {
        let (mut world, _, arn) = tagged(Options::default());
        let many: BTreeMap<String, String> =
            (0..51).map(|number| (format!("k{number}"), String::new())).collect();
        for (why, resource, added, code) in [
            (
                "unknown mapping",
                scope().arn("lambda", "event-source-mapping:00000000-0000-4000-8000-000000000000"),
                json!({"a": "b"}),
                "ResourceNotFoundException",
            ),
            (
                "unknown function",
                scope().arn("lambda", "function:nobody"),
                json!({"a": "b"}),
                "ResourceNotFoundException",
            ),
            (
                "another region",
                arn.replace("us-east-2", "us-east-1"),
                json!({"a": "b"}),
                "ResourceNotFoundException",
            ),
            (
                "a version",
                scope().arn("lambda", "function:worker:1"),
                json!({"a": "b"}),
                "InvalidParameterValueException",
            ),
            ("no ARN", "worker".to_owned(), json!({"a": "b"}), "ValidationException"),
            ("too many", arn.clone(), json!(many), "InvalidParameterValueException"),
            ("reserved", arn.clone(), json!({"aws:x": "b"}), "InvalidParameterValueException"),
            (
                "too long a key",
                arn.clone(),
                json!({"k".repeat(129): "b"}),
                "InvalidParameterValueException",
            ),
            ("a character", arn.clone(), json!({"a": "b;c"}), "InvalidParameterValueException"),
            ("too long a value", arn.clone(), json!({"a": "b".repeat(257)}), "ValidationException"),
            ("no tags", arn, json!(null), "ValidationException"),
        ] {
            let error =
                tags(&mut world, "TagResource", &json!({"Resource": resource, "Tags": added}))
                    .unwrap_err();
            assert_eq!(error.code, code, "{why}: {}", error.message);
        }
    }
}
