//! Plans as Markdown, for a comment on a pull request.
//!
//! Foreign text must not become markup, a link, a mention of a person or a reference to an issue. Values go into code spans, which
//! show everything as it is; sentences have every character escaped that could begin something.

use super::layout::count;
use super::plan::{headline, short};
use super::told::{closed, columns, gate_state, gates_title, in_order, values};
use crate::assess::types::{ChangeKind, Finding, Gate, GateState, Severity};
use crate::report::plan::Plan;
use crate::text::moment;
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
    gates(out, plan);
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
    let columns = columns(plan);
    let titles: Vec<&str> = columns.iter().map(|(title, _)| *title).collect();
    let _ = writeln!(out, "| | {} |\n|{}", titles.join(" | "), "---|".repeat(titles.len() + 1));
    for side in &plan.sides {
        let mark = if side.findings.is_empty() { "" } else { "≠ " };
        let cells: Vec<String> = columns
            .iter()
            .map(|(_, cell)| cell(side))
            .map(
                |cell| {
                    if cell.value.is_some() { code(&cell.to_string()) } else { cell.to_string() }
                },
            )
            .collect();
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
        let values = values(finding, code).map(|values| format!("{values}; ")).unwrap_or_default();
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

fn gates(out: &mut String, plan: &Plan) {
    let gates = &plan.verdict.gates;
    if gates.is_empty() {
        return;
    }
    let _ = writeln!(out, "#### Gates: {}\n", gates_title(gates));
    let names = |gates: &[&Gate], between: &str| {
        gates.iter().map(|gate| code(&gate.gate)).collect::<Vec<_>>().join(between)
    };
    for group in closed(gates) {
        let Some(gate) = group.first() else { continue };
        let _ = writeln!(
            out,
            "- ❌ **{}** ({}): {}",
            names(&group, ", "),
            gate_state(gate, plan),
            prose(&gate.message)
        );
        if gate.state != GateState::Waiting && !gate.remedy.is_empty() {
            let _ = writeln!(out, "  <br>→ {}", prose(&gate.remedy));
        }
    }
    let open = |state| {
        let open: Vec<&Gate> =
            gates.iter().filter(|gate| gate.holds && gate.state == state).collect();
        names(&open, " ")
    };
    let holding = open(GateState::Holds);
    if !holding.is_empty() {
        let _ = writeln!(out, "- ✅ {holding}");
    }
    let idle = open(GateState::NotApplicable);
    if !idle.is_empty() {
        let _ = writeln!(out, "- ➖ not applicable: {idle}");
    }
    out.push('\n');
}

fn steps(out: &mut String, plan: &Plan) {
    if plan.revision.is_none() {
        return;
    }
    if plan.verdict.plan.is_empty() {
        out.push_str("**No steps.**\n\n");
        return;
    }
    let shut = plan.verdict.gates.iter().filter(|gate| !gate.holds).count();
    let waits = plan.verdict.plan.first().is_some_and(|step| !step.step.begins_something());
    let when = match shut {
        _ if waits => String::new(),
        0 => String::new(),
        _ => format!(", once {}", count(shut, "gate opens", "gates open")),
    };
    let _ = writeln!(out, "#### Steps{when}\n");
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
    for change in in_order(changes) {
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
