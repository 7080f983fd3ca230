//! Differences of CloudFormation's drift detection that nobody made.
//!
//! Service Catalog puts tags of its own on everything it makes (its guide: "auto tags"), and drift detection reports them on some types although no
//! template can have them (aws-cloudformation/cloudformation-coverage-roadmap issues 1199 and 1222). Write-only properties cannot be read
//! back, so whatever is compared with them is invented. And the same value can be written in two ways (user guide, drift detection,
//! "Considerations"): a KMS key as id and as ARN, a number as text, an engine version without its minor part.

use crate::observe::observation::ResourceDrift;
use serde_json::Value;
use std::collections::BTreeSet;

/// Properties that can be written and not read, by type (CloudFormation registry, `writeOnlyProperties`).
const WRITE_ONLY: &[(&str, &[&str])] = &[
    (
        "AWS::ElastiCache::ReplicationGroup",
        &[
            "AuthToken",
            "CacheParameterGroupName",
            "EngineVersion",
            "NumNodeGroups",
            "SecurityGroupIds",
            "SnapshotArns",
            "SnapshotName",
        ],
    ),
    (
        "AWS::RDS::DBInstance",
        &[
            "AllowMajorVersionUpgrade",
            "CertificateRotationRestart",
            "DBSnapshotIdentifier",
            "DeleteAutomatedBackups",
            "MasterUserPassword",
            "SourceDBInstanceIdentifier",
            "SourceRegion",
            "UseDefaultProcessorFeatures",
        ],
    ),
];

/// Words in a property's name that make its value nobody's business.
const SECRET: [&str; 6] = ["password", "secret", "token", "credential", "privatekey", "apikey"];

/// Whether the value at a path may be secret.
pub(super) fn may_be_secret(path: &str) -> bool {
    let path: String = path.chars().filter(char::is_ascii_alphanumeric).collect();
    let path = path.to_ascii_lowercase();
    SECRET.iter().any(|word| path.contains(word))
}

type Difference = (String, String, String);

/// The differences that are left when noise is taken away.
pub(super) fn real_differences(drift: &ResourceDrift) -> impl Iterator<Item = &Difference> {
    let own_tags = positions_of_own_tags(drift);
    drift.differences.iter().filter(move |(path, expected, actual)| {
        !is_write_only(&drift.kind, path)
            && !is_own_tag(path, expected, actual)
            && !tag_position(path).is_some_and(|position| own_tags.contains(position))
            && !is_same(path, expected, actual)
    })
}

fn is_write_only(kind: &str, path: &str) -> bool {
    let name = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    WRITE_ONLY.iter().any(|(of, names)| *of == kind && names.contains(&name))
}

/// What follows the list or map of tags in a path: `/Tags/3/Key` is `3/Key`. `None`: the path is not about tags.
fn within_tags(path: &str) -> Option<&str> {
    let path = path.trim_start_matches('/');
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    (first.ends_with("Tags") || first.ends_with("TagList")).then_some(rest)
}

/// `3` of `/Tags/3/Key`.
fn tag_position(path: &str) -> Option<&str> {
    let first = within_tags(path)?.split('/').next()?;
    first.parse::<usize>().is_ok().then_some(first)
}

/// Where in a list of tags the own ones show: a key that is compared by position drags its value along.
fn positions_of_own_tags(drift: &ResourceDrift) -> BTreeSet<&str> {
    drift
        .differences
        .iter()
        .filter(|(path, _, actual)| path.ends_with("/Key") && actual.starts_with("aws:"))
        .filter_map(|(path, _, _)| tag_position(path))
        .collect()
}

/// A tag that AWS made, or a list of tags that differs by such tags only.
fn is_own_tag(path: &str, expected: &str, actual: &str) -> bool {
    let Some(rest) = within_tags(path) else { return false };
    if rest.starts_with("aws:") {
        return true;
    }
    let (expected, actual) = (tags(expected), tags(actual));
    match (expected, actual) {
        (Some(expected), Some(actual)) => without_own(&expected) == without_own(&actual),
        _ => false,
    }
}

/// The tags that a value holds: nothing, one of them, a list, or a map.
fn tags(value: &str) -> Option<Vec<(String, String)>> {
    if value.is_empty() || value == "null" {
        return Some(Vec::new());
    }
    let pair = |tag: &Value| {
        let text = |name: &str| tag.get(name)?.as_str().map(str::to_owned);
        Some((text("Key")?, text("Value").unwrap_or_default()))
    };
    match serde_json::from_str(value).ok()? {
        Value::Array(tags) => tags.iter().map(pair).collect(),
        tag @ Value::Object(_) if tag.get("Key").is_some() => Some(vec![pair(&tag)?]),
        Value::Object(map) => {
            map.into_iter().map(|(key, value)| Some((key, value.as_str()?.to_owned()))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn without_own(tags: &[(String, String)]) -> BTreeSet<&(String, String)> {
    tags.iter().filter(|(key, _)| !key.starts_with("aws:")).collect()
}

/// Whether two values mean the same.
fn is_same(path: &str, expected: &str, actual: &str) -> bool {
    let (expected, actual) = (expected.trim(), actual.trim());
    if expected == actual {
        return true;
    }
    if let (Ok(expected), Ok(actual)) = (json(expected), json(actual)) {
        return plain(&expected) == plain(&actual);
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    let nothing = |text: &str| matches!(text, "" | "null" | "[]" | "{}");
    (nothing(expected) && nothing(actual))
        || expected.eq_ignore_ascii_case(actual)
            && (name.ends_with("Identifier") || matches!(actual, "true" | "false"))
        || number(expected).is_some_and(|number_| Some(number_) == number(actual))
        || (name.contains("KmsKey") && key_id(expected) == key_id(actual))
        || (name == "EngineVersion" && is_begun_by(expected, actual))
}

fn json(text: &str) -> Result<Value, serde_json::Error> {
    // A bare word or number is no document: those are compared as text.
    serde_json::from_str::<Value>(text).and_then(|value| {
        if value.is_object() || value.is_array() {
            Ok(value)
        } else {
            Err(serde::de::Error::custom("no document"))
        }
    })
}

/// Documents compare as AWS means them: numbers and booleans are texts.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(plain).collect()),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), plain(value))).collect())
        }
        Value::String(text) => Value::String(text.trim().to_owned()),
        Value::Null => Value::Null,
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
    }
}

fn number(text: &str) -> Option<u64> {
    let whole = text.strip_suffix(".0").unwrap_or(text);
    whole.parse().ok()
}

/// The id of a KMS key, written as id or as ARN.
fn key_id(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

/// `15` is satisfied by `15.7`: the template leaves the minor version to AWS.
fn is_begun_by(expected: &str, actual: &str) -> bool {
    actual.strip_prefix(expected).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_changed_is_not_told() {
        let own = r#"{"Key":"aws:servicecatalog:productArn","Value":"arn:aws:catalog:eu-central-1:1:product/prod-1"}"#;
        let list = |tags: &str| format!(r#"[{{"Key":"Name","Value":"hive"}}{tags}]"#);
        let group = "AWS::ElastiCache::ReplicationGroup";
        let database = "AWS::RDS::DBInstance";
        let any = "AWS::EC2::SecurityGroup";
        let long = list(&format!(",{own}"));
        let table: &[(&str, &str, &str, &str, bool, &str)] = &[
            (
                any,
                "/Tags/1",
                "null",
                own,
                false,
                "an AutoTag of Service Catalog (roadmap issue 1199)",
            ),
            (any, "/Tags", &list(""), &long, false, "the whole list, with one more"),
            (
                any,
                "/Tags",
                &list(""),
                r#"[{"Key":"Name","Value":"other"}]"#,
                true,
                "a tag that a person changed",
            ),
            (any, "/Tags/0/Value", "hive", "other", true, "the same, by position"),
            (
                any,
                "/HostedZoneTags/aws:cloudformation:stack-id",
                "null",
                "arn",
                false,
                "a map of tags",
            ),
            (any, "/Description", "aws:x", "aws:y", true, "not about tags at all"),
            (group, "/EngineVersion", "7.1", "8.0", false, "it cannot be read back"),
            (group, "/SecurityGroupIds/0", "sg-1", "sg-2", false, "the same, in a list"),
            (group, "/CacheNodeType", "cache.t3.medium", "cache.m6g.large", true, "readable"),
            (database, "/EngineVersion", "15", "15.7", false, "the minor version is AWS's"),
            (
                database,
                "/EngineVersion",
                "15.6",
                "15.7",
                true,
                "the minor version is the template's",
            ),
            (database, "/MasterUserPassword", "****", "", false, "write-only"),
            (database, "/AllocatedStorage", "200", "240", true, "RDS grew it"),
            (database, "/AllocatedStorage", "200", "200.0", false, "the same number"),
            (
                database,
                "/KmsKeyId",
                "1234-ab",
                "arn:aws:kms:us-east-2:1:key/1234-ab",
                false,
                "id and ARN",
            ),
            (
                database,
                "/KmsKeyId",
                "1234-ab",
                "arn:aws:kms:us-east-2:1:key/5678-cd",
                true,
                "another key",
            ),
            (
                database,
                "/DBInstanceIdentifier",
                "Turbot-Einstein",
                "turbot-einstein",
                false,
                "RDS keeps lower case",
            ),
            (
                any,
                "/Policy",
                r#"{"A":1,"B":[true]}"#,
                r#"{"B":["true"],"A":"1"}"#,
                false,
                "one document, two spellings",
            ),
            (any, "/Ingress", "[]", "null", false, "none is none"),
        ];
        for (kind, path, expected, actual, told, why) in table {
            let drift = ResourceDrift {
                kind: (*kind).to_owned(),
                differences: vec![(
                    (*path).to_owned(),
                    (*expected).to_owned(),
                    (*actual).to_owned(),
                )],
                ..ResourceDrift::default()
            };
            assert_eq!(real_differences(&drift).count() == 1, *told, "{why}");
        }
    }

    #[test]
    fn a_list_of_tags_that_an_own_tag_pushed_along_is_not_told() {
        let row = |path: &str, expected: &str, actual: &str| {
            (path.to_owned(), expected.to_owned(), actual.to_owned())
        };
        let drift = ResourceDrift {
            kind: "AWS::EC2::SecurityGroup".to_owned(),
            differences: vec![
                row("/Tags/0/Key", "Name", "aws:servicecatalog:portfolioArn"),
                row("/Tags/0/Value", "hive", "arn:aws:catalog:us-east-2:1:portfolio/port-1"),
                row("/Tags/1/Value", "a", "b"),
            ],
            ..ResourceDrift::default()
        };
        let left: Vec<_> = real_differences(&drift).map(|(path, ..)| path.as_str()).collect();
        assert_eq!(left, ["/Tags/1/Value"]);
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        for path in ["/MasterUserPassword", "/Environment/Variables/DB_SECRET", "/AuthToken"] {
            assert!(may_be_secret(path), "{path}");
        }
        assert!(!may_be_secret("/AllocatedStorage"));
    }
}
