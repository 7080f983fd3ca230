//! Stories: what somebody types and reads, from the built binary, against the simulated AWS.
//!
//! Each `tests/scripts/NAME.md` is one story. What stands at the margin is prose. What is indented by four blanks is done:
//!
//! ```text
//!     @ scenario storage-autoscaled     a fresh simulated AWS; lines that begin with `|` are a scenario of one's own on top of it
//!     @ scenario default now            the same, at the host's time and not at noon of Wednesday, 2026-08-05 (UTC)
//!     @ after 7h                        virtual time, which else stands still
//!     @ do {"cache-delete": {}}         something happens in AWS: an action of the simulator's control API
//!     @ file teds/einstein.yaml         a file, whose lines follow, each behind `| `
//!     @ same a.json config/a.json       a file that was written is one of the repository's
//!     $ ted-controller plan teds        runs in a folder of its own; `NAME=value` before it, `> FILE` and `>> FILE` behind it work
//!     …                                 what it printed: standard output as it is,
//!     ! error: …                        then standard error, each line behind `! `,
//!     [2]                               then the exit code, unless it is 0
//! ```
//!
//! Everything is compared, but for blank lines at the end of an output. World, seed and time are the same in every run, so only what is
//! in [`MASKS`] differs and is masked. `UPDATE_GOLDEN=1 cargo test --test stories` writes what was printed into the scripts;
//! read the difference before you commit it. `STORY=migration` runs the stories whose names contain that word.

#![cfg(feature = "demo")]
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its work fails its test")]

#[path = "../support/golden.rs"]
mod golden;
mod script;
mod world;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What differs from run to run, as pattern and replacement, and why.
const MASKS: &[(&str, &str, &str)] = &[
    (r"127\.0\.0\.1:[0-9]+", "127.0.0.1:PORT", "the simulator takes a free port"),
    (r"-?[0-9]+ s (off|of) AWS's", "N s $1 AWS's", "how far the host's clock is from the world's"),
    (
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "UUID",
        "requests sent side by side get their ids in any order",
    ),
];

fn scripts() -> Vec<PathBuf> {
    let mut scripts: Vec<PathBuf> = std::fs::read_dir(golden::path("tests/scripts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    scripts.sort();
    scripts
}

#[test]
fn every_story_goes_as_it_is_told() {
    let only = std::env::var("STORY").unwrap_or_default();
    let named = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().contains(&only);
    let scripts: Vec<PathBuf> = scripts().into_iter().filter(named).collect();
    assert!(!scripts.is_empty(), "there are stories");
    let next = Mutex::new(scripts.iter());
    let wrong = Mutex::new(Vec::new());
    // Each story waits for processes most of the time, and shares nothing with the others.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(path) = next.lock().unwrap().next() else { break };
                    if let Err(why) = told_again(path) {
                        wrong.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    assert!(
        wrong.is_empty(),
        "{} of {} stories go otherwise:\n\n{}",
        wrong.len(),
        scripts.len(),
        wrong.join("\n")
    );
}

/// Does everything that a script says, and compares the script with what came of it.
fn told_again(path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).unwrap();
    let script = script::parse(&text).map_err(|why| format!("{}: {why}", path.display()))?;
    let told = script.tell().map_err(|why| format!("{}: {why}", path.display()))?;
    golden::difference(path, &told).map_or(Ok(()), Err)
}

/// The text without what differs from run to run.
fn masked(text: &str) -> String {
    let mut masked = text.to_owned();
    for (pattern, replacement, _) in MASKS {
        let pattern = regex_lite::Regex::new(pattern).unwrap();
        masked = pattern.replace_all(&masked, *replacement).into_owned();
    }
    masked
}
