//! What must be true of every story, whatever happened in it: read from the simulator's own books, not from what the controller says.

use super::stage::{Record, Stage, Trigger};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use ted_sim::front::Entry;

/// Lambda requests a second that are ours, and how many may go out at once after a quiet time.
const LAMBDA_RATE: f64 = 5.0;
const LAMBDA_BURST: f64 = 10.0;

/// What a story is to have come to.
#[derive(Clone, Debug)]
pub(crate) struct Truths {
    /// Updates that controllers began.
    pub(crate) updates: usize,
    /// Whether events had to stand still during them.
    pub(crate) paused: bool,
    /// How long a trigger may have run during an update: as long as it takes to see that it does.
    pub(crate) exposure: Duration,
    /// Functions whose triggers are off at the end.
    pub(crate) off: BTreeSet<String>,
    /// How many controllers there were; each has a budget of its own.
    pub(crate) controllers: f64,
}

impl Truths {
    /// So many updates, events paused during them, and every trigger in the end as it was at first.
    pub(crate) fn of(stage: &Stage, updates: usize) -> Self {
        let off = stage.off.clone();
        Self { updates, paused: true, exposure: Duration::ZERO, off, controllers: 1.0 }
    }

    /// Checks it all.
    pub(crate) async fn hold(&self, stage: &Stage) {
        let calls = stage.calls();
        nothing_is_destroyed(&calls);
        self.lambda_is_asked_slowly(&calls);
        let triggers = stage.triggers().await;
        let off: BTreeSet<String> = triggers
            .iter()
            .filter(|trigger| trigger.state != "Enabled" && trigger.state != "Enabling")
            .map(|trigger| trigger.function.clone())
            .collect();
        assert_eq!(off, self.off, "triggers that are off in the end\n{}", told(&triggers));
        self.updates_are_right(stage, &calls, &triggers).await;
    }

    /// As many updates as wanted, each under its own token, and no event during any of them.
    async fn updates_are_right(&self, stage: &Stage, calls: &[Entry], triggers: &[Trigger]) {
        let mut begun: BTreeMap<(String, String), Timestamp> = BTreeMap::new();
        for call in calls.iter().filter(|call| call.operation == "UpdateProvisionedProduct") {
            if call.status == Some(200) {
                let text =
                    |name: &str| call.parameters[name].as_str().unwrap_or_default().to_owned();
                let at = call.at.iso().parse().expect("a time");
                begun.entry((text("ProvisionedProductId"), text("UpdateToken"))).or_insert(at);
            }
        }
        assert_eq!(begun.len(), self.updates, "updates begun: {begun:?}");
        let region = stage.region().await;
        let products = region["products"]["provisioned"].as_object().expect("products");
        for ((product, _), sent) in &begun {
            let records = stage.records(product).await;
            let ours: Vec<&Record> = records.iter().filter(|record| is_of(record, *sent)).collect();
            assert_eq!(ours.len(), 1, "one record each: {records:?}, sent at {sent}");
            let name = products.iter().find(|(_, view)| view["id"] == **product);
            let hive = name.and_then(|(name, _)| name.strip_prefix("ted-")).expect("a TED");
            let versions = stage.te_versions(hive).await;
            if !self.paused {
                continue;
            }
            let ended = if ours[0].status == "SUCCEEDED" || ours[0].status == "FAILED" {
                ours[0].changed
            } else {
                Timestamp::MAX
            };
            for trigger in triggers.iter().filter(|it| versions.contains(&it.te_version())) {
                let ran = trigger.ran_within(*sent, ended);
                assert!(
                    ran <= self.exposure,
                    "`{}` took events for {ran:?} during the update from {sent} to {ended}\n{}",
                    trigger.function,
                    told(triggers)
                );
            }
        }
    }

    /// Never more than a burst and five a second.
    fn lambda_is_asked_slowly(&self, calls: &[Entry]) {
        let asked: Vec<i64> = calls
            .iter()
            .filter(|call| call.service == Some("lambda"))
            .map(|call| call.at.as_millis())
            .collect();
        for (first, from) in asked.iter().enumerate() {
            for (last, to) in asked.iter().enumerate().skip(first) {
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let (count, seconds) = ((last - first + 1) as f64, (to - from) as f64 / 1000.0);
                let most = self.controllers * (LAMBDA_BURST + LAMBDA_RATE * seconds) + 1.0;
                assert!(count <= most, "{count} requests to Lambda within {seconds} s");
                if seconds > 120.0 {
                    break;
                }
            }
        }
    }
}

fn nothing_is_destroyed(calls: &[Entry]) {
    let destroys = ["Terminate", "Delete", "Untag", "Cancel", "Purge", "Rollback", "Receive"];
    for call in calls {
        let bad = destroys.iter().any(|word| call.operation.starts_with(word));
        assert!(!bad, "nobody may call {}: {call:?}", call.operation);
    }
}

/// Whether a record is of the update that was sent at a moment; two are never sent within seconds.
fn is_of(record: &Record, sent: Timestamp) -> bool {
    record.began.duration_since(sent).abs() < SignedDuration::from_secs(2)
}

fn told(triggers: &[Trigger]) -> String {
    let lines = triggers
        .iter()
        .map(|it| format!("{} {} {:?} {:?}", it.function, it.state, it.tags, it.runs));
    lines.collect::<Vec<_>>().join("\n")
}
