//! The demo's own files: the folder of documents, the daemon's state and its log. They are gone when it ends.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The document of the story.
pub(super) const DOCUMENT: &str = "einstein.yaml";

/// A folder that only its owner reads.
#[derive(Debug)]
pub(super) struct Folder(TempDir);

impl Folder {
    /// A new one, where the host keeps such things.
    pub(super) fn create() -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("ted-controller-demo-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(fs::Permissions::from_mode(0o700));
        }
        let folder = Self(builder.tempdir()?);
        fs::create_dir(folder.documents())?;
        fs::create_dir(folder.state())?;
        Ok(folder)
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the desired documents are.
    pub(super) fn documents(&self) -> PathBuf {
        self.0.path().join("teds")
    }

    /// Where the daemon keeps history and audit.
    pub(super) fn state(&self) -> PathBuf {
        self.0.path().join("state")
    }

    /// The daemon's log.
    pub(super) fn log(&self) -> PathBuf {
        self.0.path().join("daemon.log")
    }

    /// Opens the daemon's log.
    pub(super) fn create_log(&self) -> io::Result<File> {
        File::create(self.log())
    }

    /// Writes a document as careful tools do: a new file takes the old one's place, so that nobody reads half of it.
    pub(super) fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let path = self.documents().join(name);
        let new = path.with_extension("new");
        fs::write(&new, text)?;
        fs::rename(new, path)
    }

    /// Removes everything.
    pub(super) fn remove(self) {
        // What cannot be removed is the host's to remove: it is in the place for such things.
        let _ = self.0.close();
    }

    /// Leaves everything where it is, for a person to look at.
    pub(super) fn keep(self) -> PathBuf {
        self.0.keep()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_takes_the_place_of_the_one_before_and_nothing_stays_behind() {
        let folder = Folder::create().unwrap();
        let path = folder.0.path().to_owned();
        folder.write(DOCUMENT, "engine: redis\n").unwrap();
        folder.write(DOCUMENT, "engine: valkey\n").unwrap();
        let names: Vec<_> = fs::read_dir(folder.documents())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names, [DOCUMENT]);
        assert_eq!(
            fs::read_to_string(folder.documents().join(DOCUMENT)).unwrap(),
            "engine: valkey\n"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        }
        folder.remove();
        assert!(!path.exists());
    }
}
