//! What is worth knowing at the yearly review of a TED, and is nobody's fault.

use super::super::facts::{Agreed, Facts};
use super::super::types::{Finding, Severity};
use super::finding;
use crate::desired::{CacheVersion, Engine, TedVersion};
use crate::observe::observation::Observation;
use jiff::civil::{Date, date};

/// Major versions of engines whose standard support ends, and when. Source: ElastiCache user guide, "ElastiCache versions for Redis OSS end
/// of life schedule", as of 2026-08: versions 4 and 5 on 2026-01-31, version 6 on 2027-01-31. None is published for 7 and for Valkey.
const END_OF_LIFE: &[(Engine, u32, Date)] = &[
    (Engine::Redis, 4, date(2026, 1, 31)),
    (Engine::Redis, 5, date(2026, 1, 31)),
    (Engine::Redis, 6, date(2027, 1, 31)),
];

pub(super) fn find(observation: &Observation, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    versions(observation, facts, found);
    engine(facts, found);
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

fn engine(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let (Agreed::All(engine), Agreed::All(version)) = (&facts.engine, &facts.engine_version) else {
        return;
    };
    let Some(major) = CacheVersion::read(version).map(|version| version.major()) else { return };
    let Some((_, _, end)) =
        END_OF_LIFE.iter().find(|(of, of_major, _)| of == engine && *of_major == major)
    else {
        return;
    };
    found.push(
        finding(
            "info/engine-end-of-life",
            Severity::Info,
            format!("standard support of {engine} {major} in ElastiCache ends on {end}"),
        )
        .values("a version with standard support", version)
        .read_from("ElastiCache; table of end-of-life dates in this release, as of 2026-08")
        .remedy("move to Valkey; after that date AWS bills extended support"),
    );
}
