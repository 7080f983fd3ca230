//! The gates about what is changed: database, cache, storage.

use super::{Case, Verdict};
use crate::assess::facts::{StorageFact, TheCache, missing};
use crate::assess::parameters::{Obstacle, doubt};
use crate::assess::roles::Resolution;
use crate::assess::storage::{Outcome, is_touched, outcome_of, refusals};
use crate::assess::values;
use crate::desired::{CacheVersion, Engine, Role, Storage};
use crate::observe::observation::{Cache, CacheNode, Database, Seen};
use jiff::SignedDuration;

/// How long RDS refuses another change of storage: about six hours, or until its optimization is done (RDS user guide, storage).
const COOL_DOWN: SignedDuration = SignedDuration::from_hours(6);

/// 13. Instance and replica allow the change; a storage change waits out the cool-down too.
pub(super) fn database_available(case: &Case<'_>) -> Verdict {
    let observation = case.observation;
    let database = match &observation.database {
        Seen::Present(database) => database,
        Seen::Absent => {
            return Verdict::person("the database instance is not there", "look for it in RDS");
        }
        unreadable @ (Seen::Unreadable(_) | Seen::NotLooked) => {
            return Verdict::unreadable(
                "the database instance",
                missing(unreadable).unwrap_or_default(),
            );
        }
    };
    let mut parts = vec![one_database(case, database)];
    match &observation.replica {
        Seen::Present(replica) => parts.push(one_database(case, replica)),
        Seen::Absent => {}
        // No replica is known of: nothing to look at.
        Seen::NotLooked if database.replicas.is_empty() => {}
        unreadable @ (Seen::Unreadable(_) | Seen::NotLooked) => {
            parts.push(Verdict::unreadable(
                "the read replica",
                missing(unreadable).unwrap_or_default(),
            ));
        }
    }
    Verdict::all(parts)
}

/// Whether instance and replica are `available`, as a continued rollback takes them: it may change whatever they have.
pub(in crate::assess) fn stands(case: &Case<'_>) -> Verdict {
    let one = |seen: &Seen<Database>, what: &str| match seen {
        Seen::Present(database) => Some(database_status(database, true, false)),
        Seen::Absent => None,
        unread @ (Seen::Unreadable(_) | Seen::NotLooked) => {
            Some(Verdict::unreadable(what, missing(unread).unwrap_or_default()))
        }
    };
    let primary = one(&case.observation.database, "the database instance").unwrap_or_else(|| {
        Verdict::person("the database instance is not there", "look for it in RDS")
    });
    let has_replica = match &case.observation.database {
        Seen::Present(database) => !database.replicas.is_empty(),
        Seen::Absent | Seen::Unreadable(_) | Seen::NotLooked => false,
    };
    let mut parts = vec![primary];
    if has_replica || !matches!(case.observation.replica, Seen::NotLooked) {
        parts.extend(one(&case.observation.replica, "the read replica"));
    }
    Verdict::all(parts)
}

fn one_database(case: &Case<'_>, database: &Database) -> Verdict {
    let touched = is_touched(case.facts, case.draft);
    let mut parts = vec![database_status(database, touched, grows(case))];
    if !database.pending.is_empty() {
        let what: Vec<&str> = database.pending.keys().map(String::as_str).collect();
        parts.push(Verdict::waiting(
            format!("`{}` has changes pending: {}; RDS applies them in its maintenance window, or at once when told to", database.id, what.join(", ")),
            None,
        ));
    }
    if touched
        && let Some(over) =
            database.storage_changed.and_then(|changed| changed.checked_add(COOL_DOWN).ok())
        && over > case.now()
    {
        parts.push(Verdict::waiting(
            format!("the storage of `{}` was changed less than six hours ago, and the update changes it again", database.id),
            Some(over),
        ));
    }
    if touched && let Some(gap) = &case.observation.details.database_events {
        parts.push(Verdict::unreadable(
            &format!("when the storage of `{}` was changed last", database.id),
            &gap.message,
        ));
    }
    if touched && let Some(progress) = &database.optimization {
        parts.push(Verdict::waiting(
            format!(
                "the storage of `{}` is being optimized ({progress} %), and the update changes it",
                database.id
            ),
            None,
        ));
    }
    Verdict::all(parts)
}

fn grows(case: &Case<'_>) -> bool {
    let [size, ..] = &case.facts.storage;
    matches!((outcome_of(size, case.facts, case.draft), size.real), (Some(outcome), Some(real)) if outcome > real)
}

/// RDS user guide, viewing instance status.
fn database_status(database: &Database, storage_touched: bool, grows: bool) -> Verdict {
    let who = format!("`{}` is {}", database.id, database.status);
    match database.status.as_str() {
        "available" => Verdict::holds(who),
        "storage-optimization" | "storage-initialization" if storage_touched => {
            Verdict::waiting(format!("{who}, and the update changes storage"), None)
        }
        "storage-optimization" | "storage-initialization" => {
            Verdict::holds(format!("{who}: it works, and the update leaves its storage alone"))
        }
        "storage-full" if grows => Verdict::holds(format!("{who}, and the update gives it more")),
        "storage-full" => Verdict::person(
            format!("{who}: only more storage helps"),
            "raise its storage: name a greater `AllocatedStorage` under `parameters`",
        ),
        "backing-up"
        | "configuring-enhanced-monitoring"
        | "configuring-iam-database-auth"
        | "configuring-log-exports"
        | "converting-to-vpc"
        | "creating"
        | "maintenance"
        | "modifying"
        | "moving-to-vpc"
        | "rebooting"
        | "renaming"
        | "resetting-master-credentials"
        | "starting"
        | "storage-config-upgrade"
        | "upgrading" => Verdict::waiting(who, None),
        "stopped" => Verdict::person(
            who,
            format!(
                "start it: `aws rds start-db-instance --db-instance-identifier {}`",
                database.id
            ),
        ),
        "stopping" => Verdict::person(who, "let it stop, then start it again"),
        "delete-precheck"
        | "deleting"
        | "failed"
        | "inaccessible-encryption-credentials"
        | "inaccessible-encryption-credentials-recoverable"
        | "incompatible-network"
        | "incompatible-option-group"
        | "incompatible-parameters"
        | "incompatible-restore"
        | "insufficient-capacity"
        | "restore-error" => Verdict::person(who, "repair the instance in RDS"),
        _ => Verdict::unknown(
            format!("{who}, which this version does not know"),
            "look at the instance in RDS; a newer ted-controller may know the status",
        ),
    }
}

/// 14. The replication group is available, nothing is pending, and it belongs to nobody else.
pub(super) fn cache_available(case: &Case<'_>) -> Verdict {
    let used = case.facts.role_value(Role::UseCache).and_then(values::truth);
    let cache = match case.facts.cache {
        TheCache::One(cache) => cache,
        TheCache::None if used == Some(false) => {
            return Verdict::not_applicable("no cache is used");
        }
        TheCache::None => {
            return Verdict::person(
                "the stack's replication group is not there",
                "look for it in ElastiCache",
            );
        }
        TheCache::Several => {
            return Verdict::person(
                "several replication groups claim to be this stack's",
                "look at them in ElastiCache",
            );
        }
        TheCache::Unknown(why) => return Verdict::unreadable("the replication group", why),
    };
    let mut parts = vec![cache_status(&format!("`{}`", cache.id), &cache.status)];
    if cache.nodes.is_empty() {
        parts.push(Verdict::unknown(
            format!("`{}` shows no nodes", cache.id),
            "look at the cache in ElastiCache",
        ));
    }
    parts.extend(
        cache.nodes.iter().map(|node| cache_status(&format!("node `{}`", node.id), &node.status)),
    );
    if cache.pending || cache.nodes.iter().any(|node| node.pending) {
        parts.push(Verdict::waiting(format!("`{}` has changes pending", cache.id), None));
    }
    if let Some(global) = &cache.global_datastore {
        parts.push(Verdict::person(
            format!(
                "`{}` is a member of the global datastore `{global}`, which decides on its engine",
                cache.id
            ),
            "take it out of the global datastore first",
        ));
    }
    parts.extend(wrong_families(cache));
    Verdict::all(parts)
}

/// Statuses of groups and of nodes (ElastiCache API reference).
fn cache_status(who: &str, status: &str) -> Verdict {
    let message = format!("{who} is {status}");
    match status {
        "available" => Verdict::holds(message),
        "creating" | "modifying" | "snapshotting" | "rebooting cluster nodes" => {
            Verdict::waiting(message, None)
        }
        "create-failed" | "deleting" | "deleted" | "incompatible-network" | "restore-failed" => {
            Verdict::person(message, "repair the cache in ElastiCache")
        }
        _ => Verdict::unknown(
            format!("{message}, which this version does not know"),
            "look at the cache in ElastiCache; a newer ted-controller may know the status",
        ),
    }
}

/// Nodes whose default parameter group is not of the family of what they run. The family of a custom group cannot be seen.
fn wrong_families(cache: &Cache) -> Vec<Verdict> {
    let wrong = |node: &CacheNode| {
        let group = node.parameter_group.as_deref()?.strip_prefix("default.")?;
        let engine = Engine::parse(node.engine.as_deref().or(cache.engine.as_deref())?).ok()?;
        let version = CacheVersion::read(node.engine_version.as_deref()?)?;
        let family = match (engine, version.components()) {
            (Engine::Redis, [5, ..]) => "redis5.0".to_owned(),
            (Engine::Redis, [6, ..]) => "redis6.x".to_owned(),
            (Engine::Redis | Engine::Valkey, _) => format!("{engine}{}", version.major()),
        };
        let of_family = group == family
            || group.strip_prefix(&family).is_some_and(|rest| rest.starts_with(".cluster"));
        (!of_family).then(|| {
            Verdict::person(
                format!("node `{}` runs {engine} {version} with the parameter group `default.{group}`, not one of family {family}", node.id),
                "give the cache a parameter group of that family in ElastiCache",
            )
        })
    };
    cache.nodes.iter().filter_map(wrong).collect()
}

/// 15. Storage as the stack will name it is what RDS has, or may become it.
pub(super) fn storage_in_step(case: &Case<'_>) -> Verdict {
    let database = match &case.observation.database {
        Seen::Present(database) => database,
        Seen::Absent => {
            return Verdict::person("the database instance is not there", "look for it in RDS");
        }
        unreadable @ (Seen::Unreadable(_) | Seen::NotLooked) => {
            return Verdict::unreadable(
                "the real storage",
                missing(unreadable).unwrap_or_default(),
            );
        }
    };
    let facts = case.facts;
    let doubts: Vec<Obstacle> =
        facts.storage.iter().filter_map(|fact| in_doubt(case, fact)).collect();
    let mut parts = Verdict::of_obstacles(&doubts);
    parts.extend(facts.storage.iter().filter_map(|fact| unreadable(case, fact)));
    let outcome = |index: usize| outcome_of(&facts.storage[index], facts, case.draft);
    let (Some(size), Some(real_size)) = (outcome(0), facts.storage[0].real) else {
        if parts.is_empty() {
            parts.push(Verdict::unknown(
                "the size of the storage is not known",
                "look at the instance in RDS",
            ));
        }
        return Verdict::all(parts);
    };
    let after = Outcome { size, iops: outcome(1), throughput: outcome(2), most: outcome(3) };
    let real = Outcome {
        size: real_size,
        iops: facts.storage[1].real.or(after.iops),
        throughput: facts.storage[2].real.or(after.throughput),
        most: facts.storage[3].real,
    };
    for fact in &facts.storage {
        parts.extend(left_behind(case, fact));
    }
    let refused = refusals(after, real, database);
    parts.extend(refused.into_iter().map(|(message, remedy)| Verdict::person(message, remedy)));
    if parts.is_empty() {
        let adopted =
            facts.storage.iter().any(|fact| fact.real > fact.named && fact.named.is_some());
        let how = if after == real && adopted {
            "adopted as RDS has it"
        } else if after == real {
            "as RDS has it"
        } else {
            "changed as RDS allows"
        };
        return Verdict::holds(format!("storage is {how}: {size} GiB"));
    }
    Verdict::all(parts)
}

/// A dimension whose parameter is in doubt. One that a version does not have is left alone by it.
fn in_doubt(case: &Case<'_>, fact: &StorageFact) -> Option<Obstacle> {
    match case.facts.roles.of(fact.role) {
        // Without a parameter for its size an update cannot lower it, but nobody can say that there is none: it is called something else.
        Resolution::Absent { candidates }
            if fact.role == Role::AllocatedStorage || !candidates.is_empty() =>
        {
            Some(doubt(fact.role, "no label tells", candidates))
        }
        Resolution::Doubtful { why, candidates } => Some(doubt(fact.role, why, candidates)),
        Resolution::Absent { candidates: _ }
        | Resolution::Found { key: _, in_present: _, in_target: _ }
        | Resolution::Unknown { why: _ } => None,
    }
}

/// A dimension that the running stack names in a way that cannot be read.
fn unreadable(case: &Case<'_>, fact: &StorageFact) -> Option<Verdict> {
    match case.facts.roles.of(fact.role) {
        Resolution::Found { key, in_present: true, in_target: _ } => {
            let unread = fact.named.is_none();
            unread.then(|| {
                Verdict::unknown(
                    format!("the value of `{key}` is no number that can be read"),
                    "look at the stack's parameters",
                )
            })
        }
        Resolution::Unknown { why } => {
            Some(Verdict::unreadable(&format!("the {}", fact.role), why))
        }
        Resolution::Found { key: _, in_present: false, in_target: _ }
        | Resolution::Absent { candidates: _ }
        | Resolution::Doubtful { why: _, candidates: _ } => None,
    }
}

/// A dimension of which RDS has more than the stack will name, and nobody named less on purpose.
fn left_behind(case: &Case<'_>, fact: &StorageFact) -> Option<Verdict> {
    let (real, after) = (fact.real?, outcome_of(fact, case.facts, case.draft)?);
    let key = case.facts.roles.target_key(fact.role)?;
    let asked = case.desired.spec.parameters.keys().any(|asked| asked.as_str() == key);
    if after >= real || asked {
        return None;
    }
    let message = format!("`{key}` is {after} in the stack and {real} in RDS");
    let line = format!("`parameters: {{{key}: {real}}}`");
    Some(match case.desired.spec.policy.storage {
        Storage::Report => Verdict::person(
            message,
            format!("add to the document `storage: adopt` under `policy`, or {line}"),
        ),
        Storage::Adopt => Verdict::person(message, format!("add to the document: {line}")),
    })
}
