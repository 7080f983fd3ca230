//! A TED as tests of notices want it.

use crate::assess::types::{ConditionStatus, ConditionType, Finding, Severity};
use crate::report::{History, Metadata, Outcome, Status, Ted};
use crate::settings::{Channel, ReceiverSettings, SecretRef};
use jiff::Timestamp;
use std::time::Duration;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// A TED that was looked at and is as wanted.
pub(super) fn ted() -> Ted {
    let mut status = Status { observed_at: Some(at(0)), ..Status::unseen(at(0)) };
    for condition in &mut status.conditions {
        condition.status = ConditionStatus::False;
    }
    let mut ted = Ted {
        api_version: String::new(),
        kind: String::new(),
        metadata: Metadata { name: "einstein".to_owned() },
        spec: serde_json::Value::Null,
        status,
    };
    set(
        &mut ted,
        ConditionType::Ready,
        ConditionStatus::True,
        "AsWanted",
        "everything is as wanted",
    );
    ted
}

pub(super) fn set(
    ted: &mut Ted,
    kind: ConditionType,
    status: ConditionStatus,
    reason: &str,
    message: &str,
) {
    let condition = ted.status.conditions.iter_mut().find(|one| one.kind == kind).unwrap();
    condition.status = status;
    reason.clone_into(&mut condition.reason);
    message.clone_into(&mut condition.message);
}

pub(super) fn finding(code: &str, severity: Severity, since: i64) -> Finding {
    Finding {
        code: code.to_owned(),
        severity,
        message: format!("{code} since {since}"),
        desired: None,
        actual: None,
        read_from: "somewhere".to_owned(),
        since: Some(at(since)),
        remedy: "do this".to_owned(),
        guide: None,
    }
}

pub(super) fn update(record: &str, outcome: Outcome) -> History {
    History {
        at: at(0),
        revision: None,
        commit: None,
        summary: Some("update to v1.52.1".to_owned()),
        by: None,
        record_id: Some(record.to_owned()),
        outcome,
        seconds: (outcome != Outcome::InProgress).then_some(1260),
    }
}

/// A receiver that wants to know everything.
pub(super) fn receiver(to: Channel) -> ReceiverSettings {
    ReceiverSettings {
        name: "ops".to_owned(),
        to,
        severity: crate::settings::NoticeSeverity::Info,
        kinds: Vec::new(),
        teds: Vec::new(),
        timeout: Duration::from_secs(1),
        give_up_after: Duration::from_mins(1),
        ca_file: None,
        plain_http: false,
    }
}

pub(super) fn slack() -> Channel {
    Channel::Slack { url: SecretRef::Environment("NOT_SET".to_owned()) }
}
