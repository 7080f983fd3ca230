//! The gate about events: everything that would have to be paused was found, can be read and can be tagged.

use super::{Case, Verdict};
use crate::assess::facts::missing;
use crate::assess::holds::{Hold, LEASE, hold_of};
use crate::observe::observation::{Seen, Trigger, Triggers};
use crate::text::moment;
use jiff::{SignedDuration, Timestamp};

/// How long events run after a pause that came to nothing, before the next one: as long as such a pause may last.
const BREATH: SignedDuration = SignedDuration::from_mins(15);

/// 17. Every worker trigger of every TE version that a workspace of this hive runs was found, is readable and can be tagged.
pub(in crate::assess) fn events_pausable(case: &Case<'_>) -> Verdict {
    if !case.desired.spec.events.pause {
        return Verdict::not_applicable("events are not paused: `events.pause` is false");
    }
    let triggers = match &case.observation.triggers {
        Seen::Present(triggers) => triggers,
        Seen::Absent => return nothing_found("no worker trigger was found"),
        unreadable @ (Seen::Unreadable(_) | Seen::NotLooked) => {
            return Verdict::unreadable(
                "the worker triggers",
                missing(unreadable).unwrap_or_default(),
            );
        }
    };
    if triggers.te_versions.is_empty() {
        return nothing_found(
            "no workspace of this hive was found, and so no TE version that it runs",
        );
    }
    if triggers.mappings.is_empty() {
        return nothing_found(&format!(
            "no worker trigger of TE {} was found",
            triggers.te_versions.join(", ")
        ));
    }
    let mut parts: Vec<Verdict> = Vec::new();
    if !triggers.missing_functions.is_empty() {
        parts.push(nothing_found(&format!(
            "worker functions were not found: {}",
            triggers.missing_functions.join(", ")
        )));
    }
    for version in &triggers.te_versions {
        if !triggers.mappings.iter().any(|trigger| trigger.te_version == *version) {
            parts.push(nothing_found(&format!("no worker trigger of TE {version} was found")));
        }
    }
    parts.extend(triggers.mappings.iter().map(one_trigger));
    parts.extend(came_to_nothing(case, triggers));
    let whole = Verdict::all(parts);
    if whole.passes() {
        Verdict::holds(format!("{} worker triggers can be paused", triggers.mappings.len()))
    } else {
        whole
    }
}

fn nothing_found(message: &str) -> Verdict {
    Verdict::person(
        message,
        "correct `events: {prefix: …}` or the rights to read Lambda, or write `events: {pause: false}` to update without a pause",
    )
}

/// A pause for this document that was given up a moment ago, and no update ended in or shortly before it: the next one waits, so that a
/// Lambda that answers too slowly, or a gate that opens and shuts, does not keep events off half of the time.
fn came_to_nothing(case: &Case<'_>, triggers: &Triggers) -> Option<Verdict> {
    let product = case.facts.product.one()?;
    let (ours, digest) = (case.context.controller_id.as_str(), case.desired.digest());
    let mut given_up: Option<Timestamp> = None;
    for trigger in &triggers.mappings {
        match hold_of(trigger, &product.id) {
            // A pause is on: this is not about it.
            Some(Hold::Held(claim)) if claim.controller == ours => return None,
            Some(Hold::Released(release))
                if release.controller == Some(ours) && release.digest == Some(digest.as_str()) =>
            {
                given_up = given_up.max(release.at);
            }
            Some(Hold::Held(_) | Hold::Released(_) | Hold::Garbled(_)) | None => {}
        }
    }
    let given_up = given_up?;
    let record = case.observation.last_record.present()?;
    let ended = record.updated.or(record.created)?;
    let until = given_up.checked_add(BREATH).ok()?;
    if given_up.duration_since(ended).unsigned_abs() <= LEASE || case.now() >= until {
        return None;
    }
    Some(Verdict::waiting(
        format!(
            "events were paused until {} and no update came of it: they run for a while before the next pause",
            moment(given_up)
        ),
        Some(until),
    ))
}

fn one_trigger(trigger: &Trigger) -> Verdict {
    let who = format!("the trigger {} of `{}`", trigger.uuid, trigger.function);
    if trigger.tags.is_none() {
        return Verdict::unknown(
            format!("the tags of {who} could not be read"),
            "allow `lambda:ListTags` on event source mappings: `ted-controller iam-policy` has the statement",
        );
    }
    if trigger.arn.is_empty() {
        return Verdict::unknown(
            format!("{who} shows no ARN, so it cannot be tagged"),
            "look at it in Lambda",
        );
    }
    match trigger.state.as_str() {
        "Enabled" | "Disabled" => Verdict::holds(""),
        // A change in one of these is refused (ResourceInUseException).
        "Creating" | "Enabling" | "Disabling" | "Updating" | "Deleting" => {
            Verdict::waiting(format!("{who} is {}", trigger.state), None)
        }
        state => Verdict::unknown(
            format!("{who} is {state}, which this version does not know"),
            "look at the trigger in Lambda; a newer ted-controller may know the state",
        ),
    }
}
