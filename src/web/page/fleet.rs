//! The fleet as it is when the page is asked for: what `page/fleet.js` shows from then on, column by column and word by word.

use super::Text;
use crate::assess::types::{ConditionStatus, ConditionType};
use crate::report::render::age;
use crate::report::{Freeze, SourceReport, Ted, TimedCondition};
use jiff::Timestamp;
use std::fmt::{self, Write as _};
use std::sync::Arc;

/// The titles of the columns.
const COLUMNS: [&str; 10] = [
    "TED",
    "Version",
    "Cache",
    "Product",
    "Stack",
    "Database",
    "Cache status",
    "Phase",
    "Condition",
    "Last look",
];

/// What concerns all TEDs: frozen starts, documents that are not in force.
pub(super) fn notices(freeze: &Freeze, sources: &[SourceReport]) -> String {
    let mut out = String::new();
    if freeze.frozen {
        let reason =
            freeze.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        let text = format!("Frozen{reason}. Nothing starts; events are still given back.");
        notice(&mut out, "frozen", &text);
    }
    for source in sources {
        if let Some(problem) = &source.problem {
            let text = format!("The source of documents cannot be read: {problem}");
            notice(&mut out, "problem", &text);
        }
        for file in source.files.iter().filter(|file| !file.valid) {
            notice(&mut out, "problem", &format!("{}: {}", file.path, file.summary));
        }
    }
    out
}

fn notice(out: &mut String, kind: &str, text: &str) {
    // Writing to a string does not fail.
    let _ = write!(out, "<p class=\"notice {kind}\">{}</p>", Text(text));
}

/// The table, or why there is none.
pub(super) fn table(teds: &[Arc<Ted>], now: Timestamp) -> String {
    if teds.is_empty() {
        return "<p class=\"empty\">No TEDs: no valid desired document is in force.</p>".to_owned();
    }
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_table(&mut out, teds, now);
    out
}

fn write_table(out: &mut String, teds: &[Arc<Ted>], now: Timestamp) -> fmt::Result {
    out.write_str("<div class=\"scroll\"><table class=\"fleet\"><caption class=\"hidden\">TEDs</caption><thead><tr>")?;
    for title in COLUMNS {
        write!(out, "<th scope=\"col\">{title}</th>")?;
    }
    out.write_str("</tr></thead><tbody>")?;
    for ted in teds {
        row(out, ted, now)?;
    }
    out.write_str("</tbody></table></div>")
}

fn row(out: &mut String, ted: &Ted, now: Timestamp) -> fmt::Result {
    let name = ted.metadata.name.as_str();
    let status = &ted.status;
    let actual = &status.actual;
    let of_spec = |field: &str| ted.spec.get(field).and_then(serde_json::Value::as_str);
    let place = [
        actual.account.as_deref().or_else(|| of_spec("account")),
        actual.region.as_deref().or_else(|| of_spec("region")),
    ];
    let place: Vec<&str> = place.into_iter().flatten().collect();
    write!(
        out,
        "<tr class=\"tone {0}\"><th scope=\"row\"><a href=\"#/{1}\">{1}</a><small>{2}</small></th>",
        tone(ted),
        Text(name),
        Text(&place.join(" · "))
    )?;
    let cache = [actual.engine.as_deref(), actual.engine_version.as_deref()];
    let cache: Vec<&str> = cache.into_iter().flatten().collect();
    let phase = status.phase.map(|phase| format!("{phase:?}"));
    let words = [
        actual.ted_version.as_deref(),
        Some(cache.join(" ").as_str()).filter(|cache| !cache.is_empty()),
        actual.product_status.as_deref(),
        actual.stack_status.as_deref(),
        actual.database_status.as_deref(),
        actual.cache_status.as_deref(),
        phase.as_deref(),
    ]
    // `UPDATE_ROLLBACK_COMPLETE` may break at its underscores.
    .map(|word| Text(word.unwrap_or("–")).to_string().replace('_', "_<wbr>"));
    let said = status.headline().map(|condition| condition.message.as_str()).unwrap_or_default();
    let verdict = format!("{}<small>{}</small>", badges(&status.conditions), Text(said));
    let look = match status.looked_at {
        Some(at) => format!("{} ago", age(now, at)),
        None => "never".to_owned(),
    };
    // The title again, for windows that are too narrow for a table.
    for (title, cell) in COLUMNS.iter().skip(1).zip(words.into_iter().chain([verdict, look])) {
        write!(out, "<td data-title=\"{title}\">{cell}</td>")?;
    }
    out.write_str("</tr>")
}

/// The tone of a TED as a whole.
fn tone(ted: &Ted) -> &'static str {
    let status = |kind| ted.status.condition(kind).map(|condition| condition.status);
    if status(ConditionType::Stalled) == Some(ConditionStatus::True) {
        return "person";
    }
    if status(ConditionType::Reconciling) == Some(ConditionStatus::True) {
        return "busy";
    }
    match status(ConditionType::Ready) {
        Some(ConditionStatus::True) => "good",
        Some(ConditionStatus::False) => "bad",
        Some(ConditionStatus::Unknown) | None => "unknown",
    }
}

/// What the conditions come to: whether it is ready, and each thing that somebody has to know.
fn badges(conditions: &[TimedCondition]) -> String {
    // While it is being worked on, not being ready yet is as it should be.
    let is_busy = conditions.iter().any(|condition| {
        condition.kind == ConditionType::Reconciling && condition.status == ConditionStatus::True
    });
    let badge = |condition: &TimedCondition| {
        let TimedCondition { kind, status, reason, .. } = condition;
        let (tone, text) = match (kind, status) {
            (ConditionType::Ready, ConditionStatus::True) => ("good", "Ready".to_owned()),
            (ConditionType::Ready, ConditionStatus::False) => {
                (if is_busy { "busy" } else { "bad" }, format!("Not ready: {reason}"))
            }
            (ConditionType::Ready, ConditionStatus::Unknown) => {
                ("unknown", format!("Unknown: {reason}"))
            }
            (ConditionType::Stalled, ConditionStatus::True) => {
                ("person", format!("Stalled: {reason}"))
            }
            (ConditionType::EventsPaused, ConditionStatus::True) => {
                ("paused", format!("Events paused: {reason}"))
            }
            (
                ConditionType::Stalled
                | ConditionType::EventsPaused
                | ConditionType::Reconciling
                | ConditionType::Drifted
                | ConditionType::OutOfSync,
                _,
            ) => return None,
        };
        let icon =
            format!("<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-{tone}\"/></svg>");
        Some(format!("<span class=\"badge {tone}\">{icon}{}</span>", Text(&text)))
    };
    conditions.iter().filter_map(badge).collect()
}
