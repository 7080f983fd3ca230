//! Windows of time that come again: RDS backup windows (daily) and maintenance windows (weekly), in UTC.

use crate::time::SimTime;
use std::time::Duration;

const DAY: i64 = 24 * 60;
const WEEK: i64 = 7 * DAY;
/// The epoch was a Thursday; weeks are counted from Sunday.
const EPOCH_MINUTE: i64 = 4 * DAY;
const MINUTE_MS: i64 = 60_000;

/// A daily or weekly window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Minutes from midnight, or from Sunday's midnight.
    start: i64,
    /// Minutes from one start to the next.
    period: i64,
}

impl Window {
    /// `06:24-06:54`.
    pub(crate) fn daily(text: &str) -> Option<Self> {
        let (start, end) = text.split_once('-')?;
        clock(end)?;
        Some(Self { start: clock(start)?, period: DAY })
    }

    /// `sun:07:00-sun:08:00`.
    pub(crate) fn weekly(text: &str) -> Option<Self> {
        let (start, end) = text.split_once('-')?;
        day_and_clock(end)?;
        Some(Self { start: day_and_clock(start)?, period: WEEK })
    }

    /// How long it is from `after` to the next start; a start at `after` itself is over.
    pub(crate) fn wait(self, after: SimTime) -> Duration {
        let into = (after.as_millis() + (EPOCH_MINUTE - self.start) * MINUTE_MS)
            .rem_euclid(self.period * MINUTE_MS);
        Duration::from_millis(u64::try_from(self.period * MINUTE_MS - into).unwrap_or(0))
    }
}

fn clock(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..24).contains(&hours) && (0..60).contains(&minutes)).then_some(hours * 60 + minutes)
}

fn day_and_clock(text: &str) -> Option<i64> {
    let (day, time) = text.split_once(':')?;
    let day = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        .iter()
        .position(|name| name.eq_ignore_ascii_case(day))?;
    Some(i64::try_from(day).ok()? * DAY + clock(time)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_start_is_found_from_any_time() {
        let at = |text: &str| text.parse::<SimTime>().unwrap();
        // 1 August 2026 is a Saturday.
        for (why, window, from, next) in [
            (
                "later today",
                Window::daily("06:24-06:54"),
                "2026-08-01T05:00:00Z",
                "2026-08-01T06:24:00Z",
            ),
            (
                "tomorrow",
                Window::daily("06:24-06:54"),
                "2026-08-01T06:30:00Z",
                "2026-08-02T06:24:00Z",
            ),
            (
                "a start now is over",
                Window::daily("06:24-06:54"),
                "2026-08-01T06:24:00Z",
                "2026-08-02T06:24:00Z",
            ),
            (
                "this week",
                Window::weekly("sun:07:00-sun:08:00"),
                "2026-08-01T10:00:00Z",
                "2026-08-02T07:00:00Z",
            ),
            (
                "next week",
                Window::weekly("fri:23:30-sat:00:30"),
                "2026-08-01T10:00:00Z",
                "2026-08-07T23:30:00Z",
            ),
        ] {
            assert_eq!(at(from) + window.unwrap().wait(at(from)), at(next), "{why}");
        }
    }

    #[test]
    fn what_is_no_window_is_none() {
        for text in ["", "06:24", "25:00-26:00", "06:24-x", "sun:06:24-sun:07:00"] {
            assert_eq!(Window::daily(text), None, "{text}");
        }
        for text in ["07:00-08:00", "day:07:00-day:08:00"] {
            assert_eq!(Window::weekly(text), None, "{text}");
        }
    }
}
