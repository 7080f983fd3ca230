//! What RDS and ElastiCache tell through `DescribeEvents`: a log of two weeks, and the part of it that a request asks for.

use super::Call;
use crate::error::ApiError;
use crate::spec::Input;
use crate::time::SimTime;
use std::collections::VecDeque;
use std::time::Duration;

/// Events are kept this long (AWS docs: `DescribeEvents` of both services, "events … for the past 14 days").
const KEPT: Duration = Duration::from_hours(14 * 24);
/// How old a resource is that has been in a world from its beginning.
pub(crate) const LONG_AGO: Duration = Duration::from_hours(90 * 24);
/// What a request without times sees (AWS docs: "by default, the last hour").
const DEFAULT_SPAN: Duration = Duration::from_hours(1);
/// A region keeps at most this many; a thousand databases with a nightly backup make fewer in a day.
const MOST: usize = 5_000;

/// Something a service tells about one of its resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) at: SimTime,
    /// `db-instance`, `replication-group`, `cache-cluster` …
    pub(crate) source_type: &'static str,
    pub(crate) source: String,
    pub(crate) message: String,
    /// RDS files its events under categories; ElastiCache has none.
    pub(crate) categories: &'static [&'static str],
}

/// The events of one service in one region, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventLog(VecDeque<Event>);

impl EventLog {
    /// Adds an event and forgets what is too old.
    pub(crate) fn add(&mut self, event: Event) {
        let oldest = event.at - KEPT;
        while self.0.len() >= MOST || self.0.front().is_some_and(|first| first.at < oldest) {
            self.0.pop_front();
        }
        self.0.push_back(event);
    }

    /// Forgets what it knows of a resource, which is then as if it had been there for long.
    pub(crate) fn forget(&mut self, source: &str) {
        self.0.retain(|event| event.source != source);
    }

    /// The events that `wanted` asks for, oldest first.
    pub(crate) fn of<'l>(&'l self, wanted: &'l Wanted) -> impl Iterator<Item = &'l Event> {
        self.0.iter().filter(|event| wanted.includes(event))
    }
}

/// What a `DescribeEvents` request asks for.
#[derive(Debug)]
pub(crate) struct Wanted {
    from: SimTime,
    to: SimTime,
    source_type: Option<String>,
    source: Option<String>,
    categories: Vec<String>,
}

impl Wanted {
    /// Reads `StartTime`, `EndTime`, `Duration` (minutes), `SourceType`, `SourceIdentifier` and `EventCategories`. A start wins over a
    /// duration; what lies more than 14 days back is gone.
    ///
    /// # Errors
    /// `InvalidParameterValue` for a time that is none and for a duration above 14 days, `InvalidParameterCombination` for an end
    /// before its start and for an identifier without its type.
    pub(crate) fn of(call: &Call<'_>) -> Result<Self, ApiError> {
        let input = &call.input;
        // AWS docs: `DescribeEvents` of RDS: "If SourceIdentifier is supplied, SourceType must also be provided."
        if input.has("SourceIdentifier") && !input.has("SourceType") {
            return Err(ApiError::new(
                "InvalidParameterCombination",
                "SourceType must be provided when SourceIdentifier is supplied.",
            ));
        }
        let most = i64::try_from(KEPT.as_secs() / 60).unwrap_or(i64::MAX);
        if let Some(minutes) = input.int("Duration").filter(|minutes| !(0..=most).contains(minutes))
        {
            let message = format!(
                "Invalid value {minutes} for Duration. Events are kept for {most} minutes."
            );
            return Err(ApiError::new("InvalidParameterValue", message));
        }
        let end = time(input, "EndTime")?;
        let to = end.unwrap_or_else(|| call.now());
        let span = input.int("Duration").map_or(DEFAULT_SPAN, |minutes| {
            Duration::from_mins(u64::try_from(minutes).unwrap_or(0))
        });
        let from = time(input, "StartTime")?.unwrap_or(to - span);
        if from > to {
            return Err(ApiError::new(
                "InvalidParameterCombination",
                "The end time must be after the start time.",
            ));
        }
        Ok(Self {
            from: from.max(call.now() - KEPT),
            to,
            source_type: input.text("SourceType").map(str::to_owned),
            source: input.text("SourceIdentifier").map(str::to_lowercase),
            categories: input.texts("EventCategories"),
        })
    }

    fn includes(&self, event: &Event) -> bool {
        let category = |wanted: &String| event.categories.iter().any(|category| category == wanted);
        (self.from..=self.to).contains(&event.at)
            && self.source_type.as_ref().is_none_or(|kind| kind == event.source_type)
            && self.source.as_ref().is_none_or(|source| *source == event.source)
            && (self.categories.is_empty() || self.categories.iter().any(category))
    }
}

fn time(input: &Input, name: &str) -> Result<Option<SimTime>, ApiError> {
    let Some(text) = input.text(name) else { return Ok(None) };
    let parsed = text.parse().map_err(|_| {
        ApiError::new(
            "InvalidParameterValue",
            format!("Invalid value {text} for {name}. Must be a timestamp in ISO 8601."),
        )
    });
    parsed.map(Some)
}
