//! Scenarios: a world, its options, its faults, and what happens in it without anybody asking.
//!
//! A scenario is data: the named ones are files under `sim/scenarios`, and a file of one's own has the same form ([`mod@file`]). What
//! happens is an [`Action`], at a time or on an event. Actions reach into the world the way people and AWS do; they know no controller.

mod action;
mod file;
mod named;
mod perform;
mod run;
#[cfg(test)]
mod stories;
mod ted;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use action::patched;
pub use action::{Action, DenyKind, FailPhase};
pub use file::{Error, Event, Planned};
pub(crate) use run::{Order, StackEvent, State, Timer, act, fire, stack_event};
pub(crate) use words::nearest;

use crate::faults::Rule;
use crate::options::Options;
use crate::setup;
use crate::spec_file::WorldSpec;
use crate::world::World;
use serde::{Deserialize, Serialize};

/// What a world is at first, and what will happen in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Scenario {
    /// Its name: the file's stem.
    pub name: String,
    /// What it shows, in one line.
    pub summary: String,
    /// What is there at first.
    pub world: WorldSpec,
    /// What AWS leaves undocumented, and its settings.
    pub options: Options,
    /// Virtual seconds a second; absent: as the one who starts it says.
    pub speed: Option<f64>,
    /// What goes wrong on the wire.
    pub faults: Vec<Rule>,
    /// What happens by itself.
    pub actions: Vec<Planned>,
}

impl Scenario {
    /// The named scenario, or the one in the file of that name (whatever has a `/` or ends in `.yaml`, `.yml` or `.json`).
    ///
    /// # Errors
    /// When there is no such scenario, or the file cannot be read or does not parse.
    pub fn load(name: &str) -> Result<Self, Error> {
        let path = std::path::Path::new(name);
        let is_file = name.contains(std::path::MAIN_SEPARATOR)
            || path.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json");
        if is_file { file::read(path) } else { Self::named(name) }
    }

    /// The named scenario.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn named(name: &str) -> Result<Self, Error> {
        match named::TEXTS.iter().find(|(known, _)| *known == name) {
            Some((name, text)) => file::parse(&format!("{name}.yaml"), text),
            None => Err(Error::Unknown {
                name: name.to_owned(),
                nearest: nearest(name, Self::names()).map(str::to_owned),
            }),
        }
    }

    /// Reads a scenario from its text; `place` stands for the file in errors.
    ///
    /// # Errors
    /// When it does not parse.
    pub fn parse(place: &str, text: &str) -> Result<Self, Error> {
        file::parse(place, text)
    }

    /// The names of the named scenarios, `default` first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        named::TEXTS.iter().map(|(name, _)| *name)
    }

    /// The world as it begins.
    pub(crate) fn build(&self) -> Result<World, Error> {
        setup::build(&self.world, self.options.clone())
            .map_err(|reason| Error::World { scenario: self.name.clone(), reason })
    }

    /// Plans what happens by itself.
    pub(crate) fn schedule(&self, world: &mut World) {
        run::schedule(world, &self.world, &self.actions);
    }
}
