//! What people read of each known failure. Golden: a change of wording shows here.

use super::*;
use crate::assess::diagnosis::last_failure;
use crate::assess::testing::{healthy, there};
use crate::observe::observation::{Gap, Observation};
use crate::observe::story::{StackEvent, StackStory, Story};
use jiff::Timestamp;
use std::path::Path;

const ROOT: &str =
    "arn:aws:cloudformation:us-east-2:111122223333:stack/SC-111122223333-pp-senyqa2ncjkws/root";
const CHILD: &str = "arn:aws:cloudformation:us-east-2:111122223333:stack/SC-111122223333-pp-senyqa2ncjkws-HiveStack-1AB/child";
const STACK: &str = "AWS::CloudFormation::Stack";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_785_924_000 + second).unwrap()
}

fn event(
    second: i64,
    logical: &str,
    physical: &str,
    kind: &str,
    status: &str,
    reason: &str,
) -> StackEvent {
    StackEvent {
        logical_id: logical.to_owned(),
        physical_id: Some(physical.to_owned()),
        kind: kind.to_owned(),
        status: status.to_owned(),
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
        at: Some(at(second)),
        token: None,
    }
}

/// An update whose resource `logical` of the nested stack fails with `reason`; `stuck`: the way back fails, too.
fn update(
    logical: &str,
    physical: &str,
    kind: &str,
    reason: &str,
    stuck: bool,
) -> (Observation, Story) {
    let mut seen = healthy();
    let product = &mut there(&mut seen.products)[0];
    product.status = "TAINTED".into();
    let record = there(&mut seen.last_record);
    (record.id, record.status) = ("rec-2".into(), "FAILED".into());
    (record.created, record.updated) = (Some(at(-4)), Some(at(900)));
    record.artifact_id = Some("pa-1521".into());
    record.principal = Some("arn:aws:iam::111122223333:user/ada".into());
    let root_status = if stuck { "UPDATE_ROLLBACK_FAILED" } else { "UPDATE_ROLLBACK_COMPLETE" };
    there(&mut seen.root).status = root_status.into();
    let mut root = vec![
        event(0, "SC", ROOT, STACK, "UPDATE_IN_PROGRESS", "User Initiated"),
        event(5, "HiveStack", CHILD, STACK, "UPDATE_IN_PROGRESS", ""),
        event(
            70,
            "HiveStack",
            CHILD,
            STACK,
            "UPDATE_FAILED",
            "Embedded stack was not successfully updated.",
        ),
        event(71, "SC", ROOT, STACK, "UPDATE_ROLLBACK_IN_PROGRESS", ""),
    ];
    let mut child = vec![
        event(6, "HiveStack", CHILD, STACK, "UPDATE_IN_PROGRESS", ""),
        event(60, logical, physical, kind, "UPDATE_FAILED", reason),
        event(
            61,
            "Alarms",
            "alarms",
            "AWS::CloudWatch::Alarm",
            "UPDATE_FAILED",
            "Resource update cancelled",
        ),
        event(62, "HiveStack", CHILD, STACK, "UPDATE_ROLLBACK_IN_PROGRESS", ""),
    ];
    if stuck {
        child.push(event(120, logical, physical, kind, "UPDATE_FAILED", reason));
        child.push(event(121, "HiveStack", CHILD, STACK, "UPDATE_ROLLBACK_FAILED", ""));
        root.push(event(122, "SC", ROOT, STACK, "UPDATE_ROLLBACK_FAILED", ""));
    } else {
        child.push(event(121, "HiveStack", CHILD, STACK, "UPDATE_ROLLBACK_COMPLETE", ""));
        root.push(event(122, "SC", ROOT, STACK, "UPDATE_ROLLBACK_COMPLETE", ""));
    }
    let told = |id: &str, path: &[&str], mut events: Vec<StackEvent>| {
        events.reverse();
        StackStory {
            id: id.to_owned(),
            name: id.rsplit('/').nth(1).unwrap().to_owned(),
            path: path.iter().map(|part| (*part).to_owned()).collect(),
            events,
            complete: true,
            gap: None,
        }
    };
    (seen, Story { stacks: vec![told(ROOT, &[], root), told(CHILD, &["HiveStack"], child)] })
}

const DB: (&str, &str, &str) = ("HivePrimary", "turbot-einstein", "AWS::RDS::DBInstance");
const CACHE: (&str, &str, &str) =
    ("CacheCluster", "turbot-einstein-cache-cluster", "AWS::ElastiCache::ReplicationGroup");

fn of(
    (logical, physical, kind): (&str, &str, &str),
    reason: &str,
    stuck: bool,
) -> (Observation, Story) {
    update(logical, physical, kind, reason, stuck)
}

/// The known failures of the guides, and those beside them that need words of their own.
fn known() -> Vec<(&'static str, (Observation, Story))> {
    let storage = "Resource handler returned message: \"Invalid storage size for engine name postgres and storage type gp3: 210 (Service: Rds, Status Code: 400, \
        Request ID: d93b7008)\" (RequestToken: 1, HandlerErrorCode: InvalidRequest)";
    let denied = |how: &str| {
        format!(
            "User: arn:aws:sts::111122223333:assumed-role/launch/servicecatalog is not authorized to perform: elasticache:ModifyReplicationGroup on resource: \
             arn:aws:elasticache:us-east-2:111122223333:replicationgroup:turbot-einstein-cache-cluster {how}"
        )
    };
    let mut refused = of(DB, storage, false);
    refused.1 = Story::default();
    let record = there(&mut refused.0.last_record);
    record.errors = vec!["AmazonCloudFormationException No updates are to be performed.".into()];
    let mut blind = of(DB, storage, false);
    blind.1.stacks[1].gap = Some(Gap {
        operation: "cloudformation:DescribeStackEvents".into(),
        reason: "AccessDenied".into(),
        message: "CloudFormation DescribeStackEvents: not allowed".into(),
        passing: false,
    });
    let mut door = of(CACHE, "Cannot change the engine from valkey to redis", true);
    for node in &mut there(&mut door.0.caches)[0].nodes {
        node.engine = Some("valkey".into());
    }
    let mut running = of(DB, storage, false);
    there(&mut running.0.last_record).status = "IN_PROGRESS".into();
    there(&mut running.0.root).status = "UPDATE_IN_PROGRESS".into();
    running.1.stacks[0].events.drain(..3);
    running.1.stacks.truncate(1);
    vec![
        (
            "database-not-available",
            of(
                DB,
                "Database instance is not in available state. (Service: Rds, Status Code: 400, Request ID: 3f4b)",
                false,
            ),
        ),
        ("storage-out-of-step", of(DB, storage, true)),
        (
            "storage-cooldown",
            of(
                DB,
                "You can't currently modify the storage of this DB instance. Try again after approximately 1 hours.",
                false,
            ),
        ),
        (
            "permission-denied-launch-role",
            of(
                CACHE,
                &denied(
                    "because no identity-based policy allows the elasticache:ModifyReplicationGroup action",
                ),
                false,
            ),
        ),
        (
            "permission-denied-organisation",
            of(CACHE, &denied("with an explicit deny in a service control policy"), true),
        ),
        ("nothing-to-change", refused),
        ("past-the-door", door),
        ("unknown", of(DB, "Internal Failure", false)),
        ("partly-unseen", blind),
        ("running", running),
        ("no-failure", (healthy(), Story::default())),
    ]
}

#[test]
fn every_known_failure_reads_as_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/diagnosis");
    let mut wrong = Vec::new();
    for (name, (seen, story)) in known() {
        let text = diagnosis("ted-einstein", &last_failure(&seen, &story), Paint::PLAIN, 100);
        let file = folder.join(format!("{name}.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, &text).unwrap();
        }
        let golden = std::fs::read_to_string(&file).unwrap_or_default();
        if golden != text {
            wrong.push(format!("{}:\n{text}", file.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "other words than written down (set UPDATE_GOLDEN to write them, then read the difference):\n{}",
        wrong.join("\n")
    );
}
