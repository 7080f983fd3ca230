#![expect(clippy::semicolon_if_nothing_returned, reason = "each row is one expression")]

use super::super::testing::{World, denial, denied, record, there};
use super::super::types::{Assessment, ConditionStatus, ConditionType};
use super::*;
use crate::observe::observation::{
    Backlog, Cache, CacheNode, DeepDrift, Gap, Reading, ResourceDrift, Seen, StackCheck,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

type Row = (&'static str, fn(&mut World), &'static [&'static str]);

fn codes(assessment: &Assessment) -> Vec<&str> {
    let mut codes: Vec<&str> = assessment
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .filter(|code| !code.starts_with("info/"))
        .collect();
    codes.dedup();
    codes
}

/// Each row bends a TED that is as its document says, and names the findings that must show: these and no others.
const BENT: &[Row] = &[
    ("as it should be", |_| {}, &[]),
    (
        "another engine is wanted",
        |w| {
            w.document = w
                .document
                .replace("{engine: redis, version: \"7.1\"}", "{engine: valkey, version: \"8.0\"}")
        },
        &["drift/cache-engine"],
    ),
    (
        "another version is wanted",
        |w| w.document = w.document.replace("\"7.1\"", "\"7.0\""),
        &["drift/cache-version"],
    ),
    (
        "another TED version is wanted",
        |w| w.document = w.document.replace("  cache:", "  tedVersion: v1.52.1\n  cache:"),
        &["drift/ted-version"],
    ),
    (
        "a parameter is wanted otherwise",
        |w| {
            w.document =
                w.document.replace("  cache:", "  parameters: {MaxConnections: 800}\n  cache:")
        },
        &["drift/parameter"],
    ),
    (
        "CloudFormation saw a change by hand",
        |w| {
            w.observation.deep_drift = deep(ResourceDrift {
                stack: "SC-1".into(),
                logical_id: "Cache".into(),
                status: "MODIFIED".into(),
                differences: vec![("/Port".into(), "6379".into(), "6380".into())],
                ..ResourceDrift::default()
            });
        },
        &["drift/resource"],
    ),
    (
        "CloudFormation saw that somebody deleted something",
        |w| {
            w.observation.deep_drift = deep(ResourceDrift {
                stack: "SC-1".into(),
                logical_id: "Alarm".into(),
                status: "DELETED".into(),
                ..ResourceDrift::default()
            });
        },
        &["drift/resource"],
    ),
    (
        "tainted",
        |w| there(&mut w.observation.products)[0].status = "TAINTED".into(),
        &["sync/product-tainted"],
    ),
    (
        "in error",
        |w| there(&mut w.observation.products)[0].status = "ERROR".into(),
        &["sync/product-error"],
    ),
    (
        "asked for another version than runs",
        |w| {
            let product = &mut there(&mut w.observation.products)[0];
            product.status = "TAINTED".into();
            product.artifact_id = Some("pa-1521".into());
        },
        &["sync/product-tainted", "sync/version-mismatch"],
    ),
    (
        "the stack moved later",
        |w| there(&mut w.observation.root).updated = Some("2026-07-01T00:00:00Z".parse().unwrap()),
        &["sync/stack-changed-outside"],
    ),
    (
        "the stack ended a minute after its record",
        |w| there(&mut w.observation.root).updated = Some("2026-06-01T10:26:00Z".parse().unwrap()),
        &[],
    ),
    (
        "storage grew",
        |w| there(&mut w.observation.database).allocated_storage = Some(210),
        &["sync/storage"],
    ),
    (
        "the cache runs another engine",
        |w| {
            there(&mut w.observation.caches)[0]
                .nodes
                .iter_mut()
                .for_each(|node| node.engine = Some("valkey".into()));
        },
        &["sync/cache-engine", "drift/cache-engine"],
    ),
    (
        "one node runs another engine",
        |w| there(&mut w.observation.caches)[0].nodes[0].engine = Some("valkey".into()),
        &["sync/cache-engine", "drift/cache-engine"],
    ),
    (
        "the cache runs another version",
        |w| {
            there(&mut w.observation.caches)[0]
                .nodes
                .iter_mut()
                .for_each(|node| node.engine_version = Some("7.2.4".into()));
        },
        &["drift/cache-version", "sync/cache-version"],
    ),
    (
        "a patch level is no difference",
        |w| {
            there(&mut w.observation.caches)[0]
                .nodes
                .iter_mut()
                .for_each(|node| node.engine_version = Some("7.1.9".into()));
        },
        &[],
    ),
    (
        "the password went away",
        |w| there(&mut w.observation.caches)[0].auth_token = Some(false),
        &["sync/cache-access"],
    ),
    (
        "the cache has other nodes",
        |w| there(&mut w.observation.caches)[0].node_type = Some("cache.r6g.large".into()),
        &["sync/parameter-mismatch"],
    ),
    (
        "a node more",
        |w| {
            there(&mut w.observation.caches)[0].nodes.push(CacheNode {
                engine: Some("redis".into()),
                engine_version: Some("7.1.0".into()),
                ..CacheNode::default()
            })
        },
        &["sync/parameter-mismatch"],
    ),
    (
        "an old group is still there",
        |w| {
            there(&mut w.observation.caches)
                .push(Cache { id: "turbot-einstein-cache-old".into(), ..Cache::default() })
        },
        &["sync/cache-left-behind"],
    ),
    ("no stack", |w| w.observation.root = Seen::Absent, &["sync/stack-missing"]),
    (
        "a deleted stack, of which the cache is left: nothing is missing from it, and nothing is to be deleted",
        |w| {
            there(&mut w.observation.root).status = "DELETE_COMPLETE".into();
            there(&mut w.observation.caches)[0].in_stack = false;
            w.observation.database = Seen::Absent;
        },
        &["sync/stack-missing"],
    ),
    (
        "a nested stack failed",
        |w| there(&mut w.observation.nested)[0].status = "UPDATE_FAILED".into(),
        &["sync/stack-failed"],
    ),
    (
        "the way back failed",
        |w| there(&mut w.observation.root).status = "UPDATE_ROLLBACK_FAILED".into(),
        &["sync/rollback-failed"],
    ),
    (
        "a way back that went well is no trouble of the stack",
        |w| there(&mut w.observation.root).status = "UPDATE_ROLLBACK_COMPLETE".into(),
        &[],
    ),
    ("no database", |w| w.observation.database = Seen::Absent, &["sync/database-missing"]),
    ("no cache", |w| w.observation.caches = Seen::Absent, &["sync/cache-missing"]),
    (
        "no cache, and none is wanted",
        |w| {
            w.document = w.document.replace("  cache: {engine: redis, version: \"7.1\"}\n", "");
            w.observation.caches = Seen::Absent;
            there(&mut w.observation.root).parameters.get_mut("ElastiCache").unwrap().value =
                "false".into();
        },
        &[],
    ),
    (
        "a trigger is off",
        |w| there(&mut w.observation.triggers).mappings[0].state = "Disabled".into(),
        &["sync/events-left-paused"],
    ),
    (
        "a trigger is held at this moment",
        |w| {
            let now = w.observation.now.as_second();
            let trigger = &mut there(&mut w.observation.triggers).mappings[0];
            trigger.state = "Disabled".into();
            trigger.tags = Some(
                [(
                    "ted-controller:hold:pp-senyqa2ncjkws".to_owned(),
                    format!("held rec-1 {now} ctl-1 0123"),
                )]
                .into(),
            );
        },
        &[],
    ),
    (
        "a trigger was held a day ago",
        |w| {
            let then = w.observation.now.as_second() - 86_400;
            let trigger = &mut there(&mut w.observation.triggers).mappings[0];
            trigger.state = "Disabled".into();
            trigger.tags = Some(
                [(
                    "ted-controller:hold:pp-senyqa2ncjkws".to_owned(),
                    format!("held rec-1 {then} ctl-1 0123"),
                )]
                .into(),
            );
        },
        &["sync/events-left-paused"],
    ),
    (
        "another product holds a trigger for an hour",
        |w| {
            let then = w.observation.now.as_second() - 3_600;
            let trigger = &mut there(&mut w.observation.triggers).mappings[0];
            trigger.state = "Disabled".into();
            let hold = format!("held rec-1 {then} ctl-1 0123");
            trigger.tags = Some([("ted-controller:hold:pp-other".to_owned(), hold)].into());
        },
        &[],
    ),
    (
        "a trigger was released ten minutes ago and is still off",
        |w| {
            let then = w.observation.now.as_second() - 600;
            let trigger = &mut there(&mut w.observation.triggers).mappings[0];
            trigger.state = "Disabled".into();
            let hold = format!("released {then} ctl-1 0123");
            trigger.tags = Some([("ted-controller:hold:pp-senyqa2ncjkws".to_owned(), hold)].into());
        },
        &["sync/events-left-paused"],
    ),
    (
        "a change that has told nothing for hours",
        |w| {
            let at = "2026-08-05T10:00:00Z";
            w.observation.last_record =
                Seen::Present(record("rec-2", "pa-1440", "IN_PROGRESS", at, at));
            there(&mut w.observation.products)[0].status = "UNDER_CHANGE".into();
        },
        &["sync/update-silent"],
    ),
    ("the cache cannot be read", |w| w.observation.caches = denied(), &["sync/unreadable"]),
    (
        "tags cannot be read",
        |w| {
            there(&mut w.observation.triggers).mappings[0].tags = None;
            w.observation.details.tags = Some(denial());
        },
        &["sync/unreadable"],
    ),
    (
        "the database's events cannot be read",
        |w| w.observation.details.database_events = Some(denial()),
        &["sync/unreadable"],
    ),
    (
        "the product cannot be searched for",
        |w| w.observation.details.search = Some(denial()),
        &["sync/unreadable"],
    ),
    (
        "a queue does not get shorter although its triggers are on",
        |w| there(&mut w.observation.triggers).queues = vec![queue(w.observation.now, 20, 5_000)],
        &["sync/backlog-not-draining"],
    ),
    (
        "a queue gets shorter",
        |w| there(&mut w.observation.triggers).queues = vec![queue(w.observation.now, 20, 800)],
        &[],
    ),
    (
        "a queue has been at it for a short while",
        |w| there(&mut w.observation.triggers).queues = vec![queue(w.observation.now, 5, 5_000)],
        &[],
    ),
    (
        "a backlog alone is no finding",
        |w| {
            there(&mut w.observation.triggers).queues = vec![Backlog {
                queue: "arn".into(),
                messages: Some(9),
                retention_seconds: Some(60),
                ..Backlog::default()
            }]
        },
        &[],
    ),
];

/// A queue of 1,000 messages when its triggers were on again so many minutes ago, and what it holds now.
fn queue(now: Timestamp, minutes: i64, messages: u64) -> Backlog {
    let at = now - SignedDuration::from_mins(minutes);
    Backlog {
        queue: "arn:aws:sqs:us-east-2:111122223333:turbot_5_39_12_worker".into(),
        messages: Some(messages),
        retention_seconds: Some(345_600),
        at: Some(now),
        first_on: Some(Reading { at, messages: 1_000 }),
    }
}

#[test]
fn every_code_is_produced_by_some_bend() {
    let mut produced: BTreeSet<String> = BTreeSet::new();
    for (_, bend, _) in BENT {
        let found = World::staying().with(bend).assess().findings;
        produced.extend(found.into_iter().map(|finding| finding.code));
    }
    // These take more than one bend, and have tests of their own.
    produced.extend(
        ["info/version-retired", "info/engine-end-of-life", "info/resource-unchecked"]
            .map(str::to_owned),
    );
    let fixed: BTreeSet<String> = super::super::codes::all()
        .filter(|known| known.of == super::super::codes::Of::Finding)
        .map(|known| known.code.to_owned())
        .collect();
    assert_eq!(produced, fixed);
}

#[test]
fn findings_say_since_when_and_whose_doing_where_aws_knows() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let found = World::staying()
        .with(|w| {
            there(&mut w.observation.products)[0].status = "TAINTED".into();
            let record = there(&mut w.observation.last_record);
            record.status = "FAILED".into();
            record.principal = Some("arn:aws:sts::111122223333:assumed-role/admin/ada".into());
            there(&mut w.observation.root).updated = Some(at("2026-07-01T00:00:00Z"));
            let database = there(&mut w.observation.database);
            database.allocated_storage = Some(210);
            database.storage_changed = Some(at("2026-08-01T00:00:00Z"));
            let trigger = &mut there(&mut w.observation.triggers).mappings[1];
            trigger.state = "Disabled".into();
            trigger.last_modified = Some(at("2026-08-02T00:00:00Z"));
        })
        .assess();
    for (code, since, who) in [
        ("sync/product-tainted", "2026-06-01T10:25:00Z", "assumed-role/admin/ada of 111122223333"),
        (
            "sync/stack-changed-outside",
            "2026-07-01T00:00:00Z",
            "assumed-role/admin/ada of 111122223333",
        ),
        ("sync/storage", "2026-08-01T00:00:00Z", ""),
        ("sync/events-left-paused", "2026-08-02T00:00:00Z", "somebody disabled them"),
    ] {
        let finding = found.findings.iter().find(|finding| finding.code == code).unwrap();
        assert_eq!(finding.since, Some(at(since)), "{code}");
        assert!(finding.message.contains(who), "{code}: {}", finding.message);
    }
}

/// Drift detection that was whole and found one thing.
fn deep(drift: ResourceDrift) -> Seen<DeepDrift> {
    let check = StackCheck { stack: drift.stack.clone(), compared: 9, ..StackCheck::default() };
    Seen::Present(DeepDrift { drifts: vec![drift], stacks: vec![check] })
}

#[test]
fn what_drift_detection_did_not_see_is_said_and_disturbs_nothing() {
    let gap = |reason: &str, message: &str| Gap {
        operation: "cloudformation:DetectStackDrift".into(),
        reason: reason.into(),
        message: message.into(),
        passing: false,
    };
    let check = |stack: &str, unchecked: &[&str], gap: Option<Gap>| StackCheck {
        stack: stack.into(),
        checked: gap.is_none().then_some(Timestamp::UNIX_EPOCH),
        compared: 4,
        unchecked: unchecked.iter().map(|one| (*one).to_owned()).collect(),
        gap,
    };
    let whole = check("SC-1", &[], None);
    let part = check("SC-2", &["Custom (Custom::Thing)"], None);
    let failed =
        check("SC-3", &[], Some(gap("DetectionFailed", "drift detection: DETECTION_FAILED")));
    let denied = check("SC-4", &[], Some(gap("AccessDenied", "not allowed")));
    for (stacks, severity, words, why) in [
        (vec![whole.clone()], None, "", "all was compared"),
        (
            vec![whole.clone(), part],
            Some(Severity::Info),
            "1 resource that CloudFormation did not compare: Custom (Custom::Thing) of SC-2",
            "a type that cannot be compared",
        ),
        (
            vec![whole.clone(), failed],
            Some(Severity::Info),
            "1 stack: SC-3: drift detection: DETECTION_FAILED",
            "a resource that could not be read",
        ),
        (vec![whole, denied], Some(Severity::Warning), "SC-4: not allowed", "it is not granted"),
    ] {
        let bent = World::staying().with(|w| {
            w.observation.deep_drift = Seen::Present(DeepDrift { drifts: Vec::new(), stacks });
        });
        let assessment = bent.assess();
        let found =
            assessment.findings.iter().find(|found| found.code == "info/resource-unchecked");
        assert_eq!(found.map(|found| found.severity), severity, "{why}");
        assert!(found.is_none_or(|found| found.message.contains(words)), "{why}: {found:?}");
        assert!(found.is_none_or(|found| !makes_unready(found)), "{why}");
        assert!(
            assessment.conditions.iter().any(|condition| condition.kind == ConditionType::Ready
                && condition.status == ConditionStatus::True),
            "{why}: {:?}",
            assessment.conditions
        );
    }
}

#[test]
fn each_disagreement_is_found_and_no_other() {
    for (why, bend, expected) in BENT {
        let assessment = World::staying().with(bend).assess();
        let mut expected = expected.to_vec();
        let mut found = codes(&assessment);
        expected.sort_unstable();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, expected, "{why}: {:#?}", assessment.findings);
        for finding in &assessment.findings {
            assert!(
                !finding.message.is_empty()
                    && !finding.remedy.is_empty()
                    && !finding.read_from.is_empty(),
                "{finding:#?}"
            );
        }
    }
}

#[test]
fn nothing_disagrees_while_a_change_runs() {
    let moving = World::staying().with(|w| {
        there(&mut w.observation.products)[0].status = "UNDER_CHANGE".into();
        there(&mut w.observation.caches)[0].nodes[0].engine = Some("valkey".into());
        there(&mut w.observation.database).allocated_storage = Some(210);
        there(&mut w.observation.triggers).mappings[0].state = "Disabled".into();
    });
    let found = moving.assess();
    assert!(codes(&found).iter().all(|code| code.starts_with("drift/")), "{:?}", codes(&found));
}

#[test]
fn the_worst_comes_first() {
    let found = World::staying()
        .with(|w| {
            there(&mut w.observation.root).status = "UPDATE_ROLLBACK_FAILED".into();
            there(&mut w.observation.database).allocated_storage = Some(210);
        })
        .assess();
    let severities: Vec<_> = found.findings.iter().map(|finding| finding.severity).collect();
    assert!(severities.is_sorted_by(|a, b| a >= b), "{severities:?}");
    assert_eq!(found.findings[0].code, "sync/rollback-failed");
}

#[test]
fn the_yearly_review_names_what_is_old() {
    let found = World::staying().assess();
    let info = |code: &str| found.findings.iter().find(|finding| finding.code == code);
    assert_eq!(info("info/newer-version").unwrap().desired.as_deref(), Some("v1.52.1"));
    assert!(info("info/version-retired").is_none() && info("info/engine-end-of-life").is_none());
    let old = World::staying()
        .with(|w| {
            there(&mut w.observation.versions).retain(|artifact| artifact.name != "v1.44.0");
            let nodes = &mut there(&mut w.observation.caches)[0].nodes;
            for node in nodes.iter_mut() {
                node.engine_version = Some("6.2.6".into());
            }
        })
        .assess();
    let end = old.findings.iter().find(|finding| finding.code == "info/engine-end-of-life");
    let end = end.unwrap();
    assert!(end.message.contains("ends on 2027-01-31"), "{}", end.message);
    assert!(end.read_from.contains("as of August 2026"), "the table's date is said");
    let codes: Vec<_> = old.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert!(
        codes.contains(&"info/version-retired") && codes.contains(&"info/engine-end-of-life"),
        "{codes:?}"
    );
    assert!(
        found.findings.iter().filter(|f| f.code.starts_with("info/")).all(|f| !makes_unready(f))
    );
}

#[test]
fn secrets_are_in_no_finding() {
    let found = World::staying()
        .edit("  cache:", "  parameters: {MasterPassword: hunter2hunter2}\n  cache:")
        .assess();
    let text = serde_json::to_string(&found).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
}
