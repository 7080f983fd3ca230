//! Lengths of time as documents write them: `60s`, `10m`, `8h`, `1h30m`, `0s`.

use super::problem::Complaint;
use std::time::Duration;

const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Reads a duration: whole numbers, each with its unit (`d`, `h`, `m`, `s`, `ms`), larger units first.
///
/// # Errors
/// When the text is anything else.
pub fn parse(text: &str) -> Result<Duration, Complaint> {
    let complaint = || {
        Complaint::new("not a duration")
            .allowed("numbers with units, such as `60s`, `10m`, `8h`, `1h30m`")
    };
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(complaint().hint(format!("write `{text}s` for seconds, `{text}m` for minutes")));
    }
    let mut rest = text;
    let mut total: u64 = 0;
    let mut last_unit = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let Some(millis) = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, millis)| *millis)
        else {
            let hint = text
                .contains([' ', 'i', 'o', 'e', 'S', 'M', 'H', 'D'])
                .then(|| "for example `10m` or `1h30m`".to_owned());
            return Err(complaint().hint_if_any(hint));
        };
        if millis >= last_unit {
            return Err(complaint().hint("each unit once, larger units first: `1h30m`"));
        }
        last_unit = millis;
        let amount = number.parse::<u64>().ok().and_then(|number| number.checked_mul(millis));
        total = amount.and_then(|amount| total.checked_add(amount)).ok_or_else(complaint)?;
        rest = tail;
    }
    if last_unit == u64::MAX { Err(complaint()) } else { Ok(Duration::from_millis(total)) }
}

/// Reads a duration that lies between two bounds, both allowed.
pub(super) fn parse_between(
    text: &str,
    least: Duration,
    most: Duration,
) -> Result<Duration, Complaint> {
    let duration = parse(text)?;
    if (least..=most).contains(&duration) {
        return Ok(duration);
    }
    let message = if duration < least { "too short" } else { "too long" };
    Err(Complaint::new(message).allowed(format!("`{}` to `{}`", render(least), render(most))))
}

/// Writes a duration so that [`parse`] reads it back: the fewest units, no days (`36h`, as people say it).
pub fn render(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, size) in &UNITS[1..] {
        if millis >= *size {
            text.extend([(millis / size).to_string().as_str(), unit]);
            millis %= size;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, seconds) in
            [("60s", 60), ("10m", 600), ("8h", 28_800), ("1h30m", 5400), ("2d", 172_800), ("0s", 0)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        for (text, why) in [
            ("", "empty"),
            ("10", "no unit"),
            ("m", "no number"),
            ("10 m", "a blank"),
            ("-10m", "negative"),
            ("1.5h", "a fraction"),
            ("30m1h", "order"),
            ("1m1m", "twice"),
            ("99999999999999999999h", "overflow"),
            ("PT10M", "ISO"),
            ("1w", "weeks"),
        ] {
            assert!(parse(text).is_err(), "`{text}`: {why}");
        }
        assert_eq!(
            parse("90").unwrap_err().hint.as_deref(),
            Some("write `90s` for seconds, `90m` for minutes")
        );
    }

    #[test]
    fn bounds_are_named_in_the_complaint() {
        let bounds = (Duration::from_secs(1), Duration::from_hours(1));
        assert_eq!(
            parse_between("2h", bounds.0, bounds.1).unwrap_err().allowed.as_deref(),
            Some("`1s` to `1h`")
        );
        assert!(parse_between("1h", bounds.0, bounds.1).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_rendered_reads_back(millis in 0u64..10_000_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse(&render(duration)), Ok(duration));
        }
    }
}
