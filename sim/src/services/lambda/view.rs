//! The triggers for people and tests: a JSON view that no AWS operation gives.

use super::State;
use serde_json::{Value, json};

/// Each trigger, with the intervals in which it took messages: what tells whether events ran while they should not have.
pub(crate) fn view(state: &State) -> Value {
    let triggers = state.mappings().map(|mapping| {
        let runs: Vec<Value> = state
            .runs(&mapping.uuid)
            .iter()
            .map(|run| json!({"from": run.from, "to": run.to}))
            .collect();
        let view = json!({
            "function": &*mapping.function,
            "source": &*mapping.source_arn,
            "state": mapping.state.as_str(),
            "stuck": mapping.stuck,
            "modified": mapping.modified,
            "tags": mapping.tags,
            "runs": runs,
        });
        (mapping.uuid.to_string(), view)
    });
    Value::Object(triggers.collect())
}
