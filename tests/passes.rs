//! The real loop against the simulated AWS in process, under virtual time: whole stories, from a document to its effect.

#![cfg(feature = "demo")]

#[path = "support/look.rs"]
mod look;

#[path = "support/daemon.rs"]
mod daemon;

#[path = "passes/stage.rs"]
mod stage;
#[path = "passes/truths.rs"]
mod truths;

#[path = "passes/crashes.rs"]
mod crashes;
#[path = "passes/documents.rs"]
mod documents;
#[path = "passes/failures.rs"]
mod failures;
#[path = "passes/gates.rs"]
mod gates;
#[path = "passes/heal.rs"]
mod heal;
#[path = "passes/many.rs"]
mod many;
#[path = "passes/operators.rs"]
mod operators;
#[path = "passes/wire.rs"]
mod wire;
#[path = "passes/worlds.rs"]
mod worlds;

use daemon::is;
use look::MIGRATE;
use stage::{HOURS, Stage};
use ted_controller::assess::types::ConditionType;
use truths::Truths;

/// Calls that change something, by name, each run of the same counted.
fn writes(stage: &Stage) -> Vec<String> {
    let mut writes: Vec<(String, usize)> = Vec::new();
    for entry in stage.writes() {
        match writes.last_mut() {
            Some((name, count)) if *name == entry.operation => *count += 1,
            _ => writes.push((entry.operation.clone(), 1)),
        }
    }
    writes.into_iter().map(|(name, count)| format!("{name} x{count}")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_document_is_enough_to_migrate_from_redis_to_valkey() {
    let stage = Stage::set("options: {resourceTime: 8s}").await;
    let daemon = stage.daemon(MIGRATE);
    daemon.until("the migration", HOURS, |status| is(status, ConditionType::Ready)).await;
    daemon.until("events to run", HOURS, |status| !is(status, ConditionType::EventsPaused)).await;
    let status = daemon.status().unwrap();
    assert_eq!(status.actual.engine.as_deref(), Some("valkey"));
    assert_eq!(status.actual.ted_version.as_deref(), Some("1.52.1"));
    let enabled = |_| ["UpdateEventSourceMapping x1", "TagResource x1"];
    let mut expected = vec![
        "TagResource x6",
        "UpdateEventSourceMapping x6",
        "UpdateProvisionedProduct x1",
        "TagResource x6",
    ];
    expected.extend((0..6).flat_map(enabled));
    assert_eq!(writes(&stage), expected);
    assert_eq!(status.history[0].revision, status.applied_revision);
    stage.rests().await;
    Truths::of(&stage, 1).hold(&stage).await;
    daemon.stop().await;
}
