//! The shared state: the controller writes it, page, API, metrics and command line read it.
//!
//! Writing is one call a pass: [`Store::record`] when the look came to something, [`Store::record_unreadable`] when it did not. From
//! there follow transition times, events, gauges and what subscribers are sent. Everything in it is bounded, and nothing in it decides.

use super::clean;
use super::events::{Event, EventLog};
use super::memory::{Memory, Remembered};
use super::metrics::{Metrics, Present};
use super::sides::Side;
use super::status::{
    EventsState, Freeze, History, Progress, SourceReport, Status, Ted, TedList, Trouble,
    public_spec,
};
use super::transitions::{
    carry_conditions, carry_findings, conditions_while_unreadable, happenings, whole_second,
};
use crate::assess::past::{Kept, Past};
use crate::assess::types::{Assessment, Condition};
use crate::desired::{Desired, Name, Revision};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;

/// How many changes a slow subscriber may be behind before it is told to read everything again.
const MAX_BEHIND: usize = 256;

/// How many past updates a status lists.
const MAX_HISTORY: usize = 20;

/// A look that came to something.
#[derive(Clone, Debug)]
pub struct Look<'a> {
    /// The revision it judged by; absent when the document is gone and its hold is not.
    pub observed_revision: Option<&'a Revision>,
    /// The revision that the last update was started for, as far as is known.
    pub attempted_revision: Option<String>,
    /// The revision that was last verified to be in effect.
    pub applied_revision: Option<String>,
    /// AWS's time of the look.
    pub observed_at: Timestamp,
    /// When it is looked at again.
    pub next_look_at: Option<Timestamp>,
    /// The token of the reconcile-now request that this pass answers, if it answers one.
    pub handled_reconcile: Option<String>,
    /// The verdict.
    pub assessment: &'a Assessment,
    /// [`mod@super::sides`].
    pub sides: &'a [Side],
    /// How far the update under way has come.
    pub progress: Option<Progress>,
    /// Whether events are paused; absent when it could not be read.
    pub events: Option<EventsState>,
    /// Past updates, newest first.
    pub history: Vec<History>,
    /// What is to be remembered of it.
    pub past: Past,
}

/// A look that came to nothing.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// One CamelCase word.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
    /// Whether no look will come to anything before a person did something.
    pub needs_person: bool,
    /// The TED's interval: after three of them the last verdict counts no more.
    pub interval: Duration,
    /// When it is tried again.
    pub next_look_at: Option<Timestamp>,
    /// The token of the reconcile-now request that this pass answers, if it answers one.
    pub handled_reconcile: Option<String>,
}

/// Something that subscribers are told.
#[derive(Clone, Debug)]
pub enum Change {
    /// A TED is new or has another status.
    Ted(Arc<Ted>),
    /// A TED is gone.
    Gone(String),
    /// Something happened to a TED.
    Happened {
        /// Its name.
        name: String,
        /// What.
        event: Event,
    },
    /// The source was read.
    Sources,
    /// Starts were stopped or allowed again.
    Freeze(Freeze),
}

/// How the daemon itself is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Whether the last pass was completed recently enough.
    pub healthy: bool,
    /// When the last pass was completed; absent before the first.
    pub last_pass_at: Option<Timestamp>,
    /// Seconds since then, or since the start.
    pub last_pass_age_seconds: i64,
    /// How many seconds are recent enough.
    pub limit_seconds: u64,
}

#[derive(Debug)]
struct Entry {
    ted: Arc<Ted>,
    /// Conditions and findings with their times, also those of a former process.
    remembered: Remembered,
    /// The conditions of the last verdict, as it gave them.
    verdict: Vec<Condition>,
    events: EventLog,
    /// Whether a pass has been completed, whatever it came to.
    looked: bool,
}

#[derive(Debug)]
struct Inner {
    teds: BTreeMap<String, Entry>,
    last_passes: BTreeMap<String, Timestamp>,
    /// Remembered of TEDs that have not turned up yet.
    former: BTreeMap<String, Remembered>,
    /// In the order in which they were told of.
    sources: Vec<SourceReport>,
    freeze: Freeze,
    /// Why the controller's settings allow no start at this moment, if they do not.
    frozen_by_settings: Option<String>,
    started_at: Timestamp,
    last_pass_at: Option<Timestamp>,
    ready: bool,
    /// The process is about to end.
    draining: bool,
    /// Moves whenever what [`Memory`] keeps may have changed.
    generation: u64,
}

/// The shared state.
#[derive(Debug)]
pub struct Store {
    inner: Mutex<Inner>,
    changes: broadcast::Sender<Change>,
    metrics: Metrics,
}

impl Store {
    /// A store that knows what a former process remembered.
    pub fn new(memory: Memory, now: Timestamp) -> Self {
        let inner = Inner {
            teds: BTreeMap::new(),
            last_passes: BTreeMap::new(),
            former: memory.teds,
            sources: Vec::new(),
            freeze: memory.freeze,
            frozen_by_settings: None,
            started_at: now,
            last_pass_at: None,
            ready: false,
            draining: false,
            generation: 0,
        };
        let (changes, _) = broadcast::channel(MAX_BEHIND);
        Self { inner: Mutex::new(inner), changes, metrics: Metrics::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while it was held leaves values that were each set whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, change: Change) {
        // Nobody listening is no error.
        let _ = self.changes.send(change);
    }

    // What the controller writes.

    /// A document is in force: its TED is there from now on.
    pub fn put_document(&self, desired: &Desired, now: Timestamp) {
        let name = desired.name.to_string();
        let mut inner = self.lock();
        let ted = match inner.teds.get_mut(&name) {
            Some(entry) => {
                let spec = public_spec(desired);
                if entry.ted.spec == spec {
                    return;
                }
                entry.ted = Arc::new(Ted { spec, ..(*entry.ted).clone() });
                Arc::clone(&entry.ted)
            }
            None => inner.insert(desired, now),
        };
        drop(inner);
        self.tell(Change::Ted(ted));
    }

    /// A product of which something is to be given back, and that no document names.
    pub fn put_without_document(&self, name: &Name, product: &str, now: Timestamp) {
        let mut inner = self.lock();
        if inner.teds.contains_key(name.as_str()) {
            return;
        }
        let ted = inner.put(Ted::without_document(name, product, now));
        drop(inner);
        self.tell(Change::Ted(ted));
    }

    /// What a former process kept off for TEDs that have not turned up.
    pub fn former_kept(&self) -> Vec<(String, Kept)> {
        let inner = self.lock();
        let kept =
            inner.former.iter().filter_map(|(name, it)| Some((name, it.past.kept.as_ref()?)));
        kept.map(|(name, kept)| (name.clone(), kept.clone())).collect()
    }

    /// A TED is gone: its document is, and so is its hold.
    pub fn forget(&self, name: &Name) {
        let mut inner = self.lock();
        let known = inner.teds.remove(name.as_str()).is_some();
        inner.last_passes.remove(name.as_str());
        inner.former.remove(name.as_str());
        inner.generation += 1;
        drop(inner);
        if known {
            self.tell(Change::Gone(name.to_string()));
        }
    }

    /// A pass has looked. `now` is when it ended; AWS's time of the look is part of it.
    pub fn record(&self, name: &Name, look: &Look<'_>, now: Timestamp) {
        self.write(name, now, |entry| {
            let verdict = clean::verdict(look.assessment);
            let applied =
                look.applied_revision.clone().or(entry.remembered.applied_revision.take());
            entry.verdict.clone_from(&verdict.conditions);
            let remembered = &entry.remembered;
            let status = Status {
                observed_revision: look.observed_revision.map(ToString::to_string),
                observed_commit: look.observed_revision.and_then(Revision::commit).cloned(),
                attempted_revision: look.attempted_revision.clone(),
                applied_revision: applied.clone(),
                observed_at: Some(whole_second(look.observed_at)),
                looked_at: Some(whole_second(now)),
                next_look_at: look.next_look_at.map(whole_second),
                last_handled_reconcile: remembered.handled(look.handled_reconcile.as_ref()),
                phase: Some(verdict.phase),
                conditions: carry_conditions(&remembered.conditions, &verdict.conditions, now),
                actual: verdict.actual,
                findings: carry_findings(&remembered.findings, &verdict.findings, now),
                gates: verdict.gates,
                plan: verdict.plan,
                progress: look.progress.as_ref().map(clean::progress),
                events: look.events.clone(),
                history: look.history.iter().take(MAX_HISTORY).cloned().collect(),
                sides: clean::sides(look.sides),
                parameters: verdict.parameters,
                notes: verdict.notes,
                trouble: None,
            };
            entry.remembered = Remembered {
                conditions: status.conditions.clone(),
                findings: status.findings.clone(),
                last_handled_reconcile: status.last_handled_reconcile.clone(),
                applied_revision: applied,
                past: look.past.clone(),
            };
            status
        });
    }

    /// What is remembered of a TED, for the next assessment.
    pub fn past(&self, name: &Name) -> Past {
        let inner = self.lock();
        inner.teds.get(name.as_str()).map(|entry| entry.remembered.past.clone()).unwrap_or_default()
    }

    /// Changes what is remembered of a TED: a person asked for it.
    pub fn remember(&self, name: &Name, past: Past) {
        let mut inner = self.lock();
        if let Some(entry) = inner.teds.get_mut(name.as_str()) {
            entry.remembered.past = past;
            inner.generation += 1;
        }
    }

    /// A pass could not look: the last verdict stays, with its age, for three intervals.
    pub fn record_unreadable(&self, name: &Name, unreadable: &Unreadable, now: Timestamp) {
        self.write(name, now, |entry| {
            let before = &entry.ted.status;
            let (reason, message) =
                (clean::word(&unreadable.reason), crate::text::sanitize(&unreadable.message));
            let conditions = conditions_while_unreadable(
                &entry.verdict,
                // By the host's clock, as `now` is: AWS's may be far from it.
                before.looked_at,
                now,
                unreadable.interval,
                (&reason, &message),
                unreadable.needs_person,
            );
            // Before the first look the former process's verdict is not what is shown.
            let shown = match before.observed_at {
                Some(_) => &entry.remembered.conditions,
                None => &before.conditions,
            };
            let conditions = carry_conditions(shown, &conditions, now);
            let since = before.trouble.as_ref().map_or(whole_second(now), |trouble| trouble.since);
            let status = Status {
                next_look_at: unreadable.next_look_at.map(whole_second),
                last_handled_reconcile: entry
                    .remembered
                    .handled(unreadable.handled_reconcile.as_ref()),
                conditions,
                trouble: Some(Trouble { since, reason, message }),
                ..before.clone()
            };
            // A process that could not look yet must not wipe out what a former one knew.
            if before.observed_at.is_some() {
                entry.remembered.conditions.clone_from(&status.conditions);
            }
            entry.remembered.last_handled_reconcile.clone_from(&status.last_handled_reconcile);
            status
        });
    }

    /// What both ways to end a pass have in common.
    fn write(&self, name: &Name, now: Timestamp, status: impl FnOnce(&mut Entry) -> Status) {
        let mut inner = self.lock();
        let Some(entry) = inner.teds.get_mut(name.as_str()) else {
            // The document went while the pass was under way.
            return;
        };
        let status = status(entry);
        let events = happenings(&entry.ted.status, &status, now);
        for event in &events {
            entry.events.push(event.clone());
        }
        entry.ted = Arc::new(Ted { status, ..(*entry.ted).clone() });
        entry.looked = true;
        let ted = Arc::clone(&entry.ted);
        inner.last_passes.insert(name.to_string(), now);
        inner.generation += 1;
        inner.completed(now);
        drop(inner);
        self.tell(Change::Ted(ted));
        for event in events {
            self.tell(Change::Happened { name: name.to_string(), event });
        }
    }

    /// The document is the same in another revision, and so is the last verdict on it.
    pub fn carry_revision(&self, name: &Name, revision: &Revision) {
        let (revision, commit) = (revision.as_str(), revision.commit());
        let mut inner = self.lock();
        let Some(entry) = inner.teds.get_mut(name.as_str()) else { return };
        let status = &entry.ted.status;
        if status.observed_revision.is_none()
            || status.observed_revision.as_deref() == Some(revision)
        {
            return;
        }
        let mut status = status.clone();
        if status.applied_revision.is_some() && status.applied_revision == status.observed_revision
        {
            status.applied_revision = Some(revision.to_owned());
        }
        status.observed_revision = Some(revision.to_owned());
        status.observed_commit = commit.cloned();
        entry.ted = Arc::new(Ted { status, ..(*entry.ted).clone() });
        let ted = Arc::clone(&entry.ted);
        drop(inner);
        self.tell(Change::Ted(ted));
    }

    /// One more reconcile-now request was carried out by the pass that was just recorded.
    pub fn handled(&self, name: &Name, token: &str) {
        let mut inner = self.lock();
        let Some(entry) = inner.teds.get_mut(name.as_str()) else { return };
        let mut status = entry.ted.status.clone();
        status.last_handled_reconcile = Some(token.to_owned());
        entry.remembered.last_handled_reconcile = Some(token.to_owned());
        entry.ted = Arc::new(Ted { status, ..(*entry.ted).clone() });
        let ted = Arc::clone(&entry.ted);
        inner.generation += 1;
        drop(inner);
        self.tell(Change::Ted(ted));
    }

    /// The process is about to end: it is not ready any more.
    pub fn drain(&self) {
        self.lock().draining = true;
    }

    /// A round of the loop was completed though no pass was due: the daemon is alive.
    pub fn idle(&self, now: Timestamp) {
        self.lock().completed(now);
    }

    /// Something happened that conditions and findings do not tell: a step was sent, a request was refused.
    pub fn happened(&self, name: &Name, event: Event) {
        let mut inner = self.lock();
        let Some(entry) = inner.teds.get_mut(name.as_str()) else { return };
        entry.events.push(event.clone());
        drop(inner);
        self.tell(Change::Happened { name: name.to_string(), event });
    }

    /// How a source stands now. Nobody is told of a reading that found nothing new.
    pub fn set_source(&self, report: SourceReport) {
        let mut inner = self.lock();
        let known = inner.sources.iter_mut().find(|known| known.source == report.source);
        let is_news = if let Some(known) = known {
            let same = SourceReport { last_read_at: known.last_read_at, ..report.clone() };
            let is_news = *known != same;
            *known = report;
            is_news
        } else {
            inner.sources.push(report);
            true
        };
        drop(inner);
        if is_news {
            self.tell(Change::Sources);
        }
    }

    /// Starts are stopped, or allowed again. The same again keeps its time.
    pub fn set_freeze(&self, frozen: bool, reason: Option<&str>, now: Timestamp) -> Freeze {
        let mut inner = self.lock();
        if inner.freeze.frozen != frozen {
            inner.freeze.since = frozen.then(|| whole_second(now));
        }
        inner.freeze.frozen = frozen;
        inner.freeze.reason = reason.filter(|_| frozen).map(crate::text::sanitize);
        inner.generation += 1;
        let freeze = inner.freeze();
        drop(inner);
        self.tell(Change::Freeze(freeze.clone()));
        freeze
    }

    /// The controller's settings stop starts for this reason, or do not. Says whether that is news.
    pub fn set_frozen_by_settings(&self, reason: Option<&str>) -> bool {
        let mut inner = self.lock();
        let reason = reason.map(crate::text::sanitize);
        if inner.frozen_by_settings == reason {
            return false;
        }
        inner.frozen_by_settings = reason;
        let freeze = inner.freeze();
        drop(inner);
        self.tell(Change::Freeze(freeze));
        true
    }

    /// The metrics, to count on.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    // What everybody reads.

    /// All TEDs, in the order of names.
    pub fn teds(&self) -> Vec<Arc<Ted>> {
        self.lock().teds.values().map(|entry| Arc::clone(&entry.ted)).collect()
    }

    /// All TEDs, as the API lists them.
    pub fn list(&self) -> TedList {
        let items = self.teds().iter().map(|ted| (**ted).clone()).collect();
        TedList { items, freeze: self.freeze() }
    }

    /// One TED.
    pub fn ted(&self, name: &str) -> Option<Arc<Ted>> {
        self.lock().teds.get(name).map(|entry| Arc::clone(&entry.ted))
    }

    /// The events of one TED, newest first; nothing when there is no such TED.
    pub fn events(&self, name: &str) -> Option<Vec<Event>> {
        self.lock().teds.get(name).map(|entry| entry.events.newest_first())
    }

    /// How the sources stand, in the order in which they were named.
    pub fn sources(&self) -> Vec<SourceReport> {
        self.lock().sources.clone()
    }

    /// Whether starts are stopped, by somebody or by the settings.
    pub fn freeze(&self) -> Freeze {
        self.lock().freeze()
    }

    /// Whether passes go on, by the age of the last one.
    pub fn health(&self, now: Timestamp, limit: Duration) -> Health {
        let inner = self.lock();
        let age =
            now.duration_since(inner.last_pass_at.unwrap_or(inner.started_at)).as_secs().max(0);
        Health {
            healthy: u64::try_from(age).is_ok_and(|age| age <= limit.as_secs()),
            last_pass_at: inner.last_pass_at.map(whole_second),
            last_pass_age_seconds: age,
            limit_seconds: limit.as_secs(),
        }
    }

    /// Whether every source was read and every TED was looked at once, whatever that came to. Stays so until the process is about to end.
    pub fn is_ready(&self) -> bool {
        let mut inner = self.lock();
        inner.ready |= inner.all_read() && inner.teds.values().all(|entry| entry.looked);
        inner.ready && !inner.draining
    }

    /// Changes from now on. Who falls too far behind is told, and reads everything again.
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Everything for Prometheus.
    pub fn metrics_text(&self, now: Timestamp) -> String {
        let teds = self.teds();
        let (last_passes, sources, started_at) = {
            let inner = self.lock();
            (inner.last_passes.clone(), inner.sources.clone(), inner.started_at)
        };
        self.metrics.encode(&Present {
            teds: &teds,
            last_passes: &last_passes,
            sources: &sources,
            started_at,
            now,
        })
    }

    /// What is to outlive a restart, if it may differ from what it was at `seen`, with the number to ask with next time.
    pub fn memory_since(&self, seen: Option<u64>) -> Option<(u64, Memory)> {
        let inner = self.lock();
        if seen == Some(inner.generation) {
            return None;
        }
        let mut memory = Memory::default();
        // Those that have not turned up yet may still: a source that is slow to read must not cost them their times.
        if !inner.all_read() {
            memory.teds.clone_from(&inner.former);
        }
        memory.teds.extend(
            inner.teds.iter().map(|(name, entry)| (name.clone(), entry.remembered.clone())),
        );
        memory.freeze = inner.freeze.clone();
        Some((inner.generation, memory))
    }
}

impl Inner {
    /// What somebody asked for counts first: it has a time, and it outlives a change of the settings.
    fn freeze(&self) -> Freeze {
        match &self.frozen_by_settings {
            Some(reason) if !self.freeze.frozen => {
                Freeze { frozen: true, reason: Some(reason.clone()), since: None }
            }
            Some(_) | None => self.freeze.clone(),
        }
    }

    fn insert(&mut self, desired: &Desired, now: Timestamp) -> Arc<Ted> {
        self.put(Ted::new(desired, now))
    }

    fn put(&mut self, mut ted: Ted) -> Arc<Ted> {
        let name = ted.metadata.name.clone();
        let remembered = self.former.remove(&name).unwrap_or_default();
        ted.status.last_handled_reconcile.clone_from(&remembered.last_handled_reconcile);
        ted.status.applied_revision.clone_from(&remembered.applied_revision);
        let verdict = ted.status.conditions.iter().map(super::TimedCondition::condition).collect();
        let ted = Arc::new(ted);
        let events = EventLog::default();
        let entry = Entry { ted: Arc::clone(&ted), remembered, verdict, events, looked: false };
        self.teds.insert(name, entry);
        ted
    }

    /// Whether every source was read with success at least once.
    fn all_read(&self) -> bool {
        !self.sources.is_empty() && self.sources.iter().all(|source| source.last_read_at.is_some())
    }

    fn completed(&mut self, now: Timestamp) {
        self.last_pass_at = self.last_pass_at.max(Some(now));
    }
}

impl Remembered {
    fn handled(&self, now: Option<&String>) -> Option<String> {
        now.or(self.last_handled_reconcile.as_ref()).cloned()
    }
}

#[cfg(test)]
mod tests;
