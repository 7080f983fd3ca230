//! The gate about events: everything that would have to be paused was found, can be read and can be tagged.

use super::{Case, Verdict};
use crate::assess::facts::missing;
use crate::observe::observation::{Seen, Trigger};

/// 17. Every worker trigger of every TE version that a workspace of this hive runs was found, is readable and can be tagged.
pub(super) fn events_pausable(case: &Case<'_>) -> Verdict {
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
