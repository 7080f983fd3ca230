//! The way back, and the clean-up at the end of either way.

use super::engine::Engine;
use super::resources::{self, PutBack};
use super::state::{
    Action, Doomed, During, NESTED, Phase, ResourceStatus, Run, Status, Work, WorkState,
};
use crate::services::iam::Principal;
use std::sync::Arc;
use std::time::Duration;

/// For how long a handler on the way back retries what its service refuses for a passing reason.
const RETRY: Duration = Duration::from_hours(2);

/// The reason of a resource that was stopped because another one failed.
pub(super) fn cancelled(action: Action) -> &'static str {
    if action == Action::Create {
        "Resource creation cancelled"
    } else {
        "Resource update cancelled"
    }
}

impl Engine<'_> {
    /// Turns an operation round: from now on what was touched is put back.
    pub(super) fn begin_back(&mut self, name: &str, reason: Option<String>) {
        if let Some(stack) = self.stack_mut(name)
            && let Some(run) = stack.run.as_mut()
        {
            run.phase = Phase::Back;
            for work in run.works.values_mut() {
                work.state = if work.touched { WorkState::Waiting } else { WorkState::Done };
            }
            run.doomed.clear();
            stack.template = Arc::clone(&run.before.template);
            stack.parameters = run.before.parameters.clone();
        }
        self.set_status(name, Status::RollbackInProgress, reason);
    }

    pub(super) fn back(&mut self, name: &str) -> bool {
        let Some(mut run) = self.take_run(name) else { return false };
        let mut changed = false;
        for logical_id in run.ids(|work| matches!(work.state, WorkState::Running { .. })) {
            changed |= self.look(name, &mut run, &logical_id, During::Rollback);
        }
        for logical_id in run.ids(|work| work.state == WorkState::Waiting) {
            if run.dependants_are_back(&logical_id) {
                changed |= self.launch_back(name, &mut run, &logical_id);
            }
        }
        let finished = run
            .works
            .values()
            .all(|work| matches!(work.state, WorkState::Done | WorkState::Failed(_)));
        let failed = run.failed();
        self.put_run(name, run);
        if finished {
            self.back_done(name, &failed);
        }
        changed || finished
    }

    /// Starts putting one resource back. Answers whether anything changed.
    fn launch_back(&mut self, name: &str, run: &mut Run, logical_id: &str) -> bool {
        let Some(mut work) = run.works.remove(logical_id) else { return false };
        let mut changed = true;
        match work.action {
            Action::Create => {
                run.doomed.push(Doomed {
                    logical_id: logical_id.to_owned(),
                    kind: Arc::clone(&work.kind),
                    physical_id: work.new_id.clone().unwrap_or_default(),
                    retain: false,
                    since: None,
                });
                work.state = WorkState::Done;
            }
            Action::Replace => {
                if let Some(new) = work.new_id.take() {
                    run.doomed.push(Doomed {
                        logical_id: logical_id.to_owned(),
                        kind: Arc::clone(&work.kind),
                        physical_id: new,
                        retain: false,
                        since: None,
                    });
                }
                self.event(name, logical_id, &work, ResourceStatus::UpdateComplete, None);
                work.state = WorkState::Done;
            }
            Action::Update if &*work.kind == NESTED => {
                self.event(name, logical_id, &work, ResourceStatus::UpdateInProgress, None);
                if let Some(child) = work.child() {
                    let phase = self
                        .stack(&child)
                        .and_then(|stack| stack.run.as_ref())
                        .map(|run| run.phase);
                    if matches!(phase, Some(Phase::Forward | Phase::ForwardDone)) {
                        self.begin_back(&child, None);
                    }
                }
                work.state = WorkState::Running { until: None };
            }
            Action::Update => changed = self.put_resource_back(name, run, logical_id, &mut work),
            Action::Undecided | Action::Nothing | Action::Remove => work.state = WorkState::Done,
        }
        run.works.insert(logical_id.to_owned(), work);
        changed
    }

    fn put_resource_back(
        &mut self,
        name: &str,
        run: &Run,
        logical_id: &str,
        work: &mut Work,
    ) -> bool {
        let first = work.retry_until.is_none();
        if first {
            self.event(name, logical_id, work, ResourceStatus::UpdateInProgress, None);
        }
        let begun = match self.injected(name, logical_id, During::Rollback, false) {
            Some(message) => PutBack::Failed(message),
            None => {
                resources::put_back(self.world, self.scope, &run.principal, name, logical_id, work)
            }
        };
        let now = self.now();
        let give_up = work.retry_until.is_some_and(|until| until <= now);
        match begun {
            PutBack::Begun(until) => work.state = WorkState::Running { until },
            PutBack::TryAgain(_) if !give_up => {
                work.retry_until = work.retry_until.or(Some(now + RETRY));
                return first;
            }
            PutBack::TryAgain(reason) | PutBack::Failed(reason) => {
                self.event(
                    name,
                    logical_id,
                    work,
                    ResourceStatus::UpdateFailed,
                    Some(reason.clone()),
                );
                work.state = WorkState::Failed(reason);
            }
        }
        true
    }

    fn back_done(&mut self, name: &str, failed: &[String]) {
        let outputs = self.stack(name).map(|stack| self.outputs(stack)).unwrap_or_default();
        let now = self.now();
        let mut root = false;
        if let Some(stack) = self.stack_mut(name) {
            stack.outputs = outputs;
            root = stack.is_root();
            let phase = match (failed.is_empty(), root) {
                (false, _) => Phase::BackFailed,
                (true, true) => Phase::BackCleanup,
                (true, false) => Phase::BackDone,
            };
            if let Some(run) = stack.run.as_mut() {
                run.phase = phase;
            }
        }
        if failed.is_empty() {
            self.set_status(name, Status::RollbackCleanup, None);
            if root {
                self.children_to(name, Phase::BackDone, Phase::BackCleanup);
            }
        } else {
            self.set_status(
                name,
                Status::RollbackFailed,
                Some(format!(
                    "The following resource(s) failed to update: [{}]. ",
                    failed.join(", ")
                )),
            );
            if root {
                if let Some(stack) = self.stack_mut(name) {
                    stack.ended(true, now);
                }
                self.settle_children(name);
            }
        }
    }

    /// Ends the operation of the nested stacks that are back, when their root's rollback failed: nobody will call them again.
    fn settle_children(&mut self, root: &str) {
        let back = self.region().cloudformation.stacks.values().filter(|stack| {
            stack.root == root && stack.run.as_ref().is_some_and(|run| run.phase == Phase::BackDone)
        });
        let names: Vec<String> = back.map(|stack| stack.name.clone()).collect();
        for child in names {
            if let Some(run) = self.take_run(&child) {
                for doomed in &run.doomed {
                    self.remove(&child, &run.principal, doomed);
                }
            }
            self.set_status(&child, Status::RollbackComplete, None);
        }
    }

    /// Goes on with a failed rollback, below first.
    pub(super) fn resume_back(
        &mut self,
        name: &str,
        principal: &Principal,
        operation: &Arc<str>,
        skip: &[(String, String)],
        force: bool,
        reason: Option<String>,
    ) {
        let Some(mut run) = self.take_run(name) else { return };
        run.operation = Arc::clone(operation);
        run.principal = principal.clone();
        run.phase = Phase::Back;
        let failed = run.failed();
        self.put_run(name, run);
        self.set_status(name, Status::RollbackInProgress, reason);
        let Some(mut run) = self.take_run(name) else { return };
        for logical_id in failed {
            let Some(mut work) = run.works.remove(&logical_id) else { continue };
            work.retry_until = None;
            let skipped =
                force || skip.iter().any(|(stack, id)| stack == name && *id == logical_id);
            if &*work.kind == NESTED {
                self.event(name, &logical_id, &work, ResourceStatus::UpdateInProgress, None);
                if let Some(child) = work.child() {
                    self.resume_back(&child, principal, operation, skip, force, None);
                }
                work.state = WorkState::Running { until: None };
            } else if skipped {
                self.event(
                    name,
                    &logical_id,
                    &work,
                    ResourceStatus::UpdateComplete,
                    Some("Resource was skipped while continuing the rollback".to_owned()),
                );
                work.state = WorkState::Done;
            } else {
                work.state = WorkState::Waiting;
            }
            run.works.insert(logical_id, work);
        }
        self.put_run(name, run);
    }
}

impl Run {
    /// Whether everything that depends on a resource is back (or has failed to come back).
    fn dependants_are_back(&self, logical_id: &str) -> bool {
        self.works
            .values()
            .filter(|work| work.after.contains(logical_id))
            .all(|work| matches!(work.state, WorkState::Done | WorkState::Failed(_)))
    }
}
