//! Parameters whose change destroys something, told by what is known of them: role, type, words of key and label, and the template's
//! own warning.
//!
//! The keys are not public, so this errs on the side of protection: a parameter that only sounds like the network's is protected too.

use super::roles::words;
use crate::desired::Role;
use crate::observe::observation::Parameter;

/// What guards a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    /// It never changes; what it is.
    Never(&'static str),
    /// Its change creates the cache anew; what it is.
    RecreatesCache(&'static str),
    /// Nothing that is known.
    None,
}

/// What guards a parameter.
pub(super) fn protection(
    parameter: &Parameter,
    label: Option<&str>,
    role: Option<Role>,
) -> Protection {
    match role {
        Some(Role::HiveName) => return Protection::Never("the hive's name"),
        Some(Role::ResourcePrefix) => return Protection::Never("the prefix of all names"),
        // Judged by their values: see the gate.
        Some(
            Role::UseCache
            | Role::CacheEngine
            | Role::RedisVersion
            | Role::ValkeyVersion
            | Role::CacheAuthMode
            | Role::CacheNodeType
            | Role::CacheNodes
            | Role::CacheMultiAz
            | Role::AllocatedStorage
            | Role::AllocatedIops
            | Role::StorageThroughput
            | Role::MaxAllocatedStorage
            | Role::DeploymentTrigger,
        ) => return Protection::None,
        None => {}
    }
    let own: Vec<String> = [parameter.key.as_str(), label.unwrap_or_default()]
        .iter()
        .flat_map(|text| words(text))
        .collect();
    let has = |wanted: &[&str]| own.iter().any(|word| wanted.contains(&word.as_str()));
    let description = parameter.description.as_deref().unwrap_or_default().to_ascii_lowercase();
    let type_has = |text: &str| parameter.kind.contains(text);
    let snapshot =
        has(&["snapshot", "snapshots"]) && has(&["identifier", "id", "arn", "arns", "name"]);
    if has(&["primary"]) && has(&["region"]) {
        return Protection::Never("the primary region");
    }
    if type_has("AWS::EC2::VPC::Id")
        || type_has("AWS::EC2::Subnet::Id")
        || type_has("AWS::EC2::AvailabilityZone::Name")
        || has(&["vpc", "subnet", "subnets"])
        || (has(&["availability"]) && has(&["zone", "zones"]))
    {
        return Protection::Never("part of the network");
    }
    if has(&["kms"]) || (has(&["encryption"]) && has(&["key"])) {
        return Protection::Never("the encryption key");
    }
    if snapshot {
        return Protection::Never("the snapshot that something was created from");
    }
    let warned = [
        "cannot be changed",
        "can not be changed",
        "must not be changed",
        "never change",
        "do not change",
    ];
    if warned.iter().any(|text| description.contains(text)) {
        return Protection::Never("not to be changed, as its description says");
    }
    let recreates =
        ["re-creat", "recreat", "replaces the", "replacement", "destroys", "creates it again"];
    let warns = recreates.iter().any(|text| description.contains(text));
    let cache = has(&["cache", "elasticache", "redis", "valkey"]) || description.contains("cache");
    if warns && cache {
        return Protection::RecreatesCache(
            "something that replaces what it is for, as its description says",
        );
    }
    if warns {
        return Protection::Never(
            "something that replaces what it is for, as its description says",
        );
    }
    // Create-only members of a replication group (CloudFormation registry schema).
    if cache
        && (has(&["port"])
            || (has(&["encryption"]) && has(&["rest"]))
            || (has(&["data"]) && has(&["tiering"]))
            || (has(&["network"]) && has(&["type"])))
    {
        return Protection::RecreatesCache("fixed when the cache is created");
    }
    Protection::None
}
