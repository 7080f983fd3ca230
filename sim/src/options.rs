//! What AWS leaves undocumented, as options of the world. Every plausible value is offered; a controller has to be right under each.
//!
//! Each option names its source in the collected facts: the sections quoted are of the AWS documentation they were gathered from.

use crate::time::duration;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The undocumented choices, and the few settings that AWS keeps to itself (page sizes, durations).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent choices, each with its own name in files"
)]
pub struct Options {
    /// How an update of a product that is `UNDER_CHANGE` is refused.
    pub update_under_change: UnderChangeRefusal,
    /// What an update that changes nothing ends in.
    pub no_op_update: NoOpUpdate,
    /// Whether bad parameters are refused by the call or by its record, minutes later.
    pub parameter_refusal: RefusalTime,
    /// The product's status after refused parameters or an empty change.
    pub status_after_refusal: StableStatus,
    /// The product's status after its stack ended in `UPDATE_ROLLBACK_FAILED`.
    pub status_after_rollback_failed: FailedStatus,
    /// The product's status after an update whose stack does not exist.
    pub status_after_stack_missing: FailedStatus,
    /// How a launch path id that no longer exists is refused.
    pub stale_path: StalePath,
    /// Whether a product can be updated to a deprecated version that it does not have yet. (The admin guide's page on versions says "the
    /// existing version or a new version"; the API reference says updates of deprecated versions are possible.)
    pub update_to_deprecated: bool,
    /// How long an update token is remembered; absent: for ever.
    #[serde(with = "optional_duration")]
    pub token_lifetime: Option<Duration>,
    /// What a remembered token with another request gets.
    pub token_with_other_request: TokenConflict,
    /// What an omitted parameter becomes.
    pub omitted_parameter: OmittedParameter,
    /// Whether Service Catalog notices changes made directly in CloudFormation, and after how long; absent: never.
    #[serde(with = "optional_duration")]
    pub catalog_notices_direct_changes: Option<Duration>,
    /// Whether a failed record carries `CloudformationStackARN`.
    pub failed_record_has_stack_arn: bool,
    /// How old the answers of `SearchProvisionedProducts` are.
    #[serde(with = "duration")]
    pub search_lag: Duration,
    /// How old the answers of `DescribeProvisionedProduct` are after a change.
    #[serde(with = "duration")]
    pub describe_lag: Duration,
    /// How `SearchQuery` values match.
    pub search_match: SearchMatch,
    /// Whether a parameter whose default is `""` shows it.
    pub empty_default: EmptyDefault,
    /// `HasDefaultPath` of a product with one path.
    pub has_default_path: bool,
    /// What masks a `NoEcho` value.
    pub no_echo_mask: Mask,
    /// Whether the nested stacks' first event says `User Initiated` too.
    pub user_initiated_in_nested: bool,
    /// What a database with more storage than its template says does on an update (its handler was softened in 2025).
    pub storage_below_actual: StorageBelowActual,
    /// What an increase of a database's storage by less than 10 % gets (the API reference says rounded up, people have met a refusal).
    pub small_storage_increase: SmallStorageIncrease,
    /// What a master password of fewer than 8 characters gets; the mask of a `NoEcho` value is one.
    pub short_password: ShortPassword,
    /// Whether a stack waits until a database's storage optimization is over.
    pub stack_waits_for_optimization: bool,
    /// Whether databases are backed up every night, in their backup window. Off, so that short runs are quiet.
    pub nightly_backup: bool,
    /// How long a nightly backup takes.
    #[serde(with = "duration")]
    pub backup_time: Duration,
    /// What the way back does with a resource whose change was refused before it began.
    pub rollback_of_refused: RollbackOfRefused,
    /// Whether a database in `storage-optimization` takes changes other than of storage.
    pub optimizing_takes_other_changes: bool,
    /// Whether tagging a mapping moves its `LastModified`.
    pub tag_moves_last_modified: bool,
    /// Whether setting a mapping to the state it has passes through a transitional state.
    pub same_state_transitions: bool,
    /// How long a mapping takes from `Enabled` to `Disabled` and back.
    #[serde(with = "duration")]
    pub mapping_transition: Duration,
    /// Whether a mapping's `LastModified` moves again when its transition ends.
    pub transition_end_moves_last_modified: bool,
    /// The `StateTransitionReason` of changes that people and programs make.
    pub transition_reason: TransitionReason,
    /// Whether listing mappings by a function's bare name also shows those of its versions and aliases.
    pub bare_name_lists_qualified: bool,
    /// Lambda's quota of control-plane requests per second, account and region (AWS: 15); absent: none.
    pub lambda_requests_per_second: Option<u32>,
    /// What `ListEventSourceMappings` answers for a function that does not exist.
    pub mappings_of_unknown_function: UnknownFunction,
    /// How the cache gets to Valkey.
    pub cache_upgrade: CacheUpgrade,
    /// Whether `ModifyReplicationGroup` still shows the engine from before.
    pub modify_echoes_old_engine: bool,
    /// Whether a cache goes back from Valkey to Redis OSS.
    pub valkey_to_redis: ValkeyToRedis,
    /// What a change of a cache's engine without a version gets.
    pub engine_without_version: EngineWithoutVersion,
    /// No page is longer than this, whatever a client asks for; absent: AWS's own sizes.
    pub page_size: Option<usize>,
    /// How long one simple resource takes in a stack operation.
    #[serde(with = "duration")]
    pub resource_time: Duration,
    /// How long RDS takes to modify an instance.
    #[serde(with = "duration")]
    pub database_time: Duration,
    /// How long RDS optimizes storage after a change; the cool-down lasts six hours or this, whichever is longer.
    #[serde(with = "duration")]
    pub storage_optimization_time: Duration,
    /// How long ElastiCache takes to change an engine.
    #[serde(with = "duration")]
    pub cache_time: Duration,
    /// Whether access keys that no account knows are refused. Otherwise a 12-digit key names its account, any other the first account.
    pub strict_credentials: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            update_under_change: UnderChangeRefusal::default(),
            no_op_update: NoOpUpdate::default(),
            parameter_refusal: RefusalTime::default(),
            status_after_refusal: StableStatus::default(),
            status_after_rollback_failed: FailedStatus::default(),
            status_after_stack_missing: FailedStatus::default(),
            stale_path: StalePath::default(),
            update_to_deprecated: true,
            token_lifetime: None,
            token_with_other_request: TokenConflict::default(),
            omitted_parameter: OmittedParameter::default(),
            catalog_notices_direct_changes: None,
            failed_record_has_stack_arn: true,
            search_lag: Duration::ZERO,
            describe_lag: Duration::ZERO,
            search_match: SearchMatch::default(),
            empty_default: EmptyDefault::default(),
            has_default_path: false,
            no_echo_mask: Mask::default(),
            user_initiated_in_nested: false,
            storage_below_actual: StorageBelowActual::default(),
            small_storage_increase: SmallStorageIncrease::default(),
            short_password: ShortPassword::default(),
            stack_waits_for_optimization: false,
            nightly_backup: false,
            backup_time: Duration::from_mins(5),
            rollback_of_refused: RollbackOfRefused::default(),
            optimizing_takes_other_changes: true,
            tag_moves_last_modified: false,
            same_state_transitions: false,
            mapping_transition: Duration::from_secs(20),
            transition_end_moves_last_modified: false,
            transition_reason: TransitionReason::default(),
            bare_name_lists_qualified: false,
            lambda_requests_per_second: None,
            mappings_of_unknown_function: UnknownFunction::default(),
            cache_upgrade: CacheUpgrade::default(),
            modify_echoes_old_engine: true,
            valkey_to_redis: ValkeyToRedis::default(),
            engine_without_version: EngineWithoutVersion::default(),
            page_size: None,
            resource_time: Duration::from_secs(8),
            database_time: Duration::from_mins(4),
            storage_optimization_time: Duration::from_hours(3),
            cache_time: Duration::from_mins(10),
            strict_credentials: false,
        }
    }
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every value, the default first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The value as it is written in files, which for codes and statuses is the text on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
    )* };
}

choices! {
    /// The error of an update under change.
    UnderChangeRefusal {
        #[default]
        /// Not modelled for the operation, but the natural one.
        InvalidState = "InvalidStateException",
        /// Modelled for the operation.
        InvalidParameters = "InvalidParametersException",
        /// As relayed failures come.
        Validation = "ValidationException",
        /// Modelled in the service.
        ResourceInUse = "ResourceInUseException",
    }
    /// What an update that changes nothing ends in.
    NoOpUpdate {
        #[default]
        /// The record fails ("No updates are to be performed.").
        RecordFails = "record-fails",
        /// The call itself is refused.
        Refused = "refused",
        /// The record succeeds and nothing happened.
        Succeeds = "succeeds",
    }
    /// When bad parameters are refused.
    RefusalTime {
        #[default]
        /// The call answers with a record, and the record fails.
        Record = "record",
        /// The call is refused and there is no record.
        Call = "call",
    }
    /// A product's status after an update that never ran.
    StableStatus {
        #[default]
        /// Seen in the field.
        Tainted = "TAINTED",
        /// As if nothing had been asked.
        Available = "AVAILABLE",
    }
    /// A product's status after a failed rollback.
    FailedStatus {
        #[default]
        /// Stable, not what was asked for.
        Tainted = "TAINTED",
        /// The stack does not run.
        Error = "ERROR",
    }
    /// The error of a launch path id that no longer exists.
    StalePath {
        #[default]
        /// "Invalid `PathId`", seen in the field (Terraform AWS provider, issue 31705).
        InvalidParameters = "InvalidParametersException",
        /// As other unknown ids are answered.
        NotFound = "ResourceNotFoundException",
    }
    /// What a remembered token with another request gets.
    TokenConflict {
        #[default]
        /// The first request's answer.
        SameRecord = "same-record",
        /// A refusal.
        Refused = "refused",
        /// A new record, as if the token were new.
        NewRecord = "new-record",
    }
    /// What an omitted parameter becomes.
    OmittedParameter {
        #[default]
        /// The new template's default.
        Default = "default",
        /// What the stack has.
        Previous = "previous",
    }
    /// How a search query matches.
    SearchMatch {
        #[default]
        /// The whole value.
        Exact = "exact",
        /// The value's beginning.
        Prefix = "prefix",
        /// Any word of the value.
        Token = "token",
    }
    /// How an empty default is shown.
    EmptyDefault {
        #[default]
        /// As `""`.
        Shown = "shown",
        /// Not at all.
        Absent = "absent",
    }
    /// What masks a secret.
    Mask {
        #[default]
        /// In recordings.
        Four = "****",
        /// In the guide.
        Five = "*****",
    }
    /// What a template value below the database's real storage does.
    StorageBelowActual {
        #[default]
        /// RDS refuses it.
        Refused = "refused",
        /// The handler leaves the storage as it is.
        Ignored = "ignored",
    }
    /// What the way back does with a refused resource.
    RollbackOfRefused {
        #[default]
        /// Its handler asks its service for the old state, and may be refused again (seen with autoscaled storage).
        AsksAgain = "asks-again",
        /// Nothing: the resource is as it was.
        Skipped = "skipped",
    }
    /// What an increase of storage by less than 10 % gets.
    SmallStorageIncrease {
        #[default]
        /// It becomes one of 10 %.
        RoundedUp = "rounded-up",
        /// RDS refuses it.
        Refused = "refused",
    }
    /// What a master password that is too short gets.
    ShortPassword {
        #[default]
        /// It becomes the password, so that a client that sends `****` is caught.
        Set = "set",
        /// RDS refuses it, as its API reference has it.
        Refused = "refused",
    }
    /// Whether a cache goes back to Redis OSS.
    ValkeyToRedis {
        #[default]
        /// Never.
        Refused = "refused",
        /// From Valkey 7.2 to Redis OSS 7.1, as AWS documents it.
        From72To71 = "7.2-to-7.1",
    }
    /// What a change of engine without a version gets.
    EngineWithoutVersion {
        #[default]
        /// A refusal.
        Refused = "refused",
        /// The engine's oldest version.
        Oldest = "oldest",
        /// The engine's newest version.
        Newest = "newest",
    }
    /// Why a mapping changed its state, when somebody asked for it.
    TransitionReason {
        #[default]
        /// In the API reference's examples.
        UserInitiated = "USER_INITIATED",
        /// In the reference of the member.
        UserAction = "User action",
    }
    /// What a list of mappings answers for an unknown function.
    UnknownFunction {
        #[default]
        /// `ResourceNotFoundException`.
        NotFound = "not-found",
        /// An empty list.
        Empty = "empty",
    }
    /// How the cache gets to Valkey.
    CacheUpgrade {
        #[default]
        /// One group, upgraded in place.
        InPlace = "in-place",
        /// A new group; the old one is removed in the clean-up.
        Replace = "replace",
        /// A new group; removing the old one fails, and it stays.
        LeaveBehind = "leave-behind",
    }
}

/// `Option<Duration>` in files.
mod optional_duration {
    use crate::time::duration;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::time::Duration;

    #[derive(Serialize, Deserialize)]
    struct Wrapped(#[serde(with = "duration")] Duration);

    #[expect(clippy::ref_option, reason = "the signature that serde's `with` asks for")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(Wrapped).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|Wrapped(value)| value))
    }
}
