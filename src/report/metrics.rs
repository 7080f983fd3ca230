//! What Prometheus is told. The names are a contract and keep controller-runtime's habits; labels are bounded.
//!
//! What passes do is counted as it happens. What *is* (conditions, findings, ages) is set from the store's state whenever somebody
//! asks, so that a TED that is gone takes its series with it.

use super::status::{CONDITION_TYPES, SourceReport, Ted};
use crate::assess::types::ConditionStatus;
use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The content type of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How many series of AWS requests are kept: 30 operations with 6 outcomes, for 50 accounts and regions.
///
/// Beyond it, further accounts and regions are counted as `other`.
const MAX_REQUEST_SERIES: usize = 10_000;

/// How a pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PassResult {
    /// It could look, and nothing is to do.
    Settled,
    /// It could look, and did or would do something.
    Acted,
    /// It could look, and waits for time or a person.
    Waiting,
    /// It could not look, or what it did was refused.
    Error,
}

impl PassResult {
    /// Every result, in order.
    pub const ALL: [Self; 4] = [Self::Settled, Self::Acted, Self::Waiting, Self::Error];

    /// The label's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Acted => "acted",
            Self::Waiting => "waiting",
            Self::Error => "error",
        }
    }
}

/// What became of a notice to a receiver, or of an attempt to tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeOutcome {
    /// The receiver has it.
    Delivered,
    /// An attempt failed; it is tried again.
    Failed,
    /// It was tried for long enough, the receiver does not take it, or too many waited.
    Dropped,
    /// It was so no more before it could be told.
    Overtaken,
}

impl NoticeOutcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Delivered, Self::Failed, Self::Dropped, Self::Overtaken];

    /// The label's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
            Self::Overtaken => "overtaken",
        }
    }
}

/// A request to AWS, as it is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AwsRequest {
    /// Twelve digits, or `unknown` before it is known.
    pub account: String,
    /// The region.
    pub region: String,
    /// `cloudformation`.
    pub service: String,
    /// `DescribeStacks`.
    pub operation: String,
    /// `Ok`, or the error's reason: `Throttled`, `AccessDenied`, ….
    pub outcome: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabels {
    step: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NoticeLabels {
    receiver: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NameLabel {
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConditionLabels {
    name: String,
    r#type: String,
    status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FindingLabels {
    name: String,
    code: String,
}

type Value = Gauge<f64, AtomicU64>;

/// All metrics of the daemon.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    passes: Family<ResultLabel, Counter>,
    pass_seconds: Histogram,
    requests: Family<AwsRequest, Counter>,
    request_series: Mutex<BTreeSet<[String; 5]>>,
    update_seconds: Histogram,
    steps: Family<StepLabels, Counter>,
    audit_failures: Counter,
    notices: Family<NoticeLabels, Counter>,
    conditions: Family<ConditionLabels, Gauge>,
    findings: Family<FindingLabels, Gauge>,
    paused_seconds: Family<NameLabel, Value>,
    last_pass: Family<NameLabel, Value>,
    invalid_documents: Gauge,
    source_age: Value,
    /// Setting the gauges and writing them out is one thing: two scrapes at once would see each other's half.
    scrape: Mutex<()>,
}

/// What the gauges are set from.
pub(super) struct Present<'a> {
    pub(super) teds: &'a [std::sync::Arc<Ted>],
    pub(super) last_passes: &'a BTreeMap<String, Timestamp>,
    pub(super) sources: &'a [SourceReport],
    /// When the process began: as old is a source that was never read.
    pub(super) started_at: Timestamp,
    pub(super) now: Timestamp,
}

impl Default for Metrics {
    fn default() -> Self {
        // 50 ms to 100 s: a pass is a handful of round trips.
        let pass_seconds = Histogram::new([0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 100.0]);
        // 5 min to 8 h: an update takes 10 to 60 minutes, with storage changes up to six hours.
        let update_seconds = Histogram::new([
            300.0, 600.0, 1200.0, 1800.0, 2700.0, 3600.0, 7200.0, 14400.0, 21600.0, 28800.0,
        ]);
        let mut metrics = Self {
            registry: Registry::default(),
            passes: Family::default(),
            pass_seconds,
            requests: Family::default(),
            request_series: Mutex::default(),
            update_seconds,
            steps: Family::default(),
            audit_failures: Counter::default(),
            notices: Family::default(),
            conditions: Family::default(),
            findings: Family::default(),
            paused_seconds: Family::default(),
            last_pass: Family::default(),
            invalid_documents: Gauge::default(),
            source_age: Value::default(),
            scrape: Mutex::default(),
        };
        for result in PassResult::ALL {
            // A counter that begins to exist when it is one hides its first increase from `rate`.
            let _ = metrics.passes.get_or_create(&ResultLabel { result: result.as_str() });
        }
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        // The library adds `_total` to counters and a full stop to help texts.
        registry.register("ted_controller_reconcile", "Passes by result", self.passes.clone());
        registry.register(
            "ted_controller_reconcile_duration_seconds",
            "How long passes take",
            self.pass_seconds.clone(),
        );
        registry.register(
            "ted_controller_condition",
            "Conditions of each TED: 1 for the status it has, 0 for the two others",
            self.conditions.clone(),
        );
        registry.register(
            "ted_controller_findings",
            "Findings of each TED by code",
            self.findings.clone(),
        );
        registry.register(
            "ted_controller_aws_requests",
            "Requests to AWS, each attempt counted",
            self.requests.clone(),
        );
        registry.register(
            "ted_controller_events_paused_seconds",
            "For how long events of a TED are paused; 0 when they are not",
            self.paused_seconds.clone(),
        );
        registry.register(
            "ted_controller_update_duration_seconds",
            "How long finished updates took",
            self.update_seconds.clone(),
        );
        registry.register(
            "ted_controller_steps",
            "Steps that were carried out, by kind and outcome",
            self.steps.clone(),
        );
        registry.register(
            "ted_controller_audit_failures",
            "Audit lines that could not be written to the state directory",
            self.audit_failures.clone(),
        );
        registry.register(
            "ted_controller_notifications",
            "Notices to receivers by what became of them, failed attempts counted each",
            self.notices.clone(),
        );
        registry.register(
            "ted_controller_last_pass_timestamp_seconds",
            "When the last pass of a TED was completed, in seconds since 1970",
            self.last_pass.clone(),
        );
        registry.register(
            "ted_controller_invalid_documents",
            "Files of desired documents with something wrong in them",
            self.invalid_documents.clone(),
        );
        registry.register(
            "ted_controller_source_age_seconds",
            "Time since desired documents were last read with success",
            self.source_age.clone(),
        );
    }

    /// Counts a pass.
    pub fn pass(&self, result: PassResult, took: Duration) {
        self.passes.get_or_create(&ResultLabel { result: result.as_str() }).inc();
        self.pass_seconds.observe(took.as_secs_f64());
    }

    /// Counts one attempt of a request to AWS.
    pub fn aws_request(&self, mut request: AwsRequest) {
        let mut series = self.request_series.lock().unwrap_or_else(PoisonError::into_inner);
        let key = |request: &AwsRequest| {
            let AwsRequest { account, region, service, operation, outcome } = request.clone();
            [account, region, service, operation, outcome]
        };
        if series.len() >= MAX_REQUEST_SERIES && !series.contains(&key(&request)) {
            "other".clone_into(&mut request.account);
            "other".clone_into(&mut request.region);
        }
        series.insert(key(&request));
        drop(series);
        self.requests.get_or_create(&request).inc();
    }

    /// Counts a step that was carried out.
    pub fn step(&self, step: &'static str, outcome: &'static str) {
        self.steps.get_or_create(&StepLabels { step, outcome }).inc();
    }

    /// Counts an audit line that could not be written.
    pub fn audit_failed(&self) {
        self.audit_failures.inc();
    }

    /// Counts notices to a receiver; none makes the series begin at zero.
    pub fn notices(&self, receiver: &str, outcome: NoticeOutcome, count: u64) {
        let labels = NoticeLabels { receiver: receiver.to_owned(), outcome: outcome.as_str() };
        self.notices.get_or_create(&labels).inc_by(count);
    }

    /// Notes how long an update took that has ended.
    pub fn update_finished(&self, took: Duration) {
        self.update_seconds.observe(took.as_secs_f64());
    }

    /// Everything in `OpenMetrics` text, the gauges set from the present state.
    pub(super) fn encode(&self, present: &Present<'_>) -> String {
        let _one_at_a_time = self.scrape.lock().unwrap_or_else(PoisonError::into_inner);
        self.set_gauges(present);
        let mut text = String::new();
        // Writing to a string does not fail; a metric that could not be written would leave the text short.
        let _ = encode(&mut text, &self.registry);
        text
    }

    fn set_gauges(&self, &Present { teds, last_passes, sources, started_at, now }: &Present<'_>) {
        self.conditions.clear();
        self.findings.clear();
        self.paused_seconds.clear();
        self.last_pass.clear();
        for ted in teds {
            self.set_gauges_of(ted, now);
        }
        for (name, at) in last_passes {
            #[expect(
                clippy::cast_precision_loss,
                reason = "milliseconds of this era need 41 of 52 bits"
            )]
            let seconds = at.as_millisecond() as f64 / 1000.0;
            self.last_pass.get_or_create(&NameLabel { name: name.clone() }).set(seconds);
        }
        let invalid: usize = sources.iter().map(SourceReport::invalid_files).sum();
        self.invalid_documents.set(i64::try_from(invalid).unwrap_or(i64::MAX));
        // The oldest: an alert on it is about any of them.
        let read = sources.iter().map(|source| source.last_read_at.unwrap_or(started_at)).min();
        self.source_age.set(read.map_or(0.0, |at| seconds(at, now)));
    }

    fn set_gauges_of(&self, ted: &Ted, now: Timestamp) {
        let name = || ted.metadata.name.clone();
        for kind in CONDITION_TYPES {
            let has = ted.status.condition(kind).map(|condition| condition.status);
            for status in [ConditionStatus::True, ConditionStatus::False, ConditionStatus::Unknown]
            {
                let labels = ConditionLabels {
                    name: name(),
                    r#type: format!("{kind:?}"),
                    status: format!("{status:?}"),
                };
                self.conditions.get_or_create(&labels).set(i64::from(has == Some(status)));
            }
        }
        for finding in &ted.status.findings {
            let labels = FindingLabels { name: name(), code: finding.code.clone() };
            self.findings.get_or_create(&labels).inc();
        }
        let paused = ted.status.events.as_ref().filter(|events| events.paused);
        let since = paused.and_then(|events| events.since);
        self.paused_seconds
            .get_or_create(&NameLabel { name: name() })
            .set(since.map_or(0.0, |since| seconds(since, now)));
    }
}

/// Seconds between two moments, none when the clock went back.
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

#[cfg(test)]
mod tests;
