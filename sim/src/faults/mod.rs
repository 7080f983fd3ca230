//! Faults: rules that say which calls go wrong, and how.
//!
//! A rule counts the calls it matches. Which of them it strikes is decided by (seed, rule id, count) alone, so that a run with the same
//! seed and the same calls meets the same faults.

mod rule;

pub(crate) use rule::moment;
pub use rule::{Delay, Fault, Pattern, Rule};

use crate::error::ApiError;
use crate::front::{Delivery, refusal};
use crate::rng::Rng;
use crate::services::iam::Principal;
use crate::spec::{Effect, Service};
use bytes::Bytes;
use http::Response;
use serde::Serialize;
use std::time::Duration;

/// The rules of a running world, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<Active>,
    added: u64,
}

/// A rule with its counts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Active {
    pub(crate) id: u64,
    pub(crate) rule: Rule,
    /// Calls that it matched.
    matched: u64,
    /// Calls that it struck.
    struck: u64,
    #[serde(skip)]
    rng: Rng,
}

/// A call, as rules see it.
#[derive(Debug)]
pub(crate) struct Asked<'c> {
    pub(crate) service: Service,
    pub(crate) operation: &'c str,
    pub(crate) effect: Effect,
    pub(crate) caller: &'c str,
    /// Virtual time since the scenario began.
    pub(crate) since_start: Duration,
}

/// What strikes one call: delays add up, the oldest read wins, and of the faults that decide the answer the first does.
#[derive(Debug, Default)]
pub(crate) struct Strike {
    pub(crate) delay: Duration,
    pub(crate) lag: Duration,
    deciding: Option<Fault>,
    /// The names of all that struck, for the log.
    pub(crate) named: Option<String>,
}

impl Faults {
    /// Adds a rule. Answers its id.
    pub(crate) fn add(&mut self, rule: Rule, seed: &str) -> u64 {
        self.added += 1;
        let rng = Rng::new(seed, &format!("fault {}", self.added));
        self.rules.push(Active { id: self.added, rule, matched: 0, struck: 0, rng });
        self.added
    }

    /// Removes one rule; whether it was there.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.rules.len();
        self.rules.retain(|active| active.id != id);
        self.rules.len() < before
    }

    /// Removes all rules.
    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The rules with their counts.
    pub(crate) fn rules(&self) -> &[Active] {
        &self.rules
    }

    /// How far back a stale read of these rules looks.
    pub(crate) fn longest_lag(&self) -> Duration {
        let lag = |active: &Active| {
            if let Fault::Stale { lag } = active.rule.fault { lag } else { Duration::ZERO }
        };
        self.rules.iter().map(lag).max().unwrap_or_default()
    }

    /// What strikes this call. Counts it in every rule that matches.
    pub(crate) fn strike(&mut self, asked: &Asked<'_>) -> Strike {
        let mut strike = Strike::default();
        for active in &mut self.rules {
            if active.strikes(asked) {
                strike.add(&active.rule, &mut active.rng);
            }
        }
        strike
    }
}

impl Active {
    fn strikes(&mut self, asked: &Asked<'_>) -> bool {
        let rule = &self.rule;
        if !rule.matches(asked) {
            return false;
        }
        self.matched += 1;
        let counted = rule.nth.is_none_or(|nth| self.matched == nth)
            && rule.every.is_none_or(|every| self.matched.is_multiple_of(every))
            && rule.times.is_none_or(|times| self.struck < times);
        // Drawn for every match, so that the counts of a rule do not shift its draws.
        let drawn = rule.probability.is_none_or(|probability| self.rng.happens(probability));
        if counted && drawn {
            self.struck += 1;
        }
        counted && drawn
    }
}

impl Strike {
    fn add(&mut self, rule: &Rule, rng: &mut Rng) {
        let name = rule.name.as_deref().unwrap_or(rule.fault.kind());
        match &mut self.named {
            Some(named) => {
                named.push_str(", ");
                named.push_str(name);
            }
            None => self.named = Some(name.to_owned()),
        }
        match &rule.fault {
            Fault::Latency(delay) => self.delay += delay.draw(rng),
            Fault::Stale { lag } => self.lag = self.lag.max(*lag),
            deciding => {
                self.deciding.get_or_insert_with(|| deciding.clone());
            }
        }
    }

    /// How a call ends that is not carried out and not answered.
    pub(crate) fn before_execution(&self) -> Option<Delivery> {
        match self.deciding {
            Some(Fault::Drop) => Some(Delivery::Dropped),
            Some(Fault::Hang) => Some(Delivery::Never),
            _ => None,
        }
    }

    /// The error that answers the call in place of its operation.
    pub(crate) fn error(
        &self,
        service: Service,
        principal: &Principal,
        operation: &str,
    ) -> Option<ApiError> {
        match self.deciding.as_ref()? {
            Fault::Throttle => Some(refusal::throttled(service)),
            Fault::InternalFailure => Some(refusal::internal(service)),
            Fault::ServiceUnavailable => Some(refusal::unavailable(service)),
            // It needs no permission, and works under an explicit deny (STS API reference).
            Fault::AccessDenied if (service, operation) == (Service::Sts, "GetCallerIdentity") => {
                None
            }
            Fault::AccessDenied => {
                let action = format!("{}:{operation}", service.name());
                let message = format!(
                    "User: {} is not authorized to perform: {action} on resource: * because no identity-based policy allows the {action} action",
                    principal.arn
                );
                Some(refusal::denied(service, message))
            }
            Fault::ExpiredCredentials => Some(refusal::expired(service)),
            Fault::Error { code, message, status } => {
                Some(ApiError::new(code.clone(), message.clone()).with_status(*status))
            }
            Fault::Latency(_)
            | Fault::Stale { .. }
            | Fault::Hang
            | Fault::Drop
            | Fault::LostAnswer
            | Fault::Silence
            | Fault::Truncate => None,
        }
    }

    /// How the answer of a call that was carried out travels.
    pub(crate) fn deliver(&self, response: Response<Bytes>) -> Delivery {
        match self.deciding {
            Some(Fault::LostAnswer) => Delivery::Dropped,
            Some(Fault::Silence) => Delivery::Never,
            // A body too short to cut cannot be told from a lost answer.
            Some(Fault::Truncate) if response.body().len() < 2 => Delivery::Dropped,
            Some(Fault::Truncate) => Delivery::Truncated(response),
            _ => Delivery::Whole(response),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(yaml: &str) -> Rule {
        serde_yaml::from_str(yaml).unwrap()
    }

    fn struck(rule: Rule, seed: &str, calls: usize) -> Vec<usize> {
        let mut faults = Faults::default();
        faults.add(rule, seed);
        let asked = Asked {
            service: Service::Rds,
            operation: "DescribeDBInstances",
            effect: Effect::Read,
            caller: "arn:aws:iam::1:user/a",
            since_start: Duration::ZERO,
        };
        (1..=calls).filter(|_| faults.strike(&asked).named.is_some()).collect::<Vec<_>>()
    }

    #[test]
    fn counts_decide_which_matching_calls_are_struck() {
        for (why, yaml, expected) in [
            ("all", "fault: throttle", vec![1, 2, 3, 4, 5, 6]),
            ("one", "{nth: 2, fault: throttle}", vec![2]),
            ("every third", "{every: 3, fault: throttle}", vec![3, 6]),
            ("the first two", "{times: 2, fault: throttle}", vec![1, 2]),
            ("another service", "{service: lambda, fault: throttle}", vec![]),
            (
                "a pattern",
                "{service: rds, operation: Describe*, fault: throttle}",
                vec![1, 2, 3, 4, 5, 6],
            ),
            ("writes only", "{effect: write, fault: throttle}", vec![]),
            ("somebody else", "{caller: '*role/*', fault: throttle}", vec![]),
            ("not yet", "{after: 10s, fault: throttle}", vec![]),
            ("never", "{probability: 0, fault: throttle}", vec![]),
        ] {
            assert_eq!(struck(rule(yaml), "seed", 6), expected, "{why}");
        }
    }

    #[test]
    fn chance_repeats_with_its_seed() {
        let half = || rule("{probability: 0.5, fault: drop}");
        let first = struck(half(), "seed", 200);
        assert!((60..140).contains(&first.len()), "about half: {}", first.len());
        assert_eq!(first, struck(half(), "seed", 200));
        assert_ne!(first, struck(half(), "other", 200));
    }

    #[test]
    fn the_first_deciding_fault_wins_and_delays_add_up() {
        let mut faults = Faults::default();
        for yaml in [
            "fault: {latency: 2s}",
            "fault: throttle",
            "fault: drop",
            "{name: slow, fault: {latency: 1s}}",
        ] {
            faults.add(rule(yaml), "seed");
        }
        let asked = Asked {
            service: Service::Rds,
            operation: "X",
            effect: Effect::Read,
            caller: "",
            since_start: Duration::ZERO,
        };
        let strike = faults.strike(&asked);
        assert_eq!(strike.delay, Duration::from_secs(3));
        assert_eq!(strike.deciding, Some(Fault::Throttle));
        assert_eq!(strike.named.as_deref(), Some("latency, throttle, drop, slow"));
    }
}
