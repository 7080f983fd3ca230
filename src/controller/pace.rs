//! How fast AWS's time goes, beside ours. In AWS it is 1; a simulated AWS may run faster, and then whoever waits for an hour of it waits
//! shorter. Learned from the looks themselves, so that nobody has to say it.

use crate::clock::Instant;
use jiff::Timestamp;
use std::time::Duration;

/// Over how long it is measured at least: AWS's time comes in whole seconds.
const LEAST: Duration = Duration::from_secs(2);

/// Below this it is 1: the rest is rounding, and a host that slept.
const NOTABLE: f64 = 2.5;

/// No pace is higher.
const MOST: f64 = 5_000.0;

/// The pace, as far as it is known.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    last: Option<(Instant, Timestamp)>,
    /// One measurement alone may be a host that slept: two have to agree.
    measured: f64,
    agreed: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { last: None, measured: 1.0, agreed: 1.0 }
    }
}

impl Pace {
    /// Seconds of AWS in one of ours.
    pub(super) fn get(&self) -> f64 {
        self.agreed
    }

    /// Notes what AWS's time was at a moment.
    pub(super) fn learn(&mut self, at: Instant, aws: Timestamp) {
        let Some((last_at, last_aws)) = self.last else {
            self.last = Some((at, aws));
            return;
        };
        let ours = at.saturating_duration_since(last_at);
        if ours < LEAST {
            return;
        }
        let measured = aws.duration_since(last_aws).as_secs_f64() / ours.as_secs_f64();
        let measured = if measured < NOTABLE { 1.0 } else { measured.min(MOST) };
        let agree = (0.5..=2.0).contains(&(measured / self.measured));
        if agree || measured <= 1.0 {
            self.agreed = measured;
        }
        self.measured = measured;
        self.last = Some((at, aws));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learn(samples: &[(u64, i64)]) -> f64 {
        let start = crate::clock::now();
        let mut pace = Pace::default();
        for (ours, aws) in samples {
            let aws = Timestamp::from_second(*aws).unwrap();
            pace.learn(start + Duration::from_secs(*ours), aws);
        }
        pace.get()
    }

    #[tokio::test(start_paused = true)]
    async fn aws_goes_at_our_pace_and_a_simulated_one_at_its_own() {
        for (samples, pace, why) in [
            (&[(0, 0), (3, 3), (10, 11)][..], 1.0, "AWS"),
            (&[(0, 0), (2, 4), (4, 7)], 1.0, "whole seconds"),
            (&[(0, 0), (3, 180), (6, 360)], 60.0, "sixty times as fast"),
            (&[(0, 0), (3, 7200), (6, 7203)], 1.0, "the host slept"),
            (&[(0, 0), (3, 180)], 1.0, "one measurement is none"),
            (&[(0, 0), (3, 180), (6, 360), (9, 363)], 1.0, "it was slowed down"),
        ] {
            let got = learn(samples);
            assert!((got - pace).abs() < 0.01, "{why}: {got}");
        }
    }
}
