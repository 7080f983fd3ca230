//! `ModifyReplicationGroup`, for changes that nobody's stack makes.

use super::change::{self, Change, not_found};
use super::describe::replication_group;
use super::work;
use crate::error::ApiError;
use crate::node::Map;
use crate::services::Call;
use crate::spec::{INT, Member, Operation, Shape, TEXT, list, opt, pattern, req};

const USER_GROUP_ID: Shape = pattern(1, usize::MAX, "[a-zA-Z][a-zA-Z0-9\\-]*");
const LOG_DELIVERY: &[Member] = &[
    opt("LogType", Shape::Enum(&["slow-log", "engine-log"])),
    opt("DestinationType", Shape::Enum(&["cloudwatch-logs", "kinesis-firehose"])),
    opt(
        "DestinationDetails",
        Shape::Struct(&[
            opt("CloudWatchLogsDetails", Shape::Struct(&[opt("LogGroup", TEXT)])),
            opt("KinesisFirehoseDetails", Shape::Struct(&[opt("DeliveryStream", TEXT)])),
        ]),
    ),
    opt("LogFormat", Shape::Enum(&["text", "json"])),
    opt("Enabled", Shape::Bool),
];

/// Members of the request that would change what is not modelled here: refused, so that nobody believes they worked.
const NOT_MODELLED: [&str; 8] = [
    "PrimaryClusterId",
    "SnapshottingClusterId",
    "NodeGroupId",
    "CacheSecurityGroupNames",
    "LogDeliveryConfigurations",
    "IpDiscovery",
    "ClusterMode",
    "Durability",
];

pub(super) const MODIFY: Operation = Operation::write(
    "ModifyReplicationGroup",
    &[
        req("ReplicationGroupId", TEXT),
        opt("ReplicationGroupDescription", TEXT),
        opt("PrimaryClusterId", TEXT),
        opt("SnapshottingClusterId", TEXT),
        opt("AutomaticFailoverEnabled", Shape::Bool),
        opt("MultiAZEnabled", Shape::Bool),
        opt("NodeGroupId", TEXT),
        opt(
            "CacheSecurityGroupNames",
            Shape::List { item: &TEXT, name: "CacheSecurityGroupName", max: usize::MAX },
        ),
        opt(
            "SecurityGroupIds",
            Shape::List { item: &TEXT, name: "SecurityGroupId", max: usize::MAX },
        ),
        opt("PreferredMaintenanceWindow", TEXT),
        opt("NotificationTopicArn", TEXT),
        opt("CacheParameterGroupName", TEXT),
        opt("NotificationTopicStatus", TEXT),
        opt("ApplyImmediately", Shape::Bool),
        opt("Engine", TEXT),
        opt("EngineVersion", TEXT),
        opt("AutoMinorVersionUpgrade", Shape::Bool),
        opt("SnapshotRetentionLimit", INT),
        opt("SnapshotWindow", TEXT),
        opt("CacheNodeType", TEXT),
        opt("AuthToken", TEXT),
        opt("AuthTokenUpdateStrategy", Shape::Enum(&["SET", "ROTATE", "DELETE"])),
        opt("UserGroupIdsToAdd", list(&USER_GROUP_ID)),
        opt("UserGroupIdsToRemove", list(&USER_GROUP_ID)),
        opt("RemoveUserGroups", Shape::Bool),
        opt(
            "LogDeliveryConfigurations",
            Shape::List {
                item: &Shape::Struct(LOG_DELIVERY),
                name: "LogDeliveryConfigurationRequest",
                max: usize::MAX,
            },
        ),
        opt("IpDiscovery", Shape::Enum(&["ipv4", "ipv6"])),
        opt("TransitEncryptionEnabled", Shape::Bool),
        opt("TransitEncryptionMode", Shape::Enum(&["preferred", "required"])),
        opt("ClusterMode", Shape::Enum(&["enabled", "disabled", "compatible"])),
        opt("Durability", Shape::Enum(&["default", "async", "sync", "disabled"])),
    ],
    modify,
);

fn modify(call: &mut Call<'_>) -> Result<Map, ApiError> {
    if let Some(name) = NOT_MODELLED.into_iter().find(|name| call.input.has(name)) {
        return Err(change::invalid(format!("{name} is not simulated.")));
    }
    let wanted = change_of(call);
    let asked = call.input.need("ReplicationGroupId").to_owned();
    let state = &call.region().elasticache;
    let group = state.group(&asked).ok_or_else(|| not_found(&asked))?;
    let id = group.id.clone();
    let target = change::check(state, &call.world.options, group, &wanted, call.now())?;
    let immediately = call.input.bool("ApplyImmediately").unwrap_or(false);
    work::begin(call.world, &call.scope, &id, &target, immediately);
    let group = call.region().elasticache.group(&id).ok_or_else(|| not_found(&id))?;
    Ok(Map::new().with("ReplicationGroup", replication_group(group)))
}

fn change_of(call: &Call<'_>) -> Change {
    let input = &call.input;
    let text = |name: &str| input.text(name).map(str::to_owned);
    Change {
        description: text("ReplicationGroupDescription"),
        engine: text("Engine"),
        version: text("EngineVersion"),
        parameter_group: text("CacheParameterGroupName"),
        node_type: text("CacheNodeType"),
        nodes: None,
        automatic_failover: input.bool("AutomaticFailoverEnabled"),
        multi_az: input.bool("MultiAZEnabled"),
        transit_encryption: input.bool("TransitEncryptionEnabled"),
        transit_mode: text("TransitEncryptionMode"),
        auth_token: text("AuthToken"),
        auth_strategy: text("AuthTokenUpdateStrategy"),
        user_groups_to_add: input.texts("UserGroupIdsToAdd"),
        user_groups_to_remove: input.texts("UserGroupIdsToRemove"),
        remove_user_groups: input.bool("RemoveUserGroups").unwrap_or(false),
        security_groups: input.has("SecurityGroupIds").then(|| input.texts("SecurityGroupIds")),
        snapshot_retention: input.int("SnapshotRetentionLimit"),
        snapshot_window: text("SnapshotWindow"),
        maintenance_window: text("PreferredMaintenanceWindow"),
        auto_minor_upgrade: input.bool("AutoMinorVersionUpgrade"),
    }
}
