//! Statuses and the events that tell of them.

use super::engine::Engine;
use super::state::{Event, NESTED, ResourceStatus, Status, Work, interned};
use crate::scenario::{self, StackEvent};
use std::sync::Arc;

impl Engine<'_> {
    /// Sets a stack's status and writes its event.
    pub(super) fn set_status(&mut self, name: &str, status: Status, reason: Option<String>) {
        let id = self.world.uuid();
        let now = self.now();
        let Some(stack) = self.stack_mut(name) else { return };
        stack.status = status;
        stack.reason.clone_from(&reason);
        let (operation, token) =
            stack.run.as_ref().map(|run| (Arc::clone(&run.operation), run.token.clone())).unzip();
        let event = Event {
            id,
            at: now,
            operation,
            token: token.flatten(),
            logical_id: stack
                .parent
                .as_ref()
                .map_or_else(|| stack.name.clone(), |(_, logical_id)| logical_id.clone()),
            physical_id: stack.id.clone(),
            kind: interned(NESTED),
            status: status.as_str(),
            reason,
        };
        let (logical_id, of_root) = (event.logical_id.clone(), stack.is_root());
        stack.record(event);
        let root = stack.is_root().then(|| stack.id.clone());
        let line = format!("stack {name} is {}", status.as_str());
        self.world.note(line);
        scenario::stack_event(
            self.world,
            StackEvent { logical_id: &logical_id, status: status.as_str(), of_root },
        );
        if let Some(id) = root {
            crate::services::servicecatalog::stack_changed(self.world, self.scope, &id);
        }
    }

    /// Writes the event of a resource, and sets its status.
    pub(super) fn event(
        &mut self,
        name: &str,
        logical_id: &str,
        work: &Work,
        status: ResourceStatus,
        reason: Option<String>,
    ) {
        let now = self.now();
        let Some(stack) = self.stack_mut(name) else { return };
        // The run is out of its place while it is stepped, so the last stack event tells the operation.
        let (operation, token) = stack
            .events
            .last()
            .map(|event| (event.operation.clone(), event.token.clone()))
            .unwrap_or_default();
        let physical_id = work.new_id.clone().or_else(|| work.old_id.clone()).unwrap_or_default();
        if let Some(resource) = stack.resources.get_mut(logical_id) {
            resource.status = status;
            resource.reason.clone_from(&reason);
            resource.updated = now;
            resource.kind = Arc::clone(&work.kind);
            resource.physical_id.clone_from(&physical_id);
        }
        stack.record(Event {
            id: format!("{logical_id}-{}-{}", status.as_str(), now.iso()),
            at: now,
            operation,
            token,
            logical_id: logical_id.to_owned(),
            physical_id,
            kind: Arc::clone(&work.kind),
            status: status.as_str(),
            reason,
        });
        scenario::stack_event(
            self.world,
            StackEvent { logical_id, status: status.as_str(), of_root: false },
        );
    }
}
