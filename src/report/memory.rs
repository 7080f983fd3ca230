//! What outlives a restart: since when conditions and findings are what they are, and whether starts are frozen.
//!
//! Comfort, not truth: without the file everything is known "since now", and for which revisions updates were is known from the audit
//! ([`Memory::recall`]). It is written whole, beside the old one and then over it, so
//! that a crash leaves the one or the other, and only its owner may read it.

use super::audit::Line;
use super::status::{Freeze, TimedCondition};
use crate::assess::past::{MAX_UPDATES, Past, Sent};
use crate::assess::types::Finding;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The form of the file. Another one is not read.
const VERSION: u32 = 1;

/// How large a file is read: 1,000 TEDs with 50 findings each have about 20 MB.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What is remembered of all TEDs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// The form of the file.
    version: u32,
    /// By name.
    pub teds: BTreeMap<String, Remembered>,
    /// Whether starts are stopped.
    #[serde(default)]
    pub freeze: Freeze,
}

/// What is remembered of one TED.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remembered {
    /// The last conditions, with their times.
    pub conditions: Vec<TimedCondition>,
    /// The last findings, with their times.
    pub findings: Vec<Finding>,
    /// The token of the last reconcile-now request that was carried out.
    #[serde(default)]
    pub last_handled_reconcile: Option<String>,
    /// The revision that was last verified to be in effect.
    #[serde(default)]
    pub applied_revision: Option<String>,
    /// What the assessment is told of earlier looks.
    #[serde(default)]
    pub past: Past,
}

/// Why the state file could not be read or written.
#[derive(Debug, Error)]
pub enum MemoryError {
    /// Reading failed.
    #[error("cannot read the state file `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not what we write.
    #[error("the state file `{}` is not one of ours", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A later version wrote it, or it is far too large.
    #[error("the state file `{}` {why}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What about it.
        why: &'static str,
    },
    /// Writing failed.
    #[error("cannot write the state file `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Memory {
    /// Reads the state file; one that does not exist is empty.
    ///
    /// # Errors
    /// When it cannot be read or is not ours. The caller says so and goes on with an empty one.
    pub fn load(path: &Path) -> Result<Self, MemoryError> {
        let read = |source| MemoryError::Read { path: path.to_owned(), source };
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            opened => opened.map_err(read)?,
        };
        let mut text = String::new();
        file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(read)?;
        if text.len() as u64 > MAX_BYTES {
            return Err(MemoryError::Foreign { path: path.to_owned(), why: "is too large" });
        }
        let memory: Self = serde_json::from_str(&text)
            .map_err(|source| MemoryError::Form { path: path.to_owned(), source })?;
        if memory.version != VERSION {
            let why = "was written by another version";
            return Err(MemoryError::Foreign { path: path.to_owned(), why });
        }
        Ok(memory)
    }

    /// Writes the state file, whole or not at all. Blocks: call it where blocking is allowed.
    ///
    /// # Errors
    /// When the folder is missing, full or not ours to write in. The old file is then still there.
    pub fn save(&self, path: &Path) -> Result<(), MemoryError> {
        self.write(path).map_err(|source| MemoryError::Write { path: path.to_owned(), source })
    }

    /// Adds the updates that the audit knows of and the state file does not: it was lost, or the process ended before it was written. Of an
    /// update that was begun and whose answer nobody saw the record is not known.
    pub fn recall(&mut self, lines: Vec<Line>) {
        let mut sent: BTreeMap<(String, Option<String>), Line> = BTreeMap::new();
        for line in lines {
            let attempt = (line.ted.clone(), line.token.clone());
            match line.outcome.as_str() {
                "refused" | "passed-over" => {
                    sent.remove(&attempt);
                }
                _ => {
                    sent.insert(attempt, line);
                }
            }
        }
        for line in sent.into_values() {
            let (Some(revision), Some(digest)) = (line.revision, line.digest) else { continue };
            let updates = &mut self.teds.entry(line.ted).or_default().past.updates;
            let is_known = updates.iter().any(|known| {
                known.at == line.at
                    || (known.record_id.is_some() && known.record_id == line.record_id)
            });
            if is_known {
                continue;
            }
            updates.push(Sent {
                record_id: line.record_id,
                under: String::new(),
                at: line.at,
                revision,
                commit: line.commit,
                summary: Some(line.summary),
                digest,
            });
            updates.sort_by_key(|sent| sent.at);
            let excess = updates.len().saturating_sub(MAX_UPDATES);
            updates.drain(..excess);
        }
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let written = Self { version: VERSION, ..self.clone() };
        write_whole(path, &serde_json::to_string(&written)?)
    }
}

/// Writes a file of the state directory beside the old one and then over it, for its owner only: a crash leaves the one or the other.
/// Blocks.
pub(crate) fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = folder.unwrap_or(Path::new(".")).join(name);
    // One that a crash left behind may have other rights, or be a link to somewhere else.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // The rename itself lies in the folder. Where a folder cannot be synced, a crash may show the old file: that is allowed.
    if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
    Ok(())
}

#[cfg(unix)]
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::Committed;
    use crate::observe::observation::Record;
    use jiff::Timestamp;

    /// A folder of its own for each test, gone when the test is.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("ted-memory-{test}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn memory() -> Memory {
        let remembered = Remembered {
            last_handled_reconcile: Some("now-1".to_owned()),
            ..Remembered::default()
        };
        Memory {
            version: VERSION,
            teds: [("einstein".to_owned(), remembered)].into(),
            ..Memory::default()
        }
    }

    #[test]
    fn what_was_written_is_read_again_and_only_the_owner_can() {
        let folder = Folder::new("again");
        let path = folder.0.join("state.json");
        assert_eq!(Memory::load(&path).unwrap(), Memory::default(), "no file: nothing remembered");
        for _ in 0..2 {
            memory().save(&path).unwrap();
            assert_eq!(Memory::load(&path).unwrap(), memory());
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let names: Vec<_> =
            fs::read_dir(&folder.0).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["state.json"], "nothing is left lying about");
    }

    #[test]
    fn what_updates_were_for_is_recalled_from_the_audit() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let line = |second, token: &str, outcome: &str, record: Option<&str>| Line {
            at: at(second),
            ted: "einstein".to_owned(),
            product: None,
            account: None,
            region: "us-east-2".to_owned(),
            revision: Some(format!("main@sha1:{token}")),
            commit: Some(Committed { author: "Ada".to_owned(), subject: token.to_owned() }),
            digest: Some("d".to_owned()),
            by: "ctl/1".to_owned(),
            step: "Update".to_owned(),
            summary: "update".to_owned(),
            outcome: outcome.to_owned(),
            trouble: None,
            record_id: record.map(str::to_owned),
            token: Some(token.to_owned()),
        };
        let mut memory = memory();
        let lines = vec![
            line(10, "a", "begin", None),
            line(10, "a", "accepted", Some("rec-1")),
            line(20, "b", "begin", None),
            line(20, "b", "refused", None),
            line(30, "c", "begin", None),
        ];
        memory.recall(lines.clone());
        memory.recall(lines);
        let past = &memory.teds["einstein"].past;
        let known: Vec<_> = past
            .updates
            .iter()
            .map(|sent| (sent.record_id.as_deref(), sent.revision.as_str()))
            .collect();
        assert_eq!(known, [(Some("rec-1"), "main@sha1:a"), (None, "main@sha1:c")]);
        let record = |id: &str, second| Record {
            id: id.to_owned(),
            created: Some(at(second)),
            ..Record::default()
        };
        let subject = |record: &Record| {
            past.update_of(record).map(|sent| sent.commit.clone().unwrap().subject)
        };
        assert_eq!(subject(&record("rec-1", 10)).as_deref(), Some("a"));
        assert_eq!(subject(&record("rec-2", 31)).as_deref(), Some("c"), "its answer was lost");
        assert_eq!(subject(&record("rec-2", 29)), None, "it began before");
        assert_eq!(subject(&record("rec-2", 3000)), None, "it began long after");
    }

    #[test]
    fn leftovers_of_a_crash_do_not_get_in_the_way() {
        let folder = Folder::new("crash");
        let path = folder.0.join("state.json");
        fs::write(folder.0.join("state.json.new"), "half a fi").unwrap();
        memory().save(&path).unwrap();
        assert_eq!(Memory::load(&path).unwrap(), memory());
    }

    #[test]
    fn a_file_that_is_not_ours_is_an_error_that_names_it() {
        let folder = Folder::new("foreign");
        let path = folder.0.join("state.json");
        for (text, wanted, why) in [
            ("{", "is not one of ours", "cut off"),
            ("[]", "is not one of ours", "another shape"),
            (r#"{"version":2,"teds":{}}"#, "was written by another version", "a later form"),
        ] {
            fs::write(&path, text).unwrap();
            let error = Memory::load(&path).unwrap_err().to_string();
            assert!(error.contains(wanted) && error.contains("state.json"), "{why}: {error}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let folder = Folder::new("missing");
        let error = memory().save(&folder.0.join("nowhere/state.json")).unwrap_err();
        assert!(error.to_string().starts_with("cannot write the state file"), "{error}");
    }
}
