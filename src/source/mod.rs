//! Where desired documents come from: a file or folder that is watched, or a git repository that is asked ([`GitSource`]).
//!
//! Every reading gives a whole [`Snapshot`]. The file system's notifications only say when to read; a slow poll underneath finds what they
//! miss (network file systems, mounts that are swapped). A path that is gone keeps the last good state in force and says so; so does a
//! file with a mistake in it, by `desired::keep_last_good`.
//!
//! A source tells of every reading, also of one that found nothing new: how old its documents are is known by that. [`merge()`] makes one
//! set of several sources, and wakes its reader for news only.

mod checkout;
mod files;
mod git;
mod merge;
mod watched;

pub use checkout::Commit;
pub use files::{CollectError, collect};
pub use git::{GitError, GitErrorClass, GitSource};
pub use merge::{Documents, SourceState, merge};

use crate::clock;
use crate::desired::{Defaults, File, InForce, Revision, keep_last_good, load_at};
use crate::settings::SourceSettings;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use watched::Watched;

/// How long after a notification more are waited for: an editor's save and a `git pull` are several, within milliseconds.
const DEBOUNCE: Duration = Duration::from_millis(150);

/// The longest that notifications without end put off a reading.
const MOST_DEBOUNCE: Duration = Duration::from_secs(2);

/// What a source held when it was last read.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Of what is in force.
    pub revision: Revision,
    /// The documents in force, and how their files stand.
    pub in_force: Arc<InForce>,
    /// Why it cannot be read now; then the rest is as it was.
    pub problem: Option<String>,
    /// The path, as it was named.
    pub origin: String,
    /// The commit: of a repository, or of the checkout that the files lie in, when they are those of its HEAD.
    pub commit: Option<Commit>,
    /// When what is in force was last seen to be what the source says. It moves on with every good reading, also when nothing changed.
    pub read_at: Option<Timestamp>,
    /// How many readings there were; the first is 1.
    pub reading: u64,
}

/// Reads every one of the sources from now on, each in a task of its own, until `stop`. A source that ends before has broken off. What
/// repositories say outlives a restart below `state`.
pub fn start(
    sources: &[SourceSettings],
    defaults: &Defaults,
    poll: Duration,
    state: Option<&Path>,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Vec<watch::Receiver<Arc<Snapshot>>> {
    let mut start = |source: &SourceSettings| match source {
        SourceSettings::Path(path) => {
            let source = FileSource::new(path, defaults.clone(), poll);
            let (sender, receiver) = watch::channel(Arc::new(source.unread()));
            tasks.spawn(source.run(sender, stop.clone()));
            receiver
        }
        SourceSettings::Git(git) => {
            let source = GitSource::new((**git).clone(), defaults.clone(), state);
            let source = if sources.len() > 1 { source.among_others() } else { source };
            let (sender, receiver) = watch::channel(Arc::new(source.unread()));
            tasks.spawn(source.run(sender, stop.clone()));
            receiver
        }
    };
    sources.iter().map(&mut start).collect()
}

/// A file, or a folder that is read recursively.
#[derive(Clone, Debug)]
pub struct FileSource {
    path: PathBuf,
    defaults: Defaults,
    poll: Duration,
}

impl FileSource {
    /// A source at `path`; documents that name no region get it from `defaults`. `poll`: how often it is read without being told to.
    pub fn new(path: impl Into<PathBuf>, defaults: Defaults, poll: Duration) -> Self {
        Self { path: path.into(), defaults, poll }
    }

    /// Reads it once.
    ///
    /// # Errors
    /// The path itself cannot be read. Files in it that are wrong are part of the snapshot.
    pub fn read(&self) -> Result<Snapshot, CollectError> {
        self.read_after(&InForce::default(), 0)
    }

    fn read_after(&self, before: &InForce, reading: u64) -> Result<Snapshot, CollectError> {
        let mut files = Vec::new();
        collect(&self.path, &mut files)?;
        let commit = checkout::head_of(&self.path, &files);
        let revision = commit.as_ref().map_or_else(|| Revision::of_files(&files), Commit::revision);
        let loaded = load_at(&files, &self.defaults, revision.clone());
        Ok(Snapshot {
            revision,
            in_force: Arc::new(keep_last_good(before, &loaded)),
            problem: None,
            origin: self.path.display().to_string(),
            commit,
            read_at: Some(clock::wall()),
            reading: reading + 1,
        })
    }

    /// What there is before anything was read.
    pub fn unread(&self) -> Snapshot {
        let nothing: [File; 0] = [];
        Snapshot {
            revision: Revision::of_files(&nothing),
            in_force: Arc::default(),
            problem: None,
            origin: self.path.display().to_string(),
            commit: None,
            read_at: None,
            reading: 0,
        }
    }

    /// Reads it now, whenever it changes and at the slow pace of its poll, until `stop`. Sends every reading.
    pub async fn run(self, snapshots: watch::Sender<Arc<Snapshot>>, stop: CancellationToken) {
        let (told, mut tellings) = mpsc::channel(1);
        // Kept alive to the end; without it the poll alone finds changes.
        let mut watched = Watched::begin(&self.path, &told);
        loop {
            let last = Arc::clone(&snapshots.borrow());
            let next = self.next(&last).await;
            snapshots.send_replace(Arc::new(next));
            tokio::select! {
                () = stop.cancelled() => return,
                () = clock::sleep(self.poll) => {}
                Some(()) = tellings.recv() => settle(&mut tellings).await,
            }
            // A folder that did not exist, or a mount that was swapped, is watched from now on.
            if watched.is_stale(&self.path) {
                watched = Watched::begin(&self.path, &told);
            }
        }
    }

    async fn next(&self, last: &Arc<Snapshot>) -> Snapshot {
        let (source, before) = (self.clone(), Arc::clone(last));
        let read = tokio::task::spawn_blocking(move || {
            source.read_after(&before.in_force, before.reading)
        })
        .await;
        let problem = match read {
            Ok(Ok(snapshot)) => return snapshot,
            Ok(Err(error)) => {
                let cause = std::error::Error::source(&error)
                    .map(|cause| format!(": {cause}"))
                    .unwrap_or_default();
                format!("{error}{cause}")
            }
            Err(error) => format!("the reading failed: {error}"),
        };
        Snapshot { problem: Some(problem), reading: last.reading + 1, ..Snapshot::clone(last) }
    }
}

/// Waits until nobody tells anything for a moment.
async fn settle(tellings: &mut mpsc::Receiver<()>) {
    let from = clock::now();
    loop {
        tokio::select! {
            () = clock::sleep(DEBOUNCE) => return,
            told = tellings.recv() => {
                if told.is_none() || from.elapsed() > MOST_DEBOUNCE {
                    return;
                }
            }
        }
    }
}
