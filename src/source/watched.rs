//! What says that it is time to read again.

use super::checkout;
use notify::{RecursiveMode, Watcher as _};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use tokio::sync::mpsc;

/// A watch on a path: on the folder or the file's folder, on the nearest folder above it that exists while it does not, and on what can
/// exchange it: links on the way to it, and the checkout that it lies in.
pub(super) struct Watched {
    watcher: Option<notify::RecommendedWatcher>,
    places: Places,
    /// What stood at the path: another inode is another folder, though it bears the same name.
    identity: Option<u64>,
}

/// Folders, and whether what is below them counts too.
type Places = BTreeMap<PathBuf, bool>;

impl Watched {
    /// Watches from now on. What happened before is for the next reading.
    pub(super) fn begin(path: &Path, told: &mpsc::Sender<()>) -> Self {
        let (places, identity) = (places(path), identity(path));
        let told = told.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading is an event too, of our own.
            let is_change = event.map_or(true, |event| !event.kind.is_access());
            if is_change {
                // Full: somebody was told already.
                let _ = told.try_send(());
            }
        })
        .and_then(|mut watcher| {
            for (place, recursive) in &places {
                let mode =
                    if *recursive { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
                watcher.watch(place, mode)?;
            }
            Ok(watcher)
        });
        if let Err(error) = &watcher {
            tracing::warn!(path = %path.display(), %error, "changes of files are found by reading again only");
        }
        Self { watcher: watcher.ok(), places, identity }
    }

    /// Whether something else than before would have to be watched.
    pub(super) fn is_stale(&self, path: &Path) -> bool {
        self.watcher.is_none() || identity(path) != self.identity || places(path) != self.places
    }
}

/// What to watch for a path.
fn places(path: &Path) -> Places {
    let mut places = Places::new();
    for folder in folders_of_links(path) {
        places.insert(folder, false);
    }
    // A commit that changes no document still gives them another revision.
    if let Some(folder) = checkout::git_folder(path) {
        places.insert(folder, false);
    }
    // Last, so that watching a folder with all below it is not narrowed by one of the others.
    let (place, recursive) = place(path);
    places.insert(place, recursive);
    places
}

/// A file is watched by its folder, since editors put another file in its place.
fn place(path: &Path) -> (PathBuf, bool) {
    if path.is_dir() {
        return (path.to_owned(), true);
    }
    let mut above = path.parent();
    while let Some(folder) = above {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if folder.is_dir() {
            return (folder.to_owned(), false);
        }
        above = folder.parent();
    }
    (PathBuf::from("."), false)
}

/// The folders in which links on the way to `path` lie: `current -> releases/7` is exchanged there and nowhere else.
fn folders_of_links(path: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let mut so_far = PathBuf::new();
    for component in path.components() {
        let folder =
            if so_far.as_os_str().is_empty() { PathBuf::from(".") } else { so_far.clone() };
        so_far.push(component);
        if matches!(component, Component::Normal(_)) && so_far.is_symlink() {
            folders.push(folder);
        }
    }
    folders
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|metadata| metadata.ino())
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<u64> {
    path.exists().then_some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_not_there_is_watched_from_above() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("a/b/teds");
        assert_eq!(places(&missing).get(folder.path()), Some(&false));
        std::fs::create_dir_all(&missing).unwrap();
        assert_eq!(places(&missing).get(&missing), Some(&true));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_watched_where_they_can_be_exchanged() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("releases/7/teds")).unwrap();
        std::os::unix::fs::symlink("releases/7", root.join("current")).unwrap();
        let teds = root.join("current/teds");
        let places = places(&teds);
        assert_eq!(places.get(&root), Some(&false), "{places:?}");
        assert_eq!(places.get(&teds), Some(&true), "{places:?}");
    }
}
