use super::*;
use proptest::prelude::*;

mod clock_changes;

fn window(days: &[&str], start: &str, end: &str, zone: &str) -> MaintenanceWindow {
    let days = days.iter().map(|day| parse_day(day).unwrap()).collect();
    let start = parse_time(start).unwrap().unwrap();
    MaintenanceWindow {
        days,
        start,
        end: parse_time(end).unwrap(),
        timezone: parse_timezone(zone).unwrap(),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn opening(start: &str, end: &str) -> Opening {
    Opening { start: at(start), end: at(end) }
}

#[test]
fn windows_open_by_the_wall_clock_of_their_zone() {
    // Window; seen from, opens, closes, all in UTC; why.
    let rows: &[[&str; 5]] = &[
        [
            "Sat 02:00 06:00 Europe/Berlin",
            "2026-01-07T00:00:00Z",
            "2026-01-10T01:00:00Z",
            "2026-01-10T05:00:00Z",
            "winter: an hour ahead of UTC",
        ],
        [
            "Sat 02:00 06:00 Europe/Berlin",
            "2026-07-07T00:00:00Z",
            "2026-07-11T00:00:00Z",
            "2026-07-11T04:00:00Z",
            "summer: two hours ahead",
        ],
        [
            "Sun 01:00 06:00 Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-29T00:00:00Z",
            "2026-03-29T04:00:00Z",
            "clocks go forward inside: an hour shorter",
        ],
        [
            "Sun 01:00 06:00 Europe/Berlin",
            "2026-10-24T12:00:00Z",
            "2026-10-24T23:00:00Z",
            "2026-10-25T05:00:00Z",
            "clocks go back inside: an hour longer",
        ],
        [
            "Sun 02:30 05:00 Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-29T03:00:00Z",
            "a start that is skipped is the moment of the change",
        ],
        [
            "Sun 02:00 03:00 Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-04-05T00:00:00Z",
            "2026-04-05T01:00:00Z",
            "swallowed whole: opens a week later",
        ],
        [
            "Sun 02:30 04:00 Europe/Berlin",
            "2026-10-24T12:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T03:00:00Z",
            "a repeated start means the first",
        ],
        [
            "Sun 01:00 02:30 Europe/Berlin",
            "2026-10-24T12:00:00Z",
            "2026-10-24T23:00:00Z",
            "2026-10-25T00:30:00Z",
            "a repeated end means the first",
        ],
        [
            "Sun 01:00 04:00 America/New_York",
            "2026-03-07T12:00:00Z",
            "2026-03-08T06:00:00Z",
            "2026-03-08T08:00:00Z",
            "New York goes forward at 2",
        ],
        [
            "Sun 01:00 04:00 America/New_York",
            "2026-10-31T12:00:00Z",
            "2026-11-01T05:00:00Z",
            "2026-11-01T09:00:00Z",
            "New York goes back at 2",
        ],
        [
            "Sun 01:00 04:00 Australia/Sydney",
            "2026-04-04T12:00:00Z",
            "2026-04-04T14:00:00Z",
            "2026-04-04T18:00:00Z",
            "the south goes back in April",
        ],
        [
            "Sun 01:00 04:00 Australia/Lord_Howe",
            "2026-04-04T11:00:00Z",
            "2026-04-04T14:00:00Z",
            "2026-04-04T17:30:00Z",
            "Lord Howe moves by half an hour",
        ],
        [
            "Mon 00:00 24:00 Asia/Kathmandu",
            "2026-01-10T00:00:00Z",
            "2026-01-11T18:15:00Z",
            "2026-01-12T18:15:00Z",
            "a whole day, 5:45 ahead",
        ],
        [
            "Fri 22:00 02:00 UTC",
            "2026-01-08T00:00:00Z",
            "2026-01-09T22:00:00Z",
            "2026-01-10T02:00:00Z",
            "across midnight: the day of the start counts",
        ],
        [
            "Sat 22:00 04:00 Europe/Berlin",
            "2026-03-27T12:00:00Z",
            "2026-03-28T21:00:00Z",
            "2026-03-29T02:00:00Z",
            "across midnight and a clock change",
        ],
        [
            "Sun 23:00 00:00 UTC",
            "2026-01-11T23:30:00Z",
            "2026-01-18T23:00:00Z",
            "2026-01-19T00:00:00Z",
            "the one that is open is not the next",
        ],
        [
            "Mon 00:00 06:00 Pacific/Kiritimati",
            "2026-01-11T00:00:00Z",
            "2026-01-11T10:00:00Z",
            "2026-01-11T16:00:00Z",
            "14 hours ahead",
        ],
        [
            "Mon 18:00 20:00 Pacific/Pago_Pago",
            "2026-01-12T00:00:00Z",
            "2026-01-13T05:00:00Z",
            "2026-01-13T07:00:00Z",
            "11 hours behind",
        ],
    ];
    for [spec, from, opens, closes, why] in rows {
        let [day, start, end, zone] = spec.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{spec}")
        };
        let windows = MaintenanceWindows::new(vec![window(&[day], start, end, zone)]);
        let next = windows.next_opening(at(from));
        let next = next.unwrap();
        assert_eq!(next, opening(opens, closes), "{why}");
        let second = SignedDuration::from_secs(1);
        assert!(
            windows.is_open(next.start) && windows.is_open(next.end - second),
            "{why}: open in between"
        );
        assert!(!windows.is_open(next.end), "{why}: the end is outside");
        assert!(!windows.is_open(next.start - second), "{why}: closed just before");
    }
}

#[test]
fn windows_that_touch_are_one_opening() {
    let windows = MaintenanceWindows::new(vec![
        window(&["Sat"], "22:00", "24:00", "UTC"),
        window(&["Sun"], "00:00", "02:00", "UTC"),
    ]);
    assert_eq!(
        windows.opening_at(at("2026-01-10T23:59:00Z")),
        Some(opening("2026-01-10T22:00:00Z", "2026-01-11T02:00:00Z"))
    );
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let now = at("2026-01-10T23:00:00Z");
    assert_eq!(windows.next_fit(now, hours(3)), Some(now), "three hours are left");
    assert_eq!(
        windows.next_fit(now, hours(4)),
        Some(at("2026-01-17T22:00:00Z")),
        "four are not: next week"
    );
    assert_eq!(windows.next_fit(now, hours(5)), None, "five never are");
}

#[test]
fn without_windows_it_is_always_open() {
    let always = MaintenanceWindows::default();
    let now = at("2026-01-10T23:00:00Z");
    assert!(always.is_open(now) && always.is_unlimited());
    assert_eq!(always.next_fit(now, Duration::from_secs(1)), Some(now));
    assert_eq!(always.next_opening(now), None);
}

#[test]
fn windows_too_short_for_any_update_are_found() {
    for (windows, never, why) in [
        (vec![window(&["Sat"], "02:00", "02:15", "UTC")], vec![0], "15 minutes"),
        (vec![window(&["Sat"], "02:00", "02:20", "UTC")], vec![], "20 minutes do"),
        (
            vec![
                window(&["Sat"], "23:50", "24:00", "UTC"),
                window(&["Sun"], "00:00", "00:10", "UTC"),
            ],
            vec![],
            "together",
        ),
        (
            vec![
                window(&["Sat"], "23:50", "24:00", "UTC"),
                window(&["Mon"], "00:00", "00:10", "UTC"),
            ],
            vec![0, 1],
            "apart",
        ),
        (
            vec![
                window(&["Sat"], "02:00", "02:05", "UTC"),
                window(&["Sun"], "02:00", "06:00", "UTC"),
            ],
            vec![0],
            "one of two",
        ),
        (vec![window(&["Sat"], "23:55", "00:10", "UTC")], vec![0], "across midnight"),
    ] {
        assert_eq!(never_fitting(&windows), never, "{why}");
    }
}

#[test]
fn days_times_and_zones_are_read_with_hints() {
    assert_eq!(parse_day("saturday"), Ok(Weekday::Saturday));
    assert_eq!(parse_day("Mon"), Ok(Weekday::Monday));
    assert_eq!(
        parse_day("Sat-Sun").unwrap_err().hint.as_deref(),
        Some("write a list: `[Sat, Sun]`")
    );
    assert_eq!(parse_day("Saturdy").unwrap_err().hint.as_deref(), Some("did you mean `Sat`?"));
    assert_eq!(parse_time("24:00"), Ok(None));
    for (text, hint) in [
        ("2:00", "write `\"02:00\"`"),
        ("02:00:00", "write `\"02:00\"`"),
        ("2pm", "times are of 24 hours: `14:00`"),
    ] {
        assert_eq!(parse_time(text).unwrap_err().hint.as_deref(), Some(hint), "{text}");
    }
    assert!(
        parse_time("24:01").is_err() && parse_time("12:60").is_err() && parse_time("").is_err()
    );
    for (text, hint) in [
        ("Europe/Berln", "did you mean `Europe/Berlin`?"),
        ("Berlin", "did you mean `Europe/Berlin`?"),
        ("New York", "did you mean `America/New_York`?"),
        ("+02:00", "offsets know no summer time: name a place, or `UTC`"),
    ] {
        assert_eq!(parse_timezone(text).unwrap_err().hint.as_deref(), Some(hint), "{text}");
    }
    assert_eq!(parse_timezone("europe/berlin").unwrap().iana_name(), Some("Europe/Berlin"));
}

#[test]
fn a_window_shows_as_people_write_it() {
    let shown = |window: MaintenanceWindow| window.to_string();
    assert_eq!(
        shown(window(&["Sat", "Sun"], "02:00", "06:00", "Europe/Berlin")),
        "Sat, Sun 02:00–06:00 Europe/Berlin"
    );
    assert_eq!(shown(window(&DAYS, "22:00", "24:00", "UTC")), "daily 22:00–24:00 UTC");
}

proptest! {
    /// The second, simpler statement: look at the clock on the wall. It holds where clocks do not change.
    #[test]
    fn a_window_is_open_when_the_wall_clock_says_so(
        days in prop::sample::subsequence(DAYS.to_vec(), 1..7),
        start in 0i64..1440,
        end in 0i64..1440,
        zone in prop::sample::select(vec!["UTC", "Asia/Tokyo", "Asia/Kathmandu", "America/Phoenix", "Pacific/Kiritimati"]),
        minute in 0i64..40_000,
    ) {
        prop_assume!(start != end);
        let text = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let one = window(&days, &text(start), &text(end), zone);
        let now = at("2026-02-01T00:00:00Z") + SignedDuration::from_mins(minute);
        let wall = now.to_zoned(one.timezone.clone());
        let of_day = i64::from(wall.hour()) * 60 + i64::from(wall.minute());
        let today = days.contains(&day_name(wall.weekday()));
        let yesterday = days.contains(&day_name(wall.weekday().previous()));
        let open = if start < end {
            today && (start..end).contains(&of_day)
        } else {
            (today && of_day >= start) || (yesterday && of_day < end)
        };
        prop_assert_eq!(MaintenanceWindows::new(vec![one]).is_open(now), open);
    }

    #[test]
    fn the_next_opening_begins_where_the_closed_time_ends(seed in 0i64..600_000, zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])) {
        let windows = MaintenanceWindows::new(vec![window(&["Sat", "Sun"], "22:30", "03:15", zone), window(&["Sun"], "01:30", "02:45", zone)]);
        let now = at("2026-01-01T00:00:00Z") + SignedDuration::from_mins(seed);
        let next = windows.next_opening(now).unwrap();
        prop_assert!(next.start > now && next.start < next.end);
        prop_assert!(!windows.is_open(next.start - SignedDuration::from_mins(1)));
        prop_assert!(windows.is_open(next.start));
        if !windows.is_open(now) {
            let half = now + SignedDuration::from_secs(now.duration_until(next.start).as_secs() / 2);
            prop_assert!(!windows.is_open(half), "closed between now and the next opening");
        }
    }
}
