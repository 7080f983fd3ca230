//! The replication groups for people and tests: a JSON view that no AWS operation gives.

use super::State;
use serde_json::{Value, json};

/// Each group with its members. Secrets do not appear.
pub(crate) fn view(state: &State) -> Value {
    let groups = state.groups.values().map(|group| {
        let members: Vec<Value> = group
            .members()
            .map(|member| json!({"id": member.id, "status": group.member_status(member)}))
            .collect();
        let view = json!({
            "status": group.status(),
            "engine": group.settings.engine.as_str(),
            "version": group.settings.version,
            "nodeType": group.settings.node_type,
            "pending": group.deferred.is_some(),
            "members": members,
        });
        (group.id.clone(), view)
    });
    Value::Object(groups.collect())
}
