//! Lambda and SQS: worker functions, their triggers, and the backlog behind them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A Lambda function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: Option<String>,
    /// When it was last deployed, in Lambda's own spelling (`2018-09-26T19:33:49.000+0000`).
    pub modified: Option<String>,
}

/// A trigger: a Lambda event source mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// Its UUID.
    pub uuid: String,
    /// Its own ARN, for tags.
    pub arn: Option<String>,
    /// The queue.
    pub event_source_arn: Option<String>,
    /// The function; may carry a version or alias.
    pub function_arn: Option<String>,
    /// `Enabled`, `Disabling`, `Disabled`, `Enabling`, `Updating`, … There is no `Enabled` flag in answers.
    pub state: Option<String>,
    /// Who moved it, in words.
    pub state_reason: Option<String>,
    /// When it was last changed.
    pub modified_at: Option<Timestamp>,
    /// How the last batch went.
    pub last_result: Option<String>,
}

/// The backlog of a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Its URL.
    pub url: String,
    /// Its ARN.
    pub arn: Option<String>,
    /// Messages that wait.
    pub visible: Option<u64>,
    /// Messages that a function works on.
    pub in_flight: Option<u64>,
    /// Messages that are not due yet.
    pub delayed: Option<u64>,
    /// Seconds after which a message is lost.
    pub retention_seconds: Option<u64>,
    /// Seconds after which a message that was taken shows again.
    pub visibility_timeout_seconds: Option<u64>,
}
