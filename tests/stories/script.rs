//! A story as it is written: its items in their order, and how it reads once they were done.

use crate::masked;
use crate::world::{Output, World};
use std::fmt::Write as _;

/// The blanks before everything that is done.
const INDENT: &str = "    ";

/// A part of a story.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A line of prose, or a blank one.
    Prose(String),
    /// `@ scenario NAME`, with lines of its own.
    Scenario { name: String, now: bool, lines: Vec<String> },
    /// `@ after 5m`.
    After(String),
    /// `@ do JSON`.
    Happens(String),
    /// `@ file PATH`, with its lines.
    File { path: String, lines: Vec<String> },
    /// `@ same FILE REPOSITORY-FILE`.
    Same { file: String, other: String },
    /// `$ COMMAND`. What it printed before is of no account.
    Command(String),
}

/// A story.
#[derive(Debug)]
pub(crate) struct Script(Vec<Item>);

/// Reads a story.
///
/// # Errors
/// Something in it is nothing that can be done.
pub(crate) fn parse(text: &str) -> Result<Script, String> {
    let mut items: Vec<Item> = Vec::new();
    // Whether lines that are no item are what the last command printed.
    let mut printed = false;
    for (number, line) in text.lines().enumerate() {
        let wrong = |what: &str| format!("line {}: {what}: {line}", number + 1);
        let Some(done) = line.strip_prefix(INDENT) else {
            if line.is_empty() && printed {
                continue;
            }
            if line.starts_with(' ') {
                return Err(wrong("prose stands at the margin, what is done behind four blanks"));
            }
            printed = false;
            items.push(Item::Prose(line.to_owned()));
            continue;
        };
        if let Some(command) = done.strip_prefix("$ ") {
            items.push(Item::Command(command.to_owned()));
            printed = true;
        } else if printed && !done.starts_with("@ ") {
            // It is written anew below its command.
        } else if let Some(own) = done.strip_prefix('|') {
            let own = own.strip_prefix(' ').unwrap_or(own).to_owned();
            match items.last_mut() {
                Some(Item::Scenario { lines, .. } | Item::File { lines, .. }) => lines.push(own),
                _ => return Err(wrong("lines belong to a scenario or to a file")),
            }
        } else {
            let done = done.strip_prefix("@ ").ok_or_else(|| wrong("nothing that can be done"))?;
            let (verb, rest) = done.split_once(' ').ok_or_else(|| wrong("it needs an object"))?;
            let rest = rest.to_owned();
            items.push(match verb {
                "scenario" => {
                    let (name, now) = match rest.strip_suffix(" now") {
                        Some(name) => (name.to_owned(), true),
                        None => (rest, false),
                    };
                    Item::Scenario { name, now, lines: Vec::new() }
                }
                "after" => Item::After(rest),
                "do" => Item::Happens(rest),
                "file" => Item::File { path: rest, lines: Vec::new() },
                "same" => {
                    let (file, other) =
                        rest.split_once(' ').ok_or_else(|| wrong("it needs two files"))?;
                    Item::Same { file: file.to_owned(), other: other.to_owned() }
                }
                _ => return Err(wrong("nothing that can be done")),
            });
            printed = false;
        }
    }
    Ok(Script(items))
}

impl Script {
    /// Does it all, and tells it with what was printed.
    ///
    /// # Errors
    /// Something cannot be done.
    pub(crate) fn tell(&self) -> Result<String, String> {
        let mut world = World::new();
        let mut told = String::new();
        for (place, item) in self.0.iter().enumerate() {
            let mut say = |line: &str| {
                let _ = writeln!(told, "{INDENT}{line}");
            };
            match item {
                Item::Prose(line) => {
                    told.push_str(line);
                    told.push('\n');
                }
                Item::Scenario { name, now, lines } => {
                    say(&format!("@ scenario {name}{}", if *now { " now" } else { "" }));
                    for line in lines {
                        say(&behind("|", line));
                    }
                    world.begin(name, *now, lines)?;
                }
                Item::After(time) => {
                    say(&format!("@ after {time}"));
                    world.ask("clock", &format!("{{\"advance\": \"{time}\"}}"))?;
                }
                Item::Happens(action) => {
                    say(&format!("@ do {action}"));
                    world.ask("actions", action)?;
                }
                Item::File { path, lines } => {
                    say(&format!("@ file {path}"));
                    for line in lines {
                        say(&behind("|", line));
                    }
                    world.write(path, lines)?;
                }
                Item::Same { file, other } => {
                    say(&format!("@ same {file} {other}"));
                    world.compare(file, other)?;
                }
                Item::Command(command) => {
                    say(&format!("$ {command}"));
                    let Output { stdout, stderr, code } = world.run(command)?;
                    let stdout = masked(&stdout);
                    let ambiguous = |line: &&str| line.starts_with("! ") || line.starts_with('[');
                    if let Some(line) = stdout.lines().find(ambiguous) {
                        let json = stdout.trim_start().starts_with(['{', '[']);
                        if !json {
                            return Err(format!(
                                "{command}: prints what cannot be told apart: {line}"
                            ));
                        }
                    }
                    for line in stdout.trim_end().lines() {
                        if line.is_empty() {
                            told.push('\n');
                        } else {
                            let _ = writeln!(told, "{INDENT}{line}");
                        }
                    }
                    for line in masked(&stderr).trim_end().lines() {
                        let _ = writeln!(told, "{INDENT}{}", behind("!", line));
                    }
                    if code != 0 {
                        let _ = writeln!(told, "{INDENT}[{code}]");
                    }
                    if place + 1 < self.0.len() {
                        told.push('\n');
                    }
                }
            }
        }
        Ok(told)
    }
}

/// A line behind its sign; an empty one is the sign alone.
fn behind(sign: &str, line: &str) -> String {
    if line.is_empty() { sign.to_owned() } else { format!("{sign} {line}") }
}

#[test]
fn a_story_reads_back_what_was_written() {
    let text = "\
# Title

    @ scenario default now
    | speed: 2
    @ file a/b.yaml
    | engine: redis
    |
    | x: y
    $ ted-controller plan a/b.yaml
    old output

      more of it
    ! old error
    [1]

    @ after 5m
    $ ted-controller plan

Prose.
";
    let Script(items) = parse(text).unwrap();
    let line = |line: &str| line.to_owned();
    assert_eq!(
        items,
        [
            Item::Prose(line("# Title")),
            Item::Prose(line("")),
            Item::Scenario { name: line("default"), now: true, lines: vec![line("speed: 2")] },
            Item::File {
                path: line("a/b.yaml"),
                lines: vec![line("engine: redis"), line(""), line("x: y")]
            },
            Item::Command(line("ted-controller plan a/b.yaml")),
            Item::After(line("5m")),
            Item::Command(line("ted-controller plan")),
            Item::Prose(line("Prose.")),
        ]
    );
    for (text, wanted) in [
        ("    @ dance\n", "line 1: it needs an object"),
        ("    @ dance now\n", "line 1: nothing that can be done"),
        ("    | x\n", "line 1: lines belong to"),
        ("  x\n", "line 1: prose stands at the margin"),
    ] {
        assert!(parse(text).unwrap_err().starts_with(wanted), "{text}");
    }
}
