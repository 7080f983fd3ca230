//! A real repository, made with `git`: a bare one that is served, and a working copy that pushes to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A document that is right.
pub(crate) const GOOD: &str = "engine: valkey\nversion: \"8.0\"\nmode: observe\n";

/// Who commits.
pub(crate) const AUTHOR: &str = "Ada Lovelace";

pub(crate) struct Repository {
    folder: TempDir,
}

impl Repository {
    /// An empty one, with the default branch `main`.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = Self { folder };
        run(repository.root(), &["init", "-q", "--bare", "-b", "main", "teds.git"]);
        run(repository.root(), &["init", "-q", "-b", "main", "work"]);
        run(&repository.work(), &["remote", "add", "origin", "../teds.git"]);
        repository
    }

    /// One with a document in `teds/einstein.yaml`.
    pub(crate) fn with_a_document() -> Self {
        let repository = Self::empty();
        repository.commit(&[("teds/einstein.yaml", GOOD)], "Begin");
        repository
    }

    /// The folder that is served.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The bare repository.
    pub(crate) fn bare(&self) -> PathBuf {
        self.root().join("teds.git")
    }

    /// The working copy.
    pub(crate) fn work(&self) -> PathBuf {
        self.root().join("work")
    }

    /// Writes files into the working copy.
    pub(crate) fn write(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = self.work().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    /// Writes files, commits everything and pushes it to `main`; gives the commit's id.
    pub(crate) fn commit(&self, files: &[(&str, &str)], subject: &str) -> String {
        self.write(files);
        self.commit_all(subject);
        self.push()
    }

    /// Commits everything in the working copy.
    pub(crate) fn commit_all(&self, subject: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", subject]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Pushes what the working copy has, whatever was there.
    pub(crate) fn push(&self) -> String {
        self.git(&["push", "-q", "--force", "origin", "HEAD:main"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git in the working copy.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        run(&self.work(), arguments)
    }

    /// Runs git in the bare repository.
    pub(crate) fn git_bare(&self, arguments: &[&str]) -> String {
        run(&self.bare(), arguments)
    }
}

fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", AUTHOR)
        .env("GIT_AUTHOR_EMAIL", "ada@example.com")
        .env("GIT_COMMITTER_NAME", "Charles Babbage")
        .env("GIT_COMMITTER_EMAIL", "charles@example.com")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
