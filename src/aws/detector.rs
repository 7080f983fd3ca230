//! The one read that leaves a trace: CloudFormation's drift detection writes its result onto the stack.
//!
//! Apart from the reader, so that observing without `deepDriftInterval` cannot start one. Takes minutes, one at a time per
//! stack, does not follow nested stacks, and cannot see the engine version of a cache.

use super::call::Caller;
use super::errors::Error;
use super::session::Clients;
use super::table::{Op, Service};
use std::sync::Arc;

/// Starts drift detections.
#[derive(Clone, Debug)]
pub struct Detector {
    clients: Arc<Clients>,
    caller: Caller,
}

impl Detector {
    pub(super) fn new(clients: Arc<Clients>, caller: Caller) -> Self {
        Self { clients, caller }
    }

    /// Starts a drift detection on one stack; the answer is its id, for `Reader::drift_detection`.
    ///
    /// # Errors
    /// The request failed. A lost answer is no harm: the next attempt is refused while the detection runs.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that starts a drift detection"
    )]
    pub async fn detect_drift(&self, stack: &str) -> Result<String, Error> {
        let send = self.caller.write(Op::DetectStackDrift, || {
            self.clients.cloudformation.detect_stack_drift().stack_name(stack).send()
        });
        let answer = send.await?;
        let lacks = || {
            Error::bad_answer(Service::CloudFormation, "DetectStackDrift", "the answer has no id")
        };
        answer.stack_drift_detection_id.ok_or_else(lacks)
    }
}
