//! What AWS said of TEDs, as a file: written by `plan --record` and into bundles, read by `plan --replay` and `--from-bundle`.

use super::archive;
use crate::assess::diagnosis::Diagnosis;
use crate::observe::observation::Observation;
use crate::report::render;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Its name in a bundle.
pub const FILE: &str = "observation.json";

/// What was seen of a TED.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// What it is called.
    pub name: String,
    /// What was seen, without secrets.
    pub observation: Observation,
    /// Why the update of that record failed, when one did: what is decided about a failure depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<(String, Diagnosis)>,
}

/// A file that holds no recording.
#[derive(Debug)]
pub enum RecordingError {
    /// It is no archive that can be read.
    Archive(std::io::Error),
    /// It is an archive without a recording.
    Empty,
    /// What it holds is none.
    Form(serde_json::Error),
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive(error) => write!(f, "the archive cannot be read: {error}"),
            Self::Empty => write!(f, "there is no `{FILE}` in the archive"),
            Self::Form(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for RecordingError {}

/// A recording as text.
pub fn write(recorded: &[Recorded]) -> String {
    render::json(&recorded)
}

/// The recording in a file: the bare one, or that of a bundle.
///
/// # Errors
/// It holds none.
pub fn read(bytes: &[u8]) -> Result<Vec<Recorded>, RecordingError> {
    let unpacked;
    let bytes = if archive::is_one(bytes) {
        unpacked = archive::find(bytes, FILE)
            .map_err(RecordingError::Archive)?
            .ok_or(RecordingError::Empty)?;
        &unpacked
    } else {
        bytes
    };
    serde_json::from_slice(bytes).map_err(RecordingError::Form)
}

#[cfg(test)]
mod tests {
    use super::super::{File, archive};
    use super::*;
    use crate::assess::testing::healthy;
    use jiff::Timestamp;

    #[test]
    fn a_recording_is_read_bare_and_out_of_a_bundle() {
        let recorded =
            vec![Recorded { name: "einstein".to_owned(), observation: healthy(), diagnosis: None }];
        let text = write(&recorded);
        assert_eq!(read(text.as_bytes()).unwrap(), recorded);
        let file = |path: &str, text: &str| File {
            path: path.to_owned(),
            what: String::new(),
            text: text.to_owned(),
        };
        let files = [file("report.html", "x"), file(FILE, &text)];
        let packed = archive::pack("bundle", &files, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(read(&packed).unwrap(), recorded);
    }

    #[test]
    fn what_is_no_recording_is_said_to_be_none() {
        let empty = archive::pack("bundle", &[], Timestamp::UNIX_EPOCH).unwrap();
        for (bytes, wanted, why) in [
            (&b"{}"[..], "invalid type", "another shape"),
            (b"\x1f\x8bnot really", "cannot be read", "no archive at all"),
            (empty.as_slice(), "there is no `observation.json`", "an empty archive"),
        ] {
            let error = read(bytes).unwrap_err().to_string();
            assert!(error.contains(wanted), "{why}: {error}");
        }
    }
}
