//! The stacks of a region for people and tests: a JSON view that no AWS operation gives.

use super::read::under_change;
use super::state::State;
use serde_json::{Value, json};

/// Each stack with status, parent, resources and last reason. `NoEcho` values do not appear.
pub(crate) fn view(state: &State) -> Value {
    let stacks = state.stacks.values().map(|stack| {
        let resources: serde_json::Map<String, Value> = stack
            .resources
            .iter()
            .map(|(id, resource)| (id.clone(), json!({"type": &*resource.kind, "physicalId": resource.physical_id, "status": resource.status.as_str()})))
            .collect();
        let parameters: serde_json::Map<String, Value> = stack
            .parameters
            .given
            .iter()
            .filter(|(key, _)| stack.template.parameter(key).is_none_or(|parameter| !parameter.no_echo))
            .map(|(key, value)| (key.clone(), value.as_str().into()))
            .collect();
        let view = json!({
            "id": stack.id,
            "status": stack.status.as_str(),
            "reason": stack.reason,
            "underChange": under_change(stack.status),
            "parent": stack.parent.as_ref().map(|(parent, _)| parent),
            "parameters": parameters,
            "resources": resources,
            "events": stack.events.len(),
        });
        (stack.name.clone(), view)
    });
    Value::Object(stacks.collect())
}
