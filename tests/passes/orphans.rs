//! Documents that go away while no daemon runs: what was held for them is found and given back.

use super::daemon::{Daemon, Options};
use super::look::{MIGRATE, STAY};
use super::stage::{HOURS, Stage, migrate};
use super::truths::Truths;
use super::worlds::done;
use ted_controller::assess::types::Phase;
use ted_controller::report::Status;
use ted_controller::settings::Settings;

/// Runs a migration up to its update, kills the controller, and waits until the update is over: six triggers are off for nobody's sake.
async fn left_behind(stage: &Stage, document: &str) -> ted_controller::report::Memory {
    let daemon = stage.daemon(document);
    stage.until_called("UpdateProvisionedProduct", 1).await;
    // The pass that sent it is over, so the state file would be written.
    daemon.until("the update", HOURS, |status| status.phase == Some(Phase::Updating)).await;
    let memory = daemon.kill();
    stage
        .until("the update to end", async |stage| {
            let region = stage.region().await;
            region["products"]["provisioned"]["ted-einstein"]["status"] == "AVAILABLE"
        })
        .await;
    assert_ne!(stage.off_now().await, stage.off, "they are off");
    memory
}

#[tokio::test(start_paused = true)]
async fn what_the_state_file_knows_is_given_back_without_any_document() {
    let stage = Stage::named("default").await;
    let memory = left_behind(&stage, MIGRATE).await;
    let next = Daemon::with(&stage.sim, None, Options { memory, ..Options::default() });
    next.until("to be shown", HOURS, |status| status.phase == Some(Phase::Releasing)).await;
    stage.until_given_back().await;
    next.until_gone(HOURS).await;
    stage.rests().await;
    Truths { controllers: 2.0, ..Truths::of(&stage, 1) }.hold(&stage).await;
}

#[tokio::test(start_paused = true)]
async fn what_another_teds_look_shows_is_given_back_without_a_state_file() {
    // Both run the same TE version, or each one of its own.
    for workspaces in [
        "[{name: acme, hive: einstein, version: 5.39.12}, {name: initech, hive: newton, version: 5.39.12}]",
        "[{name: acme, hive: einstein, version: 5.39.12}, {name: initech, hive: newton, version: 5.40.3}]",
    ] {
        let stage =
            Stage::set(&format!("{{extends: two-hives, world: {{workspaces: {workspaces}}}}}"))
                .await;
        left_behind(&stage, MIGRATE).await;
        let newton = STAY.replace("name: einstein", "name: newton");
        let other = stage.daemon_called("other", &newton);
        stage.rests().await;
        assert_ne!(stage.off_now().await, stage.off, "another controller's holds are not its own");
        other.stop().await;
        let next = Daemon::start(&stage.sim, &newton, Options::default());
        stage.until_given_back().await;
        next.until_some("newton", "to be left alone", HOURS, |status| status.is_some_and(done))
            .await;
        stage.until("it to be forgotten", async |_| next.store.teds().len() == 1).await;
        stage.rests().await;
        Truths { controllers: 3.0, ..Truths::of(&stage, 1) }.hold(&stage).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_renamed_takes_over_what_is_held() {
    for called in ["UpdateEventSourceMapping", "UpdateProvisionedProduct"] {
        let stage = Stage::named("default").await;
        let daemon = stage.daemon(MIGRATE);
        stage.until_called(called, 1).await;
        let renamed = migrate(&[
            ("name: einstein", "name: curie"),
            ("  account:", "  provisionedProduct: ted-einstein\n  hive: einstein\n  account:"),
        ]);
        daemon.commit(Some(&renamed));
        daemon.until_some("curie", "the migration", HOURS, |status| status.is_some_and(done)).await;
        daemon.until_gone(HOURS).await;
        stage.rests().await;
        Truths::of(&stage, 1).hold(&stage).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_product_that_is_gone_is_not_taken_up_again_and_again() {
    let stage = Stage::set("extends: two-hives").await;
    let memory = left_behind(&stage, MIGRATE).await;
    stage.act("product-delete: {product: ted-einstein}");
    let newton = STAY.replace("name: einstein", "name: newton");
    let settings = Settings::default();
    let next = Daemon::start(&stage.sim, &newton, Options { settings, memory });
    let looked = |status: Option<&Status>| status.is_some_and(|status| status.phase.is_some());
    next.until_some("newton", "a look", HOURS, looked).await;
    stage.rests().await;
    stage.until("it to be forgotten", async |_| next.store.teds().len() == 1).await;
}
