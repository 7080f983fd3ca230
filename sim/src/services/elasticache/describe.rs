//! What ElastiCache shows. Members of the answers and the names of list items are those of the public API reference.

use super::change::not_found;
use super::versions::{self, Offered};
use super::{Group, Member, Settings, Shard, State, UserGroup};
use crate::error::ApiError;
use crate::node::{Map, Node};
use crate::services::Call;
use crate::services::event_log::{Event, Wanted};
use crate::services::paging::{Page, marked};
use crate::spec::{INT, Member as In, Operation, Shape, TEXT, opt};

/// AWS docs: `MaxRecords`, "minimum 20; maximum 100".
const MAX_RECORDS: Shape = Shape::Int { min: 20, max: 100 };
const MARKER: In = opt("Marker", TEXT);

pub(super) const REPLICATION_GROUPS: Operation = Operation::read(
    "DescribeReplicationGroups",
    &[opt("ReplicationGroupId", TEXT), opt("MaxRecords", MAX_RECORDS), MARKER],
    replication_groups,
);
pub(super) const CACHE_CLUSTERS: Operation = Operation::read(
    "DescribeCacheClusters",
    &[
        opt("CacheClusterId", TEXT),
        opt("MaxRecords", MAX_RECORDS),
        MARKER,
        opt("ShowCacheNodeInfo", Shape::Bool),
        opt("ShowCacheClustersNotInReplicationGroups", Shape::Bool),
    ],
    cache_clusters,
);
pub(super) const SERVERLESS_CACHES: Operation = Operation::read(
    "DescribeServerlessCaches",
    &[opt("ServerlessCacheName", TEXT), opt("MaxResults", INT), opt("NextToken", TEXT)],
    serverless_caches,
);
pub(super) const ENGINE_VERSIONS: Operation = Operation::read(
    "DescribeCacheEngineVersions",
    &[
        opt("Engine", TEXT),
        opt("EngineVersion", TEXT),
        opt("CacheParameterGroupFamily", TEXT),
        opt("MaxRecords", MAX_RECORDS),
        MARKER,
        opt("DefaultOnly", Shape::Bool),
    ],
    engine_versions,
);
pub(super) const USER_GROUPS: Operation = Operation::read(
    "DescribeUserGroups",
    &[opt("UserGroupId", TEXT), opt("MaxRecords", MAX_RECORDS), MARKER],
    user_groups,
);
pub(super) const EVENTS: Operation = Operation::read(
    "DescribeEvents",
    &[
        opt("SourceIdentifier", TEXT),
        opt("SourceType", Shape::Enum(SOURCE_TYPES)),
        opt("StartTime", Shape::Time),
        opt("EndTime", Shape::Time),
        opt("Duration", INT),
        opt("MaxRecords", MAX_RECORDS),
        MARKER,
    ],
    events,
);
const SOURCE_TYPES: &[&str] = &[
    "cache-cluster",
    "cache-parameter-group",
    "cache-security-group",
    "cache-subnet-group",
    "replication-group",
    "serverless-cache",
    "serverless-cache-snapshot",
    "user",
    "user-group",
];

fn answer(name: &'static str, item: &'static str, page: Page<Map>) -> Map {
    Map::new().maybe("Marker", page.next).named_list(name, item, page.items)
}

fn replication_groups(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let state = &call.region().elasticache;
    let page = if let Some(id) = call.input.text("ReplicationGroupId") {
        Page { items: vec![state.group(id).ok_or_else(|| not_found(id))?], next: None }
    } else {
        marked(call, state.groups.values(), "replication-groups")?
    };
    let items = page.items.into_iter().map(replication_group).collect();
    Ok(answer("ReplicationGroups", "ReplicationGroup", Page { items, next: page.next }))
}

fn cache_clusters(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let state = &call.region().elasticache;
    let nodes = call.input.bool("ShowCacheNodeInfo").unwrap_or(false);
    let lone_only = call.input.bool("ShowCacheClustersNotInReplicationGroups").unwrap_or(false);
    let all = || {
        state
            .groups
            .values()
            .flat_map(|group| group.members().map(move |member| (group, member)))
            .filter(|_| !lone_only)
    };
    let page = match call.input.text("CacheClusterId") {
        Some(id) => {
            let found = all().find(|(_, member)| member.id.eq_ignore_ascii_case(id));
            let found = found.ok_or_else(|| {
                ApiError::new("CacheClusterNotFound", format!("CacheCluster not found: {id}"))
                    .with_status(404)
            })?;
            Page { items: vec![found], next: None }
        }
        None => marked(call, all(), "cache-clusters")?,
    };
    let items =
        page.items.into_iter().map(|(group, member)| cache_cluster(group, member, nodes)).collect();
    Ok(answer("CacheClusters", "CacheCluster", Page { items, next: page.next }))
}

/// There are none: TED has no serverless cache.
fn serverless_caches(call: &mut Call<'_>) -> Result<Map, ApiError> {
    match call.input.text("ServerlessCacheName") {
        Some(name) => Err(ApiError::new(
            "ServerlessCacheNotFoundFault",
            format!("ServerlessCache {name} not found."),
        )
        .with_status(404)),
        None => Ok(Map::new().list("ServerlessCaches", Vec::<Node>::new())),
    }
}

fn engine_versions(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let wanted = |name: &str, value: &str| {
        call.input.text(name).is_none_or(|wanted| wanted.eq_ignore_ascii_case(value))
    };
    let newest = |offered: &&Offered| versions::of(offered.engine).next_back() == Some(*offered);
    let default_only = call.input.bool("DefaultOnly").unwrap_or(false);
    let items = versions::OFFERED.iter().filter(|offered| {
        wanted("Engine", offered.engine.as_str())
            && wanted("EngineVersion", offered.asked)
            && wanted("CacheParameterGroupFamily", offered.family)
            && (!default_only || newest(offered))
    });
    let page = marked(call, items, "engine-versions")?;
    let items = page.items.into_iter().map(engine_version).collect();
    Ok(answer("CacheEngineVersions", "CacheEngineVersion", Page { items, next: page.next }))
}

fn engine_version(offered: &Offered) -> Map {
    let name = offered.engine.as_str();
    Map::new()
        .with("Engine", name)
        .with("EngineVersion", offered.asked)
        .with("CacheParameterGroupFamily", offered.family)
        .with("CacheEngineDescription", name)
        .with("CacheEngineVersionDescription", format!("{name} version {}", offered.runs))
}

fn user_groups(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let state = &call.region().elasticache;
    let page = match call.input.text("UserGroupId") {
        Some(id) => {
            let found = state.user_groups.get(id).ok_or_else(|| {
                ApiError::new("UserGroupNotFound", format!("User group {id} not found."))
                    .with_status(404)
            })?;
            Page { items: vec![found], next: None }
        }
        None => marked(call, state.user_groups.values(), "user-groups")?,
    };
    let items = page.items.into_iter().map(|group| user_group(state, group)).collect();
    Ok(answer("UserGroups", "member", Page { items, next: page.next }))
}

fn user_group(state: &State, group: &UserGroup) -> Map {
    let uses = state
        .groups
        .values()
        .filter(|cache| cache.settings.user_groups.contains(&group.id))
        .map(|cache| cache.id.as_str());
    let oldest = if group.engine == versions::Engine::Valkey { "7.2" } else { "6.0" };
    Map::new()
        .with("UserGroupId", &group.id)
        .with("Status", group.status)
        .with("Engine", group.engine.as_str())
        .list("UserIds", &group.users)
        .with("MinimumEngineVersion", oldest)
        .list("ReplicationGroups", uses)
        .with("ARN", &group.arn)
}

fn events(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let wanted = Wanted::of(call)?;
    let page = marked(call, call.region().elasticache.events.of(&wanted), "events")?;
    let event = |event: &Event| {
        Map::new()
            .with("SourceIdentifier", &event.source)
            .with("SourceType", event.source_type)
            .with("Message", &event.message)
            .with("Date", event.at)
    };
    let items = page.items.into_iter().map(event).collect();
    Ok(answer("Events", "Event", Page { items, next: page.next }))
}

/// A replication group as every operation shows it. Its version is not shown: the API has no such member.
pub(super) fn replication_group(group: &Group) -> Map {
    let settings = &group.settings;
    let switch = |on: bool| if on { "enabled" } else { "disabled" };
    let global = group.global_datastore.as_ref();
    Map::new()
        .with("ReplicationGroupId", &group.id)
        .with("Description", &settings.description)
        .maybe(
            "GlobalReplicationGroupInfo",
            global.map(|id| {
                Map::new()
                    .with("GlobalReplicationGroupId", id)
                    .with("GlobalReplicationGroupMemberRole", "PRIMARY")
            }),
        )
        .with("Status", group.status())
        .with("PendingModifiedValues", pending_of_group(group))
        .named_list("MemberClusters", "ClusterId", group.members().map(|member| &member.id))
        .named_list(
            "NodeGroups",
            "NodeGroup",
            group.shards.iter().map(|shard| node_group(group, shard)),
        )
        .with("AutomaticFailover", failover(group))
        .with("MultiAZ", switch(settings.multi_az))
        .maybe(
            "ConfigurationEndpoint",
            group.sharded.then(|| endpoint(&group.configuration_host(), settings.port)),
        )
        .with("SnapshotRetentionLimit", settings.snapshot_retention)
        .with("SnapshotWindow", &settings.snapshot_window)
        .with("ClusterEnabled", group.sharded)
        .with("CacheNodeType", &settings.node_type)
        .with("AuthTokenEnabled", settings.auth_token.is_some())
        .maybe("AuthTokenLastModifiedDate", settings.auth_token_changed)
        .with("TransitEncryptionEnabled", settings.transit_encryption)
        .with("AtRestEncryptionEnabled", settings.at_rest_encryption)
        .maybe("KmsKeyId", settings.kms_key.as_ref())
        .with("ARN", &group.arn)
        .maybe("UserGroupIds", some(&settings.user_groups))
        .named_list("LogDeliveryConfigurations", "LogDeliveryConfiguration", Vec::<Node>::new())
        .with("ReplicationGroupCreateTime", group.created)
        .with("DataTiering", "disabled")
        .with("AutoMinorVersionUpgrade", settings.auto_minor_upgrade)
        .with("NetworkType", "ipv4")
        .with("IpDiscovery", "ipv4")
        .maybe(
            "TransitEncryptionMode",
            settings.transit_encryption.then_some(&settings.transit_mode),
        )
        .with("ClusterMode", switch(group.sharded))
        .with("Engine", settings.engine.as_str())
}

fn some(items: &[String]) -> Option<Node> {
    (!items.is_empty()).then(|| Node::List("member", items.iter().map(Node::from).collect()))
}

fn failover(group: &Group) -> &'static str {
    let now = group.settings.automatic_failover;
    match (now, group.target().map_or(now, |target| target.automatic_failover)) {
        (true, true) => "enabled",
        (false, false) => "disabled",
        (false, true) => "enabling",
        (true, false) => "disabling",
    }
}

fn pending_of_group(group: &Group) -> Map {
    let Some(target) = group.target() else { return Map::new() };
    let now = &group.settings;
    let failover = (now.automatic_failover != target.automatic_failover)
        .then_some(if target.automatic_failover { "enabled" } else { "disabled" });
    let missing = |from: &[String], other: &[String]| {
        from.iter().filter(|id| !other.contains(id)).cloned().collect::<Vec<_>>()
    };
    let (add, remove) = (
        missing(&target.user_groups, &now.user_groups),
        missing(&now.user_groups, &target.user_groups),
    );
    let users = (!add.is_empty() || !remove.is_empty()).then(|| {
        Map::new()
            .maybe("UserGroupIdsToAdd", some(&add))
            .maybe("UserGroupIdsToRemove", some(&remove))
    });
    Map::new()
        .maybe("AutomaticFailoverStatus", failover)
        .maybe("AuthTokenStatus", token_status(now, target))
        .maybe("UserGroups", users)
        .maybe(
            "TransitEncryptionEnabled",
            (now.transit_encryption != target.transit_encryption)
                .then_some(target.transit_encryption),
        )
        .maybe(
            "TransitEncryptionMode",
            (now.transit_mode != target.transit_mode).then_some(&target.transit_mode),
        )
}

fn token_status(now: &Settings, target: &Settings) -> Option<&'static str> {
    match (&now.auth_token, &target.auth_token) {
        (now, target) if now == target => None,
        (_, None) => None,
        (None, Some(_)) => Some("SETTING"),
        (Some(_), Some(_)) => Some("ROTATING"),
    }
}

fn node_group(group: &Group, shard: &Shard) -> Map {
    let port = group.settings.port;
    let (primary, reader) = (group.primary_host(), group.reader_host());
    let member = |member: &Member| {
        let role = if member.id == shard.primary { "primary" } else { "replica" };
        Map::new()
            .with("CacheClusterId", &member.id)
            .with("CacheNodeId", "0001")
            .maybe(
                "ReadEndpoint",
                (!group.sharded).then(|| endpoint(&group.member_host(&member.id), port)),
            )
            .with("PreferredAvailabilityZone", &member.zone)
            .maybe("CurrentRole", (!group.sharded).then_some(role))
    };
    Map::new()
        .with("NodeGroupId", &shard.id)
        .with("Status", group.status())
        .maybe("PrimaryEndpoint", (!group.sharded).then(|| endpoint(&primary, port)))
        .maybe("ReaderEndpoint", (!group.sharded).then(|| endpoint(&reader, port)))
        .maybe("Slots", slots(group, shard))
        .named_list("NodeGroupMembers", "NodeGroupMember", shard.members.iter().map(member))
}

/// The hash slots of a shard, in cluster mode: 16384 of them, shared out evenly.
fn slots(group: &Group, shard: &Shard) -> Option<String> {
    let index =
        group.shards.iter().position(|other| other.id == shard.id).filter(|_| group.sharded)?;
    let (all, count) = (16_384, group.shards.len());
    Some(format!("{}-{}", all * index / count, all * (index + 1) / count - 1))
}

fn endpoint(address: &str, port: i64) -> Map {
    Map::new().with("Address", address).with("Port", port)
}

fn cache_cluster(group: &Group, member: &Member, nodes: bool) -> Map {
    let settings = &group.settings;
    let status = group.member_status(member);
    let parameters = Map::new()
        .with("CacheParameterGroupName", &member.parameter_group)
        .with("ParameterApplyStatus", if status == "modifying" { "applying" } else { "in-sync" })
        .named_list("CacheNodeIdsToReboot", "CacheNodeId", Vec::<Node>::new());
    let node = || {
        Map::new()
            .with("CacheNodeId", "0001")
            .with("CacheNodeStatus", status)
            .with("CacheNodeCreateTime", member.created)
            .with("Endpoint", endpoint(&group.member_host(&member.id), settings.port))
            .with("ParameterGroupStatus", "in-sync")
            .with("CustomerAvailabilityZone", &member.zone)
    };
    Map::new()
        .with("CacheClusterId", &member.id)
        .with(
            "ClientDownloadLandingPage",
            "https://console.aws.amazon.com/elasticache/home#client-download:",
        )
        .with("CacheNodeType", &member.node_type)
        .with("Engine", member.engine.as_str())
        .with("EngineVersion", &member.version)
        .with("CacheClusterStatus", status)
        .with("NumCacheNodes", 1_i64)
        .with("PreferredAvailabilityZone", &member.zone)
        .with("CacheClusterCreateTime", member.created)
        .with("PreferredMaintenanceWindow", &settings.maintenance_window)
        .with("PendingModifiedValues", pending_of_member(group, member))
        .named_list("CacheSecurityGroups", "CacheSecurityGroup", Vec::<Node>::new())
        .with("CacheParameterGroup", parameters)
        .maybe("CacheSubnetGroupName", settings.subnet_group.as_ref())
        .maybe("CacheNodes", nodes.then(|| Node::List("CacheNode", vec![node().into()])))
        .with("AutoMinorVersionUpgrade", settings.auto_minor_upgrade)
        .list(
            "SecurityGroups",
            settings
                .security_groups
                .iter()
                .map(|id| Map::new().with("SecurityGroupId", id).with("Status", "active")),
        )
        .with("ReplicationGroupId", &group.id)
        .with("SnapshotRetentionLimit", settings.snapshot_retention)
        .with("SnapshotWindow", &settings.snapshot_window)
        .with("AuthTokenEnabled", settings.auth_token.is_some())
        .maybe("AuthTokenLastModifiedDate", settings.auth_token_changed)
        .with("TransitEncryptionEnabled", settings.transit_encryption)
        .with("AtRestEncryptionEnabled", settings.at_rest_encryption)
        .with(
            "ARN",
            group.arn.replacen(
                &format!("replicationgroup:{}", group.id),
                &format!("cluster:{}", member.id),
                1,
            ),
        )
        .with("ReplicationGroupLogDeliveryEnabled", false)
        .named_list("LogDeliveryConfigurations", "LogDeliveryConfiguration", Vec::<Node>::new())
        .with("NetworkType", "ipv4")
        .with("IpDiscovery", "ipv4")
        .maybe(
            "TransitEncryptionMode",
            settings.transit_encryption.then_some(&settings.transit_mode),
        )
}

fn pending_of_member(group: &Group, member: &Member) -> Map {
    let Some(target) = group.target() else { return Map::new() };
    Map::new()
        .maybe("EngineVersion", (member.version != target.version).then_some(&target.version))
        .maybe("CacheNodeType", (member.node_type != target.node_type).then_some(&target.node_type))
}

impl Group {
    fn host(&self, tls: &str, plain: &str) -> String {
        if self.settings.transit_encryption {
            format!("{tls}.{}.{}", self.dns.hash, self.dns.suffix)
        } else {
            format!("{plain}.{}", self.dns.suffix)
        }
    }

    /// The host that takes writes: `master.<group>.<hash>.<region>.cache.amazonaws.com` with encryption (seen in TED's guides).
    pub(super) fn primary_host(&self) -> String {
        self.host(&format!("master.{}", self.id), &format!("{}.{}.ng.0001", self.id, self.dns.hash))
    }

    /// The host that spreads reads.
    pub(super) fn reader_host(&self) -> String {
        self.host(
            &format!("replica.{}", self.id),
            &format!("{}-ro.{}.ng.0001", self.id, self.dns.hash),
        )
    }

    /// The host of cluster mode.
    pub(super) fn configuration_host(&self) -> String {
        self.host(
            &format!("clustercfg.{}", self.id),
            &format!("{}.{}.clustercfg", self.id, self.dns.hash),
        )
    }

    fn member_host(&self, member: &str) -> String {
        self.host(&format!("{member}.{}", self.id), &format!("{member}.{}.0001", self.dns.hash))
    }
}
