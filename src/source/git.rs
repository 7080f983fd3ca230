//! Documents from a git repository: the files of one commit, fetched without history, read again whenever the reference moves.
//!
//! # Expected flow
//!
//! A visit asks which commit the reference names. The same as before: that was all, one small request. Another one: it is fetched, its YAML
//! files below the path are read ([`tree`]), and what was read is kept on disk ([`kept`]) before it is in force.
//!
//! # Guarantees
//!
//! - Whatever goes wrong, the last good commit stays in force, and the snapshot says why and since when. That holds across restarts where
//!   there is a state folder.
//! - A visit ends in time, and brings no more than its limits allow ([`exchange`], [`pack`], [`tree`]).
//! - No secret reaches a message, a log line or the disk.
//!
//! # Caveats
//!
//! Submodules and Git LFS are not followed, and signatures are not checked: who may push decides what is in force.

mod error;
mod exchange;
mod http;
mod kept;
mod pack;
mod protocol;
mod remote;
mod ssh;
mod tree;

pub use error::{GitError, GitErrorClass};

use super::Snapshot;
use crate::clock::{self, Instant};
use crate::desired::{Defaults, Location, Note, Revision, keep_last_good, load_at};
use crate::settings::{GitReference, GitSettings};
use exchange::{Exchange, chain};
use gix::ObjectId;
use gix::objs::{CommitRefIter, Find, Kind};
use jiff::Timestamp;
use kept::Kept;
use remote::{Credentials, Remote, Tip};
use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tree::Checkout;

/// The longest pause after a server did not let us in. Asking with a wrong password every minute locks accounts.
const MAX_PATIENCE: Duration = Duration::from_mins(15);

/// The most commits that are looked at to see whether history was rewritten.
const MAX_ANCESTORS: usize = 10_000;

/// A git repository.
#[derive(Clone, Debug)]
pub struct GitSource {
    settings: Arc<GitSettings>,
    defaults: Defaults,
    state: Option<PathBuf>,
    /// Stands before the paths of files: a folder of another source may be called the same.
    prefix: Option<String>,
}

impl GitSource {
    /// A source; documents that name no region get it from `defaults`. Below `state` the last good commit outlives a restart.
    pub fn new(settings: GitSettings, defaults: Defaults, state: Option<&Path>) -> Self {
        Self {
            settings: Arc::new(settings),
            defaults,
            state: state.map(Path::to_owned),
            prefix: None,
        }
    }

    /// The same beside other sources: its files bear the repository's name before their paths, as `teds.git/einstein.yaml`.
    #[must_use]
    pub fn among_others(self) -> Self {
        let name = self.settings.url.path().trim_end_matches('/').rsplit(['/', ':']).next();
        Self { prefix: name.map(str::to_owned), ..self }
    }

    /// Reads it once, apart from a daemon that may be running beside.
    ///
    /// # Errors
    /// It cannot be read. Files in it that are wrong are part of the snapshot.
    pub async fn read(&self) -> Result<Snapshot, Arc<GitError>> {
        let mut worker = Worker::new(&self.settings, None);
        let (runtime, stop) = (Handle::current(), CancellationToken::new());
        let _end = stop.clone().drop_guard();
        let visited =
            tokio::task::spawn_blocking(move || worker.visit(&runtime, &stop)).await.map_err(
                |error| Arc::new(GitError::Unsupported(format!("the reading failed: {error}"))),
            )?;
        match visited.error {
            Some(error) => Err(error),
            None => Ok(self.after(&self.unread(), visited)),
        }
    }

    /// What there is before anything was read.
    pub fn unread(&self) -> Snapshot {
        Snapshot {
            revision: Revision::of_files(&[]),
            in_force: Arc::default(),
            problem: None,
            origin: self.origin(),
            commit: None,
            read_at: None,
            reading: 0,
        }
    }

    /// The repository, as people name it.
    fn origin(&self) -> String {
        let GitSettings { url, reference, path, .. } = &*self.settings;
        let reference = match reference {
            GitReference::Default => None,
            GitReference::Branch(_) | GitReference::Tag(_) | GitReference::Commit(_) => {
                Some(reference.to_string())
            }
        };
        let path = (!path.is_empty()).then(|| format!("`{path}`"));
        let parts: Vec<String> = reference.into_iter().chain(path).collect();
        if parts.is_empty() { url.to_string() } else { format!("{url} ({})", parts.join(", ")) }
    }

    /// Reads it now and every interval, until `stop`. Sends every reading, also one that found nothing new: how old what is in force is
    /// shows in it.
    ///
    /// Nothing is sent before the server answered or failed to: a commit that was kept may be an old one, and it takes force only when there
    /// is nothing newer to be had.
    pub async fn run(self, snapshots: watch::Sender<Arc<Snapshot>>, stop: CancellationToken) {
        let mut worker = Worker::new(&self.settings, self.state.as_deref());
        loop {
            let began = clock::now();
            let (runtime, end) = (Handle::current(), stop.clone());
            let task = tokio::task::spawn_blocking(move || {
                let visited = worker.visit(&runtime, &end);
                (worker, visited)
            });
            let visited;
            (worker, visited) = match task.await {
                Ok(done) => done,
                Err(error) => {
                    let error = GitError::Unsupported(format!("the reading failed: {error}"));
                    (Worker::new(&self.settings, self.state.as_deref()), Visited::failed(error))
                }
            };
            if stop.is_cancelled() {
                return;
            }
            let last = Arc::clone(&snapshots.borrow());
            let next = self.after(&last, visited);
            snapshots.send_replace(Arc::new(next));
            let pause = (began + self.settings.interval).saturating_duration_since(clock::now());
            tokio::select! {
                () = stop.cancelled() => return,
                () = clock::sleep(pause) => {}
            }
        }
    }

    /// The snapshot after a visit.
    fn after(&self, last: &Snapshot, visited: Visited) -> Snapshot {
        let Visited { checkout, error, seen_at } = visited;
        let mut next = Snapshot {
            reading: last.reading + 1,
            problem: None,
            read_at: seen_at.or(last.read_at),
            ..last.clone()
        };
        if let Some(mut checkout) = checkout {
            if let Some(prefix) = &self.prefix {
                let url = self.settings.url.as_str();
                let files = checkout.files.iter_mut().map(|file| &mut file.path);
                let noted = checkout.notes.iter_mut().map(|note| &mut note.location.file);
                for path in files.chain(noted).filter(|path| *path != url) {
                    *path = format!("{prefix}/{path}");
                }
            }
            next.revision = checkout.commit.revision();
            let mut loaded = load_at(&checkout.files, &self.defaults, next.revision.clone());
            loaded.notes.extend(checkout.notes);
            next.in_force = Arc::new(keep_last_good(&last.in_force, &loaded));
            next.commit = Some(checkout.commit);
        }
        if let Some(error) = error {
            let force = match (&next.commit, next.read_at) {
                (Some(commit), Some(at)) => {
                    let at = at.strftime("%Y-%m-%dT%H:%M:%SZ");
                    format!(
                        "commit {} stays in force, last seen there at {at}",
                        abbreviated(&commit.id)
                    )
                }
                (Some(commit), None) => {
                    format!("commit {} stays in force", abbreviated(&commit.id))
                }
                (None, _) => "nothing is in force from here".to_owned(),
            };
            let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            next.problem = Some(format!("{}; {force}{hint}", chain(&*error)));
        }
        next
    }
}

/// What a visit came to.
struct Visited {
    /// What is in force from now on, if that is another commit than before.
    checkout: Option<Checkout>,
    /// Why the server's present commit is not known or not in force.
    error: Option<Arc<GitError>>,
    /// When what is in force was last seen to be the server's.
    seen_at: Option<Timestamp>,
}

impl Visited {
    fn failed(error: GitError) -> Self {
        Self { checkout: None, error: Some(Arc::new(error)), seen_at: None }
    }
}

/// What is remembered between visits. Everything here blocks.
struct Worker {
    settings: Arc<GitSettings>,
    state: Option<PathBuf>,
    kept: Option<Kept>,
    remote: Remote,
    current: Option<Current>,
    /// A commit that cannot be in force whatever happens, and why: it is not fetched again every interval.
    refused: Option<(Tip, Arc<GitError>)>,
    patience: Option<Patience>,
}

/// The commit in force.
#[derive(Clone)]
struct Current {
    tip: Tip,
    /// When it was committed, in seconds since 1970.
    committed: i64,
}

/// The pause after a server did not let us in.
struct Patience {
    /// The credentials it did not like; others are tried at once.
    credentials: String,
    until: Instant,
    pause: Duration,
    error: Arc<GitError>,
}

impl Worker {
    fn new(settings: &Arc<GitSettings>, state: Option<&Path>) -> Self {
        Self {
            settings: Arc::clone(settings),
            state: state.map(Path::to_owned),
            kept: None,
            remote: Remote::new(Arc::clone(settings)),
            current: None,
            refused: None,
            patience: None,
        }
    }

    fn visit(&mut self, runtime: &Handle, stop: &CancellationToken) -> Visited {
        let error = match self.try_visit(runtime, stop) {
            Ok(checkout) => return Visited { checkout, error: None, seen_at: Some(clock::wall()) },
            Err(error) => error,
        };
        let mut visited = Visited { checkout: None, error: Some(error), seen_at: None };
        if self.current.is_none()
            && let Some(kept) = &self.kept
            && let Some((checkout, seen_at)) = kept.checkout(&self.settings)
        {
            let commit = &checkout.commit.id;
            tracing::info!(source = %self.settings.url, commit, "the commit that was kept is in force");
            self.current = Current::of(&checkout);
            (visited.checkout, visited.seen_at) = (Some(checkout), seen_at);
        }
        visited
    }

    /// The commit that is new, if one is.
    fn try_visit(
        &mut self,
        runtime: &Handle,
        stop: &CancellationToken,
    ) -> Result<Option<Checkout>, Arc<GitError>> {
        if self.kept.is_none() {
            self.kept = Some(Kept::open(&self.settings, self.state.as_deref())?);
        }
        let credentials = Credentials::read(self.settings.auth.as_ref())?;
        if let Some(patience) = &self.patience
            && patience.credentials == credentials.fingerprint
            && clock::now() < patience.until
        {
            return Err(Arc::clone(&patience.error));
        }
        let exchange = Arc::new(Exchange::new(
            runtime.clone(),
            self.settings.url.to_string(),
            self.settings.timeout,
            stop.clone(),
            credentials.secrets.clone(),
        ));
        let came = self.look_and_bring(&exchange, &credentials);
        self.remote.part(&exchange);
        match &came {
            Ok(_) => self.patience = None,
            Err(error) => self.be_patient(error, credentials.fingerprint),
        }
        came
    }

    fn look_and_bring(
        &mut self,
        exchange: &Arc<Exchange>,
        credentials: &Credentials,
    ) -> Result<Option<Checkout>, Arc<GitError>> {
        let tip = match self.remote.look(exchange, credentials) {
            Ok(tip) => tip,
            Err(error) => {
                self.remote.give_up();
                return Err(error.into());
            }
        };
        if self.current.as_ref().is_some_and(|current| current.tip == tip) {
            self.refused = None;
            if let Some(kept) = &self.kept {
                kept.confirm(clock::wall());
            }
            return Ok(None);
        }
        if let Some((refused, error)) = &self.refused
            && *refused == tip
        {
            return Err(Arc::clone(error));
        }
        match self.bring(&tip, exchange, credentials) {
            Ok(checkout) => {
                self.refused = None;
                self.current = Some(Current { tip, committed: checkout.committed });
                Ok(Some(checkout))
            }
            Err(error) => {
                self.remote.give_up();
                let error = Arc::new(error);
                if error.class() == GitErrorClass::Terminal {
                    self.refused = Some((tip, Arc::clone(&error)));
                }
                Err(error)
            }
        }
    }

    /// Fetches, reads and keeps a commit.
    fn bring(
        &mut self,
        tip: &Tip,
        exchange: &Arc<Exchange>,
        credentials: &Credentials,
    ) -> Result<Checkout, GitError> {
        let Self { settings, kept: Some(kept), remote, current, .. } = self else {
            return Err(GitError::Stopped);
        };
        let before = match current {
            Some(current) => Some(current.clone()),
            // A restart: what is kept may be it already.
            None => match kept.checkout(settings) {
                Some((checkout, _)) => {
                    let before = Current::of(&checkout);
                    if before.as_ref().is_some_and(|before| before.tip == *tip) {
                        kept.confirm(clock::wall());
                        return Ok(checkout);
                    }
                    before
                }
                None => None,
            },
        };
        let incoming = kept.incoming()?;
        let objects = remote.fetch(tip, &incoming, exchange, credentials)?;
        let mut checkout = tree::read(&*objects, tip.id, &tip.label, &settings.path)?;
        if let Err(error) = kept.keep(&*objects, &checkout, settings) {
            // It is in force all the same; only a restart without the server would not know it.
            let problem = chain(&error);
            tracing::warn!(source = %settings.url, problem, "the commit could not be kept on disk");
            checkout
                .notes
                .push(note(settings, format!("the commit could not be kept on disk: {problem}")));
        }
        drop((objects, incoming));
        if let Some(before) = before
            && let Some(message) =
                moved(settings, kept, remote, &before, &checkout, tip, exchange, credentials)
        {
            tracing::warn!(source = %settings.url, message, "a reference was moved");
            checkout.notes.push(note(settings, message));
        }
        Ok(checkout)
    }

    /// After a server did not let us in, it is asked again with the same credentials at growing intervals only.
    fn be_patient(&mut self, error: &Arc<GitError>, credentials: String) {
        if error.class() != GitErrorClass::Denied {
            self.patience = None;
            return;
        }
        let interval = self.settings.interval;
        let last = self.patience.take().filter(|patience| patience.credentials == credentials);
        let now = clock::now();
        self.patience = Some(match last {
            Some(patience) if now < patience.until => patience,
            last => {
                let pause = last.map_or(interval, |patience| patience.pause).saturating_mul(2);
                let pause = pause.min(MAX_PATIENCE.max(interval));
                // Half an interval less, so that the visit that is due then is made.
                let until = now + pause.saturating_sub(interval / 2);
                Patience { credentials, until, pause, error: Arc::clone(error) }
            }
        });
    }
}

impl Current {
    fn of(checkout: &Checkout) -> Option<Self> {
        let id = ObjectId::from_hex(checkout.commit.id.as_bytes()).ok()?;
        let tip = Tip { id, label: checkout.commit.branch.clone() };
        Some(Self { tip, committed: checkout.committed })
    }
}

fn note(settings: &GitSettings, message: String) -> Note {
    let location = Location { file: settings.url.to_string(), line: 0, column: 0 };
    Note { location, message }
}

/// What is to be said when a reference did not just move on: a tag that was moved, another default branch, rewritten history.
#[expect(clippy::too_many_arguments, reason = "parts of the worker, which is borrowed")]
fn moved(
    settings: &GitSettings,
    kept: &Kept,
    remote: &mut Remote,
    before: &Current,
    checkout: &Checkout,
    tip: &Tip,
    exchange: &Arc<Exchange>,
    credentials: &Credentials,
) -> Option<String> {
    let (old, new) = (tree::short(before.tip.id), tree::short(tip.id));
    if before.tip.label != tip.label {
        return Some(format!(
            "the default branch was `{}` and is `{}` now",
            before.tip.label, tip.label
        ));
    }
    if let GitReference::Tag(name) = &settings.reference {
        return Some(format!("tag `{name}` was moved from commit {old} to {new}"));
    }
    if before.tip.id == tip.id || checkout.parents.contains(&before.tip.id) {
        return None;
    }
    let rewritten = || {
        Some(format!(
            "history was rewritten: commit {old} is no longer in `{}`, which is at {new} now",
            tip.label
        ))
    };
    if checkout.committed < before.committed {
        return rewritten();
    }
    // Several commits at once, or a forced push: only what lies between can tell. A server that does not give it leaves it open.
    let incoming = kept.incoming().ok()?;
    let history = remote.history(tip, before.committed, &incoming, exchange, credentials);
    match history {
        Ok(history) => match descends(&*history, tip.id, before) {
            Some(false) => rewritten(),
            Some(true) | None => None,
        },
        Err(error) => {
            remote.give_up();
            tracing::debug!(source = %settings.url, problem = chain(&error), "whether history was rewritten is not known");
            None
        }
    }
}

/// Whether `before` is among the ancestors of `id`; `None` when there are too many to tell.
fn descends(from: &dyn Find, id: ObjectId, before: &Current) -> Option<bool> {
    let (mut seen, mut next) = (BTreeSet::from([id]), VecDeque::from([id]));
    let mut data = Vec::new();
    while let Some(id) = next.pop_front() {
        if id == before.tip.id {
            return Some(true);
        }
        if seen.len() > MAX_ANCESTORS {
            return None;
        }
        let Ok(Some(found)) = from.try_find(&id, &mut data) else { continue };
        if found.kind != Kind::Commit {
            continue;
        }
        let commit = CommitRefIter::from_bytes(found.data, gix::hash::Kind::Sha1);
        // No ancestor is younger than what came of it.
        let time = commit.committer().ok().and_then(|committer| committer.time().ok());
        if time.is_some_and(|time| time.seconds < before.committed) {
            continue;
        }
        next.extend(commit.parent_ids().filter(|parent| seen.insert(*parent)));
    }
    Some(false)
}

/// The first twelve digits of a commit's id.
fn abbreviated(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// A number of bytes as people write it.
fn bytes(count: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    if count >= MIB && count.is_multiple_of(MIB) {
        format!("{} MiB", count / MIB)
    } else {
        format!("{count} bytes")
    }
}
