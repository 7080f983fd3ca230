//! What the terminal can do.

use crate::report::render::{DEFAULT_WIDTH, Paint};
use std::io::IsTerminal;

/// Colour on a terminal, unless `NO_COLOR` is set (no-color.org) or the terminal is dumb.
pub(super) fn paint() -> Paint {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if std::io::stdout().is_terminal() && !refused { Paint::COLOUR } else { Paint::PLAIN }
}

/// Whether standard output can be drawn on anew.
pub(super) fn is_screen() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

/// How wide text may get: what `COLUMNS` says, else what the terminal says, within reason. A file or a pipe has no width.
pub(super) fn columns() -> usize {
    let told = number("COLUMNS").or_else(|| size().map(|(columns, _)| columns));
    told.map_or(DEFAULT_WIDTH, |columns| columns.clamp(60, 200))
}

/// How many lines the screen has.
pub(super) fn lines() -> usize {
    size().map(|(_, lines)| lines).or_else(|| number("LINES")).unwrap_or(DEFAULT_LINES).max(4)
}

/// What a terminal has that does not say.
const DEFAULT_LINES: usize = 24;

fn number(variable: &str) -> Option<usize> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Columns and lines of the terminal that standard output is.
pub(super) fn size() -> Option<(usize, usize)> {
    let (columns, lines) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some((usize::from(columns.0), usize::from(lines.0)))
}
