//! Cache engines and their versions: two components since Redis 6, compared number by number.

use super::problem::Complaint;
use super::version::{completed, numbers};
use serde::{Serialize, Serializer};
use std::fmt;

/// A cache engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Redis OSS.
    Redis,
    /// Valkey.
    Valkey,
}

impl Engine {
    /// Every engine, as documents write them.
    pub const NAMES: [&'static str; 2] = ["redis", "valkey"];

    /// Reads an engine in any case.
    ///
    /// # Errors
    /// When the text names no engine.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        match text.to_ascii_lowercase().as_str() {
            "redis" => Ok(Self::Redis),
            "valkey" => Ok(Self::Valkey),
            lower => {
                let hint = match lower {
                    "memcached" => Some("TED has no memcached".to_owned()),
                    _ => super::problem::nearest(lower, Self::NAMES)
                        .map(|name| format!("did you mean `{name}`?")),
                };
                Err(Complaint::new("not a cache engine")
                    .allowed("`redis` or `valkey`")
                    .hint_if_any(hint))
            }
        }
    }

    /// The canonical spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Valkey => "valkey",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A version of a cache engine. Compared component by component; the spelling is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CacheVersion {
    components: Vec<u32>,
    text: String,
}

impl CacheVersion {
    /// A version as AWS shows it: `8.0.1`, `7.1`, `7.1.0`.
    pub fn read(text: &str) -> Option<Self> {
        let components = numbers(text)?;
        (1..=4).contains(&components.len()).then(|| Self { components, text: text.to_owned() })
    }

    /// The components.
    pub fn components(&self) -> &[u32] {
        &self.components
    }

    /// The major version: what decides the family of the parameter group.
    pub fn major(&self) -> u32 {
        self.components.first().copied().unwrap_or(0)
    }

    /// The text as the document or AWS spells it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a running version is this one: `8.0` is what `8.0.1` runs, and `8.1` is not (AWS chooses the patch level:
    /// ElastiCache user guide, engine versions).
    pub fn is_satisfied_by(&self, actual: &Self) -> bool {
        actual.components.starts_with(&self.components)
    }

    /// Reads the version a document wants of an engine.
    ///
    /// # Errors
    /// When that engine has no such version or AWS does not let one ask for it. Whether a *newer* Valkey exists is for
    /// the template's allowed values to say: engines outlive this program.
    pub fn parse(text: &str, engine: Engine) -> Result<Self, Complaint> {
        let complaint = |message: String| {
            let example = match engine {
                Engine::Valkey => "`7.2`, `8.0` or later",
                Engine::Redis => "`5.0.6` to `7.1`",
            };
            Complaint::new(message).allowed(example)
        };
        let not_a_version = || complaint(format!("not a version of {engine}"));
        if let Some(bare) = text.strip_prefix(['v', 'V']) {
            let hint = match numbers(bare).map(|components| components.len()) {
                Some(2) => Some(format!("write `\"{bare}\"`")),
                Some(3) => Some(ted_hint(bare)),
                Some(_) | None => None,
            };
            return Err(not_a_version().hint_if_any(hint));
        }
        let Some(version) = Self::read(text) else {
            let hint = text
                .contains(['<', '>', '^', '~', 'x', '*'])
                .then(|| "a cache version is exact".to_owned());
            return Err(not_a_version().hint_if_any(hint));
        };
        match (engine, version.components.as_slice()) {
            // One component, or a TED version that slipped in: no cache engine ever had a major version 1 in ElastiCache.
            (_, [major]) => {
                let minor = if engine == Engine::Valkey && *major == 7 { 2 } else { 0 };
                Err(complaint("not a whole version".to_owned())
                    .hint(format!("write `\"{major}.{minor}\"`")))
            }
            (_, [1, _, ..]) => Err(not_a_version().hint(ted_hint(text))),
            (Engine::Redis, [0..=4, ..]) => {
                Err(complaint("a Redis version that AWS no longer offers".to_owned()))
            }
            (Engine::Redis, [5, 0, 0..=6]) => Ok(version),
            (Engine::Redis, [6, 0 | 2] | [7, 0 | 1]) => Ok(version),
            (Engine::Redis, [major @ (6 | 7), minor, _, ..]) if (*major, *minor) <= (7, 1) => {
                Err(patch_complaint(complaint, *major, *minor))
            }
            (Engine::Redis, [major, minor, ..]) if (*major, *minor) > (7, 1) => {
                let hint = match (*major, *minor) {
                    // Redis OSS ends at 7.1 (ElastiCache user guide, engine versions).
                    (7, 10) => {
                        "write `\"7.1\"`: the spelling of a version is kept, 7.10 is not 7.1"
                            .to_owned()
                    }
                    _ => format!("Redis ends at 7.1; for {text} write `engine: valkey`"),
                };
                Err(not_a_version().hint(hint))
            }
            (Engine::Redis, _) => Err(not_a_version()),
            (Engine::Valkey, [major, minor, ..]) if (*major, *minor) < (7, 2) => {
                let message = format!("a Redis version, and the engine is {engine}");
                Err(complaint(message)
                    .hint("Valkey begins at 7.2: write `version: \"8.0\"`, or `engine: redis`"))
            }
            (Engine::Valkey, [_, _]) => Ok(version),
            (Engine::Valkey, [major, minor, ..]) => Err(patch_complaint(complaint, *major, *minor)),
            (Engine::Valkey, []) => Err(not_a_version()),
        }
    }
}

fn ted_hint(text: &str) -> String {
    completed(text).map_or_else(
        || "the TED version has its own field, `tedVersion`".to_owned(),
        |version| format!("that looks like a TED version: write `tedVersion: {version}`"),
    )
}

fn patch_complaint(complaint: impl Fn(String) -> Complaint, major: u32, minor: u32) -> Complaint {
    complaint("AWS chooses the patch level".to_owned()).hint(format!("write `\"{major}.{minor}\"`"))
}

impl fmt::Display for CacheVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for CacheVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_version_is_one_that_the_engine_has() {
        use Engine::{Redis, Valkey};
        for (text, engine, expected, why) in [
            ("8.0", Valkey, Ok(()), "plain"),
            ("7.2", Valkey, Ok(()), "the first Valkey"),
            ("9.1", Valkey, Ok(()), "the newest known"),
            ("12.3", Valkey, Ok(()), "newer than this program"),
            ("7.10", Valkey, Ok(()), "not 7.1"),
            ("7.1", Redis, Ok(()), "the last Redis"),
            ("6.2", Redis, Ok(()), "Redis 6"),
            ("5.0.6", Redis, Ok(()), "Redis 5 has three components"),
            ("8", Valkey, Err("write `\"8.0\"`"), "bare major"),
            ("7", Valkey, Err("write `\"7.2\"`"), "bare major of the first Valkey"),
            ("8.0.1", Valkey, Err("write `\"8.0\"`"), "AWS refuses patch levels"),
            ("7.0.7", Redis, Err("write `\"7.0\"`"), "AWS refuses patch levels"),
            (
                "1.52.1",
                Valkey,
                Err("that looks like a TED version: write `tedVersion: v1.52.1`"),
                "wrong field",
            ),
            (
                "v1.52.1",
                Valkey,
                Err("that looks like a TED version: write `tedVersion: v1.52.1`"),
                "wrong field, with v",
            ),
            ("v8.0", Valkey, Err("write `\"8.0\"`"), "no v here"),
            (
                "7.1",
                Valkey,
                Err("Valkey begins at 7.2: write `version: \"8.0\"`, or `engine: redis`"),
                "Redis's",
            ),
            ("8.0", Redis, Err("Redis ends at 7.1; for 8.0 write `engine: valkey`"), "Valkey's"),
            (
                "7.10",
                Redis,
                Err("write `\"7.1\"`: the spelling of a version is kept, 7.10 is not 7.1"),
                "spelling",
            ),
            ("8.x", Valkey, Err("a cache version is exact"), "wildcard"),
        ] {
            let got = CacheVersion::parse(text, engine)
                .map(|_| ())
                .map_err(|complaint| complaint.hint.unwrap_or_default());
            assert_eq!(got, expected.map_err(str::to_owned), "{text} of {engine}: {why}");
        }
        for text in ["", "8.", ".8", "08.0", "8.0-rc1", "eight", "1e3", "4294967296.0"] {
            assert!(CacheVersion::parse(text, Valkey).is_err(), "{text}");
        }
    }

    #[test]
    fn a_running_version_satisfies_by_component_and_not_by_prefix_of_text() {
        let version = |text| CacheVersion::read(text).unwrap();
        assert!(version("8.0").is_satisfied_by(&version("8.0.1")));
        assert!(!version("8.0").is_satisfied_by(&version("8.1.0")));
        assert!(version("7.2") < version("7.10"));
        assert!(!version("7.1").is_satisfied_by(&version("7.10")));
    }

    #[test]
    fn an_engine_is_read_in_any_case() {
        assert_eq!(Engine::parse("Valkey"), Ok(Engine::Valkey));
        assert_eq!(Engine::parse("REDIS"), Ok(Engine::Redis));
        assert_eq!(
            Engine::parse("valky").unwrap_err().hint.as_deref(),
            Some("did you mean `valkey`?")
        );
    }
}
