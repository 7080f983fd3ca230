//! What AWS does not document: whichever way it is, a migration goes through, or stops without harm.

use super::daemon::{Daemon, describe, is};
use super::look::MIGRATE;
use super::stage::{HOURS, Stage, migrate};
use super::truths::Truths;
use super::worlds::{done, goes_through};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use ted_controller::assess::types::ConditionType::{EventsPaused, Stalled};
use ted_controller::clock;
use ted_controller::report::Status;
use ted_controller::report::commands::Command;
use ted_sim::Scenario;
use ted_sim::front::Entry;
use ted_sim::options::{
    CacheUpgrade, EmptyDefault, EngineWithoutVersion, FailedStatus, Mask, NoOpUpdate,
    OmittedParameter, Options, RefusalTime, RollbackOfRefused, SearchMatch, ShortPassword,
    SmallStorageIncrease, StableStatus, StalePath, StorageBelowActual, TokenConflict,
    TransitionReason, UnderChangeRefusal, UnknownFunction, ValkeyToRedis,
};

const UPDATE: &str = "UpdateProvisionedProduct";

/// The choices of AWS in which a migration goes through: all at once, and in mixtures.
const OPEN: &[(&str, &str)] = &[
    ("the contrary of everything", "extends: contrary"),
    (
        "records come and go late",
        "options: {searchLag: 60s, describeLag: 30s, tokenLifetime: 1m, tokenWithOtherRequest: new-record, updateUnderChange: ResourceInUseException, omittedParameter: previous}",
    ),
    (
        "triggers are slow and tell little",
        "options: {mappingTransition: 3m, transitionEndMovesLastModified: true, tagMovesLastModified: true, sameStateTransitions: true, transitionReason: User action, bareNameListsQualified: true, mappingsOfUnknownFunction: empty}",
    ),
    (
        "triggers are quick, pages short",
        "options: {mappingTransition: 0s, pageSize: 1, stalePath: ResourceNotFoundException, updateUnderChange: InvalidParametersException, userInitiatedInNested: true}",
    ),
    (
        "Lambda counts",
        "options: {lambdaRequestsPerSecond: 6, searchMatch: prefix, smallStorageIncrease: refused, engineWithoutVersion: newest, valkeyToRedis: 7.2-to-7.1, shortPassword: refused, cacheUpgrade: replace}",
    ),
    (
        "the database is busy with itself",
        "options: {nightlyBackup: true, backupTime: 10m, stackWaitsForOptimization: true, engineWithoutVersion: oldest, updateToDeprecated: false, catalogNoticesDirectChanges: 1m}",
    ),
];

#[tokio::test(start_paused = true)]
async fn a_migration_goes_through_whatever_records_and_triggers_are_like() {
    for (why, world) in &OPEN[..3] {
        println!("{why}");
        let stage = Stage::set(world).await;
        goes_through(&stage, MIGRATE, Truths::of(&stage, 1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_migration_goes_through_whatever_pages_quotas_and_databases_are_like() {
    for (why, world) in &OPEN[3..] {
        println!("{why}");
        let stage = Stage::set(world).await;
        goes_through(&stage, MIGRATE, Truths::of(&stage, 1)).await;
    }
}

/// The choices in which an update fails whose rollback fails: the product says one thing or the other.
const STUCK: &[&str] = &[
    "{extends: storage-autoscaled-mid-update}",
    "{extends: storage-autoscaled-mid-update, options: {statusAfterRollbackFailed: ERROR, failedRecordHasStackArn: false}}",
];

#[tokio::test(start_paused = true)]
async fn a_stack_that_is_stuck_keeps_events_paused_whatever_the_product_says_of_it() {
    for world in STUCK {
        let stage = Stage::set(world).await;
        let daemon =
            stage.daemon(&migrate(&[("{mode: apply,", "{mode: apply, recovery: manual,")]));
        daemon.until("a person to be asked", HOURS, |status| is(status, Stalled)).await;
        stage.rests().await;
        let status = daemon.status().unwrap();
        assert!(is(&status, EventsPaused), "{world}");
        assert_eq!(status.actual.stack_status.as_deref(), Some("UPDATE_ROLLBACK_FAILED"));
        let mut truths = Truths::of(&stage, 1);
        truths.off = stage.off_now().await;
        assert_eq!(truths.off.len(), 6);
        truths.hold(&stage).await;
    }
}

/// A world in which an update is over before anybody looks.
fn quick(options: &str) -> String {
    let rest = options.trim_start_matches('{');
    format!("options: {{resourceTime: 100ms, databaseTime: 1s, cacheTime: 2s, {rest}")
}

/// How an update is refused that comes a moment after somebody else's, which no look showed yet.
const LATE: &[&str] = &[
    "{updateUnderChange: InvalidStateException}",
    "{updateUnderChange: InvalidParametersException, tokenWithOtherRequest: refused}",
    "{updateUnderChange: ValidationException}",
    "{updateUnderChange: ResourceInUseException}",
];

#[tokio::test(start_paused = true)]
async fn an_update_of_somebody_elses_that_no_look_showed_yet_costs_time_and_no_harm() {
    for options in LATE {
        let rest = options.trim_start_matches('{');
        let stage = Stage::set(&format!("options: {{resourceTime: 20s, {rest}")).await;
        let daemon = stage.daemon(MIGRATE);
        // All are off, and what the last looks before the update show is older than the update of somebody else.
        stage.until("the pause", async |stage| stage.off_now().await.len() == 6).await;
        stage.looks_are_old();
        clock::sleep(Duration::from_secs(30)).await;
        stage.act("product-update: {parameters: {DBInstanceClass: db.m6g.xlarge}}");
        clock::sleep(Duration::from_mins(6)).await;
        stage.sim.clear_faults();
        let refused = |call: &&Entry| call.operation == UPDATE && call.status != Some(200);
        assert!(stage.writes().iter().any(|call| refused(&call)), "it was refused: {options}");
        daemon.until(options, HOURS, |status| done(status) || is(status, Stalled)).await;
        let told = describe("einstein", daemon.status().as_ref(), &daemon.store);
        assert!(done(&daemon.status().unwrap()), "{options}\n{told}");
        stage.rests().await;
        Truths::of(&stage, 1).hold(&stage).await;
    }
}

/// What an update comes to that changes nothing any more, because somebody else did the same a moment before.
const SAME: &[&str] = &[
    "{noOpUpdate: record-fails}",
    "{noOpUpdate: refused, statusAfterRefusal: AVAILABLE}",
    "{noOpUpdate: succeeds}",
];

#[tokio::test(start_paused = true)]
async fn an_update_that_somebody_else_made_a_moment_before_is_not_made_again_and_again() {
    for options in SAME {
        let stage = Stage::set(&quick(options)).await;
        let daemon = stage.daemon(MIGRATE);
        stage.until("the pause", async |stage| stage.off_now().await.len() == 6).await;
        stage.looks_are_old();
        stage.act(
            "product-update: {version: v1.52.1, parameters: {ElastiCacheEngine: valkey, ValkeyCacheVersion: \"8.0\"}}",
        );
        clock::sleep(Duration::from_mins(6)).await;
        stage.sim.clear_faults();
        let settled = |status: &Status| {
            status.actual.engine.as_deref() == Some("valkey") && !is(status, EventsPaused)
        };
        daemon.until(options, HOURS, settled).await;
        stage.until_given_back().await;
        stage.rests().await;
        let sent = stage.writes().iter().filter(|call| call.operation == UPDATE).count();
        assert!((1..=5).contains(&sent), "{options}: {sent}");
    }
}

/// What parameters that AWS refuses leave behind.
const REFUSED: &[&str] = &[
    "{parameterRefusal: record, statusAfterRefusal: TAINTED}",
    "{parameterRefusal: call, statusAfterRefusal: AVAILABLE}",
    "{parameterRefusal: record, statusAfterRefusal: AVAILABLE, failedRecordHasStackArn: false}",
];

#[tokio::test(start_paused = true)]
async fn what_was_refused_to_somebody_else_before_is_no_reason_for_ever() {
    for options in REFUSED {
        let stage = Stage::set(&format!("options: {options}")).await;
        // Refused by the call, there is no record, and nobody knows.
        let _ = stage.try_act("product-update: {parameters: {MaxConnections: many}}");
        let daemon = stage.daemon(MIGRATE);
        let over = |status: &Status| done(status) || is(status, Stalled);
        daemon.until(options, HOURS, over).await;
        if is(&daemon.status().unwrap(), Stalled) {
            assert_eq!(stage.writes(), [], "{options}");
            retry(&daemon).await;
            daemon.until(options, HOURS, done).await;
        }
        stage.rests().await;
        Truths::of(&stage, 1).hold(&stage).await;
    }
}

async fn retry(daemon: &Daemon) {
    let (name, token) = ("einstein".to_owned(), "now".to_owned());
    daemon.ask(Command::Reconcile { name, token, retry: true }).await;
}

macro_rules! all {
    ($($name:literal: $choice:ident,)*) => { vec![$(($name, $choice::ALL.iter().map(|it| it.as_str()).collect::<BTreeSet<_>>())),*] };
}

#[test]
fn every_choice_of_aws_is_taken_in_some_story_each_way() {
    let worlds = OPEN.iter().map(|(_, world)| (*world).to_owned());
    let worlds = worlds.chain(STUCK.iter().map(|world| (*world).to_owned()));
    let of_options = [LATE, SAME, REFUSED].concat();
    let worlds = worlds.chain(of_options.iter().map(|options| format!("options: {options}")));
    // Told elsewhere: a group that stays behind, and a path that is gone.
    let worlds = worlds.chain(["leave-behind", "stale-path"].map(|it| format!("extends: {it}")));
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for world in worlds {
        let scenario = Scenario::parse("story.yaml", &world).expect("a scenario");
        let options = serde_json::to_value(&scenario.options).unwrap();
        for (name, value) in options.as_object().unwrap() {
            seen.entry(name.clone()).or_default().insert(text(value));
        }
    }
    let chosen: Vec<(&str, BTreeSet<&str>)> = all! {
        "updateUnderChange": UnderChangeRefusal, "noOpUpdate": NoOpUpdate,
        "parameterRefusal": RefusalTime, "statusAfterRefusal": StableStatus,
        "statusAfterRollbackFailed": FailedStatus, "stalePath": StalePath,
        "tokenWithOtherRequest": TokenConflict, "omittedParameter": OmittedParameter,
        "searchMatch": SearchMatch, "emptyDefault": EmptyDefault, "noEchoMask": Mask,
        "storageBelowActual": StorageBelowActual, "rollbackOfRefused": RollbackOfRefused,
        "smallStorageIncrease": SmallStorageIncrease, "shortPassword": ShortPassword,
        "valkeyToRedis": ValkeyToRedis, "engineWithoutVersion": EngineWithoutVersion,
        "transitionReason": TransitionReason, "mappingsOfUnknownFunction": UnknownFunction,
        "cacheUpgrade": CacheUpgrade,
    };
    for (name, values) in &chosen {
        let taken: BTreeSet<&str> = seen[*name].iter().map(String::as_str).collect();
        assert_eq!(taken, *values, "{name}");
    }
    let defaults = serde_json::to_value(Options::default()).unwrap();
    // An update whose stack is not there is never sent: the gate `product` is closed. The other is a setting of the simulator.
    let beside = ["statusAfterStackMissing", "strictCredentials"];
    for (name, default) in defaults.as_object().unwrap() {
        let told = chosen.iter().any(|(known, _)| known == name) || beside.contains(&name.as_str());
        let time = name.ends_with("Time");
        let other = seen[name].iter().any(|value| *value != text(default));
        assert!(told || time || other, "`{name}` is never other than {default}");
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
