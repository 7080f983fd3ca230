//! What comes in: documents, and requests of people.

use super::{Controller, Slot};
use crate::clock;
use crate::desired::InForce;
use crate::report::commands::{Command, Refused};
use crate::report::{SourceCommit, SourceReport};
use crate::source::SourceState;
use std::sync::Arc;

/// How many requests to look at one TED wait for its next pass, which answers them all.
const MAX_ASKED: usize = 64;

impl Controller {
    /// Takes over what the sources say now.
    pub(super) fn adopt_documents(&mut self) {
        let documents = Arc::clone(&self.documents.borrow_and_update());
        // TEDs before sources: what counts as read is what can be seen.
        if documents.complete {
            self.adopt(&documents.in_force);
        }
        self.tell_sources();
    }

    fn adopt(&mut self, in_force: &InForce) {
        let (now, wall) = (clock::now(), clock::wall());
        for entry in &in_force.entries {
            let name = &entry.desired.name;
            self.store.put_document(&entry.desired, wall);
            match self.slots.get_mut(name) {
                None => {
                    self.slots.insert(name.clone(), Slot::new(entry.clone(), now));
                }
                Some(slot) => {
                    let changed = slot.update(entry, now);
                    // A pass under way says it when it ends.
                    if !changed && !slot.running {
                        self.store.carry_revision(name, &entry.revision);
                    }
                }
            }
        }
        let gone = self
            .slots
            .values_mut()
            .filter(|slot| slot.entry.is_some() && in_force.get(&slot.name).is_none());
        for slot in gone {
            tracing::info!(
                ted = slot.name.as_str(),
                "its document is gone; what it holds is given back"
            );
            slot.entry = None;
            slot.look_now(now);
        }
        self.adopt_remembered(in_force);
    }

    /// Says how the sources stand, and logs what is new about that.
    pub(super) fn tell_sources(&mut self) {
        let documents = Arc::clone(&self.documents.borrow());
        for source in &documents.sources {
            let before = self.told.get(&source.origin);
            if before.is_some_and(|(_, known)| is_same(known, source)) {
                continue;
            }
            let report = report(source);
            log(before.map(|(report, _)| report), &report);
            self.store.set_source(report.clone());
            self.told.insert(source.origin.clone(), (report, source.clone()));
        }
    }

    /// Takes a request up.
    pub(super) fn obey(&mut self, command: &Command) -> Result<(), Refused> {
        match command {
            Command::Reconcile { name, token, retry } => {
                let slot = self.slots.values_mut().find(|slot| slot.name.as_str() == name);
                let slot = slot.ok_or_else(|| Refused::NoSuchTed(name.clone()))?;
                if slot.asked.len() >= MAX_ASKED {
                    return Err(Refused::Busy);
                }
                slot.asked.push(token.clone());
                slot.retry_asked |= retry;
                slot.look_now(clock::now());
            }
            Command::Freeze { on, reason } => {
                self.store.set_freeze(*on, reason.as_deref(), clock::wall());
                let reason = reason.as_deref().map(crate::text::sanitize);
                let what = if *on { "frozen" } else { "allowed again" };
                tracing::warn!(frozen = on, reason, "starts are {what}");
                self.look_at_all();
            }
        }
        Ok(())
    }

    /// What may start has changed for all of them.
    pub(super) fn look_at_all(&mut self) {
        let now = clock::now();
        for slot in self.slots.values_mut() {
            (slot.due, slot.again) = (now, slot.running);
        }
    }
}

fn report(source: &SourceState) -> SourceReport {
    let unread = SourceReport::unread(&source.origin).with(&source.in_force);
    SourceReport {
        revision: source.revision.as_ref().map(ToString::to_string),
        last_read_at: source.last_read_at,
        problem: source.problem.as_deref().map(crate::text::sanitize),
        commit: source.commit.as_ref().map(|commit| SourceCommit {
            id: commit.id.clone(),
            branch: commit.branch.clone(),
            author: commit.author.clone(),
            subject: commit.subject.clone(),
            time: commit.time,
        }),
        ..unread
    }
}

/// Whether there is nothing new to say. It costs less than making a report.
fn is_same(known: &SourceState, now: &SourceState) -> bool {
    known.last_read_at == now.last_read_at
        && known.problem == now.problem
        && known.revision == now.revision
        && Arc::ptr_eq(&known.in_force, &now.in_force)
}

fn log(before: Option<&SourceReport>, now: &SourceReport) {
    let origin = now.source.as_str();
    let problem_before = before.and_then(|before| before.problem.as_ref());
    match &now.problem {
        Some(problem) if problem_before != Some(problem) => {
            tracing::warn!(
                source = origin,
                problem,
                "the source cannot be read; what it said last stays in force"
            );
        }
        None if problem_before.is_some() => {
            tracing::info!(source = origin, "the source can be read again");
        }
        Some(_) | None => {}
    }
    let known: Vec<_> = before
        .into_iter()
        .flat_map(|before| &before.files)
        .flat_map(|file| &file.problems)
        .collect();
    for file in &now.files {
        for problem in file.problems.iter().filter(|problem| !known.contains(problem)) {
            tracing::warn!(
                source = origin,
                place = %problem.location,
                hint = problem.hint,
                "{problem}"
            );
        }
    }
    if now.revision.is_some()
        && before.and_then(|before| before.revision.as_ref()) != now.revision.as_ref()
    {
        let commit = now.commit.as_ref();
        tracing::info!(
            source = origin,
            revision = now.revision,
            author = commit.map(|commit| commit.author.as_str()),
            subject = commit.map(|commit| commit.subject.as_str()),
            files = now.files.len(),
            invalid = now.invalid_files(),
            "documents read"
        );
    }
}
