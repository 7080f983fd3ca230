//! A line in parts, each with what it means. Colour and width come last, so that a line can be cut where the terminal ends.

use crate::report::render::Paint;

/// What a part of a line means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Nothing beside what it says.
    Plain,
    /// It matters.
    Bold,
    /// It is there for completeness.
    Dim,
    /// It is as it should be.
    Good,
    /// It takes time.
    Waiting,
    /// It is not as it should be.
    Bad,
    /// It says what to do.
    Remedy,
}

impl Tone {
    /// The text in this tone's colour.
    pub(super) fn paint(self, paint: Paint, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Bold => paint.bold(text),
            Self::Dim => paint.dim(text),
            Self::Good => paint.good(text),
            Self::Waiting => paint.waiting(text),
            Self::Bad => paint.bad(text),
            Self::Remedy => paint.remedy(text),
        }
    }
}

/// One line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line(Vec<(Tone, String)>);

impl Line {
    /// A line that begins with this many blanks.
    pub(super) fn indented(blanks: usize) -> Self {
        Self::default().and(Tone::Plain, " ".repeat(blanks))
    }

    /// The line with a part more.
    #[must_use]
    pub(super) fn and(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.0.push((tone, text.into()));
        self
    }

    /// The line with another one behind it.
    #[must_use]
    pub(super) fn followed_by(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The line with blanks up to a column; at least one, so that two parts never run together.
    #[must_use]
    pub(super) fn up_to(self, column: usize) -> Self {
        let blanks = column.saturating_sub(self.width()).max(1);
        self.and(Tone::Plain, " ".repeat(blanks))
    }

    /// How many columns it takes.
    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.chars().count()).sum()
    }

    /// The line in colour, or without, and no wider than `columns`.
    pub(super) fn render(&self, paint: Paint, columns: usize) -> String {
        let cut = self.width() > columns;
        let mut room = if cut { columns.saturating_sub(1) } else { columns };
        let mut text = String::new();
        for (tone, part) in &self.0 {
            let part: String = part.chars().take(room).collect();
            room -= part.chars().count();
            text.push_str(&tone.paint(paint, &part));
        }
        if cut {
            text.push('…');
        }
        text.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_by_what_is_seen_of_it() {
        let line =
            Line::indented(1).and(Tone::Good, "done").up_to(8).and(Tone::Plain, "CacheStack");
        assert_eq!(line.render(Paint::PLAIN, 80), " done   CacheStack");
        assert_eq!(line.render(Paint::PLAIN, 12), " done   Cac…");
        assert_eq!(line.render(Paint::COLOUR, 12), " \u{1b}[32mdone\u{1b}[0m   Cac…");
        assert_eq!(line.render(Paint::PLAIN, 18), " done   CacheStack");
        assert_eq!(Line::default().and(Tone::Plain, "ab").up_to(1).width(), 3);
    }
}
