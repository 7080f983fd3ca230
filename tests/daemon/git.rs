//! Documents in a git repository, all the way: a commit, its revision, its author, and a restart without the repository.

use super::support::{DIFFER, Daemon, Folder, STAY, Said, Sim, is_ready, until};
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

#[test]
fn doctor_reads_the_sources_of_the_settings_and_says_what_is_missing() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("url", "https://hooks.example.com/x"), ("key", "secret")]);
    commit(&folder, STAY, "Begin");
    let origin = format!("file://{}", folder.path("origin").display());
    let git = |more: &str| format!("sources: [{{git: {{url: \"{origin}\"{more}}}}}]\n");
    let doctor = |settings: &str| {
        folder.write("settings.yaml", settings);
        let mut command = sim.binary(&["doctor", "--config", "settings.yaml", "-o", "json"]);
        let said = Said::of(command.current_dir(folder.path(".")).output().unwrap());
        let checks = said.json()["checks"].as_array().unwrap().clone();
        (said.code, checks)
    };
    let (code, checks) = doctor(&git(", path: teds"));
    assert_eq!(code, Some(0), "{checks:?}");
    assert!(checks[0]["message"].as_str().unwrap().starts_with("1 document of commit "));
    assert!(checks.iter().any(|check| check["ted"] == "einstein"), "what the daemon would look at");

    let absent = "sources: [{git: {url: \"file:///no/such/repository\"}}]\n";
    let receiver = |more: &str| format!("{}notifications: [{{name: ops, {more}}}]\n", git(""));
    // Settings; the check, its outcome, a part of its message and of its remedy.
    for (settings, name, outcome, message, remedy) in [
        (git(", ref: {branch: prod}"), "source ", "failed", "no branch `prod`", "check `ref`"),
        (git(", path: tedz"), "source ", "failed", "there is no `tedz` in commit", "check `path`"),
        (absent.to_owned(), "source ", "failed", "there is no repository at", "check `url`"),
        (
            "sources: [{path: nowhere}]\n".to_owned(),
            "source ",
            "failed",
            "cannot read",
            "name an existing",
        ),
        (
            "desired: settings.yaml\nsorces: []\n".to_owned(),
            "settings",
            "failed",
            "settings.yaml:2:1: sorces",
            "did you mean `sources`?",
        ),
        (
            receiver("slack: {urlFile: absent}"),
            "receiver ops",
            "failed",
            "cannot read the secret in",
            "correct the file",
        ),
        (
            receiver("webhook: {urlFile: url}"),
            "receiver ops",
            "unknown",
            "is not signed",
            "add `secretFile`",
        ),
        (
            receiver("webhook: {urlFile: url, secretFile: key}"),
            "receiver ops",
            "ok",
            "https://hooks.example.com can be asked",
            "",
        ),
    ] {
        let (code, checks) = doctor(&settings);
        assert_eq!(code, Some(i32::from(outcome == "failed")), "{settings}: {checks:?}");
        let text =
            |check: &Value, field: &str| check[field].as_str().unwrap_or_default().to_owned();
        let found = checks.iter().find(|check| text(check, "check").starts_with(name)).unwrap();
        assert_eq!(text(found, "outcome"), outcome, "{found}");
        assert!(text(found, "message").contains(message), "{found}");
        assert!(text(found, "remedy").contains(remedy), "{found}");
    }
}
