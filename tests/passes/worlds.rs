//! The ways in which a migration can go well: how the cache gets there, and where it starts.

use super::daemon::{Daemon, is};
use super::look::MIGRATE;
use super::stage::{HOURS, Stage, migrate};
use super::truths::Truths;
use std::time::Duration;
use ted_controller::assess::types::ConditionType::{EventsPaused, Ready};
use ted_controller::report::Status;

/// As wanted, and events run.
pub(super) fn done(status: &Status) -> bool {
    is(status, Ready) && !is(status, EventsPaused) && status.plan.is_empty()
}

/// A migration that goes through by one update, and what is said of it.
pub(super) async fn goes_through(
    stage: &Stage,
    document: &str,
    truths: Truths,
) -> (Daemon, Status) {
    let daemon = stage.daemon(document);
    daemon.until("the migration", HOURS, done).await;
    stage.rests().await;
    truths.hold(stage).await;
    let status = daemon.status().unwrap();
    (daemon, status)
}

fn engine(status: &Status) -> (Option<&str>, Option<&str>) {
    (status.actual.engine.as_deref(), status.actual.engine_version.as_deref())
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_upgraded_in_place_or_replaced_ends_on_valkey() {
    for scenario in ["in-place", "replace"] {
        let stage = Stage::named(scenario).await;
        let (_, status) = goes_through(&stage, MIGRATE, Truths::of(&stage, 1)).await;
        assert_eq!(engine(&status), (Some("valkey"), Some("8.0.1")), "{scenario}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_stays_behind_is_told_and_keeps_nothing_up() {
    let stage = Stage::named("leave-behind").await;
    let daemon = stage.daemon(MIGRATE);
    let told = |status: &Status| {
        status.findings.iter().any(|finding| finding.code == "sync/cache-left-behind")
    };
    let is_told = |status: &Status| told(status) && !is(status, EventsPaused);
    daemon.until("the update, and events to run", HOURS, is_told).await;
    stage.rests().await;
    Truths::of(&stage, 1).hold(&stage).await;
}

#[tokio::test(start_paused = true)]
async fn the_engine_alone_and_the_version_alone_are_changed_too() {
    let stage = Stage::set("world: {teds: [{hive: einstein, version: v1.50.0}]}").await;
    let document = migrate(&[("  tedVersion: v1.52.1\n", "")]);
    let (_, status) = goes_through(&stage, &document, Truths::of(&stage, 1)).await;
    assert_eq!(engine(&status), (Some("valkey"), Some("8.0.1")));
    assert_eq!(status.actual.ted_version.as_deref(), Some("1.50.0"));

    let stage = Stage::named("default").await;
    let document =
        migrate(&[("{engine: valkey, version: \"8.0\"}", "{engine: redis, version: \"7.1\"}")]);
    let (_, status) = goes_through(&stage, &document, Truths::of(&stage, 1)).await;
    assert_eq!(engine(&status), (Some("redis"), Some("7.1.0")));
    assert_eq!(status.actual.ted_version.as_deref(), Some("1.52.1"));
}

#[tokio::test(start_paused = true)]
async fn events_that_need_no_pause_are_left_alone() {
    let stage = Stage::named("default").await;
    let document = migrate(&[("  policy:", "  events: {pause: false}\n  policy:")]);
    let truths = Truths { paused: false, ..Truths::of(&stage, 1) };
    goes_through(&stage, &document, truths).await;
    let writes: Vec<String> = stage.writes().into_iter().map(|call| call.operation).collect();
    assert_eq!(writes, ["UpdateProvisionedProduct"]);
    // Of a start in the calm: from the first call to the update.
    let calls = stage.calls();
    let update = calls.iter().find(|call| call.operation == "UpdateProvisionedProduct").unwrap();
    let took = update.at.since(calls[0].at);
    assert!(took <= Duration::from_millis(300), "from the first look to the update: {took:?}");
}

#[tokio::test(start_paused = true)]
async fn storage_that_grew_by_itself_is_adopted_by_an_update_that_is_due_anyway() {
    let stage = Stage::named("storage-autoscaled").await;
    // Storage takes no further change for six hours.
    stage.sim.clock().advance(Duration::from_hours(7));
    let document = migrate(&[("{mode: apply,", "{mode: apply, storage: adopt,")]);
    goes_through(&stage, &document, Truths::of(&stage, 1)).await;
    let region = stage.region().await;
    let stacks = region["stacks"].as_object().unwrap().values();
    let sizes: Vec<&str> =
        stacks.filter_map(|stack| stack["parameters"]["AllocatedStorage"].as_str()).collect();
    assert!(!sizes.is_empty() && sizes.iter().all(|size| *size == "240"), "{sizes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_tainted_product_and_a_path_that_moved_are_no_obstacles() {
    for scenario in ["tainted", "stale-path"] {
        let stage = Stage::named(scenario).await;
        goes_through(&stage, MIGRATE, Truths::of(&stage, 1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn workers_of_another_hives_te_version_are_not_touched() {
    let stage = Stage::set(
        "world:
  teVersions: [{version: 5.39.12}, {version: 5.40.3}, {version: 5.41.0}]
  workspaces:
    - {name: acme, hive: einstein, version: 5.39.12}
    - {name: globex, hive: einstein, version: 5.40.3}
    - {name: initech, hive: newton, version: 5.41.0}",
    )
    .await;
    goes_through(&stage, MIGRATE, Truths::of(&stage, 1)).await;
    let triggers = stage.triggers().await;
    let others: Vec<_> = triggers.iter().filter(|it| it.te_version() == "5.41.0").collect();
    assert_eq!(others.len(), 3);
    assert!(others.iter().all(|it| it.tags.is_empty() && it.runs.len() == 1), "{others:?}");
}
