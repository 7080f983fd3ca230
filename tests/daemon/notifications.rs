//! Notifications all the way: the daemon, a receiver that fails, hangs and recovers, and a GitHub of our own.

use super::git::{commit, settings};
use super::listener::{Asked, Listener, Manner};
use super::support::{DIFFER, Daemon, Folder, STAY, Sim, is_ready, until};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

/// What must never show, wherever somebody looks.
const SECRETS: [&str; 3] = ["hook-hunter2", "key-hunter2", "token-hunter2"];

/// How fast AWS goes: our requests to it keep to rates of our time, and a pause has to be done with before its hold is too old.
const PAUSING: u32 = 15;
const UPDATING: u32 = 600;

const TOLD: Manner = Manner::Answers(200);

/// HMAC-SHA256 as RFC 2104 has it, written down once more.
fn hmac(key: &str, message: &str) -> String {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key.as_bytes());
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    let outer = Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize();
    outer.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn is_signed(asked: &Asked) -> bool {
    let timestamp = &asked.headers["x-ted-controller-timestamp"];
    let expected = hmac(SECRETS[1], &format!("{timestamp}.{}", asked.body));
    asked.headers["x-ted-controller-signature"] == format!("sha256={expected}")
}

/// What a notice says, in a few words.
fn words(notice: &Value) -> String {
    let what = notice["code"].as_str().or(notice["reason"].as_str()).unwrap();
    let over = if notice["resolved"] == true { " over" } else { "" };
    format!("{} {what}{over}", notice["kind"].as_str().unwrap())
}

/// A counter of a receiver.
fn count(daemon: &Daemon, receiver: &str, outcome: &str) -> u64 {
    let text = daemon.get("/metrics").body;
    let series = format!(
        "ted_controller_notifications_total{{receiver=\"{receiver}\",outcome=\"{outcome}\"}} "
    );
    let value = text.lines().find_map(|line| line.strip_prefix(&series).map(str::to_owned));
    value.unwrap_or_else(|| panic!("no {series} in {text}")).parse().unwrap()
}

/// Nothing that anybody can read of the daemon holds a secret.
fn nothing_shows(daemon: &Daemon, folder: &Folder) {
    let mut said = daemon.process.lines().join("\n");
    let paths =
        ["/metrics", "/api/v1/teds", "/api/v1/sources", "/api/v1/teds/einstein/events", "/"];
    for path in paths {
        said.push_str(&daemon.get(path).body);
    }
    for file in fs::read_dir(folder.path("state")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            said.push_str(&String::from_utf8_lossy(&fs::read(path).unwrap()));
        }
    }
    for secret in SECRETS {
        assert!(!said.contains(secret), "{secret} shows in {said}");
    }
}

#[test]
fn a_receiver_that_fails_hangs_and_recovers_is_told_everything_once() {
    let sim = Sim::start("default");
    let receiver = Listener::start(Manner::Answers(503));
    let folder = Folder::new(&[
        ("teds/einstein.yaml", DIFFER),
        ("url", &format!("http://{}/{}\n", receiver.address, SECRETS[0])),
        ("key", SECRETS[1]),
        (
            "settings.yaml",
            "stateDir: state\nlog: {level: debug}\nnotifications:\n  - {name: ops, timeout: 1s, webhook: {urlFile: url, secretFile: key}}\n",
        ),
    ]);
    let start = || Daemon::start(&sim, &folder, &["--config", "settings.yaml"]).ready();
    let daemon = start();
    until("it failed", || (count(&daemon, "ops", "failed") > 0).then_some(()));
    daemon.process.line("a receiver cannot be told");

    receiver.answer_with(Manner::Hangs);
    until("it hangs", || receiver.asked(Manner::Hangs).first().cloned());
    // Meanwhile everybody is looked at as ever.
    let looked = daemon.run(&["reconcile", "einstein", "--wait"]);
    assert_eq!(looked.code, Some(2), "{looked:?}");
    let failed = count(&daemon, "ops", "failed");
    until("it gives up waiting", || (count(&daemon, "ops", "failed") > failed).then_some(()));
    assert_eq!(count(&daemon, "ops", "delivered"), 0);

    receiver.answer_with(TOLD);
    let told = until("all is told", || {
        let told = receiver.asked(TOLD);
        (told.len() >= 3).then_some(told)
    });
    daemon.process.line("the receiver can be told again");
    assert!(told.iter().all(is_signed), "{told:?}");
    let notices: Vec<Value> = told.iter().map(Asked::json).collect();
    let said: BTreeSet<String> = notices.iter().map(words).collect();
    for wanted in ["drift drift/cache-engine", "drift drift/ted-version"] {
        assert!(said.contains(wanted), "{said:?}");
    }
    let ready = notices.iter().find(|notice| notice["kind"] == "ready").unwrap();
    assert_eq!((&ready["ted"], &ready["severity"]), (&json!("einstein"), &json!("warning")));
    assert_eq!(
        (&ready["account"], &ready["region"]),
        (&json!("111122223333"), &json!("us-east-2"))
    );
    // What was tried several times was told under one id.
    let first = receiver.asked(Manner::Answers(503))[0].json();
    assert!(notices.iter().any(|notice| notice["id"] == first["id"]), "{first}");

    folder.write("teds/einstein.yaml", STAY);
    until("its end is told", || {
        let told = receiver.asked(TOLD);
        told.iter().any(|asked| words(&asked.json()) == "ready InSync over").then_some(())
    });
    let ids: Vec<String> =
        receiver.asked(TOLD).iter().map(|asked| asked.json()["id"].to_string()).collect();
    let different: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(different.len(), ids.len(), "nothing is told twice: {ids:?}");
    // The same once more is another notice.
    let before = receiver.asked(TOLD).len();
    folder.write("teds/einstein.yaml", DIFFER);
    let again = until("it is told again", || {
        receiver.asked(TOLD)[before..]
            .iter()
            .map(Asked::json)
            .find(|it| words(it) == "ready Drifted")
    });
    assert_ne!(again["id"], ready["id"]);
    until("all of it", || (receiver.asked(TOLD).len() >= before + 3).then_some(()));
    nothing_shows(&daemon, &folder);
    assert_eq!(daemon.stop(), Some(0));

    // A restart is no news.
    let before = receiver.asked(TOLD).len();
    let daemon = start();
    assert_eq!(daemon.run(&["freeze", "on", "--reason", "audit week"]).code, Some(0));
    until("the freeze is told", || (receiver.asked(TOLD).len() > before).then_some(()));
    let after: Vec<String> =
        receiver.asked(TOLD)[before..].iter().map(|asked| words(&asked.json())).collect();
    assert_eq!(after, ["freeze Frozen"]);
}

#[test]
fn what_nobody_takes_is_dropped_and_counted_and_a_secret_may_come_later() {
    let sim = Sim::start("default");
    let refuses = Listener::start(Manner::Answers(400));
    let chat = Listener::start(TOLD);
    let folder = Folder::new(&[
        ("teds/einstein.yaml", DIFFER),
        (
            "settings.yaml",
            &format!(
                "stateDir: state\nnotifications:\n\
                 - {{name: refuses, kinds: [drift], webhook: {{url: 'http://{}/x'}}}}\n\
                 - {{name: nobody, kinds: [ready], giveUpAfter: 2s, timeout: 1s, webhook: {{url: 'http://127.0.0.1:1/x'}}}}\n\
                 - {{name: chat, severity: warning, kinds: [drift], slack: {{urlFile: late}}}}\n",
                refuses.address
            ),
        ),
    ]);
    let daemon = Daemon::start(&sim, &folder, &["--config", "settings.yaml"]).ready();
    until("both are refused", || (count(&daemon, "refuses", "dropped") == 2).then_some(()));
    assert_eq!(refuses.asked(Manner::Answers(400)).len(), 2, "once each");
    until("it is given up", || (count(&daemon, "nobody", "dropped") == 1).then_some(()));
    assert!(count(&daemon, "nobody", "failed") >= 2);
    daemon.process.line("a notice is dropped");

    daemon.process.line("cannot read the secret in");
    folder.write("late", &format!("http://{}/{}", chat.address, SECRETS[0]));
    let told = until("the chat is told", || {
        let told = chat.asked(TOLD);
        (told.len() == 2).then_some(told)
    });
    let text = told[0].json()["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("⚠️ *einstein* · drift/cache-engine\n"), "{text}");
    nothing_shows(&daemon, &folder);
}

/// What GitHub was told, oldest first: commit, context, state.
fn statuses(github: &Listener) -> Vec<(String, String, String)> {
    let of = |asked: &Asked| {
        let body = asked.json();
        let sha = asked.path.rsplit('/').next().unwrap().to_owned();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        assert!(text("description").chars().count() <= 140, "{body}");
        (sha, text("context"), text("state"))
    };
    github.asked(Manner::Answers(201)).iter().map(of).collect()
}

#[test]
fn a_commit_bears_the_status_of_its_reconciliation_and_its_author_reaches_the_history() {
    let sim = Sim::start("default");
    sim.speed(PAUSING);
    let github = Listener::start(Manner::Answers(201));
    let folder = Folder::new(&[("token", SECRETS[2])]);
    let sha = |revision: &str| revision.rsplit_once(':').unwrap().1.to_owned();
    let apply = |document: &str| document.replace("mode: observe\n", "");
    let first = sha(&commit(&folder, &apply(STAY), "Begin"));
    let receiver = format!(
        "notifications:\n  - name: commits\n    github: {{repository: platform/teds, tokenFile: token, apiUrl: 'http://{}/api/v3', targetUrl: 'https://x/#/{{ted}}'}}\n",
        github.address
    );
    folder.write("settings.yaml", &settings(&folder, &receiver));
    let daemon = Daemon::of(sim.binary(&["run", "--config", "settings.yaml"]), &folder).ready();
    let told = |sha: &str, context: &str, state: &str| {
        let wanted = (sha.to_owned(), context.to_owned(), state.to_owned());
        until(&format!("{wanted:?}"), || statuses(&github).contains(&wanted).then_some(()));
    };
    told(&first, "ted-controller", "success");
    told(&first, "ted-controller/einstein", "success");
    let asked = &github.asked(Manner::Answers(201))[0];
    assert_eq!(asked.path, format!("/api/v3/repos/platform/teds/statuses/{first}"));
    assert_eq!(asked.headers["authorization"], format!("Bearer {}", SECRETS[2]));

    // One that only wants to know waits for nothing but another one.
    let asks = sha(&commit(&folder, DIFFER, "What would it take?"));
    told(&asks, "ted-controller/einstein", "pending");

    // A commit without the approval that it needs.
    let second = sha(&commit(&folder, &apply(DIFFER), "Move einstein to Valkey"));
    told(&second, "ted-controller/einstein", "failure");
    let asked = github.asked(Manner::Answers(201));
    told(&asks, "ted-controller/einstein", "error");
    let failure = asked.iter().map(Asked::json).find(|body| body["state"] == "failure").unwrap();
    assert!(failure["description"].as_str().unwrap().contains("redis-to-valkey"), "{failure}");
    assert_eq!(failure["target_url"], "https://x/#/einstein");

    // One that cannot be read.
    let third = sha(&commit(&folder, "engine: valkey\nversion: nine\n", "A slip"));
    told(&third, "ted-controller", "failure");

    // And one with everything: followed to its effect.
    let approved = format!("{}approve: [redis-to-valkey]\n", apply(DIFFER));
    let fourth = sha(&commit(&folder, &approved, "Approve the way of no return"));
    told(&fourth, "ted-controller/einstein", "pending");
    daemon.until("einstein", "the update", |status| status["phase"] == "Updating");
    sim.speed(UPDATING);
    told(&fourth, "ted-controller/einstein", "success");
    sim.speed(PAUSING);
    let all = statuses(&github);
    assert!(all.len() <= 20, "a status for each reason, and none for a look: {all:?}");

    let ted = daemon.until("einstein", "the new engine", |status| is_ready(status, "True"));
    let last = &ted["status"]["history"][0];
    assert_eq!(last["revision"], format!("main@sha1:{fourth}"));
    assert_eq!(last["commit"]["author"], "Ada Lovelace");
    assert_eq!(last["commit"]["subject"], "Approve the way of no return");
    let audit = fs::read_to_string(folder.path("state/audit.jsonl")).unwrap();
    let update = audit.lines().find(|line| line.contains("\"step\":\"Update\"")).unwrap();
    assert!(update.contains(&fourth) && update.contains("Ada Lovelace"), "{update}");
    nothing_shows(&daemon, &folder);
}

#[test]
fn one_who_only_runs_once_tells_what_it_found_before_it_ends() {
    let sim = Sim::start("default");
    let (listens, hangs) = (Listener::start(TOLD), Listener::start(Manner::Hangs));
    let receiver = |name: &str, listener: &Listener| {
        format!(
            "  - {{name: {name}, kinds: [ready], webhook: {{url: 'http://{}/x'}}}}\n",
            listener.address
        )
    };
    let (a, b) = (receiver("listens", &listens), receiver("hangs", &hangs));
    let folder = Folder::new(&[
        ("teds/einstein.yaml", DIFFER),
        ("settings.yaml", &format!("desired: teds\nnotifications:\n{a}{b}")),
    ]);
    let began = super::support::now();
    let said = sim.once(&folder, &["--config", "settings.yaml"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(began.elapsed() < Duration::from_secs(40), "who hangs is not waited for");
    assert_eq!(words(&listens.asked(TOLD)[0].json()), "ready Drifted");
    assert!(said.stderr.contains("not everything could be told before the end"), "{said:?}");
}
