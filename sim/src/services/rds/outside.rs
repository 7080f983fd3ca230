//! What happens to databases without any stack: the hand of an operator, of AWS, or of bad luck. Scenarios call these.

use super::change::{not_available, not_found};
use super::storage::cooling_down;
use super::{Instance, State, Timer, work};
use crate::error::ApiError;
use crate::world::{Scope, World};
use std::time::Duration;

fn state<'w>(world: &'w mut World, scope: &Scope) -> &'w mut State {
    &mut world.region_mut(scope).rds
}

fn instance<'w>(
    world: &'w mut World,
    scope: &Scope,
    id: &str,
) -> Result<&'w mut Instance, ApiError> {
    state(world, scope).instance_mut(id).ok_or_else(|| not_found(id))
}

/// Puts an instance into `status`, over whatever happens to it; for `how_long`, or until the next call. `available` gives the real
/// status back and ends an optimization. `storage-optimization` for a time is a real one: progress is shown, and storage cools down.
///
/// # Errors
/// When there is no such instance.
pub(crate) fn set_status(
    world: &mut World,
    scope: &Scope,
    id: &str,
    status: &str,
    how_long: Option<Duration>,
) -> Result<(), ApiError> {
    let serial = state(world, scope).serial();
    let instance = instance(world, scope, id)?;
    let id = instance.id.clone();
    instance.forced = None;
    match (status, how_long) {
        ("available", _) => instance.optimizing = None,
        ("storage-optimization", Some(how_long)) => work::optimize(world, scope, &id, how_long),
        (_, how_long) => {
            instance.forced = Some((status.to_owned(), serial));
            if let Some(how_long) = how_long {
                world.after(how_long, scope, Timer::Forced { id: id.clone(), serial });
            }
        }
    }
    let now = world.now();
    let (category, message): (&'static [&'static str], String) = match status {
        "backing-up" => (&["backup"], "Backing up DB instance".to_owned()),
        _ => (&["notification"], format!("DB instance is {status}")),
    };
    state(world, scope).tell(now, &id, category, message);
    world.note(format!("database {id} is put into status {status}"));
    Ok(())
}

/// A forced status or a backup ends.
pub(super) fn forced_over(world: &mut World, scope: &Scope, id: &str, serial: u64) {
    let now = world.now();
    let state = state(world, scope);
    let Some(instance) = state.instance_mut(id) else { return };
    let Some((status, _)) = instance.forced.take_if(|(_, current)| *current == serial) else {
        return;
    };
    if status == "backing-up" {
        state.tell(now, id, &["backup"], "Finished DB Instance backup");
    }
    world.note(format!("database {id} is no longer in status {status}"));
}

/// Storage grows to `to_gib` by itself, as autoscaling would do it but whatever stands against it; optimization follows.
///
/// # Errors
/// `DBInstanceNotFound`, or `InvalidParameterCombination` when it would shrink.
pub(crate) fn grow_storage(
    world: &mut World,
    scope: &Scope,
    id: &str,
    to_gib: i64,
) -> Result<(), ApiError> {
    let takes = world.options.storage_optimization_time;
    let now = world.now();
    let instance = instance(world, scope, id)?;
    let (id, old) = (instance.id.clone(), instance.settings.storage.clone());
    if to_gib < old.gib {
        return Err(ApiError::new(
            "InvalidParameterCombination",
            format!("The storage of {id} is {} GiB already and never shrinks.", old.gib),
        ));
    }
    instance.settings.storage = old.grown(old.kind.clone(), to_gib);
    work::optimize(world, scope, &id, takes);
    let message = format!(
        "The storage autoscaling-initiated modification of allocated storage from {} GiB to {to_gib} GiB has completed.",
        old.gib
    );
    state(world, scope).tell(now, &id, &["notification"], message);
    world.note(format!("the storage of database {id} grew from {} to {to_gib} GiB", old.gib));
    Ok(())
}

/// Storage autoscaling as RDS does it when little space is free: by the largest of 10 GiB, 10 % and the `growth` expected in seven hours,
/// up to the ceiling. Answers the new size; absent when autoscaling is off, at its end, or has to wait.
///
/// # Errors
/// When there is no such instance.
pub(crate) fn autoscale(
    world: &mut World,
    scope: &Scope,
    id: &str,
    growth: i64,
) -> Result<Option<i64>, ApiError> {
    let now = world.now();
    let instance = world.region(scope).rds.instance(id).ok_or_else(|| not_found(id))?;
    let ready = matches!(instance.status(), "available" | "storage-full")
        && cooling_down(instance.cools_until(), now).is_none();
    let Some(to) = instance.settings.storage.autoscaled(growth).filter(|_| ready) else {
        return Ok(None);
    };
    grow_storage(world, scope, id, to)?;
    Ok(Some(to))
}

/// Removes an instance at once.
///
/// # Errors
/// When there is no such instance.
pub(crate) fn delete_now(world: &mut World, scope: &Scope, id: &str) -> Result<(), ApiError> {
    let id = instance(world, scope, id)?.id.clone();
    work::remove(world, scope, &id);
    Ok(())
}

/// Reboots an instance.
///
/// # Errors
/// `DBInstanceNotFound`, or `InvalidDBInstanceState` when it is not available.
pub(crate) fn reboot(world: &mut World, scope: &Scope, id: &str) -> Result<(), ApiError> {
    let instance = instance(world, scope, id)?;
    let id = instance.id.clone();
    if !matches!(instance.status(), "available" | "storage-optimization") {
        return Err(not_available());
    }
    work::reboot(world, scope, &id);
    Ok(())
}
