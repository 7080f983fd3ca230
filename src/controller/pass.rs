//! One pass over one TED: look, assess, carry out at most one kind of step, and say what was found. It starts from nothing but the
//! document and what AWS says now; what is remembered only makes it more careful.
//!
//! What starts or ends a change is decided twice: the look that asks for it is followed by another one, and only if that asks for the same
//! is it done. So every gate is asked again right before an update, and a release is seen in two looks.

use super::guard;
use crate::act::{self, BETWEEN_LOOKS, LOOK_IS_GOOD_FOR};
use crate::assess::diagnosis::{Diagnosis, last_failure};
use crate::assess::facts::Facts;
use crate::assess::holds::{Hold, hold_of};
use crate::assess::past::{Kept, Past};
use crate::assess::types::{Assessment, ConditionStatus, ConditionType, Order, Step, StepKind};
use crate::assess::{Context, Frozen, assess, survey};
use crate::clock::{self, Instant};
use crate::desired::{Desired, Entry, Standing};
use crate::observe::observation::{NestedStack, Observation, ROLLBACK_FAILED, Record, Seen};
use crate::observe::{Depth, LookError, Observer, Query};
use crate::report::audit::{Audit, Line};
use crate::report::metrics::Metrics;
use crate::report::{EventsState, History, Outcome, Progress, Side, Store, sides};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// How old the events of a stack that is stuck may be: a person may have continued its rollback, and it may have failed again, between
/// two looks.
const STUCK_EVENTS_AGE: SignedDuration = SignedDuration::from_mins(5);

/// What a pass is about.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// What it is called.
    pub(super) name: String,
    /// Its document; absent when that is gone: then only what is held is given back.
    pub(super) entry: Option<Entry>,
    /// What to look at.
    pub(super) query: Query,
}

impl Subject {
    /// How often CloudFormation's drift detection is wanted; zero: never.
    fn deep_drift_interval(&self) -> Duration {
        let policy = self.entry.as_ref().map(|entry| &entry.desired.spec.policy);
        policy.map_or(Duration::ZERO, |policy| policy.deep_drift_interval)
    }
}

/// What a pass needs beside its subject.
#[derive(Clone, Debug)]
pub(super) struct Means {
    pub(super) observer: Arc<Observer>,
    pub(super) audit: Arc<Audit>,
    pub(super) store: Arc<Store>,
    pub(super) disabled: Arc<act::Disabled>,
    /// How many seconds of AWS pass in one of ours.
    pub(super) pace: f64,
}

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
    /// What was done, and what became of it.
    pub(super) acted: Option<Acted>,
    /// Why the last update failed, if that was looked up.
    pub(super) diagnosis: Option<Diagnosed>,
    /// Whether the document has events paused.
    pauses: bool,
    /// When the look ended, by the host's clock.
    looked_at: Instant,
}

/// Why an update failed, and what it was read on.
#[derive(Clone, Debug)]
pub(super) struct Diagnosed {
    /// The record.
    record: String,
    /// The root stack's status.
    stack: String,
    /// Whether its events have to be read again: the stack was seen to move since, or not all of them could be read.
    moved: bool,
    /// When they were read, in AWS's time.
    at: Timestamp,
    found: Diagnosis,
}

/// A step that was carried out.
#[derive(Debug)]
pub(super) struct Acted {
    pub(super) step: Step,
    pub(super) outcome: act::Outcome,
}

/// One pass.
pub(super) async fn pass(
    means: &Means,
    subject: &Subject,
    depth: Depth,
    mut context: Context,
    diagnosed: Option<Diagnosed>,
) -> Passed {
    let began = clock::now();
    // A document that another one contradicts is looked at, and nothing starts by it.
    if subject.entry.as_ref().is_some_and(|entry| !entry.may_start()) && context.frozen.is_none() {
        context.frozen = Some(Frozen::Contested);
    }
    let verdict = Box::pin(look_and_act(means, subject, depth, &mut context, diagnosed)).await;
    Passed { took: began.elapsed(), verdict: verdict.map(Box::new) }
}

async fn look_and_act(
    means: &Means,
    subject: &Subject,
    depth: Depth,
    context: &mut Context,
    diagnosed: Option<Diagnosed>,
) -> Result<Verdict, LookError> {
    let mut looked_at = clock::now();
    let mut verdict = Box::pin(look(means, subject, depth, context, diagnosed)).await?;
    let Some(mut step) = verdict.step().cloned() else {
        // Only where nothing is to be done and nothing paused: a detection has no business between a decision and its deed.
        if !verdict.owes() {
            let interval = subject.deep_drift_interval();
            means.observer.deep_turn(&subject.query, &verdict.observation, interval).await;
        }
        return Ok(verdict);
    };
    if let Some(again) = second_look(&step, &verdict) {
        if step.step == StepKind::Release {
            clock::sleep(BETWEEN_LOOKS.div_f64(means.pace)).await;
        }
        looked_at = clock::now();
        // How often a rollback was continued, its events say: they are read again right before it is continued once more.
        let continues = step.step == StepKind::ContinueRollback;
        let diagnosed = verdict.diagnosis.take().filter(|_| !continues);
        verdict = Box::pin(look(means, subject, again, context, diagnosed)).await?;
        match verdict.step() {
            Some(same) if same.step == step.step => step = same.clone(),
            Some(_) | None => return Ok(verdict),
        }
    }
    if looked_at.elapsed() > LOOK_IS_GOOD_FOR {
        return Ok(verdict);
    }
    // Whoever froze it since this pass began was told that nothing starts.
    if step.step.begins_something() && means.store.freeze().frozen {
        return Ok(verdict);
    }
    verdict.acted = Some(carry_out(means, subject, &verdict, step, looked_at, context).await?);
    Ok(verdict)
}

/// How to look again before a step; `None`: the look it was decided on will do, since its targets are read again one by one.
fn second_look(step: &Step, verdict: &Verdict) -> Option<Depth> {
    let observation = &verdict.observation;
    let triggers_are_fresh = observation.read_at.get("triggers") == Some(&observation.now);
    match step.step {
        StepKind::Update if verdict.pauses => Some(Depth::Brisk),
        StepKind::Update | StepKind::ContinueRollback => Some(Depth::Steady),
        StepKind::Release => Some(Depth::Brisk),
        StepKind::Hold | StepKind::Disable | StepKind::Enable if !triggers_are_fresh => {
            Some(Depth::Full)
        }
        StepKind::Hold | StepKind::Disable | StepKind::Enable | StepKind::Wait => None,
    }
}

async fn look(
    means: &Means,
    subject: &Subject,
    depth: Depth,
    context: &mut Context,
    diagnosed: Option<Diagnosed>,
) -> Result<Verdict, LookError> {
    let mut observation = means.observer.look(&subject.query, depth).await?.observation;
    let looked_at = clock::now();
    // What is not known of a product that may be readable in a moment says nothing about it: the last verdict stays.
    if let Some(gap) = observation.products.gap().filter(|gap| gap.passing) {
        let (operation, message) = (gap.operation.clone(), gap.message.clone());
        return Err(LookError::Product { operation, message });
    }
    means.observer.deep_known(&subject.query, &mut observation, subject.deep_drift_interval());
    let diagnosis = diagnosis(means, subject, &observation, diagnosed).await;
    context.diagnosis = diagnosis.as_ref().map(|it| (it.record.clone(), it.found.clone()));
    let desired = subject.entry.as_ref().map(|entry| &entry.desired);
    let mut verdict = judge(desired, observation, context, diagnosis, looked_at);
    verdict.assessment.notes.extend(subject.entry.as_ref().and_then(note));
    Ok(verdict)
}

/// What there is to say about a document that is in force although it is not what its file says.
fn note(entry: &Entry) -> Option<String> {
    let file = &entry.desired.location.file;
    match entry.standing {
        Standing::Current => None,
        Standing::LastGood => Some(format!(
            "`{file}` has something wrong in it now: what it last said stays in force"
        )),
        Standing::Contested => {
            Some("another document contradicts this one: nothing starts by either".to_owned())
        }
    }
}

/// Why the last update failed, if it did. The events are read once a failure, and again when its stack has moved.
async fn diagnosis(
    means: &Means,
    subject: &Subject,
    observation: &Observation,
    known: Option<Diagnosed>,
) -> Option<Diagnosed> {
    let record = observation.last_record.present().filter(|record| record.status == "FAILED")?;
    let stack = observation.root.present()?.status.as_str();
    let known = known.filter(|known| known.record == record.id);
    match known {
        // It is told anew when it is over.
        Some(known) if stack.ends_with("_IN_PROGRESS") => {
            return Some(Diagnosed { moved: true, ..known });
        }
        Some(known) if known.stack == stack && !known.moved && !is_old(&known, observation) => {
            return Some(known);
        }
        Some(_) | None => {}
    }
    let story = means.observer.story(&subject.query, observation).await.ok()?;
    let found = last_failure(observation, &story).diagnosis?;
    let in_part = stack == ROLLBACK_FAILED && !found.unseen.is_empty();
    let moved = stack.ends_with("_IN_PROGRESS") || in_part;
    let (record, stack) = (record.id.clone(), stack.to_owned());
    Some(Diagnosed { record, stack, moved, at: observation.now, found })
}

fn is_old(known: &Diagnosed, observation: &Observation) -> bool {
    known.stack == ROLLBACK_FAILED && observation.now.duration_since(known.at) > STUCK_EVENTS_AGE
}

fn judge(
    desired: Option<&Desired>,
    observation: Observation,
    context: &Context,
    diagnosis: Option<Diagnosed>,
    looked_at: Instant,
) -> Verdict {
    let assessment = match desired {
        Some(desired) => {
            let mut context = context.clone();
            // This look is part of what is remembered, before it is judged by: a new document counts from its first look on.
            context.past = context.past.seen(desired.digest().as_str(), observation.now);
            assess(desired, &observation, &context)
        }
        None => survey(&observation, context),
    };
    let facts = Facts::of(desired, &observation);
    let sides = sides(desired, &observation, &facts.roles, &assessment.findings);
    let pauses = desired.is_some_and(|desired| desired.spec.events.pause);
    Verdict { assessment, observation, sides, acted: None, diagnosis, pauses, looked_at }
}

/// Writes it down, does it, writes down what became of it.
async fn carry_out(
    means: &Means,
    subject: &Subject,
    verdict: &Verdict,
    step: Step,
    looked_at: Instant,
    context: &Context,
) -> Result<Acted, LookError> {
    let desired = subject.entry.as_ref().map(|entry| &entry.desired);
    let objection = guard::objection(step.step, desired, &verdict.observation, &verdict.assessment);
    if let Some(refusal) = objection {
        return Ok(not_begun(step, refusal));
    }
    let session = means.observer.session(&subject.query).await?;
    let mut line = line(subject, verdict, &step, context);
    let begun = write(means, line.clone(), Audit::begin).await;
    if let Err(why) = begun
        && step.step.begins_something()
    {
        let refusal = act::Refusal {
            message: format!("not begun: {why}"),
            class: crate::aws::Class::Terminal,
            reason: "AuditFailed",
        };
        return Ok(not_begun(step, refusal));
    }
    // The disk may have taken its time.
    let outcome = if step.step.begins_something() && looked_at.elapsed() > LOOK_IS_GOOD_FOR {
        act::Outcome::too_late()
    } else {
        act::perform(&session, &step, looked_at + LOOK_IS_GOOD_FOR, &means.disabled).await
    };
    outcome.word().clone_into(&mut line.outcome);
    line.trouble = Some(outcome.trouble()).filter(|trouble| !trouble.is_empty());
    line.record_id.clone_from(&outcome.record_id);
    // That it cannot be written is counted and logged, and changes nothing: it is done.
    let _ = write(means, line, Audit::note).await;
    means.store.metrics().step(step.step.as_str(), outcome.word());
    Ok(Acted { step, outcome })
}

fn not_begun(step: Step, refusal: act::Refusal) -> Acted {
    let outcome = act::Outcome { refused: vec![refusal], ..Default::default() };
    Acted { step, outcome }
}

async fn write(
    means: &Means,
    line: Line,
    how: fn(&Audit, &Line) -> Result<(), crate::report::audit::AuditError>,
) -> Result<(), String> {
    let audit = Arc::clone(&means.audit);
    let written = tokio::task::spawn_blocking(move || how(&audit, &line)).await;
    let failed = match written {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
        Err(error) => error.to_string(),
    };
    tracing::error!(error = failed, "an audit line could not be written");
    Metrics::audit_failed(means.store.metrics());
    Err(failed)
}

fn line(subject: &Subject, verdict: &Verdict, step: &Step, context: &Context) -> Line {
    let observation = &verdict.observation;
    let entry = subject.entry.as_ref();
    let token = match &step.order {
        Order::Update(order) => Some(order.token.clone()),
        Order::Continue(order) => Some(order.token.clone()),
        Order::Triggers(_) | Order::Wait(_) | Order::Later => None,
    };
    Line {
        at: observation.now,
        ted: subject.name.clone(),
        product: verdict.product().map(str::to_owned),
        account: observation.caller.present().map(|caller| caller.account.clone()),
        region: observation.region.clone(),
        revision: entry.map(|entry| entry.revision.as_str().to_owned()),
        commit: entry.and_then(|entry| entry.revision.commit().cloned()),
        digest: entry.map(|entry| entry.desired.digest().as_str().to_owned()),
        by: format!("{}/{}", context.controller_id, context.process),
        step: step.step.as_str().to_owned(),
        summary: crate::text::sanitize(&step.summary),
        outcome: "begin".to_owned(),
        trouble: None,
        record_id: None,
        token,
    }
}

impl Verdict {
    /// What is to be done now.
    fn step(&self) -> Option<&Step> {
        self.assessment.next_step().filter(|step| step.step != StepKind::Wait)
    }

    /// Whether this product's hold keeps triggers and something is going on about it.
    pub(super) fn is_paused(&self) -> bool {
        self.owes() && self.assessment.next_step().is_some()
    }

    /// The provisioned product's id.
    pub(super) fn product(&self) -> Option<&str> {
        match self.observation.products.present().map(Vec::as_slice) {
            Some([product]) => Some(&product.id),
            Some(_) | None => None,
        }
    }

    /// The last provisioning record, as holds name it.
    pub(super) fn record(&self) -> Option<&str> {
        let product = self.observation.products.present()?.first()?;
        Some(
            product
                .last_provisioning_record_id
                .as_deref()
                .unwrap_or(crate::assess::holds::NO_RECORD),
        )
    }

    /// Whether this product's hold keeps triggers, or they are still to be given back.
    pub(super) fn owes(&self) -> bool {
        let Some(product) = self.product() else { return false };
        self.observation.triggers.present().is_some_and(|triggers| {
            triggers.mappings.iter().any(|trigger| match hold_of(trigger, product) {
                Some(Hold::Held(_)) => true,
                Some(Hold::Released(release)) => release.end == crate::assess::holds::End::Open,
                Some(Hold::Garbled(_)) | None => false,
            })
        })
    }

    /// Where triggers are kept off for this product, if they are or may be: an answer may have got lost.
    pub(super) fn kept(&self, query: &Query) -> Option<Kept> {
        let begun = self.acted.as_ref().is_some_and(|acted| acted.step.step == StepKind::Hold);
        let product = self.product().filter(|_| begun || self.owes())?;
        Some(Kept {
            product: product.to_owned(),
            region: self.observation.region.clone(),
            account: self.observation.caller.present().map(|caller| caller.account.clone()),
            role: query.role.as_ref().map(|role| role.arn.clone()),
            prefix: query.prefix.clone(),
        })
    }

    /// What is remembered after this look and what was done on it.
    pub(super) fn past(&self, before: &Past, entry: Option<&Entry>) -> Past {
        let now = self.observation.now;
        let digest = entry.map(|entry| entry.desired.digest());
        let mut past = match &digest {
            Some(digest) => before.seen(digest.as_str(), now).after(&self.assessment, now),
            None => before.clone(),
        };
        let Some(Acted { step, outcome }) = &self.acted else { return past };
        if let Some(refusal) = outcome.refused.first() {
            let passing = refusal.class == crate::aws::Class::Transient;
            past.refused(step.step, &crate::text::sanitize(&refusal.message), passing, now);
        } else if outcome.done > 0 {
            past.accepted(step.step);
        }
        if step.step == StepKind::Update
            && (outcome.done > 0 || !outcome.unknown.is_empty())
            && let Some((entry, digest)) = entry.zip(digest)
        {
            past.sent(crate::assess::past::Sent {
                record_id: outcome.record_id.clone(),
                under: self.record().unwrap_or_default().to_owned(),
                at: now,
                revision: entry.revision.as_str().to_owned(),
                commit: entry.revision.commit().cloned(),
                summary: Some(crate::text::sanitize(&step.summary)),
                digest: digest.as_str().to_owned(),
            });
        }
        past
    }

    /// What became of the last step, for the log and the events.
    pub(super) fn deed(&self) -> Option<(bool, &'static str, String)> {
        let Acted { step, outcome } = self.acted.as_ref()?;
        let trouble = outcome.trouble();
        let reason = match step.step {
            StepKind::Hold => "EventsHeld",
            StepKind::Disable => "EventsDisabled",
            StepKind::Update => "UpdateSent",
            StepKind::ContinueRollback => "RollbackContinued",
            StepKind::Release => "HoldReleased",
            StepKind::Enable => "EventsEnabled",
            StepKind::Wait => "Waited",
        };
        let record =
            outcome.record_id.as_ref().map(|id| format!(" (record {id})")).unwrap_or_default();
        let well = outcome.refused.is_empty() && outcome.unknown.is_empty();
        let message = if trouble.is_empty() {
            format!("{}{record}", step.summary)
        } else {
            format!("{}{record}: {trouble}", step.summary)
        };
        Some((well, reason, message))
    }

    /// Whether something is being changed in AWS at this moment.
    pub(super) fn is_moving(&self) -> bool {
        self.observation.is_changing()
    }

    /// How far a change has come, by the stacks that are through. What was complete before the change is still to come.
    pub(super) fn progress(&self) -> Option<Progress> {
        let nested = self.observation.nested.present().filter(|_| self.is_moving())?;
        let began = self.observation.last_record.present()?.created?;
        let reached = |stack: &&NestedStack| stack.updated.is_some_and(|at| at >= began);
        // Replaced resources are cleaned up afterwards, while the others are changed.
        let works = |stack: &&NestedStack| {
            stack.status.ends_with("_IN_PROGRESS") && !stack.status.contains("_CLEANUP_")
        };
        let current = nested.iter().find(works);
        Some(Progress {
            stacks_done: nested.iter().filter(|stack| reached(stack) && !works(stack)).count(),
            stacks_total: nested.len(),
            resources_done: nested
                .iter()
                .filter(reached)
                .map(|stack| stack.resources_complete)
                .sum(),
            resources_total: nested.iter().map(|stack| stack.resources_total).sum(),
            current: current.map(|stack| format!("{} {}", stack.logical_id, stack.status)),
        })
    }

    /// Whether we keep events paused, since when, and what waits; `None`: it could not be read.
    pub(super) fn events(&self) -> Option<EventsState> {
        let triggers = self.observation.triggers.present()?;
        let off: Vec<_> =
            triggers.mappings.iter().filter(|trigger| trigger.state != "Enabled").collect();
        let since = off
            .iter()
            .filter_map(|trigger| match hold_of(trigger, self.product()?)? {
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
    /// `past` knows for which revision those were that this controller sent.
    pub(super) fn history(&self, past: &Past) -> Vec<History> {
        let records = self.observation.history.present().into_iter().flatten();
        // While an update runs its record is newer than the history that was read.
        let last = self.observation.last_record.present();
        let newest = last.filter(|last| {
            !matches!(&self.observation.history, Seen::Present(all) if all.iter().any(|it| it.id == last.id))
        });
        newest.into_iter().chain(records).filter_map(|record| history(record, past)).collect()
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

    /// When that was, by the host's clock. What was done on the look took time of its own.
    pub(super) fn looked_at(&self) -> Instant {
        self.looked_at
    }
}

fn history(record: &Record, past: &Past) -> Option<History> {
    let at = record.created?;
    let outcome = match record.status.as_str() {
        "SUCCEEDED" => Outcome::Succeeded,
        "FAILED" => Outcome::Failed,
        _ => Outcome::InProgress,
    };
    let seconds = record.updated.filter(|_| outcome != Outcome::InProgress);
    let sent = past.update_of(record);
    Some(History {
        at,
        revision: sent.map(|sent| sent.revision.clone()),
        commit: sent.and_then(|sent| sent.commit.clone()),
        summary: sent.and_then(|sent| sent.summary.clone()),
        by: record.principal.as_deref().map(crate::text::sanitize),
        record_id: Some(record.id.clone()),
        outcome,
        seconds: seconds.and_then(|end| u64::try_from(end.duration_since(at).as_secs()).ok()),
    })
}
