//! A plan as text: what runs where, what disagrees and what to do about it, what stands in the way, what would be done.

use super::layout::{count, hang, moment, table, width};
use super::paint::Paint;
use crate::assess::types::{
    ChangeKind, Condition, ConditionStatus, ConditionType, Finding, Gate, GateState, Severity,
};
use crate::report::plan::Plan;
use crate::report::sides::CellState;

/// Plans one below the other.
pub fn plan(plans: &[Plan], paint: Paint, columns: usize) -> String {
    let mut out = String::new();
    for (number, plan) in plans.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let mut page = Page { out: &mut out, plan, paint, columns };
        page.header();
        page.sides();
        page.findings("Drift: AWS differs from the document", "drift/");
        page.findings("Out of sync: AWS differs from itself", "sync/");
        page.findings("Worth knowing", "info/");
        page.gates();
        page.steps();
        page.parameters();
        page.notes();
    }
    out
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
        let titles = ["", "", "document", "Service Catalog", "CloudFormation", "RDS, ElastiCache"];
        let mut rows = vec![titles.map(str::to_owned).to_vec()];
        for side in &plan.sides {
            let mark = if side.findings.is_empty() { "" } else { "≠" };
            let cells = [&side.desired, &side.service_catalog, &side.cloud_formation, &side.real];
            let mut row = vec![mark.to_owned(), side.what.clone()];
            row.extend(cells.map(ToString::to_string));
            rows.push(row);
        }
        let colour = |row: usize, column: usize, text: &str| {
            let Some(side) = row.checked_sub(1).and_then(|row| plan.sides.get(row)) else {
                return paint.dim(text);
            };
            let cells = [&side.desired, &side.service_catalog, &side.cloud_formation, &side.real];
            let state =
                column.checked_sub(2).and_then(|cell| cells.get(cell)).map(|cell| cell.state);
            match state {
                Some(CellState::Unreadable) => paint.bad(text),
                Some(CellState::Silent) => paint.dim(text),
                Some(CellState::Known | CellState::Absent) | None if !side.findings.is_empty() => {
                    paint.waiting(text)
                }
                Some(CellState::Known | CellState::Absent) | None => text.to_owned(),
            }
        };
        table(self.out, 0, &rows, colour);
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
        for finding in findings {
            self.finding(finding);
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let (paint, columns) = (self.paint, self.columns);
        let (mark, colour): (_, fn(Paint, &str) -> String) = match finding.severity {
            Severity::Critical => ("✗", |paint, text| paint.bad(text)),
            Severity::Warning => ("!", |paint, text| paint.waiting(text)),
            Severity::Info => ("·", |paint, text| paint.dim(text)),
        };
        let head = format!("  {} {}", colour(paint, mark), paint.bold(&finding.code));
        self.line(head);
        hang(self.out, "      ", &finding.message, columns, str::to_owned);
        let values = match (&finding.desired, &finding.actual) {
            (Some(desired), Some(actual)) => format!("{actual} instead of {desired}; "),
            (None, Some(actual)) => format!("{actual}; "),
            (Some(desired), None) => format!("not {desired}; "),
            (None, None) => String::new(),
        };
        let since =
            finding.since.map(|since| format!("; since {}", moment(since))).unwrap_or_default();
        let read = format!("{values}read from {}{since}", finding.read_from);
        hang(self.out, "      ", &read, columns, |line| paint.dim(line));
        if !finding.remedy.is_empty() {
            hang(self.out, "    → ", &finding.remedy, columns, |line| paint.remedy(line));
        }
        if let Some(guide) = &finding.guide {
            self.line(format!("      {}", paint.dim(guide)));
        }
    }

    fn gates(&mut self) {
        let (plan, paint, columns) = (self.plan, self.paint, self.columns);
        let (open, shut): (Vec<&Gate>, Vec<&Gate>) =
            plan.verdict.gates.iter().partition(|gate| gate.holds);
        if plan.verdict.gates.is_empty() {
            return;
        }
        let all = format!("{} of {} hold", open.len(), plan.verdict.gates.len());
        self.section("Gates", &all);
        for gate in shut {
            let (mark, word) = match gate.state {
                GateState::Waiting => (paint.waiting("…"), "opens with time"),
                GateState::NeedsPerson => (paint.bad("✗"), "needs a person"),
                GateState::Unknown => (paint.bad("?"), "unknown"),
                GateState::Holds | GateState::NotApplicable => (paint.bad("✗"), "does not hold"),
            };
            let until = gate.until.map(|until| format!(", {}", moment(until))).unwrap_or_default();
            self.line(format!(
                "  {mark} {}  {}",
                paint.bold(&gate.gate),
                paint.dim(format!("{word}{until}"))
            ));
            hang(self.out, "      ", &gate.message, columns, str::to_owned);
            if !gate.remedy.is_empty() {
                hang(self.out, "    → ", &gate.remedy, columns, |line| paint.remedy(line));
            }
        }
        let named = |state: GateState| -> String {
            let gates = open.iter().filter(|gate| gate.state == state);
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
        if plan.verdict.plan.is_empty() {
            self.section("Steps", "none");
            return;
        }
        let when = if shut == 0 {
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
        self.section("Parameters of the update", &count(changes.len(), "differs", "differ"));
        let mut rows = vec![["", "parameter", "from", "to", "why"].map(str::to_owned).to_vec()];
        for change in changes {
            let text = |value: &Option<String>| match value.as_deref() {
                None => "–".to_owned(),
                Some("") => "\"\"".to_owned(),
                Some(value) => value.to_owned(),
            };
            rows.push(vec![
                change_mark(change.change).to_owned(),
                change.key.clone(),
                text(&change.from),
                text(&change.to),
                change.why.clone(),
            ]);
        }
        let colour = |row: usize, column: usize, text: &str| {
            let change =
                row.checked_sub(1).and_then(|row| changes.get(row)).map(|change| change.change);
            match (change, column) {
                (None, _) | (_, 4) => paint.dim(text),
                (Some(ChangeKind::Dropped), 0) => paint.bad(text),
                (Some(ChangeKind::New), 0) => paint.good(text),
                (Some(ChangeKind::Set | ChangeKind::Redefined), 0) => paint.waiting(text),
                (Some(_), _) => text.to_owned(),
            }
        };
        table(self.out, 2, &rows, colour);
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

/// A sign for what happens to a parameter.
fn change_mark(change: ChangeKind) -> &'static str {
    match change {
        ChangeKind::Set => "~",
        ChangeKind::New => "+",
        ChangeKind::Dropped => "-",
        ChangeKind::Redefined => "*",
    }
}

/// A revision as people compare it: the first 12 digits of its digest.
pub(super) fn short(revision: &str) -> String {
    match revision.rsplit_once(':') {
        Some((kind, digest)) => format!("{kind}:{}", digest.chars().take(12).collect::<String>()),
        None => revision.to_owned(),
    }
}
