//! An observer over the simulated AWS in process.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use aws_credential_types::Credentials;
use std::sync::Arc;
use ted_controller::aws::session::InProcess;
use ted_controller::aws::{Sessions, SessionsOptions};
use ted_controller::desired::{Defaults, Desired, File, load};
use ted_controller::observe::Observer;
use ted_sim::Sim;

/// An observer of `us-east-2` that knows nothing yet.
pub(crate) fn observer(sim: &Sim) -> Observer {
    let wire = InProcess {
        http_client: sim.http_client(),
        credentials: Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"),
        time_source: Some(sim.time_source()),
    };
    let options = SessionsOptions {
        region: Some("us-east-2".to_owned()),
        seed: Some(1),
        ..SessionsOptions::default()
    };
    Observer::new(Arc::new(Sessions::in_process(options, wire)))
}

/// A document, which has to be right.
pub(crate) fn document(text: &str) -> Desired {
    let mut loaded = load(&[File::new("einstein.yaml", text.as_bytes())], &Defaults::default());
    let problems: Vec<_> = loaded.problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty() && loaded.documents.len() == 1, "{problems:?}\n{text}");
    loaded.documents.remove(0)
}

/// What the default installation is.
pub(crate) const STAY: &str = r#"
apiVersion: ted-controller.dev/v1alpha1
kind: TurbotEnterpriseDatabase
metadata: {name: einstein}
spec:
  cache: {engine: redis, version: "7.1"}
"#;

/// What it is to become.
pub(crate) const MIGRATE: &str = r#"
apiVersion: ted-controller.dev/v1alpha1
kind: TurbotEnterpriseDatabase
metadata: {name: einstein}
spec:
  account: "111122223333"
  region: us-east-2
  tedVersion: v1.52.1
  cache: {engine: valkey, version: "8.0"}
  policy: {mode: apply, approve: [redis-to-valkey]}
"#;
