//! The queues for people and tests: a JSON view that no AWS operation gives.

use super::State;
use crate::time::SimTime;
use serde_json::{Value, json};

/// Each queue, and how many messages it holds at `now`.
pub(crate) fn view(state: &State, now: SimTime) -> Value {
    let queues = state.queues().map(|queue| {
        let counts = queue.counts(now);
        (queue.name.clone(), json!({"visible": counts.visible, "inFlight": counts.in_flight}))
    });
    Value::Object(queues.collect())
}
