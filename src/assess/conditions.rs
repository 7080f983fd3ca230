//! Conditions and phase: what findings, gates and plan come to, in Kubernetes' words.
//!
//! `Ready` is what a person asks first and claims the least: what could not be read makes it Unknown, not True. Waiting is not stalled:
//! `Stalled` means that nothing moves until a person does something, and its message says what.

use super::facts::TheCache;
use super::findings::makes_unready;
use super::holds::{HOLD_PREFIX, Hold, hold_key, hold_of};
use super::past::Refused;
use super::recovery::{self, Recovery};
use super::running::Running;
use super::types::{
    Condition, ConditionStatus, ConditionType, Finding, Gate, GateState, Phase, Severity, Step,
    StepKind,
};
use super::{Facts, Observation};
use crate::desired::{Desired, Mode};
use crate::observe::observation::{Gap, Seen, Trigger};

/// Everything that conditions are made of.
pub(super) struct Grounds<'a> {
    pub(super) desired: Option<&'a Desired>,
    pub(super) observation: &'a Observation,
    pub(super) facts: &'a Facts<'a>,
    pub(super) findings: &'a [Finding],
    pub(super) gates: &'a [Gate],
    pub(super) plan: &'a [Step],
    pub(super) next: Option<&'a Step>,
    pub(super) recovery: Option<&'a Recovery>,
    pub(super) mode_bound: Mode,
    /// The last step that AWS refused.
    pub(super) refusal: Option<&'a Refused>,
}

impl Grounds<'_> {
    /// Whether the product or its stack is being changed, by any of the three that tell. Without the product there is no stack of its either.
    fn under_change(&self) -> bool {
        self.facts.product.one().is_some() && self.observation.is_changing()
    }

    fn suspended(&self) -> bool {
        self.desired
            .and_then(|desired| desired.spec.suspend.as_ref())
            .is_some_and(|suspend| suspend.holds(self.observation.now))
    }

    /// Whether the document, or the controller, only wants to know.
    fn only_observes(&self) -> bool {
        self.mode_bound == Mode::Observe
            || self.desired.is_none_or(|desired| desired.spec.policy.mode == Mode::Observe)
    }

    fn closed(&self, state: GateState) -> Option<&Gate> {
        self.gates.iter().find(|gate| !gate.holds && gate.state == state)
    }

    /// A gate that time alone does not open.
    fn shut(&self) -> Option<&Gate> {
        self.closed(GateState::NeedsPerson).or(self.closed(GateState::Unknown))
    }

    /// What must be readable for any verdict and is not.
    fn unreadable(&self) -> Option<Unreadable> {
        let observation = self.observation;
        first_gap([
            ("the provisioned product", observation.products.gap()),
            ("the root stack", observation.root.gap()),
            ("the nested stacks", observation.nested.gap()),
            ("the cache", observation.caches.gap()),
            ("the database", observation.database.gap()),
        ])
    }

    /// What is not readable and would say whether AWS differs from the document, beside what every verdict needs.
    fn unreadable_for_drift(&self) -> Option<Unreadable> {
        first_gap([("the running template", self.observation.template.gap())])
    }

    /// What is not readable and would say whether AWS differs from itself, beside what every verdict needs.
    fn unreadable_for_sync(&self) -> Option<Unreadable> {
        let observation = self.observation;
        // Who disabled a trigger, its tags say; those of a trigger that is on do not matter.
        let off = observation.triggers.present().is_some_and(|triggers| {
            triggers
                .mappings
                .iter()
                .any(|trigger| trigger.state != "Enabled" && trigger.tags.is_none())
        });
        first_gap([
            ("the last record", observation.last_record.gap()),
            ("the versions on offer", observation.versions.gap()),
            ("the running template", observation.template.gap()),
            ("the worker triggers", observation.triggers.gap()),
            ("the tags of worker triggers", observation.details.tags.as_ref().filter(|_| off)),
        ])
    }

    /// Anything without which nobody can say that all is well.
    fn verdict_gap(&self) -> Option<Unreadable> {
        self.unreadable()
            .or_else(|| self.unreadable_for_drift())
            .or_else(|| self.unreadable_for_sync())
    }

    /// A stack or product that nobody but a person can move on.
    fn broken(&self) -> Option<&Finding> {
        let codes = [
            "sync/product-error",
            "sync/stack-missing",
            "sync/stack-failed",
            "sync/rollback-failed",
        ];
        self.findings.iter().find(|finding| codes.contains(&finding.code.as_str()))
    }

    /// What is broken and is not being worked on. Giving events back comes before calling for a person: it is done in a moment, and a
    /// TED is never both.
    fn stuck(&self) -> Option<&Finding> {
        let acts = self.next.is_some_and(|step| step.step != StepKind::Wait);
        self.broken().filter(|_| !self.under_change() && !acts && !self.recovers())
    }

    /// Whether a rollback that failed is continued, or will be, without anybody.
    fn recovers(&self) -> bool {
        self.recovery.is_some_and(Recovery::goes_on)
    }

    /// That a change runs for longer than the document has patience for, and what to do.
    fn overdue(&self) -> Option<(String, String)> {
        Running::of(self.observation)?.overdue(self.desired?)
    }

    /// Why events cannot be given back, when a person has to see to that. It is tried again and again all the same.
    fn kept_off(&self) -> Option<&str> {
        let next =
            self.next.filter(|step| matches!(step.step, StepKind::Release | StepKind::Enable))?;
        let refusal = self.refusal.filter(|refusal| refusal.step == next.step)?;
        (!refusal.passing).then_some(refusal.message.as_str())
    }

    /// Whether the document wants what AWS is not, whether or not there is a plan that leads there.
    fn differs(&self) -> bool {
        !self.plan.is_empty()
            || self
                .findings
                .iter()
                .any(|finding| finding.code.starts_with("drift/") && makes_unready(finding))
    }

    /// Whether there is something to do now, or to wait for while events are paused, whatever the gates say.
    fn goes_on(&self) -> bool {
        self.next.is_some_and(|step| step.step != StepKind::Wait || self.holds_events())
    }

    /// Whether this product's hold keeps triggers.
    fn holds_events(&self) -> bool {
        let Some(product) = self.facts.product.one() else { return false };
        self.observation.triggers.present().is_some_and(|triggers| {
            triggers
                .mappings
                .iter()
                .any(|trigger| matches!(hold_of(trigger, &product.id), Some(Hold::Held(_))))
        })
    }
}

/// What could not be read, and why. AWS's own sentence, with its request id, is the finding's: a condition says the same as long as the
/// same is so.
type Unreadable = (&'static str, String);

fn first_gap<const N: usize>(parts: [(&'static str, Option<&Gap>); N]) -> Option<Unreadable> {
    parts
        .into_iter()
        .find_map(|(what, gap)| Some((what, format!("{}: {}", gap?.operation, gap?.reason))))
}

/// A word for where the TED stands.
pub(super) fn phase(grounds: &Grounds<'_>) -> Phase {
    let first = grounds.plan.first().map(|step| step.step);
    if grounds.desired.is_none() && grounds.next.is_some() && grounds.holds_events() {
        return Phase::Releasing;
    }
    if grounds.under_change() {
        let back = recovery::is_going_back(grounds.observation);
        return if back { Phase::Recovering } else { Phase::Updating };
    }
    if grounds.recovers() {
        return Phase::Recovering;
    }
    if matches!(first, Some(StepKind::Release | StepKind::Enable)) {
        return Phase::Resuming;
    }
    if grounds.suspended() {
        return Phase::Suspended;
    }
    if grounds.facts.product.one().is_none() && grounds.desired.is_some() {
        return Phase::Blocked;
    }
    if first.is_none() {
        return match grounds.broken() {
            Some(_) => Phase::Failed,
            // Wanted, and nothing leads there before a gate opens; or nobody can say what is wanted.
            None if grounds.differs() && grounds.shut().is_some() => Phase::Blocked,
            None if grounds.verdict_gap().is_some() => Phase::Blocked,
            // Not as it should be, and no update is due that would mend it.
            None if grounds
                .findings
                .iter()
                .any(|it| makes_unready(it) && it.code != "sync/unreadable") =>
            {
                Phase::Blocked
            }
            None => Phase::Steady,
        };
    }
    // Something stands still in the middle, and nothing moves it on.
    if grounds.stuck().is_some() && !grounds.only_observes() {
        return Phase::Failed;
    }
    if grounds.shut().is_some() {
        return Phase::Blocked;
    }
    if grounds.closed(GateState::Waiting).is_some() || first == Some(StepKind::Wait) {
        return Phase::Waiting;
    }
    if first == Some(StepKind::Update) { Phase::Updating } else { Phase::Pausing }
}

/// The six conditions, in their order.
pub(super) fn conditions(grounds: &Grounds<'_>) -> Vec<Condition> {
    vec![
        ready(grounds),
        reconciling(grounds),
        stalled(grounds),
        drifted(grounds),
        out_of_sync(grounds),
        events_paused(grounds),
    ]
}

fn condition(
    kind: ConditionType,
    status: ConditionStatus,
    reason: &str,
    message: impl Into<String>,
) -> Condition {
    Condition { kind, status, reason: reason.to_owned(), message: message.into() }
}

fn ready(grounds: &Grounds<'_>) -> Condition {
    let is = |status, reason: &str, message: String| {
        condition(ConditionType::Ready, status, reason, message)
    };
    if grounds.under_change() {
        return is(ConditionStatus::False, "UnderChange", "a change is under way".to_owned());
    }
    if let Some((what, why)) = grounds.unreadable() {
        return is(ConditionStatus::Unknown, "Unreadable", format!("{what} cannot be read: {why}"));
    }
    if grounds.facts.product.one().is_none() {
        return is(
            ConditionStatus::False,
            "ProductNotFound",
            "there is no such provisioned product, or it may not be seen".to_owned(),
        );
    }
    if let Some(worst) = grounds
        .findings
        .iter()
        .find(|finding| makes_unready(finding) && finding.code != "sync/unreadable")
    {
        let reason = if worst.code.starts_with("drift/") { "Drifted" } else { "OutOfSync" };
        return is(ConditionStatus::False, reason, worst.message.clone());
    }
    if let Some(why) = grounds.kept_off() {
        let message = format!("events are still paused: {why}");
        return is(ConditionStatus::False, "OutOfSync", message);
    }
    // As the document says means: read from the nodes of the cache, whatever the parameters say.
    let wants_cache = grounds.desired.is_some_and(|desired| desired.spec.cache.is_some());
    if wants_cache && matches!(grounds.facts.cache, TheCache::None) {
        let message = "the document asks for a cache, and ElastiCache has none of this stack";
        return is(ConditionStatus::False, "OutOfSync", message.to_owned());
    }
    let read = grounds.facts.engine.all().zip(grounds.facts.engine_version.all());
    if wants_cache && read.is_none() {
        let message = "what the nodes of the cache run is not known";
        return is(ConditionStatus::Unknown, "Unreadable", message.to_owned());
    }
    if let Some((what, why)) = grounds.verdict_gap() {
        return is(ConditionStatus::Unknown, "Unreadable", format!("{what} cannot be read: {why}"));
    }
    let running: Vec<String> = [
        grounds.facts.running.version.as_ref().map(|version| format!("TED {version}")),
        match (grounds.facts.engine.all(), grounds.facts.engine_version.all()) {
            (Some(engine), Some(version)) => Some(format!("{engine} {version}")),
            _ => None,
        },
    ]
    .into_iter()
    .flatten()
    .collect();
    let as_what = match grounds.desired {
        Some(_) => "as the document says",
        None => "AWS agrees with itself",
    };
    is(ConditionStatus::True, "InSync", format!("{as_what}: {}", running.join(", ")))
}

fn reconciling(grounds: &Grounds<'_>) -> Condition {
    let is = |yes: bool, reason: &str, message: String| {
        let status = if yes { ConditionStatus::True } else { ConditionStatus::False };
        condition(ConditionType::Reconciling, status, reason, message)
    };
    if let Some((message, _)) = grounds.overdue() {
        return is(false, "UpdateTimeout", message);
    }
    if grounds.under_change() {
        return if recovery::is_going_back(grounds.observation) {
            is(true, "Recovering", "the rollback that failed is being continued".to_owned())
        } else {
            is(true, "Updating", "an update runs".to_owned())
        };
    }
    if let Some(recovery) = grounds.recovery.filter(|recovery| recovery.goes_on()) {
        return is(true, "Recovering", recovery.verdict.message.clone());
    }
    if let Some(finding) = grounds.stuck() {
        return is(false, "NeedsPerson", finding.message.clone());
    }
    let Some(first) = grounds.plan.first() else {
        let shut = grounds.shut().filter(|_| grounds.differs());
        return match (shut, grounds.verdict_gap()) {
            (Some(gate), _) => {
                is(false, "Blocked", format!("gate {}: {}", gate.gate, gate.message))
            }
            (None, Some((what, _))) => condition(
                ConditionType::Reconciling,
                ConditionStatus::Unknown,
                "Unreadable",
                format!("whether there is anything to do is not known: {what} cannot be read"),
            ),
            (None, None) => is(false, "NothingToDo", "there is nothing to do".to_owned()),
        };
    };
    if let Some(next) = grounds.next.filter(|_| grounds.goes_on()) {
        return is(true, "Plan", format!("next: {}", next.summary));
    }
    if let Some(gate) = grounds.shut() {
        return is(false, "Blocked", format!("gate {}: {}", gate.gate, gate.message));
    }
    if let Some(gate) = grounds.closed(GateState::Waiting) {
        return is(true, "Waiting", format!("gate {}: {}", gate.gate, gate.message));
    }
    is(true, "Plan", format!("next: {}", first.summary))
}

fn stalled(grounds: &Grounds<'_>) -> Condition {
    let is = |yes: bool, reason: &str, message: String| {
        let status = if yes { ConditionStatus::True } else { ConditionStatus::False };
        condition(ConditionType::Stalled, status, reason, message)
    };
    if let Some((message, remedy)) = grounds.overdue() {
        return is(true, "UpdateTimeout", format!("{message}; {remedy}"));
    }
    if let Some(finding) = grounds.stuck() {
        let message = match grounds.recovery {
            // What is broken is the finding's to say; a condition has not the room for both.
            Some(Recovery { verdict, order: _, told }) => format!("{}: {told}", verdict.message),
            None => format!("{}: {}", finding.message, finding.remedy),
        };
        return is(true, "NeedsPerson", message);
    }
    if let Some(why) = grounds.kept_off() {
        let remedy = "grant that right, and they come back by themselves; or enable them in Lambda";
        return is(true, "NeedsPerson", format!("events cannot be given back: {why}; {remedy}"));
    }
    if grounds.desired.is_some()
        && matches!(
            grounds.facts.product,
            super::facts::TheProduct::None | super::facts::TheProduct::Several(_)
        )
    {
        return is(true, "ProductNotFound", "the document's provisioned product is not there, or may not be seen: correct its name or id".to_owned());
    }
    // Whoever asked only to look is not waiting for anything. What a gate says during a change is half new: it ends first.
    // A taint that no update would heal as things are is a person's as well.
    let is_tainted = grounds.findings.iter().any(|it| it.code == "sync/product-tainted");
    let wants_more = (grounds.differs() || is_tainted) && !grounds.goes_on();
    if wants_more
        && !grounds.under_change()
        && !grounds.recovers()
        && !grounds.only_observes()
        && !grounds.suspended()
        && let Some(gate) = grounds.closed(GateState::NeedsPerson)
    {
        let others = grounds
            .gates
            .iter()
            .filter(|gate| !gate.holds && gate.state == GateState::NeedsPerson)
            .count()
            - 1;
        let more = match others {
            0 => String::new(),
            1 => " (and 1 more gate)".to_owned(),
            _ => format!(" (and {others} more gates)"),
        };
        return is(
            true,
            "GateClosed",
            format!("gate {}: {}; {}{more}", gate.gate, gate.message, gate.remedy),
        );
    }
    is(false, "NobodyNeeded", "nobody is needed".to_owned())
}

fn drifted(grounds: &Grounds<'_>) -> Condition {
    if grounds.desired.is_none() {
        return condition(
            ConditionType::Drifted,
            ConditionStatus::False,
            "NoDocument",
            "there is no document to differ from",
        );
    }
    let gap = grounds.unreadable().or_else(|| grounds.unreadable_for_drift());
    of_findings(
        grounds,
        ConditionType::Drifted,
        "drift/",
        gap.as_ref(),
        "AWS is as the document says",
    )
}

fn out_of_sync(grounds: &Grounds<'_>) -> Condition {
    let gap = grounds.unreadable().or_else(|| grounds.unreadable_for_sync());
    of_findings(grounds, ConditionType::OutOfSync, "sync/", gap.as_ref(), "AWS agrees with itself")
}

fn of_findings(
    grounds: &Grounds<'_>,
    kind: ConditionType,
    prefix: &str,
    gap: Option<&Unreadable>,
    none: &str,
) -> Condition {
    let counted = |finding: &&Finding| {
        finding.code.starts_with(prefix)
            && finding.severity > Severity::Info
            && finding.code != "sync/unreadable"
    };
    let all: Vec<&Finding> = grounds.findings.iter().filter(counted).collect();
    match all.as_slice() {
        [] => match gap {
            Some((what, _)) => condition(
                kind,
                ConditionStatus::Unknown,
                "Unreadable",
                format!("{what} cannot be read"),
            ),
            None if grounds.facts.product.one().is_none() => condition(
                kind,
                ConditionStatus::Unknown,
                "NotLooked",
                "without its provisioned product nothing is known of it",
            ),
            None => condition(kind, ConditionStatus::False, "NoFindings", none),
        },
        [one] => condition(kind, ConditionStatus::True, "Findings", one.message.clone()),
        [first, rest @ ..] => condition(
            kind,
            ConditionStatus::True,
            "Findings",
            format!("{} (and {} more)", first.message, rest.len()),
        ),
    }
}

fn events_paused(grounds: &Grounds<'_>) -> Condition {
    let is = |status, reason: &str, message: String| {
        condition(ConditionType::EventsPaused, status, reason, message)
    };
    let triggers = match &grounds.observation.triggers {
        Seen::Present(triggers) => &triggers.mappings,
        Seen::Absent => {
            return is(ConditionStatus::False, "NoTriggers", "there are no triggers".to_owned());
        }
        Seen::Unreadable(gap) => {
            return is(ConditionStatus::Unknown, "Unreadable", gap.message.clone());
        }
        Seen::NotLooked => {
            let message = "which triggers there are is not known: what leads to them is not";
            return is(ConditionStatus::Unknown, "NotLooked", message.to_owned());
        }
    };
    let off: Vec<&Trigger> = triggers
        .iter()
        .filter(|trigger| trigger.state != "Enabled" && trigger.state != "Enabling")
        .collect();
    if off.is_empty() {
        return is(
            ConditionStatus::False,
            "EventsRun",
            format!("all {} triggers are on", triggers.len()),
        );
    }
    let key = grounds.facts.product.one().map(|product| hold_key(&product.id));
    let bears = |trigger: &&&Trigger, own: bool| {
        trigger.tags.as_ref().is_some_and(|tags| {
            tags.iter().any(|(tag, value)| {
                tag.starts_with(HOLD_PREFIX)
                    && value.starts_with("held ")
                    && (Some(tag) == key.as_ref()) == own
            })
        })
    };
    let reason = if off.iter().any(|trigger| bears(&trigger, true)) {
        "Held"
    } else if off.iter().any(|trigger| bears(&trigger, false)) {
        "HeldForAnother"
    } else {
        "DisabledOutside"
    };
    is(
        ConditionStatus::True,
        reason,
        format!("{} of {} triggers are off", off.len(), triggers.len()),
    )
}
