//! The front door: from an HTTP request to the delivery of its answer.
//!
//! The order is AWS's: which service, is it signed, who asks, what is asked, faults, may they, is it valid, do it. Whatever arrives is
//! answered; a request that cannot be read gets the error AWS would give, and a handler that panics becomes `InternalFailure`.
//! Both doors ([`crate::server`] and [`crate::connector`]) lead here, and neither adds behaviour of its own.

mod log;
pub(crate) mod refusal;
mod resource;
#[cfg(test)]
mod tests;
mod visit;

pub use log::Entry;

use crate::faults::{Faults, Rule};
use crate::options::Options;
use crate::rng::Rng;
use crate::scenario::{self, Scenario};
use crate::time::{Clock, SimTime};
use crate::world::World;
use bytes::Bytes;
use http::{Request, Response};
use log::Log;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A request body above this is refused; AWS's largest (a template in a body) is 1 MiB as well.
pub const MAX_BODY: usize = 1024 * 1024;

/// A running simulated AWS. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Sim(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    clock: Clock,
    /// What `reset` goes back to.
    scenario: Mutex<Scenario>,
}

/// What is behind the lock: one request at a time looks at it or changes it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    /// When the scenario began: faults and actions count from here.
    pub(crate) started: SimTime,
    request_ids: Rng,
}

impl State {
    fn new(scenario: &Scenario) -> Result<Self, scenario::Error> {
        let mut world = scenario.build()?;
        let started = world.now();
        let mut faults = Faults::default();
        for rule in &scenario.faults {
            faults.add(rule.clone(), world.seed());
        }
        scenario.schedule(&mut world);
        let request_ids = world.rng("request ids");
        let mut state = Self { world, faults, log: Log::default(), started, request_ids };
        state.keep_history();
        Ok(state)
    }

    /// Keeps older states for as long as a read may ask for them.
    pub(crate) fn keep_history(&mut self) {
        let options = &self.world.options;
        let lag = options.search_lag.max(options.describe_lag).max(self.faults.longest_lag());
        if !lag.is_zero() {
            self.world.keep_history(lag);
        }
    }
}

/// How an answer reaches the client.
#[derive(Debug)]
pub enum Delivery {
    /// All of it.
    Whole(Response<Bytes>),
    /// Headers that promise the whole body, its first bytes, and then a closed connection.
    Truncated(Response<Bytes>),
    /// The connection closes without an answer.
    Dropped,
    /// Nothing, and the connection stays open.
    Never,
}

impl Sim {
    /// The world of `scenario` as it begins, at `speed` virtual seconds a second.
    ///
    /// # Errors
    /// When the scenario describes a world that cannot be built.
    pub fn start(scenario: &Scenario, speed: f64) -> Result<Self, scenario::Error> {
        let state = State::new(scenario)?;
        let clock = Clock::new(state.started, scenario.speed.unwrap_or(speed));
        Ok(Self(Arc::new(Inner {
            state: Mutex::new(state),
            clock,
            scenario: Mutex::new(scenario.clone()),
        })))
    }

    /// Begins again: another world of the same or of another scenario, without log, and its clock at its start.
    ///
    /// # Errors
    /// As [`Self::start`]; the present world then goes on.
    pub fn reset(&self, scenario: Option<&Scenario>) -> Result<(), scenario::Error> {
        let mut current = self.0.scenario.lock().unwrap_or_else(PoisonError::into_inner);
        let next = scenario.unwrap_or(&current).clone();
        let state = State::new(&next)?;
        let mut held = self.lock();
        self.0.clock.set(state.started, next.speed.unwrap_or_else(|| self.0.clock.speed()));
        *held = state;
        *current = next;
        Ok(())
    }

    /// The scenario it began with.
    pub fn scenario(&self) -> Scenario {
        self.0.scenario.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Runs `look` on the world as it is now.
    pub fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.current().world)
    }

    /// The world as the control API shows it (`GET /_sim/world`): accounts with their products, stacks, caches, databases, triggers and
    /// queues. Nothing of it is in the call log.
    pub fn world(&self) -> serde_json::Value {
        crate::control::world(&self.current().world)
    }

    /// The calls so far, oldest first.
    pub fn log(&self) -> Vec<Entry> {
        self.lock().log.entries().cloned().collect()
    }

    /// How many of the calls so far are as asked.
    pub fn count_calls(&self, is: impl Fn(&Entry) -> bool) -> usize {
        self.lock().log.entries().filter(|entry| is(entry)).count()
    }

    /// Adds a fault rule; it counts calls from now on. Answers its id.
    pub fn add_fault(&self, rule: Rule) -> u64 {
        let mut state = self.current();
        let state = &mut *state;
        let id = state.faults.add(rule, state.world.seed());
        state.keep_history();
        id
    }

    /// Removes every fault rule.
    pub fn clear_faults(&self) {
        self.current().faults.clear();
    }

    /// Does one action of a scenario now.
    ///
    /// # Errors
    /// Why it could not be done.
    pub fn act(&self, action: &scenario::Action) -> Result<(), String> {
        let mut state = self.current();
        let outcome = scenario::act(&mut state.world, action);
        self.settle(&mut state);
        outcome
    }

    /// Changes options; reads from now on follow them.
    pub fn change_options(&self, change: impl FnOnce(&mut Options)) {
        let mut state = self.current();
        change(&mut state.world.options);
        state.keep_history();
    }

    /// The state, with everything that is due having happened.
    pub(crate) fn current(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        self.advance(&mut state);
        state
    }

    /// A handler's panic is caught before it can poison the lock; should one get here, the state is still worth more than a hang.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets happen what is due. A timer that panics is lost, and the journal says so.
    fn advance(&self, state: &mut State) {
        let to = self.0.clock.now();
        if catch_unwind(AssertUnwindSafe(|| state.world.advance_to(to))).is_err() {
            state.world.note("internal failure: a timer panicked and is lost");
        }
        self.settle(state);
    }

    /// Carries out what actions ask of the doors: the world itself knows neither clock nor faults.
    fn settle(&self, state: &mut State) {
        for order in state.world.scenario.take_orders() {
            match order {
                scenario::Order::Speed(speed) => self.0.clock.set_speed(speed),
                scenario::Order::Fault(rule) => {
                    state.faults.add(*rule, state.world.seed());
                    state.keep_history();
                }
                scenario::Order::ClearFaults => state.faults.clear(),
                scenario::Order::KeepHistory => state.keep_history(),
            }
        }
    }

    /// Answers a request. Never fails, never panics; pending for ever only where a fault says so (then it answers [`Delivery::Never`]).
    pub async fn serve(&self, request: Request<Bytes>) -> Delivery {
        if crate::control::is_control(&request) {
            return Delivery::Whole(crate::control::answer(self, &request));
        }
        let read = visit::read(&request);
        let (mut visit, strike) = match visit::admit(&mut self.current(), read) {
            Ok(admitted) => admitted,
            Err(response) => return Delivery::Whole(*response),
        };
        if !strike.delay.is_zero() {
            tokio::time::sleep(strike.delay).await;
        }
        let mut state = self.current();
        let delivery = visit.carry_out(&mut state, &strike);
        self.settle(&mut state);
        delivery
    }
}
