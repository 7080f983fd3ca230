//! Drift from outside, after all was as wanted.

use super::daemon::{Daemon, is};
use super::stage::{HOURS, Stage, migrate};
use super::truths::Truths;
use super::worlds::done;
use std::time::Duration;
use ted_controller::assess::types::ConditionType::{Drifted, Ready, Stalled};
use ted_controller::clock;
use ted_controller::report::Status;

/// A TED that is as its document says, with a parameter that somebody can change.
async fn as_wanted(self_heal: bool) -> (Stage, Daemon) {
    let stage = Stage::set(
        "world: {teds: [{hive: einstein, version: v1.52.1, parameters: {ElastiCacheEngine: valkey, ValkeyCacheVersion: \"8.0\", MaxConnections: \"800\"}}]}",
    )
    .await;
    let policy = format!("{{selfHeal: {self_heal}, settle: 10m, mode: apply,");
    let document = migrate(&[
        ("{mode: apply,", &policy),
        ("  policy:", "  parameters: {MaxConnections: 800}\n  policy:"),
    ]);
    let daemon = stage.daemon(&document);
    daemon.until("all as wanted", HOURS, done).await;
    (stage, daemon)
}

fn meddle(stage: &Stage) {
    stage.act("product-update: {parameters: {MaxConnections: \"500\"}}");
}

fn drifted(status: &Status) -> bool {
    is(status, Drifted) && status.actual.product_status.as_deref() == Some("AVAILABLE")
}

#[tokio::test(start_paused = true)]
async fn what_somebody_changes_is_put_back_when_it_has_stood_for_a_while() {
    let (stage, daemon) = as_wanted(true).await;
    assert_eq!(stage.writes(), []);
    let mut waits = Vec::new();
    for updates in 1..=2 {
        meddle(&stage);
        daemon.until("the drift", HOURS, drifted).await;
        let began = clock::now();
        stage
            .until("the first mark", async |stage| {
                stage.count("UpdateProvisionedProduct") == updates
            })
            .await;
        waits.push(began.elapsed().as_secs() / 60);
        daemon.until("all as wanted", HOURS, done).await;
        Truths::of(&stage, updates).hold(&stage).await;
    }
    // Whoever puts it back a second time may know more: the wait grows.
    assert!((9..=14).contains(&waits[0]) && (29..=34).contains(&waits[1]), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn without_leave_to_heal_it_is_told_and_left() {
    let (stage, daemon) = as_wanted(false).await;
    meddle(&stage);
    daemon.until("the drift", HOURS, drifted).await;
    clock::sleep(Duration::from_mins(30)).await;
    let status = daemon.status().unwrap();
    assert!(is(&status, Stalled) && !is(&status, Ready));
    assert_eq!(stage.writes(), []);
}

#[tokio::test(start_paused = true)]
async fn what_is_back_before_it_has_stood_is_left() {
    let (stage, daemon) = as_wanted(true).await;
    meddle(&stage);
    daemon.until("the drift", HOURS, drifted).await;
    stage.act("product-update: {parameters: {MaxConnections: \"800\"}}");
    daemon.until("all as wanted", HOURS, done).await;
    stage.rests().await;
    assert_eq!(stage.writes(), []);
}
