//! The gates about what would change: version, parameters, what cannot be undone, what would destroy.

use super::{Case, Verdict};
use crate::assess::facts::{Agreed, Target, TheCache, ThePath, missing};
use crate::assess::parameters::{doubt, line_to_add};
use crate::assess::protected::{Protection, protection};
use crate::assess::roles::Resolution;
use crate::assess::types::ChangeKind;
use crate::assess::values;
use crate::desired::{Approval, CacheVersion, Engine, Role, TedVersion};
use std::sync::LazyLock;

/// The first version with Valkey.
static VALKEY_SINCE: LazyLock<Option<TedVersion>> = LazyLock::new(|| TedVersion::read("1.50.0"));

/// 6. The wanted version is on offer once, active, and the product is reached by exactly one path.
pub(super) fn version_offered(case: &Case<'_>) -> Verdict {
    Verdict::all(vec![version_on_offer(case), path(case)])
}

fn version_on_offer(case: &Case<'_>) -> Verdict {
    let wish = case.desired.spec.ted_version.as_ref().map(ToString::to_string).unwrap_or_default();
    let artifact = match &case.facts.target {
        Target::Unknown(why) => return Verdict::unreadable("the versions on offer", why),
        Target::NotOffered => {
            return Verdict::person(
                format!("{wish} is not on offer; on offer are {}", on_offer(case)),
                "correct `tedVersion`, or add the version to the product",
            );
        }
        Target::Several(artifacts) => {
            let ids: Vec<&str> = artifacts.iter().map(|artifact| artifact.id.as_str()).collect();
            return Verdict::person(
                format!("{wish} is on offer {} times: {}", ids.len(), ids.join(", ")),
                "deactivate all but one of them in Service Catalog",
            );
        }
        Target::Keep { artifact: None } => {
            return match missing(&case.observation.versions) {
                Some(why) => Verdict::unreadable("the versions on offer", why),
                None => Verdict::person(
                    format!(
                        "the running version {} is not on offer exactly once",
                        case.facts
                            .running
                            .version
                            .as_ref()
                            .map_or_else(|| "(not known)".to_owned(), ToString::to_string)
                    ),
                    format!(
                        "name a version that is: `tedVersion: …`; on offer are {}",
                        on_offer(case)
                    ),
                ),
            };
        }
        Target::Keep { artifact: Some(artifact) } | Target::Move { version: _, artifact } => {
            *artifact
        }
    };
    if !artifact.active {
        return Verdict::person(
            format!(
                "{} is not active: end users cannot use it; on offer are {}",
                artifact.name,
                on_offer(case)
            ),
            "name an active version under `tedVersion`, or activate this one in Service Catalog",
        );
    }
    let deprecated = if artifact.deprecated { ", deprecated: a newer one is better" } else { "" };
    Verdict::holds(format!("{} is on offer{deprecated}", artifact.name))
}

/// The newest active versions, for a message.
fn on_offer(case: &Case<'_>) -> String {
    let mut versions = offers(case);
    versions.truncate(5);
    if versions.is_empty() {
        return "none".to_owned();
    }
    versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Active versions that are neither pre-releases nor deprecated, newest first.
fn offers(case: &Case<'_>) -> Vec<TedVersion> {
    let artifacts = case.observation.versions.present().into_iter().flatten();
    let mut versions: Vec<TedVersion> = artifacts
        .filter(|artifact| artifact.active && !artifact.deprecated)
        .filter_map(|artifact| TedVersion::read(&artifact.name))
        .filter(|version| !version.is_prerelease())
        .collect();
    versions.sort();
    versions.dedup();
    versions.reverse();
    versions
}

fn path(case: &Case<'_>) -> Verdict {
    match &case.facts.path {
        ThePath::One(path) => Verdict::holds(format!("by the portfolio \"{}\"", path.name)),
        ThePath::Unknown(why) => Verdict::unreadable("the launch paths", why),
        ThePath::None => Verdict::person(
            "the caller reaches the product by no launch path",
            "associate the caller's role with the product's portfolio in Service Catalog",
        ),
        ThePath::Several(paths) => {
            let names: Vec<String> =
                paths.iter().map(|path| format!("\"{}\" ({})", path.name, path.id)).collect();
            Verdict::person(
                format!(
                    "the caller reaches the product by several launch paths, and the last record used none of them: {}",
                    names.join(", ")
                ),
                "associate the caller's role with one of these portfolios only",
            )
        }
    }
}

/// 7. Not older than what runs; a new major version only by approval.
pub(super) fn version_forward(case: &Case<'_>) -> Verdict {
    let Some(target) = case.facts.target_version() else {
        return match &case.facts.target {
            Target::Keep { artifact: _ } => not_known("which version runs"),
            Target::NotOffered | Target::Several(_) | Target::Unknown(_) => {
                not_known("the version to have")
            }
            Target::Move { version: _, artifact: _ } => not_known("the version to have"),
        };
    };
    let (Some(present), Some(highest)) =
        (&case.facts.running.version, &case.facts.highest_plausible)
    else {
        return not_known("which version runs");
    };
    if target < highest {
        let also =
            if highest == present { String::new() } else { format!(" (the stack says {present})") };
        return Verdict::never(
            format!("{target} is older than {highest}{also}: TED is never downgraded"),
            format!("write `tedVersion: {highest}` or a newer one"),
        );
    }
    let approval = Approval::MajorVersion(target.clone());
    if target.major() > present.major() && !case.approves(&approval) {
        return Verdict::person(
            format!(
                "{target} is a new major version, from {present}: consult Turbot Support first"
            ),
            format!("then: `approve: [{approval}]`"),
        );
    }
    if target == present {
        Verdict::holds(format!("{present} stays"))
    } else {
        Verdict::holds(format!("from {present} to {target}"))
    }
}

fn not_known(what: &str) -> Verdict {
    Verdict::unknown(
        format!("{what} is not known"),
        "`ted-controller doctor` shows what is missing",
    )
}

/// The engine that an update would leave the parameters with; Redis where a version has no engine to choose.
fn engine_after(case: &Case<'_>) -> Result<Engine, String> {
    let role = Role::CacheEngine;
    match case.draft.role_value(case.facts, role) {
        Some(value) => Engine::parse(value)
            .map_err(|_| format!("`{value}` is no engine that this version knows")),
        None => match case.facts.roles.of(role) {
            // Before 1.50.0 the engine is Redis, and there is no parameter for it.
            Resolution::Absent { candidates: _ }
                if case.facts.target_version().is_some_and(|version| !has_valkey(version)) =>
            {
                Ok(Engine::Redis)
            }
            Resolution::Absent { candidates: _ } => {
                Err("no parameter is known to be the engine".to_owned())
            }
            Resolution::Doubtful { why, candidates: _ } | Resolution::Unknown { why } => {
                Err(why.clone())
            }
            Resolution::Found { key, in_present: _, in_target: _ } => {
                Err(format!("`{key}` has no known value"))
            }
        },
    }
}

/// The engine that the running stack's parameters name.
fn engine_before(case: &Case<'_>) -> Result<Engine, String> {
    match case.facts.role_value(Role::CacheEngine) {
        Some(value) => Engine::parse(value)
            .map_err(|_| format!("`{value}` is no engine that this version knows")),
        None => match &case.facts.running.version {
            Some(version) if !has_valkey(version) => Ok(Engine::Redis),
            Some(_) | None => match &case.facts.engine {
                // A template without such a parameter: what runs is what it means.
                Agreed::All(engine)
                    if case.facts.roles.present_key(Role::CacheEngine).is_none() =>
                {
                    Ok(*engine)
                }
                Agreed::All(_) | Agreed::Mixed(_) | Agreed::Unknown => {
                    Err("which engine the stack names is not known".to_owned())
                }
            },
        },
    }
}

fn has_valkey(version: &TedVersion) -> bool {
    VALKEY_SINCE.as_ref().is_some_and(|since| version >= since)
}

/// 8. Valkey needs a TED that has it.
pub(super) fn valkey_supported(case: &Case<'_>) -> Verdict {
    let by_cache =
        case.desired.spec.cache.as_ref().is_some_and(|cache| cache.engine == Engine::Valkey);
    let by_parameter = engine_after(case) == Ok(Engine::Valkey);
    if !by_cache && !by_parameter {
        return Verdict::not_applicable("Valkey is not asked for");
    }
    let Some(version) = case.facts.target_version() else {
        return not_known("the version to have");
    };
    if has_valkey(version) {
        return Verdict::holds(format!("{version} has Valkey"));
    }
    // The newest of the same major version: another one is a decision of its own.
    let newest = offers(case)
        .into_iter()
        .find(|offer| offer.major() == version.major() && has_valkey(offer));
    let remedy = match newest {
        Some(newest) => format!("add `tedVersion: {newest}`"),
        None => "add `tedVersion: \">=1.50, <2\"`, once such a version is on offer".to_owned(),
    };
    Verdict::person(format!("Valkey needs TED v1.50.0 or later, and {version} is to run"), remedy)
}

/// 9. Every role and named parameter resolves, and every value is allowed.
pub(super) fn parameters_known(case: &Case<'_>) -> Verdict {
    let parts = Verdict::of_obstacles(&case.draft.obstacles);
    if parts.is_empty() && case.draft.list.is_empty() && !case.facts.target.keeps() {
        return not_known("what parameters the target version has");
    }
    if parts.is_empty() {
        Verdict::holds(format!("{} parameters", case.draft.list.len()))
            .and_note(&case.draft.warnings)
    } else {
        Verdict::all(parts)
    }
}

/// 10. An update without any change fails and may taint the product.
pub(super) fn something_changes(case: &Case<'_>) -> Verdict {
    if case.draft.retriggers {
        return Verdict::holds("only the deployment trigger, as approved");
    }
    if case.draft.differs {
        return Verdict::holds("the document differs from what the stack has");
    }
    let tainted = case.facts.product.one().is_some_and(|product| product.status == "TAINTED");
    if tainted && case.draft.obstacles.is_empty() {
        return Verdict::person(
            "the product is tainted and its parameters are as wanted: an update without a change would fail",
            format!("have the stack look again: `approve: [{}]`", Approval::Retrigger),
        );
    }
    if lacks_valkey(case) {
        return Verdict::not_applicable("the gate `valkey-supported` says what is missing");
    }
    if let Some((differs, code)) = cache_differs(case) {
        return Verdict::person(
            format!(
                "{differs}, and the stack's parameters are as wanted: no update can change that"
            ),
            format!("it was changed outside the stack: the finding `{code}` says what to do"),
        );
    }
    Verdict::not_applicable("nothing is to change")
}

/// Whether the document asks for Valkey and the version that is to run has none: there is nothing that could be sent.
fn lacks_valkey(case: &Case<'_>) -> bool {
    case.desired.spec.cache.as_ref().is_some_and(|cache| cache.engine == Engine::Valkey)
        && case.facts.target_version().is_some_and(|version| !has_valkey(version))
}

/// What runs against what the document asks for, and the finding that is about it.
fn cache_differs(case: &Case<'_>) -> Option<(String, &'static str)> {
    let wanted = case.desired.spec.cache.as_ref()?;
    if let Agreed::All(engine) = case.facts.engine
        && engine != wanted.engine
    {
        let differs = format!("the cache runs {engine}, not {}", wanted.engine);
        return Some((differs, "sync/cache-engine"));
    }
    let version = case.facts.engine_version.all()?;
    (!values::version_satisfies(wanted.version.as_str(), version)).then(|| {
        (format!("the cache runs {version}, not {}", wanted.version), "sync/cache-version")
    })
}

/// 11. Redis to Valkey only by approval; never back, and never to an older version.
pub(super) fn one_way(case: &Case<'_>) -> Verdict {
    if case.draft.role_value(case.facts, Role::UseCache).and_then(values::truth) == Some(false) {
        return Verdict::not_applicable("no cache is used");
    }
    let (before, after) = match (engine_before(case), engine_after(case)) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(why), _) | (_, Err(why)) => {
            return engine_unknown(case, &why);
        }
    };
    // What really runs counts as much as what the stack names: either may be past the door.
    let running = match (&case.facts.cache, &case.facts.engine) {
        (TheCache::None, _) => None,
        (_, Agreed::All(engine)) => Some(*engine),
        (_, Agreed::Mixed(_)) => {
            return Verdict::unknown(
                "the cache's nodes do not all run the same engine",
                "wait for its upgrade, or look at it in ElastiCache",
            );
        }
        (TheCache::One(_) | TheCache::Several | TheCache::Unknown(_), Agreed::Unknown) => {
            return Verdict::unknown(
                "which engine the cache's nodes run is not known",
                "`ted-controller doctor` shows what is missing",
            );
        }
    };
    let was_valkey = before == Engine::Valkey || running == Some(Engine::Valkey);
    let was_redis = before == Engine::Redis || running == Some(Engine::Redis);
    if after == Engine::Redis && was_valkey {
        return Verdict::never(
            "there is no way back from Valkey to Redis",
            "write `engine: valkey` with a version of Valkey",
        );
    }
    let version = version_forward_in(case, after, running);
    if after == Engine::Valkey
        && was_redis
        && running != Some(Engine::Valkey)
        && !case.approves(&Approval::RedisToValkey)
    {
        let by_default = case.desired.spec.cache.is_none();
        let why = if by_default { ", which the target version does by its default" } else { "" };
        return Verdict::all(vec![
            version,
            Verdict::person(
                format!("from Redis to Valkey{why}: there is no way back"),
                format!("approve it in the document: `approve: [{}]`", Approval::RedisToValkey),
            ),
        ]);
    }
    if after == Engine::Valkey && was_redis && version.passes() {
        return Verdict::holds("from Redis to Valkey, as approved or done already");
    }
    version
}

fn engine_unknown(case: &Case<'_>, why: &str) -> Verdict {
    let asked = case.draft.obstacles.iter().any(|obstacle| obstacle.is_about(Role::CacheEngine));
    if let Resolution::Doubtful { why, candidates } = case.facts.roles.of(Role::CacheEngine) {
        return if asked {
            let message = "which parameter is the `cacheEngine` is in doubt";
            Verdict::person(message, "see the gate `parameters-known`")
        } else {
            let doubt = doubt(Role::CacheEngine, why, candidates);
            Verdict::person(doubt.message, doubt.remedy)
        };
    }
    let remedy = match case.facts.roles.of(Role::CacheEngine) {
        Resolution::Absent { candidates: _ } if asked => {
            "see the gate `parameters-known`".to_owned()
        }
        Resolution::Absent { candidates } => line_to_add(Role::CacheEngine, candidates),
        Resolution::Found { .. } | Resolution::Doubtful { .. } | Resolution::Unknown { .. } => {
            "`ted-controller doctor` shows what is missing".to_owned()
        }
    };
    Verdict::unknown(format!("which engine the update leads to is not known: {why}"), remedy)
}

/// The version of the engine that stays or comes: not older than the parameter's, not older than what runs.
fn version_forward_in(case: &Case<'_>, after: Engine, running: Option<Engine>) -> Verdict {
    let role = match after {
        Engine::Redis => Role::RedisVersion,
        Engine::Valkey => Role::ValkeyVersion,
    };
    let Some(wanted) =
        case.draft.role_value(case.facts, role).and_then(|value| CacheVersion::read(value.trim()))
    else {
        return match case.facts.roles.of(role) {
            // A version of TED without the parameter leaves the cache's version alone, as far as anybody can see.
            Resolution::Absent { candidates: _ } => {
                Verdict::holds("the cache's version is not chosen here")
            }
            Resolution::Doubtful { why, candidates } => {
                let doubt = doubt(role, why, candidates);
                Verdict::person(doubt.message, doubt.remedy)
            }
            Resolution::Found { key, in_present: _, in_target: _ } => Verdict::unknown(
                format!("`{key}` has no known version"),
                format!("name one: `parameters: {{{key}: …}}`"),
            ),
            Resolution::Unknown { why } => Verdict::unreadable("the cache's version", why),
        };
    };
    // Versions of two engines are not on one scale; going to Valkey every one of its versions is forward.
    let named = case.facts.role_value(role).filter(|_| engine_before(case) == Ok(after));
    let runs =
        case.facts.engine_version.all().map(String::as_str).filter(|_| running == Some(after));
    if running == Some(after) && runs.is_none() {
        return Verdict::unknown(
            "the cache's nodes do not all run the same version, or do not tell",
            "wait for its upgrade, or look at it in ElastiCache",
        );
    }
    for (version, place) in [(named, "the stack names"), (runs, "the cache runs")] {
        if let Some(present) = version.and_then(|version| CacheVersion::read(version.trim()))
            && values::is_older(&wanted, &present)
        {
            return Verdict::never(
                format!(
                    "{after} {wanted} is older than {present}, which {place}: engines are never downgraded"
                ),
                format!("write a version from {present} on"),
            );
        }
    }
    Verdict::holds(format!("{after} {wanted}"))
}

/// 12. What must never change does not, and what re-creates the cache is approved.
pub(super) fn no_destruction(case: &Case<'_>) -> Verdict {
    let Some(version) = case.facts.target_version() else {
        return not_known("the version to have");
    };
    let mut parts = Vec::new();
    let approval = Approval::CacheRecreate(version.clone());
    let mut recreates = |why: String| {
        if !case.approves(&approval) {
            let remedy = format!("if the cache may be lost: `approve: [{approval}]`");
            parts.push(Verdict::person(format!("{why}: the cache is destroyed"), remedy));
        }
    };
    let after = |role| case.draft.role_value(case.facts, role);
    let before = |role| case.facts.role_value(role);
    if before(Role::UseCache).and_then(values::truth) != Some(false)
        && after(Role::UseCache).and_then(values::truth) == Some(false)
    {
        recreates("`useCache` becomes false".to_owned());
    }
    let nodes = |value: Option<&str>| value.and_then(|value| value.trim().parse::<u32>().ok());
    let running = match case.facts.cache {
        TheCache::One(cache) => u32::try_from(cache.nodes.len()).ok().filter(|nodes| *nodes > 0),
        TheCache::None | TheCache::Several | TheCache::Unknown(_) => None,
    };
    if let (Some(from), Some(to)) =
        (nodes(before(Role::CacheNodes)).or(running), nodes(after(Role::CacheNodes)))
        && (from == 1) != (to == 1)
    {
        recreates(format!("from {from} to {to} cache nodes"));
    }
    for change in &case.draft.changes {
        let resets = match change.change {
            ChangeKind::Set => true,
            // Gone with its value: whatever it protected falls back to what the template does without it.
            ChangeKind::Dropped => case.draft.dropped.contains(&change.key),
            ChangeKind::New | ChangeKind::Redefined => false,
        };
        let parameter = case
            .facts
            .offered_parameter(&change.key)
            .or_else(|| case.facts.present.as_ref()?.parameter(&change.key));
        let Some(parameter) = parameter.filter(|_| resets) else { continue };
        match protection(parameter, change.label.as_deref(), case.facts.roles.role_of(&change.key))
        {
            Protection::Never(what) => parts.push(Verdict::person(
                format!("`{}` is {what}, which never changes", change.key),
                format!("remove `spec.parameters.{}`", change.key),
            )),
            Protection::RecreatesCache(what) if !case.approves(&approval) => {
                parts.push(Verdict::person(
                    format!("`{}` is {what}: changing it creates the cache anew", change.key),
                    format!("if the cache may be lost: `approve: [{approval}]`"),
                ));
            }
            Protection::RecreatesCache(_) | Protection::None => {}
        }
    }
    for role in [Role::HiveName, Role::ResourcePrefix] {
        // A default that takes over because the stack has no such parameter would rename everything.
        if let (Some(from), Some(to)) = (before(role), after(role))
            && from.trim() != to.trim()
            && parts.iter().all(|part| !part.message.contains("never changes"))
        {
            parts.push(Verdict::person(
                format!("the {role} would change from `{from}` to `{to}`, which never changes"),
                "remove it from `spec.parameters`",
            ));
        }
    }
    if parts.is_empty() {
        let unseen = match &case.facts.target {
            Target::Move { version, artifact: _ } => {
                format!(
                    "no parameter destroys anything; what the template of {version} does inside nested stacks is unseen"
                )
            }
            Target::Keep { .. } | Target::NotOffered | Target::Several(_) | Target::Unknown(_) => {
                "no parameter destroys anything; what happens inside nested stacks is unseen"
                    .to_owned()
            }
        };
        return Verdict::holds(unseen);
    }
    Verdict::all(parts)
}
