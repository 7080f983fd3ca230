//! What one look at AWS found about one TED: plain values, with their gaps. Pure: no IO, no clock.
//!
//! Every part is [`Seen`]: present, absent, or unreadable with the reason. Absence that could not be checked is never absence. Nothing
//! here is judged; that is `assess`'s.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A thing that was looked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Seen<T> {
    /// It is there.
    Present(T),
    /// AWS says it is not there.
    Absent,
    /// It could not be read. Nothing may be concluded.
    Unreadable(Gap),
    /// Nobody looked: what leads to it is absent or unreadable, or it was not asked for.
    NotLooked,
}

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// `cloudformation:DescribeStacks`: what was tried.
    pub operation: String,
    /// One CamelCase word: `AccessDenied`, `Throttled`, `Timeout`, …
    pub reason: String,
    /// A sentence for people, without secrets and control characters.
    pub message: String,
    /// Whether time may heal it.
    pub passing: bool,
}

impl<T> Seen<T> {
    /// The thing, when it is there.
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Unreadable(_) | Self::NotLooked => None,
        }
    }

    /// Why it could not be read.
    pub fn gap(&self) -> Option<&Gap> {
        match self {
            Self::Unreadable(gap) => Some(gap),
            Self::Present(_) | Self::Absent | Self::NotLooked => None,
        }
    }

    /// Whether AWS says it is not there.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// One look at one TED.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// AWS's time: the newest Date header of this look's answers. Everything that is compared with an AWS timestamp uses it.
    pub now: Timestamp,
    /// Where was looked.
    pub region: String,
    /// Who looked (`sts:GetCallerIdentity`).
    pub caller: Seen<Caller>,
    /// Provisioned products that the document's name or id fits; exactly one is wanted.
    pub products: Seen<Vec<Product>>,
    /// The record of the last provisioning request (provision, update, plan execution, terminate).
    pub last_record: Seen<Record>,
    /// The record of the last provisioning request that succeeded: what the stack runs.
    pub last_success: Seen<Record>,
    /// Newest first; the account's view.
    pub history: Seen<Vec<Record>>,
    /// The product's versions, in no order.
    pub versions: Seen<Vec<Artifact>>,
    /// Launch paths by which the caller reaches the product.
    pub paths: Seen<Vec<LaunchPath>>,
    /// The version that the document wants, as it is offered; `NotLooked` when the present one stays.
    pub target: Seen<Offer>,
    /// The root stack.
    pub root: Seen<Stack>,
    /// The template the root stack runs: parameters, labels.
    pub template: Seen<TemplateSummary>,
    /// All stacks nested below the root, parents first.
    pub nested: Seen<Vec<NestedStack>>,
    /// TE and Workspace stacks of this hive.
    pub relatives: Seen<Vec<Relative>>,
    /// Replication groups of this TED: the one its stack made, and any other that bears its name.
    pub caches: Seen<Vec<Cache>>,
    /// The primary database instance.
    pub database: Seen<Database>,
    /// Its read replica, if the template makes one.
    pub replica: Seen<Database>,
    /// Event source mappings of the worker functions of every TE version that a workspace of this hive runs.
    pub triggers: Seen<Triggers>,
    /// What CloudFormation's own drift detection found, when it was run.
    pub deep_drift: Seen<DeepDrift>,
    /// Details of these parts that could not be read: the part stands without them.
    #[serde(default)]
    pub details: Details,
    /// When each part was read, by its name in this structure; parts on a slower clock are older than `now`.
    pub read_at: BTreeMap<String, Timestamp>,
}

/// Why details could not be read that complete a part and are none of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Details {
    /// The search for the product: its name in the catalog, and its stack's ARN.
    pub search: Option<Gap>,
    /// The database's events: when its storage was changed last.
    pub database_events: Option<Gap>,
    /// The tags of triggers, of at least one.
    pub tags: Option<Gap>,
    /// The queues behind triggers that are off, at least one.
    pub queues: Option<Gap>,
}

/// The status of a stack whose way back failed: it takes no update before its rollback is continued.
pub const ROLLBACK_FAILED: &str = "UPDATE_ROLLBACK_FAILED";

impl Observation {
    /// Whether a change runs, by any of the three that can tell: right after a request the product may still look as before, and its
    /// record does not.
    pub fn is_changing(&self) -> bool {
        self.products.present().into_iter().flatten().any(|it| it.status == "UNDER_CHANGE")
            || self.root.present().is_some_and(|root| root.status.ends_with("_IN_PROGRESS"))
            || self.last_record.present().is_some_and(Record::runs)
    }

    /// Whether the rollback of the root stack failed.
    pub fn is_stuck(&self) -> bool {
        self.root.present().is_some_and(|root| root.status == ROLLBACK_FAILED)
    }

    /// Everything that could not be read: in words, and why.
    pub fn gaps(&self) -> Vec<(&'static str, &Gap)> {
        let offer = self.target.present();
        let Details { search, database_events, tags, queues } = &self.details;
        let all: [(&str, Option<&Gap>); 22] = [
            ("the provisioned product", self.products.gap()),
            ("the product's name in the catalog", search.as_ref()),
            ("the last record", self.last_record.gap()),
            ("the last record that succeeded", self.last_success.gap()),
            ("the product's past records", self.history.gap()),
            ("the versions on offer", self.versions.gap()),
            ("the launch paths", self.paths.gap()),
            ("the wanted version", self.target.gap()),
            ("the wanted version's parameters", offer.and_then(|offer| offer.parameters.gap())),
            (
                "the wanted version's labels and launch role",
                offer.and_then(|offer| offer.usage.gap()),
            ),
            ("the root stack", self.root.gap()),
            ("the running template", self.template.gap()),
            ("the nested stacks", self.nested.gap()),
            ("the Workspace and TE stacks", self.relatives.gap()),
            ("the cache", self.caches.gap()),
            ("the database", self.database.gap()),
            ("the database's events", database_events.as_ref()),
            ("the read replica", self.replica.gap()),
            ("the worker triggers", self.triggers.gap()),
            ("the tags of worker triggers", tags.as_ref()),
            ("the queues of worker triggers", queues.as_ref()),
            ("CloudFormation's drift detection", self.deep_drift.gap()),
        ];
        all.into_iter().filter_map(|(what, gap)| Some((what, gap?))).collect()
    }

    /// One at which nobody looked at anything.
    pub fn nothing(now: Timestamp, region: &str) -> Self {
        Self {
            now,
            region: region.to_owned(),
            caller: Seen::NotLooked,
            products: Seen::NotLooked,
            last_record: Seen::NotLooked,
            last_success: Seen::NotLooked,
            history: Seen::NotLooked,
            versions: Seen::NotLooked,
            paths: Seen::NotLooked,
            target: Seen::NotLooked,
            root: Seen::NotLooked,
            template: Seen::NotLooked,
            nested: Seen::NotLooked,
            relatives: Seen::NotLooked,
            caches: Seen::NotLooked,
            database: Seen::NotLooked,
            replica: Seen::NotLooked,
            triggers: Seen::NotLooked,
            deep_drift: Seen::NotLooked,
            details: Details::default(),
            read_at: BTreeMap::new(),
        }
    }
}

/// What stands in a recording for a value that may be secret: it counts as not known, like the asterisks of a `NoEcho` value.
pub const WITHHELD: &str = "[withheld]";

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
    /// The principal's ARN.
    pub arn: String,
}

/// A provisioned product. Statuses are open sets: an unknown one is not safe to act on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Product {
    /// `pp-…`.
    pub id: String,
    /// Its name, unique in account and region.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// `CFN_STACK`, …
    pub kind: String,
    /// `AVAILABLE`, `UNDER_CHANGE`, `TAINTED`, `ERROR`, `PLAN_IN_PROGRESS`, or new.
    pub status: String,
    /// Free text after a failure.
    pub status_message: Option<String>,
    /// `prod-…`.
    pub product_id: Option<String>,
    /// The product's name, when a search gave it.
    pub product_name: Option<String>,
    /// The version last **asked for**: after a failed update not what runs.
    pub artifact_id: Option<String>,
    /// The role CloudFormation acts as.
    pub launch_role_arn: Option<String>,
    /// The last request of any kind.
    pub last_record_id: Option<String>,
    /// The last provisioning request.
    pub last_provisioning_record_id: Option<String>,
    /// The last provisioning request that succeeded.
    pub last_successful_provisioning_record_id: Option<String>,
    /// The root stack's ARN, when a search gave it.
    pub physical_id: Option<String>,
    /// Who launched it.
    pub user_arn: Option<String>,
}

/// A Service Catalog record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Record {
    /// `rec-…`.
    pub id: String,
    /// `CREATED`, `IN_PROGRESS`, `IN_PROGRESS_IN_ERROR`, `SUCCEEDED`, `FAILED`, or new.
    pub status: String,
    /// `UPDATE_PROVISIONED_PRODUCT`, …
    pub kind: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it last changed.
    pub updated: Option<Timestamp>,
    /// The version asked for.
    pub artifact_id: Option<String>,
    /// The launch path used.
    pub path_id: Option<String>,
    /// What went wrong.
    pub errors: Vec<String>,
    /// Outputs by key: `CloudformationStackARN` first, then the root stack's.
    pub outputs: BTreeMap<String, String>,
    /// `aws:servicecatalog:provisioningPrincipalArn`: who asked.
    pub principal: Option<String>,
}

impl Record {
    /// Whether it stays as it is from now on.
    pub fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "SUCCEEDED" | "FAILED")
    }

    /// Whether what it asks for is under way. A status that is new to us is neither this nor over.
    pub fn runs(&self) -> bool {
        matches!(self.status.as_str(), "CREATED" | "IN_PROGRESS" | "IN_PROGRESS_IN_ERROR")
    }
}

/// A version of the product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Artifact {
    /// `pa-…`.
    pub id: String,
    /// `v1.52.1`.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// When it was added.
    pub created: Option<Timestamp>,
    /// Whether end users see it.
    pub active: bool,
    /// Whether its guidance is `DEPRECATED`.
    pub deprecated: bool,
}

/// A way to launch the product: a portfolio.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LaunchPath {
    /// `lp-…`; goes stale when the product moves.
    pub id: String,
    /// The portfolio's name.
    pub name: String,
    /// Whether a launch constraint (a role) applies.
    pub launch_constraint: bool,
}

/// A version on offer, with what it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// The version.
    pub artifact: Artifact,
    /// Its parameters, in its order.
    pub parameters: Seen<Vec<Parameter>>,
    /// Labels and groups from its template's metadata, and its launch role.
    pub usage: Seen<Usage>,
}

/// What `DescribeProvisioningParameters` tells beside the parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// Label by parameter key; not every parameter has one.
    pub labels: BTreeMap<String, String>,
    /// Group by parameter key.
    pub groups: BTreeMap<String, String>,
    /// The launch constraint's role.
    pub launch_role: Option<String>,
    /// Whether the path's constraints bear template rules.
    pub has_rules: bool,
}

/// A template's parameter. The four limits are texts, as AWS gives them; an absent default and an empty one differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Parameter {
    /// Its key.
    pub key: String,
    /// `String`, `Number`, `CommaDelimitedList`, `AWS::SSM::Parameter::Value<String>`, …
    pub kind: String,
    /// What it is when nobody names it.
    pub default: Option<String>,
    /// Whether its value is masked wherever it is read.
    pub no_echo: bool,
    /// What the template says of it.
    pub description: Option<String>,
    /// Empty: anything goes.
    pub allowed_values: Vec<String>,
    /// A Java regular expression for the whole value.
    pub allowed_pattern: Option<String>,
    /// What the template says when the pattern does not match.
    pub constraint_description: Option<String>,
    /// Fewest characters.
    pub min_length: Option<String>,
    /// Most characters.
    pub max_length: Option<String>,
    /// Smallest number.
    pub min_value: Option<String>,
    /// Largest number.
    pub max_value: Option<String>,
}

/// What `GetTemplateSummary` tells of the running template (no patterns, only allowed values).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TemplateSummary {
    /// In the template's order.
    pub parameters: Vec<Parameter>,
    /// Label by parameter key.
    pub labels: BTreeMap<String, String>,
    /// Group by parameter key.
    pub groups: BTreeMap<String, String>,
}

/// A root stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Stack {
    /// Its ARN.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `UPDATE_COMPLETE`, …, or new.
    pub status: String,
    /// Why, after a failure.
    pub reason: Option<String>,
    /// Values by key. `NoEcho` values are masked: never compare, never send them.
    pub parameters: BTreeMap<String, StackParameter>,
    /// Values by key.
    pub outputs: BTreeMap<String, String>,
    /// The role its resources are made with.
    pub role_arn: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was last updated.
    pub updated: Option<Timestamp>,
}

/// A value of a stack's parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StackParameter {
    /// As given; the SSM parameter's name for an SSM-typed one.
    pub value: String,
    /// What an SSM-typed one resolved to.
    pub resolved: Option<String>,
}

/// A stack below the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NestedStack {
    /// Its ARN.
    pub id: String,
    /// Its physical name.
    pub name: String,
    /// Its logical id in its parent.
    pub logical_id: String,
    /// Its parent's physical name.
    pub parent: String,
    /// Its status.
    pub status: String,
    /// Why, after a failure.
    pub reason: Option<String>,
    /// When its last change began, its creation being one.
    pub updated: Option<Timestamp>,
    /// When one of its resources last moved.
    pub heard: Option<Timestamp>,
    /// Its resources that RDS and ElastiCache know, by logical id; the rest is counted.
    pub resources: Vec<StackResource>,
    /// Of all its resources: how many there are, and how many are complete.
    pub resources_total: usize,
    /// See above.
    pub resources_complete: usize,
}

/// A resource of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StackResource {
    /// Its logical id.
    pub logical_id: String,
    /// Its physical id.
    pub physical_id: String,
    /// Its type.
    pub kind: String,
    /// Its status.
    pub status: String,
    /// Why, after a failure.
    pub reason: Option<String>,
}

/// A TE or Workspace stack that belongs to this hive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Relative {
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: String,
    /// Of a workspace: its parameter `Name`.
    pub workspace: Option<String>,
    /// The TE version it is or runs, e.g. `5.39.12`.
    pub te_version: Option<String>,
}

/// A replication group with its nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cache {
    /// Its id.
    pub id: String,
    /// Whether the stack says that it made it.
    pub in_stack: bool,
    /// `available`, `modifying`, …
    pub status: String,
    /// `redis` or `valkey`.
    pub engine: Option<String>,
    /// `cache.m6g.large`.
    pub node_type: Option<String>,
    /// Its nodes; the group itself has no engine version.
    pub nodes: Vec<CacheNode>,
    /// Whether a modification is pending.
    pub pending: bool,
    /// `enabled`, `disabled`, …
    pub multi_az: Option<String>,
    /// See [`Self::multi_az`].
    pub automatic_failover: Option<String>,
    /// Encryption in transit.
    pub transit_encryption: Option<bool>,
    /// Encryption at rest.
    pub at_rest_encryption: Option<bool>,
    /// Whether a password is set.
    pub auth_token: Option<bool>,
    /// User groups by id.
    pub user_groups: Vec<String>,
    /// The endpoint that writes go to.
    pub primary_endpoint: Option<String>,
    /// The global datastore it is a member of.
    pub global_datastore: Option<String>,
    /// `05:00-06:00` UTC.
    pub snapshot_window: Option<String>,
    /// `sun:05:00-sun:06:00` UTC.
    pub maintenance_window: Option<String>,
    /// Days; 0: no snapshots.
    pub snapshot_retention: Option<i64>,
}

/// A node of a replication group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CacheNode {
    /// Its cluster id.
    pub id: String,
    /// Its status.
    pub status: String,
    /// Its engine.
    pub engine: Option<String>,
    /// With patch level: `8.0.1`.
    pub engine_version: Option<String>,
    /// Its parameter group.
    pub parameter_group: Option<String>,
    /// Whether a change of its own is pending.
    pub pending: bool,
}

/// An RDS instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Database {
    /// Its identifier.
    pub id: String,
    /// `available`, `backing-up`, …, or new.
    pub status: String,
    /// `postgres`.
    pub engine: Option<String>,
    /// `15.7`.
    pub engine_version: Option<String>,
    /// `db.m6g.large`.
    pub class: Option<String>,
    /// GiB.
    pub allocated_storage: Option<i64>,
    /// GiB; absent: autoscaling is off.
    pub max_allocated_storage: Option<i64>,
    /// `gp3`, …
    pub storage_type: Option<String>,
    /// Operations a second.
    pub iops: Option<i64>,
    /// MiB a second.
    pub storage_throughput: Option<i64>,
    /// What is pending, by member name.
    pub pending: BTreeMap<String, String>,
    /// Percent of a storage optimization under way.
    pub optimization: Option<String>,
    /// `03:00-03:30` UTC.
    pub backup_window: Option<String>,
    /// `sun:05:00-sun:06:00` UTC.
    pub maintenance_window: Option<String>,
    /// Days; 0: no automatic backups.
    pub backup_retention: Option<i64>,
    /// Identifiers of its replicas.
    pub replicas: Vec<String>,
    /// The newest change of storage that its events tell of, within 14 days.
    pub storage_changed: Option<Timestamp>,
}

/// The worker triggers of a hive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Triggers {
    /// TE versions that a workspace of this hive runs, e.g. `5.39.12`.
    pub te_versions: Vec<String>,
    /// Worker functions that a TE version should have and that were not found.
    pub missing_functions: Vec<String>,
    /// The triggers, by function and id.
    pub mappings: Vec<Trigger>,
    /// The queues behind triggers that are paused, or were until a short while ago; by ARN.
    pub queues: Vec<Backlog>,
    /// Holds of other products on what was looked at: these triggers, and those of the region that are off.
    pub elsewhere: Vec<OthersHold>,
}

/// A hold of another product.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OthersHold {
    /// The provisioned product's id.
    pub product: String,
    /// The hold, as its tag has it.
    pub value: String,
}

/// What waits in the queue of a trigger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Backlog {
    /// The queue's ARN.
    pub queue: String,
    /// Messages that wait, about; absent when it could not be read.
    pub messages: Option<u64>,
    /// Seconds after which a message is lost.
    pub retention_seconds: Option<u64>,
    /// When this was read.
    pub at: Option<Timestamp>,
    /// The first reading after its triggers were on again, if an earlier look made one: a queue that is not shorter by now does not drain.
    pub first_on: Option<Reading>,
}

/// How many messages waited at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// When.
    pub at: Timestamp,
    /// How many, about.
    pub messages: u64,
}

impl Backlog {
    /// Whether its triggers have been on for so long without its getting shorter. A queue at work always holds a few messages, and a
    /// short while says nothing.
    pub fn does_not_drain(&self) -> bool {
        let (Some(at), Some(messages), Some(first)) = (self.at, self.messages, &self.first_on)
        else {
            return false;
        };
        at.duration_since(first.at) >= DRAIN_SHOWS_WITHIN
            && messages >= first.messages
            && messages >= FEW_MESSAGES
    }
}

/// How long triggers are on before a queue has to be shorter: workers take a minute or two to get going.
const DRAIN_SHOWS_WITHIN: SignedDuration = SignedDuration::from_mins(9);

/// Messages that a busy queue may hold at any time.
const FEW_MESSAGES: u64 = 100;

/// An event source mapping of a worker function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Trigger {
    /// Its UUID.
    pub uuid: String,
    /// Its ARN.
    pub arn: String,
    /// The worker function's name.
    pub function: String,
    /// The TE version of the function.
    pub te_version: String,
    /// `Enabled`, `Disabling`, …, or new.
    pub state: String,
    /// When it last changed.
    pub last_modified: Option<Timestamp>,
    /// The queue's ARN.
    pub queue: Option<String>,
    /// Tags; absent when they could not be read.
    pub tags: Option<BTreeMap<String, String>>,
}

/// What CloudFormation's own drift detection found over root and nested stacks. Stacks are looked at one after the other, so the parts
/// differ in age.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeepDrift {
    /// Resources that differ from their template.
    pub drifts: Vec<ResourceDrift>,
    /// Every stack, with how far it was looked at; the root first.
    pub stacks: Vec<StackCheck>,
}

/// How far drift detection looked at a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StackCheck {
    /// The stack's name.
    pub stack: String,
    /// When; absent: not yet, or not since the stack last changed.
    pub checked: Option<Timestamp>,
    /// How many resources were compared with the template.
    pub compared: usize,
    /// Resources that were not: `HivePrimary (AWS::RDS::DBInstance)`.
    pub unchecked: Vec<String>,
    /// Why the result is not whole.
    pub gap: Option<Gap>,
}

/// A difference that CloudFormation's drift detection found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceDrift {
    /// The stack's name.
    pub stack: String,
    /// The resource.
    pub logical_id: String,
    /// Its physical id.
    pub physical_id: String,
    /// Its type.
    pub kind: String,
    /// `MODIFIED` or `DELETED`.
    pub status: String,
    /// Path, expected, actual.
    pub differences: Vec<(String, String, String)>,
}
