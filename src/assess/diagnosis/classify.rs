//! What the text of a failure means.
//!
//! CloudFormation relays the message of the service and sometimes a code; neither has a schema. So the match is on phrases that do not
//! change with the values in them, case-insensitively, and what matches none is [`Cause::Unknown`]: a wrong class would send somebody
//! the wrong way, or have an update tried again that cannot succeed.

use serde::{Deserialize, Serialize};

/// What made a change fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The database was backing up, upgrading, being modified.
    DatabaseNotAvailable,
    /// The template has another size of storage than the database.
    StorageOutOfStep,
    /// The storage was changed too short a time ago.
    StorageCooldown,
    /// Somebody was denied something.
    PermissionDenied,
    /// A parameter's value is not allowed, or not in this combination.
    ValueNotAllowed,
    /// A quota of the account is used up.
    Quota,
    /// A resource that the template has, or refers to, is not there.
    ResourceMissing,
    /// Throttled, or trouble of AWS's own.
    ServiceTrouble,
    /// The way back failed because the cache already runs Valkey.
    PastTheDoor,
    /// None of these, or nothing to tell it by.
    Unknown,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::DatabaseNotAvailable,
        Self::StorageOutOfStep,
        Self::StorageCooldown,
        Self::PermissionDenied,
        Self::ValueNotAllowed,
        Self::Quota,
        Self::ResourceMissing,
        Self::ServiceTrouble,
        Self::PastTheDoor,
        Self::Unknown,
    ];

    /// Its name, as in JSON: `database-not-available`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DatabaseNotAvailable => "database-not-available",
            Self::StorageOutOfStep => "storage-out-of-step",
            Self::StorageCooldown => "storage-cooldown",
            Self::PermissionDenied => "permission-denied",
            Self::ValueNotAllowed => "value-not-allowed",
            Self::Quota => "quota",
            Self::ResourceMissing => "resource-missing",
            Self::ServiceTrouble => "service-trouble",
            Self::PastTheDoor => "past-the-door",
            Self::Unknown => "unknown",
        }
    }

    /// Whether waiting alone heals it, so that trying again by itself makes sense.
    pub fn heals_by_time(self) -> bool {
        matches!(self, Self::DatabaseNotAvailable | Self::StorageCooldown | Self::ServiceTrouble)
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A phrase, or several that must all be there, in lower case; and what they mean.
type Rule = (&'static [&'static str], Cause);

/// In this order: the first rule that matches decides.
///
/// Texts of the database are those of the RDS API ("Invalid storage size…", "You can't currently modify the storage…"); codes in round
/// brackets are CloudFormation's `HandlerErrorCode`s (CloudFormation CLI user guide, "Handler error codes") and the services' own.
const RULES: &[Rule] = &[
    // An encoded message says nothing but that it was a denial, so denials go first.
    (&["not authorized to perform"], Cause::PermissionDenied),
    (&["encoded authorization failure message"], Cause::PermissionDenied),
    (&["accessdenied"], Cause::PermissionDenied),
    (&["unauthorizedoperation"], Cause::PermissionDenied),
    (&["access denied"], Cause::PermissionDenied),
    (&["is not in available state"], Cause::DatabaseNotAvailable),
    (&["invaliddbinstancestate"], Cause::DatabaseNotAvailable),
    (&["you can't currently modify the storage"], Cause::StorageCooldown),
    (&["storage optimization", "try again"], Cause::StorageCooldown),
    (&["invalid storage size for engine name"], Cause::StorageOutOfStep),
    (&["invalid max storage size for engine name"], Cause::StorageOutOfStep),
    // `StorageQuotaExceeded`, `CacheSubnetGroupQuotaExceeded`, …: the services' codes end so (botocore models of RDS and ElastiCache).
    (&["quotaexceeded"], Cause::Quota),
    (&["limitexceededexception"], Cause::Quota),
    (&["servicelimitexceeded"], Cause::Quota),
    (&["quota", "exceeded"], Cause::Quota),
    (&["insufficientcacheclustercapacity"], Cause::ServiceTrouble),
    (&["insufficientdbinstancecapacity"], Cause::ServiceTrouble),
    (&["rate exceeded"], Cause::ServiceTrouble),
    (&["request limit exceeded"], Cause::ServiceTrouble),
    (&["requestlimitexceeded"], Cause::ServiceTrouble),
    (&["handlererrorcode: throttling"], Cause::ServiceTrouble),
    (&["throttlingexception"], Cause::ServiceTrouble),
    (&["handlererrorcode: serviceinternalerror"], Cause::ServiceTrouble),
    (&["handlererrorcode: networkfailure"], Cause::ServiceTrouble),
    (&["service is unavailable"], Cause::ServiceTrouble),
    (&["status code: 503"], Cause::ServiceTrouble),
    (&["status code: 500"], Cause::ServiceTrouble),
    (&["handlererrorcode: notfound"], Cause::ResourceMissing),
    (&["notfoundfault"], Cause::ResourceMissing),
    (&["does not exist"], Cause::ResourceMissing),
    (&["was not found"], Cause::ResourceMissing),
    (
        &["cannot update a stack when a custom-named resource requires replacing"],
        Cause::ValueNotAllowed,
    ),
    (&["must have at least one read replica"], Cause::ValueNotAllowed),
    (&["property cannot be modified"], Cause::ValueNotAllowed),
    (&["invalidparametervalue"], Cause::ValueNotAllowed),
    (&["invalidparametercombination"], Cause::ValueNotAllowed),
    (&["handlererrorcode: invalidrequest"], Cause::ValueNotAllowed),
    (&["invalid parameter"], Cause::ValueNotAllowed),
    (&["model validation failed"], Cause::ValueNotAllowed),
];

/// The class that the message of a failed resource belongs to.
pub fn classify(message: &str) -> Cause {
    // Word processors and some of AWS's own pages turn the apostrophe.
    let text = message.to_ascii_lowercase().replace('\u{2019}', "'");
    RULES
        .iter()
        .find(|(phrases, _)| phrases.iter().all(|phrase| text.contains(phrase)))
        .map_or(Cause::Unknown, |(_, cause)| *cause)
}
