//! A plan as text: what runs where, what disagrees and what to do about it, what stands in the way, what would be done.

use super::layout::{count, hang, table, table_with_text, width};
use super::paint::Paint;
use super::told::{
    change_mark, changes_title, closed, columns, gate_state, gates_title, in_order, values,
};
use crate::assess::types::{
    ChangeKind, Condition, ConditionStatus, ConditionType, Finding, GateState, ParameterChange,
    Severity, StepKind,
};
use crate::report::plan::Plan;
use crate::report::sides::CellState;
use crate::text::moment;

/// Plans one below the other.
pub fn plan(plans: &[Plan], paint: Paint, columns: usize) -> String {
    let mut out = String::new();
    for (number, plan) in plans.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        head(&mut out, plan, paint, columns);
        body(&mut out, plan, paint, columns);
    }
    out
}

/// What it is about, and the one sentence that matters.
pub(super) fn head(out: &mut String, plan: &Plan, paint: Paint, columns: usize) {
    Page { out, plan, paint, columns }.header();
}

/// Everything else.
pub(super) fn body(out: &mut String, plan: &Plan, paint: Paint, columns: usize) {
    let mut page = Page { out, plan, paint, columns };
    page.sides();
    page.findings("Drift: AWS differs from the document", "drift/");
    page.findings("Out of sync: AWS differs from itself", "sync/");
    page.findings("Worth knowing", "info/");
    page.gates();
    page.steps();
    page.parameters();
    page.notes();
}

struct Page<'a> {
    out: &'a mut String,
    plan: &'a Plan,
    paint: Paint,
    columns: usize,
}

/// What there is to say in one line: the condition that people ask for first.
pub(super) fn headline(conditions: &[Condition]) -> Option<&Condition> {
    let of = |kind| conditions.iter().find(move |condition| condition.kind == kind);
    let holds = |condition: &&Condition| condition.status == ConditionStatus::True;
    of(ConditionType::Stalled)
        .filter(holds)
        .or_else(|| of(ConditionType::Reconciling).filter(holds))
        .or_else(|| of(ConditionType::Ready))
}

impl Page<'_> {
    fn line(&mut self, text: impl AsRef<str>) {
        self.out.push_str(text.as_ref());
        self.out.push('\n');
    }

    fn section(&mut self, title: &str, more: &str) {
        self.line("");
        let more =
            if more.is_empty() { String::new() } else { format!("  {}", self.paint.dim(more)) };
        self.line(format!("{}{more}", self.paint.bold(title)));
    }

    fn header(&mut self) {
        let (plan, paint) = (self.plan, self.paint);
        let phase = format!("{:?}", plan.verdict.phase);
        let room = self.columns.saturating_sub(width(&plan.name) + width(&phase)).max(2);
        self.line(format!("{}{}{}", paint.bold(&plan.name), " ".repeat(room), paint.bold(&phase)));
        let actual = &plan.verdict.actual;
        let place: Vec<&str> =
            [&actual.account, &actual.region].into_iter().flatten().map(String::as_str).collect();
        let place =
            if place.is_empty() { String::new() } else { format!(" in {}", place.join(" ")) };
        let by = plan.revision.as_ref().map_or_else(
            || "without a document".to_owned(),
            |revision| format!("by {}", short(revision)),
        );
        let what = format!(
            "{}{place}, looked at {}, {by}",
            plan.provisioned_product,
            moment(plan.observed_at)
        );
        hang(self.out, "", &what, self.columns, |line| paint.dim(line));
        if let Some(condition) = headline(&plan.verdict.conditions) {
            self.line("");
            let colour = move |line: &str| match (condition.kind, condition.status) {
                (ConditionType::Ready, ConditionStatus::True) => paint.good(line),
                (ConditionType::Stalled | ConditionType::Ready, _) => paint.bad(line),
                _ => paint.waiting(line),
            };
            hang(self.out, "  ", &condition.message, self.columns, colour);
        }
    }

    fn sides(&mut self) {
        let (plan, paint) = (self.plan, self.paint);
        if plan.sides.is_empty() {
            return;
        }
        self.line("");
        let columns = columns(plan);
        let mut titles = vec![String::new(), String::new()];
        titles.extend(columns.iter().map(|(title, _)| (*title).to_owned()));
        let mut rows = vec![titles];
        for side in &plan.sides {
            let mark = if side.findings.is_empty() { "" } else { "≠" };
            let mut row = vec![mark.to_owned(), side.what.clone()];
            row.extend(columns.iter().map(|(_, cell)| cell(side).to_string()));
            rows.push(row);
        }
        let colour = |row: usize, column: usize, text: &str| {
            let Some(side) = row.checked_sub(1).and_then(|row| plan.sides.get(row)) else {
                return paint.dim(text);
            };
            let state = column
                .checked_sub(2)
                .and_then(|cell| columns.get(cell))
                .map(|(_, cell)| cell(side).state);
            match state {
                Some(CellState::Unreadable) => paint.bad(text),
                Some(CellState::Silent) => paint.dim(text),
                Some(CellState::Known | CellState::Absent) | None if !side.findings.is_empty() => {
                    paint.waiting(text)
                }
                Some(CellState::Known | CellState::Absent) | None => text.to_owned(),
            }
        };
        table(self.out, 0, &rows, self.columns, &[1, 2, 3, 4, 5], colour);
    }

    fn findings(&mut self, title: &str, prefix: &str) {
        let plan = self.plan;
        let findings: Vec<&Finding> = plan
            .verdict
            .findings
            .iter()
            .filter(|finding| finding.code.starts_with(prefix))
            .collect();
        if findings.is_empty() {
            return;
        }
        self.section(title, "");
        for (place, finding) in findings.iter().enumerate() {
            // What mends several is said once, below the last of them.
            let same = findings.get(place + 1).is_some_and(|next| next.remedy == finding.remedy);
            self.finding(finding, !same);
        }
    }

    fn finding(&mut self, finding: &Finding, with_remedy: bool) {
        let (paint, columns) = (self.paint, self.columns);
        let (mark, colour): (_, fn(Paint, &str) -> String) = match finding.severity {
            Severity::Critical => ("✗", |paint, text| paint.bad(text)),
            Severity::Warning => ("!", |paint, text| paint.waiting(text)),
            Severity::Info => ("·", |paint, text| paint.dim(text)),
        };
        let head = format!("  {} {}", colour(paint, mark), paint.bold(&finding.code));
        self.line(head);
        hang(self.out, "      ", &finding.message, columns, str::to_owned);
        let values =
            values(finding, str::to_owned).map(|values| format!("{values}; ")).unwrap_or_default();
        let since =
            finding.since.map(|since| format!("; since {}", moment(since))).unwrap_or_default();
        let read = format!("{values}read from {}{since}", finding.read_from);
        hang(self.out, "      ", &read, columns, |line| paint.dim(line));
        if with_remedy && !finding.remedy.is_empty() {
            hang(self.out, "    → ", &finding.remedy, columns, |line| paint.remedy(line));
        }
        if let Some(guide) = &finding.guide {
            self.line(format!("      {}", paint.dim(guide)));
        }
    }

    fn gates(&mut self) {
        let (plan, paint, columns) = (self.plan, self.paint, self.columns);
        let gates = &plan.verdict.gates;
        if gates.is_empty() {
            return;
        }
        self.section("Gates", &gates_title(gates));
        for group in closed(gates) {
            let Some(gate) = group.first() else { continue };
            let mark = match gate.state {
                GateState::Waiting => paint.waiting("…"),
                GateState::NeedsPerson | GateState::Holds | GateState::NotApplicable => {
                    paint.bad("✗")
                }
                GateState::Unknown => paint.bad("?"),
            };
            let names: Vec<&str> = group.iter().map(|gate| gate.gate.as_str()).collect();
            let (names, state) = (names.join(", "), gate_state(gate, plan));
            if 4 + width(&names) + 2 + width(&state) <= columns {
                self.line(format!("  {mark} {}  {}", paint.bold(&names), paint.dim(&state)));
            } else {
                // As coloured text is wider than it shows, the mark is not part of what is wrapped.
                let mut lines = String::new();
                hang(&mut lines, "    ", &names, columns, |line| paint.bold(line));
                self.out.push_str(&lines.replacen("    ", &format!("  {mark} "), 1));
                hang(self.out, "      ", &state, columns, |line| paint.dim(line));
            }
            hang(self.out, "      ", &gate.message, columns, str::to_owned);
            // Time's remedy is its name.
            if gate.state != GateState::Waiting && !gate.remedy.is_empty() {
                hang(self.out, "    → ", &gate.remedy, columns, |line| paint.remedy(line));
            }
        }
        let named = |state: GateState| -> String {
            let gates = gates.iter().filter(|gate| gate.holds && gate.state == state);
            gates.map(|gate| gate.gate.as_str()).collect::<Vec<_>>().join(", ")
        };
        let holds = named(GateState::Holds);
        if !holds.is_empty() {
            hang(self.out, "  ✓ ", &holds, columns, |line| paint.good(line));
        }
        let idle = named(GateState::NotApplicable);
        if !idle.is_empty() {
            hang(self.out, "  – ", &format!("not applicable: {idle}"), columns, |line| {
                paint.dim(line)
            });
        }
    }

    fn steps(&mut self) {
        let (plan, columns) = (self.plan, self.columns);
        let shut = plan.verdict.gates.iter().filter(|gate| !gate.holds).count();
        if plan.revision.is_none() {
            let paint = self.paint;
            self.section("Next", "");
            let text = format!(
                "`ted-controller adopt {}` writes a document that matches; `plan` with it says what differs",
                plan.provisioned_product
            );
            hang(self.out, "  → ", &text, columns, |line| paint.remedy(line));
            return;
        }
        if plan.verdict.plan.is_empty() {
            let differs =
                plan.verdict.findings.iter().any(|finding| finding.code.starts_with("drift/"));
            self.section("Steps", if differs { "none: the gates say why" } else { "none" });
            return;
        }
        // Waiting, and giving something back, is behind no gate.
        let waits = plan.verdict.plan.first().is_some_and(|step| !step.step.begins_something());
        let when = if shut == 0 || waits {
            String::new()
        } else {
            format!("once {}", count(shut, "gate opens", "gates open"))
        };
        self.section("Steps", &when);
        let widest = plan
            .verdict
            .plan
            .iter()
            .map(|step| format!("{:?}", step.step).len())
            .max()
            .unwrap_or(0);
        for (number, step) in plan.verdict.plan.iter().enumerate() {
            let name = format!("{:?}", step.step);
            let first = format!("  {:>2}. {name:<widest$}  ", number + 1);
            hang(self.out, &first, &step.summary, columns, str::to_owned);
        }
    }

    fn parameters(&mut self) {
        let (plan, paint) = (self.plan, self.paint);
        let changes = &plan.verdict.parameters;
        if changes.is_empty() {
            return;
        }
        let updates = plan.verdict.plan.iter().any(|step| step.step == StepKind::Update);
        let title =
            if updates { "Parameters of the update" } else { "Parameters, as far as known" };
        self.section(title, &changes_title(changes));
        let mut rows = vec![["", "parameter", "value", "why"].map(str::to_owned).to_vec()];
        let changes = in_order(changes);
        rows.extend(changes.iter().map(|change| {
            vec![
                change_mark(change.change).to_owned(),
                change.key.clone(),
                from_to(change),
                change.why.clone(),
            ]
        }));
        let colour = |row: usize, column: usize, text: &str| {
            let change =
                row.checked_sub(1).and_then(|row| changes.get(row)).map(|change| change.change);
            match (change, column) {
                (None, _) | (_, 3) => paint.dim(text),
                (Some(ChangeKind::Dropped), 0) => paint.bad(text),
                (Some(ChangeKind::New), 0) => paint.good(text),
                (Some(ChangeKind::Set | ChangeKind::Redefined), 0) => paint.waiting(text),
                (Some(_), _) => text.to_owned(),
            }
        };
        table_with_text(self.out, (2, 7), rows, self.columns, colour);
    }

    fn notes(&mut self) {
        let (plan, columns) = (self.plan, self.columns);
        if plan.verdict.notes.is_empty() {
            return;
        }
        self.section("Notes", "");
        for note in &plan.verdict.notes {
            hang(self.out, "  · ", note, columns, str::to_owned);
        }
    }
}

/// What a parameter is and will be: `200 → 240`; once when it stays, or was not there before.
fn from_to(change: &ParameterChange) -> String {
    let shown = |value: &str| if value.is_empty() { "\"\"".to_owned() } else { value.to_owned() };
    match (change.from.as_deref(), change.to.as_deref()) {
        (Some(from), Some(to)) if from != to => format!("{} → {}", shown(from), shown(to)),
        (Some(from), None) => format!("{} → –", shown(from)),
        (_, Some(to)) => shown(to),
        (None, None) => "–".to_owned(),
    }
}

/// A revision as people compare it: the first 12 digits of its digest.
pub(super) fn short(revision: &str) -> String {
    match revision.rsplit_once(':') {
        Some((kind, digest)) => format!("{kind}:{}", digest.chars().take(12).collect::<String>()),
        None => revision.to_owned(),
    }
}
