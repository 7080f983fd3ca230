//! AWS CloudFormation: stacks as a tree that updates, fails and rolls back over time.
//!
//! [`start`] decides what is accepted, [`engine`] carries it out ([`forward`], [`back`],
//! [`cleanup`]), [`mod@materialize`] makes the stacks of a new world, `read` and
//! `write` are the operations. [`provider`] is what the engine asks of other services.

mod back;
mod cleanup;
mod context;
mod drift;
mod engine;
mod evaluate;
mod forward;
mod generic;
mod materialize;
pub(crate) mod provider;
mod read;
mod record;
mod resources;
mod start;
mod state;
pub(crate) mod template;
#[cfg(test)]
mod tests;
mod view;
mod write;

pub(crate) use materialize::{Existing, materialize};
pub(crate) use start::start_update;
pub(crate) use state::{During, Injection, State};
pub(crate) use view::view;

use crate::spec::Operation;
use crate::world::{Region, Scope, World};
use std::collections::BTreeMap;
use std::sync::Arc;
use template::Template;

/// What happens by itself.
#[derive(Clone, Debug)]
pub(crate) enum Timer {
    /// Look at the operation on a root stack.
    Drive { root: String, operation: String },
    /// A drift detection is through.
    Detected { stack: String, detection: String },
}

/// Lets a timer's time have come.
pub(crate) fn fire(world: &mut World, scope: &Scope, timer: Timer) {
    match timer {
        Timer::Drive { root, operation } => engine::wake(world, scope, &root, &operation),
        Timer::Detected { stack, detection } => drift::finish(world, scope, &stack, &detection),
    }
}

/// The operations.
pub(crate) const OPERATIONS: &[Operation] = &[
    read::DESCRIBE_STACKS,
    read::LIST_STACKS,
    read::DESCRIBE_STACK_EVENTS,
    read::DESCRIBE_EVENTS,
    read::LIST_STACK_RESOURCES,
    read::DESCRIBE_STACK_RESOURCES,
    read::GET_TEMPLATE,
    read::GET_TEMPLATE_SUMMARY,
    write::CONTINUE_UPDATE_ROLLBACK,
    write::UPDATE_STACK,
    write::DETECT_STACK_DRIFT,
    write::DESCRIBE_STACK_DRIFT_DETECTION_STATUS,
    write::DESCRIBE_STACK_RESOURCE_DRIFTS,
];

/// A parameter of an update: a value, or the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    Value(String),
    Previous,
}

/// What an update of a root stack asks for.
#[derive(Clone, Debug)]
pub(crate) struct Update {
    pub(crate) stack_name: String,
    pub(crate) template: Arc<Template>,
    pub(crate) parameters: BTreeMap<String, Given>,
    /// The role CloudFormation assumes for the resources; absent: the caller's own rights.
    pub(crate) role_arn: Option<String>,
    pub(crate) client_token: Option<String>,
}

/// What other services see of a root stack.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) id: String,
    /// `UPDATE_COMPLETE` …
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    /// Key, value, description.
    pub(crate) outputs: Vec<(String, String, Option<String>)>,
}

/// A stack by name or ARN; absent when it does not exist or is deleted.
pub(crate) fn see(region: &Region, stack: &str) -> Option<Seen> {
    let stack = region.cloudformation.find(stack).filter(|stack| stack.deleted.is_none())?;
    Some(Seen {
        id: stack.id.clone(),
        status: stack.status.as_str().to_owned(),
        reason: stack.reason.clone(),
        outputs: stack
            .outputs
            .iter()
            .map(|output| (output.key.clone(), output.value.clone(), output.description.clone()))
            .collect(),
    })
}

/// The keys of a stack's parameters, as the running template has them.
pub(crate) fn parameter_keys(region: &Region, stack: &str) -> Vec<String> {
    region
        .cloudformation
        .find(stack)
        .map(|stack| stack.parameters.given.keys().cloned().collect())
        .unwrap_or_default()
}

/// The role a stack was given, which it keeps.
pub(crate) fn role_of(region: &Region, stack: &str) -> Option<String> {
    region.cloudformation.find(stack).and_then(|stack| stack.role_arn.clone())
}

/// The template a stack runs.
pub(crate) fn template_of(region: &Region, stack: &str) -> Option<Arc<Template>> {
    region.cloudformation.find(stack).map(|stack| Arc::clone(&stack.template))
}

/// The physical ids of all resources of `kind` in the tree under the stack `root` (a name or an ARN).
pub(crate) fn physical_ids(region: &Region, root: &str, kind: &str) -> Vec<String> {
    let state = &region.cloudformation;
    let Some(root) = state.find(root) else { return Vec::new() };
    let tree = state.stacks.values().filter(|stack| stack.root == root.name);
    tree.flat_map(|stack| stack.resources.values())
        .filter(|resource| &*resource.kind == kind)
        .map(|resource| resource.physical_id.clone())
        .collect()
}

/// Orders a failure.
pub(crate) fn fail_resource(world: &mut World, scope: &Scope, injection: Injection) {
    world.region_mut(scope).cloudformation.injections.push(injection);
}

/// Deletes a root stack from outside, with its nested stacks. What it made stays (as with `Retain`).
pub(crate) fn delete_now(world: &mut World, scope: &Scope, name: &str) {
    let now = world.now();
    let state = &mut world.region_mut(scope).cloudformation;
    let names: Vec<String> = state
        .stacks
        .values()
        .filter(|stack| stack.root == name)
        .map(|stack| stack.name.clone())
        .collect();
    for name in names {
        if let Some(mut stack) = state.stacks.remove(&name) {
            let gone = Arc::make_mut(&mut stack);
            gone.status = state::Status::DeleteComplete;
            gone.deleted = Some(now);
            gone.run = None;
            state.deleted.push_back(stack);
        }
    }
    world.note(format!("stack {name} was deleted from outside"));
    let id = world
        .region(scope)
        .cloudformation
        .deleted
        .iter()
        .rev()
        .find(|stack| stack.name == name)
        .map(|stack| stack.id.clone());
    if let Some(id) = id {
        crate::services::servicecatalog::stack_changed(world, scope, &id);
    }
}
