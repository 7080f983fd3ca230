//! The clean-up at the end of either way: what is no longer needed goes, dependants first, nested stacks before their root.
//!
//! A removal that fails leaves the resource behind and fails nothing (AWS docs: CloudFormation user guide, update behaviours).

use super::engine::Engine;
use super::state::{
    Doomed, Event, NESTED, Phase, ResourceStatus, Run, Stack, Status, name_from_arn,
};
use super::{evaluate, resources};
use crate::scenario::{self, StackEvent};
use crate::services::iam::Principal;
use crate::time::SimTime;
use serde_json::Value;
use std::sync::Arc;

impl Engine<'_> {
    /// One step of a clean-up: the nested stacks first, then what this stack no longer needs, then its final status.
    pub(super) fn clean_up(&mut self, name: &str) -> bool {
        let mut changed = false;
        let children: Vec<String> =
            self.stack(name).map(Stack::staying_children).unwrap_or_default();
        for child in &children {
            changed |= self.step(child);
        }
        if children.iter().any(|child| self.stack(child).is_some_and(|stack| stack.run.is_some())) {
            return changed;
        }
        let Some(mut run) = self.take_run(name) else { return changed };
        let now = self.now();
        let mut left = Vec::new();
        let doomed = std::mem::take(&mut run.doomed);
        for mut one in doomed.clone() {
            match one.since {
                None if doomed.iter().any(|other| run.depends(other, &one)) => left.push(one),
                None => {
                    changed = true;
                    if self.remove(name, &run.principal, &one) {
                        one.since = Some(now);
                        left.push(one);
                    }
                }
                Some(since) => {
                    let busy = now < since + self.world.options.resource_time
                        || resources::going(self.world, self.scope, &one.kind, &one.physical_id);
                    if busy {
                        left.push(one);
                    } else {
                        changed = true;
                        self.doomed_event(name, &one, ResourceStatus::DeleteComplete, None);
                        self.forget(name, &one);
                    }
                }
            }
        }
        let begun = left.iter().filter_map(|one| one.since).min();
        run.cleaned_at = begun.map(|since| since + self.world.options.resource_time);
        run.doomed = left;
        if run.doomed.is_empty() {
            self.close(name, run, now);
            return true;
        }
        self.put_run(name, run);
        changed
    }

    /// Starts removing a resource. Answers whether it is on its way.
    pub(super) fn remove(&mut self, name: &str, principal: &Principal, doomed: &Doomed) -> bool {
        if doomed.retain {
            self.doomed_event(name, doomed, ResourceStatus::DeleteSkipped, None);
            self.forget(name, doomed);
            return false;
        }
        if doomed.physical_id.is_empty() {
            self.forget(name, doomed);
            return false;
        }
        self.doomed_event(name, doomed, ResourceStatus::DeleteInProgress, None);
        if &*doomed.kind == NESTED {
            if let Some(child) = name_from_arn(&doomed.physical_id) {
                self.delete_tree(child, principal);
            }
            return true;
        }
        match resources::remove(
            self.world,
            self.scope,
            principal,
            name,
            &doomed.logical_id,
            &doomed.kind,
            &doomed.physical_id,
        ) {
            Ok(()) => true,
            Err(reason) => {
                self.doomed_event(name, doomed, ResourceStatus::DeleteFailed, Some(reason));
                false
            }
        }
    }

    /// Removes a nested stack with all its resources at once.
    fn delete_tree(&mut self, name: &str, principal: &Principal) {
        self.set_status(name, Status::DeleteInProgress, None);
        let Some(stack) = self.stack(name) else { return };
        let all: Vec<Doomed> = stack
            .resources
            .iter()
            .map(|(logical_id, resource)| Doomed {
                logical_id: logical_id.clone(),
                kind: Arc::clone(&resource.kind),
                physical_id: resource.physical_id.clone(),
                retain: false,
                since: None,
            })
            .collect();
        for doomed in &all {
            if self.remove(name, principal, doomed) {
                self.doomed_event(name, doomed, ResourceStatus::DeleteComplete, None);
            }
        }
        self.set_status(name, Status::DeleteComplete, None);
        let now = self.now();
        let state = &mut self.world.region_mut(self.scope).cloudformation;
        if let Some(mut stack) = state.stacks.remove(name) {
            let gone = Arc::make_mut(&mut stack);
            gone.run = None;
            gone.deleted = Some(now);
            state.deleted.push_back(stack);
        }
    }

    /// Drops a removed resource from its stack, unless another physical resource has its logical id now.
    fn forget(&mut self, name: &str, doomed: &Doomed) {
        if let Some(stack) = self.stack_mut(name)
            && stack
                .resources
                .get(&doomed.logical_id)
                .is_some_and(|resource| resource.physical_id == doomed.physical_id)
        {
            stack.resources.remove(&doomed.logical_id);
        }
    }

    fn doomed_event(
        &mut self,
        name: &str,
        doomed: &Doomed,
        status: ResourceStatus,
        reason: Option<String>,
    ) {
        let now: SimTime = self.now();
        let Some(stack) = self.stack_mut(name) else { return };
        let (operation, token) = stack
            .events
            .last()
            .map(|event| (event.operation.clone(), event.token.clone()))
            .unwrap_or_default();
        if let Some(resource) = stack
            .resources
            .get_mut(&doomed.logical_id)
            .filter(|resource| resource.physical_id == doomed.physical_id)
        {
            resource.status = status;
            resource.reason.clone_from(&reason);
            resource.updated = now;
        }
        stack.record(Event {
            id: format!("{}-{}-{}", doomed.logical_id, status.as_str(), now.iso()),
            at: now,
            operation,
            token,
            logical_id: doomed.logical_id.clone(),
            physical_id: doomed.physical_id.clone(),
            kind: Arc::clone(&doomed.kind),
            status: status.as_str(),
            reason,
        });
        scenario::stack_event(
            self.world,
            StackEvent { logical_id: &doomed.logical_id, status: status.as_str(), of_root: false },
        );
    }

    /// Gives a stack the final status of its operation.
    fn close(&mut self, name: &str, run: Run, now: SimTime) {
        let back = run.phase == Phase::BackCleanup;
        let creating = run.creating;
        let root = self.stack(name).is_some_and(Stack::is_root);
        // The event wants the run's operation, so the run goes back in until it is written.
        self.put_run(name, run);
        if !creating {
            self.set_status(
                name,
                if back { Status::RollbackComplete } else { Status::UpdateComplete },
                None,
            );
        }
        if let Some(stack) = self.stack_mut(name) {
            stack.run = None;
            stack.drift = super::state::DriftSummary::default();
            if root {
                stack.ended(back, now);
            }
        }
    }
}

impl Stack {
    /// The names of the nested stacks that outlive the operation. One that is to be removed has nothing to clean up: on the way back it
    /// may have been created only just now, and its own operation would never end.
    fn staying_children(&self) -> Vec<String> {
        let doomed = self.run.as_ref().map_or(&[][..], |run| &run.doomed);
        let stays = |id: &str| doomed.iter().all(|one| one.physical_id != id);
        self.resources
            .values()
            .filter(|resource| &*resource.kind == NESTED && stays(&resource.physical_id))
            .filter_map(|resource| name_from_arn(&resource.physical_id).map(str::to_owned))
            .collect()
    }
}

impl Run {
    /// Whether `other` refers to `one`, in the old template or the new, so that it has to go first.
    fn depends(&self, other: &Doomed, one: &Doomed) -> bool {
        let refers = |body: &serde_json::Map<String, Value>| {
            body.get(&other.logical_id).is_some_and(|resource| {
                evaluate::dependencies(resource, &|id| id == one.logical_id)
                    .contains(&one.logical_id)
            })
        };
        other.logical_id != one.logical_id
            && (refers(self.before.template.resources()) || refers(self.after.template.resources()))
    }
}
