//! Reads the settings file: known fields only, each by its rule, everything that is wrong at once.

use super::error::SettingsError;
use super::fields::{self, GIT, LOG, ROOT, SERVER, SOURCE, TIMEOUTS};
use super::role_pattern::RolePattern;
use super::{Aws, Log, LogFormat, SecretRef, Server, Settings, SourceSettings, Timeouts};
use super::{git, notify};
use crate::desired::form::{
    Fields, Reader, duration, never_fitting, not_one_of, number, suspend, windows, yaml_problem,
};
use crate::desired::yaml::{self, Node};
use crate::desired::{AccountId, Complaint, Mode, Name, Problem, ProblemKind, Region};
use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const DAY: Duration = Duration::from_hours(24);
/// An attempt that took longer would outlive the patience of any pass.
const MAX_TIMEOUT: Duration = Duration::from_mins(5);

pub(super) fn read(path: &Path) -> Result<Settings, SettingsError> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(yaml::MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|source| SettingsError::Unreadable { path: name.clone(), source })?;
    parse(&name, &bytes, path.parent().unwrap_or(Path::new("")))
}

pub(super) fn parse(name: &str, bytes: &[u8], folder: &Path) -> Result<Settings, SettingsError> {
    let stream = yaml::read(bytes);
    if let Some(error) = stream.error {
        return Err(SettingsError::Invalid(vec![yaml_problem(name, error)]));
    }
    let mut reader = Reader::new(name);
    if let Some(second) = stream.documents.get(1) {
        let complaint = Complaint {
            message: "a second document".to_owned(),
            allowed: Some("one".to_owned()),
            hint: Some("documents of TEDs go into a source, not into the settings".to_owned()),
        };
        reader.refuse(second, "", ProblemKind::InvalidValue, complaint);
    }
    // A file without a document, all of it commented out, says nothing.
    let settings = match stream.documents.first() {
        Some(node) => root(&mut reader, node, folder),
        None => Settings::default(),
    };
    if reader.problems.is_empty() {
        return Ok(settings);
    }
    let mut problems: Vec<Problem> = reader.problems;
    problems.sort_by(|a, b| a.location.cmp(&b.location));
    Err(SettingsError::Invalid(problems))
}

fn root(reader: &mut Reader<'_>, node: &Node, folder: &Path) -> Settings {
    let elsewhere = |name: &str| {
        [(TIMEOUTS, "timeouts"), (SERVER, "server"), (LOG, "log")]
            .iter()
            .find(|(fields, _)| fields.iter().any(|field| field.name == name))
            .map(|(_, place)| format!("`{name}` belongs under `{place}`"))
    };
    let fields = reader.fields(node, "", ROOT, elsewhere);
    let default = Settings::default();
    Settings {
        controller_id: reader
            .scalar(&fields, "controllerId", controller_id)
            .unwrap_or(default.controller_id),
        mode: reader.scalar(&fields, "mode", Mode::parse).unwrap_or(default.mode),
        frozen: suspend(reader, &fields, "frozen"),
        windows: controller_windows(reader, &fields),
        interval: duration(reader, &fields, "interval", SECOND, DAY).unwrap_or(default.interval),
        workers: reader
            .scalar(&fields, "workers", |text| number(text, 1, fields::MAX_WORKERS))
            .map_or(default.workers, usize::from),
        state_dir: path(reader, &fields, "stateDir", folder),
        server: server(reader, &fields, folder),
        aws: aws(reader, &fields),
        desired: path(reader, &fields, "desired", folder),
        sources: sources(reader, &fields, folder),
        source_poll: duration(reader, &fields, "sourcePoll", SECOND, DAY)
            .unwrap_or(default.source_poll),
        receivers: notify::read(reader, &fields, folder),
        log: log(reader, &fields),
    }
}

/// The fields of a part, if it is there.
fn part<'n>(
    reader: &mut Reader<'_>,
    fields: &Fields<'n>,
    name: &str,
    known: &'static [crate::desired::form::Field],
) -> Option<Fields<'n>> {
    let node = fields.get(name)?;
    Some(reader.fields(node, &fields.path(name), known, |_| None))
}

fn controller_id(text: &str) -> Result<String, Complaint> {
    // A hold's value is words between blanks, and a tag's value has a limit: a DNS label fits both.
    Name::parse(text).map(|name| name.to_string())
}

fn controller_windows(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
) -> crate::desired::MaintenanceWindows {
    let windows = windows(reader, fields);
    let whole = fields.get("maintenanceWindows").map(|node| node.at).unwrap_or_default();
    for index in never_fitting(windows.windows()) {
        let complaint = Complaint {
            message: "a window that no update fits into".to_owned(),
            allowed: Some("20m or longer, together with windows that it touches".to_owned()),
            hint: Some("an update takes 20 to 60 minutes".to_owned()),
        };
        reader.refuse_field(whole, &format!("maintenanceWindows[{index}]"), complaint);
    }
    windows
}

pub(super) fn path(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    name: &str,
    folder: &Path,
) -> Option<PathBuf> {
    reader.scalar(fields, name, |text| path_text(text).map(|path| folder.join(path)))
}

fn path_text(text: &str) -> Result<&str, Complaint> {
    if text.trim().is_empty() {
        return Err(Complaint::new("an empty path").allowed("a path"));
    }
    if text.starts_with("~/") {
        return Err(Complaint::new("`~` is the shell's, not ours").hint("write the whole path"));
    }
    Ok(text)
}

/// A secret's place: a file, or a variable of the environment.
pub(super) fn secret(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    file: &str,
    variable: &str,
    folder: &Path,
) -> Option<SecretRef> {
    let from_file = path(reader, fields, file, folder).map(SecretRef::File);
    let from_environment = environment(reader, fields, variable);
    if let (Some(node), true) = (fields.get(variable), from_file.is_some()) {
        let complaint = Complaint::new(format!("`{file}` is there too"));
        let at = fields.path(variable);
        let complaint = complaint.hint("keep one of the two");
        reader.note(node.at, &at, ProblemKind::InvalidValue, None, complaint);
    }
    from_file.or(from_environment)
}

/// The name of a variable. Somebody may have written the secret itself there, so what was found is not repeated.
fn environment(reader: &mut Reader<'_>, fields: &Fields<'_>, field: &str) -> Option<SecretRef> {
    let node = fields.get(field)?;
    let text = node.text().unwrap_or_default();
    let is_name = text.len() <= 100
        && text.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if is_name {
        return Some(SecretRef::Environment(text.to_owned()));
    }
    let complaint = Complaint::new("no name of an environment variable")
        .allowed("capital letters, digits and `_`, such as `GIT_TOKEN`");
    reader.note(node.at, &fields.path(field), ProblemKind::InvalidValue, None, complaint);
    None
}

fn aws(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Aws {
    let mut allowed_roles = Vec::new();
    for (path, node) in reader.list(fields, "allowedRoles") {
        let rule = |text: &str| {
            RolePattern::new(text).map_err(|_| {
                Complaint::new("no pattern for role ARNs")
                    .allowed("a role's ARN with its account, such as `arn:aws:iam::111122223333:role/ted-*`; `*` alone allows too much")
            })
        };
        allowed_roles.extend(reader.value(node, &path, rule));
    }
    Aws {
        region: reader.scalar(fields, "region", Region::parse),
        account: reader.scalar(fields, "account", AccountId::parse),
        allowed_roles,
        timeouts: timeouts(reader, fields),
    }
}

fn timeouts(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Timeouts {
    let default = Timeouts::default();
    let Some(fields) = part(reader, fields, "timeouts", TIMEOUTS) else { return default };
    let mut limit = |name: &str| duration(reader, &fields, name, SECOND, MAX_TIMEOUT);
    Timeouts {
        connect: limit("connect").unwrap_or(default.connect),
        read: limit("read").unwrap_or(default.read),
        attempt: limit("attempt").unwrap_or(default.attempt),
    }
}

fn sources(reader: &mut Reader<'_>, fields: &Fields<'_>, folder: &Path) -> Vec<SourceSettings> {
    let mut sources = Vec::new();
    for (at, node) in reader.list(fields, "sources") {
        let problems = reader.problems.len();
        let fields = reader.fields(node, &at, SOURCE, |name| {
            let of_git = GIT.iter().any(|field| field.name == name);
            of_git.then(|| format!("`{name}` belongs under `git`"))
        });
        let file = path(reader, &fields, "path", folder).map(SourceSettings::Path);
        let repository = fields
            .get("git")
            .and_then(|node| git::read(reader, node, &fields.path("git"), folder))
            .map(|git| SourceSettings::Git(Box::new(git)));
        if reader.problems.len() > problems {
            continue;
        }
        let complaint = match (file, repository) {
            (Some(source), None) | (None, Some(source)) => {
                if !sources.iter().any(|other| is_same(other, &source)) {
                    sources.push(source);
                    continue;
                }
                (ProblemKind::DuplicateField, Complaint::new("the source is there twice"))
            }
            (Some(_), Some(_)) => {
                let complaint = Complaint::new("a path and a repository in one source");
                (ProblemKind::InvalidValue, complaint.hint("make two sources of it"))
            }
            (None, None) => {
                let complaint = Complaint::new("a source that names nothing");
                (ProblemKind::MissingField, complaint.hint("add `path: …`, or `git: {url: …}`"))
            }
        };
        reader.refuse(node, &at, complaint.0, complaint.1);
    }
    sources
}

fn is_same(a: &SourceSettings, b: &SourceSettings) -> bool {
    match (a, b) {
        (SourceSettings::Path(a), SourceSettings::Path(b)) => a == b,
        (SourceSettings::Git(a), SourceSettings::Git(b)) => git::same_place(a, b),
        (SourceSettings::Path(_), SourceSettings::Git(_))
        | (SourceSettings::Git(_), SourceSettings::Path(_)) => false,
    }
}

fn server(reader: &mut Reader<'_>, fields: &Fields<'_>, folder: &Path) -> Server {
    let default = Settings::default().server;
    let Some(fields) = part(reader, fields, "server", SERVER) else { return default };
    let mut hosts = Vec::new();
    for (path, node) in reader.list(&fields, "hosts") {
        hosts.extend(reader.value(node, &path, host));
    }
    Server {
        listen: reader.scalar(&fields, "listen", parse_listen).unwrap_or(default.listen),
        token_file: path(reader, &fields, "tokenFile", folder),
        hosts,
    }
}

fn host(text: &str) -> Result<String, Complaint> {
    let well_formed = !text.is_empty()
        && text.len() <= 253
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    if well_formed {
        return Ok(text.to_ascii_lowercase());
    }
    let bare = text.split("//").last().and_then(|rest| rest.split(['/', ':']).next());
    let hint = bare
        .filter(|bare| *bare != text && host(bare).is_ok())
        .map(|bare| format!("write `{bare}`"));
    Err(Complaint::new("no host name")
        .allowed("a name such as `ted.example.com`, without scheme and port")
        .hint_if_any(hint))
}

fn log(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Log {
    let Some(fields) = part(reader, fields, "log", LOG) else { return Log::default() };
    Log {
        level: reader.scalar(&fields, "level", log_level),
        format: reader.scalar(&fields, "format", LogFormat::parse),
    }
}

impl LogFormat {
    /// # Errors
    /// When it is none of [`Self::NAMES`].
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(not_one_of(text, Self::NAMES)),
        }
    }
}

impl std::str::FromStr for LogFormat {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        Self::parse(text)
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
        Complaint::new("not an address to listen on")
            .allowed("an IP address and a port, such as `127.0.0.1:8080`")
            .hint_if_any(hint)
    })
}

/// Reads a level, or directives as `RUST_LOG` takes them.
///
/// # Errors
/// The logging library does not take it.
pub fn log_level(text: &str) -> Result<String, Complaint> {
    const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace", "off"];
    // A bare word is a level: to the logging library it would be the name of a module, and nothing would be logged.
    let bare = !text.contains(['=', ',', '[', ':']);
    let is_level = LEVELS.iter().any(|level| text.eq_ignore_ascii_case(level));
    if bare && !is_level {
        return Err(not_one_of(text, LEVELS));
    }
    let directives = tracing_subscriber::EnvFilter::builder().parse(text);
    directives.map(|_| text.to_owned()).map_err(|_| {
        Complaint::new("no log level")
            .allowed("a level, or directives such as `info,ted_controller::aws=debug`")
    })
}
