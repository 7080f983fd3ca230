//! `run --once`: its exit codes, and one clear message for each thing that is wrong.

use super::support::{DIFFER, Folder, STAY, Said, Sim, binary};
use serde_json::json;

const NOBODY: &str = "engine: redis\nversion: '7.1'\nprovisionedProduct: ted-nobody\n";
const ELSEWHERE: &str = "engine: redis\nversion: '7.1'\naccount: '999900001111'\n";
const DIFFERS_TOO: &str = "engine: valkey\nversion: '8.0'\nprovisionedProduct: ted-einstein\nhive: einstein\nmode: observe\n";
const BROKEN: &str = "engine: redis\nversion: nine\n";

/// Files, the exit code, and what the last line says.
type Stand<'a> = (&'a [(&'a str, &'a str)], i32, &'a str);

/// What it is, the environment (nothing means: take it away), arguments, and what is told.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str], &'a [&'a str]);

#[test]
fn the_exit_code_says_how_it_stands_and_the_worst_counts() {
    let sim = Sim::start("default");
    let rows: &[Stand<'_>] = &[
        (&[("teds/einstein.yaml", STAY)], 0, "1 TED: 1 settled"),
        (&[("teds/einstein.yaml", DIFFER)], 2, "1 TED: 1 waits"),
        (&[("teds/einstein.yaml", NOBODY)], 3, "1 TED: 1 needs a person"),
        (&[("teds/einstein.yaml", ELSEWHERE)], 1, "1 TED: 1 could not be looked at"),
        (&[("teds/einstein.yaml", BROKEN)], 1, "no TEDs: 1 source has problems"),
        (
            &[("teds/einstein.yaml", STAY), ("teds/b.yaml", BROKEN)],
            1,
            "1 TED: 1 settled, 1 source has problems",
        ),
        (
            &[("teds/einstein.yaml", NOBODY), ("teds/curie.yaml", DIFFERS_TOO)],
            3,
            "2 TEDs: 1 waits, 1 needs a person",
        ),
        (
            &[
                ("teds/einstein.yaml", STAY),
                ("teds/curie.yaml", NOBODY),
                ("teds/darwin.yaml", ELSEWHERE),
            ],
            1,
            "3 TEDs: 1 settled, 1 needs a person, 1 could not be looked at",
        ),
        (&[("teds/readme.txt", "none")], 0, "no TEDs"),
    ];
    for (files, code, counts) in rows {
        let said = sim.once(&Folder::new(files), &["--desired", "teds"]);
        assert_eq!(said.code, Some(*code), "{files:?}: {said:?}");
        assert!(said.stdout.trim_end().ends_with(counts), "{files:?}: {said:?}");
    }
    assert_eq!(sim.writes(), [""; 0]);
}

#[test]
fn what_is_printed_is_the_table_of_status() {
    let sim = Sim::start("default");
    let said = sim.once(&Folder::new(&[("einstein.yaml", STAY)]), &["--desired", "einstein.yaml"]);
    let wanted = "\
NAME      READY  PHASE   TED     CACHE        FINDINGS  MESSAGE
einstein  True   Steady  1.44.0  redis 7.1.0  0         as the document says: TED v1.44.0, redis
                                                        7.1.0
1 TED: 1 settled
";
    assert_eq!(said.stdout, wanted);
}

#[test]
fn a_wrong_command_line_or_configuration_is_64() {
    let folder = Folder::new(&[("teds/einstein.yaml", STAY), ("bad.yaml", "modus: observe\n")]);
    for (why, arguments, told) in [
        ("nothing is desired", &["run"][..], "error: nothing says what is desired"),
        (
            "no such mode",
            &["run", "--desired", "teds", "--mode", "apply-all"],
            "[possible values: observe, apply]",
        ),
        ("no address", &["run", "--desired", "teds", "--listen", ":8080"], "write `0.0.0.0:8080`"),
        ("no account", &["run", "--desired", "teds", "--account", "1"], "--account"),
        ("no region", &["run", "--desired", "teds", "--region", "Ohio"], "--region"),
        ("no level", &["run", "--desired", "teds", "--log-level", "loud"], "--log-level"),
        (
            "no such file",
            &["run", "--config", "nowhere.yaml"],
            "error: cannot read the settings `nowhere.yaml`",
        ),
        (
            "a slip in it",
            &["run", "--config", "bad.yaml"],
            "error: bad.yaml:1:1: modus: unknown field",
        ),
        ("no command", &["running"], "unrecognized subcommand"),
    ] {
        let mut command = binary(arguments);
        let said = Said::of(command.current_dir(folder.path(".")).output().unwrap());
        assert_eq!((said.code, said.stdout.as_str()), (Some(64), ""), "{why}: {said:?}");
        assert!(said.stderr.contains(told), "{why}: {said:?}");
    }
    let mut command = binary(&["run", "--desired", "teds"]);
    command.env("TED_CONTROLLER_MODE", "maybe").current_dir(folder.path("."));
    let said = Said::of(command.output().unwrap());
    assert_eq!(said.code, Some(64), "{said:?}");
    assert!(said.stderr.contains("`TED_CONTROLLER_MODE`"), "{said:?}");
}

#[test]
fn whatever_is_wrong_with_aws_is_one_clear_message() {
    let sim = Sim::start("default");
    let allow = "allowedRoles: ['arn:aws:iam::444455556666:role/nob*']\n";
    let role = "apiVersion: ted-controller.dev/v1alpha1\nkind: TurbotEnterpriseDatabase\nmetadata: {name: einstein}\n\
                spec: {roleArn: 'arn:aws:iam::444455556666:role/nobody', cache: {engine: redis, version: '7.1'}}\n";
    let folder =
        Folder::new(&[("einstein.yaml", STAY), ("role.yaml", role), ("allow.yaml", allow)]);
    let rows: &[Row<'_>] = &[
        (
            "nobody listens",
            &[("AWS_ENDPOINT_URL", "http://127.0.0.1:9")],
            &["--desired", "einstein.yaml"],
            &["no connection", "check the network, proxy and `AWS_ENDPOINT_URL`"],
        ),
        (
            "no credentials",
            &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")],
            &["--desired", "einstein.yaml"],
            &["no AWS credentials found", "AWS_PROFILE"],
        ),
        (
            "no region",
            &[("AWS_REGION", "")],
            &["--desired", "einstein.yaml"],
            &["no AWS region is set", "`--region`"],
        ),
        (
            "another account",
            &[],
            &["--desired", "einstein.yaml", "--account", "999900001111"],
            &["those of account 111122223333", "not of 999900001111"],
        ),
        (
            "a role that is not allowed",
            &[],
            &["--desired", "role.yaml"],
            &["not on the controller's list of allowed roles", "add the role's ARN"],
        ),
        (
            "a role that trusts somebody else",
            &[],
            &["--desired", "role.yaml", "--config", "allow.yaml"],
            &["444455556666:role/nobody"],
        ),
    ];
    for (why, environment, arguments, told) in rows {
        let mut command = sim.binary(&["run", "--once"]);
        command.args(*arguments).current_dir(folder.path("."));
        for (name, value) in *environment {
            if value.is_empty() {
                command.env_remove(name);
            } else {
                command.env(name, value);
            }
        }
        let said = Said::of(command.output().unwrap());
        assert_eq!(said.code, Some(1), "{why}: {said:?}");
        assert!(said.stdout.ends_with("1 TED: 1 could not be looked at\n"), "{why}: {said:?}");
        let unwrapped = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in *told {
            assert!(unwrapped.contains(part), "{why}: `{part}` in {said:?}");
        }
        let warnings = said.stderr.lines().filter(|line| line.contains("\"WARN\"")).count();
        assert_eq!(warnings, 1, "{why}: one message: {said:?}");
    }
}

#[test]
fn a_source_that_cannot_be_read_is_an_error_with_its_path() {
    let sim = Sim::start("default");
    let said = sim.once(&Folder::new(&[]), &["--desired", "nowhere"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("error: nowhere: cannot read `nowhere`"), "{said:?}");
}

#[test]
fn a_signal_ends_it_too() {
    let sim = Sim::start("default");
    sim.fault(&json!({"fault": "hang"}));
    let folder = Folder::new(&[("einstein.yaml", STAY)]);
    let mut command = sim.binary(&["run", "--once", "--desired", "einstein.yaml"]);
    command.current_dir(folder.path("."));
    let mut process = super::support::Process::following_errors(command);
    process.line("documents read");
    process.signal("-TERM");
    assert_eq!(process.ended(), Some(2), "unfinished");
}
