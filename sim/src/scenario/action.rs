//! What can happen in a scenario: the hands of operators, of other tools, and of AWS itself.

use super::words::nearest;
use crate::faults::{Pattern, Rule};
use crate::options::Options;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) use crate::faults::moment as optional;

/// Something that happens. Where an id may be left out, the first one of the first installation is meant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Action {
    /// A database gets a status (`backing-up`, `upgrading`, …), for a while or until the next action.
    DatabaseStatus {
        /// The instance.
        #[serde(default)]
        id: Option<String>,
        /// Its status.
        status: String,
        /// How long; then it is `available` again.
        #[serde(default, rename = "for", with = "optional")]
        lasting: Option<Duration>,
    },
    /// Storage autoscaling makes a database larger.
    GrowStorage {
        /// The instance.
        #[serde(default)]
        id: Option<String>,
        /// Its new size in GiB.
        to: u32,
        /// Whether that is just now: the database optimizes its storage and takes no further change of it for hours.
        #[serde(default = "yes")]
        optimizing: bool,
    },
    /// A database is deleted.
    DatabaseDelete {
        /// The instance.
        #[serde(default)]
        id: Option<String>,
    },
    /// Storage autoscaling does what it does when little space is free; nothing when RDS's rules stand against it.
    DatabaseAutoscale {
        /// The instance.
        #[serde(default)]
        id: Option<String>,
        /// GiB of growth expected in seven hours.
        #[serde(default)]
        growth: u32,
    },
    /// A database reboots.
    DatabaseReboot {
        /// The instance.
        #[serde(default)]
        id: Option<String>,
    },
    /// Somebody upgrades a cache in ElastiCache.
    CacheUpgrade {
        /// The replication group.
        #[serde(default)]
        id: Option<String>,
        /// `redis` or `valkey`.
        engine: String,
        /// Its version.
        version: String,
    },
    /// A cache gets a status.
    CacheStatus {
        /// The replication group.
        #[serde(default)]
        id: Option<String>,
        /// Its status.
        status: String,
        /// How long; then it is `available` again.
        #[serde(default, rename = "for", with = "optional")]
        lasting: Option<Duration>,
    },
    /// A cache is deleted.
    CacheDelete {
        /// The replication group.
        #[serde(default)]
        id: Option<String>,
    },
    /// A modification of a cache waits for its maintenance window; without values none waits any more.
    CachePending {
        /// The replication group.
        #[serde(default)]
        id: Option<String>,
        /// The engine version that waits.
        #[serde(default)]
        engine_version: Option<String>,
        /// The node type that waits.
        #[serde(default)]
        node_type: Option<String>,
    },
    /// A cache becomes a member of a global datastore, or of none.
    CacheGlobal {
        /// The replication group.
        #[serde(default)]
        id: Option<String>,
        /// The global datastore.
        #[serde(default)]
        datastore: Option<String>,
    },
    /// Somebody updates a TED's root stack in CloudFormation, past Service Catalog.
    StackUpdate {
        /// The stack's name.
        #[serde(default)]
        stack: Option<String>,
        /// The parameters to change; all others keep their values.
        parameters: BTreeMap<String, String>,
    },
    /// A TED's root stack is deleted.
    StackDelete {
        /// The stack's name.
        #[serde(default)]
        stack: Option<String>,
    },
    /// Somebody else updates a TED through Service Catalog.
    ProductUpdate {
        /// The provisioned product's name or id.
        #[serde(default)]
        product: Option<String>,
        /// The version to go to; absent: the present one.
        #[serde(default)]
        version: Option<String>,
        /// The parameters to change; all others keep their values.
        #[serde(default)]
        parameters: BTreeMap<String, String>,
    },
    /// A provisioned product is terminated.
    ProductDelete {
        /// Its name or id.
        #[serde(default)]
        product: Option<String>,
    },
    /// A provisioned product gets a status.
    ProductStatus {
        /// Its name or id.
        #[serde(default)]
        product: Option<String>,
        /// `TAINTED`, `ERROR`, `UNDER_CHANGE`, `AVAILABLE`.
        status: String,
        /// Its status message.
        #[serde(default)]
        message: Option<String>,
    },
    /// A provisioned product loses the ids of its records, as old ones have none.
    ProductForgetRecords {
        /// Its name or id.
        #[serde(default)]
        product: Option<String>,
    },
    /// Messages arrive in queues and are taken from them.
    QueueRates {
        /// The queues' names, with `*`.
        queues: Pattern,
        /// Messages that arrive a second.
        arrival: f64,
        /// Messages that each trigger takes a second.
        #[serde(default = "plenty")]
        drain: f64,
    },
    /// An operator enables or disables a function's triggers.
    TriggerToggle {
        /// The function's name.
        function: String,
        /// Whether they are enabled from now on.
        enabled: bool,
    },
    /// A function's triggers stay in their transitional state when they are changed.
    TriggerStuck {
        /// The function's name.
        function: String,
        /// Whether they are stuck from now on.
        #[serde(default = "yes")]
        stuck: bool,
    },
    /// A TE version is installed.
    TeVersionAdd {
        /// `5.41.0`.
        version: String,
    },
    /// A workspace is installed.
    WorkspaceAdd {
        /// Its name.
        name: String,
        /// The hive it lives in.
        hive: String,
        /// The TE version it runs.
        version: String,
    },
    /// IAM refuses something from now on.
    Deny {
        /// Whom: `caller`, `launch-role`, a user's or role's name, or an ARN; with `*`.
        principal: String,
        /// What: `rds:ModifyDBInstance`, with `*`.
        actions: Vec<String>,
        /// By what.
        #[serde(default)]
        kind: DenyKind,
    },
    /// IAM refuses nothing any more that `deny` made it refuse.
    Allow,
    /// A policy is attached to a user or role, which then may do only what its policies allow.
    PolicyAttach {
        /// The user's or role's ARN.
        principal: String,
        /// The policy's name.
        name: String,
        /// The policy document.
        document: Value,
    },
    /// A policy is taken away. The last one leaves an administrator.
    PolicyDetach {
        /// The user's or role's ARN.
        principal: String,
        /// The policy's name.
        name: String,
    },
    /// A user or role is deleted.
    IdentityDelete {
        /// Its ARN.
        principal: String,
    },
    /// A user (made when there is none) gets an access key.
    AccessKeyAdd {
        /// The user's name.
        user: String,
        /// The access key.
        key: String,
        /// For how long it is good; absent: for ever.
        #[serde(default, rename = "for", with = "optional")]
        lasting: Option<Duration>,
    },
    /// A resource fails in stack operations.
    FailResource {
        /// Its logical id.
        logical_id: String,
        /// Part of its stack's name; absent: any stack.
        #[serde(default)]
        stack: Option<String>,
        /// In which half of an operation.
        phase: FailPhase,
        /// The reason its event gives.
        message: String,
        /// How often.
        #[serde(default = "once")]
        times: u32,
        /// Whether it is changed first and fails then.
        #[serde(default)]
        after_change: bool,
    },
    /// A version of the TED product becomes inactive.
    ArtifactRetire {
        /// The version.
        version: String,
    },
    /// A version of the TED product is deprecated.
    ArtifactDeprecate {
        /// The version.
        version: String,
    },
    /// A version of the TED product is being taken over, or cannot be.
    ArtifactStatus {
        /// The version.
        version: String,
        /// `AVAILABLE`, `CREATING` or `FAILED`.
        status: String,
    },
    /// A version of the TED product appears, with the template of another one.
    ArtifactAdd {
        /// The version.
        version: String,
        /// The version whose template it has.
        like: String,
    },
    /// The launch paths get other ids: who kept one holds a stale one.
    PathMove,
    /// Access keys are over from now on; sessions that are issued later are spared.
    CredentialsExpire {
        /// Which access keys, with `*`.
        #[serde(default = "all")]
        keys: String,
        /// For how long; absent: for ever.
        #[serde(default, rename = "for", with = "optional")]
        lasting: Option<Duration>,
    },
    /// Expired access keys are good again.
    CredentialsRenew {
        /// Which access keys: the text that `credentials-expire` had.
        #[serde(default = "all")]
        keys: String,
    },
    /// Options change.
    Options(Map<String, Value>),
    /// The clock runs at another speed.
    ClockSpeed {
        /// Virtual seconds a second.
        speed: f64,
    },
    /// A fault begins.
    Fault(Box<Rule>),
    /// All faults end.
    ClearFaults,
    /// Nothing happens, and the journal says why.
    Note {
        /// What it says.
        text: String,
    },
}

/// The names of all actions.
#[cfg(test)]
pub(super) const KINDS: &[&str] = &[
    "database-autoscale",
    "database-reboot",
    "cache-pending",
    "cache-global",
    "product-forget-records",
    "queue-rates",
    "policy-attach",
    "policy-detach",
    "identity-delete",
    "access-key-add",
    "artifact-status",
    "database-status",
    "grow-storage",
    "database-delete",
    "cache-upgrade",
    "cache-status",
    "cache-delete",
    "stack-update",
    "stack-delete",
    "product-update",
    "product-delete",
    "product-status",
    "trigger-toggle",
    "trigger-stuck",
    "te-version-add",
    "workspace-add",
    "deny",
    "allow",
    "fail-resource",
    "artifact-retire",
    "artifact-deprecate",
    "artifact-add",
    "path-move",
    "credentials-expire",
    "credentials-renew",
    "options",
    "clock-speed",
    "fault",
    "clear-faults",
    "note",
];

/// By what IAM refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DenyKind {
    /// No policy of the principal allows it.
    #[default]
    Identity,
    /// A policy of the principal denies it.
    Explicit,
    /// A service control policy denies it.
    Scp,
}

/// Which half of a stack operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailPhase {
    /// On the way forward.
    Update,
    /// On the way back.
    Rollback,
}

fn yes() -> bool {
    true
}

fn plenty() -> f64 {
    100.0
}

fn once() -> u32 {
    1
}

fn all() -> String {
    "*".to_owned()
}

impl Action {
    /// Its name in files.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DatabaseStatus { .. } => "database-status",
            Self::GrowStorage { .. } => "grow-storage",
            Self::DatabaseDelete { .. } => "database-delete",
            Self::CacheUpgrade { .. } => "cache-upgrade",
            Self::CacheStatus { .. } => "cache-status",
            Self::CacheDelete { .. } => "cache-delete",
            Self::StackUpdate { .. } => "stack-update",
            Self::StackDelete { .. } => "stack-delete",
            Self::ProductUpdate { .. } => "product-update",
            Self::ProductDelete { .. } => "product-delete",
            Self::ProductStatus { .. } => "product-status",
            Self::TriggerToggle { .. } => "trigger-toggle",
            Self::TriggerStuck { .. } => "trigger-stuck",
            Self::TeVersionAdd { .. } => "te-version-add",
            Self::WorkspaceAdd { .. } => "workspace-add",
            Self::Deny { .. } => "deny",
            Self::Allow => "allow",
            Self::FailResource { .. } => "fail-resource",
            Self::ArtifactRetire { .. } => "artifact-retire",
            Self::ArtifactDeprecate { .. } => "artifact-deprecate",
            Self::ArtifactAdd { .. } => "artifact-add",
            Self::PathMove => "path-move",
            Self::CredentialsExpire { .. } => "credentials-expire",
            Self::CredentialsRenew { .. } => "credentials-renew",
            Self::Options(_) => "options",
            Self::ClockSpeed { .. } => "clock-speed",
            Self::Fault(_) => "fault",
            Self::ClearFaults => "clear-faults",
            Self::Note { .. } => "note",
            Self::DatabaseAutoscale { .. } => "database-autoscale",
            Self::DatabaseReboot { .. } => "database-reboot",
            Self::CachePending { .. } => "cache-pending",
            Self::CacheGlobal { .. } => "cache-global",
            Self::ProductForgetRecords { .. } => "product-forget-records",
            Self::QueueRates { .. } => "queue-rates",
            Self::PolicyAttach { .. } => "policy-attach",
            Self::PolicyDetach { .. } => "policy-detach",
            Self::IdentityDelete { .. } => "identity-delete",
            Self::AccessKeyAdd { .. } => "access-key-add",
            Self::ArtifactStatus { .. } => "artifact-status",
        }
    }

    /// What is wrong with it, as far as the file alone can show.
    pub(crate) fn problem(&self) -> Option<String> {
        match self {
            Self::Options(patch) => patched(&Options::default(), patch).err(),
            Self::Fault(rule) => rule.problem(),
            Self::ClockSpeed { speed } if !(speed.is_finite() && *speed >= 0.0) => {
                Some(format!("`speed` is {speed}; it is 0 or more"))
            }
            Self::Deny { actions, .. } if actions.is_empty() => {
                Some("`actions` is empty".to_owned())
            }
            _ => None,
        }
    }
}

/// `options` with the members of `patch` changed.
///
/// # Errors
/// Which member is unknown, with the nearest known one, or which value does not fit.
pub(crate) fn patched(options: &Options, patch: &Map<String, Value>) -> Result<Options, String> {
    let Ok(Value::Object(mut whole)) = serde_json::to_value(options) else {
        return Err("options cannot be written".to_owned());
    };
    for (name, value) in patch {
        if !whole.contains_key(name) {
            let near = nearest(name, whole.keys().map(String::as_str))
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            return Err(format!("unknown option `{name}`{near}"));
        }
        whole.insert(name.clone(), value.clone());
    }
    serde_json::from_value(Value::Object(whole)).map_err(|error| format!("options: {error}"))
}
