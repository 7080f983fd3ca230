//! Updates that fail: the product is tainted, events come back, and it is tried again only when that makes sense.

use super::daemon::{Daemon, is};
use super::look::MIGRATE;
use super::stage::{HOURS, Stage, migrate};
use super::truths::Truths;
use super::worlds::done;
use ted_controller::assess::types::ConditionType::{EventsPaused, Stalled};
use ted_controller::report::Status;
use ted_controller::report::commands::Command;

async fn retry(daemon: &Daemon) {
    let (name, token) = ("einstein".to_owned(), "now".to_owned());
    daemon.ask(Command::Reconcile { name, token, retry: true }).await;
}

/// Nobody but a person goes on, and events run.
fn gave_up(status: &Status) -> bool {
    is(status, Stalled) && !is(status, EventsPaused)
}

fn attempts(status: &Status) -> &str {
    let gate = status.gates.iter().find(|gate| gate.gate == "attempts").unwrap();
    assert!(!gate.holds, "{gate:?}");
    &gate.message
}

const BACKS_UP: &str =
    "on: {update-started: {}}, do: {database-status: {status: backing-up, for: 10m}}";

#[tokio::test(start_paused = true)]
async fn what_time_heals_is_tried_again_when_it_is_healed() {
    let stage = Stage::set(&format!("actions: [{{{BACKS_UP}}}]")).await;
    let daemon = stage.daemon(MIGRATE);
    let tainted = |status: &Status| status.actual.product_status.as_deref() == Some("TAINTED");
    daemon.until("the failure", HOURS, tainted).await;
    daemon.until("events to run", HOURS, |status| !is(status, EventsPaused)).await;
    assert!(attempts(&daemon.status().unwrap()).contains("is not in available state"));
    daemon.until("the migration", HOURS, done).await;
    stage.rests().await;
    Truths::of(&stage, 2).hold(&stage).await;
}

#[tokio::test(start_paused = true)]
async fn it_is_tried_only_so_often_and_again_when_a_person_says_so() {
    let stage = Stage::set(&format!("actions: [{{{BACKS_UP}, times: 2}}]")).await;
    let daemon = stage.daemon(&migrate(&[("{mode: apply,", "{mode: apply, maxAttempts: 2,")]));
    daemon.until("it to be given up", HOURS, gave_up).await;
    stage.rests().await;
    Truths::of(&stage, 2).hold(&stage).await;
    assert!(attempts(&daemon.status().unwrap()).contains("failed 2 times"));
    retry(&daemon).await;
    daemon.until("the migration", HOURS, done).await;
    Truths::of(&stage, 3).hold(&stage).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_person_has_to_heal_is_tried_once() {
    let stage =
        Stage::set("{extends: access-denied-launch-role, options: {rollbackOfRefused: skipped}}")
            .await;
    let daemon = stage.daemon(MIGRATE);
    daemon.until("it to be given up", HOURS, gave_up).await;
    stage.rests().await;
    Truths::of(&stage, 1).hold(&stage).await;
    let status = daemon.status().unwrap();
    assert!(
        attempts(&status).contains("elasticache:ModifyReplicationGroup"),
        "{}",
        attempts(&status)
    );
    stage.act("allow");
    stage.rests().await;
    // Another document is another attempt; so is a person's word.
    daemon
        .commit(Some(&migrate(&[("  policy:", "  parameters: {MaxConnections: 800}\n  policy:")])));
    daemon.until("the migration", HOURS, done).await;
    Truths::of(&stage, 2).hold(&stage).await;
}

#[tokio::test(start_paused = true)]
async fn after_the_door_nothing_is_tried_by_itself() {
    let stage = Stage::named("past-the-door").await;
    let daemon = stage.daemon(MIGRATE);
    daemon.until("a person to be asked", HOURS, |status| is(status, Stalled)).await;
    stage.rests().await;
    assert_eq!(stage.count("UpdateProvisionedProduct"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_told_and_never_cancelled() {
    let stage = Stage::set("options: {resourceTime: 1s, databaseTime: 30s, cacheTime: 3h}").await;
    let daemon = stage.daemon(&migrate(&[("{mode: apply,", "{mode: apply, updateTimeout: 2h,")]));
    let silent = |status: &Status| {
        status.findings.iter().any(|finding| finding.code == "sync/update-silent")
    };
    daemon.until("silence", HOURS, silent).await;
    assert!(!is(&daemon.status().unwrap(), Stalled), "that is told, and nobody is called");
    daemon.until("a person to be called", HOURS, |status| is(status, Stalled)).await;
    let status = daemon.status().unwrap();
    let stalled = status.condition(Stalled).unwrap();
    assert_eq!(stalled.reason, "UpdateTimeout");
    assert!(stalled.message.contains("CacheStack"), "where it is: {stalled:?}");
    assert!(is(&status, EventsPaused));
    daemon.until("the migration", HOURS, done).await;
    stage.rests().await;
    Truths::of(&stage, 1).hold(&stage).await;
}
