//! Does the map of the code hold? Reads the source, so that nobody has to remember the table.
//!
//! A module may grow into new ones; what it may *use* changes only here, with a reason a reviewer can see.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What a module may use from this crate. A row `module::part` allows that part only. Everybody may use `text`.
///
/// `cli` uses `aws::policy`, which is pure, to print policies; it never sees an AWS answer.
const MAY_USE: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("clock", &[]),
    // The one client for servers other than AWS: git's and those of receivers.
    ("https", &[]),
    ("denial", &[]),
    ("desired", &[]),
    ("settings", &["desired"]),
    ("telemetry", &["settings"]),
    ("assess", &["denial", "desired", "observe::observation", "observe::story"]),
    ("source", &["desired", "clock", "https", "settings"]),
    // Tells what the store says, and asks nobody else: it has no way to act, to look, or to hold up a pass.
    ("notify", &["assess::types", "clock", "desired", "https", "report", "settings"]),
    ("aws", &["settings", "clock", "denial"]),
    ("observe", &["aws", "desired", "clock", "settings"]),
    ("act", &["aws", "desired", "clock", "assess::holds", "assess::types"]),
    ("report", &["desired", "assess", "observe::observation", "clock"]),
    ("redact", &["observe::observation"]),
    (
        "support",
        &[
            "assess",
            "desired",
            "observe::dossier",
            "observe::observation",
            "observe::story",
            "redact",
            "report",
        ],
    ),
    ("web", &["desired", "assess", "report", "clock", "settings::Secret"]),
    (
        "controller",
        &[
            "act",
            "assess",
            "aws",
            "clock",
            "desired",
            "observe",
            "report",
            "settings",
            "source",
            "telemetry",
        ],
    ),
    (
        "cli",
        &[
            "act",
            "assess",
            "aws::policy",
            "clock",
            "controller",
            "demo",
            "desired",
            "notify",
            "observe",
            "redact",
            "report",
            "settings",
            "source",
            "support",
            "telemetry",
            "web",
        ],
    ),
    (
        "demo",
        &[
            "act",
            "assess",
            "aws",
            "cli",
            "clock",
            "controller",
            "desired",
            "observe",
            "report",
            "settings",
            "source",
            "telemetry",
            "web",
        ],
    ),
    ("lib", &[]),
    ("main", &["cli"]),
];

/// Crates that one place only may name, and that place.
const KEPT_BEHIND: &[(&str, &str)] = &[
    ("aws_sdk_", "aws"),
    ("aws_config", "aws"),
    ("aws_smithy_", "aws"),
    ("aws_credential_types", "aws"),
    ("aws_types", "aws"),
    ("serde_yaml", "desired/parse"),
    ("use backoff::", "controller/backoff"),
    ("gix", "source"),
    ("hyper_rustls", "https"),
    ("ted_sim", "cli/sim,demo"),
    ("flate2", "support/archive"),
];

/// Crates that pure modules must not touch: no IO, no clock, no randomness.
const IMPURE: &[&str] =
    &["tokio", "std::fs", "std::net", "std::env", "std::process", "rand", "notify", "hyper"];

/// Modules that decide and touch nothing.
const PURE: &[&str] = &[
    "text",
    "desired",
    "assess",
    "observe/observation",
    "aws/policy",
    "aws/table",
    "denial",
    "observe/story",
    "observe/dossier",
    "redact",
    "support",
];

struct Source {
    /// Path below `src/` without `.rs`, with `/`.
    path: String,
    /// The text without comments and without its tests.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    files.sort();
    assert!(!files.is_empty());
    files
        .into_iter()
        .map(|file| {
            let path = file
                .strip_prefix(&root)
                .expect("it was found there")
                .with_extension("")
                .to_string_lossy()
                .replace('\\', "/");
            Source { code: code_of(&fs::read_to_string(&file).expect("sources can be read")), path }
        })
        // A file of tests may look at anything.
        .filter(|source| !source.path.split('/').any(|part| part == "tests"))
        .collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("sources can be listed") {
        let path = entry.expect("sources can be listed").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Without comments, and without the test module, which comes last by convention.
fn code_of(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Is `path` the place `place`, or below it?
fn is_within(path: &str, place: &str) -> bool {
    place.split(',').any(|place| {
        path == place || path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'))
    })
}

/// What follows `crate::`: `aws::errors::Kind` gives `aws::errors::Kind`; a list in braces gives each of its entries.
fn uses(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate::` of a macro and `ted_crate::` are something else.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 1;
            let end = list.char_indices().find(|(_, c)| {
                depth += match c {
                    '{' => 1,
                    '}' => -1,
                    _ => 0,
                };
                depth == 0
            });
            let list = &list[..end.map_or(list.len(), |(at, _)| at)];
            let mut depth = 0;
            let entries = list.split(|c| {
                depth += match c {
                    '{' => 1,
                    '}' => -1,
                    _ => 0,
                };
                c == ',' && depth == 0
            });
            found
                .extend(entries.map(|entry| path_at(entry.trim())).filter(|path| !path.is_empty()));
        } else {
            found.push(path_at(rest));
        }
    }
    found
}

fn path_at(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect()
}

#[test]
fn modules_use_only_what_the_table_allows() {
    let table: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in sources() {
        let module = source.path.split('/').next().unwrap();
        let Some(allowed) = table.get(module) else {
            wrong.push(format!("src/{}.rs: module `{module}` is not in the table", source.path));
            continue;
        };
        for used in uses(&source.code) {
            let first = used.split("::").next().unwrap();
            let fits = first == module
                || first == "text"
                || !table.contains_key(first)
                || allowed
                    .iter()
                    .any(|allowed| used == *allowed || used.starts_with(&format!("{allowed}::")));
            if !fits {
                wrong.push(format!("src/{}.rs uses `crate::{used}`", source.path));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "the table in tests/layering.rs does not allow:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn some_crates_are_kept_in_one_place() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (name, place) in KEPT_BEHIND {
            let names_it = source.code.match_indices(name).any(|(at, _)| {
                !source.code[..at]
                    .ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '/' || c == '"')
            });
            if names_it && !is_within(&source.path, place) {
                wrong.push(format!(
                    "src/{}.rs names `{name}`, which belongs in src/{place}",
                    source.path
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_modules_touch_nothing() {
    let mut wrong = Vec::new();
    for source in
        sources().iter().filter(|source| PURE.iter().any(|place| is_within(&source.path, place)))
    {
        for name in IMPURE {
            let names_it = source.code.match_indices(&format!("{name}::")).any(|(at, _)| {
                !source.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
            });
            if names_it {
                wrong.push(format!("src/{}.rs is pure and names `{name}`", source.path));
            }
        }
        if source.code.contains("async fn") {
            wrong.push(format!("src/{}.rs is pure and waits", source.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_act_names_the_writer() {
    for source in sources() {
        let names_it = uses(&source.code)
            .iter()
            .any(|used| used.starts_with("aws::") && used.ends_with("Writer"))
            || source.code.contains(".writer()");
        let may = ["aws", "act", "controller"].iter().any(|place| is_within(&source.path, place));
        assert!(may || !names_it, "src/{}.rs gets at the writer", source.path);
    }
}

#[test]
fn the_reading_of_uses_sees_what_it_should() {
    let code = code_of(
        "use crate::aws::{errors::Error, Reader};\nuse crate::{clock, desired::{Name, Mode}, text::sanitize};\n\
         let x = crate::act::perform(); // crate::comment::not\nfn y() -> $crate::z\n#[cfg(test)]\nmod tests {\nuse crate::web;\n}",
    );
    assert_eq!(uses(&code), ["aws::", "clock", "desired::", "text::sanitize", "act::perform", "z"]);
    assert!(
        is_within("aws/errors/denial", "aws")
            && is_within("aws", "aws")
            && !is_within("awso", "aws")
    );
    assert!(is_within("demo/x", "cli/sim,demo") && !is_within("cli/run", "cli/sim,demo"));
}
