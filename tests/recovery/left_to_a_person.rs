//! Failures that a person has to deal with: said so, with what to do, and nothing is tried.

use super::daemon::is;
use super::look::{MIGRATE, STAY};
use super::story::Story;
use serde_json::json;
use std::time::Duration;
use ted_controller::assess::types::ConditionType;

fn with_policy(policy: &str) -> String {
    MIGRATE.replace("policy: {mode: apply, approve: [redis-to-valkey]}", policy)
}

#[tokio::test(start_paused = true)]
async fn nothing_is_continued_that_may_not_start() {
    for (policy, part, why) in [
        ("policy: {mode: observe, approve: [redis-to-valkey]}", "observe", "observing"),
        (
            "policy: {mode: apply, recovery: manual, approve: [redis-to-valkey]}",
            "recovery: manual",
            "a person recovers",
        ),
        (
            "policy: {mode: apply, approve: [redis-to-valkey]}\n  suspend: {reason: holidays}",
            "holidays",
            "suspended",
        ),
    ] {
        let document = with_policy(policy);
        let story = Story::stuck("default", &document).await;
        let said = story.until_stalled().await;
        assert!(said.contains(part), "{why}: {said}");
        assert!(said.contains("aws cloudformation continue-update-rollback"), "{why}: {said}");
        story.nothing_happens_for(Duration::from_hours(2)).await;
        assert_eq!(story.writes(), Vec::<String>::new(), "{why}");
        story.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_commands_for_a_person_are_those_that_work() {
    let document =
        with_policy("policy: {mode: apply, recovery: manual, approve: [redis-to-valkey]}");
    let story = Story::stuck("default", &document).await;
    story.until_stalled().await;
    // Continued by hand as it is, it fails again; then the next command skips the database.
    story.by_hand().await;
    story
        .until("the second command", |status| {
            status.gates.iter().any(|gate| gate.remedy.contains("--resources-to-skip"))
        })
        .await;
    story.by_hand().await;
    story.until_ready().await;
    assert_eq!(story.continuations_by_hand(), [vec![], vec!["HivePrimary".to_owned()]]);
    assert_eq!(story.updates(), 1, "the update itself is sent again by the controller");
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_launch_role_without_rights_is_named_and_its_rollback_continued_once_it_has_them() {
    let story = Story::begin("access-denied-launch-role", MIGRATE);
    let said = story.until_stalled().await;
    for part in
        ["assumed-role/turbot-launch", "elasticache:ModifyReplicationGroup", "reconcile --retry"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!story.all_triggers_run(), "the stack is stuck: events stay paused");
    story.nothing_happens_for(Duration::from_hours(2)).await;
    assert_eq!((story.updates(), story.continuations().len()), (1, 0));
    story.act(&json!("allow"));
    story.retry().await;
    story.until_ready().await;
    assert_eq!(story.continuations(), [Vec::<String>::new()]);
    assert_eq!(story.updates(), 2);
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_may_not_update_is_refused_a_few_times_and_then_says_so() {
    let story = Story::begin("access-denied-caller", MIGRATE);
    let said = story.until_stalled().await;
    assert!(said.contains("servicecatalog:UpdateProvisionedProduct"), "{said}");
    story.until("events to run", |_| story.all_triggers_run()).await;
    assert_eq!(story.updates(), 3, "with growing waits");
    story.nothing_happens_for(Duration::from_hours(2)).await;
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_may_not_continue_a_rollback_is_refused_a_few_times_and_then_says_so() {
    let scenario = "actions:\n  - {at: 0s, do: {deny: {principal: caller, actions: [\"cloudformation:ContinueUpdateRollback\"]}}}\n";
    let story = Story::stuck(scenario, MIGRATE).await;
    let said = story.until_stalled().await;
    assert!(said.contains("cloudformation:ContinueUpdateRollback"), "{said}");
    assert_eq!(story.count("ContinueUpdateRollback"), 3);
    story.until("events to run", |_| story.all_triggers_run()).await;
    story.nothing_happens_for(Duration::from_hours(2)).await;
    story.act(&json!("allow"));
    story.retry().await;
    story.until_ready().await;
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_stack_without_a_role_of_its_own_is_not_continued_on_our_credentials() {
    let document = MIGRATE.replace("approve: [", "approve: [no-launch-role, ");
    let story = Story::stuck("no-launch-role", &document).await;
    let said = story.until_stalled().await;
    assert!(said.contains("no role of its own"), "{said}");
    story.nothing_happens_for(Duration::from_hours(2)).await;
    assert_eq!(story.continuations().len(), 0);
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_somebody_changed_past_service_catalog_is_left_to_them() {
    let change = json!({"stack-update": {"parameters": {"DBInstanceClass": "db.m6g.xlarge"}}});
    let story = Story::stuck_by("default", &change, MIGRATE).await;
    let said = story.until_stalled().await;
    assert!(said.contains("past Service Catalog"), "{said}");
    assert_eq!((story.updates(), story.continuations().len()), (0, 0));
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_taint_alone_takes_a_person_and_is_healed_with_its_approval() {
    let document = format!("{STAY}  policy: {{mode: apply}}\n");
    let story = Story::begin("tainted", &document);
    let said = story.until_stalled().await;
    assert!(said.contains("approve: [retrigger]"), "{said}");
    story.nothing_happens_for(Duration::from_hours(2)).await;
    story.daemon.commit(Some(&document.replace("apply}", "apply, approve: [retrigger]}")));
    story.until_ready().await;
    assert_eq!(story.updates(), 1);
    assert!(!is(&story.status(), ConditionType::Stalled));
    story.end().await;
}
