//! A change that runs: since when, what it last did, and whether it takes longer than it should. It is never cancelled; what is said of it
//! is for people.

use crate::desired::{Desired, duration};
use crate::observe::observation::{NestedStack, Observation};
use crate::text::moment;
use jiff::{SignedDuration, Timestamp};

/// How long no stack event may come before that is told. RDS and ElastiCache work at one resource for that long at most, as a rule.
const SILENCE: SignedDuration = SignedDuration::from_hours(1);

/// A change that runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running<'a> {
    /// Its record, when it is Service Catalog's.
    record: Option<&'a str>,
    began: Timestamp,
    /// When a stack or a resource of it last moved.
    heard: Timestamp,
    /// The innermost stack that works.
    at_work: Option<&'a NestedStack>,
    now: Timestamp,
}

impl<'a> Running<'a> {
    /// The change that runs. `None`: none does, or nobody says since when.
    pub(super) fn of(observation: &'a Observation) -> Option<Self> {
        let root = observation.root.present();
        let record = observation.last_record.present().filter(|record| record.runs());
        let stack = root.filter(|stack| stack.status.ends_with("_IN_PROGRESS"));
        let of_record = record.and_then(|record| record.created);
        let began = of_record.or(stack.and_then(|stack| stack.updated.or(stack.created)))?;
        let nested = observation.nested.present().map_or(&[][..], Vec::as_slice);
        let moved = nested.iter().flat_map(|stack| [stack.updated, stack.heard]).flatten();
        let heard = moved.chain(stack.and_then(|stack| stack.updated)).fold(began, Ord::max);
        // Parents stand before what they nest.
        let works = |stack: &&NestedStack| {
            stack.status.ends_with("_IN_PROGRESS") && !stack.status.contains("_CLEANUP_")
        };
        let at_work = nested.iter().rev().find(works);
        let record = record.map(|record| record.id.as_str());
        Some(Self { record, began, heard, at_work, now: observation.now })
    }

    /// What runs for longer than the document has patience for: a sentence, and what to do.
    pub(super) fn overdue(&self, desired: &Desired) -> Option<(String, String)> {
        let limit = desired.spec.policy.update_timeout;
        let over = self.began.checked_add(SignedDuration::try_from(limit).ok()?).ok()?;
        (over <= self.now).then(|| {
            let message = format!(
                "{} has run since {}, longer than `updateTimeout` ({}){}",
                self.what(),
                moment(self.began),
                duration::render(limit),
                self.place()
            );
            (message, REMEDY.to_owned())
        })
    }

    /// That nothing is heard of it for long, and since when.
    pub(super) fn silence(&self) -> Option<(String, Timestamp)> {
        (self.now.duration_since(self.heard) >= SILENCE).then(|| {
            let message = format!(
                "{} runs, and no stack has told anything since {}{}",
                self.what(),
                moment(self.heard),
                self.place()
            );
            (message, self.heard)
        })
    }

    fn what(&self) -> String {
        match self.record {
            Some(record) => format!("the update (record {record})"),
            None => "the change".to_owned(),
        }
    }

    fn place(&self) -> String {
        match self.at_work {
            Some(stack) => format!("; {} is {}", stack.logical_id, stack.status),
            None => String::new(),
        }
    }
}

/// What to do about a change that takes too long.
pub(super) const REMEDY: &str = "look in CloudFormation which resource is at work, and at that in RDS or ElastiCache; it is never cancelled from here, and events stay paused until it ends: if it has to end, cancel it in CloudFormation yourself, or ask Turbot support";

#[cfg(test)]
mod tests {
    use super::super::testing::{World, record, there};
    use super::super::types::{ConditionStatus, ConditionType};
    use super::*;
    use crate::observe::observation::Seen;

    /// An update that began so many minutes ago and last told something so many minutes ago.
    fn world(began: i64, heard: i64) -> World {
        let mut world = World::migrating();
        let ago = |minutes| world.observation.now - SignedDuration::from_mins(minutes);
        let (began, heard) = (ago(began), ago(heard));
        let text = began.to_string();
        let runs = record("rec-2", "pa-1521", "IN_PROGRESS", &text, &text);
        world.observation.last_record = Seen::Present(runs);
        there(&mut world.observation.products)[0].status = "UNDER_CHANGE".into();
        let root = there(&mut world.observation.root);
        (root.status, root.updated) = ("UPDATE_IN_PROGRESS".into(), Some(began));
        let nested = &mut there(&mut world.observation.nested)[0];
        nested.status = "UPDATE_IN_PROGRESS".into();
        (nested.updated, nested.heard) = (Some(began), Some(heard));
        world
    }

    #[test]
    fn what_runs_too_long_needs_a_person_and_what_is_silent_is_told() {
        for (began, heard, overdue, silent, why) in [
            (20, 1, false, false, "an update like any other"),
            (479, 59, false, false, "just within both"),
            (480, 5, true, false, "eight hours, and it still works"),
            (90, 60, false, true, "within its time, and silent"),
            (600, 590, true, true, "both"),
        ] {
            let assessment = world(began, heard).assess();
            let condition = |kind| {
                assessment.conditions.iter().find(|condition| condition.kind == kind).unwrap()
            };
            let stalled = condition(ConditionType::Stalled);
            assert_eq!(stalled.status == ConditionStatus::True, overdue, "{why}: {stalled:?}");
            let reconciling = condition(ConditionType::Reconciling);
            assert_eq!(reconciling.status == ConditionStatus::True, !overdue, "{why}");
            if overdue {
                assert_eq!(stalled.reason, "UpdateTimeout", "{why}");
                assert!(
                    stalled.message.contains("longer than `updateTimeout` (8h)"),
                    "{stalled:?}"
                );
                assert!(stalled.message.contains("never cancelled from here"), "{stalled:?}");
            }
            let told = assessment.findings.iter().any(|it| it.code == "sync/update-silent");
            assert_eq!(told, silent, "{why}: {:?}", assessment.findings);
        }
    }

    #[test]
    fn where_nothing_runs_nothing_is_said() {
        assert!(Running::of(&World::migrating().observation).is_none());
        let mut world = world(600, 590);
        // Somebody else's change of the stack has no record, and counts from its own beginning.
        world.observation.last_record = World::migrating().observation.last_record;
        let running = Running::of(&world.observation).unwrap();
        assert!(running.overdue(&world.desired()).unwrap().0.starts_with("the change has run"));
    }
}
