//! Records and events side by side.

use super::super::*;
use super::{DB, ROOT, Row, STORAGE, stack, storage_failure};
use crate::assess::testing::{World, denied, healthy, there};
use crate::observe::observation::{Observation, Seen};

/// 2026-09-21T13:33:20Z, the second 0 of the stories.
const BEGAN: i64 = 1_790_000_000;

fn second(offset: i64) -> Timestamp {
    Timestamp::from_second(BEGAN + offset).unwrap()
}

/// A TED whose last update, asked for at second -3, failed.
fn failed() -> Observation {
    let mut seen = healthy();
    let product = &mut there(&mut seen.products)[0];
    product.status = "TAINTED".into();
    product.last_provisioning_record_id = Some("rec-2".into());
    let record = there(&mut seen.last_record);
    (record.id, record.status) = ("rec-2".into(), "FAILED".into());
    (record.created, record.updated) = (Some(second(-3)), Some(second(70)));
    record.artifact_id = Some("pa-1521".into());
    record.principal = Some("arn:aws:iam::111122223333:user/ada".into());
    record.errors = vec!["ResourceUpdateFailed: the stack was rolled back".into()];
    there(&mut seen.root).status = "UPDATE_ROLLBACK_COMPLETE".into();
    seen
}

#[test]
fn the_events_of_the_failed_record_explain_it() {
    let found = last_failure(&failed(), &storage_failure(true));
    assert_eq!(found.outcome, Outcome::Failed);
    assert_eq!(
        found.summary,
        "the last request (rec-2) of 2026-09-21 14:13:17 UTC failed at `DatabaseStack/HivePrimary`: storage-out-of-step"
    );
    let record = found.record.unwrap();
    assert_eq!(record.version.as_deref(), Some("v1.52.1"));
    assert_eq!(record.principal.as_deref(), Some("arn:aws:iam::111122223333:user/ada"));
    assert_eq!(found.diagnosis.unwrap().cause, Cause::StorageOutOfStep);
    assert!(!found.outside && found.unseen.is_empty(), "{:?}", found.unseen);
}

#[test]
fn a_record_that_never_reached_the_stack_is_explained_by_itself_and_not_by_an_older_failure() {
    let mut seen = failed();
    let record = there(&mut seen.last_record);
    (record.created, record.updated) = (Some(second(3_600)), Some(second(3_640)));
    record.errors = vec!["AmazonCloudFormationException No updates are to be performed.".into()];
    let found = last_failure(&seen, &storage_failure(true));
    assert!(found.summary.contains("failed before it reached the stack: nothing-to-change"));
    let diagnosis = found.diagnosis.unwrap();
    assert_eq!(diagnosis.cause, Cause::NothingToChange);
    assert_eq!(diagnosis.failure.unwrap().logical_id, "ted-einstein");
    assert!(!diagnosis.touched_cache);
}

#[test]
fn a_stack_that_was_changed_past_service_catalog_is_said_to_be() {
    let mut seen = failed();
    there(&mut seen.products)[0].status = "AVAILABLE".into();
    let record = there(&mut seen.last_record);
    record.status = "SUCCEEDED".into();
    (record.created, record.updated) = (Some(second(-7_200)), Some(second(-3_600)));
    let mut story = storage_failure(true);
    story.stacks[0].events.iter_mut().for_each(|event| {
        event.token = Some("Console-UpdateStack-7f59c3cf".into());
    });
    let found = last_failure(&seen, &story);
    assert!(found.outside);
    assert_eq!(found.outcome, Outcome::Failed);
    assert_eq!(found.token.as_deref(), Some("Console-UpdateStack-7f59c3cf"));
    assert!(found.summary.contains("past Service Catalog"), "{}", found.summary);
}

#[test]
fn a_taint_without_a_record_or_an_event_is_told_by_the_products_own_message() {
    let mut seen = healthy();
    let product = &mut there(&mut seen.products)[0];
    product.status = "TAINTED".into();
    product.status_message =
        Some("AmazonCloudFormationException No updates are to be performed.".into());
    let found = last_failure(&seen, &Story::default());
    assert_eq!(found.outcome, Outcome::Failed);
    assert_eq!(found.diagnosis.unwrap().cause, Cause::NothingToChange);
}

#[test]
fn nothing_failed_is_said_as_such_and_only_when_it_is_known() {
    let found = last_failure(&healthy(), &Story::default());
    assert_eq!((found.outcome, found.diagnosis), (Outcome::Well, None));
    let mut seen = healthy();
    seen.last_record = denied();
    seen.root = denied();
    let found = last_failure(&seen, &Story::default());
    assert_eq!(found.outcome, Outcome::Unknown);
    assert!(
        found.unseen.iter().any(|what| what.starts_with("the root stack")),
        "{:?}",
        found.unseen
    );
}

#[test]
fn a_change_that_runs_is_no_failure_until_something_of_it_fails() {
    let mut seen = failed();
    there(&mut seen.products)[0].status = "UNDER_CHANGE".into();
    there(&mut seen.last_record).status = "IN_PROGRESS".into();
    there(&mut seen.root).status = "UPDATE_IN_PROGRESS".into();
    let rows: &[Row] = &[(0, "SC-1", ROOT, STACK, "UPDATE_IN_PROGRESS", "User Initiated")];
    let story = Story { stacks: vec![stack(ROOT, &[], rows)] };
    assert_eq!(last_failure(&seen, &story).outcome, Outcome::Running);
    there(&mut seen.last_record).status = "IN_PROGRESS_IN_ERROR".into();
    there(&mut seen.root).status = "UPDATE_ROLLBACK_IN_PROGRESS".into();
    let found = last_failure(&seen, &storage_failure(true));
    assert_eq!(found.outcome, Outcome::GoingBack);
    assert!(
        found.summary.contains("is being rolled back: storage-out-of-step"),
        "{}",
        found.summary
    );
}

#[test]
fn a_denial_says_whose_rights_were_missing() {
    let text = |principal: &str| {
        format!(
            "User: {principal} is not authorized to perform: elasticache:ModifyReplicationGroup on resource: * because no identity-based policy allows it"
        )
    };
    let launch = "arn:aws:sts::111122223333:assumed-role/launch/servicecatalog";
    let ours = "arn:aws:sts::111122223333:assumed-role/ted-controller/other-session";
    let foreign = "arn:aws:sts::999922223333:assumed-role/launch/servicecatalog";
    let silent = "Access denied (HandlerErrorCode: AccessDenied)";
    for (message, whose, why) in [
        (text(launch), Whose::LaunchRole, "a session stands for its role"),
        (text(ours), Whose::Ours, "whatever the session is called"),
        (text(foreign), Whose::Another, "a role of that name in another account"),
        (
            silent.to_owned(),
            Whose::LaunchRole,
            "nobody is named, and CloudFormation acts as the launch role",
        ),
    ] {
        let mut story = storage_failure(true);
        for event in &mut story.stacks[1].events {
            if event.reason.as_deref() == Some(STORAGE) {
                event.reason = Some(message.clone());
            }
        }
        let diagnosis = last_failure(&failed(), &story).diagnosis.unwrap();
        assert_eq!(diagnosis.cause, Cause::PermissionDenied, "{why}");
        assert_eq!(diagnosis.denials[0].whose, whose, "{why}");
        assert!(diagnosis.remedy.contains(whose.phrase()), "{why}: {}", diagnosis.remedy);
    }
}

#[test]
fn a_ted_that_always_ran_valkey_is_not_past_the_door() {
    let group = "AWS::ElastiCache::ReplicationGroup";
    let rows: &[Row] = &[
        (0, "SC-1", ROOT, STACK, "UPDATE_IN_PROGRESS", ""),
        (9, "Worker", "w", "AWS::Lambda::Function", "UPDATE_FAILED", "out of luck"),
        (10, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_IN_PROGRESS", ""),
        (12, "Cache", "c", group, "UPDATE_FAILED", "the group would not"),
        (13, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_FAILED", ""),
    ];
    let story = Story { stacks: vec![stack(ROOT, &[], rows)] };
    let mut always = World::migrated().observation;
    there(&mut always.root).status = "UPDATE_ROLLBACK_FAILED".into();
    let found = last_failure(&always, &story).diagnosis.unwrap();
    assert_eq!(found.cause, Cause::Unknown);
    // The stack went back to Redis, the cache did not.
    let mut stuck = always;
    there(&mut stuck.root).parameters.get_mut("ElastiCacheEngine").unwrap().value = "redis".into();
    assert_eq!(last_failure(&stuck, &story).diagnosis.unwrap().cause, Cause::PastTheDoor);
    stuck.caches = denied();
    let blind = last_failure(&stuck, &story);
    assert!(blind.unseen.iter().any(|what| what.contains("already runs Valkey")), "{blind:#?}");
}

#[test]
fn what_cannot_be_read_of_the_events_leaves_the_records_own_words() {
    let gap = match denied::<()>() {
        Seen::Unreadable(gap) => gap,
        Seen::Present(()) | Seen::Absent | Seen::NotLooked => unreachable!("it is a gap"),
    };
    let mut root = stack(ROOT, &[], &[]);
    root.gap = Some(gap);
    let mut seen = failed();
    there(&mut seen.last_record).errors = vec![STORAGE.to_owned()];
    let found =
        last_failure(&seen, &Story { stacks: vec![root, stack(DB, &["DatabaseStack"], &[])] });
    let diagnosis = found.diagnosis.unwrap();
    assert_eq!(diagnosis.cause, Cause::StorageOutOfStep);
    assert!(diagnosis.touched_cache, "nobody saw that it did not");
    assert!(
        found.unseen.iter().any(|what| what.contains("the root stack's events")),
        "{:?}",
        found.unseen
    );
}
