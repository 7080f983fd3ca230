//! A queue: its settings, and how many messages it holds.
//!
//! Messages are not objects here. They flow: they arrive at a rate, leave at a rate while anybody polls, and vanish when they are older
//! than the retention. The level is computed from timestamps when somebody looks; no timer and no message is kept.

use crate::time::SimTime;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What AWS sets when a queue is created without it (SQS API reference, `CreateQueue`).
pub(super) const DEFAULTS: [(&str, &str); 6] = [
    ("VisibilityTimeout", "30"),
    ("MaximumMessageSize", "1048576"),
    ("MessageRetentionPeriod", "345600"),
    ("DelaySeconds", "0"),
    ("ReceiveMessageWaitTimeSeconds", "0"),
    ("SqsManagedSseEnabled", "true"),
];

/// Messages a poller takes per second unless a scenario says otherwise.
const DRAIN: f64 = 100.0;
/// How long a worker holds a message: what it holds is not visible to others.
const HANDLING: Duration = Duration::from_secs(1);

/// A queue.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) name: String,
    pub(crate) created: SimTime,
    pub(crate) modified: SimTime,
    /// Attributes that differ from [`DEFAULTS`] or have none.
    pub(crate) attributes: BTreeMap<&'static str, String>,
    pub(crate) tags: BTreeMap<String, String>,
    flow: Flow,
}

/// How many messages a queue holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Waiting for somebody to take them.
    pub(crate) visible: u64,
    /// Taken, and neither deleted nor given back.
    pub(crate) in_flight: u64,
}

impl Queue {
    /// An empty queue without traffic, polled by `pollers`.
    pub(crate) fn new(
        name: impl Into<String>,
        now: SimTime,
        attributes: BTreeMap<&'static str, String>,
        pollers: u32,
    ) -> Self {
        let flow = Flow {
            at: now,
            level: 0.0,
            arrivals: VecDeque::new(),
            drain: DRAIN,
            pollers,
            stopped: None,
        };
        Self {
            name: name.into(),
            created: now,
            modified: now,
            attributes,
            tags: BTreeMap::new(),
            flow,
        }
    }

    /// How long a message is kept.
    pub(crate) fn retention(&self) -> Duration {
        let seconds =
            self.attribute("MessageRetentionPeriod").and_then(|seconds| seconds.parse().ok());
        Duration::from_secs(seconds.unwrap_or_default())
    }

    /// A configured attribute, or its default.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let default =
            || DEFAULTS.iter().find(|(default, _)| *default == name).map(|(_, value)| *value);
        self.attributes.get(name).map(String::as_str).or_else(default)
    }

    /// How many messages there are at `now`.
    pub(crate) fn counts(&self, now: SimTime) -> Counts {
        let level = self.flow.level_at(now, self.retention());
        Counts { visible: whole(level), in_flight: whole(self.flow.in_flight(level, now)) }
    }

    /// From `now` on, `arrival` messages arrive a second, and each poller takes `drain` a second. Negative rates count as none.
    pub(crate) fn set_rates(&mut self, now: SimTime, arrival: f64, drain: f64) {
        let retention = self.retention();
        self.flow.bring_to(now, retention);
        self.flow.arrivals.push_back((now, arrival.max(0.0)));
        self.flow.drain = drain.max(0.0);
        // Arrivals from before the retention no longer matter, except for the rate that still held at its beginning.
        while self.flow.arrivals.get(1).is_some_and(|(at, _)| now.since(*at) >= retention) {
            self.flow.arrivals.pop_front();
        }
    }

    /// Replaces its attributes.
    pub(crate) fn configure(&mut self, now: SimTime, attributes: BTreeMap<&'static str, String>) {
        self.flow.bring_to(now, self.retention());
        self.attributes = attributes;
        self.modified = now;
    }

    /// One poller more, or one less.
    pub(crate) fn poll(&mut self, now: SimTime, starts: bool) {
        self.flow.bring_to(now, self.retention());
        let throughput = self.flow.throughput(self.flow.level);
        self.flow.pollers =
            if starts { self.flow.pollers + 1 } else { self.flow.pollers.saturating_sub(1) };
        self.flow.stopped = (self.flow.pollers == 0).then_some((now, throughput));
    }
}

/// Traffic, and the level at the time it last changed.
#[derive(Clone, Debug)]
struct Flow {
    at: SimTime,
    level: f64,
    /// Messages a second from a time on.
    arrivals: VecDeque<(SimTime, f64)>,
    /// Messages a second that one poller takes.
    drain: f64,
    pollers: u32,
    /// When the last poller stopped, and how many messages a second it had been taking.
    stopped: Option<(SimTime, f64)>,
}

impl Flow {
    fn bring_to(&mut self, now: SimTime, retention: Duration) {
        self.level = self.level_at(now, retention);
        self.at = self.at.max(now);
    }

    /// The level at `now`. Between two points where a rate or the age of what expires changes, everything is linear.
    fn level_at(&self, now: SimTime, retention: Duration) -> f64 {
        let changes = self.arrivals.iter().flat_map(|&(at, _)| [at, at + retention]);
        let mut points: Vec<SimTime> =
            changes.filter(|point| *point > self.at && *point < now).collect();
        points.sort();
        points.push(now);
        let (mut at, mut level) = (self.at, self.level);
        for point in points {
            let net = self.arrival_rate(at) - self.drain * f64::from(self.pollers);
            level = (level + net * point.since(at).as_secs_f64()).max(0.0);
            // The queue is first in, first out: what it holds are the newest arrivals, and the oldest expire.
            level = level.min(self.arrived(point - retention, point));
            at = at.max(point);
        }
        level
    }

    fn arrival_rate(&self, at: SimTime) -> f64 {
        self.arrivals.iter().rev().find(|(from, _)| *from <= at).map_or(0.0, |(_, rate)| *rate)
    }

    fn arrived(&self, from: SimTime, to: SimTime) -> f64 {
        let ends = self.arrivals.iter().skip(1).map(|(at, _)| *at).chain([to]);
        let spans = self.arrivals.iter().zip(ends);
        spans
            .map(|(&(start, rate), end)| rate * end.min(to).since(start.max(from)).as_secs_f64())
            .sum()
    }

    /// Messages a second that are taken while `level` wait.
    fn throughput(&self, level: f64) -> f64 {
        let possible = self.drain * f64::from(self.pollers);
        if level > 0.0 { possible } else { possible.min(self.arrival_rate(self.at)) }
    }

    fn in_flight(&self, level: f64, now: SimTime) -> f64 {
        match self.stopped {
            // What was taken before the stop runs to its end.
            Some((at, throughput)) => {
                throughput * HANDLING.saturating_sub(now.since(at)).as_secs_f64()
            }
            None => self.throughput(level) * HANDLING.as_secs_f64(),
        }
    }
}

/// Whole messages; the millionth makes up for binary fractions.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "levels are never negative, and far below 2^52"
)]
fn whole(messages: f64) -> u64 {
    (messages + 1e-6).floor() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn at(seconds: i64) -> SimTime {
        SimTime::from_millis(seconds * 1000)
    }

    fn visible(queue: &Queue, seconds: i64) -> u64 {
        queue.counts(at(seconds)).visible
    }

    #[test]
    fn a_paused_queue_grows_and_a_resumed_one_falls() {
        let mut queue = Queue::new("q", at(0), BTreeMap::new(), 1);
        queue.set_rates(at(0), 2.0, 10.0);
        assert_eq!(
            queue.counts(at(100)),
            Counts { visible: 0, in_flight: 2 },
            "drained as fast as it fills"
        );
        queue.poll(at(100), false);
        assert_eq!(
            queue.counts(at(100)),
            Counts { visible: 0, in_flight: 2 },
            "what runs, runs on"
        );
        assert_eq!(queue.counts(at(101)), Counts { visible: 2, in_flight: 0 }, "and ends");
        assert_eq!(visible(&queue, 1100), 2000);
        queue.poll(at(1100), true);
        assert_eq!(
            queue.counts(at(1200)),
            Counts { visible: 1200, in_flight: 10 },
            "8 a second less"
        );
        assert_eq!(queue.counts(at(1350)), Counts { visible: 0, in_flight: 2 }, "caught up");
    }

    #[test]
    fn a_drain_below_the_arrivals_never_catches_up() {
        let mut queue = Queue::new("q", at(0), BTreeMap::new(), 1);
        queue.set_rates(at(0), 5.0, 1.0);
        assert_eq!(visible(&queue, 100), 400);
        queue.poll(at(100), true);
        assert_eq!(visible(&queue, 200), 700, "two pollers take two");
    }

    #[test]
    fn messages_older_than_the_retention_are_lost() {
        let mut queue = Queue::new("q", at(0), BTreeMap::new(), 0);
        queue.set_rates(at(0), 1.0, 10.0);
        assert_eq!(visible(&queue, 4 * DAY), 345_600, "four days of messages");
        assert_eq!(visible(&queue, 9 * DAY), 345_600, "and never more");
        queue.set_rates(at(9 * DAY), 0.0, 10.0);
        assert_eq!(visible(&queue, 12 * DAY), 86_400, "three of the four days have expired");
        assert_eq!(visible(&queue, 13 * DAY), 0);
        let short = BTreeMap::from([("MessageRetentionPeriod", "60".to_owned())]);
        let mut queue = Queue::new("q", at(0), short, 0);
        queue.set_rates(at(0), 10.0, 10.0);
        assert_eq!(visible(&queue, 500), 600);
        queue.poll(at(500), true);
        assert_eq!(visible(&queue, 501), 600, "a minute's worth, taken as fast as it comes");
    }

    #[test]
    fn rates_of_long_ago_are_forgotten() {
        let mut queue = Queue::new("q", at(0), BTreeMap::new(), 1);
        for day in 0..100 {
            queue.set_rates(at(day * DAY), 1.0, 10.0);
        }
        assert!(queue.flow.arrivals.len() <= 6, "{:?}", queue.flow.arrivals);
    }
}
