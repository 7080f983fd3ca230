//! `ted-controller demo` as people meet it: the built binary, without a terminal.

#![cfg(feature = "demo")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that cannot do its work fails its test"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A demo at this speed takes a quarter of a minute, most of which is time that it leaves people to read.
const FAST: &str = "600";

/// How long the next line may take, however busy the machine is.
const LIMIT: Duration = Duration::from_mins(4);

fn demo(arguments: &[&str], temporary: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ted-controller"));
    command.arg("demo").args(arguments).env("TMPDIR", temporary);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> (Output, usize) {
    let temporary = tempfile::tempdir().unwrap();
    let output = demo(arguments, temporary.path()).output().unwrap();
    (output, left_in(temporary.path()))
}

fn left_in(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether these stand in `text`, in this order; else the first that does not.
fn missing<'a>(text: &str, in_order: &[&'a str]) -> Option<&'a str> {
    let mut rest = text;
    for part in in_order {
        let Some(at) = rest.find(part) else { return Some(part) };
        rest = &rest[at + part.len()..];
    }
    None
}

/// What the story tells, in order.
const STORY: &[&str] = &[
    "1  What is there",
    "v1.44.0, AVAILABLE",
    "redis 7.1.0 on 2 nodes",
    "2  Two lines say what should be",
    "+ engine: valkey",
    "+ version: \"8.0\"",
    "by gate `valkey-supported`",
    "→ add `tedVersion: v1.52.1`",
    "and none that changes anything",
    "3  The line it asks for",
    "+ tedVersion: v1.52.1",
    "by gate `one-way`",
    "and none that changes anything",
    "4  The approval",
    "+ approve: [redis-to-valkey]",
    "gates hold; the plan:",
    "5  The daemon carries it out",
    "Hold ",
    "Disable ",
    "Update ",
    "(record rec-",
    "Release ",
    "Enable ",
    "worked off",
    "✓ Ready",
    "6  Somebody changes the cache by hand",
    "drift/cache-version",
    "8.1.0 instead of 8.0",
    "→ ",
    "sync/cache-version",
    "What was seen",
    "one update, rec-",
    "no worker ran from",
    "AWS calls",
];

#[test]
fn the_story_is_told_to_its_end_in_plain_lines_and_leaves_nothing() {
    let (output, left) = run(&["--speed", FAST]);
    let (told, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{told}\n{errors}");
    assert_eq!((errors.as_str(), left), ("", 0), "{told}");
    assert_eq!(missing(&told, STORY), None, "{told}");
    // The stacks are told one by one where there is no terminal to draw them on.
    let stacks = ["▸ CacheStack", "cache valkey 8.0", "✓ CacheStack"];
    assert!(stacks.iter().any(|stack| told.contains(stack)), "{told}");
    assert!(!told.contains('\u{1b}'), "no escape sequences: {told}");
    assert!(told.lines().all(|line| line.chars().count() <= 100), "{told}");
}

#[test]
fn wrong_usage_is_64_and_what_cannot_be_started_is_1() {
    for (why, arguments, code, hint) in [
        ("standing still", &["--speed", "0"][..], 64, "it is from 1 to 600"),
        ("too fast", &["--speed", "601"], 64, "it is from 1 to 600"),
        ("no such scenario", &["--scenario", "storage-autoscale"], 1, "storage-autoscaled"),
        ("no such file", &["--scenario", "/nowhere/x.yaml"], 1, "cannot read scenario file"),
    ] {
        let (output, left) = run(arguments);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{why}: {errors}");
        assert!(errors.contains(hint) && left == 0, "{why}: {errors}");
    }
    let nowhere = demo(&[], Path::new("/nowhere/at/all")).output().unwrap();
    let errors = text(&nowhere.stderr);
    assert_eq!(nowhere.status.code(), Some(1), "{errors}");
    assert!(
        errors.starts_with("error: cannot write to a folder for temporary files: "),
        "{errors}"
    );
}

#[test]
fn a_scenario_that_needs_a_person_says_what_for_and_ends_with_3() {
    let (output, left) = run(&["--scenario", "no-launch-role", "--speed", FAST]);
    let (told, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!((output.status.code(), left), (Some(3), 0), "{told}\n{errors}");
    let wanted = [
        "Scenario `no-launch-role`",
        "What should be",
        "+ tedVersion: v1.52.1",
        "What the daemon does",
        "How it ended",
        "einstein  ✗ needs a person",
        "`launch-role`",
        "→ ",
        "0 that change",
    ];
    assert_eq!(missing(&told, &wanted), None, "{told}");
}

#[test]
fn what_time_heals_is_waited_for_by_moving_the_clock() {
    let (output, left) = run(&["--scenario", "storage-autoscaled", "--speed", FAST]);
    let (told, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!((output.status.code(), left), (Some(0), 0), "{told}\n{errors}");
    let wanted = [
        "sync/storage",
        "nothing happens before 16:00: AWS's clock is moved there",
        "Hold ",
        "Update ",
        "AllocatedStorage = 240",
        "Enable ",
        "einstein  ✓ as wanted",
        "1×UpdateProvisionedProduct",
    ];
    assert_eq!(missing(&told, &wanted), None, "{told}");
}

/// A demo under way; dropping it ends it, whatever became of the test.
struct Running {
    child: Child,
    lines: Receiver<String>,
    told: String,
}

impl Running {
    fn start(arguments: &[&str], temporary: &Path) -> Self {
        let mut child = demo(arguments, temporary).spawn().unwrap();
        let out = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                if line.is_err() || sender.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, told: String::new() }
    }

    /// Reads on until a line has this in it.
    fn until(&mut self, wanted: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(LIMIT);
            let line = line.unwrap_or_else(|_| panic!("no `{wanted}` in:\n{}", self.told));
            self.told.push_str(&line);
            self.told.push('\n');
            if line.contains(wanted) {
                return line;
            }
        }
    }

    fn interrupt(&mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_at_any_time_and_leaves_nothing() {
    for at in ["1  What is there", "4  The approval", "(record rec-"] {
        let temporary = tempfile::tempdir().unwrap();
        let mut demo = Running::start(&[], temporary.path());
        demo.until(at);
        assert_eq!(left_in(temporary.path()), 1, "{at}: its own folder");
        assert_eq!(demo.interrupt(), Some(130), "{at}: {}", demo.told);
        assert_eq!(left_in(temporary.path()), 0, "{at}: nothing is left");
    }
}

#[cfg(unix)]
#[test]
fn with_keep_everything_goes_on_and_documents_can_be_edited() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = Running::start(&["--keep", "--speed", FAST], temporary.path());
    demo.until("It goes on until Ctrl-C");
    let documents = demo.until("documents ");
    let folder = documents.split_whitespace().nth(1).unwrap().trim_end_matches(':').to_owned();
    let exports = demo.until("export AWS_ENDPOINT_URL=http://");
    let address = exports.split("http://").nth(1).unwrap().split_whitespace().next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /_sim/world HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"engine\":\"valkey\""), "{answer}");

    // What the finding of the last act says: the document takes over what the cache has.
    let document = Path::new(&folder).join("einstein.yaml");
    let text = std::fs::read_to_string(&document).unwrap();
    std::fs::write(&document, text.replace("\"8.0\"", "\"8.1\"")).unwrap();
    demo.until("drift/cache-version: no longer found");
    assert_eq!(demo.interrupt(), Some(130), "{}", demo.told);
    assert_eq!(left_in(temporary.path()), 0, "nothing is left");
}
