//! What is kept of the last good commit on disk, so that it is still in force after a restart with nobody answering.
//!
//! Only the objects that were read: the commit, the folders on the way and the YAML files, each under its id and checked against it when it
//! is read again. `head.json` names the commit and is written last; what a crash leaves behind is an older commit, whole, and some objects
//! too many. Everything is the user's alone (0700).

use super::error::GitError;
use super::exchange::chain;
use super::tree::{self, Checkout};
use crate::settings::GitSettings;
use gix::ObjectId;
use gix::objs::{Find, Write as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tempfile::TempDir;

/// The form of `head.json`. Another one is not read.
const VERSION: u32 = 1;

/// The largest `head.json` that is read.
const MAX_HEAD_BYTES: u64 = 64 * 1024;

/// The commit that was last in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    version: u32,
    /// The address, for people who look into the folder.
    url: String,
    commit: String,
    /// The branch or tag, as revisions name it.
    label: String,
}

/// The folder of one source.
#[derive(Debug)]
pub(super) struct Kept {
    folder: PathBuf,
    /// Without a state folder what is kept lasts as long as the process.
    _temporary: Option<Arc<TempDir>>,
}

impl Kept {
    /// The folder of a source, below `state` or in a temporary place.
    ///
    /// # Errors
    /// It cannot be created.
    pub(super) fn open(settings: &GitSettings, state: Option<&Path>) -> Result<Self, GitError> {
        let (folder, temporary) = if let Some(state) = state {
            (state.join("sources").join(name(settings)), None)
        } else {
            let temporary = tempfile::Builder::new()
                .prefix("ted-controller-")
                .tempdir()
                .map_err(GitError::disk("create a folder in", &std::env::temp_dir()))?;
            (temporary.path().join("source"), Some(Arc::new(temporary)))
        };
        create_private(&folder.join("objects"))?;
        if let Some(sources) = folder.parent().filter(|_| state.is_some()) {
            only_ours(sources).map_err(GitError::disk("protect", sources))?;
        }
        only_ours(&folder).map_err(GitError::disk("protect", &folder))?;
        let kept = Self { folder, _temporary: temporary };
        kept.sweep();
        Ok(kept)
    }

    /// Removes what a crash left behind: half of something fetched, a head that was not finished.
    fn sweep(&self) {
        let ours = [self.head_file(), self.objects_folder()];
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if !ours.contains(&path) {
                let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
            }
        }
    }

    fn head_file(&self) -> PathBuf {
        self.folder.join("head.json")
    }

    fn objects_folder(&self) -> PathBuf {
        self.folder.join("objects")
    }

    /// The commit that is kept, read again, and when it was last seen to be the server's. One that cannot be read is said and passed over.
    pub(super) fn checkout(&self, settings: &GitSettings) -> Option<(Checkout, Option<Timestamp>)> {
        let (head, seen) = self.head()?;
        let id = ObjectId::from_hex(head.commit.as_bytes()).ok()?;
        let read = self
            .objects()
            .and_then(|objects| tree::read(&objects, id, &head.label, &settings.path));
        match read {
            Ok(checkout) => Some((checkout, seen)),
            Err(error) => {
                let problem = chain(&error);
                tracing::warn!(source = %settings.url, problem, "the commit that was kept cannot be read");
                None
            }
        }
    }

    fn head(&self) -> Option<(Head, Option<Timestamp>)> {
        let file = fs::File::open(self.head_file()).ok()?;
        let seen = file.metadata().and_then(|metadata| metadata.modified()).ok();
        let mut text = String::new();
        file.take(MAX_HEAD_BYTES).read_to_string(&mut text).ok()?;
        let head: Head =
            serde_json::from_str(&text).ok().filter(|head: &Head| head.version == VERSION)?;
        Some((head, seen.and_then(|seen| Timestamp::try_from(seen).ok())))
    }

    fn objects(&self) -> Result<gix::odb::Handle, GitError> {
        let folder = self.objects_folder();
        gix::odb::at(&folder).map_err(GitError::disk("read", &folder))
    }

    /// Keeps a commit in place of the one before.
    ///
    /// # Errors
    /// The disk does not take it. Then the one before is still kept.
    pub(super) fn keep(
        &self,
        from: &dyn Find,
        checkout: &Checkout,
        settings: &GitSettings,
    ) -> Result<(), GitError> {
        let objects = self.objects_folder();
        let store = gix::odb::loose::Store::at(&objects, gix::hash::Kind::Sha1, None);
        for id in &checkout.objects {
            if store.contains(id) {
                continue;
            }
            let mut data = Vec::new();
            let wrong = |error: Box<dyn std::error::Error + Send + Sync>| {
                GitError::disk("keep an object in", &objects)(std::io::Error::other(error))
            };
            if let Some(object) = from.try_find(id, &mut data).map_err(wrong)? {
                store.write_buf(object.kind, object.data).map_err(wrong)?;
            }
        }
        let head = Head {
            version: VERSION,
            url: settings.url.to_string(),
            commit: checkout.commit.id.clone(),
            label: checkout.commit.branch.clone(),
        };
        self.write_head(&head).map_err(GitError::disk("write", &self.head_file()))?;
        self.forget_all_but(&checkout.objects);
        Ok(())
    }

    fn write_head(&self, head: &Head) -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(serde_json::to_string_pretty(head)?.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(self.head_file()).map_err(|error| error.error)?;
        // The rename lies in the folder. Where a folder cannot be synced, a crash may show the old file: that is allowed.
        if let Ok(folder) = fs::File::open(&self.folder) {
            let _ = folder.sync_all();
        }
        Ok(())
    }

    /// Remembers that the server still says the same.
    pub(super) fn confirm(&self, now: Timestamp) {
        // Comfort only: an age that people read.
        if let Ok(file) = fs::File::options().append(true).open(self.head_file()) {
            let _ = file.set_modified(SystemTime::from(now));
        }
    }

    /// Removes objects of former commits. What cannot be removed stays, and does no harm.
    fn forget_all_but(&self, wanted: &BTreeSet<ObjectId>) {
        for first in fs::read_dir(self.objects_folder()).into_iter().flatten().flatten() {
            let prefix = first.file_name();
            // An object that a crash kept from being finished.
            if first.file_type().is_ok_and(|kind| kind.is_file()) {
                let _ = fs::remove_file(first.path());
            }
            for second in fs::read_dir(first.path()).into_iter().flatten().flatten() {
                let hex =
                    format!("{}{}", prefix.to_string_lossy(), second.file_name().to_string_lossy());
                let keep = ObjectId::from_hex(hex.as_bytes()).is_ok_and(|id| wanted.contains(&id));
                if !keep {
                    let _ = fs::remove_file(second.path());
                }
            }
        }
    }

    /// An empty folder for what is being fetched.
    ///
    /// # Errors
    /// It cannot be created.
    pub(super) fn incoming(&self) -> Result<Incoming, GitError> {
        let folder = self.folder.join("incoming");
        let incoming = Incoming { folder };
        // A crash may have left one behind.
        incoming.remove();
        create_private(&incoming.objects())?;
        Ok(incoming)
    }
}

/// A folder for what is being fetched; it goes with this.
#[derive(Debug)]
pub(super) struct Incoming {
    folder: PathBuf,
}

impl Incoming {
    pub(super) fn pack(&self) -> PathBuf {
        self.folder.join("incoming.pack")
    }

    pub(super) fn objects(&self) -> PathBuf {
        self.folder.join("objects")
    }

    fn remove(&self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.remove();
    }
}

/// A name that tells sources apart: another branch or path of one repository is another source.
fn name(settings: &GitSettings) -> String {
    let mut hash = Sha256::new();
    for part in [settings.url.as_str(), &settings.reference.to_string(), &settings.path] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    digest.iter().take(12).fold(String::new(), |mut name, byte| {
        let _ = write!(name, "{byte:02x}");
        name
    })
}

fn create_private(folder: &Path) -> Result<(), GitError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder).map_err(GitError::disk("create", folder))
}

#[cfg(unix)]
fn only_ours(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn only_ours(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}
