//! The observer against the simulated AWS in process: what it finds, what it cannot see, and what it costs.

#![cfg(feature = "demo")]

#[path = "support/look.rs"]
mod support;

use std::collections::BTreeSet;
use std::time::Duration;
use support::{MIGRATE, STAY, document, observer};
use ted_controller::assess::{Context, assess, survey};
use ted_controller::aws::SessionError;
use ted_controller::desired::ProductRef;
use ted_controller::observe::observation::{Observation, Seen};
use ted_controller::observe::{Depth, LookError, Observer, Query};
use ted_sim::faults::{Delay, Fault, Pattern, Rule};
use ted_sim::scenario::Action;
use ted_sim::spec::Effect;
use ted_sim::{Scenario, Sim};

fn start(scenario: &str) -> Sim {
    Sim::start(&Scenario::named(scenario).expect("a named scenario"), 1.0).expect("it starts")
}

async fn full(observer: &Observer, query: &Query) -> Observation {
    observer.look(query, Depth::Full).await.expect("a look").observation
}

/// What could not be read, and by which operation.
fn gaps(observation: &Observation) -> BTreeSet<(String, String)> {
    let gaps = observation.gaps().into_iter();
    gaps.map(|(what, gap)| (what.to_owned(), gap.operation.clone())).collect()
}

#[tokio::test(start_paused = true)]
async fn everything_is_found_in_three_round_trips_and_watched_in_one() {
    let sim = start("default");
    let observer = observer(&sim);
    let query = Query::of(&document(MIGRATE));
    let look = observer.look(&query, Depth::Full).await.unwrap();
    assert_eq!(look.rounds, 3);
    let found = look.observation;
    assert_eq!(gaps(&found), BTreeSet::new());

    let product = &found.products.present().unwrap()[0];
    assert_eq!((product.name.as_str(), product.status.as_str()), ("ted-einstein", "AVAILABLE"));
    assert!(product.product_name.as_deref().unwrap().contains("Enterprise Database"));
    let root = found.root.present().unwrap();
    assert_eq!(root.outputs["ReleaseVersion"], "1.44.0");
    let nested = found.nested.present().unwrap();
    assert!(nested.len() >= 10, "{}", nested.len());
    assert!(nested.iter().all(|stack| stack.resources_complete == stack.resources_total));
    let caches = found.caches.present().unwrap();
    assert_eq!(caches.len(), 1);
    assert!(caches[0].in_stack && caches[0].nodes.len() == 2, "{caches:?}");
    assert!(caches[0].nodes.iter().all(|node| node.engine_version.as_deref() == Some("7.1.0")));
    assert_eq!(found.database.present().unwrap().id, "turbot-einstein");
    let triggers = found.triggers.present().unwrap();
    assert_eq!(triggers.mappings.len(), 3 * triggers.te_versions.len());
    assert!(triggers.mappings.iter().all(|trigger| trigger.tags.is_some()));
    assert_eq!(triggers.missing_functions, [""; 0]);
    let offer = found.target.present().unwrap();
    assert_eq!(offer.artifact.name, "v1.52.1");
    assert!(offer.parameters.present().unwrap().len() >= 60);
    assert!(
        offer.usage.present().unwrap().labels.values().any(|label| label == "Valkey Cache Version")
    );
    assert!(
        found
            .template
            .present()
            .unwrap()
            .labels
            .values()
            .any(|label| label == "ElastiCache Version")
    );
    assert!(found.relatives.present().unwrap().iter().any(|relative| relative.workspace.is_some()));
    assert!(found.last_record.present().unwrap().outputs.contains_key("CloudformationStackARN"));

    let before = sim.log().len();
    let steady = observer.look(&query, Depth::Steady).await.unwrap();
    assert_eq!((steady.rounds, sim.log().len() - before), (1, 5), "{:?}", names(&sim, before));
    let mut again = steady.observation;
    (again.now, again.read_at) = (found.now, found.read_at.clone());
    assert_eq!(again, found, "nothing happened in between");
}

fn names(sim: &Sim, from: usize) -> Vec<String> {
    sim.log()[from..].iter().map(|entry| entry.operation.clone()).collect()
}

fn act(sim: &Sim, action: &str) {
    let action: Action =
        serde_yaml::with::singleton_map::deserialize(serde_yaml::Deserializer::from_str(action))
            .expect("an action");
    sim.act(&action).expect("it can happen");
}

#[tokio::test(start_paused = true)]
async fn what_moves_is_seen_by_the_next_steady_look() {
    let sim = start("default");
    let observer = observer(&sim);
    let query = Query::of(&document(STAY));
    full(&observer, &query).await;
    act(&sim, "cache-status: {status: modifying}");
    act(&sim, "database-status: {status: backing-up}");
    let look = observer.look(&query, Depth::Steady).await.unwrap();
    assert_eq!(look.rounds, 1);
    assert_eq!(look.observation.caches.present().unwrap()[0].status, "modifying");
    assert_eq!(look.observation.database.present().unwrap().status, "backing-up");
}

#[tokio::test(start_paused = true)]
async fn triggers_are_looked_at_again_after_ten_minutes() {
    let sim = start("default");
    let observer = observer(&sim);
    let query = Query::of(&document(STAY));
    let first = full(&observer, &query).await;
    let function = first.triggers.present().unwrap().mappings[0].function.clone();
    act(&sim, &format!("trigger-toggle: {{function: {function}, enabled: false}}"));
    ted_controller::clock::sleep(Duration::from_mins(9)).await;
    let state = |observation: &Observation| {
        let triggers = observation.triggers.present().unwrap();
        triggers.mappings.iter().find(|trigger| trigger.function == function).unwrap().state.clone()
    };
    let early = observer.look(&query, Depth::Steady).await.unwrap();
    assert_eq!((early.rounds, state(&early.observation).as_str()), (1, "Enabled"));
    assert_eq!(early.observation.read_at["triggers"], first.now, "and it is said how old that is");
    ted_controller::clock::sleep(Duration::from_secs(61)).await;
    let late = observer.look(&query, Depth::Steady).await.unwrap();
    assert_eq!(state(&late.observation), "Disabled");
    let queues = &late.observation.triggers.present().unwrap().queues;
    assert!(queues.len() == 1 && queues[0].retention_seconds.is_some(), "{queues:?}");
}

#[tokio::test(start_paused = true)]
async fn what_teds_of_a_region_have_in_common_is_asked_for_once() {
    let sim = start("two-hives");
    sim.add_fault(Rule::always(Fault::Latency(Delay::fixed(Duration::from_millis(50)))));
    let observer = observer(&sim);
    let one = Query::of(&document(STAY));
    let other = Query::of(&document(&STAY.replace("einstein", "newton")));
    let by_name = |name: &str| Query::product(ProductRef::Name(name.to_owned()), None);
    let (c, d) = (by_name("ted-einstein"), by_name("ted-newton"));
    let looks = tokio::join!(
        observer.look(&one, Depth::Full),
        observer.look(&other, Depth::Full),
        observer.look(&c, Depth::Full),
        observer.look(&d, Depth::Full),
    );
    for look in [looks.0, looks.1, looks.2, looks.3] {
        assert_eq!(gaps(&look.unwrap().observation), BTreeSet::new());
    }
    let asked = |name: &str| names(&sim, 0).iter().filter(|n| *n == name).count();
    for shared in [
        "DescribeStacks",
        "DescribeReplicationGroups",
        "DescribeCacheClusters",
        "DescribeDBInstances",
        "ListEventSourceMappings",
        "ListProvisioningArtifacts",
        "ListLaunchPaths",
    ] {
        // The first one asks at once; those who began later must not be shown what was asked for before.
        assert!((1..=2).contains(&asked(shared)), "{shared}: {}", asked(shared));
    }

    sim.clear_faults();
    let start = sim.log().len();
    ted_controller::clock::sleep(Duration::from_mins(1)).await;
    observer.look(&one, Depth::Steady).await.unwrap();
    assert_eq!(sim.log().len() - start, 5, "nobody had asked a moment ago");
    ted_controller::clock::sleep(Duration::from_secs(4)).await;
    let look = observer.look(&other, Depth::Steady).await.unwrap();
    assert_eq!(names(&sim, start + 5).len(), 2, "product and stack are its own");
    let (caches, product) =
        (look.observation.read_at["caches"], look.observation.read_at["products"]);
    assert_eq!(product.duration_since(caches).as_secs(), 4, "and how old the rest is, is said");
    act(&sim, "cache-status: {status: modifying}");
    let again = observer.look(&one, Depth::Steady).await.unwrap();
    assert_eq!(again.observation.caches.present().unwrap()[0].status, "modifying");
}

#[tokio::test(start_paused = true)]
async fn what_stacks_hold_is_listed_again_only_when_they_moved() {
    let sim = start("default");
    let observer = observer(&sim);
    let query = Query::of(&document(STAY));
    let listed = |from: usize| {
        let names = names(&sim, from);
        ["ListStackResources", "GetTemplateSummary"]
            .map(|wanted| names.iter().filter(|name| *name == wanted).count())
    };
    let mut first = full(&observer, &query).await;
    assert!(listed(0)[0] > 10 && listed(0)[1] == 1, "{:?}", listed(0));
    let start = sim.log().len();
    let mut second = full(&observer, &query).await;
    assert_eq!(listed(start), [0, 0]);
    (first.now, first.read_at) = (second.now, second.read_at.clone());
    assert_eq!(first, second);
    act(&sim, r#"stack-update: {parameters: {MaxConnections: "800"}}"#);
    ted_controller::clock::sleep(Duration::from_hours(1)).await;
    let start = sim.log().len();
    second = full(&observer, &query).await;
    assert!(listed(start)[0] > 10 && listed(start)[1] == 1, "{:?}", listed(start));
    let value = &second.root.present().unwrap().parameters["MaxConnections"].value;
    assert_eq!(value, "800");
}

#[tokio::test(start_paused = true)]
async fn a_look_only_reads_whatever_the_world_is_like() {
    for name in Scenario::names() {
        let sim = start(name);
        let observer = observer(&sim);
        let query = Query::of(&document(MIGRATE));
        for depth in [Depth::Full, Depth::Steady] {
            // Some scenarios deny or break: then there may be no look, but never a write and never a panic.
            if let Ok(look) = observer.look(&query, depth).await {
                assess(&document(MIGRATE), &look.observation, &Context::default());
            }
        }
        let writes: Vec<String> = sim
            .log()
            .into_iter()
            .filter(|entry| entry.effect != Some(Effect::Read))
            .map(|entry| entry.operation)
            .collect();
        assert_eq!(writes, [""; 0], "scenario {name}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_unreadable_by_name_and_nothing_is_assumed() {
    let sim = start("default");
    let reference = {
        let observer = observer(&sim);
        full(&observer, &Query::of(&document(MIGRATE))).await
    };
    let called: BTreeSet<(String, String)> = sim
        .log()
        .into_iter()
        .map(|entry| (entry.service.unwrap_or_default().to_owned(), entry.operation))
        .filter(|(service, _)| service != "sts")
        .collect();
    assert!(called.len() >= 14, "{called:?}");
    for (service, operation) in called {
        sim.clear_faults();
        sim.add_fault(Rule {
            service: Some(Pattern(service.clone())),
            operation: Some(Pattern(operation.clone())),
            ..Rule::always(Fault::AccessDenied)
        });
        let observer = observer(&sim);
        let found = full(&observer, &Query::of(&document(MIGRATE))).await;
        let gaps = gaps(&found);
        assert!(
            gaps.iter().any(|(_, named)| *named == format!("{service}:{operation}")),
            "{service}:{operation} denied: {gaps:?}"
        );
        match operation.as_str() {
            "ListTags" => {
                let triggers = found.triggers.present().unwrap();
                assert!(triggers.mappings.iter().all(|trigger| trigger.tags.is_none()));
            }
            "SearchProvisionedProducts" => {
                assert_eq!(found.products.present().unwrap()[0].product_name, None);
                assert_eq!(found.root, reference.root, "found by its name instead");
            }
            _ => {}
        }
        // A gap never looks like an absence.
        let (now, then) =
            (serde_json::to_value(&found).unwrap(), serde_json::to_value(&reference).unwrap());
        for (part, seen) in now.as_object().unwrap() {
            let became_absent = seen == "absent" && then[part] != "absent";
            assert!(!became_absent, "{service}:{operation} denied: {part} looks absent");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pages_of_one_and_crowds_of_functions_change_nothing() {
    let reference = full(&observer(&start("default")), &Query::of(&document(MIGRATE))).await;
    let small = full(&observer(&start("small-pages")), &Query::of(&document(MIGRATE))).await;
    let many = full(&observer(&start("many-functions")), &Query::of(&document(MIGRATE))).await;
    let kinds = |observation: &Observation| {
        let triggers = observation.triggers.present().unwrap();
        let functions: Vec<_> = triggers.mappings.iter().map(|t| t.function.clone()).collect();
        let nested = observation.nested.present().unwrap().len();
        (functions, nested, observation.caches.present().unwrap().len())
    };
    assert_eq!(kinds(&small), kinds(&reference));
    assert_eq!(kinds(&many), kinds(&reference));
    assert_eq!(
        small.versions.present().unwrap().len(),
        reference.versions.present().unwrap().len()
    );
}

#[tokio::test(start_paused = true)]
async fn a_product_without_a_document_can_be_surveyed() {
    let sim = start("default");
    let observer = observer(&sim);
    let found = observer.products(None, None).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].product.name, "ted-einstein");
    let product = ProductRef::Id(found[0].product.id.clone());
    let observation = full(&observer, &Query::product(product, None)).await;
    assert!(observation.triggers.present().unwrap().mappings.len() >= 3, "its hive was found");
    let survey = survey(&observation, &Context::default());
    assert_eq!(survey.actual.engine.as_deref(), Some("redis"));
}

#[tokio::test(start_paused = true)]
async fn a_product_that_is_not_there_is_none_and_a_deleted_stack_is_absent() {
    let sim = start("default");
    let mut query = Query::of(&document(STAY));
    query.product = ProductRef::Name("ted-nobody".to_owned());
    let found = full(&observer(&sim), &query).await;
    assert_eq!(found.products, Seen::Present(Vec::new()));
    assert_eq!(found.caches, Seen::NotLooked);

    let observer = observer(&sim);
    let query = Query::of(&document(STAY));
    full(&observer, &query).await;
    act(&sim, "stack-delete: {}");
    for depth in [Depth::Steady, Depth::Full] {
        // By its ARN CloudFormation still shows it, as deleted.
        let found = observer.look(&query, depth).await.unwrap().observation;
        assert_eq!(found.root, Seen::Absent, "{depth:?}");
        assert_eq!(found.products.present().unwrap().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn another_account_is_no_look_at_all() {
    let sim = start("default");
    let mut query = Query::of(&document(STAY));
    query.account = Some("999900001111".to_owned());
    let error = observer(&sim).look(&query, Depth::Full).await.unwrap_err();
    assert!(matches!(error, LookError::Session(SessionError::WrongAccount { .. })), "{error}");
    assert_eq!(error.reason(), "WrongAccount");
    assert!(error.hint().is_some());
}
