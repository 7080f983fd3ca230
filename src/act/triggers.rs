//! Triggers: tagging, disabling, enabling. Each is read again right before it is changed, except when only our claim is laid on it:
//! that is harmless, and is looked at before anything follows.
//!
//! One after the other: Lambda's control plane takes 15 requests a second from everybody in the account (Lambda developer guide,
//! quotas), and a pause must not take them from others.

use super::Outcome;
use crate::assess::holds::HOLD_PREFIX;
use crate::assess::types::TriggerTarget;
use crate::aws::{self, Reader, Writer};
use crate::text::sanitize;
use std::collections::BTreeMap;

/// Lays claims. After a refusal nothing more is claimed: the right is missing, and what is claimed is given up by the next look.
pub(super) async fn hold(writer: &Writer, targets: &[TriggerTarget]) -> Outcome {
    let mut outcome = Outcome::default();
    for target in targets {
        tag(writer, target, &mut outcome).await;
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
) -> Outcome {
    let mut outcome = Outcome::default();
    for target in targets {
        let Some((state, _)) = as_expected(reader, target, &mut outcome).await else { continue };
        match state.as_str() {
            "Enabled" => set(writer, target, false, &mut outcome).await,
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
        let held_elsewhere = tags.iter().any(|(key, value)| {
            key.starts_with(HOLD_PREFIX) && *key != target.key && value.starts_with("held ")
        });
        match state.as_str() {
            "Disabled" if yields => tag(writer, target, &mut outcome).await,
            "Disabled" if held_elsewhere => {
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

/// State and tags of a trigger, if its tag and the time of its last change are what the decision was made on.
async fn as_expected(
    reader: &Reader,
    target: &TriggerTarget,
    outcome: &mut Outcome,
) -> Option<(String, BTreeMap<String, String>)> {
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
    Some((mapping.state.unwrap_or_default(), tags))
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
