//! What the loop knows of one TED between passes, and when it is looked at again.

use super::backoff::{Retry, spread};
use super::pass::{Diagnosed, Passed, Subject, Verdict};
use crate::assess::types::{ConditionStatus, ConditionType, StepKind};
use crate::aws::Class;
use crate::clock::Instant;
use crate::desired::{Entry, Name};
use crate::observe::{Depth, LookError, Query};
use crate::report::transitions::STALE_AFTER_INTERVALS;
use jiff::Timestamp;
use std::time::Duration;

/// How soon to look again after something was done.
const AFTER_A_STEP: Duration = Duration::from_secs(1);

/// How many looks in a row may come to nothing before `--once` gives up: with the growing waits between them, about 20 minutes.
const MOST_FAILURES: u32 = 10;

/// By how much the look that finds a verdict too old comes after that: times are told in whole seconds.
const A_LITTLE: Duration = Duration::from_secs(1);

/// How the last pass of a TED ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It could not look.
    Failed,
    /// A person is needed.
    Stalled,
    /// Something is going on: a change runs, or events are paused.
    Busy,
    /// Time will heal it.
    Waiting,
    /// As wanted.
    Settled,
}

/// One TED.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own; no two make a state")]
pub(super) struct Slot {
    pub(super) name: Name,
    /// Its document; absent when it is gone, or never was, and something is still to be given back.
    pub(super) entry: Option<Entry>,
    pub(super) query: Query,
    pub(super) due: Instant,
    pub(super) running: bool,
    /// It changed while a pass was under way: that pass judged by the old document.
    pub(super) again: bool,
    pub(super) depth: Depth,
    /// Tokens of reconcile-now requests that the next pass answers, oldest first.
    pub(super) asked: Vec<String>,
    /// `reconcile --retry` was asked for: what failed before does not count.
    pub(super) retry_asked: bool,
    pub(super) outcome: Option<Outcome>,
    /// The provisioned product's id, once it was seen.
    pub(super) product: Option<String>,
    /// The update that was sent last and not clearly refused: under which record, and when.
    pub(super) sent: Option<(String, Timestamp)>,
    pub(super) diagnosis: Option<Diagnosed>,
    /// How the last pass failed, said once.
    pub(super) trouble: Option<&'static str>,
    /// When a pass last could look.
    seen: Option<Instant>,
    /// How many passes in a row could not since.
    failures: u32,
    needs_person: bool,
    retry: Retry,
}

/// Why a pass came to nothing.
#[derive(Debug)]
pub(super) struct Trouble {
    /// One CamelCase word.
    pub(super) reason: &'static str,
    pub(super) message: String,
    /// Whether no look will come to anything before a person did something.
    pub(super) needs_person: bool,
    /// When to try again, unless there is a reason to do so sooner.
    pub(super) wait: Duration,
}

impl Trouble {
    /// A pass broke off.
    pub(super) fn broken_off() -> Self {
        Self {
            reason: "InternalError",
            message: "a pass broke off: that is a mistake of the controller, and its log says where; it looks again".to_owned(),
            needs_person: false,
            wait: Retry::slow(),
        }
    }
}

impl Slot {
    /// A TED with a document.
    pub(super) fn new(entry: Entry, due: Instant) -> Self {
        let query = Query::of(&entry.desired);
        Self { entry: Some(entry.clone()), ..Self::without(entry.desired.name, query, due) }
    }

    /// A product without a document, of which something is to be given back.
    pub(super) fn without(name: Name, query: Query, due: Instant) -> Self {
        Self {
            name,
            entry: None,
            query,
            due,
            running: false,
            again: false,
            depth: Depth::Full,
            asked: Vec::new(),
            retry_asked: false,
            outcome: None,
            product: None,
            sent: None,
            diagnosis: None,
            trouble: None,
            seen: None,
            failures: 0,
            needs_person: false,
            retry: Retry::default(),
        }
    }

    /// Takes over what the sources say of it now, and whether that is something else than before.
    pub(super) fn update(&mut self, entry: &Entry, now: Instant) -> bool {
        let changed = self.entry.as_ref().is_none_or(|known| {
            known.desired.spec != entry.desired.spec || known.standing != entry.standing
        });
        self.query = Query::of(&entry.desired);
        self.entry = Some(entry.clone());
        if changed {
            self.look_now(now);
            self.outcome = None;
        }
        changed
    }

    /// Looks in full as soon as there is a worker.
    pub(super) fn look_now(&mut self, now: Instant) {
        (self.due, self.depth, self.again) = (now, Depth::Full, self.running);
    }

    /// What its next pass is about.
    pub(super) fn subject(&self) -> Subject {
        Subject {
            name: self.name.to_string(),
            entry: self.entry.clone(),
            query: self.query.clone(),
        }
    }

    /// Why a look came to nothing.
    pub(super) fn trouble_of(&mut self, error: &LookError) -> Trouble {
        let message = match error.hint() {
            Some(hint) => format!("{error}; {hint}"),
            None => error.to_string(),
        };
        let wait = match error.class() {
            Class::Transient => self.retry.next(),
            Class::Denied | Class::Terminal => Retry::slow(),
        };
        let needs_person = error.class() != Class::Transient;
        Trouble { reason: error.reason(), message, needs_person, wait }
    }

    /// Takes over that a pass came to nothing, and says when to look again.
    pub(super) fn could_not_look(
        &mut self,
        trouble: &Trouble,
        interval: Duration,
        now: Instant,
    ) -> Duration {
        self.outcome = Some(Outcome::Failed);
        self.trouble = Some(trouble.reason);
        self.failures += 1;
        self.needs_person = trouble.needs_person;
        // The next look finds everything by itself.
        self.depth = Depth::Full;
        // The look that finds the last verdict too old is due when it is, whatever the wait.
        let stale = self.seen.map(|seen| seen + interval * STALE_AFTER_INTERVALS + A_LITTLE);
        match stale.map(|stale| stale.saturating_duration_since(now)) {
            Some(stale) if !stale.is_zero() => trouble.wait.min(stale),
            Some(_) | None => trouble.wait,
        }
    }

    /// Takes over what a pass found out, and says when to look again.
    pub(super) fn looked(&mut self, verdict: &Verdict, pace: f64, now: Instant) -> Duration {
        let refused = verdict.acted.as_ref().is_some_and(|acted| !acted.outcome.refused.is_empty());
        if !refused {
            self.retry.reset();
        }
        if self.trouble.take().is_some() {
            tracing::info!(ted = self.name.as_str(), "it can be looked at again");
        }
        (self.seen, self.failures) = (Some(now), 0);
        self.product = verdict.product().map(str::to_owned).or(self.product.take());
        self.diagnosis.clone_from(&verdict.diagnosis);
        self.outcome = Some(outcome_of(verdict));
        self.remember_what_was_sent(verdict);
        let acted = verdict.acted.as_ref().map(|acted| acted.step.step);
        self.depth = match acted {
            Some(StepKind::Update | StepKind::ContinueRollback) => Depth::Full,
            Some(_) => Depth::Brisk,
            None if verdict.is_moving() || verdict.owes() => Depth::Brisk,
            None => Depth::Steady,
        };
        let wait = match acted {
            Some(_) if !refused => AFTER_A_STEP,
            // What cannot be given back is tried again with growing waits; what cannot be begun is behind a gate now.
            Some(StepKind::Release | StepKind::Enable) => return self.retry.next(),
            Some(_) | None => verdict.assessment.requeue_after,
        };
        spread(wait).div_f64(pace)
    }

    /// Of an update that was sent it is known under which record. That is kept although another record shows by now: a later look may be
    /// an older one.
    fn remember_what_was_sent(&mut self, verdict: &Verdict) {
        if let Some(acted) = &verdict.acted
            && acted.step.step == StepKind::Update
            && (acted.outcome.done > 0 || !acted.outcome.unknown.is_empty())
            && let Some(record) = verdict.record()
        {
            self.sent = Some((record.to_owned(), verdict.observation.now));
        }
    }

    /// Whether `--once` is through with it.
    ///
    /// Who could never look gives up at once. Who could, and may have begun something, tries again for a while.
    pub(super) fn is_through(&self) -> bool {
        match self.outcome {
            _ if self.again => false,
            None | Some(Outcome::Busy) => false,
            Some(Outcome::Failed) => {
                self.seen.is_none() || self.needs_person || self.failures >= MOST_FAILURES
            }
            Some(Outcome::Stalled | Outcome::Waiting | Outcome::Settled) => true,
        }
    }

    /// Whether its document is gone and nothing is to be given back any more. A product that was never seen has nothing of ours.
    pub(super) fn is_done_with(&self, passed: &Passed) -> bool {
        let nothing_owed = match &passed.verdict {
            Ok(verdict) => !verdict.owes() && verdict.acted.is_none(),
            Err(_) => self.product.is_none(),
        };
        self.entry.is_none() && nothing_owed
    }
}

fn outcome_of(verdict: &Verdict) -> Outcome {
    let is = |kind| verdict.condition(kind) == ConditionStatus::True;
    let acted = verdict.acted.as_ref();
    // What a person has to see to may go on meanwhile: a change that takes too long, a pause that may not be ended.
    if acted.is_some_and(|acted| acted.outcome.refused.is_empty()) {
        Outcome::Busy
    } else if is(ConditionType::Stalled) {
        // Also with events paused: whoever is needed is not waited for.
        Outcome::Stalled
    } else if acted.is_some() || verdict.is_moving() || verdict.is_paused() {
        Outcome::Busy
    } else if is(ConditionType::Ready) && verdict.assessment.plan.is_empty() {
        Outcome::Settled
    } else {
        Outcome::Waiting
    }
}
