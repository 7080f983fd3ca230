//! Logs: text on a terminal, JSON otherwise; to standard error, because standard output is for data.
//!
//! What is logged is a level or directives ([`Log::level`]). Secrets never get here: they are types whose `Debug` shows
//! nothing, and foreign text is cleaned where it comes in ([`crate::text`]).

use crate::settings::{Log, LogFormat};
use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// What is logged when nobody says: our own events, and only trouble of the libraries.
const DEFAULT_FILTER: &str = "warn,ted_controller=info";

/// Libraries that log every request at `debug`, with headers that may hold a session's token. They speak only when they are
/// named in the directives. Each stands for all whose names begin so.
///
/// What AWS's warn of is a failed call, which we tell in our own words, once and not for each of many calls at a time.
const QUIET: &[(&str, &str)] = &[
    ("aws_config", "error"),
    ("aws_runtime", "error"),
    ("aws_sdk", "error"),
    ("aws_sigv4", "error"),
    ("aws_smithy", "error"),
    ("hyper", "warn"),
    ("rustls", "warn"),
    ("h2", "warn"),
];

/// Logs cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The directives are wrong; the settings have checked them, so this is for callers without settings.
    #[error("`{0}` is no log level")]
    Level(String),
}

/// Sends this process's logs to standard error. A second call changes nothing.
///
/// # Errors
/// The level is none.
pub fn init(log: &Log) -> Result<(), TelemetryError> {
    let on_terminal = io::stderr().is_terminal();
    let colour = on_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    // A second subscriber is refused, which is what tests and the demo want.
    let _ = subscriber(log, on_terminal, colour, io::stderr)?.try_init();
    Ok(())
}

/// Sends this process's logs to `writer` instead, as [`init`] does to standard error.
///
/// # Errors
/// The level is none.
pub fn init_to<W>(log: &Log, writer: W) -> Result<(), TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let _ = subscriber(log, false, false, writer)?.try_init();
    Ok(())
}

/// What turns events into lines, each written whole with one call.
///
/// # Errors
/// The level is none.
pub fn subscriber<W>(
    log: &Log,
    on_terminal: bool,
    colour: bool,
    writer: W,
) -> Result<Box<dyn tracing::Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = filter(log.level.as_deref().unwrap_or(DEFAULT_FILTER))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let text = log.format.map_or(on_terminal, |format| format == LogFormat::Text);
    Ok(if text {
        Box::new(lines.with_ansi(colour).finish())
    } else {
        Box::new(lines.json().flatten_event(true).with_ansi(false).finish())
    })
}

fn filter(level: &str) -> Result<EnvFilter, TelemetryError> {
    let wrong = || TelemetryError::Level(crate::text::sanitize_to(level, 80));
    let mut directives: Vec<String> = QUIET
        .iter()
        .filter(|(library, _)| !level.contains(library))
        .map(|(library, level)| format!("{library}={level}"))
        .collect();
    directives.insert(0, level.to_owned());
    EnvFilter::builder().parse(directives.join(",")).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Secret;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written when `events` run.
    fn logged(
        level: &str,
        format: Option<LogFormat>,
        on_terminal: bool,
        events: impl FnOnce(),
    ) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = Log { level: Some(level.to_owned()), format };
        let subscriber = subscriber(&log, on_terminal, false, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, events);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn text_on_a_terminal_and_json_otherwise() {
        for (format, on_terminal, is_json, why) in [
            (None, true, false, "a person reads"),
            (None, false, true, "a program reads"),
            (Some(LogFormat::Text), false, false, "asked for"),
            (Some(LogFormat::Json), true, true, "asked for"),
        ] {
            let text = logged("info", format, on_terminal, || {
                tracing::info!(name = "einstein", "look");
            });
            let value = serde_json::from_str::<serde_json::Value>(&text);
            assert_eq!(value.is_ok(), is_json, "{why}: {text}");
            assert!(text.contains("einstein") && text.contains("look"), "{why}: {text}");
            if let Ok(value) = value {
                assert_eq!(
                    (value["name"].as_str(), value["level"].as_str()),
                    (Some("einstein"), Some("INFO"))
                );
            }
        }
    }

    #[test]
    fn the_level_decides_and_chatty_libraries_stay_quiet() {
        let all = || {
            tracing::debug!("ours");
            tracing::debug!(target: "hyper_util::client", "theirs");
        };
        let written = |level: &str| logged(level, Some(LogFormat::Text), false, all);
        assert_eq!(written("info"), "");
        let debug = written("debug");
        assert!(debug.contains("ours") && !debug.contains("theirs"), "{debug}");
        assert!(written("debug,hyper_util=debug").contains("theirs"), "named, so it may speak");
        assert!(
            subscriber(
                &Log { level: Some("a=b=c".into()), ..Log::default() },
                true,
                false,
                io::stderr
            )
            .is_err()
        );
    }

    #[test]
    fn a_secret_does_not_show() {
        let secret = Secret::new("s3cret");
        let text =
            logged("info", Some(LogFormat::Json), false, || tracing::info!(?secret, "token"));
        assert!(!text.contains("s3cret") && text.contains("Secret(…)"), "{text}");
    }
}
