//! `ted-controller sim` as people meet it: the real binary, its output and its exit codes.

#![cfg(feature = "demo")]
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its work fails its test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ted-controller"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn wrong_usage_is_64_and_anything_else_that_fails_is_1() {
    for (why, arguments, code, told) in [
        ("no command", vec![], 64, "Usage: ted-controller"),
        ("unknown command", vec!["simm"], 64, "error: unrecognized subcommand 'simm'"),
        ("unknown flag", vec!["sim", "--bogus"], 64, "error: unexpected argument '--bogus' found"),
        (
            "no address",
            vec!["sim", "--listen", "here"],
            64,
            "error: invalid value 'here' for '--listen <ADDR>'",
        ),
        (
            "backwards",
            vec!["sim", "--speed=-1"],
            64,
            "error: invalid value '-1' for '--speed <N>': it is 0 or more",
        ),
        (
            "unknown scenario",
            vec!["sim", "--scenario", "fleat"],
            1,
            "error: cannot load the scenario: there is no scenario `fleat`\nhint: did you mean `fleet`?\n",
        ),
        (
            "no file",
            vec!["sim", "--scenario", "/nowhere/x.yaml"],
            1,
            "error: cannot load the scenario: cannot read scenario file `/nowhere/x.yaml`: No such file or directory (os error 2)\n",
        ),
        (
            "not loopback",
            vec!["sim", "--listen", "0.0.0.0:0"],
            1,
            "hint: `--listen-beyond-loopback` allows it\n",
        ),
        ("help", vec!["sim", "--help"], 0, ""),
        ("version", vec!["--version"], 0, ""),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(code), "{why}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(told), "{why}: {}", text(&output.stderr));
    }
}

#[test]
fn a_bad_scenario_file_is_told_with_its_place() {
    let path = std::env::temp_dir().join(format!("ted-controller-{}.yaml", std::process::id()));
    std::fs::write(&path, "summary: mine\nfaults:\n  - fault: throtle\n").unwrap();
    let output = run(&["sim", "--scenario", path.to_str().unwrap()]);
    std::fs::remove_file(&path).unwrap();
    let expected = format!(
        "error: cannot load the scenario: {}:3:12: faults[0].fault: unknown variant `throtle`\nhint: did you mean `throttle`?\n",
        path.display()
    );
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), expected));
}

#[test]
fn scenarios_are_listed_with_what_they_show() {
    let output = run(&["sim", "--list"]);
    let listed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0));
    assert!(listed.starts_with("default "), "{listed}");
    assert!(
        listed.lines().count() >= 20
            && listed
                .lines()
                .all(|line| line.split("  ").filter(|part| !part.is_empty()).count() >= 2),
        "{listed}"
    );
}

/// A running simulator; dropping it ends it, whatever became of the test.
struct Running {
    child: Child,
    greeting: Vec<String>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let greeting = lines.by_ref().take(6).map(Result::unwrap).collect();
        Self { child, greeting }
    }

    fn address(&self) -> &str {
        self.greeting
            .iter()
            .find_map(|line| line.strip_prefix("export AWS_ENDPOINT_URL=http://"))
            .unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_says_where_it_listens_serves_and_stops_at_the_first_signal() {
    let mut running =
        Running::start(&["sim", "--listen", "127.0.0.1:0", "--scenario", "fleet", "--speed", "60"]);
    let address = running.address().to_owned();
    assert!(running.greeting[0].starts_with("# scenario `fleet`: "), "{:?}", running.greeting);
    assert!(
        running.greeting[1].ends_with(&format!(
            "at 60 virtual seconds a second; control API at http://{address}/_sim/"
        )),
        "{:?}",
        running.greeting
    );
    assert_eq!(
        running.greeting[3..],
        [
            "export AWS_ACCESS_KEY_ID=111122223333",
            "export AWS_SECRET_ACCESS_KEY=simulated",
            "export AWS_REGION=us-east-2"
        ]
    );

    let mut stream = TcpStream::connect(&address).unwrap();
    write!(stream, "GET /_sim/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.contains(r#""scenario":"fleet""#),
        "{answer}"
    );

    let signalled =
        Command::new("kill").args(["-TERM", &running.child.id().to_string()]).status().unwrap();
    assert!(signalled.success());
    assert_eq!(running.child.wait().unwrap().code(), Some(0), "nothing was in progress");
}
