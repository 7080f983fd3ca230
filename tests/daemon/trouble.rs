//! What can be wrong with AWS, with who we are, and with what others wrote; and what that does to the others.

use super::support::{Daemon, Folder, STAY, Sim, condition, is_ready, until};
use serde_json::json;

const ROLE: &str = "arn:aws:iam::444455556666:role/somebody";

/// A document in full form, looked at every second.
fn document(name: &str, more: &str) -> String {
    format!(
        "apiVersion: ted-controller.dev/v1alpha1\nkind: TurbotEnterpriseDatabase\nmetadata: {{name: {name}}}\n\
         spec:\n  cache: {{engine: redis, version: '7.1'}}\n  policy: {{mode: observe, interval: 1s}}\n{more}"
    )
}

#[test]
fn one_ted_in_trouble_keeps_no_other_from_anything() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[
        ("teds/einstein.yaml", &document("einstein", "")),
        ("teds/account.yaml", &document("account", "  account: '999900001111'\n")),
        ("teds/role.yaml", &document("role", &format!("  roleArn: {ROLE}\n"))),
        ("teds/product.yaml", &document("product", "  provisionedProduct: ted-nobody\n")),
    ]);
    let daemon = Daemon::start(&sim, &folder, &[]).ready();
    for (name, reason, part) in [
        ("account", "WrongAccount", "not of 999900001111"),
        ("role", "RoleNotAllowed", "is not on the controller's list of allowed roles"),
    ] {
        let ted = daemon.ted(name).unwrap();
        let ready = condition(&ted["status"], "Ready");
        assert_eq!((&ready["status"], &ready["reason"]), (&json!("Unknown"), &json!(reason)));
        let message = ready["message"].as_str().unwrap();
        assert!(message.contains(part) && message.contains("never looked at"), "{message}");
        assert_eq!(condition(&ted["status"], "Stalled")["status"], "True", "{name}");
        assert_eq!(ted["status"]["trouble"]["reason"], reason);
        daemon.process.line(part);
    }
    let ted = daemon.ted("product").unwrap();
    assert_eq!(condition(&ted["status"], "Stalled")["reason"], "ProductNotFound");
    // The one that is well goes on being looked at.
    let at = |name: &str| {
        let text = daemon.get("/metrics").body;
        let series = format!("ted_controller_last_pass_timestamp_seconds{{name=\"{name}\"}} ");
        let at = text.lines().find_map(|line| line.strip_prefix(&series).map(str::to_owned));
        at.unwrap_or_default().parse::<f64>().unwrap_or_default()
    };
    let first = at("einstein");
    until("three more looks", || (at("einstein") > first + 2.5).then_some(()));
    assert!(is_ready(&daemon.ted("einstein").unwrap()["status"], "True"));

    let table = daemon.run(&["status", "-o", "wide"]);
    assert_eq!(table.code, Some(0));
    assert!(table.stdout.contains("account"), "{}", table.stdout);
    let one = daemon.run(&["status", "role"]);
    assert!(one.stdout.contains("It cannot be looked at") && one.stdout.contains("RoleNotAllowed"));
}

#[test]
fn a_role_that_never_answers_leaves_workers_to_the_others() {
    let sim = Sim::start("default");
    sim.fault(&json!({"operation": "AssumeRole", "fault": "hang"}));
    let mut files = vec![("teds/einstein.yaml".to_owned(), document("einstein", ""))];
    for number in 0..12 {
        let name = format!("hung-{number}");
        let more = format!("  roleArn: {ROLE}\n  provisionedProduct: {name}\n");
        files.push((format!("teds/{name}.yaml"), document(&name, &more)));
    }
    files.push((
        "settings.yaml".to_owned(),
        format!("allowedRoles: ['{ROLE}']\nworkers: 4\ntimeouts: {{attempt: 2m, read: 2m}}\n"),
    ));
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let folder = Folder::new(&files);
    let daemon = Daemon::start(&sim, &folder, &["--config", "settings.yaml"]);
    let looks = |daemon: &Daemon| {
        daemon.get("/metrics").body.lines().find_map(|line| {
            line.strip_prefix("ted_controller_reconcile_total{result=\"settled\"} ")?.parse().ok()
        })
    };
    until("looks at the one that is well", || {
        looks(&daemon).is_some_and(|looks: f64| looks >= 3.0).then_some(())
    });
    assert!(daemon.ted("hung-3").unwrap()["status"]["observedAt"].is_null());
    assert_eq!(daemon.get("/healthz").status, 200);
}

#[test]
fn a_verdict_outlives_three_intervals_and_no_more() {
    let sim = Sim::start("default");
    // Long enough that the first failure finds the verdict young, whatever the machine is busy with.
    let document = document("einstein", "").replace("interval: 1s", "interval: 4s");
    let folder = Folder::new(&[("teds/einstein.yaml", &document)]);
    let daemon = Daemon::start(&sim, &folder, &[]).ready();
    drop(sim);
    let young = daemon.until("einstein", "a failed look", |status| !status["trouble"].is_null());
    let ready = condition(&young["status"], "Ready");
    assert_eq!(ready["status"], "True", "{ready:#}");
    let message = ready["message"].as_str().unwrap();
    assert!(message.contains("last looked at with success"), "{message}");
    let old = daemon.until("einstein", "a verdict too old", |status| is_ready(status, "Unknown"));
    assert_eq!(condition(&old["status"], "Ready")["reason"], "Unreadable");
    assert_eq!(condition(&old["status"], "Stalled")["status"], "False", "it may pass by itself");
    assert_eq!(old["status"]["actual"]["engine"], "redis", "what was seen stays visible");
}

#[test]
fn what_aws_and_others_write_cannot_paint_on_the_terminal() {
    let sim = Sim::start("default");
    let hostile = "\u{1b}[31mred\u{1b}[0m\r\nfake: line \u{202e}gpj <script>alert(1)</script>";
    // As JSON it comes as it is; XML has no such characters.
    sim.fault(&json!({
        "operation": "DescribeRecord",
        "fault": {"error": {"code": "Strange", "message": hostile, "status": 400}},
    }));
    let folder = Folder::new(&[
        ("teds/einstein.yaml", STAY),
        ("teds/broken.yaml", "engine: \"\u{1b}[2Jvalkey\"\nversion: '8.0'\n"),
    ]);
    let daemon = Daemon::start(&sim, &folder, &[]).ready();
    daemon.until("einstein", "what AWS wrote", |status| status.to_string().contains("fake: line"));
    assert_eq!(daemon.run(&["freeze", "on", "--reason", hostile]).code, Some(0));
    let mut texts = vec![
        daemon.get("/api/v1/teds").body,
        daemon.get("/api/v1/sources").body,
        daemon.get("/metrics").body,
        daemon.process.lines().join("\n"),
    ];
    for arguments in [
        &["status"][..],
        &["status", "-o", "wide"],
        &["status", "-o", "json"],
        &["status", "-o", "yaml"],
        &["status", "einstein", "-o", "wide"],
        &["reconcile", "\u{1b}[31mnobody"],
    ] {
        let said = daemon.run(arguments);
        texts.push(format!("{}{}", said.stdout, said.stderr));
    }
    for text in &texts {
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
        assert!(!text.contains("\\u001b") && !text.contains("\nfake"), "{text}");
    }
    assert!(!daemon.get("/").body.contains("<script>alert"));
}
