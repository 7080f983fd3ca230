//! Logs: text for a terminal, JSON for everything else, to standard error. `RUST_LOG`, `--log-level` and the settings say how much.

use crate::settings::{Log, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// What is logged when nobody says: our own events, and only trouble of the libraries.
const DEFAULT_FILTER: &str = "warn,ted_controller=info";

/// Begins logging. A second call changes nothing.
///
/// # Errors
/// The filter means nothing; the text says why.
pub fn init(log: &Log) -> Result<(), String> {
    let filter = match &log.level {
        Some(level) => level.clone(),
        None => std::env::var("RUST_LOG")
            .ok()
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| DEFAULT_FILTER.to_owned()),
    };
    let filter = EnvFilter::try_new(&filter)
        .map_err(|error| format!("`{filter}` is no log filter: {error}"))?;
    let terminal = std::io::stderr().is_terminal();
    let format = log.format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second subscriber is refused, which is what tests and the demo want.
    let _ = match format {
        LogFormat::Text => builder
            .with_ansi(terminal && std::env::var_os("NO_COLOR").is_none())
            .with_target(false)
            .try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
    };
    Ok(())
}
