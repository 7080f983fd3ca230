//! Where desired documents come from: a file or folder that is watched.
//!
//! Every reading gives a whole [`Snapshot`]. The file system's notifications only say when to read; a slow poll underneath finds what they
//! miss (network file systems, mounts that are swapped). A path that is gone keeps the last good state in force and says so; so does a
//! file with a mistake in it, by `desired::keep_last_good`.

mod checkout;
mod files;

pub use checkout::Commit;
pub use files::{CollectError, collect};

use crate::clock;
use crate::desired::{Defaults, File, InForce, Revision, keep_last_good, load_at};
use notify::{RecursiveMode, Watcher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

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
    /// The commit, when the files are those of a git checkout's HEAD.
    pub commit: Option<Commit>,
    /// How many readings there were; the first is 1.
    pub reading: u64,
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
        let revision = commit.as_ref().map_or_else(
            || Revision::of_files(&files),
            |commit| Revision::of_commit(&commit.branch, &commit.id),
        );
        let loaded = load_at(&files, &self.defaults, revision.clone());
        Ok(Snapshot {
            revision,
            in_force: Arc::new(keep_last_good(before, &loaded)),
            problem: None,
            origin: self.path.display().to_string(),
            commit,
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
            reading: 0,
        }
    }

    /// Reads it now and whenever it changes, until `stop`. Sends what differs from the last reading.
    pub async fn run(self, snapshots: watch::Sender<Arc<Snapshot>>, stop: CancellationToken) {
        let (told, mut tellings) = mpsc::channel(1);
        // Kept alive to the end; without it the poll alone finds changes.
        let mut watched = Watched::begin(&self.path, &told);
        loop {
            let last = Arc::clone(&snapshots.borrow());
            let next = self.next(&last).await;
            if differs(&last, &next) {
                snapshots.send_replace(Arc::new(next));
            }
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

/// Whether a reading is news.
fn differs(last: &Snapshot, next: &Snapshot) -> bool {
    last.reading == 0
        || last.revision != next.revision
        || last.problem != next.problem
        || last.in_force != next.in_force
}

/// A watch on a path, or on the nearest folder above it that exists.
struct Watched {
    _watcher: Option<notify::RecommendedWatcher>,
    at: PathBuf,
    /// What stood there: another inode is another folder, though it bears the same name.
    identity: Option<u64>,
}

impl Watched {
    fn begin(path: &Path, told: &mpsc::Sender<()>) -> Self {
        let (at, mode) = place(path);
        let told = told.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading is an event too, of our own.
            let is_change = event.map_or(true, |event| !event.kind.is_access());
            if is_change {
                // Full: somebody was told already.
                let _ = told.try_send(());
            }
        })
        .and_then(|mut watcher| watcher.watch(&at, mode).map(|()| watcher));
        if let Err(error) = &watcher {
            tracing::warn!(path = %at.display(), %error, "changes of files are found by reading again only");
        }
        Self { _watcher: watcher.ok(), identity: identity(&at), at }
    }

    fn is_stale(&self, path: &Path) -> bool {
        let (at, _) = place(path);
        self._watcher.is_none() || at != self.at || identity(&at) != self.identity
    }
}

/// A file is watched by its folder, since editors put another file in its place.
fn place(path: &Path) -> (PathBuf, RecursiveMode) {
    if path.is_dir() {
        return (path.to_owned(), RecursiveMode::Recursive);
    }
    let mut above = path.parent();
    while let Some(folder) = above {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if folder.is_dir() {
            return (folder.to_owned(), RecursiveMode::NonRecursive);
        }
        above = folder.parent();
    }
    (PathBuf::from("."), RecursiveMode::NonRecursive)
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|metadata| metadata.ino())
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<u64> {
    path.exists().then_some(0)
}
