//! Who is told of what happens, of how much of it, and where the secrets for that are kept.
//!
//! No secret stands in the settings: tokens, keys and addresses that are secrets themselves lie in files or variables.

mod read;
#[cfg(test)]
mod tests;
mod url;

pub(super) use read::read;
pub use url::{ReceiverUrl, UrlError, UrlRef};

use super::SecretRef;
use crate::desired::Name;
use std::path::PathBuf;
use std::time::Duration;

/// How long a receiver gets to answer unless the settings say otherwise: chat services take seconds on a bad day.
pub const DEFAULT_NOTICE_TIMEOUT: Duration = Duration::from_secs(10);

/// For how long one notice is tried unless the settings say otherwise: a receiver that is down longer has an outage of its own.
pub const DEFAULT_GIVE_UP_AFTER: Duration = Duration::from_hours(1);

/// Before the name of a TED in the context of a commit status.
pub const DEFAULT_STATUS_CONTEXT: &str = "ted-controller";

/// Where GitHub's API is, unless the settings name a server of one's own.
pub const GITHUB_API: &str = "https://api.github.com";

/// One who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverSettings {
    /// What it is called in metrics and logs; unique.
    pub name: String,
    /// How it is told.
    pub to: Channel,
    /// What is less bad is not told. The end of something that was told always is.
    pub severity: NoticeSeverity,
    /// What is told of; empty: everything.
    pub kinds: Vec<NoticeKind>,
    /// Of which TEDs; empty: of all, and of what concerns no single one.
    pub teds: Vec<Name>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// For how long one notice is tried.
    pub give_up_after: Duration,
    /// Certificates of authorities that are trusted beside the host's.
    pub ca_file: Option<PathBuf>,
    /// Whether secrets may travel unprotected beyond this host.
    pub plain_http: bool,
}

/// How a receiver is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// JSON by `POST`.
    Webhook {
        /// Where to.
        url: UrlRef,
        /// What it is signed with.
        secret: Option<SecretRef>,
    },
    /// An incoming webhook as Slack has it; others (Mattermost, Rocket.Chat) take the same.
    Slack {
        /// Where to: whoever has it may write.
        url: SecretRef,
    },
    /// The status of the commit that a document came with.
    GitHub(Box<GitHubSettings>),
}

/// Commit statuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitHubSettings {
    /// `owner/name`.
    pub repository: String,
    /// The token's place.
    pub token: SecretRef,
    /// Where the API is.
    pub api_url: ReceiverUrl,
    /// Stands before the TED's name: `ted-controller/einstein`.
    pub context: String,
    /// Where the status leads to; `{ted}` stands for the TED's name.
    pub target_url: Option<String>,
}

/// How bad something has to be to be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeSeverity {
    /// Worth knowing.
    #[default]
    Info,
    /// Something is not as it should be.
    Warning,
    /// A person is needed, or something is about to be lost.
    Critical,
}

impl NoticeSeverity {
    /// The words of the settings and of notices.
    pub const NAMES: &'static [&'static str] = &["info", "warning", "critical"];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeKind {
    /// Whether a TED is as wanted.
    Ready,
    /// Whether a person is needed.
    Stalled,
    /// An update began or ended.
    Update,
    /// Events were paused or given back.
    Events,
    /// Findings `drift/…`.
    Drift,
    /// Findings `sync/…`.
    Sync,
    /// Findings `info/…`.
    Info,
    /// Documents cannot be read, or something is wrong in them.
    Source,
    /// Starts were stopped or allowed again.
    Freeze,
}

impl NoticeKind {
    /// Every kind, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::Ready,
        Self::Stalled,
        Self::Update,
        Self::Events,
        Self::Drift,
        Self::Sync,
        Self::Info,
        Self::Source,
        Self::Freeze,
    ];

    /// The words of the settings and of notices, in the same order.
    pub const NAMES: &'static [&'static str] =
        &["ready", "stalled", "update", "events", "drift", "sync", "info", "source", "freeze"];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Stalled => "stalled",
            Self::Update => "update",
            Self::Events => "events",
            Self::Drift => "drift",
            Self::Sync => "sync",
            Self::Info => "info",
            Self::Source => "source",
            Self::Freeze => "freeze",
        }
    }
}
