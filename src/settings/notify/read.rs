//! Reads `notifications:`, with the rules between its fields. What may be a secret is never repeated in a complaint.

use super::{
    Channel, DEFAULT_GIVE_UP_AFTER, DEFAULT_NOTICE_TIMEOUT, DEFAULT_STATUS_CONTEXT, GITHUB_API,
    GitHubSettings, NoticeKind, NoticeSeverity, ReceiverSettings, ReceiverUrl, UrlRef,
};
use crate::desired::form::{Field, Fields, Reader, duration, flag, not_one_of};
use crate::desired::yaml::Node;
use crate::desired::{Complaint, Name, ProblemKind};
use crate::settings::fields::{GITHUB, RECEIVER, SLACK, WEBHOOK};
use crate::settings::file::{DAY, SECOND, path as file_path, secret};
use std::path::Path;
use std::time::Duration;

/// An attempt that took longer would keep what comes after it from being told.
const MAX_TIMEOUT: Duration = Duration::from_mins(1);

/// The longest context of a commit status that leaves room for a TED's name.
const MAX_CONTEXT_CHARS: usize = 100;

/// Reads them; those with a problem are left out.
pub(in crate::settings) fn read(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    folder: &Path,
) -> Vec<ReceiverSettings> {
    let mut receivers: Vec<ReceiverSettings> = Vec::new();
    for (at, node) in reader.list(fields, "notifications") {
        let Some(receiver) = receiver(reader, node, &at, folder) else { continue };
        if receivers.iter().any(|other| other.name == receiver.name) {
            let complaint = Complaint::new(format!("the name `{}` is taken", receiver.name));
            let complaint = complaint.hint("metrics tell receivers apart by their names");
            reader.refuse_field(node.at, &format!("{at}.name"), complaint);
            continue;
        }
        receivers.push(receiver);
    }
    receivers
}

fn receiver(
    reader: &mut Reader<'_>,
    node: &Node,
    at: &str,
    folder: &Path,
) -> Option<ReceiverSettings> {
    let problems = reader.problems.len();
    let fields = reader.fields(node, at, RECEIVER, |name| {
        let places = [(WEBHOOK, "webhook"), (SLACK, "slack"), (GITHUB, "github")];
        let place =
            places.iter().find(|(known, _)| known.iter().any(|field| field.name == name))?;
        Some(format!("`{name}` belongs under `{}`", place.1))
    });
    let name = reader.scalar(&fields, "name", Name::parse);
    let plain_http = reader.scalar(&fields, "plainHttp", flag).unwrap_or_default();
    let channels: Vec<Option<Channel>> = [
        part(reader, &fields, "webhook", WEBHOOK)
            .map(|fields| webhook(reader, &fields, plain_http, folder)),
        part(reader, &fields, "slack", SLACK).map(|fields| slack(reader, &fields, folder)),
        part(reader, &fields, "github", GITHUB)
            .map(|fields| github(reader, &fields, plain_http, folder)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let severity = reader.scalar(&fields, "severity", severity);
    let mut kinds = Vec::new();
    for (path, node) in reader.list(&fields, "kinds") {
        kinds.extend(reader.value(node, &path, kind));
    }
    let mut teds = Vec::new();
    for (path, node) in reader.list(&fields, "teds") {
        teds.extend(reader.value(node, &path, Name::parse));
    }
    let timeout = duration(reader, &fields, "timeout", SECOND, MAX_TIMEOUT);
    let give_up_after = duration(reader, &fields, "giveUpAfter", SECOND, DAY);
    let ca_file = file_path(reader, &fields, "caFile", folder);
    // A misspelled channel is a problem already.
    if channels.len() > 1 || (channels.is_empty() && reader.problems.len() == problems) {
        let complaint = if channels.is_empty() {
            Complaint::new("a receiver that is told in no way")
                .hint("add one of `webhook`, `slack` and `github`")
        } else {
            Complaint::new("more than one of `webhook`, `slack` and `github`")
                .hint("make a receiver of each")
        };
        reader.refuse(node, at, ProblemKind::InvalidValue, complaint);
    }
    let to = channels.into_iter().next().flatten();
    if matches!(to, Some(Channel::GitHub(_))) {
        for name in ["severity", "kinds"].into_iter().filter(|name| fields.get(name).is_some()) {
            let complaint =
                Complaint::new("a commit status says how the commit stands, and no part of it")
                    .hint(format!("remove `{name}`; `teds` chooses whose"));
            reader.refuse_field(node.at, &fields.path(name), complaint);
        }
    }
    (reader.problems.len() == problems).then_some(())?;
    Some(ReceiverSettings {
        name: name?.to_string(),
        to: to?,
        severity: severity.unwrap_or_default(),
        kinds,
        teds,
        timeout: timeout.unwrap_or(DEFAULT_NOTICE_TIMEOUT),
        give_up_after: give_up_after.unwrap_or(DEFAULT_GIVE_UP_AFTER),
        ca_file,
        plain_http,
    })
}

/// The fields of a part, if it is there. Who writes a secret where only its place belongs is told so; it is not repeated.
fn part<'n>(
    reader: &mut Reader<'_>,
    fields: &Fields<'n>,
    name: &str,
    known: &'static [Field],
) -> Option<Fields<'n>> {
    let node = fields.get(name)?;
    Some(reader.fields(node, &fields.path(name), known, |slip| {
        let is_secret = matches!(slip, "url" | "token" | "secret" | "password" | "key");
        let place = if slip == "url" { "urlFile" } else { "tokenFile" };
        let place = if slip == "secret" { "secretFile" } else { place };
        is_secret.then(|| format!("it is a secret: keep it in a file, and name that by `{place}`"))
    }))
}

fn webhook(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    plain_http: bool,
    folder: &Path,
) -> Option<Channel> {
    let written = url(reader, fields, "url", plain_http);
    let kept = secret(reader, fields, "urlFile", "urlVariable", folder);
    let signed = secret(reader, fields, "secretFile", "secretVariable", folder);
    let url = match (written, kept, fields.get("url")) {
        (Some(url), None, _) => UrlRef::Written(url),
        (_, Some(place), None) => UrlRef::Kept(place),
        (_, Some(_), Some(node)) => {
            let complaint = Complaint::new("the address is named twice");
            let path = fields.path("url");
            let complaint = complaint.hint("keep one of `url`, `urlFile` and `urlVariable`");
            reader.note(node.at, &path, ProblemKind::InvalidValue, None, complaint);
            return None;
        }
        (None, None, Some(_)) => return None,
        (None, None, None) => {
            missing(reader, fields, "url", "add `url`, or `urlFile` where the address is a secret");
            return None;
        }
    };
    Some(Channel::Webhook { url, secret: signed })
}

fn slack(reader: &mut Reader<'_>, fields: &Fields<'_>, folder: &Path) -> Option<Channel> {
    let url = secret(reader, fields, "urlFile", "urlVariable", folder);
    if url.is_none() && fields.get("urlVariable").is_none() && fields.get("urlFile").is_none() {
        missing(reader, fields, "urlFile", "keep the webhook's address in a file and name it");
    }
    Some(Channel::Slack { url: url? })
}

fn github(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    plain_http: bool,
    folder: &Path,
) -> Option<Channel> {
    let repository = reader.scalar(fields, "repository", repository);
    let token = secret(reader, fields, "tokenFile", "tokenVariable", folder);
    if token.is_none() && fields.get("tokenFile").is_none() && fields.get("tokenVariable").is_none()
    {
        missing(reader, fields, "tokenFile", "keep the token in a file and name it");
    }
    let api_url = match fields.get("apiUrl") {
        Some(_) => url(reader, fields, "apiUrl", plain_http),
        None => ReceiverUrl::parse(GITHUB_API, false).ok(),
    };
    let context = reader.scalar(fields, "context", context);
    let target_url = reader.scalar(fields, "targetUrl", target_url);
    Some(Channel::GitHub(Box::new(GitHubSettings {
        repository: repository?,
        token: token?,
        api_url: api_url?,
        context: context.unwrap_or_else(|| DEFAULT_STATUS_CONTEXT.to_owned()),
        target_url,
    })))
}

fn missing(reader: &mut Reader<'_>, fields: &Fields<'_>, name: &str, hint: &str) {
    let whole = fields.path("");
    let whole = whole.trim_end_matches('.');
    let complaint = Complaint::new("the field is missing").hint(hint);
    let at = reader.at(whole);
    reader.note(at, &fields.path(name), ProblemKind::MissingField, None, complaint);
}

/// An address; what was found is not repeated.
fn url(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    name: &str,
    plain_http: bool,
) -> Option<ReceiverUrl> {
    let node = fields.get(name)?;
    match node.text().filter(|_| !node.is_null()).map(|text| ReceiverUrl::parse(text, plain_http)) {
        Some(Ok(url)) => Some(url),
        Some(Err(complaint)) => {
            let path = fields.path(name);
            reader.note(node.at, &path, ProblemKind::InvalidValue, None, complaint);
            None
        }
        // Nothing, or no text: the reader has the words for it.
        None => reader.scalar(fields, name, |text| ReceiverUrl::parse(text, plain_http)),
    }
}

fn severity(text: &str) -> Result<NoticeSeverity, Complaint> {
    match text {
        "info" => Ok(NoticeSeverity::Info),
        "warning" => Ok(NoticeSeverity::Warning),
        "critical" => Ok(NoticeSeverity::Critical),
        _ => Err(not_one_of(text, NoticeSeverity::NAMES)),
    }
}

fn kind(text: &str) -> Result<NoticeKind, Complaint> {
    let known = NoticeKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    known.ok_or_else(|| not_one_of(text, NoticeKind::NAMES))
}

fn repository(text: &str) -> Result<String, Complaint> {
    let complaint = Complaint::new("no repository of GitHub")
        .allowed("owner and name, such as `platform/teds`");
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    if text.split('/').count() == 2 && text.split('/').all(plain) {
        return Ok(text.to_owned());
    }
    // Somebody took the address for it.
    let path = text.rsplit_once("://").map_or(text, |(_, rest)| rest);
    let parts: Vec<&str> = path.trim_end_matches(".git").rsplit(['/', ':']).take(2).collect();
    let hint = match parts.as_slice() {
        [name, owner] if plain(name) && plain(owner) => Some(format!("write `{owner}/{name}`")),
        _ => None,
    };
    Err(complaint.hint_if_any(hint))
}

fn context(text: &str) -> Result<String, Complaint> {
    let sound = !text.is_empty()
        && text.chars().count() <= MAX_CONTEXT_CHARS
        && !text.chars().any(char::is_whitespace);
    if sound {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    Err(Complaint::new("no context of a commit status")
        .allowed(format!("at most {MAX_CONTEXT_CHARS} characters without blanks")))
}

fn target_url(text: &str) -> Result<String, Complaint> {
    let is_link = ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme));
    if is_link && text.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err(Complaint::new("no address of a page")
        .allowed("`https://…`, with `{ted}` for the TED's name"))
}
