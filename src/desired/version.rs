//! Versions of TED: semantic, wished for exactly or by a range.

use super::problem::Complaint;
use semver::{Comparator, Op, Prerelease, VersionReq};
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A version of TED, as Service Catalog names it: `v1.52.1`. Compared as semantic versions, so `v1.9.0 < v1.10.0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TedVersion(semver::Version);

impl TedVersion {
    /// A version as AWS shows it: an artifact's name (`v1.44.0`) or the stack's `ReleaseVersion` (`1.44.0`).
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        semver::Version::parse(text.strip_prefix('v').unwrap_or(text)).ok().map(Self)
    }

    /// A version as a document writes it: whole, with its `v`.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        let complaint =
            || Complaint::new("not a TED version").allowed("a version such as `v1.52.1`");
        let Some(bare) = text.strip_prefix('v') else {
            let hint = completed(text).map(|version| format!("write `{version}`"));
            return Err(complaint().hint_if_any(hint));
        };
        match semver::Version::parse(bare) {
            Ok(version) if version.build.is_empty() => Ok(Self(version)),
            Ok(version) => {
                let whole = format!("v{}.{}.{}", version.major, version.minor, version.patch);
                Err(complaint()
                    .hint(format!("build metadata is no part of a TED version: write `{whole}`")))
            }
            Err(_) => Err(complaint()
                .hint_if_any(completed(text).map(|version| format!("write `{version}`")))),
        }
    }

    /// The major version.
    pub fn major(&self) -> u64 {
        self.0.major
    }

    /// The minor version.
    pub fn minor(&self) -> u64 {
        self.0.minor
    }

    /// Whether this is a pre-release such as `v5.47.0-beta.16`.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }
}

/// The version that a slip such as `1.52`, `V1.52.1` or `1.52.1` most likely meant.
pub(super) fn completed(text: &str) -> Option<TedVersion> {
    let bare = text.trim().trim_start_matches(['v', 'V', '=']);
    TedVersion::read(bare).filter(|version| version.0.build.is_empty()).or_else(|| {
        let components = numbers(bare)?;
        (components.len() == 2).then(|| TedVersion::read(&format!("{bare}.0"))).flatten()
    })
}

impl fmt::Display for TedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl Serialize for TedVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A version on offer, as [`VersionWish::target`] has to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The version.
    pub version: TedVersion,
    /// Whether its guidance is `DEPRECATED`.
    pub deprecated: bool,
}

/// The TED version that a document wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionWish {
    /// This one, whatever it is.
    Exact(TedVersion),
    /// One of these; the one that runs, if it is one of them.
    Range(VersionRange),
}

impl VersionWish {
    /// # Errors
    /// When the text is neither a version nor a range that some version can satisfy.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        let is_range = text.contains(['<', '>', '=', '^', '~', ',', '*']);
        if is_range {
            return VersionRange::parse(text).map(Self::Range);
        }
        if matches!(text.to_ascii_lowercase().as_str(), "latest" | "newest" | "current" | "stable")
        {
            return Err(Complaint::new("not a TED version")
                .allowed("a version such as `v1.52.1`, or a range such as `\">=1.50, <2\"`")
                .hint("a range takes the newest match when the present version does not satisfy it: `\">=1.50, <2\"`"));
        }
        TedVersion::parse(text).map(Self::Exact).map_err(|complaint| {
            complaint.allowed("a version such as `v1.52.1`, or a range such as `\">=1.50, <2\"`")
        })
    }

    /// Whether a version is as wished.
    pub fn is_satisfied_by(&self, version: &TedVersion) -> bool {
        match self {
            Self::Exact(wanted) => wanted == version,
            Self::Range(range) => range.matches(version),
        }
    }

    /// The version to have: the present one where it satisfies; else, of a range, the newest match on offer that is
    /// neither a pre-release nor deprecated. `None`: a range that nothing on offer satisfies.
    pub fn target(&self, present: Option<&TedVersion>, offers: &[Offer]) -> Option<TedVersion> {
        match self {
            Self::Exact(wanted) => Some(wanted.clone()),
            Self::Range(range) => match present {
                Some(present) if range.matches(present) => Some(present.clone()),
                Some(_) | None => offers
                    .iter()
                    .filter(|offer| {
                        !offer.deprecated
                            && !offer.version.is_prerelease()
                            && range.matches(&offer.version)
                    })
                    .map(|offer| &offer.version)
                    .max()
                    .cloned(),
            },
        }
    }
}

impl fmt::Display for VersionWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(version) => version.fmt(f),
            Self::Range(range) => range.fmt(f),
        }
    }
}

/// A range of versions: comparators that all hold, each with its operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRange(VersionReq);

impl VersionRange {
    /// # Errors
    /// When the text is no range, names a pre-release, or excludes every version.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        let complaint = |message: &str| {
            Complaint::new(message)
                .allowed("comparators joined by commas, such as `\">=1.50, <2\"`")
        };
        if text.len() > 200 {
            return Err(complaint("a range longer than 200 characters"));
        }
        let mut comparators = Vec::new();
        for part in text.split(',') {
            let part = part.trim();
            let operator_end = part.find(|c: char| !"<>=^~".contains(c)).unwrap_or(part.len());
            let (operator, version) = part.split_at(operator_end);
            let version = version.trim().trim_start_matches('v');
            if operator.is_empty() {
                let hint = (!version.is_empty())
                    .then(|| format!("write `>={}`", version.trim_end_matches(".*")));
                return Err(complaint("a comparator without an operator").hint_if_any(hint));
            }
            let comparator = Comparator::parse(&format!("{operator}{version}")).map_err(|_| {
                let hint = part
                    .contains(char::is_whitespace)
                    .then(|| "join comparators with commas".to_owned());
                complaint("not a version range").hint_if_any(hint)
            })?;
            if !comparator.pre.is_empty() {
                return Err(complaint("a range never takes a pre-release")
                    .hint("write the exact version, with its `v`"));
            }
            if comparator.op == Op::Wildcard || version.contains(['*', 'x', 'X']) {
                return Err(complaint("a wildcard in a range"));
            }
            comparators.push(comparator);
        }
        if !is_satisfiable(&comparators) {
            return Err(complaint("a range that no version satisfies"));
        }
        Ok(Self(VersionReq { comparators }))
    }

    /// Whether a version lies in the range. Pre-releases lie in none.
    pub fn matches(&self, version: &TedVersion) -> bool {
        !version.is_prerelease() && self.0.matches(&version.0)
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether some release satisfies all comparators. If one does, then so does a corner of one of them: the version a
/// comparator names or the first one after it, at the place of its last given component.
fn is_satisfiable(comparators: &[Comparator]) -> bool {
    let requirement = VersionReq { comparators: comparators.to_vec() };
    let mut corners = vec![semver::Version::new(0, 0, 0)];
    for Comparator { op: _, major, minor, patch, pre: _ } in comparators {
        let (low_minor, low_patch) = (minor.unwrap_or(0), patch.unwrap_or(0));
        let after = match (minor, patch) {
            (None, _) => semver::Version::new(major.saturating_add(1), 0, 0),
            (Some(minor), None) => semver::Version::new(*major, minor.saturating_add(1), 0),
            (Some(minor), Some(patch)) => {
                semver::Version::new(*major, *minor, patch.saturating_add(1))
            }
        };
        corners.push(semver::Version {
            pre: Prerelease::EMPTY,
            ..semver::Version::new(*major, low_minor, low_patch)
        });
        corners.push(after);
    }
    corners.iter().any(|version| requirement.matches(version))
}

impl FromStr for TedVersion {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        Self::parse(text)
    }
}

/// The components of a dotted number, without superfluous zeros (`08.0` is nobody's version).
pub(super) fn numbers(text: &str) -> Option<Vec<u32>> {
    text.split('.')
        .map(|part| {
            let canonical = !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_digit())
                && (part == "0" || !part.starts_with('0'));
            canonical.then(|| part.parse().ok()).flatten()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ted(text: &str) -> TedVersion {
        TedVersion::read(text).unwrap()
    }

    #[test]
    fn a_ted_version_is_whole_and_has_its_v() {
        for (text, expected, why) in [
            ("v1.52.1", Ok("v1.52.1"), "plain"),
            ("v5.47.0-beta.16", Ok("v5.47.0-beta.16"), "a pre-release parses"),
            ("1.52.1", Err(Some("write `v1.52.1`")), "no v"),
            ("1.52", Err(Some("write `v1.52.0`")), "no patch"),
            ("V1.52.1", Err(Some("write `v1.52.1`")), "upper case"),
            (
                "v1.52.1+b7",
                Err(Some("build metadata is no part of a TED version: write `v1.52.1`")),
                "build",
            ),
            ("newish", Err(None), "a word"),
            ("v01.2.3", Err(None), "leading zero"),
        ] {
            let got = VersionWish::parse(text)
                .map(|wish| wish.to_string())
                .map_err(|complaint| complaint.hint);
            assert_eq!(
                got,
                expected.map(str::to_owned).map_err(|hint| hint.map(str::to_owned)),
                "{why}"
            );
        }
    }

    #[test]
    fn a_range_is_comparators_that_some_version_satisfies() {
        for (text, valid, why) in [
            (">=1.50, <2", true, "the contract's example"),
            (">=v1.50.0", true, "a v is tolerated"),
            ("^1.50", true, "caret"),
            ("~1.50.2", true, "tilde"),
            ("=1.50.1", true, "equality"),
            (">1.50, <1.51", false, "`>1.50` begins at 1.51"),
            (">1.50, <1.52", true, "1.51 is between"),
            (">=2, <1", false, "empty"),
            ("<0.0.0", false, "below everything"),
            (">=1.50 <2", false, "no comma"),
            ("1.50, <2", false, "no operator"),
            ("1.*", false, "wildcard"),
            (">=1.*", false, "wildcard with operator"),
            (">=1.50.0-beta.1", false, "pre-release"),
            (">=", false, "no version"),
            (",", false, "nothing"),
        ] {
            assert_eq!(VersionWish::parse(text).is_ok(), valid, "`{text}`: {why}");
        }
    }

    #[test]
    fn a_range_keeps_the_present_version_and_else_takes_the_newest_plain_one() {
        let offer = |version: &str, deprecated| Offer { version: ted(version), deprecated };
        let offers = [
            offer("v1.9.0", false),
            offer("v1.52.1", false),
            offer("v1.50.0", false),
            offer("v1.53.0-beta.1", false),
            offer("v1.54.0", true),
            offer("v2.0.0", false),
        ];
        let wish = VersionWish::parse(">=1.50, <2").unwrap();
        for (present, target, why) in [
            (Some("v1.50.3"), Some("v1.50.3"), "a constraint, not a wish for the newest"),
            (
                Some("1.44.0"),
                Some("v1.52.1"),
                "newest that is neither pre-release nor deprecated nor out of range",
            ),
            (None, Some("v1.52.1"), "unknown does not satisfy"),
        ] {
            let present = present.map(ted);
            assert_eq!(
                wish.target(present.as_ref(), &offers).map(|v| v.to_string()).as_deref(),
                target,
                "{why}"
            );
        }
        assert_eq!(
            VersionWish::parse(">=3").unwrap().target(None, &offers),
            None,
            "nothing on offer"
        );
        assert_eq!(
            VersionWish::parse("v1.53.0-beta.1").unwrap().target(None, &[]),
            Some(ted("1.53.0-beta.1")),
            "exact"
        );
    }

    #[test]
    fn versions_compare_by_number_and_not_as_text() {
        assert!(ted("1.9.0") < ted("v1.10.0"));
        assert!(ted("1.10.0-beta.1") < ted("1.10.0"));
    }

    proptest! {
        /// The second, simpler statement: try every small version.
        #[test]
        fn a_refused_range_is_empty_and_an_accepted_one_is_not(
            parts in prop::collection::vec(("(>|>=|<|<=|=|\\^|~)", 0u64..3, prop::option::of(0u64..3), prop::option::of(0u64..3)), 1..4)
        ) {
            let text = parts.iter().map(|(op, major, minor, patch)| match (minor, patch) {
                (None, _) => format!("{op}{major}"),
                (Some(minor), None) => format!("{op}{major}.{minor}"),
                (Some(minor), Some(patch)) => format!("{op}{major}.{minor}.{patch}"),
            }).collect::<Vec<_>>().join(", ");
            let reference = VersionReq::parse(&text).unwrap();
            let some = (0..5u64).any(|a| (0..5u64).any(|b| (0..5u64).any(|c| reference.matches(&semver::Version::new(a, b, c)))));
            prop_assert_eq!(VersionRange::parse(&text).is_ok(), some, "{}", text);
        }
    }
}
