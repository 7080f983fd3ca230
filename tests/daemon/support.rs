//! A simulator, a daemon over it, commands against that, and a client that trusts neither.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything is waited for. A loaded machine is slow; a test that passes never waits that long.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// What the default world is.
pub(crate) const STAY: &str = "engine: redis\nversion: '7.1'\nmode: observe\n";

/// What it is not.
pub(crate) const DIFFER: &str =
    "engine: valkey\nversion: '8.0'\ntedVersion: v1.52.1\nmode: observe\n";

/// Waits until `look` finds something; `None` means not yet.
pub(crate) fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    until_or(look, || what.to_owned())
}

/// The same; `told` says what there was instead.
fn until_or<T>(mut look: impl FnMut() -> Option<T>, told: impl FnOnce() -> String) -> T {
    let end = now() + LIMIT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(now() < end, "not within {LIMIT:?}: {}", told());
        thread::park_timeout(Duration::from_millis(30));
    }
}

/// The moment, for limits.
#[expect(clippy::disallowed_methods, reason = "a test of real processes lives in real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The binary, with nothing of this process's environment.
pub(crate) fn binary(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ted-controller"));
    command.args(arguments).env_clear().env("AWS_EC2_METADATA_DISABLED", "true");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A folder of its own, gone when the test is over.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file in place, as a careless editor does.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }
}

/// A process, ended with the test whatever became of it. What it wrote is kept.
pub(crate) struct Process {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts it and gathers what it writes to `of` (standard error, or output).
    fn start(mut command: Command, of: fn(&mut Child) -> Box<dyn Read + Send>) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (read, kept) = (of(&mut child), Arc::clone(&lines));
        thread::spawn(move || {
            for line in BufReader::new(read).lines().map_while(Result::ok) {
                kept.lock().unwrap().push(line);
            }
        });
        Self { child, lines }
    }

    /// Follows what a command writes to standard output.
    pub(crate) fn following(command: Command) -> Self {
        Self::start(command, |child| Box::new(child.stdout.take().unwrap()))
    }

    /// Follows what a command writes to standard error.
    pub(crate) fn following_errors(command: Command) -> Self {
        Self::start(command, |child| Box::new(child.stderr.take().unwrap()))
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits for a line with this in it.
    pub(crate) fn line(&self, part: &str) -> String {
        until_or(
            || self.lines().into_iter().find(|line| line.contains(part)),
            || format!("a line with `{part}`\n{}", self.lines().join("\n")),
        )
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let child = &mut self.child;
        until("the process ends", || child.try_wait().unwrap()).code()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A simulated AWS.
pub(crate) struct Sim {
    process: Process,
    address: String,
}

impl Sim {
    pub(crate) fn start(scenario: &str) -> Self {
        Self::with(&["--scenario", scenario])
    }

    /// With any flags.
    pub(crate) fn with(arguments: &[&str]) -> Self {
        let mut command = binary(&["sim", "--listen", "127.0.0.1:0"]);
        command.args(arguments);
        let process = Process::following(command);
        let line = process.line("export AWS_ENDPOINT_URL=http://");
        let address = line.rsplit_once("//").unwrap().1.to_owned();
        process.line("export AWS_REGION");
        Self { process, address }
    }

    /// What makes any AWS client use it.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let exports = self.process.lines();
        let exports = exports.iter().filter_map(|line| line.strip_prefix("export "));
        exports
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Lets calls go wrong from now on.
    pub(crate) fn fault(&self, rule: &Value) {
        let answer = ask(&self.address, "POST", "/_sim/faults", &[], &rule.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    pub(crate) fn heal(&self) {
        assert_eq!(ask(&self.address, "DELETE", "/_sim/faults", &[], "").status, 200);
    }

    /// Lets time go this much faster from now on.
    pub(crate) fn speed(&self, speed: u32) {
        let body = format!("{{\"speed\": {speed}}}");
        let answer = ask(&self.address, "POST", "/_sim/clock", &[], &body);
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// The world as the simulator itself sees it.
    pub(crate) fn world(&self) -> Value {
        ask(&self.address, "GET", "/_sim/world", &[], "").json()
    }

    /// Calls of an operation so far, oldest first.
    pub(crate) fn entries(&self, operation: &str) -> Vec<Value> {
        let path = format!("/_sim/log?operation={operation}");
        ask(&self.address, "GET", &path, &[], "").json()["entries"].as_array().unwrap().clone()
    }

    /// How many calls there were so far.
    pub(crate) fn count(&self) -> u64 {
        ask(&self.address, "GET", "/_sim/log", &[], "").json()["next"].as_u64().unwrap()
    }

    /// Time passes.
    pub(crate) fn advance(&self, time: &str) {
        let body = serde_json::json!({"advance": time}).to_string();
        assert_eq!(ask(&self.address, "POST", "/_sim/clock", &[], &body).status, 200);
    }

    /// Calls so far that change something.
    pub(crate) fn writes(&self) -> Vec<String> {
        let answer = ask(&self.address, "GET", "/_sim/log?effect=write", &[], "");
        let log = answer.json();
        let operations = log["entries"].as_array().unwrap().iter();
        let writes = operations.filter(|entry| entry["service"] != "sts");
        writes.map(|entry| entry["operation"].as_str().unwrap().to_owned()).collect()
    }

    /// The binary over this AWS.
    pub(crate) fn binary(&self, arguments: &[&str]) -> Command {
        let mut command = binary(arguments);
        command.envs(self.environment());
        command
    }

    /// `run --once`.
    pub(crate) fn once(&self, folder: &Folder, arguments: &[&str]) -> Said {
        let mut command = self.binary(&["run", "--once"]);
        command.args(arguments).current_dir(folder.0.path());
        Said::of(command.output().unwrap())
    }
}

/// A daemon over a folder.
pub(crate) struct Daemon {
    pub(crate) process: Process,
    pub(crate) address: String,
}

impl Daemon {
    /// Over `teds` in the folder.
    pub(crate) fn start(sim: &Sim, folder: &Folder, arguments: &[&str]) -> Self {
        let mut command = sim.binary(&["run", "--desired", "teds"]);
        command.args(arguments);
        Self::of(command, folder)
    }

    /// Any `run`; it gets a free port.
    pub(crate) fn of(mut command: Command, folder: &Folder) -> Self {
        let listens = command.get_args().any(|argument| argument == "--listen");
        if !listens {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command.current_dir(folder.0.path());
        let process = Process::following_errors(command);
        let line = process.line("listening on http://");
        let rest = line.split_once("listening on http://").unwrap().1;
        let address = rest.split(['"', ' ']).next().unwrap().replace("0.0.0.0", "127.0.0.1");
        Self { process, address }
    }

    /// Waits until every TED had its first look.
    pub(crate) fn ready(self) -> Self {
        until_or(
            || (self.get("/readyz").status == 200).then_some(()),
            || format!("ready: {}\n{}", self.get("/readyz").body, self.process.lines().join("\n")),
        );
        self
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        ask(&self.address, "GET", path, &[], "")
    }

    /// One TED, if it is known.
    pub(crate) fn ted(&self, name: &str) -> Option<Value> {
        let answer = self.get(&format!("/api/v1/teds/{name}"));
        (answer.status == 200).then(|| answer.json())
    }

    /// Waits until a TED's status is as wanted, and gives the TED.
    pub(crate) fn until(&self, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        until_or(
            || self.ted(name).filter(|ted| is(&ted["status"])),
            || format!("{name}: {what}\n{}", self.run(&["status", name, "-o", "wide"]).stdout),
        )
    }

    pub(crate) fn sources(&self) -> Vec<Value> {
        self.get("/api/v1/sources").json()["items"].as_array().unwrap().clone()
    }

    /// A metric without labels.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").body;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }

    /// A client command against it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary(arguments);
        command.env("TED_CONTROLLER_SERVER", format!("http://{}", self.address));
        command
    }

    /// The same, run to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).output().unwrap())
    }

    /// Ends it as an operator does, and waits for that.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.process.signal("-TERM");
        self.process.ended()
    }
}

/// One of the six conditions of a status.
pub(crate) fn condition<'a>(status: &'a Value, kind: &str) -> &'a Value {
    let conditions = status["conditions"].as_array().unwrap();
    conditions.iter().find(|condition| condition["type"] == kind).unwrap()
}

/// Whether Ready is this.
pub(crate) fn is_ready(status: &Value, ready: &str) -> bool {
    condition(status, "Ready")["status"] == ready
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// One request on a connection of its own.
pub(crate) fn ask(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let length = body.len().to_string();
    let mut all = vec![("Connection", "close"), ("Content-Length", length.as_str())];
    if headers.iter().all(|(name, _)| *name != "Host") {
        all.push(("Host", address));
    }
    all.extend(headers);
    write!(stream, "{method} {path} HTTP/1.1\r\n").unwrap();
    for (name, value) in all {
        write!(stream, "{name}: {value}\r\n").unwrap();
    }
    write!(stream, "\r\n{body}").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Answer { status, headers, body: body.to_owned() }
}

/// A command that runs beside the test; its end is waited for.
pub(crate) fn beside(mut command: Command) -> Receiver<Said> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let _ = sender.send(Said::of(command.output().unwrap()));
    });
    receiver
}

/// Whether nobody but the owner may read a file.
#[cfg(unix)]
pub(crate) fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777 == 0o600
}

/// The second that the host is in, as times are written.
#[expect(clippy::disallowed_methods, reason = "the daemon lives in the host's time")]
pub(crate) fn utc_second() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
