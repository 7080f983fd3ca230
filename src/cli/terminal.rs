//! What the terminal can do.

use crate::report::render::{DEFAULT_WIDTH, Paint};
use std::io::IsTerminal;

/// Colour on a terminal, unless `NO_COLOR` is set (no-color.org) or the terminal is dumb.
pub(super) fn paint() -> Paint {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if std::io::stdout().is_terminal() && !refused { Paint::COLOUR } else { Paint::PLAIN }
}

/// How wide text may get: what `COLUMNS` says, else what the terminal says, within reason. A file or a pipe has no width.
pub(super) fn columns() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse::<usize>().ok());
    let seen = || {
        let (terminal_size::Width(columns), _) =
            terminal_size::terminal_size_of(std::io::stdout())?;
        Some(usize::from(columns))
    };
    told.or_else(seen).map_or(DEFAULT_WIDTH, |columns| columns.clamp(60, 200))
}
