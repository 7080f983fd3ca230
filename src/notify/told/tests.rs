use super::*;
use crate::assess::types::{ConditionStatus, ConditionType, Severity};
use crate::notify::notice::{of_controller, of_ted};
use crate::notify::testing::{at, finding, receiver, set, slack, ted, update};
use crate::report::{Freeze, Outcome, SourceReport, Ted};
use crate::settings::{NoticeKind, NoticeSeverity};

/// What is told of a TED as it is now, marked as delivered: reasons or codes.
fn tell(told: &mut Told, ted: &Ted, receiver: &ReceiverSettings) -> Vec<String> {
    let news = told.news("einstein", of_ted(ted), &Filter(receiver));
    for state in &news {
        told.mark("einstein", state);
    }
    let name = |state: &State| match &state.code {
        Some(code) => format!("{} {code}", state.reason),
        None => format!("{} {}", state.subject, state.reason),
    };
    news.iter().map(name).collect()
}

fn severe(severity: NoticeSeverity) -> ReceiverSettings {
    ReceiverSettings { severity, ..receiver(slack()) }
}

#[test]
fn what_is_as_it_should_be_at_first_sight_is_no_news_and_what_is_not_is() {
    let (everything, mut told) = (receiver(slack()), Told::default());
    let mut ted = ted();
    ted.status.history = vec![update("rec-1", Outcome::Succeeded)];
    assert_eq!(tell(&mut told, &ted, &everything), [""; 0]);
    let mut told = Told::default();
    ted.status.findings = vec![finding("sync/storage", Severity::Warning, 0)];
    set(&mut ted, ConditionType::Stalled, ConditionStatus::True, "NeedsApproval", "approve it");
    let news = tell(&mut told, &ted, &everything);
    assert_eq!(news, ["Stalled NeedsApproval", "Found sync/storage"]);
    assert_eq!(tell(&mut told, &ted, &everything), [""; 0], "once");
    let unseen = Ted { status: crate::report::Status::unseen(at(0)), ..ted };
    assert_eq!(of_ted(&unseen), [], "nobody has looked");
}

#[test]
fn a_message_that_changes_is_no_news_and_another_reason_to_call_a_person_is() {
    let (everything, mut told, mut ted) = (receiver(slack()), Told::default(), ted());
    set(&mut ted, ConditionType::Ready, ConditionStatus::False, "Differs", "one");
    assert_eq!(tell(&mut told, &ted, &everything), ["Ready Differs"]);
    set(&mut ted, ConditionType::Ready, ConditionStatus::False, "OutOfSync", "two");
    assert_eq!(tell(&mut told, &ted, &everything), [""; 0]);
    set(&mut ted, ConditionType::Stalled, ConditionStatus::True, "OneWay", "approve it");
    assert_eq!(tell(&mut told, &ted, &everything), ["Stalled OneWay"]);
    set(&mut ted, ConditionType::Stalled, ConditionStatus::True, "OneWay", "approve it, please");
    assert_eq!(tell(&mut told, &ted, &everything), [""; 0]);
    set(&mut ted, ConditionType::Stalled, ConditionStatus::True, "UpdateFailed", "look at it");
    assert_eq!(tell(&mut told, &ted, &everything), ["Stalled UpdateFailed"]);
}

#[test]
fn who_was_told_hears_the_end_and_nobody_else() {
    let (strict, mut told, mut ted) = (severe(NoticeSeverity::Warning), Told::default(), ted());
    assert_eq!(tell(&mut told, &ted, &strict), [""; 0]);
    // Somebody is at it: worth knowing, and no more.
    set(&mut ted, ConditionType::Ready, ConditionStatus::False, "Updating", "an update runs");
    set(&mut ted, ConditionType::Reconciling, ConditionStatus::True, "Updating", "an update runs");
    assert_eq!(tell(&mut told, &ted, &strict), [""; 0]);
    set(&mut ted, ConditionType::Ready, ConditionStatus::True, "AsWanted", "as wanted");
    assert_eq!(tell(&mut told, &ted, &strict), [""; 0], "it was not told of the beginning");
    // Nobody is at it.
    set(&mut ted, ConditionType::Reconciling, ConditionStatus::False, "Idle", "");
    set(&mut ted, ConditionType::Ready, ConditionStatus::False, "Differs", "it differs");
    ted.status.findings = vec![finding("drift/parameter", Severity::Warning, 1)];
    assert_eq!(tell(&mut told, &ted, &strict), ["Ready Differs", "Found drift/parameter"]);
    set(&mut ted, ConditionType::Ready, ConditionStatus::True, "AsWanted", "as wanted");
    ted.status.findings.clear();
    assert_eq!(tell(&mut told, &ted, &strict), ["Ready AsWanted", "Resolved drift/parameter"]);
    assert_eq!(tell(&mut told, &ted, &strict), [""; 0]);
}

#[test]
fn findings_of_one_code_are_one_and_a_further_one_is_news() {
    let (everything, mut told, mut ted) = (receiver(slack()), Told::default(), ted());
    let one = |since| finding("drift/parameter", Severity::Warning, since);
    ted.status.findings = vec![one(1), one(1), one(1), one(1)];
    let news = told.news("einstein", of_ted(&ted), &Filter(&everything));
    assert_eq!(news.len(), 1);
    assert!(news[0].message.ends_with("; and 1 more"), "{}", news[0].message);
    told.mark("einstein", &news[0]);
    ted.status.findings.push(one(5));
    assert_eq!(tell(&mut told, &ted, &everything), ["Found drift/parameter"]);
    ted.status.findings.truncate(2);
    assert_eq!(tell(&mut told, &ted, &everything), [""; 0], "fewer are no news");
    ted.status.findings.clear();
    assert_eq!(tell(&mut told, &ted, &everything), ["Resolved drift/parameter"]);
}

#[test]
fn what_gets_worse_is_told_again_and_what_gets_better_is_not() {
    let (everything, mut told, mut ted) = (receiver(slack()), Told::default(), ted());
    let mut after = |severity| {
        ted.status.findings = vec![finding("sync/events-left-paused", severity, 1)];
        tell(&mut told, &ted, &everything).len()
    };
    assert_eq!(after(Severity::Info), 1);
    assert_eq!(after(Severity::Critical), 1);
    assert_eq!(after(Severity::Warning), 0);
    assert_eq!(after(Severity::Critical), 0, "it was told that it may be that bad");
}

#[test]
fn of_a_failed_update_the_next_success_is_told_whatever_is_filtered() {
    let (strict, mut told, mut ted) = (severe(NoticeSeverity::Critical), Told::default(), ted());
    let mut after = |record: &str, outcome| {
        ted.status.history = vec![update(record, outcome)];
        tell(&mut told, &ted, &strict)
    };
    assert_eq!(after("rec-1", Outcome::Succeeded), [""; 0], "over when it was first seen");
    assert_eq!(after("rec-2", Outcome::InProgress), [""; 0]);
    assert_eq!(after("rec-2", Outcome::Succeeded), [""; 0]);
    assert_eq!(after("rec-3", Outcome::Failed), ["update UpdateFailed"]);
    assert_eq!(after("rec-4", Outcome::InProgress), [""; 0]);
    assert_eq!(after("rec-4", Outcome::Succeeded), ["update UpdateSucceeded"]);
    assert_eq!(after("rec-5", Outcome::Succeeded), [""; 0]);
}

#[test]
fn kinds_and_teds_choose() {
    let mut ted = ted();
    set(&mut ted, ConditionType::Ready, ConditionStatus::False, "Differs", "it differs");
    ted.status.findings = ["drift/parameter", "sync/storage", "info/newer-version"]
        .map(|code| finding(code, Severity::Info, 0))
        .into();
    let only = |kinds: &[NoticeKind]| {
        let receiver = ReceiverSettings { kinds: kinds.to_vec(), ..receiver(slack()) };
        tell(&mut Told::default(), &ted, &receiver)
    };
    assert_eq!(only(&[NoticeKind::Sync]), ["Found sync/storage"]);
    assert_eq!(
        only(&[NoticeKind::Ready, NoticeKind::Info]),
        ["Ready Differs", "Found info/newer-version"]
    );
    let some = ReceiverSettings { teds: vec!["curie".parse().unwrap()], ..receiver(slack()) };
    let filter = Filter(&some);
    assert!(filter.knows("curie") && !filter.knows("einstein") && !filter.knows(""));
}

#[test]
fn sources_and_a_freeze_are_told_of_and_their_end_too() {
    let everything = receiver(slack());
    let mut told = Told::default();
    let mut after = |source: &SourceReport, frozen: bool| -> Vec<String> {
        let freeze = Freeze { frozen, ..Freeze::default() };
        let states = of_controller(std::slice::from_ref(source), &freeze);
        let news = told.news("", states, &Filter(&everything));
        for state in &news {
            told.mark("", state);
        }
        news.into_iter().map(|state| state.reason).collect()
    };
    let unread = SourceReport::unread("teds");
    assert_eq!(after(&unread, false), [""; 0]);
    let gone = SourceReport { problem: Some("it is gone".to_owned()), ..unread.clone() };
    assert_eq!(after(&gone, true), ["SourceUnreadable", "Frozen"]);
    let read = SourceReport { last_read_at: Some(at(0)), ..unread };
    assert_eq!(after(&read, false), ["SourceRead", "Thawed"]);
    assert_eq!(after(&read, false), [""; 0]);
}

#[test]
fn what_was_told_outlives_a_restart_and_a_ted_that_is_gone_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notified-ops.json");
    assert_eq!(Told::load(&path), Told::default());
    let (everything, mut told, mut ted) = (receiver(slack()), Told::default(), ted());
    set(&mut ted, ConditionType::Ready, ConditionStatus::False, "Differs", "it differs");
    tell(&mut told, &ted, &everything);
    told.take_changed().unwrap().save(&path).unwrap();
    assert!(told.take_changed().is_none(), "nothing new to write");
    let mut again = Told::load(&path);
    assert_eq!(tell(&mut again, &ted, &everything), [""; 0]);
    again.keep(|name| name != "einstein");
    assert_eq!(tell(&mut again, &ted, &everything), ["Ready Differs"]);
    std::fs::write(&path, "{").unwrap();
    assert_eq!(Told::load(&path), Told::default(), "comfort, not truth");
}
