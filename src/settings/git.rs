//! A git repository as a source: its address, what of it is wanted, how often, and with which credentials.
//!
//! No secret stands in the settings: an address with a password in it is refused, and the refusal does not repeat it.

mod read;
#[cfg(test)]
mod tests;
mod url;

pub(super) use read::{read, same_place};
pub use url::{GitScheme, GitUrl};
pub(super) use url::{host_and_port, is_loopback};

use super::SecretRef;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How often a repository is asked unless the settings say otherwise: one small request a minute.
pub const DEFAULT_GIT_INTERVAL: Duration = Duration::from_mins(1);

/// How long one visit may take, from the first connection to the last byte, unless the settings say otherwise.
pub const DEFAULT_GIT_TIMEOUT: Duration = Duration::from_mins(1);

/// A git repository that documents come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitSettings {
    /// Where it is.
    pub url: GitUrl,
    /// What of it is followed.
    pub reference: GitReference,
    /// The file or folder in it, without `.` and `..`; empty: all of it.
    pub path: String,
    /// How often it is asked for news.
    pub interval: Duration,
    /// How long one visit may take.
    pub timeout: Duration,
    /// As whom it is asked.
    pub auth: Option<GitAuth>,
    /// Certificates of authorities that are trusted beside the host's.
    pub ca_file: Option<PathBuf>,
}

impl GitSettings {
    /// A repository's default branch, all of it, without credentials.
    pub fn new(url: GitUrl) -> Self {
        Self {
            url,
            reference: GitReference::Default,
            path: String::new(),
            interval: DEFAULT_GIT_INTERVAL,
            timeout: DEFAULT_GIT_TIMEOUT,
            auth: None,
            ca_file: None,
        }
    }
}

/// What of a repository is followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GitReference {
    /// The branch that the server calls the default.
    #[default]
    Default,
    /// A branch.
    Branch(String),
    /// A tag. One that is moved is followed, and said so.
    Tag(String),
    /// One commit, by its whole id; it never changes.
    Commit(String),
}

impl fmt::Display for GitReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default branch"),
            Self::Branch(name) => write!(f, "branch `{name}`"),
            Self::Tag(name) => write!(f, "tag `{name}`"),
            Self::Commit(id) => write!(f, "commit `{id}`"),
        }
    }
}

/// As whom a repository is asked. Secrets are read again for every visit, so that a replaced one takes effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GitAuth {
    /// A token over HTTP.
    Token {
        /// Where it is kept.
        token: SecretRef,
        /// How it is sent.
        scheme: TokenScheme,
    },
    /// A user and a password over HTTP.
    Password {
        /// The user.
        username: String,
        /// Where the password is kept.
        password: SecretRef,
    },
    /// A private key over SSH, and the host keys that are trusted.
    SshKey {
        /// The private key's file.
        key: PathBuf,
        /// The `known_hosts` file.
        known_hosts: PathBuf,
    },
}

impl GitAuth {
    /// Where its secret is kept, when that is text that is sent.
    pub fn secret(&self) -> Option<&SecretRef> {
        match self {
            Self::Token { token, .. } => Some(token),
            Self::Password { password, .. } => Some(password),
            Self::SshKey { .. } => None,
        }
    }
}

/// How a token is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenScheme {
    /// As the password of a user whom nobody looks at: what GitHub, GitLab, Gitea and Azure DevOps take.
    #[default]
    Basic,
    /// `Authorization: Bearer`: what Bitbucket Data Center takes.
    Bearer,
}

impl TokenScheme {
    /// The words of the settings.
    pub const NAMES: &'static [&'static str] = &["basic", "bearer"];
}
