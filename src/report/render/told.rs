//! What a plan tells in which order, whether as text or as Markdown.

use super::layout::age;
use crate::assess::types::{ChangeKind, Finding, Gate, GateState, ParameterChange};
use crate::report::plan::Plan;
use crate::report::sides::{Cell, Side};
use crate::text::moment;

/// The gates that do not hold. Those that say the same, because one thing is missing for all of them, stand together.
pub(super) fn closed(gates: &[Gate]) -> Vec<Vec<&Gate>> {
    let mut groups: Vec<Vec<&Gate>> = Vec::new();
    for gate in gates.iter().filter(|gate| !gate.holds) {
        let says_the_same = |group: &&mut Vec<&Gate>| {
            group.first().is_some_and(|first| {
                first.state == gate.state
                    && first.message == gate.message
                    && first.remedy == gate.remedy
                    && first.until == gate.until
            })
        };
        match groups.iter_mut().find(says_the_same) {
            Some(group) => group.push(gate),
            None => groups.push(vec![gate]),
        }
    }
    groups
}

/// How many gates stand in the way.
pub(super) fn gates_title(gates: &[Gate]) -> String {
    match gates.iter().filter(|gate| !gate.holds).count() {
        0 => "all hold".to_owned(),
        shut => {
            let verb = if shut == 1 { "does" } else { "do" };
            format!("{shut} of {} {verb} not hold", gates.len())
        }
    }
}

/// What is and what should be, where the message does not say it already. `show` makes a value look like one.
pub(super) fn values(finding: &Finding, show: impl Fn(&str) -> String) -> Option<String> {
    let said = |value: &Option<String>| {
        value.as_ref().is_none_or(|value| finding.message.contains(value.as_str()))
    };
    if said(&finding.desired) && said(&finding.actual) {
        return None;
    }
    match (&finding.desired, &finding.actual) {
        (Some(desired), Some(actual)) => {
            Some(format!("{} instead of {}", show(actual), show(desired)))
        }
        (None, Some(actual)) => Some(show(actual)),
        (Some(desired), None) => Some(format!("not {}", show(desired))),
        (None, None) => None,
    }
}

/// How many parameters are set, new, dropped, and how many only stay under other rules, with the signs of their lines.
pub(super) fn changes_title(changes: &[ParameterChange]) -> String {
    let kinds = [
        (ChangeKind::Set, "set"),
        (ChangeKind::New, "new"),
        (ChangeKind::Dropped, "dropped"),
        (ChangeKind::Redefined, "stay as they are, by other rules"),
    ];
    let told: Vec<String> = kinds
        .into_iter()
        .map(|(kind, word)| {
            (kind, changes.iter().filter(|change| change.change == kind).count(), word)
        })
        .filter(|(_, count, _)| *count > 0)
        .map(|(kind, count, word)| {
            let word = if kind == ChangeKind::Redefined && count == 1 {
                "stays as it is, by other rules"
            } else {
                word
            };
            format!("{} {count} {word}", change_mark(kind))
        })
        .collect();
    told.join(", ")
}

/// A sign for what happens to a parameter.
pub(super) fn change_mark(change: ChangeKind) -> &'static str {
    match change {
        ChangeKind::Set => "~",
        ChangeKind::New => "+",
        ChangeKind::Dropped => "-",
        ChangeKind::Redefined => "*",
    }
}

/// What changes before what stays: set, new, dropped, redefined; within each as the template has them.
pub(super) fn in_order(changes: &[ParameterChange]) -> Vec<&ParameterChange> {
    let mut ordered: Vec<&ParameterChange> = changes.iter().collect();
    ordered.sort_by_key(|change| match change.change {
        ChangeKind::Set => 0,
        ChangeKind::New => 1,
        ChangeKind::Dropped => 2,
        ChangeKind::Redefined => 3,
    });
    ordered
}

/// A column of the table of sides: its title, and the cell of a row.
pub(super) type Column = (&'static str, fn(&Side) -> &Cell);

/// The columns that say something: without a document there is none for it.
pub(super) fn columns(plan: &Plan) -> Vec<Column> {
    let all: [Column; 4] = [
        ("document", |side| &side.desired),
        ("Service Catalog", |side| &side.service_catalog),
        ("CloudFormation", |side| &side.cloud_formation),
        ("RDS, ElastiCache", |side| &side.real),
    ];
    let skipped = usize::from(plan.revision.is_none());
    all.into_iter().skip(skipped).collect()
}

/// What a gate that does not hold waits for, in a few words.
pub(super) fn gate_state(gate: &Gate, plan: &Plan) -> String {
    match (gate.state, gate.until) {
        (GateState::Waiting, Some(until)) => {
            format!("opens by itself at {}, in {}", moment(until), age(until, plan.observed_at))
        }
        (GateState::Waiting, None) => "opens by itself".to_owned(),
        (GateState::NeedsPerson, _) => "needs a person".to_owned(),
        (GateState::Unknown, _) => "not known".to_owned(),
        (GateState::Holds | GateState::NotApplicable, _) => "does not hold".to_owned(),
    }
}
