//! Changes of a replication group: what was asked, whether ElastiCache takes it, and the settings it leads to. Nothing happens here.
//!
//! Refusals that people have met are in their words (ElastiCache user guide, "cross-engine upgrade"; issues of controllers that call
//! the API). For the others AWS publishes the code and not the text.

use super::versions::{self, Engine};
use super::{Group, Settings, State};
use crate::error::ApiError;
use crate::options::{EngineWithoutVersion, Options, ValkeyToRedis};
use crate::services::secret::Secret;
use crate::time::SimTime;

/// A replication group has at most this many nodes in a shard: a primary and five replicas.
const MOST_NODES: usize = 6;

/// What a request asks for; what is absent stays.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    pub(super) description: Option<String>,
    pub(super) engine: Option<String>,
    pub(super) version: Option<String>,
    pub(super) parameter_group: Option<String>,
    pub(super) node_type: Option<String>,
    pub(super) nodes: Option<i64>,
    pub(super) automatic_failover: Option<bool>,
    pub(super) multi_az: Option<bool>,
    pub(super) transit_encryption: Option<bool>,
    pub(super) transit_mode: Option<String>,
    pub(super) auth_token: Option<String>,
    /// `SET`, `ROTATE` or `DELETE`.
    pub(super) auth_strategy: Option<String>,
    pub(super) user_groups_to_add: Vec<String>,
    pub(super) user_groups_to_remove: Vec<String>,
    pub(super) remove_user_groups: bool,
    pub(super) security_groups: Option<Vec<String>>,
    pub(super) snapshot_retention: Option<i64>,
    pub(super) snapshot_window: Option<String>,
    pub(super) maintenance_window: Option<String>,
    pub(super) auto_minor_upgrade: Option<bool>,
}

pub(super) fn combination(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterCombination", message)
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValue", message)
}

/// The error for a group that is not there.
pub(super) fn not_found(id: &str) -> ApiError {
    ApiError::new("ReplicationGroupNotFoundFault", format!("ReplicationGroup {id} not found."))
        .with_status(404)
}

/// The settings that `change` leads to.
///
/// # Errors
/// As `ModifyReplicationGroup` refuses it: `InvalidReplicationGroupState` while something else is under way, `InvalidParameterValue`,
/// `InvalidParameterCombination`, or a missing parameter or user group.
pub(super) fn check(
    state: &State,
    options: &Options,
    group: &Group,
    change: &Change,
    now: SimTime,
) -> Result<Settings, ApiError> {
    ready(group)?;
    let old = &group.settings;
    let mut new = old.clone();
    upgrade(state, options, group, change, &mut new)?;
    access(state, change, &mut new, now)?;
    let keep = |given: &Option<String>, old: &String| given.clone().unwrap_or_else(|| old.clone());
    new.description = keep(&change.description, &old.description);
    new.node_type = keep(&change.node_type, &old.node_type);
    new.snapshot_window = keep(&change.snapshot_window, &old.snapshot_window);
    new.maintenance_window = keep(&change.maintenance_window, &old.maintenance_window);
    new.automatic_failover = change.automatic_failover.unwrap_or(old.automatic_failover);
    new.multi_az = change.multi_az.unwrap_or(old.multi_az);
    new.snapshot_retention = change.snapshot_retention.unwrap_or(old.snapshot_retention);
    new.auto_minor_upgrade = change.auto_minor_upgrade.unwrap_or(old.auto_minor_upgrade);
    if let Some(groups) = &change.security_groups {
        new.security_groups.clone_from(groups);
    }
    if let Some(nodes) = change.nodes {
        new.nodes = usize::try_from(nodes).unwrap_or(0);
    }
    consistent(state, &new, group.sharded)?;
    Ok(new)
}

/// Refused while a modification or scale-up is pending, or the status is not available (AWS docs: `ModifyReplicationGroup`).
fn ready(group: &Group) -> Result<(), ApiError> {
    let refused = |message: String| Err(ApiError::new("InvalidReplicationGroupState", message));
    if group.status() != "available" {
        return refused(format!(
            "Replication group {} is not in available state; its status is {}.",
            group.id,
            group.status()
        ));
    }
    if group.deferred.is_some() {
        return refused(format!("Replication group {} has pending modifications.", group.id));
    }
    Ok(())
}

/// Engine, version and parameter group: they depend on each other.
fn upgrade(
    state: &State,
    options: &Options,
    group: &Group,
    change: &Change,
    new: &mut Settings,
) -> Result<(), ApiError> {
    let old = &group.settings;
    let engine = change.engine.as_deref().map_or(Ok(old.engine), Engine::parse)?;
    let version = match &change.version {
        Some(asked) => versions::find(engine, asked)?.runs.to_owned(),
        None if engine == old.engine => old.version.clone(),
        None => without_version(options, engine)?.to_owned(),
    };
    if let Some(name) = &change.parameter_group
        && engine == Engine::Redis
        && family(state, name)?.starts_with("valkey")
    {
        return Err(combination("valkey parameter group is not applicable to engine redis"));
    }
    if engine != old.engine || version != old.version {
        if let Some(global) = &group.global_datastore {
            return Err(invalid(format!(
                "Replication group {} is part of global datastore {global}: its engine is changed there.",
                group.id
            )));
        }
        one_way(options, old, engine, &version)?;
    }
    new.parameter_group = parameter_group(state, group, change, engine, &version)?;
    new.engine = engine;
    new.version = version;
    Ok(())
}

/// Undocumented: users are told to name the engine's version, not what happens when they do not.
fn without_version(options: &Options, engine: Engine) -> Result<&'static str, ApiError> {
    let found = match options.engine_without_version {
        EngineWithoutVersion::Refused => None,
        EngineWithoutVersion::Oldest => versions::of(engine).next(),
        EngineWithoutVersion::Newest => versions::of(engine).next_back(),
    };
    found.map(|offered| offered.runs).ok_or_else(|| {
        combination("An engine version must be specified when the engine is changed.")
    })
}

/// Upwards only, and from Redis OSS to Valkey only.
fn one_way(
    options: &Options,
    old: &Settings,
    engine: Engine,
    version: &str,
) -> Result<(), ApiError> {
    match (old.engine, engine) {
        (Engine::Redis, Engine::Valkey) => Ok(()),
        (Engine::Valkey, Engine::Redis) => {
            let documented = old.version.starts_with("7.2.") && version.starts_with("7.1.");
            if options.valkey_to_redis == ValkeyToRedis::From72To71 && documented {
                return Ok(());
            }
            Err(combination(format!(
                "Cannot downgrade engine from valkey {} to redis {version}",
                old.version
            )))
        }
        (Engine::Redis, Engine::Redis) | (Engine::Valkey, Engine::Valkey)
            if versions::compare(version, &old.version).is_lt() =>
        {
            Err(combination(format!(
                "Cannot downgrade engine version from {} to {version}",
                old.version
            )))
        }
        (Engine::Redis, Engine::Redis) | (Engine::Valkey, Engine::Valkey) => Ok(()),
    }
}

/// A default group follows its version; one that somebody made has to be given in the new family.
fn parameter_group(
    state: &State,
    group: &Group,
    change: &Change,
    engine: Engine,
    version: &str,
) -> Result<String, ApiError> {
    let current = &group.settings.parameter_group;
    let wanted = versions::running(engine, version).map_or("", |offered| offered.family);
    let name = match &change.parameter_group {
        Some(given) => given.clone(),
        None if versions::family_of_default(current).is_some() => {
            versions::default_group(wanted, group.sharded)
        }
        None => current.clone(),
    };
    fits(state, &name, wanted)?;
    Ok(name)
}

/// Whether a parameter group is of `wanted` family.
fn fits(state: &State, name: &str, wanted: &str) -> Result<(), ApiError> {
    let found = family(state, name)?;
    if found == wanted {
        Ok(())
    } else {
        Err(combination(format!(
            "Expected a parameter group of family {wanted} but found one of family {found}"
        )))
    }
}

fn family(state: &State, name: &str) -> Result<String, ApiError> {
    state.family(name).ok_or_else(|| {
        ApiError::new(
            "CacheParameterGroupNotFound",
            format!("CacheParameterGroup {name} not found."),
        )
        .with_status(404)
    })
}

/// Who may connect: encryption in transit, token, user groups.
fn access(
    state: &State,
    change: &Change,
    new: &mut Settings,
    now: SimTime,
) -> Result<(), ApiError> {
    if let Some(encrypted) = change.transit_encryption {
        new.transit_encryption = encrypted;
    }
    if let Some(mode) = &change.transit_mode {
        new.transit_mode.clone_from(mode);
    }
    if change.remove_user_groups {
        new.user_groups.clear();
    }
    new.user_groups.retain(|id| !change.user_groups_to_remove.contains(id));
    for id in &change.user_groups_to_add {
        if !state.user_groups.contains_key(id) {
            return Err(ApiError::new("UserGroupNotFound", format!("User group {id} not found."))
                .with_status(404));
        }
        if !new.user_groups.contains(id) {
            new.user_groups.push(id.clone());
        }
    }
    let strategy = change.auth_strategy.as_deref().unwrap_or("ROTATE");
    match &change.auth_token {
        Some(_) if strategy == "DELETE" => {
            return Err(combination(
                "An AuthToken cannot be specified with the update strategy DELETE.",
            ));
        }
        Some(token) => {
            new.auth_token = Some(Secret::new(token));
            new.auth_token_changed = Some(now);
        }
        None if strategy == "DELETE" => new.auth_token = None,
        None if change.auth_strategy.is_some() => {
            return Err(combination(format!(
                "An AuthToken is required with the update strategy {strategy}."
            )));
        }
        None => {}
    }
    // User groups take the place of the token (ElastiCache user guide, "Migrating from AUTH to RBAC").
    if !change.user_groups_to_add.is_empty() && change.auth_token.is_none() {
        new.auth_token = None;
    }
    Ok(())
}

/// Whether settings agree with each other; for new groups too.
///
/// # Errors
/// As ElastiCache refuses the combination.
pub(super) fn consistent(
    state: &State,
    settings: &Settings,
    sharded: bool,
) -> Result<(), ApiError> {
    if settings.nodes == 0 {
        return Err(invalid("The number of cache clusters must be at least 1."));
    }
    if settings.nodes > MOST_NODES {
        let message = format!(
            "A node group has at most {MOST_NODES} nodes: one primary and {} replicas.",
            MOST_NODES - 1
        );
        return Err(ApiError::new("NodeQuotaForClusterExceeded", message));
    }
    if !crate::spec::matches("cache\\.[a-z0-9]+\\.[a-z0-9]+", &settings.node_type) {
        return Err(invalid(format!("Invalid cache node type: {}", settings.node_type)));
    }
    if settings.automatic_failover && settings.nodes < 2 && !sharded {
        return Err(combination(
            "Automatic failover needs a replication group with at least one replica.",
        ));
    }
    if settings.multi_az && !settings.automatic_failover {
        return Err(combination("Must have automatic failover enabled to enable Multi-AZ."));
    }
    if !settings.transit_encryption
        && (settings.auth_token.is_some() || !settings.user_groups.is_empty())
    {
        return Err(combination(
            "AuthToken and UserGroupIds are only supported with encryption in transit.",
        ));
    }
    // AWS docs: `ModifyReplicationGroup`, AuthToken: 16 to 128 printable characters without quotes, slashes and at signs.
    if let Some(token) = &settings.auth_token
        && !((16..=128).contains(&token.length()) && token.is_printable_without("@\"/"))
    {
        return Err(invalid("Invalid AuthToken provided."));
    }
    let foreign = |id: &&String| {
        state
            .user_groups
            .get(*id)
            .is_some_and(|group| group.engine == Engine::Valkey && settings.engine == Engine::Redis)
    };
    match settings.user_groups.iter().find(foreign) {
        Some(id) => Err(combination(format!(
            "User group {id} of engine valkey is not applicable to engine redis"
        ))),
        None => Ok(()),
    }
}

/// Settings for a group that is made, with what its maker left out filled in.
///
/// # Errors
/// As `CreateReplicationGroup` refuses it.
pub(super) fn new_settings(
    state: &State,
    change: &Change,
    sharded: bool,
    rest: Settings,
    now: SimTime,
) -> Result<Settings, ApiError> {
    let mut new = rest;
    new.engine = change.engine.as_deref().map_or(Ok(Engine::Redis), Engine::parse)?;
    let newest = versions::of(new.engine).next_back().map_or("", |offered| offered.asked);
    let offered = versions::find(new.engine, change.version.as_deref().unwrap_or(newest))?;
    offered.runs.clone_into(&mut new.version);
    new.parameter_group = change
        .parameter_group
        .clone()
        .unwrap_or_else(|| versions::default_group(offered.family, sharded));
    fits(state, &new.parameter_group, offered.family)?;
    access(state, change, &mut new, now)?;
    consistent(state, &new, sharded)?;
    Ok(new)
}
