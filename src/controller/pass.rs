//! One pass over one TED: look, assess, and say what was found. It starts from nothing but the document and what AWS says now.

use crate::assess::facts::Facts;
use crate::assess::holds::{Hold, hold_key};
use crate::assess::types::{Assessment, ConditionStatus, ConditionType};
use crate::assess::{Context, assess};
use crate::clock;
use crate::desired::{Desired, Entry};
use crate::observe::observation::{Observation, Record};
use crate::observe::{Depth, LookError, Observer, Query};
use crate::report::{EventsState, History, Outcome, Progress, Side, sides};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// What a pass came to.
#[derive(Debug)]
pub(super) struct Passed {
    /// How long it took.
    pub(super) took: Duration,
    /// The verdict, or why there is none.
    pub(super) verdict: Result<Box<Verdict>, LookError>,
}

/// What a pass that could look came to.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) assessment: Assessment,
    pub(super) observation: Observation,
    pub(super) sides: Vec<Side>,
}

/// Looks at a TED and assesses it.
pub(super) async fn pass(
    observer: &Observer,
    entry: &Entry,
    depth: Depth,
    mut context: Context,
) -> Passed {
    let began = clock::now();
    // A document that another one contradicts is looked at, and nothing starts by it.
    if !entry.may_start() && context.frozen.is_none() {
        context.frozen = Some("another document contradicts this one".to_owned());
    }
    let look = observer.look(&Query::of(&entry.desired), depth).await;
    let verdict = look.map(|look| Box::new(judge(&entry.desired, look.observation, &context)));
    Passed { took: began.elapsed(), verdict }
}

fn judge(desired: &Desired, observation: Observation, context: &Context) -> Verdict {
    let assessment = assess(desired, &observation, context);
    let facts = Facts::of(Some(desired), &observation);
    let sides = sides(Some(desired), &observation, &facts.roles, &assessment.findings);
    Verdict { assessment, observation, sides }
}

impl Verdict {
    /// Whether something is being changed in AWS at this moment.
    pub(super) fn is_moving(&self) -> bool {
        let product = self.observation.products.present().and_then(|products| products.first());
        product.is_some_and(|product| product.status == "UNDER_CHANGE")
            || self
                .observation
                .root
                .present()
                .is_some_and(|root| root.status.ends_with("_IN_PROGRESS"))
    }

    /// How far a change has come, by the stacks that are through.
    pub(super) fn progress(&self) -> Option<Progress> {
        let nested = self.observation.nested.present().filter(|_| self.is_moving())?;
        let began = self.observation.last_record.present()?.created?;
        let done = |status: &str| status.ends_with("_COMPLETE");
        let current = nested.iter().find(|stack| stack.status.ends_with("_IN_PROGRESS"));
        // The updates of nested stacks count since the record; what stands from before it is still to come.
        let _ = began;
        Some(Progress {
            stacks_done: nested.iter().filter(|stack| done(&stack.status)).count(),
            stacks_total: nested.len(),
            resources_done: nested.iter().map(|stack| stack.resources_complete).sum(),
            resources_total: nested.iter().map(|stack| stack.resources_total).sum(),
            current: current.map(|stack| format!("{} {}", stack.logical_id, stack.status)),
        })
    }

    /// Whether we keep events paused, since when, and what waits; `None`: it could not be read.
    pub(super) fn events(&self) -> Option<EventsState> {
        let triggers = self.observation.triggers.present()?;
        let key = self
            .observation
            .products
            .present()
            .and_then(|products| products.first())
            .map(|product| hold_key(&product.id));
        let off: Vec<_> =
            triggers.mappings.iter().filter(|trigger| trigger.state != "Enabled").collect();
        let since = off
            .iter()
            .filter_map(|trigger| match Hold::parse(trigger.tags.as_ref()?.get(key.as_ref()?)?) {
                Hold::Held(claim) => Some(claim.at),
                Hold::Released(_) | Hold::Garbled(_) => None,
            })
            .min();
        let retention = triggers.queues.iter().filter_map(|queue| queue.retention_seconds).min();
        let loss_begins = since.zip(retention).and_then(|(since, seconds)| {
            since.checked_add(SignedDuration::from_secs(i64::try_from(seconds).ok()?)).ok()
        });
        let backlog: Option<u64> = triggers.queues.iter().map(|queue| queue.messages).sum();
        Some(EventsState {
            paused: since.is_some(),
            since,
            triggers: off.len(),
            backlog: backlog.filter(|_| !triggers.queues.is_empty()),
            loss_begins,
        })
    }

    /// Past updates, newest first, as Service Catalog tells them.
    pub(super) fn history(&self) -> Vec<History> {
        self.observation.history.present().into_iter().flatten().filter_map(history).collect()
    }

    pub(super) fn condition(&self, kind: ConditionType) -> ConditionStatus {
        self.assessment
            .conditions
            .iter()
            .find(|condition| condition.kind == kind)
            .map_or(ConditionStatus::Unknown, |condition| condition.status)
    }

    pub(super) fn observed_at(&self) -> Timestamp {
        self.observation.now
    }
}

fn history(record: &Record) -> Option<History> {
    let at = record.created?;
    let outcome = match record.status.as_str() {
        "SUCCEEDED" => Outcome::Succeeded,
        "FAILED" => Outcome::Failed,
        _ => Outcome::InProgress,
    };
    let seconds = record.updated.filter(|_| outcome != Outcome::InProgress);
    Some(History {
        at,
        revision: None,
        record_id: Some(record.id.clone()),
        outcome,
        seconds: seconds.and_then(|end| u64::try_from(end.duration_since(at).as_secs()).ok()),
    })
}
