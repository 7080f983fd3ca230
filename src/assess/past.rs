//! What the controller remembers of a TED between looks. Comfort, not truth: without it it waits longer or asks a person, and it never
//! dares more. Pure: [`Past::seen`] and [`Past::after`] make the next one from the last.

use super::holds::{Hold, hold_of};
use super::types::{Assessment, ConditionStatus, ConditionType, StepKind};
use crate::desired::Committed;
use crate::observe::observation::{Observation, Record};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How many updates are remembered with their revision.
pub const MAX_UPDATES: usize = 50;

/// What is remembered of a TED. Times are AWS's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Past {
    /// The digest of the document that was last seen.
    pub digest: Option<String>,
    /// Since when that document is in force; absent for the first one ever seen, which may be older.
    pub document_since: Option<Timestamp>,
    /// Whether what it asks for was once in effect: then what differs now came from outside.
    pub reached: bool,
    /// Since when something differs that an update would change.
    pub differs_since: Option<Timestamp>,
    /// When a person last said that failed attempts shall not count.
    pub retry_at: Option<Timestamp>,
    /// The last refusal of a step, until one of its kind is accepted.
    pub refusal: Option<Refused>,
    /// Updates that were sent, newest last.
    pub updates: Vec<Sent>,
    /// Corrections of drift from outside, newest last: somebody may be fighting us.
    pub corrections: Vec<Timestamp>,
    /// What is kept off for its sake, and where, until it is given back.
    pub kept: Option<Kept>,
}

/// Where triggers are kept off: enough to give them back when the document is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// The provisioned product's id.
    pub product: String,
    /// Its region.
    pub region: String,
    /// Its account.
    pub account: Option<String>,
    /// The role to look with; without its external id, which is a secret.
    pub role: Option<String>,
    /// What the names of the worker functions begin with.
    pub prefix: String,
}

/// A step that AWS refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// Which kind.
    pub step: StepKind,
    /// What AWS said.
    pub message: String,
    /// When it was last refused.
    pub at: Timestamp,
    /// How often in a row.
    pub count: u32,
    /// Whether time may heal it.
    pub passing: bool,
}

/// An update that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    /// Its record, when AWS told it.
    pub record_id: Option<String>,
    /// The last provisioning record when it was sent; empty when nobody remembers.
    pub under: String,
    /// When.
    pub at: Timestamp,
    /// For which revision.
    pub revision: String,
    /// Who made the revision's commit, when it is one.
    #[serde(default)]
    pub commit: Option<Committed>,
    /// What was asked for, in a sentence.
    #[serde(default)]
    pub summary: Option<String>,
    /// For which document.
    pub digest: String,
}

/// How long after the look that it was decided on an update's record may have begun.
const SENT_WITHIN: SignedDuration = SignedDuration::from_mins(5);

impl Past {
    /// The update that a record is of, if this controller sent it. Of one whose answer was lost it is the record that began right after.
    pub fn update_of(&self, record: &Record) -> Option<&Sent> {
        let is_its = |sent: &&Sent| sent.record_id.as_deref() == Some(&record.id);
        let began_right_after = |sent: &&Sent| {
            let after = record.created.map(|created| created.duration_since(sent.at));
            sent.record_id.is_none()
                && after.is_some_and(|after| !after.is_negative() && after <= SENT_WITHIN)
        };
        let updates = || self.updates.iter();
        updates().find(is_its).or_else(|| updates().rfind(began_right_after))
    }

    /// What is remembered once a document was seen.
    #[must_use]
    pub fn seen(&self, digest: &str, now: Timestamp) -> Self {
        let mut past = self.clone();
        if past.digest.as_deref() != Some(digest) {
            // Of the first document ever seen nobody knows since when it is in force.
            past.document_since = past.digest.is_some().then_some(now);
            past.digest = Some(digest.to_owned());
            (past.reached, past.differs_since, past.refusal) = (false, None, None);
        }
        past
    }

    /// What is remembered after a look.
    #[must_use]
    pub fn after(mut self, assessment: &Assessment, now: Timestamp) -> Self {
        let ready = assessment.conditions.iter().any(|condition| {
            condition.kind == ConditionType::Ready && condition.status == ConditionStatus::True
        });
        let differs = assessment.plan.iter().any(|step| step.step == StepKind::Update);
        self.reached |= ready && !differs;
        self.differs_since = if differs { self.differs_since.or(Some(now)) } else { None };
        self
    }

    /// Notes that a step was refused.
    pub fn refused(&mut self, step: StepKind, message: &str, passing: bool, now: Timestamp) {
        let before = self.refusal.take().filter(|refusal| refusal.step == step);
        let count = before.map_or(0, |refusal| refusal.count).saturating_add(1);
        self.refusal = Some(Refused { step, message: message.to_owned(), at: now, count, passing });
    }

    /// Notes that a step was taken.
    pub fn accepted(&mut self, step: StepKind) {
        if self.refusal.as_ref().is_some_and(|refusal| refusal.step == step) {
            self.refusal = None;
        }
    }

    /// Notes that an update was sent.
    pub fn sent(&mut self, sent: Sent) {
        if self.reached {
            self.corrections.push(sent.at);
            let excess = self.corrections.len().saturating_sub(MAX_UPDATES);
            self.corrections.drain(..excess);
        }
        self.updates.push(sent);
        let excess = self.updates.len().saturating_sub(MAX_UPDATES);
        self.updates.drain(..excess);
    }

    /// A person said that what failed before shall not count.
    pub fn retry(&mut self, now: Timestamp) {
        self.retry_at = Some(now);
        self.refusal = None;
        self.corrections.clear();
    }

    /// Since when attempts count; absent: all do.
    pub fn counts_since(&self) -> Option<Timestamp> {
        self.document_since.max(self.retry_at)
    }

    /// Whether a document was once in effect, by memory or by what the holds say: they bear the document for which events were last
    /// paused, and the last update succeeded.
    pub fn was_reached(&self, digest: &str, observation: &Observation) -> bool {
        if self.digest.as_deref() == Some(digest) && self.reached {
            return true;
        }
        let succeeded =
            observation.last_record.present().is_some_and(|record| record.status == "SUCCEEDED");
        let [product] = observation.products.present().map_or(&[][..], Vec::as_slice) else {
            return false;
        };
        let bears = observation.triggers.present().is_some_and(|triggers| {
            triggers.mappings.iter().any(|trigger| {
                matches!(hold_of(trigger, &product.id), Some(Hold::Released(release)) if release.digest == Some(digest))
            })
        });
        succeeded && bears
    }
}
