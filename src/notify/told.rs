//! What a receiver was told, and what is news to it. Pure, but for the file that lets it outlive a restart.
//!
//! Comfort, not truth: without the file a receiver is told again what is not as it should be.

use super::notice::{State, Weight, ended};
use crate::settings::ReceiverSettings;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};
use std::path::Path;

/// The form of the file. Another one is not read.
const VERSION: u32 = 1;

/// How large a file is read: 1,000 TEDs with 20 subjects each have about 2 MB.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// What a receiver was told: by TED (the empty name stands for what concerns none alone), by subject.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Told {
    version: u32,
    about: BTreeMap<String, BTreeMap<String, Known>>,
    /// Whether the file says something else.
    #[serde(skip)]
    has_changed: bool,
}

/// How a subject stood when it was last told, or passed over in silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    key: String,
    /// Whether it is something that the receiver waits to hear the end of.
    open: bool,
    /// How bad it was.
    level: u8,
}

impl Known {
    fn of(state: &State, open: bool) -> Self {
        Self { key: state.key.clone(), open, level: state.severity as u8 }
    }

    /// The same got worse, which is news.
    fn is_worse_now(&self, state: &State) -> bool {
        state.severity as u8 > self.level
    }
}

/// What of all that is a receiver's business.
pub(super) struct Filter<'a>(pub(super) &'a ReceiverSettings);

impl Filter<'_> {
    /// Whether it is to know of this TED; of what concerns none alone when it is to know of all.
    pub(super) fn knows(&self, about: &str) -> bool {
        self.0.teds.is_empty() || self.0.teds.iter().any(|ted| ted.as_str() == about)
    }

    fn wants(&self, state: &State) -> bool {
        (self.0.kinds.is_empty() || self.0.kinds.contains(&state.kind))
            && state.severity >= self.0.severity
    }
}

impl Told {
    /// What is to be told now, given how all subjects of a TED stand.
    pub(super) fn news(
        &mut self,
        about: &str,
        states: Vec<State>,
        filter: &Filter<'_>,
    ) -> Vec<State> {
        if states.is_empty() {
            // Nobody has looked at it yet.
            return Vec::new();
        }
        let is_first = !self.about.contains_key(about);
        self.has_changed |= is_first;
        let told = self.about.entry(about.to_owned()).or_default();
        let present: BTreeSet<String> = states.iter().map(|state| state.subject.clone()).collect();
        let mut news = Vec::new();
        for state in states {
            let is_news = match (told.get(&state.subject), state.weight) {
                // What was told is told to be over, whatever else is filtered.
                (Some(_), Weight::Good) => true,
                (Some(known), Weight::Over) if known.open => known.key != state.key,
                (Some(known), Weight::Growing) => {
                    (known.key < state.key || known.is_worse_now(&state)) && filter.wants(&state)
                }
                (Some(known), Weight::News | Weight::Over) => {
                    (known.key != state.key || known.is_worse_now(&state)) && filter.wants(&state)
                }
                (None, Weight::Good) => false,
                (None, Weight::Over) if is_first => {
                    told.insert(state.subject.clone(), Known::of(&state, false));
                    continue;
                }
                (None, Weight::Over | Weight::Growing | Weight::News) => filter.wants(&state),
            };
            if is_news {
                news.push(state);
            }
        }
        let gone = told.iter().filter(|(subject, _)| !present.contains(*subject));
        news.extend(gone.filter_map(|(subject, known)| ended(subject, &known.key)));
        news
    }

    /// The key of what was last told under a subject.
    pub(super) fn key(&self, about: &str, subject: &str) -> Option<&str> {
        self.about.get(about)?.get(subject).map(|known| known.key.as_str())
    }

    /// It was told, or will not be.
    pub(super) fn mark(&mut self, about: &str, state: &State) {
        let told = self.about.entry(about.to_owned()).or_default();
        let open = match state.weight {
            Weight::Good => {
                told.remove(&state.subject);
                self.has_changed = true;
                return;
            }
            Weight::Over => false,
            Weight::Growing | Weight::News => true,
        };
        told.insert(state.subject.clone(), Known::of(state, open));
        self.has_changed = true;
    }

    /// A TED is gone.
    pub(super) fn forget(&mut self, about: &str) {
        self.has_changed |= self.about.remove(about).is_some();
    }

    /// Of all others nothing needs to be known any more.
    pub(super) fn keep(&mut self, is_there: impl Fn(&str) -> bool) {
        let before = self.about.len();
        self.about.retain(|about, _| about.is_empty() || is_there(about));
        self.has_changed |= self.about.len() != before;
    }

    /// What is to be written down, if it is something else than last time.
    pub(super) fn take_changed(&mut self) -> Option<Self> {
        std::mem::take(&mut self.has_changed).then(|| self.clone())
    }

    /// Reads what a former process left; nothing when there is nothing of use. Blocks.
    pub(super) fn load(path: &Path) -> Self {
        let mut text = String::new();
        let read = std::fs::File::open(path)
            .and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text));
        let problem = match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::default(),
            Err(error) => error.to_string(),
            Ok(_) if text.len() as u64 > MAX_BYTES => "it is too large".to_owned(),
            Ok(_) => match serde_json::from_str::<Self>(&text) {
                Ok(told) if told.version == VERSION => return told,
                Ok(_) => "another version wrote it".to_owned(),
                Err(error) => error.to_string(),
            },
        };
        let path = path.display();
        tracing::warn!(%path, problem, "what a receiver was told is not known: what is not as it should be is told again");
        Self::default()
    }

    /// Writes it, whole or not at all. Blocks.
    pub(super) fn save(&self, path: &Path) -> io::Result<()> {
        let written = Self { version: VERSION, ..self.clone() };
        crate::report::write_whole(path, &serde_json::to_string(&written)?)
    }
}

#[cfg(test)]
mod tests;
