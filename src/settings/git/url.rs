//! The address of a repository. It never holds a password, so it can be shown as it is.

use crate::desired::Complaint;
use std::fmt;

/// How a repository is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitScheme {
    /// `https://`.
    Https,
    /// `http://`: without protection, so without credentials beyond this host.
    Http,
    /// `ssh://` or `git@host:path`.
    Ssh,
    /// `file://`: read in place.
    File,
}

/// The address of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitUrl {
    scheme: GitScheme,
    user: Option<String>,
    host: String,
    port: Option<u16>,
    path: String,
    text: String,
}

const ALLOWED: &str =
    "`https://host/path`, `ssh://git@host/path`, `git@host:path` or `file:///path`";

impl GitUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// It is none, or holds a password. Whoever shows what was found shows [`Self::redacted`] of it.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        let complaint = || Complaint::new("not the address of a repository").allowed(ALLOWED);
        if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(complaint());
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
                "https" => (GitScheme::Https, rest),
                "http" => (GitScheme::Http, rest),
                "ssh" | "git+ssh" | "ssh+git" => (GitScheme::Ssh, rest),
                "file" => (GitScheme::File, rest),
                "git" => {
                    return Err(complaint()
                        .hint("the git protocol protects nothing: use `https://` or `ssh://`"));
                }
                _ => return Err(complaint()),
            },
            None => return Self::scp(text),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if path.contains(['?', '#']) {
            return Err(complaint().hint("leave out `?` and `#` and what follows"));
        }
        if scheme == GitScheme::File {
            if !authority.is_empty() || path.len() < 2 {
                return Err(
                    complaint().hint("three slashes and the whole path: `file:///srv/teds.git`")
                );
            }
            let text = format!("file://{path}");
            let path = path.to_owned();
            return Ok(Self { scheme, user: None, host: String::new(), port: None, path, text });
        }
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        match (scheme, user) {
            (GitScheme::Https | GitScheme::Http, Some(_)) => {
                return Err(Complaint::new("an address with credentials in it").hint(
                    "take them out, keep the secret in a file, and name it under `auth`: `tokenFile`, or `username` and `passwordFile`",
                ));
            }
            (GitScheme::Ssh, Some(user)) if user.contains(':') => {
                return Err(Complaint::new("an address with a password in it")
                    .hint("take it out; under `auth` name `sshKeyFile` and `knownHostsFile`"));
            }
            _ => {}
        }
        let (host, port) = host_and_port(place).ok_or_else(complaint)?;
        if user.is_some_and(|user| !is_plain(user)) {
            return Err(complaint());
        }
        if path.trim_matches('/').is_empty() {
            return Err(complaint().hint("a path belongs after the host"));
        }
        let word = match scheme {
            GitScheme::Https => "https",
            GitScheme::Http => "http",
            GitScheme::Ssh | GitScheme::File => "ssh",
        };
        let at = user.map(|user| format!("{user}@")).unwrap_or_default();
        let shown_port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let text = format!("{word}://{at}{host}{shown_port}{path}");
        // `ssh://host/~user/x` means a home folder.
        let path = match (scheme, path.strip_prefix("/~")) {
            (GitScheme::Ssh, Some(rest)) => format!("~{rest}"),
            _ => path.to_owned(),
        };
        Ok(Self { scheme, user: user.map(str::to_owned), host, port, path, text })
    }

    /// `git@host:path`, as the pages of git servers show it.
    fn scp(text: &str) -> Result<Self, Complaint> {
        let complaint = || Complaint::new("not the address of a repository").allowed(ALLOWED);
        let Some((place, path)) = text.split_once(':').filter(|(place, _)| !place.contains('/'))
        else {
            let hint =
                text.starts_with('/').then(|| format!("write `file://{text}`")).or_else(|| {
                    Some("for a folder on this host: `path: …`, or `file:///…`".to_owned())
                });
            return Err(complaint().hint_if_any(hint));
        };
        let (user, host) = match place.split_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, place),
        };
        // A path that ssh's other end could take for an option is nobody's.
        let sound = is_plain(host)
            && user.is_none_or(is_plain)
            && !path.is_empty()
            && !path.starts_with('-');
        if !sound {
            return Err(complaint());
        }
        Ok(Self {
            scheme: GitScheme::Ssh,
            user: user.map(str::to_owned),
            host: host.to_owned(),
            port: None,
            path: path.to_owned(),
            text: text.to_owned(),
        })
    }

    /// How it is reached.
    pub fn scheme(&self) -> GitScheme {
        self.scheme
    }

    /// The user of an SSH address.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The host; empty for `file://`. An IPv6 address is in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, if the address names one.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The path on the server, or on this host.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether what is sent stays on this host.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Text that was meant to be an address, with what may be a password in it taken out.
    pub fn redacted(text: &str) -> String {
        let (scheme, rest) = text.split_once("://").map_or(("", text), |(a, b)| (a, b));
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
        let hidden = if place.len() == authority.len() { "" } else { "…@" };
        // A token may also stand in the query.
        let (path, query) = path.split_once('?').map_or((path, ""), |(path, _)| (path, "?…"));
        let colon = if scheme.is_empty() { "" } else { "://" };
        format!("{scheme}{colon}{hidden}{place}{path}{query}")
    }
}

impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a host is this one. An IPv6 address is in brackets.
pub(in crate::settings) fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A host or user that no shell and no option parser can take for anything else.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+'))
}

pub(in crate::settings) fn host_and_port(place: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let (address, after) = rest.split_once(']')?;
        address.parse::<std::net::Ipv6Addr>().ok()?;
        (format!("[{address}]"), after.strip_prefix(':').or(after.is_empty().then_some("")))
    } else {
        let (host, port) = place.split_once(':').unwrap_or((place, ""));
        if !is_plain(host) {
            return None;
        }
        (host.to_owned(), Some(port))
    };
    match port? {
        "" => Some((host, None)),
        port => port.parse().ok().filter(|port| *port > 0).map(|port| (host, Some(port))),
    }
}
