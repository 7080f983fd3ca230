//! Drift detection: each resource's template properties beside what can be read of it.
//!
//! One stack at a time, nested stacks are not followed, write-only properties are not seen (AWS docs: CloudFormation user guide, drift
//! detection; API reference, `DetectStackDrift`).

use super::engine::Engine;
use super::evaluate::text;
use super::provider::Actual;
use super::resources;
use super::state::{DriftSummary, NESTED, Status, Version};
use crate::time::SimTime;
use crate::world::{Scope, World};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// How long a detection takes.
const TAKES: Duration = Duration::from_secs(45);

/// A drift detection.
#[derive(Clone, Debug)]
pub(super) struct Detection {
    pub(super) stack_id: String,
    pub(super) started: SimTime,
    pub(super) done: bool,
    /// Resources that could not be read.
    pub(super) failed: Option<String>,
    pub(super) drifted: usize,
    pub(super) status: &'static str,
}

/// What a detection found out about one resource.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ResourceDrift {
    pub(super) status: &'static str,
    pub(super) expected: Value,
    pub(super) actual: Value,
    /// Path, expected value, actual value, `ADD`, `REMOVE` or `NOT_EQUAL`.
    pub(super) differences: Vec<(String, String, String, &'static str)>,
}

/// Whether a detection may run on a stack in this status.
pub(super) fn allowed(status: Status) -> bool {
    matches!(
        status,
        Status::CreateComplete
            | Status::UpdateComplete
            | Status::RollbackComplete
            | Status::RollbackFailed
    )
}

/// Starts a detection on the stack `name` and answers its id.
pub(super) fn start(world: &mut World, scope: &Scope, name: &str) -> String {
    let id = world.uuid();
    let now = world.now();
    let state = &mut world.region_mut(scope).cloudformation;
    let stack_id = state.stacks.get(name).map(|stack| stack.id.clone()).unwrap_or_default();
    state.detections.insert(
        id.clone(),
        Detection {
            stack_id,
            started: now,
            done: false,
            failed: None,
            drifted: 0,
            status: "UNKNOWN",
        },
    );
    world.after(
        TAKES,
        scope,
        super::Timer::Detected { stack: name.to_owned(), detection: id.clone() },
    );
    id
}

/// Finishes a detection: compares, and leaves the result on the stack and its resources.
pub(super) fn finish(world: &mut World, scope: &Scope, name: &str, detection: &str) {
    let now = world.now();
    let engine = Engine { world, scope };
    let found: Vec<(String, ResourceDrift)> = match engine.stack(name) {
        Some(stack) => {
            let version = Version {
                template: Arc::clone(&stack.template),
                parameters: stack.parameters.clone(),
            };
            let expected = |id: &str| engine.properties(stack, &version, id).unwrap_or_default();
            stack
                .resources
                .iter()
                .map(|(id, resource)| {
                    (
                        id.clone(),
                        compare(
                            expected(id),
                            &resource.kind,
                            resources::actual(
                                engine.region(),
                                &resource.kind,
                                &resource.physical_id,
                            ),
                        ),
                    )
                })
                .collect()
        }
        None => Vec::new(),
    };
    let drifted =
        found.iter().filter(|(_, drift)| matches!(drift.status, "MODIFIED" | "DELETED")).count();
    let status = if drifted > 0 { "DRIFTED" } else { "IN_SYNC" };
    let state = &mut world.region_mut(scope).cloudformation;
    if let Some(stack) = state.stack_mut(name) {
        stack.drift = DriftSummary { status: Some(status), checked: Some(now) };
        for (id, drift) in found {
            if let Some(resource) = stack.resources.get_mut(&id) {
                resource.drift = Some((drift, now));
            }
        }
    }
    if let Some(detection) = state.detections.get_mut(detection) {
        detection.done = true;
        detection.drifted = drifted;
        detection.status = status;
    }
}

/// Compares the properties that the template sets with those that can be read.
fn compare(expected: Value, kind: &str, actual: Option<Actual>) -> ResourceDrift {
    let unchanged = |status: &'static str, expected: Value| ResourceDrift {
        status,
        actual: Value::Null,
        expected,
        differences: Vec::new(),
    };
    let actual = match actual {
        Some(Actual::Missing) => {
            return ResourceDrift {
                status: "DELETED",
                expected,
                actual: Value::Null,
                differences: Vec::new(),
            };
        }
        Some(Actual::Unsupported) => return unchanged("NOT_CHECKED", expected),
        None if kind == NESTED => return unchanged("NOT_CHECKED", expected),
        None => {
            return ResourceDrift {
                status: "IN_SYNC",
                actual: expected.clone(),
                expected,
                differences: Vec::new(),
            };
        }
        Some(Actual::Properties(actual)) => actual,
    };
    let set = expected.as_object().cloned().unwrap_or_default();
    let mut differences = Vec::new();
    for (name, wanted) in &set {
        if let Some(real) = actual.get(name).filter(|real| text(real) != text(wanted)) {
            differences.push((format!("/{name}"), text(wanted), text(real), "NOT_EQUAL"));
        }
    }
    let readable =
        set.keys().filter_map(|name| Some((name.clone(), actual.get(name)?.clone()))).collect();
    let status = if differences.is_empty() { "IN_SYNC" } else { "MODIFIED" };
    ResourceDrift { status, expected, actual: Value::Object(readable), differences }
}
