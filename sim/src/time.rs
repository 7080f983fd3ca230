//! Virtual time: a point in it, and the clock that moves it.
//!
//! The world never reads a clock: every request brings the time at which it is served. [`Clock`] derives that time from tokio's
//! clock, so that a paused runtime moves the world exactly as far as it moves its timers.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// A point of virtual time, in milliseconds since the Unix epoch (UTC).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(i64);

impl SimTime {
    /// The point `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Seconds since the Unix epoch, as JSON services write timestamps.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this era need 41 of 52 bits")]
    pub fn epoch_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// `2026-08-01T10:00:00.000Z`, as Query services write timestamps.
    pub fn iso(self) -> String {
        self.timestamp().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    /// `2026-08-01T10:00:00.000+0000`, as Lambda writes a function's `LastModified`.
    pub fn iso_offset(self) -> String {
        self.timestamp().strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
    }

    /// The `Date` header of HTTP: `Sat, 01 Aug 2026 10:00:00 GMT`.
    pub fn http_date(self) -> String {
        self.timestamp().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// Any `strftime` format of this point in UTC.
    pub fn format(self, format: &str) -> String {
        self.timestamp().strftime(format).to_string()
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::MAX)
    }
}

impl From<SystemTime> for SimTime {
    fn from(at: SystemTime) -> Self {
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Add<Duration> for SimTime {
    type Output = Self;
    fn add(self, after: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(after.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for SimTime {
    type Output = Self;
    fn sub(self, before: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(before.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl FromStr for SimTime {
    type Err = jiff::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Timestamp>().map(|at| Self(at.as_millisecond()))
    }
}

impl Serialize for SimTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.iso())
    }
}

impl<'de> Deserialize<'de> for SimTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Durations in scenario files and control calls: `90s`, `6h`, `1h 30m`, or a bare number of seconds.
pub mod duration {
    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};
    use std::fmt;
    use std::time::Duration;

    /// Reads what [`serialize`] writes, and the other forms of the module's head.
    ///
    /// # Errors
    /// When the text is not a duration, or is negative.
    pub fn parse(text: &str) -> Result<Duration, String> {
        let negative = || format!("`{text}` is negative");
        if let Ok(seconds) = text.parse::<f64>() {
            return if seconds < 0.0 {
                Err(negative())
            } else {
                Duration::try_from_secs_f64(seconds)
                    .map_err(|error| format!("`{text}` is not a duration: {error}"))
            };
        }
        let span = text
            .parse::<jiff::SignedDuration>()
            .map_err(|_| format!("`{text}` is not a duration such as `90s` or `1h 30m`"))?;
        Duration::try_from(span).map_err(|_| negative())
    }

    /// For `#[serde(with = …)]`.
    ///
    /// # Errors
    /// As the deserializer and [`parse`] have them.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        written(deserializer, parse)
    }

    /// Reads a text or a number by `parse`. (A visitor, because serde's untagged enums lose the position of an error.)
    pub(crate) fn written<'de, T, D: Deserializer<'de>>(
        deserializer: D,
        parse: fn(&str) -> Result<T, String>,
    ) -> Result<T, D::Error> {
        struct Written<T>(fn(&str) -> Result<T, String>);
        impl<T> Visitor<'_> for Written<T> {
            type Value = T;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a duration such as `90s`, or a number of seconds")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
                (self.0)(text).map_err(E::custom)
            }
            fn visit_f64<E: Error>(self, seconds: f64) -> Result<T, E> {
                self.visit_str(&seconds.to_string())
            }
            fn visit_u64<E: Error>(self, seconds: u64) -> Result<T, E> {
                self.visit_str(&seconds.to_string())
            }
            fn visit_i64<E: Error>(self, seconds: i64) -> Result<T, E> {
                self.visit_str(&seconds.to_string())
            }
        }
        deserializer.deserialize_any(Written(parse))
    }

    /// For `#[serde(with = …)]`: seconds, as a number.
    ///
    /// # Errors
    /// As the serializer has them.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(duration.as_secs_f64())
    }
}

/// Maps tokio's time to virtual time: `virtual = base + elapsed × speed`.
#[derive(Debug)]
pub struct Clock {
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    base: SimTime,
    since: Instant,
    speed: f64,
}

impl Clock {
    /// Starts at `base` now and runs `speed` virtual seconds a second; `0.0` stands still.
    pub fn new(base: SimTime, speed: f64) -> Self {
        Self { state: Mutex::new(State { base, since: Instant::now(), speed: speed.max(0.0) }) }
    }

    /// The virtual time now.
    pub fn now(&self) -> SimTime {
        let state = *self.lock();
        state.base + state.since.elapsed().mul_f64(state.speed)
    }

    /// Virtual seconds a second.
    pub fn speed(&self) -> f64 {
        self.lock().speed
    }

    /// Jumps ahead by `by`.
    pub fn advance(&self, by: Duration) {
        let now = self.now();
        let mut state = self.lock();
        *state = State { base: now + by, since: Instant::now(), speed: state.speed };
    }

    /// Starts again: at `base` now, at `speed`.
    pub fn set(&self, base: SimTime, speed: f64) {
        *self.lock() = State { base, since: Instant::now(), speed: speed.max(0.0) };
    }

    /// Runs at another speed from now on.
    pub fn set_speed(&self, speed: f64) {
        let now = self.now();
        *self.lock() = State { base: now, since: Instant::now(), speed: speed.max(0.0) };
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_written_as_each_protocol_writes_them() {
        let at: SimTime = "2026-08-01T10:00:00.25Z".parse().unwrap();
        assert_eq!(at.iso(), "2026-08-01T10:00:00.250Z");
        assert_eq!(at.iso_offset(), "2026-08-01T10:00:00.250+0000");
        assert_eq!(at.http_date(), "Sat, 01 Aug 2026 10:00:00 GMT");
        assert!((at.epoch_seconds() - 1_785_578_400.25).abs() < 1e-6);
    }

    #[test]
    fn durations_are_read_in_every_form() {
        for (text, seconds) in [("90s", 90), ("1h 30m", 5400), ("6h", 21600), ("45", 45)] {
            assert_eq!(duration::parse(text).unwrap(), Duration::from_secs(seconds), "{text}");
        }
        assert!(duration::parse("soon").is_err());
        assert!(duration::parse("-5s").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_follows_paused_time_at_its_speed() {
        let clock = Clock::new(SimTime::from_millis(0), 60.0);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(clock.now().as_millis(), 120_000);
        clock.set_speed(1.0);
        clock.advance(Duration::from_secs(5));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(clock.now().as_millis(), 126_000);
    }
}
