//! From the start to the end of a daemon, and across a restart.

use super::support::{
    DIFFER, Daemon, Folder, LIMIT, STAY, Sim, ask, beside, condition, is_private, is_ready, until,
};
use serde_json::json;

#[test]
fn it_starts_says_where_it_listens_and_is_ready_once_everything_was_looked_at() {
    let sim = Sim::start("default");
    // Nothing is answered before this says so.
    sim.fault(&json!({"operation": "GetCallerIdentity", "fault": "hang"}));
    let folder = Folder::new(&[("teds/einstein.yaml", STAY)]);
    let daemon = Daemon::start(&sim, &folder, &[]);
    assert_eq!(daemon.get("/healthz").status, 200, "it lives");
    until("the document is in force", || daemon.ted("einstein"));
    assert_eq!(daemon.get("/readyz").status, 503, "nobody has looked at it");
    let ted = daemon.ted("einstein").unwrap();
    assert_eq!(condition(&ted["status"], "Ready")["reason"], "NotYetObserved");
    drop(daemon);

    sim.heal();
    let daemon = Daemon::start(&sim, &folder, &[]).ready();
    let ted = daemon.ted("einstein").unwrap();
    assert!(is_ready(&ted["status"], "True"), "{ted:#}");
    assert_eq!(ted["status"]["actual"]["engineVersion"], "7.1.0");
    assert_eq!(sim.writes(), [""; 0]);
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn the_first_signal_drains_and_the_second_one_ends_it_at_once() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("teds/einstein.yaml", STAY)]);
    let mut daemon = Daemon::start(&sim, &folder, &[]).ready();
    sim.fault(&json!({"operation": "DescribeProvisionedProduct", "fault": {"latency": "3s"}}));
    assert_eq!(daemon.run(&["reconcile", "einstein"]).code, Some(0));
    // The pass is under way: it asks and waits.
    let passes = daemon.metric("ted_controller_reconcile_duration_seconds_count");
    daemon.process.signal("-TERM");
    until("readiness is taken back", || (daemon.get("/readyz").status == 503).then_some(()));
    assert_eq!(daemon.get("/healthz").status, 200, "it still lives");
    assert!(daemon.ted("einstein").is_some(), "and still answers");
    let refused = daemon.run(&["reconcile", "einstein"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("takes nothing up"), "{refused:?}");
    assert_eq!(daemon.process.ended(), Some(0));
    daemon.process.line("stopping: passes under way end");
    assert!(passes >= 1.0);

    let mut daemon = Daemon::start(&sim, &folder, &[]);
    sim.heal();
    sim.fault(&json!({"fault": "hang"}));
    until("the document is in force", || daemon.ted("einstein"));
    daemon.process.signal("-INT");
    daemon.process.line("stopping: passes under way end");
    assert!(daemon.process.is_running(), "it waits for the pass under way");
    daemon.process.signal("-INT");
    assert_eq!(daemon.process.ended(), Some(1));
}

#[test]
fn a_request_to_look_now_is_answered_once_each() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("teds/einstein.yaml", DIFFER)]);
    let daemon = Daemon::start(&sim, &folder, &[]).ready();
    let asked = daemon.run(&["reconcile", "einstein"]);
    assert_eq!((asked.code, asked.stderr.as_str()), (Some(0), ""), "{asked:?}");
    let token = asked.stdout.split('`').nth(3).unwrap().to_owned();
    daemon.until("einstein", "the token", |status| status["lastHandledReconcile"] == token);

    // Several at once, each waits for its own answer.
    let wait = ["reconcile", "ted-einstein", "--wait", "--timeout", "50s"];
    let all: Vec<_> = (0..4).map(|_| beside(daemon.command(&wait))).collect();
    for said in all {
        let said = said.recv_timeout(LIMIT).unwrap();
        assert_eq!(said.code, Some(2), "it differs, and nobody is asked to do anything: {said:?}");
        assert!(said.stdout.contains("the cache runs redis, valkey is wanted"), "{said:?}");
    }
    let path = folder.path("teds/einstein.yaml");
    let by_path = daemon.run(&["reconcile", path.to_str().unwrap(), "--wait"]);
    assert_eq!(by_path.code, Some(2), "a document's path means its TED: {by_path:?}");
}

#[test]
fn waiting_says_how_it_stands_and_ends_in_time() {
    let sim = Sim::start("default");
    let nobody = format!("provisionedProduct: ted-nobody\n{STAY}");
    let folder = Folder::new(&[("teds/einstein.yaml", STAY), ("teds/curie.yaml", nobody.as_str())]);
    let daemon = Daemon::start(&sim, &folder, &[]).ready();
    assert_eq!(daemon.run(&["reconcile", "einstein", "--wait"]).code, Some(0));
    let stalled = daemon.run(&["reconcile", "curie", "--wait"]);
    assert_eq!(stalled.code, Some(3), "{stalled:?}");
    sim.fault(&json!({"fault": "hang"}));
    let late = daemon.run(&["reconcile", "einstein", "--wait", "--timeout", "1s"]);
    assert_eq!(late.code, Some(1), "{late:?}");
    assert!(late.stderr.contains("was not looked at in time"), "{late:?}");
    let wrong = daemon.run(&["reconcile", "einstein", "--timeout", "1s"]);
    assert_eq!(wrong.code, Some(64), "a limit is for waiting: {wrong:?}");
}

#[test]
fn a_freeze_is_shown_everywhere_and_lifted_again() {
    let sim = Sim::start("default");
    // It would start, but for the approval that is missing.
    let wants = DIFFER.replace("mode: observe", "mode: apply");
    let folder = Folder::new(&[("teds/einstein.yaml", &wants)]);
    let daemon = Daemon::start(&sim, &folder, &[]).ready();
    let on = daemon.run(&["freeze", "on", "--reason", "ticket\n\u{1b}[31m4711"]);
    assert_eq!(
        (on.code, on.stdout.as_str()),
        (Some(0), "Frozen: ticket 4711. Nothing starts; events are still given back.\n"),
        "{on:?}"
    );
    let list = daemon.get("/api/v1/teds").json();
    assert_eq!(list["freeze"]["frozen"], true);
    for arguments in [&["status"][..], &["status", "-o", "wide"], &["status", "einstein"]] {
        let said = daemon.run(arguments);
        assert!(said.stdout.starts_with("Frozen: ticket 4711."), "{arguments:?}: {said:?}");
    }
    daemon.until("einstein", "the gate", |status| {
        status["gates"].to_string().contains("ticket 4711")
    });
    assert!(daemon.get("/").body.contains("ticket 4711"), "the page says it too");

    assert_eq!(daemon.run(&["freeze", "off", "--reason", "x"]).code, Some(64));
    let off = daemon.run(&["freeze", "off"]);
    assert_eq!((off.code, off.stdout.as_str()), (Some(0), "Not frozen: what is due may start.\n"));
    assert!(!daemon.run(&["status"]).stdout.contains("Frozen"));
    assert_eq!(sim.writes(), [""; 0]);
}

#[test]
fn a_freeze_of_the_settings_is_shown_and_is_not_lifted_from_outside() {
    let sim = Sim::start("default");
    let settings = "frozen: {reason: audit week, until: 2099-01-01T00:00:00Z}\ndesired: teds\n";
    let folder = Folder::new(&[("teds/einstein.yaml", STAY), ("controller.yaml", settings)]);
    let command = sim.binary(&["run", "--config", "controller.yaml"]);
    let daemon = Daemon::of(command, &folder).ready();
    assert!(daemon.run(&["status"]).stdout.starts_with("Frozen: audit week."));
    let off = daemon.run(&["freeze", "off"]);
    assert_eq!(off.code, Some(1), "{off:?}");
    assert!(off.stderr.contains("the controller's settings"), "{off:?}");
}

#[test]
fn a_restart_remembers_since_when_and_that_it_was_frozen() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("teds/einstein.yaml", DIFFER)]);
    let state = ["--state-dir", "state"];
    let daemon = Daemon::start(&sim, &folder, &state).ready();
    let since = |daemon: &Daemon| {
        let ted = daemon.until("einstein", "a look", |status| status["observedAt"].is_string());
        let status = &ted["status"];
        let findings = status["findings"].as_array().unwrap().iter();
        let findings: Vec<_> = findings.map(|finding| finding["since"].clone()).collect();
        (condition(status, "Ready")["lastTransitionTime"].clone(), findings)
    };
    let before = since(&daemon);
    assert_eq!(daemon.run(&["freeze", "on", "--reason", "move"]).code, Some(0));
    // A freeze is on the disk before it is confirmed: nothing else may undo it.
    daemon.process.signal("-KILL");
    drop(daemon);
    assert!(is_private(&folder.path("state/state.json")));

    // Times are whole seconds: those of the first process have to be in the past.
    let second = before.0.as_str().unwrap().to_owned();
    until("another second", || (super::support::utc_second() > second).then_some(()));
    let daemon = Daemon::start(&sim, &folder, &state).ready();
    assert_eq!(daemon.get("/api/v1/freeze").json()["reason"], "move");
    assert_eq!(since(&daemon), before);

    // One state directory is one controller's.
    let mut command = sim.binary(&["run", "--desired", "teds", "--listen", "127.0.0.1:0"]);
    command.args(state).current_dir(folder.path("."));
    let second = super::support::Said::of(command.output().unwrap());
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(
        second.stderr.contains("another ted-controller uses the state directory"),
        "{second:?}"
    );
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn an_address_that_is_taken_is_an_error() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("teds/einstein.yaml", STAY)]);
    let daemon = Daemon::start(&sim, &folder, &[]).ready();
    let mut command = sim.binary(&["run", "--desired", "teds", "--listen", &daemon.address]);
    let said = super::support::Said::of(command.current_dir(folder.path(".")).output().unwrap());
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("takes a free port"), "{said:?}");
}

#[test]
fn beyond_loopback_orders_need_the_token() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[
        ("teds/einstein.yaml", STAY),
        ("token", "s3cret-of-the-test\n"),
        ("controller.yaml", "server: {tokenFile: token}\n"),
    ]);
    let open = Daemon::start(&sim, &folder, &["--listen", "0.0.0.0:0"]).ready();
    open.process.line("there is no token");
    assert_eq!(open.run(&["status"]).code, Some(0), "reading is allowed");
    let refused = open.run(&["freeze", "on"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.starts_with("error: "), "{refused:?}");
    drop(open);

    let guarded =
        Daemon::start(&sim, &folder, &["--listen", "0.0.0.0:0", "--config", "controller.yaml"])
            .ready();
    let without = guarded.run(&["freeze", "on"]);
    assert_eq!(without.code, Some(1), "{without:?}");
    assert!(without.stderr.contains("`--token-file`"), "{without:?}");
    let token = folder.path("token");
    let with = guarded.run(&["freeze", "on", "--token-file", token.to_str().unwrap()]);
    assert_eq!(with.code, Some(0), "{with:?}");
    let mut command = guarded.command(&["freeze", "off"]);
    let by_environment = command.env("TED_CONTROLLER_TOKEN_FILE", token).output().unwrap();
    assert_eq!(by_environment.status.code(), Some(0));
    let log = guarded.process.lines().join("\n");
    assert!(!log.contains("s3cret"), "{log}");
}

#[test]
fn a_name_that_is_not_ours_is_refused() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("teds/einstein.yaml", STAY)]);
    let daemon = Daemon::start(&sim, &folder, &[]).ready();
    let answer = ask(&daemon.address, "GET", "/api/v1/teds", &[("Host", "evil.example.com")], "");
    assert_ne!(answer.status, 200, "{answer:?}");
    let answer = ask(&daemon.address, "GET", "/api/v1/teds", &[], "");
    assert_eq!(answer.headers.get("content-type").map(String::as_str), Some("application/json"));
}
