//! When a TED is looked at again.

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// The first wait after an error, and the longest.
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_mins(5);

/// By how much the steady interval is spread, in percent: many TEDs that started together do not stay together.
const SPREAD_PERCENT: u32 = 10;

/// Growing waits of one TED.
#[derive(Debug)]
pub(super) struct Retry(ExponentialBackoff);

impl Default for Retry {
    fn default() -> Self {
        Self(ExponentialBackoff {
            current_interval: FIRST,
            initial_interval: FIRST,
            max_interval: LONGEST,
            multiplier: 2.0,
            randomization_factor: 0.2,
            // Looking is never given up.
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        })
    }
}

impl Retry {
    /// How long to wait after another error.
    pub(super) fn next(&mut self) -> Duration {
        self.0.next_backoff().unwrap_or(LONGEST)
    }

    /// A look came to something.
    pub(super) fn reset(&mut self) {
        self.0.reset();
    }

    /// How long to wait when time does not heal it, but a person may.
    pub(super) fn slow() -> Duration {
        spread(LONGEST)
    }
}

/// An interval, up to a tenth shorter: never later than promised.
pub(super) fn spread(interval: Duration) -> Duration {
    let random = RandomState::new().hash_one(interval);
    let percent = u32::try_from(random % u64::from(SPREAD_PERCENT + 1)).unwrap_or(0);
    interval.saturating_sub(interval * percent / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_begin_anew_after_success() {
        let mut retry = Retry::default();
        let waits: Vec<Duration> = (0..12).map(|_| retry.next()).collect();
        assert!(waits[0] <= FIRST.mul_f64(1.2) && waits[3] > waits[0], "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= LONGEST.mul_f64(1.2)), "{waits:?}");
        retry.reset();
        assert!(retry.next() <= FIRST.mul_f64(1.2));
    }

    #[test]
    fn an_interval_is_never_exceeded() {
        let interval = Duration::from_mins(2);
        for _ in 0..100 {
            let spread = spread(interval);
            assert!(spread <= interval && spread >= interval.mul_f64(0.9), "{spread:?}");
        }
    }
}
