//! The preconditions of a change: all before the first mutation, all again right before the update.
//!
//! A gate is a pure question to one [`Case`]. What could not be read is `Unknown`, and that does not hold. A gate that does not hold
//! says what makes it hold, in words that can be typed. The order is the design's; callers may rely on it.

mod events;
mod past;
mod product;
mod resources;
mod time;
mod version;

pub(super) use events::events_pausable;
pub(super) use past::refused_continuation as refused;
pub(super) use product::right_product;
pub(super) use resources::stands;
pub(super) use time::allowed as may_act;

use super::Context;
use super::facts::Facts;
use super::parameters::{Draft, Obstacle, line_of_all};
use super::types::{Gate, GateState};
use crate::desired::{Approval, Desired};
use crate::observe::observation::Observation;
use jiff::Timestamp;

/// All that a gate may look at.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) desired: &'a Desired,
    pub(super) observation: &'a Observation,
    pub(super) context: &'a Context,
    pub(super) facts: &'a Facts<'a>,
    pub(super) draft: &'a Draft,
}

impl Case<'_> {
    pub(super) fn approves(&self, approval: &Approval) -> bool {
        self.desired.spec.policy.approve.contains(approval)
    }

    fn now(&self) -> Timestamp {
        self.observation.now
    }
}

/// What a gate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) state: GateState,
    pub(super) message: String,
    pub(super) remedy: String,
    pub(super) until: Option<Timestamp>,
    /// It does not open whatever happens: only another document has a way.
    never: bool,
}

impl Verdict {
    pub(super) fn holds(message: impl Into<String>) -> Self {
        Self {
            state: GateState::Holds,
            message: message.into(),
            remedy: String::new(),
            until: None,
            never: false,
        }
    }

    fn not_applicable(message: impl Into<String>) -> Self {
        Self { state: GateState::NotApplicable, ..Self::holds(message) }
    }

    pub(super) fn waiting(message: impl Into<String>, until: Option<Timestamp>) -> Self {
        let remedy = "nothing: it opens by itself".to_owned();
        Self { remedy, until, state: GateState::Waiting, ..Self::holds(message) }
    }

    pub(super) fn person(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { state: GateState::NeedsPerson, remedy: remedy.into(), ..Self::holds(message) }
    }

    /// No approval and no time opens it.
    fn never(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { never: true, ..Self::person(message, remedy) }
    }

    pub(super) fn unknown(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { state: GateState::Unknown, remedy: remedy.into(), ..Self::holds(message) }
    }

    /// Something could not be read.
    fn unreadable(what: &str, why: &str) -> Self {
        Self::unknown(
            format!("{what} could not be read: {why}"),
            "`ted-controller doctor` shows what is missing",
        )
    }

    /// What obstacles come to, one verdict each. A document has one `parameterKeys`, so what belongs there is one line.
    fn of_obstacles(obstacles: &[Obstacle]) -> Vec<Self> {
        let mut line = line_of_all(obstacles);
        let verdict = |Obstacle { unknown, message, remedy, key }: &Obstacle| {
            let remedy = match key {
                Some(_) => line.take().unwrap_or_default(),
                None => remedy.clone(),
            };
            if *unknown { Self::unknown(message, remedy) } else { Self::person(message, remedy) }
        };
        obstacles.iter().map(verdict).collect()
    }

    pub(super) fn passes(&self) -> bool {
        match self.state {
            GateState::Holds | GateState::NotApplicable => true,
            GateState::Waiting | GateState::NeedsPerson | GateState::Unknown => false,
        }
    }

    /// How much a part decides over its whole: a person is needed even if time heals the rest, and what is not known is never
    /// hidden by what holds.
    fn weight(&self) -> u8 {
        match self.state {
            GateState::NotApplicable => 0,
            GateState::Holds => 1,
            GateState::Waiting => 2,
            GateState::Unknown => 3,
            GateState::NeedsPerson => 4,
        }
    }

    /// One verdict of several: the worst state; what does not pass is all told, else what holds is.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers make the list for this and are done with it"
    )]
    pub(super) fn all(parts: Vec<Self>) -> Self {
        let Some(worst) = parts.iter().map(Self::weight).max() else { return Self::holds("") };
        let telling = |part: &&Self| {
            if worst > 1 { !part.passes() } else { part.weight() == worst }
        };
        let mut whole = Self::holds("");
        let mut messages: Vec<&str> = Vec::new();
        let mut remedies: Vec<&str> = Vec::new();
        let mut waits: Vec<Option<Timestamp>> = Vec::new();
        for part in parts.iter().filter(telling) {
            whole.never |= part.never;
            if part.weight() == worst {
                whole.state = part.state;
                waits.push(part.until);
                if !part.remedy.is_empty() && !remedies.contains(&part.remedy.as_str()) {
                    remedies.push(&part.remedy);
                }
            }
            if !part.message.is_empty() && !messages.contains(&part.message.as_str()) {
                messages.push(&part.message);
            }
        }
        whole.message = messages.join("; ");
        // Known only if every part's is: the last one decides.
        whole.until = waits
            .iter()
            .copied()
            .collect::<Option<Vec<_>>>()
            .and_then(|waits| waits.into_iter().max());
        whole.remedy = match (whole.state, whole.until) {
            (GateState::Waiting, until) => Self::waiting("", until).remedy,
            (
                GateState::Holds
                | GateState::NotApplicable
                | GateState::NeedsPerson
                | GateState::Unknown,
                _,
            ) => remedies.join("; "),
        };
        whole
    }

    /// The same verdict with more to say, where it holds.
    fn and_note(mut self, notes: &[String]) -> Self {
        for note in notes {
            if self.message.is_empty() {
                self.message.clone_from(note);
            } else {
                self.message = format!("{}; {note}", self.message);
            }
        }
        self
    }
}

/// What a gate is asked by, and whether it asks about a change. Those have no say while nothing is to change.
type Question = (&'static str, fn(&Case<'_>) -> Verdict, Asks);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// About the product as it is.
    Always,
    /// About a change.
    OfAChange,
}

/// Every gate, in the design's order.
const GATES: [Question; 21] = [
    ("account", product::account, Asks::Always),
    ("product", product::product, Asks::Always),
    ("identity", product::identity, Asks::Always),
    ("stable", product::stable, Asks::Always),
    ("launch-role", product::launch_role, Asks::OfAChange),
    ("version-offered", version::version_offered, Asks::OfAChange),
    ("version-forward", version::version_forward, Asks::OfAChange),
    ("valkey-supported", version::valkey_supported, Asks::Always),
    ("parameters-known", version::parameters_known, Asks::Always),
    ("something-changes", version::something_changes, Asks::Always),
    ("one-way", version::one_way, Asks::OfAChange),
    ("no-destruction", version::no_destruction, Asks::OfAChange),
    ("database-available", resources::database_available, Asks::OfAChange),
    ("cache-available", resources::cache_available, Asks::OfAChange),
    ("storage-in-step", resources::storage_in_step, Asks::OfAChange),
    ("backup-clear", time::backup_clear, Asks::OfAChange),
    ("events-pausable", events::events_pausable, Asks::OfAChange),
    ("window", time::window, Asks::OfAChange),
    ("self-heal", past::self_heal, Asks::OfAChange),
    ("attempts", past::attempts, Asks::OfAChange),
    ("allowed", time::allowed, Asks::OfAChange),
];

/// The names of all gates, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    GATES.iter().map(|(name, _, _)| *name)
}

/// Whether what the document asks for has no way at all: back from Valkey to Redis, or to an older version.
pub(super) fn leads_nowhere(case: &Case<'_>) -> bool {
    version::version_forward(case).never || version::one_way(case).never
}

/// Asks every gate.
pub(super) fn ask(case: &Case<'_>) -> Vec<Gate> {
    let nothing_changes = !case.draft.differs && case.draft.obstacles.is_empty();
    let no_product = case.facts.product.one().is_none();
    let verdict = |(_, question, asks): &Question| {
        if nothing_changes && *asks == Asks::OfAChange {
            Verdict::not_applicable("nothing is to change")
        } else {
            question(case)
        }
    };
    // Without the product nothing else can be asked: one thing is missing, and it is said once.
    let hinges = |name: &str, verdict: Verdict| {
        let own = matches!(name, "account" | "product");
        if no_product && !own && verdict.state == GateState::Unknown {
            Verdict::unknown(
                "this can be told only once the product is known",
                "see the gate `product`",
            )
        } else {
            verdict
        }
    };
    GATES
        .iter()
        .map(|question| {
            let verdict = hinges(question.0, verdict(question));
            let holds = verdict.passes();
            let Verdict { state, message, remedy, until, never: _ } = verdict;
            Gate { gate: question.0.to_owned(), holds, state, message, remedy, until }
        })
        .collect()
}

#[cfg(test)]
mod tests;
