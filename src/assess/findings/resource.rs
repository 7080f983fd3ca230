//! What CloudFormation's own drift detection found, when it was run, and what it could not look at.

use super::super::types::{Finding, Severity};
use super::{finding, noise};
use crate::observe::observation::{DeepDrift, Gap, Observation, ResourceDrift, Seen};
use crate::text::sanitize_to;
use std::fmt::Write as _;

/// How much of a value is shown: a policy document can fill a page.
const MAX_VALUE_CHARS: usize = 200;

/// How many resources or stacks are named; the rest is counted.
const MOST_NAMED: usize = 5;

pub(super) fn find(observation: &Observation, found: &mut Vec<Finding>) {
    match &observation.deep_drift {
        Seen::Present(deep) => {
            for drift in &deep.drifts {
                resource(drift, found);
            }
            unchecked(deep, found);
        }
        Seen::Unreadable(gap) => found.push(not_whole("it did not run", "nothing", Some(gap))),
        Seen::Absent | Seen::NotLooked => {}
    }
}

fn resource(drift: &ResourceDrift, found: &mut Vec<Finding>) {
    let what = format!("{} {} of {}", drift.kind, drift.logical_id, drift.stack);
    let place = format!("CloudFormation drift detection on {}", drift.stack);
    if drift.status == "DELETED" {
        found.push(
            finding(
                "drift/resource",
                Severity::Warning,
                format!("{what} was deleted outside CloudFormation"),
            )
            .actual("deleted")
            .read_from(format!("{place}: {}", drift.logical_id))
            .remedy("ask Turbot support before any update: the stack believes that it is there, and an update may fail over it"),
        );
    }
    for difference in noise::real_differences(drift) {
        let (path, expected, actual) = difference;
        let mut one = finding(
            "drift/resource",
            Severity::Warning,
            format!("{what} was changed outside CloudFormation: {path}"),
        )
        .read_from(format!("{place}: {}{path}", drift.logical_id))
        .remedy(remedy(&drift.kind, path));
        if !noise::may_be_secret(path) {
            one = one.values(
                sanitize_to(expected, MAX_VALUE_CHARS),
                sanitize_to(actual, MAX_VALUE_CHARS),
            );
        }
        found.push(one);
    }
}

fn remedy(kind: &str, path: &str) -> &'static str {
    let storage = ["/AllocatedStorage", "/MaxAllocatedStorage", "/Iops", "/StorageThroughput"];
    if kind == "AWS::RDS::DBInstance" && storage.contains(&path) {
        "storage never shrinks, so it is not put back: with `storage: adopt` the next update takes the real value over (see sync/storage)"
    } else if kind == "AWS::ElastiCache::ReplicationGroup" && path.starts_with("/Engine") {
        "an engine is not put back: write the one that runs into the document (see sync/cache-engine)"
    } else {
        "put it back as the template has it, or have the template say what is wanted: the next update of the stack may overwrite it"
    }
}

/// What was not looked at: detection that failed or was refused, and resources that CloudFormation cannot compare.
fn unchecked(deep: &DeepDrift, found: &mut Vec<Finding>) {
    let gaps: Vec<(&str, &Gap)> = deep
        .stacks
        .iter()
        .filter_map(|stack| Some((stack.stack.as_str(), stack.gap.as_ref()?)))
        .collect();
    let resources: Vec<String> = deep
        .stacks
        .iter()
        .flat_map(|stack| {
            stack.unchecked.iter().map(move |resource| format!("{resource} of {}", stack.stack))
        })
        .collect();
    if gaps.is_empty() && resources.is_empty() {
        return;
    }
    let mut parts = Vec::new();
    if !gaps.is_empty() {
        let named = gaps.iter().map(|(stack, gap)| format!("{stack}: {}", gap.message));
        parts.push(format!("{}: {}", stacks(gaps.len()), some(named.collect())));
    }
    if !resources.is_empty() {
        let count = match resources.len() {
            1 => "1 resource that CloudFormation did not compare".to_owned(),
            count => format!("{count} resources that CloudFormation did not compare"),
        };
        parts.push(format!("{count}: {}", some(resources)));
    }
    let compared: usize = deep.stacks.iter().map(|stack| stack.compared).sum();
    let looked = deep.stacks.iter().filter(|stack| stack.checked.is_some()).count();
    let actual =
        format!("{compared} resources compared in {looked} of {}", stacks(deep.stacks.len()));
    // A refusal is somebody's to grant; the rest is as it is.
    let refused = gaps.iter().map(|(_, gap)| *gap).find(|gap| is_refusal(gap));
    found.push(not_whole(&format!("not looked at: {}", parts.join("; ")), &actual, refused));
}

fn not_whole(what: &str, actual: &str, refused: Option<&Gap>) -> Finding {
    let (severity, remedy) = match refused {
        Some(gap) => (
            Severity::Warning,
            format!(
                "allow `{}` and reading every type of resource in the stacks (`ted-controller iam-policy --with-optional` prints the first part), \
                 or take `deepDriftInterval` out of the document",
                gap.operation
            ),
        ),
        None => (
            Severity::Info,
            "nothing, unless one of these was changed by hand: look at it in its own service"
                .to_owned(),
        ),
    };
    finding(
        "info/resource-unchecked",
        severity,
        format!("CloudFormation's drift detection is not whole: {what}"),
    )
    .actual(actual)
    .read_from("CloudFormation drift detection")
    .remedy(remedy)
}

fn is_refusal(gap: &Gap) -> bool {
    gap.reason == "AccessDenied"
}

fn stacks(count: usize) -> String {
    if count == 1 { "1 stack".to_owned() } else { format!("{count} stacks") }
}

/// The first few of a list.
fn some(all: Vec<String>) -> String {
    let more = all.len().saturating_sub(MOST_NAMED);
    let mut text = all.into_iter().take(MOST_NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}
