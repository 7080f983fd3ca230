//! Documents that go away, are suspended or broken, while events are paused or an update runs: events come back, whatever happens.

use super::daemon::{Daemon, is};
use super::look::MIGRATE;
use super::stage::{HOURS, Stage, migrate};
use super::truths::Truths;
use super::worlds::done;
use ted_controller::assess::types::ConditionType::{EventsPaused, Ready};
use ted_controller::report::commands::Command;

/// What happens to the document, or to the controller as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Deleted,
    Suspended,
    Observing,
    Frozen,
    Unapproved,
}

async fn turn(daemon: &Daemon, turn: Turn) {
    let edited = |from: &str, to: &str| daemon.commit(Some(&migrate(&[(from, to)])));
    match turn {
        Turn::Deleted => daemon.commit(None),
        Turn::Suspended => edited("  policy:", "  suspend: true\n  policy:"),
        Turn::Observing => edited("mode: apply", "mode: observe"),
        Turn::Unapproved => edited(", approve: [redis-to-valkey]", ""),
        Turn::Frozen => {
            let reason = Some("a fair".to_owned());
            daemon.ask(Command::Freeze { on: true, reason }).await;
        }
    }
}

/// How far the migration had come when it happened.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Some triggers are marked.
    Marking,
    /// All are off or on their way.
    Paused,
    /// The update was sent.
    Updating,
}

async fn reach(stage: &Stage, phase: Phase) {
    let (operation, times) = match phase {
        Phase::Marking => ("TagResource", 3),
        Phase::Paused => ("UpdateEventSourceMapping", 6),
        Phase::Updating => ("UpdateProvisionedProduct", 1),
    };
    stage.until_called(operation, times).await;
}

async fn comes_back(at: Turn, phases: &[Phase]) {
    for phase in phases {
        let stage = Stage::named("default").await;
        let daemon = stage.daemon(MIGRATE);
        reach(&stage, *phase).await;
        turn(&daemon, at).await;
        let updates = stage.count("UpdateProvisionedProduct");
        if updates == 1 {
            stage
                .until("the update to end", async |stage| {
                    let region = stage.region().await;
                    region["products"]["provisioned"]["ted-einstein"]["status"] == "AVAILABLE"
                })
                .await;
        }
        stage.until_given_back().await;
        stage.rests().await;
        assert_eq!(updates, usize::from(matches!(phase, Phase::Updating)), "{at:?} {phase:?}");
        Truths::of(&stage, updates).hold(&stage).await;
        if at == Turn::Deleted {
            daemon.until_gone(HOURS).await;
        } else {
            let status = daemon.status().unwrap();
            assert!(!is(&status, EventsPaused), "{at:?} {phase:?}");
            assert_eq!(is(&status, Ready), updates == 1, "{at:?} {phase:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn events_come_back_when_the_document_is_deleted() {
    comes_back(Turn::Deleted, &[Phase::Marking, Phase::Paused, Phase::Updating]).await;
}

#[tokio::test(start_paused = true)]
async fn events_come_back_when_the_document_is_suspended_or_only_observes() {
    comes_back(Turn::Suspended, &[Phase::Paused, Phase::Updating]).await;
    comes_back(Turn::Observing, &[Phase::Marking, Phase::Paused]).await;
}

#[tokio::test(start_paused = true)]
async fn events_come_back_when_the_controller_is_frozen_or_an_approval_is_withdrawn() {
    comes_back(Turn::Frozen, &[Phase::Paused, Phase::Updating]).await;
    comes_back(Turn::Unapproved, &[Phase::Marking, Phase::Paused]).await;
}

#[tokio::test(start_paused = true)]
async fn a_document_that_breaks_stays_in_force_as_it_was() {
    let stage = Stage::named("default").await;
    let daemon = stage.daemon(MIGRATE);
    reach(&stage, Phase::Paused).await;
    daemon.commit(Some("apiVersion: ted-controller.dev/v1alpha1\nkind: Turbot"));
    daemon.until("the migration", HOURS, done).await;
    Truths::of(&stage, 1).hold(&stage).await;
}

#[tokio::test(start_paused = true)]
async fn another_wish_during_the_pause_or_the_update_follows_in_its_turn() {
    for phase in [Phase::Paused, Phase::Updating] {
        let stage = Stage::named("default").await;
        let daemon = stage.daemon(MIGRATE);
        reach(&stage, phase).await;
        daemon.commit(Some(&migrate(&[(
            "  policy:",
            "  parameters: {MaxConnections: 800}\n  policy:",
        )])));
        let wanted = |region: &serde_json::Value| {
            let mut stacks = region["stacks"].as_object().unwrap().values();
            stacks.any(|stack| stack["parameters"]["MaxConnections"] == "800")
        };
        stage.until("the parameter", async |stage| wanted(&stage.region().await)).await;
        daemon.until("the migration", HOURS, done).await;
        stage.rests().await;
        let updates = if matches!(phase, Phase::Paused) { 1 } else { 2 };
        Truths::of(&stage, updates).hold(&stage).await;
    }
}
