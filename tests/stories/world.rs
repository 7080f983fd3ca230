//! Where a story takes place: a folder, and the simulated AWS if it has begun.

use crate::golden;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A Wednesday at noon, far from every window of the simulated world.
const START: &str = "2026-08-05T12:00:00Z";

/// How many lines the simulator's greeting has, and a look at `AWS_REGION` in the last of them.
const GREETING: usize = 6;

/// What a command printed, and its exit code.
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

/// The place of one story, gone when the story is.
pub(crate) struct World {
    folder: TempDir,
    sim: Option<Running>,
}

/// A running simulator; dropping it ends it, whatever became of the story.
struct Running {
    child: Child,
    /// What makes AWS clients use it.
    variables: Vec<(String, String)>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ted-controller"));
    // Nothing of whoever runs the tests: no profile, no colour, no width, no credentials.
    command.env_clear().env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

impl World {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), sim: None }
    }

    /// Begins a scenario, in which time stands still.
    pub(crate) fn begin(&mut self, name: &str, now: bool, own: &[String]) -> Result<(), String> {
        // Not in the story's folder: it is none of its files.
        let hidden = tempfile::tempdir().map_err(|error| error.to_string())?;
        let file = hidden.path().join("story.yaml");
        let mut text = format!("extends: {name}\n");
        let start = if now { String::new() } else { format!("  start: {START}\n") };
        for line in own {
            text.push_str(line);
            text.push('\n');
            if line == "world:" {
                text.push_str(&start);
            }
        }
        if !now && !own.iter().any(|line| line == "world:") {
            text.push_str("world:\n");
            text.push_str(&start);
        }
        std::fs::write(&file, text).map_err(|error| error.to_string())?;
        let mut child = binary()
            .args(["sim", "--listen", "127.0.0.1:0", "--speed", "0", "--seed", "story"])
            .arg("--scenario")
            .arg(&file)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let greeting = BufReader::new(child.stdout.take().unwrap());
        let variables: Vec<(String, String)> = greeting
            .lines()
            .take(GREETING)
            .map_while(Result::ok)
            .filter_map(|line| {
                let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
                Some((name.to_owned(), value.to_owned()))
            })
            .collect();
        if variables.len() != 4 {
            let _ = child.kill();
            let mut why = String::new();
            let _ = child.stderr.take().unwrap().read_to_string(&mut why);
            let _ = child.wait();
            return Err(format!("the scenario does not begin: {why}"));
        }
        self.sim = Some(Running { child, variables });
        Ok(())
    }

    /// Asks the simulator's control API for something.
    pub(crate) fn ask(&self, what: &str, body: &str) -> Result<(), String> {
        let sim = self.sim.as_ref().ok_or("no scenario has begun")?;
        let (_, address) = &sim.variables[0];
        let address = address.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
        let length = body.len();
        write!(
            stream,
            "POST /_sim/{what} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .map_err(|error| error.to_string())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
        if answer.starts_with("HTTP/1.1 200 ") {
            Ok(())
        } else {
            Err(format!("the simulator refuses {body}: {answer}"))
        }
    }

    pub(crate) fn write(&self, path: &str, lines: &[String]) -> Result<(), String> {
        let path = self.folder.path().join(path);
        let text = lines.join("\n") + "\n";
        std::fs::create_dir_all(path.parent().unwrap())
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Compares a file that was written with one of the repository.
    pub(crate) fn compare(&self, file: &str, other: &str) -> Result<(), String> {
        let read = |path: &std::path::Path| {
            std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let (written, kept) = (read(&self.folder.path().join(file))?, read(&golden::path(other))?);
        if written == kept {
            Ok(())
        } else {
            Err(format!("{file} is not {other}:\n{}", golden::diff(&kept, &written)))
        }
    }

    /// Runs a command line.
    pub(crate) fn run(&self, line: &str) -> Result<Output, String> {
        let mut words = words(line)?.into_iter().peekable();
        let mut command = binary();
        command.current_dir(self.folder.path());
        for (name, value) in self.sim.iter().flat_map(|sim| &sim.variables) {
            command.env(name, value);
        }
        while let Some((name, value)) = words.peek().and_then(|word| assignment(word)) {
            command.env(name, value);
            words.next();
        }
        if words.next().as_deref() != Some("ted-controller") {
            return Err(format!("only `ted-controller` runs here: {line}"));
        }
        let mut into: Option<(String, bool)> = None;
        while let Some(word) = words.next() {
            match word.as_str() {
                ">" | ">>" => {
                    let file = words.next().ok_or_else(|| format!("no file: {line}"))?;
                    into = Some((file, word == ">>"));
                }
                _ => {
                    command.arg(word);
                }
            }
        }
        let output = command.output().map_err(|error| error.to_string())?;
        let text = |bytes| String::from_utf8(bytes).map_err(|error| error.to_string());
        let (mut stdout, stderr) = (text(output.stdout)?, text(output.stderr)?);
        let code = output.status.code().ok_or_else(|| format!("it was killed: {line}"))?;
        if let Some((file, append)) = into {
            let path = self.folder.path().join(file);
            let before = if append {
                std::fs::read_to_string(&path).unwrap_or_default()
            } else {
                String::new()
            };
            std::fs::write(&path, before + &stdout).map_err(|error| error.to_string())?;
            stdout.clear();
        }
        Ok(Output { stdout, stderr, code })
    }
}

/// `NAME=value` before a command.
fn assignment(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    (!name.is_empty() && name.chars().all(is_name)).then(|| (name.to_owned(), value.to_owned()))
}

/// The words of a command line; single and double quotes keep blanks, and nothing is expanded.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(format!("a quote is open: {line}"));
    }
    words.extend(word);
    Ok(words)
}

#[test]
fn command_lines_have_words() {
    assert_eq!(words("A=b run 'a b' \"\" > x").unwrap(), ["A=b", "run", "a b", "", ">", "x"]);
    assert!(words("run 'a").is_err());
    assert_eq!(assignment("A_1=b=c"), Some(("A_1".to_owned(), "b=c".to_owned())));
    assert_eq!(assignment("--a=b"), None);
}
