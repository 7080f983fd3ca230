//! What is wrong with a document, and where: a place, the value found, the values allowed, and what to write instead.
//!
//! Rules that look at one value return a [`Complaint`]; the reader adds where the value stands and makes it a [`Problem`].

use serde::Serialize;
use std::fmt;

/// The longest piece of a document that a message repeats, in characters.
const MAX_QUOTED_CHARS: usize = 80;

/// A place in a file. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Location {
    /// The file as it was named to [`super::load`].
    pub file: String,
    /// The line; 0 when the problem is the file as a whole.
    pub line: usize,
    /// The column; 0 when the problem is the file as a whole.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = Shown(&self.file);
        if self.line == 0 {
            write!(f, "{file}")
        } else {
            write!(f, "{file}:{}:{}", self.line, self.column)
        }
    }
}

/// The class of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ProblemKind {
    /// A file that could not be read at all.
    Unreadable,
    /// Not YAML, or not UTF-8.
    Syntax,
    /// Over one of the bounds on size, depth, aliases or number.
    TooLarge,
    /// A field that this kind of document does not have.
    UnknownField,
    /// A field that must be there.
    MissingField,
    /// A field that is there twice.
    DuplicateField,
    /// A value that breaks a rule.
    InvalidValue,
    /// Two documents that cannot both be obeyed.
    Conflict,
}

impl ProblemKind {
    /// One CamelCase word, for a condition's reason and a metric's label.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unreadable => "UnreadableFile",
            Self::Syntax => "InvalidSyntax",
            Self::TooLarge => "DocumentTooLarge",
            Self::UnknownField => "UnknownField",
            Self::MissingField => "MissingField",
            Self::DuplicateField => "DuplicateField",
            Self::InvalidValue => "InvalidValue",
            Self::Conflict => "ConflictingDocuments",
        }
    }
}

/// Why a file, a document or a value cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Where.
    pub location: Location,
    /// The class.
    pub kind: ProblemKind,
    /// The field, from the document's root: `spec.cache.engine`. Empty for the document or the file as a whole.
    pub field: String,
    /// What is wrong, without the value.
    pub message: String,
    /// The value found, as it is spelled in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// The values allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// What to write instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    /// One line without the hint: place, field, what is wrong, the value found, the values allowed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.location)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", Shown(&self.field))?;
        }
        write!(f, "{}", self.message)?;
        if let Some(found) = &self.found {
            write!(f, ": found `{}`", Shown(found))?;
        }
        if let Some(allowed) = &self.allowed {
            write!(f, "; allowed: {allowed}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// Something worth saying that keeps nothing from working, such as a file that is not ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// Where.
    pub location: Location,
    /// A sentence.
    pub message: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

/// Why one value breaks its rule. The reader knows the value and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// What is wrong, without the value.
    pub message: String,
    /// The values allowed.
    pub allowed: Option<String>,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Complaint {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), allowed: None, hint: None }
    }

    pub(crate) fn allowed(mut self, allowed: impl Into<String>) -> Self {
        self.allowed = Some(allowed.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn hint_if_any(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if let Some(allowed) = &self.allowed {
            write!(f, "; allowed: {allowed}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Complaint {}

/// Text from a file as a message may show it: without control characters, and not without end.
///
/// A document may come from a stranger's pull request; an escape sequence in it must not reach a terminal.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, character) in self.0.chars().enumerate() {
            if index == MAX_QUOTED_CHARS {
                return write!(f, "…");
            }
            if character.is_control() || is_invisible(character) {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                write!(f, "{character}")?;
            }
        }
        Ok(())
    }
}

/// Whether a character shows nothing by itself or turns the direction of what follows.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The candidate that is most like `text`, if one is like it at all.
pub(crate) fn nearest<'a>(
    text: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // A slip is a letter or two; 0.75 lets `Engine`, `enigne` and `version_` through and keeps `colour` from `hive`.
    const LIKE: f64 = 0.75;
    let lower = text.chars().take(MAX_QUOTED_CHARS).collect::<String>().to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let likeness = strsim::jaro_winkler(&lower, &candidate.to_lowercase());
        if likeness >= LIKE && best.is_none_or(|(so_far, _)| likeness > so_far) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_shown_harmless_and_short() {
        assert_eq!(Shown("a\u{1b}[31m\n\u{202e}b").to_string(), "a\\u{1b}[31m\\u{a}\\u{202e}b");
        assert_eq!(Shown(&"x".repeat(500)).to_string().chars().count(), MAX_QUOTED_CHARS + 1);
    }

    #[test]
    fn the_nearest_name_is_one_that_a_slip_explains() {
        let names = ["engine", "version", "hive", "mode"];
        for (text, nearest_name, why) in [
            ("Engine", Some("engine"), "case"),
            ("enigne", Some("engine"), "swapped letters"),
            ("versions", Some("version"), "a letter too many"),
            ("colour", None, "nothing like it"),
        ] {
            assert_eq!(nearest(text, names), nearest_name, "{why}");
        }
    }
}
