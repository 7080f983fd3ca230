//! The one description of the settings file: which fields there are, what they hold, what they mean.

use super::LogFormat;
use crate::desired::Mode;
use crate::desired::form::{
    ACCOUNT, DURATION, Field, Kind, REGION, SUSPEND, WINDOW, field, with_default,
};

/// The most workers: more would only wait for the request budgets.
pub(super) const MAX_WORKERS: u8 = 64;

const PATH: Kind = Kind::Text(r"^[\s\S]+$");

/// The root.
pub(super) const ROOT: &[Field] = &[
    with_default(
        "controllerId",
        Kind::Spelled("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"),
        "ted-controller",
        "The name this controller signs its holds with. Change it only while nothing is held.",
    ),
    with_default(
        "mode",
        Kind::Words(Mode::NAMES),
        "apply",
        "An upper bound for every document's mode.",
    ),
    with_default("freeze", Kind::FlagOr(SUSPEND), "false", "Stops every start, never a finish."),
    field(
        "maintenanceWindows",
        Kind::List(&Kind::Object(WINDOW)),
        "Windows that hold beside each document's own. Absent: always.",
    ),
    with_default(
        "interval",
        DURATION,
        "2m",
        "How often to look at a TED whose document does not say.",
    ),
    with_default(
        "workers",
        Kind::Number(1, MAX_WORKERS),
        "4",
        "How many TEDs are looked at at once.",
    ),
    field("stateDir", PATH, "Where history, audit and transition times are kept."),
    with_default(
        "listen",
        Kind::Text(r"^[0-9a-fA-F.:\[\]]+:[0-9]+$"),
        "127.0.0.1:8080",
        "Where page, API and metrics are served.",
    ),
    field("aws", Kind::Object(AWS), "Where and as whom AWS is asked."),
    field("sources", Kind::List(&Kind::Object(SOURCE)), "Where documents come from."),
    field("http", Kind::Object(HTTP), "How page and API are protected."),
    field("log", Kind::Object(LOG), "What is logged, and how."),
];

/// `aws`.
pub(super) const AWS: &[Field] = &[
    field("region", REGION, "The region of documents that name none."),
    field("account", ACCOUNT, "The only account that may be touched without a role."),
    field(
        "allowedRoles",
        Kind::List(&Kind::Text("^arn:[^:]+:iam::[^:]+:role/.+$")),
        "Roles that documents may name; `*` is any text within one part of the ARN.",
    ),
    field("timeouts", Kind::Object(TIMEOUTS), "Limits of one attempt."),
];

/// `aws.timeouts`.
pub(super) const TIMEOUTS: &[Field] = &[
    with_default("connect", DURATION, "5s", "To get a connection, TLS included."),
    with_default("read", DURATION, "15s", "Until the first byte of the answer."),
    with_default("attempt", DURATION, "20s", "One attempt, credentials and body included."),
];

/// One of `sources`.
pub(super) const SOURCE: &[Field] =
    &[field("path", PATH, "A file, or a folder that is read recursively.")];

/// `http`.
pub(super) const HTTP: &[Field] = &[
    field("tokenFile", PATH, "The file with the token that changing requests must bring."),
    field(
        "hosts",
        Kind::List(&Kind::Text("^[A-Za-z0-9.-]+$")),
        "Names by which the server may be called, beside those of the loopback.",
    ),
];

/// `log`.
pub(super) const LOG: &[Field] = &[
    with_default("level", Kind::Text(r"^\S+$"), "info", "A level, or directives as `RUST_LOG`."),
    with_default(
        "format",
        Kind::Words(LogFormat::NAMES),
        "auto",
        "`text`, `json`, or `auto`: text on a terminal.",
    ),
];
