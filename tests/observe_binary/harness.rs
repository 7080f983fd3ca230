//! A simulated AWS behind a free port, and the built binary in front of it.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;
use ted_sim::faults::Rule;
use ted_sim::scenario::Action;
use ted_sim::spec::Effect;
use ted_sim::time::SimTime;
use ted_sim::{Scenario, Server, Sim};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The access key of the user whom every run acts as.
pub(crate) const KEY: &str = "AKIACONTROLLER";

/// That user.
pub(crate) const CALLER: &str = "arn:aws:iam::111122223333:user/controller";

/// The name of the policy that the user has.
pub(crate) const POLICY: &str = "observe";

/// What the default installation is.
pub(crate) const STAY: &str = r#"
apiVersion: ted-controller.dev/v1alpha1
kind: TurbotEnterpriseDatabase
metadata: {name: einstein}
spec:
  account: "111122223333"
  region: us-east-2
  tedVersion: v1.44.0
  cache: {engine: redis, version: "7.1"}
  parameters: {MaxConnections: 600}
"#;

/// What it is to become.
pub(crate) const MIGRATE: &str = r#"
apiVersion: ted-controller.dev/v1alpha1
kind: TurbotEnterpriseDatabase
metadata: {name: einstein}
spec:
  account: "111122223333"
  region: us-east-2
  tedVersion: v1.52.1
  cache: {engine: valkey, version: "8.0"}
  policy: {mode: apply, approve: [redis-to-valkey]}
"#;

/// What has become of it.
pub(crate) const VALKEY: &str = r#"
apiVersion: ted-controller.dev/v1alpha1
kind: TurbotEnterpriseDatabase
metadata: {name: einstein}
spec:
  account: "111122223333"
  region: us-east-2
  tedVersion: v1.52.1
  cache: {engine: valkey, version: "8.0"}
"#;

/// Where the servers run; tests themselves wait for processes.
pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
});

/// What `iam-policy --observe` prints.
pub(crate) static OBSERVE: LazyLock<Value> =
    LazyLock::new(|| printed(&["iam-policy", "--observe"]));

/// All calls that runs of this test binary made so far, as IAM actions.
static CALLED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// JSON that the binary prints without asking anybody.
pub(crate) fn printed(arguments: &[&str]) -> Value {
    let output = binary().args(arguments).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Actions that a policy allows.
pub(crate) fn actions(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|statement| statement["Action"].as_array().unwrap());
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ted-controller"));
    // Nothing of this host decides: no profile, no proxy, no instance metadata.
    command.env_clear().env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// A simulated AWS. When it is dropped, nothing but reads may have been called.
pub(crate) struct World {
    pub(crate) sim: Sim,
    endpoint: String,
    folder: TempDir,
    /// Stops when it goes out of scope.
    _server: ted_sim::server::Handle,
}

impl World {
    /// The world of a named scenario.
    pub(crate) fn named(scenario: &str) -> Self {
        Self::of(&Scenario::named(scenario).unwrap())
    }

    /// The world of a scenario's text.
    pub(crate) fn written(text: &str) -> Self {
        Self::of(&Scenario::parse("world.yaml", text).unwrap())
    }

    /// The default world, with the time of this host.
    pub(crate) fn today() -> Self {
        let mut scenario = Scenario::named("default").unwrap();
        scenario.world.start =
            Some(SimTime::from(std::time::SystemTime::from(ted_controller::clock::wall())));
        Self::of(&scenario)
    }

    pub(crate) fn of(scenario: &Scenario) -> Self {
        let sim = Sim::start(scenario, 1.0).unwrap();
        let bound = Server::new(sim.clone()).bind("127.0.0.1:0".parse().unwrap());
        let (address, server) = RUNTIME.block_on(bound).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let world = Self { sim, endpoint: format!("http://{address}"), folder, _server: server };
        world.act(&format!("access-key-add: {{user: controller, key: {KEY}}}"));
        world.attach(POLICY, &OBSERVE);
        world
    }

    /// Gives the caller one more policy.
    pub(crate) fn attach(&self, name: &str, document: &Value) {
        let (principal, name, document) = (CALLER.to_owned(), name.to_owned(), document.clone());
        self.sim.act(&Action::PolicyAttach { principal, name, document }).unwrap();
    }

    /// Lets something happen, as scenario files write it.
    pub(crate) fn act(&self, action: &str) {
        let read = serde_yaml::Deserializer::from_str(action);
        let action: Action = serde_yaml::with::singleton_map::deserialize(read).unwrap();
        self.sim.act(&action).unwrap();
    }

    /// Lets things go wrong on the wire, as scenario files write it.
    pub(crate) fn fault(&self, rule: &str) {
        let rule: Rule = serde_yaml::from_str(rule).unwrap();
        self.sim.add_fault(rule);
    }

    /// Lets time pass, and what takes time end.
    pub(crate) fn later(&self, hours: u64) {
        self.sim.clock().advance(Duration::from_hours(hours));
    }

    /// Writes a file into the folder that runs are made in.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A file of that folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the binary as the user who may only observe.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, &[])
    }

    /// As [`World::run`], with other environment variables; an empty one is taken away.
    pub(crate) fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
        let mut variables = BTreeMap::from([
            ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", "simulated"),
            ("AWS_REGION", "us-east-2"),
        ]);
        variables.extend(environment.iter().copied());
        variables.retain(|_, value| !value.is_empty());
        let mut command = binary();
        command.args(arguments).envs(variables).env("HOME", self.folder.path());
        Run::of(&command.current_dir(self.folder.path()).output().unwrap())
    }

    /// What `plan` says of a document, as data.
    pub(crate) fn plan(&self, document: &str) -> Plan {
        self.write("document.yaml", document);
        let run = self.run(&["plan", "document.yaml", "-o", "json", "--detailed-exitcode"]);
        assert_eq!(run.stderr, "", "{}", run.stdout);
        run.plans().remove(0)
    }

    /// The calls that runs made here so far.
    pub(crate) fn calls(&self) -> Vec<ted_sim::front::Entry> {
        self.sim.log().into_iter().filter(|entry| entry.access_key != OPERATOR).collect()
    }
}

/// The access key of whoever else works in the account.
pub(crate) const OPERATOR: &str = "AKIAOPERATOR";

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let calls = self.calls();
        let writes: Vec<&str> = calls
            .iter()
            .filter(|call| call.effect != Some(Effect::Read))
            // An assumed role is how one reads across accounts.
            .filter(|call| call.operation != "AssumeRole")
            // A drift detection leaves its result on the stack, and changes nothing else.
            .filter(|call| call.operation != "DetectStackDrift")
            .map(|call| call.operation.as_str())
            .collect();
        assert_eq!(writes, [""; 0], "somebody who only observes called what writes");
        let mut called = CALLED.lock().unwrap_or_else(PoisonError::into_inner);
        called.extend(calls.iter().map(action));
    }
}

/// The IAM action of a call.
pub(crate) fn action(call: &ted_sim::front::Entry) -> String {
    format!("{}:{}", call.service.unwrap_or("unknown"), call.operation)
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: output.status.code().unwrap(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// The plans on standard output, with the exit code of this run.
    pub(crate) fn plans(&self) -> Vec<Plan> {
        let read: Value =
            serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        let all = read["items"].as_array().unwrap().iter();
        all.map(|json| Plan { code: self.code, json: json.clone() }).collect()
    }
}

/// A plan, as data.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) code: i32,
    pub(crate) json: Value,
}

impl Plan {
    /// Findings in their order.
    pub(crate) fn findings(&self) -> &[Value] {
        self.json["findings"].as_array().unwrap()
    }

    /// Codes of the findings that are more than news, each once.
    pub(crate) fn codes(&self) -> BTreeSet<&str> {
        let codes = self.findings().iter().map(|finding| finding["code"].as_str().unwrap());
        codes.filter(|code| !code.starts_with("info/")).collect()
    }

    /// `True`, `False` or `Unknown`, and the reason.
    pub(crate) fn condition(&self, kind: &str) -> (&str, &str) {
        let all = self.json["conditions"].as_array().unwrap();
        let found = all.iter().find(|condition| condition["type"] == kind).unwrap();
        (found["status"].as_str().unwrap(), found["reason"].as_str().unwrap())
    }

    /// Gates that do not hold, with their state.
    pub(crate) fn shut(&self) -> BTreeMap<&str, &str> {
        let gates = self.json["gates"].as_array().unwrap().iter();
        let shut = gates.filter(|gate| gate["holds"] == false);
        shut.map(|gate| (gate["gate"].as_str().unwrap(), gate["state"].as_str().unwrap())).collect()
    }

    /// The steps, by kind.
    pub(crate) fn steps(&self) -> Vec<&str> {
        let steps = self.json["plan"].as_array().unwrap().iter();
        steps.map(|step| step["step"].as_str().unwrap()).collect()
    }

    /// The verdict without what differs between two worlds that are the same to whoever operates them: times, ids, wording.
    pub(crate) fn verdict(&self) -> Verdict {
        let codes = self.findings().iter().map(|finding| {
            let text = |member: &str| finding[member].as_str().unwrap_or_default().to_owned();
            (text("code"), text("desired"), text("actual"))
        });
        let kinds = ["Ready", "Reconciling", "Stalled", "Drifted", "OutOfSync", "EventsPaused"];
        Verdict {
            code: self.code,
            findings: codes.collect(),
            conditions: kinds.map(|kind| {
                let (status, reason) = self.condition(kind);
                format!("{kind} {status} {reason}")
            }),
            shut: self.shut().into_iter().map(|(a, b)| format!("{a} {b}")).collect(),
            steps: self.steps().into_iter().map(str::to_owned).collect(),
        }
    }
}

/// What a plan comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    code: i32,
    findings: Vec<(String, String, String)>,
    conditions: [String; 6],
    shut: Vec<String>,
    steps: Vec<String>,
}

/// Does the same for each case, some at a time: most of what runs wait for is not this host.
pub(crate) fn each<T: Sync>(cases: &[T], check: impl Fn(&T) + Sync) {
    const AT_A_TIME: usize = 3;
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME.min(cases.len()) {
            scope.spawn(|| {
                while let Some(case) =
                    cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    check(case);
                }
            });
        }
    });
}

/// Everything that runs of this test binary called so far.
pub(crate) fn called() -> BTreeSet<String> {
    CALLED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
