//! What the text of a failure means.
//!
//! CloudFormation relays the message of the service and sometimes a code; neither has a schema. So the match is on phrases that do not
//! change with the values in them, case-insensitively, and on error codes where a code stands, so that a resource that is merely *called*
//! `AccessDeniedAlarm` proves nothing. What matches none is [`Cause::Unknown`]: a wrong class would send somebody the wrong way, or have
//! an update tried again that cannot succeed. `HandlerErrorCode: InvalidRequest`, `GeneralServiceException`, `AlreadyExists` and
//! `NotStabilized` say nothing of what to do, and are no evidence by themselves.

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
    /// The cache was being modified.
    CacheNotAvailable,
    /// Somebody was denied something.
    PermissionDenied,
    /// The credentials ran out while the update ran.
    CredentialsExpired,
    /// A parameter's value is not allowed, or not in this combination.
    ValueNotAllowed,
    /// The update would have changed nothing.
    NothingToChange,
    /// The stack is in a state that takes no update.
    StackNotUpdatable,
    /// A quota of the account is used up.
    Quota,
    /// A resource that the template has, or refers to, is not there.
    ResourceMissing,
    /// Throttled, or trouble of AWS's own.
    ServiceTrouble,
    /// Somebody cancelled the update.
    Cancelled,
    /// The way back failed because the cache already runs Valkey.
    PastTheDoor,
    /// None of these, or nothing to tell it by.
    Unknown,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::DatabaseNotAvailable,
        Self::StorageOutOfStep,
        Self::StorageCooldown,
        Self::CacheNotAvailable,
        Self::PermissionDenied,
        Self::CredentialsExpired,
        Self::ValueNotAllowed,
        Self::NothingToChange,
        Self::StackNotUpdatable,
        Self::Quota,
        Self::ResourceMissing,
        Self::ServiceTrouble,
        Self::Cancelled,
        Self::PastTheDoor,
        Self::Unknown,
    ];

    /// Its name, as in JSON: `database-not-available`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DatabaseNotAvailable => "database-not-available",
            Self::StorageOutOfStep => "storage-out-of-step",
            Self::StorageCooldown => "storage-cooldown",
            Self::CacheNotAvailable => "cache-not-available",
            Self::PermissionDenied => "permission-denied",
            Self::CredentialsExpired => "credentials-expired",
            Self::ValueNotAllowed => "value-not-allowed",
            Self::NothingToChange => "nothing-to-change",
            Self::StackNotUpdatable => "stack-not-updatable",
            Self::Quota => "quota",
            Self::ResourceMissing => "resource-missing",
            Self::ServiceTrouble => "service-trouble",
            Self::Cancelled => "cancelled",
            Self::PastTheDoor => "past-the-door",
            Self::Unknown => "unknown",
        }
    }

    /// Whether waiting alone heals it, so that trying again by itself makes sense.
    pub fn heals_by_time(self) -> bool {
        matches!(
            self,
            Self::DatabaseNotAvailable
                | Self::StorageCooldown
                | Self::CacheNotAvailable
                | Self::ServiceTrouble
        )
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a message is matched by.
enum Sign {
    /// Phrases that must all be there, in lower case.
    Says(&'static [&'static str]),
    /// An error code, in lower case.
    Code(&'static str),
    /// The end of an error code, in lower case: services put what it is about in front.
    CodeEndsIn(&'static str),
}

use Sign::{Code, CodeEndsIn, Says};

/// In this order: the first rule that matches decides.
///
/// Texts of the database are those of the RDS API ("Invalid storage size…", "You can't currently modify the storage…"); codes are
/// CloudFormation's `HandlerErrorCode`s (CloudFormation CLI user guide, "Handler error codes") and the services' own (botocore models).
/// Where each text was met stands in the table of the tests.
const RULES: &[(Sign, Cause)] = &[
    // An encoded message says nothing but that it was a denial, so denials go first.
    (Says(&["not authorized to perform"]), Cause::PermissionDenied),
    (Says(&["encoded authorization failure message"]), Cause::PermissionDenied),
    (Says(&["permissions error performing a tagging operation"]), Cause::PermissionDenied),
    (Says(&["access denied"]), Cause::PermissionDenied),
    (Code("accessdenied"), Cause::PermissionDenied),
    (Code("accessdeniedexception"), Cause::PermissionDenied),
    (Code("unauthorizedoperation"), Cause::PermissionDenied),
    (Code("unauthorizedtaggingoperation"), Cause::PermissionDenied),
    (Says(&["security token included in the request is expired"]), Cause::CredentialsExpired),
    (Code("expiredtoken"), Cause::CredentialsExpired),
    (Code("expiredtokenexception"), Cause::CredentialsExpired),
    // What the cache says of itself, before what only the database says.
    (Code("invalidreplicationgroupstate"), Cause::CacheNotAvailable),
    (Code("invalidcacheclusterstate"), Cause::CacheNotAvailable),
    (Says(&["replication group must be in available state"]), Cause::CacheNotAvailable),
    (Says(&["cluster not in available state"]), Cause::CacheNotAvailable),
    (Says(&["cache cluster", "is not in available state"]), Cause::CacheNotAvailable),
    (Says(&["database instance is not in available state"]), Cause::DatabaseNotAvailable),
    (Says(&["db instance", "is not in available state"]), Cause::DatabaseNotAvailable),
    (Says(&["db instance", "is in an unsupported state"]), Cause::DatabaseNotAvailable),
    (Code("invaliddbinstancestate"), Cause::DatabaseNotAvailable),
    (Code("invaliddbinstancestatefault"), Cause::DatabaseNotAvailable),
    (Says(&["you can't currently modify the storage"]), Cause::StorageCooldown),
    (Says(&["storage optimization", "try again"]), Cause::StorageCooldown),
    (Says(&["invalid storage size for engine name"]), Cause::StorageOutOfStep),
    (Says(&["invalid max storage size for engine name"]), Cause::StorageOutOfStep),
    (Says(&["is in", "state and can not be updated"]), Cause::StackNotUpdatable),
    (Says(&["no updates are to be performed"]), Cause::NothingToChange),
    (Says(&["submitted information didn't contain changes"]), Cause::NothingToChange),
    // `StorageQuotaExceeded`, `CacheSubnetGroupQuotaExceeded`, …
    (CodeEndsIn("quotaexceeded"), Cause::Quota),
    (CodeEndsIn("quotaexceededfault"), Cause::Quota),
    (Code("limitexceededexception"), Cause::Quota),
    (Code("servicelimitexceeded"), Cause::Quota),
    (Says(&["quota", " exceeded"]), Cause::Quota),
    (Code("insufficientcacheclustercapacity"), Cause::ServiceTrouble),
    (Code("insufficientdbinstancecapacity"), Cause::ServiceTrouble),
    (Says(&["rate exceeded"]), Cause::ServiceTrouble),
    (Says(&["request limit exceeded"]), Cause::ServiceTrouble),
    (Code("requestlimitexceeded"), Cause::ServiceTrouble),
    (Code("throttling"), Cause::ServiceTrouble),
    (Code("throttlingexception"), Cause::ServiceTrouble),
    (Code("serviceinternalerror"), Cause::ServiceTrouble),
    (Code("networkfailure"), Cause::ServiceTrouble),
    (Says(&["service is unavailable"]), Cause::ServiceTrouble),
    (Says(&["status code: 503"]), Cause::ServiceTrouble),
    (Says(&["status code: 500"]), Cause::ServiceTrouble),
    (Code("notfound"), Cause::ResourceMissing),
    (CodeEndsIn("notfoundfault"), Cause::ResourceMissing),
    (CodeEndsIn("notfoundexception"), Cause::ResourceMissing),
    (Code("nosuchentity"), Cause::ResourceMissing),
    (Code("nosuchkey"), Cause::ResourceMissing),
    (Says(&["does not exist"]), Cause::ResourceMissing),
    (Says(&["cannot be found"]), Cause::ResourceMissing),
    (Says(&["was not found"]), Cause::ResourceMissing),
    (Says(&["a custom-named resource requires replacing"]), Cause::ValueNotAllowed),
    (Says(&["must have at least one read replica"]), Cause::ValueNotAllowed),
    (Says(&["there must be at least 2 cache clusters"]), Cause::ValueNotAllowed),
    (Says(&["property cannot be modified"]), Cause::ValueNotAllowed),
    (Says(&["expected a parameter group of family"]), Cause::ValueNotAllowed),
    (Says(&["cannot upgrade postgres from"]), Cause::ValueNotAllowed),
    (Says(&["must be one of allowedvalues"]), Cause::ValueNotAllowed),
    (Says(&["do not exist in the template"]), Cause::ValueNotAllowed),
    (Says(&["must have values"]), Cause::ValueNotAllowed),
    (Says(&["invalid input for parameter key"]), Cause::ValueNotAllowed),
    (Code("invalidparametervalue"), Cause::ValueNotAllowed),
    (Code("invalidparametercombination"), Cause::ValueNotAllowed),
    (Says(&["model validation failed"]), Cause::ValueNotAllowed),
];

/// The class that the message of a failed resource, or of a failed record, belongs to.
pub fn classify(message: &str) -> Cause {
    // Word processors and some of AWS's own pages turn the apostrophe.
    let text = message.to_ascii_lowercase().replace('\u{2019}', "'");
    let codes = codes(&text);
    let holds = |sign: &Sign| match sign {
        Says(phrases) => phrases.iter().all(|phrase| text.contains(phrase)),
        Code(code) => codes.iter().any(|found| found == code),
        CodeEndsIn(end) => codes.iter().any(|found| found.ends_with(end)),
    };
    RULES.iter().find(|(sign, _)| holds(sign)).map_or(Cause::Unknown, |(_, cause)| *cause)
}

/// The words of a lower-case text that stand where AWS writes error codes: after `code:` (`Error Code: X`, `HandlerErrorCode: X`), before
/// a colon at the beginning or after `error` (`StorageQuotaExceeded: The allocated…`, `api error X: …`), and alone in round brackets
/// (`(AccessDenied) when calling…`).
fn codes(text: &str) -> Vec<&str> {
    let is_code = |c: char| c.is_ascii_alphanumeric();
    let leading = |rest: &'_ str| rest.find(|c| !is_code(c)).unwrap_or(rest.len());
    let mut found = Vec::new();
    for (at, lead) in text.match_indices("code: ") {
        let rest = &text[at + lead.len()..];
        found.push(&rest[..leading(rest)]);
    }
    let starts = text.match_indices("error ").map(|(at, lead)| at + lead.len());
    for start in std::iter::once(0).chain(starts) {
        let rest = &text[start..];
        let end = leading(rest);
        if rest[end..].starts_with(": ") {
            found.push(&rest[..end]);
        }
    }
    for (at, _) in text.match_indices('(') {
        let rest = &text[at + 1..];
        let end = leading(rest);
        if rest[end..].starts_with(')') {
            found.push(&rest[..end]);
        }
    }
    found.retain(|code| !code.is_empty());
    found
}
