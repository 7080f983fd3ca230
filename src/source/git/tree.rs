//! The files of one commit: which YAML files there are below a path, and what is in them.
//!
//! The same rules as for a folder on disk: hidden folders are passed over, links to folders below the path are not followed. A link to a
//! file is followed within the commit and never out of it. What cannot be read of one file is said of that file, so that its last good
//! state stays in force; only what concerns all of them ends the reading.

use super::error::GitError;
use super::exchange::chain;
use super::pack::MAX_OBJECT_BYTES;
use crate::desired::yaml::MAX_FILE_BYTES;
use crate::desired::{File, Location, Note};
use crate::source::Commit;
use crate::source::files::{MAX_FILES, MAX_FOLDER_DEPTH, is_yaml};
use gix::ObjectId;
use gix::objs::bstr::{BStr, BString, ByteSlice};
use gix::objs::tree::EntryKind;
use gix::objs::{CommitRef, FindObjectOrHeader, Kind, TreeRefIter};
use std::collections::{BTreeSet, VecDeque};
use std::path::Path;

/// The most that all YAML files of a commit have together, in bytes.
const MAX_TOTAL_BYTES: usize = 32 * 1024 * 1024;

/// The most entries of folders that are looked at.
const MAX_ENTRIES: usize = 200_000;

/// The most links that are followed to one file, as on Linux.
const MAX_LINKS: usize = 40;

/// The most notes: a thousand submodules are one thing to say, not a thousand.
const MAX_NOTES: usize = 20;

/// How a Git LFS pointer begins.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";

/// What a commit holds.
pub(super) struct Checkout {
    pub(super) commit: Commit,
    /// The commits before it.
    pub(super) parents: Vec<ObjectId>,
    /// When it was committed, in seconds since 1970.
    pub(super) committed: i64,
    pub(super) files: Vec<File>,
    pub(super) notes: Vec<Note>,
    /// Every object that was read: all that is needed to read the commit again.
    pub(super) objects: BTreeSet<ObjectId>,
}

/// Reads commit `id`, which is what `label` names, below `path`.
///
/// # Errors
/// The commit or the path is not there, or there is too much.
pub(super) fn read(
    from: &dyn FindObjectOrHeader,
    id: ObjectId,
    label: &str,
    path: &str,
) -> Result<Checkout, GitError> {
    let mut reader = Reader {
        from,
        commit: short(id),
        objects: BTreeSet::new(),
        entries: 0,
        bytes: 0,
        files: Vec::new(),
        notes: Vec::new(),
    };
    let data = reader.object(id, Kind::Commit)?;
    let commit = CommitRef::from_bytes(&data, gix::hash::Kind::Sha1)
        .map_err(|error| reader.damaged(&chain(&error)))?;
    let root = commit.tree();
    match reader.resolve(root, path.into())? {
        Place::Folder(folder) => reader.folder(root, folder, path, 0)?,
        Place::File(blob) => reader.file(blob, path)?,
        missing => {
            let detail = missing.why_not().unwrap_or_default().to_owned();
            return Err(GitError::NoPath { path: path.to_owned(), commit: short(id), detail });
        }
    }
    Ok(Checkout {
        commit: Commit::of(label, id, &commit),
        parents: commit.parents().collect(),
        committed: commit.time().map_or(0, |time| time.seconds),
        files: reader.files,
        notes: reader.notes,
        objects: reader.objects,
    })
}

/// A commit's id as people write it.
pub(super) fn short(id: ObjectId) -> String {
    id.to_hex_with_len(12).to_string()
}

/// Where a path leads.
enum Place {
    Folder(ObjectId),
    File(ObjectId),
    Missing,
    Submodule,
    Leaves,
    TooManyLinks,
}

impl Place {
    fn why_not(&self) -> Option<&'static str> {
        match self {
            Self::Folder(_) | Self::File(_) | Self::Missing => None,
            Self::Submodule => Some("it lies in a submodule, and submodules are not followed"),
            Self::Leaves => Some("a symbolic link leads out of the repository"),
            Self::TooManyLinks => Some("symbolic links lead in a circle"),
        }
    }
}

struct Reader<'a> {
    from: &'a dyn FindObjectOrHeader,
    commit: String,
    objects: BTreeSet<ObjectId>,
    entries: usize,
    bytes: usize,
    files: Vec<File>,
    notes: Vec<Note>,
}

impl Reader<'_> {
    fn damaged(&self, detail: &str) -> GitError {
        GitError::Damaged { commit: self.commit.clone(), detail: detail.to_owned() }
    }

    /// How large an object is; `None` when it is not there.
    fn size(&self, id: ObjectId) -> Result<Option<u64>, GitError> {
        let header = self.from.try_header(&id);
        Ok(header.map_err(|error| self.damaged(&chain(&*error)))?.map(|header| header.size))
    }

    /// An object that has to be there, checked against its name.
    fn object(&mut self, id: ObjectId, kind: Kind) -> Result<Vec<u8>, GitError> {
        match self.size(id)? {
            None => return Err(self.damaged(&format!("object {id} is missing"))),
            Some(size) if size > MAX_OBJECT_BYTES => {
                return Err(GitError::TooLarge {
                    what: format!("object {id} has {size} bytes"),
                    limit: super::bytes(MAX_OBJECT_BYTES),
                });
            }
            Some(_) => {}
        }
        let mut data = Vec::new();
        let found = match self.from.try_find(&id, &mut data) {
            Err(error) => return Err(self.damaged(&chain(&*error))),
            Ok(None) => return Err(self.damaged(&format!("object {id} is missing"))),
            Ok(Some(found)) => found.kind,
        };
        if found != kind {
            return Err(self.damaged(&format!("object {id} is a {found} and should be a {kind}")));
        }
        let now = gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, &data);
        if now.map_err(|error| self.damaged(&chain(&error)))? != id {
            return Err(self.damaged(&format!("object {id} holds something else")));
        }
        self.objects.insert(id);
        Ok(data)
    }

    fn tree(&mut self, id: ObjectId) -> Result<Vec<(EntryKind, BString, ObjectId)>, GitError> {
        let data = self.object(id, Kind::Tree)?;
        let mut entries = Vec::new();
        for entry in TreeRefIter::from_bytes(&data, gix::hash::Kind::Sha1) {
            let entry = entry.map_err(|error| self.damaged(&chain(&error)))?;
            entries.push((entry.mode.kind(), entry.filename.to_owned(), entry.oid.to_owned()));
        }
        self.entries += entries.len();
        if self.entries > MAX_ENTRIES {
            return Err(GitError::TooLarge {
                what: format!(
                    "commit {} has more than {MAX_ENTRIES} files and folders",
                    self.commit
                ),
                limit: format!("{MAX_ENTRIES} files and folders"),
            });
        }
        Ok(entries)
    }

    /// Follows a path from the root, and links in it, within the commit.
    fn resolve(&mut self, root: ObjectId, path: &BStr) -> Result<Place, GitError> {
        let mut trees = vec![root];
        let mut rest: VecDeque<BString> = parts(path).collect();
        let mut links = 0;
        while let Some(part) = rest.pop_front() {
            if part == "." || part.is_empty() {
                continue;
            }
            if part == ".." {
                if trees.len() == 1 {
                    return Ok(Place::Leaves);
                }
                trees.pop();
                continue;
            }
            let here = trees[trees.len() - 1];
            let entry = self.tree(here)?.into_iter().find(|(_, name, _)| *name == part);
            match entry {
                None => return Ok(Place::Missing),
                Some((EntryKind::Tree, _, id)) => trees.push(id),
                Some((EntryKind::Commit, ..)) => return Ok(Place::Submodule),
                Some((EntryKind::Blob | EntryKind::BlobExecutable, _, id)) => {
                    return Ok(if rest.is_empty() { Place::File(id) } else { Place::Missing });
                }
                Some((EntryKind::Link, _, id)) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Ok(Place::TooManyLinks);
                    }
                    let target = self.object(id, Kind::Blob)?;
                    if target.starts_with(b"/") {
                        return Ok(Place::Leaves);
                    }
                    for part in parts(target.as_bstr()).rev() {
                        rest.push_front(part);
                    }
                }
            }
        }
        Ok(Place::Folder(trees[trees.len() - 1]))
    }

    fn folder(
        &mut self,
        root: ObjectId,
        folder: ObjectId,
        path: &str,
        depth: usize,
    ) -> Result<(), GitError> {
        if depth > MAX_FOLDER_DEPTH {
            return Err(GitError::TooLarge {
                what: format!("folders are nested too deep at `{path}`"),
                limit: format!("{MAX_FOLDER_DEPTH} levels"),
            });
        }
        for (kind, name, id) in self.tree(folder)? {
            let shown = name.to_str_lossy();
            let below = if path.is_empty() { shown.to_string() } else { format!("{path}/{shown}") };
            match kind {
                EntryKind::Tree if !name.starts_with(b".") => {
                    self.folder(root, id, &below, depth + 1)?;
                }
                EntryKind::Blob | EntryKind::BlobExecutable if is_yaml(Path::new(&*shown)) => {
                    self.file(id, &below)?;
                }
                EntryKind::Link => self.link(root, path, name.as_bstr(), id, &below)?,
                EntryKind::Commit => {
                    self.note(
                        &below,
                        "a submodule is not followed: documents belong into the repository itself",
                    );
                }
                EntryKind::Tree | EntryKind::Blob | EntryKind::BlobExecutable => {}
            }
        }
        Ok(())
    }

    /// A link: to a file it stands for that file, anything else is said.
    fn link(
        &mut self,
        root: ObjectId,
        folder: &str,
        name: &BStr,
        id: ObjectId,
        below: &str,
    ) -> Result<(), GitError> {
        let yaml = is_yaml(Path::new(&*name.to_str_lossy()));
        // The target is meant from the link's folder. That folder was reached without a link, or by the path of the settings.
        let target = self.object(id, Kind::Blob)?;
        let place = if target.starts_with(b"/") {
            Place::Leaves
        } else {
            let mut path = BString::from(folder);
            path.push(b'/');
            path.extend_from_slice(&target);
            self.resolve(root, path.as_bstr())?
        };
        match place {
            Place::File(blob) if yaml => self.file(blob, below)?,
            Place::File(_) => {}
            Place::Folder(_) => {
                self.note(below, "a link to a folder is not followed: it may lead back up");
            }
            Place::Missing if yaml => self.unreadable(below, "a symbolic link that leads nowhere"),
            Place::Missing => {}
            other => {
                let why = other.why_not().unwrap_or_default();
                // What bears a document's name is a document that cannot be read: its last good state stays in force.
                if yaml {
                    self.unreadable(below, &format!("refused: {why}"));
                } else {
                    self.note(below, &format!("not followed: {why}"));
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, blob: ObjectId, path: &str) -> Result<(), GitError> {
        if self.files.len() >= MAX_FILES {
            return Err(GitError::TooLarge {
                what: format!("commit {} has too many YAML files", self.commit),
                limit: format!("{MAX_FILES} files"),
            });
        }
        let limit = super::bytes(MAX_FILE_BYTES as u64);
        match self.size(blob)? {
            // The server was asked to leave out what is too large anyway.
            None => self.unreadable(
                path,
                &format!("it is larger than {limit}, or missing in the repository"),
            ),
            Some(size) if size > MAX_FILE_BYTES as u64 => {
                self.unreadable(
                    path,
                    &format!("it has {size} bytes, and at most {limit} are read"),
                );
            }
            Some(_) => {
                let data = self.object(blob, Kind::Blob)?;
                self.bytes += data.len();
                if self.bytes > MAX_TOTAL_BYTES {
                    return Err(GitError::TooLarge {
                        what: format!(
                            "the YAML files of commit {} are too large together",
                            self.commit
                        ),
                        limit: super::bytes(MAX_TOTAL_BYTES as u64),
                    });
                }
                if data.starts_with(LFS) {
                    self.unreadable(
                        path,
                        "it is a Git LFS pointer, and LFS is not followed: commit the file itself",
                    );
                } else {
                    self.files.push(File::new(path, data));
                }
            }
        }
        Ok(())
    }

    fn unreadable(&mut self, path: &str, why: &str) {
        self.files.push(File { path: path.to_owned(), content: Err(why.to_owned()) });
    }

    fn note(&mut self, path: &str, message: &str) {
        if self.notes.len() < MAX_NOTES {
            let location = Location { file: path.to_owned(), line: 0, column: 0 };
            self.notes.push(Note { location, message: message.to_owned() });
        }
    }
}

fn parts(path: &BStr) -> impl DoubleEndedIterator<Item = BString> + '_ {
    path.split(|byte| *byte == b'/').map(BString::from)
}
