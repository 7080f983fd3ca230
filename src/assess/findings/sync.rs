//! AWS against itself: Service Catalog, CloudFormation, and the real database, cache and triggers.

use super::super::facts::{Agreed, Effective, Facts, TheCache};
use super::super::roles::Resolution;
use super::super::running::{self, Running};
use super::super::types::{Finding, Severity};
use super::finding;
use crate::desired::{CacheVersion, Engine, Role};
use crate::observe::observation::{
    Cache, Observation, Product, ROLLBACK_FAILED, Record, Seen, Stack,
};
use crate::text::moment;
use jiff::SignedDuration;

/// By how much a stack may finish later than its record says, without anybody having touched it: two services write two clocks, and
/// Service Catalog ends a record only after its stack did. Not documented; a change by hand is minutes away from any record.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(2);

pub(super) fn find(observation: &Observation, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    unreadable(observation, found);
    if let Some(product) = facts.product.one() {
        catalog(product, observation, found);
        version(product, facts, observation, found);
        stacks(product, observation, found);
    }
    silent(observation, found);
    real(observation, facts, found);
}

/// A change of which nothing is heard for long.
fn silent(observation: &Observation, found: &mut Vec<Finding>) {
    let Some((message, since)) = Running::of(observation).and_then(|change| change.silence())
    else {
        return;
    };
    let mut one = finding("sync/update-silent", Severity::Warning, message)
        .read_from("CloudFormation, the stacks and their resources")
        .remedy(running::REMEDY);
    one.since = Some(since);
    found.push(one);
}

fn unreadable(observation: &Observation, found: &mut Vec<Finding>) {
    for (what, gap) in observation.gaps() {
        let remedy = if gap.passing {
            "nothing: it is tried again with the next look".to_owned()
        } else {
            format!(
                "allow `{}` (`ted-controller iam-policy --observe` prints the policy, `doctor` checks it)",
                gap.operation
            )
        };
        found.push(
            finding(
                "sync/unreadable",
                Severity::Warning,
                format!("{what} cannot be read: {}", gap.message),
            )
            .actual(&gap.reason)
            .read_from(&gap.operation)
            .remedy(remedy),
        );
    }
}

/// A reason of AWS's as the end of a sentence.
fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {}", reason.trim_end_matches(['.', ' ']))).unwrap_or_default()
}

fn is_deleted(root: &Stack) -> bool {
    root.status == "DELETE_COMPLETE"
}

/// What Service Catalog says of its own product.
fn catalog(product: &Product, observation: &Observation, found: &mut Vec<Finding>) {
    let place = format!("Service Catalog {}", product.id);
    let why = because(product.status_message.as_deref());
    let failed = observation.last_record.present().filter(|record| record.status == "FAILED");
    let whose = failed.and_then(asked_by).map(|who| format!(" (asked for by {who})"));
    let whose = whose.unwrap_or_default();
    let mut one = match product.status.as_str() {
        "TAINTED" => finding("sync/product-tainted", Severity::Warning, format!("the last change{whose} failed, the product is usable{why}"))
            .values("AVAILABLE", "TAINTED")
            .read_from(place)
            .remedy("`ted-controller diagnose` says what failed; a successful update heals it; if nothing else is to change, `approve: [retrigger]` sends one that toggles ParameterDeploymentTrigger"),
        "ERROR" => finding("sync/product-error", Severity::Critical, format!("the last change{whose} failed, and the product cannot be updated{why}"))
            .values("AVAILABLE", "ERROR")
            .read_from(place)
            .remedy("find out what failed (`ted-controller diagnose`), repair the stack in CloudFormation, or ask Turbot support"),
        _ => return,
    };
    one.since = failed.and_then(|record| record.updated);
    found.push(one);
}

/// Who asked for a change: `user/ada`, `assumed-role/admin/ada`, with the account when it says one.
pub(in crate::assess) fn asked_by(record: &Record) -> Option<String> {
    let arn = record.principal.as_deref()?;
    let mut parts = arn.splitn(6, ':').skip(4);
    match (parts.next(), parts.next()) {
        (Some(account), Some(who)) if !who.is_empty() => Some(format!("{who} of {account}")),
        _ => Some(arn.to_owned()),
    }
}

/// The version asked for last, and the one that runs.
fn version(
    product: &Product,
    facts: &Facts<'_>,
    observation: &Observation,
    found: &mut Vec<Finding>,
) {
    let (Some(running), Some(version)) = (facts.running.artifact, &facts.running.version) else {
        return;
    };
    let Some(asked) = product.artifact_id.as_deref().filter(|asked| *asked != running.id) else {
        return;
    };
    if observation.is_changing() {
        return;
    }
    let name = observation
        .versions
        .present()
        .and_then(|all| all.iter().find(|artifact| artifact.id == asked))
        .map_or(asked, |artifact| artifact.name.as_str());
    found.push(
        finding("sync/version-mismatch", Severity::Warning, format!("Service Catalog names {name}, the stack runs {version}"))
            .values(name, version)
            .read_from(format!("Service Catalog {}; root stack output ReleaseVersion", product.id))
            .remedy("a successful update to the wanted version brings them together; until then the stack is what counts"),
    );
}

fn stacks(product: &Product, observation: &Observation, found: &mut Vec<Finding>) {
    let root = match &observation.root {
        Seen::Present(root) => root,
        Seen::Absent => {
            found.push(
                finding("sync/stack-missing", Severity::Critical, "the product's stack does not exist")
                    .values("a stack", "none")
                    .read_from(format!("Service Catalog {}; CloudFormation", product.id))
                    .remedy("somebody deleted it: find out who and what is left (CloudTrail, `DeleteStack`), and ask Turbot support before anything else"),
            );
            return;
        }
        Seen::Unreadable(_) | Seen::NotLooked => return,
    };
    if is_deleted(root) {
        // Described by its id, a deleted stack is still there to be told of, for 90 days.
        found.push(
            finding("sync/stack-missing", Severity::Critical, "the product's stack was deleted")
                .actual(&root.status)
                .read_from(format!("Service Catalog {}; CloudFormation {}", product.id, root.name))
                .remedy("find out who deleted it and what is left (CloudTrail, `DeleteStack`), delete nothing of what is left, and ask Turbot support before anything else"),
        );
        return;
    }
    let nested = observation.nested.present().map_or(&[][..], Vec::as_slice);
    let all = std::iter::once((&root.name, &root.status, &root.reason))
        .chain(nested.iter().map(|stack| (&stack.logical_id, &stack.status, &stack.reason)));
    for (name, status, reason) in all {
        let why = because(reason.as_deref());
        if status == ROLLBACK_FAILED {
            found.push(
                finding("sync/rollback-failed", Severity::Critical, format!("the way back of stack {name} failed{why}"))
                    .values("UPDATE_ROLLBACK_COMPLETE", status)
                    .read_from(format!("CloudFormation {name}"))
                    .remedy("nothing can be updated before the rollback is continued; `ted-controller diagnose` says what failed and what to skip"),
            );
        } else if status.ends_with("_FAILED") {
            found.push(
                finding(
                    "sync/stack-failed",
                    Severity::Critical,
                    format!("stack {name} is {status}{why}"),
                )
                .values("UPDATE_COMPLETE", status)
                .read_from(format!("CloudFormation {name}"))
                .remedy("`ted-controller diagnose` says what failed"),
            );
        }
    }
    let (Some(stack), Some(record)) = (root.updated, observation.last_record.present()) else {
        return;
    };
    let Some(recorded) = record.updated else { return };
    if !observation.is_changing() && stack.duration_since(recorded) > CLOCKS_APART {
        let last = asked_by(record)
            .map(|who| format!("; the last request there was that of {who}"))
            .unwrap_or_default();
        let mut one = finding("sync/stack-changed-outside", Severity::Warning, format!("somebody changed the root stack past Service Catalog, after its last record {}{last}", record.id))
            .values(moment(recorded), moment(stack))
            .read_from(format!("Service Catalog record {}; CloudFormation {}", record.id, root.name))
            .remedy("find out who updated the stack (CloudTrail, `UpdateStack`; `ted-controller diagnose` shows whether it was the console); the next update through Service Catalog keeps the stack's parameters as they are now");
        one.since = Some(stack);
        found.push(one);
    }
}

/// The stack's parameters, and what RDS and ElastiCache have.
fn real(observation: &Observation, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(root) = observation.root.present() else { return };
    // What a deleted stack left is not left behind by an update, and what went with it is not missing from it.
    if observation.is_changing() || is_deleted(root) {
        return;
    }
    if observation.database.is_absent() {
        found.push(
            finding("sync/database-missing", Severity::Critical, "the stack's database does not exist in RDS")
                .values("a database", "none")
                .read_from(format!("CloudFormation {}; RDS", root.name))
                .remedy("restore it from its newest snapshot under its old name, and ask Turbot support before any update"),
        );
    }
    storage(observation, facts, found);
    let uses_cache = facts.role_value(Role::UseCache) != Some("false");
    if matches!(facts.cache, TheCache::None)
        && uses_cache
        && facts.role_value(Role::UseCache).is_some()
    {
        found.push(
            finding("sync/cache-missing", Severity::Critical, "the stack's cache does not exist in ElastiCache")
                .values("a replication group", "none")
                .read_from(format!("CloudFormation {}; ElastiCache", root.name))
                .remedy("find out who deleted it (CloudTrail, `DeleteReplicationGroup`), and ask Turbot support: an update may not make it again"),
        );
    }
    for other in &facts.other_caches {
        found.push(
            finding("sync/cache-left-behind", Severity::Warning, format!("the replication group {} bears this hive's name and is not the stack's", other.id))
                .values("the stack's group only", &other.id)
                .read_from(format!("ElastiCache {}; CloudFormation {}", other.id, root.name))
                .remedy("see whether anything still uses it; if not, take a snapshot and delete it: it costs money every hour"),
        );
    }
    if let TheCache::One(cache) = facts.cache {
        engine(cache, facts, found);
        shape(cache, facts, found);
        access(cache, facts, found);
    }
}

fn storage(observation: &Observation, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let changed = observation.database.present().and_then(|database| database.storage_changed);
    for fact in &facts.storage {
        let (Some(named), Some(real), Some(key)) = (fact.named, fact.real, &fact.key) else {
            continue;
        };
        if named == real {
            continue;
        }
        let mut one = finding("sync/storage", Severity::Warning, format!("`{key}` is {named} in the stack and {real} in RDS"))
            .values(named, real)
            .read_from(format!("root stack parameter {key}; RDS"))
            .remedy("nothing by itself: with `storage: adopt` the next update sends the real value; an update with the old one fails and may leave the stack in UPDATE_ROLLBACK_FAILED");
        // RDS's events tell of the size only, and for 14 days.
        one.since = changed.filter(|_| fact.role == Role::AllocatedStorage);
        found.push(one);
    }
}

/// Engine and version: parameters against nodes.
fn engine(cache: &Cache, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let remedy = "somebody changed the cache in ElastiCache; write the engine and version it has into the document, so that the next update brings the stack along";
    let places = |role: Role| {
        let named = facts.roles.present_key(role).map_or_else(
            || "root stack, whose version knows Redis only".to_owned(),
            |key| format!("root stack parameter {key}"),
        );
        format!("{named}; nodes of {} in ElastiCache", cache.id)
    };
    // A template without the parameter makes Redis.
    let named = match facts.roles.present_key(Role::CacheEngine) {
        Some(_) => facts.role_value(Role::CacheEngine).and_then(|value| Engine::parse(value).ok()),
        None => facts.present.map(|_| Engine::Redis),
    };
    let Some(named) = named else { return };
    let actual = match &facts.engine {
        Agreed::All(engine) if *engine == named => None,
        Agreed::All(engine) => Some(engine.to_string()),
        Agreed::Mixed(engines) => {
            Some(engines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Agreed::Unknown => return,
    };
    if let Some(actual) = actual {
        found.push(
            finding(
                "sync/cache-engine",
                Severity::Critical,
                format!("the stack says {named}, the cache runs {actual}"),
            )
            .values(named, actual)
            .read_from(places(Role::CacheEngine))
            .remedy(remedy),
        );
        return;
    }
    let role = match named {
        Engine::Redis => Role::RedisVersion,
        Engine::Valkey => Role::ValkeyVersion,
    };
    let Some(version) = facts.role_value(role).and_then(CacheVersion::read) else { return };
    let fits = |actual: &String| {
        CacheVersion::read(actual).is_some_and(|actual| version.is_satisfied_by(&actual))
    };
    let actual = match &facts.engine_version {
        Agreed::All(actual) if fits(actual) => return,
        Agreed::All(actual) => actual.clone(),
        Agreed::Mixed(all) if all.iter().all(fits) => return,
        Agreed::Mixed(all) => all.join(", "),
        Agreed::Unknown => return,
    };
    found.push(
        finding(
            "sync/cache-version",
            Severity::Warning,
            format!("the stack says {named} {}, the cache runs {actual}", version.as_str()),
        )
        .values(version.as_str(), actual)
        .read_from(places(role))
        .remedy(remedy),
    );
}

/// Node type and number of nodes: parameters against the group.
fn shape(cache: &Cache, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let rows = [
        (Role::CacheNodeType, cache.node_type.clone()),
        (Role::CacheNodes, (!cache.nodes.is_empty()).then(|| cache.nodes.len().to_string())),
        (
            Role::CacheMultiAz,
            cache.multi_az.as_deref().and_then(|state| match state {
                "enabled" => Some("true".to_owned()),
                "disabled" => Some("false".to_owned()),
                _ => None,
            }),
        ),
    ];
    let remedy = "somebody changed the cache in ElastiCache; put it back there, or set the parameter to what it is with the next update";
    for (role, actual) in rows {
        // A parameter that is found by its label and contradicted by what runs: that contradiction is the finding.
        if let Resolution::Doubtful { why, candidates } = facts.roles.of(role)
            && let [candidate] = candidates.as_slice()
            && let Some(named) = facts.value(&candidate.key).and_then(Effective::used)
            && let Some(actual) = &actual
        {
            found.push(
                finding(
                    "sync/parameter-mismatch",
                    Severity::Warning,
                    format!(
                        "`{}` is {named} in the stack, the cache has {actual}: {why}",
                        candidate.key
                    ),
                )
                .values(named, actual)
                .read_from(format!(
                    "root stack parameter {}; ElastiCache {}",
                    candidate.key, cache.id
                ))
                .remedy(remedy),
            );
            continue;
        }
        let (Some(key), Some(named), Some(actual)) =
            (facts.roles.present_key(role), facts.role_value(role), actual)
        else {
            continue;
        };
        if named.eq_ignore_ascii_case(&actual) {
            continue;
        }
        found.push(
            finding(
                "sync/parameter-mismatch",
                Severity::Warning,
                format!("`{key}` is {named} in the stack, the cache has {actual}"),
            )
            .values(named, &actual)
            .read_from(format!("root stack parameter {key}; ElastiCache {}", cache.id))
            .remedy(remedy),
        );
    }
}

/// How clients get in: what the stack asks for, and what the cache demands.
fn access(cache: &Cache, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(mode) = facts.role_value(Role::CacheAuthMode) else { return };
    let (wants_password, wants_groups) = {
        let mode = mode.to_ascii_lowercase();
        (mode.contains("password"), mode.contains("iam"))
    };
    let mut wrong = Vec::new();
    // With user groups a password is the users' own, and `AuthTokenEnabled` is false (ElastiCache user guide, "RBAC").
    if wants_password
        && !wants_groups
        && cache.auth_token == Some(false)
        && cache.user_groups.is_empty()
    {
        wrong.push("no password is set");
    }
    if wants_groups && cache.user_groups.is_empty() {
        wrong.push("it has no user group");
    }
    if cache.transit_encryption == Some(false) {
        wrong.push("encryption in transit is off");
    }
    if wrong.is_empty() {
        return;
    }
    let actual = wrong.join(", ");
    found.push(
        finding("sync/cache-access", Severity::Critical, format!("the stack asks for access by {mode}, but of the cache {actual}"))
            .values(mode, &actual)
            .read_from(format!("root stack parameter {}; ElastiCache {}", facts.roles.present_key(Role::CacheAuthMode).unwrap_or_default(), cache.id))
            .remedy("somebody changed access in ElastiCache: put it back before any update, or workspaces cannot connect"),
    );
}
