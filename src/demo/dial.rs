//! How fast the simulated AWS goes.
//!
//! While events are about to be paused it goes slower than otherwise. The controller sends an update only under holds that are younger than
//! fifteen minutes of AWS's time, and takes several looks to get there, each of which costs time of this host: on a slow machine a minute
//! a second would leave too little of it. Once the update is sent, nothing hurries any more.

use super::world::World;
use std::time::Duration;

/// Until a hold is this old, the pause goes at [`PAUSE`].
const YOUNG: Duration = Duration::from_mins(5);

/// Seconds of AWS a second while holds are young: five minutes are 15 seconds here, for what takes 3 on a quiet machine.
const PAUSE: f64 = 20.0;

/// Seconds of AWS a second while holds are not so young: the ten minutes that are left are two minutes here.
const LATE_PAUSE: f64 = 5.0;

/// The fastest that makes sense. Beyond it a hold would be too old before anybody here saw it.
pub const FASTEST: f64 = 600.0;

/// How fast it goes when nothing hurries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dial(f64);

impl Dial {
    /// Seconds of AWS a second.
    pub(super) fn new(speed: f64) -> Self {
        Self(speed.min(FASTEST))
    }

    /// What it was set to.
    pub(super) fn speed(self) -> f64 {
        self.0
    }

    /// How fast it should go now.
    pub(super) fn for_world(self, world: &World) -> f64 {
        match world.pause_age() {
            None => self.0,
            Some(age) => self.pausing(age),
        }
    }

    /// How fast it should go while events are about to be paused, by the age of the oldest hold.
    pub(super) fn pausing(self, age: Duration) -> f64 {
        self.0.min(if age < YOUNG { PAUSE } else { LATE_PAUSE })
    }

    /// How long something that takes `aws` may take here: the slowest it goes, and patience for a busy machine.
    pub(super) fn patience(self, aws: Duration) -> Duration {
        Duration::from_mins(2) + aws.div_f64(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_leaves_minutes_of_this_host_before_a_hold_is_too_old() {
        for speed in [1.0, 5.0, 20.0, 60.0, FASTEST, 1e9] {
            let dial = Dial::new(speed);
            let (mut age, mut here) = (Duration::ZERO, Duration::ZERO);
            // A look at the world every second, however busy the machine is.
            while age < Duration::from_mins(15) {
                age += Duration::from_secs(1).mul_f64(dial.pausing(age));
                here += Duration::from_secs(1);
            }
            assert!(here >= Duration::from_secs(130), "{speed}: {here:?}");
        }
        assert!(Dial::new(1.0).pausing(Duration::ZERO) <= 1.0, "it never goes faster than asked");
    }
}
