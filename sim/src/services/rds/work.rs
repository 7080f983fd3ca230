//! What RDS does over time: it makes, changes, backs up and removes instances, stage after stage.
//!
//! A change of storage is followed by optimization, during which the instance works; everything else ends in `available`.

use super::{Instance, Optimizing, Settings, Stage, StageKind, State, Timer, Work};
use crate::services::event_log::LONG_AGO;
use crate::services::window::Window;
use crate::world::{Scope, World};
use std::collections::VecDeque;
use std::time::Duration;

/// Reboots and new passwords take this long, or as long as a change when that is quicker.
const SHORT: Duration = Duration::from_mins(1);
/// When the maintenance window opens on an instance that is busy, it tries again after this.
const MAINTENANCE_RETRY: Duration = Duration::from_mins(5);

fn state<'w>(world: &'w mut World, scope: &Scope) -> &'w mut State {
    &mut world.region_mut(scope).rds
}

/// Starts making an instance.
pub(super) fn create(world: &mut World, scope: &Scope, instance: Instance) {
    let (id, target) = (instance.id.clone(), instance.settings.clone());
    let takes = world.options.database_time;
    state(world, scope).instances.insert(id.clone(), instance);
    stages(world, scope, &id, target, [Stage { kind: StageKind::Creating, takes }].into());
    schedule_backup(world, scope, &id);
}

/// Starts removing an instance.
pub(super) fn delete(world: &mut World, scope: &Scope, id: &str) {
    let Some(target) =
        world.region(scope).rds.instance(id).map(|instance| instance.settings.clone())
    else {
        return;
    };
    let takes = world.options.database_time;
    if let Some(instance) = state(world, scope).instance_mut(id) {
        instance.forced = None;
        instance.deferred = None;
    }
    stages(world, scope, id, target, [Stage { kind: StageKind::Deleting, takes }].into());
}

/// Starts the change of an instance to `target`. What is heavy waits for the maintenance window unless it is wanted `immediately`. A
/// new parameter group waits for a reboot, which CloudFormation's handler asks for and others do not.
pub(super) fn begin(
    world: &mut World,
    scope: &Scope,
    id: &str,
    target: Settings,
    immediately: bool,
    reboots: bool,
) {
    let Some(instance) = world.region(scope).rds.instance(id) else { return };
    let old_window = instance.settings.backup_window.clone();
    let heavy = is_heavy(&instance.settings, &target);
    let mut now = target.clone();
    if heavy && !immediately {
        now = with_heavy_of(&now, &instance.settings);
        let wait = Window::weekly(&target.maintenance_window)
            .map_or(Duration::from_hours(24), |window| window.wait(world.now()));
        let serial = state(world, scope).serial();
        if let Some(instance) = state(world, scope).instance_mut(id) {
            instance.deferred = Some((target, serial));
        }
        world.after(wait, scope, Timer::Maintenance { id: id.to_owned(), serial });
    } else if let Some(instance) = state(world, scope).instance_mut(id) {
        instance.deferred = None;
    }
    start(world, scope, id, now, reboots);
    if world
        .region(scope)
        .rds
        .instance(id)
        .is_some_and(|instance| instance.settings.backup_window != old_window)
    {
        schedule_backup(world, scope, id);
    }
}

/// What an instance shows as pending until the maintenance window (RDS user guide, "Settings for DB instances").
fn is_heavy(old: &Settings, new: &Settings) -> bool {
    (&old.class, &old.version, old.multi_az) != (&new.class, &new.version, new.multi_az)
        || old.storage.is_changed_by(&new.storage)
}

/// `base` with the heavy settings of `from`; the ceiling of storage is none.
fn with_heavy_of(base: &Settings, from: &Settings) -> Settings {
    let mut storage = from.storage.clone();
    storage.max_gib = base.storage.max_gib;
    Settings {
        class: from.class.clone(),
        version: from.version.clone(),
        multi_az: from.multi_az,
        storage,
        ..base.clone()
    }
}

fn start(world: &mut World, scope: &Scope, id: &str, target: Settings, reboots: bool) {
    let database_time = world.options.database_time;
    let short = database_time.min(SHORT);
    let Some(instance) = state(world, scope).instance_mut(id) else { return };
    let old = instance.settings.clone();
    let mut plan = VecDeque::new();
    let mut add = |kind, takes| plan.push_back(Stage { kind, takes });
    if old.version != target.version {
        add(StageKind::Upgrading, database_time);
    }
    let regroup = old.parameter_group != target.parameter_group;
    if is_heavy(&Settings { version: target.version.clone(), ..old.clone() }, &target) {
        add(StageKind::Modifying, database_time);
    } else if regroup {
        add(StageKind::Modifying, short);
    }
    if regroup && reboots {
        add(StageKind::Rebooting, short);
    }
    if old.password != target.password {
        add(StageKind::ResettingPassword, short);
    }
    // The rest needs no stage: windows, protection, the ceiling of storage (RDS user guide: applied at once).
    let light = Settings {
        parameter_group: old.parameter_group.clone(),
        password: old.password.clone(),
        ..with_heavy_of(&target, &old)
    };
    instance.settings = light;
    if !plan.is_empty() {
        world.note(format!("database {id} starts to change"));
        stages(world, scope, id, target, plan);
    }
}

fn stages(world: &mut World, scope: &Scope, id: &str, target: Settings, stages: VecDeque<Stage>) {
    let serial = state(world, scope).serial();
    if let Some(instance) = state(world, scope).instance_mut(id) {
        instance.work = Some(Work { serial, target: Box::new(target), stages });
    }
    enter(world, scope, id);
}

/// Begins the stage in front, or ends the work when there is none.
fn enter(world: &mut World, scope: &Scope, id: &str) {
    let now = world.now();
    let state = state(world, scope);
    let Some(instance) = state.instance_mut(id) else { return };
    let Some(work) = &instance.work else { return };
    let serial = work.serial;
    let Some(next) = work.stages.front().cloned() else {
        instance.work = None;
        world.note(format!("database {id} has finished its change"));
        return;
    };
    let storage = instance.settings.storage.is_changed_by(&work.target.storage);
    match next.kind {
        StageKind::Modifying if storage => state.tell(
            now,
            id,
            &["configuration change"],
            "Applying modification to allocated storage",
        ),
        StageKind::Modifying => state.tell(
            now,
            id,
            &["configuration change"],
            "Applying modification to database instance",
        ),
        StageKind::Upgrading => state.tell(
            now,
            id,
            &["maintenance"],
            "Database instance engine version upgrade started.",
        ),
        StageKind::Rebooting => state.tell(now, id, &["availability"], "DB instance shutdown"),
        StageKind::Creating | StageKind::Deleting | StageKind::ResettingPassword => {}
    }
    world.after(next.takes, scope, Timer::Stage { id: id.to_owned(), serial });
}

/// A stage is over: what it did is there, and the next one begins.
pub(super) fn stage_over(world: &mut World, scope: &Scope, id: &str, serial: u64) {
    let now = world.now();
    let Some(instance) = state(world, scope).instance_mut(id) else { return };
    let Some(work) = instance.work.as_mut().filter(|work| work.serial == serial) else { return };
    let target = Settings::clone(&work.target);
    let Some(stage) = work.stages.pop_front() else { return };
    let (category, message): (&'static [&'static str], _) = match stage.kind {
        StageKind::Creating => (&["creation"], "DB instance created"),
        StageKind::Deleting => {
            remove(world, scope, id);
            return;
        }
        StageKind::Upgrading => {
            instance.settings.version = target.version;
            (&["maintenance"], "Database instance engine version upgrade completed.")
        }
        StageKind::Modifying => modified(world, scope, id, &target),
        StageKind::Rebooting => {
            instance.needs_reboot = false;
            (&["availability"], "DB instance restarted")
        }
        StageKind::ResettingPassword => {
            instance.settings.password = target.password;
            (&["configuration change"], "Reset master credentials")
        }
    };
    state(world, scope).tell(now, id, category, message);
    enter(world, scope, id);
}

/// Takes over what a change of class, storage or parameter group leads to.
fn modified(
    world: &mut World,
    scope: &Scope,
    id: &str,
    target: &Settings,
) -> (&'static [&'static str], &'static str) {
    let Some(instance) = state(world, scope).instance_mut(id) else { return (&[], "") };
    let settings = &mut instance.settings;
    if settings.parameter_group != target.parameter_group {
        settings.parameter_group.clone_from(&target.parameter_group);
        instance.needs_reboot = true;
    }
    let stored = settings.storage.is_changed_by(&target.storage);
    let mut storage = target.storage.clone();
    // Storage may have grown by itself in the meantime, and never shrinks.
    if storage.gib < settings.storage.gib {
        storage = storage.grown(storage.kind.clone(), settings.storage.gib);
    }
    *settings = Settings {
        parameter_group: settings.parameter_group.clone(),
        ..with_heavy_of(
            settings,
            &Settings { storage, version: settings.version.clone(), ..target.clone() },
        )
    };
    if stored {
        let takes = world.options.storage_optimization_time;
        optimize(world, scope, id, takes);
        return (&["configuration change"], "Finished applying modification to allocated storage");
    }
    (&["configuration change"], "Finished applying modification to database instance")
}

/// Storage has changed: it is optimized for a while, and cools down.
pub(super) fn optimize(world: &mut World, scope: &Scope, id: &str, takes: Duration) {
    let now = world.now();
    let serial = state(world, scope).serial();
    if let Some(instance) = state(world, scope).instance_mut(id) {
        instance.storage_changed = Some(now);
        instance.optimizing =
            (!takes.is_zero()).then_some(Optimizing { from: now, until: now + takes, serial });
        world.after(takes, scope, Timer::Optimized { id: id.to_owned(), serial });
    }
}

/// Optimization is over.
pub(super) fn optimized(world: &mut World, scope: &Scope, id: &str, serial: u64) {
    if let Some(instance) = state(world, scope).instance_mut(id)
        && instance.optimizing.is_some_and(|optimizing| optimizing.serial == serial)
    {
        instance.optimizing = None;
        world.note(format!("database {id} has finished optimizing its storage"));
    }
}

/// Removes an instance and what refers to it.
pub(super) fn remove(world: &mut World, scope: &Scope, id: &str) {
    let now = world.now();
    let state = state(world, scope);
    let Some(gone) = state.instances.remove(id) else { return };
    if let Some(source) = gone.fixed.source.as_ref().and_then(|source| state.instance_mut(source)) {
        source.replicas.retain(|replica| replica != id);
    }
    for replica in &gone.replicas {
        if let Some(replica) = state.instance_mut(replica) {
            replica.fixed.source = None;
        }
    }
    state.tell(now, id, &["deletion"], "DB instance deleted");
    world.note(format!("database {id} is gone"));
}

/// The maintenance window opens: what waited for it begins.
pub(super) fn maintenance(world: &mut World, scope: &Scope, id: &str, serial: u64) {
    let Some(instance) = world.region(scope).rds.instance(id) else { return };
    let Some((deferred, _)) = instance.deferred.as_ref().filter(|(_, waiting)| *waiting == serial)
    else {
        return;
    };
    if instance.status() != "available" {
        world.after(MAINTENANCE_RETRY, scope, Timer::Maintenance { id: id.to_owned(), serial });
        return;
    }
    let target = with_heavy_of(&instance.settings, deferred);
    if let Some(instance) = state(world, scope).instance_mut(id) {
        instance.deferred = None;
    }
    start(world, scope, id, target, false);
}

/// Starts a reboot, after which parameters are in sync.
pub(super) fn reboot(world: &mut World, scope: &Scope, id: &str) {
    let takes = world.options.database_time.min(SHORT);
    let Some(target) =
        world.region(scope).rds.instance(id).map(|instance| instance.settings.clone())
    else {
        return;
    };
    stages(world, scope, id, target, [Stage { kind: StageKind::Rebooting, takes }].into());
}

/// Sets the timer of the next nightly backup, in worlds that have them.
pub(super) fn schedule_backup(world: &mut World, scope: &Scope, id: &str) {
    if !world.options.nightly_backup {
        return;
    }
    let window = world
        .region(scope)
        .rds
        .instance(id)
        .and_then(|instance| Window::daily(&instance.settings.backup_window));
    let Some(wait) = window.map(|window| window.wait(world.now())) else { return };
    let serial = state(world, scope).serial();
    if let Some(instance) = state(world, scope).instance_mut(id) {
        instance.backup = serial;
        world.after(wait, scope, Timer::Backup { id: id.to_owned(), serial });
    }
}

/// The backup window opens: an instance that is idle and keeps backups is backed up.
pub(super) fn backup(world: &mut World, scope: &Scope, id: &str, serial: u64) {
    let takes = world.options.backup_time;
    let now = world.now();
    let state = state(world, scope);
    let Some(instance) = state.instance_mut(id).filter(|instance| instance.backup == serial) else {
        return;
    };
    let idle = matches!(instance.status(), "available" | "storage-optimization");
    if idle && instance.settings.backup_retention > 0 {
        instance.forced = Some(("backing-up".to_owned(), serial));
        state.tell(now, id, &["backup"], "Backing up DB instance");
        world.after(takes, scope, Timer::Forced { id: id.to_owned(), serial });
    }
    schedule_backup(world, scope, id);
}

/// Ends whatever runs, as if the instance had been there for long.
pub(super) fn settle(world: &mut World, scope: &Scope, id: &str) {
    while let Some(serial) = world
        .region(scope)
        .rds
        .instance(id)
        .and_then(|instance| instance.work.as_ref())
        .map(|work| work.serial)
    {
        stage_over(world, scope, id, serial);
    }
    let state = state(world, scope);
    state.events.forget(id);
    if let Some(instance) = state.instance_mut(id) {
        instance.created = instance.created - LONG_AGO;
    }
}
