//! CloudFormation: stacks, their resources and events, templates, drift.

use super::{Output, TemplateParameter};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Its ARN.
    pub id: String,
    /// Its name.
    pub name: String,
    /// One of 23 states, or a new one.
    pub status: Option<String>,
    /// Why.
    pub status_reason: Option<String>,
    /// `CONFIGURATION_COMPLETE` or `VALIDATION_FAILED`, mostly absent.
    pub detailed_status: Option<String>,
    /// Values in force. Those of `NoEcho` parameters are asterisks.
    pub parameters: Vec<StackParameter>,
    /// Outputs.
    pub outputs: Vec<Output>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last updated; absent before the first update.
    pub updated_at: Option<Timestamp>,
    /// The role CloudFormation works under; absent: the caller's rights.
    pub role_arn: Option<String>,
    /// ARN of the parent; absent on a root stack.
    pub parent_id: Option<String>,
    /// ARN of the root; absent on a root stack.
    pub root_id: Option<String>,
    /// Failures are not rolled back.
    pub disable_rollback: Option<bool>,
    /// Result of the last drift detection.
    pub drift_status: Option<String>,
    /// When that was.
    pub drift_checked_at: Option<Timestamp>,
    /// The last operations, newest first: for `operation_events`.
    pub last_operations: Vec<StackOperation>,
}

/// The value of a stack parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackParameter {
    /// Its key.
    pub key: String,
    /// Its value; of an SSM-typed parameter the *name* of the SSM parameter.
    pub value: Option<String>,
    /// Of an SSM-typed parameter the value that was found.
    pub resolved_value: Option<String>,
}

/// An operation on a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackOperation {
    /// Its id.
    pub id: String,
    /// `UPDATE_STACK`, `CONTINUE_ROLLBACK`, …
    pub kind: Option<String>,
}

/// A line of the list of stacks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackSummary {
    /// Its ARN.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: Option<String>,
    /// ARN of the parent; absent on a root stack.
    pub parent_id: Option<String>,
    /// ARN of the root; absent on a root stack.
    pub root_id: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last updated.
    pub updated_at: Option<Timestamp>,
    /// The template's description.
    pub description: Option<String>,
}

/// A resource of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackResource {
    /// Its name in the template.
    pub logical_id: String,
    /// Its id in its own service; a nested stack's ARN.
    pub physical_id: Option<String>,
    /// `AWS::RDS::DBInstance`, …
    pub kind: String,
    /// Its status.
    pub status: Option<String>,
    /// Why.
    pub status_reason: Option<String>,
    /// When it last moved.
    pub updated_at: Option<Timestamp>,
}

/// An event of a stack. Without the resource's properties: they can hold secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackEvent {
    /// Its id.
    pub id: String,
    /// ARN of the stack.
    pub stack_id: String,
    /// The stack's name.
    pub stack_name: Option<String>,
    /// The operation it belongs to.
    pub operation_id: Option<String>,
    /// The resource; of the stack itself its name.
    pub logical_id: Option<String>,
    /// Equal to `stack_id` if the event is about the stack itself.
    pub physical_id: Option<String>,
    /// Type of the resource.
    pub kind: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// `UPDATE_FAILED`, …
    pub status: Option<String>,
    /// Why, on one line.
    pub reason: Option<String>,
    /// The token that the operation was started with.
    pub client_request_token: Option<String>,
}

/// Events, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackEvents {
    /// The events.
    pub events: Vec<StackEvent>,
    /// False if reading stopped at the limit before it came to the time asked for.
    pub complete: bool,
}

/// An event of one operation over root and nested stacks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationEvent {
    /// Its id.
    pub id: Option<String>,
    /// ARN of the stack.
    pub stack_id: Option<String>,
    /// The operation.
    pub operation_id: Option<String>,
    /// `UPDATE_STACK`, `CONTINUE_ROLLBACK`, …
    pub operation_kind: Option<String>,
    /// `IN_PROGRESS`, `SUCCEEDED`, `FAILED`.
    pub operation_status: Option<String>,
    /// `STACK_EVENT`, `PROVISIONING_ERROR`, `VALIDATION_ERROR`, …
    pub event_kind: Option<String>,
    /// The resource.
    pub logical_id: Option<String>,
    /// Its id in its own service.
    pub physical_id: Option<String>,
    /// Its type.
    pub kind: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// `UPDATE_FAILED`, …
    pub status: Option<String>,
    /// Why, on one line.
    pub reason: Option<String>,
}

/// What a template is like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateSummary {
    /// Parameters, with allowed values only: this call knows no patterns or limits.
    pub parameters: Vec<TemplateParameter>,
    /// The template's metadata (with the labels), as JSON text.
    pub metadata: Option<String>,
    /// The template's description.
    pub description: Option<String>,
    /// Types of its resources.
    pub resource_kinds: Vec<String>,
}

/// How far a drift detection is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftDetection {
    /// ARN of the stack.
    pub stack_id: Option<String>,
    /// `DETECTION_IN_PROGRESS`, `DETECTION_COMPLETE`, `DETECTION_FAILED` (some resources could not be looked at).
    pub status: Option<String>,
    /// Why.
    pub status_reason: Option<String>,
    /// `DRIFTED`, `IN_SYNC`, `UNKNOWN`, `NOT_CHECKED`.
    pub drift_status: Option<String>,
    /// How many resources drifted.
    pub drifted_resources: Option<i32>,
    /// When.
    pub at: Option<Timestamp>,
}

/// What drift detection found on one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceDrift {
    /// ARN of the stack.
    pub stack_id: Option<String>,
    /// Its name in the template.
    pub logical_id: Option<String>,
    /// Its id in its own service.
    pub physical_id: Option<String>,
    /// Its type.
    pub kind: Option<String>,
    /// `IN_SYNC`, `MODIFIED`, `DELETED`, `NOT_CHECKED`, …
    pub status: Option<String>,
    /// The properties that differ.
    pub differences: Vec<PropertyDifference>,
    /// When.
    pub at: Option<Timestamp>,
}

/// A property that differs from the template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyDifference {
    /// Its path.
    pub path: String,
    /// The template's value.
    pub expected: Option<String>,
    /// The real value.
    pub actual: Option<String>,
    /// `ADD`, `REMOVE`, `NOT_EQUAL`.
    pub kind: Option<String>,
}
