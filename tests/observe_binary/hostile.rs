//! Texts from AWS that would colour a terminal, forge a line or begin a tag.

use crate::harness::{STAY, World};
use crate::operator::tag_triggers;

/// As it stands in scenario files.
const HOSTILE: &str =
    r#""\e[31mred\e[0m <script>alert(1)</script>\nerror: forged\r\e]0;title\a | x | \u202egnp""#;

fn assert_tame(what: &str, text: &str) {
    let control = text.chars().find(|c| c.is_control() && *c != '\n' || *c == '\u{202e}');
    assert_eq!(control, None, "{what}: {text}");
    let forged = text.lines().find(|line| line.trim_start().starts_with("error: forged"));
    assert_eq!(forged, None, "{what}: {text}");
}

fn outputs(world: &World) -> [(&'static str, String); 5] {
    world.write("einstein.yaml", STAY);
    let run = |arguments: &[&str]| {
        let run = world.run(arguments);
        assert!([0, 1, 2].contains(&run.code), "{run:?}");
        format!("{}{}", run.stdout, run.stderr)
    };
    [
        ("text", run(&["plan", "einstein.yaml"])),
        ("json", run(&["plan", "einstein.yaml", "-o", "json"])),
        ("markdown", run(&["plan", "einstein.yaml", "-o", "markdown"])),
        ("adopt", run(&["adopt"])),
        ("doctor", run(&["doctor", "einstein.yaml", "--observe"])),
    ]
}

#[test]
fn a_products_message_stays_a_message() {
    let world = World::named("default");
    world.act(&format!("product-status: {{status: TAINTED, message: {HOSTILE}}}"));
    for (what, text) in outputs(&world) {
        assert_tame(what, &text);
        assert!(!text.contains("\\u001b"), "{what}: {text}");
        match what {
            "text" => {
                assert!(text.contains("red <script>alert(1)</script> error: forged"), "{text}");
            }
            "markdown" => assert!(!text.contains("<script>") && text.contains("script"), "{text}"),
            _ => {}
        }
    }
}

#[test]
fn reasons_of_stacks_and_of_refusals_stay_reasons() {
    let world = World::named("default");
    world.act(&format!(
        "fail-resource: {{logicalId: HivePrimary, phase: update, message: {HOSTILE}}}"
    ));
    world.act(&format!(
        "fail-resource: {{logicalId: HivePrimary, phase: rollback, message: {HOSTILE}}}"
    ));
    world.act("product-update: {parameters: {DBInstanceClass: db.m6g.xlarge}}");
    world.later(6);
    world.fault(&format!(
        "{{service: servicecatalog, operation: ListLaunchPaths, fault: {{error: {{code: AccessDeniedException, message: {HOSTILE}}}}}}}"
    ));
    for (what, text) in outputs(&world) {
        assert_tame(what, &text);
        if what == "markdown" {
            assert!(!text.contains("<script>"), "{text}");
        }
    }
}

#[test]
fn a_tag_that_is_no_hold_is_no_hold() {
    let world = World::named("default");
    assert_eq!(world.run(&["plan", "ted-einstein"]).code, 0);
    let calls = world.calls();
    let asked = calls.iter().find(|call| call.operation == "DescribeProvisionedProduct");
    let id = asked.unwrap().parameters["Id"].as_str().unwrap();
    let function = "turbot_5_39_12_worker_retry";
    // Lambda takes letters, digits, blanks and `_.:/=+-@` in tags.
    for value in ["held error: forged -1 99999999999999999999 x", "held", "= + - @ //", ""] {
        tag_triggers(&world, function, &format!("ted-controller:hold:{id}"), value);
        world.act(&format!("trigger-toggle: {{function: {function}, enabled: false}}"));
        world.later(1);
        let plan = world.plan(STAY);
        assert!(plan.codes().contains("sync/events-left-paused"), "`{value}`: {:?}", plan.codes());
        assert_tame("text", &world.run(&["plan", "document.yaml"]).stdout);
    }
}
