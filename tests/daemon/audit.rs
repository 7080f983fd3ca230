//! The audit under `kill -9`: whatever was started has its line, at whatever moment the process ends.

use super::support::{Daemon, Folder, Sim, ask, is_ready, now, until};
use serde_json::Value;
use std::fs;
use std::thread;
use std::time::Duration;

const MIGRATE: &str =
    "engine: valkey\nversion: '8.0'\ntedVersion: v1.52.1\napprove: [redis-to-valkey]\n";

/// How fast the simulated AWS goes while events are paused, and while it updates. Our requests keep to rates of our time.
const PAUSING: u32 = 15;
const UPDATING: u32 = 300;

/// How many times the daemon is killed.
const KILLS: usize = 7;

/// Random numbers that are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Calls that the simulator saw and that change something, with what they were for.
fn changes(sim: &Sim) -> Vec<Value> {
    let log = ask(sim.address(), "GET", "/_sim/log?effect=write", &[], "").json();
    let all = log["entries"].as_array().unwrap().clone();
    all.into_iter().filter(|entry| entry["service"] != "sts").collect()
}

fn audit(folder: &Folder) -> Vec<Value> {
    let text = fs::read_to_string(folder.path("state/audit.jsonl")).unwrap_or_default();
    let line =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: `{line}`"));
    text.lines().map(line).collect()
}

/// The kind of step that a call belongs to.
fn step_of(call: &Value) -> &'static str {
    let said = call["parameters"].to_string();
    match call["operation"].as_str().unwrap() {
        "UpdateProvisionedProduct" => "Update",
        "TagResource" if said.contains("released ") => "Release",
        "TagResource" => "Hold",
        "UpdateEventSourceMapping" if said.contains("false") => "Disable",
        "UpdateEventSourceMapping" => "Enable",
        other => panic!("a call of no step: {other}"),
    }
}

/// Every call has the line of its step's start, and the update the one with its token.
fn everything_has_its_line(sim: &Sim, folder: &Folder) {
    let lines = audit(folder);
    for call in changes(sim) {
        let step = step_of(&call);
        let begins = |line: &&Value| line["step"] == step && line["outcome"] == "begin";
        let begun: Vec<&Value> = lines.iter().filter(begins).collect();
        assert!(!begun.is_empty(), "no line of {call}\n{lines:#?}");
        if step == "Update" {
            let token = &call["parameters"]["UpdateToken"];
            assert!(token.is_string(), "{call}");
            assert!(
                begun.iter().any(|line| line["token"] == *token),
                "no line of {call}\n{lines:#?}"
            );
        }
    }
}

#[test]
fn nothing_was_started_without_its_line_however_often_the_process_is_killed() {
    let sim = Sim::start("default");
    sim.speed(PAUSING);
    let folder = Folder::new(&[("teds/einstein.yaml", MIGRATE)]);
    let mut numbers = Numbers(2026);
    let start = || Daemon::start(&sim, &folder, &["--state-dir", "state"]);
    for _ in 0..KILLS {
        let daemon = start();
        // Some live until they do something, some do not; and some are hit in the middle of it.
        let lives = Duration::from_millis(200 + numbers.below(4_000));
        let end = now() + lives;
        while now() < end {
            thread::park_timeout(end.saturating_duration_since(now()));
        }
        daemon.process.signal("-KILL");
        drop(daemon);
        everything_has_its_line(&sim, &folder);
    }
    assert!(!changes(&sim).is_empty(), "some of them did something");
    // At the one moment that counts most: the request is out, and nobody knows yet what became of it.
    let daemon = start();
    let is_sent = || changes(&sim).iter().any(|call| step_of(call) == "Update").then_some(());
    until("the update is sent", is_sent);
    daemon.process.signal("-KILL");
    drop(daemon);
    everything_has_its_line(&sim, &folder);

    sim.speed(UPDATING);
    let daemon = start();
    daemon.until("einstein", "the migration", |status| is_ready(status, "True"));
    sim.speed(PAUSING);
    let running = |status: &Value| status["events"]["paused"] == false;
    daemon.until("einstein", "events to run", running);

    // However often it was begun, it was sent once.
    let updates = changes(&sim).iter().filter(|call| step_of(call) == "Update").count();
    assert_eq!(updates, 1);
    // Its answer was lost with the process, and still the history knows whose it was; also when only the audit is left.
    let revision = |daemon: &Daemon| {
        let ted = daemon.until("einstein", "a look", |status| status["history"][0].is_object());
        ted["status"]["history"][0]["revision"].clone()
    };
    let lines = audit(&folder);
    let begun = lines.iter().rfind(|line| line["step"] == "Update").unwrap();
    assert_eq!(revision(&daemon), begun["revision"]);
    assert_eq!(daemon.stop(), Some(0));
    folder.remove("state/state.json");
    assert_eq!(revision(&start()), begun["revision"]);
}
