//! What ElastiCache does over time: it makes groups, changes them node by node, removes them.
//!
//! A change is a list of steps. During it the members differ: replicas come first, the primary last and, where there is failover, after
//! a replica has taken its place. The group's own settings turn to the target when the last step is over.

use super::{Group, Kind, Member, Settings, Shard, State, Step, StepKind, Timer, Work};
use crate::services::event_log::LONG_AGO;
use crate::services::window::Window;
use crate::time::SimTime;
use crate::world::{Scope, World};
use std::collections::VecDeque;
use std::time::Duration;

/// Settings that are not of a node take a minute (or as long as an upgrade, when that is quicker).
const SETTINGS_TIME: Duration = Duration::from_mins(1);
/// When the maintenance window opens on a group that is busy, it tries again after this.
const MAINTENANCE_RETRY: Duration = Duration::from_mins(5);

const GROUP: &str = "replication-group";
const CLUSTER: &str = "cache-cluster";

fn state<'w>(world: &'w mut World, scope: &Scope) -> &'w mut State {
    &mut world.region_mut(scope).elasticache
}

/// The part of settings that a node carries; a change of it goes node by node.
pub(super) fn of_nodes(settings: &Settings) -> (super::Engine, &str, &str, &str) {
    (settings.engine, &settings.version, &settings.node_type, &settings.parameter_group)
}

/// `base` with the node settings of `from`.
fn with_nodes_of(base: &Settings, from: &Settings) -> Settings {
    Settings {
        engine: from.engine,
        version: from.version.clone(),
        node_type: from.node_type.clone(),
        parameter_group: from.parameter_group.clone(),
        ..base.clone()
    }
}

/// `base` with those settings of `from` that change at once.
fn with_quick_of(base: &Settings, from: &Settings) -> Settings {
    Settings {
        description: from.description.clone(),
        snapshot_retention: from.snapshot_retention,
        snapshot_window: from.snapshot_window.clone(),
        maintenance_window: from.maintenance_window.clone(),
        auto_minor_upgrade: from.auto_minor_upgrade,
        security_groups: from.security_groups.clone(),
        ..base.clone()
    }
}

/// Starts making a group whose members are there already; it is `creating` for a while.
pub(super) fn create(world: &mut World, scope: &Scope, mut group: Group) {
    let takes = world.options.cache_time;
    let id = group.id.clone();
    let serial = state(world, scope).serial();
    group.work = Some(Work { serial, kind: Kind::Create });
    state(world, scope).groups.insert(id.clone(), group);
    world.after(takes, scope, Timer::Step { group: id, serial });
}

/// Starts removing a group.
pub(super) fn delete(world: &mut World, scope: &Scope, id: &str) {
    let takes = world.options.cache_time.min(world.options.resource_time * 4);
    let serial = state(world, scope).serial();
    if let Some(group) = state(world, scope).group_mut(id) {
        group.work = Some(Work { serial, kind: Kind::Delete });
        group.forced = None;
        group.deferred = None;
        world.after(takes, scope, Timer::Step { group: id.to_owned(), serial });
    }
}

/// Starts the change of a group to `target`. What concerns nodes waits for the maintenance window unless it is wanted `immediately`.
pub(super) fn begin(
    world: &mut World,
    scope: &Scope,
    id: &str,
    target: &Settings,
    immediately: bool,
) {
    let Some(group) = world.region(scope).elasticache.group(id) else { return };
    let mut target = target.clone();
    if !immediately && of_nodes(&target) != of_nodes(&group.settings) {
        let later = with_nodes_of(&group.settings, &target);
        target = with_nodes_of(&target, &group.settings);
        let wait = Window::weekly(&group.settings.maintenance_window)
            .map_or(Duration::from_hours(24), |window| window.wait(world.now()));
        let serial = state(world, scope).serial();
        if let Some(group) = state(world, scope).group_mut(id) {
            group.deferred = Some((later, serial));
        }
        world.after(wait, scope, Timer::Maintenance { group: id.to_owned(), serial });
    }
    start(world, scope, id, target);
}

fn start(world: &mut World, scope: &Scope, id: &str, target: Settings) {
    let (cache_time, echoes_old) =
        (world.options.cache_time, world.options.modify_echoes_old_engine);
    let serial = state(world, scope).serial();
    let Some(group) = state(world, scope).group_mut(id) else { return };
    let steps = steps(group, &target, cache_time);
    group.settings = with_quick_of(&group.settings, &target);
    if steps.is_empty() {
        group.settings = target;
        return;
    }
    if !echoes_old {
        group.settings.engine = target.engine;
    }
    group.work = Some(Work { serial, kind: Kind::Change { target: Box::new(target), steps } });
    world.note(format!("replication group {id} starts to change"));
    enter_step(world, scope, id);
}

/// The steps from what a group is to `target`; none when only quick settings differ.
fn steps(group: &Group, target: &Settings, cache_time: Duration) -> VecDeque<Step> {
    let now = &group.settings;
    let quick = cache_time.min(SETTINGS_TIME);
    let mut steps = VecDeque::new();
    let heavy = (now.engine, &now.version, &now.node_type)
        != (target.engine, &target.version, &target.node_type);
    if of_nodes(now) != of_nodes(target) {
        let order = replicas_first(group);
        let count = u32::try_from(order.len()).unwrap_or(1).max(1);
        let takes = if heavy { cache_time } else { quick } / count;
        steps.extend(order.into_iter().map(|id| Step { what: StepKind::Node(id), takes }));
    }
    for (index, shard) in group.shards.iter().enumerate() {
        let (have, want) = (shard.members.len(), target.nodes);
        for _ in have..want {
            steps.push_back(Step { what: StepKind::Add(index), takes: cache_time / 2 });
        }
        let replicas = shard.members.iter().rev().filter(|member| member.id != shard.primary);
        steps.extend(
            replicas
                .take(have.saturating_sub(want))
                .map(|member| Step { what: StepKind::Remove(member.id.clone()), takes: quick }),
        );
    }
    let rest = Settings { nodes: now.nodes, ..with_quick_of(&with_nodes_of(target, now), now) };
    if rest != *now {
        steps.push_back(Step { what: StepKind::Rest, takes: quick });
    }
    steps
}

fn replicas_first(group: &Group) -> Vec<String> {
    let all = || {
        group.shards.iter().flat_map(|shard| {
            shard.members.iter().map(move |member| (&member.id, member.id == shard.primary))
        })
    };
    let replicas = all().filter(|(_, primary)| !primary);
    replicas.chain(all().filter(|(_, primary)| *primary)).map(|(id, _)| id.clone()).collect()
}

/// Begins the step in front, or ends the work when there is none.
fn enter_step(world: &mut World, scope: &Scope, id: &str) {
    let now = world.now();
    let region = scope.region.clone();
    let state = state(world, scope);
    let Some(group) = state.group_mut(id) else { return };
    let Some(Work { serial, kind: Kind::Change { target, steps } }) = &group.work else { return };
    let (serial, target, step) = (*serial, Settings::clone(target), steps.front().cloned());
    let Some(step) = step else {
        group.settings = target;
        group.work = None;
        state.tell(now, GROUP, id, format!("Replication group {id} modified"));
        world.note(format!("replication group {id} is available again"));
        return;
    };
    match step.what {
        StepKind::Node(member) => {
            if let Some((shard, replacement)) = fails_over(group, &member) {
                group.shards[shard].primary.clone_from(&replacement);
                state.tell(
                    now,
                    GROUP,
                    id,
                    format!(
                        "Failover from master node {member} to replica node {replacement} completed"
                    ),
                );
            }
        }
        StepKind::Add(shard) => {
            let sharded = group.sharded;
            if let Some(shard) = group.shards.get_mut(shard) {
                let member = new_member(id, shard, sharded, &target, &region, now);
                shard.members.push(member);
            }
        }
        StepKind::Remove(_) | StepKind::Rest => {}
    }
    world.after(step.takes, scope, Timer::Step { group: id.to_owned(), serial });
}

/// Where failover is on, a primary hands over to a replica before it is worked on.
fn fails_over(group: &Group, member: &str) -> Option<(usize, String)> {
    if !group.settings.automatic_failover {
        return None;
    }
    let (index, shard) =
        group.shards.iter().enumerate().find(|(_, shard)| shard.primary == member)?;
    Some((index, shard.members.iter().find(|other| other.id != member)?.id.clone()))
}

/// A member with the lowest free number.
pub(super) fn new_member(
    group: &str,
    shard: &Shard,
    sharded: bool,
    settings: &Settings,
    region: &str,
    now: SimTime,
) -> Member {
    let name = |number: usize| {
        if sharded {
            format!("{group}-{}-{number:03}", shard.id)
        } else {
            format!("{group}-{number:03}")
        }
    };
    // Of one more number than there are members, one is free.
    let number = (1..=shard.members.len() + 1)
        .find(|number| shard.members.iter().all(|member| member.id != name(*number)))
        .unwrap_or(1);
    Member {
        id: name(number),
        created: now,
        zone: format!("{region}{}", ["a", "b", "c"][(number - 1) % 3]),
        engine: settings.engine,
        version: settings.version.clone(),
        node_type: settings.node_type.clone(),
        parameter_group: settings.parameter_group.clone(),
    }
}

/// A step is over: what it did is there, and the next one begins.
pub(super) fn step_over(world: &mut World, scope: &Scope, id: &str, serial: u64) {
    let now = world.now();
    let state = state(world, scope);
    let Some(group) = state.group_mut(id) else { return };
    let Some(work) = group.work.as_mut().filter(|work| work.serial == serial) else { return };
    match &mut work.kind {
        Kind::Create => {
            group.work = None;
            state.tell(now, GROUP, id, format!("Replication group {id} created"));
        }
        Kind::Delete => {
            state.groups.remove(id);
            state.tell(now, GROUP, id, format!("Replication group {id} deleted"));
            world.note(format!("replication group {id} is gone"));
        }
        Kind::Change { target, steps } => {
            let target = Settings::clone(target);
            let Some(step) = steps.pop_front() else { return };
            let told = finish_step(group, &step.what, &target);
            for (member, message) in told {
                state.tell(now, CLUSTER, &member, message);
            }
            enter_step(world, scope, id);
        }
    }
}

/// What a step leaves, and the events its cluster tells.
fn finish_step(group: &mut Group, what: &StepKind, target: &Settings) -> Vec<(String, String)> {
    let zone = |group: &Group, id: &str| {
        group
            .members()
            .find(|member| member.id == id)
            .map(|member| member.zone.clone())
            .unwrap_or_default()
    };
    match what {
        StepKind::Node(id) => {
            let Some(member) = group
                .shards
                .iter_mut()
                .flat_map(|shard| &mut shard.members)
                .find(|member| member.id == *id)
            else {
                return Vec::new();
            };
            let upgraded = (member.engine, &member.version) != (target.engine, &target.version);
            carry(member, target);
            let message = if upgraded {
                format!("Cache cluster upgraded to {} {}", target.engine.as_str(), target.version)
            } else {
                "Cache cluster modified".to_owned()
            };
            vec![(id.clone(), message)]
        }
        StepKind::Add(shard) => {
            let Some(id) = group.newest(*shard).cloned() else { return Vec::new() };
            let message =
                format!("Added cache node 0001 in availability zone {}", zone(group, &id));
            vec![(id, message)]
        }
        StepKind::Remove(id) => {
            for shard in &mut group.shards {
                shard.members.retain(|member| member.id != *id);
            }
            vec![(id.clone(), "Cache cluster deleted".to_owned())]
        }
        StepKind::Rest => Vec::new(),
    }
}

/// Gives a member what it carries of the group's settings.
pub(super) fn carry(member: &mut Member, settings: &Settings) {
    member.engine = settings.engine;
    member.version.clone_from(&settings.version);
    member.node_type.clone_from(&settings.node_type);
    member.parameter_group.clone_from(&settings.parameter_group);
}

/// The maintenance window opens: what waited for it begins.
pub(super) fn maintenance(world: &mut World, scope: &Scope, id: &str, serial: u64) {
    let Some(group) = world.region(scope).elasticache.group(id) else { return };
    let Some((deferred, _)) = group.deferred.as_ref().filter(|(_, waiting)| *waiting == serial)
    else {
        return;
    };
    if group.status() != "available" {
        world.after(MAINTENANCE_RETRY, scope, Timer::Maintenance { group: id.to_owned(), serial });
        return;
    }
    let target = with_nodes_of(&group.settings, deferred);
    if let Some(group) = state(world, scope).group_mut(id) {
        group.deferred = None;
    }
    start(world, scope, id, target);
}

/// Ends whatever runs, as if the group had been there for long.
pub(super) fn settle(world: &mut World, scope: &Scope, id: &str) {
    while let Some(serial) = world
        .region(scope)
        .elasticache
        .group(id)
        .and_then(|group| group.work.as_ref())
        .map(|work| work.serial)
    {
        step_over(world, scope, id, serial);
    }
    let state = state(world, scope);
    state.events.forget(id);
    if let Some(group) = state.group_mut(id) {
        group.created = group.created - LONG_AGO;
        for member in group.shards.iter_mut().flat_map(|shard| &mut shard.members) {
            member.created = group.created;
        }
    }
}
