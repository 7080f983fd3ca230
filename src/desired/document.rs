//! What a document says once it is checked: every type here holds only values that passed their rules.

use super::engine::{CacheVersion, Engine};
use super::ids::{
    AccountId, ExternalId, FunctionPrefix, HiveName, Name, NodeType, ParameterKey, ProductRef,
    Region, RoleArn,
};
use super::problem::{Complaint, Location, nearest};
use super::version::{TedVersion, VersionWish};
use super::window::MaintenanceWindows;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The API version of documents.
pub const API_VERSION: &str = "ted-controller.dev/v1alpha1";
/// The group of [`API_VERSION`]: a document of this group is meant for us.
pub(super) const API_GROUP: &str = "ted-controller.dev";
/// The kind of documents.
pub const KIND: &str = "TurbotEnterpriseDatabase";

/// A desired document: what one TED should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// `metadata.name`.
    pub name: Name,
    /// `spec`, defaults filled in.
    pub spec: TedSpec,
    /// Where the document begins.
    pub location: Location,
}

/// What should be, and how to get there.
#[derive(Clone, Debug, PartialEq)]
pub struct TedSpec {
    /// The account where this TED lives; absent: whichever the caller is in.
    pub account: Option<AccountId>,
    /// The region; absent only when the controller names none either: then the standard chain decides.
    pub region: Option<Region>,
    /// The role to assume.
    pub role: Option<AssumedRole>,
    /// The provisioned product; default `ted-<name>`.
    pub provisioned_product: ProductRef,
    /// The hive; default the document's name.
    pub hive: HiveName,
    /// The TED version; absent: keep.
    pub ted_version: Option<VersionWish>,
    /// The cache; absent: keep all of it.
    pub cache: Option<Cache>,
    /// Other TED parameters by key, values as they are spelled. To CloudFormation every value is text.
    pub parameters: BTreeMap<ParameterKey, String>,
    /// Keys of parameters that discovery could not settle.
    pub parameter_keys: BTreeMap<Role, ParameterKey>,
    /// How events are paused.
    pub events: Events,
    /// When and how to act.
    pub policy: Policy,
    /// Whether nothing may start.
    pub suspend: Option<Suspend>,
}

/// A role and what it is assumed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumedRole {
    /// The role.
    pub arn: RoleArn,
    /// Its external id.
    pub external_id: Option<ExternalId>,
}

/// What the cache should be. Absent members are kept as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// The engine.
    pub engine: Engine,
    /// Its version.
    pub version: CacheVersion,
    /// The node type.
    pub node_type: Option<NodeType>,
    /// The number of nodes.
    pub nodes: Option<u8>,
    /// Whether nodes lie in several zones.
    pub multi_az: Option<bool>,
    /// The authentication mode, as the template's allowed values spell it.
    pub auth_mode: Option<String>,
}

/// How events are paused for an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// Whether they are.
    pub pause: bool,
    /// What the worker functions' names begin with.
    pub prefix: FunctionPrefix,
    /// How long running events get to finish once the triggers are disabled.
    pub drain: Duration,
}

impl Default for Events {
    fn default() -> Self {
        // The one literal that is known to be a prefix; a test holds `parse` to it.
        let prefix = FunctionPrefix::turbot();
        Self { pause: true, prefix, drain: Duration::from_mins(1) }
    }
}

/// When and how to act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether to act at all.
    pub mode: Mode,
    /// Changes that a person approved.
    pub approve: Vec<Approval>,
    /// Whether drift without a new revision is corrected.
    pub self_heal: bool,
    /// How long such drift must have stood.
    pub settle: Duration,
    /// What to do about storage that is out of step.
    pub storage: Storage,
    /// Who recovers a failed update.
    pub recovery: Recovery,
    /// When updates may start.
    pub maintenance_windows: MaintenanceWindows,
    /// How often to look when nothing happens.
    pub interval: Duration,
    /// How often to have CloudFormation detect drift; zero: never.
    pub deep_drift_interval: Duration,
    /// After how long an update counts as stalled. It is never cancelled.
    pub update_timeout: Duration,
    /// How many updates may fail before a person is needed.
    pub max_attempts: u8,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mode: Mode::Apply,
            approve: Vec::new(),
            self_heal: true,
            settle: Duration::from_mins(10),
            storage: Storage::Adopt,
            recovery: Recovery::Auto,
            maintenance_windows: MaintenanceWindows::default(),
            interval: Duration::from_mins(2),
            deep_drift_interval: Duration::ZERO,
            update_timeout: Duration::from_hours(8),
            max_attempts: 3,
        }
    }
}

/// An enum that a document writes as one word. Generates the words, the reader and the writer from one list.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every word, in order.
            pub const NAMES: &'static [&'static str] = &[$($word),+];
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that documents use.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Reads the word.
            ///
            /// # Errors
            /// When it is none of [`Self::NAMES`].
            pub fn parse(text: &str) -> Result<Self, Complaint> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(not_one_of(text, Self::NAMES)),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// Whether a document is acted on.
    Mode {
        /// Report, start nothing.
        Observe = "observe",
        /// Act.
        Apply = "apply",
    }
}

words! {
    /// What to do about storage that differs from its parameters.
    Storage {
        /// Take the real values over, along with an update that is due anyway.
        Adopt = "adopt",
        /// Report it.
        Report = "report",
    }
}

words! {
    /// Who recovers a failed update.
    Recovery {
        /// The controller, within its limits.
        Auto = "auto",
        /// A person.
        Manual = "manual",
    }
}

words! {
    /// What a parameter is for, whatever its key is called.
    Role {
        /// Whether there is a cache at all.
        UseCache = "useCache",
        /// The cache's engine.
        CacheEngine = "cacheEngine",
        /// The version when the engine is Redis.
        RedisVersion = "redisVersion",
        /// The version when the engine is Valkey.
        ValkeyVersion = "valkeyVersion",
        /// How clients prove who they are.
        CacheAuthMode = "cacheAuthMode",
        /// The node type.
        CacheNodeType = "cacheNodeType",
        /// The number of nodes.
        CacheNodes = "cacheNodes",
        /// Whether nodes lie in several zones.
        CacheMultiAz = "cacheMultiAz",
        /// The database's storage.
        AllocatedStorage = "allocatedStorage",
        /// Its IOPS.
        AllocatedIops = "allocatedIops",
        /// Its throughput.
        StorageThroughput = "storageThroughput",
        /// How far storage may grow by itself.
        MaxAllocatedStorage = "maxAllocatedStorage",
        /// The hive's name.
        HiveName = "hiveName",
        /// What resource names begin with.
        ResourcePrefix = "resourcePrefix",
        /// The switch that makes a stack look again when nothing else changed.
        DeploymentTrigger = "deploymentTrigger",
    }
}

impl Role {
    /// The field of the document that says what this parameter should be, where there is one.
    pub fn field(self) -> Option<&'static str> {
        match self {
            Self::CacheEngine => Some("spec.cache.engine"),
            Self::RedisVersion | Self::ValkeyVersion => Some("spec.cache.version"),
            Self::CacheAuthMode => Some("spec.cache.authMode"),
            Self::CacheNodeType => Some("spec.cache.nodeType"),
            Self::CacheNodes => Some("spec.cache.nodes"),
            Self::CacheMultiAz => Some("spec.cache.multiAz"),
            Self::HiveName => Some("spec.hive"),
            Self::UseCache
            | Self::AllocatedStorage
            | Self::AllocatedIops
            | Self::StorageThroughput
            | Self::MaxAllocatedStorage
            | Self::ResourcePrefix
            | Self::DeploymentTrigger => None,
        }
    }
}

/// A change that a person approved in writing, and no other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Approval {
    /// From Redis to Valkey: there is no way back.
    RedisToValkey,
    /// To a new major version, this one.
    MajorVersion(TedVersion),
    /// Changes that re-create the cache, in an update to this version.
    CacheRecreate(TedVersion),
    /// Parameters that this version dropped and that held a value of their own.
    DroppedParameters(TedVersion),
    /// An update of a product that launches without a role, on credentials that may not outlast it.
    NoLaunchRole,
    /// An update with no change but the deployment trigger, to heal a tainted product.
    Retrigger,
    /// Going on forward after a failed update whose cache is Valkey already.
    PastTheDoor,
}

impl Approval {
    /// Every word; those that are for one version end in `@`.
    pub const WORDS: [&'static str; 7] = [
        "redis-to-valkey",
        "major-version@",
        "cache-recreate@",
        "dropped-parameters@",
        "no-launch-role",
        "retrigger",
        "past-the-door",
    ];

    /// Reads an approval: `redis-to-valkey`, `major-version@v2.0.0`.
    ///
    /// # Errors
    /// When the word is unknown, or the version is missing, superfluous or wrong.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        let (word, version) =
            text.split_once('@').map_or((text, None), |(word, version)| (word, Some(version)));
        let for_version = |make: fn(TedVersion) -> Self| match version {
            None => Err(Complaint::new(format!("`{word}` is for one version"))
                .allowed(format!("`{word}@VERSION`"))
                .hint(format!("write the version it approves, such as `{word}@v1.52.1`"))),
            Some(version) => TedVersion::parse(version).map(make).map_err(|complaint| {
                // "write `v1.52.1`" is about the version; people replace the whole word.
                let hint = complaint
                    .hint
                    .as_deref()
                    .and_then(|hint| hint.strip_prefix("write `"))
                    .map(|rest| format!("write `{word}@{rest}"));
                Complaint { hint, ..complaint }
            }),
        };
        let plain =
            |approval| match version {
                None => Ok(approval),
                Some(_) => Err(Complaint::new(format!("`{word}` takes no version"))
                    .allowed(format!("`{word}`"))),
            };
        match word {
            "redis-to-valkey" => plain(Self::RedisToValkey),
            "major-version" => for_version(Self::MajorVersion),
            "cache-recreate" => for_version(Self::CacheRecreate),
            "dropped-parameters" => for_version(Self::DroppedParameters),
            "no-launch-role" => plain(Self::NoLaunchRole),
            "retrigger" => plain(Self::Retrigger),
            "past-the-door" => plain(Self::PastTheDoor),
            _ => {
                let words = Self::WORDS.map(|word| word.trim_end_matches('@'));
                let mut complaint = not_one_of(word, &words);
                let all = Self::WORDS.map(|word| {
                    if word.ends_with('@') {
                        format!("`{word}VERSION`")
                    } else {
                        format!("`{word}`")
                    }
                });
                complaint.allowed = Some(all.join(", "));
                Err(Complaint { message: "not an approval".to_owned(), ..complaint })
            }
        }
    }
}

impl fmt::Display for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RedisToValkey => f.write_str("redis-to-valkey"),
            Self::MajorVersion(version) => write!(f, "major-version@{version}"),
            Self::CacheRecreate(version) => write!(f, "cache-recreate@{version}"),
            Self::DroppedParameters(version) => write!(f, "dropped-parameters@{version}"),
            Self::NoLaunchRole => f.write_str("no-launch-role"),
            Self::Retrigger => f.write_str("retrigger"),
            Self::PastTheDoor => f.write_str("past-the-door"),
        }
    }
}

impl Serialize for Approval {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A document that is looked at and not acted on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suspend {
    /// Why.
    pub reason: Option<String>,
    /// Until when; absent: until the document says otherwise.
    pub until: Option<Timestamp>,
}

impl Suspend {
    /// Whether it is in effect at a moment.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// The complaint about a word that is none of a few.
pub(crate) fn not_one_of(text: &str, words: &[&str]) -> Complaint {
    let allowed = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let near = nearest(text, words.iter().copied()).map(|word| format!("did you mean `{word}`?"));
    Complaint::new("not one of the allowed words").allowed(allowed).hint_if_any(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn approvals_are_for_a_version_where_they_must_be() {
        for (text, expected, why) in [
            ("redis-to-valkey", Ok(()), "plain"),
            ("major-version@v2.0.0", Ok(()), "for one version"),
            ("dropped-parameters@v1.52.1", Ok(()), "for one version"),
            (
                "major-version",
                Err("write the version it approves, such as `major-version@v1.52.1`"),
                "no version",
            ),
            ("major-version@2.0.0", Err("write `major-version@v2.0.0`"), "no v"),
            ("redis-to-valkey@v1.52.1", Err(""), "takes none"),
            ("redis-to-valky", Err("did you mean `redis-to-valkey`?"), "a slip"),
            ("everything", Err(""), "not a word"),
        ] {
            let got = Approval::parse(text).map_err(|complaint| complaint.hint.unwrap_or_default());
            match (&got, expected) {
                (Ok(approval), Ok(())) => assert_eq!(approval.to_string(), text, "{why}"),
                (Err(hint), Err(expected)) => assert_eq!(hint, expected, "{why}"),
                _ => panic!("{text}: {got:?}: {why}"),
            }
        }
    }

    #[test]
    fn every_role_reads_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Ok(*role));
        }
        assert_eq!(Role::NAMES.len(), 15);
    }

    #[test]
    fn the_default_prefix_passes_its_own_rule() {
        let prefix = Events::default().prefix;
        assert_eq!(FunctionPrefix::parse(prefix.as_str()), Ok(prefix));
    }

    #[test]
    fn a_suspension_ends_when_it_says() {
        let until: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
        let suspend = Suspend { reason: None, until: Some(until) };
        assert!(suspend.holds("2026-11-30T23:59:59Z".parse().unwrap()) && !suspend.holds(until));
        assert!(Suspend::default().holds(until), "without an end it holds");
    }
}
