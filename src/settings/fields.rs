//! The one description of the settings file: which fields there are, what they hold, what they mean.

use super::{LogFormat, NoticeKind, NoticeSeverity, TokenScheme};
use crate::desired::Mode;
use crate::desired::form::{
    ACCOUNT, DURATION, Field, Kind, REGION, SUSPEND, WINDOW, field, required, with_default,
};

/// The most workers: more would only wait for the request budgets.
pub(super) const MAX_WORKERS: u8 = 64;

const PATH: Kind = Kind::Text(r"^[\s\S]+$");

/// The root.
pub(super) const ROOT: &[Field] = &[
    with_default(
        "mode",
        Kind::Words(Mode::NAMES),
        "apply",
        "An upper bound for every document's mode.",
    ),
    field("desired", PATH, "File or folder with the desired documents."),
    field("sources", Kind::List(&Kind::Object(SOURCE)), "Further places of documents."),
    with_default(
        "sourcePoll",
        DURATION,
        "30s",
        "How often documents are read again although the file system told of no change.",
    ),
    field("region", REGION, "The region of documents that name none."),
    field("account", ACCOUNT, "The only account that may be touched without a role."),
    field(
        "allowedRoles",
        Kind::List(&Kind::Text("^arn:[^:]+:iam::[^:]+:role/.+$")),
        "Roles that documents may name; `*` is any text within one part of the ARN.",
    ),
    field("timeouts", Kind::Object(TIMEOUTS), "Limits of one attempt to ask AWS."),
    field("server", Kind::Object(SERVER), "Page, API and metrics."),
    field("stateDir", PATH, "Where history, audit and transition times are kept."),
    with_default(
        "controllerId",
        Kind::Spelled("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"),
        "ted-controller",
        "The name this controller signs its holds with. Change it only while nothing is held.",
    ),
    with_default(
        "workers",
        Kind::Number(1, MAX_WORKERS),
        "8",
        "How many TEDs are looked at at the same time.",
    ),
    with_default(
        "interval",
        DURATION,
        "2m",
        "How often to look at a TED whose document does not say.",
    ),
    field(
        "maintenanceWindows",
        Kind::List(&Kind::Object(WINDOW)),
        "Windows that hold beside each document's own. Absent: always.",
    ),
    with_default("frozen", Kind::FlagOr(SUSPEND), "false", "Stops every start, never a finish."),
    field("notifications", Kind::List(&Kind::Object(RECEIVER)), "Who is told of what happens."),
    field("log", Kind::Object(LOG), "What is logged, and how."),
];

/// One of `notifications`.
pub(super) const RECEIVER: &[Field] = &[
    required(
        "name",
        Kind::Spelled("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"),
        "Its name in metrics and logs.",
    ),
    field("webhook", Kind::Object(WEBHOOK), "JSON by POST, signed where there is a secret."),
    field("slack", Kind::Object(SLACK), "An incoming webhook as Slack has it."),
    field("github", Kind::Object(GITHUB), "The status of the commit that a document came with."),
    with_default(
        "severity",
        Kind::Words(NoticeSeverity::NAMES),
        "info",
        "What is less bad is not told.",
    ),
    field(
        "kinds",
        Kind::List(&Kind::Words(NoticeKind::NAMES)),
        "What is told of. Absent: everything.",
    ),
    field(
        "teds",
        Kind::List(&Kind::Spelled("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")),
        "Of which TEDs. Absent: all.",
    ),
    with_default("timeout", DURATION, "10s", "How long one attempt may take."),
    with_default("giveUpAfter", DURATION, "1h", "For how long one notice is tried."),
    field("caFile", PATH, "Certificates of authorities that are trusted beside the host's."),
    with_default("plainHttp", Kind::Flag, "false", "Whether `http://` beyond this host is fine."),
];

/// `webhook` of a receiver.
pub(super) const WEBHOOK: &[Field] = &[
    field("url", Kind::Text(r"^https?://\S+$"), "Where to, if the address is no secret."),
    field("urlFile", PATH, "The file with the address."),
    field("urlVariable", Kind::Text("^[A-Z_][A-Z0-9_]*$"), "The variable with the address."),
    field("secretFile", PATH, "The file with what notices are signed with."),
    field("secretVariable", Kind::Text("^[A-Z_][A-Z0-9_]*$"), "The variable with it."),
];

/// `slack` of a receiver.
pub(super) const SLACK: &[Field] = &[
    field("urlFile", PATH, "The file with the address: whoever has it may write."),
    field("urlVariable", Kind::Text("^[A-Z_][A-Z0-9_]*$"), "The variable with the address."),
];

/// `github` of a receiver.
pub(super) const GITHUB: &[Field] = &[
    required("repository", Kind::Text("^[^/]+/[^/]+$"), "Owner and name: `platform/teds`."),
    field("tokenFile", PATH, "The file with a token that may write commit statuses."),
    field("tokenVariable", Kind::Text("^[A-Z_][A-Z0-9_]*$"), "The variable with it."),
    with_default(
        "apiUrl",
        Kind::Text(r"^https?://\S+$"),
        "https://api.github.com",
        "The API; GitHub Enterprise Server's is `https://HOST/api/v3`.",
    ),
    with_default(
        "context",
        Kind::Text(r"^\S+$"),
        "ted-controller",
        "Stands before the TED's name.",
    ),
    field("targetUrl", Kind::Text(r"^https?://\S+$"), "Where it leads; `{ted}` is the TED's name."),
];

/// `timeouts`.
pub(super) const TIMEOUTS: &[Field] = &[
    with_default("connect", DURATION, "5s", "To get a connection, TLS included."),
    with_default("read", DURATION, "15s", "Until the first byte of the answer."),
    with_default("attempt", DURATION, "20s", "One attempt, credentials and body included."),
];

/// One of `sources`.
pub(super) const SOURCE: &[Field] = &[
    field("path", PATH, "A file, or a folder that is read recursively."),
    field("git", Kind::Object(GIT), "A git repository."),
];

/// `git` of a source.
pub(super) const GIT: &[Field] = &[
    required("url", Kind::Text(r"^\S+$"), "`https://`, `ssh://`, `git@host:path` or `file:///`."),
    field("ref", Kind::Object(GIT_REF), "What is followed. Absent: the default branch."),
    field("path", PATH, "The file or folder in the repository. Absent: all of it."),
    with_default("interval", DURATION, "1m", "How often it is asked for news."),
    with_default("timeout", DURATION, "1m", "How long one visit may take."),
    field("auth", Kind::Object(GIT_AUTH), "Where the credentials are kept."),
    field("caFile", PATH, "Certificates of authorities that are trusted beside the host's."),
];

/// `ref` of `git`.
pub(super) const GIT_REF: &[Field] = &[
    field("branch", Kind::Spelled(r"^\S+$"), "A branch."),
    field("tag", Kind::Spelled(r"^\S+$"), "A tag."),
    field("commit", Kind::Spelled("^[0-9a-fA-F]{40}$"), "A commit by its whole id."),
];

/// `auth` of `git`.
pub(super) const GIT_AUTH: &[Field] = &[
    field("tokenFile", PATH, "The file with a token for HTTP."),
    field("tokenVariable", Kind::Text("^[A-Z_][A-Z0-9_]*$"), "The variable with a token."),
    with_default(
        "tokenScheme",
        Kind::Words(TokenScheme::NAMES),
        "basic",
        "How the token is sent: as the password of basic authentication, or as `bearer`.",
    ),
    field("username", Kind::Spelled("^[^:]+$"), "The user for HTTP."),
    field("passwordFile", PATH, "The file with the user's password."),
    field("passwordVariable", Kind::Text("^[A-Z_][A-Z0-9_]*$"), "The variable with it."),
    field("sshKeyFile", PATH, "The private key for SSH."),
    field("knownHostsFile", PATH, "The host keys that are trusted, as `known_hosts`."),
];

/// `server`.
pub(super) const SERVER: &[Field] = &[
    with_default(
        "listen",
        Kind::Text(r"^[0-9a-fA-F.:\[\]]+:[0-9]+$"),
        "127.0.0.1:8080",
        "Where page, API and metrics are served.",
    ),
    field("tokenFile", PATH, "The file with the token that changing requests must bring."),
    field(
        "hosts",
        Kind::List(&Kind::Text("^[A-Za-z0-9.-]+$")),
        "Names by which the server may be called, beside localhost and addresses.",
    ),
];

/// `log`.
pub(super) const LOG: &[Field] = &[
    field("level", Kind::Text(r"^\S+$"), "A level, or directives as `RUST_LOG`."),
    field(
        "format",
        Kind::Words(LogFormat::NAMES),
        "`text` or `json`. Absent: text on a terminal, else JSON.",
    ),
];
