//! An update after its answer: it begins, the stack is watched, and record and provisioned product come to their final states.
//!
//! ```text
//! record   CREATED ─► IN_PROGRESS ─┬─► SUCCEEDED
//!                                  └─► IN_PROGRESS_IN_ERROR ─► FAILED      (a refusal goes straight to FAILED)
//! product  UNDER_CHANGE ─────────────► AVAILABLE | TAINTED | ERROR
//! ```
//!
//! Service Catalog looks at the stack while its own operation runs and at no other time, unless the world says otherwise
//! (`catalog_notices_direct_changes`).

use super::setup::{outputs, stack_output};
use super::state::{RecordError, RecordStatus, Status};
use crate::options::{FailedStatus, NoOpUpdate, OmittedParameter, StableStatus};
use crate::services::cloudformation::template::Template;
use crate::services::cloudformation::{self, Given, Seen, Update};
use crate::services::iam::Principal;
use crate::world::{Scope, World};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// From the answer to the beginning of the stack's update.
const START_AFTER: Duration = Duration::from_secs(2);

/// From one look at the stack to the next.
const FOLLOW_EVERY: Duration = Duration::from_secs(5);

/// From CloudFormation's refusal to the end of the record (facts: it comes after the call, not with it).
const REFUSAL_TAKES: Duration = Duration::from_secs(20);

/// The session in which Service Catalog uses a launch role.
const LAUNCH_SESSION: &str = "servicecatalog";

/// What CloudFormation says of an update that changes nothing.
const NO_UPDATES: &str = "No updates are to be performed";

/// What Service Catalog does by itself.
#[derive(Clone, Debug)]
pub(crate) enum Timer {
    /// Begins an update.
    Start(Box<Change>),
    /// Ends an update that CloudFormation refused.
    Refuse(String, Refusal),
    /// Looks how far the update of a record is.
    Follow(String),
    /// Notices what somebody did to the stack of a provisioned product.
    Notice(String),
}

/// An update, resolved.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(super) record_id: String,
    pub(super) stack_id: String,
    pub(super) template: Arc<Template>,
    pub(super) parameters: BTreeMap<String, Given>,
    /// What CloudFormation refuses whatever the templates say.
    pub(super) mistake: Option<String>,
    /// The role of the launch path.
    pub(super) launch_role: Option<String>,
    pub(super) caller: Principal,
}

/// Why CloudFormation did not begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nothing would change.
    NoChange(String),
    /// Of its parameters.
    Parameters(String),
    /// The stack takes no update now, or the principal may not.
    Stack(String),
    /// There is no such stack.
    NoStack(String),
}

impl Refusal {
    fn text(&self) -> &str {
        match self {
            Self::NoChange(text)
            | Self::Parameters(text)
            | Self::Stack(text)
            | Self::NoStack(text) => text,
        }
    }
}

pub(crate) fn fire(world: &mut World, scope: &Scope, timer: Timer) {
    match timer {
        Timer::Start(change) => {
            let asked = begin(world, scope, &change);
            begun(world, scope, &change.record_id, asked);
        }
        Timer::Refuse(record_id, refusal) => refused(world, scope, &record_id, &refusal),
        Timer::Follow(record_id) => look(world, scope, &record_id),
        Timer::Notice(provisioned_id) => notice(world, scope, &provisioned_id),
    }
}

/// Tells Service Catalog that a root stack has another status. CloudFormation calls it for every root stack and every status.
///
/// The record of a running update learns of a rollback here, because a short one would be over at the next look, and its reason with it.
pub(crate) fn stack_changed(world: &mut World, scope: &Scope, stack_id: &str) {
    let region = world.region(scope);
    let Some(it) = region.servicecatalog.all_provisioned().find(|it| it.stack_id == stack_id)
    else {
        return;
    };
    let (id, status, record_id) = (it.id.clone(), it.status, it.last_provisioning_record.clone());
    let seen = cloudformation::see(region, stack_id);
    match (status, seen, record_id, world.options.catalog_notices_direct_changes) {
        (Status::UnderChange, Some(seen), Some(record_id), _) => {
            if Phase::of(&seen.status) == Phase::RollingBack {
                rolls_back(world, scope, &record_id, &seen);
            }
        }
        (Status::UnderChange, ..) => {}
        (_, seen, _, Some(after)) => {
            if seen.is_none_or(|seen| !seen.status.ends_with("_IN_PROGRESS")) {
                world.after(after, scope, Timer::Notice(id));
            }
        }
        (.., None) => {}
    }
}

/// Carries on after the record was made; `asked` is CloudFormation's answer where it was asked before.
pub(super) fn started(
    world: &mut World,
    scope: &Scope,
    change: Change,
    asked: Option<Result<(), Refusal>>,
) {
    match asked {
        None => world.after(START_AFTER, scope, Timer::Start(Box::new(change))),
        Some(asked) => begun(world, scope, &change.record_id, asked),
    }
}

/// Asks CloudFormation to begin the update.
pub(super) fn begin(world: &mut World, scope: &Scope, change: &Change) -> Result<(), Refusal> {
    let name = stack_name(&change.stack_id);
    let seen = cloudformation::see(world.region(scope), &change.stack_id);
    let seen = seen.ok_or_else(|| Refusal::NoStack(format!("Stack [{name}] does not exist")))?;
    if let Some(mistake) = &change.mistake {
        return Err(Refusal::Parameters(mistake.clone()));
    }
    let region = world.region(scope);
    let previous = cloudformation::parameter_keys(region, &change.stack_id);
    // As CloudFormation has it, a stack keeps the role that it was given.
    let role_arn = cloudformation::role_of(region, &change.stack_id);
    let principal = acting(change.launch_role.as_deref(), role_arn.as_deref(), &change.caller);
    let update = Update {
        stack_name: name.to_owned(),
        template: Arc::clone(&change.template),
        parameters: parameters(change, &previous, world.options.omitted_parameter),
        role_arn,
        client_token: None,
    };
    cloudformation::start_update(world, scope, &principal, update).map_err(|error| {
        if error.message.contains(NO_UPDATES) {
            Refusal::NoChange(error.message)
        } else if error.code == "ValidationError" && takes_updates(&seen.status) {
            Refusal::Parameters(error.message)
        } else {
            Refusal::Stack(error.message)
        }
    })
}

/// As whom CloudFormation acts: the launch path's role, else the stack's own, else the caller.
pub(super) fn acting(
    launch_role: Option<&str>,
    stack_role: Option<&str>,
    caller: &Principal,
) -> Principal {
    let launch = launch_role.and_then(|role| Principal::of_role(role, LAUNCH_SESSION));
    launch
        .or_else(|| Principal::of_role(stack_role?, "AWSCloudFormation"))
        .unwrap_or_else(|| caller.clone())
}

/// What CloudFormation is sent: what was given, and where the world says so the previous value of what was not.
fn parameters(
    change: &Change,
    previous: &[String],
    omitted: OmittedParameter,
) -> BTreeMap<String, Given> {
    let mut parameters = change.parameters.clone();
    if omitted == OmittedParameter::Previous {
        for parameter in &change.template.parameters {
            if previous.contains(&parameter.key) {
                parameters.entry(parameter.key.clone()).or_insert(Given::Previous);
            }
        }
    }
    parameters
}

/// The record is under way, refused or not.
fn begun(world: &mut World, scope: &Scope, record_id: &str, asked: Result<(), Refusal>) {
    let status = world.region(scope).servicecatalog.record(record_id).map(|record| record.status);
    // An update that failed at once has moved it on already.
    if status == Some(RecordStatus::Created) {
        set_record(world, scope, record_id, RecordStatus::InProgress);
    }
    match asked {
        Ok(()) => look(world, scope, record_id),
        Err(refusal) => {
            world.after(REFUSAL_TAKES, scope, Timer::Refuse(record_id.to_owned(), refusal));
        }
    }
}

/// Looks at the stack of a record, now and until it is at its end.
fn look(world: &mut World, scope: &Scope, record_id: &str) {
    let stack = stack_of(world, scope, record_id);
    let seen = stack.and_then(|stack| cloudformation::see(world.region(scope), &stack));
    advance(world, scope, record_id, seen.as_ref());
}

fn refused(world: &mut World, scope: &Scope, record_id: &str, refusal: &Refusal) {
    let unchanged = match world.options.status_after_refusal {
        StableStatus::Tainted => Status::Tainted,
        StableStatus::Available => Status::Available,
    };
    let status = match refusal {
        Refusal::NoChange(_) if world.options.no_op_update == NoOpUpdate::Succeeds => {
            let stack = stack_of(world, scope, record_id);
            if let Some(seen) =
                stack.and_then(|stack| cloudformation::see(world.region(scope), &stack))
            {
                return succeed(world, scope, record_id, &seen);
            }
            unchanged
        }
        Refusal::NoChange(_) | Refusal::Parameters(_) | Refusal::Stack(_) => unchanged,
        Refusal::NoStack(_) => failed_status(world.options.status_after_stack_missing),
    };
    // The text in full as it was seen in the field (boto3 issue 4426, Terraform issue 26237), two blanks included.
    let message = format!(
        "AmazonCloudFormationException  {} (Service: AmazonCloudFormation; Status Code: 400; Error Code: ValidationError; Request ID: {}; Proxy: null)",
        refusal.text(),
        world.uuid()
    );
    let error =
        RecordError { code: "AmazonCloudFormationException".to_owned(), description: message };
    fail(world, scope, record_id, status, vec![error]);
}

/// Moves record and product on by what is `seen` of the stack.
fn advance(world: &mut World, scope: &Scope, record_id: &str, seen: Option<&Seen>) {
    let Some(record) = world.region(scope).servicecatalog.record(record_id) else { return };
    if record.status.is_final() {
        return;
    }
    let mut errors = record.errors.clone();
    let provisioned_gone =
        world.region(scope).servicecatalog.provisioned(&record.provisioned_id).is_none();
    let Some(seen) = seen.filter(|_| !provisioned_gone) else {
        let what = if provisioned_gone { "The provisioned product" } else { "The stack" };
        errors.push(RecordError {
            code: "NotFound".to_owned(),
            description: format!("{what} does not exist any more"),
        });
        return fail(
            world,
            scope,
            record_id,
            failed_status(world.options.status_after_stack_missing),
            errors,
        );
    };
    match Phase::of(&seen.status) {
        Phase::Running => world.after(FOLLOW_EVERY, scope, Timer::Follow(record_id.to_owned())),
        Phase::RollingBack => {
            rolls_back(world, scope, record_id, seen);
            world.after(FOLLOW_EVERY, scope, Timer::Follow(record_id.to_owned()));
        }
        Phase::Succeeded => succeed(world, scope, record_id, seen),
        Phase::RolledBack => {
            if errors.is_empty() {
                errors.push(stack_error(seen));
            }
            fail(world, scope, record_id, Status::Tainted, errors);
        }
        Phase::RollbackFailed => {
            errors.push(stack_error(seen));
            fail(
                world,
                scope,
                record_id,
                failed_status(world.options.status_after_rollback_failed),
                errors,
            );
        }
    }
}

/// The update of a running record failed. Why, the stack says best now: later reasons say less.
fn rolls_back(world: &mut World, scope: &Scope, record_id: &str, seen: &Seen) {
    let Some(record) = world.region(scope).servicecatalog.record(record_id) else { return };
    if record.status.is_final() {
        return;
    }
    let first = record.errors.is_empty() && seen.reason.is_some();
    set_record(world, scope, record_id, RecordStatus::InProgressInError);
    if first && let Some(record) = world.region_mut(scope).servicecatalog.record_mut(record_id) {
        record.errors = vec![stack_error(seen)];
    }
}

/// The state of a stack as the error of a record.
fn stack_error(seen: &Seen) -> RecordError {
    let description = seen
        .reason
        .clone()
        .unwrap_or_else(|| format!("Stack {} ended in {}", stack_name(&seen.id), seen.status));
    RecordError { code: seen.status.clone(), description }
}

/// What a stack's status means to the record that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    RollingBack,
    Succeeded,
    RolledBack,
    RollbackFailed,
}

impl Phase {
    fn of(status: &str) -> Self {
        match status {
            "UPDATE_ROLLBACK_IN_PROGRESS"
            | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
            | "ROLLBACK_IN_PROGRESS" => Self::RollingBack,
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => Self::Succeeded,
            "UPDATE_ROLLBACK_FAILED"
            | "ROLLBACK_FAILED"
            | "IMPORT_ROLLBACK_FAILED"
            | "DELETE_FAILED" => Self::RollbackFailed,
            other if other.ends_with("_IN_PROGRESS") => Self::Running,
            _ => Self::RolledBack,
        }
    }
}

/// Whether CloudFormation updates a stack of this status (facts: stable statuses of `RollbackStack`, and `UPDATE_FAILED`).
fn takes_updates(status: &str) -> bool {
    matches!(
        status,
        "CREATE_COMPLETE"
            | "UPDATE_COMPLETE"
            | "UPDATE_ROLLBACK_COMPLETE"
            | "IMPORT_COMPLETE"
            | "IMPORT_ROLLBACK_COMPLETE"
            | "UPDATE_FAILED"
    )
}

fn succeed(world: &mut World, scope: &Scope, record_id: &str, seen: &Seen) {
    set_record(world, scope, record_id, RecordStatus::Succeeded);
    let state = &mut world.region_mut(scope).servicecatalog;
    let Some(record) = state.record_mut(record_id) else { return };
    record.outputs = outputs(seen);
    record.errors = Vec::new();
    let provisioned_id = record.provisioned_id.clone();
    let Some(it) = state.provisioned_mut(&provisioned_id) else { return };
    it.status = Status::Available;
    it.message = None;
    it.last_successful_record = Some(record_id.to_owned());
    let name = it.name.clone();
    world.note(format!("Service Catalog: update of {name} succeeded ({record_id})"));
}

/// Ends record and product; the product's version stays the one that was asked for (facts: Terraform AWS provider, pull request 43956).
fn fail(
    world: &mut World,
    scope: &Scope,
    record_id: &str,
    status: Status,
    errors: Vec<RecordError>,
) {
    let has_stack_arn = world.options.failed_record_has_stack_arn;
    set_record(world, scope, record_id, RecordStatus::Failed);
    let state = &mut world.region_mut(scope).servicecatalog;
    let Some(record) = state.record_mut(record_id) else { return };
    let message = errors.first().map(|error| error.description.clone());
    record.errors = errors;
    let provisioned_id = record.provisioned_id.clone();
    let Some(it) = state.provisioned_mut(&provisioned_id) else { return };
    it.status = status;
    it.message.clone_from(&message);
    let (name, stack) = (it.name.clone(), stack_output(&it.stack_id));
    if has_stack_arn && let Some(record) = state.record_mut(record_id) {
        record.outputs = Arc::from([stack]);
    }
    world.note(format!(
        "Service Catalog: update of {name} failed ({record_id}): {}",
        message.unwrap_or_default()
    ));
}

/// Takes over what somebody did to a stack. Version and outputs stay those of the last record.
fn notice(world: &mut World, scope: &Scope, provisioned_id: &str) {
    let region = world.region(scope);
    let Some(it) = region.servicecatalog.provisioned(provisioned_id) else { return };
    if it.status == Status::UnderChange {
        return;
    }
    let seen = cloudformation::see(region, &it.stack_id);
    let status = match seen.as_ref().map(|seen| Phase::of(&seen.status)) {
        Some(Phase::Running | Phase::RollingBack) => return,
        Some(Phase::Succeeded) => Status::Available,
        Some(Phase::RolledBack) => Status::Tainted,
        Some(Phase::RollbackFailed) => failed_status(world.options.status_after_rollback_failed),
        None => failed_status(world.options.status_after_stack_missing),
    };
    if let Some(it) = world.region_mut(scope).servicecatalog.provisioned_mut(provisioned_id) {
        it.status = status;
        it.message =
            if status == Status::Available { None } else { seen.and_then(|seen| seen.reason) };
    }
}

fn failed_status(status: FailedStatus) -> Status {
    match status {
        FailedStatus::Tainted => Status::Tainted,
        FailedStatus::Error => Status::Error,
    }
}

fn stack_of(world: &World, scope: &Scope, record_id: &str) -> Option<String> {
    let state = &world.region(scope).servicecatalog;
    state.provisioned(&state.record(record_id)?.provisioned_id).map(|it| it.stack_id.clone())
}

/// The name in a stack's ARN.
fn stack_name(stack_id: &str) -> &str {
    stack_id.split('/').nth(1).unwrap_or(stack_id)
}

fn set_record(world: &mut World, scope: &Scope, record_id: &str, status: RecordStatus) {
    let now = world.now();
    if world
        .region(scope)
        .servicecatalog
        .record(record_id)
        .is_none_or(|record| record.status == status)
    {
        return;
    }
    if let Some(record) = world.region_mut(scope).servicecatalog.record_mut(record_id) {
        record.status = status;
        record.updated = now;
    }
}
