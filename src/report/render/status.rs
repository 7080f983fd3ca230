//! Statuses as tables: one row a TED.

use super::layout::{age, count, hang, table_with_text};
use super::paint::Paint;
use super::plan::short;
use crate::assess::types::{ConditionStatus, ConditionType, Severity};
use crate::report::status::{Freeze, Ted, TedList};
use jiff::Timestamp;

/// The titles of [`cells`].
pub(super) const TITLES: [&str; 7] =
    ["NAME", "READY", "PHASE", "TED", "CACHE", "FINDINGS", "MESSAGE"];

/// Name, whether it is as wanted, what runs, and the one sentence that matters.
pub fn status_table(list: &TedList, paint: Paint, columns: usize) -> String {
    render(list, &TITLES, list.items.iter().map(cells).collect(), paint, columns)
}

/// A row of that table.
pub(super) fn cells(ted: &Ted) -> Vec<String> {
    vec![
        ted.metadata.name.clone(),
        ready(ted).to_owned(),
        phase(ted),
        dash(ted.status.actual.ted_version.as_ref()),
        cache(ted),
        findings(ted),
        message(ted),
    ]
}

/// The same, with where it is, what AWS calls its state, and when it was and will be looked at.
pub fn status_wide(list: &TedList, now: Timestamp, paint: Paint, columns: usize) -> String {
    let rows = list.items.iter().map(|ted| {
        let status = &ted.status;
        let actual = &status.actual;
        let events = match &status.events {
            Some(events) if events.paused => events
                .since
                .map_or_else(|| "paused".to_owned(), |since| format!("paused {}", age(now, since))),
            Some(_) => "on".to_owned(),
            None => "?".to_owned(),
        };
        let look = status
            .looked_at
            .map_or_else(|| "never".to_owned(), |at| format!("{} ago", age(now, at)));
        let next =
            status.next_look_at.map_or_else(|| "–".to_owned(), |at| format!("in {}", age(at, now)));
        vec![
            ted.metadata.name.clone(),
            ready(ted).to_owned(),
            phase(ted),
            dash(actual.ted_version.as_ref()),
            cache(ted),
            findings(ted),
            dash(actual.account.as_ref()),
            dash(actual.region.as_ref()),
            dash(actual.product_status.as_ref()),
            dash(actual.stack_status.as_ref()),
            dash(actual.database_status.as_ref()),
            dash(actual.cache_status.as_ref()),
            events,
            look,
            next,
            status.observed_revision.as_deref().map_or_else(|| "–".to_owned(), short),
            message(ted),
        ]
    });
    let titles = [
        "NAME",
        "READY",
        "PHASE",
        "TED",
        "CACHE",
        "FINDINGS",
        "ACCOUNT",
        "REGION",
        "PRODUCT",
        "STACK",
        "DATABASE",
        "CACHE STATUS",
        "EVENTS",
        "LOOKED",
        "NEXT",
        "REVISION",
        "MESSAGE",
    ];
    render(list, &titles, rows.collect(), paint, columns)
}

fn render(
    list: &TedList,
    titles: &[&str],
    rows: Vec<Vec<String>>,
    paint: Paint,
    columns: usize,
) -> String {
    let mut out = String::new();
    if list.freeze.frozen {
        hang(&mut out, "", &frozen(&list.freeze), columns, |line| paint.waiting(line));
        out.push('\n');
    }
    if rows.is_empty() {
        out.push_str("No TEDs: no valid desired document is in force.\n");
        return out;
    }
    let titles = titles.iter().map(|title| (*title).to_owned()).collect();
    let all: Vec<Vec<String>> = std::iter::once(titles).chain(rows).collect();
    let colour = |row: usize, column: usize, text: &str| match (row, column) {
        (0, _) => paint.dim(text),
        (_, 0) => paint.bold(text),
        (_, 1) => match text.trim_end() {
            "True" => paint.good(text),
            "False" => paint.bad(text),
            _ => paint.waiting(text),
        },
        (_, _) => text.to_owned(),
    };
    table_with_text(&mut out, (0, 2), all, columns, colour);
    out
}

/// That nothing starts, and why.
pub fn frozen(freeze: &Freeze) -> String {
    let reason = freeze.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("Frozen{reason}. Nothing starts; events are still given back.")
}

fn ready(ted: &Ted) -> &'static str {
    match ted.status.condition(ConditionType::Ready).map(|condition| condition.status) {
        Some(ConditionStatus::True) => "True",
        Some(ConditionStatus::False) => "False",
        Some(ConditionStatus::Unknown) | None => "Unknown",
    }
}

fn phase(ted: &Ted) -> String {
    ted.status.phase.map_or_else(|| "–".to_owned(), |phase| format!("{phase:?}"))
}

fn cache(ted: &Ted) -> String {
    match (&ted.status.actual.engine, &ted.status.actual.engine_version) {
        (Some(engine), Some(version)) => format!("{engine} {version}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => "–".to_owned(),
    }
}

/// How many findings, the critical ones apart.
fn findings(ted: &Ted) -> String {
    let all =
        ted.status.findings.iter().filter(|finding| finding.severity != Severity::Info).count();
    let critical =
        ted.status.findings.iter().filter(|finding| finding.severity == Severity::Critical).count();
    match (all, critical) {
        (_, 0) => all.to_string(),
        (_, _) => format!("{all} ({})", count(critical, "critical", "critical")),
    }
}

fn message(ted: &Ted) -> String {
    let said = ted.status.headline().map(|condition| condition.message.as_str());
    // One line a TED, also when the server is of another make than this command.
    crate::text::sanitize(said.unwrap_or_default())
}

fn dash(text: Option<&String>) -> String {
    text.map_or_else(|| "–".to_owned(), |text| crate::text::sanitize(text))
}
