//! Why a repository could not be read: what went wrong, whether time or a person heals it, and what to do.
//!
//! No text here holds a secret: whatever a server or `ssh` says goes through [`super::exchange::Exchange::clean`] first.

use crate::https::TrustError;
use crate::settings::SecretError;
use std::io;
use std::time::Duration;

/// Why a repository could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// Nobody answers there.
    #[error("`{server}` cannot be reached: {detail}")]
    Unreachable {
        /// The server.
        server: String,
        /// What the network said.
        detail: String,
    },
    /// It took too long.
    #[error("`{server}` was not done within {}", crate::desired::duration::render(*.limit))]
    TimedOut {
        /// The server.
        server: String,
        /// The limit.
        limit: Duration,
    },
    /// The server has a trouble of its own.
    #[error("`{server}` answers {status}{}", tail(.detail))]
    Status {
        /// The server.
        server: String,
        /// The HTTP status.
        status: u16,
        /// What it said.
        detail: String,
    },
    /// The credentials are not good enough.
    #[error("`{server}` does not let us in{}", tail(.detail))]
    Denied {
        /// The server.
        server: String,
        /// What it said.
        detail: String,
    },
    /// The server is not the one it should be.
    #[error("the host key of `{host}` is not one that is trusted{}", tail(.detail))]
    HostKey {
        /// The host.
        host: String,
        /// What `ssh` said.
        detail: String,
    },
    /// The server's certificate is not trusted.
    #[error("the certificate of `{server}` is not trusted: {detail}")]
    Certificate {
        /// The server.
        server: String,
        /// Why.
        detail: String,
    },
    /// There is no repository.
    #[error("there is no repository at `{url}`, or it is hidden from us{}", tail(.detail))]
    NoRepository {
        /// The address.
        url: String,
        /// What the server said.
        detail: String,
    },
    /// The server sends us to another place.
    #[error("`{server}` sends us on to `{to}`")]
    Redirected {
        /// The server.
        server: String,
        /// Where to.
        to: String,
    },
    /// Nothing was ever committed.
    #[error("the repository is empty: it has no commit yet")]
    Empty,
    /// A branch or tag is not there (any more).
    #[error("there is no {wanted} in the repository{}", others(.there))]
    NoReference {
        /// Which.
        wanted: String,
        /// Some that there are.
        there: Vec<String>,
    },
    /// A commit is not there, or the server does not give it.
    #[error("the server does not give commit `{id}`{}", tail(.detail))]
    NoCommit {
        /// Its id.
        id: String,
        /// What the server said.
        detail: String,
    },
    /// A path is not in the commit.
    #[error("there is no `{path}` in commit {commit}{}", tail(.detail))]
    NoPath {
        /// The path.
        path: String,
        /// The commit, abbreviated.
        commit: String,
        /// Why, if it is there in some way.
        detail: String,
    },
    /// More than is taken.
    #[error("{what}: at most {limit} are taken")]
    TooLarge {
        /// What there is too much of.
        what: String,
        /// The limit, with its unit.
        limit: String,
    },
    /// Something that this program does not do.
    #[error("{0}")]
    Unsupported(String),
    /// A secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A file that was named cannot be used.
    #[error("`{file}` cannot be used: {detail}")]
    BadFile {
        /// The file.
        file: String,
        /// Why.
        detail: String,
    },
    /// The disk does not take what was fetched.
    #[error("cannot {doing} `{path}`")]
    Disk {
        /// What we were doing.
        doing: &'static str,
        /// Where.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An object is missing or damaged.
    #[error("commit {commit} is incomplete: {detail}")]
    Damaged {
        /// The commit, abbreviated.
        commit: String,
        /// What is wrong.
        detail: String,
    },
    /// The other end does not speak as agreed.
    #[error("`{server}` does not speak git's protocol as agreed: {detail}")]
    Protocol {
        /// The server.
        server: String,
        /// What was wrong.
        detail: String,
    },
    /// We are stopping.
    #[error("stopped")]
    Stopped,
}

impl From<TrustError> for GitError {
    fn from(error: TrustError) -> Self {
        match error {
            TrustError::BadFile { file, detail } => Self::BadFile { file, detail },
            TrustError::Unsupported(detail) => Self::Unsupported(detail),
        }
    }
}

/// Who can do something about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitErrorClass {
    /// It may pass by itself.
    Transient,
    /// Somebody has to grant something. Asking again at once may lock an account.
    Denied,
    /// Another commit, or other settings, have to come.
    Terminal,
}

impl GitError {
    /// Who can do something about it.
    pub fn class(&self) -> GitErrorClass {
        match self {
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Status { .. }
            | Self::Disk { .. }
            | Self::Damaged { .. }
            | Self::Protocol { .. }
            | Self::Secret(_)
            | Self::BadFile { .. }
            | Self::Stopped => GitErrorClass::Transient,
            Self::Denied { .. } => GitErrorClass::Denied,
            Self::HostKey { .. }
            | Self::Certificate { .. }
            | Self::NoRepository { .. }
            | Self::Redirected { .. }
            | Self::Empty
            | Self::NoReference { .. }
            | Self::NoCommit { .. }
            | Self::NoPath { .. }
            | Self::TooLarge { .. }
            | Self::Unsupported(_) => GitErrorClass::Terminal,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } => {
                "check the address, the network and proxies (`HTTPS_PROXY`)"
            }
            Self::Denied { .. } => {
                "check `auth`: the token or key, whether it has expired, and its right to read this repository"
            }
            Self::HostKey { .. } => {
                "compare the server's key with what its owner publishes, then put it into `knownHostsFile`"
            }
            Self::Certificate { .. } => {
                "if the certificate is of an authority of your own, name its certificate in `caFile`"
            }
            Self::NoRepository { .. } => {
                "check `url`; private repositories hide from who may not read them"
            }
            Self::Redirected { to, .. } => {
                return Some(format!("write `url: {to}`, if that is right"));
            }
            Self::Empty => "commit a desired document; `ted-controller adopt` writes one",
            Self::NoReference { .. } => "check `ref`",
            Self::NoCommit { .. } => "follow a branch or a tag instead",
            Self::NoPath { .. } => "check `path`, or bring the folder back",
            Self::TooLarge { .. } => "keep the desired documents in a repository of their own",
            Self::Secret(_) | Self::BadFile { .. } => {
                "check the files that `auth` and `caFile` name"
            }
            Self::Disk { .. } => "check room and permissions of `stateDir`",
            Self::Status { .. }
            | Self::Unsupported(_)
            | Self::Damaged { .. }
            | Self::Protocol { .. }
            | Self::Stopped => return None,
        };
        Some(hint.to_owned())
    }

    pub(super) fn disk(
        doing: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Disk { doing, path, source }
    }
}

fn tail(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(": {detail}") }
}

fn others(there: &[String]) -> String {
    if there.is_empty() {
        return String::new();
    }
    let names: Vec<String> = there.iter().map(|name| format!("`{name}`")).collect();
    format!("; there is {}", names.join(", "))
}
