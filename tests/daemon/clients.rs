//! `status`, `reconcile` and `freeze` as people and scripts meet them.

use super::support::{DIFFER, Daemon, Folder, Process, STAY, Said, Sim, binary, is_ready, until};
use serde_json::Value;

/// Times differ from run to run; everything else is compared.
fn without_times(text: &str) -> String {
    let pattern = concat!(
        r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d( UTC|Z)?",
        r"|\b\d+[smhd]( \d+[smhd])?\b",
        r"|rec-[a-z0-9]+|sha256:[0-9a-f]+"
    );
    let times = regex_lite::Regex::new(pattern).unwrap();
    let text = times.replace_all(text, "<>").into_owned();
    // What stands behind a time moves with its width.
    regex_lite::Regex::new(" +").unwrap().replace_all(&text, " ").into_owned()
}

#[test]
fn status_is_a_table_a_wide_one_json_and_yaml() {
    let sim = Sim::start("default");
    let nobody = format!("provisionedProduct: ted-nobody\n{STAY}");
    let folder = Folder::new(&[("teds/einstein.yaml", STAY), ("teds/curie.yaml", nobody.as_str())]);
    let daemon = Daemon::start(&sim, &folder, &[]).ready();
    let table = daemon.run(&["status"]);
    let wanted = "\
NAME      READY  PHASE    TED     CACHE        FINDINGS  MESSAGE
curie     False  Blocked  –       –            0         the document's provisioned product is not
                                                         there, or may not be seen: correct its name
                                                         or id
einstein  True   Steady   1.44.0  redis 7.1.0  0         as the document says: TED v1.44.0, redis
                                                         7.1.0
";
    assert_eq!((table.code, table.stderr.as_str()), (Some(0), ""));
    assert_eq!(table.stdout, wanted);

    let mut command = daemon.command(&["status", "-o", "wide"]);
    let wide = Said::of(command.env("COLUMNS", "200").output().unwrap());
    let wide = without_times(&wide.stdout);
    assert!(
        wide.contains(
            "einstein True Steady 1.44.0 redis 7.1.0 0 111122223333 us-east-2 AVAILABLE UPDATE_COMPLETE available available on <> ago in <> <>\n"
        ),
        "{wide}"
    );

    let json = daemon.run(&["status", "-o", "json"]).json();
    assert_eq!(json, daemon.get("/api/v1/teds").json(), "as the API says it");
    let one = daemon.run(&["status", "ted-einstein", "-o", "json"]).json();
    assert_eq!(one, daemon.ted("einstein").unwrap());

    let yaml = daemon.run(&["status", "einstein", "-o", "yaml"]).stdout;
    let read: Value = serde_yaml::from_str(&yaml).unwrap();
    assert_eq!(read, daemon.ted("einstein").unwrap());
}

#[test]
fn one_ted_is_told_whole() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("teds/einstein.yaml", STAY)]);
    let daemon = Daemon::start(&sim, &folder, &[]).ready();
    let said = daemon.run(&["status", "einstein"]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    let told = without_times(&said.stdout);
    for part in [
        "einstein Steady\nted-einstein in 111122223333 us-east-2, looked at <>, by <>\n",
        "\n as the document says: TED v1.44.0, redis 7.1.0\n looked at <> ago, next look in <>\n",
        "cache engine redis – – redis\n",
        "\nCONDITION STATUS FOR REASON MESSAGE\nReady True <> InSync as the document says",
        "\nPast updates\n <> Succeeded <> <>\n",
        "\nWhat happened\n",
    ] {
        assert!(told.contains(part), "{part:?} in {told}");
    }
    assert!(!told.contains('\u{1b}'), "no colour into a pipe");
}

#[test]
fn watching_into_a_pipe_adds_a_line_whenever_something_changes() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("teds/einstein.yaml", STAY)]);
    let daemon = Daemon::start(&sim, &folder, &[]).ready();
    let rows = Process::following(daemon.command(&["status", "--watch"]));
    let json = Process::following(daemon.command(&["status", "einstein", "-w", "-o", "json"]));
    rows.line("einstein  True ");
    json.line("\"name\":\"einstein\"");
    folder.write("teds/einstein.yaml", DIFFER);
    rows.line("einstein  False    Blocked");
    folder.write("teds/curie.yaml", &format!("provisionedProduct: ted-nobody\n{STAY}"));
    rows.line("curie     False ");
    assert_eq!(daemon.run(&["freeze", "on", "--reason", "lunch"]).code, Some(0));
    rows.line("Frozen: lunch.");
    folder.remove("teds/curie.yaml");
    rows.line("curie     its document is gone");
    let lines = rows.lines();
    assert!(lines[0].starts_with("NAME      READY"), "{lines:#?}");
    let titles = lines.iter().filter(|line| line.starts_with("NAME")).count();
    assert_eq!(titles, 1, "{lines:#?}");
    let last: Value = until("each line is a whole document", || {
        let line = json.lines().into_iter().rfind(|line| line.contains("valkey"))?;
        serde_json::from_str(&line).ok()
    });
    assert_eq!(last["metadata"]["name"], "einstein");
    assert!(json.lines().iter().all(|line| !line.contains("curie")), "only what was asked for");
}

#[test]
fn watching_outlives_the_daemon() {
    let sim = Sim::start("default");
    let folder = Folder::new(&[("teds/einstein.yaml", STAY)]);
    let daemon = Daemon::start(&sim, &folder, &[]).ready();
    let address = daemon.address.clone();
    let mut command = daemon.command(&["status", "--watch"]);
    command.stderr(std::process::Stdio::null());
    let rows = Process::following(command);
    rows.line("einstein  True ");
    assert_eq!(daemon.stop(), Some(0));
    folder.write("teds/einstein.yaml", DIFFER);
    let daemon = Daemon::start(&sim, &folder, &["--listen", &address]).ready();
    daemon.until("einstein", "the edit", |status| is_ready(status, "False"));
    rows.line("einstein  False ");
}

#[test]
fn whoever_is_not_there_or_is_somebody_else_is_said_clearly() {
    let sim = Sim::start("default");
    let other = format!("http://{}", sim.address());
    let folder = Folder::new(&[("token", "x\n")]);
    let token = folder.path("token");
    let missing = folder.path("nowhere");
    for (why, arguments, told) in [
        (
            "nobody there",
            &["status", "--server", "http://127.0.0.1:9"][..],
            &[
                "error: no ted-controller answers at http://127.0.0.1:9: ",
                "hint: `ted-controller run` starts one",
            ][..],
        ),
        (
            "somebody else",
            &["status", "--server", &other],
            &["and not as a ted-controller does", "hint: see what listens at"],
        ),
        (
            "somebody else, asked for something",
            &["freeze", "on", "--server", &other, "--token-file", token.to_str().unwrap()],
            &["and not as a ted-controller does"],
        ),
        (
            "over TLS",
            &["status", "--server", "https://ted.example.com"],
            &["plain HTTP", "port-forward"],
        ),
        (
            "no address",
            &["status", "--server", "127.0.0.1:8080"],
            &["write it as `http://127.0.0.1:8080`"],
        ),
        (
            "no token there",
            &["status", "--server", &other, "--token-file", missing.to_str().unwrap()],
            &["error: cannot read the secret in"],
        ),
    ] {
        let said = Said::of(binary(arguments).output().unwrap());
        assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{why}: {said:?}");
        for part in told {
            assert!(said.stderr.contains(part), "{why}: {said:?}");
        }
    }
    for arguments in
        [&["freeze"][..], &["freeze", "maybe"], &["reconcile"], &["status", "-o", "xml"]]
    {
        assert_eq!(Said::of(binary(arguments).output().unwrap()).code, Some(64), "{arguments:?}");
    }
}
