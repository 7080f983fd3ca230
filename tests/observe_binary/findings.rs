//! Each disagreement, made by changing the world from outside: found by exactly its code, with both values, where each was read, and what
//! to do; and nothing else is reported.

use crate::golden;
use crate::harness::{MIGRATE, STAY, VALKEY, World, each};
use crate::operator::change_cache;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Mutex;
use ted_controller::assess::codes::{Of, all};

/// A finding as it must be shown: code, what should be, what is, a part of where that was read, a part of the remedy.
type Shown = (&'static str, &'static str, &'static str, &'static str, &'static str);

struct Case {
    why: &'static str,
    /// A named scenario, or the text of one.
    scenario: &'static str,
    document: &'static str,
    /// What happens; time passes by hours.
    bend: fn(&World),
    found: &'static [Shown],
}

/// Redis as it is, with a word about nothing else.
const SILENT: &str = r"
apiVersion: ted-controller.dev/v1alpha1
kind: TurbotEnterpriseDatabase
metadata: {name: einstein}
spec: {policy: {mode: observe}}
";

/// A TED whose clients prove who they are by IAM.
const BY_IAM: &str = r#"
summary: Access by IAM
world:
  teds:
    - hive: einstein
      version: v1.52.1
      parameters: {ElastiCacheEngine: valkey, ValkeyCacheVersion: "8.0", CacheAuthMode: IAM}
"#;

const OLD_REDIS: &str = r#"
summary: Redis 6.2
world:
  teds: [{hive: einstein, version: v1.52.1, parameters: {ElastiCacheVersion: "6.2"}}]
"#;

fn update(world: &World, version: &str, parameters: &str) {
    world.act(&format!("product-update: {{version: {version}, parameters: {{{parameters}}}}}"));
    world.later(6);
}

const TO_VALKEY: &str = r#"ElastiCacheEngine: valkey, ValkeyCacheVersion: "8.0""#;

/// What a failed update leaves beside its own trouble.
const ASKED_FOR_ANOTHER: [Shown; 2] = [
    ("sync/product-tainted", "AVAILABLE", "TAINTED", "Service Catalog pp-", "a successful update"),
    ("sync/version-mismatch", "v1.52.1", "v1.44.0", "root stack output ReleaseVersion", "update"),
];

const CASES: &[Case] = &[
    Case {
        why: "another engine and another TED version are wanted",
        scenario: "default",
        document: MIGRATE,
        bend: |_| {},
        found: &[
            (
                "drift/cache-engine",
                "valkey",
                "redis",
                "nodes of turbot-einstein-cache-cluster in ElastiCache",
                "an update mends it",
            ),
            (
                "drift/ted-version",
                "v1.52.1",
                "v1.44.0",
                "root stack output ReleaseVersion",
                "an update mends it",
            ),
        ],
    },
    Case {
        why: "somebody else updated to a version that the document does not want",
        scenario: "default",
        document: STAY,
        bend: |world| update(world, "v1.46.1", ""),
        found: &[(
            "drift/ted-version",
            "v1.44.0",
            "v1.46.1",
            "root stack output ReleaseVersion",
            "write `tedVersion: v1.46.1`",
        )],
    },
    Case {
        why: "the cache was upgraded within its engine",
        scenario: "valkey",
        document: VALKEY,
        bend: |world| world.act(r#"cache-upgrade: {engine: valkey, version: "8.1"}"#),
        found: &[
            (
                "drift/cache-version",
                "8.0",
                "8.1.0",
                "nodes of turbot-einstein-cache-cluster in ElastiCache",
                "write `version: \"8.1\"`",
            ),
            (
                "sync/cache-version",
                "8.0",
                "8.1.0",
                "root stack parameter ValkeyCacheVersion",
                "into the document",
            ),
        ],
    },
    Case {
        why: "the cache was upgraded past the door",
        scenario: "default",
        document: STAY,
        bend: |world| world.act(r#"cache-upgrade: {engine: valkey, version: "8.0"}"#),
        found: &[
            (
                "drift/cache-engine",
                "redis",
                "valkey",
                "nodes of turbot-einstein-cache-cluster in ElastiCache",
                "write `engine: valkey`",
            ),
            (
                "sync/cache-engine",
                "redis",
                "valkey",
                "root stack, whose version knows Redis only",
                "into the document",
            ),
        ],
    },
    Case {
        why: "as before, and the document asks for nothing",
        scenario: "default",
        document: SILENT,
        bend: |world| world.act(r#"cache-upgrade: {engine: valkey, version: "8.0"}"#),
        found: &[(
            "sync/cache-engine",
            "redis",
            "valkey",
            "nodes of turbot-einstein-cache-cluster in ElastiCache",
            "into the document",
        )],
    },
    Case {
        why: "a parameter that the document names was changed past Service Catalog",
        scenario: "default",
        document: STAY,
        bend: |world| {
            world.act(r#"stack-update: {parameters: {MaxConnections: "800"}}"#);
            world.later(2);
        },
        found: &[
            (
                "drift/parameter",
                "600",
                "800",
                "root stack parameter MaxConnections",
                "an update mends it",
            ),
            (
                "sync/stack-changed-outside",
                "2026-",
                "2026-",
                "Service Catalog record rec-",
                "CloudTrail",
            ),
        ],
    },
    Case {
        why: "a parameter that the document names was changed through Service Catalog",
        scenario: "default",
        document: STAY,
        bend: |world| {
            world.act(r#"product-update: {parameters: {MaxConnections: "800"}}"#);
            world.later(2);
        },
        found: &[(
            "drift/parameter",
            "600",
            "800",
            "root stack parameter MaxConnections",
            "an update mends it",
        )],
    },
    Case {
        why: "a parameter that no document names was changed past Service Catalog",
        scenario: "default",
        document: STAY,
        bend: |world| {
            world.act("stack-update: {parameters: {DBInstanceClass: db.m6g.xlarge}}");
            world.later(2);
        },
        found: &[(
            "sync/stack-changed-outside",
            "2026-",
            "2026-",
            "CloudFormation SC-111122223333-pp-",
            "CloudTrail",
        )],
    },
    Case {
        why: "tainted by an update that never ran",
        scenario: "tainted",
        document: STAY,
        bend: |_| {},
        found: &[(
            "sync/product-tainted",
            "AVAILABLE",
            "TAINTED",
            "Service Catalog pp-",
            "approve: [retrigger]",
        )],
    },
    Case {
        why: "a product that cannot be updated",
        scenario: "default",
        document: STAY,
        bend: |world| world.act("product-status: {status: ERROR}"),
        found: &[(
            "sync/product-error",
            "AVAILABLE",
            "ERROR",
            "Service Catalog pp-",
            "ted-controller diagnose",
        )],
    },
    Case {
        why: "an update failed and went back",
        scenario: "default",
        document: STAY,
        bend: |world| {
            world.act(
                "fail-resource: {logicalId: HiveVersionParameter, phase: update, message: no}",
            );
            update(world, "v1.52.1", "");
        },
        found: &ASKED_FOR_ANOTHER,
    },
    Case {
        why: "storage grew long ago, an update failed on it, and so did the way back",
        scenario: "storage-autoscaled",
        document: STAY,
        bend: |world| update(world, "v1.52.1", ""),
        found: &[
            ASKED_FOR_ANOTHER[0],
            ASKED_FOR_ANOTHER[1],
            (
                "sync/rollback-failed",
                "UPDATE_ROLLBACK_COMPLETE",
                "UPDATE_ROLLBACK_FAILED",
                "CloudFormation DatabaseStack",
                "ted-controller diagnose",
            ),
            (
                "sync/rollback-failed",
                "UPDATE_ROLLBACK_COMPLETE",
                "UPDATE_ROLLBACK_FAILED",
                "CloudFormation SC-111122223333-pp-",
                "ted-controller diagnose",
            ),
            (
                "sync/storage",
                "200",
                "240",
                "root stack parameter AllocatedStorage; RDS",
                "storage: adopt",
            ),
        ],
    },
    Case {
        why: "storage grew by itself",
        scenario: "storage-autoscaled",
        document: STAY,
        bend: |_| {},
        found: &[(
            "sync/storage",
            "200",
            "240",
            "root stack parameter AllocatedStorage; RDS",
            "storage: adopt",
        )],
    },
    Case {
        why: "a new nested stack could not be made, and was left so",
        scenario: "default",
        document: VALKEY,
        bend: |world| {
            world.act("fail-resource: {logicalId: PgBouncerLogGroup, phase: update, message: no}");
            update(world, "v1.52.1", TO_VALKEY);
        },
        found: &[(
            "sync/stack-failed",
            "UPDATE_COMPLETE",
            "CREATE_FAILED",
            "CloudFormation PgBouncerStack",
            "ted-controller diagnose",
        )],
    },
    Case {
        why: "the stack was deleted",
        scenario: "default",
        document: STAY,
        bend: |world| world.act("stack-delete: {}"),
        found: &[("sync/stack-missing", "a stack", "none", "Service Catalog pp-", "CloudTrail")],
    },
    Case {
        why: "the database was deleted",
        scenario: "default",
        document: STAY,
        bend: |world| world.act("database-delete: {}"),
        found: &[("sync/database-missing", "a database", "none", "RDS", "snapshot")],
    },
    Case {
        why: "the cache was deleted",
        scenario: "default",
        document: STAY,
        bend: |world| world.act("cache-delete: {}"),
        found: &[(
            "sync/cache-missing",
            "a replication group",
            "none",
            "ElastiCache",
            "CloudTrail",
        )],
    },
    Case {
        why: "the node type was changed in ElastiCache",
        scenario: "default",
        document: STAY,
        bend: |world| change_cache(world, |call| call.cache_node_type("cache.m6g.xlarge")),
        found: &[(
            "sync/parameter-mismatch",
            "cache.m6g.large",
            "cache.m6g.xlarge",
            "root stack parameter CacheNodeType; ElastiCache turbot-einstein-cache-cluster",
            "put it back",
        )],
    },
    Case {
        why: "Multi-AZ was switched off in ElastiCache",
        scenario: "default",
        document: STAY,
        bend: |world| change_cache(world, |call| call.multi_az_enabled(false)),
        found: &[(
            "sync/parameter-mismatch",
            "true",
            "false",
            "root stack parameter CacheMultiAZ; ElastiCache",
            "put it back",
        )],
    },
    Case {
        why: "the cache's password was taken away",
        scenario: "default",
        document: STAY,
        bend: |world| {
            use aws_sdk_elasticache::types::AuthTokenUpdateStrategyType::Delete;
            change_cache(world, |call| call.auth_token_update_strategy(Delete));
        },
        found: &[(
            "sync/cache-access",
            "Redis Password",
            "no password is set",
            "root stack parameter CacheAuthMode",
            "put it back",
        )],
    },
    Case {
        why: "the cache's user groups were taken away",
        scenario: BY_IAM,
        document: VALKEY,
        bend: |world| change_cache(world, |call| call.remove_user_groups(true)),
        found: &[(
            "sync/cache-access",
            "IAM",
            "it has no user group",
            "root stack parameter CacheAuthMode",
            "put it back",
        )],
    },
    Case {
        why: "an update made a new cache, and the old one stayed",
        scenario: "leave-behind",
        document: VALKEY,
        bend: |world| update(world, "v1.52.1", TO_VALKEY),
        found: &[(
            "sync/cache-left-behind",
            "the stack's group only",
            "turbot-einstein-cache-cluster",
            "ElastiCache turbot-einstein-cache-cluster",
            "delete it",
        )],
    },
    Case {
        why: "an operator disabled a trigger and forgot it",
        scenario: "default",
        document: STAY,
        bend: |world| {
            world.act("trigger-toggle: {function: turbot_5_39_12_worker_retry, enabled: false}");
            world.later(1);
        },
        found: &[(
            "sync/events-left-paused",
            "Enabled",
            "Disabled",
            "Lambda event source mappings and their tags",
            "enable the triggers",
        )],
    },
];

#[test]
fn each_disagreement_is_found_by_its_code_and_nothing_else_is_reported() {
    let texts: Mutex<BTreeMap<&str, String>> = Mutex::default();
    each(CASES, |case| {
        let Case { why, scenario, document, bend, found } = case;
        let world = world(scenario);
        bend(&world);
        let plan = world.plan(document);
        let shown: Vec<_> = plan
            .findings()
            .iter()
            .filter(|finding| !finding["code"].as_str().unwrap().starts_with("info/"))
            .collect();
        texts.lock().unwrap().insert(why, shown.iter().map(|finding| text(finding)).collect());
        assert_eq!(shown.len(), found.len(), "{why}: {shown:#?}");
        for (code, desired, actual, read_from, remedy) in *found {
            let fits = shown.iter().any(|finding| {
                let has = |member: &str, part: &str| {
                    finding[member].as_str().is_some_and(|text| text.contains(part))
                };
                finding["code"] == *code
                    && has("desired", desired)
                    && has("actual", actual)
                    && has("readFrom", read_from)
                    && has("remedy", remedy)
                    && has("message", "")
            });
            assert!(fits, "{why}: {code} is not shown as it must be: {shown:#?}");
        }
        assert_eq!(plan.code, 2, "{why}");
        // Storage that AWS grew is out of step and no reason to call the TED unready.
        let unready = found.iter().any(|(code, ..)| *code != "sync/storage");
        let ready = if unready { "False" } else { "True" };
        assert_eq!(plan.condition("Ready").0, ready, "{why}: {:?}", plan.condition("Ready"));
        let any = |prefix: &str| found.iter().any(|(code, ..)| code.starts_with(prefix));
        assert_eq!(plan.condition("Drifted").0 == "True", any("drift/"), "{why}");
        assert_eq!(plan.condition("OutOfSync").0 == "True", any("sync/"), "{why}");
    });
    let texts = texts.into_inner().unwrap();
    let whole = texts.iter().fold(String::new(), |mut whole, (why, text)| {
        let _ = write!(whole, "# {why}\n\n{text}");
        whole
    });
    golden::check("tests/golden/findings.txt", &whole);
}

/// A finding as people read it, but for the times in it: they depend on how fast this host is.
fn text(finding: &serde_json::Value) -> String {
    let times = regex_lite::Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? UTC").unwrap();
    let mut text = String::new();
    let says = |member: &str| finding[member].as_str().unwrap_or("–").to_owned();
    let _ = writeln!(text, "{} ({}): {}", says("code"), says("severity"), says("message"));
    for (label, member) in [
        ("should be", "desired"),
        ("is", "actual"),
        ("read from", "readFrom"),
        ("what to do", "remedy"),
        ("guide", "guide"),
    ] {
        let _ = writeln!(text, "    {label}: {}", says(member));
    }
    text.push('\n');
    times.replace_all(&text, "<time>").into_owned()
}

/// A named scenario, or a world of one's own.
fn world(scenario: &str) -> World {
    if scenario.contains('\n') { World::written(scenario) } else { World::named(scenario) }
}

#[test]
fn what_is_merely_worth_knowing_is_told_and_does_not_count() {
    let rows: [(&str, &str, &str, &str, Shown); 4] = [
        (
            "a newer version is on offer",
            "default",
            STAY,
            "note: {text: nothing}",
            ("info/newer-version", "v1.52.1", "v1.44.0", "versions on offer", "release notes"),
        ),
        (
            "the running version is hidden",
            "valkey",
            VALKEY,
            "artifact-retire: {version: v1.52.1}",
            (
                "info/version-retired",
                "a version on offer",
                "v1.52.1",
                "versions on offer",
                "plan an update",
            ),
        ),
        (
            "the running version is deprecated",
            "valkey",
            VALKEY,
            "artifact-deprecate: {version: v1.52.1}",
            (
                "info/version-retired",
                "a version on offer",
                "v1.52.1",
                "versions on offer",
                "plan an update",
            ),
        ),
        (
            "the engine's support ends",
            OLD_REDIS,
            SILENT,
            "note: {text: nothing}",
            (
                "info/engine-end-of-life",
                "a version with standard support",
                "6.2",
                "ElastiCache",
                "Valkey",
            ),
        ),
    ];
    each(&rows, |(why, scenario, document, bend, (code, desired, actual, read_from, remedy))| {
        let world = world(scenario);
        world.act(bend);
        let plan = world.plan(document);
        let [finding] = plan.findings() else { panic!("{why}: {:#?}", plan.findings()) };
        for (member, part) in [
            ("code", code),
            ("desired", desired),
            ("actual", actual),
            ("readFrom", read_from),
            ("remedy", remedy),
        ] {
            let text = finding[member].as_str().unwrap_or_default();
            assert!(text.contains(part), "{why}: {member} is `{text}`");
        }
        assert_eq!((plan.code, plan.condition("Ready")), (0, ("True", "InSync")), "{why}");
    });
}

#[test]
fn every_code_that_one_look_can_find_is_found_here() {
    let mut found: BTreeSet<&str> =
        CASES.iter().flat_map(|case| case.found).map(|(code, ..)| *code).collect();
    // As news, and by denying reads one after the other.
    found.extend(["info/version-retired", "info/newer-version", "info/engine-end-of-life"]);
    found.insert("sync/unreadable");
    // It takes two looks to see that a queue does not drain, and a drift detection of CloudFormation to see into resources.
    found.extend(["sync/backlog-not-draining", "drift/resource", "info/resource-unchecked"]);
    // An update that is silent for an hour is a story of its own (`tests/passes/failures.rs`).
    found.insert("sync/update-silent");
    let known: BTreeSet<&str> =
        all().filter(|known| known.of == Of::Finding).map(|known| known.code).collect();
    assert_eq!(found, known);
}

#[test]
fn a_product_that_is_not_there_is_no_empty_plan() {
    let world = World::named("default");
    world.act("product-delete: {}");
    let plan = world.plan(STAY);
    assert_eq!((plan.code, plan.steps().len()), (2, 0));
    assert_eq!(plan.condition("Ready"), ("False", "ProductNotFound"));
    assert_eq!(plan.condition("OutOfSync").0, "Unknown", "nothing was compared");
    assert_eq!(plan.shut()["product"], "NeedsPerson");
}

#[test]
fn a_change_under_way_is_waited_for() {
    let world = World::named("under-change");
    let plan = world.plan(STAY);
    assert_eq!((plan.code, plan.steps()), (2, vec!["Wait"]));
    assert_eq!(plan.condition("Ready"), ("False", "UnderChange"));
    assert_eq!(plan.condition("Stalled").0, "False", "time will heal it");
    assert_eq!(plan.codes(), BTreeSet::new(), "what moves disagrees with itself for a while");
}
