//! Golden text: what people and machines read, kept as plain files and compared whole.
//!
//! `UPDATE_GOLDEN=1 cargo test` writes every golden file anew, of this repository's tests in all places; read the difference before you
//! commit it. Without the variable a text that differs fails its test and shows the lines that differ. Unit tests have their files in
//! a folder `golden/` beside them, stories in `tests/scripts/`, references in `docs/reference/`.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// How many equal lines are shown around a difference.
const CONTEXT: usize = 3;

/// Above so many pairs of lines to compare, a difference is shown without looking for what both sides have in common.
const MAX_PAIRS: usize = 9_000_000;

/// Whether golden files are written instead of compared.
pub(crate) fn is_updating() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| !value.is_empty() && value != "0")
}

/// A file of the repository.
pub(crate) fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// How a text differs from its golden file, ready to be read; nothing when it does not. Writes the file when that was asked for.
pub(crate) fn difference(file: &Path, got: &str) -> Option<String> {
    if is_updating() {
        if fs::read_to_string(file).ok().as_deref() != Some(got) {
            let written = fs::create_dir_all(file.parent().unwrap_or(file))
                .and_then(|()| fs::write(file, got));
            if let Err(error) = written {
                return Some(format!("{}: cannot be written: {error}", file.display()));
            }
        }
        return None;
    }
    let expected = match fs::read_to_string(file) {
        Ok(expected) => expected,
        Err(error) => {
            return Some(format!(
                "{}: {error}\n`UPDATE_GOLDEN=1` writes it:\n{got}",
                file.display()
            ));
        }
    };
    (expected != got).then(|| {
        format!(
            "{}: not as expected (`-` is missing, `+` is new; `UPDATE_GOLDEN=1` writes it anew)\n{}",
            file.display(),
            diff(&expected, got)
        )
    })
}

/// Compares a text with its golden file, and fails with what differs.
#[track_caller]
pub(crate) fn check(relative: &str, got: &str) {
    let difference = difference(&path(relative), got);
    assert!(difference.is_none(), "{}", difference.unwrap_or_default());
}

/// The lines that differ, with a little around them.
pub(crate) fn diff(expected: &str, got: &str) -> String {
    let (old, new) = (lines(expected), lines(got));
    let marked = marked(&old, &new);
    let near = |place: usize| {
        let from = place.saturating_sub(CONTEXT);
        let to = (place + CONTEXT + 1).min(marked.len());
        marked[from..to].iter().any(|(mark, _)| *mark != ' ')
    };
    let mut text = String::new();
    let mut skipped = false;
    for (place, (mark, line)) in marked.iter().enumerate() {
        if near(place) {
            if skipped {
                text.push_str("  ⋮\n");
            }
            skipped = false;
            let _ = writeln!(text, "{mark} {line}");
        } else {
            skipped = true;
        }
    }
    text
}

/// With what a reader cannot see made visible: blanks at an end of line, and whether the last line is ended.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text
        .split_inclusive('\n')
        .map(|line| {
            let bare = line.strip_suffix('\n').unwrap_or(line);
            let trimmed = bare.trim_end();
            format!("{trimmed}{}", "·".repeat(bare.chars().count() - trimmed.chars().count()))
        })
        .collect();
    if !text.is_empty() && !text.ends_with('\n') {
        lines.push("(no newline at the end)".to_owned());
    }
    lines
}

/// All lines of both, marked, by their longest common subsequence.
fn marked<'a>(old: &'a [String], new: &'a [String]) -> Vec<(char, &'a str)> {
    let mut marked: Vec<(char, &str)> = Vec::new();
    if old.len().saturating_mul(new.len()) > MAX_PAIRS {
        marked.extend(old.iter().map(|line| ('-', line.as_str())));
        marked.extend(new.iter().map(|line| ('+', line.as_str())));
        return marked;
    }
    let width = new.len() + 1;
    let mut longest = vec![0_usize; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i * width + j] = if old[i] == new[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            marked.push((' ', &old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len()
            || (i < old.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1])
        {
            marked.push(('-', &old[i]));
            i += 1;
        } else {
            marked.push(('+', &new[j]));
            j += 1;
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_what_changed_and_a_little_around_it() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let new = "1\n2\n3\n4\n5\nsix\n7\n8\n9\n";
        assert_eq!(diff(old, new), "  ⋮\n  3\n  4\n  5\n- 6\n+ six\n  7\n  8\n  9\n");
        assert_eq!(diff("a \n", "a"), "- a·\n+ a\n+ (no newline at the end)\n");
    }
}
