//! Stacks, their resources and events, and the operation that runs on them.

use super::template::Template;
use crate::services::iam::Principal;
use crate::time::SimTime;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// All stacks of one account in one region.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// Stacks that exist, by name.
    pub(super) stacks: BTreeMap<String, Arc<Stack>>,
    /// Deleted stacks, oldest first: CloudFormation shows them by ARN for 90 days.
    pub(super) deleted: VecDeque<Arc<Stack>>,
    /// Failures that scenarios have ordered.
    pub(super) injections: Vec<Injection>,
    /// Drift detections by id.
    pub(super) detections: BTreeMap<String, super::drift::Detection>,
    /// Client request tokens with the request they came with.
    pub(super) tokens: BTreeMap<String, String>,
}

/// The operations that CloudFormation lists for a stack, newest last, are cut to this many.
const OPERATIONS_KEPT: usize = 10;

impl State {
    /// A stack by name, by ARN, or (deleted ones too) by ARN.
    pub(super) fn find(&self, name_or_arn: &str) -> Option<&Arc<Stack>> {
        match name_from_arn(name_or_arn) {
            None => self.stacks.get(name_or_arn),
            Some(name) => self
                .stacks
                .get(name)
                .filter(|stack| stack.id == name_or_arn)
                .or_else(|| self.deleted.iter().rev().find(|stack| stack.id == name_or_arn)),
        }
    }

    /// A stack that exists, to change it.
    pub(super) fn stack_mut(&mut self, name: &str) -> Option<&mut Stack> {
        self.stacks.get_mut(name).map(Arc::make_mut)
    }
}

/// `arn:aws:cloudformation:<region>:<account>:stack/<name>/<uuid>` names `<name>`.
pub(super) fn name_from_arn(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split_once(":stack/")?.1.split('/').next()
}

/// A stack.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) template: Arc<Template>,
    pub(super) parameters: Parameters,
    pub(super) status: Status,
    pub(super) reason: Option<String>,
    pub(super) created: SimTime,
    pub(super) updated: Option<SimTime>,
    pub(super) deleted: Option<SimTime>,
    pub(super) role_arn: Option<String>,
    pub(super) tags: Arc<BTreeMap<String, String>>,
    /// The name of the stack this is nested in, and its logical id there.
    pub(super) parent: Option<(String, String)>,
    /// The root's name; the stack's own for a root.
    pub(super) root: String,
    pub(super) resources: BTreeMap<String, Resource>,
    pub(super) events: Vec<Event>,
    pub(super) outputs: Vec<Output>,
    pub(super) drift: DriftSummary,
    /// The operation under way, and what a failed rollback needs to be continued.
    pub(super) run: Option<Box<Run>>,
    pub(super) operations: Vec<OperationSummary>,
}

/// A stack's parameters: as given, and what SSM-typed ones resolved to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) given: BTreeMap<String, String>,
    pub(super) resolved: BTreeMap<String, String>,
}

impl Parameters {
    /// The values that resources see.
    pub(super) fn effective(&self) -> BTreeMap<String, String> {
        let mut values = self.given.clone();
        values.extend(self.resolved.iter().map(|(key, value)| (key.clone(), value.clone())));
        values
    }
}

/// One output of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) description: Option<String>,
    pub(super) export: Option<String>,
}

/// One resource of a stack. Its type and properties are the template's; what was asked of it is evaluated when needed.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) kind: Arc<str>,
    pub(super) physical_id: String,
    pub(super) status: ResourceStatus,
    pub(super) reason: Option<String>,
    pub(super) updated: SimTime,
    pub(super) drift: Option<(super::drift::ResourceDrift, SimTime)>,
}

/// The one copy of a resource type's name: a large world has as many resources as names would fill megabytes.
pub(super) fn interned(kind: &str) -> Arc<str> {
    static KINDS: LazyLock<Mutex<BTreeSet<Arc<str>>>> = LazyLock::new(Mutex::default);
    let mut kinds = KINDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kinds.get(kind) {
        return Arc::clone(known);
    }
    let new: Arc<str> = kind.into();
    kinds.insert(Arc::clone(&new));
    new
}

/// The type of a nested stack.
pub(super) const NESTED: &str = "AWS::CloudFormation::Stack";

/// What a finished drift detection left on the stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DriftSummary {
    pub(super) status: Option<&'static str>,
    pub(super) checked: Option<SimTime>,
}

/// One operation in a stack's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OperationSummary {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) started: SimTime,
    pub(super) ended: Option<SimTime>,
    pub(super) failed: bool,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) at: SimTime,
    pub(super) operation: Option<Arc<str>>,
    pub(super) token: Option<Arc<str>>,
    pub(super) logical_id: String,
    pub(super) physical_id: String,
    pub(super) kind: Arc<str>,
    /// A stack's status or a resource's.
    pub(super) status: &'static str,
    pub(super) reason: Option<String>,
}

macro_rules! statuses {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $name { $($variant),* }

        impl $name {
            pub(super) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
    };
}

statuses! {
    /// The stack statuses that this world's stacks pass through.
    Status {
        CreateInProgress = "CREATE_IN_PROGRESS",
        CreateFailed = "CREATE_FAILED",
        CreateComplete = "CREATE_COMPLETE",
        UpdateInProgress = "UPDATE_IN_PROGRESS",
        UpdateCompleteCleanup = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        UpdateComplete = "UPDATE_COMPLETE",
        RollbackInProgress = "UPDATE_ROLLBACK_IN_PROGRESS",
        RollbackCleanup = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        RollbackComplete = "UPDATE_ROLLBACK_COMPLETE",
        RollbackFailed = "UPDATE_ROLLBACK_FAILED",
        DeleteInProgress = "DELETE_IN_PROGRESS",
        DeleteComplete = "DELETE_COMPLETE",
    }
}

statuses! {
    /// Resource statuses.
    ResourceStatus {
        CreateInProgress = "CREATE_IN_PROGRESS",
        CreateFailed = "CREATE_FAILED",
        CreateComplete = "CREATE_COMPLETE",
        UpdateInProgress = "UPDATE_IN_PROGRESS",
        UpdateFailed = "UPDATE_FAILED",
        UpdateComplete = "UPDATE_COMPLETE",
        DeleteInProgress = "DELETE_IN_PROGRESS",
        DeleteFailed = "DELETE_FAILED",
        DeleteSkipped = "DELETE_SKIPPED",
        DeleteComplete = "DELETE_COMPLETE",
    }
}

impl Status {
    /// Whether an update may start (API reference, `RollbackStack`: the last stable states; `CREATE_FAILED` and the rest take none).
    pub(super) fn takes_update(self) -> bool {
        matches!(self, Self::CreateComplete | Self::UpdateComplete | Self::RollbackComplete)
    }
}

/// Where an operation on one stack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Resources are created and changed.
    Forward,
    /// A nested stack is done and waits for the root to clean up.
    ForwardDone,
    /// Old resources are removed.
    Cleanup,
    /// Resources are put back.
    Back,
    /// A nested stack is back and waits for the root.
    BackDone,
    /// New resources of a failed update are removed.
    BackCleanup,
    /// Putting back failed; `ContinueUpdateRollback` goes on.
    BackFailed,
}

/// A template with its parameters.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) template: Arc<Template>,
    pub(super) parameters: Parameters,
}

/// An operation on one stack.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) operation: Arc<str>,
    pub(super) token: Option<Arc<str>>,
    pub(super) principal: Principal,
    pub(super) phase: Phase,
    /// Whether the stack itself is new.
    pub(super) creating: bool,
    pub(super) before: Version,
    pub(super) after: Version,
    pub(super) works: BTreeMap<String, Work>,
    /// What the clean-up removes.
    pub(super) doomed: Vec<Doomed>,
    /// When the next removal of the clean-up can be through.
    pub(super) cleaned_at: Option<SimTime>,
}

/// What happens to one resource in an operation.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) kind: Arc<str>,
    /// What must be done before it, going forward.
    pub(super) after: BTreeSet<String>,
    pub(super) action: Action,
    pub(super) state: WorkState,
    /// Its properties before the operation.
    pub(super) old: Value,
    /// Its properties after it, once they are known.
    pub(super) new: Value,
    /// Its physical id before the operation.
    pub(super) old_id: Option<String>,
    /// Its physical id if the operation created one.
    pub(super) new_id: Option<String>,
    /// Until when a refusal for a passing reason is tried again on the way back.
    pub(super) retry_until: Option<SimTime>,
    /// Whether the forward half touched it, so that it must be put back.
    pub(super) touched: bool,
    /// Whether its change was accepted by whoever carries it out.
    pub(super) began: bool,
}

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Not known yet: its properties depend on others.
    Undecided,
    Nothing,
    Create,
    Update,
    /// A new one beside the old, which the clean-up removes.
    Replace,
    /// The clean-up removes it.
    Remove,
}

/// How far a resource's work is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WorkState {
    Waiting,
    /// Running; generic resources are done at a time, others when their provider says so.
    Running {
        until: Option<SimTime>,
    },
    Done,
    Failed(String),
    Cancelled,
}

/// A resource that a clean-up removes.
#[derive(Clone, Debug)]
pub(super) struct Doomed {
    pub(super) logical_id: String,
    pub(super) kind: Arc<str>,
    pub(super) physical_id: String,
    /// `Retain` leaves it where it is.
    pub(super) retain: bool,
    /// Since when it is being removed.
    pub(super) since: Option<SimTime>,
}

/// A failure that a scenario has ordered.
#[derive(Clone, Debug)]
pub(crate) struct Injection {
    /// The resource.
    pub(crate) logical_id: String,
    /// Part of the stack's name; absent: any.
    pub(crate) stack: Option<String>,
    pub(crate) during: During,
    /// The reason its event gives, whole.
    pub(crate) message: String,
    /// How many more times.
    pub(crate) times: u32,
    /// Whether the resource is changed first and then fails.
    pub(crate) after_change: bool,
}

/// Which half of an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum During {
    Update,
    Rollback,
}

impl Stack {
    /// Whether anything runs on it.
    pub(super) fn is_root(&self) -> bool {
        self.parent.is_none()
    }

    /// Adds an event, and sets the resource's status when it is of a resource.
    pub(super) fn record(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Notes a started operation.
    pub(super) fn started(&mut self, kind: &'static str, id: &str, at: SimTime) {
        if self.operations.len() == OPERATIONS_KEPT {
            self.operations.remove(0);
        }
        self.operations.push(OperationSummary {
            kind,
            id: id.to_owned(),
            started: at,
            ended: None,
            failed: false,
        });
    }

    /// Notes the end of the last operation.
    pub(super) fn ended(&mut self, failed: bool, at: SimTime) {
        if let Some(last) = self.operations.last_mut() {
            last.ended = Some(at);
            last.failed = failed;
        }
    }
}
