//! What happened to one TED, newest last, bounded. Repetition is counted, not listed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How many events of a TED are kept: an update makes about 30, so a week of trouble and the update before it.
pub const MAX_EVENTS: usize = 200;

/// Whether an event is bad news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// As it goes.
    Normal,
    /// Somebody may want to know.
    Warning,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// When it first happened.
    pub at: Timestamp,
    /// When it last happened.
    pub last_at: Timestamp,
    /// How often in a row.
    pub count: u64,
    /// Whether it is bad news.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// One CamelCase word.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}

impl Event {
    /// Something that happened once.
    pub fn new(
        at: Timestamp,
        kind: EventKind,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            at,
            last_at: at,
            count: 1,
            kind,
            reason: reason.into(),
            message: crate::text::sanitize(&message.into()),
        }
    }
}

/// The events of one TED.
#[derive(Clone, Debug, Default)]
pub(super) struct EventLog(VecDeque<Event>);

impl EventLog {
    /// Adds an event; the same as the last one is counted there.
    pub(super) fn push(&mut self, event: Event) {
        if let Some(last) = self.0.back_mut()
            && last.reason == event.reason
            && last.message == event.message
        {
            last.count = last.count.saturating_add(event.count);
            last.last_at = event.last_at;
            return;
        }
        if self.0.len() == MAX_EVENTS {
            self.0.pop_front();
        }
        self.0.push_back(event);
    }

    /// Newest first.
    pub(super) fn newest_first(&self) -> Vec<Event> {
        self.0.iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(second: i64, message: &str) -> Event {
        let at = Timestamp::from_second(second).unwrap();
        Event::new(at, EventKind::Normal, "Reason", message)
    }

    #[test]
    fn repetition_is_counted_and_keeps_its_first_time() {
        let mut log = EventLog::default();
        for (second, message) in [(1, "a"), (2, "a"), (3, "b"), (4, "a")] {
            log.push(event(second, message));
        }
        let told: Vec<_> = log
            .newest_first()
            .into_iter()
            .map(|e| (e.message, e.count, e.at.as_second(), e.last_at.as_second()))
            .collect();
        assert_eq!(told, [("a".into(), 1, 4, 4), ("b".into(), 1, 3, 3), ("a".into(), 2, 1, 2)]);
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let mut log = EventLog::default();
        for second in 0..=MAX_EVENTS {
            log.push(event(i64::try_from(second).unwrap(), &second.to_string()));
        }
        let events = log.newest_first();
        assert_eq!(events.len(), MAX_EVENTS);
        assert_eq!(events.last().map(|e| e.message.as_str()), Some("1"));
    }

    #[test]
    fn a_message_is_one_plain_line() {
        assert_eq!(event(0, "a\n\u{1b}[31mb").message, "a b");
    }
}
