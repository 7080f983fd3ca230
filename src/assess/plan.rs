//! What would be done, in order: hold and disable the triggers, update, give the triggers back; and before that, where a rollback failed,
//! its continuation.
//!
//! A plan is no permission. It is there as soon as its update can be named whole, whatever the gates say, so that people see what
//! would happen. What may be done now is said beside it: what [`super::protocol`] asks for, else the update when every gate holds.

use super::Context;
use super::facts::{Facts, Target, ThePath};
use super::gates::{self, Case};
use super::holds::{End, Hold, NO_RECORD, Release, hold_key, hold_of, holds_on};
use super::protocol::{self, Act, Me, Next, Sent, Terms, Wish, Write};
use super::recovery::Recovery;
use super::types::{
    ChangeKind, ContinueOrder, Expected, Gate, GateState, Order, Step, StepKind, TriggerTarget,
    UpdateOrder, WaitOrder,
};
use crate::observe::observation::{Observation, Product, Trigger};
use crate::text::moment;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The token that an update is sent with: a digest of the provisioned product and its last provisioning record, and of nothing else.
///
/// Whoever acts on the same "before" so asks for the same one update. Of letters and digits, a letter first: Service Catalog takes
/// `[a-zA-Z0-9][a-zA-Z0-9_-]*`, at most 128.
pub fn update_token(product_id: &str, last_provisioning_record_id: Option<&str>) -> String {
    let mut digest = Sha256::new();
    // With lengths, so that no two pairs run together into one text; and "no record" is not a record without a name.
    for part in [Some(product_id), last_provisioning_record_id] {
        let length = part.map_or(u64::MAX, |part| part.len() as u64);
        digest.update(length.to_be_bytes());
        digest.update(part.unwrap_or_default().as_bytes());
    }
    digest.finalize().iter().take(16).fold("ted".to_owned(), |mut token, byte| {
        let _ = write!(token, "{byte:02x}");
        token
    })
}

/// The plan for a document, and what of it may be done now.
pub(super) fn plan(
    case: &Case<'_>,
    asked: &[Gate],
    recovery: Option<&Recovery>,
) -> (Vec<Step>, Option<Step>) {
    // What can never start is no plan.
    let order = update_order(case).filter(|_| !gates::leads_nowhere(case));
    let pause = case.desired.spec.events.pause;
    let digest = case.desired.digest();
    let wish = match (&order, recovery) {
        (_, Some(recovery)) if pause && recovery.goes() => {
            Wish::Repair { digest: digest.as_str(), drain: case.desired.spec.events.drain }
        }
        // Triggers on their way to Disabled close a gate for a moment: what is paused for the continuation stays so.
        (_, Some(recovery)) if pause && opens_soon(case, recovery) => {
            Wish::Soon { digest: digest.as_str() }
        }
        (Some(_), None) if pause => wish(case, asked, digest.as_str()),
        (_, _) => Wish::Nothing,
    };
    let next = protocol_says(case.observation, case.context, &wish);
    let is_paused = next == Next::Paused;
    let duty = match next {
        Next::Write(act, writes) => Some(trigger_step(case.observation, act, &writes)),
        Next::Wait { wait_for, until } => Some(wait(wait_for, until)),
        Next::Nothing | Next::Paused => None,
    };
    if let Some(runs) = wait_for_change(case) {
        // What is read during a change is half new: whatever one would plan from it is wrong.
        return match duty {
            Some(duty) => (vec![duty.clone()], Some(duty)),
            None => (vec![runs.clone()], Some(runs)),
        };
    }
    if let Some(recovery) = recovery {
        return recovering(case, recovery, duty, is_paused, order);
    }
    let gives_back =
        duty.as_ref().is_some_and(|step| matches!(step.step, StepKind::Release | StepKind::Enable));
    let mut steps: Vec<Step> = Vec::new();
    if gives_back {
        steps.extend(duty.clone());
    }
    let Some(order) = order else {
        if !gives_back {
            steps.extend(duty.clone());
        }
        return (steps, duty);
    };
    let update = update_step(case, order);
    let all_hold = asked.iter().all(|gate| gate.holds);
    let next = match &duty {
        Some(duty) => Some(duty.clone()),
        None if all_hold && (!pause || matches!(wish, Wish::Update { .. })) => Some(update.clone()),
        None => wait_for_gates(asked),
    };
    if !gives_back {
        steps.extend(wait_for_gates(asked));
        steps.extend(duty.filter(|_| pause));
    }
    if pause {
        around(case, vec![update], &mut steps);
    } else {
        steps.push(update);
    }
    (steps, next)
}

fn update_step(case: &Case<'_>, order: UpdateOrder) -> Step {
    Step {
        step: StepKind::Update,
        summary: summary(case, &order),
        order: Order::Update(Box::new(order)),
    }
}

/// The plan while a rollback that failed is to be continued: that first, and the update after it. What may be done now is what the
/// protocol asks for, else the continuation.
fn recovering(
    case: &Case<'_>,
    recovery: &Recovery,
    duty: Option<Step>,
    is_paused: bool,
    order: Option<UpdateOrder>,
) -> (Vec<Step>, Option<Step>) {
    let pause = case.desired.spec.events.pause;
    let continuation = recovery.order.as_ref().map(continuation);
    let waits = (recovery.verdict.state == GateState::Waiting)
        .then(|| wait("the rollback to be continued".to_owned(), recovery.verdict.until));
    let next = match &duty {
        // Without a pause nothing has to be quiet first.
        Some(step) if step.step == StepKind::Wait && !pause && recovery.goes() => {
            continuation.clone()
        }
        Some(step) => Some(step.clone()),
        None if recovery.goes() && (is_paused || !pause) => continuation.clone(),
        None => waits.clone(),
    };
    let mut steps: Vec<Step> = Vec::new();
    steps.extend(waits);
    steps.extend(duty.filter(|step| step.step != StepKind::Wait));
    let mut changes: Vec<Step> = continuation.into_iter().collect();
    changes.extend(order.map(|order| update_step(case, order)));
    if pause && !changes.is_empty() {
        around(case, changes, &mut steps);
    } else {
        steps.extend(changes);
    }
    (steps, next)
}

fn continuation(order: &ContinueOrder) -> Step {
    let skipping = if order.skip.is_empty() {
        "skipping nothing".to_owned()
    } else {
        let names: Vec<String> = order.skip.iter().map(|name| format!("`{name}`")).collect();
        format!("skipping {}", names.join(", "))
    };
    Step {
        step: StepKind::ContinueRollback,
        summary: format!("continue the rollback of `{}`, {skipping}", order.stack_name),
        order: Order::Continue(order.clone()),
    }
}

/// What is left to do for a product whose document is gone, or never was: to give back what this controller holds.
pub(super) fn give_back(observation: &Observation, context: &Context) -> Option<Step> {
    match protocol_says(observation, context, &Wish::Nothing) {
        Next::Write(act, writes) => Some(trigger_step(observation, act, &writes)),
        Next::Wait { wait_for, until } => Some(wait(wait_for, until)),
        Next::Nothing | Next::Paused => None,
    }
}

fn protocol_says(observation: &Observation, context: &Context, wish: &Wish<'_>) -> Next {
    let Some(scene) = protocol::scene(observation) else { return Next::Nothing };
    let me = Me {
        controller: &context.controller_id,
        process: &context.process,
        sent: context.sent.as_ref().map(|(under, at)| Sent { under, at: *at }),
    };
    protocol::decide(&scene, &me, wish, &Terms::default())
}

/// How long a closed gate may keep events paused.
const SOON: SignedDuration = SignedDuration::from_mins(5);

/// Whether the update may go, or may go soon enough to keep paused what is paused.
fn wish<'a>(case: &Case<'_>, gates: &[Gate], digest: &'a str) -> Wish<'a> {
    let now = case.observation.now;
    let held_for = last_progress(case).map(|at| now.duration_since(at));
    let opens_soon = |gate: &Gate| match (gate.state, gate.until) {
        (GateState::Waiting, Some(until)) => until.duration_since(now) <= SOON,
        // Nobody knows when: as long as the pause came on within that time.
        (GateState::Waiting | GateState::Unknown, _) => held_for.is_some_and(|age| age <= SOON),
        (GateState::Holds | GateState::NotApplicable | GateState::NeedsPerson, _) => false,
    };
    let mut closed = gates.iter().filter(|gate| !gate.holds);
    if gates.iter().all(|gate| gate.holds) {
        Wish::Update { digest, drain: case.desired.spec.events.drain }
    } else if closed.all(opens_soon) {
        Wish::Soon { digest }
    } else {
        Wish::Nothing
    }
}

/// Whether a continuation waits for something that passes within minutes, while events are paused for it.
fn opens_soon(case: &Case<'_>, recovery: &Recovery) -> bool {
    let now = case.observation.now;
    let verdict = &recovery.verdict;
    verdict.state == GateState::Waiting
        && match verdict.until {
            Some(until) => until.duration_since(now) <= SOON,
            None => last_progress(case).is_some_and(|at| now.duration_since(at) <= SOON),
        }
}

/// When this controller last did something to the triggers that it holds for this product: a slow pause is no waiting. The lease bounds it.
fn last_progress(case: &Case<'_>) -> Option<Timestamp> {
    let product = case.facts.product.one()?;
    let triggers = case.observation.triggers.present()?;
    triggers
        .mappings
        .iter()
        .filter_map(|trigger| match hold_of(trigger, &product.id)? {
            Hold::Held(claim) if claim.controller == case.context.controller_id => {
                Some(trigger.last_modified.map_or(claim.at, |modified| modified.max(claim.at)))
            }
            Hold::Held(_) | Hold::Released(_) | Hold::Garbled(_) => None,
        })
        .max()
}

/// The steps around changes whose turn has not come yet: for people.
fn around(case: &Case<'_>, changes: Vec<Step>, steps: &mut Vec<Step>) {
    let triggers =
        case.observation.triggers.present().map_or(&[][..], |triggers| &triggers.mappings);
    let product = case.facts.product.one();
    let concerned: Vec<&Trigger> =
        triggers.iter().filter(|trigger| is_paused_by_us(trigger, product, case)).collect();
    let later = |step, what: &str, which: &[&Trigger]| Step {
        step,
        summary: format!("{what} {}", count(which)),
        order: Order::Later,
    };
    let told = |steps: &[Step], kind| steps.iter().any(|step| step.step == kind);
    let unheld: Vec<&Trigger> = concerned
        .iter()
        .filter(|trigger| !product.is_some_and(|product| is_held(trigger, product, case)))
        .copied()
        .collect();
    let enabled: Vec<&Trigger> =
        concerned.iter().filter(|trigger| trigger.state != "Disabled").copied().collect();
    if !unheld.is_empty() && !told(steps, StepKind::Hold) {
        steps.push(later(StepKind::Hold, "mark as held", &unheld));
    }
    if !enabled.is_empty() && !told(steps, StepKind::Disable) {
        steps.push(later(StepKind::Disable, "disable", &enabled));
    }
    steps.extend(changes);
    if !concerned.is_empty() {
        steps.push(later(StepKind::Release, "give up the hold on", &concerned));
        steps.push(later(StepKind::Enable, "enable", &concerned));
    }
}

/// Triggers that an update pauses: those that run, and those that only a hold keeps off. What an operator disabled stays his.
fn is_paused_by_us(trigger: &Trigger, product: Option<&Product>, case: &Case<'_>) -> bool {
    if trigger.state != "Disabled" && trigger.state != "Disabling" {
        return trigger.state != "Deleting";
    }
    let Some(product) = product else { return false };
    let others_hold = holds_on(trigger)
        .into_iter()
        .flatten()
        .any(|(id, hold)| matches!(hold, Hold::Held(_)) && product.id != id);
    let to_give_back = matches!(
        hold_of(trigger, &product.id),
        Some(Hold::Released(Release { end: End::Open, .. }))
    );
    others_hold || to_give_back || is_held(trigger, product, case)
}

fn is_held(trigger: &Trigger, product: &Product, case: &Case<'_>) -> bool {
    match hold_of(trigger, &product.id) {
        Some(Hold::Held(claim)) => {
            let record = product.last_provisioning_record_id.as_deref().unwrap_or(NO_RECORD);
            // The hold of an update that failed lasts as long as its stack is stuck.
            claim.controller == case.context.controller_id
                && (claim.record == record || case.observation.is_stuck())
        }
        Some(Hold::Released(_) | Hold::Garbled(_)) | None => false,
    }
}

/// What the protocol asks for, as a step.
fn trigger_step(observation: &Observation, act: Act, writes: &[Write]) -> Step {
    let product = observation.products.present().and_then(|products| products.first());
    let key = hold_key(product.map_or("", |product| product.id.as_str()));
    let triggers = observation.triggers.present().map_or(&[][..], |triggers| &triggers.mappings);
    let found: Vec<(&Trigger, &Write)> =
        writes.iter().filter_map(|write| Some((triggers.get(write.trigger)?, write))).collect();
    let (step, what) = match act {
        Act::Hold => (StepKind::Hold, "mark as held"),
        Act::Disable => (StepKind::Disable, "disable"),
        Act::Release => (StepKind::Release, "give up the hold on"),
        Act::Enable => (StepKind::Enable, "enable"),
    };
    let which: Vec<&Trigger> = found.iter().map(|(trigger, _)| *trigger).collect();
    let mut targets: Vec<TriggerTarget> = found
        .iter()
        .map(|(trigger, write)| TriggerTarget {
            function: trigger.function.clone(),
            uuid: trigger.uuid.clone(),
            arn: trigger.arn.clone(),
            key: key.clone(),
            seen: trigger.tags.as_ref().and_then(|tags| tags.get(&key)).cloned(),
            modified: trigger.last_modified,
            tag: write.tag.clone(),
        })
        .collect();
    targets.sort();
    Step { step, summary: format!("{what} {}", count(&which)), order: Order::Triggers(targets) }
}

fn count(triggers: &[&Trigger]) -> String {
    let mut versions: Vec<&str> =
        triggers.iter().map(|trigger| trigger.te_version.as_str()).collect();
    versions.sort_unstable();
    versions.dedup();
    let s = if triggers.len() == 1 { "" } else { "s" };
    format!("{} worker trigger{s} of TE {}", triggers.len(), versions.join(", "))
}

/// A change that runs already.
fn wait_for_change(case: &Case<'_>) -> Option<Step> {
    case.facts.product.one().filter(|_| case.observation.is_changing())?;
    let record = case.observation.last_record.present().filter(|record| record.runs());
    let wait_for = match record {
        Some(record) => format!("the change that runs (record {}) to end", record.id),
        None => "the change that runs to end".to_owned(),
    };
    Some(wait(wait_for, None))
}

/// What time will open, unless a person is needed anyway.
fn wait_for_gates(gates: &[Gate]) -> Option<Step> {
    let closed: Vec<&Gate> = gates.iter().filter(|gate| !gate.holds).collect();
    if closed.is_empty() || closed.iter().any(|gate| gate.state != GateState::Waiting) {
        return None;
    }
    let names: Vec<&str> = closed.iter().map(|gate| gate.gate.as_str()).collect();
    let until = closed
        .iter()
        .map(|gate| gate.until)
        .collect::<Option<Vec<_>>>()
        .and_then(|all| all.into_iter().max());
    Some(wait(format!("{} to open", names.join(", ")), until))
}

fn wait(wait_for: String, until: Option<jiff::Timestamp>) -> Step {
    let summary = match until {
        Some(until) => format!("wait for {wait_for}, until {}", moment(until)),
        None => format!("wait for {wait_for}"),
    };
    Step { step: StepKind::Wait, summary, order: Order::Wait(WaitOrder { wait_for, until }) }
}

/// The update, when it can be named whole. `None`: nothing is to change, or something it needs is not known.
pub(super) fn update_order(case: &Case<'_>) -> Option<UpdateOrder> {
    let (facts, draft, observation) = (case.facts, case.draft, case.observation);
    if !draft.differs || !draft.obstacles.is_empty() || draft.list.is_empty() {
        return None;
    }
    let product = facts.product.one()?;
    let artifact = facts.target.artifact()?;
    let stack = observation.root.present()?;
    let ThePath::One(path) = &facts.path else { return None };
    let last_record = product.last_provisioning_record_id.as_deref();
    Some(UpdateOrder {
        provisioned_product_id: product.id.clone(),
        product_id: product.product_id.clone()?,
        artifact_id: artifact.id.clone(),
        artifact_name: artifact.name.clone(),
        path_id: path.id.clone(),
        parameters: draft.list.clone(),
        token: update_token(&product.id, last_record),
        expects: Expected {
            product_status: product.status.clone(),
            last_provisioning_record_id: last_record.map(str::to_owned),
            stack_id: stack.id.clone(),
            stack_status: stack.status.clone(),
            stack_updated: stack.updated,
        },
    })
}

fn summary(case: &Case<'_>, order: &UpdateOrder) -> String {
    let Facts { target, running, .. } = case.facts;
    let product = case.facts.product.one().map_or("", |product| product.name.as_str());
    let version = match (target, &running.version) {
        (Target::Move { version, artifact: _ }, Some(present)) => {
            format!("from {present} to {version}")
        }
        (Target::Move { version, artifact: _ }, None) => format!("to {version}"),
        (Target::Keep { .. } | Target::NotOffered | Target::Several(_) | Target::Unknown(_), _) => {
            format!("at {}", order.artifact_name)
        }
    };
    let set: Vec<String> = case
        .draft
        .changes
        .iter()
        .filter(|change| {
            matches!(change.change, ChangeKind::Set | ChangeKind::New)
                && sends_value(order, &change.key)
        })
        .map(|change| format!("{} = {}", change.key, change.to.as_deref().unwrap_or_default()))
        .collect();
    let set = if set.is_empty() { String::new() } else { format!(": {}", set.join(", ")) };
    format!("update `{product}` {version}{set}")
}

fn sends_value(order: &UpdateOrder, key: &str) -> bool {
    order.parameters.iter().any(|parameter| {
        parameter.key == key && matches!(parameter.value, super::types::ParameterValue::Value(_))
    })
}
