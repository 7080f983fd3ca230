//! Resources of types without a service of their own: they exist, have a name and attributes, and change when they are told to.

use super::evaluate::text;
use crate::world::Scope;
use serde_json::Value;

/// Properties that name the resource; a change of one makes a new resource.
const NAMES: [&str; 14] = [
    "Name",
    "RoleName",
    "BucketName",
    "LogGroupName",
    "TopicName",
    "AlarmName",
    "DashboardName",
    "QueueName",
    "FunctionName",
    "AliasName",
    "DBSubnetGroupName",
    "DBParameterGroupName",
    "CacheSubnetGroupName",
    "ManagedPolicyName",
];

/// The physical id that the properties ask for, when they do.
pub(super) fn named(kind: &str, properties: &Value) -> Option<String> {
    // A hosted zone's or rule's `Name` is not its id, but nothing here tells them apart by it.
    if kind == "AWS::EC2::SecurityGroup" {
        return None;
    }
    NAMES.iter().find_map(|name| properties.get(name)).map(text)
}

/// Whether a change from `before` to `after` makes a new resource.
pub(super) fn replaces(kind: &str, before: &Value, after: &Value) -> bool {
    named(kind, before) != named(kind, after)
}

/// What `Fn::GetAtt` reads from a generic resource.
pub(super) fn attribute(scope: &Scope, kind: &str, physical_id: &str, name: &str) -> String {
    let mut parts = kind.split("::").skip(1);
    let service = parts.next().unwrap_or("custom").to_lowercase();
    let resource = parts.next().unwrap_or("resource").to_lowercase();
    match name {
        "Arn" if service == "iam" => {
            format!("arn:{}:iam::{}:{resource}/{physical_id}", scope.partition(), scope.account)
        }
        "Arn" if service == "s3" => format!("arn:{}:s3:::{physical_id}", scope.partition()),
        name if name.ends_with("Arn") => {
            scope.arn(&service, format_args!("{resource}/{physical_id}"))
        }
        name => format!("{physical_id}.{}", name.to_lowercase()),
    }
}
