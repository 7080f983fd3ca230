//! The shared state, as the controller writes it and everybody else reads it.

use super::*;
use crate::assess::testing::{World, there};
use crate::assess::types::{ConditionStatus, ConditionType, Phase};
use crate::report::events::{EventKind, MAX_EVENTS};
use crate::report::status::Outcome;
use jiff::SignedDuration;
use std::sync::LazyLock;
use tokio::sync::broadcast::error::TryRecvError;

/// Noon, and a quarter of a second that nothing may remember.
fn at(seconds: i64) -> Timestamp {
    "2026-08-05T12:00:00.25Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn whole(seconds: i64) -> Timestamp {
    whole_second(at(seconds))
}

fn name() -> Name {
    "einstein".parse().unwrap()
}

/// A revision that all looks here judge by.
fn revision() -> &'static Revision {
    static REVISION: LazyLock<Revision> =
        LazyLock::new(|| Revision::of_commit("main", "0123").by("Ada", "Move to Valkey"));
    &REVISION
}

fn look(assessment: &Assessment, seconds: i64) -> Look<'_> {
    Look {
        observed_revision: Some(revision()),
        attempted_revision: None,
        applied_revision: None,
        observed_at: at(seconds),
        next_look_at: Some(at(seconds + 120)),
        handled_reconcile: None,
        assessment,
        sides: &[],
        progress: None,
        events: None,
        history: Vec::new(),
        past: crate::assess::past::Past::default(),
    }
}

fn unreadable(needs_person: bool) -> Unreadable {
    Unreadable {
        reason: "AccessDenied".to_owned(),
        message: "not authorized".to_owned(),
        needs_person,
        interval: Duration::from_mins(2),
        next_look_at: Some(at(30)),
        handled_reconcile: None,
    }
}

/// A store that knows the document of a TED that is as wanted.
fn store() -> (Store, Assessment) {
    let store = Store::new(Memory::default(), at(0));
    let world = World::staying();
    store.put_document(&world.desired(), at(0));
    (store, world.assess())
}

fn read(seconds: i64) -> SourceReport {
    SourceReport {
        source: "teds".to_owned(),
        revision: Some("sha256:0123".to_owned()),
        last_read_at: Some(at(seconds)),
        problem: None,
        commit: None,
        files: Vec::new(),
        notes: Vec::new(),
    }
}

fn ready(store: &Store) -> (ConditionStatus, Timestamp) {
    let ted = store.ted("einstein").unwrap();
    let ready = ted.status.condition(ConditionType::Ready).unwrap();
    (ready.status, ready.last_transition_time)
}

fn changes(receiver: &mut broadcast::Receiver<Change>) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        told.push(match receiver.try_recv() {
            Ok(Change::Ted(ted)) => format!("ted {}", ted.metadata.name),
            Ok(Change::Gone(name)) => format!("gone {name}"),
            Ok(Change::Happened { name, event }) => format!("{name}: {}", event.reason),
            Ok(Change::Sources) => "sources".to_owned(),
            Ok(Change::Freeze(freeze)) => format!("frozen {}", freeze.frozen),
            Err(TryRecvError::Lagged(_)) => "lagged".to_owned(),
            Err(TryRecvError::Empty | TryRecvError::Closed) => return told,
        });
    }
}

#[test]
fn a_document_makes_a_ted_and_the_same_again_tells_nobody() {
    let store = Store::new(Memory::default(), at(0));
    let mut told = store.subscribe();
    let world = World::staying();
    store.put_document(&world.desired(), at(0));
    assert_eq!(ready(&store), (ConditionStatus::Unknown, whole(0)));
    store.put_document(&world.desired(), at(5));
    assert_eq!(changes(&mut told), ["ted einstein"]);

    store.record(&name(), &look(&world.assess(), 10), at(10));
    let _ = changes(&mut told);
    let other = world.edit("  policy:", "  parameters: {MaxConnections: 800}\n  policy:");
    store.put_document(&other.desired(), at(20));
    assert_eq!(changes(&mut told), ["ted einstein"]);
    let ted = store.ted("einstein").unwrap();
    assert_eq!(ted.spec["parameters"]["MaxConnections"], "800");
    assert_eq!(ready(&store).0, ConditionStatus::True, "the verdict stays until the next look");
}

#[test]
fn a_look_is_recorded_and_told_in_order() {
    let (store, assessment) = store();
    let mut told = store.subscribe();
    store.record(&name(), &look(&assessment, 9), at(10));
    let ted = store.ted("einstein").unwrap();
    assert_eq!(ted.status.observed_at, Some(whole(9)), "AWS's time, in whole seconds");
    assert_eq!(ted.status.next_look_at, Some(whole(129)));
    assert_eq!(ted.status.observed_revision.as_deref(), Some("main@sha1:0123"));
    assert_eq!(ted.status.phase, Some(Phase::Steady));
    assert_eq!(ready(&store), (ConditionStatus::True, whole(10)), "our time of the transition");
    let told = changes(&mut told);
    assert_eq!(told[..2], ["ted einstein", "einstein: InSync"], "the state first, then the news");
    let reasons: Vec<String> =
        store.events("einstein").unwrap().into_iter().map(|event| event.reason).collect();
    assert_eq!(reasons, ["Found", "InSync"], "newest first");
    assert!(store.events("newton").is_none() && store.ted("newton").is_none());
}

#[test]
fn the_next_look_keeps_the_times_of_what_stayed() {
    let (store, assessment) = store();
    store.record(&name(), &look(&assessment, 0), at(0));
    store.record(&name(), &look(&assessment, 120), at(120));
    assert_eq!(ready(&store), (ConditionStatus::True, whole(0)));
    let drifted = World::migrating().assess();
    store.record(&name(), &look(&drifted, 240), at(240));
    assert_eq!(ready(&store), (ConditionStatus::False, whole(240)));
    let since = |code: &str| {
        let ted = store.ted("einstein").unwrap();
        ted.status.findings.iter().find(|finding| finding.code == code).unwrap().since
    };
    assert_eq!(since("drift/cache-engine"), Some(whole(240)));
    store.record(&name(), &look(&drifted, 360), at(360));
    assert_eq!(since("drift/cache-engine"), Some(whole(240)));
}

#[test]
fn a_look_that_came_to_nothing_keeps_the_verdict_for_three_intervals() {
    let (store, assessment) = store();
    store.record(&name(), &look(&assessment, 0), at(0));
    for seconds in [120, 240, 359] {
        store.record_unreadable(&name(), &unreadable(true), at(seconds));
        assert_eq!(ready(&store), (ConditionStatus::True, whole(0)), "after {seconds} s");
    }
    let ted = store.ted("einstein").unwrap();
    let trouble = ted.status.trouble.as_ref().unwrap();
    assert_eq!((trouble.reason.as_str(), trouble.since), ("AccessDenied", whole(120)));
    assert_eq!(ted.status.observed_at, Some(whole(0)), "of the last look that came to something");

    store.record_unreadable(&name(), &unreadable(true), at(480));
    assert_eq!(ready(&store), (ConditionStatus::Unknown, whole(480)));
    let stalled = store.ted("einstein").unwrap();
    let stalled = stalled.status.condition(ConditionType::Stalled).unwrap();
    assert_eq!(stalled.status, ConditionStatus::True, "a person is needed now");

    store.record(&name(), &look(&assessment, 600), at(600));
    assert_eq!(ready(&store), (ConditionStatus::True, whole(600)));
    assert!(store.ted("einstein").unwrap().status.trouble.is_none());
}

#[test]
fn what_a_former_process_knew_survives_a_restart_and_a_bad_start() {
    let (store, _) = store();
    let drifted = World::migrating().assess();
    let handled = Look { handled_reconcile: Some("now-1".to_owned()), ..look(&drifted, 0) };
    store.record(&name(), &handled, at(0));
    store.set_freeze(true, Some("audit week"), at(0));
    let (_, memory) = store.memory_since(None).unwrap();

    let later = Store::new(memory, at(3600));
    let world = World::migrating();
    later.put_document(&world.desired(), at(3600));
    let ted = later.ted("einstein").unwrap();
    assert_eq!(ready(&later), (ConditionStatus::Unknown, whole(3600)), "not shown before a look");
    assert_eq!(ted.status.last_handled_reconcile.as_deref(), Some("now-1"));
    assert!(later.freeze().frozen, "a freeze outlives the process");

    later.record_unreadable(&name(), &unreadable(false), at(3610));
    assert_eq!(ready(&later).0, ConditionStatus::Unknown);
    later.record(&name(), &look(&drifted, 3620), at(3620));
    assert_eq!(ready(&later), (ConditionStatus::False, whole(0)), "since before the restart");
    let ted = later.ted("einstein").unwrap();
    let drift = ted.status.findings.iter().find(|f| f.code == "drift/cache-engine").unwrap();
    assert_eq!(drift.since, Some(whole(0)));
    assert_eq!(ted.status.last_handled_reconcile.as_deref(), Some("now-1"));
}

#[test]
fn memory_is_only_asked_for_when_it_may_differ() {
    let (store, assessment) = store();
    let (first, empty) = store.memory_since(None).unwrap();
    assert!(store.memory_since(Some(first)).is_none(), "nothing happened");
    assert_eq!(empty.teds.keys().collect::<Vec<_>>(), ["einstein"]);
    store.set_source(read(0));
    store.idle(at(1));
    assert!(store.memory_since(Some(first)).is_none(), "nothing that is remembered");
    store.record(&name(), &look(&assessment, 2), at(2));
    let (second, memory) = store.memory_since(Some(first)).unwrap();
    assert_eq!(memory.teds["einstein"].conditions.len(), 6);
    store.set_freeze(true, None, at(3));
    let (third, _) = store.memory_since(Some(second)).unwrap();
    store.forget(&name());
    let (_, memory) = store.memory_since(Some(third)).unwrap();
    assert!(memory.teds.is_empty(), "what is forgotten is not remembered");
}

#[test]
fn those_that_have_not_turned_up_yet_are_remembered_until_the_source_was_read() {
    let (store, assessment) = store();
    store.record(&name(), &look(&assessment, 0), at(0));
    let (_, memory) = store.memory_since(None).unwrap();
    let slow = Store::new(memory, at(60));
    let (_, kept) = slow.memory_since(None).unwrap();
    assert!(kept.teds.contains_key("einstein"), "the source may still say it");
    slow.set_source(read(60));
    let (_, kept) = slow.memory_since(None).unwrap();
    assert!(kept.teds.is_empty(), "it did not");
}

#[test]
fn a_ted_that_is_gone_takes_everything_with_it() {
    let (store, assessment) = store();
    store.record(&name(), &look(&assessment, 0), at(0));
    assert!(store.metrics_text(at(0)).contains("einstein"));
    let mut told = store.subscribe();
    store.forget(&name());
    store.forget(&name());
    assert_eq!(changes(&mut told), ["gone einstein"], "once");
    // A pass that was under way meanwhile ends, and something happens to it.
    store.record(&name(), &look(&assessment, 5), at(5));
    store.record_unreadable(&name(), &unreadable(false), at(5));
    store.happened(&name(), Event::new(at(5), EventKind::Normal, "Sent", "an update"));
    assert_eq!(changes(&mut told), [""; 0]);
    assert!(store.ted("einstein").is_none() && store.list().items.is_empty());
    assert!(!store.metrics_text(at(5)).contains("einstein"), "no series is left");
}

#[test]
fn everything_in_it_is_bounded() {
    let (store, assessment) = store();
    let mut assessment = assessment;
    let gate = assessment.gates[0].clone();
    assessment.gates = std::iter::repeat_n(gate, 2000).collect();
    assessment.notes = vec!["x".repeat(100_000)];
    let history = History {
        at: at(0),
        revision: None,
        commit: None,
        summary: None,
        by: None,
        record_id: None,
        outcome: Outcome::Succeeded,
        seconds: Some(1200),
    };
    let look = Look { history: vec![history; 50], ..look(&assessment, 0) };
    store.record(&name(), &look, at(0));
    let ted = store.ted("einstein").unwrap();
    assert_eq!((ted.status.gates.len(), ted.status.history.len()), (500, MAX_HISTORY));
    assert!(ted.status.notes[0].chars().count() <= crate::text::MAX_MESSAGE_CHARS + 1);
    for number in 0..500 {
        let event = Event::new(at(number), EventKind::Normal, "Sent", format!("update {number}"));
        store.happened(&name(), event);
    }
    let events = store.events("einstein").unwrap();
    assert_eq!((events.len(), events[0].message.as_str()), (MAX_EVENTS, "update 499"));
}

#[test]
fn who_is_too_slow_is_told_to_read_everything_again() {
    let (store, _) = store();
    let mut slow = store.subscribe();
    for number in 0..300 {
        let event = Event::new(at(number), EventKind::Normal, "Sent", format!("update {number}"));
        store.happened(&name(), event);
    }
    let told = changes(&mut slow);
    assert_eq!(told[0], "lagged");
    assert_eq!(told.len(), MAX_BEHIND + 1, "and gets what is left");
}

#[test]
fn the_daemon_is_healthy_while_passes_end() {
    let store = Store::new(Memory::default(), at(0));
    let limit = Duration::from_mins(2);
    let health = |seconds| store.health(at(seconds), limit);
    assert_eq!((health(120).healthy, health(121).healthy), (true, false), "none since the start");
    assert_eq!(health(121).last_pass_at, None);
    store.idle(at(121));
    assert_eq!((health(200).healthy, health(200).last_pass_age_seconds), (true, 79));
    store.idle(at(60));
    assert_eq!(health(200).last_pass_at, Some(whole(121)), "an older one changes nothing");
    assert!(health(-5).healthy, "a clock that was set back is no failure");
    assert!(!health(242).healthy);
}

#[test]
fn ready_means_that_everything_was_looked_at_once_and_stays_so() {
    let (store, assessment) = store();
    assert!(!store.is_ready());
    store.record(&name(), &look(&assessment, 0), at(0));
    assert!(!store.is_ready(), "the source has not been read");
    store.set_source(unreadable_source("no such folder"));
    assert!(!store.is_ready(), "nor has it now");
    let other = SourceReport { source: "more".to_owned(), ..read(1) };
    store.set_source(other);
    assert!(!store.is_ready(), "one of two is not all");
    store.set_source(read(1));
    assert!(store.is_ready());
    let other = World::staying().edit("name: einstein", "name: newton");
    store.put_document(&other.desired(), at(2));
    assert!(store.is_ready(), "one more TED takes nothing back");
    store.drain();
    assert!(!store.is_ready(), "what is about to end is not asked any more");

    let blind = Store::new(Memory::default(), at(0));
    blind.put_document(&World::staying().desired(), at(0));
    blind.set_source(read(0));
    assert!(!blind.is_ready());
    blind.record_unreadable(&name(), &unreadable(true), at(1));
    assert!(blind.is_ready(), "a look is a look, whatever it came to");
}

#[test]
fn a_freeze_says_since_when_and_why() {
    let (store, _) = store();
    let mut told = store.subscribe();
    let frozen = store.set_freeze(true, Some("audit\nweek"), at(0));
    assert_eq!(frozen.reason.as_deref(), Some("audit week"), "one line");
    let again = store.set_freeze(true, Some("still audit week"), at(60));
    assert_eq!((again.since, again.reason.as_deref()), (Some(whole(0)), Some("still audit week")));
    let thawed = store.set_freeze(false, Some("over"), at(120));
    assert_eq!(thawed, Freeze::default());
    assert_eq!(changes(&mut told), ["frozen true", "frozen true", "frozen false"]);
    assert_eq!(store.list().freeze, Freeze::default());
}

#[test]
fn a_freeze_of_the_settings_shows_and_is_not_kept() {
    let (store, _) = store();
    let mut told = store.subscribe();
    assert!(store.set_frozen_by_settings(Some("audit\nweek")));
    assert!(!store.set_frozen_by_settings(Some("audit\nweek")), "it is known");
    assert_eq!(store.freeze().reason.as_deref(), Some("audit week"));
    let (_, memory) = store.memory_since(None).unwrap();
    assert_eq!(memory.freeze, Freeze::default(), "the next process reads its own settings");
    store.set_freeze(true, Some("by hand"), at(0));
    assert_eq!(store.freeze().reason.as_deref(), Some("by hand"));
    assert!(store.set_freeze(false, None, at(1)).frozen, "the settings still say so");
    assert!(store.set_frozen_by_settings(None));
    assert_eq!(store.freeze(), Freeze::default());
    assert_eq!(changes(&mut told).last().map(String::as_str), Some("frozen false"));
}

/// A source that was never read.
fn unreadable_source(problem: &str) -> SourceReport {
    SourceReport { problem: Some(problem.to_owned()), ..SourceReport::unread("teds") }
}

#[test]
fn sources_are_told_of_each_by_itself_and_only_when_there_is_news() {
    let (store, _) = store();
    assert!(store.sources().is_empty());
    let mut told = store.subscribe();
    store.set_source(unreadable_source("no such folder"));
    let other = SourceReport { source: "more".to_owned(), ..read(5) };
    store.set_source(other.clone());
    store.set_source(read(10));
    assert_eq!(store.sources(), [read(10), other], "in the order in which they came");
    assert_eq!(changes(&mut told), ["sources", "sources", "sources"]);
    store.set_source(read(40));
    assert_eq!(changes(&mut told), [""; 0], "read again, and nothing new");
    assert_eq!(store.sources()[0].last_read_at, Some(at(40)));
}

#[test]
fn another_revision_of_the_same_document_has_the_same_verdict() {
    let (store, assessment) = store();
    store.carry_revision(&name(), &Revision::of_commit("main", "0001"));
    assert_eq!(store.ted("einstein").unwrap().status.observed_revision, None, "nothing is known");
    let look = Look { applied_revision: Some(revision().to_string()), ..look(&assessment, 0) };
    store.record(&name(), &look, at(0));
    let before = store.ted("einstein").unwrap().status.clone();
    assert_eq!(before.observed_commit.map(|it| it.subject).as_deref(), Some("Move to Valkey"));
    store.carry_revision(&name(), &Revision::of_commit("main", "4567").by("Grace", "A remark"));
    let status = store.ted("einstein").unwrap().status.clone();
    assert_eq!(status.observed_revision.as_deref(), Some("main@sha1:4567"));
    assert_eq!(status.applied_revision.as_deref(), Some("main@sha1:4567"));
    assert_eq!(status.observed_commit.map(|it| it.author).as_deref(), Some("Grace"));
    assert_eq!(status.observed_at, Some(whole(0)), "nobody looked");
}

#[test]
fn every_request_is_answered_once_the_newest_last() {
    let (store, assessment) = store();
    let mut told = store.subscribe();
    let first = Look { handled_reconcile: Some("one".to_owned()), ..look(&assessment, 0) };
    store.record(&name(), &first, at(0));
    store.handled(&name(), "two");
    let mut tokens = Vec::new();
    while let Ok(change) = told.try_recv() {
        if let Change::Ted(ted) = change {
            tokens.extend(ted.status.last_handled_reconcile.clone());
        }
    }
    assert_eq!(tokens, ["one", "two"]);
    let (_, memory) = store.memory_since(None).unwrap();
    assert_eq!(memory.teds["einstein"].last_handled_reconcile.as_deref(), Some("two"));
}

#[test]
fn what_aws_relays_is_safe_to_show() {
    let (store, _) = store();
    let hostile = "\u{1b}]0;title\u{7}a\nb\u{202e}";
    let assessment = World::staying()
        .with(|world| {
            let product = &mut there(&mut world.observation.products)[0];
            product.status = "TAINTED".into();
            product.status_message = Some(hostile.into());
        })
        .assess();
    let progress = Progress { current: Some(hostile.to_owned()), ..Progress::default() };
    store.record(&name(), &Look { progress: Some(progress), ..look(&assessment, 0) }, at(0));
    let told =
        Unreadable { reason: hostile.to_owned(), message: hostile.to_owned(), ..unreadable(false) };
    store.record_unreadable(&name(), &told, at(1));
    let ted = store.ted("einstein").unwrap();
    let text = serde_json::to_string(&(&*ted, store.events("einstein"))).unwrap();
    assert!(
        !text.contains("\\u001b") && !text.contains('\u{202e}') && !text.contains("a\\nb"),
        "{text}"
    );
    assert!(text.contains("a b"));
}
