//! Whole stories: which failure is told, and what is said to be out of sight.

mod classified;
mod last;

use super::*;
use crate::denial::DeniedBy;
use crate::observe::observation::Gap;

const ROOT: &str = "arn:aws:cloudformation:eu-west-1:111122223333:stack/SC-1/root";
const DB: &str = "arn:aws:cloudformation:eu-west-1:111122223333:stack/SC-1-DatabaseStack-A/db";
const CACHE: &str = "arn:aws:cloudformation:eu-west-1:111122223333:stack/SC-1-CacheStack-B/cache";

/// `second, logical id, physical id, type, status, reason`, as a person reads a list of events; `list` turns them newest first.
type Row = (i64, &'static str, &'static str, &'static str, &'static str, &'static str);

fn stack(id: &str, path: &[&str], rows: &[Row]) -> StackStory {
    let events =
        rows.iter().rev().map(|(second, logical, physical, kind, status, reason)| StackEvent {
            logical_id: (*logical).to_owned(),
            physical_id: Some((*physical).to_owned()),
            kind: (*kind).to_owned(),
            status: (*status).to_owned(),
            reason: (!reason.is_empty()).then(|| (*reason).to_owned()),
            at: Some(Timestamp::from_second(1_790_000_000 + second).unwrap()),
            token: None,
        });
    StackStory {
        id: id.to_owned(),
        name: id.rsplit('/').nth(1).unwrap().to_owned(),
        path: path.iter().map(|part| (*part).to_owned()).collect(),
        events: events.collect(),
        complete: true,
        gap: None,
    }
}

const STORAGE: &str = "Resource handler returned message: \"Invalid storage size for engine name postgres and storage type gp3: 210 \
    (Service: Rds, Status Code: 400, Request ID: 0d5a)\" (RequestToken: 1, HandlerErrorCode: InvalidRequest)";

/// An update that fails at the database, while the cache's stack is stopped; with `heals` the way back goes well.
fn storage_failure(heals: bool) -> Story {
    let mut root = vec![
        // An older failure of an older update, which must not be taken for this one's.
        (-900, "SC-1", ROOT, STACK, "UPDATE_IN_PROGRESS", "User Initiated"),
        (
            -800,
            "CacheStack",
            CACHE,
            STACK,
            "UPDATE_FAILED",
            "Embedded stack was not successfully updated",
        ),
        (-790, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_IN_PROGRESS", ""),
        (-700, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_COMPLETE", ""),
        (0, "SC-1", ROOT, STACK, "UPDATE_IN_PROGRESS", "User Initiated"),
        (2, "CacheStack", CACHE, STACK, "UPDATE_IN_PROGRESS", ""),
        (2, "DatabaseStack", DB, STACK, "UPDATE_IN_PROGRESS", ""),
        (19, "CacheStack", CACHE, STACK, "UPDATE_FAILED", "Resource update cancelled"),
        (
            20,
            "DatabaseStack",
            DB,
            STACK,
            "UPDATE_FAILED",
            "Embedded stack arn:… was not successfully updated. Currently in \
            UPDATE_ROLLBACK_IN_PROGRESS with reason: The following resource(s) failed to update: [HivePrimary].",
        ),
        (
            20,
            "SC-1",
            ROOT,
            STACK,
            "UPDATE_ROLLBACK_IN_PROGRESS",
            "The following resource(s) failed to update: [CacheStack, DatabaseStack].",
        ),
    ];
    let mut database = vec![
        (3, "DatabaseStack", DB, STACK, "UPDATE_IN_PROGRESS", ""),
        (5, "HivePrimary", "einstein", "AWS::RDS::DBInstance", "UPDATE_IN_PROGRESS", ""),
        (16, "HivePrimary", "einstein", "AWS::RDS::DBInstance", "UPDATE_FAILED", STORAGE),
        (
            16,
            "HiveReplica",
            "einstein-r",
            "AWS::RDS::DBInstance",
            "UPDATE_FAILED",
            "Resource update cancelled",
        ),
        (
            18,
            "DatabaseStack",
            DB,
            STACK,
            "UPDATE_ROLLBACK_IN_PROGRESS",
            "The following resource(s) failed to update: [HivePrimary].",
        ),
    ];
    if heals {
        root.push((60, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_COMPLETE", ""));
        database.push((
            50,
            "HivePrimary",
            "einstein",
            "AWS::RDS::DBInstance",
            "UPDATE_COMPLETE",
            "",
        ));
    } else {
        database.push((
            40,
            "HivePrimary",
            "einstein",
            "AWS::RDS::DBInstance",
            "UPDATE_FAILED",
            STORAGE,
        ));
        database.push((
            41,
            "DatabaseStack",
            DB,
            STACK,
            "UPDATE_ROLLBACK_FAILED",
            "The following resource(s) failed to update: [HivePrimary].",
        ));
        root.push((
            42,
            "DatabaseStack",
            DB,
            STACK,
            "UPDATE_FAILED",
            "Embedded stack was not successfully updated",
        ));
        root.push((
            43,
            "SC-1",
            ROOT,
            STACK,
            "UPDATE_ROLLBACK_FAILED",
            "The following resource(s) failed to update: [DatabaseStack].",
        ));
    }
    let cache = vec![
        (2, "CacheStack", CACHE, STACK, "UPDATE_IN_PROGRESS", ""),
        (19, "CacheStack", CACHE, STACK, "UPDATE_ROLLBACK_IN_PROGRESS", ""),
        (30, "CacheStack", CACHE, STACK, "UPDATE_ROLLBACK_COMPLETE", ""),
    ];
    Story {
        stacks: vec![
            stack(ROOT, &[], &root),
            stack(DB, &["DatabaseStack"], &database),
            stack(CACHE, &["CacheStack"], &cache),
        ],
    }
}

#[test]
fn the_first_failure_is_found_in_the_deepest_stack_and_not_its_echo() {
    let found = diagnose(&storage_failure(false), false).unwrap();
    let failure = found.failure.as_ref().unwrap();
    assert_eq!(failure.place(), "DatabaseStack/HivePrimary");
    assert_eq!(failure.stack_name, "SC-1-DatabaseStack-A");
    assert_eq!(failure.message, STORAGE);
    assert_eq!(failure.at, Some(Timestamp::from_second(1_790_000_016).unwrap()));
    assert_eq!(found.cause, Cause::StorageOutOfStep);
    assert_eq!(
        found.began,
        Some(Timestamp::from_second(1_790_000_000).unwrap()),
        "the older update is another story"
    );
    assert!(
        !found.touched_cache,
        "the cache's stack was begun and stopped, its resources were not touched"
    );
    assert!(found.unseen.is_empty(), "{:?}", found.unseen);
}

#[test]
fn what_failed_on_the_way_back_is_named_by_its_resource() {
    let found = diagnose(&storage_failure(false), false).unwrap();
    let places: Vec<_> = found.rollback.iter().map(Failure::place).collect();
    assert_eq!(places, ["DatabaseStack/HivePrimary"]);
    assert!(
        found.remedy.contains("storage: adopt")
            && found.remedy.contains("skip `SC-1-DatabaseStack-A.HivePrimary` and nothing else"),
        "{}",
        found.remedy
    );

    let healed = diagnose(&storage_failure(true), false).unwrap();
    assert!(healed.rollback.is_empty(), "{:?}", healed.rollback);
    assert!(healed.failure.is_some());
}

#[test]
fn a_rollback_failure_that_was_continued_and_healed_is_none() {
    let mut story = storage_failure(false);
    let newer = stack(
        DB,
        &["DatabaseStack"],
        &[
            (100, "DatabaseStack", DB, STACK, "UPDATE_ROLLBACK_IN_PROGRESS", ""),
            (110, "HivePrimary", "einstein", "AWS::RDS::DBInstance", "UPDATE_COMPLETE", ""),
            (120, "DatabaseStack", DB, STACK, "UPDATE_ROLLBACK_COMPLETE", ""),
        ],
    );
    story.stacks[1].events.splice(0..0, newer.events);
    let root = stack(
        ROOT,
        &[],
        &[
            (99, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
            (121, "DatabaseStack", DB, STACK, "UPDATE_COMPLETE", ""),
            (122, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_COMPLETE", ""),
        ],
    );
    story.stacks[0].events.splice(0..0, root.events);
    let found = diagnose(&story, false).unwrap();
    assert!(found.rollback.is_empty(), "{:?}", found.rollback);
    assert_eq!(found.failure.unwrap().place(), "DatabaseStack/HivePrimary");
}

#[test]
fn an_update_that_went_well_has_no_diagnosis() {
    let rows = [
        (-90, "SC-1", ROOT, STACK, "UPDATE_IN_PROGRESS", ""),
        (-80, "Key", "k", "AWS::KMS::Key", "UPDATE_FAILED", "old trouble"),
        (-70, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_IN_PROGRESS", ""),
        (-60, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_COMPLETE", ""),
        (0, "SC-1", ROOT, STACK, "UPDATE_IN_PROGRESS", ""),
        (9, "SC-1", ROOT, STACK, "UPDATE_COMPLETE", ""),
    ];
    assert_eq!(diagnose(&Story { stacks: vec![stack(ROOT, &[], &rows)] }, false), None);
    assert_eq!(diagnose(&Story::default(), false), None, "nothing read, nothing told");
}

#[test]
fn a_nested_stack_that_could_not_be_read_is_said() {
    let mut story = storage_failure(false);
    story.stacks[1].gap = Some(Gap {
        operation: "cloudformation:DescribeStackEvents".into(),
        reason: "AccessDenied".into(),
        message: "access denied".into(),
        passing: false,
    });
    let found = diagnose(&story, false).unwrap();
    assert_eq!(
        found.failure.as_ref().unwrap().place(),
        "DatabaseStack",
        "as far down as can be seen"
    );
    assert!(
        found
            .unseen
            .iter()
            .any(|what| what.contains("DatabaseStack") && what.contains("access denied")),
        "{:?}",
        found.unseen
    );

    let mut story = storage_failure(false);
    story.stacks.remove(1);
    let found = diagnose(&story, false).unwrap();
    assert!(found.unseen.iter().any(|what| what.contains("DatabaseStack")), "{:?}", found.unseen);
}

#[test]
fn a_list_that_ends_too_early_is_said() {
    let mut story = storage_failure(false);
    story.stacks[0].events.truncate(3);
    story.stacks[0].complete = false;
    let found = diagnose(&story, false).unwrap();
    assert!(
        found.unseen.iter().any(|what| what.contains("before the change began")),
        "{:?}",
        found.unseen
    );
}

#[test]
fn a_denial_names_who_what_and_the_statement_that_allows_it() {
    let message = "User: arn:aws:sts::111122223333:assumed-role/ted-launch/servicecatalog is not authorized to perform: \
        elasticache:ModifyReplicationGroup on resource: arn:aws:elasticache:eu-west-1:111122223333:replicationgroup:einstein-cache \
        because no identity-based policy allows the elasticache:ModifyReplicationGroup action \
        (Service: ElastiCache, Status Code: 403, Request ID: 1) (HandlerErrorCode: AccessDenied)";
    let story = Story {
        stacks: vec![stack(
            ROOT,
            &[],
            &[
                (0, "SC-1", ROOT, STACK, "UPDATE_IN_PROGRESS", ""),
                (
                    9,
                    "Cache",
                    "einstein-cache",
                    "AWS::ElastiCache::ReplicationGroup",
                    "UPDATE_FAILED",
                    message,
                ),
            ],
        )],
    };
    let found = diagnose(&story, false).unwrap();
    assert_eq!(found.cause, Cause::PermissionDenied);
    assert!(found.touched_cache);
    let [denied] = found.denials.as_slice() else { panic!("{:?}", found.denials) };
    assert_eq!(denied.denial.by, DeniedBy::NoIdentityPolicy);
    let statement = denied.statement.as_ref().unwrap();
    assert_eq!(statement["Action"], "elasticache:ModifyReplicationGroup");
    assert_eq!(
        statement["Resource"],
        "arn:aws:elasticache:eu-west-1:111122223333:replicationgroup:einstein-cache"
    );
    assert!(found.remedy.contains("assumed-role/ted-launch"), "{}", found.remedy);

    let denied = message.replace(
        "because no identity-based policy allows",
        "with an explicit deny in a service control policy for",
    );
    let mut story = story;
    story.stacks[0].events[0].reason = Some(denied);
    let found = diagnose(&story, false).unwrap();
    assert_eq!(
        found.denials[0].statement, None,
        "no statement of ours lifts an organisation's deny"
    );
    assert!(found.remedy.contains("service control policy"), "{}", found.remedy);
}

#[test]
fn a_way_back_to_redis_is_past_the_door_only_when_the_cache_runs_valkey() {
    let group = "AWS::ElastiCache::ReplicationGroup";
    let story = Story {
        stacks: vec![stack(
            ROOT,
            &[],
            &[
                (0, "SC-1", ROOT, STACK, "UPDATE_IN_PROGRESS", ""),
                (5, "Cache", "c", group, "UPDATE_COMPLETE", ""),
                (
                    9,
                    "Worker",
                    "w",
                    "AWS::Lambda::Function",
                    "UPDATE_FAILED",
                    "Internal error reported by downstream service",
                ),
                (10, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_IN_PROGRESS", ""),
                (
                    12,
                    "Cache",
                    "c",
                    group,
                    "UPDATE_FAILED",
                    "Cannot change the engine from valkey to redis",
                ),
                (13, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_FAILED", ""),
            ],
        )],
    };
    let found = diagnose(&story, true).unwrap();
    assert_eq!(found.cause, Cause::PastTheDoor);
    assert_eq!(found.failure.as_ref().unwrap().logical_id, "Worker", "what began it is kept");
    assert_eq!(diagnose(&story, false).unwrap().cause, Cause::Unknown);
}

#[test]
fn hostile_text_stays_on_one_plain_line() {
    let mut story = storage_failure(true);
    story.stacks[1].events.iter_mut().for_each(|event| {
        event.reason = event.reason.take().map(|reason| format!("\u{1b}[31m{reason}\n<b>"));
    });
    let found = diagnose(&story, false).unwrap();
    let message = found.failure.unwrap().message;
    assert!(!message.contains('\n') && !message.contains('\u{1b}'), "{message:?}");
}

#[test]
fn the_earliest_failure_counts_and_not_the_one_whose_parent_noticed_first() {
    let mut story = storage_failure(true);
    // The cache failed before the database, and its stack took longer to give up.
    story.stacks[2] = stack(
        CACHE,
        &["CacheStack"],
        &[
            (2, "CacheStack", CACHE, STACK, "UPDATE_IN_PROGRESS", ""),
            (
                9,
                "Cache",
                "c",
                "AWS::ElastiCache::ReplicationGroup",
                "UPDATE_FAILED",
                "Rate exceeded (Service: ElastiCache, Status Code: 400)",
            ),
            (22, "CacheStack", CACHE, STACK, "UPDATE_ROLLBACK_IN_PROGRESS", ""),
        ],
    );
    let found = diagnose(&story, false).unwrap();
    assert_eq!(found.failure.as_ref().unwrap().place(), "CacheStack/Cache");
    assert_eq!(found.cause, Cause::ServiceTrouble);
}

#[test]
fn a_nested_stack_that_fails_without_a_resource_is_told_by_its_parent() {
    let rows = [
        (0, "SC-1", ROOT, STACK, "UPDATE_IN_PROGRESS", "User Initiated"),
        (
            4,
            "DatabaseStack",
            DB,
            STACK,
            "UPDATE_FAILED",
            "Parameters: [MaxConnections] must have values",
        ),
        (5, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_IN_PROGRESS", ""),
    ];
    let child =
        stack(DB, &["DatabaseStack"], &[(-90, "DatabaseStack", DB, STACK, "UPDATE_COMPLETE", "")]);
    let found = diagnose(&Story { stacks: vec![stack(ROOT, &[], &rows), child] }, false).unwrap();
    assert_eq!(found.failure.unwrap().place(), "DatabaseStack");
    assert_eq!(found.cause, Cause::ValueNotAllowed);
    assert!(found.unseen.is_empty(), "{:?}", found.unseen);
}

#[test]
fn what_a_clean_up_leaves_behind_is_no_failure_of_the_update() {
    let rows = [
        (0, "SC-1", ROOT, STACK, "UPDATE_IN_PROGRESS", ""),
        (5, "Cache", "new", "AWS::ElastiCache::ReplicationGroup", "UPDATE_COMPLETE", ""),
        (6, "SC-1", ROOT, STACK, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", ""),
        (
            9,
            "Cache",
            "old",
            "AWS::ElastiCache::ReplicationGroup",
            "DELETE_FAILED",
            "Replication group old has a snapshot in progress",
        ),
        (10, "SC-1", ROOT, STACK, "UPDATE_COMPLETE", ""),
    ];
    let found = diagnose(&Story { stacks: vec![stack(ROOT, &[], &rows)] }, true).unwrap();
    assert!(found.failure.is_none() && found.rollback.is_empty(), "{found:#?}");
    assert_eq!(found.left_behind[0].physical_id.as_deref(), Some("old"));
    assert!(found.remedy.contains("`Cache` could not be deleted"), "{}", found.remedy);
}

#[test]
fn an_update_that_was_cancelled_is_nobodys_failure_but_that_persons() {
    let rows = [
        (0, "SC-1", ROOT, STACK, "UPDATE_IN_PROGRESS", "User Initiated"),
        (2, "DatabaseStack", DB, STACK, "UPDATE_IN_PROGRESS", ""),
        (5, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
        (5, "DatabaseStack", DB, STACK, "UPDATE_FAILED", "Resource update cancelled"),
        (9, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_COMPLETE", ""),
    ];
    let found = diagnose(&Story { stacks: vec![stack(ROOT, &[], &rows)] }, false).unwrap();
    assert_eq!(found.cause, Cause::Cancelled);
}

#[test]
fn what_was_skipped_when_the_rollback_went_on_is_healed() {
    let mut story = storage_failure(false);
    // The database was skipped: its stack got back, and nothing newer is said of the instance itself.
    let newer = [
        (100, "DatabaseStack", DB, STACK, "UPDATE_ROLLBACK_IN_PROGRESS", ""),
        (120, "DatabaseStack", DB, STACK, "UPDATE_ROLLBACK_COMPLETE", ""),
    ];
    story.stacks[1].events.splice(0..0, stack(DB, &[], &newer).events);
    let newer = [
        (99, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
        (121, "DatabaseStack", DB, STACK, "UPDATE_COMPLETE", ""),
        (122, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_COMPLETE", ""),
    ];
    story.stacks[0].events.splice(0..0, stack(ROOT, &[], &newer).events);
    assert!(diagnose(&story, false).unwrap().rollback.is_empty());
}

#[test]
fn a_denial_on_the_way_back_is_no_closed_door() {
    let group = "AWS::ElastiCache::ReplicationGroup";
    let denied = "User: arn:aws:sts::111122223333:assumed-role/launch/s is not authorized to perform: elasticache:ModifyReplicationGroup";
    let rows = [
        (0, "SC-1", ROOT, STACK, "UPDATE_IN_PROGRESS", ""),
        (5, "Cache", "c", group, "UPDATE_COMPLETE", ""),
        (
            9,
            "Db",
            "d",
            "AWS::RDS::DBInstance",
            "UPDATE_FAILED",
            "Database instance is not in available state.",
        ),
        (10, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_IN_PROGRESS", ""),
        (12, "Cache", "c", group, "UPDATE_FAILED", denied),
        (13, "SC-1", ROOT, STACK, "UPDATE_ROLLBACK_FAILED", ""),
    ];
    let found = diagnose(&Story { stacks: vec![stack(ROOT, &[], &rows)] }, true).unwrap();
    assert_eq!(found.cause, Cause::DatabaseNotAvailable);
    assert_eq!(found.denials.len(), 1, "what the way back lacks is said, too");
    assert!(found.remedy.starts_with("the way back failed at `Cache`: once that is allowed"));
}

#[test]
fn a_stack_that_cannot_be_read_may_have_touched_the_cache() {
    let mut story = storage_failure(true);
    assert!(!diagnose(&story, false).unwrap().touched_cache);
    story.stacks.remove(2);
    assert!(diagnose(&story, false).unwrap().touched_cache);
}

#[test]
fn thousands_of_events_are_looked_through_in_no_time() {
    let mut story = storage_failure(false);
    let noise = |number: i64, status: &'static str, reason: &'static str| StackEvent {
        logical_id: format!("Alarm{}", number % 500),
        physical_id: Some("alarm".to_owned()),
        kind: "AWS::CloudWatch::Alarm".to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        at: Some(Timestamp::from_second(1_790_000_030 + number / 1_000).unwrap()),
        token: None,
    };
    for stack in &mut story.stacks {
        let more = (0..5_000).map(|n| noise(n, "UPDATE_FAILED", "Resource update cancelled"));
        let more = more.chain((0..5_000).map(|n| noise(n, "UPDATE_COMPLETE", "")));
        stack.events.splice(0..0, more.collect::<Vec<_>>());
    }
    let found = diagnose(&story, false).unwrap();
    assert_eq!(found.failure.unwrap().place(), "DatabaseStack/HivePrimary");
    assert_eq!(found.rollback.len(), 1);
}

#[test]
fn only_what_waiting_heals_is_tried_again_by_itself() {
    let healing: Vec<_> =
        Cause::ALL.into_iter().filter(|cause| cause.heals_by_time()).map(Cause::as_str).collect();
    assert_eq!(
        healing,
        ["database-not-available", "storage-cooldown", "cache-not-available", "service-trouble"]
    );
    for cause in Cause::ALL {
        assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
        assert!(!remedy::of(cause, None, &[], &[]).is_empty());
    }
}
