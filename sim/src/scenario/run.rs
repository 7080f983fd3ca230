//! A scenario under way: what is still to happen, and what waits for an event.

use super::{Action, Event, Planned};
use crate::faults::Rule;
use crate::spec_file::WorldSpec;
use crate::world::{Scope, World};
use std::sync::Arc;
use std::time::Duration;

/// An action whose time has come.
#[derive(Clone, Debug)]
pub(crate) struct Timer {
    action: Arc<Action>,
    /// Interval, and how often more.
    again: Option<(Duration, u32)>,
}

/// What a running scenario keeps in the world.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Where actions act.
    home: Scope,
    /// The name of the provisioned product that actions mean when they name none.
    first_ted: String,
    watchers: Vec<Watcher>,
    orders: Vec<Order>,
    /// What follows from an action, and when.
    followers: Vec<(Duration, Action)>,
    /// What `deny` forbade, by IAM's numbers.
    pub(super) denials: Vec<u64>,
}

/// What an action asks of the doors: the world knows neither clock nor faults.
#[derive(Debug)]
pub(crate) enum Order {
    /// Runs the clock at this speed.
    Speed(f64),
    /// Adds a fault rule.
    Fault(Box<Rule>),
    /// Removes all fault rules.
    ClearFaults,
    /// Keeps older states for as long as options now ask.
    KeepHistory,
}

#[derive(Debug)]
struct Watcher {
    event: Event,
    action: Arc<Action>,
    left: u32,
}

/// Something that a stack's resource went through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StackEvent<'e> {
    pub(crate) logical_id: &'e str,
    /// `UPDATE_IN_PROGRESS`, …
    pub(crate) status: &'e str,
    /// Whether it is a root stack's own event.
    pub(crate) of_root: bool,
}

impl State {
    /// What was ordered since the last time.
    pub(crate) fn take_orders(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.orders)
    }

    /// Asks something of the doors.
    pub(super) fn order(&mut self, order: Order) {
        self.orders.push(order);
    }

    /// Does `action` after a while.
    pub(super) fn later(&mut self, after: Duration, action: Action) {
        self.followers.push((after, action));
    }

    /// The name of the first TED's provisioned product.
    pub(super) fn first_ted(&self) -> &str {
        &self.first_ted
    }

    /// Where actions act.
    pub(super) fn home(&self) -> &Scope {
        &self.home
    }
}

/// Plans `actions` from now on, in the first installation of `spec`.
pub(super) fn schedule(world: &mut World, spec: &WorldSpec, actions: &[Planned]) {
    let home = spec.home();
    world.scenario.home = home.clone();
    world.scenario.first_ted = spec.first_ted();
    for planned in actions {
        let action = Arc::new(planned.action.clone());
        match (&planned.on, planned.at) {
            (Some(event), _) => world.scenario.watchers.push(Watcher {
                event: event.clone(),
                action,
                left: planned.times.unwrap_or(1),
            }),
            (None, at) => {
                let again = planned.every.map(|every| {
                    (every, planned.times.map_or(u32::MAX, |times| times.saturating_sub(1)))
                });
                world.after(at.unwrap_or_default(), &home, Timer { action, again });
            }
        }
    }
    // What happens at zero is there before the first request.
    let now = world.now();
    world.advance_to(now);
}

pub(crate) fn fire(world: &mut World, scope: &Scope, timer: Timer) {
    if let Err(reason) = act(world, &timer.action) {
        world.note(format!("scenario: {} did not happen: {reason}", timer.action.kind()));
    }
    if let Some((every, left)) = timer.again.filter(|(_, left)| *left > 0) {
        world.after(every, scope, Timer { action: timer.action, again: Some((every, left - 1)) });
    }
}

/// Does an action now.
///
/// # Errors
/// Why it could not be done, e.g. that there is no such database.
pub(crate) fn act(world: &mut World, action: &Action) -> Result<(), String> {
    action.perform(world)?;
    world.note(format!("scenario: {}", action.kind()));
    let home = world.scenario.home.clone();
    for (after, action) in std::mem::take(&mut world.scenario.followers) {
        world.after(after, &home, Timer { action: Arc::new(action), again: None });
    }
    Ok(())
}

/// Tells the scenario what a stack's resource went through. The stack engine calls this for every event it writes.
pub(crate) fn stack_event(world: &mut World, event: StackEvent<'_>) {
    let mut due = Vec::new();
    world.scenario.watchers.retain_mut(|watcher| {
        if let Some(after) = awaited(&watcher.event, event) {
            due.push((after, Arc::clone(&watcher.action)));
            watcher.left -= 1;
        }
        watcher.left > 0
    });
    let home = world.scenario.home.clone();
    for (after, action) in due {
        world.after(after, &home, Timer { action, again: None });
    }
}

/// How long after `event` the awaited one is due; absent when it is another event.
fn awaited(awaited: &Event, event: StackEvent<'_>) -> Option<Duration> {
    match awaited {
        Event::UpdateStarted { after } => {
            (event.of_root && event.status == "UPDATE_IN_PROGRESS").then_some(*after)
        }
        Event::StackEvent { logical_id, status, after } => {
            (event.logical_id == logical_id && event.status == status).then_some(*after)
        }
    }
}
