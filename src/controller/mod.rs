//! The loop: which TED is looked at when, and what is told of it.
//!
//! One task owns everything; passes run beside it, one a TED at a time, at most `workers` together. A TED is due when its interval is
//! over, when its document changed, when somebody asked, or, after an error, when its wait is over. Whatever one TED does, the others
//! are looked at.
//!
//! Safety rests on none of this: a pass that was cut off, a controller that was killed, a state file that is gone cost time and nothing
//! else.

mod backoff;
mod pace;
mod pass;
mod slot;

use self::backoff::Retry;
use crate::assess::Context;
use crate::assess::types::{ConditionStatus, ConditionType};
use crate::aws::Class;
use crate::clock::{self, Instant};
use crate::desired::{InForce, Name};
use crate::observe::{Depth, Observer};
use crate::report::audit::Audit;
use crate::report::commands::{Command, CommandReceiver, Refused};
use crate::report::metrics::{AwsRequest, PassResult};
use crate::report::{Event, EventKind, Look, Memory, SourceReport, Store, Unreadable};
use crate::settings::Settings;
use crate::source::Snapshot;
use jiff::Timestamp;
use pace::Pace;
use pass::{Means, Passed, Verdict, pass};
use slot::{Outcome, Slot};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{self, JoinSet};
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
    audit: Arc<Audit>,
    /// This process, as it signs its holds.
    process: String,
    /// Passes under way.
    under_way: HashMap<task::Id, Name>,
    pace: Pace,
    /// AWS's time when it was last seen.
    seen_at: Option<Timestamp>,
    /// Requests to AWS that are in the metrics already.
    counted: BTreeMap<String, u64>,
    saved: Option<u64>,
}

/// A pass that has ended.
type Ended = (Option<String>, Passed);

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
            audit: Arc::new(Audit::new(settings.state_dir.as_deref())),
            process: process_name(),
            under_way: HashMap::new(),
            pace: Pace::default(),
            seen_at: None,
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
            let wake = self.next_due(passes.len()).min(beat + HEARTBEAT);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = passes.join_next_with_id(), if !passes.is_empty() => self.end(ended),
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
            while let Some(ended) = passes.join_next_with_id().await {
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
                && self.slots.values().all(|slot| {
                    !slot.again && slot.outcome.is_some_and(|outcome| outcome != Outcome::Busy)
                })
            {
                break;
            }
            let wake = self.next_due(passes.len());
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = passes.join_next_with_id(), if !passes.is_empty() => self.end(ended),
                () = clock::sleep(wake.saturating_duration_since(clock::now())) => {}
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
                Some(Outcome::Waiting | Outcome::Busy) | None => summary.waiting += 1,
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
                slot.update(entry, now);
            } else {
                let slot = Slot::new(entry.clone(), now);
                self.slots.insert(entry.desired.name.clone(), slot);
            }
        }
        let gone = self
            .slots
            .values_mut()
            .filter(|slot| slot.entry.is_some() && in_force.get(&slot.name).is_none());
        for slot in gone {
            tracing::info!(
                ted = slot.name.as_str(),
                "its document is gone; what it holds is given back"
            );
            slot.entry = None;
            slot.look_now(now);
        }
    }

    /// Starts the passes that are due, as far as there are workers.
    fn start(&mut self, passes: &mut JoinSet<Ended>) {
        let now = clock::now();
        let (context, aws_now) = (self.context(), self.aws_now());
        let mut due: Vec<&mut Slot> =
            self.slots.values_mut().filter(|slot| !slot.running && slot.due <= now).collect();
        // Who waits longest goes first.
        due.sort_by_key(|slot| slot.due);
        for slot in due {
            if passes.len() >= self.settings.workers {
                return;
            }
            slot.running = true;
            let depth = std::mem::replace(&mut slot.depth, Depth::Steady);
            let mut past = self.store.past(&slot.name);
            if std::mem::take(&mut slot.retry_asked) {
                past.retry(aws_now);
                self.store.remember(&slot.name, past.clone());
            }
            let context = Context {
                past,
                sent: slot.sent.clone(),
                diagnosis: slot.diagnosis.clone(),
                ..context.clone()
            };
            let means = Means {
                observer: Arc::clone(&self.observer),
                audit: Arc::clone(&self.audit),
                store: Arc::clone(&self.store),
                pace: self.pace.get(),
            };
            let (subject, token) = (slot.subject(), slot.token.take());
            let task = passes.spawn(async move {
                let ended = Box::pin(pass(&means, &subject, depth, context)).await;
                (token, ended)
            });
            self.under_way.insert(task.id(), slot.name.clone());
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
            process: self.process.clone(),
            ..Context::default()
        }
    }

    /// AWS's time, as far as it is known.
    fn aws_now(&self) -> Timestamp {
        self.seen_at.unwrap_or_else(clock::wall)
    }

    /// When somebody is due whom a worker could take.
    fn next_due(&self, workers_busy: usize) -> Instant {
        let idle = clock::now() + HEARTBEAT;
        if workers_busy >= self.settings.workers {
            return idle;
        }
        self.slots.values().filter(|slot| !slot.running).map(|slot| slot.due).min().unwrap_or(idle)
    }

    /// A pass has ended.
    fn end(&mut self, ended: Result<(task::Id, Ended), task::JoinError>) {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, Ok(ended)),
            Err(error) => (error.id(), Err(error)),
        };
        let Some(name) = self.under_way.remove(&id) else { return };
        self.count_requests();
        match ended {
            Ok((token, passed)) => self.passed(&name, token, &passed),
            Err(error) => {
                // A mistake of ours. The TED is looked at again; the others never noticed.
                tracing::error!(ted = name.as_str(), %error, "a pass broke off");
                let Some(slot) = self.slots.get_mut(&name) else { return };
                (slot.running, slot.due) = (false, clock::now() + Retry::slow());
                slot.outcome = Some(Outcome::Failed);
                self.store.metrics().pass(PassResult::Error, Duration::ZERO);
            }
        }
    }

    fn passed(&mut self, name: &Name, token: Option<String>, passed: &Passed) {
        let Some(slot) = self.slots.get_mut(name) else { return };
        slot.running = false;
        if let Ok(verdict) = &passed.verdict {
            self.pace.learn(clock::now(), verdict.observed_at());
            self.seen_at = self.seen_at.max(Some(verdict.observed_at()));
        }
        let is_news = passed.verdict.as_ref().err().is_some_and(|error| slot.is_news(error));
        let wait = slot.passed(passed, self.pace.get());
        let wall = clock::wall();
        let next = wall.checked_add(wait).ok();
        let result = match &passed.verdict {
            Ok(verdict) => {
                tell(&self.store, name, slot, verdict, next, token);
                match slot.outcome {
                    Some(Outcome::Settled) => PassResult::Settled,
                    _ if verdict.acted.is_some() => PassResult::Acted,
                    _ => PassResult::Waiting,
                }
            }
            Err(error) => {
                let message = match error.hint() {
                    Some(hint) => format!("{error}; {hint}"),
                    None => error.to_string(),
                };
                if is_news {
                    tracing::warn!(ted = name.as_str(), reason = error.reason(), "{message}");
                    let event =
                        Event::new(wall, EventKind::Warning, error.reason(), message.clone());
                    self.store.happened(name, event);
                }
                let interval = slot
                    .entry
                    .as_ref()
                    .map_or(self.settings.interval, |entry| entry.desired.spec.policy.interval);
                let unreadable = Unreadable {
                    reason: error.reason().to_owned(),
                    message,
                    needs_person: error.class() != Class::Transient,
                    interval,
                    next_look_at: next,
                    handled_reconcile: token,
                };
                self.store.record_unreadable(name, &unreadable, wall);
                PassResult::Error
            }
        };
        self.store.metrics().pass(result, passed.took);
        let soon = std::mem::take(&mut slot.again) || slot.token.is_some();
        slot.due = if soon { clock::now() } else { clock::now() + wait };
        tracing::debug!(
            ted = name.as_str(),
            result = result.as_str(),
            took_ms = u64::try_from(passed.took.as_millis()).unwrap_or(u64::MAX),
            "pass"
        );
        let done = slot.is_done_with(passed);
        if done && !soon {
            tracing::info!(ted = name.as_str(), "nothing is held for it any more: it is forgotten");
            self.observer.forget(&slot.query);
            self.slots.remove(name);
            self.store.forget(name);
        }
    }

    fn obey(&mut self, command: Command) -> Result<(), Refused> {
        let now = clock::now();
        match command {
            Command::Reconcile { name, token, retry } => {
                let slot = self.slots.values_mut().find(|slot| slot.name.as_str() == name);
                let slot = slot.ok_or(Refused::NoSuchTed(name))?;
                slot.token = Some(token);
                slot.retry_asked |= retry;
                slot.look_now(now);
            }
            Command::Freeze { on, reason } => {
                self.store.set_freeze(on, reason.as_deref(), clock::wall());
                let what = if on { "frozen" } else { "allowed again" };
                tracing::warn!(frozen = on, reason, "starts are {what}");
                for slot in self.slots.values_mut() {
                    (slot.due, slot.again) = (now, slot.running);
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

/// Tells the store, the events and the log what a pass came to.
fn tell(
    store: &Store,
    name: &Name,
    slot: &Slot,
    verdict: &Verdict,
    next_look_at: Option<Timestamp>,
    token: Option<String>,
) {
    let wall = clock::wall();
    if let Some((well, reason, message)) = verdict.deed() {
        let kind = if well { EventKind::Normal } else { EventKind::Warning };
        store.happened(name, Event::new(wall, kind, reason, message));
    }
    let past = slot.past(verdict, &store.past(name));
    let revision = slot.entry.as_ref().map(|entry| entry.revision.as_str().to_owned());
    let is_ready = verdict.condition(ConditionType::Ready) == ConditionStatus::True;
    let look = Look {
        applied_revision: revision.clone().filter(|_| is_ready),
        observed_revision: revision,
        attempted_revision: past.updates.last().map(|sent| sent.revision.clone()),
        observed_at: verdict.observed_at(),
        next_look_at,
        handled_reconcile: token,
        assessment: &verdict.assessment,
        sides: &verdict.sides,
        progress: verdict.progress(),
        events: verdict.events(),
        history: verdict.history(&past),
        past,
    };
    store.record(name, &look, wall);
}

/// The name of this process among those of one controller: of two, the one that began later has the greater one.
fn process_name() -> String {
    let began = clock::wall().as_millisecond();
    let random = RandomState::new().hash_one(began);
    format!("{began:012x}{:04x}", random & 0xffff)
}

fn state_file(settings: &Settings) -> Option<PathBuf> {
    settings.state_dir.as_ref().map(|folder| folder.join(STATE_FILE))
}
