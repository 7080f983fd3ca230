//! Rollbacks that failed, and are continued.

use super::look::{MIGRATE, STAY};
use super::story::{NOT_AVAILABLE, STORAGE, Story, failing};
use serde_json::json;
use std::time::Duration;
use ted_controller::assess::types::Phase;
use ted_controller::report::Status;

fn stay() -> String {
    format!("{STAY}  policy: {{mode: apply}}\n")
}

#[tokio::test(start_paused = true)]
async fn storage_out_of_step_is_continued_without_the_database_and_then_aligned() {
    // Not this controller's update: events were never paused for it.
    let story = Story::stuck("default", &stay()).await;
    story.until_rolled_back().await;
    story.until_ready().await;
    assert_eq!(story.continuations(), [vec![], vec!["HivePrimary".to_owned()]]);
    assert!(story.events_were_paused_before("ContinueUpdateRollback"), "{:?}", story.writes());
    let status = story.status();
    assert_eq!(status.actual.product_status.as_deref(), Some("AVAILABLE"));
    assert!(status.findings.iter().all(|it| it.code != "sync/storage"), "{:?}", status.findings);
    story.nothing_happens_for(Duration::from_hours(2)).await;
    assert_eq!(story.updates(), 1, "no storm");
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_migration_goes_on_after_somebody_elses_rollback_was_recovered() {
    let story = Story::stuck("default", MIGRATE).await;
    story.until_ready().await;
    assert_eq!(story.continuations(), [vec![], vec!["HivePrimary".to_owned()]]);
    assert_eq!(story.updates(), 1);
    assert_eq!(story.status().actual.engine.as_deref(), Some("valkey"));
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_database_is_waited_for_and_what_has_passed_by_then_is_not_skipped() {
    let mut scenario = failing(&[
        ("HivePrimary", "update", NOT_AVAILABLE, 1),
        ("HivePrimary", "rollback", NOT_AVAILABLE, 1),
    ]);
    scenario.push_str(
        "  - {on: {stack-event: {logicalId: HivePrimary, status: UPDATE_FAILED}}, do: {database-status: {status: backing-up, for: 30m}}}\n",
    );
    let story = Story::begin(&scenario, MIGRATE);
    story.until("the way back to fail", |_| story.phase_is(Phase::Recovering)).await;
    assert_eq!(story.continuations().len(), 0, "the database is being backed up");
    assert!(!story.all_triggers_run(), "the stack is stuck: events stay paused");
    story.until("the rollback to be continued", |_| !story.continuations().is_empty()).await;
    story.until("events to run", |_| story.all_triggers_run()).await;
    assert_eq!(story.continuations(), [Vec::<String>::new()], "nothing had to be skipped");
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn storage_that_grows_during_our_own_update_is_recovered_under_its_pause() {
    let story = Story::begin("storage-autoscaled-mid-update", MIGRATE);
    story.until_rolled_back().await;
    let said = story.until_stalled().await;
    assert_eq!(story.continuations()[1], ["HivePrimary"]);
    assert_eq!(story.updates(), 1);
    // The cache was touched: one attempt, then a person.
    for part in ["continued 2 times", "back at v1.44.0", "the cache was touched", "Rate exceeded"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    story.until("events to run", |_| story.all_triggers_run()).await;
    story.retry().await;
    story.until_ready().await;
    assert_eq!(story.updates(), 2);
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn at_most_two_continuations_follow_a_failure() {
    // Skipping works, and then the next one in the way back fails.
    let scenario = failing(&[
        ("HiveVersionParameter", "update", "it is locked", 1),
        ("HivePrimary", "rollback", STORAGE, 2),
        ("CacheParameterGroup", "rollback", "Rate exceeded", 99),
    ]);
    let story = Story::begin(&scenario, MIGRATE);
    let said = story.until_stalled().await;
    assert!(story.continuations().len() <= 2, "{:?}", story.continuations());
    assert!(said.contains("aws cloudformation continue-update-rollback"), "{said}");
    let skipped = story.continuations().concat();
    assert!(!skipped.iter().any(|name| name.starts_with("Cache")), "{skipped:?}");
    let before = story.continuations().len();
    story.retry().await;
    story.nothing_happens_for(Duration::from_hours(2)).await;
    assert_eq!(story.continuations().len(), before, "not by asking again either");
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_continuation_is_allowed_outside_of_windows_and_the_update_is_not() {
    let document = MIGRATE.replace(
        "approve: [redis-to-valkey]",
        "approve: [redis-to-valkey], maintenanceWindows: [{days: [Tue], start: \"02:00\", end: \"06:00\"}]",
    );
    let story = Story::stuck("default", &document).await;
    story.until_rolled_back().await;
    story.until("events to be given back", |_| story.count("TagResource") == 18).await;
    story.nothing_happens_for(Duration::from_hours(1)).await;
    assert_eq!(story.updates(), 0, "2026-08-01 is a Saturday");
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_dies_between_two_continuations_makes_no_third() {
    let story = Story::stuck("default", &stay()).await;
    let one = |_: &Status| story.continuations().len() == 1;
    story.daemon.until("the first continuation", Duration::from_hours(1), one).await;
    let Story { sim, daemon } = story;
    daemon.kill();
    let daemon = super::daemon::Daemon::start(&sim, &stay(), super::daemon::Options::default());
    let story = Story { sim, daemon };
    story.until_ready().await;
    assert_eq!(story.continuations(), [vec![], vec!["HivePrimary".to_owned()]]);
    assert_eq!(story.updates(), 1);
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_continuation_makes_it_no_second_one() {
    let scenario =
        "faults:\n  - {operation: ContinueUpdateRollback, times: 1, fault: lost-answer}\n";
    let story = Story::stuck(scenario, &stay()).await;
    story.until_ready().await;
    assert_eq!(story.continuations(), [vec![], vec!["HivePrimary".to_owned()]]);
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn past_the_door_it_goes_forward_once_a_person_has_said_so() {
    let story = Story::begin("past-the-door", MIGRATE);
    let said = story.until_stalled().await;
    for part in ["already runs Valkey", "approve: [past-the-door]", "--resources-to-skip"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(story.continuations().len(), 0);
    let stable =
        story.status().gates.iter().find(|gate| gate.gate == "stable").unwrap().remedy.clone();
    assert!(stable.contains("aws servicecatalog update-provisioned-product"), "{stable}");
    assert!(stable.ends_with("]'`"), "the command is whole: {stable}");
    story.nothing_happens_for(Duration::from_hours(2)).await;
    story
        .daemon
        .commit(Some(&MIGRATE.replace("[redis-to-valkey]", "[redis-to-valkey, past-the-door]")));
    story.until_ready().await;
    assert_eq!(story.continuations(), [["CacheCluster"]]);
    assert_eq!(story.updates(), 2);
    assert_eq!(story.status().actual.engine.as_deref(), Some("valkey"));
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_status_of_the_product_is_not_taken_for_that_of_its_stack() {
    let scenario = "options: {statusAfterRollbackFailed: ERROR}\n";
    let story = Story::stuck(scenario, &stay()).await;
    story.until_rolled_back().await;
    let said = story.until_stalled().await;
    assert!(said.contains("the product cannot be updated"), "{said}");
    assert_eq!(story.updates(), 0, "a product in ERROR takes no update");
    story.until("events to run", |_| story.all_triggers_run()).await;
    story.act(&json!({"product-status": {"status": "TAINTED"}}));
    story.until_ready().await;
    story.end().await;
}
