//! Each read denied in turn: named, counted as unknown, and nothing concluded from it.

use crate::harness::{MIGRATE, STAY, World, each};
use std::collections::BTreeSet;
use ted_controller::aws::table::{Holder, Need, OPERATIONS, Service};

/// Reads that every look makes, as service and operation.
fn reads() -> Vec<(&'static str, &'static str)> {
    let granted = OPERATIONS
        .iter()
        .filter(|operation| operation.holder == Holder::Reader && operation.need == Need::Always)
        // Made after a failure, or while triggers are off: see below.
        .filter(|operation| {
            operation.name != "DescribeStackEvents" && operation.service != Service::Sqs
        });
    granted.map(|operation| (operation.service.prefix(), operation.name)).collect()
}

/// What a denied operation leaves unknown of a TED that is as its document says. Nothing: no verdict hangs on it.
fn unknown_then(operation: &str) -> &'static [&'static str] {
    match operation {
        "DescribeRecord" | "ListProvisioningArtifacts" | "ListEventSourceMappings" => {
            &["Ready", "OutOfSync"]
        }
        "DescribeProvisionedProduct"
        | "DescribeStacks"
        | "ListStackResources"
        | "GetTemplateSummary"
        | "DescribeReplicationGroups"
        | "DescribeCacheClusters"
        | "DescribeDBInstances" => &["Ready", "Drifted", "OutOfSync"],
        _ => &[],
    }
}

/// The gates that a denied operation leaves unknown where a migration is wanted: at least these.
fn gates_then(operation: &str) -> &'static [&'static str] {
    match operation {
        "DescribeProvisionedProduct" => &["product", "identity", "stable", "version-offered"],
        "ListProvisioningArtifacts" => &["version-offered", "version-forward"],
        "ListLaunchPaths" => &["version-offered"],
        "DescribeProvisioningArtifact"
        | "DescribeProvisioningParameters"
        | "GetTemplateSummary" => &["parameters-known", "one-way"],
        "DescribeStacks" => &["stable", "identity", "parameters-known", "events-pausable"],
        "ListStackResources" => &["stable", "one-way", "cache-available", "database-available"],
        "DescribeReplicationGroups" | "DescribeCacheClusters" => &["cache-available", "one-way"],
        "DescribeDBInstances" => &["database-available", "storage-in-step"],
        "ListEventSourceMappings" | "ListTags" => &["events-pausable"],
        "DescribeRecord" => &["stable"],
        // The product's name is in its versions' descriptions too; past durations have a default; no storage is to change.
        "SearchProvisionedProducts" | "ListRecordHistory" | "DescribeEvents" => &[],
        other => panic!("nobody said what hangs on {other}"),
    }
}

#[test]
fn what_is_denied_is_named_and_nothing_is_assumed() {
    let calm = World::named("default").plan(STAY).verdict();
    each(&reads(), |(service, operation)| {
        let action = format!("{service}:{operation}");
        let world = World::named("default");
        world.fault(&format!(
            "{{service: {service}, operation: {operation}, fault: access-denied}}"
        ));
        let stay = world.plan(STAY);
        // Parameters of another version are read only where one is wanted.
        let asked = !operation.starts_with("DescribeProvisioning");
        assert_eq!(named(&stay, &action), asked, "{action}: {:#?}", stay.findings());
        let only = if asked { BTreeSet::from(["sync/unreadable"]) } else { BTreeSet::new() };
        assert_eq!(stay.codes(), only, "{action}: a gap looks like a difference");
        assert_eq!(stay.code, if asked { 2 } else { 0 }, "{action}");
        let unknown = unknown_then(operation);
        for kind in ["Ready", "Drifted", "OutOfSync"] {
            let status = stay.condition(kind).0;
            assert_eq!(
                status == "Unknown",
                unknown.contains(&kind),
                "{action}: {kind} is {status}"
            );
        }
        if unknown.is_empty() && !asked {
            assert_eq!(stay.verdict(), calm, "{action}");
        }

        let migrate = world.plan(MIGRATE);
        assert!(named(&migrate, &action), "{action}: {:#?}", migrate.findings());
        let shut = migrate.shut();
        for gate in gates_then(operation) {
            assert_eq!(shut.get(gate), Some(&"Unknown"), "{action}: {shut:?}");
        }
        let drift = ["drift/cache-engine", "drift/ted-version", "sync/unreadable"];
        let more: Vec<&str> =
            migrate.codes().into_iter().filter(|code| !drift.contains(code)).collect();
        assert_eq!(more, [""; 0], "{action}: a gap looks like a difference");
        assert_eq!(migrate.code, 2);
        assert_ne!(migrate.condition("Ready").0, "True", "{action}");
        assert_ne!(migrate.condition("Reconciling").1, "NothingToDo", "{action}");

        let doctor = world.run(&["doctor", "ted-einstein", "--observe"]);
        assert_eq!(doctor.code, 1, "{action}: {doctor:?}");
        assert!(doctor.stdout.contains(&action), "{action}: {doctor:?}");
    });
}

/// Whether a finding says that the action is missing, and how to get it.
fn named(plan: &crate::harness::Plan, action: &str) -> bool {
    plan.findings().iter().any(|finding| {
        finding["code"] == "sync/unreadable"
            && finding["readFrom"] == action
            && finding["actual"] == "AccessDenied"
            && finding["remedy"].as_str().unwrap().contains(&format!("allow `{action}`"))
    })
}

#[test]
fn adopt_writes_nothing_that_it_could_not_read() {
    let needed = [
        ("servicecatalog", "SearchProvisionedProducts"),
        ("servicecatalog", "DescribeProvisionedProduct"),
        ("cloudformation", "DescribeStacks"),
        ("cloudformation", "ListStackResources"),
        ("cloudformation", "GetTemplateSummary"),
        ("elasticache", "DescribeReplicationGroups"),
        ("elasticache", "DescribeCacheClusters"),
    ];
    let adopted = World::named("default").run(&["adopt"]).stdout;
    each(&reads(), |(service, operation)| {
        let world = World::named("default");
        world.fault(&format!(
            "{{service: {service}, operation: {operation}, fault: access-denied}}"
        ));
        let run = world.run(&["adopt"]);
        if needed.contains(&(service, operation)) {
            assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{operation}");
            assert!(run.stderr.contains(operation) && run.stderr.contains("hint: "), "{run:?}");
        } else {
            assert_eq!((run.code, &run.stdout), (0, &adopted), "{operation}: {}", run.stderr);
        }
    });
}

#[test]
fn what_only_a_paused_ted_needs_is_named_when_it_is_paused() {
    each(&["GetQueueUrl", "GetQueueAttributes"], |operation| {
        let world = World::named("default");
        world.act("trigger-toggle: {function: turbot_5_39_12_worker_retry, enabled: false}");
        world.later(1);
        world.fault(&format!("{{service: sqs, operation: {operation}, fault: access-denied}}"));
        let plan = world.plan(STAY);
        assert!(named(&plan, &format!("sqs:{operation}")), "{:#?}", plan.findings());
        assert!(plan.codes().contains("sync/events-left-paused"), "that is seen all the same");
        let doctor = world.run(&["doctor", "ted-einstein", "--observe"]);
        assert!(doctor.code == 1 && doctor.stdout.contains(operation), "{doctor:?}");
    });
}

#[test]
fn doctor_tries_the_rights_that_only_trouble_needs() {
    let rows = [
        ("cloudformation", "DescribeStackEvents"),
        ("sqs", "GetQueueUrl"),
        ("sqs", "GetQueueAttributes"),
    ];
    each(&rows, |(service, operation)| {
        let world = World::named("default");
        world.fault(&format!(
            "{{service: {service}, operation: {operation}, fault: access-denied}}"
        ));
        assert_eq!(world.plan(STAY).code, 0, "nothing of it is needed now");
        let doctor = world.run(&["doctor", "ted-einstein", "--observe"]);
        assert_eq!(doctor.code, 1, "{doctor:?}");
        assert!(doctor.stdout.contains(&format!("allow `{service}:{operation}`")), "{doctor:?}");
    });
}

#[test]
fn tags_that_cannot_be_read_leave_open_who_disabled_a_trigger() {
    let world = World::named("default");
    world.act("trigger-toggle: {function: turbot_5_39_12_worker_retry, enabled: false}");
    world.later(1);
    world.fault("{service: lambda, operation: ListTags, fault: access-denied}");
    let plan = world.plan(STAY);
    assert_eq!(plan.codes(), BTreeSet::from(["sync/unreadable"]));
    assert_eq!(plan.condition("Ready"), ("Unknown", "Unreadable"));
    assert_eq!(plan.condition("EventsPaused").0, "True", "that they are off is plain");
}
