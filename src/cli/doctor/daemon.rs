//! What the daemon's settings name and AWS knows nothing of: sources, the secrets of receivers, the state directory.
//!
//! Sources are read as the daemon reads them, apart from one that may be running. Receivers are told nothing: only that they could be.

use super::super::what::Subject;
use super::{Check, Outcome, check};
use crate::notify;
use crate::settings::{self, Overrides, Settings, SourceSettings};
use crate::source::{FileSource, GitSource, Snapshot};
use crate::text::chain;
use std::path::Path;

/// The settings as the daemon would have them, or what is wrong with them.
pub(super) fn settings(file: &Path) -> Result<Settings, Vec<Check>> {
    settings::load(Some(file), Overrides::default()).map_err(|error| {
        if error.problems().is_empty() {
            let remedy = error.hint().map(str::to_owned);
            return vec![check("settings", Outcome::Failed, chain(&error), remedy)];
        }
        let problem = |problem: &crate::desired::Problem| {
            check("settings", Outcome::Failed, problem.to_string(), problem.hint.clone())
        };
        error.problems().iter().map(problem).collect()
    })
}

/// Reads every source; what they say together is what the daemon would look at.
pub(super) async fn sources(settings: &Settings) -> (Vec<Check>, Vec<Subject>) {
    let (mut checks, mut subjects) = (Vec::new(), Vec::new());
    let sources = settings.all_sources();
    if sources.is_empty() {
        let remedy = "add `desired: PATH` or `sources` to the settings";
        let message = "the settings name no source of documents";
        checks.push(check("source", Outcome::Unknown, message, Some(remedy.to_owned())));
    }
    for source in sources {
        let name;
        let read = match &source {
            SourceSettings::Path(path) => {
                name = format!("source {}", path.display());
                FileSource::new(path, settings.defaults(), settings.source_poll)
                    .read()
                    .map_err(|error| (chain(&error), Some(error.hint().to_owned())))
            }
            SourceSettings::Git(git) => {
                let source = GitSource::new((**git).clone(), settings.defaults(), None);
                name = format!("source {}", source.unread().origin);
                source.read().await.map_err(|error| (chain(&*error), error.hint()))
            }
        };
        match read {
            Err((message, remedy)) => checks.push(check(name, Outcome::Failed, message, remedy)),
            Ok(snapshot) => {
                checks.extend(documents(&name, &snapshot));
                let entries = snapshot.in_force.entries.iter();
                subjects.extend(
                    entries.map(|entry| Subject::of(entry.desired.clone(), &entry.revision)),
                );
            }
        }
    }
    (checks, subjects)
}

fn documents(name: &str, snapshot: &Snapshot) -> Vec<Check> {
    let problems: Vec<_> = snapshot.in_force.problems().collect();
    if !problems.is_empty() {
        let problem = |problem: &&crate::desired::Problem| {
            check(name, Outcome::Failed, problem.to_string(), problem.hint.clone())
        };
        return problems.iter().map(problem).collect();
    }
    let count = snapshot.in_force.entries.len();
    let documents = if count == 1 { "1 document".to_owned() } else { format!("{count} documents") };
    let of = match &snapshot.commit {
        Some(commit) => format!(
            " of commit {} in `{}`: {} ({})",
            commit.id.get(..12).unwrap_or(&commit.id),
            commit.branch,
            commit.subject,
            commit.author
        ),
        None => String::new(),
    };
    let outcome = if count == 0 { Outcome::Unknown } else { Outcome::Ok };
    let remedy = (count == 0).then(|| {
        "commit or write a desired document; `ted-controller adopt` writes one".to_owned()
    });
    vec![check(name, outcome, format!("{documents}{of}"), remedy)]
}

/// Whether each receiver's secrets can be read and its address be used.
pub(super) fn receivers(settings: &Settings) -> Vec<Check> {
    let one = |receiver: &settings::ReceiverSettings| {
        let name = format!("receiver {}", receiver.name);
        match notify::rehearse(receiver) {
            Ok(rehearsal) if rehearsal.is_signed => {
                check(name, Outcome::Ok, format!("{} can be asked", rehearsal.server), None)
            }
            Ok(rehearsal) => check(
                name,
                Outcome::Unknown,
                format!("{} can be asked; what it is told is not signed", rehearsal.server),
                Some("add `secretFile`, so that it can tell the controller from others".to_owned()),
            ),
            Err(why) => check(
                name,
                Outcome::Failed,
                why,
                Some("correct the file, the variable or the address that is named".to_owned()),
            ),
        }
    };
    settings.receivers.iter().map(one).collect()
}
