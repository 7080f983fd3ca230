//! RDS: the database instance.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A database instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DbInstance {
    /// Its identifier.
    pub id: String,
    /// Its ARN.
    pub arn: Option<String>,
    /// AWS's id that survives a rename.
    pub resource_id: Option<String>,
    /// `available`, `backing-up`, …
    pub status: Option<String>,
    /// `postgres`.
    pub engine: Option<String>,
    /// With minor version: `15.7`.
    pub engine_version: Option<String>,
    /// `db.r6g.large`, …
    pub class: Option<String>,
    /// Storage.
    pub storage: DbStorage,
    /// Several availability zones.
    pub multi_az: Option<bool>,
    /// What is to come; absent if nothing is.
    pub pending: Option<DbPending>,
    /// Text: percent of a storage optimization.
    pub percent_progress: Option<String>,
    /// Its replicas.
    pub replicas: Vec<String>,
    /// What it is a replica of.
    pub replica_source: Option<String>,
    /// Daily backup, as `HH:MM-HH:MM` UTC.
    pub backup_window: Option<String>,
    /// Days that backups are kept; 0: none.
    pub backup_retention_days: Option<i32>,
    /// Weekly maintenance, as `ddd:HH:MM-ddd:HH:MM` UTC.
    pub maintenance_window: Option<String>,
    /// AWS may apply minor versions.
    pub auto_minor_upgrade: Option<bool>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

/// The storage of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DbStorage {
    /// Size in GiB. A number here; the template's parameter is text.
    pub allocated_gib: Option<i32>,
    /// Ceiling of autoscaling in GiB; absent: off.
    pub max_allocated_gib: Option<i32>,
    /// `gp3`, `io1`, …
    pub kind: Option<String>,
    /// Provisioned IOPS.
    pub iops: Option<i32>,
    /// MiB/s.
    pub throughput_mib_s: Option<i32>,
}

/// What is to come. The master password is left out, even masked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DbPending {
    /// Storage.
    pub storage: DbStorage,
    /// Instance class.
    pub class: Option<String>,
    /// Engine version.
    pub engine_version: Option<String>,
    /// Several availability zones.
    pub multi_az: Option<bool>,
}

impl DbPending {
    /// True if AWS sent an empty element.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
