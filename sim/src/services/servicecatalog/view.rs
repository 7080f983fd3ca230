//! The provisioned products and the versions on offer for people and tests: a JSON view that no AWS operation gives.

use super::state::{Guidance, Provisioned, State};
use serde_json::{Map, Value, json};

/// Each provisioned product by name, with what its versions and records are called.
pub(crate) fn view(state: &State) -> Value {
    let provisioned: Map<String, Value> =
        state.all_provisioned().map(|one| (one.name.clone(), of(state, one))).collect();
    let offered: Map<String, Value> = state.all_products().map(|product| {
        let versions: Vec<Value> = product
            .artifacts
            .iter()
            .map(|artifact| json!({"id": artifact.id, "name": artifact.name, "active": artifact.active, "deprecated": artifact.guidance == Guidance::Deprecated}))
            .collect();
        let paths: Vec<Value> = product.paths.iter().map(|path| json!({"id": path.id, "launchRole": path.launch_role})).collect();
        (product.name.clone(), json!({"id": product.id, "versions": versions, "paths": paths}))
    }).collect();
    json!({"provisioned": provisioned, "offered": offered})
}

fn of(state: &State, one: &Provisioned) -> Value {
    let version = state.product(&one.product_id).and_then(|product| {
        product.artifacts.iter().find(|artifact| artifact.id == one.artifact_id)
    });
    let last = one.last_provisioning_record.as_deref().and_then(|id| state.record(id));
    json!({
        "id": one.id,
        "status": one.status.as_str(),
        "message": one.message,
        "version": version.map(|version| &version.name),
        "stack": one.stack_id,
        "lastRecord": last.map(|record| json!({"id": record.id, "status": record.status.as_str(), "at": record.created})),
    })
}
