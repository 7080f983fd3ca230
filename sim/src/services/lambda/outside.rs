//! What people and other stacks do without us: functions and triggers come and go, an operator toggles at the console.

use super::state::Function;
use super::{mapping_arn, transitions};
use crate::error::ApiError;
use crate::world::{Scope, World};
use std::sync::Arc;

/// Adds a function, or replaces one of its name.
pub(crate) fn add_function(world: &mut World, scope: &Scope, mut function: Function) {
    function.modified = world.now();
    world.region_mut(scope).lambda.put_function(scope, function);
}

/// Removes a function. Its triggers stay, as AWS leaves them. Answers whether it was there.
pub(crate) fn remove_function(world: &mut World, scope: &Scope, name: &str) -> bool {
    world.region_mut(scope).lambda.drop_function(name)
}

/// Adds an enabled trigger that feeds the function (a name or ARN, with or without version or alias) from `source_arn`. Answers its UUID.
///
/// # Errors
/// When there is no such function or queue, or the trigger exists.
#[cfg(test)]
pub(crate) fn add_mapping(
    world: &mut World,
    scope: &Scope,
    function: &str,
    source_arn: &str,
) -> Result<String, ApiError> {
    let uuid = super::change::create(world, scope, function, source_arn)?;
    transitions::settle(world, scope, &uuid);
    Ok(uuid)
}

/// Removes a trigger at once. Answers whether it was there.
pub(crate) fn remove_mapping(world: &mut World, scope: &Scope, uuid: &str) -> bool {
    let there = world.region(scope).lambda.mapping(uuid).is_some();
    if there {
        transitions::begin(world, scope, uuid, super::MappingState::Deleting, false);
        transitions::settle(world, scope, uuid);
    }
    there
}

/// An operator enables or disables a trigger at the console.
///
/// # Errors
/// As the console would show: the trigger is gone, or in a transitional state.
pub(crate) fn toggle(
    world: &mut World,
    scope: &Scope,
    uuid: &str,
    enabled: bool,
) -> Result<(), ApiError> {
    transitions::switch(world, scope, uuid, enabled)?;
    let verb = if enabled { "enables" } else { "disables" };
    world.note(format!("an operator {verb} {}", mapping_arn(scope, uuid)));
    Ok(())
}

/// Lets a trigger's transitions never end, or end after all. Answers whether there is such a trigger.
pub(crate) fn set_stuck(world: &mut World, scope: &Scope, uuid: &str, stuck: bool) -> bool {
    let Some(mapping) = world.region_mut(scope).lambda.mapping_mut(uuid) else { return false };
    mapping.stuck = stuck;
    transitions::wait(world, scope, uuid);
    true
}

/// [`toggle`] for all triggers of a function, its versions and aliases.
///
/// # Errors
/// When there are none, or one of them takes no change now; those before it are changed.
pub(crate) fn toggle_triggers(
    world: &mut World,
    scope: &Scope,
    function: &str,
    enabled: bool,
) -> Result<(), String> {
    for uuid in triggers(world, scope, function)? {
        toggle(world, scope, &uuid, enabled).map_err(|error| error.message)?;
    }
    Ok(())
}

/// [`set_stuck`] for all triggers of a function, its versions and aliases.
///
/// # Errors
/// When there are none.
pub(crate) fn stick_triggers(
    world: &mut World,
    scope: &Scope,
    function: &str,
    stuck: bool,
) -> Result<(), String> {
    for uuid in triggers(world, scope, function)? {
        set_stuck(world, scope, &uuid, stuck);
    }
    Ok(())
}

fn triggers(world: &World, scope: &Scope, function: &str) -> Result<Vec<Arc<str>>, String> {
    let found: Vec<_> = world
        .region(scope)
        .lambda
        .mappings_of(function)
        .map(|mapping| Arc::clone(&mapping.uuid))
        .collect();
    if found.is_empty() {
        Err(format!("the function `{function}` has no triggers"))
    } else {
        Ok(found)
    }
}
