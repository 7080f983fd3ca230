//! The page that explains a finding or a failure: Turbot's guides, as they link to one another, and AWS's where Turbot has none.

use super::diagnosis::Cause;

/// What to do when the database is busy.
pub const DATABASE_NOT_AVAILABLE: &str = "https://turbot.com/guardrails/docs/guides/hosting-guardrails/troubleshooting/database-instance-not-in-available-state";
/// What to do when Service Catalog, stack and database disagree.
pub const OUT_OF_SYNC: &str = "https://turbot.com/guardrails/docs/guides/hosting-guardrails/troubleshooting/service-catalog-out-of-sync";
/// How events are paused and given back.
pub const PAUSE_EVENTS: &str =
    "https://turbot.com/guardrails/docs/guides/hosting-guardrails/troubleshooting/pause-events";
/// How TED is updated.
pub const UPDATE_TED: &str =
    "https://turbot.com/guardrails/docs/guides/hosting-guardrails/updating-stacks/update-ted";
/// How the cache becomes Valkey.
pub const VALKEY: &str = "https://turbot.com/guardrails/docs/guides/hosting-guardrails/updating-stacks/upgrade-to-valkey-cache";
/// Who needs which rights.
pub const PERMISSIONS: &str = "https://turbot.com/guardrails/docs/enterprise/FAQ/admin-permissions";
/// What each release of TED brings.
pub const CHANGELOG: &str = "https://turbot.com/guardrails/changelog";
/// Where a support ticket is opened.
pub const SUPPORT: &str = "https://support.turbot.com";
/// AWS: what drift detection does and does not see.
pub const DRIFT_DETECTION: &str =
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html";
/// AWS: until when each engine version is supported.
pub const ENGINE_VERSIONS: &str =
    "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html";

/// The page for a finding's code. Every code has one.
pub fn of_finding(code: &str) -> Option<&'static str> {
    Some(match code {
        "drift/cache-engine"
        | "drift/cache-version"
        | "sync/cache-engine"
        | "sync/cache-version"
        | "sync/cache-access"
        | "sync/cache-left-behind"
        | "sync/cache-missing" => VALKEY,
        "drift/ted-version" | "drift/parameter" => UPDATE_TED,
        "drift/resource" | "info/resource-unchecked" => DRIFT_DETECTION,
        "sync/product-tainted"
        | "sync/product-error"
        | "sync/version-mismatch"
        | "sync/parameter-mismatch"
        | "sync/stack-changed-outside"
        | "sync/storage"
        | "sync/stack-missing"
        | "sync/stack-failed"
        | "sync/rollback-failed"
        | "sync/database-missing"
        | "sync/update-silent" => OUT_OF_SYNC,
        "sync/events-left-paused" | "sync/backlog-not-draining" => PAUSE_EVENTS,
        "sync/unreadable" => PERMISSIONS,
        "info/version-retired" | "info/newer-version" => CHANGELOG,
        "info/engine-end-of-life" => ENGINE_VERSIONS,
        _ => return None,
    })
}

/// The page for the cause of a failure.
pub fn of_cause(cause: Cause) -> &'static str {
    match cause {
        Cause::DatabaseNotAvailable => DATABASE_NOT_AVAILABLE,
        Cause::StorageOutOfStep
        | Cause::StorageCooldown
        | Cause::NothingToChange
        | Cause::StackNotUpdatable => OUT_OF_SYNC,
        Cause::PermissionDenied | Cause::CredentialsExpired => PERMISSIONS,
        Cause::CacheNotAvailable | Cause::PastTheDoor => VALKEY,
        Cause::ValueNotAllowed | Cause::Cancelled => UPDATE_TED,
        Cause::Quota | Cause::ResourceMissing | Cause::ServiceTrouble | Cause::Unknown => SUPPORT,
    }
}

#[cfg(test)]
mod tests {
    use super::super::codes::{Of, all};
    use super::*;

    #[test]
    fn every_finding_and_every_cause_has_a_page() {
        for known in all().filter(|known| known.of == Of::Finding) {
            let page = of_finding(known.code).unwrap_or_else(|| panic!("{}", known.code));
            assert!(page.starts_with("https://"), "{page}");
        }
        for cause in Cause::ALL {
            assert!(of_cause(cause).starts_with("https://"));
        }
        assert_eq!(of_finding("no/such-code"), None);
    }
}
