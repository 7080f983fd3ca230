//! Scenario files: YAML in, a [`Scenario`] out, or the place and the reason why not.

use super::words::nearest;
use super::{Action, Scenario};
use crate::faults::Rule;
use crate::options::Options;
use crate::spec_file::WorldSpec;
use crate::time::duration;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A scenario file above this is not read.
const MAX_FILE: u64 = 1024 * 1024;

/// Files that extend each other further than this go in a circle.
const MAX_EXTENDS: usize = 8;

/// Why a scenario cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read scenario file `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is larger than a scenario can be.
    #[error("scenario file `{}` is larger than {MAX_FILE} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The text does not parse.
    #[error("{place}:{line}:{column}: {reason}")]
    Bad {
        /// The file.
        place: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
        /// The known name that may be meant.
        nearest: Option<String>,
    },
    /// There is no such named scenario.
    #[error("there is no scenario `{name}`")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The known name that may be meant.
        nearest: Option<String>,
    },
    /// Scenarios extend each other in a circle.
    #[error("{place}: scenarios extend each other more than {MAX_EXTENDS} deep")]
    Circle {
        /// The file in which it was noticed.
        place: String,
    },
    /// The world that it describes cannot be built.
    #[error("cannot build the world of scenario `{scenario}`: {reason}")]
    World {
        /// The scenario.
        scenario: String,
        /// What is wrong.
        reason: String,
    },
}

impl Error {
    /// What to do about it, when we know.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Bad { nearest: Some(near), .. } | Self::Unknown { nearest: Some(near), .. } => {
                Some(format!("did you mean `{near}`?"))
            }
            Self::Unknown { nearest: None, .. } => Some(
                "`ted-controller sim --list` shows all scenarios; a file's name ends in `.yaml`"
                    .to_owned(),
            ),
            Self::Bad { .. }
            | Self::Unreadable { .. }
            | Self::TooLarge { .. }
            | Self::Circle { .. }
            | Self::World { .. } => None,
        }
    }
}

/// Something that happens by itself, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Planned {
    /// This long after the scenario's start.
    #[serde(default, with = "super::action::optional", skip_serializing_if = "Option::is_none")]
    pub at: Option<Duration>,
    /// On an event instead.
    #[serde(
        default,
        with = "serde_yaml::with::singleton_map",
        skip_serializing_if = "Option::is_none"
    )]
    pub on: Option<Event>,
    /// Again and again at this interval; only with `at`.
    #[serde(default, with = "super::action::optional", skip_serializing_if = "Option::is_none")]
    pub every: Option<Duration>,
    /// How often: with `every` for ever by default, on an event once by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// What happens.
    #[serde(rename = "do", with = "serde_yaml::with::singleton_map")]
    pub action: Action,
}

/// What an action can wait for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// A root stack began to update.
    UpdateStarted {
        /// How long after that.
        #[serde(default, with = "duration")]
        after: Duration,
    },
    /// A resource of a stack got a status.
    #[serde(rename_all = "camelCase")]
    StackEvent {
        /// The resource's logical id; a nested stack's is that of its parent's resource.
        logical_id: String,
        /// `UPDATE_IN_PROGRESS`, …
        status: String,
        /// How long after that.
        #[serde(default, with = "duration")]
        after: Duration,
    },
}

/// Something read from a file that can be wrong as a whole.
trait Check {
    /// What is wrong with it.
    fn problem(&self) -> Option<String>;
}

impl Check for Rule {
    fn problem(&self) -> Option<String> {
        Self::problem(self)
    }
}

impl Check for Planned {
    fn problem(&self) -> Option<String> {
        match (self.at, &self.on, self.every) {
            (None, None, _) => Some("an action needs `at` or `on`".to_owned()),
            (Some(_), Some(_), _) => Some("an action has `at` or `on`, not both".to_owned()),
            (None, Some(_), Some(_)) => Some(
                "`every` goes with `at`; `times` alone repeats an action that waits for an event"
                    .to_owned(),
            ),
            (Some(_), None, None) if self.times.is_some() => {
                Some("`times` needs `every`".to_owned())
            }
            (_, _, Some(Duration::ZERO)) => Some("`every` is zero".to_owned()),
            _ => self.action.problem(),
        }
    }
}

/// Reads a `T` and checks it while the position is still known.
struct Checked<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Check> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + Check> Visitor<'de> for Whole<T> {
            type Value = Checked<T>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a mapping")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Checked<T>, A::Error> {
                match T::deserialize(MapAccessDeserializer::new(map))?.problem() {
                    Some(problem) => Err(A::Error::custom(problem)),
                    None => Ok(Checked(PhantomData)),
                }
            }
        }
        deserializer.deserialize_map(Whole(PhantomData))
    }
}

/// A file as it is written; read once for its errors, which carry positions.
#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[derive(Default)]
struct Written {
    summary: String,
    extends: Option<String>,
    world: WorldSpec,
    options: Options,
    speed: Option<f64>,
    faults: Vec<Checked<Rule>>,
    actions: Vec<Checked<Planned>>,
}

pub(super) fn read(path: &Path) -> Result<Scenario, Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE {
        return Err(Error::TooLarge { path: path.to_owned() });
    }
    parse(&path.display().to_string(), &std::fs::read_to_string(path).map_err(unreadable)?)
}

pub(super) fn parse(place: &str, text: &str) -> Result<Scenario, Error> {
    let mut merged = layers(place, text, 0)?;
    let stem = Path::new(place)
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    merged.insert("name".to_owned(), Value::String(stem));
    // Every layer parsed for itself; what is left to go wrong is their sum.
    serde_json::from_value(Value::Object(merged))
        .map_err(|error| Error::World { scenario: place.to_owned(), reason: error.to_string() })
}

/// The file laid over the scenario that it extends (every one but `default` extends that by default).
fn layers(place: &str, text: &str, depth: usize) -> Result<Map<String, Value>, Error> {
    if depth > MAX_EXTENDS {
        return Err(Error::Circle { place: place.to_owned() });
    }
    let text = if text.trim().is_empty() { "{}" } else { text };
    let written: Written = from_yaml(place, text)?;
    let mut own: Map<String, Value> = from_yaml(place, text)?;
    own.remove("extends");
    let parent = match written.extends.as_deref() {
        Some(name) => name,
        None if place == "default.yaml" => return Ok(own),
        None => "default",
    };
    let Some((name, text)) = super::named::TEXTS.iter().find(|(name, _)| *name == parent) else {
        let near = nearest(parent, Scenario::names()).map(str::to_owned);
        return Err(Error::Unknown { name: parent.to_owned(), nearest: near });
    };
    let mut base = layers(&format!("{name}.yaml"), text, depth + 1)?;
    lay_over(&mut base, own);
    Ok(base)
}

/// `world` and `options` merge key by key, lists are appended, everything else is replaced.
fn lay_over(base: &mut Map<String, Value>, own: Map<String, Value>) {
    for (key, value) in own {
        match (key.as_str(), base.get_mut(&key), value) {
            ("world" | "options", Some(Value::Object(below)), Value::Object(above)) => {
                below.extend(above);
            }
            ("faults" | "actions", Some(Value::Array(below)), Value::Array(above)) => {
                below.extend(above);
            }
            (_, _, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn from_yaml<T: DeserializeOwned>(place: &str, text: &str) -> Result<T, Error> {
    serde_yaml::from_str(text).map_err(|error| {
        let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
        let full = error.to_string();
        let reason =
            full.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&full);
        let nearest = meant(reason);
        // The name that was meant says more than the list of all names.
        let reason = if nearest.is_some() {
            reason.split(", expected one of").next().unwrap_or(reason)
        } else {
            reason
        };
        Error::Bad { place: place.to_owned(), line, column, nearest, reason: reason.to_owned() }
    })
}

/// The known name nearest to an unknown one: serde writes ``unknown field `x`, expected one of `a`, `b` ``.
fn meant(reason: &str) -> Option<String> {
    let (_, tail) = reason.split_once("unknown ")?;
    let (_, known) = tail.split_once(", expected ")?;
    nearest(tail.split('`').nth(1)?, known.split('`').skip(1).step_by(2)).map(str::to_owned)
}
