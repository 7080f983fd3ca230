//! Stories of caches.

use super::{
    PROVIDERS, Pending, delete_now, set_global_datastore, set_pending, set_status, upgrade_now,
};
use crate::options::{EngineWithoutVersion, Options, ValkeyToRedis};
use crate::services::cloudformation::provider::{Actual, Progress, Provider};
use crate::services::story::{Story, at, provider};
use crate::spec::Service::ElastiCache;
use serde_json::{Value, json};
use std::time::Duration;

const ID: &str = "turbot-einstein-cache-cluster";
const MINUTE: Duration = Duration::from_mins(1);

fn groups() -> &'static dyn Provider {
    provider(PROVIDERS, "AWS::ElastiCache::ReplicationGroup")
}

/// A template of a Redis cache with two nodes, with some properties changed; `null` takes one away.
fn cache(changed: &Value) -> Value {
    let mut properties = json!({
        "ReplicationGroupId": ID,
        "ReplicationGroupDescription": "cache of einstein",
        "Engine": "redis",
        "EngineVersion": "7.1",
        "CacheNodeType": "cache.t3.medium",
        "NumCacheClusters": "2",
        "AutomaticFailoverEnabled": "true",
        "MultiAZEnabled": "false",
        "TransitEncryptionEnabled": true,
        "AtRestEncryptionEnabled": "true",
    });
    for (name, value) in changed.as_object().unwrap() {
        properties[name] = value.clone();
    }
    properties.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    properties
}

fn story(options: Options, changed: &Value) -> Story {
    let mut story = Story::new(options);
    story.existing(groups(), &cache(changed));
    story
}

impl Story {
    fn modify_cache(&mut self, mut change: Value) -> Result<String, String> {
        change["ReplicationGroupId"] = ID.into();
        if change.get("ApplyImmediately").is_none() {
            change["ApplyImmediately"] = "true".into();
        }
        let answer = self
            .call(ElastiCache, "ModifyReplicationGroup", &change)
            .map_err(|error| format!("{}: {}", error.code, error.message))?;
        Ok(at(&answer, "ReplicationGroup.Engine"))
    }

    fn group(&mut self, path: &str) -> String {
        self.read(
            ElastiCache,
            "DescribeReplicationGroups",
            &json!({"ReplicationGroupId": ID}),
            &format!("ReplicationGroups.0.{path}"),
        )
    }

    /// A member of every cluster, joined.
    fn clusters(&mut self, member: &str) -> String {
        let answer = self.call(ElastiCache, "DescribeCacheClusters", &json!({})).unwrap();
        let read = (0..9).map(|index| at(&answer, &format!("CacheClusters.{index}.{member}")));
        read.take_while(|value| value != "-").collect::<Vec<_>>().join(" ")
    }

    fn update_cache(&mut self, before: &Value, after: &Value) -> Result<(), String> {
        let (before, after) = (cache(before), cache(after));
        self.on(|on| groups().update(on, ID, &before, &after))
            .map_err(|error| format!("{}: {}", error.code, error.message))
    }

    fn progress(&self) -> Progress {
        groups().progress(&self.world, &self.scope, ID)
    }
}

#[test]
fn a_cache_becomes_valkey_in_place_node_by_node() {
    let mut story = story(Options::default(), &json!({}));
    assert_eq!(
        story.modify_cache(json!({"Engine": "valkey", "EngineVersion": "8.0"})).unwrap(),
        "redis",
        "the answer shows the engine from before"
    );
    assert_eq!(
        (story.group("Status"), story.group("Engine")),
        ("modifying".to_owned(), "redis".to_owned())
    );
    assert_eq!(story.clusters("PendingModifiedValues.EngineVersion"), "8.0.1 8.0.1");
    assert_eq!(
        story.clusters("CacheClusterStatus"),
        "available modifying",
        "the replica comes first"
    );
    story.pass(MINUTE * 6);
    assert_eq!(story.clusters("EngineVersion"), "7.1.0 8.0.1", "members differ for a while");
    assert_eq!(story.clusters("Engine"), "redis valkey");
    assert_eq!(
        story.group("NodeGroups.0.NodeGroupMembers.1.CurrentRole"),
        "primary",
        "the upgraded replica took over"
    );
    story.pass(MINUTE * 5);
    assert_eq!(
        (story.group("Status"), story.group("Engine")),
        ("available".to_owned(), "valkey".to_owned())
    );
    assert_eq!(story.clusters("EngineVersion"), "8.0.1 8.0.1");
    assert_eq!(
        story.clusters("CacheParameterGroup.CacheParameterGroupName"),
        "default.valkey8 default.valkey8",
        "the default group follows"
    );
    assert_eq!(
        story.group("NodeGroups.0.PrimaryEndpoint.Address").split('.').next(),
        Some("master"),
        "endpoints keep their names"
    );
    assert_eq!(story.group("PendingModifiedValues"), "{}");
}

#[test]
fn the_answer_shows_the_new_engine_where_it_does() {
    let mut story =
        story(Options { modify_echoes_old_engine: false, ..Options::default() }, &json!({}));
    assert_eq!(
        story.modify_cache(json!({"Engine": "valkey", "EngineVersion": "8.0"})).unwrap(),
        "valkey"
    );
    assert_eq!(story.clusters("Engine"), "redis redis", "which says nothing about the nodes");
}

#[test]
fn changes_are_refused_in_the_words_of_elasticache() {
    let family = |wanted: &str, found: &str| {
        format!(
            "InvalidParameterCombination: Expected a parameter group of family {wanted} but found one of family {found}"
        )
    };
    let redis = json!({});
    let valkey = json!({"Engine": "valkey", "EngineVersion": "8.1"});
    for (why, from, change, expected) in [
        ("a patch level", &redis, json!({"EngineVersion": "7.0.7"}), "InvalidParameterValue: Specific version selection is not allowed for '7.0.7', please use '7.0'".to_owned()),
        ("a version of the other engine", &redis, json!({"EngineVersion": "8.0"}), "InvalidParameterCombination: Cannot find version 8.0 for redis".to_owned()),
        ("a downgrade", &redis, json!({"EngineVersion": "7.0"}), "InvalidParameterCombination: Cannot downgrade engine version from 7.1.0 to 7.0.7".to_owned()),
        ("a downgrade of Valkey", &valkey, json!({"EngineVersion": "8.0"}), "InvalidParameterCombination: Cannot downgrade engine version from 8.1.0 to 8.0.1".to_owned()),
        ("back to Redis", &valkey, json!({"Engine": "redis", "EngineVersion": "7.1"}), "InvalidParameterCombination: Cannot downgrade engine from valkey 8.1.0 to redis 7.1.0".to_owned()),
        ("a Valkey parameter group without the engine", &redis, json!({"CacheParameterGroupName": "default.valkey8"}), "InvalidParameterCombination: valkey parameter group is not applicable to engine redis".to_owned()),
        ("a parameter group of the wrong family", &redis, json!({"Engine": "valkey", "EngineVersion": "8.0", "CacheParameterGroupName": "default.valkey7"}), family("valkey8", "valkey7")),
        ("a parameter group that is missing", &redis, json!({"CacheParameterGroupName": "mine"}), "CacheParameterGroupNotFound: CacheParameterGroup mine not found.".to_owned()),
        ("no such engine", &redis, json!({"Engine": "memcached"}), "InvalidParameterValue: Invalid cache engine: memcached. Must be one of redis, valkey".to_owned()),
        ("an engine without a version", &redis, json!({"Engine": "valkey"}), "InvalidParameterCombination: An engine version must be specified when the engine is changed.".to_owned()),
        ("no such user group", &redis, json!({"UserGroupIdsToAdd": ["nobody"]}), "UserGroupNotFound: User group nobody not found.".to_owned()),
        ("a masked token", &redis, json!({"AuthToken": "****"}), "InvalidParameterValue: Invalid AuthToken provided.".to_owned()),
        ("zones without failover", &redis, json!({"MultiAZEnabled": true, "AutomaticFailoverEnabled": false}), "InvalidParameterCombination: Must have automatic failover enabled to enable Multi-AZ.".to_owned()),
        ("what is not modelled", &redis, json!({"PrimaryClusterId": "x"}), "InvalidParameterValue: PrimaryClusterId is not simulated.".to_owned()),
    ] {
        let mut story = story(Options::default(), from);
        assert_eq!(story.modify_cache(change), Err(expected), "{why}");
        assert_eq!(story.group("Status"), "available", "{why}: nothing has begun");
    }
}

#[test]
fn what_aws_leaves_open_about_engines_is_an_option() {
    let change = json!({"Engine": "valkey"});
    for (option, expected) in
        [(EngineWithoutVersion::Oldest, "7.2.6"), (EngineWithoutVersion::Newest, "9.0.0")]
    {
        let mut story =
            story(Options { engine_without_version: option, ..Options::default() }, &json!({}));
        story.modify_cache(change.clone()).unwrap();
        story.pass(MINUTE * 11);
        assert_eq!(
            story.clusters("EngineVersion"),
            format!("{expected} {expected}"),
            "{}",
            option.as_str()
        );
    }
    let back = json!({"Engine": "redis", "EngineVersion": "7.1"});
    let options = || Options { valkey_to_redis: ValkeyToRedis::From72To71, ..Options::default() };
    let mut allowed = story(options(), &json!({"Engine": "valkey", "EngineVersion": "7.2"}));
    allowed.modify_cache(back.clone()).unwrap();
    allowed.pass(MINUTE * 11);
    assert_eq!(allowed.clusters("Engine"), "redis redis");
    let mut later = story(options(), &json!({"Engine": "valkey", "EngineVersion": "8.0"}));
    assert!(later.modify_cache(back).is_err(), "only from 7.2");
}

#[test]
fn nothing_is_accepted_while_something_is_under_way() {
    let upgrade = json!({"Engine": "valkey", "EngineVersion": "8.0"});
    let refused = |story: &mut Story, why: &str| {
        let error = story.modify_cache(upgrade.clone()).unwrap_err();
        assert!(error.starts_with("InvalidReplicationGroupState: "), "{why}: {error}");
    };
    let mut busy = story(Options::default(), &json!({}));
    busy.modify_cache(upgrade.clone()).unwrap();
    refused(&mut busy, "an upgrade runs");

    let mut snapshotting = story(Options::default(), &json!({}));
    set_status(&mut snapshotting.world, &snapshotting.scope, ID, "snapshotting", Some(MINUTE * 5))
        .unwrap();
    refused(&mut snapshotting, "a snapshot is taken");
    assert_eq!(snapshotting.progress(), Progress::Busy);
    snapshotting.pass(MINUTE * 5);
    assert_eq!(snapshotting.progress(), Progress::Done, "it was for five minutes");

    let mut pending = story(Options::default(), &json!({}));
    let scale_up = Pending { engine_version: None, node_type: Some("cache.m6g.large".to_owned()) };
    set_pending(&mut pending.world, &pending.scope, ID, Some(&scale_up)).unwrap();
    assert_eq!(
        pending.clusters("PendingModifiedValues.CacheNodeType"),
        "cache.m6g.large cache.m6g.large"
    );
    refused(&mut pending, "a scale-up is pending");
    set_pending(&mut pending.world, &pending.scope, ID, None).unwrap();
    pending.modify_cache(upgrade.clone()).unwrap();

    let mut global = story(Options::default(), &json!({}));
    set_global_datastore(&mut global.world, &global.scope, ID, Some("ldgnf-einstein")).unwrap();
    assert_eq!(
        global.group("GlobalReplicationGroupInfo.GlobalReplicationGroupId"),
        "ldgnf-einstein"
    );
    assert!(global.modify_cache(upgrade.clone()).unwrap_err().contains("ldgnf-einstein"));
}

#[test]
fn a_change_that_can_wait_waits_for_the_maintenance_window() {
    let mut story =
        story(Options::default(), &json!({"PreferredMaintenanceWindow": "sun:07:00-sun:08:00"}));
    story.modify_cache(json!({"EngineVersion": "7.1", "CacheNodeType": "cache.m6g.large", "ApplyImmediately": false})).unwrap();
    assert_eq!(
        (story.group("Status"), story.group("CacheNodeType")),
        ("available".to_owned(), "cache.t3.medium".to_owned())
    );
    assert_eq!(
        story.clusters("PendingModifiedValues.CacheNodeType"),
        "cache.m6g.large cache.m6g.large"
    );
    story.pass(Duration::from_hours(21));
    assert_eq!(story.group("Status"), "modifying", "it is Sunday, 07:00");
    story.pass(MINUTE * 10);
    assert_eq!(
        (story.group("Status"), story.clusters("CacheNodeType")),
        ("available".to_owned(), "cache.m6g.large cache.m6g.large".to_owned())
    );
}

#[test]
fn nodes_come_and_go() {
    let one = json!({"NumCacheClusters": 1, "AutomaticFailoverEnabled": false});
    let three =
        json!({"NumCacheClusters": 3, "AutomaticFailoverEnabled": true, "MultiAZEnabled": true});
    let mut story = story(Options::default(), &one);
    story.update_cache(&one, &three).unwrap();
    assert_eq!(story.clusters("CacheClusterStatus"), "available creating");
    assert_eq!(
        (story.group("AutomaticFailover"), story.group("MultiAZ")),
        ("enabling".to_owned(), "disabled".to_owned())
    );
    story.pass(MINUTE * 12);
    assert_eq!(story.group("MemberClusters"), format!("{ID}-001,{ID}-002,{ID}-003"));
    assert_eq!(
        (story.group("AutomaticFailover"), story.group("MultiAZ"), story.progress()),
        ("enabled".to_owned(), "enabled".to_owned(), Progress::Done)
    );
    assert_eq!(
        story
            .update_cache(&three, &json!({"NumCacheClusters": 1, "MultiAZEnabled": true}))
            .unwrap_err(),
        "InvalidParameterCombination: Automatic failover needs a replication group with at least one replica."
    );
    story.update_cache(&three, &one).unwrap();
    assert_eq!(story.clusters("CacheClusterStatus"), "available available deleting");
    story.pass(MINUTE * 12);
    assert_eq!(
        (story.group("MemberClusters"), story.group("AutomaticFailover")),
        (format!("{ID}-001"), "disabled".to_owned())
    );
    assert!(
        story
            .update_cache(&one, &json!({"NumCacheClusters": 7}))
            .unwrap_err()
            .starts_with("NodeQuotaForClusterExceeded")
    );
}

#[test]
fn users_take_the_place_of_the_token() {
    let token = json!({"AuthToken": "a token of length enough".replace(' ', "-")});
    let users = json!({"UserGroupIds": ["einstein-users"]});
    let mut story = story(Options::default(), &token);
    assert_eq!(
        (story.group("AuthTokenEnabled"), story.group("UserGroupIds")),
        ("true".to_owned(), "-".to_owned())
    );
    let user_groups = provider(PROVIDERS, "AWS::ElastiCache::UserGroup");
    let id = story.on(|on| user_groups.create(on, &json!({"UserGroupId": "einstein-users", "Engine": "redis", "UserIds": ["default", "worker"]}))).unwrap();
    assert_eq!(user_groups.progress(&story.world, &story.scope, &id), Progress::Busy);
    story.pass(MINUTE);
    assert_eq!(user_groups.progress(&story.world, &story.scope, &id), Progress::Done);
    story.update_cache(&token, &users).unwrap();
    assert_eq!(story.group("PendingModifiedValues.UserGroups.UserGroupIdsToAdd"), "einstein-users");
    story.pass(MINUTE * 2);
    assert_eq!(
        (story.group("AuthTokenEnabled"), story.group("UserGroupIds")),
        ("false".to_owned(), "einstein-users".to_owned())
    );
    let seen = story.call(ElastiCache, "DescribeUserGroups", &json!({"UserGroupId": id})).unwrap();
    assert_eq!(
        (
            at(&seen, "UserGroups.0.ReplicationGroups"),
            at(&seen, "UserGroups.0.UserIds"),
            at(&seen, "UserGroups.0.Status")
        ),
        (ID.to_owned(), "default,worker".to_owned(), "active".to_owned())
    );
    assert_eq!(
        story.on(|on| user_groups.delete(on, "einstein-users")).unwrap_err().code,
        "InvalidUserGroupState",
        "it is in use"
    );
    let valkey = story
        .on(|on| user_groups.update(on, "einstein-users", &json!({}), &json!({"Engine": "valkey"})))
        .unwrap_err();
    assert_eq!(valkey.code, "InvalidParameterCombination", "by a cache of engine redis");
}

#[test]
fn a_stack_moves_a_cache_to_valkey_and_cannot_move_it_back() {
    let parameter_groups = provider(PROVIDERS, "AWS::ElastiCache::ParameterGroup");
    let mut story = story(Options::default(), &json!({}));
    for (name, family) in [("mine-redis7", "redis7"), ("mine-valkey8", "valkey8")] {
        story.existing(parameter_groups, &json!({"CacheParameterGroupName": name, "CacheParameterGroupFamily": family, "Description": "mine"}));
    }
    let redis = json!({"CacheParameterGroupName": "mine-redis7"});
    let valkey = json!({"Engine": "valkey", "EngineVersion": "8.0", "CacheParameterGroupName": "mine-valkey8"});
    story.update_cache(&json!({}), &redis).unwrap();
    story.pass(MINUTE * 2);
    let left_behind = json!({"Engine": "valkey", "EngineVersion": "8.0", "CacheParameterGroupName": "mine-redis7"});
    assert_eq!(
        story.update_cache(&redis, &left_behind).unwrap_err(),
        "InvalidParameterCombination: Expected a parameter group of family valkey8 but found one of family redis7"
    );
    story.update_cache(&redis, &valkey).unwrap();
    assert_eq!(story.progress(), Progress::Busy);
    story.pass(MINUTE * 10);
    assert_eq!(story.progress(), Progress::Done);
    assert!(
        story
            .update_cache(&valkey, &redis)
            .unwrap_err()
            .contains("Cannot downgrade engine from valkey 8.0.1 to redis 7.1.0")
    );
    let in_use = story.on(|on| parameter_groups.delete(on, "mine-valkey8")).unwrap_err();
    assert_eq!(in_use.code, "InvalidCacheParameterGroupState");
    story.on(|on| parameter_groups.delete(on, "mine-redis7")).unwrap();
    let unknown = story
        .on(|on| parameter_groups.create(on, &json!({"CacheParameterGroupFamily": "valkey3"})))
        .unwrap_err();
    assert_eq!(unknown.code, "InvalidParameterValue");
}

#[test]
fn drift_detection_sees_the_engine_and_not_its_version() {
    let mut story = story(Options::default(), &json!({}));
    upgrade_now(&mut story.world, &story.scope, ID, "valkey", "8.2").unwrap();
    assert_eq!(
        (story.clusters("EngineVersion"), story.group("Engine")),
        ("8.2.0 8.2.0".to_owned(), "valkey".to_owned())
    );
    let Actual::Properties(read) = groups().actual(story.world.region(&story.scope), ID) else {
        panic!("it is there")
    };
    assert_eq!(
        (read["Engine"].as_str(), read["NumCacheClusters"].as_i64()),
        (Some("valkey"), Some(2))
    );
    for write_only in
        ["EngineVersion", "CacheParameterGroupName", "SecurityGroupIds", "NumNodeGroups"]
    {
        assert!(!read.contains_key(write_only), "{write_only}");
    }
    delete_now(&mut story.world, &story.scope, ID).unwrap();
    assert_eq!(groups().actual(story.world.region(&story.scope), ID), Actual::Missing);
    assert_eq!(
        story.update_cache(&json!({}), &json!({"EngineVersion": "7.0"})).unwrap_err(),
        format!("ReplicationGroupNotFoundFault: ReplicationGroup {ID} not found.")
    );
}

#[test]
fn a_cache_is_made_and_removed_over_time() {
    let mut story = Story::new(Options::default());
    let id = story
        .on(|on| groups().create(on, &cache(&json!({"Engine": "valkey", "EngineVersion": "8.0"}))))
        .unwrap();
    assert_eq!(
        (story.group("Status"), story.clusters("CacheClusterStatus")),
        ("creating".to_owned(), "creating creating".to_owned())
    );
    assert_eq!(
        story.on(|on| groups().create(on, &cache(&json!({})))).unwrap_err().code,
        "ReplicationGroupAlreadyExists"
    );
    assert_eq!(
        story.on(|on| groups().delete(on, &id)).unwrap_err().code,
        "InvalidReplicationGroupState",
        "it is still being made"
    );
    story.pass(MINUTE * 10);
    assert_eq!(story.progress(), Progress::Done);
    let attributes = groups().attributes(story.world.region(&story.scope), &id);
    let host = &attributes["PrimaryEndPoint.Address"];
    assert!(
        host.starts_with(&format!("master.{ID}.")) && host.ends_with(".use2.cache.amazonaws.com"),
        "{host}"
    );
    story.on(|on| groups().delete(on, &id)).unwrap();
    assert_eq!((story.group("Status"), story.progress()), ("deleting".to_owned(), Progress::Busy));
    story.pass(MINUTE);
    assert!(
        matches!(story.progress(), Progress::Failed(error) if error.code == "ReplicationGroupNotFoundFault")
    );
    story.on(|on| groups().delete(on, &id)).unwrap();
    for (why, bad) in [
        ("one node cannot fail over", json!({"NumCacheClusters": 1})),
        (
            "a token needs encryption",
            json!({"TransitEncryptionEnabled": false, "AuthToken": "0123456789abcdef"}),
        ),
        ("no such node type", json!({"CacheNodeType": "db.t3.medium"})),
        ("not an id", json!({"ReplicationGroupId": "-x-"})),
    ] {
        assert!(story.on(|on| groups().create(on, &cache(&bad))).is_err(), "{why}");
    }
}

#[test]
fn cluster_mode_has_shards_with_slots() {
    let mut story = story(
        Options::default(),
        &json!({"NumCacheClusters": null, "NumNodeGroups": 2, "ReplicasPerNodeGroup": 1}),
    );
    assert_eq!(
        story.group("MemberClusters"),
        format!("{ID}-0001-001,{ID}-0001-002,{ID}-0002-001,{ID}-0002-002")
    );
    assert_eq!(
        (story.group("NodeGroups.0.Slots"), story.group("NodeGroups.1.Slots")),
        ("0-8191".to_owned(), "8192-16383".to_owned())
    );
    assert!(story.group("ConfigurationEndpoint.Address").starts_with("clustercfg."));
    assert_eq!(
        story.clusters("CacheParameterGroup.CacheParameterGroupName").split(' ').next(),
        Some("default.redis7.cluster.on")
    );
}

#[test]
fn reads_find_page_and_miss() {
    let mut story = story(Options { page_size: Some(1), ..Options::default() }, &json!({}));
    let first = story.call(ElastiCache, "DescribeCacheClusters", &json!({})).unwrap();
    let second = story
        .call(ElastiCache, "DescribeCacheClusters", &json!({"Marker": at(&first, "Marker")}))
        .unwrap();
    assert_eq!(
        (at(&first, "CacheClusters.0.CacheClusterId"), at(&first, "CacheClusters.0.CacheNodes")),
        (format!("{ID}-001"), "-".to_owned())
    );
    assert_eq!(
        (at(&second, "CacheClusters.0.CacheClusterId"), at(&second, "Marker")),
        (format!("{ID}-002"), "-".to_owned())
    );
    let upper = story.read(
        ElastiCache,
        "DescribeReplicationGroups",
        &json!({"ReplicationGroupId": ID.to_uppercase()}),
        "ReplicationGroups.0.ReplicationGroupId",
    );
    assert_eq!(upper, ID, "ids have no case");
    let node = story.read(
        ElastiCache,
        "DescribeCacheClusters",
        &json!({"CacheClusterId": format!("{ID}-001"), "ShowCacheNodeInfo": "true"}),
        "CacheClusters.0.CacheNodes.0.Endpoint.Port",
    );
    assert_eq!(node, "6379");
    for (operation, input, code, status) in [
        (
            "DescribeReplicationGroups",
            json!({"ReplicationGroupId": "x"}),
            "ReplicationGroupNotFoundFault",
            404,
        ),
        ("DescribeReplicationGroups", json!({"Marker": "x"}), "InvalidParameterValue", 400),
        ("DescribeReplicationGroups", json!({"MaxRecords": "19"}), "InvalidParameterValue", 400),
        ("DescribeCacheClusters", json!({"CacheClusterId": "x"}), "CacheClusterNotFound", 404),
        (
            "DescribeServerlessCaches",
            json!({"ServerlessCacheName": "x"}),
            "ServerlessCacheNotFoundFault",
            404,
        ),
        ("DescribeUserGroups", json!({"UserGroupId": "x"}), "UserGroupNotFound", 404),
        ("DescribeEvents", json!({"StartTime": "soon"}), "InvalidParameterValue", 400),
        ("DescribeEvents", json!({"Duration": 15 * 24 * 60}), "InvalidParameterValue", 400),
        ("DescribeEvents", json!({"SourceIdentifier": ID}), "InvalidParameterCombination", 400),
        (
            "DescribeEvents",
            json!({"StartTime": "2026-08-01T10:00:00Z", "EndTime": "2026-08-01T09:00:00Z"}),
            "InvalidParameterCombination",
            400,
        ),
        (
            "ModifyReplicationGroup",
            json!({"ReplicationGroupId": "x"}),
            "ReplicationGroupNotFoundFault",
            404,
        ),
    ] {
        let error = story.call(ElastiCache, operation, &input).unwrap_err();
        assert_eq!((error.code.as_ref(), error.status), (code, status), "{operation} {input}");
    }
    assert_eq!(
        story.read(ElastiCache, "DescribeServerlessCaches", &json!({}), "ServerlessCaches"),
        ""
    );
}

#[test]
fn engine_versions_are_listed_with_their_families() {
    let mut story = Story::new(Options::default());
    let mut versions = |input: Value| {
        let answer = story.call(ElastiCache, "DescribeCacheEngineVersions", &input).unwrap();
        let read =
            (0..20).map(|index| at(&answer, &format!("CacheEngineVersions.{index}.EngineVersion")));
        read.take_while(|version| version != "-").collect::<Vec<_>>().join(" ")
    };
    assert_eq!(versions(json!({})), "5.0.6 6.0 6.2 7.0 7.1 7.2 8.0 8.1 8.2 9.0");
    assert_eq!(versions(json!({"Engine": "valkey"})), "7.2 8.0 8.1 8.2 9.0");
    assert_eq!(versions(json!({"CacheParameterGroupFamily": "valkey8"})), "8.0 8.1 8.2");
    assert_eq!(versions(json!({"Engine": "redis", "DefaultOnly": true})), "7.1");
    assert_eq!(versions(json!({"Engine": "valkey", "EngineVersion": "8.0"})), "8.0");
}

#[test]
fn events_tell_the_last_hour_and_up_to_two_weeks() {
    let mut story = story(Options::default(), &json!({}));
    story.modify_cache(json!({"Engine": "valkey", "EngineVersion": "8.0"})).unwrap();
    story.pass(MINUTE * 11);
    let mut messages = |input: Value| {
        story
            .call(ElastiCache, "DescribeEvents", &input)
            .map(|answer| at(&answer, "Events"))
            .unwrap()
    };
    let all = messages(json!({}));
    assert!(
        all.contains("Failover from master node")
            && all.contains("Cache cluster upgraded to valkey 8.0.1"),
        "{all}"
    );
    let of_one =
        messages(json!({"SourceType": "cache-cluster", "SourceIdentifier": format!("{ID}-002")}));
    assert!(of_one.contains("upgraded") && !of_one.contains("-001"), "{of_one}");
    story.pass(Duration::from_hours(2));
    let mut count = |input: Value| {
        story
            .call(ElastiCache, "DescribeEvents", &input)
            .map(|answer| at(&answer, "Events").matches("upgraded").count())
            .unwrap()
    };
    assert_eq!(count(json!({})), 0, "the last hour is the default");
    assert_eq!(count(json!({"Duration": "180"})), 2, "minutes");
    assert_eq!(
        count(json!({"StartTime": "2026-08-01T10:00:00Z", "EndTime": "2026-08-01T10:06:00Z"})),
        1
    );
    story.pass(Duration::from_hours(24 * 14));
    let old = story.read(
        ElastiCache,
        "DescribeEvents",
        &json!({"StartTime": "2026-08-01T00:00:00Z"}),
        "Events",
    );
    assert_eq!(old, "", "older than 14 days");
}
