//! The real loop against the simulated AWS in process, under virtual time: whole stories, from a document to its effect.

#![cfg(feature = "demo")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a helper of a story may fail like the story, and says which seed it was"
)]

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
#[path = "passes/open.rs"]
mod open;
#[path = "passes/operators.rs"]
mod operators;
#[path = "passes/orphans.rs"]
mod orphans;
#[path = "passes/wire.rs"]
mod wire;
#[path = "passes/worlds.rs"]
mod worlds;

use daemon::{Daemon, Options, is};
use look::{MIGRATE, STAY};
use stage::{HOURS, Stage};
use std::time::Duration;
use ted_controller::assess::types::ConditionType;
use ted_controller::clock;
use ted_controller::report::Status;
use ted_controller::report::commands::Command;
use ted_sim::{Scenario, Sim};
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
    for part in [0, 50, 70] {
        let far = |status: &Status| {
            status.progress.as_ref().is_some_and(|it| {
                let part_done = 100 * it.stacks_done / it.stacks_total;
                part_done >= part && part_done < 100
            })
        };
        daemon.until(&format!("{part} % of the stacks"), HOURS, far).await;
    }
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

#[tokio::test(start_paused = true)]
async fn slow_writes_do_not_hide_how_fast_aws_goes() {
    // Each write takes a second of ours. Whoever took the end of a pass for the time of its look would think that AWS goes as slow as
    // we do, and wait a minute for what is there in three seconds.
    let text = "faults:\n  - {service: lambda, effect: write, fault: {latency: 1s}}\n";
    let scenario = Scenario::parse("slow.yaml", text).expect("it parses");
    let sim = Sim::start(&scenario, 20.0).expect("it starts");
    let daemon = Daemon::start(&sim, STAY, Options::default());
    for look in 0..3 {
        clock::sleep(Duration::from_secs(5)).await;
        let token = look.to_string();
        let name = "einstein".to_owned();
        daemon.ask(Command::Reconcile { name, token: token.clone(), retry: false }).await;
        let looked = |status: &Status| status.last_handled_reconcile.as_ref() == Some(&token);
        daemon.until("a look", HOURS, looked).await;
    }
    let began = clock::now();
    daemon.commit(Some(MIGRATE));
    daemon.until("the migration", HOURS, |status| is(status, ConditionType::Drifted)).await;
    daemon.until("its end", HOURS, |status| is(status, ConditionType::Ready)).await;
    daemon.until("events to run", HOURS, |status| !is(status, ConditionType::EventsPaused)).await;
    let took = began.elapsed();
    daemon.stop().await;
    // 31 writes are half a minute, and so is the update itself.
    assert!(took < Duration::from_mins(3), "{took:?}");
}
