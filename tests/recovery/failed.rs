//! Updates that failed and were rolled back.

use super::look::MIGRATE;
use super::story::{NOT_AVAILABLE, Story, failing};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_database_that_is_busy_is_waited_for() {
    for (scenario, gate) in [
        ("database-backing-up", "database-available"),
        ("database-upgrading", "database-available"),
        ("storage-optimization", "database-available"),
    ] {
        let story = Story::begin(scenario, MIGRATE);
        story
            .until("the gate to be closed", |status| {
                status.gates.iter().any(|it| it.gate == gate && !it.holds)
            })
            .await;
        assert_eq!(story.updates(), 0, "{scenario}");
        assert!(story.all_triggers_run(), "{scenario}: nothing is paused before it is time");
        story.until_ready().await;
        assert_eq!(story.updates(), 1, "{scenario}");
        story.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_time_heals_is_tried_again_and_not_for_ever() {
    let story = Story::begin(&failing(&[("HivePrimary", "update", NOT_AVAILABLE, 99)]), &plain());
    let said = story.until_stalled().await;
    assert_eq!(story.updates(), 3, "`maxAttempts`");
    for part in ["failed 3 times", "HivePrimary", "not in available state", "back at v1.44.0"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    story.until("events to run", |_| story.all_triggers_run()).await;
    story.nothing_happens_for(Duration::from_hours(4)).await;
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_update_that_failed_for_a_moment_succeeds_the_second_time() {
    let story = Story::begin(&failing(&[("HivePrimary", "update", NOT_AVAILABLE, 1)]), &plain());
    story.until_ready().await;
    assert_eq!(story.updates(), 2);
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_time_does_not_heal_is_tried_once() {
    for (message, part) in [
        (
            "Model validation failed (#: extraneous key [X] is not permitted)",
            "correct the parameter",
        ),
        ("Quota exceeded: NodeQuotaForCustomerExceeded", "quota"),
        ("something that nobody has seen before", "nobody has seen before"),
    ] {
        let story = Story::begin(&failing(&[("HivePrimary", "update", message, 99)]), &plain());
        let said = story.until_stalled().await;
        assert!(said.contains(part), "{part}: {said}");
        assert_eq!(story.updates(), 1, "{message}");
        story.until("events to run", |_| story.all_triggers_run()).await;
        story.nothing_happens_for(Duration::from_hours(2)).await;
        story.end().await;
    }
}

/// A document that changes the database alone, so that no cache is touched.
fn plain() -> String {
    super::look::STAY.to_owned()
        + "  parameters: {DBInstanceClass: db.m6g.xlarge}\n  policy: {mode: apply}\n"
}
