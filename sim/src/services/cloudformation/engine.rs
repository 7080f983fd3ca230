//! The stack engine: carries an operation on a tree of stacks from event to event.
//!
//! Expected flow (AWS docs: CloudFormation user guide, stack updates, nested stacks, continue rolling back an update):
//!
//! - forward: resources start when what they depend on is done; unchanged ones pass silently; every nested stack is updated, changed or
//!   not, and then waits in `UPDATE_COMPLETE_CLEANUP_IN_PROGRESS` for the root;
//! - clean-up: replaced and removed resources go, children first; a failure here does not fail the update;
//! - back: after the first failure everything under way is cancelled and everything touched is put back, dependants first;
//! - a failure on the way back ends in `UPDATE_ROLLBACK_FAILED`, from where `ContinueUpdateRollback` goes on.
//!
//! One timer drives a whole tree. It wakes when the next thing can have happened.

use super::state::{
    Action, During, NESTED, Phase, ResourceStatus, Run, Stack, Status, Version, Work, WorkState,
    interned, name_from_arn,
};
use super::{Timer, evaluate};
use crate::services::iam::Principal;
use crate::time::SimTime;
use crate::world::{Region, Scope, World};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How often a resource that its service is working on is looked at.
const POLL: Duration = Duration::from_secs(5);

/// Starts an update that [`super::start`] has accepted.
pub(super) fn begin_update(
    world: &mut World,
    scope: &Scope,
    name: &str,
    principal: &Principal,
    after: Version,
    role_arn: Option<String>,
    token: Option<&str>,
) {
    let operation: Arc<str> = world.uuid().into();
    let now = world.now();
    let mut engine = Engine { world, scope };
    if let Some(stack) = engine.stack_mut(name) {
        stack.role_arn = role_arn;
        stack.started("UPDATE_STACK", &operation, now);
    }
    let token: Option<Arc<str>> = token.map(Arc::from);
    engine.open(
        name,
        principal,
        after,
        &operation,
        token.as_ref(),
        false,
        Some("User Initiated".to_owned()),
    );
    engine.drive(name);
}

/// Goes on with a failed rollback that [`super::start`] has accepted; `skip` names (stack, logical id).
pub(super) fn begin_continue(
    world: &mut World,
    scope: &Scope,
    name: &str,
    principal: &Principal,
    skip: &[(String, String)],
    force: bool,
) {
    let operation: Arc<str> = world.uuid().into();
    let now = world.now();
    let mut engine = Engine { world, scope };
    if let Some(stack) = engine.stack_mut(name) {
        stack.started("CONTINUE_ROLLBACK", &operation, now);
    }
    engine.resume_back(name, principal, &operation, skip, force, Some("User Initiated".to_owned()));
    engine.drive(name);
}

/// Goes on with the operation on the root stack `name`, if it is still the same one.
pub(super) fn wake(world: &mut World, scope: &Scope, name: &str, operation: &str) {
    let mut engine = Engine { world, scope };
    if engine
        .stack(name)
        .and_then(|stack| stack.run.as_ref())
        .is_some_and(|run| &*run.operation == operation)
    {
        engine.drive(name);
    }
}

/// The engine at work in one scope.
pub(super) struct Engine<'w> {
    pub(super) world: &'w mut World,
    pub(super) scope: &'w Scope,
}

/// What came of looking at a running resource.
pub(super) enum Look {
    Busy,
    Done,
    Failed(String),
}

impl Engine<'_> {
    pub(super) fn region(&self) -> &Region {
        self.world.region(self.scope)
    }

    pub(super) fn stack(&self, name: &str) -> Option<&Stack> {
        self.region().cloudformation.stacks.get(name).map(Arc::as_ref)
    }

    pub(super) fn stack_mut(&mut self, name: &str) -> Option<&mut Stack> {
        self.world.region_mut(self.scope).cloudformation.stack_mut(name)
    }

    pub(super) fn now(&self) -> SimTime {
        self.world.now()
    }

    /// Steps until nothing changes any more at this instant, then sets the timer for the next one.
    fn drive(&mut self, root: &str) {
        while self.step(root) {}
        let Some(run) = self.stack(root).and_then(|stack| stack.run.as_ref()) else { return };
        if run.phase == Phase::BackFailed {
            return;
        }
        let operation = run.operation.to_string();
        let mut next = None;
        self.next_look(root, &mut next);
        let wait = next.map_or(POLL, |at| at.since(self.now())).max(Duration::from_millis(1));
        self.world.after(wait, self.scope, Timer::Drive { root: root.to_owned(), operation });
    }

    /// The earliest time at which something in the tree can be done.
    fn next_look(&self, name: &str, next: &mut Option<SimTime>) {
        let Some(run) = self.stack(name).and_then(|stack| stack.run.as_ref()) else { return };
        let poll = self.now() + POLL;
        let mut sooner = |at: SimTime| *next = Some(next.map_or(at, |next: SimTime| next.min(at)));
        if let Some(at) = run.cleaned_at {
            sooner(if at > self.now() { at } else { poll });
        }
        let mut children = Vec::new();
        for work in run.works.values() {
            match &work.state {
                WorkState::Running { .. } if &*work.kind == NESTED => children.push(work),
                WorkState::Running { until: Some(at) } => sooner(*at),
                WorkState::Running { until: None } => sooner(poll),
                WorkState::Waiting if work.retry_until.is_some() => sooner(poll),
                WorkState::Waiting
                | WorkState::Done
                | WorkState::Failed(_)
                | WorkState::Cancelled => {
                    if &*work.kind == NESTED {
                        children.push(work);
                    }
                }
            }
        }
        let names: Vec<String> = children.iter().filter_map(|work| work.child()).collect();
        for child in names {
            self.next_look(&child, next);
        }
    }

    /// One step of the operation on `name`. Answers whether anything changed.
    pub(super) fn step(&mut self, name: &str) -> bool {
        let Some(phase) =
            self.stack(name).and_then(|stack| stack.run.as_ref()).map(|run| run.phase)
        else {
            return false;
        };
        match phase {
            Phase::Forward => self.forward(name),
            Phase::Cleanup | Phase::BackCleanup => self.clean_up(name),
            Phase::Back => self.back(name),
            Phase::ForwardDone | Phase::BackDone | Phase::BackFailed => false,
        }
    }

    /// Opens an operation on one stack: status, first event, and what there is to do.
    #[expect(clippy::too_many_arguments, reason = "what an operation is made of")]
    pub(super) fn open(
        &mut self,
        name: &str,
        principal: &Principal,
        after: Version,
        operation: &Arc<str>,
        token: Option<&Arc<str>>,
        creating: bool,
        reason: Option<String>,
    ) {
        let Some(stack) = self.stack(name) else { return };
        let before =
            Version { template: Arc::clone(&stack.template), parameters: stack.parameters.clone() };
        let works = self.works(stack, &before, &after);
        let run = Run {
            operation: Arc::clone(operation),
            token: token.cloned(),
            principal: principal.clone(),
            phase: Phase::Forward,
            creating,
            before,
            after: after.clone(),
            works,
            doomed: Vec::new(),
            cleaned_at: None,
        };
        let now = self.now();
        if let Some(stack) = self.stack_mut(name) {
            stack.run = Some(Box::new(run));
            stack.template = after.template;
            stack.parameters = after.parameters;
            if !creating {
                stack.updated = Some(now);
            }
        }
        self.set_status(
            name,
            if creating { Status::CreateInProgress } else { Status::UpdateInProgress },
            reason,
        );
    }

    /// What there is to do to bring `stack` from `before` to `after`. Actions are decided when each one's turn comes.
    fn works(&self, stack: &Stack, before: &Version, after: &Version) -> BTreeMap<String, Work> {
        let wanted: BTreeSet<&str> = after
            .template
            .resources()
            .iter()
            .filter(|(_, resource)| self.wanted(stack, after, resource))
            .map(|(id, _)| id.as_str())
            .collect();
        let is_wanted = |name: &str| wanted.contains(name);
        let mut works = BTreeMap::new();
        for (logical_id, resource) in
            after.template.resources().iter().filter(|(id, _)| wanted.contains(id.as_str()))
        {
            let kind = interned(resource.get("Type").and_then(Value::as_str).unwrap_or_default());
            let work = Work {
                after: evaluate::dependencies(resource, &is_wanted),
                ..Work::new(kind, Action::Undecided)
            };
            works.insert(logical_id.clone(), work);
        }
        for (logical_id, resource) in &stack.resources {
            let work = works
                .entry(logical_id.clone())
                .or_insert_with(|| Work::new(Arc::clone(&resource.kind), Action::Remove));
            work.old_id = Some(resource.physical_id.clone());
            work.old = self.properties(stack, before, logical_id).unwrap_or_default();
        }
        works
    }

    /// A failure ordered by a scenario for this resource now, used up by one.
    pub(super) fn injected(
        &mut self,
        name: &str,
        logical_id: &str,
        during: During,
        after_change: bool,
    ) -> Option<String> {
        let matches = |one: &super::state::Injection| {
            one.times > 0
                && one.logical_id == logical_id
                && one.during == during
                && one.after_change == after_change
                && one.stack.as_ref().is_none_or(|part| name.contains(part.as_str()))
        };
        self.region().cloudformation.injections.iter().find(|one| matches(one))?;
        let injection = self
            .world
            .region_mut(self.scope)
            .cloudformation
            .injections
            .iter_mut()
            .find(|one| matches(one))?;
        injection.times -= 1;
        Some(injection.message.clone())
    }

    pub(super) fn take_run(&mut self, name: &str) -> Option<Run> {
        self.stack_mut(name).and_then(|stack| stack.run.take()).map(|run| *run)
    }

    pub(super) fn put_run(&mut self, name: &str, run: Run) {
        if let Some(stack) = self.stack_mut(name) {
            stack.run = Some(Box::new(run));
        }
    }
}

impl Run {
    /// The logical ids of the works that `choose` picks.
    pub(super) fn ids(&self, choose: impl Fn(&Work) -> bool) -> Vec<String> {
        self.works.iter().filter(|(_, work)| choose(work)).map(|(id, _)| id.clone()).collect()
    }

    /// The logical ids that failed by themselves.
    pub(super) fn failed(&self) -> Vec<String> {
        self.ids(|work| matches!(work.state, WorkState::Failed(_)))
    }

    pub(super) fn ready(&self, logical_id: &str) -> bool {
        let after = self.works.get(logical_id).map(|work| &work.after);
        after
            .into_iter()
            .flatten()
            .all(|id| self.works.get(id).is_none_or(|work| work.state == WorkState::Done))
    }
}

impl Work {
    fn new(kind: Arc<str>, action: Action) -> Self {
        Self {
            kind,
            after: BTreeSet::new(),
            action,
            state: WorkState::Waiting,
            old: Value::Null,
            new: Value::Null,
            old_id: None,
            new_id: None,
            touched: false,
            began: false,
            retry_until: None,
        }
    }

    /// The name of the nested stack this resource is.
    pub(super) fn child(&self) -> Option<String> {
        let id = self.new_id.as_ref().or(self.old_id.as_ref())?;
        name_from_arn(id).map(str::to_owned)
    }

    /// The statuses of being under way and of failing, going forward.
    pub(super) fn statuses(&self) -> (ResourceStatus, ResourceStatus) {
        if self.action == Action::Create {
            (ResourceStatus::CreateInProgress, ResourceStatus::CreateFailed)
        } else {
            (ResourceStatus::UpdateInProgress, ResourceStatus::UpdateFailed)
        }
    }

    pub(super) fn completed(&self) -> ResourceStatus {
        if self.action == Action::Create {
            ResourceStatus::CreateComplete
        } else {
            ResourceStatus::UpdateComplete
        }
    }
}

impl Stack {
    /// A stack without a template, as it is before its first operation.
    pub(super) fn new(id: String, name: String, created: SimTime) -> Self {
        Self {
            id,
            root: name.clone(),
            name,
            template: Arc::default(),
            parameters: super::state::Parameters::default(),
            status: Status::CreateInProgress,
            reason: None,
            created,
            updated: None,
            deleted: None,
            role_arn: None,
            tags: Arc::default(),
            parent: None,
            resources: BTreeMap::new(),
            events: Vec::new(),
            outputs: Vec::new(),
            drift: super::state::DriftSummary::default(),
            run: None,
            operations: Vec::new(),
        }
    }
}
