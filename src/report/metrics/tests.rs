//! What Prometheus is told, whole: names, types, help and series are a contract. `docs/reference/metrics.md` is held against it too.

use super::*;
use crate::assess::testing::World;
use crate::desired::Name;
use crate::golden;
use crate::report::status::{EventsState, SourceFile};
use crate::report::{Look, Memory, Store};
use jiff::SignedDuration;
use std::fmt::Write as _;

fn at(seconds: i64) -> Timestamp {
    "2026-08-05T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn request(region: &str, outcome: &str) -> AwsRequest {
    AwsRequest {
        account: "111122223333".to_owned(),
        region: region.to_owned(),
        service: "cloudformation".to_owned(),
        operation: "DescribeStacks".to_owned(),
        outcome: outcome.to_owned(),
    }
}

/// A store of one TED that drifts and whose events are paused, after two passes, an update and three requests.
fn known() -> Store {
    let store = Store::new(Memory::default(), at(0));
    let world = World::migrating();
    store.put_document(&world.desired(), at(0));
    let assessment = world.assess();
    let paused = EventsState { paused: true, since: Some(at(-90)), ..EventsState::default() };
    let look = Look {
        observed_revision: None,
        attempted_revision: None,
        applied_revision: None,
        observed_at: at(0),
        next_look_at: None,
        handled_reconcile: None,
        assessment: &assessment,
        sides: &[],
        progress: None,
        events: Some(paused),
        history: Vec::new(),
        past: crate::assess::past::Past::default(),
    };
    let name: Name = "einstein".parse().unwrap();
    store.record(&name, &look, at(0));
    let file = |path: &str, valid| SourceFile {
        path: path.to_owned(),
        valid,
        summary: String::new(),
        problems: Vec::new(),
        last_good: Vec::new(),
    };
    store.set_source(SourceReport {
        source: "teds".to_owned(),
        revision: None,
        last_read_at: Some(at(-7)),
        problem: None,
        commit: None,
        files: vec![file("a.yaml", true), file("b.yaml", false)],
        notes: Vec::new(),
    });
    let metrics = store.metrics();
    metrics.pass(PassResult::Waiting, Duration::from_millis(300));
    metrics.pass(PassResult::Error, Duration::from_secs(3));
    metrics.update_finished(Duration::from_mins(21));
    metrics.step("Update", "accepted");
    metrics.step("Hold", "refused");
    metrics.notices("ops", NoticeOutcome::Delivered, 3);
    metrics.notices("ops", NoticeOutcome::Dropped, 0);
    metrics.aws_request(request("us-east-2", "Ok"));
    metrics.aws_request(request("us-east-2", "Ok"));
    metrics.aws_request(request("us-east-2", "Throttled"));
    store
}

/// The text with the series of each counter and gauge in order: the library keeps them in none. Buckets of histograms have one.
fn ordered(text: &str) -> String {
    let mut out = String::new();
    let mut series: Vec<&str> = Vec::new();
    let mut sorts = false;
    for line in text.lines() {
        if line.starts_with('#') {
            series.sort_unstable();
            series.drain(..).for_each(|line| out.extend([line, "\n"]));
            if line.starts_with("# TYPE") {
                sorts = !line.ends_with("histogram");
            }
            out.extend([line, "\n"]);
        } else if sorts {
            series.push(line);
        } else {
            out.extend([line, "\n"]);
        }
    }
    out
}

#[test]
fn the_whole_text_of_a_known_state() {
    let store = known();
    let text = store.metrics_text(at(30));
    golden::check("src/report/metrics/golden/known.txt", &ordered(&text));
    assert_eq!(ordered(&text), ordered(&store.metrics_text(at(30))), "asking changes nothing");
}

#[test]
fn a_daemon_that_has_just_started_has_its_counters_already() {
    let store = Store::new(Memory::default(), at(0));
    golden::check("src/report/metrics/golden/fresh.txt", &ordered(&store.metrics_text(at(5))));
}

#[test]
fn every_condition_has_three_series_and_one_of_them_is_one() {
    let text = known().metrics_text(at(30));
    for kind in CONDITION_TYPES {
        let mine: Vec<&str> = text
            .lines()
            .filter(|line| {
                line.starts_with("ted_controller_condition{")
                    && line.contains(&format!("type=\"{kind:?}\""))
            })
            .collect();
        assert_eq!(mine.len(), 3, "{kind:?}");
        assert_eq!(mine.iter().filter(|line| line.ends_with(" 1")).count(), 1, "{kind:?}");
    }
}

#[test]
fn findings_that_went_away_and_teds_that_are_gone_leave_no_series() {
    let store = known();
    assert!(store.metrics_text(at(30)).contains("code=\"drift/cache-engine\""));
    let name: Name = "einstein".parse().unwrap();
    store.forget(&name);
    let text = store.metrics_text(at(60));
    assert!(!text.contains("einstein"), "{text}");
    let passes = text.lines().filter(|line| line.starts_with("ted_controller_reconcile_total"));
    assert_eq!(passes.count(), PassResult::ALL.len(), "what was counted stays");
}

#[test]
fn requests_have_so_many_series_and_the_rest_is_counted_as_other() {
    let metrics = Metrics::default();
    for number in 0..MAX_REQUEST_SERIES + 500 {
        metrics.aws_request(request(&format!("region-{number}"), "Ok"));
    }
    metrics.aws_request(request("region-0", "Ok"));
    let present = Present {
        teds: &[],
        last_passes: &BTreeMap::new(),
        sources: &[],
        started_at: at(0),
        now: at(0),
    };
    let text = metrics.encode(&present);
    let series: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("ted_controller_aws_requests_total{"))
        .collect();
    assert_eq!(series.len(), MAX_REQUEST_SERIES + 1, "the last one is all others'");
    let other = series.iter().find(|line| line.contains("region=\"other\"")).unwrap();
    assert!(other.contains("account=\"other\"") && other.ends_with(" 500"), "{other}");
    let first = series.iter().find(|line| line.contains("region=\"region-0\"")).unwrap();
    assert!(first.ends_with(" 2"), "what is known is counted on: {first}");
}

#[test]
fn a_clock_that_was_set_back_makes_no_negative_age() {
    let text = known().metrics_text(at(-3600));
    for name in ["ted_controller_source_age_seconds 0.0", "seconds{name=\"einstein\"} 0.0"] {
        assert!(text.contains(name), "{name}: {text}");
    }
}

/// What each metric is good for: the last column of the reference. A metric without a row here fails the test below.
const GOOD_FOR: &[(&str, &str)] = &[
    (
        "ted_controller_reconcile",
        "`rate` of `error` above zero for long: AWS cannot be read, or refuses",
    ),
    (
        "ted_controller_reconcile_duration_seconds",
        "passes that get slower: throttling, or a network in trouble",
    ),
    (
        "ted_controller_condition",
        "alert on `{type=\"Stalled\",status=\"True\"}` and on `{type=\"Ready\",status=\"Unknown\"}`; `Ready` False for a day is worth a look",
    ),
    (
        "ted_controller_findings",
        "what is wrong, by `code`; `ted-controller explain CODE` says what to do",
    ),
    (
        "ted_controller_aws_requests",
        "cost and throttling: `outcome` is `Ok` or the reason of an error",
    ),
    (
        "ted_controller_events_paused_seconds",
        "alert well before the queues' retention: events are lost after it",
    ),
    ("ted_controller_update_duration_seconds", "how long the next maintenance window has to be"),
    (
        "ted_controller_steps",
        "what was asked of AWS, by `step`; `outcome` is `accepted`, `refused`, `unknown` or `passed-over`",
    ),
    (
        "ted_controller_audit_failures",
        "alert above zero: the disk of the state directory is full or read-only",
    ),
    (
        "ted_controller_notifications",
        "alert on `dropped` above zero, and on `failed` that grows while `delivered` does not: `outcome` is also `overtaken` for what was so no more before it could be told",
    ),
    (
        "ted_controller_last_pass_timestamp_seconds",
        "alert when `time()` minus it exceeds a few intervals",
    ),
    ("ted_controller_invalid_documents", "alert above zero: somebody's edit is not in force"),
    ("ted_controller_source_age_seconds", "alert when it exceeds a few polls: edits do not arrive"),
];

#[test]
fn the_reference_of_metrics_is_current() {
    let text = known().metrics_text(at(30));
    let mut doc = String::from(
        "# Metrics\n\nWhat `GET /metrics` tells, in OpenMetrics text. Names and labels are a contract. A TED that is gone takes its series with\n\
         it; requests beyond 10,000 series are counted with the account and region `other`.\n\
         This file is generated: `UPDATE_GOLDEN=1 cargo test --lib metrics`.\n\n\
         | metric | type | labels | tells | good for |\n|---|---|---|---|---|\n",
    );
    let mut help: BTreeMap<&str, &str> = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, told)) =
            line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' '))
        {
            help.insert(name, told);
        }
        let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        let shown = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
        let labels: Vec<&str> = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{shown}{{")))
            .and_then(|rest| rest.split('}').next())
            .into_iter()
            .flat_map(|labels| labels.split(','))
            .filter_map(|label| label.split('=').next())
            .collect();
        let labels = labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        let (_, good_for) = GOOD_FOR
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("GOOD_FOR has no row for {name}"));
        let told = help.get(name).copied().unwrap_or_default();
        let _ = writeln!(doc, "| `{shown}` | {kind} | {labels} | {told} | {good_for} |");
    }
    golden::check("docs/reference/metrics.md", &doc);
}
