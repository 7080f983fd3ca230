//! A folder in a git checkout: its HEAD is the revision, as long as the files are those of that commit.

use crate::desired::{File, Revision};
use crate::text::{sanitize, sanitize_to};
use gix::objs::CommitRef;
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// The longest subject that is told, in characters: nobody writes longer ones on purpose.
const MAX_SUBJECT_CHARS: usize = 200;

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The branch or tag it was found by; `HEAD` when no branch is checked out, empty when the commit itself was asked for.
    pub branch: String,
    /// Its id, in hex.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
    /// When it was committed.
    pub time: Option<Timestamp>,
}

impl Commit {
    /// What of a commit is told to people.
    pub(super) fn of(branch: &str, id: gix::ObjectId, commit: &CommitRef<'_>) -> Self {
        let author = commit.author().ok();
        Self {
            branch: sanitize(branch),
            id: id.to_string(),
            author: author.map(|author| sanitize(&author.name.to_string())).unwrap_or_default(),
            subject: sanitize_to(&commit.message().summary().to_string(), MAX_SUBJECT_CHARS),
            time: commit.time().ok().and_then(|time| Timestamp::from_second(time.seconds).ok()),
        }
    }

    /// The revision of documents that it holds.
    pub fn revision(&self) -> Revision {
        Revision::of_commit(&self.branch, &self.id).by(&self.author, &self.subject)
    }
}

/// The folder in which a commit of the checkout that `path` lies in leaves its traces: `HEAD` and the index are exchanged there.
pub(super) fn git_folder(path: &Path) -> Option<PathBuf> {
    let path = std::fs::canonicalize(path).ok()?;
    let folder = if path.is_dir() { path.as_path() } else { path.parent()? };
    Some(gix::discover(folder).ok()?.git_dir().to_owned())
}

/// HEAD of the checkout that `path` lies in, if every one of `files` is as HEAD has it. Edits that nobody committed have no commit.
pub(super) fn head_of(path: &Path, files: &[File]) -> Option<Commit> {
    let path = std::fs::canonicalize(path).ok()?;
    let repository =
        gix::discover(if path.is_dir() { path.as_path() } else { path.parent()? }).ok()?;
    let root = std::fs::canonicalize(repository.workdir()?).ok()?;
    let mut head = repository.head().ok()?;
    let branch =
        head.referent_name().map_or_else(|| "HEAD".to_owned(), |name| name.shorten().to_string());
    let commit = head.peel_to_commit().ok()?;
    let tree = commit.tree().ok()?;
    for file in files {
        let bytes = file.content.as_ref().ok()?;
        let full = std::fs::canonicalize(&file.path).ok()?;
        let within = full.strip_prefix(&root).ok()?;
        let entry = tree.lookup_entry_by_path(within).ok()??;
        let now =
            gix::objs::compute_hash(repository.object_hash(), gix::objs::Kind::Blob, bytes).ok()?;
        if entry.object_id() != now {
            return None;
        }
    }
    let decoded = commit.decode().ok()?;
    Some(Commit::of(&branch, commit.id, &decoded))
}
