//! The world: every account and region, their resources, and the timers that move them.
//!
//! A world is a pure state machine. It is told the time, never asks for it; its randomness comes from its seed; it does no IO. The same
//! spec, seed and sequence of timed requests give the same answers, byte for byte.

use crate::options::Options;
use crate::rng::Rng;
use crate::scenario;
use crate::services::{Timer, cloudformation, elasticache, iam, lambda, rds, servicecatalog, sqs};
use crate::time::SimTime;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// An account in a region: what one client of one account sees.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// Twelve digits.
    pub account: String,
    /// `us-east-2`.
    pub region: String,
}

impl Scope {
    /// The scope of `account` in `region`.
    pub fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self { account: account.into(), region: region.into() }
    }

    /// The partition its ARNs begin with: `aws`, `aws-us-gov` or `aws-cn`.
    pub fn partition(&self) -> &'static str {
        match self.region.split('-').next() {
            Some("cn") => "aws-cn",
            Some("us") if self.region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    /// `arn:<partition>:<service>:<region>:<account>:<resource>`.
    pub fn arn(&self, service: &str, resource: impl fmt::Display) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region, self.account)
    }
}

/// All resources of one account in one region, a part for each service.
#[derive(Clone, Debug, Default)]
pub struct Region {
    pub(crate) cloudformation: cloudformation::State,
    pub(crate) servicecatalog: servicecatalog::State,
    pub(crate) elasticache: elasticache::State,
    pub(crate) rds: rds::State,
    pub(crate) lambda: lambda::State,
    pub(crate) sqs: sqs::State,
    /// SSM parameters by name; stack parameters of an SSM type resolve here.
    pub(crate) parameters: BTreeMap<String, String>,
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    /// Where AWS leaves its behaviour undocumented: what this world does.
    pub options: Options,
    /// Accounts' principals, policies and denials.
    pub(crate) iam: iam::State,
    /// What the scenario still waits for.
    pub(crate) scenario: scenario::State,
    /// What is left of Lambda's request quotas.
    pub(crate) lambda_quota: lambda::Quota,
    now: SimTime,
    seed: String,
    ids: Rng,
    regions: BTreeMap<Scope, Arc<Region>>,
    /// Older states, newest last, kept while reads may return them.
    history: BTreeMap<Scope, VecDeque<(SimTime, Arc<Region>)>>,
    /// For how long older states are kept; zero keeps none.
    history_for: Duration,
    timers: BTreeMap<(SimTime, u64), (Scope, Timer)>,
    timers_set: u64,
    journal: VecDeque<Happening>,
}

/// Something that happened by itself, for people who follow a scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Happening {
    /// When, in virtual time.
    pub at: SimTime,
    /// What, in one sentence.
    pub what: String,
}

/// The journal forgets what is older than this many happenings.
const JOURNAL_LENGTH: usize = 10_000;

/// A clone of the region is kept at most this often while history is kept.
const HISTORY_STEP: Duration = Duration::from_millis(500);

impl World {
    /// An empty world at `now`; `seed` decides every random choice.
    pub fn new(now: SimTime, seed: &str, options: Options) -> Self {
        Self {
            options,
            iam: iam::State::default(),
            scenario: scenario::State::default(),
            lambda_quota: lambda::Quota::default(),
            now,
            seed: seed.to_owned(),
            ids: Rng::new(seed, "ids"),
            regions: BTreeMap::new(),
            history: BTreeMap::new(),
            history_for: Duration::ZERO,
            timers: BTreeMap::new(),
            timers_set: 0,
            journal: VecDeque::new(),
        }
    }

    /// The virtual time up to which everything has happened.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// The seed of this world.
    pub fn seed(&self) -> &str {
        &self.seed
    }

    /// Lets everything happen that is due by `to`. Going back is ignored.
    pub fn advance_to(&mut self, to: SimTime) {
        while let Some((&(at, _), _)) = self.timers.first_key_value() {
            if at > to {
                break;
            }
            let Some((_, (scope, timer))) = self.timers.pop_first() else { break };
            self.now = self.now.max(at);
            timer.fire(self, &scope);
        }
        self.now = self.now.max(to);
    }

    /// When the next timer is due.
    pub fn next_timer(&self) -> Option<SimTime> {
        self.timers.first_key_value().map(|(&(at, _), _)| at)
    }

    /// Sets a timer.
    pub(crate) fn after(&mut self, delay: Duration, scope: &Scope, timer: impl Into<Timer>) {
        self.timers_set += 1;
        self.timers.insert((self.now + delay, self.timers_set), (scope.clone(), timer.into()));
    }

    /// The scopes that hold anything.
    pub fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.regions.keys()
    }

    /// The resources of `scope` as they are now; an empty region when nothing is there.
    pub fn region(&self, scope: &Scope) -> &Region {
        static EMPTY: std::sync::LazyLock<Region> = std::sync::LazyLock::new(Region::default);
        self.regions.get(scope).map_or(&EMPTY, |region| region)
    }

    /// The resources of `scope`, to change them. The state before is kept when reads may still return it.
    pub(crate) fn region_mut(&mut self, scope: &Scope) -> &mut Region {
        let region = self.regions.entry(scope.clone()).or_default();
        if !self.history_for.is_zero() {
            let kept = self.history.entry(scope.clone()).or_default();
            if kept.back().is_none_or(|(at, _)| self.now.since(*at) >= HISTORY_STEP) {
                kept.push_back((self.now, Arc::clone(region)));
            }
            // The newest state that is old enough stays: it is what a read from then saw.
            while kept.len() > 1
                && kept.get(1).is_some_and(|(at, _)| self.now.since(*at) > self.history_for)
            {
                kept.pop_front();
            }
        }
        Arc::make_mut(region)
    }

    /// Keeps older states for `how_long`, so that reads can return them.
    pub(crate) fn keep_history(&mut self, how_long: Duration) {
        self.history_for = self.history_for.max(how_long);
    }

    /// Runs `read` while `scope` looks as it did `lag` ago. Whatever `read` changes is lost.
    pub(crate) fn as_of<T>(
        &mut self,
        scope: &Scope,
        lag: Duration,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let then = self.now - lag;
        // An entry holds the state that was replaced at its time, so the first entry after `then` is what stood at `then`.
        let old = self
            .history
            .get(scope)
            .and_then(|kept| kept.iter().find(|(at, _)| *at > then))
            .map(|(_, region)| Arc::clone(region));
        let Some(old) = old else { return read(self) };
        let fresh = self.regions.insert(scope.clone(), old);
        let answer = read(self);
        if let Some(fresh) = fresh {
            self.regions.insert(scope.clone(), fresh);
        }
        answer
    }

    /// A random number generator for one purpose; another purpose never shifts its draws.
    pub fn rng(&self, purpose: &str) -> Rng {
        Rng::new(&self.seed, purpose)
    }

    /// A new id of 13 lower-case letters and digits behind `prefix`, as Service Catalog makes them.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        format!("{prefix}{}", self.ids.text(b"abcdefghijklmnopqrstuvwxyz234567", 13))
    }

    /// A new UUID.
    pub(crate) fn uuid(&mut self) -> String {
        self.ids.uuid()
    }

    /// The 12 or 13 upper-case characters that CloudFormation puts behind generated names.
    pub(crate) fn suffix(&mut self) -> String {
        self.ids.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 12)
    }

    /// Notes what happened.
    pub(crate) fn note(&mut self, what: impl Into<String>) {
        if self.journal.len() == JOURNAL_LENGTH {
            self.journal.pop_front();
        }
        self.journal.push_back(Happening { at: self.now, what: what.into() });
    }

    /// What happened, oldest first.
    pub fn journal(&self) -> impl Iterator<Item = &Happening> {
        self.journal.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope::new("111122223333", "us-east-2")
    }

    #[test]
    fn a_read_of_the_past_sees_the_past() {
        let mut world = World::new(SimTime::from_millis(0), "seed", Options::default());
        world.keep_history(Duration::from_mins(1));
        for second in 0..5 {
            world.advance_to(SimTime::from_millis(second * 10_000));
            world.region_mut(&scope()).parameters.insert("at".to_owned(), second.to_string());
        }
        let seen = |world: &mut World, lag| {
            world.as_of(&scope(), Duration::from_secs(lag), |world| {
                world.region(&scope()).parameters.get("at").cloned()
            })
        };
        assert_eq!(seen(&mut world, 0), Some("4".to_owned()));
        assert_eq!(seen(&mut world, 5), Some("3".to_owned()));
        assert_eq!(seen(&mut world, 25), Some("1".to_owned()));
        assert_eq!(world.region(&scope()).parameters["at"], "4");
    }

    #[test]
    fn arns_name_their_partition() {
        assert_eq!(
            Scope::new("1", "us-gov-west-1").arn("rds", "db:x"),
            "arn:aws-us-gov:rds:us-gov-west-1:1:db:x"
        );
        assert_eq!(Scope::new("1", "cn-north-1").partition(), "aws-cn");
        assert_eq!(Scope::new("1", "us-east-2").partition(), "aws");
    }
}
