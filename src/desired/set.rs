//! Files taken together: their revision, their documents, and what stays in force while one of them is broken.

use super::document::Desired;
use super::ids::Name;
use super::parse::{self, Defaults};
use super::problem::{Location, Note, Problem, ProblemKind};
use super::validate::{Conflicts, conflicts};
use crate::text::hex;
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// A file as the source found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path as people shall read it; the stem names a document in short form.
    pub path: String,
    /// Its bytes, or why they could not be read.
    pub content: Result<Vec<u8>, String>,
}

impl File {
    /// A file that could be read.
    pub fn new(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), content: Ok(bytes.into()) }
    }
}

/// Who made a commit, and what it is called: what people know a revision by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
    /// Who wrote it.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
}

/// The identity of a set of documents: `sha256:…` of the files, or `main@sha1:…` of a commit. Two are the same when their texts are; what
/// is known of a commit's making comes along.
#[derive(Clone, Debug)]
pub struct Revision {
    text: String,
    commit: Option<Arc<Committed>>,
}

impl Revision {
    /// The revision of a file set: the same bytes under the same paths, in whatever order, have the same revision.
    pub fn of_files(files: &[File]) -> Self {
        let mut sorted: Vec<&File> = files.iter().collect();
        sorted.sort_by(|a, b| a.path.cmp(&b.path));
        let mut hash = Sha256::new();
        for File { path, content } in sorted {
            // Lengths first, so that no two different sets feed the same bytes.
            let (mark, bytes): (u8, &[u8]) = match content {
                Ok(bytes) => (0, bytes),
                Err(why) => (1, why.as_bytes()),
            };
            hash.update((path.len() as u64).to_be_bytes());
            hash.update(path.as_bytes());
            hash.update([mark]);
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        }
        Self { text: format!("sha256:{}", hex(&hash.finalize())), commit: None }
    }

    /// The revision of a commit: `main@sha1:…`, or `@sha1:…` away from any branch.
    pub fn of_commit(branch: &str, sha1: &str) -> Self {
        Self { text: format!("{branch}@sha1:{sha1}"), commit: None }
    }

    /// The same, with who made the commit.
    #[must_use]
    pub fn by(self, author: &str, subject: &str) -> Self {
        let commit = Committed { author: author.to_owned(), subject: subject.to_owned() };
        Self { commit: Some(Arc::new(commit)), ..self }
    }

    /// Who made the commit, when it is one.
    pub fn commit(&self) -> Option<&Committed> {
        self.commit.as_deref()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Revision {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Revision {}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Revision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// What a set of files holds, seen by itself.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The revision.
    pub revision: Revision,
    /// Documents that are right by themselves, in the order of paths; those that contradict each other are among them.
    pub documents: Vec<Desired>,
    /// Everything that is wrong, in the order of places, contradictions included.
    pub problems: Vec<Problem>,
    /// Files and documents passed over.
    pub notes: Vec<Note>,
    files: Vec<String>,
    defaults: Defaults,
}

/// Reads a set of files.
pub fn load(files: &[File], defaults: &Defaults) -> Loaded {
    load_at(files, defaults, Revision::of_files(files))
}

/// Reads a set of files whose revision is known otherwise: they lie in a git checkout.
pub fn load_at(files: &[File], defaults: &Defaults, revision: Revision) -> Loaded {
    let mut sorted: Vec<&File> = files.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let (mut documents, mut problems, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for File { path, content } in &sorted {
        match content {
            Ok(bytes) => {
                let mut read = parse::file(path, bytes, defaults);
                documents.append(&mut read.documents);
                problems.append(&mut read.problems);
                notes.append(&mut read.notes);
            }
            Err(why) => problems.push(unreadable(path, why)),
        }
    }
    problems.append(&mut conflicts(&documents.iter().collect::<Vec<_>>(), defaults).problems);
    problems.sort_by(|a, b| a.location.cmp(&b.location));
    let files = sorted.iter().map(|file| file.path.clone()).collect();
    Loaded { revision, documents, problems, notes, files, defaults: defaults.clone() }
}

fn unreadable(path: &str, why: &str) -> Problem {
    Problem {
        location: Location { file: path.to_owned(), line: 0, column: 0 },
        kind: ProblemKind::Unreadable,
        field: String::new(),
        message: format!("cannot be read: {why}"),
        found: None,
        allowed: None,
        hint: None,
    }
}

/// Why a document is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// Its file says so now.
    Current,
    /// Its file said so when it could last be read.
    LastGood,
    /// Another document contradicts it. It is looked at; nothing may start by it, and what was begun is finished.
    Contested,
}

/// A document in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The document.
    pub desired: Desired,
    /// Why it is in force.
    pub standing: Standing,
    /// The revision it was read from.
    pub revision: Revision,
}

impl Entry {
    /// Whether something may start by this document, as far as documents decide that.
    pub fn may_start(&self) -> bool {
        match self.standing {
            Standing::Current | Standing::LastGood => true,
            Standing::Contested => false,
        }
    }
}

/// How one file stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileState {
    /// The file.
    pub path: String,
    /// Whether everything in it is right.
    pub valid: bool,
    /// What is wrong in it.
    pub problems: Vec<Problem>,
    /// Documents of it that stay in force although it does not say them now.
    pub last_good: Vec<Name>,
}

impl FileState {
    /// The state in words: valid, last good state in force, or nothing in force for what is broken.
    pub fn summary(&self) -> String {
        let count = self.problems.len();
        let problems =
            if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
        if self.valid {
            "valid".to_owned()
        } else if self.last_good.is_empty() {
            format!("{problems}, and no earlier state to fall back to")
        } else {
            let names: Vec<&str> = self.last_good.iter().map(Name::as_str).collect();
            format!("{problems}; the last good state stays in force: {}", names.join(", "))
        }
    }
}

/// The documents in force, and what is to be said about their files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InForce {
    /// One entry a name, in the order of names.
    pub entries: Vec<Entry>,
    /// Every file, in the order of paths; a vanished one is not among them.
    pub files: Vec<FileState>,
    /// Files and documents passed over.
    pub notes: Vec<Note>,
}

impl InForce {
    /// The entry of a name.
    pub fn get(&self, name: &Name) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.desired.name == *name)
    }

    /// Everything that is wrong, file by file.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.files.iter().flat_map(|file| &file.problems)
    }
}

/// What is in force now, given what was before and what the files say.
///
/// - A document that is right takes effect.
/// - A file with something wrong in it keeps in force what it last said and does not say now: a document in it that does
///   not parse, or one that was taken out of it in the same edit, which cannot be told apart.
/// - A document that is gone from a file without problems, or with its file, is gone.
/// - Documents that contradict each other stay visible and start nothing; of one name, the one in force stays.
pub fn keep_last_good(previous: &InForce, loaded: &Loaded) -> InForce {
    let broken: BTreeSet<&str> = loaded
        .problems
        .iter()
        .filter(|problem| problem.kind != ProblemKind::Conflict)
        .map(|problem| problem.location.file.as_str())
        .collect();
    let said_now: BTreeSet<&Name> = loaded.documents.iter().map(|desired| &desired.name).collect();
    let current = loaded.documents.iter().map(|desired| Entry {
        desired: desired.clone(),
        standing: Standing::Current,
        revision: loaded.revision.clone(),
    });
    let kept = previous
        .entries
        .iter()
        .filter(|entry| {
            broken.contains(entry.desired.location.file.as_str())
                && !said_now.contains(&entry.desired.name)
        })
        .map(|entry| Entry { standing: Standing::LastGood, ..entry.clone() });
    let candidates: Vec<Entry> = current.chain(kept).collect();

    let found = conflicts(
        &candidates.iter().map(|entry| &entry.desired).collect::<Vec<_>>(),
        &loaded.defaults,
    );
    let files = file_states(loaded, &candidates, &found);
    InForce { entries: settle(previous, candidates, &found), files, notes: loaded.notes.clone() }
}

/// One entry a name, the contested ones marked.
pub(super) fn settle(previous: &InForce, candidates: Vec<Entry>, found: &Conflicts) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (index, mut entry) in candidates.into_iter().enumerate() {
        if found.contested.contains(&index) {
            entry.standing = Standing::Contested;
        }
        if entries.iter().any(|other| other.desired.name == entry.desired.name) {
            continue;
        }
        entries.push(match previous.get(&entry.desired.name) {
            // Two claim the name: what was in force stays what is shown, so that the status does not jump.
            Some(before) if entry.standing == Standing::Contested => {
                Entry { standing: Standing::Contested, ..before.clone() }
            }
            Some(_) | None => entry,
        });
    }
    entries.sort_by(|a, b| a.desired.name.cmp(&b.desired.name));
    entries
}

fn file_states(loaded: &Loaded, candidates: &[Entry], found: &Conflicts) -> Vec<FileState> {
    let state = |path: &String| {
        let of_file = |problem: &&Problem| problem.location.file == *path;
        let own = loaded
            .problems
            .iter()
            .filter(|problem| problem.kind != ProblemKind::Conflict)
            .filter(of_file);
        let mut problems: Vec<Problem> =
            own.chain(found.problems.iter().filter(of_file)).cloned().collect();
        problems.sort_by(|a, b| a.location.cmp(&b.location));
        let last_good = candidates
            .iter()
            .filter(|entry| {
                entry.standing == Standing::LastGood && entry.desired.location.file == *path
            })
            .map(|entry| entry.desired.name.clone())
            .collect();
        FileState { path: path.clone(), valid: problems.is_empty(), problems, last_good }
    };
    loaded.files.iter().map(state).collect()
}

#[cfg(test)]
mod tests;
