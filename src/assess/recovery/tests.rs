//! The table of what is done about a rollback that failed, and what is never done.

use super::super::check::broken_rules;
use super::super::testing::{World, gate, record, there};
use super::super::types::{Assessment, ConditionStatus, ConditionType, Order, Phase, StepKind};
use super::*;
use crate::assess::Frozen;
use crate::assess::diagnosis::Diagnosis;
use crate::observe::observation::Seen;
use jiff::Timestamp;
use proptest::prelude::*;

const ROOT: &str = "SC-111122223333-pp-senyqa2ncjkws";
const RDS: &str = "AWS::RDS::DBInstance";
const CACHE: &str = "AWS::ElastiCache::ReplicationGroup";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn failure(logical_id: &str, physical_id: &str, kind: &str, cause: Cause) -> Failure {
    let stack = if kind == RDS { "DatabaseStack" } else { "CacheStack" };
    Failure {
        logical_id: logical_id.to_owned(),
        physical_id: Some(physical_id.to_owned()),
        kind: kind.to_owned(),
        stack_path: vec![stack.to_owned()],
        stack_name: format!("{ROOT}-{stack}-A1"),
        at: Some(at("2026-08-05T11:25:00Z")),
        message: format!("it says {cause}"),
        cause,
    }
}

fn storage() -> Failure {
    failure("HivePrimary", "turbot-einstein", RDS, Cause::StorageOutOfStep)
}

/// An update failed half an hour ago, and its rollback failed, too.
fn stuck() -> World {
    World::migrating().with(|world| {
        let seen = &mut world.observation;
        let product = &mut there(&mut seen.products)[0];
        product.status = "TAINTED".to_owned();
        product.artifact_id = Some("pa-1521".to_owned());
        product.last_provisioning_record_id = Some("rec-2".to_owned());
        let failed =
            record("rec-2", "pa-1521", "FAILED", "2026-08-05T11:00:00Z", "2026-08-05T11:30:00Z");
        seen.last_record = Seen::Present(failed.clone());
        there(&mut seen.history).insert(0, failed);
        let root = there(&mut seen.root);
        root.status = "UPDATE_ROLLBACK_FAILED".to_owned();
        root.role_arn = Some("arn:aws:iam::111122223333:role/launch".to_owned());
        there(&mut seen.database).allocated_storage = Some(240);
        world.context.diagnosis = Some(("rec-2".to_owned(), diagnosed(vec![storage()], 0)));
    })
}

fn diagnosed(rollback: Vec<Failure>, continued: usize) -> Diagnosis {
    Diagnosis {
        cause: rollback.first().map_or(Cause::Unknown, |failure| failure.cause),
        failure: rollback.first().cloned(),
        rollback,
        left_behind: Vec::new(),
        remedy: "do what the diagnosis says".to_owned(),
        guide: "https://example.com".to_owned(),
        denials: Vec::new(),
        touched_cache: false,
        began: Some(at("2026-08-05T11:00:05Z")),
        way_back: Some(WayBack {
            began: at("2026-08-05T11:00:05Z"),
            continued,
            failed: Some(at("2026-08-05T11:29:00Z")),
        }),
        unseen: Vec::new(),
    }
}

fn found(world: &mut World) -> &mut Diagnosis {
    &mut world.context.diagnosis.as_mut().unwrap().1
}

fn past_the_door(world: &mut World) {
    let cache = &mut there(&mut world.observation.caches)[0];
    cache.engine = Some("valkey".to_owned());
    for node in &mut cache.nodes {
        (node.engine, node.engine_version) = (Some("valkey".to_owned()), Some("8.0.1".to_owned()));
        node.parameter_group = Some("default.valkey8".to_owned());
    }
    let barred = failure("CacheCluster", "turbot-einstein-cache-cluster", CACHE, Cause::Unknown);
    *found(world) = diagnosed(vec![barred], 0);
    found(world).cause = Cause::PastTheDoor;
}

fn continuation(assessment: &Assessment) -> Option<&ContinueOrder> {
    assessment.plan.iter().find_map(|step| match &step.order {
        Order::Continue(order) => Some(order),
        Order::Triggers(_) | Order::Update(_) | Order::Wait(_) | Order::Later => None,
    })
}

/// What comes of a world.
#[derive(Debug, PartialEq, Eq)]
enum Comes {
    /// It is continued, and this is skipped. Events are paused first.
    Goes(&'static [&'static str]),
    /// It is waited for something.
    Waits,
    /// A person is needed; the condition Stalled says this.
    Stalls(&'static str),
}

const PRIMARY: &str = "SC-111122223333-pp-senyqa2ncjkws-DatabaseStack-A1.HivePrimary";
const REPLICA: &str = "SC-111122223333-pp-senyqa2ncjkws-DatabaseStack-A1.HiveReplica";
const CLUSTER: &str = "SC-111122223333-pp-senyqa2ncjkws-CacheStack-A1.CacheCluster";

type Bend = fn(&mut World);

fn again(world: &mut World) {
    found(world).way_back.as_mut().unwrap().continued = 1;
}

fn edit(world: &mut World, from: &str, to: &str) {
    *world = world.clone().edit(from, to);
}

fn replica(world: &mut World, status: &str) {
    let mut replica = there(&mut world.observation.database).clone();
    (replica.id, replica.status) = ("turbot-einstein-replica".to_owned(), status.to_owned());
    world.observation.replica = Seen::Present(replica);
    let second = failure("HiveReplica", "turbot-einstein-replica", RDS, Cause::StorageOutOfStep);
    found(world).rollback.push(second);
}

#[test]
fn what_is_done_about_a_rollback_that_failed() {
    use Comes::{Goes, Stalls, Waits};
    let rows: &[(&str, Bend, Comes)] = &[
        ("the first time as it is, whatever it failed at", |_| {}, Goes(&[])),
        ("the second time without the database", again, Goes(&[PRIMARY])),
        (
            "and its replica, if that failed as well",
            |w| {
                again(w);
                replica(w, "available");
            },
            Goes(&[PRIMARY, REPLICA]),
        ),
        (
            "never a third time",
            |w| found(w).way_back.as_mut().unwrap().continued = 2,
            Stalls("nothing more is tried"),
        ),
        (
            "a backup is waited for",
            |w| there(&mut w.observation.database).status = "backing-up".into(),
            Waits,
        ),
        ("that of the replica, too", |w| replica(w, "modifying"), Waits),
        (
            "so is the optimization of storage",
            |w| there(&mut w.observation.database).status = "storage-optimization".into(),
            Waits,
        ),
        (
            "a database that was stopped takes a person",
            |w| there(&mut w.observation.database).status = "stopped".into(),
            Stalls("start-db-instance"),
        ),
        (
            "a database that cannot be read is not taken for a well one",
            |w| w.observation.database = super::super::testing::denied(),
            Stalls("could not be read"),
        ),
        (
            "what failed twice and is no storage is not skipped",
            |w| {
                again(w);
                found(w).rollback[0].cause = Cause::Unknown;
            },
            Stalls("nothing that may be skipped"),
        ),
        (
            "nor a database of which nothing is known",
            |w| {
                again(w);
                found(w).rollback[0].physical_id = Some("another".into());
            },
            Stalls("nothing that may be skipped"),
        ),
        (
            "nor the storage, when the cache failed beside it",
            |w| {
                again(w);
                let beside = failure("CacheCluster", "c", CACHE, Cause::CacheNotAvailable);
                found(w).rollback.push(beside);
            },
            Stalls("nothing that may be skipped"),
        ),
        (
            "a denial lasts until a person ends it",
            |w| found(w).rollback[0].cause = Cause::PermissionDenied,
            Stalls("reconcile --retry"),
        ),
        (
            "and says so",
            |w| {
                found(w).rollback[0].cause = Cause::PermissionDenied;
                w.context.past.retry_at = Some(at("2026-08-05T11:50:00Z"));
            },
            Goes(&[]),
        ),
        (
            "who said so before it failed said nothing about this",
            |w| {
                found(w).rollback[0].cause = Cause::PermissionDenied;
                w.context.past.retry_at = Some(at("2026-08-05T11:10:00Z"));
            },
            Stalls("reconcile --retry"),
        ),
        ("past the door it takes an approval", past_the_door, Stalls("approve: [past-the-door]")),
        (
            "with it, the cache's way back is left out",
            |w| {
                past_the_door(w);
                edit(w, "[redis-to-valkey]", "[redis-to-valkey, past-the-door]");
            },
            Goes(&[CLUSTER]),
        ),
        (
            "the approval is for a document that wants Valkey",
            |w| {
                past_the_door(w);
                edit(w, "[redis-to-valkey]", "[past-the-door]");
                edit(w, "{engine: valkey, version: \"8.0\"}", "{engine: redis, version: \"7.1\"}");
            },
            Stalls("engine: valkey"),
        ),
        (
            "and for nothing else: without the door it skips no cache",
            |w| {
                edit(w, "[redis-to-valkey]", "[redis-to-valkey, past-the-door]");
                let beside = failure("CacheCluster", "c", CACHE, Cause::Unknown);
                found(w).rollback.push(beside);
            },
            Goes(&[]),
        ),
        (
            "observing is observing",
            |w| edit(w, "mode: apply", "mode: observe"),
            Stalls("continue-update-rollback"),
        ),
        (
            "the controller's mode binds",
            |w| w.context.mode_bound = crate::desired::Mode::Observe,
            Stalls("--mode apply"),
        ),
        (
            "a frozen controller starts nothing",
            |w| w.context.frozen = Some(Frozen::ByHand("an audit".into())),
            Stalls("an audit"),
        ),
        (
            "a suspended document starts nothing",
            |w| edit(w, "policy:", "suspend: true\n  policy:"),
            Stalls("suspended"),
        ),
        (
            "a person recovers who wants to",
            |w| edit(w, "{mode: apply,", "{mode: apply, recovery: manual,"),
            Stalls("continue-update-rollback"),
        ),
        (
            "on our own credentials it is not done",
            |w| there(&mut w.observation.root).role_arn = None,
            Stalls("no role of its own"),
        ),
        (
            "not in another account",
            |w| there(&mut w.observation.caller).account = "999988887777".into(),
            Stalls("999988887777"),
        ),
        (
            "not another hive's",
            |w| {
                let root = there(&mut w.observation.root);
                root.parameters.get_mut("HiveName").unwrap().value = "newton".into();
            },
            Stalls("newton"),
        ),
        (
            "not what was begun past Service Catalog",
            |w| {
                let late = at("2026-08-05T11:50:00Z");
                found(w).way_back.as_mut().unwrap().began = late;
            },
            Stalls("past Service Catalog"),
        ),
        ("not what is not understood", |w| w.context.diagnosis = None, Stalls("is not known")),
        ("not when nobody can count", |w| found(w).way_back = None, Stalls("out of sight")),
        (
            "triggers that cannot be read cannot be paused",
            |w| w.observation.triggers = super::super::testing::denied(),
            Stalls("could not be read"),
        ),
        (
            "an update that Service Catalog has not ended yet is waited for",
            |w| there(&mut w.observation.products)[0].status = "UNDER_CHANGE".into(),
            Waits,
        ),
        (
            "a product in ERROR has a stack like any other",
            |w| there(&mut w.observation.products)[0].status = "ERROR".into(),
            Goes(&[]),
        ),
        (
            "windows are for updates",
            |w| {
                let windows =
                    "maintenanceWindows: [{days: [Sun], start: \"02:00\", end: \"04:00\"}],";
                edit(w, "{mode: apply,", &format!("{{mode: apply, {windows}"));
            },
            Goes(&[]),
        ),
    ];
    for (why, bend, comes) in rows {
        let world = stuck().with(bend);
        let assessment = world.assess();
        let told = |kind| assessment.conditions.iter().find(|it| it.kind == kind).unwrap();
        let stalled = told(ConditionType::Stalled);
        match comes {
            Goes(skip) => {
                let order = continuation(&assessment).unwrap_or_else(|| panic!("{why}: no order"));
                assert_eq!(order.skip, *skip, "{why}");
                let next = assessment.next.as_ref().map(|step| step.step);
                assert_eq!(next, Some(StepKind::Hold), "{why}: events are paused first");
                assert_eq!(assessment.phase, Phase::Recovering, "{why}");
                assert_eq!(told(ConditionType::Reconciling).status, ConditionStatus::True, "{why}");
            }
            Waits => {
                let next = assessment.next.as_ref().map(|step| step.step);
                assert_eq!(next, Some(StepKind::Wait), "{why}: {:?}", assessment.gates);
                assert_eq!(stalled.status, ConditionStatus::False, "{why}: {}", stalled.message);
            }
            Stalls(part) => {
                let next = assessment.next.as_ref().map(|step| step.step);
                assert!(next.is_none_or(|step| step == StepKind::Wait), "{why}: {next:?}");
                assert_eq!(stalled.status, ConditionStatus::True, "{why}");
                let stable = gate(&assessment, "stable");
                let said = format!("{} {} {}", stalled.message, stable.message, stable.remedy);
                assert!(said.contains(part), "{why}: {said}");
                assert!(
                    said.contains("aws cloudformation continue-update-rollback"),
                    "{why}: {said}"
                );
            }
        }
        assert_eq!(
            broken_rules(Some(&world.desired()), &world.observation, &assessment),
            [],
            "{why}"
        );
    }
}

#[test]
fn without_a_pause_it_goes_at_once() {
    let assessment = stuck().edit("{pause: true}", "{pause: false}").assess();
    let next = assessment.next.unwrap();
    assert_eq!(next.step, StepKind::ContinueRollback);
    assert_eq!(next.summary, format!("continue the rollback of `{ROOT}`, skipping nothing"));
}

#[test]
fn a_trigger_on_its_way_ends_no_pause() {
    let paused = |state: &str, minutes_ago: i64| {
        stuck().with(|world| {
            let digest = world.desired().digest();
            let since = at(crate::assess::testing::NOW).as_second() - 60 * minutes_ago;
            let tag = format!("held rec-2 {since} ctl-1 {} made:0", digest.as_str());
            let triggers = &mut there(&mut world.observation.triggers).mappings;
            for trigger in triggers.iter_mut() {
                trigger.state = "Disabled".to_owned();
                let key = "ted-controller:hold:pp-senyqa2ncjkws".to_owned();
                trigger.tags.as_mut().unwrap().insert(key, tag.clone());
            }
            triggers[0].state = state.to_owned();
        })
    };
    for (state, ago, wanted, why) in [
        ("Disabled", 2, StepKind::ContinueRollback, "all are off, and have been for long enough"),
        ("Disabling", 2, StepKind::Wait, "the others stay off until it is off, too"),
        ("Disabling", 8, StepKind::Release, "it does not arrive: events run again"),
    ] {
        let assessment = paused(state, ago).assess();
        assert_eq!(assessment.next.map(|step| step.step), Some(wanted), "{why}");
    }
}

#[test]
fn whoever_continues_the_same_failure_asks_for_the_same_continuation() {
    let tokens = |bend: Bend| continuation(&stuck().with(bend).assess()).unwrap().token.clone();
    let first = tokens(|_| {});
    let same: &[(&str, Bend)] = &[
        ("another controller", |w| w.context.controller_id = "ctl-2".into()),
        ("another revision", |w| edit(w, "version: \"8.0\"", "version: \"8.1\"")),
        ("another moment", |w| w.observation.now = at("2026-08-05T13:00:00Z")),
    ];
    for (why, bend) in same {
        assert_eq!(tokens(*bend), first, "{why}");
    }
    let second = tokens(again);
    assert_ne!(second, first, "the second one is another one");
    let fits = |c: char| c.is_ascii_alphanumeric();
    assert!(first.len() <= 128 && first.chars().all(fits) && first.starts_with("ted"), "{first}");
}

#[test]
fn the_update_after_it_is_aligned_even_when_nothing_else_is_to_change() {
    let done = |continued: usize| {
        let mut world = stuck();
        world.document = super::super::testing::STAY.to_owned();
        world.observation.target = Seen::NotLooked;
        there(&mut world.observation.root).status = "UPDATE_ROLLBACK_COMPLETE".to_owned();
        *found(&mut world) = diagnosed(vec![storage()], continued);
        found(&mut world).rollback.clear();
        world
    };
    let update = |world: &World| {
        let assessment = world.assess();
        assert_eq!(broken_rules(Some(&world.desired()), &world.observation, &assessment), []);
        let step = assessment.plan.iter().find(|step| step.step == StepKind::Update);
        step.map(|step| step.summary.clone())
    };
    let sent = update(&done(1)).unwrap();
    assert!(sent.ends_with(": AllocatedStorage = 240"), "{sent}");
    assert_eq!(update(&done(0)), None, "a rollback that went well by itself left nothing aside");
    let report = done(1).edit("{mode: apply}", "{mode: apply, storage: report}");
    assert_eq!(update(&report), None, "`storage: report` leaves it to a person");
    let manual = done(1).edit("{mode: apply}", "{mode: apply, recovery: manual}");
    assert_eq!(update(&manual), None, "and so does `recovery: manual`");
}

#[test]
fn names_to_skip_and_commands_are_as_aws_takes_them() {
    let assessment = stuck()
        .with(again)
        .with(|w| edit(w, "{mode: apply,", "{mode: apply, recovery: manual,"))
        .assess();
    let remedy = &gate(&assessment, "stable").remedy;
    for part in [
        format!("`aws cloudformation continue-update-rollback --stack-name {ROOT} --region us-east-2 --resources-to-skip {PRIMARY}`"),
        format!("`aws cloudformation wait stack-rollback-complete --stack-name {ROOT} --region us-east-2`"),
        "--provisioned-product-id pp-senyqa2ncjkws --product-id prod-4cmpny7iskfea --provisioning-artifact-id pa-1521 --path-id lp-1".to_owned(),
        r#"{"Key":"AllocatedStorage","Value":"240"}"#.to_owned(),
        r#"{"Key":"MasterPassword","UsePreviousValue":true}"#.to_owned(),
    ] {
        assert!(remedy.contains(&part), "{part}\n{remedy}");
    }
    assert!(!remedy.contains("****"), "no mask travels: {remedy}");
}

fn any_failure() -> impl Strategy<Value = Failure> {
    let kinds = prop_oneof![
        Just((RDS, "turbot-einstein")),
        Just((RDS, "turbot-einstein-replica")),
        Just((RDS, "another")),
        Just((CACHE, "turbot-einstein-cache-cluster")),
        Just(("AWS::ElastiCache::ParameterGroup", "pg")),
        Just(("AWS::SSM::Parameter", "p")),
        Just(("AWS::CloudFormation::Stack", "s")),
    ];
    let causes = prop::sample::select(Cause::ALL.to_vec());
    (kinds, causes, 0..9)
        .prop_map(|((kind, id), cause, number)| failure(&format!("R{number}"), id, kind, cause))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Said a second time, more simply: what is skipped, how often, and what never happens.
    #[test]
    fn nothing_is_skipped_that_is_not_proven_and_nothing_continued_more_than_twice(
        failures in prop::collection::vec(any_failure(), 0..4),
        continued in 0_usize..4,
        door in any::<bool>(),
        approved in any::<bool>(),
        policy in prop::sample::select(vec![
            "mode: apply,", "mode: observe,", "mode: apply, recovery: manual,", "mode: apply, storage: report,",
        ]),
        database in prop::sample::select(vec!["available", "backing-up", "stopped", "storage-optimization"]),
        frozen in any::<bool>(),
    ) {
        let mut world = stuck();
        if door {
            past_the_door(&mut world);
        }
        let cause = found(&mut world).cause;
        *found(&mut world) = diagnosed(failures.clone(), continued);
        if door {
            found(&mut world).cause = cause;
        }
        there(&mut world.observation.database).status = database.to_owned();
        if approved {
            edit(&mut world, "[redis-to-valkey]", "[redis-to-valkey, past-the-door]");
        }
        edit(&mut world, "mode: apply,", policy);
        world.context.frozen = frozen.then(|| Frozen::ByHand("so".to_owned()));
        let assessment = world.assess();
        prop_assert_eq!(broken_rules(Some(&world.desired()), &world.observation, &assessment), []);
        prop_assert_eq!(assessment.clone(), world.assess());
        let next = assessment.next.as_ref().map(|step| step.step);
        prop_assert_ne!(next, Some(StepKind::Update), "a stack that is stuck takes no update");
        if let Some(order) = continuation(&assessment) {
            prop_assert!(order.continued < 2);
            for skipped in &order.skip {
                let of = |failure: &&Failure| failure.skip_name() == *skipped;
                prop_assert!(failures.iter().filter(of).any(|failure| {
                    let proven = failure.kind == RDS
                        && failure.cause == Cause::StorageOutOfStep
                        && failure.physical_id.as_deref() == Some("turbot-einstein")
                        && continued == 1;
                    let cache = failure.kind.starts_with("AWS::ElastiCache::") && door && approved;
                    proven || cache
                }), "{} is skipped", skipped);
            }
        }
        // Tags, pauses and the continuation itself: nothing of it where nothing may start.
        let starts = next.is_some_and(StepKind::begins_something);
        let may = policy.starts_with("mode: apply") && !policy.contains("manual") && !frozen
            && database == "available" && continued < 2 && (!door || approved);
        prop_assert!(may || !starts, "{:?} is begun", next);
    }
}
