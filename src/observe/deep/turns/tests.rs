use super::*;
use crate::clock;
use crate::observe::observation::{Stack, StackCheck};
use jiff::Timestamp;
use std::collections::BTreeSet;

fn stacks(count: usize) -> Vec<StackRef> {
    let stack = |number| StackRef {
        id: format!("arn:{number:02}"),
        name: format!("SC-{number:02}"),
        status: "UPDATE_COMPLETE".to_owned(),
    };
    (0..count).map(stack).collect()
}

fn checked(stack: &StackRef, at: i64) -> Found {
    let check = StackCheck {
        stack: stack.name.clone(),
        checked: Timestamp::from_second(at).ok(),
        compared: 7,
        ..StackCheck::default()
    };
    Found { check, drifts: Vec::new() }
}

/// What happened in a run: when each request was made, and the stacks in the order in which they were started.
#[derive(Default)]
struct Run {
    calls: usize,
    started: Vec<String>,
    first: Option<Duration>,
}

/// A pass every two minutes for so long, with detections that take five minutes.
fn run(turns: &mut Turns, stacks: &[StackRef], interval: Duration, lasting: Duration) -> Run {
    let begin = turns.made;
    let mut run = Run::default();
    let mut busy: Option<Instant> = None;
    let mut at = Duration::ZERO;
    while at < lasting {
        let now = begin + at;
        match turns.next(stacks, true, interval, now) {
            None => {}
            Some(turn) => {
                run.calls += 1;
                run.first.get_or_insert(at);
                match turn {
                    Turn::Start(stack) => {
                        assert_eq!(busy, None, "one detection at a time");
                        busy = Some(now);
                        run.started.push(stack.name.clone());
                        turns.begun(stack, Begun::Runs(Some("id".to_owned())), interval, now);
                    }
                    Turn::Ask(_) => {
                        let start = busy.expect("it was started");
                        let done = now.duration_since(start) >= Duration::from_mins(5);
                        let progress = if done { Progress::Over(None) } else { Progress::Runs };
                        turns.asked(progress, now);
                    }
                    Turn::Read { stack, gap } => {
                        assert_eq!(gap, None);
                        busy = None;
                        turns.read(&stack, checked(&stack, 1), now);
                    }
                }
            }
        }
        at += Duration::from_mins(2);
    }
    run
}

#[test]
fn whatever_the_interval_half_a_call_a_minute_is_never_exceeded() {
    for (count, interval, why) in [
        (12, Duration::from_mins(1), "far too often"),
        (18, Duration::from_hours(1), "a large TED"),
        (3, Duration::from_mins(30), "a small one"),
        (12, Duration::from_hours(24), "once a day"),
    ] {
        let stacks = stacks(count);
        let mut turns = Turns::new("pp-1", clock::now());
        let hours = 48;
        let run = run(&mut turns, &stacks, interval, Duration::from_hours(hours));
        let minutes = hours * 60;
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let cost = run.calls as f64 / minutes as f64;
        assert!(cost <= 0.5, "{why}: {cost} calls a minute");
        let seen: BTreeSet<&String> = run.started.iter().collect();
        assert_eq!(seen.len(), count, "{why}: every stack is looked at");
    }
}

#[test]
fn a_long_interval_spreads_the_stacks_evenly_and_looks_at_each_once() {
    let stacks = stacks(12);
    let mut turns = Turns::new("pp-1", clock::now());
    let interval = Duration::from_hours(24);
    let run = run(&mut turns, &stacks, interval, interval);
    let names: BTreeSet<&String> = run.started.iter().collect();
    assert_eq!((run.started.len(), names.len()), (12, 12), "{:?}", run.started);
}

#[test]
fn teds_do_not_begin_together() {
    let stacks = stacks(12);
    let first = |name: &str| {
        let mut turns = Turns::new(name, clock::now());
        run(&mut turns, &stacks, Duration::from_hours(24), Duration::from_hours(4)).first
    };
    let begun: BTreeSet<_> = (0..20).map(|n| first(&format!("pp-{n:05}"))).collect();
    assert!(begun.len() >= 12, "{begun:?}");
    assert_eq!(first("pp-1"), first("pp-1"), "the same TED begins at the same moment");
}

#[test]
fn nothing_is_started_while_something_changes_and_what_runs_is_read_all_the_same() {
    let (stacks, interval) = (stacks(2), Duration::from_hours(1));
    let now = clock::now();
    let later = now + Duration::from_hours(1);
    let mut turns = Turns::new("pp-1", now);
    assert_eq!(turns.next(&stacks, false, interval, later), None);
    let Some(Turn::Start(stack)) = turns.next(&stacks, true, interval, later) else {
        panic!("it is due")
    };
    turns.begun(stack, Begun::Runs(Some("id".to_owned())), interval, later);
    let then = later + Duration::from_mins(10);
    assert_eq!(turns.next(&stacks, false, interval, then), Some(Turn::Ask("id".to_owned())));
}

#[test]
fn a_denial_is_said_and_not_knocked_at_again_for_an_hour() {
    let (stacks, interval) = (stacks(3), Duration::from_mins(30));
    let now = clock::now();
    let mut turns = Turns::new("pp-1", now);
    let later = now + Duration::from_hours(1);
    let Some(Turn::Start(stack)) = turns.next(&stacks, true, interval, later) else {
        panic!("it is due")
    };
    let denied = Gap {
        operation: "cloudformation:DetectStackDrift".to_owned(),
        reason: "AccessDenied".to_owned(),
        message: "not allowed".to_owned(),
        passing: false,
    };
    turns.begun(stack, Begun::Refused(denied.clone()), interval, later);
    let Seen::Present(deep) = turns.report(&stacks) else { panic!("something is known") };
    assert_eq!(deep.stacks[0].gap, Some(denied));
    assert_eq!(deep.stacks.len(), 3, "the others are there, not looked at");
    assert_eq!(turns.next(&stacks, true, interval, later + Duration::from_mins(59)), None);
    assert!(turns.next(&stacks, true, interval, later + Duration::from_mins(61)).is_some());
}

#[test]
fn somebody_elses_detection_is_waited_for_and_its_result_taken() {
    let (stacks, interval) = (stacks(1), Duration::from_hours(1));
    let now = clock::now();
    let mut turns = Turns::new("pp-1", now);
    let later = now + Duration::from_hours(1);
    let Some(Turn::Start(stack)) = turns.next(&stacks, true, interval, later) else {
        panic!("it is due")
    };
    turns.begun(stack, Begun::Runs(None), interval, later);
    assert_eq!(turns.next(&stacks, true, interval, later + Duration::from_mins(1)), None);
    let then = later + Duration::from_mins(6);
    assert!(matches!(turns.next(&stacks, true, interval, then), Some(Turn::Read { .. })));
}

#[test]
fn a_detection_that_never_ends_is_given_up_with_a_word() {
    let (stacks, interval) = (stacks(1), Duration::from_hours(1));
    let now = clock::now();
    let mut turns = Turns::new("pp-1", now);
    let mut at = now + Duration::from_hours(1);
    let mut asked = 0;
    while at < now + Duration::from_hours(4) {
        match turns.next(&stacks, true, interval, at) {
            Some(Turn::Start(stack)) => {
                if asked > 0 {
                    break;
                }
                turns.begun(stack, Begun::Runs(Some("id".to_owned())), interval, at);
            }
            Some(Turn::Ask(_)) => {
                asked += 1;
                turns.asked(Progress::Runs, at);
            }
            Some(Turn::Read { .. }) => panic!("there is nothing to read"),
            None => {}
        }
        at += Duration::from_mins(2);
    }
    assert!((3..=6).contains(&asked), "asked {asked} times");
    let Seen::Present(deep) = turns.report(&stacks) else { panic!("something is known") };
    assert_eq!(deep.stacks[0].gap.as_ref().unwrap().reason, "NotFinished");
}

#[test]
fn results_from_before_an_update_are_forgotten_and_stacks_that_went_too() {
    let stacks = stacks(2);
    let now = clock::now();
    let mut turns = Turns::new("pp-1", now);
    for stack in &stacks {
        turns.read(stack, checked(stack, 1_000), now);
    }
    let mut seen = crate::assess::testing::healthy();
    let updated = |second| {
        Seen::Present(Stack { updated: Timestamp::from_second(second).ok(), ..Stack::default() })
    };
    seen.root = updated(500);
    turns.forget_what_changed(&seen);
    assert_eq!(turns.kept.len(), 2);
    turns.next(&stacks[..1], false, Duration::from_hours(1), now);
    assert_eq!(turns.kept.len(), 1, "a stack that is gone has no results");
    seen.root = updated(2_000);
    turns.forget_what_changed(&seen);
    assert_eq!(turns.report(&stacks), Seen::NotLooked);
}

#[test]
fn a_failed_look_keeps_what_the_last_one_found() {
    let stacks = stacks(1);
    let now = clock::now();
    let mut turns = Turns::new("pp-1", now);
    turns.read(&stacks[0], checked(&stacks[0], 1_000), now);
    turns.read(&stacks[0], failed(&stacks[0], not_now("UPDATE_IN_PROGRESS")), now);
    let Seen::Present(deep) = turns.report(&stacks) else { panic!("something is known") };
    assert_eq!((deep.stacks[0].compared, deep.stacks[0].gap.is_some()), (7, true));
}
