//! The last failure of a product: its records beside the events of its stacks.
//!
//! A record that Service Catalog refused leaves no event, so an older failure that the stack still remembers must not pass for its cause.
//! A stack that was changed past Service Catalog leaves no record. And a product may be tainted with neither.

use super::walk::beginning;
use super::{Cause, Diagnosis, Failure, conclude, diagnose, remedy};
use crate::assess::facts::{Agreed, Facts};
use crate::desired::{Engine, Role};
use crate::observe::observation::{Observation, Record, Seen};
use crate::observe::story::Story;
use crate::text::{moment, sanitize};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How far the clocks of Service Catalog and CloudFormation may lie apart: a stack begins after its record, by a few seconds.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(2);

/// A provisioned product, as a resource (CloudFormation resource reference).
const PRODUCT: &str = "AWS::ServiceCatalog::CloudFormationProvisionedProduct";

/// The last change of a TED, and why it failed if it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastFailure {
    /// How the last change came out.
    pub outcome: Outcome,
    /// That, in one sentence.
    pub summary: String,
    /// The record of the last provisioning request.
    pub record: Option<RecordFacts>,
    /// Whether the stack was changed last past Service Catalog: then no record tells of it.
    pub outside: bool,
    /// The token with which the stack's change was begun; the console's begin with `Console-`.
    pub token: Option<String>,
    /// Why it failed.
    pub diagnosis: Option<Diagnosis>,
    /// What could not be seen, a sentence each.
    pub unseen: Vec<String>,
}

impl LastFailure {
    /// The record that failed, with why; absent when the last one did not, or nothing tells.
    pub fn of_a_failed_record(self) -> Option<(String, Diagnosis)> {
        let record = self.record.filter(|record| record.status == "FAILED")?;
        Some((record.id, self.diagnosis?))
    }
}

/// How a change came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It failed.
    Failed,
    /// It runs, and nothing of it has failed so far.
    Running,
    /// It failed, and its way back runs.
    GoingBack,
    /// Nothing is known to have failed.
    Well,
    /// Too little could be read to say.
    Unknown,
}

/// A record, as a diagnosis names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordFacts {
    /// `rec-…`.
    pub id: String,
    /// `FAILED`, …
    pub status: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it last changed.
    pub updated: Option<Timestamp>,
    /// Who asked.
    pub principal: Option<String>,
    /// The version that was asked for.
    pub version: Option<String>,
    /// What Service Catalog says went wrong.
    pub errors: Vec<String>,
}

/// Whether a change that began then was asked for in Service Catalog, as far as its records tell.
pub fn is_of_a_record(observation: &Observation, began: Timestamp) -> bool {
    let history = observation.history.present().into_iter().flatten();
    history.chain(observation.last_record.present()).any(|record| {
        whose_events(Some(record), Some(began)) == Events::OfTheRecord && record.status == "FAILED"
    })
}

/// Explains the last failure of what was observed. `story`: the events of its stacks, read after it.
pub fn last_failure(observation: &Observation, story: &Story) -> LastFailure {
    let mut unseen = gaps(observation);
    let record = observation.last_record.present();
    let began = story.stacks.first().and_then(beginning);
    let events = whose_events(record, began);
    // A way back that failed stands in the way whatever was asked for since.
    let is_stuck = observation.is_stuck();
    let from_events = match events {
        Events::Older if is_stuck => {
            let found = diagnose(story, leads_back_to_redis(observation, &mut unseen));
            // What led to it is not why the last request was refused.
            found.map(|found| Diagnosis { failure: None, ..found })
        }
        Events::Older => None,
        Events::OfTheRecord | Events::Outside | Events::Untold => {
            diagnose(story, leads_back_to_redis(observation, &mut unseen))
        }
    };
    let told = events != Events::Older && from_events.as_ref().is_some_and(tells_of_a_failure);
    // A change past Service Catalog that went well explains nothing: then the record is what there is.
    let about = if events == Events::Outside && !told { Events::Untold } else { events };
    let mut diagnosis = from_events;
    if !told
        && is_failed(record, observation)
        && let Some(refusal) = refusal(observation, record)
    {
        diagnosis = Some(refused(refusal, diagnosis));
    }
    // Half a story that shows nothing is no diagnosis, it is a gap.
    if let Some(empty) =
        diagnosis.take_if(|found| !tells_of_a_failure(found) && found.left_behind.is_empty())
    {
        unseen.extend(empty.unseen);
    }
    if let Some(found) = &mut diagnosis {
        assign(found, observation);
        unseen.append(&mut found.unseen);
    }
    unseen.sort();
    unseen.dedup();
    let outcome = outcome(observation, record, diagnosis.as_ref(), &unseen);
    LastFailure {
        summary: summary(outcome, about, began, record, diagnosis.as_ref()),
        outcome,
        record: record.map(|record| facts_of(record, observation)),
        outside: matches!(events, Events::Outside),
        token: token(story, began),
        diagnosis,
        unseen,
    }
}

/// Whose the newest events of the stack are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Events {
    /// Those of the last record.
    OfTheRecord,
    /// Those of a change before it: the last record never reached the stack.
    Older,
    /// Those of a change after it, past Service Catalog.
    Outside,
    /// There is no record to lay them beside, or no beginning to be seen.
    Untold,
}

fn whose_events(record: Option<&Record>, began: Option<Timestamp>) -> Events {
    let (Some(record), Some(began)) = (record, began) else { return Events::Untold };
    if record.created.is_some_and(|created| created.duration_since(began) > CLOCKS_APART) {
        Events::Older
    } else if record.is_over()
        && record.updated.is_some_and(|updated| began.duration_since(updated) > CLOCKS_APART)
    {
        Events::Outside
    } else {
        Events::OfTheRecord
    }
}

fn is_failed(record: Option<&Record>, observation: &Observation) -> bool {
    record.is_some_and(|record| matches!(record.status.as_str(), "FAILED" | "IN_PROGRESS_IN_ERROR"))
        || product_status(observation).is_some_and(|status| matches!(status, "TAINTED" | "ERROR"))
}

fn product_status(observation: &Observation) -> Option<&str> {
    let product = observation.products.present()?.first()?;
    Some(product.status.as_str())
}

/// What was read in part, or not at all, of what a diagnosis goes by.
fn gaps(observation: &Observation) -> Vec<String> {
    let parts = [
        ("the provisioned product", observation.products.gap()),
        ("the last record", observation.last_record.gap()),
        ("the root stack", observation.root.gap()),
        ("which nested stacks there are", observation.nested.gap()),
    ];
    let gaps = parts.into_iter().filter_map(|(what, gap)| Some((what, gap?)));
    gaps.map(|(what, gap)| format!("{what}: {}", sanitize(&gap.message))).collect()
}

/// Whether the cache runs Valkey while the stack, rolled back, wants Redis.
fn leads_back_to_redis(observation: &Observation, unseen: &mut Vec<String>) -> bool {
    if let Some(gap) = observation.caches.gap() {
        unseen.push(format!("whether the cache already runs Valkey: {}", sanitize(&gap.message)));
    }
    let facts = Facts::of(None, observation);
    // A stack whose engine parameter is found and says Valkey was there before the change.
    let engine = facts.role_value(Role::CacheEngine).and_then(|engine| Engine::parse(engine).ok());
    let wants_valkey = engine == Some(Engine::Valkey);
    facts.engine == Agreed::All(Engine::Valkey) && !wants_valkey
}

fn tells_of_a_failure(found: &Diagnosis) -> bool {
    found.failure.is_some() || !found.rollback.is_empty()
}

/// What Service Catalog says of a failure: the record's errors, else the product's own message.
fn refusal(observation: &Observation, record: Option<&Record>) -> Option<Failure> {
    let product = observation.products.present()?.first()?;
    let failed = record.filter(|record| record.status == "FAILED");
    let text = failed
        .map(|record| record.errors.join("; "))
        .filter(|text| !text.is_empty())
        .or_else(|| product.status_message.clone())?;
    let message = sanitize(&text);
    Some(Failure {
        logical_id: sanitize(&product.name),
        physical_id: Some(sanitize(&product.id)),
        kind: PRODUCT.to_owned(),
        stack_path: Vec::new(),
        stack_name: String::new(),
        at: failed.and_then(|record| record.updated),
        cause: super::classify(&message),
        message,
    })
}

/// The diagnosis of a change that shows in no event.
fn refused(refusal: Failure, partly: Option<Diagnosis>) -> Diagnosis {
    let mut seen = super::walk::Seen { failure: Some(refusal), ..super::walk::Seen::default() };
    let mut past_the_door = false;
    if let Some(partly) = partly {
        past_the_door = partly.cause == Cause::PastTheDoor;
        (seen.left_behind, seen.unseen) = (partly.left_behind, partly.unseen);
        (seen.began, seen.touched_cache) = (partly.began, partly.touched_cache);
        (seen.rollback, seen.way_back) = (partly.rollback, partly.way_back);
    }
    conclude(seen, past_the_door)
}

/// Says whose rights were missing, and words the remedy with it.
fn assign(found: &mut Diagnosis, observation: &Observation) {
    let by_cloudformation = found.failure.as_ref().is_none_or(|failure| failure.kind != PRODUCT);
    for denied in &mut found.denials {
        denied.assign(observation, by_cloudformation);
    }
    let shown = found.failure.as_ref().or(found.rollback.first());
    if shown.is_some() {
        found.remedy = remedy::of(found.cause, shown, &found.rollback, &found.denials);
    }
}

fn outcome(
    observation: &Observation,
    record: Option<&Record>,
    diagnosis: Option<&Diagnosis>,
    unseen: &[String],
) -> Outcome {
    let stack = observation.root.present().map(|root| root.status.as_str()).unwrap_or_default();
    let failure = diagnosis.is_some_and(tells_of_a_failure);
    let runs = stack.ends_with("_IN_PROGRESS") || record.is_some_and(Record::runs);
    let goes_back = stack.contains("ROLLBACK") && stack.ends_with("_IN_PROGRESS");
    if runs && (failure || goes_back) {
        Outcome::GoingBack
    } else if runs {
        Outcome::Running
    } else if failure || is_failed(record, observation) || stack.ends_with("_FAILED") {
        Outcome::Failed
    } else if unseen.is_empty() || is_known_to_be_well(observation, record) {
        Outcome::Well
    } else {
        Outcome::Unknown
    }
}

/// Whether product, record and stack all say so themselves; then events that could not be read hide nothing.
fn is_known_to_be_well(observation: &Observation, record: Option<&Record>) -> bool {
    product_status(observation) == Some("AVAILABLE")
        && (record.is_some_and(|record| record.status == "SUCCEEDED")
            || matches!(observation.last_record, Seen::Absent))
        && observation.root.present().is_some_and(|root| {
            matches!(root.status.as_str(), "UPDATE_COMPLETE" | "CREATE_COMPLETE")
        })
}

fn summary(
    outcome: Outcome,
    events: Events,
    began: Option<Timestamp>,
    record: Option<&Record>,
    diagnosis: Option<&Diagnosis>,
) -> String {
    let change = match (events, record, began) {
        (Events::Outside, _, Some(began)) => {
            format!("the change of the stack of {}, past Service Catalog,", moment(began))
        }
        (_, Some(record), _) => match record.created {
            Some(created) => format!("the last request ({}) of {}", record.id, moment(created)),
            None => format!("the last request ({})", record.id),
        },
        (_, None, Some(began)) => format!("the change of the stack of {}", moment(began)),
        (_, None, None) => "the last change".to_owned(),
    };
    let never = if events == Events::Older { " before it reached the stack" } else { "" };
    match (outcome, diagnosis) {
        (Outcome::Failed, Some(found)) => {
            let place = found
                .failure
                .as_ref()
                .or(found.rollback.first())
                .filter(|failure| failure.kind != PRODUCT)
                .map(|failure| format!(" at `{}`", failure.place()))
                .unwrap_or_default();
            format!("{change} failed{never}{place}: {}", found.cause)
        }
        (Outcome::Failed, None) => format!("{change} failed{never}, and nothing tells why"),
        (Outcome::GoingBack, Some(found)) => {
            format!("{change} failed and is being rolled back: {}", found.cause)
        }
        (Outcome::GoingBack, None) => format!("{change} is being rolled back"),
        (Outcome::Running, _) => format!("{change} runs, and nothing of it has failed so far"),
        (Outcome::Well, Some(found)) if !found.left_behind.is_empty() => {
            format!("{change} succeeded, and left something behind")
        }
        (Outcome::Well, _) => {
            if record.is_some() || began.is_some() {
                format!("{change} did not fail")
            } else {
                "no change is known, and so no failure".to_owned()
            }
        }
        (Outcome::Unknown, _) => "too little could be read to say".to_owned(),
    }
}

fn facts_of(record: &Record, observation: &Observation) -> RecordFacts {
    let version = record.artifact_id.as_deref().map(|id| {
        let known = observation.versions.present();
        let artifact = known.and_then(|all| all.iter().find(|artifact| artifact.id == id));
        artifact.map_or(id, |artifact| artifact.name.as_str()).to_owned()
    });
    RecordFacts {
        id: sanitize(&record.id),
        status: sanitize(&record.status),
        created: record.created,
        updated: record.updated,
        principal: record.principal.as_deref().map(sanitize),
        version: version.as_deref().map(sanitize),
        errors: record.errors.iter().map(|error| sanitize(error)).collect(),
    }
}

/// The token of the root's own event that began the change.
fn token(story: &Story, began: Option<Timestamp>) -> Option<String> {
    let root = story.stacks.first()?;
    let own = |event: &&crate::observe::story::StackEvent| {
        event.physical_id.as_deref() == Some(root.id.as_str()) && event.at == began
    };
    let token = root.events.iter().filter(own).find_map(|event| event.token.as_deref())?;
    began.map(|_| sanitize(token))
}
