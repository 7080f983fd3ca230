//! `ted-controller demo`: what the daemon does, shown on a simulated AWS.

use super::signals::Signals;
use super::{Failure, exit, output, terminal};
use crate::demo::{self, Ending, Error, FASTEST, Options, Screen};
use crate::report::render::Paint;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

/// What a shell says of a process that Ctrl-C ended: 128 and the signal's number.
const INTERRUPTED: u8 = 130;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Another named scenario, or the path of a scenario file: the daemon migrates whatever is in it (`sim --list` lists them)
    #[arg(long, value_name = "NAME|FILE")]
    scenario: Option<String>,
    /// Seconds of AWS a second; slower while events are about to be paused
    #[arg(long, value_name = "N", default_value_t = 60.0, value_parser = speed)]
    speed: f64,
    /// Leave daemon and simulated AWS running at the end, until Ctrl-C
    #[arg(long)]
    keep: bool,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if (1.0..=FASTEST).contains(&speed) {
        Ok(speed)
    } else {
        Err(format!("it is from 1 to {FASTEST}"))
    }
}

pub(super) async fn run(args: Args) -> Result<ExitCode, Failure> {
    let cannot_start =
        |error: std::io::Error| Failure { message: format!("cannot start: {error}"), hint: None };
    let mut signals = Signals::listen().map_err(cannot_start)?;
    let paint = terminal::paint();
    // Whoever refuses colour gets plain lines.
    let size = terminal::size().filter(|_| paint == Paint::COLOUR);
    let screen = Screen { paint, columns: terminal::columns(), size };
    let Args { scenario, speed, keep } = args;
    let options = Options { scenario, speed, keep };
    let (stop, out) = (CancellationToken::new(), Box::new(std::io::stdout()));
    let mut told = Box::pin(demo::run(&options, screen, out, &stop));
    let ended = tokio::select! {
        ended = &mut told => ended,
        () = signals.next() => {
            stop.cancel();
            tokio::select! {
                ended = &mut told => ended,
                // A second one does not wait.
                () = signals.next() => return Ok(ExitCode::from(INTERRUPTED)),
            }
        }
    };
    match ended {
        Ok(Ending::AsWanted) => Ok(ExitCode::SUCCESS),
        Ok(Ending::Waiting) => Ok(ExitCode::from(exit::DIFFERS)),
        Ok(Ending::NeedsPerson) => Ok(ExitCode::from(exit::NEEDS_PERSON)),
        Err(failed) if matches!(failed.error, Error::Interrupted) => {
            output::note("interrupted; nothing of it is left");
            Ok(ExitCode::from(INTERRUPTED))
        }
        Err(failed) => Err(Failure::new(&failed.error, failed.hint())),
    }
}
