//! Golden documents: what people read when a document is wrong, and what a right one says in full.
//!
//! Each `tests/documents/NAME.yaml` stands beside `NAME.err` (every problem and note, as `validate` prints them) or
//! `NAME.out` (the documents in full form, with the notes as comments). `UPDATE_GOLDEN=1 cargo test --test documents`
//! writes them anew; read the difference before committing it.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail like the test")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use ted_controller::desired::{Defaults, File, load};

#[test]
fn every_golden_document_says_what_is_written_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    assert!(paths.len() >= 20, "the goldens are there");
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut different = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        let (text, extension) = rendered(name, &fs::read(&path).unwrap());
        let golden = path.with_extension(extension);
        let other = path.with_extension(if extension == "err" { "out" } else { "err" });
        if update {
            fs::write(&golden, &text).unwrap();
            let _ = fs::remove_file(&other);
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if expected != text || other.exists() {
            different
                .push(format!("{}\n--- expected\n{expected}--- got\n{text}", golden.display()));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// What a document gives, and whether that is an error.
fn rendered(name: &str, bytes: &[u8]) -> (String, &'static str) {
    let defaults = Defaults { region: "us-east-2".parse().ok(), account: None, interval: None };
    let loaded = load(&[File::new(name, bytes)], &defaults);
    let mut text = String::new();
    for note in &loaded.notes {
        writeln!(text, "# note: {note}").unwrap();
    }
    if loaded.problems.is_empty() {
        for desired in &loaded.documents {
            let document = desired.to_yaml();
            write!(text, "---\n{document}").unwrap();
            let again = load(&[File::new(name, document)], &defaults);
            assert_eq!(again.problems, [], "{name}");
            assert_eq!(again.documents[0].spec, desired.spec, "{name}: what is written reads back");
        }
        return (text, "out");
    }
    for problem in &loaded.problems {
        writeln!(text, "error: {problem}").unwrap();
        if let Some(hint) = &problem.hint {
            writeln!(text, "hint: {hint}").unwrap();
        }
    }
    (text, "err")
}
