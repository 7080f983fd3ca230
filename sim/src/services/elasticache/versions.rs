//! Engines, their versions and parameter group families.
//!
//! A request names major and minor; which patch level runs is AWS's choice. Source: ElastiCache user guide, "Supported engine versions"
//! and its document history; older Redis OSS versions than 5.0.6 are left out.

use crate::error::ApiError;
use std::cmp::Ordering;

/// A cache engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Engine {
    /// Redis OSS.
    Redis,
    /// Valkey.
    Valkey,
}

impl Engine {
    /// As AWS writes it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Valkey => "valkey",
        }
    }

    /// # Errors
    /// `InvalidParameterValue` for an engine that a replication group cannot have.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        match text.to_ascii_lowercase().as_str() {
            "redis" => Ok(Self::Redis),
            "valkey" => Ok(Self::Valkey),
            _ => Err(ApiError::new(
                "InvalidParameterValue",
                format!("Invalid cache engine: {text}. Must be one of redis, valkey"),
            )),
        }
    }
}

/// A version on offer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Offered {
    pub(crate) engine: Engine,
    /// What a request says.
    pub(crate) asked: &'static str,
    /// What then runs.
    pub(crate) runs: &'static str,
    pub(crate) family: &'static str,
}

const fn offered(
    engine: Engine,
    asked: &'static str,
    runs: &'static str,
    family: &'static str,
) -> Offered {
    Offered { engine, asked, runs, family }
}

/// Every version on offer, by engine, oldest first.
pub(crate) const OFFERED: [Offered; 10] = [
    offered(Engine::Redis, "5.0.6", "5.0.6", "redis5.0"),
    offered(Engine::Redis, "6.0", "6.0.5", "redis6.x"),
    offered(Engine::Redis, "6.2", "6.2.6", "redis6.x"),
    offered(Engine::Redis, "7.0", "7.0.7", "redis7"),
    offered(Engine::Redis, "7.1", "7.1.0", "redis7"),
    offered(Engine::Valkey, "7.2", "7.2.6", "valkey7"),
    offered(Engine::Valkey, "8.0", "8.0.1", "valkey8"),
    offered(Engine::Valkey, "8.1", "8.1.0", "valkey8"),
    offered(Engine::Valkey, "8.2", "8.2.0", "valkey8"),
    offered(Engine::Valkey, "9.0", "9.0.0", "valkey9"),
];

/// The version that a request means.
///
/// # Errors
/// `InvalidParameterValue` for a patch level ("Specific version selection is not allowed …", met in the field),
/// `InvalidParameterCombination` for a version the engine does not have.
pub(crate) fn find(engine: Engine, asked: &str) -> Result<&'static Offered, ApiError> {
    // `6.x` was the form for the newest 6 before 6.2 (ElastiCache user guide, "Engine versions").
    let wanted = if engine == Engine::Redis && asked == "6.x" { "6.2" } else { asked };
    if let Some(offered) = of(engine).find(|offered| offered.asked == wanted) {
        return Ok(offered);
    }
    let parts = components(asked);
    if let [major, minor, _, ..] = parts[..]
        && major >= 6
    {
        let message = format!(
            "Specific version selection is not allowed for '{asked}', please use '{major}.{minor}'"
        );
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    Err(ApiError::new(
        "InvalidParameterCombination",
        format!("Cannot find version {asked} for {}", engine.as_str()),
    ))
}

/// The versions of `engine`, oldest first.
pub(crate) fn of(engine: Engine) -> impl DoubleEndedIterator<Item = &'static Offered> {
    OFFERED.iter().filter(move |offered| offered.engine == engine)
}

/// The version on offer that `runs` is.
pub(crate) fn running(engine: Engine, runs: &str) -> Option<&'static Offered> {
    of(engine).find(|offered| offered.runs == runs)
}

/// Compares two versions component by component; a missing component is zero.
pub(crate) fn compare(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (components(one), components(other));
    let length = one.len().max(other.len());
    one.resize(length, 0);
    other.resize(length, 0);
    one.cmp(&other)
}

fn components(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

/// The default parameter group of a family.
pub(crate) fn default_group(family: &str, sharded: bool) -> String {
    format!("default.{family}{}", if sharded { ".cluster.on" } else { "" })
}

/// The family of a default parameter group; absent when `name` is none.
pub(crate) fn family_of_default(name: &str) -> Option<&'static str> {
    let family = name.strip_prefix("default.")?;
    let family = family.strip_suffix(".cluster.on").unwrap_or(family);
    OFFERED.iter().find(|offered| offered.family == family).map(|offered| offered.family)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_major_and_minor_and_aws_picks_the_patch() {
        for (why, engine, asked, expected) in [
            ("valkey 8.0", Engine::Valkey, "8.0", Ok("8.0.1")),
            ("valkey 7.2", Engine::Valkey, "7.2", Ok("7.2.6")),
            ("redis 7.1", Engine::Redis, "7.1", Ok("7.1.0")),
            ("valkey 8.1", Engine::Valkey, "8.1", Ok("8.1.0")),
            ("redis 5 is asked for in full", Engine::Redis, "5.0.6", Ok("5.0.6")),
            ("the old form of 6", Engine::Redis, "6.x", Ok("6.2.6")),
            (
                "a patch level",
                Engine::Redis,
                "7.0.7",
                Err("Specific version selection is not allowed for '7.0.7', please use '7.0'"),
            ),
            (
                "even the one that runs",
                Engine::Valkey,
                "8.0.1",
                Err("Specific version selection is not allowed for '8.0.1', please use '8.0'"),
            ),
            ("a major alone", Engine::Valkey, "8", Err("Cannot find version 8 for valkey")),
            ("another engine's", Engine::Redis, "8.0", Err("Cannot find version 8.0 for redis")),
        ] {
            let found =
                find(engine, asked).map(|offered| offered.runs).map_err(|error| error.message);
            assert_eq!(found, expected.map_err(str::to_owned), "{why}");
        }
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(compare("7.1.0", "7.0.7"), Ordering::Greater);
        assert_eq!(compare("10.0", "9.1"), Ordering::Greater);
        assert_eq!(compare("8.0", "8.0.0"), Ordering::Equal);
    }

    #[test]
    fn default_groups_know_their_family() {
        assert_eq!(family_of_default("default.valkey8.cluster.on"), Some("valkey8"));
        assert_eq!(family_of_default("default.redis6.x"), Some("redis6.x"));
        assert_eq!(family_of_default("default.valkey3"), None);
        assert_eq!(family_of_default("mine"), None);
        assert_eq!(default_group("redis7", true), "default.redis7.cluster.on");
    }
}
