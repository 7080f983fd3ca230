//! The observe policy is what is called, no more and no less; and it is enough.

use crate::harness::{CALLER, MIGRATE, OBSERVE, STAY, World, action, actions, called, printed};
use std::collections::BTreeSet;
use ted_controller::aws::table::{Need, OPERATIONS};

fn needing(need: Need) -> BTreeSet<String> {
    let all = OPERATIONS.iter().filter(|operation| operation.need == need);
    all.map(ted_controller::aws::table::Operation::action).collect()
}

#[test]
fn the_calls_of_all_commands_are_the_policy() {
    let world = World::named("default");
    for document in [STAY, MIGRATE] {
        world.plan(document);
    }
    assert_eq!(world.run(&["plan"]).code, 0);
    assert_eq!(world.run(&["adopt"]).code, 0);
    assert_eq!(world.run(&["doctor", "--observe"]).code, 0);
    world.act("trigger-toggle: {function: turbot_5_39_12_worker_retry, enabled: false}");
    world.later(1);
    world.plan(STAY);

    let calls = world.calls();
    assert!(calls.iter().all(|call| call.caller == CALLER));
    let refused: Vec<_> = calls.iter().filter(|call| call.error_code.is_some()).collect();
    assert!(refused.is_empty(), "the policy was not enough: {refused:#?}");
    let mut made: BTreeSet<String> = calls.iter().map(action).collect();
    for free in needing(Need::NoGrant) {
        assert!(made.remove(&free), "{free} needs no grant, and is called");
    }
    assert_eq!(made, actions(&OBSERVE));

    // Whatever else ran in this process so far, it stayed within that, and within what is optional.
    let mut may = actions(&OBSERVE);
    may.extend(needing(Need::NoGrant));
    may.extend(needing(Need::Optional));
    may.insert("sts:AssumeRole".to_owned());
    let beyond: BTreeSet<String> = called().difference(&may).cloned().collect();
    assert_eq!(beyond, BTreeSet::new());
}

#[test]
fn doctor_asks_about_writes_only_where_it_may() {
    let world = World::today();
    let denied = world.run(&["doctor", "ted-einstein"]);
    assert_eq!(denied.code, 0, "not proven is not missing: {}", denied.stdout);
    assert!(denied.stdout.contains("allow `iam:SimulatePrincipalPolicy`"), "{}", denied.stdout);

    world.attach("optional", &printed(&["iam-policy", "--observe", "--with-optional"]));
    let missing = world.run(&["doctor", "ted-einstein"]);
    assert_eq!(missing.code, 1, "{}", missing.stdout);
    for action in ["servicecatalog:UpdateProvisionedProduct", "lambda:TagResource"] {
        assert!(missing.stdout.contains(&format!("allow `{action}`")), "{}", missing.stdout);
    }
    let observing = world.run(&["doctor", "ted-einstein", "--observe"]);
    assert_eq!(observing.code, 0, "{}", observing.stdout);

    world.attach("apply", &printed(&["iam-policy"]));
    let whole = world.run(&["doctor", "ted-einstein"]);
    assert_eq!(whole.code, 0, "{}", whole.stdout);
    assert!(whole.stdout.ends_with(" ok, 0 unknown, 0 failed\n"), "{}", whole.stdout);
    assert!(whole.stdout.contains("IAM's simulation allows all of them"), "{}", whole.stdout);
}
