//! CloudFormation's own drift detection over root and nested stacks: rare, staggered, and only when somebody asked for it.
//!
//! It sees what no other look sees (a security group, an alarm, a parameter group changed by hand) and costs more than all other looks: it
//! takes minutes, leaves its result on the stack, is refused while another one runs, and does not follow nested stacks. So the daemon
//! ([`Observer::deep_turn`]) does one small piece of it a pass: start one, ask whether it is done, or read what it found. `turns` says which,
//! and keeps the cost below half a call a minute whatever interval a document asks for. People who wait in front of a terminal get all
//! stacks at once ([`Observer::deep_now`]).
//!
//! Nothing else in here starts a detection, and neither function is called by a look.

mod turns;

use super::convert::gap;
use super::join::join_all;
use super::observation::{DeepDrift, Gap, Observation, ResourceDrift, Seen, StackCheck};
use super::{Key, LookError, Observer, Query};
use crate::aws::{Class, Detector, Error, Reader, types as aws};
use crate::clock;
use crate::text::sanitize;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use turns::{Begun, Progress, Turn, Turns};

/// Stacks that are looked at at the same time when all are.
const AT_ONCE: usize = 6;

/// Pauses between two questions after one detection when somebody waits: a small stack takes seconds, a large one minutes.
const PAUSES: [u64; 8] = [1, 2, 3, 5, 8, 13, 20, 30];

/// How long one detection is waited for when somebody waits.
const PATIENCE: Duration = Duration::from_mins(10);

/// A nested stack as a resource: it is looked at by itself.
const STACK: &str = "AWS::CloudFormation::Stack";

/// A stack to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
struct StackRef {
    id: String,
    name: String,
    status: String,
}

/// What was found out about one stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Found {
    check: StackCheck,
    drifts: Vec<ResourceDrift>,
}

/// The turns of every TED that has asked for detection. One that is `None` is at work.
#[derive(Debug, Default)]
pub(super) struct AllTurns(Mutex<BTreeMap<Key, Option<Turns>>>);

impl AllTurns {
    /// `None`: somebody is at work on this TED, and nobody starts a second detection beside it.
    fn hold(&self, key: Key, begin: impl FnOnce() -> Turns) -> Option<Held<'_>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turns = match all.insert(key.clone(), None) {
            None => begin(),
            Some(Some(turns)) => turns,
            Some(None) => return None,
        };
        Some(Held { all: self, key, turns: Some(turns) })
    }

    fn of(&self, query: &Query) -> Option<Held<'_>> {
        self.hold(deep_key(query), || Turns::new(query.product.as_str(), clock::now()))
    }

    fn forget(&self, key: &Key) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

/// Turns that are being worked with. They are put back however the work ends, also when it is cut off.
struct Held<'a> {
    all: &'a AllTurns,
    key: Key,
    turns: Option<Turns>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(self.key.clone(), self.turns.take());
    }
}

impl Observer {
    /// Adds what drift detection has found so far to the observation. Asks nothing.
    ///
    /// `interval`: how often each stack is to be looked at (`deepDriftInterval`); zero: never, and what was known is forgotten.
    pub fn deep_known(&self, query: &Query, observation: &mut Observation, interval: Duration) {
        if interval.is_zero() {
            return self.deep.forget(&deep_key(query));
        }
        let Some(mut held) = self.deep.of(query) else { return };
        let Some(turns) = &mut held.turns else { return };
        turns.forget_what_changed(observation);
        observation.deep_drift = turns.report(&stacks(observation));
    }

    /// Does the next small piece of drift detection, if one is due; the next look knows what came of it.
    ///
    /// At most one request is made, of one page where the stack has up to 100 resources. A request that fails is a part of the answer.
    pub async fn deep_turn(&self, query: &Query, observation: &Observation, interval: Duration) {
        if interval.is_zero() {
            return;
        }
        let Some(mut held) = self.deep.of(query) else { return };
        let Some(turns) = &mut held.turns else { return };
        let stacks = stacks(observation);
        let quiet = is_quiet(observation);
        if let Some(turn) = turns.next(&stacks, quiet, interval, clock::now())
            && let Ok(session) = self.session(query).await
        {
            let asking = Asking {
                reader: session.reader(),
                detector: session.detector(),
                now: observation.now,
            };
            Box::pin(asking.take(turn, turns, interval)).await;
        }
    }

    /// Runs drift detection on every stack now, and waits for it: minutes.
    ///
    /// # Errors
    /// There is no session. What goes wrong with a stack is a part of the observation.
    pub async fn deep_now(
        &self,
        query: &Query,
        observation: &mut Observation,
    ) -> Result<(), LookError> {
        let session = self.session(query).await?;
        let asking =
            Asking { reader: session.reader(), detector: session.detector(), now: observation.now };
        let stacks = stacks(observation);
        if stacks.is_empty() {
            return Ok(());
        }
        let mut deep = DeepDrift::default();
        for some in stacks.chunks(AT_ONCE) {
            let found = join_all(some.iter().map(|stack| Box::pin(asking.whole(stack)))).await;
            for found in found {
                deep.drifts.extend(found.drifts);
                deep.stacks.push(found.check);
            }
        }
        observation.deep_drift = Seen::Present(deep);
        Ok(())
    }
}

fn deep_key(query: &Query) -> Key {
    (query.target(), query.product.clone())
}

/// Root and nested stacks, the root first.
fn stacks(observation: &Observation) -> Vec<StackRef> {
    let Some(root) = observation.root.present() else { return Vec::new() };
    let nested = observation.nested.present().map_or(&[][..], Vec::as_slice);
    std::iter::once((&root.id, &root.name, &root.status))
        .chain(nested.iter().map(|stack| (&stack.id, &stack.name, &stack.status)))
        .map(|(id, name, status)| StackRef {
            id: id.clone(),
            name: name.clone(),
            status: status.clone(),
        })
        .collect()
}

/// Whether nothing is being changed: a detection during an update would compare with half a template.
fn is_quiet(observation: &Observation) -> bool {
    let known = observation.products.present().is_some_and(|products| !products.is_empty())
        && observation.root.present().is_some();
    known && !observation.is_changing()
}

/// Whether a detection may run on a stack in this status (user guide, "Detect drift on an entire CloudFormation stack").
fn may_be_checked(status: &str) -> bool {
    matches!(
        status,
        "CREATE_COMPLETE"
            | "UPDATE_COMPLETE"
            | "UPDATE_ROLLBACK_COMPLETE"
            | "UPDATE_ROLLBACK_FAILED"
    )
}

/// Whether a detection was refused because one runs. CloudFormation has no code of its own for it.
fn runs_already(error: &Error) -> bool {
    error.message.to_ascii_lowercase().contains("already in progress")
}

/// What it takes to ask.
struct Asking {
    reader: Reader,
    detector: Detector,
    /// AWS's time.
    now: Timestamp,
}

impl Asking {
    /// One turn of a TED.
    async fn take(&self, turn: Turn, turns: &mut Turns, interval: Duration) {
        match turn {
            Turn::Start(stack) => {
                let begun = match self.detector.detect_drift(&stack.id).await {
                    Ok(id) => Begun::Runs(Some(id)),
                    Err(error) if runs_already(&error) => Begun::Runs(None),
                    Err(error) if error.class() == Class::Transient => Begun::NotNow,
                    Err(error) => Begun::Refused(gap(&error)),
                };
                turns.begun(stack, begun, interval, clock::now());
            }
            Turn::Ask(id) => {
                let progress = match self.reader.drift_detection(&id).await {
                    Ok(detection) => progress(&detection),
                    Err(error) if error.class() == Class::Transient => Progress::Runs,
                    Err(error) => Progress::Over(Some(gap(&error))),
                };
                turns.asked(progress, clock::now());
            }
            Turn::Read { stack, gap } => {
                let found = self.read(&stack, gap).await;
                turns.read(&stack, found, clock::now());
            }
        }
    }

    /// Start, wait, read: all of it for one stack.
    async fn whole(&self, stack: &StackRef) -> Found {
        if !may_be_checked(&stack.status) {
            return failed(stack, not_now(&stack.status));
        }
        let id = match self.detector.detect_drift(&stack.id).await {
            Ok(id) => Some(id),
            Err(error) if runs_already(&error) => None,
            Err(error) => return failed(stack, gap(&error)),
        };
        let before = match &id {
            Some(_) => None,
            None => self.last_checked(stack).await,
        };
        let began = clock::now();
        let mut pauses = PAUSES.into_iter();
        let mut pause = PAUSES[0];
        loop {
            pause = pauses.next().unwrap_or(pause);
            clock::sleep(Duration::from_secs(pause)).await;
            let over = match &id {
                Some(id) => match self.reader.drift_detection(id).await {
                    Ok(detection) => progress(&detection),
                    Err(error) if error.class() == Class::Transient => Progress::Runs,
                    Err(error) => return failed(stack, gap(&error)),
                },
                // Somebody else's: its end shows on the stack.
                None if self.last_checked(stack).await != before => Progress::Over(None),
                None => Progress::Runs,
            };
            if let Progress::Over(gap) = over {
                return self.read(stack, gap).await;
            }
            if began.elapsed() >= PATIENCE {
                return failed(stack, too_long(PATIENCE));
            }
        }
    }

    async fn last_checked(&self, stack: &StackRef) -> Option<Timestamp> {
        self.reader.stack(&stack.id).await.ok().flatten()?.drift_checked_at
    }

    /// What the last detection found on a stack. `gap`: why that is not all.
    async fn read(&self, stack: &StackRef, gap: Option<Gap>) -> Found {
        let drifts = match self.reader.resource_drifts(&stack.id).await {
            Ok(drifts) => drifts.unwrap_or_default(),
            Err(error) => return failed(stack, gap.unwrap_or(self::gap(&error))),
        };
        found(stack, drifts, gap, self.now)
    }
}

/// Nothing was found, and why.
fn failed(stack: &StackRef, gap: Gap) -> Found {
    let check = StackCheck { stack: stack.name.clone(), gap: Some(gap), ..StackCheck::default() };
    Found { check, drifts: Vec::new() }
}

/// What AWS says of the resources of a stack.
fn found(
    stack: &StackRef,
    drifts: Vec<aws::ResourceDrift>,
    gap: Option<Gap>,
    now: Timestamp,
) -> Found {
    let checked = drifts.iter().filter_map(|drift| drift.at).max().unwrap_or(now);
    let mut found = Found {
        check: StackCheck {
            stack: stack.name.clone(),
            checked: Some(checked),
            gap,
            ..StackCheck::default()
        },
        drifts: Vec::new(),
    };
    for drift in drifts.into_iter().filter(|drift| drift.kind.as_deref() != Some(STACK)) {
        let logical_id = sanitize(drift.logical_id.as_deref().unwrap_or_default());
        let kind = sanitize(drift.kind.as_deref().unwrap_or_default());
        match drift.status.as_deref() {
            Some("IN_SYNC") => found.check.compared += 1,
            Some(status @ ("MODIFIED" | "DELETED")) => {
                found.check.compared += 1;
                let value = |value: Option<String>| value.unwrap_or_default();
                let differences = drift.differences.into_iter().map(|difference| {
                    (difference.path, value(difference.expected), value(difference.actual))
                });
                found.drifts.push(ResourceDrift {
                    stack: stack.name.clone(),
                    logical_id,
                    physical_id: drift.physical_id.unwrap_or_default(),
                    kind,
                    status: status.to_owned(),
                    differences: differences.collect(),
                });
            }
            // `NOT_CHECKED`, `UNKNOWN`, `UNSUPPORTED`, or new.
            _ => found.check.unchecked.push(format!("{logical_id} ({kind})")),
        }
    }
    found
}

fn progress(detection: &aws::DriftDetection) -> Progress {
    match detection.status.as_deref() {
        Some("DETECTION_IN_PROGRESS") => Progress::Runs,
        Some("DETECTION_COMPLETE") => Progress::Over(None),
        // `DETECTION_FAILED`: at least one resource could not be looked at; the others have results (API reference). A status that is
        // new to us is no proof of a whole result either.
        status => {
            let reason = detection.status_reason.as_deref().map(sanitize).unwrap_or_default();
            let status = sanitize(status.unwrap_or("no status"));
            let why = if reason.is_empty() { status } else { format!("{status}: {reason}") };
            Progress::Over(Some(ours("DetectionFailed", &why, false)))
        }
    }
}

fn not_now(status: &str) -> Gap {
    ours("NotNow", &format!("the stack is {}", sanitize(status)), true)
}

fn too_long(limit: Duration) -> Gap {
    ours("NotFinished", &format!("it did not end within {} minutes", limit.as_secs() / 60), true)
}

/// A gap that is no refusal of AWS's.
fn ours(reason: &str, message: &str, passing: bool) -> Gap {
    Gap {
        operation: "cloudformation:DetectStackDrift".to_owned(),
        reason: reason.to_owned(),
        message: format!("drift detection: {message}"),
        passing,
    }
}
