//! The loop: which TED is looked at when, and what is told of it.
//!
//! One task owns everything; passes run beside it, one a TED at a time, at most `workers` together. A TED is due when its interval is
//! over, when its document changed, when somebody asked, or, after an error, when its wait is over. Whatever one TED does, the others
//! are looked at: a pass that breaks off is one TED's, and a region that does not answer leaves workers to the others (`queue`).
//!
//! `intake` is what comes in, documents and requests; `slot` is what is known of one TED between passes; `pass` is one look, and what is
//! done on it; `state` is what outlives the process.
//!
//! Safety rests on none of this: a pass that was cut off, a controller that was killed, a state file that is gone cost time and nothing
//! else.

mod backoff;
mod guard;
mod intake;
mod orphans;
mod pace;
mod pass;
mod queue;
mod slot;
mod state;

pub use state::{StateDir, StateError, file as state_file};

use crate::act::Disabled;
use crate::assess::types::{ConditionStatus, ConditionType};
use crate::assess::{Context, Frozen};
use crate::clock::{self, Instant};
use crate::desired::{Entry, Name, Suspend};
use crate::observe::{Depth, Observer};
use crate::report::audit::Audit;
use crate::report::commands::{Command, CommandReceiver};
use crate::report::metrics::{AwsRequest, PassResult};
use crate::report::{Event, EventKind, Look, Memory, SourceReport, Store, Unreadable};
use crate::settings::Settings;
use crate::source::{Documents, SourceState};
use jiff::Timestamp;
use pace::Pace;
use pass::{Means, Passed, Verdict, pass};
use queue::{Due, Place, choose};
use slot::{Outcome, Slot, Trouble};
use state::Saver;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{self, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// How often the loop says that it is alive, and writes what has changed to the state file.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How long passes under way get to end when the controller is stopped.
const DRAIN: Duration = Duration::from_secs(20);

/// What `--once` came to, over all TEDs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Sources that could not be read, or that have something wrong in them.
    pub broken_sources: usize,
    /// TEDs that could not be looked at.
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
    documents: watch::Receiver<Arc<Documents>>,
    commands: CommandReceiver,
    slots: BTreeMap<Name, Slot>,
    audit: Arc<Audit>,
    disabled: Arc<Disabled>,
    /// This process, as it signs its holds.
    process: String,
    /// Passes under way.
    under_way: BTreeMap<task::Id, UnderWay>,
    /// What was last told of the sources.
    told: BTreeMap<String, (SourceReport, SourceState)>,
    pace: Pace,
    /// AWS's time when it was last seen.
    seen_at: Option<Timestamp>,
    /// Requests to AWS that are in the metrics already.
    counted: BTreeMap<String, u64>,
    saver: Saver,
    /// Whether what a former process held was looked through.
    remembered_adopted: bool,
    /// Products without a document that were done with: whose holds still show, cannot be helped.
    orphans_done: BTreeSet<String>,
}

/// A pass under way.
#[derive(Debug)]
struct UnderWay {
    name: Name,
    /// What it judges by: the document may change meanwhile.
    entry: Option<Entry>,
    place: Place,
    /// Tokens of the requests that it answers, oldest first.
    asked: Vec<String>,
}

impl Controller {
    /// A loop over what `documents` says.
    pub fn new(
        settings: Arc<Settings>,
        observer: Arc<Observer>,
        store: Arc<Store>,
        documents: watch::Receiver<Arc<Documents>>,
        commands: CommandReceiver,
    ) -> Self {
        Self {
            audit: Arc::new(Audit::new(settings.state_dir.as_deref())),
            disabled: Arc::default(),
            process: process_name(),
            under_way: BTreeMap::new(),
            told: BTreeMap::new(),
            saver: Saver::new(settings.state_dir.as_deref().map(state::file)),
            pace: Pace::default(),
            seen_at: None,
            settings,
            observer,
            store,
            documents,
            commands,
            slots: BTreeMap::new(),
            counted: BTreeMap::new(),
            remembered_adopted: false,
            orphans_done: BTreeSet::new(),
        }
    }

    /// What a former process remembered.
    pub fn remembered(settings: &Settings) -> Memory {
        settings.state_dir.as_deref().map(state::memory).unwrap_or_default()
    }

    /// Runs until `stop`, then lets passes under way end.
    pub async fn run(mut self, stop: CancellationToken) -> Summary {
        let mut passes: JoinSet<Passed> = JoinSet::new();
        self.heed_settings();
        self.adopt_documents();
        let mut beat = clock::now();
        loop {
            self.start(&mut passes);
            let wake = self.next_due().min(beat + HEARTBEAT);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = passes.join_next_with_id(), if !passes.is_empty() => self.end(ended),
                Ok(()) = self.documents.changed() => self.adopt_documents(),
                Some((command, answer)) = self.commands.recv() => {
                    let taken_up = self.obey(&command);
                    if let (Command::Freeze { .. }, Ok(())) = (&command, &taken_up) {
                        // A freeze that a crash undoes would be none.
                        self.saver.save_now(&self.store).await;
                    }
                    let _ = answer.send(taken_up);
                }
                () = clock::sleep(wake.saturating_duration_since(clock::now())) => {}
            }
            if beat.elapsed() >= HEARTBEAT {
                beat = clock::now();
                self.beat().await;
            }
        }
        self.commands.close();
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
        self.saver.save_now(&self.store).await;
        self.summary()
    }

    /// Runs until every TED is settled, waits for time, or needs a person.
    pub async fn once(mut self, stop: CancellationToken) -> Summary {
        let mut passes: JoinSet<Passed> = JoinSet::new();
        tokio::select! {
            _ = self.documents.wait_for(|documents| documents.complete) => {}
            () = stop.cancelled() => {}
        }
        self.heed_settings();
        self.adopt_documents();
        let mut beat = clock::now();
        loop {
            self.start(&mut passes);
            if passes.is_empty() && self.slots.values().all(Slot::is_through) {
                break;
            }
            let wake = self.next_due().min(beat + HEARTBEAT);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = passes.join_next_with_id(), if !passes.is_empty() => self.end(ended),
                () = clock::sleep(wake.saturating_duration_since(clock::now())) => {}
            }
            if beat.elapsed() >= HEARTBEAT {
                beat = clock::now();
                self.beat().await;
            }
        }
        self.saver.save_now(&self.store).await;
        self.summary()
    }

    /// Says that the loop is alive, as far as it is: work that is overdue or under way does not count before it is done.
    async fn beat(&mut self) {
        let now = clock::now();
        if self.under_way.is_empty() && self.slots.values().all(|slot| slot.due > now) {
            self.store.idle(clock::wall());
        }
        self.tell_sources();
        self.heed_settings();
        self.saver.save_behind(&self.store).await;
    }

    /// A freeze of the settings has an end.
    fn heed_settings(&mut self) {
        let frozen = self.settings.frozen_at(clock::wall());
        if self.store.set_frozen_by_settings(frozen.as_deref()) {
            self.look_at_all();
        }
    }

    fn summary(&self) -> Summary {
        let broken_sources = self
            .documents
            .borrow()
            .sources
            .iter()
            .filter(|source| {
                source.problem.is_some() || source.in_force.files.iter().any(|file| !file.valid)
            })
            .count();
        let mut summary = Summary { broken_sources, ..Summary::default() };
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

    /// Starts the passes that are due, as far as there are workers.
    fn start(&mut self, passes: &mut JoinSet<Passed>) {
        let now = clock::now();
        let due: Vec<Due> = self
            .slots
            .values()
            .filter(|slot| !slot.running && slot.due <= now)
            .map(|slot| Due {
                name: slot.name.clone(),
                place: Place::of(&slot.query),
                since: slot.due,
            })
            .collect();
        if due.is_empty() {
            return;
        }
        let busy: Vec<Place> = self.under_way.values().map(|pass| pass.place.clone()).collect();
        let places: BTreeSet<Place> =
            self.slots.values().map(|slot| Place::of(&slot.query)).collect();
        let (context, aws_now) = (self.context(), self.aws_now());
        for name in choose(due, &busy, &places, self.settings.workers) {
            let Some(slot) = self.slots.get_mut(&name) else { continue };
            slot.running = true;
            let depth = std::mem::replace(&mut slot.depth, Depth::Steady);
            let mut past = self.store.past(&slot.name);
            if std::mem::take(&mut slot.retry_asked) {
                past.retry(aws_now);
                self.store.remember(&slot.name, past.clone());
            }
            let context = Context { past, sent: slot.sent.clone(), ..context.clone() };
            let means = Means {
                observer: Arc::clone(&self.observer),
                audit: Arc::clone(&self.audit),
                store: Arc::clone(&self.store),
                disabled: Arc::clone(&self.disabled),
                pace: self.pace.get(),
            };
            let subject = slot.subject();
            let diagnosed = slot.diagnosis.clone();
            let under_way = UnderWay {
                name,
                entry: subject.entry.clone(),
                place: Place::of(&slot.query),
                asked: std::mem::take(&mut slot.asked),
            };
            let task = passes.spawn(async move {
                Box::pin(pass(&means, &subject, depth, context, diagnosed)).await
            });
            self.under_way.insert(task.id(), under_way);
        }
    }

    fn context(&self) -> Context {
        let freeze = self.store.freeze();
        let frozen = freeze.frozen.then(|| match (freeze.since, &self.settings.frozen) {
            // What somebody asked for has a time, and counts before the settings.
            (None, Some(Suspend { reason, until })) => {
                Frozen::BySettings { reason: reason.clone(), until: *until }
            }
            _ => Frozen::ByHand(freeze.reason.unwrap_or_else(|| "by hand".to_owned())),
        });
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

    /// When the next TED becomes due. One that is due already waits for a worker, and the end of a pass wakes the loop.
    fn next_due(&self) -> Instant {
        let now = clock::now();
        let to_come = self.slots.values().map(|slot| slot.due).filter(|due| *due > now);
        to_come.min().unwrap_or(now + HEARTBEAT)
    }

    /// A pass has ended.
    fn end(&mut self, ended: Result<(task::Id, Passed), JoinError>) {
        let (id, passed) = match ended {
            Ok((id, passed)) => (id, Ok(passed)),
            Err(error) => (error.id(), Err(error)),
        };
        let Some(mut pass) = self.under_way.remove(&id) else { return };
        self.count_requests();
        let mut answered = std::mem::take(&mut pass.asked).into_iter();
        match passed {
            Ok(passed) => self.passed(&pass, answered.next(), &passed),
            Err(error) => self.broken_off(&pass, answered.next(), &error),
        }
        // One pass answers all who asked before it began.
        for token in answered {
            self.store.handled(&pass.name, &token);
        }
    }

    fn passed(&mut self, pass: &UnderWay, token: Option<String>, passed: &Passed) {
        let name = &pass.name;
        let Some(slot) = self.slots.get_mut(name) else { return };
        slot.running = false;
        let (now, wall) = (clock::now(), clock::wall());
        if let Ok(verdict) = &passed.verdict {
            self.pace.learn(verdict.looked_at(), verdict.observed_at());
            self.seen_at = self.seen_at.max(Some(verdict.observed_at()));
        }
        let (wait, result) = match &passed.verdict {
            Ok(verdict) => {
                let wait = slot.looked(verdict, self.pace.get(), now);
                let next = wall.checked_add(wait).ok();
                tell(&self.store, pass, slot, verdict, next, token);
                let result = match slot.outcome {
                    Some(Outcome::Settled) => PassResult::Settled,
                    _ if verdict.acted.is_some() => PassResult::Acted,
                    _ => PassResult::Waiting,
                };
                (wait, result)
            }
            Err(error) => {
                let trouble = slot.trouble_of(error);
                let wait = could_not_look(&self.store, &self.settings, slot, trouble, token);
                (wait, PassResult::Error)
            }
        };
        self.store.metrics().pass(result, passed.took);
        let soon = std::mem::take(&mut slot.again) || !slot.asked.is_empty();
        slot.due = if soon { now } else { now + wait };
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
            self.orphans_done.extend(slot.product.take());
            self.slots.remove(name);
            self.store.forget(name);
        }
        if let Ok(verdict) = &passed.verdict {
            self.yield_to(name);
            self.adopt_strays(name, verdict);
        }
    }

    /// A mistake of ours. The TED is looked at again; the others never noticed.
    fn broken_off(&mut self, pass: &UnderWay, token: Option<String>, error: &JoinError) {
        tracing::error!(ted = pass.name.as_str(), %error, "a pass broke off");
        let Some(slot) = self.slots.get_mut(&pass.name) else { return };
        slot.running = false;
        slot.depth = Depth::Full;
        let wait = could_not_look(&self.store, &self.settings, slot, Trouble::broken_off(), token);
        self.store.metrics().pass(PassResult::Error, Duration::ZERO);
        // What broke once breaks again: not at once, unless a person asks.
        slot.again = false;
        slot.due = if slot.asked.is_empty() { clock::now() + wait } else { clock::now() };
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
}

/// Says why there was no look; when to try again.
fn could_not_look(
    store: &Store,
    settings: &Settings,
    slot: &mut Slot,
    trouble: Trouble,
    token: Option<String>,
) -> Duration {
    let (now, wall) = (clock::now(), clock::wall());
    let interval =
        slot.entry.as_ref().map_or(settings.interval, |entry| entry.desired.spec.policy.interval);
    let is_news = slot.trouble != Some(trouble.reason);
    let wait = slot.could_not_look(&trouble, interval, now);
    let Trouble { reason, message, needs_person, wait: _ } = trouble;
    if is_news {
        tracing::warn!(ted = slot.name.as_str(), reason, "{message}");
        let event = Event::new(wall, EventKind::Warning, reason, message.clone());
        store.happened(&slot.name, event);
    }
    let unreadable = Unreadable {
        reason: reason.to_owned(),
        message,
        needs_person,
        interval,
        next_look_at: wall.checked_add(wait).ok(),
        handled_reconcile: token,
    };
    store.record_unreadable(&slot.name, &unreadable, wall);
    wait
}

/// Tells the store, the events and the log what a pass came to.
fn tell(
    store: &Store,
    pass: &UnderWay,
    slot: &Slot,
    verdict: &Verdict,
    next_look_at: Option<Timestamp>,
    token: Option<String>,
) {
    let (wall, name) = (clock::wall(), &pass.name);
    if let Some((well, reason, message)) = verdict.deed() {
        let kind = if well { EventKind::Normal } else { EventKind::Warning };
        store.happened(name, Event::new(wall, kind, reason, message));
    }
    // It judged, and acted, by the document as it was when it began. The same one may have come in another revision since.
    let mut memory = verdict.past(&store.past(name), pass.entry.as_ref());
    memory.kept = verdict.kept(&slot.query);
    let same = slot.entry.as_ref().map(|entry| &entry.desired.spec)
        == pass.entry.as_ref().map(|entry| &entry.desired.spec);
    let judged_by = if same { &slot.entry } else { &pass.entry };
    let revision = judged_by.as_ref().map(|entry| &entry.revision);
    let is_ready = verdict.condition(ConditionType::Ready) == ConditionStatus::True;
    let look = Look {
        applied_revision: revision.filter(|_| is_ready).map(ToString::to_string),
        observed_revision: revision,
        attempted_revision: memory.updates.last().map(|sent| sent.revision.clone()),
        observed_at: verdict.observed_at(),
        next_look_at,
        handled_reconcile: token,
        assessment: &verdict.assessment,
        sides: &verdict.sides,
        progress: verdict.progress(),
        events: verdict.events(),
        history: verdict.history(&memory),
        past: memory,
    };
    store.record(name, &look, wall);
}

/// The name of this process among those of one controller: of two, the one that began later has the greater one.
fn process_name() -> String {
    let began = clock::wall().as_millisecond();
    let random = RandomState::new().hash_one(began);
    format!("{began:012x}{:04x}", random & 0xffff)
}
