//! One TED as text: what a plan tells, and around it what only a running daemon knows: since when, how far, what happened.

use super::frozen;
use super::layout::{age, count, hang, table, table_with_text};
use super::paint::Paint;
use super::plan::short;
use crate::assess::types::{ConditionStatus, ConditionType, Phase};
use crate::report::plan::{Plan, Verdict};
use crate::report::status::{EventsState, Freeze, History, Outcome, Ted, TimedCondition};
use crate::report::{Event, EventKind};
use crate::text::moment;
use jiff::Timestamp;
use serde_json::Value;
use std::fmt::Write as _;

/// How many events and past updates are shown unless all of them are wanted.
const LAST: usize = 5;

/// How much of a TED is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The last few things that happened.
    Short,
    /// All that is known.
    Full,
}

/// One TED. `events` are newest first; `now` is the host's time.
pub fn ted(
    ted: &Ted,
    freeze: &Freeze,
    events: &[Event],
    now: Timestamp,
    extent: Extent,
    paint: Paint,
    columns: usize,
) -> String {
    let mut page = Page { out: String::new(), ted, now, paint, columns };
    page.freeze(freeze);
    let plan = ted.status.observed_at.map(|observed_at| page.plan(observed_at));
    page.head(plan.as_ref());
    page.trouble();
    page.progress();
    page.worker_events();
    if let Some(plan) = &plan {
        super::plan::body(&mut page.out, plan, paint, columns);
    }
    page.conditions();
    let most = if extent == Extent::Full { usize::MAX } else { LAST };
    page.history(most);
    page.happened(events, most);
    page.out
}

struct Page<'a> {
    out: String,
    ted: &'a Ted,
    now: Timestamp,
    paint: Paint,
    columns: usize,
}

impl Page<'_> {
    fn section(&mut self, title: &str) {
        self.out.push('\n');
        self.out.push_str(&self.paint.bold(title));
        self.out.push('\n');
    }

    fn text(&mut self, text: &str) {
        hang(&mut self.out, "  ", text, self.columns, str::to_owned);
    }

    fn freeze(&mut self, freeze: &Freeze) {
        if freeze.frozen {
            let paint = self.paint;
            hang(&mut self.out, "", &frozen(freeze), self.columns, |line| paint.waiting(line));
            self.out.push('\n');
        }
    }

    /// What it is about, the one sentence that matters, and how old that is.
    fn head(&mut self, plan: Option<&Plan>) {
        let status = &self.ted.status;
        if let Some(plan) = plan {
            super::plan::head(&mut self.out, plan, self.paint, self.columns);
        } else {
            let name = self.paint.bold(&self.ted.metadata.name);
            let what = format!("{}, never looked at with success", self.product());
            let _ = writeln!(self.out, "{name}\n{}", self.paint.dim(what));
        }
        let times = [
            status.looked_at.map(|at| format!("looked at {} ago", age(self.now, at))),
            status.next_look_at.map(|at| format!("next look in {}", age(at, self.now))),
        ];
        let times: Vec<String> = times.into_iter().flatten().collect();
        if !times.is_empty() {
            let _ = writeln!(self.out, "  {}", self.paint.dim(times.join(", ")));
        }
    }

    fn trouble(&mut self) {
        let Some(trouble) = &self.ted.status.trouble else { return };
        self.section("It cannot be looked at");
        let paint = self.paint;
        hang(&mut self.out, "  ", &trouble.message, self.columns, |line| paint.bad(line));
        let since = format!(
            "{}, for {}, since {}",
            trouble.reason,
            age(self.now, trouble.since),
            moment(trouble.since)
        );
        hang(&mut self.out, "  ", &since, self.columns, |line| paint.dim(line));
    }

    fn product(&self) -> &str {
        let product = self.ted.spec.get("provisionedProduct").and_then(Value::as_str);
        product.unwrap_or(&self.ted.metadata.name)
    }

    /// The last verdict in the form that plans are rendered from.
    fn plan(&self, observed_at: Timestamp) -> Plan {
        let status = self.ted.status.clone();
        Plan {
            name: self.ted.metadata.name.clone(),
            provisioned_product: self.product().to_owned(),
            revision: status.observed_revision,
            observed_at,
            sides: status.sides,
            verdict: Verdict {
                phase: status.phase.unwrap_or(Phase::Waiting),
                conditions: status.conditions.iter().map(TimedCondition::condition).collect(),
                actual: status.actual,
                findings: status.findings,
                gates: status.gates,
                plan: status.plan,
                parameters: status.parameters,
                notes: status.notes,
            },
        }
    }

    fn progress(&mut self) {
        let Some(progress) = &self.ted.status.progress else { return };
        let current =
            progress.current.as_ref().map(|current| format!("; now {current}")).unwrap_or_default();
        let text = format!(
            "{} of {} stacks, {} of {} resources{current}",
            progress.stacks_done,
            progress.stacks_total,
            progress.resources_done,
            progress.resources_total
        );
        self.section("Update under way");
        self.text(&text);
    }

    fn worker_events(&mut self) {
        let Some(events) = self.ted.status.events.as_ref().filter(|events| events.paused) else {
            return;
        };
        let text = paused(events, self.now);
        self.section("Events are paused");
        self.text(&text);
    }

    fn conditions(&mut self) {
        let titles = ["CONDITION", "STATUS", "FOR", "REASON", "MESSAGE"];
        let mut rows = vec![titles.map(str::to_owned).to_vec()];
        let conditions = &self.ted.status.conditions;
        rows.extend(conditions.iter().map(|condition| {
            vec![
                format!("{:?}", condition.kind),
                format!("{:?}", condition.status),
                age(self.now, condition.last_transition_time),
                condition.reason.clone(),
                condition.message.clone(),
            ]
        }));
        let paint = self.paint;
        let colour = |row: usize, column: usize, text: &str| {
            let condition = row.checked_sub(1).and_then(|row| conditions.get(row));
            match (condition, column) {
                (None, _) | (_, 2) => paint.dim(text),
                (Some(condition), 1) => mood(condition, paint, text),
                (Some(_), _) => text.to_owned(),
            }
        };
        self.out.push('\n');
        table_with_text(&mut self.out, (0, 2), rows, self.columns, colour);
    }

    fn history(&mut self, most: usize) {
        let history = &self.ted.status.history;
        if history.is_empty() {
            return;
        }
        let rows: Vec<Vec<String>> = history
            .iter()
            .take(most)
            .map(|update| {
                let took = update.seconds.and_then(|seconds| i64::try_from(seconds).ok());
                let took = took.and_then(|seconds| Timestamp::from_second(seconds).ok());
                vec![
                    moment(update.at),
                    format!("{:?}", update.outcome),
                    took.map_or_else(|| "–".to_owned(), |took| age(took, Timestamp::UNIX_EPOCH)),
                    update.record_id.clone().unwrap_or_else(|| "–".to_owned()),
                    wanted_by(update),
                ]
            })
            .collect();
        self.section("Past updates");
        let paint = self.paint;
        let outcomes: Vec<Outcome> = history.iter().map(|update| update.outcome).collect();
        table(&mut self.out, 2, &rows, self.columns, &[3, 4], |row, column, text| {
            match (outcomes.get(row), column) {
                (Some(Outcome::Succeeded), 1) => paint.good(text),
                (Some(Outcome::Failed), 1) => paint.bad(text),
                (Some(Outcome::InProgress), 1) => paint.waiting(text),
                _ => text.to_owned(),
            }
        });
    }

    fn happened(&mut self, events: &[Event], most: usize) {
        if events.is_empty() {
            return;
        }
        self.section("What happened");
        let paint = self.paint;
        for event in events.iter().take(most) {
            let times = if event.count > 1 {
                format!(" ({}, first {} ago)", count_times(event.count), age(self.now, event.at))
            } else {
                String::new()
            };
            let first = format!("  {:>7} ago  ", age(self.now, event.last_at));
            let text = format!("{}: {}{times}", event.reason, event.message);
            hang(&mut self.out, &first, &text, self.columns, |line| match event.kind {
                EventKind::Normal => line.to_owned(),
                EventKind::Warning => paint.waiting(line),
            });
        }
        if events.len() > most {
            let more = count(events.len() - most, "earlier one", "earlier ones");
            self.out.push_str(&paint.dim(format!("  and {more}: `-o wide` shows all\n")));
        }
    }
}

/// For which revision an update was, and whose commit that is.
fn wanted_by(update: &History) -> String {
    let Some(revision) = &update.revision else { return String::new() };
    let revision = short(revision);
    match &update.commit {
        Some(commit) => format!("{revision} {} ({})", commit.subject, commit.author),
        None => revision,
    }
}

fn count_times(count: u64) -> String {
    format!("{count} times")
}

/// Since when events wait, how many, and until when that is no loss.
fn paused(events: &EventsState, now: Timestamp) -> String {
    let mut text = count(events.triggers, "trigger is off", "triggers are off");
    if let Some(since) = events.since {
        let _ = write!(text, " for {}, since {}", age(now, since), moment(since));
    }
    if let Some(backlog) = events.backlog {
        let _ = write!(text, "; {backlog} events wait");
    }
    if let Some(loss) = events.loss_begins {
        let _ = write!(text, "; from {} on the oldest are lost", moment(loss));
    }
    text
}

/// Green for what one wants to read, red for what one does not.
fn mood(condition: &TimedCondition, paint: Paint, text: &str) -> String {
    match (condition.kind, condition.status) {
        (_, ConditionStatus::Unknown) => paint.waiting(text),
        (ConditionType::Ready, ConditionStatus::True) => paint.good(text),
        (ConditionType::Ready, ConditionStatus::False)
        | (ConditionType::Stalled, ConditionStatus::True) => paint.bad(text),
        (_, ConditionStatus::True) => paint.waiting(text),
        (_, ConditionStatus::False) => text.to_owned(),
    }
}
