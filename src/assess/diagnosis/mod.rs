//! Why the newest change of a stack failed: the first real failure in the deepest stack, not its echo. Pure.
//!
//! A failed update shows as one failure and many echoes: siblings that were cancelled, parents whose "embedded stack was not
//! successfully updated", the stack's own event. [`diagnose`] finds the event that began it among the events of all stacks (`walk`),
//! [`classify()`] says what its text means, `remedy` what to do. [`last_failure`] lays the product's records beside the events: a record that
//! failed before the stack moved, and a stack that was changed past Service Catalog.
//!
//! What could not be seen is part of the answer ([`Diagnosis::unseen`]): half a story never passes for a whole one.

mod classify;
mod last;
mod remedy;
#[cfg(test)]
mod tests;
mod walk;

pub use classify::{Cause, classify};
pub use last::{LastFailure, Outcome, RecordFacts, is_of_a_record, last_failure};
pub use remedy::{Denied, Whose};

use crate::observe::story::{StackEvent, StackStory, Story};
use crate::text::sanitize;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A nested stack, as a resource.
const STACK: &str = "AWS::CloudFormation::Stack";

/// What led to the failure of the newest change, and what it touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// The class of the cause.
    pub cause: Cause,
    /// The first failure of the way forward; absent when only the way back is seen to have failed.
    pub failure: Option<Failure>,
    /// What failed on the way back, in the order of time. Empty: the rollback went well, or there was none.
    pub rollback: Vec<Failure>,
    /// What the clean-up could not delete: it is still there, and costs.
    pub left_behind: Vec<Failure>,
    /// What to do.
    pub remedy: String,
    /// A page that explains it.
    pub guide: String,
    /// Who was denied what, each denial once.
    pub denials: Vec<Denied>,
    /// Whether the change got as far as the cache, or may have: then it is a person's to try again.
    pub touched_cache: bool,
    /// When the change began, as far as its events are seen.
    pub began: Option<Timestamp>,
    /// How the way back stands; absent when there is none, or its beginning is out of sight.
    #[serde(default)]
    pub way_back: Option<WayBack>,
    /// What could not be seen, a sentence each. Not empty: the cause may be another one.
    pub unseen: Vec<String>,
}

/// The way back of the newest change, as the root stack's own events tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WayBack {
    /// When the change began that is taken back.
    pub began: Timestamp,
    /// How often the way back was continued after it had failed, by whomever.
    pub continued: usize,
    /// When it failed last, if that is the newest that is known of it.
    pub failed: Option<Timestamp>,
}

/// A resource that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Its name in the template.
    pub logical_id: String,
    /// Its id in its own service.
    pub physical_id: Option<String>,
    /// `AWS::RDS::DBInstance`, …
    pub kind: String,
    /// Logical ids of the stacks from the root down; empty: in the root.
    pub stack_path: Vec<String>,
    /// The physical name of its stack: what "resources to skip" are named by.
    pub stack_name: String,
    /// When.
    pub at: Option<Timestamp>,
    /// CloudFormation's words, on one line.
    pub message: String,
    /// What its own words mean.
    pub cause: Cause,
}

impl Failure {
    fn of(stack: &StackStory, event: &StackEvent) -> Self {
        let message = sanitize(event.reason.as_deref().unwrap_or_default());
        Self {
            logical_id: sanitize(&event.logical_id),
            physical_id: event.physical_id.as_deref().filter(|id| !id.is_empty()).map(sanitize),
            kind: sanitize(&event.kind),
            stack_path: stack.path.iter().map(|part| sanitize(part)).collect(),
            stack_name: sanitize(&stack.name),
            at: event.at,
            cause: classify(&message),
            message: if message.is_empty() {
                "CloudFormation gives no reason".to_owned()
            } else {
                message
            },
        }
    }

    /// `DatabaseStack/HivePrimary`: the path from the root.
    pub fn place(&self) -> String {
        let mut parts = self.stack_path.clone();
        parts.push(self.logical_id.clone());
        parts.join("/")
    }

    /// How "resources to skip" name it: by its stack's physical name, but in the root (API reference, `ContinueUpdateRollback`).
    pub fn skip_name(&self) -> String {
        if self.stack_path.is_empty() {
            self.logical_id.clone()
        } else {
            format!("{}.{}", self.stack_name, self.logical_id)
        }
    }

    /// Whether it may be that of a cache that cannot become Redis again. One that was denied, throttled or busy says so itself, and is
    /// nothing of the kind.
    pub fn bars_the_way_back(&self) -> bool {
        self.is_of_the_cache() && matches!(self.cause, Cause::Unknown | Cause::ValueNotAllowed)
    }

    /// Whether it is a resource of the cache.
    pub fn is_of_the_cache(&self) -> bool {
        is_cache(&self.kind)
    }

    /// Whether it is one that the guides skip: a database instance that its old storage size does not fit any more.
    pub fn may_be_skipped(&self) -> bool {
        self.kind == "AWS::RDS::DBInstance" && self.cause == Cause::StorageOutOfStep
    }
}

/// Says why the newest change failed. `cache_is_valkey`: every node of the real cache runs Valkey, while the stack's way back leads to
/// Redis or may do so.
///
/// `None`: the events tell of no failure, and nothing was left out.
pub fn diagnose(story: &Story, cache_is_valkey: bool) -> Option<Diagnosis> {
    let seen = walk::Walk::of(story)?.see();
    if seen.failure.is_none()
        && seen.rollback.is_empty()
        && seen.left_behind.is_empty()
        && seen.unseen.is_empty()
    {
        return None;
    }
    Some(conclude(seen, cache_is_valkey))
}

fn conclude(seen: walk::Seen, cache_is_valkey: bool) -> Diagnosis {
    let walk::Seen { failure, rollback, left_behind, touched_cache, began, way_back, unseen } =
        seen;
    let past_the_door = cache_is_valkey && rollback.iter().any(Failure::bars_the_way_back);
    let shown = failure.as_ref().or(rollback.first());
    let cause = if past_the_door {
        Cause::PastTheDoor
    } else {
        shown.map_or(Cause::Unknown, |failure| failure.cause)
    };
    let mut denials: Vec<Denied> = Vec::new();
    for denied in failure.iter().chain(&rollback).filter_map(Denied::of) {
        if !denials.contains(&denied) {
            denials.push(denied);
        }
    }
    let only_left_behind = shown.is_none() && !left_behind.is_empty();
    Diagnosis {
        remedy: if only_left_behind {
            remedy::of_left_behind(&left_behind)
        } else {
            remedy::of(cause, shown, &rollback, &denials)
        },
        guide: super::guides::of_cause(cause).to_owned(),
        cause,
        failure,
        rollback,
        left_behind,
        denials,
        touched_cache,
        began,
        way_back,
        unseen,
    }
}

fn is_cache(kind: &str) -> bool {
    kind.starts_with("AWS::ElastiCache::")
}
