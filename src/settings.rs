//! What the controller itself is told: flags over environment over a YAML file over defaults, checked once, one struct.
//!
//! Two things differ from that order. The mode is an upper bound, so the strictest of all places wins: a misspelled or
//! forgotten bound must not loosen another one. And what nobody says about AWS is left to the standard chain (`AWS_REGION`,
//! profiles, instance and task roles).
//!
//! Everything is checked before anything starts, and everything that is wrong is said at once, with file, line, column and
//! what to write instead: the file is read by the rules of desired documents ([`crate::desired`]).
//!
//! Nothing here holds a secret: the settings say where one is kept ([`SecretRef`]), and whoever needs it reads it there,
//! so that a secret that was replaced takes effect. Nothing here asks AWS or the network.

mod error;
mod fields;
mod file;
mod git;
mod notify;
mod overrides;
mod role_pattern;
mod secret;

pub use error::SettingsError;
pub use file::{log_level, parse_listen};
pub use git::{
    DEFAULT_GIT_INTERVAL, DEFAULT_GIT_TIMEOUT, GitAuth, GitReference, GitScheme, GitSettings,
    GitUrl, TokenScheme,
};
pub use notify::{
    Channel, DEFAULT_GIVE_UP_AFTER, DEFAULT_NOTICE_TIMEOUT, DEFAULT_STATUS_CONTEXT, GITHUB_API,
    GitHubSettings, NoticeKind, NoticeSeverity, ReceiverSettings, ReceiverUrl, UrlError, UrlRef,
};
pub use overrides::{ENVIRONMENT, Overrides};
pub use role_pattern::{BadRolePattern, RolePattern};
pub use secret::{Secret, SecretError, SecretRef};

use crate::desired::{AccountId, Defaults, MaintenanceWindows, Mode, Region, Suspend};
use jiff::Timestamp;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The default address of the server.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// How many TEDs are looked at at once unless the settings say otherwise. A look is mostly waiting for AWS, and the request
/// budgets bound what it costs; eight keep a slow account from holding up the others.
pub const DEFAULT_WORKERS: usize = 8;

/// Everything that the controller is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The upper bound for every document's mode.
    pub mode: Mode,
    /// File or folder of desired documents.
    pub desired: Option<PathBuf>,
    /// Further places that documents come from; together with `desired` they make one set.
    pub sources: Vec<SourceSettings>,
    /// How often a file source is read again although nothing was notified.
    pub source_poll: Duration,
    /// Where and as whom AWS is asked.
    pub aws: Aws,
    /// The HTTP server.
    pub server: Server,
    /// Where comfort and evidence are kept; absent: nowhere, they last as long as the process.
    pub state_dir: Option<PathBuf>,
    /// This controller, as it signs its holds, without blanks. It must outlive restarts: a hold of another name is never
    /// released.
    pub controller_id: String,
    /// How many TEDs are looked at at the same time.
    pub workers: usize,
    /// How often to look at a TED whose document does not say.
    pub interval: Duration,
    /// Windows that hold beside each document's own.
    pub windows: MaintenanceWindows,
    /// Whether no start is allowed, why, and until when.
    pub frozen: Option<Suspend>,
    /// Who is told of what happens.
    pub receivers: Vec<ReceiverSettings>,
    /// Logging.
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
    /// A git repository.
    Git(Box<GitSettings>),
}

/// The HTTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The file of the bearer token that POST needs beyond loopback.
    pub token_file: Option<PathBuf>,
    /// Host names by which it may be asked, beside `localhost` and addresses.
    pub hosts: Vec<String>,
}

impl Server {
    /// The token, read now; `None` when none is configured.
    ///
    /// # Errors
    /// The file cannot be read, is empty or too long.
    pub fn token(&self) -> Result<Option<Secret>, SecretError> {
        self.token_file.as_ref().map(|path| SecretRef::File(path.clone()).read()).transpose()
    }
}

/// Logging.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// A level, or directives as in `RUST_LOG`: `info`, `warn,ted_controller=debug`.
    pub level: Option<String>,
    /// Text or JSON; absent: text on a terminal, else JSON.
    pub format: Option<LogFormat>,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one object a line.
    Json,
}

impl LogFormat {
    /// The words of settings and flags.
    pub const NAMES: &'static [&'static str] = &["text", "json"];
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // The documents decide.
            mode: Mode::Apply,
            desired: None,
            sources: Vec::new(),
            source_poll: Duration::from_secs(30),
            aws: Aws::default(),
            server: Server { listen: DEFAULT_LISTEN, token_file: None, hosts: Vec::new() },
            state_dir: None,
            controller_id: "ted-controller".to_owned(),
            workers: DEFAULT_WORKERS,
            interval: Duration::from_mins(2),
            windows: MaintenanceWindows::default(),
            frozen: None,
            receivers: Vec::new(),
            log: Log::default(),
        }
    }
}

/// Reads the file, if one is named here or by the environment, and lays environment and flags over it.
///
/// # Errors
/// The file cannot be read; something in it, a variable or a flag is wrong.
pub fn load(file: Option<&Path>, flags: Overrides) -> Result<Settings, SettingsError> {
    load_with(file, flags, Overrides::from_process()?)
}

/// As [`load`], with another environment.
///
/// # Errors
/// As there.
pub fn load_with(
    file: Option<&Path>,
    flags: Overrides,
    environment: Overrides,
) -> Result<Settings, SettingsError> {
    let mut settings = match file.or(environment.config.as_deref()) {
        Some(path) => file::read(path)?,
        None => Settings::default(),
    };
    settings.overlay(flags.or(environment))?;
    Ok(settings)
}

impl Settings {
    /// Settings of a file's text alone; relative paths in it are below `folder`.
    ///
    /// # Errors
    /// Something in it is wrong.
    pub fn parse(name: &str, bytes: &[u8], folder: &Path) -> Result<Self, SettingsError> {
        file::parse(name, bytes, folder)
    }

    /// Lays over these what flags or environment say.
    fn overlay(&mut self, overrides: Overrides) -> Result<(), SettingsError> {
        // Destructured, so that a new override cannot be forgotten here.
        let Overrides {
            config: _,
            mode,
            desired,
            region,
            account,
            listen,
            state_dir,
            log_level,
            log_format,
        } = overrides;
        if let Some(mode) = mode {
            self.mode = stricter(self.mode, mode);
        }
        if let Some(desired) = desired {
            self.desired = Some(desired);
            self.sources.clear();
        }
        let flag = |flag, found: String, complaint| SettingsError::Flag { flag, found, complaint };
        if let Some(text) = region {
            self.aws.region =
                Some(Region::parse(&text).map_err(|complaint| flag("--region", text, complaint))?);
        }
        if let Some(text) = account {
            let account = AccountId::parse(&text);
            self.aws.account =
                Some(account.map_err(|complaint| flag("--account", text, complaint))?);
        }
        self.server.listen = listen.unwrap_or(self.server.listen);
        self.state_dir = state_dir.or(self.state_dir.take());
        if let Some(text) = log_level {
            let level = file::log_level(&text);
            self.log.level = Some(level.map_err(|complaint| flag("--log-level", text, complaint))?);
        }
        self.log.format = log_format.or(self.log.format);
        Ok(())
    }

    /// What documents are read with.
    pub fn defaults(&self) -> Defaults {
        Defaults {
            region: self.aws.region.clone(),
            account: self.aws.account.clone(),
            interval: Some(self.interval),
        }
    }

    /// Every place that documents come from, each once: `desired` first.
    pub fn all_sources(&self) -> Vec<SourceSettings> {
        let desired = self.desired.clone().map(SourceSettings::Path);
        let further = self.sources.iter().filter(|source| Some(*source) != desired.as_ref());
        desired.iter().chain(further).cloned().collect()
    }

    /// Every secret that these name and that can be read now, for whoever takes secrets out of text. Of an address that is written here
    /// the path counts as one: chats and automation take whoever knows it for allowed. Blocks.
    pub fn secrets(&self) -> Vec<Secret> {
        let mut places: Vec<&SecretRef> = Vec::new();
        let mut paths = Vec::new();
        for source in &self.sources {
            match source {
                SourceSettings::Git(git) => {
                    places.extend(git.auth.as_ref().and_then(GitAuth::secret));
                }
                SourceSettings::Path(_) => {}
            }
        }
        for receiver in &self.receivers {
            match &receiver.to {
                Channel::Webhook { url, secret } => {
                    match url {
                        UrlRef::Written(url) => paths.push(Secret::new(url.path())),
                        UrlRef::Kept(place) => places.push(place),
                    }
                    places.extend(secret);
                }
                Channel::Slack { url } => places.push(url),
                Channel::GitHub(github) => places.push(&github.token),
            }
        }
        let token = self.server.token().ok().flatten();
        let read = places.into_iter().filter_map(|place| place.read().ok());
        read.chain(token).chain(paths).collect()
    }

    /// Why no start is allowed by the settings at this moment; `None`: starts are allowed.
    pub fn frozen_at(&self, now: Timestamp) -> Option<String> {
        let freeze = self.frozen.as_ref().filter(|freeze| freeze.holds(now))?;
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
