//! What a support ticket asks for beyond an observation: the events of stacks, database and cache, and the queue behind each trigger.
//! Plain values with their gaps. Pure.

use super::observation::{Backlog, Gap, Seen};
use super::story::Story;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The evidence of one TED.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dossier {
    /// The events of root and nested stacks, as far back as CloudFormation keeps them and the limit allows.
    pub story: Story,
    /// What RDS noted of the database in the last 14 days, newest first.
    pub database_events: Seen<Vec<ServiceEvent>>,
    /// The same of its replica.
    pub replica_events: Seen<Vec<ServiceEvent>>,
    /// What ElastiCache noted of the group and its nodes in the last 14 days, newest first.
    pub cache_events: Seen<Vec<ServiceEvent>>,
    /// The queues behind all worker triggers, by ARN.
    pub queues: Seen<Vec<Backlog>>,
    /// Why at least one of them could not be read.
    pub queues_gap: Option<Gap>,
}

impl Dossier {
    /// One for which nothing was read.
    pub fn nothing() -> Self {
        Self {
            story: Story::default(),
            database_events: Seen::NotLooked,
            replica_events: Seen::NotLooked,
            cache_events: Seen::NotLooked,
            queues: Seen::NotLooked,
            queues_gap: None,
        }
    }
}

/// Something that RDS or ElastiCache noted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceEvent {
    /// When.
    pub at: Option<Timestamp>,
    /// The database, group or node.
    pub source: Option<String>,
    /// AWS's sentence, on one line.
    pub message: String,
}
