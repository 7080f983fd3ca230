//! Worker triggers: which there are, whom they serve, what they are tagged with, what waits behind them.
//!
//! Event source mappings are listed by the region, not by function: one answer for a hundred of them, and it shows triggers of TE
//! versions that no workspace runs any more but that still bear a hold. Only worker functions are looked at; mods are nobody's business
//! here.

use super::convert::gap;
use super::join::join_all;
use super::observation::{Backlog, Gap, OthersHold, Reading, Relative, Trigger, Triggers};
use crate::aws::{Error, Reader, types as aws};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// How the worker functions of a TE version end (Turbot's guide "Pause Event Processing").
const WORKERS: [&str; 3] = ["_worker", "_worker_priority", "_worker_retry"];

/// How long after its release a trigger's queue is still looked at: the backlog should be seen to drain.
const DRAIN_WATCH_SECONDS: i64 = 3600;

/// A function name of a TE version: everything that is no letter or digit becomes an underscore (`5.39.12` is seen as `5_39_12`; of
/// pre-releases nothing is published).
fn underscored(version: &str) -> String {
    version.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// The function's name in an ARN that may end in a version or an alias.
fn function_name(arn: &str) -> &str {
    arn.split(':').nth(6).unwrap_or(arn)
}

/// The part between prefix and ending, when it is a worker's name: `5_39_12`.
fn worker_version<'a>(prefix: &str, function: &'a str) -> Option<&'a str> {
    let rest = function.strip_prefix(prefix)?.strip_prefix('_')?;
    // The longest ending first: `_worker_retry` also holds `_worker`.
    let version = WORKERS.iter().rev().find_map(|ending| rest.strip_suffix(ending))?;
    version.starts_with(|c: char| c.is_ascii_digit()).then_some(version)
}

/// The worker mappings of a region, with the TE version in their function's name.
pub(super) struct Workers {
    /// Those of TE versions that this hive's workspaces run.
    own: Vec<Trigger>,
    /// Others that are not enabled: they may bear a hold of ours.
    others: Vec<Trigger>,
    te_versions: Vec<String>,
    missing: Vec<String>,
}

/// Sorts out the mappings of a region.
pub(super) fn workers(mappings: &[aws::Mapping], relatives: &[Relative], prefix: &str) -> Workers {
    let te_versions: BTreeSet<String> = relatives
        .iter()
        .filter(|relative| relative.workspace.is_some())
        .filter_map(|relative| relative.te_version.clone())
        .collect();
    let by_name: BTreeMap<String, &String> =
        te_versions.iter().map(|version| (underscored(version), version)).collect();
    let (mut own, mut others) = (Vec::new(), Vec::new());
    let mut found = BTreeSet::new();
    for mapping in mappings {
        let Some(arn) = mapping.function_arn.as_deref() else { continue };
        let function = function_name(arn);
        let Some(version) = worker_version(prefix, function) else { continue };
        let known = by_name.get(version);
        let trigger = trigger(mapping, function, known.map_or(version, |known| known.as_str()));
        if known.is_some() {
            found.insert(function.to_owned());
            own.push(trigger);
        } else if trigger.state != "Enabled" {
            others.push(trigger);
        }
    }
    let missing = te_versions
        .iter()
        .flat_map(|version| {
            WORKERS.iter().map(move |ending| format!("{prefix}_{}{ending}", underscored(version)))
        })
        .filter(|function| !found.contains(function))
        .collect();
    Workers { own, others, te_versions: te_versions.into_iter().collect(), missing }
}

fn trigger(mapping: &aws::Mapping, function: &str, te_version: &str) -> Trigger {
    Trigger {
        uuid: mapping.uuid.clone(),
        arn: mapping.arn.clone().unwrap_or_default(),
        function: function.to_owned(),
        te_version: te_version.to_owned(),
        state: mapping.state.clone().unwrap_or_default(),
        last_modified: mapping.modified_at,
        queue: mapping.event_source_arn.clone(),
        tags: None,
    }
}

impl Workers {
    /// Reads the tags, all at once within the budget, and says why some could not be read. `hold` is the tag key of this product's
    /// holds.
    pub(super) async fn tagged(self, reader: &Reader, hold: &str) -> (Triggers, Option<Gap>) {
        let own_count = self.own.len();
        let all: Vec<Trigger> = self.own.into_iter().chain(self.others).collect();
        let tags = join_all(all.iter().map(|trigger| reader.tags(&trigger.arn))).await;
        let mut mappings = Vec::new();
        let mut elsewhere = BTreeSet::new();
        let mut unread = None;
        for (place, (mut trigger, tags)) in all.into_iter().zip(tags).enumerate() {
            trigger.tags = match tags {
                Ok(Some(tags)) => Some(tags),
                // The mapping went away between the two calls.
                Ok(None) => continue,
                Err(error) => {
                    unread.get_or_insert_with(|| gap(&error));
                    None
                }
            };
            let is_held = trigger.tags.as_ref().is_some_and(|tags| tags.contains_key(hold));
            elsewhere.extend(trigger.tags.iter().flat_map(|tags| others_holds(tags, hold)));
            if place < own_count || is_held {
                mappings.push(trigger);
            }
        }
        mappings.sort_by(|a, b| (&a.function, &a.uuid).cmp(&(&b.function, &b.uuid)));
        let triggers = Triggers {
            te_versions: self.te_versions,
            missing_functions: self.missing,
            mappings,
            queues: Vec::new(),
            elsewhere: elsewhere.into_iter().collect(),
        };
        (triggers, unread)
    }
}

/// The holds of other products among tags.
fn others_holds(tags: &BTreeMap<String, String>, hold: &str) -> impl Iterator<Item = OthersHold> {
    let own = hold.to_owned();
    let prefix = super::hold_key("");
    tags.iter().filter(move |(key, _)| **key != own).filter_map(move |(key, value)| {
        let product = key.strip_prefix(&prefix)?.to_owned();
        Some(OthersHold { product, value: value.clone() })
    })
}

/// Queues worth a look: of triggers that are off, or were released a short while ago, and those that did not drain when last read.
pub(super) fn queues_to_watch(
    triggers: &Triggers,
    before: &[Backlog],
    hold: &str,
    now: Timestamp,
) -> Vec<String> {
    let stuck = |trigger: &Trigger| {
        let queue = trigger.queue.as_deref();
        before
            .iter()
            .any(|backlog| Some(backlog.queue.as_str()) == queue && backlog.does_not_drain())
    };
    let of_interest = |trigger: &&Trigger| {
        let released = trigger.tags.as_ref().and_then(|tags| tags.get(hold)).and_then(|value| {
            value.strip_prefix("released ")?.split(' ').next()?.parse::<i64>().ok()
        });
        trigger.state != "Enabled"
            || stuck(trigger)
            || released.is_some_and(|at| now.as_second().saturating_sub(at) < DRAIN_WATCH_SECONDS)
    };
    let queues: BTreeSet<String> = triggers
        .mappings
        .iter()
        .filter(of_interest)
        .filter_map(|trigger| trigger.queue.clone())
        .filter(|arn| arn.split(':').nth(2) == Some("sqs"))
        .collect();
    queues.into_iter().collect()
}

/// What waits in a queue; `url` is remembered by the caller.
pub(super) async fn backlog(
    reader: &Reader,
    arn: &str,
    url: &str,
    now: Timestamp,
) -> Result<Backlog, Error> {
    let queue = reader.queue(url).await?;
    let count = |queue: &aws::Queue| Some(queue.visible? + queue.delayed.unwrap_or(0));
    Ok(Backlog {
        queue: arn.to_owned(),
        messages: queue.as_ref().and_then(count),
        retention_seconds: queue.and_then(|queue| queue.retention_seconds),
        at: Some(now),
        first_on: None,
    })
}

/// Adds what an earlier look knew: how many messages waited when the triggers of a queue were on again.
pub(super) fn remember_first(queues: &mut [Backlog], before: &[Backlog], triggers: &[Trigger]) {
    for backlog in queues {
        let mut of_queue = triggers
            .iter()
            .filter(|trigger| trigger.queue.as_deref() == Some(backlog.queue.as_str()))
            .peekable();
        let on = of_queue.peek().is_some() && of_queue.all(|trigger| trigger.state == "Enabled");
        if !on {
            continue;
        }
        let known = before.iter().find(|known| known.queue == backlog.queue);
        let first = known.and_then(|known| known.first_on.clone());
        let this = || Some(Reading { at: backlog.at?, messages: backlog.messages? });
        backlog.first_on = first.or_else(this);
    }
}

/// The address of a queue, by its ARN. `None`: there is no such queue.
pub(super) async fn queue_url(reader: &Reader, arn: &str) -> Result<Option<String>, Error> {
    let mut parts = arn.split(':').skip(4);
    let (Some(account), Some(name)) = (parts.next(), parts.next()) else { return Ok(None) };
    reader.queue_url(name, Some(account)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(function: &str, state: &str) -> aws::Mapping {
        aws::Mapping {
            uuid: format!("uuid-{function}"),
            arn: Some(format!("arn:aws:lambda:us-east-2:1:event-source-mapping:uuid-{function}")),
            function_arn: Some(format!("arn:aws:lambda:us-east-2:1:function:{function}:live")),
            state: Some(state.to_owned()),
            ..aws::Mapping::default()
        }
    }

    fn workspace(version: &str) -> Relative {
        Relative {
            workspace: Some("acme".to_owned()),
            te_version: Some(version.to_owned()),
            ..Relative::default()
        }
    }

    #[test]
    fn only_the_workers_of_the_versions_that_workspaces_run_are_taken() {
        let mappings = [
            mapping("turbot_5_39_12_worker", "Enabled"),
            mapping("turbot_5_39_12_worker_priority", "Disabled"),
            mapping("turbot_5_40_0_worker", "Enabled"),
            mapping("turbot_5_40_0_worker_retry", "Disabled"),
            mapping("turbot_5_39_12_mod_aws_worker_x", "Enabled"),
            mapping("turbot_mod_worker", "Enabled"),
            mapping("other_5_39_12_worker", "Enabled"),
        ];
        let workers = workers(&mappings, &[workspace("5.39.12")], "turbot");
        let own: Vec<_> = workers.own.iter().map(|trigger| trigger.function.as_str()).collect();
        assert_eq!(own, ["turbot_5_39_12_worker", "turbot_5_39_12_worker_priority"]);
        assert_eq!(workers.own[0].te_version, "5.39.12");
        let others: Vec<_> = workers.others.iter().map(|t| t.function.as_str()).collect();
        assert_eq!(others, ["turbot_5_40_0_worker_retry"], "it is off, so it may bear a hold");
        assert_eq!(workers.missing, ["turbot_5_39_12_worker_retry"]);
    }

    #[test]
    fn a_pre_release_is_found_by_its_underscores() {
        let mappings = [mapping("turbot_5_47_0_beta_16_worker", "Enabled")];
        let workers = workers(&mappings, &[workspace("5.47.0-beta.16")], "turbot");
        assert_eq!(workers.own[0].te_version, "5.47.0-beta.16");
    }
}
