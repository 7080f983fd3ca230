//! What the events of a stack and of all stacks nested in it tell of its newest change: plain values, with their gaps. Pure.
//!
//! Read after a failure only, since events are many. Which of them is the cause is `assess::diagnosis`'s to say.

use super::observation::Gap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The events of a root stack and of those nested in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Story {
    /// The root first, parents before their children.
    pub stacks: Vec<StackStory>,
}

impl Story {
    /// The stack with this ARN.
    pub fn stack(&self, id: &str) -> Option<&StackStory> {
        self.stacks.iter().find(|stack| stack.id == id)
    }
}

/// The events of one stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StackStory {
    /// Its ARN.
    pub id: String,
    /// Its physical name: `SC-111122223333-pp-…-CacheStack-…`.
    pub name: String,
    /// Logical ids from the root down; empty for the root.
    pub path: Vec<String>,
    /// Newest first, as CloudFormation gives them.
    pub events: Vec<StackEvent>,
    /// Whether `events` reaches back to before the change; false when reading stopped at a limit.
    pub complete: bool,
    /// Why its events could not be read.
    pub gap: Option<Gap>,
}

/// An event of a stack, without the resource's properties: they can hold secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StackEvent {
    /// The resource; of the stack itself its name.
    pub logical_id: String,
    /// Equal to the stack's ARN when the event is about the stack itself.
    pub physical_id: Option<String>,
    /// `AWS::RDS::DBInstance`, …
    pub kind: String,
    /// `UPDATE_FAILED`, …
    pub status: String,
    /// Why, on one line.
    pub reason: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// The token that the operation was started with.
    pub token: Option<String>,
}
