//! What flags and environment override. Free of the command line's library: commands fill it as they like.

use super::error::SettingsError;
use super::file::log_level;
use super::{LogFormat, stricter};
use crate::desired::{AccountId, Complaint, Mode, Region, duration};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What flags or environment override; absent members leave things as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// `--config`: the settings file.
    pub config: Option<PathBuf>,
    /// `--desired`, once or more: replaces the file's sources.
    pub desired: Vec<PathBuf>,
    /// `--mode`: an upper bound for everything.
    pub mode: Option<Mode>,
    /// `--account`: the only account that may be touched without a role.
    pub account: Option<AccountId>,
    /// `--region`: the region of documents that name none.
    pub region: Option<Region>,
    /// `--listen`.
    pub listen: Option<SocketAddr>,
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// How often to look at a TED whose document does not say.
    pub interval: Option<Duration>,
    /// How many TEDs are looked at at once.
    pub workers: Option<u8>,
    /// `--log-level`: a level or directives.
    pub log_level: Option<String>,
    /// `--log-format`.
    pub log_format: Option<LogFormat>,
}

/// The variables that are read, each with what it says. `AWS_*` and `HTTPS_PROXY` are read by others.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("TED_CONTROLLER_CONFIG", "the settings file, as `--config`"),
    ("TED_CONTROLLER_DESIRED", "the file or folder of desired documents, as `--desired`"),
    ("TED_CONTROLLER_MODE", "an upper bound for everything, as `--mode`"),
    ("TED_CONTROLLER_ACCOUNT", "the only account that may be touched, as `--account`"),
    ("TED_CONTROLLER_REGION", "the region of documents that name none, as `--region`"),
    ("TED_CONTROLLER_LISTEN", "where page and API are served, as `--listen`"),
    ("TED_CONTROLLER_STATE_DIR", "where history and audit are kept, as `--state-dir`"),
    ("TED_CONTROLLER_INTERVAL", "how often to look where a document does not say"),
    ("RUST_LOG", "what is logged, as `--log-level`"),
    ("TED_CONTROLLER_LOG_FORMAT", "`auto`, `text` or `json`, as `--log-format`"),
];

impl Overrides {
    /// What the environment says; `look_up` gives a variable's value. Empty variables count as not set.
    ///
    /// # Errors
    /// A variable's value is wrong.
    pub fn from_environment(
        look_up: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingsError> {
        let text = |name: &str| look_up(name).filter(|value| !value.trim().is_empty());
        Ok(Self {
            config: text("TED_CONTROLLER_CONFIG").map(PathBuf::from),
            desired: text("TED_CONTROLLER_DESIRED").map(PathBuf::from).into_iter().collect(),
            mode: checked(&text, "TED_CONTROLLER_MODE", Mode::parse)?,
            account: checked(&text, "TED_CONTROLLER_ACCOUNT", AccountId::parse)?,
            region: checked(&text, "TED_CONTROLLER_REGION", Region::parse)?,
            listen: checked(&text, "TED_CONTROLLER_LISTEN", parse_listen)?,
            state_dir: text("TED_CONTROLLER_STATE_DIR").map(PathBuf::from),
            interval: checked(&text, "TED_CONTROLLER_INTERVAL", duration::parse)?,
            workers: None,
            log_level: checked(&text, "RUST_LOG", log_level)?,
            log_format: checked(&text, "TED_CONTROLLER_LOG_FORMAT", LogFormat::parse)?,
        })
    }

    /// What this process's environment says.
    ///
    /// # Errors
    /// A variable's value is wrong.
    pub fn from_process() -> Result<Self, SettingsError> {
        Self::from_environment(|name| std::env::var(name).ok())
    }

    /// These, and where they are silent the others. Of two modes the stricter one.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            config: self.config.or(others.config),
            desired: if self.desired.is_empty() { others.desired } else { self.desired },
            mode: match (self.mode, others.mode) {
                (Some(a), Some(b)) => Some(stricter(a, b)),
                (mode, None) | (None, mode) => mode,
            },
            account: self.account.or(others.account),
            region: self.region.or(others.region),
            listen: self.listen.or(others.listen),
            state_dir: self.state_dir.or(others.state_dir),
            interval: self.interval.or(others.interval),
            workers: self.workers.or(others.workers),
            log_level: self.log_level.or(others.log_level),
            log_format: self.log_format.or(others.log_format),
        }
    }
}

fn checked<T>(
    text: &impl Fn(&str) -> Option<String>,
    variable: &'static str,
    rule: impl FnOnce(&str) -> Result<T, Complaint>,
) -> Result<Option<T>, SettingsError> {
    let Some(found) = text(variable) else { return Ok(None) };
    match rule(found.trim()) {
        Ok(value) => Ok(Some(value)),
        Err(complaint) => Err(SettingsError::Variable { variable, found, complaint }),
    }
}

/// Reads an address to listen on.
///
/// # Errors
/// The text is not an IP address and a port.
pub fn parse_listen(text: &str) -> Result<SocketAddr, Complaint> {
    text.parse().map_err(|_| {
        let hint = match text.rsplit_once(':') {
            Some(("localhost", port)) => Some(format!("write `127.0.0.1:{port}`")),
            Some(("", port)) => Some(format!("write `0.0.0.0:{port}` for every address")),
            None if text.parse::<u16>().is_ok() => Some(format!("write `127.0.0.1:{text}`")),
            Some(_) | None => None,
        };
        Complaint {
            message: "not an address to listen on".to_owned(),
            allowed: Some("an IP address and a port, such as `127.0.0.1:8080`".to_owned()),
            hint,
        }
    })
}
