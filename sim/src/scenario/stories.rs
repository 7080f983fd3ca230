//! What a migration to Valkey comes to in the named scenarios: each has to show what its summary says.

use super::ted::Ted;
use super::*;
use crate::services::cloudformation;
use crate::services::iam::Principal;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a migration may take, its rollback included.
const LONG_ENOUGH: Duration = Duration::from_hours(6);

/// Who asks for the migration: the principal that every access key without a name stands for.
fn caller() -> Principal {
    Principal {
        arn: "arn:aws:iam::111122223333:user/admin".to_owned(),
        account: "111122223333".to_owned(),
    }
}

fn begun(name: &str) -> World {
    let scenario = Scenario::named(name).unwrap();
    let mut world = scenario.build().unwrap();
    scenario.schedule(&mut world);
    world
}

/// Asks for v1.52.1 and these parameters.
fn ask(world: &mut World, changed: &[(&str, &str)]) -> Result<(), String> {
    let changed =
        changed.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Ted::find(world, None)?.update(world, caller(), Some("v1.52.1"), &changed)
}

fn later(world: &mut World, time: Duration) {
    let to = world.now() + time;
    world.advance_to(to);
}

/// Status of product and root stack, and the engines of all caches.
fn ending(world: &World) -> (String, String, String) {
    let ted = Ted::find(world, None).unwrap();
    let region = world.region(&ted.scope);
    let product =
        region.servicecatalog.provisioned(&ted.id).map_or("gone", |found| found.status.as_str());
    let stack = cloudformation::see(region, &ted.stack_id)
        .map_or_else(|| "gone".to_owned(), |seen| seen.status);
    let engines: BTreeSet<&str> =
        region.elasticache.groups.values().map(|group| group.settings.engine.as_str()).collect();
    (product.to_owned(), stack, engines.into_iter().collect::<Vec<_>>().join("+"))
}

const VALKEY: &[(&str, &str)] = &[("ElastiCacheEngine", "valkey"), ("ValkeyCacheVersion", "8.0")];

#[test]
fn an_update_ends_as_the_scenario_says() {
    let done = ("AVAILABLE", "UPDATE_COMPLETE");
    let back = ("TAINTED", "UPDATE_ROLLBACK_COMPLETE");
    let stuck = ("TAINTED", "UPDATE_ROLLBACK_FAILED");
    let mut wrong = Vec::new();
    for (name, changed, (product, stack), engines) in [
        ("default", VALKEY, done, "valkey"),
        ("in-place", VALKEY, done, "valkey"),
        ("replace", VALKEY, done, "valkey"),
        ("leave-behind", VALKEY, done, "redis+valkey"),
        ("no-launch-role", VALKEY, done, "valkey"),
        ("several-paths", VALKEY, done, "valkey"),
        ("stale-path", VALKEY, done, "valkey"),
        ("database-backing-up", VALKEY, back, "redis"),
        ("database-upgrading", VALKEY, back, "redis"),
        ("storage-optimization", VALKEY, stuck, "redis"),
        ("storage-autoscaled", VALKEY, stuck, "redis"),
        ("storage-autoscaled-mid-update", VALKEY, stuck, "redis"),
        ("past-the-door", VALKEY, stuck, "valkey"),
        // The way back needs the same right.
        ("access-denied-launch-role", VALKEY, stuck, "redis"),
        ("te-version-appears", VALKEY, done, "valkey"),
        ("operator-toggles", VALKEY, done, "valkey"),
        ("tainted", VALKEY, done, "valkey"),
        ("many-functions", VALKEY, done, "valkey"),
        ("small-pages", VALKEY, done, "valkey"),
        ("contrary", VALKEY, ("AVAILABLE", "UPDATE_COMPLETE"), "valkey"),
    ] {
        let mut world = begun(name);
        ask(&mut world, changed).unwrap_or_else(|error| panic!("{name}: {error}"));
        later(&mut world, LONG_ENOUGH);
        let found = ending(&world);
        if found != (product.to_owned(), stack.to_owned(), engines.to_owned()) {
            wrong.push(format!("{name}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_others_do_is_there_to_be_seen() {
    let minutes = Duration::from_mins;
    let quiet = ("AVAILABLE", "UPDATE_COMPLETE");
    for (name, after, (product, stack), engines) in [
        ("someone-else-updates", minutes(1), quiet, "redis"),
        ("someone-else-updates", minutes(3), ("UNDER_CHANGE", "UPDATE_IN_PROGRESS"), "redis"),
        ("someone-else-updates", minutes(90), quiet, "redis"),
        ("under-change", minutes(1), ("UNDER_CHANGE", "UPDATE_IN_PROGRESS"), "redis"),
        ("tainted", minutes(0), ("TAINTED", "UPDATE_COMPLETE"), "redis"),
        ("stack-changed-outside", minutes(2), ("AVAILABLE", "UPDATE_IN_PROGRESS"), "redis"),
        ("stack-deleted", minutes(6), ("AVAILABLE", "gone"), "redis"),
        ("cache-changed-outside", minutes(2), quiet, "valkey"),
        ("cache-deleted", minutes(2), quiet, ""),
        ("valkey", minutes(0), quiet, "valkey"),
    ] {
        let mut world = begun(name);
        later(&mut world, after);
        let expected = (product.to_owned(), stack.to_owned(), engines.to_owned());
        assert_eq!(ending(&world), expected, "{name} after {after:?}");
    }
}

#[test]
fn things_vanish_and_appear() {
    let mut world = begun("product-deleted");
    later(&mut world, Duration::from_mins(6));
    assert!(Ted::find(&world, None).is_err(), "the product is gone");

    let mut world = begun("database-deleted");
    let ted = Ted::find(&world, None).unwrap();
    let id = ted.resource(&world, "AWS::RDS::DBInstance").unwrap();
    assert_eq!(id, "turbot-einstein");
    later(&mut world, Duration::from_mins(2));
    assert!(world.region(&ted.scope).rds.instance(&id).is_none(), "the database is gone");

    let mut world = begun("version-retired");
    later(&mut world, Duration::from_mins(11));
    let error = ask(&mut world, VALKEY).unwrap_err();
    assert!(error.contains("pa-"), "an inactive version takes no update: {error}");
    let ted = Ted::find(&world, None).unwrap();
    let changed = BTreeMap::from([("ElastiCacheEngine".to_owned(), "valkey".to_owned())]);
    ted.update(&mut world, caller(), Some("v1.52.2"), &changed).unwrap();
    later(&mut world, LONG_ENOUGH);
    let seen = cloudformation::see(world.region(&ted.scope), &ted.stack_id).unwrap();
    let release = seen.outputs.iter().find(|(key, ..)| key == "ReleaseVersion").unwrap();
    let told: Vec<&str> = world.journal().map(|happening| happening.what.as_str()).collect();
    assert_eq!(release.1, "1.52.2", "the version that appeared is its own: {told:#?}");
}

#[test]
fn an_update_that_fails_late_takes_new_nested_stacks_away_again() {
    let mut world = begun("default");
    let fail = Action::FailResource {
        logical_id: "HiveVersionParameter".to_owned(),
        stack: None,
        phase: FailPhase::Update,
        message: "no".to_owned(),
        times: 1,
        after_change: false,
    };
    act(&mut world, &fail).unwrap();
    // v1.50.0 and later nest one stack more.
    ask(&mut world, &[]).unwrap();
    later(&mut world, LONG_ENOUGH);
    let (product, stack, _) = ending(&world);
    assert_eq!((product.as_str(), stack.as_str()), ("TAINTED", "UPDATE_ROLLBACK_COMPLETE"));
    let home = world.scenario.home();
    let ted = Ted::find(&world, None).unwrap();
    let stacks = cloudformation::parameter_keys(world.region(home), &ted.stack_id);
    assert!(!stacks.contains(&"PgBouncer".to_owned()), "the old template is back");
}

#[test]
fn a_denied_launch_role_is_named_by_the_failure() {
    let mut world = begun("access-denied-launch-role");
    ask(&mut world, VALKEY).unwrap();
    later(&mut world, LONG_ENOUGH);
    let told =
        world.journal().any(|happening| happening.what.contains("update of ted-einstein failed"));
    assert!(told);
    let mut world = begun("no-launch-role");
    let deny = Action::Deny {
        principal: "launch-role".to_owned(),
        actions: vec!["*".to_owned()],
        kind: DenyKind::Scp,
    };
    assert_eq!(act(&mut world, &deny), Err("the product launches without a role".to_owned()));
}

#[test]
fn credentials_are_over_for_ten_minutes_of_an_update() {
    let mut world = begun("credentials-expire");
    ask(&mut world, VALKEY).unwrap();
    for (minute, valid) in [(1, true), (6, false), (14, false), (17, true)] {
        let start = crate::setup::START;
        world.advance_to(start + Duration::from_mins(minute));
        let found = world.iam.principal_for("AKIAEXAMPLE", None, false, world.now());
        assert_eq!(found.is_ok(), valid, "minute {minute}");
    }
}

#[test]
fn operators_hands_are_on_the_triggers() {
    let state = |world: &World, function: &str| {
        let home = world.scenario.home();
        let states =
            world.region(home).lambda.mappings_of(function).map(|mapping| mapping.state.as_str());
        states.collect::<Vec<_>>().join(",")
    };
    let mut world = begun("operator-toggles");
    later(&mut world, Duration::from_mins(2));
    assert_eq!(state(&world, "turbot_5_39_12_worker_retry"), "Disabled");
    assert_eq!(state(&world, "turbot_5_39_12_worker"), "Enabled");

    let mut world = begun("te-version-appears");
    assert_eq!(state(&world, "turbot_5_41_0_worker"), "");
    ask(&mut world, VALKEY).unwrap();
    later(&mut world, Duration::from_mins(3));
    assert_eq!(state(&world, "turbot_5_41_0_worker"), "Enabled");

    let mut world = begun("trigger-stuck");
    let home = world.scenario.home().clone();
    crate::services::lambda::toggle_triggers(&mut world, &home, "turbot_5_39_12_worker", false)
        .unwrap();
    later(&mut world, Duration::from_hours(2));
    assert_eq!(state(&world, "turbot_5_39_12_worker"), "Disabling");
}

#[test]
fn worlds_are_as_large_as_they_say() {
    let teds = |name: &str| {
        let world = begun(name);
        let all = |scope| {
            world
                .region(scope)
                .servicecatalog
                .all_provisioned()
                .filter(|found| found.name.starts_with("ted-"))
                .count()
        };
        world.scopes().map(all).collect::<Vec<_>>()
    };
    assert_eq!(teds("default"), [1]);
    assert_eq!(teds("two-hives"), [2]);
    assert_eq!(teds("fleet"), [20, 6, 4]);
    let world = begun("many-functions");
    assert!(world.region(world.scenario.home()).lambda.functions().count() >= 1500);
    let world = begun("renamed-keys");
    let ted = Ted::find(&world, None).unwrap();
    let keys = cloudformation::parameter_keys(world.region(&ted.scope), &ted.stack_id);
    assert!(
        keys.contains(&"HiveCacheRedisVersion".to_owned())
            && !keys.contains(&"ElastiCacheVersion".to_owned()),
        "{keys:?}"
    );
}
