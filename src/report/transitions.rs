//! Since when something is so. Pure: what was, what is and the time come in; what is, with times, goes out.

use super::events::{Event, EventKind};
use super::status::{Status, TimedCondition};
use crate::assess::types::{Condition, ConditionStatus, ConditionType, Finding, Severity};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// For how many intervals a verdict outlives the last look that came to something.
///
/// One failed look is ordinary, two happen when a role is changed; after three in a row "as wanted" is a claim about the past.
pub const STALE_AFTER_INTERVALS: u32 = 3;

/// A time without its fraction of a second: what is shown, compared and kept.
pub fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// The conditions with their times: a time moves when the status flips, and at no other change.
pub fn carry_conditions(
    before: &[TimedCondition],
    conditions: &[Condition],
    now: Timestamp,
) -> Vec<TimedCondition> {
    let carry = |condition: &Condition| {
        let same =
            before.iter().find(|old| old.kind == condition.kind && old.status == condition.status);
        let Condition { kind, status, reason, message } = condition.clone();
        let last_transition_time =
            same.map_or_else(|| whole_second(now), |old| old.last_transition_time);
        TimedCondition { kind, status, reason, message, last_transition_time }
    };
    conditions.iter().map(carry).collect()
}

/// What a finding is known by, whatever its message says now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    code: String,
    /// Tells apart findings of one code, such as `drift/parameter` of two parameters.
    read_from: String,
}

/// The findings with the time since when each is known. A finding that went away and came back is a new one.
///
/// What assessment knows better (a hold's tag says since when) stays. `readFrom` may name a record and so change while the
/// disagreement stays: a finding that is the only one of its code, before and now, is the same one.
pub fn carry_findings(before: &[Finding], findings: &[Finding], now: Timestamp) -> Vec<Finding> {
    let count = |findings: &[Finding]| {
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        for finding in findings {
            *count.entry(finding.code.clone()).or_default() += 1;
        }
        count
    };
    let (count_before, count_now) = (count(before), count(findings));
    let since: BTreeMap<Identity, Option<Timestamp>> =
        before.iter().map(|finding| (identity(finding), finding.since)).collect();
    let carry = |finding: &Finding| {
        let known = since.get(&identity(finding)).copied().flatten().or_else(|| {
            let only = count_before.get(&finding.code) == Some(&1)
                && count_now.get(&finding.code) == Some(&1);
            before.iter().find(|old| only && old.code == finding.code).and_then(|old| old.since)
        });
        let since = finding.since.or(known).unwrap_or(now);
        Finding { since: Some(whole_second(since)), ..finding.clone() }
    };
    findings.iter().map(carry).collect()
}

fn identity(finding: &Finding) -> Identity {
    Identity { code: finding.code.clone(), read_from: finding.read_from.clone() }
}

/// Whether the last verdict is too old to be one.
pub fn is_stale(looked_at: Option<Timestamp>, now: Timestamp, interval: Duration) -> bool {
    let limit = interval.saturating_mul(STALE_AFTER_INTERVALS);
    let limit = SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX);
    looked_at.is_none_or(|looked_at| now.duration_since(looked_at) > limit)
}

/// What the conditions are while looks come to nothing: the last verdict's with its age, and after three intervals unknown.
///
/// `needs_person` says that no look will come to anything before a person did something. It counts once the verdict is stale: a
/// TED is never ready and stalled at once.
pub fn conditions_while_unreadable(
    verdict: &[Condition],
    looked_at: Option<Timestamp>,
    now: Timestamp,
    interval: Duration,
    (reason, message): (&str, &str),
    needs_person: bool,
) -> Vec<Condition> {
    let stale = is_stale(looked_at, now, interval);
    let seen = looked_at.map_or_else(
        || "never looked at with success".to_owned(),
        |at| format!("last looked at with success {} ago", super::render::age(now, at)),
    );
    let told = |condition: &Condition| {
        let mut condition = condition.clone();
        match condition.kind {
            ConditionType::Ready if stale => {
                condition.status = ConditionStatus::Unknown;
                reason.clone_into(&mut condition.reason);
                condition.message = format!("{message}; {seen}");
            }
            ConditionType::Ready => {
                condition.message = format!("{} ({seen}: {message})", condition.message);
            }
            ConditionType::Stalled if stale && needs_person => {
                condition.status = ConditionStatus::True;
                reason.clone_into(&mut condition.reason);
                message.clone_into(&mut condition.message);
            }
            // Whether something goes on is not known, and stalled excludes it.
            ConditionType::Reconciling if stale => {
                condition.status = ConditionStatus::Unknown;
                reason.clone_into(&mut condition.reason);
                condition.message = format!("{message}; {seen}");
            }
            ConditionType::Reconciling
            | ConditionType::Stalled
            | ConditionType::Drifted
            | ConditionType::OutOfSync
            | ConditionType::EventsPaused => {}
        }
        condition
    };
    verdict.iter().map(told).collect()
}

/// What happened between two states of one TED, in the words of its conditions and findings.
pub fn happenings(before: &Status, after: &Status, now: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    let mut tell = |kind, reason: &str, message: String| {
        events.push(Event::new(whole_second(now), kind, reason, message));
    };
    for condition in &after.conditions {
        let old = before.condition(condition.kind);
        if old.is_some_and(|old| old.status == condition.status) {
            continue;
        }
        // From unknown to an ordinary state is the first look, not news; from known to unknown is.
        let first_look = old.is_none_or(|old| old.status == ConditionStatus::Unknown);
        let kind = match (condition.kind, condition.status) {
            (ConditionType::Ready, ConditionStatus::True) => EventKind::Normal,
            (ConditionType::Ready, _) => EventKind::Warning,
            (ConditionType::Reconciling | ConditionType::EventsPaused, _) => EventKind::Normal,
            (_, ConditionStatus::True) => EventKind::Warning,
            (_, ConditionStatus::False | ConditionStatus::Unknown) => EventKind::Normal,
        };
        let ordinary = condition.status != ConditionStatus::True;
        if first_look && ordinary && condition.kind != ConditionType::Ready {
            continue;
        }
        let message =
            format!("{:?} is {:?}: {}", condition.kind, condition.status, condition.message);
        tell(kind, &condition.reason, message);
    }
    let had = |findings: &[Finding], one: &Finding| {
        // Since is part of it: a finding that came back is told again.
        findings.iter().any(|other| other.code == one.code && other.since == one.since)
    };
    for finding in after.findings.iter().filter(|finding| !had(&before.findings, finding)) {
        let kind = match finding.severity {
            Severity::Info => EventKind::Normal,
            Severity::Warning | Severity::Critical => EventKind::Warning,
        };
        tell(kind, "Found", format!("{}: {}", finding.code, finding.message));
    }
    for finding in before.findings.iter().filter(|finding| !had(&after.findings, finding)) {
        tell(EventKind::Normal, "Resolved", format!("{}: no longer found", finding.code));
    }
    if let (Some(old), Some(new)) = (before.phase, after.phase)
        && old != new
    {
        tell(EventKind::Normal, "PhaseChanged", format!("{old:?} → {new:?}"));
    }
    events
}

#[cfg(test)]
mod tests;
