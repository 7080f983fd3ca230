//! People at the console, while the controller is at work.

use super::daemon::{describe, is};
use super::look::MIGRATE;
use super::stage::{HOURS, Stage};
use super::truths::Truths;
use super::worlds::done;
use std::time::Duration;
use ted_controller::assess::types::ConditionType::{Drifted, EventsPaused};
use ted_controller::report::Status;

/// How long a trigger may run that somebody turned on during an update: a look, and the way to Disabled.
const NOTICED: Duration = Duration::from_secs(100);

/// As wanted, but for triggers that somebody left off, which keeps a TED from being ready.
fn migrated(status: &Status) -> bool {
    status.actual.engine.as_deref() == Some("valkey")
        && status.actual.product_status.as_deref() == Some("AVAILABLE")
        && !is(status, Drifted)
        && status.plan.is_empty()
}

#[tokio::test(start_paused = true)]
async fn what_an_operator_disabled_stays_so_and_what_he_enables_during_the_update_goes_off_again() {
    let stage = Stage::set("{extends: operator-toggles, options: {resourceTime: 8s}}").await;
    let daemon = stage.daemon(MIGRATE);
    daemon.until("the migration", HOURS, migrated).await;
    stage.until("the others to run", async |stage| stage.off_now().await.len() == 1).await;
    stage.rests().await;
    assert_eq!(stage.off.len(), 1);
    Truths { exposure: NOTICED, ..Truths::of(&stage, 1) }.hold(&stage).await;
    let retry = "turbot_5_39_12_worker_retry";
    let own = stage.triggers().await.into_iter().find(|it| it.function == retry).unwrap();
    assert!(own.tags.is_empty(), "never touched: {own:?}");
}

#[tokio::test(start_paused = true)]
async fn what_an_operator_enables_before_the_update_is_disabled_again_first() {
    let stage = Stage::named("default").await;
    let daemon = stage.daemon(MIGRATE);
    stage.until("the pause", async |stage| stage.off_now().await.len() == 6).await;
    stage
        .until("it can be enabled", async |stage| {
            stage.try_act("trigger-toggle: {function: turbot_5_40_3_worker, enabled: true}").is_ok()
        })
        .await;
    daemon.until("the migration", HOURS, done).await;
    Truths::of(&stage, 1).hold(&stage).await;
}

#[tokio::test(start_paused = true)]
async fn a_trigger_whose_tag_an_operator_removes_is_his() {
    let stage = Stage::named("default").await;
    let daemon = stage.daemon(MIGRATE);
    stage.until_called("UpdateProvisionedProduct", 1).await;
    let taken = stage.triggers().await.remove(0);
    stage.untag(&taken).await;
    daemon.until("the migration", HOURS, migrated).await;
    stage.until("the others to run", async |stage| stage.off_now().await.len() == 1).await;
    stage.rests().await;
    let mut truths = Truths::of(&stage, 1);
    truths.off.insert(taken.function.clone());
    truths.hold(&stage).await;
    let status = daemon.status().unwrap();
    assert!(
        is(&status, EventsPaused),
        "it is told\n{}",
        describe("einstein", Some(&status), &daemon.store)
    );
}

#[tokio::test(start_paused = true)]
async fn an_update_of_somebody_elses_is_let_through_and_ours_follows() {
    // While events are paused for ours; events run again in between.
    let stage = Stage::set(
        "actions: [{at: 45s, do: {product-update: {parameters: {DBInstanceClass: db.m6g.xlarge}}}}]",
    )
    .await;
    let daemon = stage.daemon(MIGRATE);
    daemon.until("the migration", HOURS, done).await;
    stage.rests().await;
    Truths::of(&stage, 1).hold(&stage).await;
    let region = stage.region().await;
    let parameters =
        region["stacks"].as_object().unwrap().values().map(|stack| &stack["parameters"]);
    let class: Vec<&str> = parameters.filter_map(|all| all["DBInstanceClass"].as_str()).collect();
    assert!(!class.is_empty() && class.iter().all(|it| *it == "db.m6g.xlarge"), "{class:?}");
}

#[tokio::test(start_paused = true)]
async fn a_te_version_that_appears_during_the_update_is_paused_too() {
    let stage = Stage::set("{extends: te-version-appears, options: {resourceTime: 8s}}").await;
    let daemon = stage.daemon(MIGRATE);
    daemon.until("the migration", HOURS, done).await;
    stage.rests().await;
    Truths { exposure: Duration::from_mins(3), ..Truths::of(&stage, 1) }.hold(&stage).await;
    let triggers = stage.triggers().await;
    let new: Vec<_> = triggers.iter().filter(|it| it.te_version() == "5.41.0").collect();
    assert_eq!(new.len(), 3);
    assert!(new.iter().all(|it| it.runs.len() == 2), "paused and given back: {new:?}");
}

#[tokio::test(start_paused = true)]
async fn a_trigger_that_is_stuck_lets_no_update_begin_and_keeps_the_others_from_nothing() {
    let stage = Stage::named("trigger-stuck").await;
    let daemon = stage.daemon(MIGRATE);
    stage.until("the pause", async |stage| stage.off_now().await.len() == 6).await;
    stage.until("the others to run", async |stage| stage.off_now().await.len() == 1).await;
    stage.rests().await;
    let mut truths = Truths::of(&stage, 0);
    truths.off.insert("turbot_5_39_12_worker".to_owned());
    truths.hold(&stage).await;
    stage.act("trigger-stuck: {function: turbot_5_39_12_worker, stuck: false}");
    daemon.until("the migration", HOURS, done).await;
    Truths::of(&stage, 1).hold(&stage).await;
}
