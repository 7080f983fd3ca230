//! AWS against the document.

use super::super::facts::{Agreed, Effective, Facts, TheCache};
use super::super::parameters::Draft;
use super::super::types::{ChangeKind, Finding, Severity};
use super::finding;
use crate::desired::{CacheVersion, Desired, Engine, Role, VersionWish};

/// What mends a drift: the plan, as far as the gates let it.
const PLAN: &str = "an update mends it, once its gates hold and in `mode: apply`";

pub(super) fn find(
    desired: &Desired,
    facts: &Facts<'_>,
    draft: Option<&Draft>,
    found: &mut Vec<Finding>,
) {
    ted_version(desired, facts, found);
    cache(desired, facts, found);
    parameters(desired, facts, draft, found);
}

fn document(desired: &Desired) -> String {
    format!("document {}", desired.location)
}

fn ted_version(desired: &Desired, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let (Some(wish), Some(running)) = (&desired.spec.ted_version, &facts.running.version) else {
        return;
    };
    if wish.is_satisfied_by(running) {
        return;
    }
    let wanted = match wish {
        VersionWish::Exact(version) => version.to_string(),
        VersionWish::Range(range) => range.to_string(),
    };
    let remedy = match wish {
        VersionWish::Exact(version) if version < running => {
            format!("TED is never downgraded: write `tedVersion: {running}` or a newer one")
        }
        VersionWish::Exact(_) | VersionWish::Range(_) => PLAN.to_owned(),
    };
    found.push(
        finding(
            "drift/ted-version",
            Severity::Warning,
            format!("TED {running} runs, {wanted} is wanted"),
        )
        .values(wanted, running)
        .read_from(format!("{}; root stack output ReleaseVersion", document(desired)))
        .remedy(remedy),
    );
}

/// Engine and version as the nodes have them: what a parameter says counts for nothing here.
fn cache(desired: &Desired, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(wanted) = &desired.spec.cache else { return };
    let TheCache::One(cache) = facts.cache else { return };
    let places = format!("{}; nodes of {} in ElastiCache", document(desired), cache.id);
    let engine = match &facts.engine {
        Agreed::All(engine) if *engine == wanted.engine => None,
        Agreed::All(engine) => Some(engine.to_string()),
        Agreed::Mixed(engines) => Some(joined(engines.iter())),
        Agreed::Unknown => return,
    };
    if let Some(actual) = engine {
        let door = if wanted.engine == Engine::Redis {
            "Valkey never goes back to Redis: write `engine: valkey`"
        } else {
            PLAN
        };
        found.push(
            finding(
                "drift/cache-engine",
                Severity::Warning,
                format!("the cache runs {actual}, {} is wanted", wanted.engine),
            )
            .values(wanted.engine, actual)
            .read_from(places)
            .remedy(door),
        );
        // Versions of two engines are not comparable.
        return;
    }
    let satisfied = |version: &String| {
        CacheVersion::read(version).is_some_and(|version| wanted.version.is_satisfied_by(&version))
    };
    let actual = match &facts.engine_version {
        Agreed::All(version) if satisfied(version) => return,
        Agreed::All(version) => version.clone(),
        Agreed::Mixed(versions) if versions.iter().all(satisfied) => return,
        Agreed::Mixed(versions) => joined(versions.iter()),
        Agreed::Unknown => return,
    };
    let name = wanted.engine;
    let newer = CacheVersion::read(&actual)
        .filter(|actual| actual.components() > wanted.version.components());
    let remedy = newer.map_or_else(
        || PLAN.to_owned(),
        |newer| {
            let named: Vec<String> =
                newer.components().iter().take(2).map(ToString::to_string).collect();
            format!("versions of {name} only go up: write `version: \"{}\"`", named.join("."))
        },
    );
    found.push(
        finding(
            "drift/cache-version",
            Severity::Warning,
            format!("the cache runs {name} {actual}, {} is wanted", wanted.version.as_str()),
        )
        .values(wanted.version.as_str(), actual)
        .read_from(places)
        .remedy(remedy),
    );
}

fn joined<T: ToString>(all: impl Iterator<Item = T>) -> String {
    all.map(|one| one.to_string()).collect::<Vec<_>>().join(", ")
}

/// Parameters that an update would set because the document asks for it. Engine and version of the cache and TED's version have codes
/// of their own.
fn parameters(
    desired: &Desired,
    facts: &Facts<'_>,
    draft: Option<&Draft>,
    found: &mut Vec<Finding>,
) {
    for change in draft.map_or(&[][..], |draft| &draft.changes) {
        let role = facts.roles.role_of(&change.key);
        let has_own_code = matches!(
            role,
            Some(
                Role::CacheEngine
                    | Role::RedisVersion
                    | Role::ValkeyVersion
                    | Role::DeploymentTrigger
            )
        );
        let is_storage = matches!(
            role,
            Some(
                Role::AllocatedStorage
                    | Role::AllocatedIops
                    | Role::StorageThroughput
                    | Role::MaxAllocatedStorage
            )
        );
        let named = desired.spec.parameters.keys().any(|key| key.as_str() == change.key);
        // Storage that is only kept in step with RDS is no wish of the document.
        // What is secret, or withheld from a recording, is not known to differ.
        let unknown = facts.value(&change.key) == Some(Effective::Secret);
        if change.change != ChangeKind::Set || has_own_code || (is_storage && !named) || unknown {
            continue;
        }
        let label = change.label.as_deref().unwrap_or(&change.key);
        let mut found_drift = finding(
            "drift/parameter",
            Severity::Warning,
            format!(
                "{label} (`{}`) is {}, {} is wanted",
                change.key,
                shown(change.from.as_deref()),
                shown(change.to.as_deref())
            ),
        )
        .read_from(format!("{}; root stack parameter {}", document(desired), change.key))
        .remedy(PLAN);
        (found_drift.desired, found_drift.actual) = (change.to.clone(), change.from.clone());
        found.push(found_drift);
    }
}

fn shown(value: Option<&str>) -> String {
    value.map_or_else(|| "not set".to_owned(), |value| format!("`{value}`"))
}
