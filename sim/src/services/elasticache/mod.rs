//! Amazon ElastiCache: replication groups that change node by node, user groups, parameter groups, events.
//!
//! `versions` knows engines and families; `change` decides whether a change is allowed and what it leads to; `work` carries it out over
//! time; `describe` and `modify` are the operations; `provider` is what CloudFormation asks; `outside` is what scenarios do. Serverless
//! caches and lone cache clusters do not exist here: TED has neither.

mod change;
mod describe;
mod groups;
mod modify;
mod outside;
mod provider;
#[cfg(test)]
mod tests;
mod versions;
mod view;
mod work;

pub(crate) use outside::{
    Pending, delete_now, set_global_datastore, set_pending, set_status, upgrade_now,
};
pub(crate) use versions::Engine;
pub(crate) use view::view;

use super::cloudformation::provider::Provider;
use super::event_log::{Event, EventLog};
use super::secret::Secret;
use crate::spec::Operation;
use crate::time::SimTime;
use crate::world::{Scope, World};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The operations of Amazon ElastiCache.
pub(crate) const OPERATIONS: &[Operation] = &[
    describe::REPLICATION_GROUPS,
    describe::CACHE_CLUSTERS,
    describe::SERVERLESS_CACHES,
    describe::ENGINE_VERSIONS,
    describe::USER_GROUPS,
    describe::EVENTS,
    modify::MODIFY,
];

/// The resource types that this service provides.
pub(crate) const PROVIDERS: &[(&str, &dyn Provider)] = &[
    ("AWS::ElastiCache::ReplicationGroup", &provider::ReplicationGroup),
    ("AWS::ElastiCache::ParameterGroup", &groups::ParameterGroupProvider),
    ("AWS::ElastiCache::UserGroup", &groups::UserGroupProvider),
];

/// The caches of one account in one region.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// By id, in lower case.
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) user_groups: BTreeMap<String, UserGroup>,
    /// Those that are not default groups.
    pub(crate) parameter_groups: BTreeMap<String, ParameterGroup>,
    pub(crate) events: EventLog,
    /// Numbers pieces of work, so that a timer of one that is over does nothing.
    serials: u64,
}

/// A replication group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) created: SimTime,
    pub(crate) settings: Settings,
    pub(crate) shards: Vec<Shard>,
    /// Whether cluster mode is on.
    pub(crate) sharded: bool,
    /// What stands behind the names of its endpoints: `ls6yvz.use2.cache.amazonaws.com` in two parts.
    pub(crate) dns: Dns,
    pub(crate) global_datastore: Option<String>,
    /// A status that a scenario has put over the real one.
    pub(crate) forced: Option<(String, u64)>,
    pub(crate) work: Option<Work>,
    /// Settings that wait for the maintenance window.
    pub(crate) deferred: Option<(Settings, u64)>,
}

/// The parts of a cache's host names that do not come from its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dns {
    /// Six characters, the same for all caches of an account in a region.
    pub(crate) hash: String,
    /// `use2.cache.amazonaws.com`.
    pub(crate) suffix: String,
}

/// What of a group can be changed.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "the API has as many switches")]
pub(crate) struct Settings {
    pub(crate) description: String,
    pub(crate) engine: Engine,
    /// With its patch level. The group itself never shows it, its members do.
    pub(crate) version: String,
    pub(crate) parameter_group: String,
    pub(crate) node_type: String,
    /// Nodes of each shard.
    pub(crate) nodes: usize,
    pub(crate) automatic_failover: bool,
    pub(crate) multi_az: bool,
    pub(crate) transit_encryption: bool,
    /// `preferred` or `required`, with encryption only.
    pub(crate) transit_mode: String,
    pub(crate) at_rest_encryption: bool,
    pub(crate) kms_key: Option<String>,
    pub(crate) auth_token: Option<Secret>,
    pub(crate) auth_token_changed: Option<SimTime>,
    pub(crate) user_groups: Vec<String>,
    pub(crate) subnet_group: Option<String>,
    pub(crate) security_groups: Vec<String>,
    pub(crate) snapshot_retention: i64,
    pub(crate) snapshot_window: String,
    pub(crate) maintenance_window: String,
    pub(crate) auto_minor_upgrade: bool,
    pub(crate) port: i64,
}

/// A node group.
#[derive(Clone, Debug)]
pub(crate) struct Shard {
    /// `0001`.
    pub(crate) id: String,
    pub(crate) members: Vec<Member>,
    /// The member that takes writes.
    pub(crate) primary: String,
}

/// A node, which is a cache cluster of its own.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// `<group>-001`, or `<group>-0001-001` in cluster mode.
    pub(crate) id: String,
    pub(crate) created: SimTime,
    pub(crate) zone: String,
    pub(crate) engine: Engine,
    /// With its patch level.
    pub(crate) version: String,
    pub(crate) node_type: String,
    pub(crate) parameter_group: String,
}

/// What ElastiCache is doing to a group.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    serial: u64,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Create,
    Delete,
    Change { target: Box<Settings>, steps: VecDeque<Step> },
}

/// One step of a change, with the time it takes.
#[derive(Clone, Debug)]
struct Step {
    what: StepKind,
    takes: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum StepKind {
    /// Brings this member to the target.
    Node(String),
    /// Adds a member to the shard with this index.
    Add(usize),
    /// Removes this member.
    Remove(String),
    /// What is not of a node: failover, users, tokens.
    Rest,
}

/// A group of users, as far as caches see it.
#[derive(Clone, Debug)]
pub(crate) struct UserGroup {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) engine: Engine,
    /// `creating`, `active`, `modifying`.
    pub(crate) status: &'static str,
    pub(crate) users: Vec<String>,
}

/// A parameter group that somebody made.
#[derive(Clone, Debug)]
pub(crate) struct ParameterGroup {
    pub(crate) family: String,
    pub(crate) description: String,
    pub(crate) parameters: BTreeMap<String, String>,
}

/// What happens by itself.
#[derive(Clone, Debug)]
pub(crate) enum Timer {
    /// A step of a group's work is over.
    Step { group: String, serial: u64 },
    /// A forced status ends.
    Forced { group: String, serial: u64 },
    /// The maintenance window opens on deferred settings.
    Maintenance { group: String, serial: u64 },
    /// A user group becomes active.
    UserGroup { id: String },
}

/// Lets a timer happen.
pub(crate) fn fire(world: &mut World, scope: &Scope, timer: Timer) {
    match timer {
        Timer::Step { group, serial } => work::step_over(world, scope, &group, serial),
        Timer::Forced { group, serial } => outside::forced_over(world, scope, &group, serial),
        Timer::Maintenance { group, serial } => work::maintenance(world, scope, &group, serial),
        Timer::UserGroup { id } => groups::activated(world, scope, &id),
    }
}

impl State {
    /// The group with this id, whatever the case.
    pub(crate) fn group(&self, id: &str) -> Option<&Group> {
        self.groups.get(&id.to_ascii_lowercase())
    }

    fn group_mut(&mut self, id: &str) -> Option<&mut Group> {
        self.groups.get_mut(&id.to_ascii_lowercase())
    }

    fn serial(&mut self) -> u64 {
        self.serials += 1;
        self.serials
    }

    /// The family of a parameter group; absent when there is no such group.
    fn family(&self, name: &str) -> Option<String> {
        versions::family_of_default(name)
            .map(str::to_owned)
            .or_else(|| self.parameter_groups.get(name).map(|group| group.family.clone()))
    }

    fn tell(
        &mut self,
        at: SimTime,
        source_type: &'static str,
        source: &str,
        message: impl Into<String>,
    ) {
        self.events.add(Event {
            at,
            source_type,
            source: source.to_owned(),
            message: message.into(),
            categories: &[],
        });
    }
}

impl Group {
    /// Its status as AWS shows it.
    pub(crate) fn status(&self) -> &str {
        match (&self.forced, &self.work) {
            (Some((status, _)), _) => status,
            (None, None) => "available",
            (None, Some(work)) => match work.kind {
                Kind::Create => "creating",
                Kind::Delete => "deleting",
                Kind::Change { .. } => "modifying",
            },
        }
    }

    /// All members, shard by shard.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.shards.iter().flat_map(|shard| &shard.members)
    }

    /// The status of a member: only the node under work is not available during a change.
    pub(crate) fn member_status(&self, member: &Member) -> &str {
        let Some(Work { kind: Kind::Change { steps, .. }, .. }) = &self.work else {
            return self.status();
        };
        if self.forced.is_some() {
            return self.status();
        }
        match steps.front().map(|step| &step.what) {
            Some(StepKind::Node(id)) if *id == member.id => "modifying",
            Some(StepKind::Remove(id)) if *id == member.id => "deleting",
            Some(StepKind::Add(shard)) if self.newest(*shard) == Some(&member.id) => "creating",
            Some(StepKind::Rest) => "modifying",
            _ => "available",
        }
    }

    /// The member of a shard that was added last.
    fn newest(&self, shard: usize) -> Option<&String> {
        self.shards.get(shard)?.members.last().map(|member| &member.id)
    }

    /// What is on its way: the target of work that runs, or what waits for the maintenance window.
    fn target(&self) -> Option<&Settings> {
        match &self.work {
            Some(Work { kind: Kind::Change { target, .. }, .. }) => Some(target),
            Some(Work { kind: Kind::Create | Kind::Delete, .. }) => None,
            None => self.deferred.as_ref().map(|(settings, _)| settings),
        }
    }
}
