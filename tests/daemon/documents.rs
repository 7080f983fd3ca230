//! Documents while the daemon runs: edited, broken, exchanged, gone and back, in a checkout, from several places.

use super::support::{DIFFER, Daemon, Folder, STAY, Sim, condition, is_ready, until};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Long enough between two polls that no test meets one: what is found here is found by being told.
const NO_POLL: &str = "sourcePoll: 1h\n";

/// A daemon over `teds` that does not poll.
fn watching(sim: &Sim, folder: &Folder) -> Daemon {
    folder.write("settings.yaml", NO_POLL);
    Daemon::start(sim, folder, &["--config", "settings.yaml"])
}

fn revision(ted: &Value) -> String {
    ted["status"]["observedRevision"].as_str().unwrap_or_default().to_owned()
}

/// Waits until the engine that a document asks for is this, and says how long that took.
fn until_engine(daemon: &Daemon, engine: &str) -> Duration {
    let began = super::support::now();
    until(&format!("{engine} is asked for"), || {
        let ted = daemon.ted("einstein")?;
        let seen = ted["status"]["sides"]
            .as_array()?
            .iter()
            .find(|side| side["what"] == "cache engine")?;
        (ted["spec"]["cache"]["engine"] == engine && seen["desired"]["value"] == engine)
            .then_some(())
    });
    began.elapsed()
}

#[test]
fn an_edit_takes_effect_at_once_with_its_own_revision() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("teds/einstein.yaml", STAY)]);
    let daemon = watching(&sim, &folder).ready();
    let before = revision(&daemon.ted("einstein").unwrap());
    assert!(before.starts_with("sha256:"), "{before}");
    folder.write("teds/einstein.yaml", DIFFER);
    // The debounce is 150 ms, the look some milliseconds; the rest is a machine that is busy with other tests.
    let took = until_engine(&daemon, "valkey");
    assert!(took < Duration::from_secs(10), "{took:?}");
    let after = daemon.until("einstein", "the verdict", |status| is_ready(status, "False"));
    assert_ne!(revision(&after), before);

    // A remark is another revision of the same document: known at once, and nobody looks.
    let looks = daemon.metric("ted_controller_reconcile_duration_seconds_count");
    folder.write("teds/einstein.yaml", &format!("# as agreed\n{DIFFER}"));
    let remark = until("the remark's revision", || {
        daemon.ted("einstein").filter(|ted| revision(ted) != revision(&after))
    });
    assert_eq!(remark["status"]["observedAt"], after["status"]["observedAt"]);
    let looks_now = daemon.metric("ted_controller_reconcile_duration_seconds_count");
    assert!((looks_now - looks).abs() < 0.5, "{looks} and {looks_now}");
}

#[test]
fn a_broken_file_keeps_its_last_good_state_and_everybody_can_see_it() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("teds/einstein.yaml", STAY)]);
    let daemon = watching(&sim, &folder).ready();
    assert_eq!(daemon.metric("ted_controller_invalid_documents"), 0.0);
    folder.write("teds/einstein.yaml", "engine: valkey\nversion: nine\n");
    let file = until("the broken file", || {
        let file = daemon.sources()[0]["files"][0].clone();
        (file["valid"] == false).then_some(file)
    });
    assert_eq!(file["summary"], "1 problem; the last good state stays in force: einstein");
    assert_eq!(file["problems"][0]["location"]["line"], 2);
    assert_eq!(daemon.metric("ted_controller_invalid_documents"), 1.0);
    daemon.process.line("teds/einstein.yaml:2:10: version");
    let ted = daemon.ted("einstein").unwrap();
    assert_eq!(ted["spec"]["cache"]["engine"], "redis");
    assert!(is_ready(&ted["status"], "True"));
    daemon.until("einstein", "a word on it", |status| {
        status["notes"].to_string().contains("what it last said stays in force")
    });

    folder.write("teds/einstein.yaml", DIFFER);
    until_engine(&daemon, "valkey");
    assert_eq!(daemon.metric("ted_controller_invalid_documents"), 0.0);
}

#[test]
fn editors_put_another_file_in_its_place() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("einstein.yaml", STAY), ("settings.yaml", NO_POLL)]);
    // A single file is watched by its folder.
    let arguments = ["run", "--config", "settings.yaml", "--desired", "einstein.yaml"];
    let daemon = Daemon::of(sim.binary(&arguments), &folder).ready();
    folder.write(".einstein.yaml.swp", DIFFER);
    fs::rename(folder.path(".einstein.yaml.swp"), folder.path("einstein.yaml")).unwrap();
    until_engine(&daemon, "valkey");
}

#[test]
fn a_file_that_is_gone_keeps_its_documents_until_it_is_back() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("einstein.yaml", STAY), ("settings.yaml", NO_POLL)]);
    let arguments = ["run", "--config", "settings.yaml", "--desired", "einstein.yaml"];
    let daemon = Daemon::of(sim.binary(&arguments), &folder).ready();
    folder.remove("einstein.yaml");
    let problem =
        until("the problem", || daemon.sources()[0]["problem"].as_str().map(str::to_owned));
    assert!(problem.contains("einstein.yaml"), "{problem}");
    assert!(daemon.ted("einstein").is_some(), "what it said last stays in force");
    folder.write("einstein.yaml", DIFFER);
    until_engine(&daemon, "valkey");
    assert_eq!(daemon.sources()[0]["problem"], Value::Null);
    daemon.process.line("the source can be read again");
}

#[test]
fn a_folder_may_come_later() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[]);
    let daemon = watching(&sim, &folder);
    until("the problem", || daemon.sources().first()?["problem"].as_str().map(str::to_owned));
    assert_eq!(daemon.get("/readyz").status, 503);
    folder.write("teds/einstein.yaml", STAY);
    daemon.until("einstein", "the look", |status| is_ready(status, "True"));
    assert_eq!(daemon.get("/readyz").status, 200);
    // And is watched from then on.
    folder.write("teds/einstein.yaml", DIFFER);
    until_engine(&daemon, "valkey");
}

#[test]
fn a_document_that_is_deleted_takes_its_ted_along() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("teds/einstein.yaml", STAY), ("teds/b/curie.yaml", DIFFER)]);
    let daemon = watching(&sim, &folder).ready();
    folder.remove("teds/b/curie.yaml");
    until("curie is gone", || daemon.ted("curie").is_none().then_some(()));
    assert!(daemon.ted("einstein").is_some());
    assert!(!daemon.get("/metrics").body.contains("curie"));
    let said = daemon.run(&["status", "curie"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{said:?}");
    assert_eq!(said.stderr, "error: the daemon knows no TED `curie`\nhint: there is `einstein`\n");
    assert_eq!(sim.writes(), [""; 0]);
}

#[cfg(unix)]
fn link(to: &str, at: &Path) {
    std::os::unix::fs::symlink(to, at).unwrap();
}

/// What the kubelet does when a `ConfigMap` changes: another folder, and one rename of a link.
#[cfg(unix)]
#[test]
fn a_config_map_is_exchanged_by_one_link() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("teds/..2026_01/einstein.yaml", STAY)]);
    link("..2026_01", &folder.path("teds/..data"));
    link("..data/einstein.yaml", &folder.path("teds/einstein.yaml"));
    let daemon = watching(&sim, &folder).ready();
    folder.write("teds/..2026_02/einstein.yaml", DIFFER);
    link("..2026_02", &folder.path("teds/..data_tmp"));
    fs::rename(folder.path("teds/..data_tmp"), folder.path("teds/..data")).unwrap();
    fs::remove_dir_all(folder.path("teds/..2026_01")).unwrap();
    until_engine(&daemon, "valkey");
    assert_eq!(daemon.get("/api/v1/teds").json()["items"].as_array().unwrap().len(), 1);
}

/// Side-cars that follow a repository exchange a link above the folder.
#[cfg(unix)]
#[test]
fn a_release_is_exchanged_by_a_link_above() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[
        ("releases/1/teds/einstein.yaml", STAY),
        ("releases/2/teds/einstein.yaml", DIFFER),
        ("settings.yaml", NO_POLL),
    ]);
    link("releases/1", &folder.path("current"));
    let arguments = ["run", "--config", "settings.yaml", "--desired", "current/teds"];
    let daemon = Daemon::of(sim.binary(&arguments), &folder).ready();
    for (release, engine) in [("2", "valkey"), ("1", "redis")] {
        link(&format!("releases/{release}"), &folder.path("next"));
        fs::rename(folder.path("next"), folder.path("current")).unwrap();
        until_engine(&daemon, engine);
    }
}

fn git(folder: &Folder, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder.path("."))
        .args(["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn in_a_checkout_the_revision_is_the_commit() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("teds/einstein.yaml", STAY)]);
    git(&folder, &["init", "-q", "-b", "main"]);
    git(&folder, &["add", "teds"]);
    git(&folder, &["commit", "-q", "-m", "first"]);
    let head = || format!("main@sha1:{}", git(&folder, &["rev-parse", "HEAD"]));
    let daemon = watching(&sim, &folder).ready();
    assert_eq!(revision(&daemon.ted("einstein").unwrap()), head());

    // What nobody committed has no commit.
    folder.write("teds/einstein.yaml", DIFFER);
    until_engine(&daemon, "valkey");
    let uncommitted = daemon.until("einstein", "the edit", |status| is_ready(status, "False"));
    assert!(revision(&uncommitted).starts_with("sha256:"), "{}", revision(&uncommitted));

    // Committing touches no document, and still is news.
    git(&folder, &["commit", "-q", "-a", "-m", "second"]);
    let committed =
        until("the commit", || daemon.ted("einstein").filter(|ted| revision(ted) == head()));
    assert_eq!(committed["status"]["conditions"], uncommitted["status"]["conditions"]);
    assert_eq!(daemon.sources()[0]["revision"], head());
}

#[test]
fn several_sources_are_one_set_and_may_contradict_each_other() {
    let sim = Sim::start("default");
    let settings = "sourcePoll: 1h\nsources: [{path: ours}, {path: theirs}]\n";
    let folder = Folder::new(&[
        ("ours/einstein.yaml", STAY),
        ("theirs/curie.yaml", DIFFER),
        ("settings.yaml", settings),
    ]);
    let daemon = Daemon::of(sim.binary(&["run", "--config", "settings.yaml"]), &folder).ready();
    let names = |daemon: &Daemon| -> Vec<String> {
        let list = daemon.get("/api/v1/teds").json();
        let items = list["items"].as_array().unwrap().iter();
        items.map(|ted| ted["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&daemon), ["curie", "einstein"]);
    let sources = daemon.sources();
    let shown: Vec<_> = sources.iter().map(|source| source["source"].as_str().unwrap()).collect();
    assert_eq!(shown, ["ours", "theirs"]);

    folder.write("theirs/einstein.yaml", DIFFER);
    let broken = until("both say so", || {
        let files: Vec<Value> = daemon
            .sources()
            .iter()
            .flat_map(|source| source["files"].as_array().unwrap().clone())
            .filter(|file| file["valid"] == false)
            .collect();
        (files.len() == 2).then_some(files)
    });
    assert!(broken[0]["problems"][0]["message"].as_str().unwrap().contains("theirs/einstein.yaml"));
    assert!(broken[1]["problems"][0]["message"].as_str().unwrap().contains("ours/einstein.yaml"));
    assert_eq!(daemon.metric("ted_controller_invalid_documents"), 2.0);
    let ted = daemon.until("einstein", "the contradiction", |status| {
        status["notes"].to_string().contains("another document contradicts this one")
    });
    assert_eq!(ted["spec"]["cache"]["engine"], "redis", "what was in force stays");

    folder.remove("theirs/einstein.yaml");
    daemon.until("einstein", "peace", |status| {
        !status["notes"].to_string().contains("contradicts") && is_ready(status, "True")
    });
    assert_eq!(condition(&daemon.ted("einstein").unwrap()["status"], "Stalled")["status"], "False");
}

#[test]
fn what_is_read_again_without_news_is_young() {
    let sim = Sim::start("default");
    let folder =
        Folder::new(&[("teds/einstein.yaml", STAY), ("settings.yaml", "sourcePoll: 1s\n")]);
    let daemon = Daemon::start(&sim, &folder, &["--config", "settings.yaml"]).ready();
    let read_at = |daemon: &Daemon| daemon.sources()[0]["lastReadAt"].as_str().unwrap().to_owned();
    let first = read_at(&daemon);
    until("it was read again", || (read_at(&daemon) > first).then_some(()));
    assert!(daemon.metric("ted_controller_source_age_seconds") < 30.0);
    let news = daemon.process.lines();
    let news = news.iter().filter(|line| line.contains("documents read")).count();
    assert_eq!(news, 1, "the log tells of news only");
}
