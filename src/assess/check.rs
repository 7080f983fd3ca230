//! Rules that every assessment keeps, said a second time and more simply than where they are made true.
//!
//! A broken rule is a mistake of ours, never of the world: tests call [`broken_rules`] for every world they can think of, and the
//! controller before it acts. Nothing here is repaired; whoever calls does not act on an assessment that breaks one. Pure.

mod update;

#[cfg(test)]
mod tests;

use super::codes::{self, Of};
use super::findings::makes_unready;
use super::gates;
use super::types::{
    Assessment, ConditionStatus, ConditionType, Finding, Gate, GateState, Order, Severity, Step,
    StepKind,
};
use crate::desired::Desired;
use crate::observe::observation::Observation;
use std::fmt;

/// The six conditions, in their order.
const CONDITIONS: [ConditionType; 6] = [
    ConditionType::Ready,
    ConditionType::Reconciling,
    ConditionType::Stalled,
    ConditionType::Drifted,
    ConditionType::OutOfSync,
    ConditionType::EventsPaused,
];

/// A rule that an assessment breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The rule, as a sentence.
    pub rule: &'static str,
    /// What breaks it.
    pub by: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.by)
    }
}

/// What rules are broken, collected.
#[derive(Default)]
struct Found(Vec<Broken>);

impl Found {
    /// Notes a rule as broken unless it holds. `by` is only made when it does not.
    fn must(&mut self, holds: bool, rule: &'static str, by: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Broken { rule, by: by() });
        }
    }
}

/// The rules that an assessment breaks: none, or we made a mistake.
pub fn broken_rules(
    desired: Option<&Desired>,
    observation: &Observation,
    assessment: &Assessment,
) -> Vec<Broken> {
    let mut found = Found::default();
    conditions(desired, assessment, &mut found);
    of_gates(desired, assessment, &mut found);
    findings(&assessment.findings, &mut found);
    steps(observation, assessment, &mut found);
    for step in assessment.plan.iter().chain(&assessment.next) {
        if let (Some(desired), Order::Update(order)) = (desired, &step.order) {
            update::order(desired, observation, order, &mut found);
        }
    }
    if let (Some(desired), Some(Step { order: Order::Update(order), .. })) =
        (desired, &assessment.next)
    {
        update::start(desired, observation, order, &mut found);
    }
    found.0
}

/// 1. All six are there, they say why, and no two of them contradict each other.
fn conditions(desired: Option<&Desired>, assessment: &Assessment, found: &mut Found) {
    let kinds: Vec<ConditionType> =
        assessment.conditions.iter().map(|condition| condition.kind).collect();
    found.must(kinds == CONDITIONS, "all six conditions are there, in their order", || {
        format!("{kinds:?}")
    });
    for condition in &assessment.conditions {
        let known =
            codes::all().any(|known| known.of == Of::Reason && known.code == condition.reason);
        found.must(known, "the reason of a condition is documented", || condition.reason.clone());
        found.must(!condition.message.is_empty(), "a condition has a message", || {
            format!("{:?}", condition.kind)
        });
    }
    let is = |kind| {
        assessment
            .conditions
            .iter()
            .any(|condition| condition.kind == kind && condition.status == ConditionStatus::True)
    };
    let (ready, reconciling, stalled) =
        (is(ConditionType::Ready), is(ConditionType::Reconciling), is(ConditionType::Stalled));
    let say = || format!("{:?}", assessment.conditions);
    found.must(!(ready && stalled), "never ready and stalled", say);
    found.must(!(reconciling && stalled), "never reconciling and stalled", say);
    let unready = |finding: &&Finding| makes_unready(finding) && finding.code != "sync/unreadable";
    if ready {
        let wrong = assessment.findings.iter().find(unready);
        found.must(wrong.is_none(), "never ready with a finding that makes it unready", || {
            wrong.map(|finding| finding.code.clone()).unwrap_or_default()
        });
        let wanted = desired.and_then(|desired| desired.spec.cache.as_ref());
        let engine = assessment.actual.engine.as_deref();
        found.must(
            wanted.is_none_or(|cache| engine == Some(cache.engine.as_str())),
            "ready only with the engine that was asked for, read from the cache",
            || format!("{engine:?}"),
        );
        let updates = assessment.next.iter().any(|step| step.step == StepKind::Update);
        found.must(!updates, "never ready with an update to send", say);
    }
    let differs = |prefix: &str| {
        assessment.findings.iter().any(|finding| {
            finding.code.starts_with(prefix)
                && finding.severity > Severity::Info
                && finding.code != "sync/unreadable"
        })
    };
    for (kind, prefix) in [(ConditionType::Drifted, "drift/"), (ConditionType::OutOfSync, "sync/")]
    {
        found.must(
            is(kind) == differs(prefix),
            "a condition about findings is true when there are such findings, and only then",
            || format!("{kind:?}"),
        );
    }
}

/// 2. Every gate is asked, in order, and says what makes it hold.
fn of_gates(desired: Option<&Desired>, assessment: &Assessment, found: &mut Found) {
    let names: Vec<&str> = assessment.gates.iter().map(|gate| gate.gate.as_str()).collect();
    let expected: Vec<&str> = if desired.is_some() { gates::names().collect() } else { Vec::new() };
    found.must(names == expected, "every gate is asked of a document, in order", || {
        names.join(", ")
    });
    for gate in &assessment.gates {
        let passes = match gate.state {
            GateState::Holds | GateState::NotApplicable => true,
            GateState::Waiting | GateState::NeedsPerson | GateState::Unknown => false,
        };
        let say = || format!("{}: {:?}", gate.gate, gate.state);
        found.must(gate.holds == passes, "a gate holds by its state", say);
        found.must(gate.holds == gate.remedy.is_empty(), "a closed gate has a remedy", say);
        found.must(gate.holds || !gate.message.is_empty(), "a closed gate says why", say);
        let timed = gate.until.is_none() || gate.state == GateState::Waiting;
        found.must(timed, "only what waits has a time to wait for", say);
    }
}

/// 3. Findings are sorted, each once, and each can be acted on.
fn findings(findings: &[Finding], found: &mut Found) {
    let sorted = findings.is_sorted_by(|a, b| {
        (b.severity, &a.code, &a.message) <= (a.severity, &b.code, &b.message)
    });
    let codes =
        || findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>().join(", ");
    found.must(sorted, "findings are sorted: the worst first, then by code and message", codes);
    let twice = findings.windows(2).any(|pair| pair[0] == pair[1]);
    found.must(!twice, "no finding is there twice", codes);
    for finding in findings {
        let say = || finding.code.clone();
        let known = codes::all().any(|known| known.of == Of::Finding && known.code == finding.code);
        found.must(known, "the code of a finding is documented", say);
        let told = [&finding.message, &finding.read_from, &finding.remedy];
        let told = told.iter().all(|text| !text.is_empty());
        found.must(told, "a finding says what, where it was read, and what to do", say);
    }
}

/// 4. What may be done now begins nothing behind a closed gate and nothing during a change.
fn steps(observation: &Observation, assessment: &Assessment, found: &mut Found) {
    let updates = |step: &&Step| step.step == StepKind::Update;
    found.must(
        assessment.plan.iter().filter(updates).count() <= 1,
        "a plan has one update at most",
        || format!("{:?}", kinds(&assessment.plan)),
    );
    if is_moving(observation) {
        let planned = assessment.plan.iter().chain(&assessment.next).find(updates);
        found.must(planned.is_none(), "no update is planned while a change runs", || {
            planned.map(|step| step.summary.clone()).unwrap_or_default()
        });
    }
    for step in assessment.plan.iter().chain(&assessment.next) {
        let fits = match (step.step, &step.order) {
            (StepKind::Update, Order::Update(_)) | (StepKind::Wait, Order::Wait(_)) => true,
            (
                StepKind::Hold | StepKind::Disable | StepKind::Release | StepKind::Enable,
                Order::Triggers(targets),
            ) => !targets.is_empty(),
            (
                StepKind::Hold | StepKind::Disable | StepKind::Release | StepKind::Enable,
                Order::Later,
            ) => true,
            (StepKind::ContinueRollback, Order::Continue(order)) => order.continued < 2,
            (StepKind::Update | StepKind::ContinueRollback | StepKind::Wait, _)
            | (
                StepKind::Hold | StepKind::Disable | StepKind::Release | StepKind::Enable,
                Order::Update(_) | Order::Continue(_) | Order::Wait(_),
            ) => false,
        };
        found
            .must(fits, "a step's order is of its kind, and of something", || step.summary.clone());
        found.must(!step.summary.is_empty(), "a step says what it does", || {
            format!("{:?}", step.step)
        });
    }
    if let Some(next) = &assessment.next {
        let decided = !matches!(next.order, Order::Later);
        found.must(decided, "the next step leaves nothing to decide", || next.summary.clone());
        let begins = next.step.begins_something() && !is_moving(observation);
        // Of what runs already newcomers are held too, whatever the gates say: that keeps a start, and is none.
        let stuck =
            observation.root.present().is_some_and(|root| root.status == "UPDATE_ROLLBACK_FAILED");
        // To continue a rollback is to finish something: it has gates of its own, and it comes before the update's.
        let asked = |gate: &Gate| match gate.gate.as_str() {
            "account" | "identity" | "allowed" | "events-pausable" => true,
            _ => !stuck,
        };
        found.must(
            !begins || assessment.gates.iter().filter(|gate| asked(gate)).all(|gate| gate.holds),
            "nothing begins while a gate does not hold",
            || next.summary.clone(),
        );
        found.must(
            !stuck || next.step != StepKind::Update,
            "no update is sent into a stack whose rollback failed",
            || next.summary.clone(),
        );
        found.must(
            stuck || next.step != StepKind::ContinueRollback,
            "only a rollback that failed is continued",
            || next.summary.clone(),
        );
    }
}

fn kinds(plan: &[Step]) -> Vec<StepKind> {
    plan.iter().map(|step| step.step).collect()
}

/// Whether any of the truths says that something is being changed.
fn is_moving(observation: &Observation) -> bool {
    let product = observation.products.present().into_iter().flatten();
    let record = observation.last_record.present();
    product.into_iter().any(|product| product.status == "UNDER_CHANGE")
        || observation.root.present().is_some_and(|root| root.status.ends_with("_IN_PROGRESS"))
        || record.is_some_and(|record| {
            matches!(record.status.as_str(), "CREATED" | "IN_PROGRESS" | "IN_PROGRESS_IN_ERROR")
        })
}
