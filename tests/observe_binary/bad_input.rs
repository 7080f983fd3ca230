//! What is wrong before anything can be looked at: one clear message, what to do, and the right exit code.

use crate::harness::{Run, STAY, World};
use std::net::TcpListener;

/// The message of a run that failed: one error, and a hint.
fn complaint(run: &Run) -> (&str, &str) {
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    let mut lines = run.stderr.lines();
    let error = lines.next().and_then(|line| line.strip_prefix("error: "));
    let hint = lines.next().and_then(|line| line.strip_prefix("hint: "));
    assert_eq!(lines.next(), None, "one error and one hint: {}", run.stderr);
    (error.unwrap(), hint.unwrap())
}

/// An address at which nobody listens.
fn nowhere() -> String {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    format!("http://127.0.0.1:{port}")
}

/// What is wrong, the document, the environment, what is told, what is advised.
type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);

#[test]
fn surroundings_that_are_wrong_are_said_in_one_message() {
    let world = World::named("default");
    let nowhere = nowhere();
    let no_region = STAY.replace("  region: us-east-2\n", "");
    let other_account = STAY.replace("111122223333", "999988887777");
    let rows: [Row<'_>; 5] = [
        ("no region", &no_region, &[("AWS_REGION", "")], "no AWS region is set", "`--region`"),
        (
            "no credentials",
            STAY,
            &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")],
            "no AWS credentials found",
            "AWS_PROFILE",
        ),
        (
            "another account",
            &other_account,
            &[],
            "the credentials are those of account 111122223333 (`arn:aws:iam::111122223333:user/controller`), not of 999988887777",
            "credentials of the right account",
        ),
        (
            "nobody there",
            STAY,
            &[("AWS_ENDPOINT_URL", &nowhere)],
            "no connection",
            "`AWS_ENDPOINT_URL`",
        ),
        (
            "no address at all",
            STAY,
            &[("AWS_ENDPOINT_URL", "nonsense")],
            "cannot find out whose credentials these are",
            "`AWS_ENDPOINT_URL`",
        ),
    ];
    for (why, document, environment, told, hint) in rows {
        world.write("einstein.yaml", document);
        for command in [&["plan", "einstein.yaml"][..], &["plan", "ted-einstein"], &["adopt"]] {
            // Without a document nothing says which account it has to be.
            if why == "another account" && command.len() == 1 || command[1..] == ["ted-einstein"] {
                let account = ["--account", "999988887777"];
                let with_account: Vec<&str> = command.iter().chain(&account).copied().collect();
                if why == "another account" {
                    let run = world.run_with(&with_account, environment);
                    assert!(complaint(&run).0.contains(told), "{why}, {command:?}: {run:?}");
                    continue;
                }
            }
            let run = world.run_with(command, environment);
            let (message, advice) = complaint(&run);
            assert!(message.contains(told), "{why}, {command:?}: {message}");
            assert!(advice.contains(hint), "{why}, {command:?}: {advice}");
        }
        let doctor = world.run_with(&["doctor", "einstein.yaml"], environment);
        assert_eq!((doctor.code, doctor.stderr.as_str()), (1, ""), "{why}");
        // Lines are broken where the terminal ends.
        let flat = doctor.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(told) && doctor.stdout.contains("→ "), "{why}: {doctor:?}");
    }
}

#[test]
fn credentials_that_are_over_or_unknown_are_told_apart() {
    let world = World::named("default");
    world.write("einstein.yaml", STAY);
    world.act("options: {strictCredentials: true}");
    let unknown =
        world.run_with(&["plan", "einstein.yaml"], &[("AWS_ACCESS_KEY_ID", "AKIASTRANGER")]);
    let (message, hint) = complaint(&unknown);
    assert!(message.contains("credentials were refused"), "{message}");
    assert!(hint.contains("aws sts get-caller-identity"), "{hint}");
    world.act("credentials-expire: {}");
    for command in [&["plan", "einstein.yaml"][..], &["plan", "ted-einstein"], &["adopt"]] {
        let over = world.run(command);
        let (message, hint) = complaint(&over);
        assert!(message.contains("credentials have expired"), "{message}");
        assert!(hint.contains("aws sso login"), "{hint}");
    }
    let doctor = world.run(&["doctor"]);
    assert!(doctor.code == 1 && doctor.stdout.contains("credentials have expired"), "{doctor:?}");
}

#[test]
fn a_role_is_taken_only_if_the_operator_allows_it_and_aws_too() {
    let world = World::named("fleet");
    // A TED in another account.
    let document = STAY
        .replace("111122223333", "444455556666")
        .replace("einstein", "hive20")
        .replace("spec:\n", "spec:\n  roleArn: arn:aws:iam::444455556666:role/turbot-operator\n");
    world.write("other.yaml", &document);
    let refused = world.run(&["plan", "other.yaml"]);
    let (message, hint) = complaint(&refused);
    assert!(message.contains("is not on the controller's list of allowed roles"), "{message}");
    assert!(hint.contains("`--allow-role`"), "{hint}");
    let called = world.calls().len();
    assert_eq!(called, 0, "a role that is not allowed is not even asked for");

    let allow = ["--allow-role", "arn:aws:iam::444455556666:role/turbot-*"];
    let plan = |arguments: &[&str]| world.run(&[&["plan", "other.yaml"], arguments].concat());
    // The observe policy does not let one assume roles: that is for the role's own account to say.
    let (denied, told) = (plan(&allow), "cannot find out whose credentials these are");
    let (message, hint) = complaint(&denied);
    assert!(message.contains(told) && message.contains("sts:AssumeRole"), "{message}");
    assert!(hint.contains("trust policy"), "{hint}");

    let statement = serde_json::json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": ["arn:aws:iam::444455556666:role/turbot-operator"]}
    ]});
    world.attach("assume", &statement);
    let looked = plan(&allow);
    assert_eq!((looked.code, looked.stderr.as_str()), (0, ""), "{looked:?}");
    assert!(looked.stdout.contains("ted-hive20 in 444455556666 us-east-2"), "{}", looked.stdout);

    let any = "arn:aws:iam::444455556666:role/*";
    let wrong = world.run(&["plan", "other.yaml", "--allow-role", any]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.stderr.contains("name the role at least in part"), "{wrong:?}");
}

#[test]
fn what_is_not_there_is_said_and_keeps_the_others_from_nothing() {
    let world = World::named("default");
    for (word, told) in [
        ("ted-nobody", "there is no provisioned product `ted-nobody` in us-east-2"),
        ("pp-nobody", "there is no provisioned product `pp-nobody` in us-east-2"),
        ("nowhere.yaml", "cannot read `nowhere.yaml`"),
    ] {
        let run = world.run(&["plan", word]);
        assert!(complaint(&run).0.contains(told), "{run:?}");
    }
    let both = world.run(&["plan", "ted-nobody", "ted-einstein", "-o", "json"]);
    assert_eq!(both.code, 1);
    assert_eq!(both.plans().len(), 1, "the other one is planned all the same");
    assert!(both.stderr.starts_with("error: ted-nobody: there is no"), "{}", both.stderr);
    let usage = world.run(&["plan", "--output", "xml"]);
    assert_eq!(usage.code, 64);
}
