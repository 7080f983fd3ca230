//! One installation, one controller, and what the simulator's call log tells of them.

use super::daemon::{Daemon, Options, describe, is};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;
use ted_controller::assess::types::{ConditionType, Phase};
use ted_controller::clock;
use ted_controller::report::Status;
use ted_controller::report::commands::Command;
use ted_sim::{Scenario, Sim};

/// Longer than anything here takes: RDS optimizes storage for hours.
pub(crate) const A_DAY: Duration = Duration::from_hours(24);

/// How often is looked.
const A_MOMENT: Duration = Duration::from_secs(7);

/// Texts as they were met in the field (`docs/troubleshooting.md`).
pub(crate) const NOT_AVAILABLE: &str = "Database instance is not in available state. (Service: Rds, Status Code: 400, Request ID: 8f0e)";
pub(crate) const STORAGE: &str = "Resource handler returned message: \"Invalid storage size for engine name postgres and storage type gp3: 200 (Service: Rds, Status Code: 400, Request ID: 0d5a)\" (RequestToken: 1, HandlerErrorCode: InvalidRequest)";

/// A controller at work on an installation.
pub(crate) struct Story {
    pub(crate) sim: Sim,
    pub(crate) daemon: Daemon,
}

impl Story {
    /// Begins with a scenario file and a document.
    pub(crate) fn begin(scenario: &str, document: &str) -> Self {
        let sim = world(scenario);
        let daemon = Daemon::start(&sim, document, Options::default());
        Self { sim, daemon }
    }

    /// Begins when somebody's update has failed, and its rollback, too: storage had grown, and RDS allows changes of it again.
    pub(crate) async fn stuck(scenario: &str, document: &str) -> Self {
        Self::stuck_by(scenario, &console_update(), document).await
    }

    /// As [`Self::stuck`], by another update.
    pub(crate) async fn stuck_by(scenario: &str, update: &Value, document: &str) -> Self {
        let sim = world(scenario);
        act(&sim, &json!({"grow-storage": {"to": 240, "optimizing": false}}));
        clock::sleep(Duration::from_hours(7)).await;
        act(&sim, update);
        clock::sleep(Duration::from_hours(1)).await;
        let daemon = Daemon::start(&sim, document, Options::default());
        Self { sim, daemon }
    }

    pub(crate) fn status(&self) -> Status {
        self.daemon.status().expect("there is a status")
    }

    /// Waits until the status is as wanted, and looks every few seconds: a day has many of them, and the call log is long.
    pub(crate) async fn until(&self, what: &str, is: impl Fn(&Status) -> bool) {
        let end = clock::now() + A_DAY;
        while !self.daemon.status().is_some_and(|status| is(&status)) {
            assert!(
                clock::now() < end,
                "{what}: not within {A_DAY:?}\n{}",
                describe("einstein", self.daemon.status().as_ref(), &self.daemon.store)
            );
            clock::sleep(A_MOMENT).await;
        }
    }

    /// Waits until the stack is back where it was.
    pub(crate) async fn until_rolled_back(&self) {
        let back = |status: &Status| {
            status.actual.stack_status.as_deref() == Some("UPDATE_ROLLBACK_COMPLETE")
        };
        self.until("the rollback to end", back).await;
    }

    /// Waits until a person is needed and everything that can be given back was; answers what the condition says.
    pub(crate) async fn until_stalled(&self) -> String {
        self.until("a person to be needed", |status| is(status, ConditionType::Stalled)).await;
        let status = self.status();
        status.condition(ConditionType::Stalled).expect("it is there").message.clone()
    }

    pub(crate) async fn until_ready(&self) {
        self.until("it to be as wanted", |status| is(status, ConditionType::Ready)).await;
        self.until("events to run", |status| !is(status, ConditionType::EventsPaused)).await;
    }

    /// Waits while nothing is to happen, and sees that nothing does.
    pub(crate) async fn nothing_happens_for(&self, time: Duration) {
        let before = self.writes();
        clock::sleep(time).await;
        assert_eq!(self.writes(), before);
    }

    pub(crate) async fn retry(&self) {
        let name = "einstein".to_owned();
        self.daemon.ask(Command::Reconcile { name, token: "again".to_owned(), retry: true }).await;
    }

    pub(crate) fn act(&self, action: &Value) {
        act(&self.sim, action);
    }

    /// Calls that change something, in their order.
    pub(crate) fn writes(&self) -> Vec<String> {
        let changes = [
            "UpdateProvisionedProduct",
            "ContinueUpdateRollback",
            "UpdateEventSourceMapping",
            "TagResource",
        ];
        let log = self.sim.log();
        let names = log.iter().map(|entry| entry.operation.as_str());
        names.filter(|name| changes.contains(name)).map(str::to_owned).collect()
    }

    pub(crate) fn count(&self, operation: &str) -> usize {
        self.writes().iter().filter(|name| *name == operation).count()
    }

    pub(crate) fn updates(&self) -> usize {
        self.count("UpdateProvisionedProduct")
    }

    /// The continuations that were asked for: the logical ids that each skips. None passes a role, and all have a token of their own.
    pub(crate) fn continuations(&self) -> Vec<Vec<String>> {
        self.continuations_of(true)
    }

    /// Those that a person asked for.
    pub(crate) fn continuations_by_hand(&self) -> Vec<Vec<String>> {
        self.continuations_of(false)
    }

    fn continuations_of(&self, ours: bool) -> Vec<Vec<String>> {
        let log = self.sim.log();
        let calls: Vec<_> = log
            .iter()
            .filter(|entry| entry.operation == "ContinueUpdateRollback")
            .filter(|call| call.user_agent.contains("ted-controller") == ours)
            .collect();
        let mut tokens: Vec<String> = Vec::new();
        for call in &calls {
            assert!(call.parameters.get("RoleARN").is_none(), "{:?}", call.parameters);
            assert!(call.parameters.get("ForceRollback").is_none(), "{:?}", call.parameters);
            let Some(token) = call.parameters["ClientRequestToken"].as_str() else {
                assert!(!ours, "ours have a token");
                continue;
            };
            if call.error_code.is_none() {
                assert!(!tokens.contains(&token.to_owned()), "the same continuation twice");
            }
            tokens.push(token.to_owned());
        }
        let skips = |parameters: &Value| {
            let names = parameters["ResourcesToSkip"].as_array().cloned().unwrap_or_default();
            let logical = |name: &Value| {
                let name = name.as_str().unwrap_or_default();
                name.rsplit('.').next().unwrap_or(name).to_owned()
            };
            names.iter().map(logical).collect()
        };
        calls.iter().map(|call| skips(&call.parameters)).collect()
    }

    /// Every worker trigger as the simulator has it, through Lambda's own eyes.
    pub(crate) fn all_triggers_run(&self) -> bool {
        !is(&self.status(), ConditionType::EventsPaused)
    }

    /// Whether what was sent second came only after all six triggers were disabled.
    pub(crate) fn events_were_paused_before(&self, operation: &str) -> bool {
        let writes = self.writes();
        let Some(place) = writes.iter().position(|name| name == operation) else { return false };
        writes[..place].iter().filter(|name| *name == "UpdateEventSourceMapping").count() >= 6
    }

    /// Types the command that the gate `stable` has for a person, as the AWS CLI would send it.
    #[expect(clippy::disallowed_methods, reason = "a person does it, past the controller")]
    pub(crate) async fn by_hand(&self) {
        let status = self.status();
        let stable = status.gates.iter().find(|gate| gate.gate == "stable").expect("it is asked");
        let command = stable.remedy.split('`').find(|it| it.starts_with("aws cloudformation cont"));
        let words: Vec<&str> = command.expect("a command").split(' ').collect();
        let option = |name: &str| {
            let from = words.iter().position(|word| *word == name).map_or(words.len(), |at| at + 1);
            words[from..].iter().take_while(|word| !word.starts_with("--")).copied()
        };
        let client = aws_sdk_cloudformation::Client::new(&sdk(&self.sim));
        let call = client
            .continue_update_rollback()
            .set_stack_name(option("--stack-name").next().map(str::to_owned));
        let skip: Vec<String> = option("--resources-to-skip").map(str::to_owned).collect();
        let skip = (!skip.is_empty()).then_some(skip);
        call.set_resources_to_skip(skip).send().await.expect("it is taken");
    }

    pub(crate) fn phase_is(&self, phase: Phase) -> bool {
        self.status().phase == Some(phase)
    }

    pub(crate) async fn end(self) {
        self.daemon.stop().await;
    }
}

/// The SDK as anybody uses it.
fn sdk(sim: &Sim) -> aws_config::SdkConfig {
    aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("us-east-2"))
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
            aws_credential_types::Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"),
        ))
        .http_client(sim.http_client())
        .time_source(sim.time_source())
        .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(
            aws_smithy_async::rt::sleep::TokioSleep::new(),
        ))
        .build()
}

/// The world of a scenario, by its name or its text.
fn world(scenario: &str) -> Sim {
    let scenario = match Scenario::named(scenario) {
        Ok(named) => named,
        Err(_) => Scenario::parse("recovery.yaml", scenario).expect("the scenario parses"),
    };
    Sim::start(&scenario, 1.0).expect("the world can be built")
}

/// Does something in the world.
pub(crate) fn act(sim: &Sim, action: &Value) {
    let action = serde_json::from_value(action.clone()).expect("there is such an action");
    sim.act(&action).expect("it can be done");
}

/// Somebody updates TED in Service Catalog's console, with the storage that the stack names.
pub(crate) fn console_update() -> Value {
    json!({"product-update": {"version": "v1.52.1"}})
}

/// A scenario in which resources fail.
pub(crate) fn failing(failures: &[(&str, &str, &str, u32)]) -> String {
    let mut text = "actions:\n".to_owned();
    for (resource, phase, message, times) in failures {
        let action = json!({"fail-resource": {
            "logicalId": resource, "phase": phase, "message": message, "times": times,
        }});
        let _ = writeln!(text, "  - {{at: 0s, do: {action}}}");
    }
    text
}
