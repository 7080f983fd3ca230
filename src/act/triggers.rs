//! Triggers: tagging, disabling, enabling. Each is read again right before it is changed, and left alone if its tag or the time of its
//! last change is another one than the decision was made on (`assess::protocol::model` shows what happens otherwise).
//!
//! One after the other: Lambda's control plane takes 15 requests a second from everybody in the account (Lambda developer guide,
//! quotas), and a pause must not take them from others.

use super::{Disabled, Outcome};
use crate::assess::holds::{HOLD_PREFIX, Hold};
use crate::assess::types::TriggerTarget;
use crate::aws::types::Mapping;
use crate::aws::{self, Reader, Writer};
use crate::clock::Instant;
use crate::text::sanitize;
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// Two times of a last change that are closer than this are one: a listing and a single answer may be rounded differently.
const SAME_MOMENT: SignedDuration = SignedDuration::from_secs(1);

/// Lays claims. After a refusal nothing more is claimed: the right is missing, and what is claimed is given up by the next look.
pub(super) async fn hold(
    reader: &Reader,
    writer: &Writer,
    targets: &[TriggerTarget],
    until: Instant,
) -> Outcome {
    let mut outcome = Outcome::default();
    for target in targets {
        if as_expected(reader, target, &mut outcome).await.is_some() {
            if outcome.is_over(until) {
                break;
            }
            tag(writer, target, &mut outcome).await;
        }
        if !outcome.refused.is_empty() {
            break;
        }
    }
    outcome
}

/// Disables what still bears the claim.
pub(super) async fn disable(
    reader: &Reader,
    writer: &Writer,
    targets: &[TriggerTarget],
    until: Instant,
    disabled: &Disabled,
) -> Outcome {
    let mut outcome = Outcome::default();
    for target in targets {
        let Some((state, tags)) = claimed(reader, target, &mut outcome).await else { continue };
        if outcome.is_over(until) {
            break;
        }
        match state.as_str() {
            "Enabled" => {
                // Before it is sent: an answer may get lost.
                disabled.note(target);
                set(writer, target, false, &mut outcome).await;
            }
            // For another product's sake: as good as ours.
            "Disabled" | "Disabling" if is_owed_elsewhere(target, &tags) => {}
            // The look was older than what this process did, or a process before it.
            "Disabled" | "Disabling"
                if disabled.knows(target) || target.seen.as_ref() == Some(&target.tag) => {}
            // Somebody else did it since the look: it is theirs, and stays off when the others come back.
            "Disabled" | "Disabling" => tag(writer, target, &mut outcome).await,
            state => outcome.passed_over.push(format!("`{}` is {state}", target.function)),
        }
        if !outcome.refused.is_empty() {
            break;
        }
    }
    outcome
}

/// Gives claims up. A refusal of one does not keep the others.
pub(super) async fn release(
    reader: &Reader,
    writer: &Writer,
    targets: &[TriggerTarget],
) -> Outcome {
    let mut outcome = Outcome::default();
    for target in targets {
        if as_expected(reader, target, &mut outcome).await.is_some() {
            tag(writer, target, &mut outcome).await;
        }
    }
    outcome
}

/// Enables what is off and still released, then says that it was returned.
pub(super) async fn enable(reader: &Reader, writer: &Writer, targets: &[TriggerTarget]) -> Outcome {
    let mut outcome = Outcome::default();
    for target in targets {
        let Some((state, tags)) = as_expected(reader, target, &mut outcome).await else { continue };
        let yields = target.tag.ends_with(" yielded");
        match state.as_str() {
            "Disabled" if yields => tag(writer, target, &mut outcome).await,
            "Disabled" if is_held_elsewhere(target, &tags) => {
                outcome
                    .passed_over
                    .push(format!("`{}` is held for another product", target.function));
            }
            "Disabled" => {
                let before = outcome.done;
                set(writer, target, true, &mut outcome).await;
                // Only what was taken up is marked: whoever disables it from now on means it.
                if outcome.done > before {
                    outcome.done = before;
                    tag(writer, target, &mut outcome).await;
                }
            }
            "Enabled" | "Enabling" if !yields => tag(writer, target, &mut outcome).await,
            state => outcome.passed_over.push(format!("`{}` is {state}", target.function)),
        }
    }
    outcome
}

/// Whether another product holds it, or gave it up and is still to enable it.
fn is_owed_elsewhere(target: &TriggerTarget, tags: &BTreeMap<String, String>) -> bool {
    tags.iter().any(|(key, value)| {
        key.starts_with(HOLD_PREFIX) && *key != target.key && Hold::parse(value).is_owed()
    })
}

fn is_held_elsewhere(target: &TriggerTarget, tags: &BTreeMap<String, String>) -> bool {
    tags.iter().any(|(key, value)| {
        key.starts_with(HOLD_PREFIX) && *key != target.key && value.starts_with("held ")
    })
}

/// State and tags of a trigger, if its tag and the time of its last change are what the decision was made on.
async fn as_expected(
    reader: &Reader,
    target: &TriggerTarget,
    outcome: &mut Outcome,
) -> Option<(String, BTreeMap<String, String>)> {
    let (mapping, tags) = read_again(reader, target, outcome).await?;
    let changed = mapping
        .modified_at
        .zip(target.modified)
        .is_some_and(|(now, then)| now.duration_since(then).abs() >= SAME_MOMENT);
    if changed {
        outcome.passed_over.push(format!("`{}` changed meanwhile", target.function));
        return None;
    }
    Some((mapping.state.unwrap_or_default(), tags))
}

/// State and tags of a trigger that bears the claim that was found.
async fn claimed(
    reader: &Reader,
    target: &TriggerTarget,
    outcome: &mut Outcome,
) -> Option<(String, BTreeMap<String, String>)> {
    let (mapping, tags) = read_again(reader, target, outcome).await?;
    Some((mapping.state.unwrap_or_default(), tags))
}

async fn read_again(
    reader: &Reader,
    target: &TriggerTarget,
    outcome: &mut Outcome,
) -> Option<(Mapping, BTreeMap<String, String>)> {
    let (mapping, tags) = tokio::join!(reader.mapping(&target.uuid), reader.tags(&target.arn));
    let (mapping, tags) = match (mapping, tags) {
        (Ok(Some(mapping)), Ok(Some(tags))) => (mapping, tags),
        // It went away with its TE version.
        (Ok(None), Ok(_)) | (Ok(_), Ok(None)) => {
            outcome.passed_over.push(format!("the trigger of `{}` is gone", target.function));
            return None;
        }
        (Err(error), _) | (_, Err(error)) => {
            outcome.refuse(
                &format!("cannot look at the trigger of `{}` again", target.function),
                &error,
            );
            return None;
        }
    };
    if tags.get(&target.key) != target.seen.as_ref() {
        let now = tags.get(&target.key).map_or("none", String::as_str);
        outcome.passed_over.push(format!(
            "the hold on `{}` changed meanwhile: {}",
            target.function,
            sanitize(now)
        ));
        return None;
    }
    Some((mapping, tags))
}

async fn tag(writer: &Writer, target: &TriggerTarget, outcome: &mut Outcome) {
    let what = format!("tag the trigger of `{}`", target.function);
    let answer = writer.tag_mapping(&target.arn, &target.key, &target.tag).await;
    note(answer, &what, outcome);
}

async fn set(writer: &Writer, target: &TriggerTarget, enabled: bool, outcome: &mut Outcome) {
    let what = format!(
        "{} the trigger of `{}`",
        if enabled { "enable" } else { "disable" },
        target.function
    );
    note(writer.set_mapping_enabled(&target.uuid, enabled).await, &what, outcome);
}

fn note<T>(answer: aws::Outcome<T>, what: &str, outcome: &mut Outcome) {
    match answer {
        aws::Outcome::Accepted(_) => outcome.done += 1,
        aws::Outcome::Refused(error) => outcome.refuse(&format!("cannot {what}"), &error),
        aws::Outcome::Unknown(error) => {
            outcome.unknown.push(format!("nobody knows whether AWS did {what}: {error}"));
        }
    }
}
