//! As shipped: the real binary over HTTP. What is recovered and what is left to a person is also what exit codes, audit and plan say.

use super::look::STAY;
use serde_json::{Value, json};
use support::{Folder, Sim, ask};

#[path = "../daemon/support.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "of another test binary, as it is there"
)]
mod support;

/// Lets virtual time pass, or run at another speed.
fn clock(sim: &Sim, what: &Value) {
    let answer = ask(sim.address(), "POST", "/_sim/clock", &[], &what.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn act(sim: &Sim, what: &Value) {
    let answer = ask(sim.address(), "POST", "/_sim/actions", &[], &what.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// Writes of the controller, without those about triggers.
fn changes(sim: &Sim) -> Vec<String> {
    let mut writes = sim.writes();
    writes.retain(|name| name == "UpdateProvisionedProduct" || name == "ContinueUpdateRollback");
    writes
}

#[test]
fn storage_out_of_step_is_recovered_in_one_go() {
    let sim = Sim::start("storage-autoscaled");
    clock(&sim, &json!({"advance": "7h"}));
    act(&sim, &super::story::console_update());
    clock(&sim, &json!({"advance": "3h"}));
    clock(&sim, &json!({"speed": 200.0}));
    // The host is too slow for pauses at this speed.
    let document = format!("{STAY}  events: {{pause: false}}\n  policy: {{mode: apply}}\n");
    let folder = Folder::new(&[("teds/einstein.yaml", &document)]);
    let said = sim.once(&folder, &["--desired", "teds", "--mode", "apply", "--state-dir", "state"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(
        changes(&sim),
        ["ContinueUpdateRollback", "ContinueUpdateRollback", "UpdateProvisionedProduct"]
    );
    // Each has its line before it was sent, and one of what became of it.
    let audit =
        std::fs::read_to_string(folder.path("state/audit.jsonl")).expect("there is an audit");
    let lines: Vec<Value> =
        audit.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let of = |step: &str, outcome: &str| {
        lines.iter().filter(|line| line["step"] == step && line["outcome"] == outcome).count()
    };
    assert_eq!(
        (of("ContinueRollback", "begin"), of("ContinueRollback", "accepted")),
        (2, 2),
        "{audit}"
    );
    assert!(audit.contains("DatabaseStack") && audit.contains(".HivePrimary"), "{audit}");
}

#[test]
fn past_the_door_takes_a_person_and_says_so_in_every_way() {
    let sim = Sim::start("past-the-door");
    clock(&sim, &json!({"speed": 40.0}));
    let document = |approve: &str| {
        format!(
            "engine: valkey\nversion: '8.0'\ntedVersion: v1.52.1\nmode: apply\napprove: [{approve}]\n"
        )
    };
    let folder = Folder::new(&[("teds/einstein.yaml", &document("redis-to-valkey"))]);
    let once = ["--desired", "teds", "--mode", "apply", "--state-dir", "state"];
    let said = sim.once(&folder, &once);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert_eq!(changes(&sim), ["UpdateProvisionedProduct"]);
    let plan = sim.binary(&["plan", "teds/einstein.yaml", "-o", "json"]);
    let plan = support::Said::of({
        let mut plan = plan;
        plan.current_dir(folder.path("")).output().expect("it runs")
    });
    for part in [
        "approve: [past-the-door]",
        "aws cloudformation continue-update-rollback",
        ".CacheCluster",
        "aws servicecatalog update-provisioned-product",
    ] {
        assert!(plan.stdout.contains(part), "{part}: {plan:?}");
    }
    folder.write("teds/einstein.yaml", &document("redis-to-valkey, past-the-door"));
    // 2 says that it is unfinished and time will heal it.
    let said = (0..10).map(|_| sim.once(&folder, &once)).find(|said| said.code != Some(2));
    let said = said.expect("it does not wait for ever");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(
        changes(&sim),
        ["UpdateProvisionedProduct", "ContinueUpdateRollback", "UpdateProvisionedProduct"]
    );
}
