//! The one place where foreign text is made safe before people see it.
//!
//! Names and messages in an assessment come from AWS, and through AWS from whoever named a stack or wrote a failure. Everything
//! that renders starts from values that went through here: one line each, no control characters, bounded. What HTML and Markdown
//! need on top is done where those are made.

use super::plan::{PlannedStep, Verdict};
use super::sides::Side;
use super::status::Progress;
use crate::assess::types::{Actual, Assessment, Condition, Finding, Gate, ParameterChange};
use crate::desired::Problem;
use crate::text::{MAX_MESSAGE_CHARS, sanitize, sanitize_to};

/// How many findings, and how many of any other list, a status carries. A template has about 70 parameters and we know 25 codes.
const MAX_ITEMS: usize = 500;

/// How many characters of a single word, such as a reason, are kept.
const MAX_WORD_CHARS: usize = 100;

/// How many characters of a condition are kept: of what a person has to do two sentences and two commands, with a denial's ARNs in them.
const MAX_CONDITION_CHARS: usize = 2 * MAX_MESSAGE_CHARS;

/// How many characters of a gate's remedy are kept. It may be a command that names every parameter of a template: some 80 of them, with
/// up to 50 characters around each value.
const MAX_REMEDY_CHARS: usize = 20_000;

/// An assessment with its texts made safe and its lists bounded.
pub(super) fn verdict(assessment: &Assessment) -> Verdict {
    // Destructured, so that a new field cannot be forgotten here.
    let Assessment {
        findings,
        gates,
        plan,
        next: _,
        parameters,
        phase,
        conditions,
        actual,
        requeue_after: _,
        notes,
    } = assessment;
    Verdict {
        findings: list(findings, finding),
        gates: list(gates, gate),
        plan: list(plan, |step| PlannedStep { step: step.step, summary: sanitize(&step.summary) }),
        parameters: list(parameters, parameter),
        phase: *phase,
        conditions: list(conditions, condition),
        actual: self::actual(actual),
        notes: list(notes, |note| sanitize(note)),
    }
}

/// The sides with their values made safe.
pub(super) fn sides(foreign: &[Side]) -> Vec<Side> {
    list(foreign, |side| {
        let mut side = side.clone();
        for cell in [
            &mut side.desired,
            &mut side.service_catalog,
            &mut side.cloud_formation,
            &mut side.real,
        ] {
            cell.value = optional(cell.value.as_ref());
        }
        side
    })
}

/// How far an update has come, with its text made safe.
pub(super) fn progress(foreign: &Progress) -> Progress {
    Progress { current: optional(foreign.current.as_ref()), ..foreign.clone() }
}

/// A reason: one word.
pub(super) fn word(foreign: &str) -> String {
    sanitize_to(foreign, MAX_WORD_CHARS)
}

/// A text that may be missing.
pub(super) fn optional(foreign: Option<&String>) -> Option<String> {
    foreign.map(|text| sanitize(text))
}

fn list<T, U>(items: &[T], clean: impl FnMut(&T) -> U) -> Vec<U> {
    items.iter().take(MAX_ITEMS).map(clean).collect()
}

fn finding(foreign: &Finding) -> Finding {
    let Finding { code, severity, message, desired, actual, read_from, since, remedy, guide } =
        foreign;
    Finding {
        code: word(code),
        severity: *severity,
        message: sanitize(message),
        desired: optional(desired.as_ref()),
        actual: optional(actual.as_ref()),
        read_from: sanitize(read_from),
        since: *since,
        remedy: sanitize(remedy),
        // The page makes a link of it: nothing but the web may be behind it.
        guide: optional(guide.as_ref()).filter(|guide| guide.starts_with("https://")),
    }
}

fn gate(foreign: &Gate) -> Gate {
    let Gate { gate, holds, state, message, remedy, until } = foreign;
    Gate {
        gate: word(gate),
        holds: *holds,
        state: *state,
        message: sanitize_to(message, MAX_CONDITION_CHARS),
        remedy: sanitize_to(remedy, MAX_REMEDY_CHARS),
        until: *until,
    }
}

fn parameter(foreign: &ParameterChange) -> ParameterChange {
    let ParameterChange { key, label, change, from, to, why } = foreign;
    ParameterChange {
        key: sanitize(key),
        label: optional(label.as_ref()),
        change: *change,
        from: optional(from.as_ref()),
        to: optional(to.as_ref()),
        why: sanitize(why),
    }
}

/// A problem of a document. What it says of itself is safe; what was found in the document is somebody's text.
pub(super) fn problem(foreign: &Problem) -> Problem {
    Problem { found: optional(foreign.found.as_ref()), ..foreign.clone() }
}

pub(super) fn condition(foreign: &Condition) -> Condition {
    let Condition { kind, status, reason, message } = foreign;
    let message = sanitize_to(message, MAX_CONDITION_CHARS);
    Condition { kind: *kind, status: *status, reason: word(reason), message }
}

fn actual(foreign: &Actual) -> Actual {
    let Actual {
        account,
        region,
        ted_version,
        engine,
        engine_version,
        product_status,
        stack_status,
        database_status,
        cache_status,
    } = foreign;
    let optional = |text: &Option<String>| optional(text.as_ref());
    Actual {
        account: optional(account),
        region: optional(region),
        ted_version: optional(ted_version),
        engine: optional(engine),
        engine_version: optional(engine_version),
        product_status: optional(product_status),
        stack_status: optional(stack_status),
        database_status: optional(database_status),
        cache_status: optional(cache_status),
    }
}
