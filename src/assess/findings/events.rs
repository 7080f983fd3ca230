//! Events that do not run although nothing is being changed.

use super::super::holds::{End, Hold, LEASE, LONGEST_UPDATE, Release, holds_on};
use super::super::types::{Finding, Severity};
use super::finding;
use crate::observe::observation::{Observation, Trigger};
use jiff::{SignedDuration, Timestamp};

pub(super) fn find(observation: &Observation, found: &mut Vec<Finding>) {
    let products = observation.products.present().map_or(&[][..], Vec::as_slice);
    if products.len() == 1 {
        left_paused(observation, found);
    }
    backlog(observation, found);
}

/// Triggers that are off although nothing goes on.
fn left_paused(observation: &Observation, found: &mut Vec<Finding>) {
    let Some(triggers) = observation.triggers.present() else { return };
    if observation.is_changing() {
        return;
    }
    // Right after a change they are about to be given back.
    let just_ended = observation
        .last_record
        .present()
        .and_then(|record| record.updated)
        .is_some_and(|ended| fresh(ended, observation.now));
    if just_ended {
        return;
    }
    let products = observation.products.present().map_or(&[][..], Vec::as_slice);
    let product = products.first().map_or("", |product| product.id.as_str());
    let left = |trigger: &&Trigger| {
        trigger.state == "Disabled" && is_left(trigger, product, observation.now)
    };
    let off: Vec<&Trigger> = triggers.mappings.iter().filter(left).collect();
    if off.is_empty() {
        return;
    }
    let held = off
        .iter()
        .filter(|trigger| {
            trigger.tags.as_ref().is_some_and(|tags| {
                tags.keys().any(|key| key.starts_with(super::super::holds::HOLD_PREFIX))
            })
        })
        .count();
    let names: Vec<&str> = off.iter().map(|trigger| trigger.function.as_str()).collect();
    let who = match held {
        0 => "somebody disabled them and left no hold",
        _ if held == off.len() => "whoever paused them did not give them back",
        _ => "some were paused and not given back, some were disabled without a hold",
    };
    let stuck = held > 0 && observation.is_stuck();
    let what = if stuck {
        "are paused, and the stack is stuck in UPDATE_ROLLBACK_FAILED: they come back when its rollback is through".to_owned()
    } else {
        format!("are paused although no change is under way: {who}")
    };
    let remedy = if stuck {
        "the rollback has to be continued: the gate `stable` says by whom and how; meanwhile events wait in their queues; to run them in spite of it: `ted-controller resume-events`"
    } else if held == 0 {
        "enable the triggers in Lambda if nobody wants them off; the controller never enables what it did not pause"
    } else {
        "the controller gives them back by itself in apply mode; by hand: `ted-controller resume-events`"
    };
    let mut one = finding(
        "sync/events-left-paused",
        Severity::Critical,
        format!("events of {} {what}", names.join(", ")),
    )
    .values("Enabled", "Disabled")
    .read_from("Lambda event source mappings and their tags")
    .remedy(remedy);
    // The first of them; a tag that was written since is a change, too, so this is at worst too late.
    one.since = off.iter().filter_map(|trigger| trigger.last_modified).min();
    found.push(one);
}

/// Triggers that are on, and queues that do not get shorter for it.
fn backlog(observation: &Observation, found: &mut Vec<Finding>) {
    let Some(triggers) = observation.triggers.present() else { return };
    for queue in triggers.queues.iter().filter(|queue| queue.does_not_drain()) {
        let (Some(messages), Some(first)) = (queue.messages, &queue.first_on) else { continue };
        let name = queue.queue.rsplit(':').next().unwrap_or(&queue.queue);
        let mut one = finding(
            "sync/backlog-not-draining",
            Severity::Warning,
            format!("{messages} messages wait in {name}, {} when its triggers were on again: it does not get shorter", first.messages),
        )
        .values(format!("fewer than {}", first.messages), messages)
        .read_from(format!("SQS {name}"))
        .remedy("look at the worker functions in Lambda: errors, throttling and reserved concurrency, and whether they reach the database and the cache");
        one.since = Some(first.at);
        found.push(one);
    }
}

/// How long after its release a trigger may still be off: enabling takes a look and a call.
const ENABLED_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// Off for nobody's sake: no hold that is still being worked on.
fn is_left(trigger: &Trigger, product: &str, now: Timestamp) -> bool {
    let Some(holds) = holds_on(trigger) else { return false };
    !holds.iter().any(|(id, hold)| match hold {
        Hold::Held(claim) if *id == product => fresh(claim.at, now),
        // Another product's update may run, which this look does not see.
        Hold::Held(claim) => now.duration_since(claim.at) < LONGEST_UPDATE,
        Hold::Released(Release { at: Some(at), end: End::Open, .. }) => {
            now.duration_since(*at) < ENABLED_WITHIN
        }
        Hold::Released(_) | Hold::Garbled(_) => false,
    })
}

fn fresh(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) < SignedDuration::try_from(LEASE).unwrap_or_default()
}
