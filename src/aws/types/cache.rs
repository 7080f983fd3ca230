//! ElastiCache: groups, nodes, user groups, engine versions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A replication group. It has an engine but **no engine version**: its nodes do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicationGroup {
    /// Its id.
    pub id: String,
    /// Its ARN.
    pub arn: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// `available`, `modifying`, …
    pub status: Option<String>,
    /// `valkey` or `redis`.
    pub engine: Option<String>,
    /// Ids of the nodes.
    pub members: Vec<String>,
    /// Shards.
    pub node_groups: Vec<NodeGroup>,
    /// `cache.m6g.large`, …
    pub node_type: Option<String>,
    /// Cluster mode.
    pub cluster_enabled: Option<bool>,
    /// `enabled`, `disabled`, `enabling`, …
    pub automatic_failover: Option<String>,
    /// `enabled` or `disabled`.
    pub multi_az: Option<String>,
    /// TLS.
    pub transit_encryption: Option<bool>,
    /// `preferred` or `required`.
    pub transit_encryption_mode: Option<String>,
    /// Encrypted on disk.
    pub at_rest_encryption: Option<bool>,
    /// Clients need a password.
    pub auth_token: Option<bool>,
    /// User groups that may use it.
    pub user_group_ids: Vec<String>,
    /// The global datastore it belongs to.
    pub global_datastore: Option<String>,
    /// Daily backup, as `HH:MM-HH:MM` UTC.
    pub snapshot_window: Option<String>,
    /// Days that backups are kept; 0: none.
    pub snapshot_retention: Option<i32>,
    /// Names of what is pending (`PrimaryClusterId`, `UserGroups`, …), sorted.
    pub pending: Vec<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

/// A shard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeGroup {
    /// Its id.
    pub id: Option<String>,
    /// Its status.
    pub status: Option<String>,
    /// Host that writes go to.
    pub primary_endpoint: Option<String>,
    /// Its nodes.
    pub members: Vec<NodeGroupMember>,
}

/// A node of a shard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeGroupMember {
    /// The cache cluster of this node.
    pub cluster_id: Option<String>,
    /// `primary` or `replica`.
    pub role: Option<String>,
    /// Where it runs.
    pub availability_zone: Option<String>,
}

/// A cache node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheCluster {
    /// Its id.
    pub id: String,
    /// Its ARN.
    pub arn: Option<String>,
    /// The group it belongs to.
    pub replication_group_id: Option<String>,
    /// `available`, `modifying`, `rebooting cluster nodes`, …
    pub status: Option<String>,
    /// `valkey`, `redis`, `memcached`.
    pub engine: Option<String>,
    /// With patch level: `8.0.1`.
    pub engine_version: Option<String>,
    /// `cache.m6g.large`, …
    pub node_type: Option<String>,
    /// Its parameter group.
    pub parameter_group: Option<String>,
    /// `in-sync`, `applying`, `pending-reboot`.
    pub parameter_apply_status: Option<String>,
    /// Version that is to come.
    pub pending_engine_version: Option<String>,
    /// Node type that is to come.
    pub pending_node_type: Option<String>,
    /// Weekly maintenance, as `ddd:HH:MM-ddd:HH:MM` UTC.
    pub maintenance_window: Option<String>,
    /// Daily backup, as `HH:MM-HH:MM` UTC.
    pub snapshot_window: Option<String>,
    /// Where it runs.
    pub availability_zone: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

/// Who may use a cache.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserGroup {
    /// Its id.
    pub id: String,
    /// `active`, `modifying`, …
    pub status: Option<String>,
    /// `redis` or `valkey`.
    pub engine: Option<String>,
    /// Its users.
    pub user_ids: Vec<String>,
    /// Groups that use it.
    pub replication_groups: Vec<String>,
}

/// An engine version on offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheEngineVersion {
    /// `valkey`, `redis`, `memcached`.
    pub engine: String,
    /// `8.0`.
    pub version: String,
    /// `valkey8`.
    pub parameter_group_family: Option<String>,
}
