//! What flags and environment override. Free of the command line's library: commands fill it as they like.

use super::error::SettingsError;
use super::file::{log_level, parse_listen};
use super::{LogFormat, stricter};
use crate::desired::{AccountId, Complaint, Mode, Region};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What flags or environment say; each wins over the file. Absent members leave things as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// The settings file, where no flag names one.
    pub config: Option<PathBuf>,
    /// `--mode`. It can only narrow: `observe` holds against any file.
    pub mode: Option<Mode>,
    /// `--desired`. It replaces all sources of the file.
    pub desired: Option<PathBuf>,
    /// `--region`.
    pub region: Option<String>,
    /// `--account`.
    pub account: Option<String>,
    /// `--listen`.
    pub listen: Option<SocketAddr>,
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
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
    ("RUST_LOG", "what is logged, as `--log-level`"),
    ("TED_CONTROLLER_LOG_FORMAT", "`text` or `json`, as `--log-format`"),
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
        let region = checked(&text, "TED_CONTROLLER_REGION", Region::parse)?;
        let account = checked(&text, "TED_CONTROLLER_ACCOUNT", AccountId::parse)?;
        Ok(Self {
            config: text("TED_CONTROLLER_CONFIG").map(PathBuf::from),
            mode: checked(&text, "TED_CONTROLLER_MODE", Mode::parse)?,
            desired: text("TED_CONTROLLER_DESIRED").map(PathBuf::from),
            region: region.map(|region| region.to_string()),
            account: account.map(|account| account.to_string()),
            listen: checked(&text, "TED_CONTROLLER_LISTEN", parse_listen)?,
            state_dir: text("TED_CONTROLLER_STATE_DIR").map(PathBuf::from),
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
            mode: match (self.mode, others.mode) {
                (Some(a), Some(b)) => Some(stricter(a, b)),
                (mode, None) | (None, mode) => mode,
            },
            desired: self.desired.or(others.desired),
            region: self.region.or(others.region),
            account: self.account.or(others.account),
            listen: self.listen.or(others.listen),
            state_dir: self.state_dir.or(others.state_dir),
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
