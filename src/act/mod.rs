//! Carrying out one step, exactly as it was decided. The only module that is given a writer.
//!
//! Nothing is chosen here. A step names its targets, what to write and what it expects to find; what is found otherwise is passed over,
//! and the next look tells. A request that may have arrived is never sent again from here.
//!
//! [`triggers`] holds, disables, releases and enables; `update` sends the update; `rollback` continues one that failed.

mod rollback;
mod triggers;
mod update;

use crate::assess::types::{Order, Step, StepKind, TriggerTarget};
use crate::aws::{Class, Error, Session};
use crate::clock::{self, Instant};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long after a look a step may be sent that was decided on it. The pause protocol's margins take it for short.
pub const LOOK_IS_GOOD_FOR: Duration = Duration::from_mins(1);

/// How far apart the two looks are that see a change ended.
pub const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// What became of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many targets were changed as asked.
    pub done: usize,
    /// Targets that were found otherwise than expected: a sentence each.
    pub passed_over: Vec<String>,
    /// Targets that AWS refused.
    pub refused: Vec<Refusal>,
    /// Requests that may have arrived: a sentence each.
    pub unknown: Vec<String>,
    /// Of an update: its record.
    pub record_id: Option<String>,
}

/// AWS did not do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What, to what, and why: a sentence.
    pub message: String,
    /// What may make it go away.
    pub class: Class,
    /// One CamelCase word.
    pub reason: &'static str,
}

impl Outcome {
    /// A word for audit and metrics.
    pub fn word(&self) -> &'static str {
        if !self.refused.is_empty() {
            "refused"
        } else if !self.unknown.is_empty() {
            "unknown"
        } else if self.done > 0 {
            "accepted"
        } else {
            "passed-over"
        }
    }

    /// All that did not go as asked, in one line; empty when all did.
    pub fn trouble(&self) -> String {
        let refused = self.refused.iter().map(|refusal| refusal.message.as_str());
        let others = self.unknown.iter().chain(&self.passed_over).map(String::as_str);
        refused.chain(others).collect::<Vec<_>>().join("; ")
    }

    /// Nothing was sent: the look that the step was decided on is too old by now.
    pub fn too_late() -> Self {
        Self {
            passed_over: vec!["the look it was decided on is too old by now".to_owned()],
            ..Self::default()
        }
    }

    /// Whether it is later than `until`, which is noted.
    fn is_over(&mut self, until: Instant) -> bool {
        let over = clock::now() > until;
        if over {
            self.passed_over.extend(Self::too_late().passed_over);
        }
        over
    }

    fn refuse(&mut self, what: &str, error: &Error) {
        self.refused.push(Refusal {
            message: format!("{what}: {error}"),
            class: error.class(),
            reason: error.reason(),
        });
    }
}

/// What this process itself has told to go off: by trigger, the claim under which it did. A look may be older than that, and then shows
/// as on what is off by our own doing.
#[derive(Debug, Default)]
pub struct Disabled(Mutex<BTreeMap<String, String>>);

impl Disabled {
    fn note(&self, target: &TriggerTarget) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(target.uuid.clone(), target.seen.clone().unwrap_or_default());
    }

    fn knows(&self, target: &TriggerTarget) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&target.uuid).is_some_and(|claim| Some(claim) == target.seen.as_ref())
    }
}

/// Carries out a step. What begins something is not sent after `until`: the look it was decided on is too old then.
pub async fn perform(
    session: &Session,
    step: &Step,
    until: Instant,
    disabled: &Disabled,
) -> Outcome {
    let (reader, writer) = (session.reader(), session.writer());
    match (step.step, &step.order) {
        (StepKind::Hold, Order::Triggers(targets)) => {
            triggers::hold(&reader, &writer, targets, until).await
        }
        (StepKind::Disable, Order::Triggers(targets)) => {
            triggers::disable(&reader, &writer, targets, until, disabled).await
        }
        (StepKind::Release, Order::Triggers(targets)) => {
            triggers::release(&reader, &writer, targets).await
        }
        (StepKind::Enable, Order::Triggers(targets)) => {
            triggers::enable(&reader, &writer, targets).await
        }
        (StepKind::Update, Order::Update(order)) => update::send(&writer, order).await,
        (StepKind::ContinueRollback, Order::Continue(order)) => {
            rollback::go_on(&reader, &writer, order, until).await
        }
        // Waiting is no deed, and what is not decided yet cannot be done.
        (_, _) => Outcome::default(),
    }
}
