//! What the loop knows of one TED between passes, and when it is looked at again.

use super::backoff::{Retry, spread};
use super::pass::{Passed, Subject, Verdict};
use crate::assess::diagnosis::Diagnosis;
use crate::assess::past::Past;
use crate::assess::types::{ConditionStatus, ConditionType, StepKind};
use crate::aws::Class;
use crate::clock::Instant;
use crate::desired::{Entry, Name};
use crate::observe::{Depth, LookError, Query};
use jiff::Timestamp;
use std::time::Duration;

/// How soon to look again after something was done.
const AFTER_A_STEP: Duration = Duration::from_secs(1);

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
    pub(super) token: Option<String>,
    /// `reconcile --retry` was asked for: what failed before does not count.
    pub(super) retry_asked: bool,
    pub(super) outcome: Option<Outcome>,
    /// The provisioned product's id, once it was seen.
    pub(super) product: Option<String>,
    /// The update that was sent last and not clearly refused: under which record, and when.
    pub(super) sent: Option<(String, Timestamp)>,
    pub(super) diagnosis: Option<(String, Diagnosis)>,
    /// How the last pass failed, said once.
    pub(super) trouble: Option<&'static str>,
    retry: Retry,
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
            token: None,
            retry_asked: false,
            outcome: None,
            product: None,
            sent: None,
            diagnosis: None,
            trouble: None,
            retry: Retry::default(),
        }
    }

    /// Takes over what the source says of it now.
    pub(super) fn update(&mut self, entry: &Entry, now: Instant) {
        let changed = self.entry.as_ref().is_none_or(|known| {
            known.desired.spec != entry.desired.spec || known.standing != entry.standing
        });
        self.query = Query::of(&entry.desired);
        self.entry = Some(entry.clone());
        if changed {
            self.look_now(now);
            self.outcome = None;
        }
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

    /// Takes over what a pass found out, and says when to look again.
    pub(super) fn passed(&mut self, passed: &Passed, pace: f64) -> Duration {
        match &passed.verdict {
            Ok(verdict) => self.looked(verdict, pace),
            Err(error) => {
                self.outcome = Some(Outcome::Failed);
                self.trouble = Some(error.reason());
                // The next look finds everything by itself.
                self.depth = Depth::Full;
                match error.class() {
                    Class::Transient => self.retry.next(),
                    Class::Denied | Class::Terminal => Retry::slow(),
                }
            }
        }
    }

    fn looked(&mut self, verdict: &Verdict, pace: f64) -> Duration {
        self.retry.reset();
        self.trouble = None;
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
        let refused = verdict.acted.as_ref().is_some_and(|acted| !acted.outcome.refused.is_empty());
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

    /// Whether its document is gone and nothing is to be given back any more. A product that was never seen has nothing of ours.
    pub(super) fn is_done_with(&self, passed: &Passed) -> bool {
        let nothing_owed = match &passed.verdict {
            Ok(verdict) => !verdict.owes() && verdict.acted.is_none(),
            Err(_) => self.product.is_none(),
        };
        self.entry.is_none() && nothing_owed
    }

    /// What is remembered from now on.
    pub(super) fn past(&self, verdict: &Verdict, before: &Past) -> Past {
        verdict.past(before, self.entry.as_ref())
    }

    /// Whether this failure is another one than the last.
    pub(super) fn is_news(&self, error: &LookError) -> bool {
        self.trouble != Some(error.reason())
    }
}

fn outcome_of(verdict: &Verdict) -> Outcome {
    let is = |kind| verdict.condition(kind) == ConditionStatus::True;
    if verdict.acted.is_some() || verdict.is_moving() || verdict.is_paused() {
        Outcome::Busy
    } else if is(ConditionType::Stalled) {
        Outcome::Stalled
    } else if is(ConditionType::Ready) && verdict.assessment.plan.is_empty() {
        Outcome::Settled
    } else {
        Outcome::Waiting
    }
}
