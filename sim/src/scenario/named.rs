//! The named scenarios: files of the form that a file of one's own has.

macro_rules! texts {
    ($($name:literal)*) => {
        /// Name and text of each.
        pub(super) const TEXTS: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../scenarios/", $name, ".yaml")))),*];
    };
}

texts! {
    "default"
    "in-place"
    "replace"
    "leave-behind"
    "no-launch-role"
    "several-paths"
    "stale-path"
    "database-backing-up"
    "database-upgrading"
    "storage-optimization"
    "storage-autoscaled"
    "storage-autoscaled-mid-update"
    "past-the-door"
    "access-denied-launch-role"
    "access-denied-caller"
    "throttled"
    "flaky"
    "slow"
    "stale-reads"
    "credentials-expire"
    "someone-else-updates"
    "operator-toggles"
    "te-version-appears"
    "product-deleted"
    "stack-deleted"
    "cache-changed-outside"
    "cache-deleted"
    "database-deleted"
    "stack-changed-outside"
    "tainted"
    "under-change"
    "version-retired"
    "trigger-stuck"
    "backlog"
    "two-hives"
    "fleet"
    "many-functions"
    "renamed-keys"
    "small-pages"
    "valkey"
    "contrary"
}
