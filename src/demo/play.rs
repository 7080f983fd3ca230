//! A demo under way: the simulated AWS, the daemon over it, the stage, and how to wait for what has to come.

use super::Error;
use super::daemon::Daemon;
use super::dial::Dial;
use super::folder::Folder;
use super::line::{Line, Tone};
use super::picture::Picture;
use super::stage::{INDENT, Stage};
use super::world::{Scope, World};
use crate::clock::{self, Instant};
use crate::report::{Change, Event, EventKind, Status};
use jiff::Timestamp;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use ted_sim::{Scenario, Server, Sim, server};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

/// How often the simulated AWS is looked at.
const TICK: Duration = Duration::from_millis(150);

/// A large world is looked at more seldom: looking takes at most this part of the time.
const LOOKING: u32 = 5;

/// How long requests in progress may take when it ends.
const DRAIN: Duration = Duration::from_secs(1);

/// How long a look at what was said is left to people. The controller learns AWS's pace from looks that are two seconds apart: two such
/// pauses, and it knows it.
const BEAT: Duration = Duration::from_millis(2200);

/// Where what happened is named, behind its time.
const WORD_COLUMN: usize = INDENT + 10;

/// The longest name of a step or a condition, and two blanks.
const STEP: usize = 9;
const CONDITION: usize = 14;

/// Something that the daemon told.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// AWS's time.
    pub(super) at: Timestamp,
    /// The TED.
    pub(super) ted: String,
    /// What.
    pub(super) event: Event,
}

impl Heard {
    /// The step that was carried out, when it tells of one.
    pub(super) fn step(&self) -> Option<&'static str> {
        match self.event.reason.as_str() {
            "EventsHeld" => Some("Hold"),
            "EventsDisabled" => Some("Disable"),
            "UpdateSent" => Some("Update"),
            "RollbackContinued" => Some("Recover"),
            "HoldReleased" => Some("Release"),
            "EventsEnabled" => Some("Enable"),
            _ => None,
        }
    }
}

/// What of the daemon's events is said on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SaysOn {
    /// Nothing yet; it is said on later.
    Nothing,
    /// The steps it carries out.
    Steps,
    /// Also what it finds, and how that changes what it says of a TED.
    News,
}

/// A demo under way.
pub(super) struct Play {
    pub(super) sim: Sim,
    pub(super) scenario: Scenario,
    pub(super) folder: Folder,
    pub(super) daemon: Daemon,
    pub(super) stage: Stage,
    /// The simulated AWS when it was last looked at.
    pub(super) world: World,
    /// Where the simulated AWS can be reached.
    pub(super) endpoint: SocketAddr,
    /// Where the daemon serves its page.
    pub(super) page: SocketAddr,
    /// What is drawn below what is said.
    pub(super) picture: Option<Picture>,
    /// What the daemon told, oldest first.
    pub(super) heard: Vec<Heard>,
    /// How much of it was said on.
    said: usize,
    /// What of it is said on as it comes.
    pub(super) says_on: SaysOn,
    dial: Dial,
    /// Events are about to be paused, though no hold shows yet.
    pub(super) expects_pause: bool,
    changes: broadcast::Receiver<Change>,
    server: server::Handle,
    /// When it began, here and in AWS.
    pub(super) began: (Instant, Timestamp),
}

impl Play {
    /// The simulated AWS runs, the daemon is about to look at it, and nobody has said anything.
    pub(super) async fn begin(
        scenario: Scenario,
        speed: f64,
        folder: Folder,
        stage: Stage,
    ) -> Result<Self, Error> {
        let sim = Sim::start(&scenario, speed).map_err(Error::Scenario)?;
        // A scenario may have a speed of its own.
        let dial = Dial::new(sim.clock().speed());
        let server = Server::new(sim.clone());
        let (endpoint, server) =
            server.bind((Ipv4Addr::LOCALHOST, 0).into()).await.map_err(Error::Listen)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::Listen)?;
        let page = listener.local_addr().map_err(Error::Listen)?;
        let daemon = Daemon::start(&sim, &scenario, &folder, dial.speed(), listener);
        let changes = daemon.store.subscribe();
        let world = World::of(&sim).map_err(Error::World)?;
        let began = (clock::now(), world.time);
        Ok(Self {
            sim,
            scenario,
            folder,
            daemon,
            stage,
            world,
            endpoint,
            page,
            picture: None,
            heard: Vec::new(),
            said: 0,
            says_on: SaysOn::Nothing,
            dial,
            expects_pause: false,
            changes,
            server,
            began,
        })
    }

    /// Ends everything that runs. What is left is the folder.
    pub(super) async fn end(self) -> Folder {
        let Self { daemon, server, stage, folder, .. } = self;
        drop(stage);
        daemon.end().await;
        server.shut_down(DRAIN).await;
        folder
    }

    /// Where it plays.
    pub(super) fn home(&self) -> Result<&Scope, Error> {
        self.world.home().ok_or(Error::Empty)
    }

    /// What time it is in AWS, as the title of an act shows it.
    pub(super) fn at(&self) -> String {
        format!("AWS {}", self.world.clock())
    }

    /// How fast AWS goes when nothing hurries.
    pub(super) fn speed(&self) -> f64 {
        self.dial.speed()
    }

    /// Leaves people time to read, while everything goes on.
    pub(super) async fn beat(&mut self) -> Result<(), Error> {
        let until = clock::now() + BEAT;
        while clock::now() < until {
            self.tick().await?;
        }
        Ok(())
    }

    /// Waits until `find` finds what has to come, within about `aws` of AWS's time.
    pub(super) async fn until<T>(
        &mut self,
        wanted: &str,
        aws: Duration,
        find: impl Fn(&Self) -> Option<T>,
    ) -> Result<T, Error> {
        let began = clock::now();
        let patience = self.dial.patience(aws);
        loop {
            if let Some(found) = find(self) {
                return Ok(found);
            }
            if began.elapsed() > patience {
                return Err(Error::Missed {
                    wanted: wanted.to_owned(),
                    seconds: patience.as_secs(),
                    instead: self.instead(),
                });
            }
            self.tick().await?;
        }
    }

    /// Lets a moment pass, and takes in what it brought.
    pub(super) async fn tick(&mut self) -> Result<(), Error> {
        let began = clock::now();
        self.world = World::of(&self.sim).map_err(Error::World)?;
        self.turn_the_dial();
        self.listen();
        self.say_on();
        self.draw();
        clock::sleep(TICK.max(began.elapsed() * LOOKING)).await;
        Ok(())
    }

    fn turn_the_dial(&mut self) {
        self.expects_pause &= self.world.pause_age().is_none();
        let speed = if self.expects_pause {
            self.dial.pausing(Duration::ZERO)
        } else {
            self.dial.for_world(&self.world)
        };
        let clock = self.sim.clock();
        // Setting it anew costs nothing, but the same speed again would round the time.
        if (clock.speed() - speed).abs() > f64::EPSILON {
            clock.set_speed(speed);
        }
    }

    fn listen(&mut self) {
        loop {
            match self.changes.try_recv() {
                Ok(Change::Happened { name, event }) => {
                    self.heard.push(Heard { at: self.world.time, ted: name, event });
                }
                // Other changes are read from the store; of what was missed the rest is told.
                Ok(_) | Err(broadcast::error::TryRecvError::Lagged(_)) => {}
                Err(
                    broadcast::error::TryRecvError::Empty | broadcast::error::TryRecvError::Closed,
                ) => return,
            }
        }
    }

    /// Says on what the daemon told since the last time.
    fn say_on(&mut self) {
        if self.says_on == SaysOn::Nothing {
            return;
        }
        let news: Vec<Heard> = self.heard.get(self.said..).unwrap_or_default().to_vec();
        self.said = self.heard.len();
        let several = self.daemon.store.teds().len() > 1;
        for heard in news {
            let Heard { at, ted, event } = &heard;
            let tone = match event.kind {
                EventKind::Normal => Tone::Bold,
                EventKind::Warning => Tone::Bad,
            };
            let (word, text) = match (heard.step(), event.reason.as_str()) {
                (Some(step), _) => (step, event.message.as_str()),
                (None, _) if self.says_on == SaysOn::Steps => continue,
                (None, "PhaseChanged") => continue,
                (None, "Found") => ("found", event.message.as_str()),
                (None, "Resolved") => ("gone", event.message.as_str()),
                // `Ready is False: …`
                (None, _) => event.message.split_once(" is ").unwrap_or(("", &event.message)),
            };
            let text = if several { format!("{ted}: {text}") } else { text.to_owned() };
            self.say_at(*at, word, tone, &text);
        }
    }

    /// What the daemon told so far is not said on.
    pub(super) fn skip(&mut self) {
        self.said = self.heard.len();
    }

    /// Says what happened, and when.
    pub(super) fn say_at(&mut self, at: Timestamp, word: &str, tone: Tone, text: &str) {
        let first = Line::indented(INDENT)
            .and(Tone::Dim, at.strftime("%H:%M:%S").to_string())
            .up_to(WORD_COLUMN)
            .and(tone, word)
            .up_to(WORD_COLUMN + if self.says_on == SaysOn::News { CONDITION } else { STEP });
        self.stage.tell(&first, Tone::Plain, text);
    }

    /// Says something that was checked.
    pub(super) fn check(&mut self, text: &str) {
        let first = Line::indented(INDENT).and(Tone::Good, "✓").and(Tone::Plain, " ");
        self.stage.tell(&first, Tone::Plain, text);
    }

    fn draw(&mut self) {
        let Some(mut picture) = self.picture.take() else { return };
        let ended = self.world.home().is_some_and(|scope| picture.turns(scope));
        if self.stage.draws() {
            let lines = picture.lines(self, self.stage.room());
            self.stage.show(&lines);
        } else {
            for line in picture.changes(self) {
                let first = Line::indented(INDENT)
                    .and(Tone::Dim, self.world.clock())
                    .up_to(WORD_COLUMN)
                    .followed_by(line);
                self.stage.say(&first);
            }
        }
        if ended && let Some(scope) = self.world.home() {
            picture = picture.anew(scope);
            if self.stage.draws() {
                self.stage.leave();
                self.stage.gap();
            }
        }
        self.picture = Some(picture);
    }

    /// What there is instead of what had to come, in a sentence or two.
    fn instead(&self) -> String {
        let teds = self.daemon.store.teds();
        if teds.is_empty() {
            return "the daemon knows of no TED".to_owned();
        }
        let told: Vec<String> = teds
            .iter()
            .map(|ted| format!("{}: {}", ted.metadata.name, state(&ted.status)))
            .collect();
        told.join("; ")
    }
}

/// How a TED stands, in a sentence.
pub(super) fn state(status: &Status) -> String {
    use crate::assess::types::{ConditionStatus, ConditionType};
    if let Some(trouble) = &status.trouble {
        return trouble.message.clone();
    }
    let told = [ConditionType::Stalled, ConditionType::Reconciling, ConditionType::Ready];
    let mut told = told.iter().filter_map(|kind| status.condition(*kind));
    told.find(|it| it.status == ConditionStatus::True || it.kind == ConditionType::Ready)
        .map_or_else(String::new, |condition| condition.message.clone())
}
