//! The state machine of mappings.
//!
//! ```text
//! (create) --> Creating --> Enabled | Disabled
//! Enabled  --> Disabling --> Disabled     Disabled --> Enabling --> Enabled
//! stable   --> Updating  --> as before    stable   --> Deleting --> gone
//! ```
//! A change is accepted in a stable state only. A transitional state lasts `options.mapping_transition`, that of a stuck mapping
//! for ever. A mapping takes messages from `Enabled` until `Disabled`; each such interval is kept, and the queue is told.

use super::not_found;
use super::state::{Mapping, MappingState};
use crate::error::ApiError;
use crate::options::TransitionReason;
use crate::time::SimTime;
use crate::world::{Region, Scope, World};
use std::sync::Arc;

/// What happens by itself.
#[derive(Clone, Debug)]
pub(crate) enum Timer {
    /// A mapping's transition ends, when it is still the one that set the timer.
    Settle { uuid: Arc<str>, transition: u32 },
}

/// Lets a timer happen.
pub(crate) fn fire(world: &mut World, scope: &Scope, timer: Timer) {
    let Timer::Settle { uuid, transition } = timer;
    let Some(mapping) = world.region(scope).lambda.mapping(&uuid) else { return };
    // Those that come and go do come and go: a stack would wait for ever.
    let waits_for_ever =
        mapping.stuck && !matches!(mapping.state, MappingState::Creating | MappingState::Deleting);
    if mapping.transition == transition && !waits_for_ever {
        settle(world, scope, &uuid);
    }
}

/// Brings a mapping into a transitional state; `enabled` is what it will be afterwards.
pub(super) fn begin(
    world: &mut World,
    scope: &Scope,
    uuid: &str,
    state: MappingState,
    enabled: bool,
) {
    let (now, reason) = (world.now(), world.options.transition_reason);
    let region = world.region_mut(scope);
    let Some(mapping) = region.lambda.mapping_mut(uuid) else { return };
    mapping.modified = now;
    mapping.reason = reason;
    mapping.enabled = enabled;
    mapping.transition += 1;
    enter(region, uuid, state, now);
    wait(world, scope, uuid);
}

/// Sets the timer of the transition that a mapping is in, if it is in one.
pub(super) fn wait(world: &mut World, scope: &Scope, uuid: &str) {
    let mapping =
        world.region(scope).lambda.mapping(uuid).filter(|mapping| !mapping.state.is_stable());
    let timer = mapping.map(|mapping| Timer::Settle {
        uuid: Arc::clone(&mapping.uuid),
        transition: mapping.transition,
    });
    if let Some(timer) = timer {
        world.after(world.options.mapping_transition, scope, timer);
    }
}

/// Ends the transition of a mapping at once.
pub(super) fn settle(world: &mut World, scope: &Scope, uuid: &str) {
    let (now, moves) = (world.now(), world.options.transition_end_moves_last_modified);
    let region = world.region_mut(scope);
    let Some(mapping) = region.lambda.mapping_mut(uuid) else { return };
    if mapping.state.is_stable() {
        return;
    }
    mapping.transition += 1;
    if moves {
        mapping.modified = now;
    }
    if mapping.state == MappingState::Deleting {
        enter(region, uuid, MappingState::Disabled, now);
        region.lambda.drop_mapping(uuid);
        return;
    }
    let state = if mapping.enabled { MappingState::Enabled } else { MappingState::Disabled };
    enter(region, uuid, state, now);
}

/// Sets the state, and lets polling follow it.
fn enter(region: &mut Region, uuid: &str, state: MappingState, now: SimTime) {
    let Some(mapping) = region.lambda.mapping_mut(uuid) else { return };
    mapping.state = state;
    let polls = match state {
        MappingState::Enabled => true,
        // What polls goes on until the transition is done.
        MappingState::Disabling | MappingState::Updating | MappingState::Deleting => {
            mapping.polling
        }
        MappingState::Disabled | MappingState::Creating | MappingState::Enabling => false,
    };
    if polls != mapping.polling {
        mapping.polling = polls;
        let (uuid, source) = (Arc::clone(&mapping.uuid), Arc::clone(&mapping.source_arn));
        region.lambda.note_run(&uuid, now, polls);
        region.sqs.poll(&source, now, polls);
    }
}

/// The mapping, when it takes changes.
///
/// # Errors
/// `ResourceNotFoundException`, or `ResourceInUseException` in a transitional state.
pub(super) fn changeable<'w>(
    world: &'w World,
    scope: &Scope,
    uuid: &str,
) -> Result<&'w Mapping, ApiError> {
    let mapping = world.region(scope).lambda.mapping(uuid).ok_or_else(mapping_not_found)?;
    if mapping.state.is_stable() {
        return Ok(mapping);
    }
    Err(ApiError::new(
        "ResourceInUseException",
        "Cannot update the event source mapping because it is in use.",
    ))
}

/// A mapping that is not there.
pub(super) fn mapping_not_found() -> ApiError {
    not_found("The resource you requested does not exist.")
}

/// Enables or disables a mapping.
///
/// # Errors
/// As [`changeable`].
pub(super) fn switch(
    world: &mut World,
    scope: &Scope,
    uuid: &str,
    enabled: bool,
) -> Result<(), ApiError> {
    let was = changeable(world, scope, uuid)?.enabled;
    if was != enabled || world.options.same_state_transitions {
        let state = if enabled { MappingState::Enabling } else { MappingState::Disabling };
        begin(world, scope, uuid, state, enabled);
    }
    Ok(())
}

/// A new mapping that is not yet known to anybody, in the state `Creating`.
pub(super) fn fresh(
    uuid: &str,
    source_arn: &str,
    told: &str,
    function: &str,
    qualifier: Option<&str>,
) -> Mapping {
    Mapping {
        uuid: uuid.into(),
        source_arn: source_arn.into(),
        told: told.into(),
        function: function.into(),
        qualifier: qualifier.map(Into::into),
        state: MappingState::Creating,
        enabled: true,
        polling: false,
        reason: TransitionReason::default(),
        modified: SimTime::default(),
        // Defaults of a queue (Lambda API reference, CreateEventSourceMapping).
        batch_size: 10,
        window: 0,
        settings: std::collections::BTreeMap::new(),
        tags: std::collections::BTreeMap::new(),
        stuck: false,
        transition: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::services::iam::testing::{pass, scope, world};
    use crate::services::lambda::state::Run;
    use crate::services::lambda::{
        Function, add_function, add_mapping, ran_between, remove_mapping, set_stuck,
        stick_triggers, toggle, toggle_triggers,
    };
    use crate::services::sqs;
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn with_mapping(options: Options) -> (World, String) {
        let mut world = world(options);
        sqs::add_queue(&mut world, &scope(), "work", BTreeMap::new());
        add_function(&mut world, &scope(), Function::new("worker", "role".into()));
        let uuid =
            add_mapping(&mut world, &scope(), "worker", &scope().arn("sqs", "work")).unwrap();
        (world, uuid)
    }

    fn state(world: &World, uuid: &str) -> Option<MappingState> {
        world.region(&scope()).lambda.mapping(uuid).map(|mapping| mapping.state)
    }

    fn second(second: i64) -> SimTime {
        SimTime::from_millis(second * 1000)
    }

    #[test]
    fn a_mapping_goes_to_disabled_and_back_through_transitional_states() {
        let (mut world, uuid) = with_mapping(Options {
            mapping_transition: Duration::from_secs(30),
            ..Options::default()
        });
        assert_eq!(state(&world, &uuid), Some(MappingState::Enabled));
        for (enabled, during, after) in [
            (false, MappingState::Disabling, MappingState::Disabled),
            (true, MappingState::Enabling, MappingState::Enabled),
        ] {
            toggle(&mut world, &scope(), &uuid, enabled).unwrap();
            assert_eq!(state(&world, &uuid), Some(during));
            let error = toggle(&mut world, &scope(), &uuid, !enabled).unwrap_err();
            assert_eq!((error.code.as_ref(), error.status), ("ResourceInUseException", 400));
            assert_eq!(
                error.message,
                "Cannot update the event source mapping because it is in use."
            );
            pass(&mut world, 29);
            assert_eq!(state(&world, &uuid), Some(during), "not yet");
            pass(&mut world, 1);
            assert_eq!(state(&world, &uuid), Some(after));
        }
    }

    #[test]
    fn the_same_state_again_is_a_transition_only_by_option() {
        for transitions in [false, true] {
            let (mut world, uuid) =
                with_mapping(Options { same_state_transitions: transitions, ..Options::default() });
            pass(&mut world, 5);
            toggle(&mut world, &scope(), &uuid, true).unwrap();
            let expected = if transitions { MappingState::Enabling } else { MappingState::Enabled };
            assert_eq!(state(&world, &uuid), Some(expected), "{transitions}");
            let modified = world.region(&scope()).lambda.mapping(&uuid).unwrap().modified;
            assert_eq!(modified == world.now(), transitions, "LastModified follows");
            pass(&mut world, 20);
            assert_eq!(state(&world, &uuid), Some(MappingState::Enabled), "{transitions}");
        }
    }

    #[test]
    fn a_stuck_mapping_stays_in_disabling_until_it_is_freed() {
        let (mut world, uuid) = with_mapping(Options::default());
        assert!(set_stuck(&mut world, &scope(), &uuid, true));
        toggle(&mut world, &scope(), &uuid, false).unwrap();
        pass(&mut world, 3600);
        assert_eq!(state(&world, &uuid), Some(MappingState::Disabling));
        assert!(
            ran_between(world.region(&scope()), &uuid, second(4000), second(4001)),
            "it goes on taking messages"
        );
        set_stuck(&mut world, &scope(), &uuid, false);
        pass(&mut world, 20);
        assert_eq!(state(&world, &uuid), Some(MappingState::Disabled));
        assert_eq!(
            world.region(&scope()).lambda.mapping(&uuid).unwrap().modified,
            second(1000),
            "as of the request"
        );
        assert!(!set_stuck(&mut world, &scope(), "nobody", true));
    }

    #[test]
    fn the_triggers_of_a_function_are_reached_by_its_name() {
        let (mut world, uuid) = with_mapping(Options::default());
        stick_triggers(&mut world, &scope(), "worker", true).unwrap();
        toggle_triggers(&mut world, &scope(), "worker", false).unwrap();
        pass(&mut world, 60);
        assert_eq!(state(&world, &uuid), Some(MappingState::Disabling));
        stick_triggers(&mut world, &scope(), "worker", false).unwrap();
        pass(&mut world, 60);
        assert_eq!(state(&world, &uuid), Some(MappingState::Disabled));
        assert!(
            world.journal().any(|happening| happening.what.starts_with("an operator disables"))
        );
        let missing = "the function `nobody` has no triggers";
        assert_eq!(toggle_triggers(&mut world, &scope(), "nobody", true), Err(missing.to_owned()));
        assert_eq!(stick_triggers(&mut world, &scope(), "nobody", true), Err(missing.to_owned()));
    }

    #[test]
    fn a_transition_that_ended_early_is_not_ended_again() {
        let (mut world, uuid) = with_mapping(Options::default());
        toggle(&mut world, &scope(), &uuid, false).unwrap();
        settle(&mut world, &scope(), &uuid);
        toggle(&mut world, &scope(), &uuid, true).unwrap();
        pass(&mut world, 10);
        toggle(&mut world, &scope(), &uuid, true).unwrap_err();
        assert_eq!(
            state(&world, &uuid),
            Some(MappingState::Enabling),
            "the first timer is of another transition"
        );
    }

    #[test]
    fn last_modified_moves_at_the_end_only_by_option() {
        for (moves, expected) in [(false, second(1000)), (true, second(1020))] {
            let (mut world, uuid) = with_mapping(Options {
                transition_end_moves_last_modified: moves,
                ..Options::default()
            });
            toggle(&mut world, &scope(), &uuid, false).unwrap();
            pass(&mut world, 100);
            assert_eq!(
                world.region(&scope()).lambda.mapping(&uuid).unwrap().modified,
                expected,
                "{moves}"
            );
        }
    }

    #[test]
    fn it_is_known_when_events_ran() {
        let (mut world, uuid) = with_mapping(Options::default());
        pass(&mut world, 100);
        toggle(&mut world, &scope(), &uuid, false).unwrap();
        pass(&mut world, 100);
        toggle(&mut world, &scope(), &uuid, true).unwrap();
        pass(&mut world, 100);
        let region = world.region(&scope());
        let runs = [
            Run { from: second(1000), to: Some(second(1120)) },
            Run { from: second(1220), to: None },
        ];
        assert_eq!(region.lambda.runs(&uuid), runs, "from Enabled until Disabled");
        for (why, from, to, expected) in [
            ("before", 900, 1000, false),
            ("while disabling", 1110, 1115, true),
            ("while paused", 1120, 1220, false),
            ("around the resumption", 1200, 1230, true),
            ("now", 1290, 1300, true),
        ] {
            assert_eq!(ran_between(region, &uuid, second(from), second(to)), expected, "{why}");
        }
        assert!(!ran_between(region, "nobody", second(0), second(9999)));
        assert!(remove_mapping(&mut world, &scope(), &uuid));
        let region = world.region(&scope());
        assert_eq!(
            region.lambda.runs(&uuid)[1],
            Run { from: second(1220), to: Some(second(1300)) },
            "also after it is gone"
        );
    }

    #[test]
    fn a_paused_queue_grows_and_falls_after_resuming() {
        let (mut world, uuid) = with_mapping(Options::default());
        sqs::set_rates(&mut world, &scope(), "work", 1.0, 11.0);
        let waiting = |world: &World| {
            world.region(&scope()).sqs.queue("work").unwrap().counts(world.now()).visible
        };
        pass(&mut world, 1000);
        assert_eq!(waiting(&world), 0);
        toggle(&mut world, &scope(), &uuid, false).unwrap();
        pass(&mut world, 20);
        assert_eq!(waiting(&world), 0, "disabling still polls");
        pass(&mut world, 600);
        assert_eq!(waiting(&world), 600);
        toggle(&mut world, &scope(), &uuid, true).unwrap();
        pass(&mut world, 20);
        assert_eq!(waiting(&world), 620, "enabling does not poll yet");
        pass(&mut world, 31);
        assert_eq!(waiting(&world), 310);
        pass(&mut world, 31);
        assert_eq!(waiting(&world), 0);
    }

    #[test]
    fn a_queue_that_is_made_anew_is_polled_by_the_triggers_that_name_it() {
        let (mut world, uuid) = with_mapping(Options::default());
        let pollers =
            |world: &World| world.region(&scope()).lambda.pollers(&scope().arn("sqs", "work"));
        assert_eq!(pollers(&world), 1);
        sqs::remove_queue(&mut world, &scope(), "work");
        sqs::add_queue(&mut world, &scope(), "work", BTreeMap::new());
        sqs::set_rates(&mut world, &scope(), "work", 1.0, 10.0);
        pass(&mut world, 60);
        assert_eq!(
            world.region(&scope()).sqs.queue("work").unwrap().counts(world.now()).visible,
            0
        );
        toggle(&mut world, &scope(), &uuid, false).unwrap();
        pass(&mut world, 20);
        assert_eq!(pollers(&world), 0);
    }
}
