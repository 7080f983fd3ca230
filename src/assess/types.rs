//! What an assessment says: findings, gates, plan, phase, conditions. Plain values that status, command line and page render.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The verdict on one TED. Same document and observation, same verdict, byte for byte.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assessment {
    /// Where AWS and document, or AWS and AWS, disagree; the worst first, then by code.
    pub findings: Vec<Finding>,
    /// Every gate, in the order of the design; those that do not hold say what opens them.
    pub gates: Vec<Gate>,
    /// What would be done, in order. Empty when nothing is to do, and when what is to do cannot even be named.
    ///
    /// A plan is no permission: it is also there while gates do not hold, so that people see what would happen.
    pub plan: Vec<Step>,
    /// What may be done now: one step, or none. When it begins something, every gate holds.
    pub next: Option<Step>,
    /// Parameters that an update would send, add or drop, in the target version's order.
    pub parameters: Vec<ParameterChange>,
    /// A word for a table column. No code branches on it.
    pub phase: Phase,
    /// All six, always.
    pub conditions: Vec<Condition>,
    /// What runs now, for the same table.
    pub actual: Actual,
    /// When to look again.
    #[serde(skip)]
    pub requeue_after: Duration,
    /// Approvals in the document that nothing asks for, and the like: one sentence each.
    pub notes: Vec<String>,
}

impl Assessment {
    /// Whether every gate lets a change begin.
    pub fn may_start(&self) -> bool {
        !self.gates.is_empty() && self.gates.iter().all(|gate| gate.holds)
    }

    /// The step to carry out now.
    pub fn next_step(&self) -> Option<&Step> {
        self.next.as_ref()
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Something is not as it should be.
    Warning,
    /// Something does not work, or is about to be lost.
    Critical,
}

/// A disagreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// A stable code: `drift/cache-engine`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// What disagrees, in one sentence.
    pub message: String,
    /// What should be, when that is a value.
    pub desired: Option<String>,
    /// What is, when that is a value.
    pub actual: Option<String>,
    /// Where each value was read: `Service Catalog record rec-…; ElastiCache turbot-einstein-cache-cluster-001`.
    pub read_from: String,
    /// Since when it is known; report fills it in from what it remembers.
    pub since: Option<Timestamp>,
    /// What to do.
    pub remedy: String,
    /// A page that explains it.
    pub guide: Option<String>,
}

/// Whether a precondition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GateState {
    /// It holds.
    Holds,
    /// Time will open it.
    Waiting,
    /// A person has to.
    NeedsPerson,
    /// It could not be found out, which is as good as no.
    Unknown,
    /// It has no say here.
    NotApplicable,
}

/// A precondition of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// Its name: `one-way`.
    pub gate: String,
    /// Whether it lets the change pass: it holds or does not apply.
    pub holds: bool,
    /// In which of the five ways.
    pub state: GateState,
    /// What was found.
    pub message: String,
    /// What makes it hold; empty when it does.
    pub remedy: String,
    /// When it opens, if that is known.
    pub until: Option<Timestamp>,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What kind of step.
    pub step: StepKind,
    /// What it does, in one sentence.
    pub summary: String,
    /// All that is needed to carry it out: nothing is left to decide.
    pub order: Order,
}

/// What a step does to what, and what it expects to find.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Order {
    /// Of `Hold`, `Disable`, `Release` and `Enable`: these triggers.
    Triggers(Vec<TriggerTarget>),
    /// Of `Update`.
    Update(Box<UpdateOrder>),
    /// Of `ContinueRollback`.
    Continue(ContinueOrder),
    /// Of `Wait`.
    Wait(WaitOrder),
    /// Not decided before its turn comes: it depends on what is found then.
    Later,
}

/// A trigger that a step is for, as it was found: if its tag is another one by now, it is passed over, and the next look tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TriggerTarget {
    /// The worker function's name.
    pub function: String,
    /// Its UUID.
    pub uuid: String,
    /// Its ARN: what tags are set on.
    pub arn: String,
    /// The tag's key.
    pub key: String,
    /// The tag's value as it was found.
    pub seen: Option<String>,
    /// When the trigger last changed, as it was found.
    pub modified: Option<Timestamp>,
    /// The tag to write. Of `Disable`: only if somebody else disabled the trigger meanwhile; the same one when nobody can tell.
    pub tag: String,
}

/// An update of a provisioned product, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateOrder {
    /// The provisioned product, `pp-…`.
    pub provisioned_product_id: String,
    /// The product, `prod-…`.
    pub product_id: String,
    /// The version to have, `pa-…`.
    pub artifact_id: String,
    /// Its name: `v1.52.1`.
    pub artifact_name: String,
    /// The launch path, `lp-…`.
    pub path_id: String,
    /// **Every** parameter of that version, in its order.
    pub parameters: Vec<UpdateParameter>,
    /// Whoever acts on the same "before" sends the same token, and so asks for the same one update.
    pub token: String,
    /// What must be found when all is read again right before it is sent.
    pub expects: Expected,
}

/// The continuation of a rollback that failed, whole. It never passes a role: the stack keeps its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContinueOrder {
    /// The root stack's ARN: a rollback is continued from there.
    pub stack_id: String,
    /// Its name.
    pub stack_name: String,
    /// Resources that are not put back: of the root by logical id, of nested stacks as `<physical stack name>.<logical id>`.
    pub skip: Vec<String>,
    /// Whoever continues the same failure asks for the same one continuation.
    pub token: String,
    /// When the change began that is taken back.
    pub began: Timestamp,
    /// How often it was continued before.
    pub continued: usize,
}

/// A parameter of an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateParameter {
    /// Its key.
    pub key: String,
    /// What to send for it.
    pub value: ParameterValue,
}

/// A value **or** "use the previous one", never both: Service Catalog refuses that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ParameterValue {
    /// Send this value. Never one of a `NoEcho` parameter.
    Value(String),
    /// Send "use the previous value", without a value: the running stack has one.
    Previous,
    /// Leave it out of the request: the parameter is new, and there it takes the version's default.
    Default,
}

/// The state that an update starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expected {
    /// `AVAILABLE` or `TAINTED`.
    pub product_status: String,
    /// The last provisioning record: another one means that somebody else was faster.
    pub last_provisioning_record_id: Option<String>,
    /// The root stack's ARN.
    pub stack_id: String,
    /// Its status.
    pub stack_status: String,
    /// When it was last updated: another time means a change outside Service Catalog.
    pub stack_updated: Option<Timestamp>,
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitOrder {
    /// `the database instance to be available`.
    pub wait_for: String,
    /// When it is over, if that is known.
    pub until: Option<Timestamp>,
}

/// The kinds of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepKind {
    /// Tag the triggers that will be paused.
    Hold,
    /// Disable the tagged triggers.
    Disable,
    /// Update the provisioned product.
    Update,
    /// Continue a failed rollback.
    ContinueRollback,
    /// Give the holds up.
    Release,
    /// Enable what was disabled.
    Enable,
    /// Wait for something.
    Wait,
}

impl StepKind {
    /// Its name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "Hold",
            Self::Disable => "Disable",
            Self::Update => "Update",
            Self::ContinueRollback => "ContinueRollback",
            Self::Release => "Release",
            Self::Enable => "Enable",
            Self::Wait => "Wait",
        }
    }

    /// Whether the step begins a change. The others finish one, which is a duty and behind no gate, or change nothing.
    pub fn begins_something(self) -> bool {
        match self {
            Self::Hold | Self::Disable | Self::Update | Self::ContinueRollback => true,
            Self::Release | Self::Enable | Self::Wait => false,
        }
    }
}

/// A parameter that an update touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParameterChange {
    /// Its key.
    pub key: String,
    /// Its label, when the template has one.
    pub label: Option<String>,
    /// What happens to it.
    pub change: ChangeKind,
    /// What it is now; masked for secrets.
    pub from: Option<String>,
    /// What it will be; masked for secrets.
    pub to: Option<String>,
    /// Why, in a few words: `the document asks for it`, `new in v1.50.0: default`.
    pub why: String,
}

/// What an update does to a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It gets another value.
    Set,
    /// It is new in the target version and takes its default.
    New,
    /// The target version has it no more.
    Dropped,
    /// It stays; its default or its allowed values differ in the target version.
    Redefined,
}

/// A word for where a TED stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// As wanted.
    Steady,
    /// A gate does not hold, and time will open it.
    Waiting,
    /// A gate does not hold, and a person has to open it.
    Blocked,
    /// Events are being paused.
    Pausing,
    /// An update runs.
    Updating,
    /// A failed update is being recovered from.
    Recovering,
    /// An update is through and its result is looked at.
    Verifying,
    /// Events are being given back.
    Resuming,
    /// The document is gone, its hold is not yet.
    Releasing,
    /// Suspended in the document.
    Suspended,
    /// Nothing goes on by itself.
    Failed,
}

/// `True`, `False` or `Unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConditionStatus {
    /// It is so.
    True,
    /// It is not so.
    False,
    /// Nobody knows.
    Unknown,
}

/// An observed fact, in Kubernetes' form. `report` adds the time of its last change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// One of the six types.
    #[serde(rename = "type")]
    pub kind: ConditionType,
    /// Whether it is so.
    pub status: ConditionStatus,
    /// One CamelCase word.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}

/// The types of conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConditionType {
    /// Actual equals desired, verified in ElastiCache.
    Ready,
    /// Something is being done, or will be by itself.
    Reconciling,
    /// A person is needed.
    Stalled,
    /// AWS differs from the document.
    Drifted,
    /// AWS differs from itself.
    OutOfSync,
    /// Events are paused.
    EventsPaused,
}

/// What runs now; absent where it is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Actual {
    /// The account looked at.
    pub account: Option<String>,
    /// The region looked at.
    pub region: Option<String>,
    /// Without `v`: `1.44.0`.
    pub ted_version: Option<String>,
    /// `redis` or `valkey`.
    pub engine: Option<String>,
    /// With patch level.
    pub engine_version: Option<String>,
    /// Service Catalog's.
    pub product_status: Option<String>,
    /// CloudFormation's, of the root.
    pub stack_status: Option<String>,
    /// RDS's.
    pub database_status: Option<String>,
    /// ElastiCache's.
    pub cache_status: Option<String>,
}
