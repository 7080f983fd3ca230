//! The daemon acts, as shipped: a whole migration over HTTP, killed at random moments and started again, and events given back by hand.

use super::support::{Daemon, Folder, LIMIT, Sim, condition, is_ready, now, until};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Stdio};
use ted_sim::rng::Rng;

const MIGRATE: &str = "\
apiVersion: ted-controller.dev/v1alpha1
kind: TurbotEnterpriseDatabase
metadata: {name: einstein}
spec:
  account: \"111122223333\"
  region: us-east-2
  tedVersion: v1.52.1
  cache: {engine: valkey, version: \"8.0\"}
  events: {drain: 20s}
  policy: {mode: apply, approve: [redis-to-valkey]}
";

/// A world in which an update takes a minute or two, and a minute takes two seconds.
const QUICK: &str =
    "options: {resourceTime: 1s, databaseTime: 20s, cacheTime: 30s, mappingTransition: 3s}\n";
const SPEED: &str = "30";

const STATE: [&str; 4] = ["--state-dir", "state", "--mode", "apply"];

fn stage(seed: &str) -> (Sim, Folder) {
    let folder = Folder::new(&[("teds/einstein.yaml", MIGRATE), ("world.yaml", QUICK)]);
    let world = folder.path("world.yaml");
    let sim = Sim::with(&["--scenario", world.to_str().unwrap(), "--speed", SPEED, "--seed", seed]);
    (sim, folder)
}

/// Functions whose triggers are not on.
fn off(sim: &Sim) -> BTreeSet<String> {
    let world = sim.world();
    let triggers = world["scopes"][0]["triggers"].as_object().unwrap().values();
    let off = triggers.filter(|it| it["state"] != "Enabled" && it["state"] != "Enabling");
    off.map(|it| it["function"].as_str().unwrap().to_owned()).collect()
}

fn product_status(sim: &Sim) -> String {
    let world = sim.world();
    let product = &world["scopes"][0]["products"]["provisioned"]["ted-einstein"];
    product["status"].as_str().unwrap().to_owned()
}

/// Updates that were taken, by their token.
fn updates(sim: &Sim) -> BTreeMap<String, usize> {
    let mut updates = BTreeMap::new();
    for entry in sim.entries("UpdateProvisionedProduct") {
        if entry["status"] == 200 {
            let token = entry["parameters"]["UpdateToken"].as_str().unwrap().to_owned();
            *updates.entry(token).or_default() += 1;
        }
    }
    updates
}

/// What the audit file says began, by kind of step; every line of it is one.
fn begun(folder: &Folder) -> BTreeMap<String, usize> {
    let text = fs::read_to_string(folder.path("state/audit.jsonl")).unwrap();
    let mut begun = BTreeMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["outcome"] == "begin" {
            *begun.entry(line["step"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    begun
}

/// As wanted, with events on, by one update, of which every start is in the audit file.
fn is_migrated_by_one_update(sim: &Sim, folder: &Folder) {
    until("every trigger runs", || off(sim).is_empty().then_some(()));
    assert_eq!(updates(sim).len(), 1, "{:?}", updates(sim));
    let begun = begun(folder);
    let sent = sim.entries("UpdateProvisionedProduct").len();
    assert!(begun["Update"] >= sent, "{sent} were sent: {begun:?}");
    for step in ["Hold", "Disable", "Release", "Enable"] {
        assert!(begun[step] >= 1, "{begun:?}");
    }
}

#[test]
fn a_commit_is_a_migration_and_everything_says_so() {
    let (sim, folder) = stage("one");
    let daemon = Daemon::start(&sim, &folder, &STATE).ready();
    let paused = |status: &Value| condition(status, "EventsPaused")["reason"] == "Held";
    let status = daemon.until("einstein", "the pause", paused);
    assert!(status["status"]["events"]["paused"] == true, "{status:#}");
    let updating = |status: &Value| status["phase"] == "Updating" && status["progress"].is_object();
    daemon.until("einstein", "the update", updating);
    let done = |status: &Value| {
        is_ready(status, "True") && condition(status, "EventsPaused")["status"] == "False"
    };
    let ted = daemon.until("einstein", "the migration", done);
    assert_eq!(ted["status"]["actual"]["engine"], "valkey");
    assert_eq!(ted["status"]["history"][0]["outcome"], "Succeeded");
    assert!(ted["status"]["history"][0]["revision"].is_string(), "{ted:#}");
    is_migrated_by_one_update(&sim, &folder);
    let metrics = daemon.get("/metrics").body;
    assert!(metrics.contains("operation=\"UpdateProvisionedProduct\""), "{metrics}");
    assert_eq!(daemon.run(&["status", "einstein"]).code, Some(0));
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn once_migrates_too_and_says_so_by_its_exit_code() {
    let (sim, folder) = stage("once");
    let mut arguments = vec!["--desired", "teds"];
    arguments.extend(STATE);
    let said = sim.once(&folder, &arguments);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.trim_end().ends_with("1 TED: 1 settled"), "{said:?}");
    is_migrated_by_one_update(&sim, &folder);
}

/// Kills the daemon whenever it has made some more calls, seven times; the next one always finds its way.
fn killed_again_and_again(seed: &str) {
    let (sim, folder) = stage(seed);
    let mut rng = Rng::new(seed, "kills");
    let mut calls = 0;
    for _ in 0..7 {
        let daemon = Daemon::start(&sim, &folder, &STATE);
        // From the first look to far into the update; a settled daemon makes few calls, and then it is over.
        calls += rng.between(5, 90);
        until("it to come so far", || (sim.count() >= calls || is_over(&sim)).then_some(()));
        daemon.process.signal("-KILL");
        drop(daemon);
        if is_over(&sim) {
            break;
        }
        calls = calls.max(sim.count());
    }
    // A claim that a killed one left ends with its lease.
    if updates(&sim).is_empty() {
        sim.advance("31m");
    }
    let daemon = Daemon::start(&sim, &folder, &STATE).ready();
    let end = now() + 3 * LIMIT;
    let done = |ted: &Value| {
        is_ready(&ted["status"], "True")
            && condition(&ted["status"], "EventsPaused")["status"] == "False"
    };
    while !daemon.ted("einstein").is_some_and(|ted| done(&ted)) {
        assert!(now() < end, "{seed}: {}", daemon.run(&["status", "-o", "wide"]).stdout);
        std::thread::park_timeout(std::time::Duration::from_millis(100));
    }
    is_migrated_by_one_update(&sim, &folder);
}

fn is_over(sim: &Sim) -> bool {
    !updates(sim).is_empty() && product_status(sim) == "AVAILABLE" && off(sim).is_empty()
}

#[test]
fn a_daemon_that_is_killed_again_and_again_updates_once_and_gives_back() {
    let seeds = std::env::var("TED_STORIES").ok().and_then(|text| text.parse().ok());
    for seed in 0..seeds.unwrap_or(2) {
        killed_again_and_again(&format!("kill-{seed}"));
    }
}

/// A command of a person, without a terminal.
fn resume(sim: &Sim, folder: &Folder, arguments: &[&str]) -> super::support::Said {
    let mut command: Command = sim.binary(&["resume-events", "ted-einstein"]);
    command.args(arguments).current_dir(folder.path(".")).stdin(Stdio::null());
    super::support::Said::of(command.output().unwrap())
}

#[test]
fn events_are_given_back_by_hand_when_nobody_else_does_it() {
    let (sim, folder) = stage("hand");
    let nothing = resume(&sim, &folder, &[]);
    assert_eq!(nothing.code, Some(0), "{nothing:?}");
    assert!(nothing.stdout.contains("nothing is paused by a controller"), "{nothing:?}");

    let daemon = Daemon::start(&sim, &folder, &STATE);
    until("the update", || (!updates(&sim).is_empty()).then_some(()));
    daemon.process.signal("-KILL");
    drop(daemon);
    let during = resume(&sim, &folder, &["--yes"]);
    if during.code == Some(2) {
        assert!(during.stderr.contains("a change runs"), "{during:?}");
        until("the update to end", || (product_status(&sim) == "AVAILABLE").then_some(()));
        assert_eq!(off(&sim).len(), 6, "nothing was given back during the update");
        let asked = resume(&sim, &folder, &[]);
        assert_eq!(asked.code, Some(1), "{asked:?}");
        assert!(asked.stderr.contains("`--yes` gives events back without asking"), "{asked:?}");
        assert_eq!(off(&sim).len(), 6, "nor without a word");
        let given = resume(&sim, &folder, &["--yes"]);
        assert_eq!(given.code, Some(0), "{given:?}");
        assert!(given.stdout.contains("events run again"), "{given:?}");
    } else {
        // The update was over before the command looked.
        assert_eq!(during.code, Some(0), "{during:?}");
    }
    assert_eq!(off(&sim), BTreeSet::new());
    let again = resume(&sim, &folder, &["--yes"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.stdout.contains("nothing is paused"), "{again:?}");
}

#[test]
fn what_may_still_lead_to_an_update_is_not_given_back_by_hand() {
    let (sim, folder) = stage("lease");
    let daemon = Daemon::start(&sim, &folder, &STATE);
    until("the pause", || (sim.entries("UpdateEventSourceMapping").len() >= 2).then_some(()));
    daemon.process.signal("-KILL");
    drop(daemon);
    if !updates(&sim).is_empty() {
        return;
    }
    // What was on its way when the daemon died arrives.
    sim.advance("2m");
    let early = resume(&sim, &folder, &["--yes"]);
    assert_eq!(early.code, Some(2), "{early:?}");
    assert!(early.stderr.contains("the hold may still lead to an update until"), "{early:?}");
    // A lease is half an hour.
    sim.advance("45m");
    let late = resume(&sim, &folder, &["--yes"]);
    assert_eq!(late.code, Some(0), "{late:?}");
    assert_eq!(off(&sim), BTreeSet::new());
    assert_eq!(updates(&sim).len(), 0);
}
