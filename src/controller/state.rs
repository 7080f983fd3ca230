//! The state directory: made if need be, its owner's alone, and one controller's at a time.

use crate::clock;
use crate::report::{Memory, MemoryError, Store, audit};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinHandle;

/// The name of the state file.
const STATE_FILE: &str = "state.json";

/// The file whose lock says that a controller uses the directory. It stays when the controller ends; its lock does not.
const LOCK_FILE: &str = "lock";

/// Why the state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be made or written to.
    #[error("cannot use the state directory `{}`", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another controller uses it.
    #[error("another ted-controller uses the state directory `{}`", path.display())]
    Taken {
        /// The directory.
        path: PathBuf,
    },
}

impl StateError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unusable { .. } => {
                "name a directory that this user may write to, or leave `--state-dir` out: nothing that safety depends on is there"
            }
            Self::Taken { .. } => "end the other one, or give each its own `--state-dir`",
        }
    }
}

/// Where the state is written in a state directory.
pub fn file(folder: &Path) -> PathBuf {
    folder.join(STATE_FILE)
}

/// A state directory that is ours until this is dropped.
#[derive(Debug)]
pub struct StateDir {
    _lock: Option<File>,
}

impl StateDir {
    /// Takes the directory. Blocks.
    ///
    /// # Errors
    /// It cannot be written to, or another controller has it.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        let unusable = |source| StateError::Unusable { path: folder.to_owned(), source };
        private(DirBuilder::new().recursive(true)).create(folder).map_err(unusable)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join(LOCK_FILE))
            .map_err(unusable)?;
        let lock = match file.try_lock() {
            Ok(()) => Some(file),
            Err(TryLockError::WouldBlock) => {
                return Err(StateError::Taken { path: folder.to_owned() });
            }
            // Some network file systems have no locks. Two controllers would overwrite each other's comfort, not each other's work.
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, "the state directory cannot be locked");
                None
            }
        };
        Ok(Self { _lock: lock })
    }
}

/// What a former process remembered. A file that cannot be used is said and passed over: it holds comfort only.
pub(super) fn memory(folder: &Path) -> Memory {
    let mut memory = Memory::load(&file(folder)).unwrap_or_else(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::warn!(%error, cause, "the state file is passed over: times of transitions begin anew, and a freeze is forgotten");
        Memory::default()
    });
    memory.recall(audit::updates(folder));
    memory
}

/// How long the loop waits for a disk.
const PATIENCE: Duration = Duration::from_secs(5);

/// Writes the state file, one writing at a time, so that a disk that hangs holds up nothing but itself.
#[derive(Debug)]
pub(super) struct Saver {
    file: Option<PathBuf>,
    /// What was last written.
    saved: Option<u64>,
    writing: Option<JoinHandle<Result<u64, MemoryError>>>,
    /// The last writing failed, which is said once.
    failing: bool,
}

impl Saver {
    /// One that writes nothing without a file.
    pub(super) fn new(file: Option<PathBuf>) -> Self {
        Self { file, saved: None, writing: None, failing: false }
    }

    /// Begins to write what has changed, and waits for nothing.
    pub(super) async fn save_behind(&mut self, store: &Store) {
        if self.writing.as_ref().is_some_and(|writing| !writing.is_finished()) {
            return;
        }
        self.written().await;
        self.begin(store);
    }

    /// Writes what has changed, and waits until that is done, within limits.
    pub(super) async fn save_now(&mut self, store: &Store) {
        let saved = async {
            self.written().await;
            self.begin(store);
            self.written().await;
        };
        tokio::select! {
            () = saved => {}
            () = clock::sleep(PATIENCE) => tracing::warn!("the state directory does not answer"),
        }
    }

    fn begin(&mut self, store: &Store) {
        let Some(file) = self.file.clone() else { return };
        let Some((generation, memory)) = store.memory_since(self.saved) else { return };
        self.writing =
            Some(tokio::task::spawn_blocking(move || memory.save(&file).map(|()| generation)));
    }

    /// Waits for the writing under way.
    async fn written(&mut self) {
        let Some(writing) = &mut self.writing else { return };
        let written = writing.await;
        self.writing = None;
        match written {
            Ok(Ok(generation)) => {
                self.saved = Some(generation);
                if std::mem::take(&mut self.failing) {
                    tracing::info!("the state can be written again");
                }
            }
            Ok(Err(error)) => {
                if !std::mem::replace(&mut self.failing, true) {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, cause, "the state could not be written: only history and times depend on it");
                }
            }
            Err(error) => tracing::error!(%error, "the writing of the state broke off"),
        }
    }
}

#[cfg(unix)]
fn private(builder: &mut DirBuilder) -> &mut DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;
    builder.mode(0o700)
}

#[cfg(not(unix))]
fn private(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_directory_is_made_and_is_one_controllers_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/state");
        let first = StateDir::open(&path).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        }
        let second = StateDir::open(&path).unwrap_err();
        assert!(second.to_string().starts_with("another ted-controller uses"), "{second}");
        drop(first);
        StateDir::open(&path).unwrap();
    }

    #[test]
    fn a_file_that_is_not_ours_is_passed_over_and_one_that_is_not_there_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(memory(folder.path()), Memory::default());
        fs::write(file(folder.path()), "{").unwrap();
        assert_eq!(memory(folder.path()), Memory::default());
    }

    #[test]
    fn a_path_that_cannot_be_a_directory_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let error = StateDir::open(&path).unwrap_err();
        assert!(error.to_string().starts_with("cannot use the state directory"), "{error}");
    }
}
