//! Windows over the clock changes of 2026 and 2027, in zones that change by an hour, by half an hour, at midnight, or skipped a day.

use super::*;
use jiff::tz::AmbiguousOffset;

#[test]
fn windows_keep_to_the_clock_on_the_wall_when_it_is_changed() {
    // Window; seen from, opens, closes, all in UTC; why.
    let rows: &[[&str; 5]] = &[
        // Europe/Berlin: 29 March 2026 and 28 March 2027 from 2 to 3, 25 October 2026 and 31 October 2027 from 3 to 2.
        [
            "Sun 02:30 05:00 Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-29T03:00:00Z",
            "a start that is skipped: with the change, when the clock shows 3",
        ],
        [
            "Sun 01:00 02:30 Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-29T00:00:00Z",
            "2026-03-29T01:00:00Z",
            "an end that is skipped: with the change, and not at 3:30",
        ],
        [
            "Sun 02:00 03:00 Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-04-05T00:00:00Z",
            "2026-04-05T01:00:00Z",
            "just the skipped hour: a week later",
        ],
        [
            "Sun 02:10 02:50 Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-04-05T00:10:00Z",
            "2026-04-05T00:50:00Z",
            "within the skipped hour: a week later",
        ],
        [
            "Sun 02:10 03:10 Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-29T01:10:00Z",
            "ten minutes of it are left",
        ],
        [
            "Sun 00:00 24:00 Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-28T23:00:00Z",
            "2026-03-29T22:00:00Z",
            "a day of 23 hours",
        ],
        [
            "Sat 23:00 03:00 Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-28T22:00:00Z",
            "2026-03-29T01:00:00Z",
            "across midnight into the change",
        ],
        [
            "Sun 00:00 24:00 Europe/Berlin",
            "2026-10-24T12:00:00Z",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
            "a day of 25 hours",
        ],
        [
            "Sun 02:00 03:00 Europe/Berlin",
            "2026-10-24T12:00:00Z",
            "2026-10-25T00:00:00Z",
            "2026-10-25T02:00:00Z",
            "just the hour that comes twice: both of it",
        ],
        [
            "Sun 02:10 02:50 Europe/Berlin",
            "2026-10-24T12:00:00Z",
            "2026-10-25T00:10:00Z",
            "2026-10-25T00:50:00Z",
            "within it: the first time only",
        ],
        [
            "Sun 02:30 05:00 Europe/Berlin",
            "2027-03-27T12:00:00Z",
            "2027-03-28T01:00:00Z",
            "2027-03-28T03:00:00Z",
            "the next year",
        ],
        [
            "Sun 01:00 06:00 Europe/Berlin",
            "2027-10-30T12:00:00Z",
            "2027-10-30T23:00:00Z",
            "2027-10-31T05:00:00Z",
            "the next year, back",
        ],
        // America/New_York: 8 March 2026 and 14 March 2027 from 2 to 3, 1 November 2026 and 7 November 2027 from 2 to 1.
        [
            "Sun 01:30 02:30 America/New_York",
            "2026-03-07T12:00:00Z",
            "2026-03-08T06:30:00Z",
            "2026-03-08T07:00:00Z",
            "half of it is skipped",
        ],
        [
            "Sun 02:30 06:00 America/New_York",
            "2026-03-07T12:00:00Z",
            "2026-03-08T07:00:00Z",
            "2026-03-08T10:00:00Z",
            "a start that is skipped",
        ],
        [
            "Sun 01:30 06:00 America/New_York",
            "2026-10-31T12:00:00Z",
            "2026-11-01T05:30:00Z",
            "2026-11-01T11:00:00Z",
            "a start that comes twice: an hour more",
        ],
        [
            "Sat 22:00 01:30 America/New_York",
            "2026-10-31T12:00:00Z",
            "2026-11-01T02:00:00Z",
            "2026-11-01T05:30:00Z",
            "an end that comes twice: the first",
        ],
        [
            "Sun 01:00 04:00 America/New_York",
            "2027-03-13T12:00:00Z",
            "2027-03-14T06:00:00Z",
            "2027-03-14T08:00:00Z",
            "the next year",
        ],
        [
            "Sun 01:00 04:00 America/New_York",
            "2027-11-06T12:00:00Z",
            "2027-11-07T05:00:00Z",
            "2027-11-07T09:00:00Z",
            "the next year, back",
        ],
        // Australia/Lord_Howe: 5 April 2026 and 4 April 2027 from 2 to 1:30, 4 October 2026 and 3 October 2027 from 2 to 2:30.
        [
            "Sun 01:00 03:00 Australia/Lord_Howe",
            "2026-04-04T06:00:00Z",
            "2026-04-04T14:00:00Z",
            "2026-04-04T16:30:00Z",
            "half an hour longer",
        ],
        [
            "Sun 01:45 03:00 Australia/Lord_Howe",
            "2026-04-04T06:00:00Z",
            "2026-04-04T14:45:00Z",
            "2026-04-04T16:30:00Z",
            "a start that comes twice within half an hour",
        ],
        [
            "Sun 01:00 03:00 Australia/Lord_Howe",
            "2026-10-03T06:00:00Z",
            "2026-10-03T14:30:00Z",
            "2026-10-03T16:00:00Z",
            "half an hour shorter",
        ],
        [
            "Sun 02:15 04:00 Australia/Lord_Howe",
            "2026-10-03T06:00:00Z",
            "2026-10-03T15:30:00Z",
            "2026-10-03T17:00:00Z",
            "a start that is skipped, by half an hour",
        ],
        [
            "Sun 02:00 02:30 Australia/Lord_Howe",
            "2026-10-03T06:00:00Z",
            "2026-10-10T15:00:00Z",
            "2026-10-10T15:30:00Z",
            "just the skipped half hour",
        ],
        [
            "Sun 01:00 03:00 Australia/Lord_Howe",
            "2027-04-03T06:00:00Z",
            "2027-04-03T14:00:00Z",
            "2027-04-03T16:30:00Z",
            "the next year",
        ],
        [
            "Sun 01:00 03:00 Australia/Lord_Howe",
            "2027-10-02T06:00:00Z",
            "2027-10-02T14:30:00Z",
            "2027-10-02T16:00:00Z",
            "the next year, forward",
        ],
        // Africa/Cairo: 24 April 2026 and 30 April 2027 from 0 to 1, in the night after 29 October 2026 and 28 October 2027 from 24 to 23.
        [
            "Fri 00:00 04:00 Africa/Cairo",
            "2026-04-23T12:00:00Z",
            "2026-04-23T22:00:00Z",
            "2026-04-24T01:00:00Z",
            "the day begins at 1",
        ],
        [
            "Thu 22:00 00:30 Africa/Cairo",
            "2026-04-23T12:00:00Z",
            "2026-04-23T20:00:00Z",
            "2026-04-23T22:00:00Z",
            "the end is in a midnight that is skipped",
        ],
        [
            "Thu 22:00 24:00 Africa/Cairo",
            "2026-10-29T12:00:00Z",
            "2026-10-29T19:00:00Z",
            "2026-10-29T22:00:00Z",
            "an evening of three hours",
        ],
        [
            "Fri 00:00 04:00 Africa/Cairo",
            "2027-04-29T12:00:00Z",
            "2027-04-29T22:00:00Z",
            "2027-04-30T01:00:00Z",
            "the next year",
        ],
        // Pacific/Apia: 13 hours ahead all year since 2021; it skipped 30 December 2011, a Friday.
        [
            "Sun 02:00 06:00 Pacific/Apia",
            "2026-04-04T00:00:00Z",
            "2026-04-04T13:00:00Z",
            "2026-04-04T17:00:00Z",
            "no change any more in April",
        ],
        [
            "Sun 02:00 06:00 Pacific/Apia",
            "2026-09-26T00:00:00Z",
            "2026-09-26T13:00:00Z",
            "2026-09-26T17:00:00Z",
            "nor in September",
        ],
        [
            "Sun 02:00 06:00 Pacific/Apia",
            "2027-04-03T00:00:00Z",
            "2027-04-03T13:00:00Z",
            "2027-04-03T17:00:00Z",
            "nor the year after",
        ],
        [
            "Fri 02:00 06:00 Pacific/Apia",
            "2011-12-29T00:00:00Z",
            "2012-01-05T12:00:00Z",
            "2012-01-05T16:00:00Z",
            "a whole Friday is skipped, and Saturday is no Friday",
        ],
        [
            "Thu 22:00 06:00 Pacific/Apia",
            "2011-12-29T00:00:00Z",
            "2011-12-30T08:00:00Z",
            "2011-12-30T10:00:00Z",
            "the night into it ends with the day",
        ],
    ];
    for [spec, from, opens, closes, why] in rows {
        let [day, start, end, zone] = spec.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{spec}")
        };
        let windows = MaintenanceWindows::new(vec![window(&[day], start, end, zone)]);
        let next = windows.next_opening(at(from)).unwrap();
        assert_eq!(next, opening(opens, closes), "{spec}: {why}");
        assert_eq!(windows.opening_at(next.start), Some(next), "{spec}: {why}");
        let length = next.length();
        assert_eq!(windows.next_fit(at(from), length), Some(next.start), "{spec}: {why}");
        assert_ne!(
            windows.next_fit(at(from), length + Duration::from_secs(1)),
            Some(next.start),
            "{spec}: {why}"
        );
    }
}

#[test]
fn several_windows_and_zones_are_one_set() {
    // One night from two zones, with a change in one of them: the gap closes for that night.
    let windows = MaintenanceWindows::new(vec![
        window(&["Sun"], "00:00", "02:00", "Europe/Berlin"),
        window(&["Sun"], "01:00", "04:00", "UTC"),
    ]);
    assert_eq!(
        windows.next_opening(at("2026-03-21T12:00:00Z")),
        Some(opening("2026-03-21T23:00:00Z", "2026-03-22T04:00:00Z")),
        "in winter they touch"
    );
    assert_eq!(
        windows.next_opening(at("2026-07-04T12:00:00Z")),
        Some(opening("2026-07-04T22:00:00Z", "2026-07-05T00:00:00Z")),
        "in summer there is an hour between them"
    );
    // Every day around the clock has no gap, also not where a day has 23 or 25 hours.
    let always = MaintenanceWindows::new(vec![window(&DAYS, "00:00", "24:00", "Europe/Berlin")]);
    for from in ["2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z"] {
        let day = Duration::from_hours(48);
        assert_eq!(always.next_fit(at(from), day), Some(at(from)), "{from}");
    }
}

/// The clock on the wall, as it never goes back: while a time comes for the second time, it stays just below where the first time ended.
fn wall(zone: &TimeZone, instant: Timestamp) -> DateTime {
    let shown = zone.to_datetime(instant);
    let AmbiguousOffset::Fold { before, .. } = zone.to_ambiguous_timestamp(shown).offset() else {
        return shown;
    };
    if before.to_timestamp(shown).unwrap() == instant {
        return shown;
    }
    let change = zone.preceding(instant + SignedDuration::from_secs(1)).next().unwrap();
    before.to_datetime(change.timestamp()) - SignedDuration::from_secs(1)
}

/// The second, simpler statement of the rule.
fn shows_a_time_in(window: &MaintenanceWindow, instant: Timestamp) -> bool {
    let now = wall(&window.timezone, instant);
    [now.date(), now.date().yesterday().unwrap()].into_iter().any(|day| {
        let start = day.to_datetime(window.start);
        let end = match window.end {
            Some(end) if end > window.start => day.to_datetime(end),
            Some(end) => day.tomorrow().unwrap().to_datetime(end),
            None => day.tomorrow().unwrap().to_datetime(Time::midnight()),
        };
        window.days.contains(&day.weekday()) && start <= now && now < end
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Around every clock change of two years, to the minute.
    #[test]
    fn a_window_is_open_when_the_clock_on_the_wall_shows_a_time_in_it(
        zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago", "Pacific/Apia"]),
        days in prop::sample::subsequence(DAYS.to_vec(), 1..=7),
        start in 0i64..288,
        length in 1i64..288,
        change in 0usize..4,
        minute in -1500i64..1500,
    ) {
        // Times on five minutes: the changes are on half hours, so that borders meet them often.
        let text = |fives: i64| format!("{:02}:{:02}", fives % 288 / 12, fives % 12 * 5);
        let one = window(&days, &text(start), &text(start + length), zone);
        let from = at("2026-01-01T00:00:00Z");
        let changes: Vec<_> = one.timezone.following(from).take(4).map(|change| change.timestamp()).collect();
        let around = changes.get(change).copied().unwrap_or_else(|| from + SignedDuration::from_hours(24 * 90));
        let instant = around + SignedDuration::from_mins(minute);
        let expected = shows_a_time_in(&one, instant);
        let windows = MaintenanceWindows::new(vec![one]);
        prop_assert_eq!(windows.is_open(instant), expected);
        let next = windows.next_opening(instant).unwrap();
        prop_assert!(shows_a_time_in(&windows.windows()[0], next.start));
        prop_assert!(!windows.is_open(next.end));
    }
}

proptest! {
    // Each case looks at the clock some thousand times.
    #![proptest_config(ProptestConfig::with_cases(25))]

    /// Several sets are open together when each of them is.
    #[test]
    fn the_first_fit_of_several_sets_is_the_first_moment_at_which_all_stay_open(
        ones in prop::collection::vec((0i64..288, 1i64..60, 0usize..7, 0usize..3), 1..4),
        others in prop::collection::vec((0i64..288, 1i64..200, 0usize..7, 0usize..3), 0..4),
        needed in 1i64..18,
        first in 0i64..4_000,
    ) {
        // Everything lies on five minutes.
        let text = |fives: i64| format!("{:02}:{:02}", fives % 288 / 12, fives % 12 * 5);
        let minutes = |fives: i64| SignedDuration::from_mins(fives * 5);
        let set = |windows: &[(i64, i64, usize, usize)]| {
            let zones = ["UTC", "Europe/Berlin", "America/New_York"];
            let windows = windows.iter().map(|&(start, length, day, zone)| {
                let days = [DAYS[day], DAYS[(day + 1) % 7]];
                window(&days, &text(start), &text(start + length), zones[zone])
            });
            MaintenanceWindows::new(windows.collect())
        };
        let (one, other) = (set(&ones), set(&others));
        let now = at("2026-03-20T00:00:00Z") + minutes(first);
        let length = minutes(needed).unsigned_abs();
        let found = next_fit_in_all(&[&one, &other], now, length);
        // Step by step, as somebody would who has no better idea.
        let mut run = 0;
        let expected = (0..8 * 288).find_map(|step| {
            let at = now + minutes(step);
            run = if one.is_open(at) && other.is_open(at) { run + 1 } else { 0 };
            (run == needed).then(|| now + minutes(step + 1 - needed))
        });
        match expected {
            Some(expected) => prop_assert_eq!(found, Some(expected)),
            // Later, or never.
            None => prop_assert!(found.is_none_or(|found| found > now + minutes(7 * 288))),
        }
    }
}

#[test]
fn very_many_short_windows_do_not_hide_a_long_one() {
    // Fifty windows of ten minutes a day, and one of two hours in both sets.
    let mut short: Vec<_> = (0..49)
        .map(|index| {
            let text = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
            window(&DAYS, &text(index * 25), &text(index * 25 + 10), "UTC")
        })
        .collect();
    short.push(window(&["Sun"], "21:00", "23:00", "UTC"));
    let (one, other) = (MaintenanceWindows::new(short.clone()), MaintenanceWindows::new(short));
    let needed = Duration::from_mins(90);
    assert_eq!(
        next_fit_in_all(&[&one, &other], at("2026-01-05T00:00:00Z"), needed),
        Some(at("2026-01-11T21:00:00Z"))
    );
}
