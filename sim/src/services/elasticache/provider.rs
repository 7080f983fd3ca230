//! `AWS::ElastiCache::ReplicationGroup`, as CloudFormation's handler treats it.
//!
//! Sources: ElastiCache user guide; the resource type's registry schema for create-only and write-only properties.

use super::change::{self, Change, invalid, not_found};
use super::versions::Engine;
use super::{Dns, Group, Settings, Shard, State, work};
use crate::error::ApiError;
use crate::services::cloudformation::provider::{Actual, On, Progress, Provider};
use crate::services::properties::{differs, flag, int, text, texts};
use crate::world::{Region, Scope, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PORT: i64 = 6379;
const SHARDS_AT_MOST: i64 = 500;

/// The provider of replication groups.
#[derive(Debug)]
pub(super) struct ReplicationGroup;

fn state<'w>(on: &'w On<'_>) -> &'w State {
    &on.world.region(on.scope).elasticache
}

fn arn(scope: &Scope, id: &str) -> String {
    scope.arn("elasticache", format_args!("replicationgroup:{id}"))
}

impl Provider for ReplicationGroup {
    fn service(&self) -> &'static str {
        "ElastiCache"
    }

    fn create_only(&self) -> &'static [&'static str] {
        &[
            "AtRestEncryptionEnabled",
            "CacheSubnetGroupName",
            "DataTieringEnabled",
            "GlobalReplicationGroupId",
            "KmsKeyId",
            "NetworkType",
            "Port",
            "PreferredCacheClusterAZs",
            "ReplicationGroupId",
            "SnapshotArns",
            "SnapshotName",
        ]
    }

    fn create(&self, on: &mut On<'_>, properties: &Value) -> Result<String, ApiError> {
        let id = match text(properties, "ReplicationGroupId") {
            Some(id) => id.to_ascii_lowercase(),
            // Ids have at most 40 characters, letters, digits and hyphens (AWS docs: `CreateReplicationGroup`).
            None => on
                .generated_name()
                .to_ascii_lowercase()
                .chars()
                .rev()
                .take(40)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect::<String>()
                .trim_matches('-')
                .to_owned(),
        };
        on.allow("elasticache:CreateReplicationGroup", &arn(on.scope, &id))?;
        if !crate::spec::matches("[a-z][a-z0-9-]{0,39}", &id)
            || id.ends_with('-')
            || id.contains("--")
        {
            return Err(invalid(format!(
                "The parameter ReplicationGroupId must be a valid identifier: {id}"
            )));
        }
        if state(on).groups.contains_key(&id) {
            return Err(ApiError::new(
                "ReplicationGroupAlreadyExists",
                format!("ReplicationGroup {id} already exists."),
            ));
        }
        let group = new_group(on, id.clone(), properties)?;
        work::create(on.world, on.scope, group);
        Ok(id)
    }

    fn update(
        &self,
        on: &mut On<'_>,
        id: &str,
        before: &Value,
        after: &Value,
    ) -> Result<(), ApiError> {
        on.allow("elasticache:ModifyReplicationGroup", &arn(on.scope, id))?;
        let group = state(on).group(id).ok_or_else(|| not_found(id))?;
        let have = i64::try_from(group.settings.nodes).unwrap_or(0);
        let wanted = difference(group, before, after);
        if let Some(nodes) = wanted.nodes.filter(|nodes| *nodes != have) {
            let action = if nodes > have {
                "elasticache:IncreaseReplicaCount"
            } else {
                "elasticache:DecreaseReplicaCount"
            };
            on.allow(action, &arn(on.scope, id))?;
        }
        let target = change::check(state(on), &on.world.options, group, &wanted, on.world.now())?;
        let id = group.id.clone();
        work::begin(on.world, on.scope, &id, &target, true);
        Ok(())
    }

    fn delete(&self, on: &mut On<'_>, id: &str) -> Result<(), ApiError> {
        on.allow("elasticache:DeleteReplicationGroup", &arn(on.scope, id))?;
        let Some(group) = state(on).group(id) else { return Ok(()) };
        let id = group.id.clone();
        if group.status() == "deleting" {
            return Ok(());
        }
        if let Some(global) = &group.global_datastore {
            return Err(ApiError::new(
                "InvalidReplicationGroupState",
                format!("Replication group {id} is part of global datastore {global}."),
            ));
        }
        if group.status() != "available" && group.status() != "create-failed" {
            let message = format!(
                "Replication group {id} is not in available state; its status is {}.",
                group.status()
            );
            return Err(ApiError::new("InvalidReplicationGroupState", message));
        }
        work::delete(on.world, on.scope, &id);
        Ok(())
    }

    fn progress(&self, world: &World, scope: &Scope, id: &str) -> Progress {
        let Some(group) = world.region(scope).elasticache.group(id) else {
            return Progress::Failed(not_found(id));
        };
        match group.status() {
            "available" => Progress::Done,
            "create-failed" => Progress::Failed(ApiError::new(
                "NotStabilized",
                format!("Replication group {id} is in status create-failed."),
            )),
            _ => Progress::Busy,
        }
    }

    fn attributes(&self, region: &Region, id: &str) -> BTreeMap<String, String> {
        let Some(group) = region.elasticache.group(id) else { return BTreeMap::new() };
        let port = group.settings.port.to_string();
        let pairs = if group.sharded {
            vec![
                ("ConfigurationEndPoint.Address", group.configuration_host()),
                ("ConfigurationEndPoint.Port", port),
            ]
        } else {
            vec![
                ("PrimaryEndPoint.Address", group.primary_host()),
                ("PrimaryEndPoint.Port", port.clone()),
                ("ReaderEndPoint.Address", group.reader_host()),
                ("ReaderEndPoint.Port", port.clone()),
                ("ReadEndPoint.Addresses", group.reader_host()),
                ("ReadEndPoint.Ports", port),
            ]
        };
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Without `EngineVersion`, `CacheParameterGroupName`, `SecurityGroupIds`, `NumNodeGroups`: they are write-only in the registry
    /// schema, so that drift detection cannot see them. `Engine` can be read.
    fn actual(&self, region: &Region, id: &str) -> Actual {
        let Some(group) = region.elasticache.group(id) else { return Actual::Missing };
        let settings = &group.settings;
        let mut properties = BTreeMap::from([
            ("ReplicationGroupId", json!(group.id)),
            ("ReplicationGroupDescription", json!(settings.description)),
            ("Engine", json!(settings.engine.as_str())),
            ("CacheNodeType", json!(settings.node_type)),
            ("NumCacheClusters", json!(group.members().count())),
            ("ReplicasPerNodeGroup", json!(settings.nodes.saturating_sub(1))),
            ("MultiAZEnabled", json!(settings.multi_az)),
            ("AutomaticFailoverEnabled", json!(settings.automatic_failover)),
            ("TransitEncryptionEnabled", json!(settings.transit_encryption)),
            ("AtRestEncryptionEnabled", json!(settings.at_rest_encryption)),
            ("UserGroupIds", json!(settings.user_groups)),
            ("SnapshotRetentionLimit", json!(settings.snapshot_retention)),
            ("SnapshotWindow", json!(settings.snapshot_window)),
            ("PreferredMaintenanceWindow", json!(settings.maintenance_window)),
            ("AutoMinorVersionUpgrade", json!(settings.auto_minor_upgrade)),
            ("Port", json!(settings.port)),
        ]);
        properties.extend(settings.kms_key.as_ref().map(|key| ("KmsKeyId", json!(key))));
        properties.extend(
            settings.subnet_group.as_ref().map(|name| ("CacheSubnetGroupName", json!(name))),
        );
        Actual::Properties(
            properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        )
    }

    fn settle(&self, on: &mut On<'_>, id: &str) {
        work::settle(on.world, on.scope, id);
    }
}

/// What the properties of a template ask for.
fn wanted(properties: &Value) -> Change {
    let engine = text(properties, "Engine");
    Change {
        description: text(properties, "ReplicationGroupDescription"),
        engine,
        version: text(properties, "EngineVersion"),
        parameter_group: text(properties, "CacheParameterGroupName"),
        node_type: text(properties, "CacheNodeType"),
        nodes: nodes(properties),
        automatic_failover: flag(properties, "AutomaticFailoverEnabled"),
        multi_az: flag(properties, "MultiAZEnabled"),
        transit_encryption: flag(properties, "TransitEncryptionEnabled"),
        transit_mode: text(properties, "TransitEncryptionMode"),
        auth_token: text(properties, "AuthToken").filter(|token| !token.is_empty()),
        auth_strategy: None,
        user_groups_to_add: texts(properties, "UserGroupIds"),
        user_groups_to_remove: Vec::new(),
        remove_user_groups: false,
        security_groups: properties
            .get("SecurityGroupIds")
            .map(|_| texts(properties, "SecurityGroupIds")),
        snapshot_retention: int(properties, "SnapshotRetentionLimit"),
        snapshot_window: text(properties, "SnapshotWindow"),
        maintenance_window: text(properties, "PreferredMaintenanceWindow"),
        auto_minor_upgrade: flag(properties, "AutoMinorVersionUpgrade"),
    }
}

fn nodes(properties: &Value) -> Option<i64> {
    int(properties, "NumCacheClusters")
        .or_else(|| int(properties, "ReplicasPerNodeGroup").map(|replicas| replicas + 1))
}

/// Only what differs between two versions of the template is sent.
fn difference(group: &Group, before: &Value, after: &Value) -> Change {
    let all = wanted(after);
    let changed = |name: &str| differs(before, after, name);
    let (old_users, new_users) = (texts(before, "UserGroupIds"), texts(after, "UserGroupIds"));
    let token_gone =
        changed("AuthToken") && all.auth_token.is_none() && group.settings.auth_token.is_some();
    let strategy = if token_gone {
        Some("DELETE".to_owned())
    } else {
        text(after, "AuthTokenUpdateStrategy").filter(|_| changed("AuthToken"))
    };
    Change {
        description: all.description.filter(|_| changed("ReplicationGroupDescription")),
        engine: all.engine.filter(|_| changed("Engine")),
        version: all.version.filter(|_| changed("EngineVersion") || changed("Engine")),
        parameter_group: all.parameter_group.filter(|_| changed("CacheParameterGroupName")),
        node_type: all.node_type.filter(|_| changed("CacheNodeType")),
        nodes: all.nodes.filter(|_| nodes(before) != all.nodes),
        automatic_failover: all.automatic_failover.filter(|_| changed("AutomaticFailoverEnabled")),
        multi_az: all.multi_az.filter(|_| changed("MultiAZEnabled")),
        transit_encryption: all.transit_encryption.filter(|_| changed("TransitEncryptionEnabled")),
        transit_mode: all.transit_mode.filter(|_| changed("TransitEncryptionMode")),
        auth_token: all.auth_token.filter(|_| changed("AuthToken")),
        auth_strategy: strategy,
        user_groups_to_add: new_users
            .iter()
            .filter(|id| !old_users.contains(id))
            .cloned()
            .collect(),
        user_groups_to_remove: old_users.into_iter().filter(|id| !new_users.contains(id)).collect(),
        remove_user_groups: false,
        security_groups: all.security_groups.filter(|_| changed("SecurityGroupIds")),
        snapshot_retention: all.snapshot_retention.filter(|_| changed("SnapshotRetentionLimit")),
        snapshot_window: all.snapshot_window.filter(|_| changed("SnapshotWindow")),
        maintenance_window: all
            .maintenance_window
            .filter(|_| changed("PreferredMaintenanceWindow")),
        auto_minor_upgrade: all.auto_minor_upgrade.filter(|_| changed("AutoMinorVersionUpgrade")),
    }
}

fn new_group(on: &On<'_>, id: String, properties: &Value) -> Result<Group, ApiError> {
    let asked = wanted(properties);
    let shards = int(properties, "NumNodeGroups").unwrap_or(1).clamp(1, SHARDS_AT_MOST);
    let family_is_sharded =
        asked.parameter_group.as_ref().is_some_and(|name| name.ends_with(".cluster.on"));
    let sharded = shards > 1
        || family_is_sharded
        || text(properties, "ClusterMode").as_deref() == Some("enabled");
    let blank = Settings {
        description: asked.description.clone().unwrap_or_default(),
        engine: Engine::Redis,
        version: String::new(),
        parameter_group: String::new(),
        node_type: asked.node_type.clone().unwrap_or_else(|| "cache.t3.micro".to_owned()),
        nodes: usize::try_from(asked.nodes.unwrap_or(1)).unwrap_or(0),
        // CloudFormation's default, which needs a replica (AWS docs: AWS::ElastiCache::ReplicationGroup).
        automatic_failover: asked.automatic_failover.unwrap_or(true),
        multi_az: asked.multi_az.unwrap_or(false),
        transit_encryption: false,
        transit_mode: "required".to_owned(),
        at_rest_encryption: flag(properties, "AtRestEncryptionEnabled").unwrap_or(false),
        kms_key: text(properties, "KmsKeyId"),
        auth_token: None,
        auth_token_changed: None,
        user_groups: Vec::new(),
        subnet_group: text(properties, "CacheSubnetGroupName"),
        security_groups: asked.security_groups.clone().unwrap_or_default(),
        snapshot_retention: asked.snapshot_retention.unwrap_or(0),
        snapshot_window: asked.snapshot_window.clone().unwrap_or_else(|| "05:00-06:00".to_owned()),
        maintenance_window: asked
            .maintenance_window
            .clone()
            .unwrap_or_else(|| "sun:07:00-sun:08:00".to_owned()),
        auto_minor_upgrade: asked.auto_minor_upgrade.unwrap_or(true),
        port: int(properties, "Port").unwrap_or(PORT),
    };
    let now = on.world.now();
    let settings = change::new_settings(state(on), &asked, sharded, blank, now)?;
    let shard = |number: i64| {
        let mut shard =
            Shard { id: format!("{number:04}"), members: Vec::new(), primary: String::new() };
        for _ in 0..settings.nodes {
            let member = work::new_member(&id, &shard, sharded, &settings, &on.scope.region, now);
            shard.members.push(member);
        }
        shard.primary = shard.members.first().map(|member| member.id.clone()).unwrap_or_default();
        shard
    };
    let shards = (1..=shards).map(shard).collect();
    let group = Group {
        arn: arn(on.scope, &id),
        created: now,
        shards,
        sharded,
        dns: dns(on.world, on.scope),
        global_datastore: text(properties, "GlobalReplicationGroupId"),
        forced: None,
        work: None,
        deferred: None,
        settings,
        id,
    };
    Ok(group)
}

fn dns(world: &World, scope: &Scope) -> Dns {
    let hash = world
        .rng(&format!("elasticache names of {} in {}", scope.account, scope.region))
        .text(b"abcdefghijklmnopqrstuvwxyz0123456789", 6);
    let domain = if scope.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    Dns { hash, suffix: format!("{}.cache.{domain}", short_region(&scope.region)) }
}

/// `us-east-2` is `use2` and `ap-southeast-2` is `apse2` in the names of caches.
fn short_region(region: &str) -> String {
    let words = region.split('-').enumerate().map(|(index, word)| match word {
        "northeast" => "ne",
        "northwest" => "nw",
        "southeast" => "se",
        "southwest" => "sw",
        _ if index == 0 => word,
        _ => word.get(..1).unwrap_or(word),
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_short_in_names() {
        for (region, short) in [
            ("us-east-2", "use2"),
            ("ap-southeast-2", "apse2"),
            ("us-gov-west-1", "usgw1"),
            ("eu-central-1", "euc1"),
        ] {
            assert_eq!(short_region(region), short, "{region}");
        }
    }
}
