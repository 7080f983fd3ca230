//! The way forward: resources start when what they depend on is done, until all are, or one fails and all turn round.

use super::context::nested_version;
use super::engine::{Engine, Look};
use super::state::{
    Action, Doomed, During, NESTED, Phase, Resource, ResourceStatus, Run, Stack, Status, Version,
    Work, WorkState,
};
use super::{back, resources};
use serde_json::Value;
use std::sync::Arc;

impl Engine<'_> {
    pub(super) fn forward(&mut self, name: &str) -> bool {
        let Some(mut run) = self.take_run(name) else { return false };
        let mut changed = false;
        for logical_id in run.ids(|work| matches!(work.state, WorkState::Running { .. })) {
            changed |= self.look(name, &mut run, &logical_id, During::Update);
        }
        let failed = run.failed();
        if failed.is_empty() {
            for logical_id in run.ids(|work| work.state == WorkState::Waiting) {
                if run.ready(&logical_id) {
                    changed = true;
                    self.launch(name, &mut run, &logical_id);
                }
            }
        }
        let failed = run.failed();
        if !failed.is_empty() {
            self.fail_forward(name, run, &failed);
            return true;
        }
        let all_done = run.works.values().all(|work| work.state == WorkState::Done);
        self.put_run(name, run);
        if all_done {
            self.forward_done(name);
        }
        changed || all_done
    }

    /// Starts one resource's way forward.
    pub(super) fn launch(&mut self, name: &str, run: &mut Run, logical_id: &str) {
        let Some(mut work) = run.works.remove(logical_id) else { return };
        if work.action == Action::Remove {
            run.doomed.push(Self::doomed(&run.before, logical_id, &work));
            work.state = WorkState::Done;
        } else {
            match self.stack(name).map(|stack| self.properties(stack, &run.after, logical_id)) {
                Some(Ok(new)) => {
                    work.new = new;
                    if &*work.kind == NESTED {
                        self.launch_nested(name, run, logical_id, &mut work);
                    } else {
                        self.launch_resource(name, run, logical_id, &mut work);
                    }
                }
                Some(Err(reason)) => {
                    work.touched = true;
                    self.event(
                        name,
                        logical_id,
                        &work,
                        ResourceStatus::UpdateFailed,
                        Some(reason.clone()),
                    );
                    work.state = WorkState::Failed(reason);
                }
                None => {}
            }
        }
        run.works.insert(logical_id.to_owned(), work);
    }

    pub(super) fn launch_resource(
        &mut self,
        name: &str,
        run: &Run,
        logical_id: &str,
        work: &mut Work,
    ) {
        let same_kind = self
            .stack(name)
            .and_then(|stack| stack.resources.get(logical_id))
            .is_some_and(|resource| resource.kind == work.kind);
        work.action = match &work.old_id {
            None => Action::Create,
            Some(_) if same_kind && work.old == work.new => Action::Nothing,
            Some(_) if !same_kind || resources::replaces(&work.kind, &work.old, &work.new) => {
                Action::Replace
            }
            Some(_) => Action::Update,
        };
        if work.action == Action::Nothing {
            work.state = WorkState::Done;
            return;
        }
        work.touched = true;
        let (in_progress, failed) = work.statuses();
        let why = (work.action == Action::Replace).then(|| "Requested update requires the creation of a new physical resource; hence creating one.".to_owned());
        if work.old_id.is_none() {
            self.register(name, logical_id, work);
        }
        self.event(name, logical_id, work, in_progress, why);
        let injected = self.injected(name, logical_id, During::Update, false);
        let begun = match injected {
            Some(message) => Err(message),
            None => {
                resources::begin(self.world, self.scope, &run.principal, name, logical_id, work)
            }
        };
        match begun {
            Ok(until) => {
                if work.action != Action::Update {
                    self.event(
                        name,
                        logical_id,
                        work,
                        in_progress,
                        Some("Resource creation Initiated".to_owned()),
                    );
                }
                work.state = WorkState::Running { until };
            }
            Err(reason) => {
                self.event(name, logical_id, work, failed, Some(reason.clone()));
                work.state = WorkState::Failed(reason);
            }
        }
    }

    pub(super) fn launch_nested(
        &mut self,
        name: &str,
        run: &Run,
        logical_id: &str,
        work: &mut Work,
    ) {
        work.touched = true;
        let child = work.child();
        work.action = if child.is_some() { Action::Update } else { Action::Create };
        let creating = child.is_none();
        let version = nested_version(self.region(), &run.after, &work.new);
        let (child, version) = match version {
            Ok(version) => {
                (child.unwrap_or_else(|| self.new_child(name, logical_id, &version)), version)
            }
            Err(reason) => {
                self.event(name, logical_id, work, work.statuses().1, Some(reason.clone()));
                work.state = WorkState::Failed(reason);
                return;
            }
        };
        work.new_id = self.stack(&child).map(|stack| stack.id.clone());
        if creating {
            self.register(name, logical_id, work);
        }
        self.event(name, logical_id, work, work.statuses().0, None);
        let reason =
            self.world.options.user_initiated_in_nested.then(|| "User Initiated".to_owned());
        self.open(
            &child,
            &run.principal,
            version,
            &run.operation,
            run.token.as_ref(),
            creating,
            reason,
        );
        work.state = WorkState::Running { until: None };
    }

    /// An empty stack nested in `parent`.
    pub(super) fn new_child(
        &mut self,
        parent: &str,
        logical_id: &str,
        version: &Version,
    ) -> String {
        let name = format!("{parent}-{logical_id}-{}", self.world.suffix());
        let id =
            self.scope.arn("cloudformation", format_args!("stack/{name}/{}", self.world.uuid()));
        let now = self.now();
        let Some(above) = self.stack(parent) else { return name };
        let stack = Stack {
            template: Arc::new(super::template::Template {
                nested: version.template.nested.clone(),
                ..Default::default()
            }),
            role_arn: above.role_arn.clone(),
            tags: Arc::clone(&above.tags),
            parent: Some((parent.to_owned(), logical_id.to_owned())),
            root: above.root.clone(),
            ..Stack::new(id, name.clone(), now)
        };
        self.world
            .region_mut(self.scope)
            .cloudformation
            .stacks
            .insert(name.clone(), Arc::new(stack));
        name
    }

    /// Looks at a running resource and moves its work on. Answers whether anything changed.
    pub(super) fn look(
        &mut self,
        name: &str,
        run: &mut Run,
        logical_id: &str,
        during: During,
    ) -> bool {
        let Some(mut work) = run.works.remove(logical_id) else { return false };
        let mut changed = false;
        let look = match (&work.state, work.child()) {
            (_, Some(child)) if &*work.kind == NESTED => {
                changed = self.step(&child);
                self.look_at_child(&child, during)
            }
            (WorkState::Running { until: Some(at) }, _) if *at > self.now() => Look::Busy,
            (WorkState::Running { until: Some(_) }, _) => Look::Done,
            _ => resources::look(self.world, self.scope, &work),
        };
        let look = match look {
            Look::Done => {
                self.injected(name, logical_id, during, true).map_or(Look::Done, Look::Failed)
            }
            other => other,
        };
        let (complete, failed) = match during {
            During::Update => (work.completed(), work.statuses().1),
            During::Rollback => (ResourceStatus::UpdateComplete, ResourceStatus::UpdateFailed),
        };
        match look {
            Look::Busy => {}
            Look::Done => {
                changed = true;
                if during == During::Update && work.action == Action::Replace {
                    let old = Work { new_id: None, ..work.clone() };
                    run.doomed.push(Self::doomed(&run.before, logical_id, &old));
                }
                self.event(name, logical_id, &work, complete, None);
                work.state = WorkState::Done;
            }
            Look::Failed(reason) => {
                changed = true;
                self.event(name, logical_id, &work, failed, Some(reason.clone()));
                work.state = WorkState::Failed(reason);
            }
        }
        run.works.insert(logical_id.to_owned(), work);
        changed
    }

    pub(super) fn look_at_child(&self, child: &str, during: During) -> Look {
        let Some(stack) = self.stack(child) else {
            return Look::Failed(format!("Stack with id {child} does not exist"));
        };
        let phase = stack.run.as_ref().map(|run| run.phase);
        let reason = || stack.reason.clone().unwrap_or_default();
        match (during, phase) {
            (During::Update, Some(Phase::Forward)) => Look::Busy,
            (During::Update, Some(Phase::ForwardDone)) => Look::Done,
            (During::Update, _) if stack.status == Status::CreateFailed => Look::Failed(format!(
                "Embedded stack {} was not successfully created: {}",
                stack.id,
                reason()
            )),
            (During::Update, _) => Look::Failed(format!(
                "Embedded stack {} was not successfully updated. Currently in {} with reason: {}",
                stack.id,
                stack.status.as_str(),
                reason()
            )),
            (During::Rollback, None | Some(Phase::BackDone)) => Look::Done,
            (During::Rollback, Some(Phase::BackFailed)) => Look::Failed(format!(
                "Embedded stack {} was not successfully updated. Currently in {} with reason: {}",
                stack.id,
                stack.status.as_str(),
                reason()
            )),
            (During::Rollback, Some(_)) => Look::Busy,
        }
    }

    pub(super) fn forward_done(&mut self, name: &str) {
        let outputs = self.stack(name).map(|stack| self.outputs(stack)).unwrap_or_default();
        let mut root = false;
        let mut creating = false;
        if let Some(stack) = self.stack_mut(name) {
            stack.outputs = outputs;
            root = stack.is_root();
            if let Some(run) = stack.run.as_mut() {
                creating = run.creating;
                run.phase = if root { Phase::Cleanup } else { Phase::ForwardDone };
            }
        }
        self.set_status(
            name,
            if creating { Status::CreateComplete } else { Status::UpdateCompleteCleanup },
            None,
        );
        if root {
            self.children_to(name, Phase::ForwardDone, Phase::Cleanup);
        }
    }

    /// Sets the phase of every stack below `name` that is in `from`.
    pub(super) fn children_to(&mut self, name: &str, from: Phase, to: Phase) {
        let root = name.to_owned();
        let below: Vec<String> = self
            .region()
            .cloudformation
            .stacks
            .values()
            .filter(|stack| stack.root == root && !stack.is_root())
            .map(|stack| stack.name.clone())
            .collect();
        for child in below {
            if let Some(run) = self
                .stack_mut(&child)
                .and_then(|stack| stack.run.as_mut())
                .filter(|run| run.phase == from)
            {
                run.phase = to;
            }
        }
    }

    pub(super) fn fail_forward(&mut self, name: &str, mut run: Run, failed: &[String]) {
        for logical_id in run.ids(|work| matches!(work.state, WorkState::Running { .. })) {
            self.cancel(name, &mut run, &logical_id);
        }
        let creating = run.creating;
        let created = failed
            .iter()
            .all(|id| run.works.get(id).is_some_and(|work| work.action == Action::Create));
        let verb = if created { "create" } else { "update" };
        let reason =
            format!("The following resource(s) failed to {verb}: [{}]. ", failed.join(", "));
        self.put_run(name, run);
        if creating {
            if let Some(run) = self.stack_mut(name).and_then(|stack| stack.run.as_mut()) {
                run.phase = Phase::ForwardDone;
            }
            self.set_status(name, Status::CreateFailed, Some(reason));
        } else {
            self.begin_back(name, Some(reason));
        }
    }

    /// Cancels a running resource because another one failed. A nested stack cancels its own and starts back at once.
    pub(super) fn cancel(&mut self, name: &str, run: &mut Run, logical_id: &str) {
        let Some(mut work) = run.works.remove(logical_id) else { return };
        let child = work.child().filter(|_| &*work.kind == NESTED);
        self.event(
            name,
            logical_id,
            &work,
            work.statuses().1,
            Some(back::cancelled(work.action).to_owned()),
        );
        work.state = WorkState::Cancelled;
        run.works.insert(logical_id.to_owned(), work);
        if let Some(child) = child
            && let Some(mut run) = self.take_run(&child)
        {
            if run.phase == Phase::Forward {
                for logical_id in run.ids(|work| matches!(work.state, WorkState::Running { .. })) {
                    self.cancel(&child, &mut run, &logical_id);
                }
            }
            self.put_run(&child, run);
        }
    }

    pub(super) fn doomed(version: &Version, logical_id: &str, work: &Work) -> Doomed {
        let policy =
            if work.action == Action::Remove { "DeletionPolicy" } else { "UpdateReplacePolicy" };
        let retain = version
            .template
            .resources()
            .get(logical_id)
            .and_then(|resource| resource.get(policy))
            .and_then(Value::as_str)
            == Some("Retain");
        Doomed {
            logical_id: logical_id.to_owned(),
            kind: Arc::clone(&work.kind),
            physical_id: work.old_id.clone().unwrap_or_default(),
            retain,
            since: None,
        }
    }

    /// Notes a resource that now exists (or is being created) in its stack.
    pub(super) fn register(&mut self, name: &str, logical_id: &str, work: &Work) {
        let now = self.now();
        let resource = Resource {
            kind: Arc::clone(&work.kind),
            physical_id: work.new_id.clone().unwrap_or_default(),
            status: ResourceStatus::CreateInProgress,
            reason: None,
            updated: now,
            drift: None,
        };
        if let Some(stack) = self.stack_mut(name) {
            stack.resources.insert(logical_id.to_owned(), resource);
        }
    }
}
