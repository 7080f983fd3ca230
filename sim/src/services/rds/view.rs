//! The databases for people and tests: a JSON view that no AWS operation gives.

use super::State;
use crate::services::secret::Secret;
use serde_json::{Value, json};

/// Each instance. Secrets do not appear.
pub(crate) fn view(state: &State) -> Value {
    let instances = state.instances.values().map(|instance| {
        let storage = &instance.settings.storage;
        let view = json!({
            "status": instance.status(),
            "version": instance.settings.version,
            "class": instance.settings.class,
            "storage": {"gib": storage.gib, "type": storage.kind, "iops": storage.iops, "throughput": storage.throughput, "maximum": storage.max_gib},
            "storageChanged": instance.storage_changed,
            "replicas": instance.replicas,
            // A client that sent the mask back has made it the password.
            "passwordIsMask": instance.settings.password.as_ref().map(Secret::is_masked),
            "passwordDigest": instance.settings.password.as_ref().map(Secret::digest),
        });
        (instance.id.clone(), view)
    });
    Value::Object(instances.collect())
}
