//! Whose turn it is: which stack is looked at next, whether to ask again, and whether a request is affordable. Touches nothing.
//!
//! **Cost.** A stack takes three requests: start, ask once, read. [`Allowance`] gives out [`CALLS_A_MINUTE`] and no more, so a TED of 12
//! stacks is through in 90 minutes at the soonest; a shorter interval than that is stretched. A longer one spreads the stacks evenly.
//! **Order.** The stack whose result is oldest, and one at a time: CloudFormation refuses a second detection on a stack, and there is no
//! hurry. **Staggered.** Each TED begins at a moment of its own within its first gap, so that a controller of a hundred TEDs does not
//! start a hundred detections when it starts.

use super::super::observation::{DeepDrift, Gap, Observation, Seen, StackCheck};
use super::{Found, StackRef, failed, may_be_checked, not_now, too_long};
use crate::clock::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

/// Requests a minute that a TED may cost, on average. Half a call was promised; the rest is for pages and second attempts.
const CALLS_A_MINUTE: f64 = 0.4;

/// Requests that may be made at once after a quiet time.
const BURST: f64 = 2.0;

/// How long after its start a detection is first asked after. Most are done by then, so that asking once is enough.
const FIRST_ASK: Duration = Duration::from_mins(3);

/// How long one detection is waited for.
const PATIENCE: Duration = Duration::from_hours(1);

/// How long to wait after a request that may succeed later.
const LATER: Duration = Duration::from_mins(5);

/// How long to wait, at least, after AWS refused a detection altogether: somebody has to grant it first.
const REFUSED: Duration = Duration::from_hours(1);

/// A request to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Start a detection on this stack.
    Start(StackRef),
    /// Ask whether this detection is done.
    Ask(String),
    /// Read what was found on this stack; `gap`: why that is not all.
    Read { stack: StackRef, gap: Option<Gap> },
}

/// How a start came out.
pub(super) enum Begun {
    /// A detection runs; without an id it is somebody else's.
    Runs(Option<String>),
    /// It may be possible later.
    NotNow,
    /// It is not allowed, or not possible on this stack.
    Refused(Gap),
}

/// How far a detection is.
#[derive(Debug)]
pub(super) enum Progress {
    /// Not done.
    Runs,
    /// Done; with a gap: not all of it.
    Over(Option<Gap>),
}

/// A detection under way.
#[derive(Debug)]
struct Running {
    stack: StackRef,
    id: Option<String>,
    began: Instant,
    next: Instant,
    pause: Duration,
    /// Over: what it found is to be read.
    progress: Progress,
}

/// What is known of a stack.
#[derive(Debug)]
struct Kept {
    tried: Instant,
    found: Found,
}

/// The turns of one TED.
#[derive(Debug)]
pub(super) struct Turns {
    /// By the stack's ARN.
    kept: BTreeMap<String, Kept>,
    running: Option<Running>,
    /// Not before then.
    next_start: Option<Instant>,
    made: Instant,
    allowance: Allowance,
    seed: u64,
}

impl Turns {
    /// `name` decides when the first detection begins.
    pub(super) fn new(name: &str, now: Instant) -> Self {
        // FNV-1a: the same for a name in every run, spread over names.
        let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self {
            kept: BTreeMap::new(),
            running: None,
            next_start: None,
            made: now,
            allowance: Allowance { calls: 1.0, at: now },
            seed,
        }
    }

    /// Results from before the stack last changed say nothing any more.
    pub(super) fn forget_what_changed(&mut self, observation: &Observation) {
        let Some(updated) = observation.root.present().and_then(|root| root.updated) else {
            return;
        };
        self.kept.retain(|_, kept| kept.found.check.checked.is_none_or(|at| at >= updated));
    }

    /// The request to make now, if there is one.
    pub(super) fn next(
        &mut self,
        stacks: &[StackRef],
        quiet: bool,
        interval: Duration,
        now: Instant,
    ) -> Option<Turn> {
        self.kept.retain(|id, _| stacks.iter().any(|stack| stack.id == *id));
        if let Some(running) = &self.running
            && !stacks.iter().any(|stack| stack.id == running.stack.id)
        {
            self.running = None;
        }
        self.allowance.grow(now);
        if !self.allowance.is_enough() {
            return None;
        }
        let turn = match &mut self.running {
            Some(running) => {
                if now < running.next {
                    return None;
                }
                match (&running.progress, &running.id) {
                    (Progress::Over(gap), _) => {
                        Turn::Read { stack: running.stack.clone(), gap: gap.clone() }
                    }
                    // Somebody else's detection cannot be asked after. By now it should be over, and its results are as good.
                    (Progress::Runs, None) => {
                        Turn::Read { stack: running.stack.clone(), gap: None }
                    }
                    (Progress::Runs, Some(id)) => Turn::Ask(id.clone()),
                }
            }
            None => Turn::Start(self.due(stacks, quiet, interval, now)?),
        };
        self.allowance.spend(1.0);
        Some(turn)
    }

    /// The stack to start with now.
    fn due(
        &mut self,
        stacks: &[StackRef],
        quiet: bool,
        interval: Duration,
        now: Instant,
    ) -> Option<StackRef> {
        let spacing = interval / u32::try_from(stacks.len().max(1)).unwrap_or(1);
        let first = self.made + share(self.seed, spacing);
        let start = *self.next_start.get_or_insert(first);
        if now < start || !quiet {
            return None;
        }
        for stack in stacks.iter().filter(|stack| !may_be_checked(&stack.status)) {
            self.keep(stack, failed(stack, not_now(&stack.status)), now);
        }
        let oldest = |stack: &&StackRef| self.kept.get(&stack.id).map(|kept| kept.tried);
        let stack =
            stacks.iter().filter(|stack| may_be_checked(&stack.status)).min_by_key(oldest).filter(
                |stack| {
                    // All are looked at within the interval: then the oldest has to be that old again.
                    oldest(stack).is_none_or(|tried| now.duration_since(tried) >= interval)
                },
            )?;
        self.next_start = Some(now + spacing);
        Some(stack.clone())
    }

    pub(super) fn begun(
        &mut self,
        stack: StackRef,
        begun: Begun,
        interval: Duration,
        now: Instant,
    ) {
        match begun {
            Begun::Runs(id) => {
                let next = now + FIRST_ASK;
                let pause = FIRST_ASK;
                self.running =
                    Some(Running { stack, id, began: now, next, pause, progress: Progress::Runs });
            }
            Begun::NotNow => self.next_start = Some(now + LATER),
            Begun::Refused(gap) => {
                // What one stack is denied the others will be, too; a stack that cannot be looked at is passed over.
                if gap.reason == "AccessDenied" {
                    self.next_start = Some(now + interval.max(REFUSED));
                }
                self.keep(&stack, failed(&stack, gap), now);
            }
        }
    }

    pub(super) fn asked(&mut self, progress: Progress, now: Instant) {
        let Some(running) = &mut self.running else { return };
        match progress {
            Progress::Over(gap) => {
                (running.progress, running.next) = (Progress::Over(gap), now);
            }
            Progress::Runs if now.duration_since(running.began) >= PATIENCE => {
                let stack = running.stack.clone();
                self.running = None;
                self.keep(&stack, failed(&stack, too_long(PATIENCE)), now);
            }
            Progress::Runs => {
                running.next = now + running.pause;
                running.pause *= 2;
            }
        }
    }

    pub(super) fn read(&mut self, stack: &StackRef, found: Found, now: Instant) {
        self.running = None;
        // Every further page of a hundred was a request of its own.
        let resources = found.check.compared + found.check.unchecked.len();
        let pages = u32::try_from(resources.saturating_sub(1) / 100).unwrap_or(u32::MAX);
        self.allowance.spend(f64::from(pages));
        self.keep(stack, found, now);
    }

    fn keep(&mut self, stack: &StackRef, mut found: Found, now: Instant) {
        // What an earlier detection found stays, if this one found nothing at all.
        if let Some(before) = self.kept.get(&stack.id)
            && found.check.checked.is_none()
            && found.check.gap.is_some()
        {
            let gap = found.check.gap.take();
            found = before.found.clone();
            found.check.gap = gap;
        }
        self.kept.insert(stack.id.clone(), Kept { tried: now, found });
    }

    /// What is known so far.
    pub(super) fn report(&self, stacks: &[StackRef]) -> Seen<DeepDrift> {
        if self.kept.is_empty() {
            return Seen::NotLooked;
        }
        let mut deep = DeepDrift::default();
        for stack in stacks {
            match self.kept.get(&stack.id) {
                Some(kept) => {
                    deep.stacks.push(kept.found.check.clone());
                    deep.drifts.extend(kept.found.drifts.iter().cloned());
                }
                None => deep
                    .stacks
                    .push(StackCheck { stack: stack.name.clone(), ..StackCheck::default() }),
            }
        }
        Seen::Present(deep)
    }
}

/// A part of a time, chosen by a number.
fn share(seed: u64, of: Duration) -> Duration {
    let millis = u64::try_from(of.as_millis()).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(seed % millis)
}

/// What requests may be made.
#[derive(Debug)]
struct Allowance {
    calls: f64,
    at: Instant,
}

impl Allowance {
    fn grow(&mut self, now: Instant) {
        let minutes = now.duration_since(self.at).as_secs_f64() / 60.0;
        self.calls = (self.calls + minutes * CALLS_A_MINUTE).min(BURST);
        self.at = now;
    }

    fn is_enough(&self) -> bool {
        self.calls >= 1.0
    }

    fn spend(&mut self, calls: f64) {
        self.calls -= calls;
    }
}

#[cfg(test)]
mod tests;
