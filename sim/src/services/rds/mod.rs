//! Amazon RDS: PostgreSQL instances with their storage, status and events.
//!
//! `storage` and `change` decide what is allowed; `work` carries it out over time; `describe` and `modify` are the operations;
//! `provider` is what CloudFormation asks; `outside` is what scenarios do. Clusters, snapshots and other engines do not exist here.

mod change;
mod describe;
mod modify;
mod outside;
mod provider;
mod storage;
#[cfg(test)]
mod tests;
mod versions;
mod view;
mod work;

pub(crate) use outside::{autoscale, delete_now, grow_storage, reboot, set_status};
pub(crate) use view::view;

use super::cloudformation::provider::Provider;
use super::event_log::{Event, EventLog};
use super::secret::Secret;
use crate::spec::Operation;
use crate::time::SimTime;
use crate::world::{Scope, World};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use storage::Storage;

/// The operations of Amazon RDS.
pub(crate) const OPERATIONS: &[Operation] =
    &[describe::INSTANCES, describe::EVENTS, modify::MODIFY];

/// The resource types that this service provides.
pub(crate) const PROVIDERS: &[(&str, &dyn Provider)] =
    &[("AWS::RDS::DBInstance", &provider::DbInstance)];

/// The databases of one account in one region.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// By identifier, in lower case.
    pub(crate) instances: BTreeMap<String, Instance>,
    pub(crate) events: EventLog,
    /// Numbers pieces of work, so that a timer of one that is over does nothing.
    serials: u64,
}

/// A DB instance.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) arn: String,
    /// `db-…`, which stays when the identifier changes.
    pub(crate) resource_id: String,
    pub(crate) created: SimTime,
    pub(crate) settings: Settings,
    pub(crate) fixed: Fixed,
    /// Its read replicas.
    pub(crate) replicas: Vec<String>,
    /// Whether a parameter group waits for a reboot.
    pub(crate) needs_reboot: bool,
    /// A status that a backup or a scenario has put over the real one.
    pub(crate) forced: Option<(String, u64)>,
    pub(crate) work: Option<Work>,
    pub(crate) optimizing: Option<Optimizing>,
    /// When its storage last changed.
    pub(crate) storage_changed: Option<SimTime>,
    /// Settings that wait for the maintenance window.
    pub(crate) deferred: Option<(Settings, u64)>,
    /// The timer of its nightly backup.
    backup: u64,
}

/// What of an instance never changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fixed {
    pub(crate) engine: String,
    pub(crate) master_username: String,
    pub(crate) db_name: Option<String>,
    pub(crate) subnet_group: Option<String>,
    pub(crate) encrypted: bool,
    pub(crate) kms_key: Option<String>,
    pub(crate) port: i64,
    pub(crate) zone: String,
    pub(crate) address: String,
    pub(crate) hosted_zone: String,
    /// The instance that it replicates.
    pub(crate) source: Option<String>,
    /// The version its template last asked for, which drift detection compares by prefix.
    pub(crate) template_version: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
}

/// What of an instance can be changed.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "the API has as many switches")]
pub(crate) struct Settings {
    pub(crate) class: String,
    pub(crate) storage: Storage,
    /// With its minor version.
    pub(crate) version: String,
    pub(crate) multi_az: bool,
    pub(crate) parameter_group: String,
    pub(crate) password: Option<Secret>,
    pub(crate) backup_retention: i64,
    pub(crate) backup_window: String,
    pub(crate) maintenance_window: String,
    pub(crate) auto_minor_upgrade: bool,
    pub(crate) deletion_protection: bool,
    pub(crate) iam_authentication: bool,
    pub(crate) copy_tags: bool,
    pub(crate) publicly_accessible: bool,
    pub(crate) monitoring_interval: i64,
    pub(crate) monitoring_role: Option<String>,
    pub(crate) performance_insights: bool,
    pub(crate) log_exports: Vec<String>,
    pub(crate) security_groups: Vec<String>,
    pub(crate) certificate: String,
}

/// What RDS is doing to an instance, stage after stage.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    serial: u64,
    target: Box<Settings>,
    stages: VecDeque<Stage>,
}

/// One stage, with the status it shows and the time it takes.
#[derive(Clone, Debug)]
struct Stage {
    kind: StageKind,
    takes: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StageKind {
    Creating,
    Deleting,
    Upgrading,
    Modifying,
    ResettingPassword,
    Rebooting,
}

/// A storage optimization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Optimizing {
    pub(crate) from: SimTime,
    pub(crate) until: SimTime,
    serial: u64,
}

/// What happens by itself.
#[derive(Clone, Debug)]
pub(crate) enum Timer {
    /// A stage of an instance's work is over.
    Stage { id: String, serial: u64 },
    /// Storage optimization is over.
    Optimized { id: String, serial: u64 },
    /// A forced status ends.
    Forced { id: String, serial: u64 },
    /// The maintenance window opens on deferred settings.
    Maintenance { id: String, serial: u64 },
    /// The backup window opens.
    Backup { id: String, serial: u64 },
}

/// Lets a timer happen.
pub(crate) fn fire(world: &mut World, scope: &Scope, timer: Timer) {
    match timer {
        Timer::Stage { id, serial } => work::stage_over(world, scope, &id, serial),
        Timer::Optimized { id, serial } => work::optimized(world, scope, &id, serial),
        Timer::Forced { id, serial } => outside::forced_over(world, scope, &id, serial),
        Timer::Maintenance { id, serial } => work::maintenance(world, scope, &id, serial),
        Timer::Backup { id, serial } => work::backup(world, scope, &id, serial),
    }
}

impl State {
    /// The instance with this identifier or ARN, whatever the case.
    pub(crate) fn instance(&self, id: &str) -> Option<&Instance> {
        self.instances.get(&key(id))
    }

    fn instance_mut(&mut self, id: &str) -> Option<&mut Instance> {
        self.instances.get_mut(&key(id))
    }

    fn serial(&mut self) -> u64 {
        self.serials += 1;
        self.serials
    }

    fn tell(
        &mut self,
        at: SimTime,
        id: &str,
        category: &'static [&'static str],
        message: impl Into<String>,
    ) {
        self.events.add(Event {
            at,
            source_type: "db-instance",
            source: id.to_owned(),
            message: message.into(),
            categories: category,
        });
    }
}

/// The identifier that an identifier or ARN means.
fn key(id: &str) -> String {
    let name = if id.starts_with("arn:") { id.rsplit(':').next().unwrap_or(id) } else { id };
    name.to_ascii_lowercase()
}

impl Instance {
    /// Its status as AWS shows it.
    pub(crate) fn status(&self) -> &str {
        if let Some((status, _)) = &self.forced {
            return status;
        }
        match self.work.as_ref().and_then(|work| work.stages.front()).map(|stage| stage.kind) {
            Some(StageKind::Creating) => "creating",
            Some(StageKind::Deleting) => "deleting",
            Some(StageKind::Upgrading) => "upgrading",
            Some(StageKind::Modifying) => "modifying",
            Some(StageKind::ResettingPassword) => "resetting-master-credentials",
            Some(StageKind::Rebooting) => "rebooting",
            None if self.optimizing.is_some() => "storage-optimization",
            None => "available",
        }
    }

    /// What is on its way: the target of work that runs, or what waits for the maintenance window.
    fn target(&self) -> Option<&Settings> {
        self.work
            .as_ref()
            .map(|work| &*work.target)
            .or_else(|| self.deferred.as_ref().map(|(settings, _)| settings))
    }

    /// Until when its storage cannot be changed again.
    fn cools_until(&self) -> SimTime {
        let rest = self.storage_changed.map_or(SimTime::default(), |at| at + storage::COOL_DOWN);
        self.optimizing.map_or(rest, |optimizing| optimizing.until.max(rest))
    }
}
