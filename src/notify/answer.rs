//! What an answer means: told, to be tried again and when, or not to be tried again. Pure.

use hyper::HeaderMap;
use hyper::header::{LOCATION, RETRY_AFTER};
use jiff::Timestamp;
use std::time::Duration;

/// The longest wait that a receiver is granted: longer ones are bounded by the time after which a notice is given up anyway.
const MOST_PATIENCE: Duration = Duration::from_hours(1);

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The receiver has it.
    Told,
    /// Perhaps later.
    Later {
        /// Why not now.
        why: String,
        /// How long it wants to be left alone.
        wait: Option<Duration>,
    },
    /// The receiver will not take this one, whenever it is asked.
    Refused {
        /// Why.
        why: String,
    },
}

/// What an answer means. `detail` is what it says, without secrets.
pub(super) fn read(status: u16, headers: &HeaderMap, detail: &str, now: Timestamp) -> Outcome {
    let said = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    let why = format!("it answers {status}{said}");
    match status {
        200..=299 => Outcome::Told,
        300..=399 if headers.contains_key(LOCATION) => Outcome::Later {
            why: format!("{why}: it sends us to another place, which is not followed"),
            wait: None,
        },
        // It was understood, and is not wanted like this.
        400 | 413 | 415 | 422 => Outcome::Refused { why },
        _ => Outcome::Later { why, wait: wait(headers, now) },
    }
}

/// How long the answer asks to wait: `Retry-After` in seconds, or GitHub's moment at which requests are allowed again.
fn wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let number =
        |name: &str| -> Option<i64> { headers.get(name)?.to_str().ok()?.trim().parse().ok() };
    let seconds = number(RETRY_AFTER.as_str()).or_else(|| {
        let is_spent = number("x-ratelimit-remaining") == Some(0);
        number("x-ratelimit-reset").filter(|_| is_spent).map(|at| at - now.as_second())
    })?;
    let seconds = u64::try_from(seconds).ok()?;
    Some(Duration::from_secs(seconds).min(MOST_PATIENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (name.parse().unwrap(), value.parse().unwrap())
        };
        all.iter().map(header).collect()
    }

    #[test]
    fn an_answer_is_told_later_or_never() {
        let now = Timestamp::from_second(1_000).unwrap();
        let later = |wait: Option<u64>| (false, wait.map(Duration::from_secs));
        // Status, headers; told, refused or (later, wait); why.
        for (status, all, wanted, why) in [
            (200, &[][..], Ok(true), "Slack"),
            (201, &[], Ok(true), "GitHub"),
            (301, &[("location", "https://elsewhere/")], Err(later(None)), "secrets stay here"),
            (400, &[], Ok(false), "not a notice that it takes"),
            (401, &[], Err(later(None)), "a token may be replaced"),
            (404, &[], Err(later(None)), "GitHub hides what a token may not see"),
            (422, &[], Ok(false), "no such commit"),
            (429, &[("retry-after", "30")], Err(later(Some(30))), "Slack's limit"),
            (429, &[("retry-after", "99999")], Err(later(Some(3600))), "not for ever"),
            (403, &[("retry-after", "-1")], Err(later(None)), "nonsense"),
            (
                403,
                &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1060")],
                Err(later(Some(60))),
                "GitHub's limit",
            ),
            (
                403,
                &[("x-ratelimit-remaining", "7"), ("x-ratelimit-reset", "1060")],
                Err(later(None)),
                "denied",
            ),
            (503, &[], Err(later(None)), "down"),
        ] {
            let found = match read(status, &headers(all), "", now) {
                Outcome::Told => Ok(true),
                Outcome::Refused { .. } => Ok(false),
                Outcome::Later { wait, .. } => Err((false, wait)),
            };
            assert_eq!(found, wanted, "{status}: {why}");
        }
    }
}
