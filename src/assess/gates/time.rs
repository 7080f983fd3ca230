//! The gates about the time: backups, maintenance, windows, and whether anything may start at all.

use super::product::minutes;
use super::{Case, Verdict};
use crate::assess::Frozen;
use crate::assess::facts::{TheCache, missing};
use crate::desired::Mode;
use crate::desired::window::next_fit_in_all;
use crate::observe::observation::Seen;
use crate::text::moment;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::time::Duration;

/// How often a start is moved behind a window before there is no clear time: more than there are windows in a week.
const TRIES: usize = 40;

/// 16. The update does not run into a backup or maintenance window of RDS or ElastiCache.
pub(super) fn backup_clear(case: &Case<'_>) -> Verdict {
    let mut windows = Vec::new();
    let mut gaps = Vec::new();
    let mut add = |what: &'static str, text: Option<&str>| match text.map(AwsWindow::parse) {
        Some(Some(window)) => windows.push((what, window)),
        Some(None) => gaps.push(Verdict::unknown(
            format!("{what} is `{}`, which cannot be read", text.unwrap_or_default()),
            "look at it in AWS",
        )),
        None => gaps.push(Verdict::unknown(format!("{what} is not known"), "look at it in AWS")),
    };
    for (what, backup, maintenance, database) in [
        (
            "the database",
            "the database's backup window",
            "the database's maintenance window",
            &case.observation.database,
        ),
        (
            "the read replica",
            "the read replica's backup window",
            "the read replica's maintenance window",
            &case.observation.replica,
        ),
    ] {
        match database {
            Seen::Present(database) => {
                // Without automatic backups there is no backup to run into.
                if database.backup_retention != Some(0) {
                    add(backup, database.backup_window.as_deref());
                }
                add(maintenance, database.maintenance_window.as_deref());
            }
            Seen::Unreadable(gap) => return Verdict::unreadable(what, &gap.reason),
            // That the database is missing is `database-available`'s to say.
            Seen::Absent | Seen::NotLooked => {}
        }
    }
    match case.facts.cache {
        TheCache::One(cache) => {
            if cache.snapshot_retention.is_some_and(|days| days > 0) {
                add("the cache's snapshot window", cache.snapshot_window.as_deref());
            }
            add("the cache's maintenance window", cache.maintenance_window.as_deref());
        }
        TheCache::Unknown(why) => return Verdict::unreadable("the cache", why),
        TheCache::None | TheCache::Several => {}
    }
    if case.observation.database.present().is_none() {
        let why = missing(&case.observation.database).unwrap_or_default();
        return Verdict::unreadable("the database's backup window", why);
    }
    if !gaps.is_empty() {
        return Verdict::all(gaps);
    }
    clear_start(case.now(), needed(case), &windows)
}

/// How long an update needs from its first mutation on: what past ones took, and the drain before it.
fn needed(case: &Case<'_>) -> Duration {
    let events = &case.desired.spec.events;
    let drain = if events.pause { events.drain } else { Duration::ZERO };
    case.facts.expected_update.saturating_add(drain)
}

fn clear_start(now: Timestamp, needed: Duration, windows: &[(&str, AwsWindow)]) -> Verdict {
    let length = SignedDuration::try_from(needed).unwrap_or(SignedDuration::MAX);
    let hit = |start: Timestamp| {
        let end = start.checked_add(length).unwrap_or(Timestamp::MAX);
        let overlaps = windows.iter().filter_map(|(what, window)| {
            window
                .next(start)
                .filter(|(begins, _)| *begins < end)
                .map(|(begins, ends)| (begins, ends, *what))
        });
        overlaps.min()
    };
    let Some((begins, _, what)) = hit(now) else {
        return Verdict::holds(format!(
            "an update of {} ends before any backup or maintenance window",
            minutes(needed)
        ));
    };
    let message = if begins <= now {
        format!("{what} is open")
    } else {
        format!("an update takes about {}, and {what} opens at {}", minutes(needed), moment(begins))
    };
    let mut start = now;
    for _ in 0..TRIES {
        match hit(start) {
            None => return Verdict::waiting(message, Some(start)),
            Some((_, ends, _)) => start = ends,
        }
    }
    Verdict::person(
        format!("{message}; no time of the week is long enough between such windows"),
        "move the backup and maintenance windows together in RDS and ElastiCache",
    )
}

/// A window as RDS and ElastiCache write it, in UTC: `03:00-03:30` daily, `sun:04:00-sun:05:00` weekly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AwsWindow {
    from: (Option<Weekday>, Time),
    to: (Option<Weekday>, Time),
}

impl AwsWindow {
    fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.trim().split_once('-')?;
        let (from, to) = (weekly(from)?, weekly(to)?);
        (from.0.is_some() == to.0.is_some()).then_some(Self { from, to })
    }

    /// The first opening that is not over at a moment.
    fn next(&self, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let today = at.to_zoned(TimeZone::UTC).date();
        // A weekly window that began up to a week ago may still be open.
        (-8_i32..=8).find_map(|day| {
            let date = today.checked_add(day.days()).ok()?;
            if self.from.0.is_some_and(|weekday| weekday != date.weekday()) {
                return None;
            }
            let days = match self.to.0 {
                Some(weekday) => {
                    let days = i32::from(date.weekday().until(weekday));
                    if days == 0 && self.to.1 <= self.from.1 { 7 } else { days }
                }
                None => i32::from(self.to.1 <= self.from.1),
            };
            let instant = |date: jiff::civil::Date, time| {
                Some(date.to_datetime(time).to_zoned(TimeZone::UTC).ok()?.timestamp())
            };
            let begins = instant(date, self.from.1)?;
            let ends = instant(date.checked_add(days.days()).ok()?, self.to.1)?;
            (ends > at).then_some((begins, ends))
        })
    }
}

fn weekly(text: &str) -> Option<(Option<Weekday>, Time)> {
    let parts: Vec<&str> = text.trim().split(':').collect();
    let number = |text: &str| (text.len() == 2).then(|| text.parse::<i8>().ok()).flatten();
    let time = |hour: &str, minute: &str| Time::new(number(hour)?, number(minute)?, 0, 0).ok();
    match parts.as_slice() {
        [hour, minute] => Some((None, time(hour, minute)?)),
        [day, hour, minute] => {
            let weekday = match day.to_ascii_lowercase().as_str() {
                "mon" => Weekday::Monday,
                "tue" => Weekday::Tuesday,
                "wed" => Weekday::Wednesday,
                "thu" => Weekday::Thursday,
                "fri" => Weekday::Friday,
                "sat" => Weekday::Saturday,
                "sun" => Weekday::Sunday,
                _ => return None,
            };
            Some((Some(weekday), time(hour, minute)?))
        }
        _ => None,
    }
}

/// 18. A maintenance window is open, and the update fits into what is left of it.
pub(super) fn window(case: &Case<'_>) -> Verdict {
    let own = &case.desired.spec.policy.maintenance_windows;
    let controllers = &case.context.windows;
    if own.is_unlimited() && controllers.is_unlimited() {
        return Verdict::not_applicable("there are no maintenance windows");
    }
    let (now, needed) = (case.now(), needed(case));
    let Some(start) = next_fit_in_all(&[own, controllers], now, needed) else {
        return Verdict::person(
            format!(
                "an update takes about {}, and no maintenance window of the next two weeks is that long",
                minutes(needed)
            ),
            "make `maintenanceWindows` longer",
        );
    };
    if start <= now {
        let ends = [own, controllers]
            .into_iter()
            .filter_map(|windows| windows.opening_at(now))
            .map(|opening| opening.end)
            .min();
        return Verdict::holds(match ends {
            Some(end) => format!("a maintenance window is open until {}", moment(end)),
            None => "a maintenance window is open".to_owned(),
        });
    }
    let open = own.is_open(now) && controllers.is_open(now);
    let message = if open {
        format!(
            "the open maintenance window ends before an update of about {} would",
            minutes(needed)
        )
    } else {
        "no maintenance window is open".to_owned()
    };
    Verdict::waiting(message, Some(start))
}

/// 21. Mode `apply` here and in the controller, not suspended, not frozen.
pub(in crate::assess) fn allowed(case: &Case<'_>) -> Verdict {
    let spec = &case.desired.spec;
    let mut parts = vec![Verdict::holds("mode apply")];
    if spec.policy.mode == Mode::Observe {
        parts.push(Verdict::person(
            "the document's mode is observe: nothing is started",
            "write `mode: apply`",
        ));
    }
    if case.context.mode_bound == Mode::Observe {
        parts.push(Verdict::person(
            "the controller runs in mode observe: nothing is started",
            "run `ted-controller run --mode apply`",
        ));
    }
    if let Some(suspend) = spec.suspend.as_ref().filter(|suspend| suspend.holds(case.now())) {
        let reason =
            suspend.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let message = format!("the document is suspended{reason}");
        parts.push(match suspend.until {
            Some(until) => Verdict::waiting(message, Some(until)),
            None => Verdict::person(message, "remove `suspend` from the document"),
        });
    }
    parts.extend(case.context.frozen.as_ref().map(frozen));
    Verdict::all(parts)
}

fn frozen(why: &Frozen) -> Verdict {
    let because = |reason: &str| {
        if reason.is_empty() { String::new() } else { format!(": {reason}") }
    };
    match why {
        Frozen::ByHand(reason) => Verdict::person(
            format!("the controller is frozen{}", because(reason)),
            "run `ted-controller freeze off`",
        ),
        Frozen::BySettings { reason, until } => {
            let because = because(reason.as_deref().unwrap_or_default());
            let message = format!("the controller is frozen by its settings{because}");
            match until {
                Some(until) => Verdict::waiting(message, Some(*until)),
                None => Verdict::person(
                    message,
                    "remove `frozen` from the controller's settings and start it again",
                ),
            }
        }
        Frozen::Contested => Verdict::person(
            "another document contradicts this one: nothing starts by either",
            "correct one of them; what is wrong with their files names both places",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_aws_open_when_aws_opens_them() {
        // 2026-08-01 is a Saturday.
        for (text, at, expected, why) in [
            (
                "03:00-03:30",
                "2026-08-01T02:00:00Z",
                Some(("2026-08-01T03:00:00Z", "2026-08-01T03:30:00Z")),
                "later today",
            ),
            (
                "03:00-03:30",
                "2026-08-01T03:10:00Z",
                Some(("2026-08-01T03:00:00Z", "2026-08-01T03:30:00Z")),
                "open now",
            ),
            (
                "03:00-03:30",
                "2026-08-01T03:30:00Z",
                Some(("2026-08-02T03:00:00Z", "2026-08-02T03:30:00Z")),
                "just over",
            ),
            (
                "23:45-00:15",
                "2026-08-01T00:10:00Z",
                Some(("2026-07-31T23:45:00Z", "2026-08-01T00:15:00Z")),
                "over midnight",
            ),
            (
                "sun:04:00-sun:05:00",
                "2026-08-01T00:00:00Z",
                Some(("2026-08-02T04:00:00Z", "2026-08-02T05:00:00Z")),
                "tomorrow",
            ),
            (
                "sat:23:30-sun:00:30",
                "2026-08-02T00:10:00Z",
                Some(("2026-08-01T23:30:00Z", "2026-08-02T00:30:00Z")),
                "over the week's end",
            ),
            ("sun:04:00-05:00", "2026-08-01T00:00:00Z", None, "half a weekly window"),
            ("nightly", "2026-08-01T00:00:00Z", None, "no window"),
            ("25:00-26:00", "2026-08-01T00:00:00Z", None, "no time"),
        ] {
            let got = AwsWindow::parse(text).and_then(|window| window.next(at.parse().unwrap()));
            let expected = expected.map(|(from, to)| (from.parse().unwrap(), to.parse().unwrap()));
            assert_eq!(got, expected, "{text} at {at}: {why}");
        }
    }
}
