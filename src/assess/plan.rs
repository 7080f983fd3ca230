//! What would be done, in order: hold and disable the triggers, update, give the triggers back.
//!
//! A plan is no permission. It is there as soon as its update can be named whole, whatever the gates say, so that people see what
//! would happen; `Assessment::next_step` says what may be done now.

use super::facts::{Facts, Target, ThePath};
use super::gates::Case;
use super::holds::{Hold, hold_key, holds_on};
use super::types::{
    ChangeKind, Expected, Gate, GateState, Order, Step, StepKind, TriggerTarget, UpdateOrder,
    WaitOrder,
};
use crate::observe::observation::{Product, Trigger};
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

/// The plan for a document.
pub(super) fn plan(case: &Case<'_>, gates: &[Gate]) -> Vec<Step> {
    if let Some(wait) = wait_for_change(case) {
        // What is read during a change is half new: whatever one would plan from it is wrong.
        return vec![wait];
    }
    let Some(order) = update_order(case) else { return Vec::new() };
    let mut steps: Vec<Step> = wait_for_gates(gates).into_iter().collect();
    let summary = summary(case, &order);
    let update = Step { step: StepKind::Update, summary, order: Order::Update(Box::new(order)) };
    if !case.desired.spec.events.pause {
        steps.push(update);
        return steps;
    }
    let product = case.facts.product.one();
    let triggers =
        case.observation.triggers.present().map_or(&[][..], |triggers| &triggers.mappings);
    let to_pause: Vec<&Trigger> =
        triggers.iter().filter(|trigger| is_paused_by_us(trigger, product, case)).collect();
    let held = |trigger: &&&Trigger| is_held(trigger, product, case);
    let mut push = |step, what: &str, which: Vec<&Trigger>| {
        if !which.is_empty() {
            let summary = format!("{what} {}", count(&which));
            steps.push(Step { step, summary, order: Order::Triggers(targets(&which)) });
        }
    };
    let unheld: Vec<&Trigger> = to_pause.iter().filter(|trigger| !held(trigger)).copied().collect();
    let enabled: Vec<&Trigger> =
        to_pause.iter().filter(|trigger| trigger.state != "Disabled").copied().collect();
    push(StepKind::Hold, "mark as held", unheld);
    push(StepKind::Disable, "disable", enabled);
    let give_back = to_pause;
    steps.push(update);
    let mut push = |step, what: &str| {
        if !give_back.is_empty() {
            let summary = format!("{what} {}", count(&give_back));
            steps.push(Step { step, summary, order: Order::Triggers(targets(&give_back)) });
        }
    };
    push(StepKind::Release, "give up the hold on");
    push(StepKind::Enable, "enable");
    steps
}

/// Triggers that an update pauses: enabled ones, those we hold already, and those that only another product's hold disabled. What an
/// operator disabled stays his.
fn is_paused_by_us(trigger: &Trigger, product: Option<&Product>, case: &Case<'_>) -> bool {
    if trigger.state != "Disabled" && trigger.state != "Disabling" {
        return trigger.state != "Deleting";
    }
    let others_hold = holds_on(trigger).into_iter().flatten().any(|(id, hold)| {
        matches!(hold, Hold::Held { .. }) && product.is_some_and(|product| product.id != id)
    });
    others_hold || is_held(trigger, product, case)
}

fn is_held(trigger: &Trigger, product: Option<&Product>, case: &Case<'_>) -> bool {
    let Some(product) = product else { return false };
    let value = trigger.tags.as_ref().and_then(|tags| tags.get(&hold_key(&product.id)));
    match value.map(|value| Hold::parse(value)) {
        Some(Hold::Held { record, at: _, controller, digest: _ }) => {
            controller == case.context.controller_id
                && product.last_provisioning_record_id.as_deref() == Some(record)
        }
        Some(Hold::Released { at: _ } | Hold::Garbled(_)) | None => false,
    }
}

fn targets(triggers: &[&Trigger]) -> Vec<TriggerTarget> {
    let mut targets: Vec<TriggerTarget> = triggers
        .iter()
        .map(|trigger| TriggerTarget {
            uuid: trigger.uuid.clone(),
            arn: trigger.arn.clone(),
            function: trigger.function.clone(),
        })
        .collect();
    targets.sort();
    targets
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
    let product = case.facts.product.one()?;
    let stack_moves =
        case.observation.root.present().is_some_and(|stack| stack.status.ends_with("_IN_PROGRESS"));
    let record = case.observation.last_record.present().filter(|record| {
        matches!(record.status.as_str(), "CREATED" | "IN_PROGRESS" | "IN_PROGRESS_IN_ERROR")
    });
    if product.status != "UNDER_CHANGE" && !stack_moves && record.is_none() {
        return None;
    }
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
        Some(until) => format!("wait for {wait_for}, until {until}"),
        None => format!("wait for {wait_for}"),
    };
    Step { step: StepKind::Wait, summary, order: Order::Wait(WaitOrder { wait_for, until }) }
}

/// The update, when it can be named whole. `None`: nothing is to change, or something it needs is not known.
fn update_order(case: &Case<'_>) -> Option<UpdateOrder> {
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
