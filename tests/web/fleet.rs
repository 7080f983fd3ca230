//! TEDs to show: the controller's own look at a simulated installation, judged by its own rules.

use crate::look::{document, observer};
use std::time::Duration;
use ted_controller::assess::facts::Facts;
use ted_controller::assess::past::Past;
use ted_controller::assess::types::Assessment;
use ted_controller::assess::{Context, assess};
use ted_controller::clock;
use ted_controller::desired::{Desired, Revision};
use ted_controller::observe::observation::Observation;
use ted_controller::observe::{Depth, Query};
use ted_controller::report::{Look, Store, sides};
use ted_sim::{Scenario, Sim};

/// What was found by one look.
pub(crate) struct Found {
    pub(crate) desired: Desired,
    pub(crate) observation: Observation,
    pub(crate) assessment: Assessment,
}

/// A look at the TED of a scenario after some time, under another name and with a spec of its own.
pub(crate) async fn find(scenario: &str, after: Duration, name: &str, spec: &str) -> Found {
    let sim = Sim::start(&Scenario::named(scenario).unwrap(), 1.0).unwrap();
    sim.clock().advance(after);
    let desired = document(&format!(
        "apiVersion: ted-controller.dev/v1alpha1\nkind: TurbotEnterpriseDatabase\nmetadata: {{name: {name}}}\nspec: \
         {{region: us-east-2, provisionedProduct: ted-einstein, hive: einstein, {spec}}}\n"
    ));
    let look = observer(&sim).look(&Query::of(&desired), Depth::Full).await.unwrap();
    let context = Context { controller_id: "ctl-1".to_owned(), ..Context::default() };
    let assessment = assess(&desired, &look.observation, &context);
    Found { desired, observation: look.observation, assessment }
}

impl Found {
    /// Lets the store know of it.
    pub(crate) fn record(&self, store: &Store, token: Option<&str>) {
        let now = clock::wall();
        let Self { desired, observation, assessment } = self;
        let facts = Facts::of(Some(desired), observation);
        store.put_document(desired, now);
        let revision = Revision::of_files(&[]);
        let look = Look {
            observed_revision: Some(&revision),
            attempted_revision: None,
            applied_revision: None,
            observed_at: observation.now,
            next_look_at: now.checked_add(Duration::from_mins(2)).ok(),
            handled_reconcile: token.map(str::to_owned),
            assessment,
            sides: &sides(Some(desired), observation, &facts.roles, &assessment.findings),
            progress: None,
            events: None,
            history: Vec::new(),
            past: Past::default(),
        };
        store.record(&desired.name, &look, now);
    }
}

/// A spec that the default installation fulfils.
pub(crate) const STAY: &str = "cache: {engine: redis, version: '7.1'}";

/// A spec that it does not.
pub(crate) const MIGRATE: &str = "tedVersion: v1.52.1, cache: {engine: valkey, version: '8.0'}";

/// A TED that is as it should be.
pub(crate) async fn settled(name: &str) -> Found {
    find("default", Duration::ZERO, name, STAY).await
}

/// A TED that waits for a person.
pub(crate) async fn blocked(name: &str) -> Found {
    find("default", Duration::ZERO, name, MIGRATE).await
}
