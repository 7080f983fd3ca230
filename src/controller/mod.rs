//! The loop: which TED is looked at when, and what is told of it.
//!
//! One task owns everything; passes run beside it, one a TED at a time, at most `workers` together. A TED is due when its interval is
//! over, when its document changed, when somebody asked, or, after an error, when its wait is over. Whatever one TED does, the others
//! are looked at.
//!
//! Safety rests on none of this: a pass that was cut off, a controller that was killed, a state file that is gone cost time and nothing
//! else.

mod backoff;
mod pass;

use self::backoff::{Retry, spread};
use crate::assess::Context;
use crate::assess::types::{ConditionStatus, ConditionType};
use crate::aws::Class;
use crate::clock::{self, Instant};
use crate::desired::{Entry, InForce, Name};
use crate::observe::{Depth, Observer};
use crate::report::commands::{Command, CommandReceiver, Refused};
use crate::report::metrics::{AwsRequest, PassResult};
use crate::report::{Event, EventKind, Look, Memory, SourceReport, Store, Unreadable};
use crate::settings::Settings;
use crate::source::Snapshot;
use pass::{Passed, Verdict, pass};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How often the loop says that it is alive, and writes what has changed to the state file.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How long passes under way get to end when the controller is stopped.
const DRAIN: Duration = Duration::from_secs(20);

/// The name of the state file in the state directory.
const STATE_FILE: &str = "state.json";

/// What `--once` came to, over all TEDs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// TEDs that could not be looked at, or sources that could not be read.
    pub failed: usize,
    /// TEDs that need a person.
    pub stalled: usize,
    /// TEDs that are not as wanted yet.
    pub waiting: usize,
    /// TEDs that are as wanted.
    pub settled: usize,
}

/// The loop.
#[derive(Debug)]
pub struct Controller {
    settings: Arc<Settings>,
    observer: Arc<Observer>,
    store: Arc<Store>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    commands: CommandReceiver,
    slots: BTreeMap<Name, Slot>,
    /// Requests to AWS that are in the metrics already.
    counted: BTreeMap<String, u64>,
    saved: Option<u64>,
}

/// What the loop knows of a TED.
#[derive(Debug)]
struct Slot {
    entry: Entry,
    due: Instant,
    running: bool,
    /// It changed while a pass was under way: that pass judged by the old document.
    again: bool,
    /// The next pass reads everything.
    full: bool,
    token: Option<String>,
    retry: Retry,
    outcome: Option<Outcome>,
}

impl Slot {
    fn new(entry: Entry, due: Instant) -> Self {
        Self {
            entry,
            due,
            running: false,
            again: false,
            full: true,
            token: None,
            retry: Retry::default(),
            outcome: None,
        }
    }
}

/// How the last pass of a TED ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Failed,
    Stalled,
    Waiting,
    Settled,
}

/// A pass that has ended.
type Ended = (Name, Option<String>, Passed);

impl Controller {
    /// A loop over what `snapshots` says.
    pub fn new(
        settings: Arc<Settings>,
        observer: Arc<Observer>,
        store: Arc<Store>,
        snapshots: watch::Receiver<Arc<Snapshot>>,
        commands: CommandReceiver,
    ) -> Self {
        Self {
            settings,
            observer,
            store,
            snapshots,
            commands,
            slots: BTreeMap::new(),
            counted: BTreeMap::new(),
            saved: None,
        }
    }

    /// What a former process remembered. A file that cannot be used is said and passed over: it holds comfort only.
    pub fn remembered(settings: &Settings) -> Memory {
        let Some(file) = state_file(settings) else { return Memory::default() };
        match Memory::load(&file) {
            Ok(memory) => memory,
            Err(error) if !file.exists() => {
                tracing::debug!(%error, "no state yet");
                Memory::default()
            }
            Err(error) => {
                tracing::warn!(%error, "the state file is passed over: times of transitions begin anew");
                Memory::default()
            }
        }
    }

    /// Runs until `stop`, then lets passes under way end.
    pub async fn run(mut self, stop: CancellationToken) -> Summary {
        let mut passes: JoinSet<Ended> = JoinSet::new();
        self.adopt_snapshot();
        let mut beat = clock::now();
        loop {
            self.start(&mut passes);
            let wake = self.next_due().min(beat + HEARTBEAT);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = passes.join_next(), if !passes.is_empty() => self.end(ended),
                Ok(()) = self.snapshots.changed() => self.adopt_snapshot(),
                Some((command, answer)) = self.commands.recv() => {
                    let _ = answer.send(self.obey(command));
                }
                () = clock::sleep(wake.saturating_duration_since(clock::now())) => {}
            }
            if beat.elapsed() >= HEARTBEAT {
                beat = clock::now();
                self.store.idle(clock::wall());
                self.save().await;
            }
        }
        tracing::info!(passes = passes.len(), "stopping: passes under way end, nothing new begins");
        let drained = async {
            while let Some(ended) = passes.join_next().await {
                self.end(ended);
            }
        };
        tokio::select! {
            () = drained => {}
            () = clock::sleep(DRAIN) => tracing::warn!("passes did not end in time: they are cut off, and nothing is lost by it"),
        }
        self.save().await;
        self.summary()
    }

    /// Runs until every TED is settled, waits for time, or needs a person.
    pub async fn once(mut self, stop: CancellationToken) -> Summary {
        let mut passes: JoinSet<Ended> = JoinSet::new();
        self.adopt_snapshot();
        loop {
            self.start(&mut passes);
            if passes.is_empty()
                && self.slots.values().all(|slot| slot.outcome.is_some() && !slot.again)
            {
                break;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = passes.join_next(), if !passes.is_empty() => self.end(ended),
                () = clock::sleep(self.next_due().saturating_duration_since(clock::now())) => {}
            }
        }
        self.save().await;
        self.summary()
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        let snapshot = self.snapshots.borrow();
        if snapshot.problem.is_some() || snapshot.in_force.files.iter().any(|file| !file.valid) {
            summary.failed += 1;
        }
        for slot in self.slots.values() {
            match slot.outcome {
                Some(Outcome::Failed) => summary.failed += 1,
                Some(Outcome::Stalled) => summary.stalled += 1,
                Some(Outcome::Waiting) | None => summary.waiting += 1,
                Some(Outcome::Settled) => summary.settled += 1,
            }
        }
        summary
    }

    /// Takes over what the source says now.
    fn adopt_snapshot(&mut self) {
        let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
        if snapshot.reading == 0 {
            return;
        }
        let now = clock::wall();
        if let Some(problem) = &snapshot.problem {
            tracing::warn!(
                source = snapshot.origin,
                problem,
                "the source cannot be read; what it said last stays in force"
            );
            self.store.source_failed(&snapshot.origin, problem);
            return;
        }
        self.store.set_source(SourceReport::read(
            &snapshot.origin,
            snapshot.revision.as_str(),
            &snapshot.in_force,
            now,
        ));
        for problem in snapshot.in_force.problems() {
            tracing::warn!(place = %problem.location, "{problem}");
        }
        self.adopt(&snapshot.in_force);
        tracing::info!(
            revision = snapshot.revision.as_str(),
            documents = snapshot.in_force.entries.len(),
            "documents in force"
        );
    }

    fn adopt(&mut self, in_force: &InForce) {
        let (now, wall) = (clock::now(), clock::wall());
        for entry in &in_force.entries {
            self.store.put_document(&entry.desired, wall);
            if let Some(slot) = self.slots.get_mut(&entry.desired.name) {
                let changed = slot.entry.desired.spec != entry.desired.spec
                    || slot.entry.standing != entry.standing;
                slot.entry = entry.clone();
                if changed {
                    (slot.due, slot.full, slot.again) = (now, true, slot.running);
                    slot.outcome = None;
                }
            } else {
                self.slots.insert(entry.desired.name.clone(), Slot::new(entry.clone(), now));
            }
        }
        let gone: Vec<Name> =
            self.slots.keys().filter(|name| in_force.get(name).is_none()).cloned().collect();
        for name in gone {
            tracing::info!(ted = name.as_str(), "its document is gone");
            self.slots.remove(&name);
            self.store.forget(&name);
        }
    }

    /// Starts the passes that are due, as far as there are workers.
    fn start(&mut self, passes: &mut JoinSet<Ended>) {
        let now = clock::now();
        let context = self.context();
        let mut due: Vec<(&Name, &mut Slot)> =
            self.slots.iter_mut().filter(|(_, slot)| !slot.running && slot.due <= now).collect();
        // Who waits longest goes first.
        due.sort_by_key(|(_, slot)| slot.due);
        for (name, slot) in due {
            if passes.len() >= self.settings.workers {
                return;
            }
            slot.running = true;
            let depth = if std::mem::take(&mut slot.full) { Depth::Full } else { Depth::Steady };
            let (observer, entry, name, token, context) = (
                Arc::clone(&self.observer),
                slot.entry.clone(),
                name.clone(),
                slot.token.take(),
                context.clone(),
            );
            passes.spawn(async move {
                let ended = Box::pin(pass(&observer, &entry, depth, context)).await;
                (name, token, ended)
            });
        }
    }

    fn context(&self) -> Context {
        let freeze = self.store.freeze();
        let frozen = freeze
            .frozen
            .then(|| freeze.reason.unwrap_or_else(|| "by hand".to_owned()))
            .or_else(|| self.settings.frozen_at(clock::wall()));
        Context {
            mode_bound: self.settings.mode,
            frozen,
            windows: self.settings.windows.clone(),
            controller_id: self.settings.controller_id.clone(),
            ..Context::default()
        }
    }

    fn next_due(&self) -> Instant {
        let idle = clock::now() + HEARTBEAT;
        self.slots.values().filter(|slot| !slot.running).map(|slot| slot.due).min().unwrap_or(idle)
    }

    /// A pass has ended.
    fn end(&mut self, ended: Result<Ended, tokio::task::JoinError>) {
        let (name, token, passed) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                // A mistake of ours. The TED is looked at again; the others never noticed.
                tracing::error!(%error, "a pass broke off");
                for slot in self.slots.values_mut().filter(|slot| slot.running) {
                    (slot.running, slot.due) = (false, clock::now() + Retry::slow());
                    slot.outcome = Some(Outcome::Failed);
                }
                return;
            }
        };
        self.count_requests();
        let Some(slot) = self.slots.get_mut(&name) else { return };
        slot.running = false;
        let wall = clock::wall();
        let (wait, result) = match &passed.verdict {
            Ok(verdict) => {
                slot.retry.reset();
                let wait = spread(verdict.assessment.requeue_after);
                slot.full |= verdict.is_moving() || !verdict.assessment.plan.is_empty();
                let next = wall.checked_add(wait).ok();
                let revision = slot.entry.revision.as_str().to_owned();
                let applied = (verdict.condition(ConditionType::Ready) == ConditionStatus::True)
                    .then(|| revision.clone());
                let look = Look {
                    observed_revision: Some(revision),
                    attempted_revision: None,
                    applied_revision: applied,
                    observed_at: verdict.observed_at(),
                    next_look_at: next,
                    handled_reconcile: token,
                    assessment: &verdict.assessment,
                    sides: &verdict.sides,
                    progress: verdict.progress(),
                    events: verdict.events(),
                    history: verdict.history(),
                };
                self.store.record(&name, &look, wall);
                let outcome = outcome_of(verdict);
                slot.outcome = Some(outcome);
                let result = if outcome == Outcome::Settled {
                    PassResult::Settled
                } else {
                    PassResult::Waiting
                };
                (wait, result)
            }
            Err(error) => {
                let wait = match error.class() {
                    Class::Transient => slot.retry.next(),
                    Class::Denied | Class::Terminal => Retry::slow(),
                };
                let message = match error.hint() {
                    Some(hint) => format!("{error}; {hint}"),
                    None => error.to_string(),
                };
                if slot.outcome != Some(Outcome::Failed) {
                    tracing::warn!(ted = name.as_str(), reason = error.reason(), "{message}");
                    self.store.happened(
                        &name,
                        Event::new(wall, EventKind::Warning, error.reason(), message.clone()),
                    );
                }
                let unreadable = Unreadable {
                    reason: error.reason().to_owned(),
                    message,
                    needs_person: error.class() != Class::Transient,
                    interval: slot.entry.desired.spec.policy.interval,
                    next_look_at: wall.checked_add(wait).ok(),
                    handled_reconcile: token,
                };
                self.store.record_unreadable(&name, &unreadable, wall);
                slot.outcome = Some(Outcome::Failed);
                // The next look finds everything by itself.
                slot.full = true;
                (wait, PassResult::Error)
            }
        };
        self.store.metrics().pass(result, passed.took);
        slot.due = if std::mem::take(&mut slot.again) || slot.token.is_some() {
            clock::now()
        } else {
            clock::now() + wait
        };
        tracing::debug!(
            ted = name.as_str(),
            result = result.as_str(),
            took_ms = u64::try_from(passed.took.as_millis()).unwrap_or(u64::MAX),
            "pass"
        );
    }

    fn obey(&mut self, command: Command) -> Result<(), Refused> {
        match command {
            Command::Reconcile { name, token, retry: _ } => {
                let slot = self
                    .slots
                    .iter_mut()
                    .find(|(known, _)| known.as_str() == name)
                    .map(|(_, slot)| slot);
                let slot = slot.ok_or(Refused::NoSuchTed(name))?;
                slot.token = Some(token);
                (slot.full, slot.due) = (true, clock::now());
                slot.again = slot.running;
            }
            Command::Freeze { on, reason } => {
                self.store.set_freeze(on, reason.as_deref(), clock::wall());
                tracing::warn!(
                    frozen = on,
                    reason,
                    "starts are {}",
                    if on { "frozen" } else { "allowed again" }
                );
                let now = clock::now();
                for slot in self.slots.values_mut() {
                    slot.due = now;
                    slot.again = slot.running;
                }
            }
        }
        Ok(())
    }

    /// Brings what the sessions counted into the metrics.
    fn count_requests(&mut self) {
        for (labels, count) in self.observer.sessions().requests() {
            let key = format!("{labels:?}");
            let seen = self.counted.entry(key).or_default();
            for _ in *seen..count {
                self.store.metrics().aws_request(AwsRequest {
                    account: labels.account.clone(),
                    region: labels.region.clone(),
                    service: labels.service.prefix().to_owned(),
                    operation: labels.operation.to_owned(),
                    outcome: labels.outcome.to_owned(),
                });
            }
            *seen = count;
        }
    }

    async fn save(&mut self) {
        let Some(file) = state_file(&self.settings) else { return };
        let Some((generation, memory)) = self.store.memory_since(self.saved) else { return };
        let written = tokio::task::spawn_blocking(move || memory.save(&file)).await;
        match written {
            Ok(Ok(())) => self.saved = Some(generation),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the state could not be written: only history and times depend on it");
            }
            Err(error) => tracing::warn!(%error, "the state could not be written"),
        }
    }
}

fn outcome_of(verdict: &Verdict) -> Outcome {
    let is = |kind| verdict.condition(kind) == ConditionStatus::True;
    if is(ConditionType::Stalled) {
        Outcome::Stalled
    } else if is(ConditionType::Ready) && verdict.assessment.plan.is_empty() {
        Outcome::Settled
    } else {
        Outcome::Waiting
    }
}

fn state_file(settings: &Settings) -> Option<PathBuf> {
    settings.state_dir.as_ref().map(|folder| folder.join(STATE_FILE))
}
