//! Giving back by hand: what is owed, whether it may be given back now, and the next step. The protocol's own decision, asked once for every
//! controller that holds something.

use super::holds::{End, HOLD_PREFIX, Hold, LEASE, hold_of};
use super::protocol::{Motion, scene};
use super::types::{Step, StepKind};
use super::{Context, survey};
use crate::observe::observation::{Gap, Observation, Trigger};
use crate::text::{moment, sanitize};
use std::collections::BTreeSet;

/// Why nothing may be given back at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotNow {
    /// Whether a person has to do something; else time has to pass.
    pub needs_person: bool,
    /// A sentence.
    pub why: String,
}

impl NotNow {
    fn later(why: impl Into<String>) -> Self {
        Self { needs_person: false, why: why.into() }
    }

    fn person(why: impl Into<String>) -> Self {
        Self { needs_person: true, why: why.into() }
    }
}

/// What is paused for the product, a sentence a trigger.
///
/// # Errors
/// Product, triggers or their tags could not be read: a sentence.
pub fn owed(observation: &Observation) -> Result<Vec<String>, String> {
    let (product, triggers) = parts(observation)?;
    let lines = triggers.iter().filter_map(|trigger| {
        let (since, by) = match hold_of(trigger, product)? {
            Hold::Held(claim) => (Some(claim.at), claim.controller),
            Hold::Released(release) if release.end == End::Open => {
                (release.at, release.controller.unwrap_or("somebody"))
            }
            Hold::Released(_) | Hold::Garbled(_) => return None,
        };
        let since = since.map_or_else(String::new, |at| format!(" since {}", moment(at)));
        let by = sanitize(by);
        Some(format!("`{}` is {}, held by {by}{since}", trigger.function, trigger.state))
    });
    Ok(lines.collect())
}

fn parts(observation: &Observation) -> Result<(&str, &[Trigger]), String> {
    let unread = |what: &str, gap: Option<&Gap>| match gap {
        Some(gap) => format!("{what} cannot be read: {}", gap.message),
        None => format!("{what} are not known"),
    };
    let products = observation.products.present();
    let Some([product]) = products.map(Vec::as_slice) else {
        return Err(unread("the provisioned product", observation.products.gap()));
    };
    let Some(triggers) = observation.triggers.present() else {
        return Err(unread("the worker triggers", observation.triggers.gap()));
    };
    if let Some(gap) = &observation.details.tags {
        return Err(unread("the tags of worker triggers", Some(gap)));
    }
    Ok((&product.id, &triggers.mappings))
}

/// Triggers that are off for nobody's sake.
pub fn left_alone(observation: &Observation) -> impl Iterator<Item = &Trigger> {
    let triggers = observation.triggers.present().into_iter().flat_map(|all| &all.mappings);
    triggers.filter(|trigger| {
        let held = trigger
            .tags
            .iter()
            .flat_map(|tags| tags.iter())
            .any(|(key, value)| key.starts_with(HOLD_PREFIX) && Hold::parse(value).is_owed());
        trigger.state != "Enabled" && trigger.state != "Enabling" && !held
    })
}

/// Why nothing may be given back at this moment.
pub fn forbidden(observation: &Observation) -> Option<NotNow> {
    let motion = scene(observation).map(|scene| scene.motion);
    let root = observation.root.present().map_or("unknown", |root| root.status.as_str());
    match motion {
        Some(Motion::Moving) => {
            Some(NotNow::later("a change runs; events stay paused until it ends"))
        }
        Some(Motion::Unknown) | None => Some(NotNow::person(
            "whether a change runs is not known: `ted-controller doctor` shows what cannot be read",
        )),
        Some(Motion::Stuck) if next(observation).is_none() => Some(NotNow::person(format!(
            "the stack is {root}, and events would run against a half-changed TED; repair it (`ted-controller diagnose`), or enable the triggers in Lambda and remove their hold tags"
        ))),
        Some(Motion::Still) if next(observation).is_none() => Some(wait_for_lease(observation)),
        Some(Motion::Still | Motion::Stuck) => None,
    }
}

/// A hold that may still lead to an update: until its lease is over only the process that made it knows whether it does.
fn wait_for_lease(observation: &Observation) -> NotNow {
    let Ok((product, triggers)) = parts(observation) else {
        return NotNow::person("what is held cannot be read");
    };
    if is_on_its_way(observation) {
        return NotNow::later("triggers are on their way; try again in a moment");
    }
    let until = triggers
        .iter()
        .filter_map(|trigger| match hold_of(trigger, product)? {
            Hold::Held(claim) => claim.at.checked_add(LEASE).ok(),
            Hold::Released(_) | Hold::Garbled(_) => None,
        })
        .max();
    let until = until.map_or_else(|| "it ends".to_owned(), moment);
    NotNow::later(format!(
        "the hold may still lead to an update until {until}; a controller that runs gives events back by itself, and after that time anybody may"
    ))
}

/// The next step of giving back, of whichever controller's holds.
pub fn next(observation: &Observation) -> Option<Step> {
    let (product, triggers) = parts(observation).ok()?;
    let of_whom: BTreeSet<&str> = triggers
        .iter()
        .filter_map(|trigger| match hold_of(trigger, product)? {
            Hold::Held(claim) => Some(claim.controller),
            Hold::Released(release) => Some(release.controller.unwrap_or_default()),
            Hold::Garbled(_) => None,
        })
        .collect();
    of_whom.into_iter().find_map(|controller| {
        let context = Context {
            controller_id: controller.to_owned(),
            process: "by-hand".to_owned(),
            ..Context::default()
        };
        let step = survey(observation, &context).next_step().cloned()?;
        matches!(step.step, StepKind::Release | StepKind::Enable).then_some(step)
    })
}

/// Whether triggers are still changing their state.
pub fn is_on_its_way(observation: &Observation) -> bool {
    parts(observation).is_ok_and(|(_, triggers)| {
        triggers.iter().any(|trigger| !matches!(trigger.state.as_str(), "Enabled" | "Disabled"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::holds::{hold_key, released};
    use crate::assess::testing::{World, denied, there};
    use jiff::SignedDuration;

    /// All triggers are off under a claim of so many minutes ago.
    fn held(minutes: i64) -> World {
        World::migrating().with(|world| {
            let since = world.observation.now - SignedDuration::from_mins(minutes);
            let tag = format!("held rec-1 {} gone 0123 made:1", since.as_second());
            for trigger in &mut there(&mut world.observation.triggers).mappings {
                trigger.state = "Disabled".to_owned();
                trigger.tags = Some([(hold_key("pp-senyqa2ncjkws"), tag.clone())].into());
            }
        })
    }

    #[test]
    fn what_may_be_given_back_when() {
        type Row = (&'static str, fn() -> World, Option<bool>, &'static str);
        let rows: [Row; 6] = [
            ("the lease is over", || held(45), None, ""),
            (
                "it may still lead to an update",
                || held(5),
                Some(false),
                "until 2026-08-05 12:25:00 UTC",
            ),
            (
                "a change runs",
                || {
                    held(45).with(|w| {
                        there(&mut w.observation.products)[0].status = "UNDER_CHANGE".into();
                    })
                },
                Some(false),
                "a change runs",
            ),
            (
                "the stack is stuck",
                || {
                    held(5).with(|w| {
                        there(&mut w.observation.root).status = "UPDATE_ROLLBACK_FAILED".into();
                        there(&mut w.observation.products)[0].status = "TAINTED".into();
                    })
                },
                Some(true),
                "remove their hold tags",
            ),
            (
                "nobody knows",
                || held(45).with(|w| w.observation.root = denied()),
                Some(true),
                "doctor",
            ),
            (
                "on their way",
                || {
                    held(5).with(|w| {
                        there(&mut w.observation.triggers).mappings[0].state = "Disabling".into();
                    })
                },
                Some(false),
                "in a moment",
            ),
        ];
        for (why, world, needs_person, words) in rows {
            let seen = world().observation;
            let not_now = forbidden(&seen);
            assert_eq!(
                not_now.as_ref().map(|it| it.needs_person),
                needs_person,
                "{why}: {not_now:?}"
            );
            assert!(not_now.is_none_or(|it| it.why.contains(words)), "{why}");
            assert_eq!(next(&seen).is_some(), needs_person.is_none(), "{why}");
        }
        assert_eq!(next(&held(45).observation).map(|step| step.step), Some(StepKind::Release));
    }

    #[test]
    fn what_is_owed_and_what_is_somebodys() {
        let seen = held(45).observation;
        let lines = owed(&seen).unwrap();
        assert_eq!(lines.len(), 3);
        assert!(
            lines[0].ends_with("is Disabled, held by gone since 2026-08-05 11:15:00 UTC"),
            "{lines:?}"
        );
        assert_eq!(left_alone(&seen).count(), 0);

        let by_somebody = World::migrating().with(|world| {
            let back = released(world.observation.now, "gone", "0123", End::Returned);
            let trigger = &mut there(&mut world.observation.triggers).mappings[0];
            trigger.state = "Disabled".to_owned();
            trigger.tags = Some([(hold_key("pp-senyqa2ncjkws"), back)].into());
        });
        assert_eq!(owed(&by_somebody.observation), Ok(Vec::new()));
        assert_eq!(left_alone(&by_somebody.observation).count(), 1);
        let unread = World::migrating().with(|world| world.observation.triggers = denied());
        assert!(
            owed(&unread.observation).unwrap_err().contains("the worker triggers cannot be read")
        );
    }
}
