//! Worlds that differ in what AWS keeps to itself, and must not differ in what is said of them.

use crate::harness::{MIGRATE, STAY, VALKEY, World, each};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use ted_sim::Scenario;
use ted_sim::options::{self, Options};

#[test]
fn what_is_as_its_document_says_has_an_empty_plan_and_no_findings() {
    each(&[("default", STAY), ("valkey", VALKEY), ("two-hives", STAY)], |(scenario, document)| {
        let world = World::named(scenario);
        let plan = world.plan(document);
        assert_eq!((plan.code, plan.steps().len()), (0, 0), "{scenario}");
        assert_eq!(plan.codes(), BTreeSet::new(), "{scenario}");
        assert_eq!(plan.condition("Ready"), ("True", "InSync"), "{scenario}");
        assert_eq!(plan.json["parameters"], json!([]), "{scenario}");
        let text = world.run(&["plan", "document.yaml", "--detailed-exitcode"]);
        assert_eq!((text.code, text.stderr.as_str()), (0, ""));
        assert!(text.stdout.contains("\nSteps  none\n"), "{}", text.stdout);
        let doctor = world.run(&["doctor", "document.yaml", "--observe"]);
        assert_eq!(doctor.code, 0, "{}", doctor.stdout);
        assert!(doctor.stdout.contains("everything could be read"), "{}", doctor.stdout);
    });
}

/// Every key of the cache, of the storage and of the hive has a name that tells nothing; the labels are as they were.
const RENAMED: &str = "
summary: No key is what one would guess
world:
  rename:
    keys:
      ElastiCache: P01
      ElastiCacheEngine: P02
      ElastiCacheVersion: P03
      ValkeyCacheVersion: P04
      CacheAuthMode: P05
      AccessControlOption: P06
      CachePassword: P07
      CacheNodeType: P08
      CacheNumberOfNodes: P09
      CacheMultiAZ: P10
      CacheSnapshotRetentionLimit: P11
      CacheSnapshotWindow: P12
      CacheMaintenanceWindow: P13
      CacheMaxMemoryPolicy: P14
      AllocatedStorage: P15
      AllocatedIops: P16
      StorageThroughput: P17
      MaxAllocatedStorage: P18
      HiveName: P19
      ResourceNamePrefix: P20
      ParameterDeploymentTrigger: P21
";

/// It waits for the budget of requests for most of its time.
#[test]
fn a_page_may_have_one_entry() {
    let world = World::written("{summary: One entry a page, options: {pageSize: 1}}");
    assert_eq!(world.plan(STAY).verdict(), World::named("default").plan(STAY).verdict());
}

#[test]
fn keys_page_sizes_and_crowds_change_no_verdict() {
    let plain = World::named("default");
    let wanted = [STAY, MIGRATE].map(|document| plain.plan(document).verdict());
    let scenarios = [
        Scenario::parse("renamed.yaml", RENAMED).unwrap(),
        Scenario::named("small-pages").unwrap(),
        Scenario::named("many-functions").unwrap(),
        Scenario::named("contrary").unwrap(),
        Scenario::named("several-paths").unwrap(),
    ];
    each(&scenarios, |scenario| {
        let world = World::of(scenario);
        for (document, wanted) in [STAY, MIGRATE].iter().zip(&wanted) {
            assert_eq!(world.plan(document).verdict(), *wanted, "{}", scenario.summary);
        }
    });
}

/// Every option with all its values. A new option has to be added here.
fn choices() -> Vec<(&'static str, Vec<Value>)> {
    macro_rules! all {
        ($($name:literal: $kind:ident),*) => {
            [$(($name, options::$kind::ALL.iter().map(|value| json!(value.as_str())).collect::<Vec<_>>())),*]
        };
    }
    let mut choices = Vec::from(all!(
        "updateUnderChange": UnderChangeRefusal,
        "noOpUpdate": NoOpUpdate,
        "parameterRefusal": RefusalTime,
        "statusAfterRefusal": StableStatus,
        "statusAfterRollbackFailed": FailedStatus,
        "statusAfterStackMissing": FailedStatus,
        "stalePath": StalePath,
        "tokenWithOtherRequest": TokenConflict,
        "omittedParameter": OmittedParameter,
        "searchMatch": SearchMatch,
        "emptyDefault": EmptyDefault,
        "noEchoMask": Mask,
        "storageBelowActual": StorageBelowActual,
        "smallStorageIncrease": SmallStorageIncrease,
        "shortPassword": ShortPassword,
        "rollbackOfRefused": RollbackOfRefused,
        "transitionReason": TransitionReason,
        "mappingsOfUnknownFunction": UnknownFunction,
        "cacheUpgrade": CacheUpgrade,
        "valkeyToRedis": ValkeyToRedis,
        "engineWithoutVersion": EngineWithoutVersion
    ));
    for name in [
        "updateToDeprecated",
        "failedRecordHasStackArn",
        "hasDefaultPath",
        "userInitiatedInNested",
        "stackWaitsForOptimization",
        "nightlyBackup",
        "optimizingTakesOtherChanges",
        "tagMovesLastModified",
        "sameStateTransitions",
        "transitionEndMovesLastModified",
        "bareNameListsQualified",
        "modifyEchoesOldEngine",
        // Keys that nobody knows are refused; ours is known.
        "strictCredentials",
    ] {
        choices.push((name, vec![json!(false), json!(true)]));
    }
    for (name, value) in [
        ("tokenLifetime", json!("10m")),
        ("catalogNoticesDirectChanges", json!("2m")),
        ("searchLag", json!("60s")),
        ("describeLag", json!("30s")),
        ("backupTime", json!("20m")),
        ("mappingTransition", json!("2m")),
        ("lambdaRequestsPerSecond", json!(15)),
        ("pageSize", json!(3)),
        ("resourceTime", json!("30s")),
        ("databaseTime", json!("20m")),
        ("storageOptimizationTime", json!("8h")),
        ("cacheTime", json!("30m")),
    ] {
        choices.push((name, vec![value]));
    }
    choices
}

#[test]
fn whatever_aws_leaves_undocumented_the_verdict_is_the_same() {
    let choices = choices();
    let named: BTreeSet<&str> = choices.iter().map(|(name, _)| *name).collect();
    let options = serde_json::to_value(Options::default()).unwrap();
    let known: BTreeSet<&str> = options.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(named, known, "every option is tried");

    // A value of every option at a time: so few worlds show all values, and in company that changes.
    let most = choices.iter().map(|(_, values)| values.len()).max().unwrap();
    let worlds: Vec<Value> = (0..2 * most)
        .map(|world| {
            let pass = world / most;
            let pick = |(place, (name, values)): (usize, &(&str, Vec<Value>))| {
                let turn = world + place * pass;
                ((*name).to_owned(), values[turn % values.len()].clone())
            };
            Value::Object(choices.iter().enumerate().map(pick).collect())
        })
        .collect();
    for (name, values) in &choices {
        for value in values {
            assert!(worlds.iter().any(|world| world[*name] == *value), "{name}: {value}");
        }
    }

    let plain = World::named("default");
    let wanted = [STAY, MIGRATE].map(|document| plain.plan(document).verdict());
    each(&worlds, |options| {
        let world = World::written(&json!({"summary": "options", "options": options}).to_string());
        for (document, wanted) in [STAY, MIGRATE].iter().zip(&wanted) {
            assert_eq!(world.plan(document).verdict(), *wanted, "{options:#}");
        }
    });
}

#[test]
fn a_failed_update_reads_the_same_under_the_contrary_choices() {
    let failed = |scenario: &str| {
        let world = World::named(scenario);
        world.act("fail-resource: {logicalId: HiveVersionParameter, phase: update, message: no}");
        world.act("product-update: {version: v1.52.1}");
        world.later(6);
        world.plan(STAY).verdict()
    };
    assert_eq!(failed("default"), failed("contrary"));
}

#[test]
fn what_adopt_writes_plans_empty() {
    each(&["default", "valkey", "two-hives", "renamed-keys", "small-pages"], |scenario| {
        let world = World::named(scenario);
        let adopted = world.run(&["adopt"]);
        assert_eq!((adopted.code, adopted.stderr.as_str()), (0, ""), "{scenario}");
        assert!(adopted.stdout.contains("mode: observe"), "{}", adopted.stdout);
        world.write("teds.yaml", &adopted.stdout);
        let plan = world.run(&["plan", "teds.yaml", "--detailed-exitcode", "-o", "json"]);
        assert_eq!(plan.code, 0, "{scenario}: {}\n{}", adopted.stdout, plan.stdout);
        assert_eq!(plan.plans().len(), if *scenario == "two-hives" { 2 } else { 1 });
        for plan in plan.plans() {
            assert_eq!(plan.condition("Ready"), ("True", "InSync"), "{scenario}");
            assert_eq!((plan.steps().len(), plan.codes().len()), (0, 0), "{scenario}");
        }
        assert_eq!(world.run(&["validate", "teds.yaml"]).code, 0);
    });
}

#[test]
fn what_adopt_writes_for_a_fleet_plans_empty() {
    // Another account of the fleet, by its administrator: six TEDs.
    let world = World::named("fleet");
    let account = [("AWS_ACCESS_KEY_ID", "444455556666")];
    let adopted = world.run_with(&["adopt", "--account", "444455556666"], &account);
    assert_eq!((adopted.code, adopted.stderr.as_str()), (0, ""));
    world.write("teds.yaml", &adopted.stdout);
    let plan =
        world.run_with(&["plan", "teds.yaml", "--detailed-exitcode", "-o", "json"], &account);
    assert_eq!((plan.code, plan.stderr.as_str()), (0, ""), "{}", plan.stdout);
    assert_eq!(plan.plans().len(), 6);
    for plan in plan.plans() {
        assert_eq!(plan.condition("Ready"), ("True", "InSync"));
        assert_eq!((plan.steps().len(), plan.codes().len()), (0, 0));
    }
    // What six TEDs have in common is asked for once or twice a command.
    let calls = world.calls();
    let lists = calls.iter().filter(|call| call.operation == "DescribeStacks").count();
    assert!(lists <= 4, "{lists} lists of all stacks");
}

#[test]
fn a_product_without_a_document_is_planned_by_its_name_its_id_or_the_teds_name() {
    let world = World::named("two-hives");
    let all = world.run(&["plan", "-o", "json"]).plans();
    let names: Vec<&str> =
        all.iter().map(|plan| plan.json["provisionedProduct"].as_str().unwrap()).collect();
    assert_eq!(names, ["ted-einstein", "ted-newton"], "without an argument: all there are");

    let by_name = world.run(&["plan", "ted-newton", "-o", "json", "--detailed-exitcode"]);
    let wanted = by_name.plans().remove(0);
    assert_eq!(wanted.code, 0, "{:#?}", wanted.findings());
    assert_eq!(wanted.json["provisionedProduct"], "ted-newton");
    assert_eq!(wanted.json["actual"]["engine"], "redis");
    assert_eq!(wanted.json["actual"]["engineVersion"], "7.1.0");
    assert_eq!(wanted.json["actual"]["tedVersion"], "1.44.0");
    assert_eq!((wanted.steps().len(), wanted.shut().len()), (0, 0), "nothing is asked for");
    // `Service Catalog pp-…` in what is described.
    let search =
        world.calls().into_iter().find(|call| call.operation == "DescribeProvisionedProduct");
    let id = search.unwrap().parameters["Id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("pp-"), "{id}");
    let by_id = world.run(&["plan", &id, "-o", "json"]).plans().remove(0);
    assert!(
        ["ted-einstein", "ted-newton"]
            .contains(&by_id.json["provisionedProduct"].as_str().unwrap())
    );
    let by_ted = world.run(&["plan", "newton", "-o", "json", "--detailed-exitcode"]);
    assert_eq!(by_ted.plans().remove(0).verdict(), wanted.verdict());
    assert_eq!(by_ted.plans()[0].json["provisionedProduct"], "ted-newton");
    let text = world.run(&["plan", "newton"]);
    assert!(text.stdout.contains("AWS agrees with itself: TED v1.44.0, redis 7.1.0"), "{text:?}");
}
