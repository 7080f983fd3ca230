//! What goes wrong between the controller and AWS.

use super::daemon::{Daemon, Options, is};
use super::look::MIGRATE;
use super::stage::{HOURS, Stage, migrate};
use super::truths::Truths;
use super::worlds::done;
use std::path::Path;
use std::time::Duration;
use ted_controller::assess::types::ConditionType::{EventsPaused, Ready, Stalled};
use ted_controller::clock;

/// Every kind of write goes wrong once: while pausing, at the update, while giving back.
async fn each_write_once(fault: &str) {
    let stage = Stage::named("default").await;
    for (operation, nth) in [
        ("TagResource", 2),
        ("UpdateEventSourceMapping", 3),
        ("UpdateProvisionedProduct", 1),
        ("TagResource", 9),
        ("UpdateEventSourceMapping", 10),
        ("TagResource", 15),
    ] {
        stage.fault(&format!("{{operation: {operation}, nth: {nth}, fault: {fault}}}"));
    }
    let daemon = stage.daemon(MIGRATE);
    daemon.until(&format!("the migration under {fault}"), HOURS, done).await;
    stage.until_given_back().await;
    stage.rests().await;
    Truths::of(&stage, 1).hold(&stage).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_costs_a_look_and_nothing_else() {
    for fault in ["lost-answer", "silence", "truncate"] {
        each_write_once(fault).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_lost_or_fails_costs_a_look_and_nothing_else() {
    for fault in ["drop", "hang", "internal-failure", "throttle"] {
        each_write_once(fault).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_fifth_of_all_calls_may_fail() {
    for faults in [
        "[{probability: 0.2, fault: throttle}]",
        "[{probability: 0.1, fault: internal-failure}, {probability: 0.1, fault: service-unavailable}]",
    ] {
        let stage = Stage::set(&format!("faults: {faults}")).await;
        let daemon = stage.daemon(MIGRATE);
        daemon.until("the migration", HOURS, done).await;
        Truths::of(&stage, 1).hold(&stage).await;
    }
}

#[tokio::test(start_paused = true)]
async fn reads_may_be_stale_and_the_wire_flaky() {
    for scenario in ["stale-reads", "flaky"] {
        let stage = Stage::named(scenario).await;
        let daemon = stage.daemon(MIGRATE);
        daemon.until("the migration", HOURS, done).await;
        Truths::of(&stage, 1).hold(&stage).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_tagged_or_disabled_is_given_back_whole() {
    for (action, off) in [("lambda:TagResource", 0), ("lambda:UpdateEventSourceMapping", 0)] {
        let stage = Stage::set(&format!(
            "actions: [{{at: 0s, do: {{deny: {{principal: caller, actions: [\"{action}\"]}}}}}}]"
        ))
        .await;
        let daemon = stage.daemon(MIGRATE);
        daemon.until("a person to be asked", HOURS, |status| is(status, Stalled)).await;
        stage.rests().await;
        assert_eq!(stage.off_now().await.len(), off, "{action}");
        Truths::of(&stage, 0).hold(&stage).await;
        assert!(!is(&daemon.status().unwrap(), EventsPaused));
        let gates = daemon.status().unwrap().gates;
        let gate = gates.iter().find(|gate| gate.gate == "attempts").unwrap();
        assert!(gate.message.contains(action), "{gate:?}");
        let held = |trigger: &super::stage::Trigger| {
            trigger.tags.values().any(|value| value.starts_with("held"))
        };
        assert!(!stage.triggers().await.iter().any(held), "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_is_denied_gives_events_back_and_asks_a_person() {
    let stage = Stage::named("access-denied-caller").await;
    let daemon = stage.daemon(MIGRATE);
    let gave_up =
        |status: &ted_controller::report::Status| is(status, Stalled) && !is(status, EventsPaused);
    daemon.until("it to be given up", HOURS, gave_up).await;
    stage.rests().await;
    Truths::of(&stage, 0).hold(&stage).await;
    stage.act("allow");
    daemon
        .commit(Some(&migrate(&[("  policy:", "  parameters: {MaxConnections: 800}\n  policy:")])));
    daemon.until("the migration", HOURS, done).await;
    Truths::of(&stage, 1).hold(&stage).await;
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_enabled_is_tried_until_it_may() {
    let stage = Stage::named("default").await;
    let daemon = stage.daemon(MIGRATE);
    stage.until_called("UpdateProvisionedProduct", 1).await;
    stage.act("deny: {principal: caller, actions: [\"lambda:UpdateEventSourceMapping\"]}");
    daemon
        .until("the update", HOURS, |status| {
            status.actual.engine.as_deref() == Some("valkey")
                && status.actual.product_status.as_deref() == Some("AVAILABLE")
        })
        .await;
    clock::sleep(Duration::from_mins(20)).await;
    let status = daemon.status().unwrap();
    assert!(is(&status, EventsPaused) && !is(&status, Ready), "{:?}", status.conditions);
    let stalled = status.condition(Stalled).unwrap();
    assert!(stalled.message.contains("lambda:UpdateEventSourceMapping"), "{stalled:?}");
    let tried = stage.writes().iter().filter(|call| call.status == Some(403)).count();
    assert!((3..100).contains(&tried), "it goes on trying, and does not hammer: {tried}");
    stage.act("allow");
    daemon.until("events to run", HOURS, done).await;
    Truths::of(&stage, 1).hold(&stage).await;
}

#[tokio::test(start_paused = true)]
async fn credentials_that_end_during_the_update_end_nothing() {
    let stage = Stage::set("{extends: credentials-expire, options: {resourceTime: 8s}}").await;
    let daemon = stage.daemon(MIGRATE);
    let unreadable = |status: &ted_controller::report::Status| status.trouble.is_some();
    daemon.until("the credentials to end", HOURS, unreadable).await;
    daemon.until("the migration", HOURS, done).await;
    Truths::of(&stage, 1).hold(&stage).await;
}

/// Puts a folder where the audit log would be: nothing can be written there, whoever tries.
fn spoil(state: &Path) {
    std::fs::create_dir_all(state.join("audit.jsonl")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_an_audit_log_nothing_starts_and_giving_back_goes_on() {
    let stage = Stage::named("default").await;
    let kept = tempfile::tempdir().unwrap();
    spoil(kept.path());
    let daemon = Daemon::start(&stage.sim, MIGRATE, Options::with_state(kept.path()));
    daemon.until("a person to be asked", HOURS, |status| is(status, Stalled)).await;
    stage.rests().await;
    assert_eq!(stage.writes(), []);
    let told = daemon.status().unwrap();
    assert!(
        told.gates
            .iter()
            .any(|gate| gate.gate == "attempts" && gate.message.contains("audit.jsonl"))
    );
    daemon.stop().await;

    std::fs::remove_dir(kept.path().join("audit.jsonl")).unwrap();
    let daemon = Daemon::start(&stage.sim, MIGRATE, Options::with_state(kept.path()));
    stage.until_called("UpdateProvisionedProduct", 1).await;
    let audit = std::fs::read_to_string(kept.path().join("audit.jsonl")).unwrap();
    assert!(audit.contains("\"step\":\"Update\",\"summary\":\"update `ted-einstein`"), "{audit}");
    std::fs::remove_file(kept.path().join("audit.jsonl")).unwrap();
    spoil(kept.path());
    daemon.until("the migration", HOURS, done).await;
    Truths::of(&stage, 1).hold(&stage).await;
}
