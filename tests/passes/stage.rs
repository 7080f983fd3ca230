//! A stage for stories: a world in which changes are quick, the hands of operators, and what the story left behind.

use super::daemon::{Daemon, Options};
use super::look::MIGRATE;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use hyper::Request;
use hyper::body::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use ted_controller::clock;
use ted_controller::desired::Mode;
use ted_controller::settings::Settings;
use ted_sim::faults::Rule;
use ted_sim::front::Entry;
use ted_sim::scenario::Action;
use ted_sim::spec::Effect;
use ted_sim::{Delivery, Scenario, Sim};

/// The access key that the controller signs with; everybody else is an operator.
const CONTROLLER: &str = "AKIDEXAMPLE";

/// Longer than any change in a story takes.
pub(crate) const HOURS: Duration = Duration::from_hours(2);

/// A world, as it was when the story began.
pub(crate) struct Stage {
    pub(crate) sim: Sim,
    /// Functions whose triggers were off at first.
    pub(crate) off: BTreeSet<String>,
    /// When it began.
    pub(crate) began: Timestamp,
}

/// A worker's trigger, as the simulator itself sees it.
#[derive(Clone, Debug)]
pub(crate) struct Trigger {
    pub(crate) uuid: String,
    pub(crate) function: String,
    pub(crate) state: String,
    pub(crate) tags: BTreeMap<String, String>,
    /// When it took events; the last end is open while it does.
    pub(crate) runs: Vec<(Timestamp, Option<Timestamp>)>,
}

impl Trigger {
    /// How long it took events within a time.
    pub(crate) fn ran_within(&self, from: Timestamp, to: Timestamp) -> Duration {
        let within = self.runs.iter().filter_map(|(began, ended)| {
            let (began, ended) = ((*began).max(from), ended.unwrap_or(to).min(to));
            Duration::try_from(ended.duration_since(began)).ok()
        });
        within.sum()
    }

    /// The TE version that its function's name tells.
    pub(crate) fn te_version(&self) -> String {
        let words: Vec<&str> = self.function.split('_').skip(1).take(3).collect();
        words.join(".")
    }
}

impl Stage {
    /// A world of the named scenario.
    pub(crate) async fn named(scenario: &str) -> Self {
        Self::set(&format!("extends: {scenario}")).await
    }

    /// A world as scenario files describe it. Changes take a minute or two, unless it says otherwise.
    pub(crate) async fn set(text: &str) -> Self {
        let mut scenario = Scenario::parse("story.yaml", text).expect("a scenario");
        if !text.contains("resourceTime") {
            scenario.options.resource_time = Duration::from_secs(1);
            scenario.options.database_time = Duration::from_secs(30);
            scenario.options.cache_time = Duration::from_mins(1);
        }
        let sim = Sim::start(&scenario, 1.0).expect("a world");
        let mut stage = Self { sim, off: BTreeSet::new(), began: Timestamp::UNIX_EPOCH };
        stage.began = timestamp(&stage.world().await["time"]);
        stage.off = stage.off_now().await;
        stage
    }

    /// A controller with these documents.
    pub(crate) fn daemon(&self, documents: &str) -> Daemon {
        Daemon::start(&self.sim, documents, Options::default())
    }

    /// A controller of another name.
    pub(crate) fn daemon_called(&self, id: &str, documents: &str) -> Daemon {
        let settings = Settings { controller_id: id.to_owned(), ..Settings::default() };
        Daemon::start(&self.sim, documents, Options { settings, ..Options::default() })
    }

    /// Something happens.
    pub(crate) fn act(&self, action: &str) {
        self.try_act(action).expect("it can happen");
    }

    /// Something happens, if it can.
    pub(crate) fn try_act(&self, action: &str) -> Result<(), String> {
        let deserializer = serde_yaml::Deserializer::from_str(action);
        let action: Action =
            serde_yaml::with::singleton_map::deserialize(deserializer).expect("an action");
        self.sim.act(&action)
    }

    /// Something goes wrong on the wire.
    pub(crate) fn fault(&self, rule: &str) {
        let rule: Rule = serde_yaml::from_str(rule).expect("a rule");
        self.sim.add_fault(rule);
    }

    /// From now on, what is read of the product, its stack and its resources is minutes old.
    pub(crate) fn looks_are_old(&self) {
        for service in ["servicecatalog", "cloudformation", "elasticache", "rds"] {
            self.fault(&format!(
                "{{effect: read, service: {service}, fault: {{stale: {{lag: 4m}}}}}}"
            ));
        }
    }

    /// An operator takes a trigger over: he removes our tag.
    #[expect(clippy::disallowed_methods, reason = "an operator may")]
    pub(crate) async fn untag(&self, trigger: &Trigger) {
        let key = trigger.tags.keys().find(|key| key.starts_with("ted-controller:hold:"));
        let arn =
            format!("arn:aws:lambda:us-east-2:111122223333:event-source-mapping:{}", trigger.uuid);
        let lambda = aws_sdk_lambda::Client::new(&self.sdk());
        let untagged =
            lambda.untag_resource().resource(arn).tag_keys(key.expect("our tag")).send().await;
        untagged.expect("he may");
    }

    /// What happens to the product, as Service Catalog tells it.
    pub(crate) async fn records(&self, product: &str) -> Vec<Record> {
        use aws_sdk_servicecatalog::types::{
            AccessLevelFilter, AccessLevelFilterKey, ListRecordHistorySearchFilter as Filter,
        };
        // It looks at what is, whatever goes wrong on the wire.
        self.sim.clear_faults();
        let catalog = aws_sdk_servicecatalog::Client::new(&self.sdk());
        let account =
            AccessLevelFilter::builder().key(AccessLevelFilterKey::Account).value("self").build();
        let (mut records, mut page) = (Vec::new(), None);
        loop {
            let filter = Filter::builder().key("provisionedproduct").value(product).build();
            let answer = catalog
                .list_record_history()
                .access_level_filter(account.clone())
                .search_filter(filter)
                .set_page_token(page)
                .send()
                .await
                .expect("a list");
            for record in answer.record_details() {
                let at = |time: Option<&aws_smithy_types::DateTime>| {
                    let time = time.expect("a time");
                    Timestamp::from_millisecond(time.to_millis().expect("it fits"))
                        .expect("it fits")
                };
                records.push(Record {
                    status: record.status().expect("a status").as_str().to_owned(),
                    began: at(record.created_time()),
                    changed: at(record.updated_time()),
                });
            }
            page = answer.next_page_token().map(str::to_owned);
            if page.is_none() {
                return records;
            }
        }
    }

    fn sdk(&self) -> aws_config::SdkConfig {
        let credentials = Credentials::new("AKIAOPERATOR", "secret", None, None, "test");
        aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new("us-east-2"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(self.sim.http_client())
            .time_source(self.sim.time_source())
            .build()
    }

    /// The world as the simulator's control API shows it.
    pub(crate) async fn world(&self) -> Value {
        let request = Request::builder().uri("/_sim/world").body(Bytes::new()).expect("a request");
        let Delivery::Whole(response) = self.sim.serve(request).await else {
            panic!("the control API answers");
        };
        serde_json::from_slice(response.body()).expect("JSON")
    }

    /// The first installation's part of the world.
    pub(crate) async fn region(&self) -> Value {
        self.world().await["scopes"][0].clone()
    }

    /// Every trigger of a worker.
    pub(crate) async fn triggers(&self) -> Vec<Trigger> {
        let region = self.region().await;
        let all = region["triggers"].as_object().expect("triggers").iter();
        let triggers = all.filter_map(|(uuid, view)| {
            let function = view["function"].as_str()?.to_owned();
            let is_worker = ["_worker", "_worker_priority", "_worker_retry"]
                .iter()
                .any(|ending| function.ends_with(ending));
            let runs = view["runs"].as_array()?.iter();
            let runs = runs.map(|run| {
                (timestamp(&run["from"]), run["to"].as_str().map(|_| timestamp(&run["to"])))
            });
            is_worker.then(|| Trigger {
                uuid: uuid.clone(),
                state: view["state"].as_str().unwrap_or_default().to_owned(),
                tags: serde_json::from_value(view["tags"].clone()).expect("tags"),
                runs: runs.collect(),
                function,
            })
        });
        triggers.collect()
    }

    /// Functions whose triggers are neither on nor on their way there.
    pub(crate) async fn off_now(&self) -> BTreeSet<String> {
        let is_off = |it: &Trigger| it.state != "Enabled" && it.state != "Enabling";
        let triggers = self.triggers().await.into_iter();
        triggers.filter(is_off).map(|it| it.function).collect()
    }

    /// Waits until nothing is held any more, and all that was on at first is on again.
    pub(crate) async fn until_given_back(&self) {
        self.until("events to be given back", async |stage| {
            let open = |trigger: &Trigger| {
                trigger.tags.values().any(|tag| tag.starts_with("held") || !tag.ends_with("ed"))
            };
            !stage.triggers().await.iter().any(open) && stage.off_now().await == stage.off
        })
        .await;
    }

    /// TE versions that the workspaces of a hive run.
    pub(crate) async fn te_versions(&self, hive: &str) -> BTreeSet<String> {
        let region = self.region().await;
        let stacks = region["stacks"].as_object().expect("stacks").values();
        let parameters = stacks.map(|stack| &stack["parameters"]);
        parameters
            .filter(|parameters| parameters["Hive"] == hive)
            .filter_map(|parameters| parameters["Version"].as_str().map(str::to_owned))
            .collect()
    }

    /// Calls of the controllers.
    pub(crate) fn calls(&self) -> Vec<Entry> {
        self.sim.log().into_iter().filter(|entry| entry.access_key == CONTROLLER).collect()
    }

    /// Calls of the controllers that change something, whatever came of them.
    pub(crate) fn writes(&self) -> Vec<Entry> {
        self.calls().into_iter().filter(|entry| entry.effect == Some(Effect::Write)).collect()
    }

    /// How often a controller called an operation with success.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.sim.count_calls(|entry| {
            entry.access_key == CONTROLLER
                && entry.operation == operation
                && entry.status.is_some_and(|status| status < 300)
        })
    }

    /// Waits until the world is as wanted.
    pub(crate) async fn until(&self, what: &str, is: impl AsyncFn(&Self) -> bool) {
        let end = clock::now() + HOURS;
        while !is(self).await {
            assert!(clock::now() < end, "{what}: not within {HOURS:?}");
            clock::sleep(Duration::from_secs(3)).await;
        }
    }

    /// Waits for a number of calls of an operation that were carried out.
    pub(crate) async fn until_called(&self, operation: &str, times: usize) {
        let end = clock::now() + HOURS;
        while self.count(operation) < times {
            assert!(clock::now() < end, "{operation}: not within {HOURS:?}");
            clock::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits for a number of writes, whatever came of them.
    pub(crate) async fn until_written(&self, times: u64) {
        let end = clock::now() + HOURS;
        let is_write =
            |entry: &Entry| entry.access_key == CONTROLLER && entry.effect == Some(Effect::Write);
        while u64::try_from(self.sim.count_calls(is_write)).is_ok_and(|count| count < times) {
            assert!(clock::now() < end, "{times} writes: not within {HOURS:?}");
            clock::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Nothing is written any more, for a good while: longer than triggers are not looked for.
    pub(crate) async fn rests(&self) {
        self.rests_for(Duration::from_mins(12)).await;
    }

    /// Nothing is written for some time.
    pub(crate) async fn rests_for(&self, time: Duration) {
        let before = self.writes().len();
        clock::sleep(time).await;
        let after = self.writes();
        assert_eq!(after[before..], [], "at a fixed point nothing is done any more");
    }
}

/// A record of Service Catalog.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) status: String,
    pub(crate) began: Timestamp,
    pub(crate) changed: Timestamp,
}

fn timestamp(value: &Value) -> Timestamp {
    value.as_str().expect("a time").parse().expect("a time")
}

/// The document of the migration, with something in it replaced, which has to be there.
pub(crate) fn migrate(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(MIGRATE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the document holds no `{from}`");
        text.replace(from, to)
    })
}

/// Settings in which nothing may start.
pub(crate) fn observing() -> Options {
    let settings = Settings { mode: Mode::Observe, ..Settings::default() };
    Options { settings, ..Options::default() }
}
