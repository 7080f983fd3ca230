//! What the controller itself is told: flags, environment and a YAML file, made one checked struct.
//!
//! **Precedence**: a flag wins over the environment, the environment over the file, the file over the default. Two things
//! differ. The mode is an upper bound, so the strictest of all places wins: nobody may loosen by a flag what a file forbids.
//! And what is silent here about AWS is left to the standard chain (`AWS_REGION`, profiles, instance and task roles).
//!
//! Everything is checked before anything starts, and everything that is wrong is said at once, with file, line, column and
//! what to write instead: the file is read by the rules of desired documents ([`crate::desired`]).
//!
//! Nothing here holds a secret: the settings say where one is kept ([`SecretRef`]), and whoever needs it reads it there,
//! so that a secret that was replaced takes effect. Nothing here asks AWS or the network.

mod error;
mod fields;
mod file;
mod overrides;
mod role_pattern;
mod secret;

pub use error::SettingsError;
pub use file::log_level;
pub use overrides::{ENVIRONMENT, Overrides, parse_listen};
pub use role_pattern::{BadRolePattern, RolePattern};
pub use secret::{Secret, SecretError, SecretRef};

use crate::desired::{AccountId, Defaults, MaintenanceWindows, Mode, Region, Suspend};
use jiff::Timestamp;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The port of page, API and metrics.
pub const DEFAULT_PORT: u16 = 8080;

/// How many TEDs are looked at at once unless the settings say otherwise. A look is mostly waiting for AWS, and the request
/// budgets bound what it costs; four keep a slow account from holding up the others.
pub const DEFAULT_WORKERS: u8 = 4;

/// What the controller is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The name this controller signs its holds with. It must outlive restarts: a hold of another name is never released.
    pub controller_id: String,
    /// Where and as whom AWS is asked.
    pub aws: Aws,
    /// Where documents come from; empty: nothing was named.
    pub sources: Vec<SourceSettings>,
    /// The upper bound of every document's mode.
    pub mode_bound: Mode,
    /// Whether every start is stopped, and why.
    pub freeze: Option<Suspend>,
    /// Windows that hold beside each document's own.
    pub windows: MaintenanceWindows,
    /// How often to look at a TED whose document does not say.
    pub interval: Duration,
    /// How many TEDs are looked at at once.
    pub workers: u8,
    /// Where history, audit and transition times are kept; `None`: nowhere, they last as long as the process.
    pub state_dir: Option<PathBuf>,
    /// Where page, API and metrics are served.
    pub listen: SocketAddr,
    /// How page and API are protected.
    pub http: Http,
    /// What is logged, and how.
    pub log: Log,
}

/// Where and as whom AWS is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aws {
    /// The region of documents that name none; absent: the standard chain's.
    pub region: Option<Region>,
    /// The only account that may be touched without a role.
    pub account: Option<AccountId>,
    /// Roles that documents may name; none: no roles.
    pub allowed_roles: Vec<RolePattern>,
    /// Limits of one attempt.
    pub timeouts: Timeouts,
}

/// Limits of one attempt. The SDK sets none but for connecting: one hung answer would stop a loop for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To get a connection, TLS included.
    pub connect: Duration,
    /// Until the first byte of the answer.
    pub read: Duration,
    /// One attempt, credentials and body included.
    pub attempt: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(15),
            attempt: Duration::from_secs(20),
        }
    }
}

/// A place that documents come from.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceSettings {
    /// A file, or a folder that is read recursively.
    Path(PathBuf),
}

/// How page and API are protected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Http {
    /// The file with the token that requests which change something must bring.
    pub token_file: Option<PathBuf>,
    /// Names by which the server may be called, beside those of the loopback.
    pub hosts: Vec<String>,
}

impl Http {
    /// The token, read now; `None` when none is configured.
    ///
    /// # Errors
    /// The file cannot be read, is empty or too long.
    pub fn token(&self) -> Result<Option<Secret>, SecretError> {
        self.token_file.as_ref().map(|path| SecretRef::File(path.clone()).read()).transpose()
    }
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A level, or directives as `RUST_LOG` takes them: `info`, `info,ted_controller::aws=debug`.
    pub level: String,
    /// The form of a line.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Auto }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Text,
    /// For programs: one object a line.
    Json,
}

impl LogFormat {
    /// The words of the settings file.
    pub const NAMES: &'static [&'static str] = &["auto", "text", "json"];
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            controller_id: "ted-controller".to_owned(),
            aws: Aws::default(),
            sources: Vec::new(),
            mode_bound: Mode::Apply,
            freeze: None,
            windows: MaintenanceWindows::default(),
            interval: Duration::from_mins(2),
            workers: DEFAULT_WORKERS,
            state_dir: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)),
            http: Http::default(),
            log: Log::default(),
        }
    }
}

impl Settings {
    /// Settings from flags, environment and the file that one of the two names, if any.
    ///
    /// # Errors
    /// The file cannot be read, or something in it is wrong.
    pub fn load(flags: Overrides, environment: Overrides) -> Result<Self, SettingsError> {
        let overrides = flags.or(environment);
        let mut settings = match &overrides.config {
            Some(path) => file::read(path)?,
            None => Self::default(),
        };
        settings.apply(overrides);
        Ok(settings)
    }

    /// Settings of a file's text alone; relative paths in it are below `folder`.
    ///
    /// # Errors
    /// Something in it is wrong.
    pub fn parse(name: &str, bytes: &[u8], folder: &Path) -> Result<Self, SettingsError> {
        file::parse(name, bytes, folder)
    }

    /// Puts on top what flags or environment say.
    fn apply(&mut self, overrides: Overrides) {
        // Destructured, so that a new override cannot be forgotten here.
        let Overrides {
            config: _,
            desired,
            mode,
            account,
            region,
            listen,
            state_dir,
            interval,
            workers,
            log_level,
            log_format,
        } = overrides;
        if !desired.is_empty() {
            self.sources = desired.into_iter().map(SourceSettings::Path).collect();
        }
        if let Some(mode) = mode {
            self.mode_bound = stricter(self.mode_bound, mode);
        }
        self.aws.account = account.or(self.aws.account.take());
        self.aws.region = region.or(self.aws.region.take());
        self.listen = listen.unwrap_or(self.listen);
        self.state_dir = state_dir.or(self.state_dir.take());
        self.interval = interval.unwrap_or(self.interval);
        self.workers = workers.unwrap_or(self.workers);
        if let Some(level) = log_level {
            self.log.level = level;
        }
        self.log.format = log_format.unwrap_or(self.log.format);
    }

    /// What documents that are silent are taken to say.
    pub fn defaults(&self) -> Defaults {
        Defaults {
            region: self.aws.region.clone(),
            account: self.aws.account.clone(),
            interval: Some(self.interval),
        }
    }

    /// Why every start is stopped by the settings at this moment; `None`: it is not.
    pub fn frozen_at(&self, now: Timestamp) -> Option<String> {
        let freeze = self.freeze.as_ref().filter(|freeze| freeze.holds(now))?;
        Some(freeze.reason.clone().unwrap_or_else(|| "by the controller's settings".to_owned()))
    }
}

/// Of two upper bounds the one that allows less.
fn stricter(a: Mode, b: Mode) -> Mode {
    match (a, b) {
        (Mode::Apply, Mode::Apply) => Mode::Apply,
        (Mode::Observe, _) | (_, Mode::Observe) => Mode::Observe,
    }
}

#[cfg(test)]
mod tests;
