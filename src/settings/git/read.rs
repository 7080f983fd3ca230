//! Reads `git:` of a source, with the rules between its fields.

use super::{
    DEFAULT_GIT_INTERVAL, DEFAULT_GIT_TIMEOUT, GitAuth, GitReference, GitScheme, GitSettings,
    GitUrl, TokenScheme,
};
use crate::desired::form::{Fields, Reader, duration, not_one_of};
use crate::desired::yaml::Node;
use crate::desired::{Complaint, ProblemKind};
use crate::settings::fields::{GIT, GIT_AUTH, GIT_REF};
use crate::settings::file::{path as file_path, secret};
use std::path::Path;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);
/// A visit that took longer would hold up a stop for as long.
const MAX_TIMEOUT: Duration = Duration::from_mins(10);

/// Reads it; `None`, with problems, when something is wrong.
pub(in crate::settings) fn read(
    reader: &mut Reader<'_>,
    node: &Node,
    path: &str,
    folder: &Path,
) -> Option<GitSettings> {
    let problems = reader.problems.len();
    let fields = reader.fields(node, path, GIT, |name| {
        let places = [(GIT_REF, "ref"), (GIT_AUTH, "auth")];
        let place =
            places.iter().find(|(known, _)| known.iter().any(|field| field.name == name))?;
        Some(format!("`{name}` belongs under `{}`", place.1))
    });
    let url = url(reader, &fields);
    let reference = reference(reader, &fields);
    let sub_path = reader.scalar(&fields, "path", sub_path).unwrap_or_default();
    let interval = duration(reader, &fields, "interval", SECOND, DAY);
    let timeout = duration(reader, &fields, "timeout", SECOND, MAX_TIMEOUT);
    let ca_file = file_path(reader, &fields, "caFile", folder);
    let auth = auth(reader, &fields, url.as_ref(), folder);
    let url = url?;
    if ca_file.is_some() && url.scheme() != GitScheme::Https {
        let complaint = Complaint::new("certificates are for `https://` only");
        reader.refuse_field(node.at, &fields.path("caFile"), complaint.hint("remove `caFile`"));
    }
    (reader.problems.len() == problems).then_some(GitSettings {
        url,
        reference,
        path: sub_path,
        interval: interval.unwrap_or(DEFAULT_GIT_INTERVAL),
        timeout: timeout.unwrap_or(DEFAULT_GIT_TIMEOUT),
        auth,
        ca_file,
    })
}

/// Whether two sources give the same files: then one of them is there twice.
pub(in crate::settings) fn same_place(a: &GitSettings, b: &GitSettings) -> bool {
    a.url == b.url && a.reference == b.reference && a.path == b.path
}

fn url(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<GitUrl> {
    let node = fields.get("url")?;
    match node.text().filter(|_| !node.is_null()).map(GitUrl::parse) {
        Some(Ok(url)) => Some(url),
        Some(Err(complaint)) => {
            // What was found is shown without what may be a password.
            let found = node.text().map(GitUrl::redacted);
            let path = fields.path("url");
            reader.note(node.at, &path, ProblemKind::InvalidValue, found, complaint);
            None
        }
        // Nothing, or no text: the reader has the words for it.
        None => reader.scalar(fields, "url", GitUrl::parse),
    }
}

fn reference(reader: &mut Reader<'_>, fields: &Fields<'_>) -> GitReference {
    let Some(node) = fields.get("ref") else { return GitReference::Default };
    let path = fields.path("ref");
    let fields = reader.fields(node, &path, GIT_REF, |_| None);
    let branch = reader.scalar(&fields, "branch", |text| ref_name(text, "refs/heads/"));
    let tag = reader.scalar(&fields, "tag", |text| ref_name(text, "refs/tags/"));
    let commit = reader.scalar(&fields, "commit", commit_id);
    let named = GIT_REF.iter().filter(|field| fields.get(field.name).is_some()).count();
    if named > 1 {
        let complaint = Complaint::new("more than one of `branch`, `tag` and `commit`");
        reader.refuse(node, &path, ProblemKind::InvalidValue, complaint.hint("keep one of them"));
    }
    match (branch, tag, commit) {
        (Some(branch), _, _) => GitReference::Branch(branch),
        (None, Some(tag), _) => GitReference::Tag(tag),
        (None, None, Some(commit)) => GitReference::Commit(commit),
        (None, None, None) => GitReference::Default,
    }
}

/// A name as `git check-ref-format` has it.
fn ref_name(text: &str, prefix: &str) -> Result<String, Complaint> {
    if let Some(short) = text.strip_prefix(prefix) {
        return Err(Complaint::new("a full name").hint(format!("write `{short}`")));
    }
    let forbidden = |c: char| {
        c.is_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\' | '\u{7f}')
    };
    let sound_part = |part: &str| {
        let is_lock = Path::new(part).extension().is_some_and(|ending| ending == "lock");
        !part.is_empty() && !part.starts_with('.') && !is_lock
    };
    let sound = text.len() <= 250
        && !text.contains(forbidden)
        && !text.contains("..")
        && !text.contains("@{")
        && !text.starts_with('-')
        && !text.ends_with('.')
        && text.split('/').all(sound_part);
    if sound {
        Ok(text.to_owned())
    } else {
        Err(Complaint::new("no name that git allows").allowed("such as `main` or `release/1.2`"))
    }
}

fn commit_id(text: &str) -> Result<String, Complaint> {
    if text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Complaint::new("no commit's id")
        .allowed("all 40 hexadecimal digits")
        .hint("`git rev-parse …` prints it whole"))
}

/// A path within the repository, with single slashes and without `.`.
fn sub_path(text: &str) -> Result<String, Complaint> {
    if text.starts_with('/') {
        let relative = text.trim_start_matches('/');
        return Err(Complaint::new("a path from the root of this host")
            .hint(format!("write `{relative}`: it is meant from the repository's root")));
    }
    let parts: Vec<&str> =
        text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err(Complaint::new("a path that leaves the repository")
            .allowed("a path below the repository's root, without `..`"));
    }
    Ok(parts.join("/"))
}

fn auth(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    url: Option<&GitUrl>,
    folder: &Path,
) -> Option<GitAuth> {
    let node = fields.get("auth")?;
    let at = fields.path("auth");
    let before = reader.problems.len();
    let fields = reader.fields(node, &at, GIT_AUTH, |name| match name {
        "token" => Some("secrets do not stand here: `tokenFile` names the file".to_owned()),
        "password" => Some("secrets do not stand here: `passwordFile` names the file".to_owned()),
        "sshKey" | "privateKey" => Some("`sshKeyFile` names the file of the key".to_owned()),
        _ => None,
    });
    let token = secret(reader, &fields, "tokenFile", "tokenVariable", folder);
    let scheme = reader.scalar(&fields, "tokenScheme", |text| match text {
        "basic" => Ok(TokenScheme::Basic),
        "bearer" => Ok(TokenScheme::Bearer),
        _ => Err(not_one_of(text, TokenScheme::NAMES)),
    });
    let username = reader.scalar(&fields, "username", username);
    let password = secret(reader, &fields, "passwordFile", "passwordVariable", folder);
    let key = file_path(reader, &fields, "sshKeyFile", folder);
    let known_hosts = file_path(reader, &fields, "knownHostsFile", folder);
    if reader.problems.len() > before {
        return None;
    }
    let wrong = |message: &str, hint: &str| Err(Complaint::new(message).hint(hint));
    let read = match (token, username, password, key, known_hosts) {
        (Some(token), None, None, None, None) => {
            Ok(GitAuth::Token { token, scheme: scheme.unwrap_or_default() })
        }
        (None, Some(username), Some(password), None, None) => {
            Ok(GitAuth::Password { username, password })
        }
        (None, None, None, Some(key), Some(known_hosts)) => {
            Ok(GitAuth::SshKey { key, known_hosts })
        }
        (None, None, None, None, None) => wrong(
            "credentials that name nothing",
            "add `tokenFile`, or `username` and `passwordFile`, or `sshKeyFile` and `knownHostsFile`",
        ),
        (None, Some(_), None, None, None) => {
            wrong("a user without a password", "add `passwordFile`")
        }
        (None, None, Some(_), None, None) => wrong("a password without a user", "add `username`"),
        (None, None, None, Some(_), None) => wrong(
            "a key, and no host key that is trusted",
            "add `knownHostsFile`: `ssh-keyscan HOST` prints lines for it; compare them with what the server's owner publishes",
        ),
        (None, None, None, None, Some(_)) => {
            wrong("host keys, and no key to sign in with", "add `sshKeyFile`")
        }
        _ => wrong(
            "more than one kind of credentials",
            "keep one of `tokenFile`, `username` with `passwordFile`, `sshKeyFile` with `knownHostsFile`",
        ),
    };
    let read = read.and_then(|auth| {
        if scheme.is_some() && !matches!(auth, GitAuth::Token { .. }) {
            return wrong("`tokenScheme` without a token", "remove `tokenScheme`");
        }
        url.map_or(Ok(()), |url| fits(&auth, url)).map(|()| auth)
    });
    match read {
        Ok(auth) => Some(auth),
        Err(complaint) => {
            reader.refuse(node, &at, ProblemKind::InvalidValue, complaint);
            None
        }
    }
}

/// Credentials have to fit the way the repository is reached.
fn fits(auth: &GitAuth, url: &GitUrl) -> Result<(), Complaint> {
    let over_http = match auth {
        GitAuth::Token { .. } | GitAuth::Password { .. } => true,
        GitAuth::SshKey { .. } => false,
    };
    match (url.scheme(), over_http) {
        (GitScheme::Https, true) | (GitScheme::Ssh, false) => Ok(()),
        (GitScheme::Http, true) if url.is_loopback() => Ok(()),
        (GitScheme::Http, true) => Err(Complaint::new("credentials would travel unprotected")
            .hint("use an `https://` address")),
        (GitScheme::Https | GitScheme::Http, false) => {
            Err(Complaint::new("a key for SSH, and an address that is not `ssh://`")
                .hint("use an `ssh://` address, or `tokenFile`"))
        }
        (GitScheme::Ssh, true) => Err(Complaint::new("credentials for HTTP, and an SSH address")
            .hint("use an `https://` address, or `sshKeyFile` and `knownHostsFile`")),
        (GitScheme::File, _) => {
            Err(Complaint::new("credentials for a repository on this host").hint("remove `auth`"))
        }
    }
}

fn username(text: &str) -> Result<String, Complaint> {
    // A colon would end the user's name in HTTP's basic authentication.
    let sound = !text.is_empty() && text.len() <= 250 && !text.contains([':', '\n', '\r']);
    if sound { Ok(text.to_owned()) } else { Err(Complaint::new("no name of a user")) }
}
