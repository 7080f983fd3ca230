//! AWS's answers as parts of an observation. Pure: what is missing stays missing, nothing is filled in.

use super::observation::{
    Artifact, Cache, CacheNode, Database, Gap, LaunchPath, Parameter, Product, Record, Seen, Stack,
    StackParameter, StackResource, TemplateSummary, Usage,
};
use crate::aws::{Class, Error, types as aws};
use crate::text::sanitize;
use std::collections::BTreeMap;

/// Types of resources that RDS and ElastiCache know; of the others a stack has dozens, which are counted only.
const KNOWN_BY_SERVICES: [&str; 2] = ["AWS::RDS::", "AWS::ElastiCache::"];

/// RDS and ElastiCache keep events for 14 days (their user guides); in minutes.
pub(super) const EVENTS_KEPT_MINUTES: u16 = 14 * 24 * 60;

/// Why a call gave no answer.
pub(super) fn gap(error: &Error) -> Gap {
    Gap {
        operation: format!("{}:{}", error.service.prefix(), error.operation),
        reason: error.reason().to_owned(),
        message: sanitize(&error.to_string()),
        passing: error.class() == Class::Transient,
    }
}

/// What a call gave.
pub(super) fn seen<T, U>(answer: Result<T, Error>, convert: impl FnOnce(T) -> U) -> Seen<U> {
    match answer {
        Ok(value) => Seen::Present(convert(value)),
        Err(error) => Seen::Unreadable(gap(&error)),
    }
}

pub(super) fn product(found: aws::ProvisionedProduct) -> Product {
    Product {
        id: found.id,
        name: found.name,
        arn: found.arn.unwrap_or_default(),
        kind: found.kind.unwrap_or_default(),
        status: found.status.unwrap_or_default(),
        status_message: found.status_message.as_deref().map(sanitize),
        product_id: found.product_id,
        product_name: None,
        artifact_id: found.artifact_id,
        launch_role_arn: found.launch_role_arn,
        last_record_id: found.last_record_id,
        last_provisioning_record_id: found.last_provisioning_record_id,
        last_successful_provisioning_record_id: found.last_successful_provisioning_record_id,
        physical_id: None,
        user_arn: None,
    }
}

/// As a search shows it: the only call that names the product and the stack, but behind an index that may lag.
pub(super) fn found_product(found: aws::FoundProduct) -> Product {
    Product {
        id: found.id,
        name: found.name,
        arn: found.arn.unwrap_or_default(),
        kind: found.kind.unwrap_or_default(),
        status: found.status.unwrap_or_default(),
        status_message: found.status_message.as_deref().map(sanitize),
        product_id: found.product_id,
        product_name: found.product_name,
        artifact_id: found.artifact_id,
        launch_role_arn: None,
        last_record_id: found.last_record_id,
        last_provisioning_record_id: found.last_provisioning_record_id,
        last_successful_provisioning_record_id: found.last_successful_provisioning_record_id,
        physical_id: found.physical_id,
        user_arn: None,
    }
}

pub(super) fn record(found: aws::Record, outputs: &[aws::Output]) -> Record {
    let errors = found.errors.iter().map(|error| {
        let parts = [error.code.as_deref(), error.description.as_deref()];
        sanitize(&parts.into_iter().flatten().collect::<Vec<_>>().join(": "))
    });
    Record {
        errors: errors.collect(),
        id: found.id,
        status: found.status.unwrap_or_default(),
        kind: found.kind.unwrap_or_default(),
        created: found.created_at,
        updated: found.updated_at,
        artifact_id: found.artifact_id,
        path_id: found.path_id,
        outputs: by_key(outputs),
        principal: found.tags.get("aws:servicecatalog:provisioningPrincipalArn").cloned(),
    }
}

fn by_key(outputs: &[aws::Output]) -> BTreeMap<String, String> {
    outputs.iter().filter_map(|output| Some((output.key.clone(), output.value.clone()?))).collect()
}

pub(super) fn artifact(found: aws::Artifact) -> Artifact {
    Artifact {
        id: found.id,
        name: found.name.unwrap_or_default(),
        description: found.description.as_deref().map(sanitize),
        created: found.created_at,
        // `ListProvisioningArtifacts` says it of each; where AWS is silent, end users see it (`DescribeProduct` lists active ones only).
        active: found.active.unwrap_or(true),
        deprecated: found.guidance.as_deref() == Some("DEPRECATED"),
    }
}

pub(super) fn path(found: aws::LaunchPath) -> LaunchPath {
    LaunchPath {
        launch_constraint: found
            .constraints
            .iter()
            .any(|constraint| constraint.kind.as_deref() == Some("LAUNCH")),
        id: found.id,
        name: found.name.unwrap_or_default(),
    }
}

pub(super) fn parameter(found: aws::TemplateParameter) -> Parameter {
    Parameter {
        key: found.key,
        kind: found.kind.unwrap_or_else(|| "String".to_owned()),
        default: found.default,
        no_echo: found.no_echo,
        description: found.description,
        allowed_values: found.allowed_values,
        allowed_pattern: found.allowed_pattern,
        constraint_description: found.constraint_description,
        min_length: found.min_length,
        max_length: found.max_length,
        min_value: found.min_value,
        max_value: found.max_value,
    }
}

pub(super) fn usage(found: &BTreeMap<String, String>) -> Usage {
    let (labels, groups) = interface(found.get("metadata").map(String::as_str)).unwrap_or_default();
    Usage {
        labels,
        groups,
        launch_role: found.get("launchAsRole").filter(|role| !role.is_empty()).cloned(),
        has_rules: found
            .get("rules")
            .is_some_and(|rules| !rules.is_empty() && rules.trim() != "{}"),
    }
}

pub(super) fn template(found: aws::TemplateSummary) -> TemplateSummary {
    let (labels, groups) = interface(found.metadata.as_deref()).unwrap_or_default();
    TemplateSummary {
        parameters: found.parameters.into_iter().map(parameter).collect(),
        labels,
        groups,
    }
}

type ByKey = BTreeMap<String, String>;

/// Labels and groups by parameter key, from the template's metadata `AWS::CloudFormation::Interface` (CloudFormation user guide). Text
/// that is no such JSON has none.
fn interface(metadata: Option<&str>) -> Option<(ByKey, ByKey)> {
    let metadata: serde_json::Value = serde_json::from_str(metadata?).ok()?;
    let interface = metadata.get("AWS::CloudFormation::Interface")?;
    let label = |value: &serde_json::Value| value.get("default")?.as_str().map(str::to_owned);
    let labels = interface
        .get("ParameterLabels")
        .and_then(serde_json::Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), label(value)?)))
        .collect();
    let mut groups = ByKey::new();
    for group in
        interface.get("ParameterGroups").and_then(serde_json::Value::as_array).into_iter().flatten()
    {
        let Some(name) = group.get("Label").and_then(label) else { continue };
        let keys = group.get("Parameters").and_then(serde_json::Value::as_array);
        for key in keys.into_iter().flatten().filter_map(serde_json::Value::as_str) {
            groups.insert(key.to_owned(), name.clone());
        }
    }
    Some((labels, groups))
}

pub(super) fn stack(found: &aws::Stack) -> Stack {
    let parameters = found.parameters.iter().map(|parameter| {
        let value = StackParameter {
            value: parameter.value.clone().unwrap_or_default(),
            resolved: parameter.resolved_value.clone(),
        };
        (parameter.key.clone(), value)
    });
    Stack {
        id: found.id.clone(),
        name: found.name.clone(),
        status: found.status.clone().unwrap_or_default(),
        reason: found.status_reason.as_deref().map(sanitize),
        parameters: parameters.collect(),
        outputs: by_key(&found.outputs),
        role_arn: found.role_arn.clone(),
        created: found.created_at,
        updated: found.updated_at,
    }
}

pub(super) fn is_known_by_services(resource: &aws::StackResource) -> bool {
    KNOWN_BY_SERVICES.iter().any(|kind| resource.kind.starts_with(kind))
}

pub(super) fn resource(found: &aws::StackResource) -> StackResource {
    StackResource {
        logical_id: found.logical_id.clone(),
        physical_id: found.physical_id.clone().unwrap_or_default(),
        kind: found.kind.clone(),
        status: found.status.clone().unwrap_or_default(),
        reason: found.status_reason.as_deref().map(sanitize),
    }
}

/// A group with its nodes, which are the clusters that name it.
pub(super) fn cache(
    group: &aws::ReplicationGroup,
    clusters: &[aws::CacheCluster],
    in_stack: bool,
) -> Cache {
    let of_group = |cluster: &&aws::CacheCluster| {
        cluster.replication_group_id.as_deref() == Some(&group.id)
            || group.members.contains(&cluster.id)
    };
    let mut nodes: Vec<CacheNode> = clusters.iter().filter(of_group).map(node).collect();
    // A member that has no cluster (yet, or any more) is a node of which nothing is known.
    for member in &group.members {
        if !nodes.iter().any(|node| node.id == *member) {
            nodes.push(CacheNode { id: member.clone(), ..CacheNode::default() });
        }
    }
    nodes.sort_by(|a, b| a.id.cmp(&b.id));
    let window = clusters.iter().find(of_group).and_then(|node| node.maintenance_window.clone());
    Cache {
        id: group.id.clone(),
        in_stack,
        status: group.status.clone().unwrap_or_default(),
        engine: group.engine.clone(),
        node_type: group.node_type.clone(),
        nodes,
        pending: !group.pending.is_empty(),
        multi_az: group.multi_az.clone(),
        automatic_failover: group.automatic_failover.clone(),
        transit_encryption: group.transit_encryption,
        at_rest_encryption: group.at_rest_encryption,
        auth_token: group.auth_token,
        user_groups: group.user_group_ids.clone(),
        primary_endpoint: group.node_groups.iter().find_map(|shard| shard.primary_endpoint.clone()),
        global_datastore: group.global_datastore.clone(),
        snapshot_window: group.snapshot_window.clone(),
        maintenance_window: window,
        snapshot_retention: group.snapshot_retention.map(i64::from),
    }
}

fn node(cluster: &aws::CacheCluster) -> CacheNode {
    CacheNode {
        id: cluster.id.clone(),
        status: cluster.status.clone().unwrap_or_default(),
        engine: cluster.engine.clone(),
        engine_version: cluster.engine_version.clone(),
        parameter_group: cluster.parameter_group.clone(),
        pending: cluster.pending_engine_version.is_some() || cluster.pending_node_type.is_some(),
    }
}

pub(super) fn database(found: &aws::DbInstance) -> Database {
    let storage = &found.storage;
    Database {
        id: found.id.clone(),
        status: found.status.clone().unwrap_or_default(),
        engine: found.engine.clone(),
        engine_version: found.engine_version.clone(),
        class: found.class.clone(),
        allocated_storage: storage.allocated_gib.map(i64::from),
        max_allocated_storage: storage.max_allocated_gib.map(i64::from),
        storage_type: storage.kind.clone(),
        iops: storage.iops.map(i64::from),
        storage_throughput: storage.throughput_mib_s.map(i64::from),
        pending: found.pending.as_ref().map(pending).unwrap_or_default(),
        optimization: found.percent_progress.clone(),
        backup_window: found.backup_window.clone(),
        maintenance_window: found.maintenance_window.clone(),
        backup_retention: found.backup_retention_days.map(i64::from),
        replicas: found.replicas.clone(),
        storage_changed: None,
    }
}

/// What is pending, by RDS's member names.
fn pending(found: &aws::DbPending) -> BTreeMap<String, String> {
    let number = |value: Option<i32>| value.map(|value| value.to_string());
    let rows = [
        ("AllocatedStorage", number(found.storage.allocated_gib)),
        ("MaxAllocatedStorage", number(found.storage.max_allocated_gib)),
        ("StorageType", found.storage.kind.clone()),
        ("Iops", number(found.storage.iops)),
        ("StorageThroughput", number(found.storage.throughput_mib_s)),
        ("DBInstanceClass", found.class.clone()),
        ("EngineVersion", found.engine_version.clone()),
        ("MultiAZ", found.multi_az.map(|value| value.to_string())),
    ];
    rows.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The newest change of storage that events tell of.
///
/// Texts as in the RDS user guide, "Amazon RDS event categories and event messages": "Applying modification to allocated storage",
/// "Finished applying modification to allocated storage", "Storage size has reached …, and has been increased" and the like.
pub(super) fn storage_changed(events: &[aws::ServiceEvent]) -> Option<jiff::Timestamp> {
    let tells = |event: &&aws::ServiceEvent| {
        let text = event.message.to_ascii_lowercase();
        text.contains("storage")
            && ["applying modification", "scal", "increased", "optimization"]
                .iter()
                .any(|word| text.contains(word))
    };
    events.iter().filter(tells).filter_map(|event| event.at).max()
}
