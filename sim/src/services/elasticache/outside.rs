//! What happens to caches without any stack: the hand of an operator, of AWS, or of bad luck. Scenarios call these.

use super::change::not_found;
use super::versions::{self, Engine};
use super::{Group, State, Timer, work};
use crate::error::ApiError;
use crate::world::{Scope, World};
use std::time::Duration;

/// A modification that waits, as after a change without `ApplyImmediately`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pending {
    /// Major and minor, of the group's own engine.
    pub(crate) engine_version: Option<String>,
    pub(crate) node_type: Option<String>,
}

fn state<'w>(world: &'w mut World, scope: &Scope) -> &'w mut State {
    &mut world.region_mut(scope).elasticache
}

fn group<'w>(world: &'w mut World, scope: &Scope, id: &str) -> Result<&'w mut Group, ApiError> {
    state(world, scope).group_mut(id).ok_or_else(|| not_found(id))
}

/// Puts a group and its members into `status`, over whatever happens to them; for `how_long`, or until the next call. `available`
/// gives the real status back.
///
/// # Errors
/// When there is no such group.
pub(crate) fn set_status(
    world: &mut World,
    scope: &Scope,
    id: &str,
    status: &str,
    how_long: Option<Duration>,
) -> Result<(), ApiError> {
    let serial = state(world, scope).serial();
    let group = group(world, scope, id)?;
    let id = group.id.clone();
    group.forced = (status != "available").then(|| (status.to_owned(), serial));
    let now = world.now();
    state(world, scope).tell(
        now,
        "replication-group",
        &id,
        format!("Replication group {id} is {status}"),
    );
    world.note(format!("replication group {id} is put into status {status}"));
    if let Some(how_long) = how_long {
        world.after(how_long, scope, Timer::Forced { group: id, serial });
    }
    Ok(())
}

/// A forced status ends.
pub(super) fn forced_over(world: &mut World, scope: &Scope, id: &str, serial: u64) {
    if let Some(group) = state(world, scope).group_mut(id)
        && group.forced.as_ref().is_some_and(|(_, current)| *current == serial)
    {
        group.forced = None;
        world.note(format!("replication group {id} is back to its real status"));
    }
}

/// Somebody upgraded the group, a while ago and unseen: it runs `version` (major and minor) of `engine` at once, in any direction.
///
/// # Errors
/// When there is no such group, engine or version.
pub(crate) fn upgrade_now(
    world: &mut World,
    scope: &Scope,
    id: &str,
    engine: &str,
    version: &str,
) -> Result<(), ApiError> {
    let engine = Engine::parse(engine)?;
    let offered = versions::find(engine, version)?;
    let keeps_parameters =
        |state: &State, name: &str| state.family(name).as_deref() == Some(offered.family);
    let kept = world.region(scope).elasticache.group(id).is_some_and(|group| {
        keeps_parameters(&world.region(scope).elasticache, &group.settings.parameter_group)
    });
    let group = group(world, scope, id)?;
    group.work = None;
    group.deferred = None;
    group.settings.engine = engine;
    offered.runs.clone_into(&mut group.settings.version);
    if !kept {
        group.settings.parameter_group = versions::default_group(offered.family, group.sharded);
    }
    let settings = group.settings.clone();
    for member in group.shards.iter_mut().flat_map(|shard| &mut shard.members) {
        work::carry(member, &settings);
    }
    let id = group.id.clone();
    let now = world.now();
    state(world, scope).tell(
        now,
        "replication-group",
        &id,
        format!("Replication group {id} modified"),
    );
    world.note(format!(
        "replication group {id} was changed outside to {} {}",
        engine.as_str(),
        offered.runs
    ));
    Ok(())
}

/// Removes a group at once.
///
/// # Errors
/// When there is no such group.
pub(crate) fn delete_now(world: &mut World, scope: &Scope, id: &str) -> Result<(), ApiError> {
    let id = group(world, scope, id)?.id.clone();
    let now = world.now();
    let state = state(world, scope);
    state.groups.remove(&id);
    state.tell(now, "replication-group", &id, format!("Replication group {id} deleted"));
    world.note(format!("replication group {id} was deleted outside"));
    Ok(())
}

/// Makes a group a member of a global datastore, or frees it.
///
/// # Errors
/// When there is no such group.
pub(crate) fn set_global_datastore(
    world: &mut World,
    scope: &Scope,
    id: &str,
    datastore: Option<&str>,
) -> Result<(), ApiError> {
    group(world, scope, id)?.global_datastore = datastore.map(str::to_owned);
    world.note(format!(
        "replication group {id} has global datastore {}",
        datastore.unwrap_or("none")
    ));
    Ok(())
}

/// Leaves a modification pending on a group until it is cleared with none.
///
/// # Errors
/// When there is no such group or version.
pub(crate) fn set_pending(
    world: &mut World,
    scope: &Scope,
    id: &str,
    pending: Option<&Pending>,
) -> Result<(), ApiError> {
    let serial = state(world, scope).serial();
    let group = group(world, scope, id)?;
    let Some(pending) = pending else {
        group.deferred = None;
        return Ok(());
    };
    let mut settings = group.settings.clone();
    if let Some(version) = &pending.engine_version {
        versions::find(settings.engine, version)?.runs.clone_into(&mut settings.version);
    }
    if let Some(node_type) = &pending.node_type {
        settings.node_type.clone_from(node_type);
    }
    // No timer has this serial, so that no maintenance window applies it.
    group.deferred = Some((settings, serial));
    world.note(format!("replication group {id} has a pending modification"));
    Ok(())
}
