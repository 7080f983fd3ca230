//! Files of desired documents: which there are below a path, and what is in them.

use crate::desired::{File, yaml::MAX_FILE_BYTES};
use std::fs;
use std::io::{self, Read};
use std::path::Path;

/// The deepest folder that is looked into, from the path that was named.
pub(super) const MAX_FOLDER_DEPTH: usize = 32;
/// The most files that are read.
pub(super) const MAX_FILES: usize = 10_000;

/// Why no documents could be looked for.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The path cannot be read.
    #[error("cannot read `{path}`")]
    Unreadable {
        /// The path.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There are too many files.
    #[error("more than {MAX_FILES} files")]
    TooMany,
    /// Folders go too deep.
    #[error("folders are nested more than {MAX_FOLDER_DEPTH} deep at `{path}`")]
    TooDeep {
        /// Where.
        path: String,
    },
}

impl CollectError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "name an existing file or folder of desired documents"
            }
            Self::Unreadable { .. } => "check the permissions of the path",
            Self::TooMany | Self::TooDeep { .. } => "name the folder that holds the documents",
        }
    }

    /// Whether there is nothing at that path (yet, or any more).
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Adds the file, or the YAML files below the folder, each once.
///
/// # Errors
/// The path cannot be read, or holds too much. A single file below a folder that cannot be read is not an error here: it is among the
/// files, with the reason.
pub fn collect(path: &Path, files: &mut Vec<File>) -> Result<(), CollectError> {
    let unreadable = |source| CollectError::Unreadable { path: shown(path), source };
    if fs::metadata(path).map_err(unreadable)?.is_dir() {
        return collect_folder(path, 0, files);
    }
    add(path, read(path).map_err(unreadable)?, files)
}

fn collect_folder(folder: &Path, depth: usize, files: &mut Vec<File>) -> Result<(), CollectError> {
    if depth > MAX_FOLDER_DEPTH {
        return Err(CollectError::TooDeep { path: shown(folder) });
    }
    let unreadable = |source| CollectError::Unreadable { path: shown(folder), source };
    let mut entries: Vec<_> =
        fs::read_dir(folder).and_then(Iterator::collect).map_err(unreadable)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // A link to a file is followed (Kubernetes mounts them), a link to a folder is not: it may lead back up.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if !entry.file_name().to_string_lossy().starts_with('.') {
                collect_folder(&path, depth + 1, files)?;
            }
        } else if is_yaml(&path) && fs::metadata(&path).map_or(true, |metadata| metadata.is_file())
        {
            match read(&path) {
                Ok(bytes) => add(&path, bytes, files)?,
                Err(error) => {
                    files.push(File { path: shown(&path), content: Err(error.to_string()) });
                }
            }
        }
    }
    Ok(())
}

fn add(path: &Path, bytes: Vec<u8>, files: &mut Vec<File>) -> Result<(), CollectError> {
    let path = shown(path);
    if files.len() >= MAX_FILES {
        return Err(CollectError::TooMany);
    }
    if !files.iter().any(|file| file.path == path) {
        files.push(File::new(path, bytes));
    }
    Ok(())
}

pub(super) fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// Reads no more than is needed to see that a file is too large.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_read_recursively_and_hidden_ones_skipped() {
        let root =
            std::env::temp_dir().join(format!("ted-controller-validate-{}", std::process::id()));
        for (path, text) in [
            ("b.yaml", "engine: redis"),
            ("a/one.yml", "engine: redis"),
            ("a/notes.txt", "engine: redis"),
            (".git/two.yaml", "engine: redis"),
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut files = Vec::new();
        collect(&root, &mut files).unwrap();
        collect(&root.join("b.yaml"), &mut files).unwrap();
        let names: Vec<_> = files
            .iter()
            .map(|file| file.path.strip_prefix(&shown(&root)).unwrap().to_owned())
            .collect();
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(names, ["/a/one.yml", "/b.yaml"]);
    }

    #[test]
    fn a_path_that_is_not_there_is_an_error_with_a_hint() {
        let error = collect(Path::new("no/such/path"), &mut Vec::new()).unwrap_err();
        assert!(error.to_string() == "cannot read `no/such/path`");
        assert!(error.hint().contains("existing"));
    }
}
