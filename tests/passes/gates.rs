//! Gates: each of them closed, and then nothing is changed, not even a tag; and those that close while events are paused.

use super::daemon::{Daemon, Options, describe, is};
use super::look::{MIGRATE, STAY};
use super::stage::{HOURS, Stage, migrate, observing};
use super::truths::Truths;
use super::worlds::done;
use std::collections::BTreeSet;
use std::time::Duration;
use ted_controller::assess::gates;
use ted_controller::assess::types::ConditionType::{EventsPaused, Reconciling, Stalled};
use ted_controller::assess::types::GateState::{self, NeedsPerson, Unknown, Waiting};
use ted_controller::clock;

/// Why, the world, the document, the gate that is closed, and how.
struct Closed {
    gate: &'static str,
    world: &'static str,
    edits: &'static [(&'static str, &'static str)],
    state: GateState,
}

const fn closed(
    gate: &'static str,
    state: GateState,
    world: &'static str,
    edits: &'static [(&'static str, &'static str)],
) -> Closed {
    Closed { gate, world, edits, state }
}

const CLOSED: &[Closed] = &[
    closed(
        "product",
        NeedsPerson,
        "actions: [{at: 0s, do: {product-status: {status: ERROR}}}]",
        &[],
    ),
    closed(
        "product",
        NeedsPerson,
        "{}",
        &[("  account:", "  provisionedProduct: ted-nobody\n  account:")],
    ),
    closed("identity", NeedsPerson, "{}", &[("  account:", "  hive: newton\n  account:")]),
    closed(
        "stable",
        Waiting,
        "actions: [{at: 0s, do: {product-status: {status: UNDER_CHANGE}}}]",
        &[],
    ),
    closed("launch-role", NeedsPerson, "extends: no-launch-role", &[]),
    closed(
        "version-offered",
        NeedsPerson,
        "actions: [{at: 0s, do: {artifact-retire: {version: v1.52.1}}}]",
        &[],
    ),
    closed(
        "version-forward",
        NeedsPerson,
        "world: {teds: [{hive: einstein, version: v1.52.0}]}",
        &[("v1.52.1", "v1.51.0")],
    ),
    closed("valkey-supported", NeedsPerson, "{}", &[("  tedVersion: v1.52.1\n", "")]),
    closed(
        "parameters-known",
        NeedsPerson,
        "{}",
        &[("  policy:", "  parameters: {Nonsense: 1}\n  policy:")],
    ),
    closed("one-way", NeedsPerson, "{}", &[(", approve: [redis-to-valkey]", "")]),
    closed("no-destruction", NeedsPerson, "{}", &[("\"8.0\"}", "\"8.0\", nodes: 1}")]),
    closed(
        "database-available",
        Waiting,
        "actions: [{at: 0s, do: {database-status: {status: upgrading}}}]",
        &[],
    ),
    closed(
        "cache-available",
        Waiting,
        "actions: [{at: 0s, do: {cache-status: {status: modifying}}}]",
        &[],
    ),
    closed(
        "storage-in-step",
        NeedsPerson,
        "extends: storage-autoscaled",
        &[("{mode: apply,", "{mode: apply, storage: report,")],
    ),
    closed("backup-clear", Waiting, "world: {start: \"2026-08-04T02:40:00Z\"}", &[]),
    closed(
        "events-pausable",
        NeedsPerson,
        "{}",
        &[("  policy:", "  events: {prefix: other}\n  policy:")],
    ),
    closed(
        "events-pausable",
        Unknown,
        "actions: [{at: 0s, do: {deny: {principal: caller, actions: [\"lambda:ListTags\"]}}}]",
        &[],
    ),
    closed(
        "window",
        Waiting,
        "{}",
        &[(
            "{mode: apply,",
            "{maintenanceWindows: [{days: [Sun], start: \"02:00\", end: \"06:00\", timezone: UTC}], mode: apply,",
        )],
    ),
    closed("allowed", NeedsPerson, "{}", &[("mode: apply", "mode: observe")]),
    closed("allowed", NeedsPerson, "{}", &[("  policy:", "  suspend: true\n  policy:")]),
    closed(
        "allowed",
        Waiting,
        "{}",
        &[("  policy:", "  suspend: {reason: fair, until: 2026-08-02T00:00:00Z}\n  policy:")],
    ),
];

/// Gates that other stories close: these need a past, or a look that came to something.
const ELSEWHERE: [&str; 4] = ["account", "something-changes", "self-heal", "attempts"];

#[test]
fn every_gate_has_its_story() {
    let told: BTreeSet<&str> = CLOSED.iter().map(|closed| closed.gate).chain(ELSEWHERE).collect();
    assert_eq!(told, gates::names().collect::<BTreeSet<_>>());
}

async fn stays_closed(closed: &Closed) {
    let stage = Stage::set(closed.world).await;
    let daemon = stage.daemon(&migrate(closed.edits));
    daemon.until("a verdict", HOURS, |status| status.phase.is_some()).await;
    // What waits is looked at every quarter of a minute.
    let minutes = if closed.state == Waiting { 3 } else { 11 };
    clock::sleep(Duration::from_mins(minutes)).await;
    let status = daemon.status().unwrap();
    let told = describe("einstein", Some(&status), &daemon.store);
    let gate = status.gates.iter().find(|gate| gate.gate == closed.gate).unwrap();
    assert_eq!(gate.state, closed.state, "{}: {gate:?}\n{told}", closed.gate);
    assert_eq!(stage.writes(), [], "{}\n{told}", closed.gate);
    // Whoever only observes, or is suspended, wants nothing of anybody.
    let wants = closed.gate != "allowed";
    assert_eq!(
        is(&status, Stalled),
        wants && closed.state == NeedsPerson,
        "{}\n{told}",
        closed.gate
    );
    if closed.state == Waiting && wants {
        assert!(is(&status, Reconciling), "{}\n{told}", closed.gate);
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_gate_about_product_and_version_is_closed_nothing_is_changed() {
    for closed in &CLOSED[..9] {
        stays_closed(closed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_gate_about_resources_and_time_is_closed_nothing_is_changed() {
    for closed in &CLOSED[9..] {
        stays_closed(closed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_wrong_account_or_under_an_upper_bound_nothing_is_changed() {
    let stage = Stage::named("default").await;
    let daemon = stage.daemon(&migrate(&[("111122223333", "444455556666")]));
    daemon.until("to be told", HOURS, |status| status.trouble.is_some()).await;
    let bound = Daemon::start(&stage.sim, MIGRATE, observing());
    bound.until("a verdict", HOURS, |status| status.phase.is_some()).await;
    clock::sleep(Duration::from_mins(11)).await;
    assert!(is(&daemon.status().unwrap(), Stalled));
    assert!(!is(&bound.status().unwrap(), Stalled));
    assert_eq!(stage.writes(), []);
}

#[tokio::test(start_paused = true)]
async fn a_taint_alone_is_told_and_changes_nothing() {
    let stage = Stage::named("tainted").await;
    let daemon = stage.daemon(&STAY.replace("  cache:", "  policy: {mode: apply}\n  cache:"));
    let told = |status: &ted_controller::report::Status| {
        status.findings.iter().any(|finding| finding.code == "sync/product-tainted")
    };
    daemon.until("the finding", HOURS, told).await;
    clock::sleep(Duration::from_mins(11)).await;
    assert_eq!(stage.writes(), []);
}

/// A pause is complete: every trigger reads Disabled or is on its way.
async fn paused(stage: &Stage) {
    stage.until_called("UpdateEventSourceMapping", 6).await;
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_closes_while_events_are_paused_gives_them_back() {
    // For a person: at once. By itself, nobody knows when: after five minutes.
    for (action, at_least, at_most) in [
        ("database-status: {status: stopped}", 0, 3),
        ("database-status: {status: upgrading}", 4, 8),
        ("artifact-retire: {version: v1.52.1}", 0, 3),
    ] {
        let stage = Stage::named("default").await;
        let daemon = stage.daemon(MIGRATE);
        paused(&stage).await;
        let began = clock::now();
        stage.act(action);
        stage.until_given_back().await;
        let took = began.elapsed().as_secs() / 60;
        daemon.until("that to be seen", HOURS, |status| !is(status, EventsPaused)).await;
        assert!((at_least..=at_most).contains(&took), "{action}: {took} min");
        stage.rests_for(Duration::from_mins(4)).await;
        Truths::of(&stage, 0).hold(&stage).await;
        assert!(!is(&daemon.status().unwrap(), EventsPaused));
    }
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_opens_again_within_minutes_keeps_events_paused() {
    let stage = Stage::named("default").await;
    let daemon = stage.daemon(MIGRATE);
    paused(&stage).await;
    stage.act("database-status: {status: backing-up, for: 3m}");
    daemon.until("the migration", HOURS, done).await;
    Truths::of(&stage, 1).hold(&stage).await;
    assert_eq!(stage.count("UpdateEventSourceMapping"), 12, "one pause");
}

#[tokio::test(start_paused = true)]
async fn a_freeze_stops_every_start() {
    let stage = Stage::named("default").await;
    let daemon = Daemon::with(&stage.sim, None, Options::default());
    let freeze = |on| ted_controller::report::commands::Command::Freeze { on, reason: None };
    daemon.ask(freeze(true)).await;
    daemon.commit(Some(MIGRATE));
    daemon.until("a verdict", HOURS, |status| status.phase.is_some()).await;
    stage.rests().await;
    assert_eq!(stage.writes(), []);
    daemon.ask(freeze(false)).await;
    daemon.until("the migration", HOURS, done).await;
    Truths::of(&stage, 1).hold(&stage).await;
}
