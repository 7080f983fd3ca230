//! The controller's settings: flags over environment over file over defaults, checked once, one struct.
//!
//! The file (`config/controller.yaml` shows every key) is YAML; an unknown key is an error with its line, since a misspelled bound is no
//! bound. Secrets are never in it: a token is named by its file.

use crate::desired::{AccountId, Defaults, Mode, Region, duration};
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The largest settings file that is read.
const MAX_BYTES: u64 = 1 << 20;

/// The default address of the server.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Everything that the controller is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The upper bound for every document's mode.
    pub mode: Mode,
    /// File or folder of desired documents.
    pub desired: Option<PathBuf>,
    /// How to reach AWS.
    pub aws: Aws,
    /// The HTTP server.
    pub server: Server,
    /// Where comfort and evidence are kept; absent: nowhere.
    pub state_dir: Option<PathBuf>,
    /// This controller, as it signs its holds. Without blanks.
    pub controller_id: String,
    /// How many TEDs are looked at at the same time.
    pub workers: usize,
    /// How often the source is read again although nothing was notified.
    pub source_poll: Duration,
    /// Whether no start is allowed from the beginning.
    pub frozen: bool,
    /// Logging.
    pub log: Log,
}

/// How to reach AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aws {
    /// The region of documents that name none.
    pub region: Option<Region>,
    /// The only account that may be touched without a role.
    pub account: Option<AccountId>,
    /// Patterns of roles that documents may name.
    pub allowed_roles: Vec<String>,
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

/// Logging.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// A filter as in `RUST_LOG`: `info`, `ted_controller=debug`.
    pub level: Option<String>,
    /// Text or JSON; absent: text on a terminal, else JSON.
    pub format: Option<LogFormat>,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // The document decides; what is not said in it is `observe`.
            mode: Mode::Apply,
            desired: None,
            aws: Aws::default(),
            server: Server { listen: DEFAULT_LISTEN, token_file: None, hosts: Vec::new() },
            state_dir: None,
            controller_id: "ted-controller".to_owned(),
            workers: 8,
            source_poll: Duration::from_secs(30),
            frozen: false,
            log: Log::default(),
        }
    }
}

impl Settings {
    /// What documents are read with.
    pub fn defaults(&self) -> Defaults {
        Defaults { region: self.aws.region.clone(), account: self.aws.account.clone() }
    }
}

/// What flags and environment say; each wins over the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--mode`. It can only narrow: `observe` holds against any file.
    pub mode: Option<Mode>,
    /// `--desired`.
    pub desired: Option<PathBuf>,
    /// `--region`.
    pub region: Option<String>,
    /// `--account`.
    pub account: Option<String>,
    /// `--listen`.
    pub listen: Option<SocketAddr>,
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// `--log-level`.
    pub log_level: Option<String>,
    /// `--log-format`.
    pub log_format: Option<LogFormat>,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read `{path}`")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not right.
    #[error("{place}: {message}")]
    Invalid {
        /// File, line and column; or the flag.
        place: String,
        /// What is wrong.
        message: String,
        /// What to write instead.
        hint: Option<String>,
    },
}

impl SettingsError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Unreadable { .. } => {
                Some("`--config` names a file such as config/controller.yaml")
            }
            Self::Invalid { hint, .. } => hint.as_deref(),
        }
    }
}

/// The file, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Written {
    mode: Option<String>,
    desired: Option<PathBuf>,
    region: Option<String>,
    account: Option<String>,
    allowed_roles: Vec<String>,
    server: WrittenServer,
    state_dir: Option<PathBuf>,
    controller_id: Option<String>,
    workers: Option<usize>,
    source_poll: Option<String>,
    frozen: bool,
    log: WrittenLog,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct WrittenServer {
    listen: Option<SocketAddr>,
    token_file: Option<PathBuf>,
    hosts: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct WrittenLog {
    level: Option<String>,
    format: Option<LogFormat>,
}

/// Reads the file, if there is one, and lays the overrides over it.
///
/// # Errors
/// The file cannot be read or is not right, or a flag has no meaning.
pub fn load(file: Option<&Path>, overrides: Overrides) -> Result<Settings, SettingsError> {
    let (written, name) = match file {
        Some(path) => (read(path)?, path.display().to_string()),
        None => (Written::default(), String::new()),
    };
    merge(written, &name, file.and_then(Path::parent), overrides)
}

fn read(path: &Path) -> Result<Written, SettingsError> {
    use std::io::Read as _;
    let name = path.display().to_string();
    let unreadable = |source| SettingsError::Unreadable { path: name.clone(), source };
    let mut text = String::new();
    std::fs::File::open(path)
        .map_err(unreadable)?
        .take(MAX_BYTES)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    parse(&text, &name)
}

fn parse(text: &str, name: &str) -> Result<Written, SettingsError> {
    // A file of comments alone is a file that says nothing.
    let read: Result<Option<Written>, serde_yaml::Error> = serde_yaml::from_str(text);
    read.map(Option::unwrap_or_default).map_err(|error| {
        let place = match error.location() {
            Some(at) => format!("{name}:{}:{}", at.line(), at.column()),
            None => name.to_owned(),
        };
        // The place is said once, before the message.
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
        SettingsError::Invalid { place, hint: nearest(&message), message }
    })
}

/// "unknown field `x`, expected one of `a`, `b`": which of them was meant.
fn nearest(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let found = quoted.next().filter(|_| message.contains("unknown field"))?;
    let meant = quoted.min_by_key(|known| strsim::damerau_levenshtein(found, known))?;
    (strsim::damerau_levenshtein(found, meant) <= 3).then(|| format!("write `{meant}`"))
}

fn merge(
    written: Written,
    name: &str,
    folder: Option<&Path>,
    overrides: Overrides,
) -> Result<Settings, SettingsError> {
    let standard = Settings::default();
    // Paths in a file are meant from where the file lies.
    let beside = |path: PathBuf| folder.map_or_else(|| path.clone(), |folder| folder.join(&path));
    let wrong = |key: &str, message: String, hint: Option<String>| SettingsError::Invalid {
        place: if name.is_empty() { format!("--{key}") } else { format!("{name}: {key}") },
        message,
        hint,
    };
    let mode = match written.mode.as_deref() {
        None => standard.mode,
        Some(text) => {
            Mode::parse(text).map_err(|error| wrong("mode", error.to_string(), error.hint))?
        }
    };
    // A flag may narrow what the file allows, and never widens it.
    let mode = match overrides.mode {
        Some(Mode::Observe) => Mode::Observe,
        Some(Mode::Apply) | None => mode,
    };
    let region = overrides.region.or(written.region);
    let region = region
        .map(|text| {
            Region::parse(&text).map_err(|error| wrong("region", error.to_string(), error.hint))
        })
        .transpose()?;
    let account = overrides.account.or(written.account);
    let account = account
        .map(|text| {
            AccountId::parse(&text).map_err(|error| wrong("account", error.to_string(), error.hint))
        })
        .transpose()?;
    let source_poll = match written.source_poll.as_deref() {
        None => standard.source_poll,
        Some(text) => duration::parse(text)
            .map_err(|error| wrong("sourcePoll", error.to_string(), error.hint))?
            .max(Duration::from_secs(1)),
    };
    let controller_id = written.controller_id.unwrap_or(standard.controller_id);
    if controller_id.is_empty()
        || controller_id.len() > 64
        || controller_id.contains(char::is_whitespace)
    {
        return Err(wrong(
            "controllerId",
            "it must have 1 to 64 characters and no blanks: it stands in the tags of holds"
                .to_owned(),
            None,
        ));
    }
    let workers = written.workers.unwrap_or(standard.workers);
    if !(1..=64).contains(&workers) {
        return Err(wrong("workers", format!("{workers} is not between 1 and 64"), None));
    }
    Ok(Settings {
        mode,
        desired: overrides.desired.or(written.desired.map(beside)),
        aws: Aws { region, account, allowed_roles: written.allowed_roles },
        server: Server {
            listen: overrides.listen.or(written.server.listen).unwrap_or(DEFAULT_LISTEN),
            token_file: written.server.token_file.map(beside),
            hosts: written.server.hosts,
        },
        state_dir: overrides.state_dir.or(written.state_dir.map(beside)),
        controller_id,
        workers,
        source_poll,
        frozen: written.frozen,
        log: Log {
            level: overrides.log_level.or(written.log.level),
            format: overrides.log_format.or(written.log.format),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str, overrides: Overrides) -> Result<Settings, String> {
        let written = parse(text, "controller.yaml").map_err(|error| said(&error))?;
        merge(written, "controller.yaml", Some(Path::new("/etc/ted")), overrides)
            .map_err(|error| said(&error))
    }

    fn said(error: &SettingsError) -> String {
        format!("{error} | {}", error.hint().unwrap_or("-"))
    }

    #[test]
    fn the_sample_shows_every_key_and_only_looks() {
        let sample = include_str!("../config/controller.yaml");
        let settings = from(sample, Overrides::default()).unwrap();
        assert_eq!(
            settings,
            Settings {
                mode: Mode::Observe,
                log: Log { level: Some("info".into()), format: None },
                ..Settings::default()
            }
        );
        let shown: String = sample
            .lines()
            .map(|line| line.trim_start().trim_start_matches("# "))
            .fold(String::new(), |all, line| all + line + "\n");
        for key in [
            "mode",
            "desired",
            "region",
            "account",
            "allowedRoles",
            "server",
            "listen",
            "tokenFile",
            "hosts",
            "stateDir",
            "controllerId",
            "workers",
            "sourcePoll",
            "frozen",
            "log",
            "level",
            "format",
        ] {
            assert!(shown.contains(&format!("{key}:")), "the sample does not show `{key}`");
        }
        assert_eq!(from("", Overrides::default()).unwrap(), Settings::default());
        assert_eq!(from("# nothing\n", Overrides::default()).unwrap(), Settings::default());
    }

    #[test]
    fn flags_win_but_never_widen_the_mode() {
        let apply = || Overrides { mode: Some(Mode::Apply), ..Overrides::default() };
        let observe = || Overrides { mode: Some(Mode::Observe), ..Overrides::default() };
        let mode = |text: &str, overrides| from(text, overrides).unwrap().mode;
        assert_eq!(mode("mode: apply", Overrides::default()), Mode::Apply);
        assert_eq!(mode("mode: apply", observe()), Mode::Observe);
        assert_eq!(mode("mode: observe", apply()), Mode::Observe, "the file is the bound");
        assert_eq!(mode("", apply()), Mode::Apply);
        let region = Overrides { region: Some("eu-west-1".into()), ..Overrides::default() };
        assert_eq!(
            from("region: us-east-2", region).unwrap().aws.region.unwrap().as_str(),
            "eu-west-1"
        );
    }

    #[test]
    fn paths_of_a_file_are_meant_from_where_it_lies() {
        let settings = from(
            "desired: teds\nstateDir: /var/lib/ted\nserver: {tokenFile: token}",
            Overrides::default(),
        )
        .unwrap();
        assert_eq!(settings.desired.unwrap(), Path::new("/etc/ted/teds"));
        assert_eq!(settings.state_dir.unwrap(), Path::new("/var/lib/ted"));
        assert_eq!(settings.server.token_file.unwrap(), Path::new("/etc/ted/token"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_what_was_meant() {
        let table = [
            ("mod: observe", "controller.yaml:1:1", "write `mode`"),
            ("mode: aply", "controller.yaml: mode", "`apply`"),
            ("account: 12", "controller.yaml", "-"),
            ("account: \"12\"", "controller.yaml: account", "leading zeros"),
            ("workers: 0", "controller.yaml: workers", "-"),
            ("controllerId: \"a b\"", "controller.yaml: controllerId", "-"),
            ("sourcePoll: soon", "controller.yaml: sourcePoll", ""),
            ("server: {listen: here}", "controller.yaml:1", "-"),
            ("- 1", "controller.yaml", "-"),
        ];
        for (text, place, hint) in table {
            let error = from(text, Overrides::default()).unwrap_err();
            let (message, said) = error.split_once(" | ").unwrap();
            assert!(message.starts_with(place), "{text}: {error}");
            assert!(said.contains(hint), "{text}: {error}");
        }
    }
}
