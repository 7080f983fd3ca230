//! The loop of one receiver: takes in what changes, tells one thing at a time, waits after failures, gives up in time.

use super::answer::Outcome;
use super::channel::Line;
use super::commit;
use super::notice::{self, About, Notice, State, Weight};
use super::told::{Filter, Told};
use crate::clock::{self, Instant};
use crate::report::metrics::NoticeOutcome;
use crate::report::{Change, Store};
use crate::settings::{Channel, ReceiverSettings, Settings};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// The most that waits to be told: 100 TEDs of which everything changes at once.
const MAX_WAITING: usize = 1_000;

/// The first wait after a failure, and the longest. They double in between.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// How long a receiver gets for the last words of an ending process.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What concerns no single TED goes by this name.
const NOBODY: &str = "";

/// One receiver.
pub(super) struct Receiver {
    settings: Arc<ReceiverSettings>,
    store: Arc<Store>,
    changes: broadcast::Receiver<Change>,
    line: Line,
    told: Told,
    /// Where that outlives the process.
    kept: Option<PathBuf>,
    /// By TED and subject.
    waiting: BTreeMap<(String, String), Waiting>,
    /// How many notices there were so far: the order in which they are told.
    count: u64,
    /// Addresses of sources that are of another repository than commits are told of.
    elsewhere: Vec<String>,
    /// Failures in a row.
    failures: u32,
    /// Until then the receiver is left alone.
    not_before: Instant,
    is_full: bool,
}

/// A notice that is to be told.
struct Waiting {
    notice: Notice,
    turn: u64,
    since: Instant,
}

impl Receiver {
    pub(super) fn new(
        receiver: &ReceiverSettings,
        settings: &Settings,
        store: &Arc<Store>,
    ) -> Self {
        let receiver = Arc::new(receiver.clone());
        for outcome in NoticeOutcome::ALL {
            store.metrics().notices(&receiver.name, outcome, 0);
        }
        let elsewhere = match &receiver.to {
            Channel::GitHub(github) => commit::elsewhere(settings, &github.repository),
            Channel::Webhook { .. } | Channel::Slack { .. } => Vec::new(),
        };
        Self {
            line: Line::new(&receiver, &settings.controller_id),
            kept: settings
                .state_dir
                .as_ref()
                .map(|folder| folder.join(format!("notified-{}.json", receiver.name))),
            settings: receiver,
            store: Arc::clone(store),
            // From now on, so that nothing is missed before the task runs.
            changes: store.subscribe(),
            told: Told::default(),
            waiting: BTreeMap::new(),
            count: 0,
            elsewhere,
            failures: 0,
            not_before: clock::now(),
            is_full: false,
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        if let Some(path) = self.kept.clone() {
            let loaded = tokio::task::spawn_blocking(move || Told::load(&path)).await;
            self.told = loaded.unwrap_or_default();
        }
        self.survey();
        loop {
            let wait = self.not_before.saturating_duration_since(clock::now());
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                change = self.changes.recv() => match change {
                    Ok(change) => self.heed(change),
                    Err(RecvError::Lagged(_)) => self.survey(),
                    Err(RecvError::Closed) => break,
                },
                () = clock::sleep(wait), if !self.waiting.is_empty() => {
                    tokio::select! {
                        biased;
                        // What was under way is told again below, under the same id.
                        () = stop.cancelled() => break,
                        () = self.tell_next() => {}
                    }
                }
            }
            self.keep().await;
        }
        self.survey();
        let last_words = async {
            while !self.waiting.is_empty() && self.failures == 0 {
                self.tell_next().await;
                self.keep().await;
            }
        };
        tokio::select! {
            () = last_words => {}
            () = clock::sleep(LAST_WORDS) => {}
        }
        if !self.waiting.is_empty() {
            let (receiver, waiting) = (&self.settings.name, self.waiting.len());
            tracing::warn!(
                receiver,
                waiting,
                "not everything could be told before the end: what still is so then is told after the next start"
            );
        }
    }

    /// Something changed.
    fn heed(&mut self, change: Change) {
        match change {
            Change::Ted(ted) => self.consider(&ted),
            Change::Gone(name) => {
                self.told.forget(&name);
                self.waiting.retain(|(about, _), _| *about != name);
            }
            Change::Sources | Change::Freeze(_) => self.consider_the_rest(),
            // Conditions and findings say it too.
            Change::Happened { .. } => {}
        }
    }

    /// Works out everything anew.
    fn survey(&mut self) {
        let teds = self.store.teds();
        // A source that is slow to read must not have what was told forgotten.
        if self.store.is_ready() {
            let names: BTreeSet<&str> = teds.iter().map(|ted| ted.metadata.name.as_str()).collect();
            self.told.keep(|about| names.contains(about));
        }
        for ted in &teds {
            self.consider(ted);
        }
        self.consider_the_rest();
    }

    fn consider(&mut self, ted: &crate::report::Ted) {
        if !Filter(&self.settings).knows(&ted.metadata.name) {
            return;
        }
        let states = match &self.settings.to {
            Channel::GitHub(github) => {
                let mut states =
                    commit::of_ted(ted, github, &self.store.sources(), &self.elsewhere);
                let before = self.told.key(&ted.metadata.name, commit::COMMIT);
                let over =
                    before.zip(states.first()).and_then(|(told, now)| commit::overtaken(told, now));
                // First, since nothing tells of it any more once the other one is told.
                states.splice(0..0, over);
                states
            }
            Channel::Webhook { .. } | Channel::Slack { .. } => notice::of_ted(ted),
        };
        self.take_up(&ted.metadata.name, Some(&About::of(ted)), states);
    }

    fn consider_the_rest(&mut self) {
        if !Filter(&self.settings).knows(NOBODY) {
            return;
        }
        let sources = self.store.sources();
        let states = match &self.settings.to {
            Channel::GitHub(github) => commit::of_sources(&sources, github, &self.elsewhere),
            Channel::Webhook { .. } | Channel::Slack { .. } => {
                notice::of_controller(&sources, &self.store.freeze())
            }
        };
        self.take_up(NOBODY, None, states);
    }

    /// What of this is news waits to be told; what was to be told and is so no more does not.
    fn take_up(&mut self, about: &str, ted: Option<&About>, states: Vec<State>) {
        if states.is_empty() {
            return;
        }
        let news = self.told.news(about, states, &Filter(&self.settings));
        let still: BTreeSet<&str> = news.iter().map(|state| state.subject.as_str()).collect();
        let before = self.waiting.len();
        self.waiting.retain(|(of, subject), _| of != about || still.contains(subject.as_str()));
        let mut overtaken = before - self.waiting.len();
        for state in news {
            let at = (about.to_owned(), state.subject.clone());
            let place = match self.waiting.get(&at) {
                Some(same)
                    if same.notice.state.key == state.key
                        && same.notice.state.severity == state.severity =>
                {
                    continue;
                }
                Some(other) => {
                    overtaken += 1;
                    Some((other.turn, other.since))
                }
                None => None,
            };
            if place.is_none() && self.waiting.len() >= MAX_WAITING {
                self.told.mark(about, &state);
                self.count(NoticeOutcome::Dropped, 1);
                if !std::mem::replace(&mut self.is_full, true) {
                    let receiver = &self.settings.name;
                    tracing::warn!(
                        receiver,
                        "too much waits to be told: what comes on top is dropped"
                    );
                }
                continue;
            }
            let (turn, waits_since) = place.unwrap_or((self.count, clock::now()));
            self.count += 1;
            let now = clock::wall();
            // What ended at a known time is known by that; of the rest each time is another one.
            let is_end = state.key.starts_with("after ");
            let since = state.since.or((!is_end).then_some(now));
            let id = notice::digest(&format!(
                "{}\n{about}\n{}\n{}\n{}\n{since:?}",
                self.settings.name,
                state.subject,
                state.key,
                state.severity.as_str()
            ));
            let notice = Notice { id, at: now, ted: ted.cloned(), state };
            self.waiting.insert(at, Waiting { notice, turn, since: waits_since });
        }
        self.count(NoticeOutcome::Overtaken, overtaken);
    }

    /// Tells what has waited longest.
    async fn tell_next(&mut self) {
        let next = self.waiting.iter().min_by_key(|(_, waiting)| waiting.turn);
        let Some((at, Waiting { notice, .. })) = next else { return };
        let (at, notice) = (at.clone(), notice.clone());
        match self.line.tell(&notice).await {
            Outcome::Told => {
                if std::mem::take(&mut self.failures) > 0 {
                    tracing::info!(receiver = self.settings.name, "the receiver can be told again");
                }
                self.is_full = false;
                self.not_before = clock::now();
                self.done_with(&at, &notice.state, NoticeOutcome::Delivered);
            }
            Outcome::Later { why, wait } => {
                self.count(NoticeOutcome::Failed, 1);
                if self.failures == 0 {
                    let receiver = &self.settings.name;
                    tracing::warn!(
                        receiver,
                        problem = why,
                        "a receiver cannot be told; it is tried again"
                    );
                }
                self.failures = self.failures.saturating_add(1);
                self.not_before = clock::now() + wait.unwrap_or_else(|| pause(self.failures));
                self.give_up(&why);
            }
            Outcome::Refused { why } => {
                self.not_before = clock::now();
                self.drop(&at, &notice.state, &why);
            }
        }
    }

    /// What was tried for long enough is not tried any more.
    fn give_up(&mut self, why: &str) {
        let limit = self.settings.give_up_after;
        let late: Vec<_> = self
            .waiting
            .iter()
            .filter(|(_, waiting)| waiting.since.elapsed() >= limit)
            .map(|(at, waiting)| (at.clone(), waiting.notice.state.clone()))
            .collect();
        for (at, state) in late {
            self.drop(&at, &state, why);
        }
        // The last attempt comes before the end, not after it.
        let ends = self.waiting.values().map(|waiting| waiting.since + limit).min();
        self.not_before = ends.map_or(self.not_before, |end| self.not_before.min(end));
    }

    fn drop(&mut self, at: &(String, String), state: &State, why: &str) {
        let (receiver, ted) = (&self.settings.name, at.0.as_str());
        let kind = state.kind.as_str();
        tracing::warn!(
            receiver,
            ted,
            kind,
            reason = state.reason,
            problem = why,
            "a notice is dropped"
        );
        self.done_with(at, state, NoticeOutcome::Dropped);
    }

    fn done_with(&mut self, at: &(String, String), state: &State, outcome: NoticeOutcome) {
        self.told.mark(&at.0, state);
        self.waiting.remove(at);
        self.count(outcome, 1);
    }

    fn count(&self, outcome: NoticeOutcome, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.store.metrics().notices(&self.settings.name, outcome, count);
    }

    /// Lets what was told outlive the process.
    async fn keep(&mut self) {
        let Some(told) = self.told.take_changed() else { return };
        let Some(path) = self.kept.clone() else { return };
        let saved = tokio::task::spawn_blocking(move || told.save(&path)).await;
        if let Ok(Err(error)) = saved {
            let receiver = &self.settings.name;
            tracing::warn!(receiver, %error, "what was told could not be written down: after a restart it may be told again");
        }
    }
}

impl Notice {
    /// Whether it says that something told before is over.
    pub(super) fn resolves(&self) -> bool {
        self.state.weight == Weight::Good
    }
}

/// How long to wait after so many failures in a row, up to a tenth less: many receivers behind one proxy do not come back at once.
fn pause(failures: u32) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    let wait = doubled.min(LONGEST_WAIT);
    let percent = u32::try_from(RandomState::new().hash_one(failures) % 11).unwrap_or(0);
    wait.saturating_sub(wait * percent / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_a_limit() {
        let waits: Vec<Duration> = (1..=40).map(pause).collect();
        assert!(waits[0] <= FIRST_WAIT && waits[0] >= FIRST_WAIT.mul_f64(0.9), "{waits:?}");
        assert!(waits[4] > waits[0] * 8 && waits[39] <= LONGEST_WAIT, "{waits:?}");
        assert!(waits[39] >= LONGEST_WAIT.mul_f64(0.9), "{waits:?}");
    }
}
