//! What is worth knowing at the yearly review of a TED, and is nobody's fault.

use super::super::facts::{Agreed, Facts};
use super::super::types::{Finding, Severity};
use super::finding;
use crate::desired::{CacheVersion, Engine, TedVersion};
use crate::observe::observation::Observation;
use jiff::SignedDuration;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

/// Major versions of engines that leave standard support, when, and when extended support, which costs extra, ends too.
///
/// Source: ElastiCache user guide, "Engine versions and upgrading", "ElastiCache versions for Redis OSS end of life schedule"
/// ([`guides::ENGINE_VERSIONS`](super::super::guides::ENGINE_VERSIONS)). None is published for Redis OSS 7 and for Valkey.
const END_OF_LIFE: &[(Engine, u32, Date, Date)] = &[
    (Engine::Redis, 4, date(2026, 1, 31), date(2029, 1, 31)),
    (Engine::Redis, 5, date(2026, 1, 31), date(2029, 1, 31)),
    (Engine::Redis, 6, date(2027, 1, 31), date(2030, 1, 31)),
];

/// When [`END_OF_LIFE`] was last compared with its source.
const AS_OF: &str = "August 2026";

/// From when on an end is worth telling: a review is held once a year.
const AHEAD: SignedDuration = SignedDuration::from_hours(366 * 24);

pub(super) fn find(observation: &Observation, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    versions(observation, facts, found);
    engine(observation, facts, found);
}

fn versions(observation: &Observation, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let (Some(running), Some(all)) = (&facts.running.version, observation.versions.present())
    else {
        return;
    };
    let place = "root stack output ReleaseVersion; versions on offer in Service Catalog";
    let of_running: Vec<_> = all
        .iter()
        .filter(|artifact| TedVersion::read(&artifact.name).as_ref() == Some(running))
        .collect();
    let retired = match of_running.as_slice() {
        [] => Some("is not on offer any more"),
        several if several.iter().all(|artifact| !artifact.active) => Some("is hidden from users"),
        several if several.iter().all(|artifact| artifact.deprecated) => Some("is deprecated"),
        _ => None,
    };
    if let Some(how) = retired {
        found.push(
            finding("info/version-retired", Severity::Info, format!("TED {running} {how}"))
                .values("a version on offer", running)
                .read_from(place)
                .remedy("plan an update to a version that is on offer"),
        );
    }
    let newest = all
        .iter()
        .filter(|artifact| artifact.active && !artifact.deprecated)
        .filter_map(|artifact| TedVersion::read(&artifact.name))
        .filter(|version| {
            version > running && version.major() == running.major() && !version.is_prerelease()
        })
        .max();
    // A document that asks for it already need not be told.
    if let Some(newest) = newest.filter(|newest| facts.target_version() != Some(newest)) {
        found.push(
            finding(
                "info/newer-version",
                Severity::Info,
                format!("TED {newest} is on offer, {running} runs"),
            )
            .values(&newest, running)
            .read_from(place)
            .remedy("read Turbot's release notes; `tedVersion` in the document asks for it"),
        );
    }
}

fn engine(observation: &Observation, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let (Agreed::All(engine), Agreed::All(version)) = (&facts.engine, &facts.engine_version) else {
        return;
    };
    let Some(major) = CacheVersion::read(version).map(|version| version.major()) else { return };
    let Some((_, _, end, extended)) =
        END_OF_LIFE.iter().find(|(of, of_major, ..)| of == engine && *of_major == major)
    else {
        return;
    };
    let Ok(end_at) = end.to_zoned(TimeZone::UTC).map(|end| end.timestamp()) else { return };
    if end_at.duration_since(observation.now) > AHEAD {
        return;
    }
    let ends = if end_at < observation.now { "ended" } else { "ends" };
    found.push(
        finding(
            "info/engine-end-of-life",
            Severity::Info,
            format!(
                "standard support of {engine} {major} in ElastiCache {ends} on {end}; extended support, which costs extra, ends on {extended}, and AWS upgrades what is left then"
            ),
        )
        .values("a version with standard support", version)
        .read_from(format!("ElastiCache; end-of-life schedule of the ElastiCache user guide as of {AS_OF}"))
        .remedy("move to Valkey before that"),
    );
}
