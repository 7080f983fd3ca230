//! Small conversions from the SDK's types to ours.

use crate::text::sanitize;
use aws_smithy_types::DateTime;
use jiff::Timestamp;

/// The wire value of an SDK enum. Known and unknown values alike: the set is open.
pub(super) fn word<T: AsRef<str>>(value: Option<T>) -> Option<String> {
    value.map(|value| value.as_ref().to_owned())
}

/// Free text for people, on one line and harmless. Identifiers and values are kept as they are, for they are compared.
pub(super) fn prose(value: Option<String>) -> Option<String> {
    value.map(|value| sanitize(&value))
}

/// A moment, to the millisecond: AWS knows no finer, and writes some as floating point numbers, which are a little off.
/// Nothing if it lies outside of what a calendar can show.
pub(super) fn time(value: Option<DateTime>) -> Option<Timestamp> {
    let value = value?;
    let millis = i64::from(value.subsec_nanos().saturating_add(500_000) / 1_000_000);
    Timestamp::from_millisecond(value.secs().checked_mul(1_000)?.checked_add(millis)?).ok()
}

/// What stands for a secret.
const MASK: &str = "****";

/// A template's default value; of a secret only that there is one.
pub(super) fn default_value(value: Option<String>, no_echo: bool) -> Option<String> {
    if no_echo { value.map(|_| MASK.to_owned()) } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_keep_their_fraction_and_absurd_ones_are_left_out() {
        let at = time(Some(DateTime::from_secs_f64(1_536_221_931.782)));
        assert_eq!(at.unwrap().to_string(), "2018-09-06T08:18:51.782Z");
        assert_eq!(time(Some(DateTime::from_secs(i64::MAX))), None);
        assert_eq!(time(None), None);
    }

    #[test]
    fn a_secret_default_shows_only_that_it_is_there() {
        assert_eq!(default_value(Some("hunter2".to_owned()), true).as_deref(), Some("****"));
        assert_eq!(default_value(None, true), None);
        assert_eq!(
            default_value(Some(String::new()), false).as_deref(),
            Some(""),
            "empty is not absent"
        );
    }
}
