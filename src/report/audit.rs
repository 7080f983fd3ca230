//! What the controller did, a line each, for whoever has to account for it: JSON lines in the state directory, and the same in the log.
//!
//! A start has its line on the disk before it is sent ([`Audit::begin`]): what was started and is not there does not exist. What gives
//! back is never held up by a full disk: its line goes to the log, and the failure is counted.

use crate::assess::types::StepKind;
use crate::desired::Committed;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use thiserror::Error;

/// The file in the state directory.
pub const FILE: &str = "audit.jsonl";

/// The file before it.
const OLDER: &str = "audit.jsonl.1";

/// How large the file gets before it takes the older one's place: some 30,000 lines each.
const MAX_BYTES: u64 = 10 * 1024 * 1024;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// AWS's time of the look that the step was decided on.
    pub at: Timestamp,
    /// The TED.
    pub ted: String,
    /// Its provisioned product.
    pub product: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// The revision that was acted for; absent when something is given back without a document.
    pub revision: Option<String>,
    /// Who made the revision's commit, when it is one.
    #[serde(default)]
    pub commit: Option<Committed>,
    /// The document's digest.
    pub digest: Option<String>,
    /// By which controller, and which of its processes.
    pub by: String,
    /// `Hold`, `Update`, …
    pub step: String,
    /// What, in a sentence.
    pub summary: String,
    /// `begin`, or how it ended: `accepted`, `refused`, `unknown`, `passed-over`.
    pub outcome: String,
    /// What did not go as asked.
    pub trouble: Option<String>,
    /// Service Catalog's record, of an update.
    pub record_id: Option<String>,
    /// The idempotency token, of an update.
    pub token: Option<String>,
}

/// A line could not be written.
#[derive(Debug, Error)]
#[error("cannot write the audit line to `{}`", path.display())]
pub struct AuditError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Where lines go.
#[derive(Debug)]
pub struct Audit {
    folder: Option<PathBuf>,
    one_at_a_time: Mutex<()>,
}

impl Audit {
    /// Into the state directory; without one, into the log alone.
    pub fn new(state_dir: Option<&Path>) -> Self {
        Self { folder: state_dir.map(Path::to_owned), one_at_a_time: Mutex::default() }
    }

    /// Writes the line of a start; it is on the disk when this returns. Blocks.
    ///
    /// # Errors
    /// The folder is missing, full or not ours to write in. Then nothing may start.
    pub fn begin(&self, line: &Line) -> Result<(), AuditError> {
        self.write(line)?;
        log(line);
        Ok(())
    }

    /// Writes a line about what has happened. Blocks.
    ///
    /// # Errors
    /// As [`Audit::begin`]; the line is in the log all the same.
    pub fn note(&self, line: &Line) -> Result<(), AuditError> {
        log(line);
        self.write(line)
    }

    fn write(&self, line: &Line) -> Result<(), AuditError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let path = folder.join(FILE);
        let _held = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        append(folder, &path, line).map_err(|source| AuditError { path, source })
    }
}

/// The lines that a state directory holds and that are `wanted`, the oldest first. A line that is none of ours is passed over.
///
/// # Errors
/// A file is there and cannot be read.
pub fn read(folder: &Path, wanted: impl Fn(&Line) -> bool) -> io::Result<Vec<Line>> {
    let mut found = Vec::new();
    for name in [OLDER, FILE] {
        let text = match std::fs::read(folder.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            read => read?,
        };
        let lines = text.split(|byte| *byte == b'\n');
        found.extend(
            lines.filter_map(|line| serde_json::from_slice(line).ok()).filter(|line| wanted(line)),
        );
    }
    Ok(found)
}

/// The lines about updates that a state directory holds, the oldest first; none when they cannot be read. Blocks.
pub fn updates(folder: &Path) -> Vec<Line> {
    const MARK: &[u8] = b"\"step\":\"Update\"";
    let mut found = Vec::new();
    for name in [OLDER, FILE] {
        let text = std::fs::read(folder.join(name)).unwrap_or_default();
        // Most lines are about triggers: those are not worth reading.
        let lines = text.split(|byte| *byte == b'\n');
        let about = lines.filter(|line| line.windows(MARK.len()).any(|part| part == MARK));
        found.extend(about.filter_map(|line| serde_json::from_slice::<Line>(line).ok()));
    }
    found.retain(|line| line.step == StepKind::Update.as_str());
    found
}

fn append(folder: &Path, path: &Path, line: &Line) -> io::Result<()> {
    if std::fs::metadata(path).is_ok_and(|file| file.len() > MAX_BYTES) {
        std::fs::rename(path, folder.join(OLDER))?;
    }
    let mut options = OpenOptions::new();
    let options = options.read(true).append(true).create(true);
    let mut file = super::memory::private(options).open(path)?;
    // One write: a line is there whole or not at all, unless the machine dies half-way; then the next one begins on a line of its own.
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    let before = file.metadata()?.len();
    if before > 0 && last_byte(&mut file)? != b'\n' {
        text.insert(0, '\n');
    }
    if let Err(error) = file.write_all(text.as_bytes()).and_then(|()| file.sync_data()) {
        let _ = file.set_len(before);
        return Err(error);
    }
    if before == 0
        && let Ok(folder) = File::open(folder)
    {
        // A new file's name lies in the folder.
        let _ = folder.sync_all();
    }
    Ok(())
}

fn last_byte(file: &mut File) -> io::Result<u8> {
    file.seek(SeekFrom::End(-1))?;
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn log(line: &Line) {
    let Line { ted, step, summary, outcome, trouble, record_id, by, revision, commit, .. } = line;
    let (trouble, record) = (trouble.as_deref(), record_id.as_deref());
    let (revision, author) = (revision.as_deref(), commit.as_ref().map(|it| it.author.as_str()));
    tracing::info!(target: "ted_controller::audit", ted, step, outcome, trouble, record, by, revision, author, "{summary}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(summary: &str) -> Line {
        Line {
            at: Timestamp::UNIX_EPOCH,
            ted: "einstein".to_owned(),
            product: Some("pp-1".to_owned()),
            account: None,
            region: "us-east-2".to_owned(),
            revision: None,
            commit: None,
            digest: None,
            by: "ctl/1".to_owned(),
            step: "Update".to_owned(),
            summary: summary.to_owned(),
            outcome: "begin".to_owned(),
            trouble: None,
            record_id: None,
            token: None,
        }
    }

    #[test]
    fn lines_are_there_when_it_returns_and_only_their_owner_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let audit = Audit::new(Some(folder.path()));
        audit.begin(&line("one")).unwrap();
        audit.note(&line("two\nlines")).unwrap();
        let path = folder.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        let read: Vec<Line> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, [line("one"), line("two\nlines")]);
        std::fs::write(folder.path().join(OLDER), "not ours\n").unwrap();
        let found = super::read(folder.path(), |line| line.summary == "one").unwrap();
        assert_eq!(found, [line("one")]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn half_a_line_of_a_machine_that_died_takes_no_other_along() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::write(&path, "{\"at\":\"2026-").unwrap();
        Audit::new(Some(folder.path())).begin(&line("one")).unwrap();
        assert_eq!(super::read(folder.path(), |_| true).unwrap(), [line("one")]);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
    }

    #[test]
    fn without_a_place_a_start_is_refused_and_names_it() {
        let audit = Audit::new(Some(Path::new("/nowhere/at/all")));
        let error = audit.begin(&line("one")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all/audit.jsonl"), "{error}");
        assert!(Audit::new(None).begin(&line("one")).is_ok(), "nobody asked for a file");
    }

    #[test]
    fn a_file_that_is_full_takes_the_older_ones_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        File::create(&path).unwrap().set_len(MAX_BYTES + 1).unwrap();
        Audit::new(Some(folder.path())).begin(&line("one")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
        assert!(folder.path().join(OLDER).exists());
    }
}
