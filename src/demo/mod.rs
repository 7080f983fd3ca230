//! `ted-controller demo`: a simulated AWS and the real daemon in one process, told as a story.
//!
//! Everything that is told was seen: an act waits until the daemon says what it has to say (`play`), looks past the daemon at the simulated
//! AWS itself (`world`), and ends the demo with an error when the two disagree or something does not come.
//!
//! Read in this order: `story` is the migration, act by act; `scenario` watches any other named scenario; `play` is what both stand on;
//! `picture` and `tree` are what is drawn meanwhile, `stage` and `line` how; `dial` says how fast AWS goes; `daemon` and `folder` are what
//! is started and what it leaves: nothing.

mod daemon;
mod dial;
mod folder;
mod line;
mod picture;
mod play;
mod scenario;
mod stage;
mod story;
mod summary;
mod tree;
mod world;

pub use dial::FASTEST;
pub use stage::Screen;

use crate::clock;
use crate::settings::{Log, LogFormat};
use crate::telemetry;
use folder::Folder;
use play::Play;
use stage::Stage;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use ted_sim::Scenario;
use ted_sim::time::SimTime;
use tokio_util::sync::CancellationToken;

/// The scenario of the story.
const STORY: &str = "default";

/// What time of day it is in AWS when it begins: far from the windows in which databases and caches are backed up and maintained.
const MORNING: &str = "10:00:00";

/// What is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// A named scenario, or the path of a scenario file; absent: the story of a migration.
    pub scenario: Option<String>,
    /// Seconds of AWS a second.
    pub speed: f64,
    /// Whether daemon and AWS go on at the end.
    pub keep: bool,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every TED is as its document says, and everything came that had to come.
    AsWanted,
    /// Time will heal what is left.
    Waiting,
    /// A person is needed.
    NeedsPerson,
}

/// Why it could not be told to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such scenario.
    #[error("cannot load the scenario")]
    Scenario(#[source] ted_sim::scenario::Error),
    /// The host takes no files, or gave some up.
    #[error("cannot write to a folder for temporary files")]
    Folder(#[source] io::Error),
    /// The simulated AWS cannot be reached.
    #[error("cannot listen on a port of this host")]
    Listen(#[source] io::Error),
    /// The simulated AWS cannot be read.
    #[error("cannot read the simulated AWS")]
    World(#[source] serde_json::Error),
    /// There is nothing to show.
    #[error("there is no TED in this scenario")]
    Empty,
    /// Something did not come.
    #[error("{wanted}: it did not come within {seconds} s; {instead}")]
    Missed {
        /// What had to come.
        wanted: String,
        /// How long it was waited for.
        seconds: u64,
        /// How the TEDs stand instead.
        instead: String,
    },
    /// The simulated AWS is not as it has to be.
    #[error("{wanted}: that is not so; {found}")]
    Untrue {
        /// What has to be so.
        wanted: String,
        /// What is so.
        found: String,
    },
    /// It was ended from outside.
    #[error("interrupted")]
    Interrupted,
}

/// A demo that was not told to its end, with what it leaves for a person to look at.
#[derive(Debug)]
pub struct Failed {
    /// Why.
    pub error: Error,
    /// The daemon's log, if it got that far.
    pub log: Option<PathBuf>,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, log: None }
    }
}

impl Failed {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match (&self.error, &self.log) {
            (Error::Scenario(error), _) => error.hint().or_else(|| {
                Some("`ted-controller sim --list` lists the named scenarios".to_owned())
            }),
            (_, Some(log)) => Some(format!("the daemon's log is `{}`", log.display())),
            (_, None) => None,
        }
    }
}

/// Tells it on `out`, until it is over or `stop`. Whatever it makes is gone afterwards, but for the log of one that failed.
///
/// # Errors
/// Something did not come, or could not be started.
pub async fn run(
    options: &Options,
    screen: Screen,
    out: Box<dyn Write + Send>,
    stop: &CancellationToken,
) -> Result<Ending, Failed> {
    let mut scenario =
        Scenario::load(options.scenario.as_deref().unwrap_or(STORY)).map_err(Error::Scenario)?;
    scenario.world.start.get_or_insert_with(morning);
    let is_story = options.scenario.as_deref().is_none_or(|name| name == STORY);

    let folder = Folder::create().map_err(Error::Folder)?;
    let log = Arc::new(folder.create_log().map_err(Error::Folder)?);
    // For whoever looks into a demo that failed.
    let level = Some("warn,ted_controller=debug".to_owned());
    let settings = Log { level, format: Some(LogFormat::Text) };
    // Without a log the demo is the same.
    let _ = telemetry::init_to(&settings, log);

    let stage = Stage::new(out, screen);
    let mut play = Play::begin(scenario, options.speed, folder, stage).await?;
    let told = tokio::select! {
        biased;
        () = stop.cancelled() => Err(Error::Interrupted),
        told = Box::pin(tell(&mut play, is_story, options.keep)) => told,
    };
    let folder = play.end().await;
    match told {
        Ok(ending) => {
            folder.remove();
            Ok(ending)
        }
        Err(Error::Interrupted) => {
            folder.remove();
            Err(Error::Interrupted.into())
        }
        Err(error) => {
            let log = folder.log();
            folder.keep();
            Err(Failed { error, log: Some(log) })
        }
    }
}

async fn tell(play: &mut Play, is_story: bool, keep: bool) -> Result<Ending, Error> {
    let ending = if is_story {
        Box::pin(story::tell(play)).await?
    } else {
        Box::pin(scenario::tell(play)).await?
    };
    if keep {
        summary::keep(play).await?;
    } else {
        summary::next(play, is_story);
    }
    Ok(ending)
}

/// This morning, so that dates look right to people.
fn morning() -> SimTime {
    let today = clock::wall().strftime("%Y-%m-%d").to_string();
    format!("{today}T{MORNING}Z").parse().unwrap_or_else(|_| SimTime::from_millis(0))
}
