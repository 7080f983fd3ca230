//! The real loop against the simulated AWS in process, under virtual time: whole stories, from a document to its effect.

#![cfg(feature = "demo")]

#[path = "support/look.rs"]
mod look;

#[path = "support/daemon.rs"]
mod daemon;

use daemon::{Daemon, Options, is};
use look::MIGRATE;
use std::time::Duration;
use ted_controller::assess::types::ConditionType;
use ted_sim::{Scenario, Sim};

const HOURS: Duration = Duration::from_hours(6);

fn start(scenario: &str) -> Sim {
    Sim::start(&Scenario::named(scenario).expect("a named scenario"), 1.0).expect("it starts")
}

/// Calls that change something, by name, each run of the same counted.
fn writes(sim: &Sim) -> Vec<String> {
    let mut writes: Vec<(String, usize)> = Vec::new();
    for entry in sim.log() {
        if ![
            "UpdateProvisionedProduct",
            "ContinueUpdateRollback",
            "UpdateEventSourceMapping",
            "TagResource",
        ]
        .contains(&entry.operation.as_str())
        {
            continue;
        }
        match writes.last_mut() {
            Some((name, count)) if *name == entry.operation => *count += 1,
            _ => writes.push((entry.operation.clone(), 1)),
        }
    }
    writes.into_iter().map(|(name, count)| format!("{name} x{count}")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_document_is_enough_to_migrate_from_redis_to_valkey() {
    let sim = start("default");
    let daemon = Daemon::start(&sim, MIGRATE, Options::default());
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
    assert_eq!(writes(&sim), expected);
    assert_eq!(status.history[0].revision, status.applied_revision);
    daemon.stop().await;
}
