//! What a bundle holds beside what AWS says: versions, environment, settings, and what the controller remembers and logged.
//!
//! Nothing of it is needed. What is not there, broken or not ours to read is listed as missing.

use super::super::what::AwsArgs;
use super::Args;
use crate::controller::state_file;
use crate::observe::observation::{Observation, Seen};
use crate::redact::Redactor;
use crate::report::{Memory, audit};
use crate::settings::{self, Overrides, RolePattern, Settings};
use crate::support::Surroundings;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// How much of the end of a log is taken: some hours of a busy controller.
const LOG_BYTES: u64 = 1024 * 1024;

/// How many audit lines are taken, the newest: an update has about ten.
const AUDIT_LINES: usize = 2_000;

/// How large a settings file may be.
const SETTINGS_BYTES: u64 = 1024 * 1024;

/// What the names of the variables begin with that say how AWS is asked and what the controller does.
const VARIABLES: [&str; 9] = [
    "AWS_",
    "TED_CONTROLLER_",
    "RUST_LOG",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// All of it.
pub(super) struct Around {
    pub(super) surroundings: Surroundings,
    /// Knows the secrets of the environment and of the settings.
    pub(super) redactor: Redactor,
    settings: Option<Settings>,
    memory: Option<Memory>,
    /// The state directory.
    audit_from: Option<PathBuf>,
}

impl Around {
    pub(super) fn of(args: &Args) -> Self {
        let mut around = Self {
            surroundings: Surroundings { tool: tool(), ..Surroundings::default() },
            redactor: Redactor::default(),
            settings: None,
            memory: None,
            audit_from: None,
        };
        around.environment();
        around.settings(args);
        for log in &args.log {
            around.log(log);
        }
        if args.log.is_empty() {
            around.misses("logs of the controller: not given (`--log FILE`)".to_owned());
        }
        around
    }

    pub(super) fn misses(&mut self, what: String) {
        self.surroundings.missing.push(what);
    }

    /// The flags about AWS, and where they are silent what the settings say.
    pub(super) fn flags(&self, flags: &AwsArgs) -> AwsArgs {
        let mut flags = flags.clone();
        if let Some(aws) = self.settings.as_ref().map(|settings| &settings.aws) {
            flags.region = flags.region.or(aws.region.as_ref().map(ToString::to_string));
            flags.account = flags.account.or(aws.account.as_ref().map(ToString::to_string));
        }
        flags
    }

    /// The roles that the settings let documents name.
    pub(super) fn allowed_roles(&self) -> Vec<RolePattern> {
        let settings = self.settings.as_ref();
        settings.map(|settings| settings.aws.allowed_roles.clone()).unwrap_or_default()
    }

    fn environment(&mut self) {
        for (name, value) in std::env::vars_os() {
            let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) else { continue };
            // Also of those that are not shown: a log may tell them.
            self.redactor.learn_named(&name, &value);
            if VARIABLES.iter().any(|beginning| name.starts_with(beginning)) {
                self.surroundings.environment.push((name, value));
            }
        }
        self.surroundings.environment.sort();
    }

    fn settings(&mut self, args: &Args) {
        let file = args.config.clone().or_else(|| {
            let name = std::env::var_os("TED_CONTROLLER_CONFIG").filter(|name| !name.is_empty());
            name.map(Into::into)
        });
        match &file {
            Some(path) => match head(path) {
                Ok(text) => self.surroundings.files.push(("settings.yaml".to_owned(), text)),
                Err(error) => self.misses(format!("the settings `{}`: {error}", path.display())),
            },
            None => {
                self.misses("the controller's settings: not given (`--config FILE`)".to_owned());
            }
        }
        let flags = Overrides { state_dir: args.state_dir.clone(), ..Overrides::default() };
        match settings::load(file.as_deref(), flags) {
            Ok(settings) => {
                for secret in settings.secrets() {
                    self.redactor.learn(secret.reveal());
                }
                // They hold no secret by themselves, only where secrets are kept.
                let text = format!("{settings:#?}\n");
                self.surroundings.files.push(("settings-in-effect.txt".to_owned(), text));
                self.settings = Some(settings);
            }
            Err(error) => self.misses(format!("the settings in effect: {error}")),
        }
        let folder = self.settings.as_ref().and_then(|settings| settings.state_dir.clone());
        let Some(folder) = folder.or_else(|| args.state_dir.clone()) else {
            self.misses(
                "history, attempts and audit of the controller: no state directory given (`--state-dir DIR`)"
                    .to_owned(),
            );
            return;
        };
        let state = state_file(&folder);
        if state.exists() {
            match Memory::load(&state) {
                Ok(memory) => self.memory = Some(memory),
                Err(error) => self.misses(format!("what the controller remembers: {error}")),
            }
        } else {
            self.misses(format!(
                "what the controller remembers: there is no `{}`",
                state.display()
            ));
        }
        self.audit_from = Some(folder);
    }

    fn log(&mut self, path: &Path) {
        match tail(path) {
            Ok(text) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let number = self.surroundings.files.len();
                self.surroundings.files.push((format!("{number}-{name}"), text));
            }
            Err(error) => self.misses(format!("the log `{}`: {error}", path.display())),
        }
    }

    /// What the controller noted of a TED in its state directory.
    pub(super) fn remembered(&mut self, name: &str, seen: &Observation) {
        let names = names(name, seen);
        if let Some(memory) = &self.memory {
            let found = memory.teds.iter().find(|(known, _)| names.contains(known.as_str()));
            match found {
                Some((known, remembered)) => {
                    let note =
                        json!({"name": known, "remembered": remembered, "freeze": memory.freeze});
                    self.surroundings.notes.push((format!("{known}-state.json"), note));
                }
                None => self.misses(format!(
                    "{name}: what the controller remembers: its state file does not know it"
                )),
            }
        }
        let Some(folder) = &self.audit_from else { return };
        let is_about = |line: &audit::Line| {
            names.contains(line.ted.as_str())
                || line.product.as_deref().is_some_and(|product| names.contains(product))
        };
        match audit::read(folder, is_about) {
            Ok(mut lines) => {
                let lines = lines.split_off(lines.len().saturating_sub(AUDIT_LINES));
                self.surroundings.notes.push((format!("{name}-audit.json"), json!(lines)));
            }
            Err(error) => self.misses(format!("{name}: audit of the controller: {error}")),
        }
    }
}

/// What a TED may be called by the controller: its name, its product's, its product's id, and its hive's as adopted documents have it.
fn names(name: &str, seen: &Observation) -> BTreeSet<String> {
    let mut names = BTreeSet::from([name.to_owned()]);
    if let Seen::Present(products) = &seen.products {
        for product in products {
            names.extend([product.id.clone(), product.name.clone()]);
            names.extend(product.name.strip_prefix("ted-").map(str::to_owned));
        }
    }
    names
}

fn tool() -> Vec<(String, String)> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        pair("ted-controller", env!("CARGO_PKG_VERSION")),
        pair("system", std::env::consts::OS),
        pair("architecture", std::env::consts::ARCH),
    ]
}

fn head(path: &Path) -> io::Result<String> {
    let mut text = Vec::new();
    File::open(path)?.take(SETTINGS_BYTES).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The end of a file, from the beginning of a line.
fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let skipped = length.saturating_sub(LOG_BYTES);
    file.seek(SeekFrom::Start(skipped))?;
    let mut text = Vec::new();
    file.take(LOG_BYTES).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    Ok(match skipped {
        0 => text.into_owned(),
        _ => text.split_once('\n').map_or("", |(_, rest)| rest).to_owned(),
    })
}
