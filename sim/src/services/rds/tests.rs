//! Stories of databases.

use super::{PROVIDERS, autoscale, delete_now, grow_storage, reboot, set_status};
use crate::options::{Options, ShortPassword, SmallStorageIncrease, StorageBelowActual};
use crate::services::cloudformation::provider::{Actual, Progress, Provider};
use crate::services::story::{Story, at, provider};
use crate::spec::Service::Rds;
use serde_json::{Value, json};
use std::time::Duration;

const ID: &str = "turbot-einstein";
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const NOT_AVAILABLE: &str = "InvalidDBInstanceState: Database instance is not in available state.";

fn instances() -> &'static dyn Provider {
    provider(PROVIDERS, "AWS::RDS::DBInstance")
}

/// A template of a database with 200 GiB, with some properties changed; `null` takes one away.
fn database(changed: &Value) -> Value {
    let mut properties = json!({
        "DBInstanceIdentifier": ID,
        "Engine": "postgres",
        "EngineVersion": "15.7",
        "DBInstanceClass": "db.m6g.large",
        "AllocatedStorage": "200",
        "MaxAllocatedStorage": "1000",
        "StorageType": "gp3",
        "MultiAZ": "false",
        "MasterUsername": "master",
        "MasterUserPassword": "correct-horse-battery",
        "BackupRetentionPeriod": "7",
        "PreferredBackupWindow": "12:00-12:30",
        "PreferredMaintenanceWindow": "sun:07:00-sun:08:00",
    });
    for (name, value) in changed.as_object().unwrap() {
        properties[name] = value.clone();
    }
    properties.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    properties
}

fn story(options: Options, changed: &Value) -> Story {
    let mut story = Story::new(options);
    story.existing(instances(), &database(changed));
    story
}

impl Story {
    fn modify(&mut self, mut change: Value) -> Result<(), String> {
        change["DBInstanceIdentifier"] = ID.into();
        if change.get("ApplyImmediately").is_none() {
            change["ApplyImmediately"] = "true".into();
        }
        self.call(Rds, "ModifyDBInstance", &change)
            .map(drop)
            .map_err(|error| format!("{}: {}", error.code, error.message))
    }

    fn db(&mut self, path: &str) -> String {
        self.read(
            Rds,
            "DescribeDBInstances",
            &json!({"DBInstanceIdentifier": ID}),
            &format!("DBInstances.0.{path}"),
        )
    }

    fn status(&mut self) -> String {
        self.db("DBInstanceStatus")
    }

    fn update(&mut self, before: &Value, after: &Value) -> Result<(), String> {
        let (before, after) = (database(before), database(after));
        self.on(|on| instances().update(on, ID, &before, &after))
            .map_err(|error| format!("{}: {}", error.code, error.message))
    }

    fn state_of(&self) -> Progress {
        instances().progress(&self.world, &self.scope, ID)
    }

    fn put(&mut self, status: &str, how_long: Option<Duration>) {
        set_status(&mut self.world, &self.scope, ID, status, how_long).unwrap();
    }

    fn told(&mut self, input: &Value) -> String {
        self.read(Rds, "DescribeEvents", input, "Events")
    }
}

#[test]
fn more_storage_is_modified_then_optimized_then_cools_down() {
    let mut story = story(Options::default(), &json!({}));
    story.modify(json!({"AllocatedStorage": 300})).unwrap();
    assert_eq!(
        (story.status(), story.db("AllocatedStorage"), story.db("PendingModifiedValues")),
        ("modifying".to_owned(), "200".to_owned(), "{AllocatedStorage=300}".to_owned())
    );
    story.pass(MINUTE * 4);
    assert_eq!(
        (story.status(), story.db("AllocatedStorage"), story.db("PendingModifiedValues")),
        ("storage-optimization".to_owned(), "300".to_owned(), "-".to_owned())
    );
    story.pass(MINUTE * 90);
    assert_eq!(
        (
            story.db("PercentProgress"),
            story.db("StorageOperationPercentProgress"),
            story.db("StorageOperationStatus")
        ),
        ("50".to_owned(), "50".to_owned(), "Optimizing".to_owned())
    );
    let refused = |hours: u32| {
        Err(format!(
            "InvalidParameterCombination: You can't currently modify the storage of this DB instance. Try again after approximately {hours} hours."
        ))
    };
    assert_eq!(story.modify(json!({"AllocatedStorage": 400})), refused(5));
    story.modify(json!({"DBInstanceClass": "db.m6g.xlarge"})).unwrap();
    assert_eq!(story.status(), "modifying", "other changes are taken");
    story.pass(MINUTE * 4);
    assert_eq!(
        (story.status(), story.db("DBInstanceClass")),
        ("storage-optimization".to_owned(), "db.m6g.xlarge".to_owned())
    );
    story.pass(MINUTE * 90);
    assert_eq!(
        (story.status(), story.db("PercentProgress")),
        ("available".to_owned(), "-".to_owned())
    );
    assert_eq!(
        story.modify(json!({"AllocatedStorage": 400})),
        refused(3),
        "optimized, but six hours have not passed"
    );
    story.pass(HOUR * 3);
    story.modify(json!({"AllocatedStorage": 400})).unwrap();
    story.pass(MINUTE * 4);
    assert_eq!(
        (story.db("AllocatedStorage"), story.db("Iops"), story.db("StorageThroughput")),
        ("400".to_owned(), "12000".to_owned(), "500".to_owned())
    );
}

#[test]
fn the_cool_down_lasts_as_long_as_optimization_when_that_is_longer() {
    let mut story =
        story(Options { storage_optimization_time: HOUR * 10, ..Options::default() }, &json!({}));
    story.modify(json!({"AllocatedStorage": 300})).unwrap();
    story.pass(MINUTE * 4 + HOUR * 7);
    assert!(
        story
            .modify(json!({"AllocatedStorage": 400}))
            .unwrap_err()
            .contains("approximately 3 hours")
    );
}

#[test]
fn a_database_that_optimizes_may_refuse_every_change() {
    let mut story =
        story(Options { optimizing_takes_other_changes: false, ..Options::default() }, &json!({}));
    story.put("storage-optimization", Some(HOUR));
    assert_eq!(
        story.modify(json!({"DBInstanceClass": "db.m6g.xlarge"})).unwrap_err(),
        NOT_AVAILABLE
    );
    story.pass(HOUR);
    story.modify(json!({"DBInstanceClass": "db.m6g.xlarge"})).unwrap();
}

#[test]
fn the_size_of_a_small_increase_is_an_option() {
    let mut rounded = story(Options::default(), &json!({}));
    rounded.modify(json!({"AllocatedStorage": 210})).unwrap();
    assert_eq!(rounded.db("PendingModifiedValues.AllocatedStorage"), "220");
    let mut refused = story(
        Options { small_storage_increase: SmallStorageIncrease::Refused, ..Options::default() },
        &json!({}),
    );
    assert_eq!(
        refused.modify(json!({"AllocatedStorage": 210})).unwrap_err(),
        "InvalidParameterCombination: Invalid storage size for engine name postgres and storage type gp3: 210"
    );
}

#[test]
fn a_status_decides_what_is_taken() {
    for status in [
        "backing-up",
        "maintenance",
        "modifying",
        "upgrading",
        "rebooting",
        "stopped",
        "failed",
        "configuring-log-exports",
    ] {
        let mut story = story(Options::default(), &json!({}));
        story.put(status, Some(MINUTE * 10));
        assert_eq!(
            story.modify(json!({"DBInstanceClass": "db.m6g.xlarge"})).unwrap_err(),
            NOT_AVAILABLE,
            "{status}"
        );
        story.pass(MINUTE * 10);
        assert_eq!(story.status(), "available", "{status} was for ten minutes");
    }
    let mut full = story(Options::default(), &json!({}));
    full.put("storage-full", None);
    assert_eq!(
        full.modify(json!({"DBInstanceClass": "db.m6g.xlarge"})).unwrap_err(),
        NOT_AVAILABLE
    );
    full.modify(json!({"AllocatedStorage": 300})).unwrap();
    full.put("available", None);
    full.pass(MINUTE * 4);
    assert_eq!(full.db("AllocatedStorage"), "300", "more storage helps");
}

#[test]
fn a_stack_waits_until_the_database_is_done() {
    for (why, status, waits, expected) in [
        ("idle", "available", false, "done"),
        ("backing up", "backing-up", false, "busy"),
        ("optimizing", "storage-optimization", false, "done"),
        ("optimizing, where the stack waits for it", "storage-optimization", true, "busy"),
        ("a person is needed", "incompatible-parameters", false, "failed"),
        ("full", "storage-full", false, "failed"),
        ("a status nobody knows", "defragmenting", false, "busy"),
    ] {
        let mut story = story(
            Options { stack_waits_for_optimization: waits, ..Options::default() },
            &json!({}),
        );
        story.put(status, Some(HOUR));
        let seen = match story.state_of() {
            Progress::Busy => "busy",
            Progress::Done => "done",
            Progress::Failed(error) => {
                assert!(error.message.contains(status), "{why}: {}", error.message);
                "failed"
            }
        };
        assert_eq!(seen, expected, "{why}");
    }
}

#[test]
fn after_autoscaling_any_change_by_the_stack_fails_and_so_does_its_rollback() {
    let mut story = story(Options::default(), &json!({}));
    assert_eq!(autoscale(&mut story.world, &story.scope, ID, 0).unwrap(), Some(220));
    story.pass(HOUR * 7);
    let (old, new) = (json!({}), json!({"DBInstanceClass": "db.m6g.xlarge"}));
    let refused = "InvalidParameterCombination: Invalid storage size for engine name postgres and storage type gp3: 200";
    assert_eq!(
        story.update(&old, &new).unwrap_err(),
        refused,
        "the template's 200 is sent with every change"
    );
    assert_eq!(story.update(&new, &old).unwrap_err(), refused, "on the way back too");
    story.update(&old, &json!({"Tags": [{"Key": "a", "Value": "b"}]})).unwrap();
    assert_eq!(
        (story.status(), story.db("TagList.0.Value")),
        ("available".to_owned(), "b".to_owned()),
        "tags are no change of the instance"
    );
    story
        .update(&old, &json!({"DBInstanceClass": "db.m6g.xlarge", "AllocatedStorage": "220"}))
        .unwrap();
    story.pass(MINUTE * 4);
    assert_eq!(
        (story.db("DBInstanceClass"), story.status()),
        ("db.m6g.xlarge".to_owned(), "available".to_owned()),
        "the real size heals it"
    );
}

#[test]
fn a_softened_handler_leaves_grown_storage_alone() {
    let mut story = story(
        Options { storage_below_actual: StorageBelowActual::Ignored, ..Options::default() },
        &json!({}),
    );
    grow_storage(&mut story.world, &story.scope, ID, 230).unwrap();
    story.update(&json!({}), &json!({"DBInstanceClass": "db.m6g.xlarge"})).unwrap();
    story.pass(MINUTE * 4);
    assert_eq!(
        (story.db("DBInstanceClass"), story.db("AllocatedStorage")),
        ("db.m6g.xlarge".to_owned(), "230".to_owned())
    );
}

#[test]
fn storage_that_grows_during_a_change_does_not_shrink_at_its_end() {
    let mut story = story(Options::default(), &json!({}));
    story.modify(json!({"DBInstanceClass": "db.m6g.xlarge"})).unwrap();
    grow_storage(&mut story.world, &story.scope, ID, 450).unwrap();
    story.pass(MINUTE * 4);
    assert_eq!(
        (story.db("AllocatedStorage"), story.db("Iops"), story.db("DBInstanceClass")),
        ("450".to_owned(), "12000".to_owned(), "db.m6g.xlarge".to_owned())
    );
    assert!(
        grow_storage(&mut story.world, &story.scope, ID, 400).is_err(),
        "storage never shrinks"
    );
}

#[test]
fn autoscaling_waits_for_its_turn() {
    for (why, template, status, growth, expected) in [
        ("ten percent", json!({}), "available", 0, Some(220)),
        ("the forecast", json!({}), "available", 90, Some(290)),
        ("a full instance", json!({}), "storage-full", 0, Some(220)),
        ("switched off", json!({"MaxAllocatedStorage": null}), "available", 0, None),
        ("busy", json!({}), "backing-up", 0, None),
    ] {
        let mut story = story(Options::default(), &template);
        story.put(status, None);
        assert_eq!(
            autoscale(&mut story.world, &story.scope, ID, growth).unwrap(),
            expected,
            "{why}"
        );
        let again = autoscale(&mut story.world, &story.scope, ID, growth).unwrap();
        assert_eq!(again, None, "{why}: not twice within six hours");
    }
}

#[test]
fn nightly_backups_make_the_instance_busy_where_they_are_on() {
    let mut quiet = story(Options::default(), &json!({}));
    quiet.pass(HOUR * 2 + MINUTE);
    assert_eq!(quiet.status(), "available");
    let options = || Options { nightly_backup: true, ..Options::default() };
    let mut story_of_backups = story(options(), &json!({}));
    story_of_backups.pass(HOUR * 2 + MINUTE);
    assert_eq!(
        (
            story_of_backups.status(),
            story_of_backups.modify(json!({"DBInstanceClass": "db.m6g.xlarge"})).unwrap_err()
        ),
        ("backing-up".to_owned(), NOT_AVAILABLE.to_owned())
    );
    story_of_backups.pass(MINUTE * 5);
    assert_eq!(story_of_backups.status(), "available");
    assert!(story_of_backups.told(&json!({})).contains("Finished DB Instance backup"));
    story_of_backups.pass(MINUTE * (24 * 60 - 5));
    assert_eq!(story_of_backups.status(), "backing-up", "the next night too");
    story_of_backups.pass(HOUR);
    story_of_backups.modify(json!({"PreferredBackupWindow": "14:00-14:30"})).unwrap();
    story_of_backups.pass(HOUR);
    assert_eq!(story_of_backups.status(), "backing-up", "at 14:01, in the new window");
    let mut without = story(options(), &json!({"BackupRetentionPeriod": 0}));
    without.pass(HOUR * 2 + MINUTE);
    assert_eq!(without.status(), "available", "no backups are kept");
}

#[test]
fn a_change_that_can_wait_waits_for_the_maintenance_window() {
    let mut story = story(Options::default(), &json!({}));
    story.modify(json!({"DBInstanceClass": "db.m6g.xlarge", "MaxAllocatedStorage": 2000, "ApplyImmediately": false})).unwrap();
    assert_eq!(
        (story.status(), story.db("PendingModifiedValues"), story.db("MaxAllocatedStorage")),
        ("available".to_owned(), "{DBInstanceClass=db.m6g.xlarge}".to_owned(), "2000".to_owned())
    );
    story.put("backing-up", Some(HOUR * 22));
    story.pass(HOUR * 21 + MINUTE);
    assert_eq!(story.status(), "backing-up", "Sunday, 07:01: the window finds it busy");
    story.pass(HOUR);
    assert_eq!(story.status(), "modifying", "and tries again");
    story.pass(MINUTE * 4);
    assert_eq!(
        (story.db("DBInstanceClass"), story.db("PendingModifiedValues")),
        ("db.m6g.xlarge".to_owned(), "-".to_owned())
    );
}

#[test]
fn a_deferred_change_is_applied_by_an_immediate_one() {
    let mut story = story(Options::default(), &json!({}));
    story.modify(json!({"DBInstanceClass": "db.m6g.xlarge", "ApplyImmediately": false})).unwrap();
    story.modify(json!({"MultiAZ": true})).unwrap();
    story.pass(MINUTE * 4);
    assert_eq!(
        (story.db("DBInstanceClass"), story.db("MultiAZ"), story.db("SecondaryAvailabilityZone")),
        ("db.m6g.xlarge".to_owned(), "true".to_owned(), "us-east-2b".to_owned())
    );
    story.pass(HOUR * 24);
    assert_eq!(story.status(), "available", "and the window finds nothing");
}

#[test]
fn versions_passwords_and_parameters_have_a_status_of_their_own() {
    let mut story = story(Options::default(), &json!({}));
    story.modify(json!({"EngineVersion": "16.8", "AllowMajorVersionUpgrade": true})).unwrap();
    assert_eq!(
        (story.status(), story.db("PendingModifiedValues.EngineVersion")),
        ("upgrading".to_owned(), "16.8".to_owned())
    );
    story.pass(MINUTE * 4);
    assert_eq!(
        (story.status(), story.db("EngineVersion")),
        ("available".to_owned(), "16.8".to_owned())
    );
    story.modify(json!({"MasterUserPassword": "another-horse"})).unwrap();
    assert_eq!(
        (story.status(), story.db("PendingModifiedValues.MasterUserPassword")),
        ("resetting-master-credentials".to_owned(), "****".to_owned())
    );
    story.pass(MINUTE);
    story.modify(json!({"DBParameterGroupName": "mine"})).unwrap();
    assert_eq!(story.db("DBParameterGroups.0.ParameterApplyStatus"), "applying");
    story.pass(MINUTE);
    assert_eq!(
        (story.status(), story.db("DBParameterGroups.0.ParameterApplyStatus")),
        ("available".to_owned(), "pending-reboot".to_owned())
    );
    reboot(&mut story.world, &story.scope, ID).unwrap();
    assert_eq!(story.status(), "rebooting");
    assert_eq!(
        reboot(&mut story.world, &story.scope, ID).unwrap_err().code,
        "InvalidDBInstanceState"
    );
    story.pass(MINUTE);
    assert_eq!(
        (story.status(), story.db("DBParameterGroups.0.ParameterApplyStatus")),
        ("available".to_owned(), "in-sync".to_owned())
    );
    story
        .update(&json!({"DBParameterGroupName": "mine"}), &json!({"DBParameterGroupName": "other"}))
        .unwrap();
    story.pass(MINUTE * 2);
    assert_eq!(
        (
            story.db("DBParameterGroups.0.DBParameterGroupName"),
            story.db("DBParameterGroups.0.ParameterApplyStatus")
        ),
        ("other".to_owned(), "in-sync".to_owned()),
        "a stack reboots by itself"
    );
}

#[test]
fn a_mask_becomes_the_password_or_is_refused() {
    let mut careless = story(Options::default(), &json!({}));
    careless.update(&json!({}), &json!({"MasterUserPassword": "****"})).unwrap();
    careless.pass(MINUTE);
    let password = careless
        .world
        .region(&careless.scope)
        .rds
        .instance(ID)
        .unwrap()
        .settings
        .password
        .clone()
        .unwrap();
    assert!(password.is_masked());
    let mut strict =
        story(Options { short_password: ShortPassword::Refused, ..Options::default() }, &json!({}));
    assert_eq!(
        strict.modify(json!({"MasterUserPassword": "****"})).unwrap_err(),
        "InvalidParameterValue: The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters."
    );
    assert!(
        strict
            .modify(json!({"MasterUserPassword": "with a blank"}))
            .unwrap_err()
            .contains("Only printable ASCII")
    );
}

#[test]
fn bad_requests_are_refused() {
    let mut story = story(Options::default(), &json!({}));
    for (why, change, code) in [
        ("no class", json!({"DBInstanceClass": "cache.t3.small"}), "InvalidParameterValue"),
        ("too long a retention", json!({"BackupRetentionPeriod": 36}), "InvalidParameterValue"),
        ("no window", json!({"PreferredBackupWindow": "night"}), "InvalidParameterValue"),
        ("no week", json!({"PreferredMaintenanceWindow": "07:00-08:00"}), "InvalidParameterValue"),
        ("not modelled", json!({"NewDBInstanceIdentifier": "x"}), "InvalidParameterValue"),
        ("a ceiling too near", json!({"MaxAllocatedStorage": 210}), "InvalidParameterCombination"),
        ("a type that is none", json!({"StorageType": "gp9"}), "StorageTypeNotSupported"),
        (
            "a major version without its flag",
            json!({"EngineVersion": "16.8"}),
            "InvalidParameterCombination",
        ),
    ] {
        assert!(story.modify(change).unwrap_err().starts_with(code), "{why}");
    }
    assert_eq!(story.status(), "available");
}

#[test]
fn instances_are_made_with_a_replica_and_removed() {
    let mut story = Story::new(Options::default());
    story.on(|on| instances().create(on, &database(&json!({})))).unwrap();
    assert_eq!((story.status(), story.db("Endpoint")), ("creating".to_owned(), "-".to_owned()));
    let replica = json!({"DBInstanceIdentifier": "turbot-einstein-replica", "SourceDBInstanceIdentifier": ID, "DBInstanceClass": "db.m6g.large"});
    assert_eq!(
        story.on(|on| instances().create(on, &replica)).unwrap_err().code,
        "InvalidDBInstanceState",
        "the source is still being made"
    );
    story.pass(MINUTE * 4);
    assert!(
        story.db("Endpoint.Address").starts_with("turbot-einstein.")
            && story.db("Endpoint.Address").ends_with(".us-east-2.rds.amazonaws.com")
    );
    assert_eq!(
        story.on(|on| instances().create(on, &database(&json!({})))).unwrap_err().code,
        "DBInstanceAlreadyExists"
    );
    let id = story.existing(instances(), &replica);
    assert_eq!(story.db("ReadReplicaDBInstanceIdentifiers"), id);
    let seen =
        story.call(Rds, "DescribeDBInstances", &json!({"DBInstanceIdentifier": id})).unwrap();
    assert_eq!(
        (
            at(&seen, "DBInstances.0.ReadReplicaSourceDBInstanceIdentifier"),
            at(&seen, "DBInstances.0.AllocatedStorage"),
            at(&seen, "DBInstances.0.EngineVersion")
        ),
        (ID.to_owned(), "200".to_owned(), "15.7".to_owned())
    );
    story.on(|on| instances().delete(on, &id)).unwrap();
    assert_eq!(instances().progress(&story.world, &story.scope, &id), Progress::Busy);
    story.pass(MINUTE * 4);
    assert!(
        matches!(instances().progress(&story.world, &story.scope, &id), Progress::Failed(error) if error.code == "DBInstanceNotFound")
    );
    assert_eq!(story.db("ReadReplicaDBInstanceIdentifiers"), "");
    story.on(|on| instances().delete(on, &id)).unwrap();
    story.modify(json!({"DeletionProtection": true})).unwrap();
    assert!(
        story
            .on(|on| instances().delete(on, ID))
            .unwrap_err()
            .message
            .starts_with("Cannot delete protected DB Instance")
    );
    delete_now(&mut story.world, &story.scope, ID).unwrap();
    assert!(
        story
            .update(&json!({}), &json!({"MultiAZ": true}))
            .unwrap_err()
            .starts_with("DBInstanceNotFound")
    );
}

#[test]
fn new_instances_are_checked() {
    let mut story = Story::new(Options::default());
    for (why, changed, code) in [
        ("another engine", json!({"Engine": "mysql"}), "InvalidParameterValue"),
        ("no such version", json!({"EngineVersion": "9.6"}), "InvalidParameterCombination"),
        ("too small", json!({"AllocatedStorage": "5"}), "InvalidParameterCombination"),
        ("IOPS on a small volume", json!({"Iops": "12000"}), "InvalidParameterCombination"),
        ("not an identifier", json!({"DBInstanceIdentifier": "1-x"}), "InvalidParameterValue"),
        (
            "a replica of nothing",
            json!({"SourceDBInstanceIdentifier": "gone"}),
            "DBInstanceNotFound",
        ),
    ] {
        assert_eq!(
            story.on(|on| instances().create(on, &database(&changed))).unwrap_err().code,
            code,
            "{why}"
        );
    }
    let source = json!({"BackupRetentionPeriod": 0});
    story.existing(instances(), &database(&source));
    let replica = json!({"SourceDBInstanceIdentifier": ID, "DBInstanceIdentifier": "replica"});
    assert!(
        story
            .on(|on| instances().create(on, &database(&replica)))
            .unwrap_err()
            .message
            .starts_with("Automated backups are not enabled")
    );
}

#[test]
fn drift_detection_compares_versions_by_prefix_and_sees_storage() {
    let mut story = story(Options::default(), &json!({"EngineVersion": "15"}));
    let read = |story: &Story| match instances().actual(story.world.region(&story.scope), ID) {
        Actual::Properties(properties) => properties,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (read(&story)["EngineVersion"].as_str(), read(&story)["AllocatedStorage"].as_str()),
        (Some("15"), Some("200"))
    );
    assert_eq!(story.db("EngineVersion"), "15.12");
    grow_storage(&mut story.world, &story.scope, ID, 230).unwrap();
    story.modify(json!({"EngineVersion": "16.8", "AllowMajorVersionUpgrade": true})).unwrap();
    story.pass(MINUTE * 4);
    assert_eq!(
        (read(&story)["EngineVersion"].as_str(), read(&story)["AllocatedStorage"].as_str()),
        (Some("16.8"), Some("230"))
    );
    assert!(!read(&story).contains_key("MasterUserPassword"));
    delete_now(&mut story.world, &story.scope, ID).unwrap();
    assert_eq!(instances().actual(story.world.region(&story.scope), ID), Actual::Missing);
}

#[test]
fn instances_are_found_by_id_arn_and_filter() {
    let mut story = story(Options { page_size: Some(1), ..Options::default() }, &json!({}));
    story.existing(instances(), &database(&json!({"DBInstanceIdentifier": "turbot-newton"})));
    let (arn, resource) = (story.db("DBInstanceArn"), story.db("DbiResourceId"));
    assert_eq!(arn, "arn:aws:rds:us-east-2:111122223333:db:turbot-einstein");
    let filter = |name: &str, value: &str| json!({"Filters": [{"Name": name, "Values": [value]}]});
    for (why, input, found) in [
        ("ARN", json!({"DBInstanceIdentifier": arn}), ID),
        ("another case", json!({"DBInstanceIdentifier": "TURBOT-Einstein"}), ID),
        ("filter by id", filter("db-instance-id", "turbot-newton"), "turbot-newton"),
        ("filter by ARN", filter("db-instance-id", &arn), ID),
        ("filter by resource id", filter("dbi-resource-id", &resource), ID),
        ("filter by engine", filter("engine", "postgres"), ID),
        ("filter by another engine", filter("engine", "mysql"), "-"),
        ("filter by cluster", filter("db-cluster-id", "any"), "-"),
    ] {
        assert_eq!(
            story.read(Rds, "DescribeDBInstances", &input, "DBInstances.0.DBInstanceIdentifier"),
            found,
            "{why}"
        );
    }
    let first = story.call(Rds, "DescribeDBInstances", &json!({})).unwrap();
    let second = story.read(
        Rds,
        "DescribeDBInstances",
        &json!({"Marker": at(&first, "Marker")}),
        "DBInstances.0.DBInstanceIdentifier",
    );
    assert_eq!(
        (at(&first, "DBInstances.0.DBInstanceIdentifier"), second),
        (ID.to_owned(), "turbot-newton".to_owned())
    );
    for (why, input, code, status) in [
        ("missing", json!({"DBInstanceIdentifier": "x"}), "DBInstanceNotFound", 404),
        ("unknown filter", filter("colour", "red"), "InvalidParameterValue", 400),
        ("a page too small", json!({"MaxRecords": 19}), "InvalidParameterValue", 400),
        ("a marker of nobody", json!({"Marker": "x"}), "InvalidParameterValue", 400),
    ] {
        let error = story.call(Rds, "DescribeDBInstances", &input).unwrap_err();
        assert_eq!((error.code.as_ref(), error.status), (code, status), "{why}");
    }
}

#[test]
fn events_are_filed_under_categories() {
    let mut story = story(Options::default(), &json!({}));
    assert_eq!(
        story.told(&json!({"Duration": 20_160})),
        "",
        "a database that was always there tells nothing"
    );
    story.put("backing-up", Some(MINUTE * 5));
    story.pass(MINUTE * 10);
    story.modify(json!({"AllocatedStorage": 300})).unwrap();
    story.pass(MINUTE * 10);
    let of_backup = story.told(&json!({"EventCategories": ["backup"]}));
    assert!(
        of_backup.contains("Finished DB Instance backup")
            && !of_backup.contains("allocated storage"),
        "{of_backup}"
    );
    let of_one =
        story.told(&json!({"SourceType": "db-instance", "SourceIdentifier": ID, "Duration": 15}));
    assert!(
        of_one.contains("Finished applying modification to allocated storage")
            && !of_one.contains("Backing up"),
        "{of_one}"
    );
    assert!(of_one.contains("SourceArn=arn:aws:rds:us-east-2:111122223333:db:turbot-einstein"));
    assert_eq!(story.told(&json!({"SourceType": "db-snapshot"})), "");
    assert_eq!(
        story.call(Rds, "DescribeEvents", &json!({"SourceIdentifier": ID})).unwrap_err().code,
        "InvalidParameterCombination"
    );
}
