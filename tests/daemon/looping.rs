//! The loop in process, under virtual time: what happens while a pass is under way, and what a pass that breaks off does.

#[path = "../support/look.rs"]
mod look;

#[path = "../support/daemon.rs"]
mod daemon;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use daemon::{Daemon, Options, is};
use look::MIGRATE;
use std::sync::Arc;
use std::time::Duration;
use ted_controller::assess::types::ConditionType;
use ted_controller::aws::session::InProcess;
use ted_controller::aws::{Sessions, SessionsOptions};
use ted_controller::clock;
use ted_controller::controller::Controller;
use ted_controller::desired::{Defaults, File, InForce, Revision, keep_last_good, load};
use ted_controller::observe::Observer;
use ted_controller::report::commands::{Command, channel};
use ted_controller::report::{Change, Memory, Store};
use ted_controller::settings::Settings;
use ted_controller::source::{Documents, Snapshot};
use ted_sim::faults::{Delay, Fault, Pattern, Rule};
use ted_sim::{Scenario, Sim};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

const MINUTE: Duration = Duration::from_mins(1);

fn sim() -> Sim {
    Sim::start(&Scenario::named("default").unwrap(), 1.0).unwrap()
}

/// Looks take five seconds from now on.
fn slow(sim: &Sim) {
    sim.add_fault(Rule {
        operation: Some(Pattern("DescribeProvisionedProduct".to_owned())),
        ..Rule::always(Fault::Latency(Delay::fixed(Duration::from_secs(5))))
    });
}

fn writes(sim: &Sim) -> Vec<String> {
    let changing = ["UpdateProvisionedProduct", "UpdateEventSourceMapping", "TagResource"];
    sim.log()
        .into_iter()
        .map(|entry| entry.operation)
        .filter(|operation| changing.contains(&operation.as_str()))
        .collect()
}

fn reconcile(token: &str) -> Command {
    Command::Reconcile { name: "einstein".to_owned(), token: token.to_owned(), retry: false }
}

/// Every status of `einstein` that subscribers were told so far.
fn told(changes: &mut broadcast::Receiver<Change>) -> Vec<Arc<ted_controller::report::Ted>> {
    let mut told = Vec::new();
    while let Ok(change) = changes.try_recv() {
        if let Change::Ted(ted) = change {
            told.push(ted);
        }
    }
    told
}

#[tokio::test(start_paused = true)]
async fn requests_during_a_pass_are_answered_by_the_next_one_each_once() {
    let sim = sim();
    slow(&sim);
    let stay = look::STAY.replace("spec:", "spec:\n  policy: {mode: observe}");
    let daemon = Daemon::start(&sim, &stay, Options::default());
    daemon.until("the first look", MINUTE, |status| status.observed_at.is_some()).await;
    let mut changes = daemon.store.subscribe();
    daemon.ask(reconcile("a")).await;
    clock::sleep(Duration::from_secs(1)).await;
    for token in ["b", "c"] {
        daemon.ask(reconcile(token)).await;
    }
    daemon
        .until("the last token", MINUTE, |status| {
            status.last_handled_reconcile.as_deref() == Some("c")
        })
        .await;
    let tokens: Vec<String> = told(&mut changes)
        .iter()
        .filter_map(|ted| ted.status.last_handled_reconcile.clone())
        .collect();
    assert_eq!(tokens, ["a", "b", "c"]);
    daemon.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_verdict_is_told_under_the_revision_it_judged_by() {
    let sim = sim();
    slow(&sim);
    let stay = look::STAY.replace("spec:", "spec:\n  policy: {mode: observe}");
    let daemon = Daemon::start(&sim, &stay, Options::default());
    let mut changes = daemon.store.subscribe();
    clock::sleep(Duration::from_secs(2)).await;
    // While the first look is under way the document comes to want something else.
    let other = stay.replace("engine: redis, version: \"7.1\"", "engine: valkey, version: \"8.0\"");
    assert_ne!(other, stay);
    daemon.commit(Some(&other));
    daemon
        .until("the second verdict", MINUTE, |status| {
            status.observed_at.is_some() && !is(status, ConditionType::Ready)
        })
        .await;
    let verdicts: Vec<(String, bool)> = told(&mut changes)
        .iter()
        .filter_map(|ted| {
            let status = &ted.status;
            Some((status.observed_revision.clone()?, is(status, ConditionType::Ready)))
        })
        .collect();
    let ready = |revision: &str| {
        let of_it = verdicts.iter().filter(|(of, _)| of == revision);
        of_it.map(|(_, ready)| *ready).collect::<Vec<_>>()
    };
    let (first, last) = (&verdicts[0].0, &verdicts[verdicts.len() - 1].0);
    assert_ne!(first, last);
    assert!(ready(first).iter().all(|ready| *ready), "{verdicts:?}");
    assert!(ready(last).iter().all(|ready| !ready), "{verdicts:?}");
    daemon.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_freeze_stops_the_start_that_a_pass_under_way_was_about_to_make() {
    let sim = sim();
    slow(&sim);
    let daemon = Daemon::start(&sim, MIGRATE, Options::default());
    clock::sleep(Duration::from_secs(2)).await;
    daemon.ask(Command::Freeze { on: true, reason: Some("wait".to_owned()) }).await;
    clock::sleep(10 * MINUTE).await;
    assert_eq!(writes(&sim), [""; 0]);
    daemon.ask(Command::Freeze { on: false, reason: None }).await;
    daemon.until("it goes on", 5 * MINUTE, |status| is(status, ConditionType::EventsPaused)).await;
    assert!(!writes(&sim).is_empty());
    daemon.kill();
}

#[tokio::test(start_paused = true)]
async fn a_steady_look_is_one_round_of_few_calls_also_while_the_document_differs() {
    let sim = sim();
    let observes = MIGRATE.replace("mode: apply", "mode: observe");
    let daemon = Daemon::start(&sim, &observes, Options::default());
    daemon.until("the first look", MINUTE, |status| status.observed_at.is_some()).await;
    let before = sim.log().len();
    clock::sleep(Duration::from_secs(121)).await;
    let calls = sim.log().len() - before;
    assert!((1..=6).contains(&calls), "{calls} calls");
    daemon.stop().await;
}

/// A client that breaks in one region.
#[derive(Debug)]
struct Breaks(SharedHttpClient);

impl HttpClient for Breaks {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Breaking(self.0.http_connector(settings, components)))
    }
}

#[derive(Debug)]
struct Breaking(SharedHttpConnector);

impl HttpConnector for Breaking {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        assert!(!request.uri().contains("eu-central-1"), "a mistake in {}", request.uri());
        self.0.call(request)
    }
}

fn documents(files: &[(&str, &str)]) -> Documents {
    let files: Vec<File> = files.iter().map(|(path, text)| File::new(*path, *text)).collect();
    let loaded = load(&files, &Defaults::default());
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    Documents::of(&Arc::new(Snapshot {
        revision: Revision::of_files(&files),
        in_force: Arc::new(keep_last_good(&InForce::default(), &loaded)),
        problem: None,
        origin: "teds".to_owned(),
        commit: None,
        read_at: Some(ted_controller::clock::wall()),
        reading: 1,
    }))
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_breaks_off_is_one_teds_and_is_told() {
    let sim = sim();
    let wire = InProcess {
        http_client: SharedHttpClient::new(Breaks(sim.http_client())),
        credentials: Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"),
        time_source: Some(sim.time_source()),
    };
    let options =
        SessionsOptions { region: Some("us-east-2".to_owned()), ..SessionsOptions::default() };
    let observer = Arc::new(Observer::new(Arc::new(Sessions::in_process(options, wire))));
    let stay = "engine: redis\nversion: '7.1'\nmode: observe\n";
    let elsewhere = format!("{stay}region: eu-central-1\n");
    let documents = documents(&[("einstein.yaml", stay), ("curie.yaml", &elsewhere)]);
    let store = Arc::new(Store::new(Memory::default(), clock::wall()));
    let (commands, asked) = channel();
    let (_documents, seen) = watch::channel(Arc::new(documents));
    let settings = Arc::new(Settings::default());
    let controller = Controller::new(settings, observer, Arc::clone(&store), seen, asked);
    let stop = CancellationToken::new();
    let running = tokio::spawn(controller.run(stop.clone()));

    let looks = |name: &str| store.ted(name).map(|ted| ted.status.clone());
    let until_told = |token: &'static str| {
        let store = Arc::clone(&store);
        async move {
            let handled = |store: &Store| store.ted("curie")?.status.last_handled_reconcile.clone();
            for _ in 0..600 {
                if handled(&store).as_deref() == Some(token) {
                    return;
                }
                clock::sleep(Duration::from_millis(100)).await;
            }
            panic!("`{token}` is not answered: {:?}", store.ted("curie"));
        }
    };
    for token in ["a", "b"] {
        let name = "curie".to_owned();
        let order = Command::Reconcile { name, token: token.to_owned(), retry: false };
        commands.send(order).await.unwrap();
        until_told(token).await;
    }
    let curie = looks("curie").unwrap();
    assert_eq!(
        curie.trouble.as_ref().map(|trouble| trouble.reason.as_str()),
        Some("InternalError")
    );
    assert!(store.is_ready() || looks("einstein").unwrap().observed_at.is_none());
    for _ in 0..600 {
        if looks("einstein").is_some_and(|status| is(&status, ConditionType::Ready)) {
            break;
        }
        clock::sleep(Duration::from_millis(100)).await;
    }
    assert!(is(&looks("einstein").unwrap(), ConditionType::Ready), "{:?}", looks("einstein"));
    stop.cancel();
    let summary = running.await.unwrap();
    assert_eq!((summary.settled, summary.failed), (1, 1), "{summary:?}");
}

/// Somebody moves the cache's snapshot window in ElastiCache, which no look compares.
#[expect(
    clippy::disallowed_methods,
    reason = "an operator changes the cache; that this is not ours to do is why it is drift"
)]
async fn move_snapshot_window(sim: &Sim) {
    let config = aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("us-east-2"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "AKIAOPERATOR",
            "secret",
            None,
            None,
            "test",
        )))
        .http_client(sim.http_client())
        .time_source(sim.time_source())
        .build();
    let client = aws_sdk_elasticache::Client::new(&config);
    let call = client.modify_replication_group().apply_immediately(true);
    let call = call.replication_group_id("turbot-einstein-cache-cluster");
    call.snapshot_window("03:00-04:00").send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_day_of_deep_drift_finds_what_changed_for_less_than_half_a_call_a_minute() {
    let sim = sim();
    let deep = |sim: &Sim, operation: &str| {
        sim.log().iter().filter(|entry| entry.operation == operation).count()
    };
    // Shorter than one round may take: it is stretched.
    let stay = look::STAY
        .replace("spec:", "spec:\n  policy: {mode: observe, deepDriftInterval: 1h, interval: 5m}");
    let daemon = Daemon::start(&sim, &stay, Options::default());
    let hour = Duration::from_hours(1);
    let found = |status: &ted_controller::report::Status| {
        status.findings.iter().any(|finding| finding.code == "drift/resource")
    };
    daemon.until("a first look", hour, |status| status.observed_at.is_some()).await;
    clock::sleep(6 * hour).await;
    assert!(!found(&daemon.status().unwrap()), "nothing has changed yet");
    move_snapshot_window(&sim).await;
    daemon.until("the drift", 4 * hour, found).await;
    let status = daemon.status().unwrap();
    assert!(is(&status, ConditionType::Ready), "it is told, and makes nobody less ready");
    clock::sleep(14 * hour).await;
    daemon.stop().await;
    let calls =
        ["DetectStackDrift", "DescribeStackDriftDetectionStatus", "DescribeStackResourceDrifts"]
            .map(|operation| deep(&sim, operation));
    let minutes = sim.log().last().unwrap().at.since(sim.log()[0].at).as_secs() / 60;
    assert!(minutes >= 20 * 60, "{minutes}");
    let total: usize = calls.iter().sum();
    assert!(calls[0] >= 11 * 7, "every stack, again and again: {calls:?}");
    assert!(total * 2 <= usize::try_from(minutes).unwrap(), "{total} calls in {minutes} minutes");
}

#[tokio::test(start_paused = true)]
async fn an_update_that_pauses_nothing_goes_out_within_four_round_trips() {
    let sim = sim();
    let here = "spec:\n  account: \"111122223333\"\n  region: us-east-2\n  events: {pause: false}";
    let stay = look::STAY.replace("spec:", here);
    let daemon = Daemon::start(&sim, &stay, Options::default());
    daemon.until("the first look", MINUTE, |status| is(status, ConditionType::Ready)).await;
    clock::sleep(Duration::from_secs(30)).await;
    // From now on every answer takes a second: what goes out together takes one, what waits for another takes two.
    sim.add_fault(Rule::always(Fault::Latency(Delay::fixed(Duration::from_secs(1)))));
    let began = clock::now();
    daemon.commit(Some(&MIGRATE.replace("spec:", "spec:\n  events: {pause: false}")));
    let sent = async {
        loop {
            let log = sim.log();
            if log.iter().any(|entry| entry.operation == "UpdateProvisionedProduct") {
                return;
            }
            clock::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(MINUTE, sent).await.expect("an update");
    let took = began.elapsed();
    daemon.stop().await;
    // It is in the log once its own second is over. A file as source adds the 150 ms that it waits for the end of an edit.
    let before = took.saturating_sub(Duration::from_secs(1));
    assert!(before <= Duration::from_millis(4 * 1000 + 150), "{before:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_takes_few_looks_and_leaves_lambda_to_others() {
    let sim = sim();
    let daemon = Daemon::start(&sim, MIGRATE, Options::default());
    let hour = Duration::from_hours(1);
    daemon.until("the pause", hour, |status| is(status, ConditionType::EventsPaused)).await;
    daemon.until("its end", 6 * hour, |status| !is(status, ConditionType::EventsPaused)).await;
    daemon.stop().await;
    let log = sim.log();
    let first = |name: &str| log.iter().position(|entry| entry.operation == name).unwrap();
    let (hold, update) = (first("TagResource"), first("UpdateProvisionedProduct"));
    let looks =
        log[hold..update].iter().filter(|entry| entry.operation == "ListEventSourceMappings");
    // After the claims, after the disabling, two before the update; the others watch Lambda at work and the last workers end.
    let looks = looks.count();
    assert!(looks <= 12, "{looks}");
    // Ten at once after a quiet time, five a second in the long run.
    let asked: Vec<_> =
        log.iter().filter(|e| e.service == Some("lambda")).map(|entry| entry.at).collect();
    let window = Duration::from_secs(10);
    let within =
        |from: usize| asked[from..].iter().filter(|at| at.since(asked[from]) < window).count();
    let busiest = (0..asked.len()).map(within).max().unwrap();
    assert!(busiest <= 10 + 10 * 5, "{busiest} in ten seconds");
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_does_not_get_shorter_after_a_pause_is_told() {
    // Nobody takes messages while triggers are off, and afterwards fewer than arrive.
    let text = "actions:\n  - at: 0s\n    do: {queue-rates: {queues: '*worker*', arrival: 12, drain: 1}}\n";
    let sim = Sim::start(&Scenario::parse("busy.yaml", text).unwrap(), 1.0).unwrap();
    let daemon = Daemon::start(&sim, MIGRATE, Options::default());
    let hour = Duration::from_hours(1);
    daemon.until("the pause", hour, |status| is(status, ConditionType::EventsPaused)).await;
    daemon.until("its end", 6 * hour, |status| !is(status, ConditionType::EventsPaused)).await;
    let told = |status: &ted_controller::report::Status| {
        status.findings.iter().any(|finding| finding.code == "sync/backlog-not-draining")
    };
    assert!(!told(&daemon.status().unwrap()), "it takes a while to tell");
    daemon.until("the finding", hour, told).await;
    let status = daemon.status().unwrap();
    let finding =
        status.findings.iter().find(|finding| finding.code == "sync/backlog-not-draining");
    let message = finding.unwrap().message.clone();
    assert!(message.contains("it does not get shorter"), "{message}");
    daemon.stop().await;
}
