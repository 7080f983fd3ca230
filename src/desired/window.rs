//! Maintenance windows: when they are open, until when, and when next.
//!
//! A window is written in the wall time of its zone: days, a start and an end. An end at or before the start lies on the
//! next day; the days name the day of the *start*. It is open while the clock on the wall shows a time in it: a time that
//! a clock change skips is the moment of the change, so that no window outlasts its end on the clock, and one that lies
//! in the skipped time does not open on that day. Of a time that comes twice the first is meant, as in calendars.
//!
//! The time zone database is the one compiled in, so that a document is as valid on one host as on the next. Nothing
//! here reads a clock: the time comes in, and it is AWS's.

use super::problem::{Complaint, nearest};
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

/// How long an update is expected to take before there are records of past ones. A window shorter than this never fits.
pub const FIRST_EXPECTED_UPDATE: Duration = Duration::from_mins(20);

/// The most windows of one document.
pub const MAX_WINDOWS: usize = 50;

/// How far ahead openings are searched: a window opens at least once a week, unless a clock change swallows it.
const SEARCH_DAYS: i32 = 16;

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// One window, open on some days of every week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaintenanceWindow {
    /// The days on which it opens, in the week's order from Monday, each once. Never empty.
    pub days: Vec<Weekday>,
    /// When it opens.
    pub start: Time,
    /// When it closes; `None` is `24:00`.
    pub end: Option<Time>,
    /// The zone of its times.
    pub timezone: TimeZone,
}

/// A stretch of time in which windows are open without a gap; `end` is the first moment after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opening {
    /// The first moment.
    pub start: Timestamp,
    /// The first moment after.
    pub end: Timestamp,
}

impl Opening {
    /// How long it is.
    pub fn length(&self) -> Duration {
        length(self.start, self.end)
    }
}

impl MaintenanceWindow {
    /// The zone's name, as documents write it.
    pub fn timezone_name(&self) -> &str {
        self.timezone.iana_name().unwrap_or("UTC")
    }

    /// The opening that begins on a day, unless a clock change swallows it.
    fn opening_on(&self, date: Date) -> Option<Opening> {
        if !self.days.contains(&date.weekday()) {
            return None;
        }
        let (end_time, ends_next_day) = match self.end {
            None => (Time::midnight(), true),
            Some(end) => (end, end <= self.start),
        };
        let end_date = if ends_next_day { date.tomorrow().ok()? } else { date };
        let instant = |date: Date, time| moment(&self.timezone, date.to_datetime(time));
        let opening =
            Opening { start: instant(date, self.start)?, end: instant(end_date, end_time)? };
        (opening.start < opening.end).then_some(opening)
    }

    /// Every opening from about two days before `from` to the end of the search.
    fn openings(&self, from: Timestamp) -> impl Iterator<Item = Opening> {
        let today = from.to_zoned(self.timezone.clone()).date();
        // One that began yesterday may still be open, and one before that may touch it.
        (-2..SEARCH_DAYS)
            .filter_map(move |day| self.opening_on(today.checked_add(day.days()).ok()?))
    }
}

/// When work may start: always, or within windows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MaintenanceWindows(Vec<MaintenanceWindow>);

impl MaintenanceWindows {
    /// Of these windows; none at all means "always".
    pub fn new(windows: Vec<MaintenanceWindow>) -> Self {
        Self(windows)
    }

    /// Whether there is no window, and so no limit.
    pub fn is_unlimited(&self) -> bool {
        self.0.is_empty()
    }

    /// The windows, in the document's order.
    pub fn windows(&self) -> &[MaintenanceWindow] {
        &self.0
    }

    /// Whether work may start at this moment.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.is_unlimited() || self.opening_at(at).is_some()
    }

    /// The opening that covers a moment. `None` when all are closed, and when there is no window.
    pub fn opening_at(&self, at: Timestamp) -> Option<Opening> {
        self.openings(at).into_iter().find(|opening| opening.start <= at)
    }

    /// The first opening that begins after a moment. `None` when there is no window.
    pub fn next_opening(&self, at: Timestamp) -> Option<Opening> {
        self.openings(at).into_iter().find(|opening| opening.start > at)
    }

    /// The first moment, not before `at`, from which windows stay open for `needed`.
    ///
    /// `None` when no opening within the next two weeks is that long: it does not fit, now or later.
    pub fn next_fit(&self, at: Timestamp, needed: Duration) -> Option<Timestamp> {
        next_fit_in_all(&[self], at, needed)
    }

    /// Openings that are not over at `from`, in order, those that touch or overlap made one.
    fn openings(&self, from: Timestamp) -> Vec<Opening> {
        let mut all: Vec<Opening> =
            self.0.iter().flat_map(|window| window.openings(from)).collect();
        all.sort();
        let mut merged: Vec<Opening> = Vec::new();
        for opening in all {
            match merged.last_mut() {
                Some(last) if opening.start <= last.end => last.end = last.end.max(opening.end),
                Some(_) | None => merged.push(opening),
            }
        }
        merged.retain(|opening| opening.end > from);
        merged
    }
}

/// When the clock on the wall first shows a time, or jumps over it.
fn moment(zone: &TimeZone, wall: DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(wall);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
            ambiguous.compatible().ok()
        }
        AmbiguousOffset::Gap { before, .. } => {
            // By the offset that held before, the time lies at the change or after it.
            let after = before.to_timestamp(wall).ok()?;
            let second = SignedDuration::from_secs(1);
            zone.preceding(after.checked_add(second).ok()?).next().map(|change| change.timestamp())
        }
    }
}

/// The first moment, not before `at`, from which all of these sets are open for `needed`; sets without a window are open always.
///
/// `None` when there is no such moment within the next two weeks.
pub fn next_fit_in_all(
    sets: &[&MaintenanceWindows],
    at: Timestamp,
    needed: Duration,
) -> Option<Timestamp> {
    let mut limited = sets.iter().filter(|set| !set.is_unlimited());
    let Some(first) = limited.next() else { return Some(at) };
    let common =
        limited.fold(first.openings(at), |common, set| intersection(&common, &set.openings(at)));
    common
        .into_iter()
        .map(|opening| Opening { start: opening.start.max(at), end: opening.end })
        .find(|rest| rest.length() >= needed)
        .map(|rest| rest.start)
}

/// What two lists of openings, each in order and without overlaps, have in common.
fn intersection(one: &[Opening], other: &[Opening]) -> Vec<Opening> {
    let (mut common, mut i, mut j) = (Vec::new(), 0, 0);
    while let (Some(a), Some(b)) = (one.get(i), other.get(j)) {
        let both = Opening { start: a.start.max(b.start), end: a.end.min(b.end) };
        if both.start < both.end {
            common.push(both);
        }
        if a.end <= b.end { i += 1 } else { j += 1 }
    }
    common
}

fn length(start: Timestamp, end: Timestamp) -> Duration {
    end.duration_since(start).max(SignedDuration::ZERO).unsigned_abs()
}

/// Windows too short for any update even together with those they touch: their places in the list.
pub(crate) fn never_fitting(windows: &[MaintenanceWindow]) -> Vec<usize> {
    // A week like any other: January has no clock changes in the north, and the south changes in April and October.
    let Ok(reference) = "2026-01-11T12:00:00Z".parse::<Timestamp>() else { return Vec::new() };
    let all = MaintenanceWindows(windows.to_vec());
    let fits = |window: &MaintenanceWindow| {
        window.openings(reference).take(7).any(|opening| {
            all.opening_at(opening.start)
                .is_some_and(|whole| whole.length() >= FIRST_EXPECTED_UPDATE)
        })
    };
    (0..windows.len()).filter(|index| !fits(&windows[*index])).collect()
}

/// Days as documents write them.
pub const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const LONG_DAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Reads a day: `Sat` or `Saturday`, in any case.
pub(super) fn parse_day(text: &str) -> Result<Weekday, Complaint> {
    let lower = text.to_ascii_lowercase();
    let found = (0..7)
        .find(|&index| lower == DAYS[index].to_ascii_lowercase() || lower == LONG_DAYS[index]);
    if let Some(weekday) =
        found.and_then(|index| Weekday::from_monday_zero_offset(i8::try_from(index).ok()?).ok())
    {
        return Ok(weekday);
    }
    let hint = if text.contains(['-', ',', ' ']) {
        Some("write a list: `[Sat, Sun]`".to_owned())
    } else {
        let near = |names: [&'static str; 7]| nearest(&lower, names);
        let index = near(LONG_DAYS).and_then(|day| LONG_DAYS.iter().position(|name| *name == day));
        index
            .map(|index| DAYS[index])
            .or_else(|| near(DAYS))
            .map(|day| format!("did you mean `{day}`?"))
    };
    Err(Complaint::new("not a day")
        .allowed("`Mon`, `Tue`, `Wed`, `Thu`, `Fri`, `Sat`, `Sun`")
        .hint_if_any(hint))
}

/// Writes a day as documents do.
pub fn day_name(day: Weekday) -> &'static str {
    usize::try_from(day.to_monday_zero_offset())
        .ok()
        .and_then(|index| DAYS.get(index))
        .copied()
        .unwrap_or("Mon")
}

/// Reads a wall time: `HH:MM`. `24:00` is `None`: the end of a day.
pub(super) fn parse_time(text: &str) -> Result<Option<Time>, Complaint> {
    let complaint =
        || Complaint::new("not a time of day").allowed("`HH:MM`, from `00:00` to `24:00`");
    let two = |part: &str| {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<i8>().ok())
            .flatten()
    };
    let (hour, minute) = text.split_once(':').unwrap_or((text, ""));
    match (two(hour), two(minute)) {
        (Some(24), Some(0)) => Ok(None),
        (Some(hour), Some(minute)) => {
            Time::new(hour, minute, 0, 0).map(Some).map_err(|_| complaint())
        }
        _ => Err(complaint().hint_if_any(time_hint(text))),
    }
}

fn time_hint(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    if lower.ends_with("am") || lower.ends_with("pm") {
        return Some("times are of 24 hours: `14:00`".to_owned());
    }
    let (hour, minute) = lower.split_once(':').unwrap_or((&lower, "00"));
    let hour: u8 = hour.parse().ok().filter(|hour| *hour < 24)?;
    let minute = minute.split(':').next()?.parse::<u8>().ok().filter(|minute| *minute < 60)?;
    Some(format!("write `\"{hour:02}:{minute:02}\"`"))
}

/// Writes a wall time as documents do.
pub fn time_text(time: Option<Time>) -> String {
    time.map_or_else(
        || "24:00".to_owned(),
        |time| format!("{:02}:{:02}", time.hour(), time.minute()),
    )
}

/// Finds a zone by its IANA name, in any case.
pub(super) fn parse_timezone(text: &str) -> Result<TimeZone, Complaint> {
    if let Ok(zone) = ZONES.get(text) {
        return Ok(zone);
    }
    let hint = if text.starts_with(['+', '-'])
        || text.to_ascii_uppercase().starts_with("UTC")
        || text.to_ascii_uppercase().starts_with("GMT")
    {
        Some("offsets know no summer time: name a place, or `UTC`".to_owned())
    } else {
        let names: Vec<String> = ZONES.available().map(|name| name.as_str().to_owned()).collect();
        let city = |name: &&String| {
            name.rsplit('/')
                .next()
                .is_some_and(|city| city.eq_ignore_ascii_case(&text.replace(' ', "_")))
        };
        let by_city = names.iter().find(city).map(String::as_str);
        by_city
            .or_else(|| nearest(text, names.iter().map(String::as_str)))
            .map(|name| format!("did you mean `{name}`?"))
    };
    Err(Complaint::new("not a time zone")
        .allowed("an IANA name such as `Europe/Berlin`, or `UTC`")
        .hint_if_any(hint))
}

impl fmt::Display for MaintenanceWindow {
    /// `Sat, Sun 02:00–06:00 Europe/Berlin`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<&str> = self.days.iter().map(|day| day_name(*day)).collect();
        let days = if days.len() == 7 { "daily".to_owned() } else { days.join(", ") };
        write!(
            f,
            "{days} {}–{} {}",
            time_text(Some(self.start)),
            time_text(self.end),
            self.timezone_name()
        )
    }
}

#[cfg(test)]
mod tests;
