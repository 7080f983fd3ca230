//! Plans as Markdown, for a comment on a pull request.
//!
//! Foreign text must not become markup, a link, a mention of a person or a reference to an issue. Values go into code spans, which
//! show everything as it is; sentences have every character escaped that could begin something.

use super::layout::{count, moment};
use super::plan::{headline, short};
use crate::assess::types::{ChangeKind, Finding, Gate, GateState, Severity};
use crate::report::plan::Plan;
use std::fmt::Write;

/// How long a comment gets. GitHub takes 65,536 characters, GitLab a million.
const MAX_CHARS: usize = 60_000;

/// Plans one below the other.
pub fn markdown(plans: &[Plan]) -> String {
    let mut out = String::new();
    for (number, plan) in plans.iter().enumerate() {
        if out.len() > MAX_CHARS {
            let left = plans.len() - number;
            let _ = writeln!(
                out,
                "*{} left out: too long for a comment.*",
                count(left, "plan", "plans")
            );
            break;
        }
        one(&mut out, plan);
    }
    out
}

fn one(out: &mut String, plan: &Plan) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "### {} · {:?}\n", code(&plan.name), plan.verdict.phase);
    let actual = &plan.verdict.actual;
    let place: Vec<String> =
        [&actual.account, &actual.region].into_iter().flatten().map(|part| code(part)).collect();
    let place = if place.is_empty() { String::new() } else { format!(" in {}", place.join(" ")) };
    let by = plan.revision.as_ref().map_or_else(
        || "without a document".to_owned(),
        |revision| format!("by {}", code(&short(revision))),
    );
    let _ = writeln!(
        out,
        "{}{place}, looked at {}, {by}\n",
        code(&plan.provisioned_product),
        moment(plan.observed_at)
    );
    if let Some(condition) = headline(&plan.verdict.conditions) {
        let _ = writeln!(out, "> {}\n", prose(&condition.message));
    }
    sides(out, plan);
    findings(out, &plan.verdict.findings);
    gates(out, &plan.verdict.gates);
    steps(out, plan);
    parameters(out, plan);
    for note in &plan.verdict.notes {
        let _ = writeln!(out, "- {}", prose(note));
    }
    if !plan.verdict.notes.is_empty() {
        out.push('\n');
    }
}

fn sides(out: &mut String, plan: &Plan) {
    if plan.sides.is_empty() {
        return;
    }
    out.push_str("| | document | Service Catalog | CloudFormation | RDS, ElastiCache |\n|---|---|---|---|---|\n");
    for side in &plan.sides {
        let mark = if side.findings.is_empty() { "" } else { "≠ " };
        let cells = [&side.desired, &side.service_catalog, &side.cloud_formation, &side.real];
        let cells = cells.map(|cell| {
            if cell.value.is_some() { code(&cell.to_string()) } else { cell.to_string() }
        });
        let _ = writeln!(out, "| {mark}{} | {} |", prose(&side.what), cells.join(" | "));
    }
    out.push('\n');
}

fn findings(out: &mut String, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    out.push_str("#### Findings\n\n");
    for finding in findings {
        let severity = match finding.severity {
            Severity::Critical => "critical",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        let _ = writeln!(
            out,
            "- **{}** ({severity}): {}",
            code(&finding.code),
            prose(&finding.message)
        );
        let values = match (&finding.desired, &finding.actual) {
            (Some(desired), Some(actual)) => {
                format!("{} instead of {}; ", code(actual), code(desired))
            }
            (None, Some(actual)) => format!("{}; ", code(actual)),
            (Some(desired), None) => format!("not {}; ", code(desired)),
            (None, None) => String::new(),
        };
        let _ = writeln!(out, "  <br>{values}read from {}", prose(&finding.read_from));
        if !finding.remedy.is_empty() {
            let _ = writeln!(out, "  <br>→ {}", prose(&finding.remedy));
        }
        if let Some(guide) = &finding.guide {
            let _ = writeln!(out, "  <br>{}", link(guide));
        }
    }
    out.push('\n');
}

fn gates(out: &mut String, gates: &[Gate]) {
    if gates.is_empty() {
        return;
    }
    let (open, shut): (Vec<&Gate>, Vec<&Gate>) = gates.iter().partition(|gate| gate.holds);
    let _ = writeln!(out, "#### Gates: {} of {} hold\n", open.len(), gates.len());
    for gate in shut {
        let word = match gate.state {
            GateState::Waiting => "opens with time",
            GateState::NeedsPerson => "needs a person",
            GateState::Unknown => "unknown",
            GateState::Holds | GateState::NotApplicable => "does not hold",
        };
        let until = gate.until.map(|until| format!(", {}", moment(until))).unwrap_or_default();
        let _ = writeln!(
            out,
            "- ❌ **{}** ({word}{until}): {}",
            code(&gate.gate),
            prose(&gate.message)
        );
        if !gate.remedy.is_empty() {
            let _ = writeln!(out, "  <br>→ {}", prose(&gate.remedy));
        }
    }
    let names = |state| {
        open.iter()
            .filter(|gate| gate.state == state)
            .map(|gate| code(&gate.gate))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let holding = names(GateState::Holds);
    if !holding.is_empty() {
        let _ = writeln!(out, "- ✅ {holding}");
    }
    let idle = names(GateState::NotApplicable);
    if !idle.is_empty() {
        let _ = writeln!(out, "- ➖ not applicable: {idle}");
    }
    out.push('\n');
}

fn steps(out: &mut String, plan: &Plan) {
    if plan.verdict.plan.is_empty() {
        out.push_str("**No steps.**\n\n");
        return;
    }
    out.push_str("#### Steps\n\n");
    for (number, step) in plan.verdict.plan.iter().enumerate() {
        let _ = writeln!(out, "{}. **{:?}**: {}", number + 1, step.step, prose(&step.summary));
    }
    out.push('\n');
}

fn parameters(out: &mut String, plan: &Plan) {
    let changes = &plan.verdict.parameters;
    if changes.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "<details><summary>Parameters of the update: {}</summary>\n",
        count(changes.len(), "differs", "differ")
    );
    out.push_str("| | parameter | from | to | why |\n|---|---|---|---|---|\n");
    for change in changes {
        let what = match change.change {
            ChangeKind::Set => "set",
            ChangeKind::New => "new",
            ChangeKind::Dropped => "dropped",
            ChangeKind::Redefined => "redefined",
        };
        let value = |value: &Option<String>| {
            value.as_ref().map_or_else(|| "–".to_owned(), |value| code(value))
        };
        let _ = writeln!(
            out,
            "| {what} | {} | {} | {} | {} |",
            code(&change.key),
            value(&change.from),
            value(&change.to),
            prose(&change.why)
        );
    }
    out.push_str("\n</details>\n\n");
}

/// A value in a code span that its own backticks cannot end, and whose bars do not end a cell.
fn code(text: &str) -> String {
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let blank = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    // In a table a bar ends the cell, code or not, unless a backslash is before it; that one is not shown.
    format!("{fence}{blank}{}{blank}{fence}", text.replace('|', "\\|"))
}

/// A sentence in which nothing is markup but the code spans that our own messages have.
fn prose(text: &str) -> String {
    // Odd parts stand between backticks. With an odd number of them the last one is a character like any other.
    let parts: Vec<&str> = text.split('`').collect();
    let mut out = String::new();
    for (number, part) in parts.iter().enumerate() {
        let last_unpaired = parts.len().is_multiple_of(2) && number + 1 == parts.len();
        if number % 2 == 1 && !last_unpaired && !part.is_empty() {
            out.push_str(&code(part));
        } else {
            if last_unpaired {
                out.push_str("&#96;");
            }
            part.chars().for_each(|c| escape(&mut out, c));
        }
    }
    out
}

fn escape(out: &mut String, c: char) {
    match c {
        // As numbers, because `\@` still mentions and `\<` is no HTML but `<` in a link is.
        '<' | '>' | '&' | '@' | '#' | '|' | '!' => {
            let _ = write!(out, "&#{};", u32::from(c));
        }
        '\\' | '*' | '_' | '[' | ']' | '(' | ')' | '~' | '$' | '^' => {
            out.push('\\');
            out.push(c);
        }
        // A bare address becomes a link by its colon.
        ':' => out.push_str("&#58;"),
        _ => out.push(c),
    }
}

/// An address of ours; one with anything else in it than addresses have is shown as it is.
fn link(address: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#=&%+".contains(c);
    if address.starts_with("https://") && address.chars().all(plain) {
        format!("<{address}>")
    } else {
        code(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_text() {
        for (text, wanted, why) in [
            ("plain text.", "plain text.", "nothing to escape"),
            ("<img src=x>", "&#60;img src=x&#62;", "HTML"),
            ("@everyone #1", "&#64;everyone &#35;1", "mentions and references"),
            ("[a](https://e)", "\\[a\\]\\(https&#58;//e\\)", "links"),
            ("a | b", "a &#124; b", "cells"),
            ("set `a: b`", "set `a: b`", "code stays code"),
            ("a ` b <", "a &#96; b &#60;", "a backtick alone is none"),
            ("`a` ` <", "`a` &#96; &#60;", "nor one after a pair"),
        ] {
            assert_eq!(prose(text), wanted, "{why}");
        }
    }

    #[test]
    fn a_value_cannot_leave_its_code_span() {
        for (text, wanted, why) in [
            ("redis", "`redis`", "plain"),
            ("a`b", "``a`b``", "a backtick inside"),
            ("`a", "`` `a ``", "one at its end"),
            ("a|b", "`a\\|b`", "a bar would end the cell"),
            ("", "(empty)", "an empty span shows its fence"),
        ] {
            assert_eq!(code(text), wanted, "{why}");
        }
    }

    #[test]
    fn only_addresses_become_links() {
        assert_eq!(link("https://turbot.com/a?b=c"), "<https://turbot.com/a?b=c>");
        assert_eq!(link("https://e> <script>"), "`https://e> <script>`");
        assert_eq!(link("javascript:alert(1)"), "`javascript:alert(1)`");
    }
}
