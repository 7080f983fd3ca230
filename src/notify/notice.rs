//! What there is to say about one TED, and about what concerns none alone. Pure: the store's state comes in.
//!
//! Each thing that can be so or otherwise is a subject, and its state has a key: another key is news. Messages change from look to look
//! and are no news.

use crate::assess::types::{ConditionStatus, ConditionType, Finding, GateState, Severity};
use crate::desired::Committed;
use crate::report::{Freeze, History, Outcome, SourceReport, Status, Ted, TimedCondition};
use crate::settings::{NoticeKind, NoticeSeverity};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many findings of one code are told of by name.
const MAX_NAMED: usize = 3;

/// How one subject stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    /// What it is about, among all there is to say of the TED.
    pub(super) subject: String,
    /// Another key is news.
    pub(super) key: String,
    /// Since when it is so, where that is known.
    pub(super) since: Option<Timestamp>,
    pub(super) weight: Weight,
    pub(super) severity: NoticeSeverity,
    pub(super) kind: NoticeKind,
    /// One CamelCase word.
    pub(super) reason: String,
    /// A sentence for people.
    pub(super) message: String,
    pub(super) remedy: Option<String>,
    /// Of a finding.
    pub(super) code: Option<String>,
    /// Of an update.
    pub(super) update: Option<History>,
    /// Of a commit.
    pub(super) commit: Option<CommitStatus>,
}

/// What GitHub is told of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommitStatus {
    pub(super) sha: String,
    /// `pending`, `success`, `failure` or `error`.
    pub(super) state: &'static str,
    /// What tells it from other statuses of the commit.
    pub(super) context: String,
}

/// When a state is worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// As it should be: told to whoever was told that it was not.
    Good,
    /// Over, and of those that were told of its beginning also told to who filters it; not told when it was so at first sight.
    Over,
    /// Told when its key is a later one.
    Growing,
    /// Told.
    News,
}

/// What is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Notice {
    /// The same for every attempt, also those of a later process as far as that knows since when it is so; another one when it is so again.
    pub(super) id: String,
    /// When it was first to be told, by the host's clock.
    pub(super) at: Timestamp,
    /// Of whom; absent for what concerns no single TED.
    pub(super) ted: Option<About>,
    pub(super) state: State,
}

impl Notice {
    /// One that is never told.
    pub(super) fn rehearsal() -> Self {
        let state = State {
            subject: "rehearsal".to_owned(),
            key: String::new(),
            since: None,
            weight: Weight::News,
            severity: NoticeSeverity::Info,
            kind: NoticeKind::Ready,
            reason: String::new(),
            message: String::new(),
            remedy: None,
            code: None,
            update: None,
            commit: Some(CommitStatus {
                sha: String::new(),
                state: "pending",
                context: String::new(),
            }),
        };
        Self { id: String::new(), at: Timestamp::UNIX_EPOCH, ted: None, state }
    }
}

/// The TED that a notice is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct About {
    pub(super) name: String,
    pub(super) account: Option<String>,
    pub(super) region: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) commit: Option<Committed>,
}

impl About {
    pub(super) fn of(ted: &Ted) -> Self {
        let status = &ted.status;
        Self {
            name: ted.metadata.name.clone(),
            account: status.actual.account.clone(),
            region: status.actual.region.clone(),
            revision: status.observed_revision.clone(),
            commit: status.observed_commit.clone(),
        }
    }
}

/// What there is to say about a TED; nothing before its first look came to something or failed.
pub(super) fn of_ted(ted: &Ted) -> Vec<State> {
    let status = &ted.status;
    if status.observed_at.is_none() && status.trouble.is_none() {
        return Vec::new();
    }
    let first = [ready(status), stalled(status), paused(status), update(status)];
    first.into_iter().flatten().chain(findings(&status.findings)).collect()
}

fn is(status: &Status, kind: ConditionType) -> bool {
    status.condition(kind).is_some_and(|condition| condition.status == ConditionStatus::True)
}

fn from_condition(condition: &TimedCondition, kind: NoticeKind) -> State {
    State {
        subject: format!("{:?}", condition.kind),
        key: format!("{:?}", condition.status),
        since: Some(condition.last_transition_time),
        weight: Weight::News,
        severity: NoticeSeverity::Info,
        kind,
        reason: condition.reason.clone(),
        message: condition.message.clone(),
        remedy: None,
        code: None,
        update: None,
        commit: None,
    }
}

fn ready(status: &Status) -> Option<State> {
    let condition = status.condition(ConditionType::Ready)?;
    let state = from_condition(condition, NoticeKind::Ready);
    Some(match condition.status {
        ConditionStatus::True => State { weight: Weight::Good, ..state },
        // Somebody is at it, or a person is called already: not being there yet is no alarm of its own.
        ConditionStatus::False
            if is(status, ConditionType::Reconciling) || is(status, ConditionType::Stalled) =>
        {
            state
        }
        ConditionStatus::False | ConditionStatus::Unknown => {
            State { severity: NoticeSeverity::Warning, ..state }
        }
    })
}

fn stalled(status: &Status) -> Option<State> {
    let condition = status.condition(ConditionType::Stalled)?;
    let state = from_condition(condition, NoticeKind::Stalled);
    Some(match condition.status {
        ConditionStatus::True => State {
            key: format!("True {}{}", condition.reason, shut(status)),
            severity: NoticeSeverity::Critical,
            ..state
        },
        ConditionStatus::False => State { weight: Weight::Good, ..state },
        ConditionStatus::Unknown => return None,
    })
}

/// The gates that a person has to open: at other gates other things are to be done.
fn shut(status: &Status) -> String {
    let gates = status.gates.iter();
    let shut = gates.filter(|gate| !gate.holds && gate.state == GateState::NeedsPerson);
    shut.flat_map(|gate| [" ", gate.gate.as_str()]).collect()
}

fn paused(status: &Status) -> Option<State> {
    let condition = status.condition(ConditionType::EventsPaused)?;
    let state = from_condition(condition, NoticeKind::Events);
    match condition.status {
        ConditionStatus::True => Some(state),
        ConditionStatus::False => Some(State { weight: Weight::Good, ..state }),
        ConditionStatus::Unknown => None,
    }
}

/// The newest update.
fn update(status: &Status) -> Option<State> {
    let last = status.history.first()?;
    let record = last.record_id.as_deref().unwrap_or("an unknown record");
    let asked = match (&last.summary, &last.by) {
        (Some(summary), _) => format!(": {summary}"),
        (None, Some(by)) => format!(", asked for by {by}"),
        (None, None) => String::new(),
    };
    let took = last.seconds.map(|seconds| format!(" after {} min", seconds.div_ceil(60)));
    let took = took.unwrap_or_default();
    let (reason, severity, weight, message) = match last.outcome {
        Outcome::InProgress => (
            "UpdateStarted",
            NoticeSeverity::Info,
            Weight::News,
            format!("an update runs, record {record}{asked}"),
        ),
        Outcome::Succeeded => (
            "UpdateSucceeded",
            NoticeSeverity::Info,
            Weight::Over,
            format!("the update succeeded{took}, record {record}{asked}"),
        ),
        Outcome::Failed => (
            "UpdateFailed",
            NoticeSeverity::Critical,
            Weight::News,
            format!("the update failed{took}, record {record}{asked}"),
        ),
    };
    let failed = last.outcome == Outcome::Failed;
    let remedy = failed.then(|| "`ted-controller diagnose` says why".to_owned());
    Some(State {
        subject: "update".to_owned(),
        key: format!("{record} {:?}", last.outcome),
        since: Some(last.at),
        weight,
        severity,
        kind: NoticeKind::Update,
        reason: reason.to_owned(),
        message,
        remedy,
        code: None,
        update: Some(last.clone()),
        commit: None,
    })
}

/// One state a code: ten parameters that drift together are one notice.
fn findings(findings: &[Finding]) -> impl Iterator<Item = State> {
    let mut by_code: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        by_code.entry(&finding.code).or_default().push(finding);
    }
    by_code.into_iter().filter_map(|(code, all)| {
        let kind = match code.split_once('/')?.0 {
            "drift" => NoticeKind::Drift,
            "sync" => NoticeKind::Sync,
            _ => NoticeKind::Info,
        };
        let worst = all.iter().map(|finding| finding.severity).max()?;
        let newest = all.iter().filter_map(|finding| finding.since).max();
        let messages: Vec<&str> =
            all.iter().take(MAX_NAMED).map(|finding| finding.message.as_str()).collect();
        let more = all.len().saturating_sub(MAX_NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        Some(State {
            subject: format!("{FINDING}{code}"),
            // Of times of one zone, written alike, the later one is the greater text.
            key: newest.map(|at| at.to_string()).unwrap_or_default(),
            since: newest,
            weight: Weight::Growing,
            severity: match worst {
                Severity::Info => NoticeSeverity::Info,
                Severity::Warning => NoticeSeverity::Warning,
                Severity::Critical => NoticeSeverity::Critical,
            },
            kind,
            reason: "Found".to_owned(),
            message: format!("{}{more}", messages.join("; ")),
            remedy: all.first().map(|finding| finding.remedy.clone()),
            code: Some(code.to_owned()),
            update: None,
            commit: None,
        })
    })
}

/// What subjects of findings begin with: those are gone when nothing says them any more.
const FINDING: &str = "finding ";

/// The end of what was told under a subject with this key, when nothing says it any more; `None` when nothing follows from that.
pub(super) fn ended(subject: &str, key: &str) -> Option<State> {
    let code = subject.strip_prefix(FINDING)?;
    let kind = match code.split_once('/')?.0 {
        "drift" => NoticeKind::Drift,
        "sync" => NoticeKind::Sync,
        _ => NoticeKind::Info,
    };
    Some(State {
        subject: subject.to_owned(),
        // It is the end of this one, and of no other that may come.
        key: format!("after {key}"),
        since: None,
        weight: Weight::Good,
        severity: NoticeSeverity::Info,
        kind,
        reason: "Resolved".to_owned(),
        message: format!("{code} is no longer found"),
        remedy: None,
        code: Some(code.to_owned()),
        update: None,
        commit: None,
    })
}

/// What there is to say of sources and freeze.
pub(super) fn of_controller(sources: &[SourceReport], freeze: &Freeze) -> Vec<State> {
    let mut states: Vec<State> = sources.iter().flat_map(source).collect();
    states.push(State {
        subject: "freeze".to_owned(),
        key: if freeze.frozen { "frozen".to_owned() } else { "open".to_owned() },
        since: freeze.since,
        weight: if freeze.frozen { Weight::News } else { Weight::Good },
        severity: NoticeSeverity::Info,
        kind: NoticeKind::Freeze,
        reason: if freeze.frozen { "Frozen" } else { "Thawed" }.to_owned(),
        message: match (freeze.frozen, &freeze.reason) {
            (true, Some(reason)) => format!("starts are frozen: {reason}"),
            (true, None) => "starts are frozen".to_owned(),
            (false, _) => "starts are allowed again".to_owned(),
        },
        remedy: None,
        code: None,
        update: None,
        commit: None,
    });
    states
}

fn source(source: &SourceReport) -> Vec<State> {
    let origin = &source.source;
    let base = State {
        subject: format!("source {origin}"),
        key: "read".to_owned(),
        since: None,
        weight: Weight::Good,
        severity: NoticeSeverity::Info,
        kind: NoticeKind::Source,
        reason: "SourceRead".to_owned(),
        message: format!("{origin} can be read again"),
        remedy: None,
        code: None,
        update: None,
        commit: None,
    };
    let readable = match &source.problem {
        Some(problem) => State {
            key: "unreadable".to_owned(),
            weight: Weight::News,
            severity: NoticeSeverity::Warning,
            reason: "SourceUnreadable".to_owned(),
            message: format!("{origin} cannot be read: {problem}"),
            ..base.clone()
        },
        None if source.last_read_at.is_none() => return Vec::new(),
        None => base.clone(),
    };
    let problems: Vec<String> =
        source.files.iter().flat_map(|file| &file.problems).map(ToString::to_string).collect();
    let subject = format!("documents {origin}");
    let documents = if problems.is_empty() {
        State {
            subject,
            key: "valid".to_owned(),
            reason: "DocumentsValid".to_owned(),
            message: format!("all documents of {origin} are right again"),
            ..base
        }
    } else {
        let mut hints = source.files.iter().flat_map(|file| &file.problems);
        let more = problems.len().saturating_sub(MAX_NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        State {
            subject,
            key: digest(&problems.join("\n")),
            weight: Weight::News,
            severity: NoticeSeverity::Warning,
            reason: "DocumentsInvalid".to_owned(),
            message: crate::text::sanitize(&format!(
                "{}{more}",
                problems.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>().join("; ")
            )),
            remedy: hints.find_map(|problem| problem.hint.clone()),
            ..base
        }
    };
    vec![readable, documents]
}

/// A short name for a text.
pub(super) fn digest(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    crate::text::hex(&Sha256::digest(text.as_bytes())[..12])
}
