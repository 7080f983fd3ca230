//! Documents in a git repository, all the way: a commit, its revision, its author, and a restart without the repository.

use super::support::{DIFFER, Daemon, Folder, STAY, Sim, is_ready, until};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Settings for the repository in `origin`.
pub(crate) fn settings(folder: &Folder, more: &str) -> String {
    let url = format!("file://{}", folder.path("origin").display());
    format!(
        "stateDir: state\nsources:\n  - git: {{url: \"{url}\", ref: {{branch: main}}, path: teds, interval: 1s}}\n{more}"
    )
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.com"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Writes a document, commits it, and gives the commit's revision.
pub(crate) fn commit(folder: &Folder, text: &str, subject: &str) -> String {
    folder.write("origin/teds/einstein.yaml", text);
    let origin = folder.path("origin");
    if !origin.join(".git").exists() {
        git(&origin, &["init", "-q", "-b", "main"]);
    }
    git(&origin, &["add", "-A"]);
    git(&origin, &["commit", "-q", "-m", subject]);
    format!("main@sha1:{}", git(&origin, &["rev-parse", "HEAD"]))
}

fn observed(ted: &Value) -> &str {
    ted["status"]["observedRevision"].as_str().unwrap_or_default()
}

fn start(sim: &Sim, folder: &Folder) -> Daemon {
    Daemon::of(sim.binary(&["run", "--config", "settings.yaml"]), folder).ready()
}

#[test]
fn a_commit_is_looked_at_under_its_revision_and_outlives_a_restart_without_the_repository() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[]);
    let first = commit(&folder, STAY, "Begin");
    folder.write("settings.yaml", &settings(&folder, ""));
    let daemon = start(&sim, &folder);
    let ted = daemon.until("einstein", "in sync", |status| is_ready(status, "True"));
    assert_eq!(observed(&ted), first);

    let second = commit(&folder, DIFFER, "Move einstein to Valkey");
    let ted = daemon.until("einstein", "the verdict on the commit", |status| {
        status["observedRevision"] == second && is_ready(status, "False")
    });
    assert_eq!(ted["spec"]["cache"]["engine"], "valkey");
    let source = daemon.sources().remove(0);
    assert_eq!(source["revision"], second);
    assert_eq!(source["commit"]["subject"], "Move einstein to Valkey");
    assert_eq!(source["commit"]["author"], "Ada Lovelace");
    let line = daemon.process.line("Move einstein to Valkey");
    assert!(line.contains(&second) && line.contains("Ada Lovelace"), "{line}");
    assert_eq!(daemon.stop(), Some(0));

    fs::rename(folder.path("origin"), folder.path("away")).unwrap();
    let daemon = start(&sim, &folder);
    let ted = daemon.until("einstein", "looked at", |status| is_ready(status, "False"));
    assert_eq!(observed(&ted), second);
    let source = daemon.sources().remove(0);
    let problem = source["problem"].as_str().unwrap();
    assert!(
        problem.contains("there is no repository at") && problem.contains("stays in force"),
        "{problem}"
    );
    assert!(
        source["lastReadAt"].is_string()
            && source["commit"]["subject"] == "Move einstein to Valkey",
        "{source}"
    );
    assert!(daemon.metric("ted_controller_source_age_seconds") >= 0.0);

    fs::rename(folder.path("away"), folder.path("origin")).unwrap();
    let third = commit(&folder, STAY, "Back to Redis");
    daemon.until("einstein", "the third commit", |status| {
        status["observedRevision"] == third && is_ready(status, "True")
    });
    assert_eq!(daemon.sources()[0]["problem"], Value::Null);
}

#[test]
fn a_folder_and_a_repository_that_contradict_each_other_are_an_error_on_both() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("teds/curie.yaml", STAY)]);
    commit(&folder, STAY, "Begin");
    folder.write("settings.yaml", &settings(&folder, "  - path: teds\n"));
    let daemon = start(&sim, &folder);
    until("both", || (daemon.sources().len() == 2).then_some(()));
    assert!(daemon.ted("einstein").is_some() && daemon.ted("curie").is_some());
    folder.write("teds/einstein.yaml", DIFFER);
    let sources = until("the contradiction", || {
        let sources = daemon.sources();
        let wrong =
            |source: &Value| source["files"].to_string().contains("the name `einstein` is taken");
        sources.iter().all(wrong).then_some(sources)
    });
    // The repository's file is told from the folder's, though both are called the same.
    let said = Value::from(sources).to_string();
    assert!(said.contains("see origin/teds/einstein.yaml:1:1"), "{said}");
    assert!(said.contains("see teds/einstein.yaml:1:1"), "{said}");
    daemon.until("einstein", "a word on it", |status| {
        status["notes"].to_string().contains("another document contradicts this one")
    });
}
