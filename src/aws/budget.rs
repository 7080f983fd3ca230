//! How often we may ask. A token bucket for each (account, region, service): it waits, it never fails.
//!
//! AWS publishes rates for Lambda's control plane only (15 requests a second together); the others answer
//! "Rate exceeded" at rates that are known from reports. We share the account with the people who work in it, so we stay
//! far below. [`Bucket`] is pure, time comes in; [`Budgets`] waits; [`Counters`] counts what was asked.

use super::table::Service;
use crate::clock::{self, Instant};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many requests at once, and how many a second in the long run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Requests that may go out at once after a quiet time; at least 1.
    pub burst: f64,
    /// Requests a second that come back.
    pub per_second: f64,
}

impl Rate {
    /// The default of a service.
    ///
    /// A steady look at one TED makes at most six calls over three services every two minutes, so a burst of 20 carries
    /// some 40 TEDs of one account before anybody waits. CloudFormation gets more, since a failed update of 18 nested
    /// stacks is walked at once; about 5 `DescribeStacks` a second were reported to be tolerated. Lambda allows 15 a second
    /// over all callers of the account (Lambda developer guide, API quotas): a third of it is ours.
    pub fn default_for(service: Service) -> Self {
        match service {
            Service::ServiceCatalog | Service::ElastiCache | Service::Rds => {
                Self { burst: 20.0, per_second: 1.0 }
            }
            Service::CloudFormation => Self { burst: 40.0, per_second: 2.0 },
            Service::Lambda => Self { burst: 10.0, per_second: 5.0 },
            Service::Sqs | Service::Sts => Self { burst: 20.0, per_second: 5.0 },
            Service::Iam => Self { burst: 10.0, per_second: 1.0 },
        }
    }
}

/// After a throttled request the bucket is emptied, and for this long half the usual rate comes back: the account is
/// busier than we can see.
const SLOW_AFTER_THROTTLE: Duration = Duration::from_secs(30);

/// One token bucket. May go into debt: each taker is told how long to wait for its own token, so takers are served in the
/// order in which they came.
#[derive(Clone, Debug)]
pub struct Bucket {
    rate: Rate,
    tokens: f64,
    at: Instant,
    slow_until: Option<Instant>,
}

impl Bucket {
    /// A full bucket.
    pub fn new(rate: Rate, now: Instant) -> Self {
        assert!(
            rate.burst >= 1.0 && rate.per_second > 0.0,
            "a rate of nothing would wait for ever: {rate:?}"
        );
        Self { rate, tokens: rate.burst, at: now, slow_until: None }
    }

    /// Takes a token; the answer is how long to wait before using it.
    pub fn take(&mut self, now: Instant) -> Duration {
        self.refill(now);
        self.tokens -= 1.0;
        if self.tokens >= 0.0 {
            Duration::ZERO
        } else {
            Duration::from_secs_f64(-self.tokens / self.per_second(now))
        }
    }

    /// Notes that AWS throttled us.
    pub fn throttled(&mut self, now: Instant) {
        self.refill(now);
        self.tokens = self.tokens.min(0.0);
        self.slow_until = Some(now + SLOW_AFTER_THROTTLE);
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.per_second(now)).min(self.rate.burst);
        self.at = self.at.max(now);
    }

    fn per_second(&self, now: Instant) -> f64 {
        if self.slow_until.is_some_and(|until| now < until) {
            self.rate.per_second / 2.0
        } else {
            self.rate.per_second
        }
    }
}

/// Whose requests share a bucket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BudgetKey {
    /// Account id, or `unknown` as long as AWS has not told.
    pub account: String,
    /// Region.
    pub region: String,
    /// Service.
    pub service: Service,
}

/// All buckets.
#[derive(Debug, Default)]
pub struct Budgets {
    rates: BTreeMap<Service, Rate>,
    buckets: Mutex<BTreeMap<BudgetKey, Bucket>>,
}

impl Budgets {
    /// Buckets with the default rates, but for those given.
    pub fn new(rates: BTreeMap<Service, Rate>) -> Self {
        Self { rates, buckets: Mutex::default() }
    }

    /// Waits until a request may go out.
    pub async fn acquire(&self, key: &BudgetKey) {
        let wait = self.with_bucket(key, Bucket::take);
        if !wait.is_zero() {
            clock::sleep(wait).await;
        }
    }

    /// Notes that AWS throttled a request.
    pub fn throttled(&self, key: &BudgetKey) {
        self.with_bucket(key, Bucket::throttled);
    }

    fn with_bucket<T>(&self, key: &BudgetKey, use_it: impl FnOnce(&mut Bucket, Instant) -> T) -> T {
        let now = clock::now();
        let mut buckets = lock(&self.buckets);
        if let Some(bucket) = buckets.get_mut(key) {
            return use_it(bucket, now);
        }
        let rate =
            self.rates.get(&key.service).copied().unwrap_or_else(|| Rate::default_for(key.service));
        use_it(buckets.entry(key.clone()).or_insert_with(|| Bucket::new(rate, now)), now)
    }
}

/// The labels of `ted_controller_aws_requests_total`. All are bounded: operations and outcomes by our own tables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestLabels {
    /// Account id, or `unknown`.
    pub account: String,
    /// Region.
    pub region: String,
    /// Service.
    pub service: Service,
    /// Operation, in AWS's spelling.
    pub operation: &'static str,
    /// `Ok`, or the reason word of the error.
    pub outcome: &'static str,
}

/// Counts attempts: a request that was throttled twice and then answered counts three times.
#[derive(Debug, Default)]
pub struct Counters(Mutex<BTreeMap<RequestLabels, u64>>);

impl Counters {
    /// Counts one attempt.
    pub fn count(&self, labels: RequestLabels) {
        *lock(&self.0).entry(labels).or_default() += 1;
    }

    /// All counts so far, ordered by labels.
    pub fn snapshot(&self) -> Vec<(RequestLabels, u64)> {
        lock(&self.0).iter().map(|(labels, count)| (labels.clone(), *count)).collect()
    }
}

/// These maps are valid after every statement, so a panic elsewhere does not spoil them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 3.0, per_second: 2.0 };

    fn key(account: &str, service: Service) -> BudgetKey {
        BudgetKey { account: account.to_owned(), region: "us-east-2".to_owned(), service }
    }

    #[test]
    fn a_burst_is_free_and_then_takers_are_spaced() {
        let start = clock::now();
        let mut bucket = Bucket::new(RATE, start);
        let waits: Vec<u128> = (0..6).map(|_| bucket.take(start).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 500, 1000, 1500]);
    }

    #[test]
    fn a_quiet_time_refills_up_to_the_burst_and_no_further() {
        let start = clock::now();
        let mut bucket = Bucket::new(RATE, start);
        for _ in 0..3 {
            bucket.take(start);
        }
        assert_eq!(
            bucket.take(start + Duration::from_millis(500)),
            Duration::ZERO,
            "one came back"
        );
        let later = start + Duration::from_hours(1);
        let waits: Vec<u128> = (0..4).map(|_| bucket.take(later).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 500]);
    }

    #[test]
    fn a_clock_that_goes_back_neither_gives_nor_takes() {
        let start = clock::now() + Duration::from_mins(1);
        let mut bucket = Bucket::new(RATE, start);
        assert_eq!(bucket.take(start - Duration::from_secs(30)), Duration::ZERO);
        let waits: Vec<u128> = (0..3).map(|_| bucket.take(start).as_millis()).collect();
        assert_eq!(waits, [0, 0, 500]);
    }

    #[test]
    fn throttling_empties_the_bucket_and_halves_the_rate_for_a_while() {
        let start = clock::now();
        let mut bucket = Bucket::new(RATE, start);
        bucket.throttled(start);
        assert_eq!(bucket.take(start), Duration::from_secs(1), "half of two a second");
        let later = start + SLOW_AFTER_THROTTLE + Duration::from_secs(10);
        assert_eq!(bucket.take(later), Duration::ZERO);
    }

    /// The second statement of the rule: over any stretch no more than burst + rate · time may be used.
    #[test]
    fn never_more_than_burst_plus_rate_times_time() {
        let start = clock::now();
        let mut bucket = Bucket::new(RATE, start);
        let mut moments: Vec<f64> = Vec::new();
        let mut at = Duration::ZERO;
        for step in 0..200_u64 {
            at += Duration::from_millis((step * 7919) % 700);
            moments.push((at + bucket.take(start + at)).as_secs_f64());
        }
        for (i, from) in moments.iter().enumerate() {
            for (j, to) in moments.iter().enumerate().skip(i) {
                let used = f64::from(u32::try_from(j - i + 1).unwrap());
                assert!(
                    used <= RATE.burst + RATE.per_second * (to - from) + 1e-6,
                    "{used} uses in {}",
                    to - from
                );
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_is_done_by_the_key() {
        let budgets = Budgets::new([(Service::Rds, Rate { burst: 1.0, per_second: 1.0 })].into());
        let start = clock::now();
        budgets.acquire(&key("1", Service::Rds)).await;
        budgets.acquire(&key("2", Service::Rds)).await;
        budgets.acquire(&key("1", Service::Lambda)).await;
        assert_eq!(start.elapsed(), Duration::ZERO, "other accounts and services do not share");
        budgets.acquire(&key("1", Service::Rds)).await;
        assert_eq!(start.elapsed().as_secs(), 1);
    }

    #[test]
    fn counts_are_kept_by_label_and_ordered() {
        let counters = Counters::default();
        let labels = |outcome| RequestLabels {
            account: "1".to_owned(),
            region: "us-east-2".to_owned(),
            service: Service::Rds,
            operation: "DescribeDBInstances",
            outcome,
        };
        for outcome in ["Throttled", "Ok", "Ok"] {
            counters.count(labels(outcome));
        }
        assert_eq!(counters.snapshot(), [(labels("Ok"), 2), (labels("Throttled"), 1)]);
    }
}
