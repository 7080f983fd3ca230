//! The protocol, checked exhaustively: every interleaving of controllers, crashes, stale looks, operators and AWS, over the real
//! [`decide`] and the real texts of tags. `docs/safety.md` says what is assumed and what is left.
//!
//! Time goes in ticks of a quarter of the lease. What the model takes for one step is what one call does: a look, one write (with the
//! look at that one trigger right before it), sending an update or a continuation, its arrival. What begins something and was decided on a look of an
//! earlier tick is not sent, and what was sent arrives in its tick: the code gives up after a minute, a tick stands for seven.

use super::*;
use stateright::{Checker, Model, Property};
use std::collections::BTreeSet;
use std::fmt::Write as _;

const WORKS: &str = "an update succeeds and everything runs again";

/// A quarter of the lease.
const TICK: i64 = 450;
const TERMS: Terms = Terms {
    lease: Duration::from_mins(30),
    forward: Duration::from_mins(15),
    tolerance: Duration::ZERO,
    shows_within: Duration::ZERO,
};

fn at(tick: u8) -> Timestamp {
    Timestamp::from_second(1_785_000_000 + i64::from(tick) * TICK).unwrap()
}

/// A world small enough to be looked at whole.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each switches one kind of trouble on")]
struct Config {
    controllers: Vec<Controller>,
    triggers: usize,
    ticks: u8,
    crashes: u8,
    /// How often an operator does something to a trigger.
    hands: u8,
    /// Whether somebody else may update the product once.
    others_update: bool,
    /// Whether an update may end in a stack that needs repair.
    gets_stuck: bool,
    /// Whether controllers continue a rollback that failed.
    repairs: bool,
    newcomer: bool,
    stale: bool,
    /// Whether what begins something is sent however old the look is: as the code does not.
    tardy: bool,
    /// How often a document goes away or comes back.
    changes: u8,
    terms: Terms,
}

/// A controller, as it is configured.
#[derive(Clone, Debug)]
struct Controller {
    id: &'static str,
    /// Which of the two hives it is for: 0 or 1.
    product: usize,
    digest: &'static str,
    /// Whether its document asks for the update.
    wants: bool,
}

const ALONE: Controller = Controller { id: "ctl", product: 0, digest: "d1", wants: true };

impl Default for Config {
    fn default() -> Self {
        Self {
            controllers: vec![ALONE],
            triggers: 2,
            ticks: 6,
            crashes: 0,
            hands: 0,
            others_update: false,
            gets_stuck: false,
            repairs: false,
            newcomer: false,
            stale: false,
            tardy: false,
            changes: 0,
            terms: TERMS,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    tick: u8,
    products: Vec<Hive>,
    triggers: Vec<Trig>,
    minds: Vec<Mind>,
    /// What a stale look sees.
    before: Option<Box<(Vec<Hive>, Vec<Trig>)>>,
    processes: u8,
    crashes: u8,
    hands: u8,
    changes: u8,
    others_updated: bool,
    newcomer_came: bool,
    /// A controller enabled what an operator had disabled.
    undone: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Hive {
    record: u8,
    running: Option<Who>,
    /// When it began.
    began: u8,
    stuck: bool,
    done: bool,
    /// What runs is the continuation of a rollback: its good end is no success.
    goes_back: bool,
    /// How often the rollback was continued since the last update began.
    continued: u8,
    /// Requests on their way, and of which process.
    on_the_way: Vec<(Request, u8)>,
    /// Tokens that were used up.
    used: Vec<u8>,
}

/// A request that changes the stack, with what makes it the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Request {
    /// An update under a record.
    Update(u8),
    /// A continuation under a record, after so many.
    Continue(u8, u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    Us,
    Others,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Trig {
    on: bool,
    modified: u8,
    /// How often it changed: two changes in one tick have two times in AWS.
    version: u8,
    /// By product.
    tags: Vec<Option<String>>,
    /// An operator disabled it while nobody had a claim on it, or took our tag off while it was off.
    operators: bool,
    /// Nobody can say whose doing it is that it is off: in the moment in which it was given back.
    ambiguous: bool,
    /// It is on against our will: an operator enabled it, or it came after the look on which the update was sent.
    exempt: bool,
    /// Whether it was an operator who turned it off last.
    by_hand: bool,
}

/// What a process has in mind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Mind {
    process: u8,
    wants: bool,
    sent: Option<(u8, u8)>,
    /// What the last look asked for, when it takes a second one.
    confirm: Option<Deed>,
    /// What is being carried out.
    deed: Option<Deed>,
    /// What it disabled itself: trigger and claim (`act::Disabled`).
    disabled: BTreeSet<(usize, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Deed {
    Writes(ActKind, Vec<Order>),
    Send(Request),
}

/// A write, with what it expects to find.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Order {
    trigger: usize,
    seen: Option<String>,
    version: u8,
    tag: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ActKind {
    Hold,
    Disable,
    Release,
    Enable,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Action {
    Tick,
    Look(usize),
    LookStale(usize),
    Do(usize),
    Crash(usize),
    ChangeDocument(usize),
    Arrive(usize),
    End(usize, bool),
    Repair(usize),
    OthersUpdate,
    OperatorOff(usize),
    OperatorOn(usize),
    OperatorUntag(usize),
    Newcomer,
}

fn record_name(record: u8) -> String {
    format!("rec-{record}")
}

impl Trig {
    fn turn(&mut self, on: bool, tick: u8) {
        (self.on, self.modified) = (on, tick);
        self.version += 1;
    }
}

impl State {
    fn remember(&mut self, stale: bool) {
        if stale {
            self.before = Some(Box::new((self.products.clone(), self.triggers.clone())));
        }
    }
}

impl Config {
    /// What the real function says to a look.
    fn decide(&self, state: &State, who: usize, seen: &(Vec<Hive>, Vec<Trig>)) -> Next {
        let controller = &self.controllers[who];
        let mind = &state.minds[who];
        let hive = &seen.0[controller.product];
        let record = record_name(hive.record);
        let process = format!("{:02}", mind.process);
        let under = mind.sent.map(|(under, _)| record_name(under));
        let scene = Scene {
            record: &record,
            motion: match (hive.running, hive.stuck) {
                (Some(_), _) => Motion::Moving,
                (None, true) => Motion::Stuck,
                (None, false) => Motion::Still,
            },
            now: at(state.tick),
            triggers: seen.1.iter().map(|trigger| Self::view(controller, trigger)).collect(),
        };
        let me = Me {
            controller: controller.id,
            process: &process,
            sent: under
                .as_deref()
                .zip(mind.sent)
                .map(|(under, (_, tick))| Sent { under, at: at(tick) }),
        };
        // Gates: the product stands still, and no other controller holds this product's triggers.
        let foreign = scene.triggers.iter().any(|view| {
            matches!(&view.own, Some(Hold::Held(claim)) if claim.controller != controller.id)
        });
        // The gate `attempts`.
        let spent = hive.used.len() >= 2;
        let wish =
            if mind.wants && !spent && !hive.done && scene.motion == Motion::Still && !foreign {
                Wish::Update { digest: controller.digest, drain: Duration::ZERO }
            } else if self.repairs
                && mind.wants
                && scene.motion == Motion::Stuck
                && hive.continued < 2
                && !foreign
            {
                Wish::Repair { digest: controller.digest, drain: Duration::ZERO }
            } else {
                Wish::Nothing
            };
        decide(&scene, &me, &wish, &self.terms)
    }

    fn view<'a>(controller: &Controller, trigger: &'a Trig) -> View<'a> {
        let others = trigger.tags.iter().enumerate();
        let elsewhere: Vec<Hold<'_>> = others
            .filter(|(product, _)| *product != controller.product)
            .filter_map(|(_, tag)| Some(Hold::parse(tag.as_deref()?)))
            .collect();
        View {
            of_hive: true,
            power: if trigger.on { Power::On } else { Power::Off },
            last_modified: Some(at(trigger.modified)),
            own: trigger.tags[controller.product].as_deref().map(Hold::parse),
            held_elsewhere: elsewhere.iter().any(|hold| matches!(hold, Hold::Held(_))),
            owed_elsewhere: elsewhere.iter().any(Hold::is_owed),
        }
    }

    fn look(&self, state: &mut State, who: usize, old: bool) {
        let seen = match &state.before {
            Some(before) if old => (**before).clone(),
            Some(_) | None => (state.products.clone(), state.triggers.clone()),
        };
        let product = self.controllers[who].product;
        let next = self.decide(state, who, &seen);
        let mind = &mut state.minds[who];
        let deed = match next {
            Next::Write(act, writes) => {
                let kind = match act {
                    Act::Hold => ActKind::Hold,
                    Act::Disable => ActKind::Disable,
                    Act::Release => ActKind::Release,
                    Act::Enable => ActKind::Enable,
                };
                let writes = writes.into_iter().map(|it| Order {
                    trigger: it.trigger,
                    seen: seen.1[it.trigger].tags[product].clone(),
                    version: seen.1[it.trigger].version,
                    tag: it.tag,
                });
                Some(Deed::Writes(kind, writes.collect()))
            }
            Next::Paused => {
                let hive = &seen.0[product];
                Some(Deed::Send(if hive.stuck {
                    Request::Continue(hive.record, hive.continued)
                } else {
                    Request::Update(hive.record)
                }))
            }
            Next::Nothing | Next::Wait { .. } => None,
        };
        let twice = matches!(deed, Some(Deed::Send(_) | Deed::Writes(ActKind::Release, _)));
        if !twice {
            (mind.confirm, mind.deed) = (None, deed);
        } else if mind.confirm.as_ref().map(std::mem::discriminant)
            == deed.as_ref().map(std::mem::discriminant)
        {
            mind.confirm = None;
            if matches!(deed, Some(Deed::Send(_))) {
                for trigger in &mut state.triggers {
                    trigger.exempt = false;
                }
            }
            state.minds[who].deed = deed;
        } else {
            (mind.confirm, mind.deed) = (deed, None);
        }
    }

    /// Carries out the next part of what somebody has in mind.
    fn perform(&self, state: &mut State, who: usize) {
        let product = self.controllers[who].product;
        match state.minds[who].deed.take() {
            Some(Deed::Send(request)) => {
                if let Request::Update(under) = request {
                    state.minds[who].sent = Some((under, state.tick));
                }
                let process = state.minds[who].process;
                state.products[product].on_the_way.push((request, process));
            }
            Some(Deed::Writes(kind, mut writes)) => {
                let order = writes.remove(0);
                self.write(state, who, kind, order);
                if !writes.is_empty() {
                    state.minds[who].deed = Some(Deed::Writes(kind, writes));
                }
            }
            None => {}
        }
    }

    /// As `act::triggers` does it.
    fn write(&self, state: &mut State, who: usize, kind: ActKind, order: Order) {
        let Order { trigger: place, seen, version, tag } = order;
        let (tick, product) = (state.tick, self.controllers[who].product);
        let mine = (place, seen.clone().unwrap_or_default());
        let elsewhere = {
            let trigger = &state.triggers[place];
            let mut others = trigger.tags.iter().enumerate().filter(|(it, _)| *it != product);
            others.any(|(_, tag)| tag.as_deref().is_some_and(|tag| tag.starts_with("held ")))
        };
        let owed = {
            let trigger = &state.triggers[place];
            let mut others = trigger.tags.iter().enumerate().filter(|(it, _)| *it != product);
            others.any(|(_, tag)| tag.as_deref().is_some_and(|tag| Hold::parse(tag).is_owed()))
        };
        let trigger = &mut state.triggers[place];
        let changed = trigger.version != version && kind != ActKind::Disable;
        if trigger.tags[product] != seen || changed {
            return;
        }
        match kind {
            ActKind::Hold | ActKind::Release => {}
            ActKind::Disable if trigger.on => {
                trigger.turn(false, tick);
                (trigger.exempt, trigger.by_hand) = (false, false);
                state.minds[who].disabled.insert(mine);
                return;
            }
            ActKind::Disable if owed => return,
            ActKind::Disable if seen.as_ref() == Some(&tag) => return,
            ActKind::Disable if state.minds[who].disabled.contains(&mine) => return,
            // Somebody else disabled it: the tag says that it is theirs. It had better be an operator.
            ActKind::Disable => trigger.operators = trigger.by_hand,
            ActKind::Enable if trigger.on || tag.ends_with(" yielded") => {}
            ActKind::Enable if elsewhere => return,
            ActKind::Enable => {
                if trigger.operators {
                    state.undone = true;
                }
                trigger.turn(true, tick);
            }
        }
        state.triggers[place].tags[product] = Some(tag);
    }

    fn arrive(state: &mut State, product: usize) {
        let hive = &mut state.products[product];
        let under = match hive.on_the_way.remove(0) {
            (Request::Update(under), _) => under,
            (Request::Continue(record, after), _) => {
                // The same token is the same request, and only a rollback that failed is continued.
                if hive.stuck && hive.record == record && hive.continued == after {
                    hive.stuck = false;
                    hive.continued += 1;
                    (hive.running, hive.goes_back) = (Some(Who::Us), true);
                }
                return;
            }
        };
        // The same token is the same update; a product under change refuses.
        // Attempts are limited.
        let spent = hive.used.len() >= 2;
        if hive.used.contains(&under) || hive.running.is_some() || hive.stuck || spent {
            return;
        }
        hive.used.push(under);
        hive.record += 1;
        hive.continued = 0;
        (hive.running, hive.goes_back) = (Some(Who::Us), false);
    }

    /// Everybody goes on, nothing goes wrong any more: in the end all that has to run does.
    fn heals(&self, state: &State) -> bool {
        // Where everything runs there is nothing to heal; what follows from there is a state of its own.
        if state.triggers.iter().all(|trigger| trigger.on) {
            return true;
        }
        let mut state = state.clone();
        // A lease and what may come before and after it.
        for _ in 0..8 {
            for who in 0..self.controllers.len() {
                for _ in 0..6 {
                    self.look(&mut state, who, false);
                    if state.minds[who].deed.is_none() && state.minds[who].confirm.is_none() {
                        break;
                    }
                    while state.minds[who].deed.is_some() {
                        self.perform(&mut state, who);
                    }
                }
            }
            let mut moves = false;
            for product in 0..state.products.len() {
                while !state.products[product].on_the_way.is_empty() {
                    Self::arrive(&mut state, product);
                }
                let hive = &mut state.products[product];
                let ran = hive.running.take();
                moves |= ran.is_some();
                hive.done |= ran == Some(Who::Us) && !hive.goes_back;
                hive.stuck = false;
            }
            let given_back = |trigger: &Trig| trigger.on || trigger.operators || trigger.ambiguous;
            if !moves && state.triggers.iter().all(given_back) {
                return true;
            }
            state.tick += 1;
        }
        false
    }
}

impl Model for Config {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let hives = self.controllers.iter().map(|it| it.product).max().unwrap_or(0) + 1;
        let hive = Hive {
            record: 0,
            running: None,
            began: 0,
            stuck: false,
            done: false,
            goes_back: false,
            continued: 0,
            on_the_way: Vec::new(),
            used: Vec::new(),
        };
        let trigger = Trig {
            on: true,
            modified: 0,
            version: 0,
            tags: vec![None; hives],
            operators: false,
            ambiguous: false,
            exempt: false,
            by_hand: false,
        };
        let minds = self.controllers.iter().enumerate().map(|(place, controller)| Mind {
            process: u8::try_from(place).unwrap(),
            wants: controller.wants,
            sent: None,
            confirm: None,
            deed: None,
            disabled: BTreeSet::new(),
        });
        vec![State {
            tick: 0,
            products: vec![hive; hives],
            triggers: vec![trigger; self.triggers],
            minds: minds.collect(),
            before: None,
            processes: u8::try_from(self.controllers.len()).unwrap(),
            crashes: 0,
            hands: 0,
            changes: 0,
            others_updated: false,
            newcomer_came: false,
            undone: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.tick < self.ticks && state.products.iter().all(|it| it.on_the_way.is_empty()) {
            actions.push(Action::Tick);
        }
        for who in 0..self.controllers.len() {
            // Who sent something waits for the answer.
            let process = state.minds[who].process;
            let mut sent = state.products.iter().flat_map(|hive| &hive.on_the_way);
            if state.minds[who].deed.is_some() {
                actions.push(Action::Do(who));
            } else if !sent.any(|(_, by)| *by == process) {
                actions.push(Action::Look(who));
                if self.stale && state.before.is_some() {
                    actions.push(Action::LookStale(who));
                }
            }
            if state.crashes < self.crashes {
                actions.push(Action::Crash(who));
            }
            if state.changes < self.changes {
                actions.push(Action::ChangeDocument(who));
            }
        }
        for (product, hive) in state.products.iter().enumerate() {
            if !hive.on_the_way.is_empty() {
                actions.push(Action::Arrive(product));
            }
            // An update takes longer than a request.
            if hive.running == Some(Who::Us) || (hive.running.is_some() && hive.began < state.tick)
            {
                actions.push(Action::End(product, true));
                if self.gets_stuck {
                    actions.push(Action::End(product, false));
                }
            }
            if hive.stuck {
                actions.push(Action::Repair(product));
            }
        }
        let idle = state.products[0].running.is_none() && !state.products[0].stuck;
        if self.others_update && !state.others_updated && idle {
            actions.push(Action::OthersUpdate);
        }
        if self.newcomer && !state.newcomer_came {
            actions.push(Action::Newcomer);
        }
        if state.hands < self.hands {
            for (place, trigger) in state.triggers.iter().enumerate() {
                actions.push(if trigger.on {
                    Action::OperatorOff(place)
                } else {
                    Action::OperatorOn(place)
                });
                if trigger.tags[0].is_some() {
                    actions.push(Action::OperatorUntag(place));
                }
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Tick => {
                state.tick += 1;
                // No look is minutes old.
                state.before = None;
                for mind in state.minds.iter_mut().filter(|_| !self.tardy) {
                    // Decided on a look that is too old by now. Giving back never is.
                    if matches!(
                        mind.deed,
                        Some(Deed::Send(_) | Deed::Writes(ActKind::Hold | ActKind::Disable, _))
                    ) {
                        mind.deed = None;
                    }
                }
            }
            Action::Look(who) => self.look(&mut state, who, false),
            Action::LookStale(who) => self.look(&mut state, who, true),
            Action::Do(who) => {
                state.remember(self.stale);
                self.perform(&mut state, who);
            }
            Action::Crash(who) => {
                state.crashes += 1;
                let process = state.processes;
                state.processes += 1;
                let wants = state.minds[who].wants;
                let disabled = BTreeSet::new();
                state.minds[who] =
                    Mind { process, wants, sent: None, confirm: None, deed: None, disabled };
            }
            Action::ChangeDocument(who) => {
                state.changes += 1;
                state.minds[who].wants = !state.minds[who].wants;
            }
            Action::Arrive(product) => {
                state.remember(self.stale);
                Self::arrive(&mut state, product);
            }
            Action::End(product, well) => {
                state.remember(self.stale);
                let hive = &mut state.products[product];
                let who = hive.running.take();
                hive.stuck = !well;
                hive.done |= well && who == Some(Who::Us) && !hive.goes_back;
            }
            Action::Repair(product) => state.products[product].stuck = false,
            Action::OthersUpdate => {
                state.others_updated = true;
                state.remember(self.stale);
                let hive = &mut state.products[0];
                hive.record += 1;
                (hive.continued, hive.goes_back) = (0, false);
                (hive.running, hive.began) = (Some(Who::Others), state.tick);
            }
            Action::OperatorOff(place) => {
                state.hands += 1;
                let tick = state.tick;
                let trigger = &mut state.triggers[place];
                let claimed = trigger.tags.iter().flatten().any(|tag| tag.starts_with("held "));
                let just_released = trigger.tags.iter().flatten().any(|tag| {
                    matches!(Hold::parse(tag), Hold::Released(release)
                        if release.end == End::Open && release.at == Some(at(tick)))
                });
                trigger.operators = !claimed && !just_released;
                trigger.ambiguous = just_released;
                trigger.by_hand = true;
                trigger.turn(false, tick);
            }
            Action::OperatorOn(place) => {
                state.hands += 1;
                let tick = state.tick;
                let trigger = &mut state.triggers[place];
                trigger.turn(true, tick);
                (trigger.operators, trigger.ambiguous, trigger.exempt) = (false, false, true);
            }
            Action::OperatorUntag(place) => {
                state.hands += 1;
                let trigger = &mut state.triggers[place];
                trigger.tags[0] = None;
                trigger.operators |= !trigger.on;
                trigger.exempt |= trigger.on;
            }
            Action::Newcomer => {
                state.newcomer_came = true;
                let tick = state.tick;
                let tags = vec![None; state.products.len()];
                state.triggers.push(Trig {
                    on: true,
                    modified: tick,
                    version: 0,
                    tags,
                    operators: false,
                    ambiguous: false,
                    exempt: true,
                    by_hand: false,
                });
            }
        }
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no event runs during an update that we sent", |_, state: &State| {
                state.products.iter().all(|hive| {
                    hive.running != Some(Who::Us)
                        || state.triggers.iter().all(|trigger| !trigger.on || trigger.exempt)
                })
            }),
            Property::always("what an operator disabled is never enabled", |_, state: &State| {
                !state.undone
            }),
            Property::always("nothing stays off for ever", Self::heals),
            Property::sometimes(
                "an update succeeds and everything runs again",
                |_, state: &State| {
                    state.products[0].done && state.triggers.iter().all(|trigger| trigger.on)
                },
            ),
        ]
    }
}

/// What is broken, with the way that leads there; and how many states there are.
fn explore(config: Config) -> (Vec<(&'static str, String)>, usize, bool) {
    let checker = config.checker().threads(2).spawn_bfs().join();
    let mut broken = Vec::new();
    let mut works = false;
    let found: std::collections::BTreeMap<_, _> = checker.discoveries().into_iter().collect();
    for (property, path) in found {
        if property == WORKS {
            works = true;
            continue;
        }
        let mut way = String::new();
        for (state, action) in path.into_vec() {
            let _ = writeln!(way, "  tick {} {:?} {:?}", state.tick, state.products, state.minds);
            for trigger in &state.triggers {
                let _ = writeln!(way, "      {trigger:?}");
            }
            let _ = writeln!(way, "    then {action:?}");
        }
        broken.push((property, way));
    }
    (broken, checker.unique_state_count(), works)
}

/// Looks at every state there is. The number of them is printed, so that a model that shrank to nothing is seen.
fn check(name: &str, config: Config) {
    let (broken, states, works) = explore(config);
    println!("{name}: {states} states");
    assert!(states > 500, "{name}: a model of {states} states shows nothing");
    if let Some((property, way)) = broken.first() {
        panic!("{name}: broken: {property}\n{way}");
    }
    assert!(works, "{name}: the update never succeeds");
}

const OLDER: Controller = Controller { digest: "d0", ..ALONE };
const OTHER: Controller = Controller { id: "other", ..ALONE };
const NEIGHBOUR: Controller = Controller { product: 1, ..ALONE };

#[test]
fn a_controller_that_crashes_anywhere() {
    check("crashes", Config { crashes: 2, ticks: 5, ..Config::default() });
}

#[test]
fn two_processes_of_one_controller_on_one_document() {
    let controllers = vec![ALONE, ALONE];
    check("twins", Config { controllers, crashes: 1, ticks: 5, triggers: 1, ..Config::default() });
}

#[test]
fn two_controllers_of_different_names() {
    let controllers = vec![ALONE, OTHER];
    check("rivals", Config { controllers, crashes: 1, ticks: 5, triggers: 1, ..Config::default() });
}

#[test]
fn a_process_on_an_older_revision_that_wants_something_else() {
    let controllers = vec![ALONE, OLDER];
    check("older", Config { controllers, crashes: 0, ticks: 5, triggers: 1, ..Config::default() });
}

#[test]
fn a_process_on_an_older_revision_that_wants_nothing() {
    let controllers = vec![ALONE, Controller { wants: false, ..OLDER }];
    check(
        "idle older",
        Config { controllers, crashes: 1, ticks: 5, triggers: 1, ..Config::default() },
    );
}

#[test]
fn an_operator_at_the_console() {
    check("operator", Config { hands: 3, crashes: 1, ticks: 3, triggers: 1, ..Config::default() });
    check("operator, two triggers", Config { hands: 2, ticks: 2, ..Config::default() });
}

#[test]
fn two_hives_on_one_te_version() {
    let controllers = vec![ALONE, NEIGHBOUR];
    check("hives", Config { controllers, ticks: 1, triggers: 1, ..Config::default() });
}

#[test]
fn a_te_version_that_appears_and_others_who_update() {
    let config = Config { triggers: 1, crashes: 1, ticks: 5, ..Config::default() };
    check("newcomer", Config { newcomer: true, ticks: 3, ..config.clone() });
    check("others", Config { others_update: true, ..config.clone() });
    check("stuck", Config { gets_stuck: true, crashes: 0, ..config });
}

#[test]
fn rollbacks_that_fail_and_are_continued() {
    let config =
        Config { gets_stuck: true, repairs: true, triggers: 1, ticks: 5, ..Config::default() };
    check("continued", Config { crashes: 1, ..config.clone() });
    check("continued, of others", Config { others_update: true, ticks: 4, ..config.clone() });
    check("continued, newcomer", Config { newcomer: true, ticks: 2, ..config.clone() });
    check("continued, operator", Config { hands: 2, ticks: 2, ..config.clone() });
    let controllers = vec![ALONE, OLDER];
    check("continued, older", Config { controllers, ticks: 2, ..config.clone() });
    let controllers = vec![ALONE, OTHER];
    check("continued, rivals", Config { controllers, ticks: 3, ..config });
}

#[test]
fn looks_that_are_one_step_old() {
    check("stale", Config { stale: true, triggers: 1, ticks: 4, crashes: 1, ..Config::default() });
}

#[test]
fn a_document_that_goes_away_and_comes_back() {
    check("document", Config { changes: 2, crashes: 1, triggers: 1, ..Config::default() });
}

/// The model finds what it should: when an update may be sent however old the look is that it was decided on, events run during it.
#[test]
fn without_an_age_limit_for_looks_the_protocol_is_found_broken() {
    let controllers = vec![ALONE, Controller { wants: false, ..OLDER }];
    let config = Config { controllers, tardy: true, ticks: 5, triggers: 1, ..Config::default() };
    let (broken, ..) = explore(config);
    let names: Vec<_> = broken.iter().map(|(property, _)| *property).collect();
    assert!(names.iter().any(|name| name.starts_with("no event runs")), "{names:?}");
}
