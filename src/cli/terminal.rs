//! What the terminal can do.

use crate::report::render::{DEFAULT_WIDTH, Paint};
use std::io::IsTerminal;

/// Colour on a terminal, unless `NO_COLOR` is set (no-color.org) or the terminal is dumb.
pub(super) fn paint() -> Paint {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if std::io::stdout().is_terminal() && !refused { Paint::COLOUR } else { Paint::PLAIN }
}

/// How wide text may get: what `COLUMNS` says, within reason.
pub(super) fn columns() -> usize {
    std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok())
        .map_or(DEFAULT_WIDTH, |columns: usize| columns.clamp(60, 200))
}
