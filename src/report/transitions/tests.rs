//! Since when something is so, and what is told of it.

use super::*;
use crate::assess::types::{ConditionStatus::*, ConditionType::*, Phase};
use proptest::prelude::*;

/// Noon, and a half second that nothing may remember.
const NOON: &str = "2026-08-05T12:00:00.5Z";

fn at(seconds: i64) -> Timestamp {
    NOON.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn whole(seconds: i64) -> Timestamp {
    whole_second(at(seconds))
}

fn condition(kind: ConditionType, status: ConditionStatus, reason: &str) -> Condition {
    Condition { kind, status, reason: reason.to_owned(), message: format!("because of {reason}") }
}

fn finding(code: &str, read_from: &str) -> Finding {
    Finding {
        code: code.to_owned(),
        severity: Severity::Warning,
        message: format!("{code} at {read_from}"),
        desired: None,
        actual: None,
        read_from: read_from.to_owned(),
        since: None,
        remedy: "mend it".to_owned(),
        guide: None,
    }
}

#[test]
fn a_condition_keeps_its_time_until_its_status_flips() {
    let before = carry_conditions(&[], &[condition(Ready, False, "Drifted")], at(0));
    assert_eq!(before[0].last_transition_time, whole(0), "the first time is now, in whole seconds");
    for (why, now, expected) in [
        ("the same", condition(Ready, False, "Drifted"), 0),
        ("another reason", condition(Ready, False, "OutOfSync"), 0),
        ("it flips", condition(Ready, True, "InSync"), 60),
        ("nobody knows any more", condition(Ready, Unknown, "Unreadable"), 60),
        ("another type has a time of its own", condition(Stalled, False, "NobodyNeeded"), 60),
    ] {
        let after = carry_conditions(&before, std::slice::from_ref(&now), at(60));
        assert_eq!(after[0].last_transition_time, whole(expected), "{why}");
        assert_eq!(after[0].condition(), now, "{why}: what is said is what is so now");
    }
}

/// Codes, with where each was read.
type Codes = &'static [(&'static str, &'static str)];

#[test]
fn a_finding_carries_since_when_it_is_known() {
    let found = |codes: &[(&str, &str)]| -> Vec<Finding> {
        codes.iter().map(|(code, place)| finding(code, place)).collect()
    };
    let rows: [(&str, Codes, Codes, &[i64]); 7] = [
        ("new", &[], &[("sync/storage", "RDS")], &[60]),
        ("as before", &[("sync/storage", "RDS")], &[("sync/storage", "RDS")], &[0]),
        (
            "the only one of its code, read from another record",
            &[("sync/version-mismatch", "record 1")],
            &[("sync/version-mismatch", "record 2")],
            &[0],
        ),
        (
            "one more of its code: places tell them apart",
            &[("drift/parameter", "a")],
            &[("drift/parameter", "a"), ("drift/parameter", "b")],
            &[0, 60],
        ),
        (
            "two of one code before: the one with another place is new",
            &[("drift/parameter", "a"), ("drift/parameter", "b")],
            &[("drift/parameter", "c")],
            &[60],
        ),
        ("another code", &[("sync/storage", "RDS")], &[("sync/cache-engine", "RDS")], &[60]),
        ("gone", &[("sync/storage", "RDS")], &[], &[]),
    ];
    for (why, before, now, expected) in rows {
        let before = carry_findings(&[], &found(before), at(0));
        let after = carry_findings(&before, &found(now), at(60));
        let since: Vec<_> = after.iter().map(|finding| finding.since).collect();
        let expected: Vec<_> = expected.iter().map(|seconds| Some(whole(*seconds))).collect();
        assert_eq!(since, expected, "{why}");
    }
}

#[test]
fn a_finding_that_went_away_and_came_back_is_a_new_one() {
    let found = [finding("sync/storage", "RDS")];
    let first = carry_findings(&[], &found, at(0));
    let gone = carry_findings(&first, &[], at(60));
    let back = carry_findings(&gone, &found, at(120));
    assert_eq!(back[0].since, Some(whole(120)));
}

#[test]
fn what_the_assessment_knows_better_stays() {
    let held = Finding { since: Some(at(-3600)), ..finding("sync/events-left-paused", "Lambda") };
    let first = carry_findings(&[], std::slice::from_ref(&held), at(0));
    assert_eq!(first[0].since, Some(whole(-3600)));
}

#[test]
fn a_verdict_is_stale_after_three_intervals() {
    let interval = Duration::from_mins(2);
    for (why, looked, expected) in [
        ("just now", Some(0), false),
        ("after two intervals", Some(-240), false),
        ("after exactly three", Some(-360), false),
        ("a second later", Some(-361), true),
        ("never", None, true),
        ("the clock went back", Some(60), false),
    ] {
        assert_eq!(is_stale(looked.map(at), at(0), interval), expected, "{why}");
    }
    assert!(!is_stale(Some(at(-1)), at(0), Duration::MAX), "an interval without end");
}

/// A TED that is as wanted.
fn settled() -> Vec<Condition> {
    vec![
        condition(Ready, True, "InSync"),
        condition(Reconciling, False, "NothingToDo"),
        condition(Stalled, False, "NobodyNeeded"),
        condition(Drifted, False, "NoFindings"),
        condition(OutOfSync, False, "NoFindings"),
        condition(EventsPaused, False, "EventsRun"),
    ]
}

fn unreadable(verdict: &[Condition], looked: Option<i64>, needs_person: bool) -> Vec<Condition> {
    conditions_while_unreadable(
        verdict,
        looked.map(at),
        at(0),
        Duration::from_mins(2),
        ("AccessDenied", "not authorized"),
        needs_person,
    )
}

fn status_of(conditions: &[Condition], kind: ConditionType) -> (ConditionStatus, &str) {
    let found = conditions.iter().find(|condition| condition.kind == kind).unwrap();
    (found.status, &found.reason)
}

#[test]
fn a_verdict_outlives_a_few_failed_looks_and_then_is_no_more() {
    let fresh = unreadable(&settled(), Some(-120), false);
    assert_eq!(status_of(&fresh, Ready), (True, "InSync"));
    assert_eq!(
        fresh[0].message,
        "because of InSync (last looked at with success 2m ago: not authorized)"
    );
    assert_eq!(fresh[1..], settled()[1..], "all else stays as it was");

    let stale = unreadable(&settled(), Some(-361), false);
    assert_eq!(status_of(&stale, Ready), (Unknown, "AccessDenied"));
    assert_eq!(stale[0].message, "not authorized; last looked at with success 6m 1s ago");
    assert_eq!(status_of(&stale, Reconciling), (Unknown, "AccessDenied"));
    assert_eq!(status_of(&stale, Stalled), (False, "NobodyNeeded"), "time may heal it");
    assert_eq!(stale[3..], settled()[3..], "findings are told as they were last seen");

    let never = unreadable(&settled(), None, false);
    assert_eq!(never[0].message, "not authorized; never looked at with success");
}

#[test]
fn a_person_is_needed_once_the_verdict_is_stale_and_not_before() {
    let fresh = unreadable(&settled(), Some(-120), true);
    assert_eq!(status_of(&fresh, Stalled), (False, "NobodyNeeded"));
    assert_eq!(status_of(&fresh, Ready), (True, "InSync"), "never ready and stalled");
    let stale = unreadable(&settled(), Some(-361), true);
    assert_eq!(status_of(&stale, Stalled), (True, "AccessDenied"));
    assert_eq!(status_of(&stale, Ready).0, Unknown);
}

fn status() -> impl Strategy<Value = ConditionStatus> {
    prop_oneof![Just(True), Just(False), Just(Unknown)]
}

proptest! {
    /// Whatever a verdict said, its three readings never contradict each other while it cannot be renewed.
    #[test]
    fn what_cannot_be_read_is_never_ready_and_stalled(
        ready in status(),
        reconciling in status(),
        stalled in status(),
        looked in proptest::option::of(-2000_i64..10),
        needs_person in any::<bool>(),
    ) {
        // A verdict itself never contradicts itself: the rules of `assess` say so.
        prop_assume!(!(stalled == True && (ready == True || reconciling == True)));
        let verdict = [
            condition(Ready, ready, "A"),
            condition(Reconciling, reconciling, "B"),
            condition(Stalled, stalled, "C"),
        ];
        let told = unreadable(&verdict, looked, needs_person);
        let is = |kind| status_of(&told, kind).0 == True;
        prop_assert!(!(is(Ready) && is(Stalled)), "{told:?}");
        prop_assert!(!(is(Reconciling) && is(Stalled)), "{told:?}");
        prop_assert!(!is(Ready) || looked.is_some_and(|looked| looked >= -360), "ready is no claim about the past");
        prop_assert_eq!(told.len(), verdict.len());
    }
}

fn told(before: &Status, after: &Status) -> Vec<(EventKind, String, String)> {
    happenings(before, after, at(0))
        .into_iter()
        .map(|event| (event.kind, event.reason, event.message))
        .collect()
}

fn with(conditions: &[Condition], findings: &[Finding], phase: Option<Phase>) -> Status {
    Status {
        conditions: carry_conditions(&[], conditions, at(0)),
        findings: carry_findings(&[], findings, at(0)),
        phase,
        ..Status::unseen(at(0))
    }
}

#[test]
fn the_first_look_tells_whether_it_is_ready_and_what_is_wrong() {
    let quiet = told(&Status::unseen(at(0)), &with(&settled(), &[], Some(Phase::Steady)));
    let expected =
        (EventKind::Normal, "InSync".to_owned(), "Ready is True: because of InSync".to_owned());
    assert_eq!(quiet, [expected], "what is as usual is no news");

    let mut wrong = settled();
    wrong[0] = condition(Ready, False, "Drifted");
    wrong[3] = condition(Drifted, True, "Findings");
    let found = [finding("drift/cache-engine", "nodes")];
    let told = told(&Status::unseen(at(0)), &with(&wrong, &found, Some(Phase::Blocked)));
    let reasons: Vec<_> = told.iter().map(|(kind, reason, _)| (*kind, reason.as_str())).collect();
    assert_eq!(
        reasons,
        [
            (EventKind::Warning, "Drifted"),
            (EventKind::Warning, "Findings"),
            (EventKind::Warning, "Found"),
        ]
    );
}

#[test]
fn what_changes_is_told_and_what_stays_is_not() {
    let before = with(&settled(), &[finding("sync/storage", "RDS")], Some(Phase::Steady));
    assert_eq!(told(&before, &before.clone()), [], "nothing changed");

    let mut other_words = before.clone();
    other_words.conditions[0].message = "in other words".to_owned();
    assert_eq!(told(&before, &other_words), [], "a message is no event");

    let mut conditions = settled();
    conditions[0] = condition(Ready, False, "UnderChange");
    conditions[1] = condition(Reconciling, True, "Updating");
    conditions[5] = condition(EventsPaused, True, "Held");
    let moving = with(&conditions, &[], Some(Phase::Updating));
    assert_eq!(
        told(&before, &moving),
        [
            (EventKind::Warning, "UnderChange", "Ready is False: because of UnderChange"),
            (EventKind::Normal, "Updating", "Reconciling is True: because of Updating"),
            (EventKind::Normal, "Held", "EventsPaused is True: because of Held"),
            (EventKind::Normal, "Resolved", "sync/storage: no longer found"),
            (EventKind::Normal, "PhaseChanged", "Steady → Updating"),
        ]
        .map(|(kind, reason, message)| (kind, reason.to_owned(), message.to_owned()))
    );
}

#[test]
fn from_known_to_unknown_is_news() {
    let mut conditions = settled();
    conditions[4] = condition(OutOfSync, Unknown, "Unreadable");
    let told = told(&with(&settled(), &[], None), &with(&conditions, &[], None));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].1, "Unreadable");
}

#[test]
fn a_finding_that_came_back_is_told_again() {
    let before = with(&[], &[finding("sync/storage", "RDS")], None);
    let mut back = before.clone();
    back.findings[0].since = Some(whole(600));
    let told = told(&before, &back);
    let reasons: Vec<&str> = told.iter().map(|(_, reason, _)| reason.as_str()).collect();
    assert_eq!(reasons, ["Found", "Resolved"]);
}
