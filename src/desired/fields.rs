//! The one description of documents: which fields there are, what they hold, what they mean.
//!
//! The reader takes the known names and the required ones from here, the JSON Schema all of it. Values are checked by
//! the rules of the types; a pattern here says the same to an editor, and a test holds the two together.

use super::document::{API_VERSION, KIND, Mode, Recovery, Storage};

/// One field.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    /// The default, as a document spells it.
    pub(crate) default: Option<&'static str>,
    pub(crate) doc: &'static str,
}

/// What a field holds.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Exactly this text.
    Constant(&'static str),
    /// Text of this pattern (ECMA 262).
    Text(&'static str),
    /// Text of this pattern that an editor may take for a number: `8.0`, `111122223333`. We keep its spelling.
    Spelled(&'static str),
    /// One of these words.
    Words(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number between two, both allowed.
    Number(u8, u8),
    /// A mapping with these fields.
    Object(&'static [Field]),
    /// A list of these.
    List(&'static Kind),
    /// Parameter keys and their values.
    Parameters,
    /// Roles and parameter keys.
    ParameterKeys,
    /// `true`, `false` or a mapping with these fields.
    FlagOr(&'static [Field]),
}

impl Kind {
    /// Whether nothing at all may stand for an empty value: `approve:` with every line commented out.
    pub(crate) fn may_be_null(&self) -> bool {
        match self {
            Self::Object(_) | Self::List(_) | Self::Parameters | Self::ParameterKeys => true,
            Self::Constant(_)
            | Self::Text(_)
            | Self::Spelled(_)
            | Self::Words(_)
            | Self::Flag
            | Self::Number(..)
            | Self::FlagOr(_) => false,
        }
    }
}

pub(crate) const fn field(name: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { name, kind, required: false, default: None, doc }
}

pub(crate) const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { name, kind, required: true, default: None, doc }
}

pub(crate) const fn with_default(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    doc: &'static str,
) -> Field {
    Field { name, kind, required: false, default: Some(default), doc }
}

pub(crate) const DURATION: Kind = Kind::Text("^[0-9]+(d|h|m|s|ms)([0-9]+(h|m|s|ms))*$");
const ENGINE: Kind = Kind::Text("^([Rr][Ee][Dd][Ii][Ss]|[Vv][Aa][Ll][Kk][Ee][Yy])$");
const CACHE_VERSION: Kind = Kind::Spelled(r"^[0-9]+\.[0-9]+(\.[0-9]+)?$");
const VERSION_WISH: Kind = Kind::Text(
    r"^(v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?|\s*[<>=^~]+\s*v?[0-9.]+\s*(,\s*[<>=^~]+\s*v?[0-9.]+\s*)*)$",
);
const NAME: Kind = Kind::Spelled("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$");
pub(crate) const ACCOUNT: Kind = Kind::Spelled("^[0-9]{12}$");
pub(crate) const REGION: Kind = Kind::Text("^[a-z]{2,12}(-[a-z]{1,12}){1,3}-[0-9]{1,2}$");
const PRODUCT: Kind = Kind::Spelled("^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$");
const HIVE: Kind = Kind::Text("^[a-z][a-z0-9_-]{0,61}[a-z0-9]$");
const APPROVAL: Kind = Kind::Text(
    r"^(redis-to-valkey|no-launch-role|retrigger|past-the-door|(major-version|cache-recreate|dropped-parameters)@v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?)$",
);
const DAY: Kind = Kind::Text(
    "^([Mm][Oo][Nn]([Dd][Aa][Yy])?|[Tt][Uu][Ee]([Ss][Dd][Aa][Yy])?|[Ww][Ee][Dd]([Nn][Ee][Ss][Dd][Aa][Yy])?|[Tt][Hh][Uu]([Rr][Ss][Dd][Aa][Yy])?|[Ff][Rr][Ii]([Dd][Aa][Yy])?|[Ss][Aa][Tt]([Uu][Rr][Dd][Aa][Yy])?|[Ss][Uu][Nn]([Dd][Aa][Yy])?)$",
);

const DOC_ENGINE: &str = "The cache's engine. Redis to Valkey cannot be undone and needs the approval `redis-to-valkey`.";
const DOC_VERSION: &str =
    "The engine's version, major and minor. Its spelling is kept: 7.10 is not 7.1.";
const DOC_TED_VERSION: &str = "The TED version: exact (`v1.52.1`), or a range (`\">=1.50, <2\"`), of which the newest match is taken only when the present version does not satisfy it. Absent: keep.";
const DOC_PRODUCT: &str =
    "The provisioned product, by name or `pp-…` id. Default: `ted-` and the document's name.";
const DOC_REGION: &str = "The region this TED lives in. Default: the controller's.";
const DOC_ACCOUNT: &str = "The account this TED lives in; checked against the caller.";
const DOC_HIVE: &str = "The hive. Default: the document's name.";
const DOC_MODE: &str = "`apply`, or `observe`: report, start nothing.";
const DOC_APPROVE: &str = "Changes that cannot be undone, approved in writing. Those with a version are for that version only.";

/// The short form: the whole file.
pub(crate) const SHORT: &[Field] = &[
    required("engine", ENGINE, DOC_ENGINE),
    required("version", CACHE_VERSION, DOC_VERSION),
    field("tedVersion", VERSION_WISH, DOC_TED_VERSION),
    field("provisionedProduct", PRODUCT, DOC_PRODUCT),
    field("region", REGION, DOC_REGION),
    field("account", ACCOUNT, DOC_ACCOUNT),
    field(
        "name",
        NAME,
        "The document's name, unique in one controller. Default: the file's name without its ending.",
    ),
    field("hive", HIVE, DOC_HIVE),
    with_default("mode", Kind::Words(Mode::NAMES), "apply", DOC_MODE),
    field("approve", Kind::List(&APPROVAL), DOC_APPROVE),
];

/// The full form.
pub(crate) const FULL: &[Field] = &[
    required("apiVersion", Kind::Constant(API_VERSION), "The version of this document's form."),
    required("kind", Kind::Constant(KIND), "The kind of document."),
    required("metadata", Kind::Object(METADATA), "What the document is called."),
    required("spec", Kind::Object(SPEC), "What should be, and how to get there."),
];

/// `metadata`.
pub(crate) const METADATA: &[Field] =
    &[required("name", NAME, "The document's name, unique in one controller: a DNS label.")];

/// `spec`.
pub(crate) const SPEC: &[Field] = &[
    field("account", ACCOUNT, DOC_ACCOUNT),
    field("region", REGION, DOC_REGION),
    field(
        "roleArn",
        Kind::Text("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[a-zA-Z0-9+=,.@_/-]+$"),
        "The role to assume; it must match the controller's allow-list.",
    ),
    field(
        "externalId",
        Kind::Spelled("^[a-zA-Z0-9_+=,.@:/-]{2,1224}$"),
        "The external id that the role is assumed with.",
    ),
    field("provisionedProduct", PRODUCT, DOC_PRODUCT),
    field("hive", HIVE, DOC_HIVE),
    field("tedVersion", VERSION_WISH, DOC_TED_VERSION),
    field("cache", Kind::Object(CACHE), "What the cache should be. Absent: keep."),
    field(
        "parameters",
        Kind::Parameters,
        "Any other TED parameter, by its key. No secrets: NoEcho parameters are refused.",
    ),
    field(
        "parameterKeys",
        Kind::ParameterKeys,
        "Keys of parameters, by their role: only where discovery asks for it.",
    ),
    field("events", Kind::Object(EVENTS), "How events are paused for an update."),
    field("policy", Kind::Object(POLICY), "When and how to act."),
    with_default("suspend", Kind::FlagOr(SUSPEND), "false", "Start nothing and keep observing."),
];

/// `spec.cache`.
pub(crate) const CACHE: &[Field] = &[
    required("engine", ENGINE, DOC_ENGINE),
    required("version", CACHE_VERSION, DOC_VERSION),
    field(
        "nodeType",
        Kind::Text(r"^cache\.[a-z0-9]{1,20}\.[a-z0-9]{1,20}$"),
        "The node type. Absent: keep.",
    ),
    field(
        "nodes",
        Kind::Number(1, MAX_NODES),
        "The number of nodes. Absent: keep. From 1 to more and back re-creates the cache.",
    ),
    field("multiAz", Kind::Flag, "Whether nodes lie in several availability zones. Absent: keep."),
    field(
        "authMode",
        Kind::Text(r"^\S.{0,98}\S$"),
        "The authentication mode, such as `IAM`. Absent: keep.",
    ),
];

/// The most cache nodes: TED offers 1, or 2 to 6.
pub(crate) const MAX_NODES: u8 = 6;

/// `spec.events`.
pub(crate) const EVENTS: &[Field] = &[
    with_default(
        "pause",
        Kind::Flag,
        "true",
        "Whether event processing is paused during an update.",
    ),
    with_default(
        "prefix",
        Kind::Spelled("^[a-zA-Z0-9_-]{1,40}$"),
        "turbot",
        "What the worker functions' names begin with.",
    ),
    with_default("drain", DURATION, "60s", "How long running events get to finish, at most 5m."),
];

/// `spec.policy`.
pub(crate) const POLICY: &[Field] = &[
    with_default("mode", Kind::Words(Mode::NAMES), "apply", DOC_MODE),
    field("approve", Kind::List(&APPROVAL), DOC_APPROVE),
    with_default(
        "selfHeal",
        Kind::Flag,
        "true",
        "Whether drift is corrected without a new revision.",
    ),
    with_default("settle", DURATION, "10m", "How long drift must have stood before it is."),
    with_default(
        "storage",
        Kind::Words(Storage::NAMES),
        "adopt",
        "What to do about storage that is out of step.",
    ),
    with_default("recovery", Kind::Words(Recovery::NAMES), "auto", "Who recovers a failed update."),
    field(
        "maintenanceWindows",
        Kind::List(&Kind::Object(WINDOW)),
        "When updates may start. Absent: always.",
    ),
    with_default("interval", DURATION, "2m", "How often to look when nothing happens."),
    with_default(
        "deepDriftInterval",
        DURATION,
        "0s",
        "How often CloudFormation detects drift; 0s: never.",
    ),
    with_default(
        "updateTimeout",
        DURATION,
        "8h",
        "After how long an update counts as stalled; it is never cancelled.",
    ),
    with_default(
        "maxAttempts",
        Kind::Number(1, MAX_ATTEMPTS),
        "3",
        "How many updates may fail before a person is needed.",
    ),
];

/// The most attempts a document may grant.
pub(crate) const MAX_ATTEMPTS: u8 = 20;

/// One of `spec.policy.maintenanceWindows`.
pub(crate) const WINDOW: &[Field] = &[
    field("days", Kind::List(&DAY), "The days on which it opens. Absent: every day."),
    required("start", Kind::Text("^([01][0-9]|2[0-3]):[0-5][0-9]$"), "When it opens, HH:MM."),
    required(
        "end",
        Kind::Text("^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"),
        "When it closes, HH:MM; at or before the start: on the next day.",
    ),
    with_default(
        "timezone",
        Kind::Text("^[A-Za-z][A-Za-z0-9_+/-]*$"),
        "UTC",
        "The zone of its times, by IANA name.",
    ),
];

/// `spec.suspend` as a mapping.
pub(crate) const SUSPEND: &[Field] = &[
    field("reason", Kind::Text(r"^[\s\S]{1,500}$"), "Why; shown wherever the suspension is."),
    field(
        "until",
        Kind::Text("^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}"),
        "When it ends by itself, RFC 3339.",
    ),
];
