//! Scenario files, good and bad, and what happens when.

use super::*;
use crate::setup::START;
use crate::time::SimTime;
use std::time::Duration;

#[test]
fn every_named_scenario_parses_and_says_what_it_shows() {
    assert!(Scenario::names().count() >= 20);
    for name in Scenario::names() {
        let scenario = Scenario::named(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(scenario.name, name);
        assert!(
            scenario.summary.len() > 20 && !scenario.summary.ends_with('.'),
            "{name}: {}",
            scenario.summary
        );
    }
}

#[test]
fn every_scenario_file_is_named_here() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let mut names: Vec<&str> = Scenario::names().collect();
    files.sort_unstable();
    names.sort_unstable();
    assert_eq!(files, names);
}

#[test]
fn a_scenario_lies_over_the_one_it_extends() {
    let text = "
extends: stale-reads
world: {region: eu-central-1}
options: {searchLag: 5s}
faults: [{fault: throttle}]
";
    let scenario = Scenario::parse("mine.yaml", text).unwrap();
    assert_eq!(scenario.name, "mine");
    assert_eq!(scenario.world.region, "eu-central-1");
    assert_eq!(
        scenario.world.account, "111122223333",
        "what is left out is as in the default world"
    );
    assert_eq!(scenario.options.search_lag, Duration::from_secs(5), "own");
    assert_eq!(scenario.options.describe_lag, Duration::from_secs(30), "inherited");
    assert_eq!(scenario.faults.len(), 2, "lists add up");
}

#[test]
fn a_bad_file_gets_place_reason_and_the_name_that_was_meant() {
    for (why, text, expected, hint) in [
        (
            "unknown key",
            "summary: x\nfautls: []\n",
            "f.yaml:2:1: unknown field `fautls`",
            Some("faults"),
        ),
        (
            "nothing near",
            "wrld_of_it: 1\n",
            "f.yaml:1:1: unknown field `wrld_of_it`, expected one of `summary`, `extends`, `world`",
            None,
        ),
        (
            "unknown option",
            "options:\n  searchLagg: 3s\n",
            "f.yaml:2:3: options: unknown field `searchLagg`",
            Some("searchLag"),
        ),
        (
            "bad option value",
            "options:\n  cacheUpgrade: inplace\n",
            "f.yaml:2:17: options.cacheUpgrade: unknown variant `inplace`",
            Some("in-place"),
        ),
        (
            "bad duration",
            "options:\n  pageSize: 3\n  searchLag: soon\n",
            "f.yaml:3:14: options.searchLag: `soon` is not a duration such as `90s` or `1h 30m`",
            None,
        ),
        ("not YAML", "faults: [\n", "f.yaml:2:1: ", None),
        (
            "unknown fault",
            "faults:\n  - fault: throtle\n",
            "f.yaml:2:12: faults[0].fault: unknown variant `throtle`",
            Some("throttle"),
        ),
        (
            "bad fault rule",
            "faults:\n  - fault: drop\n  - {probability: 2, fault: drop}\n",
            "f.yaml:3:5: faults[1]: `probability` is 2; it goes from 0 to 1",
            None,
        ),
        (
            "unknown operation",
            "faults:\n  - {operation: AssumeRoll, fault: drop}\n",
            "f.yaml:2:5: faults[0]: unknown operation `AssumeRoll`; did you mean `AssumeRole`?",
            None,
        ),
        (
            "unknown service",
            "faults:\n  - {service: rdb, fault: drop}\n",
            "f.yaml:2:5: faults[0]: unknown service `rdb`; did you mean `rds`?",
            None,
        ),
        (
            "unknown action",
            "actions:\n  - at: 1m\n    do: {database-state: {status: x}}\n",
            "f.yaml:3:10: actions[0].do: unknown variant `database-state`",
            Some("database-status"),
        ),
        (
            "missing value",
            "actions:\n  - at: 1m\n    do: {database-status: {}}\n",
            "f.yaml:3:27: actions[0].do.database-status: missing field `status`",
            None,
        ),
        (
            "an action without a time",
            "actions:\n  - do: path-move\n",
            "f.yaml:2:5: actions[0]: an action needs `at` or `on`",
            None,
        ),
        (
            "an action with two",
            "actions:\n  - {at: 1s, on: {update-started: {}}, do: path-move}\n",
            "f.yaml:2:5: actions[0]: an action has `at` or `on`, not both",
            None,
        ),
        (
            "times without every",
            "actions:\n  - {at: 1s, times: 2, do: path-move}\n",
            "f.yaml:2:5: actions[0]: `times` needs `every`",
            None,
        ),
        (
            "bad time",
            "actions:\n  - at: -1s\n    do: path-move\n",
            "f.yaml:2:9: actions[0].at: `-1s` is negative",
            None,
        ),
        (
            "unknown option in an action",
            "actions:\n  - {at: 1s, do: {options: {pageSice: 3}}}\n",
            "f.yaml:2:5: actions[0]: unknown option `pageSice`; did you mean `pageSize`?",
            None,
        ),
        (
            "bad world",
            "world:\n  teds:\n    - {hive: a, versoin: v1.44.0}\n",
            "f.yaml:3:17: world.teds[0]: unknown field `versoin`",
            Some("version"),
        ),
        (
            "unknown parent",
            "extends: stale-read\n",
            "there is no scenario `stale-read`",
            Some("stale-reads"),
        ),
    ] {
        let error = Scenario::parse("f.yaml", text).expect_err(why);
        assert!(
            error.to_string().starts_with(expected),
            "{why}:\n  found    {error}\n  expected {expected}"
        );
        assert_eq!(error.hint(), hint.map(|name| format!("did you mean `{name}`?")), "{why}");
    }
}

#[test]
fn an_unknown_scenario_gets_the_nearest_name() {
    let error = Scenario::load("throtled").unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.hint().as_deref()),
        ("there is no scenario `throtled`", Some("did you mean `throttled`?"))
    );
    let missing = Scenario::load("/nowhere/mine.yaml").unwrap_err();
    assert_eq!(missing.to_string(), "cannot read scenario file `/nowhere/mine.yaml`");
}

fn notes(world: &World) -> Vec<(u64, String)> {
    world
        .journal()
        .filter(|happening| happening.what.starts_with("tick"))
        .map(|happening| (happening.at.since(START).as_secs(), happening.what.clone()))
        .collect()
}

fn running(actions: &str) -> (World, SimTime) {
    let scenario = Scenario::parse("f.yaml", &format!("actions:\n{actions}")).unwrap();
    let mut world = scenario.build().unwrap();
    scenario.schedule(&mut world);
    let start = world.now();
    (world, start)
}

#[test]
fn actions_happen_at_their_time_and_as_often_as_they_say() {
    let (mut world, start) = running(
        "
  - {at: 0s, do: {note: {text: tick once}}}
  - {at: 10s, every: 20s, times: 3, do: {note: {text: tick again}}}
  - {at: 2m, do: {note: {text: tick late}}}
",
    );
    assert_eq!(
        notes(&world),
        [(0, "tick once".to_owned())],
        "what happens at zero is there before the first request"
    );
    world.advance_to(start + Duration::from_secs(100));
    let again = |second| (second, "tick again".to_owned());
    assert_eq!(notes(&world)[1..], [again(10), again(30), again(50)]);
}

#[test]
fn actions_wait_for_stack_events() {
    let (mut world, start) = running(
        "
  - {on: {stack-event: {logicalId: HivePrimary, status: UPDATE_COMPLETE, after: 5s}}, times: 2, do: {note: {text: tick database}}}
  - {on: {update-started: {after: 1m}}, do: {note: {text: tick update}}}
",
    );
    let event = |logical_id, status, of_root| StackEvent { logical_id, status, of_root };
    for (second, event) in [
        (1, event("SC-1", "UPDATE_IN_PROGRESS", true)),
        (2, event("HivePrimary", "UPDATE_IN_PROGRESS", false)),
        (3, event("HivePrimary", "UPDATE_COMPLETE", false)),
        (10, event("HivePrimary", "UPDATE_COMPLETE", false)),
        (11, event("HivePrimary", "UPDATE_COMPLETE", false)),
        (12, event("SC-1", "UPDATE_IN_PROGRESS", true)),
    ] {
        world.advance_to(start + Duration::from_secs(second));
        stack_event(&mut world, event);
    }
    world.advance_to(start + Duration::from_mins(10));
    let database = |second| (second, "tick database".to_owned());
    assert_eq!(notes(&world), [database(8), database(15), (61, "tick update".to_owned())]);
}

#[test]
fn an_action_that_cannot_be_done_is_noted_and_nothing_else() {
    let (world, _) =
        running("  - {at: 0s, do: {stack-update: {stack: SC-none, parameters: {}}}}\n");
    let told: Vec<&str> = world.journal().map(|happening| happening.what.as_str()).collect();
    assert!(
        told.iter()
            .any(|what| what.contains("stack-update did not happen: there is no stack `SC-none`")),
        "{told:?}"
    );
}

/// A running world of a named scenario, an hour in.
fn after_an_hour(name: &str) -> World {
    let scenario = Scenario::named(name).unwrap();
    let mut world = scenario.build().unwrap_or_else(|error| panic!("{name}: {error}"));
    scenario.schedule(&mut world);
    let start = world.now();
    world.advance_to(start + Duration::from_hours(1));
    world
}

#[test]
fn every_named_scenario_can_be_played() {
    for name in Scenario::names() {
        let world = after_an_hour(name);
        let failed: Vec<&str> = world
            .journal()
            .map(|happening| happening.what.as_str())
            .filter(|what| what.contains("did not happen"))
            .collect();
        assert!(failed.is_empty(), "{name}: {failed:?}");
    }
}

#[test]
fn every_action_that_needs_no_event_is_in_some_scenario_or_tested_here() {
    let used: Vec<&str> = Scenario::names()
        .flat_map(|name| Scenario::named(name).unwrap().actions)
        .map(|planned| planned.action.kind())
        .collect();
    let (mut world, _) = running(
        "
  - {at: 0s, do: {cache-status: {status: snapshotting, for: 5m}}}
  - {at: 0s, do: {artifact-deprecate: {version: v1.51.0}}}
  - {at: 0s, do: {options: {pageSize: 3}}}
  - {at: 0s, do: {clock-speed: {speed: 60}}}
  - {at: 0s, do: {fault: {fault: drop}}}
  - {at: 0s, do: clear-faults}
  - {at: 0s, do: {note: {text: hello}}}
  - {at: 0s, do: {deny: {principal: caller, actions: ['rds:*']}}}
  - {at: 0s, do: allow}
  - {at: 0s, do: {credentials-expire: {keys: AKIA*}}}
  - {at: 0s, do: {credentials-renew: {keys: AKIA*}}}
  - {at: 1s, do: {database-reboot: {}}}
  - {at: 0s, do: {database-autoscale: {growth: 20}}}
  - {at: 0s, do: {cache-pending: {nodeType: cache.m6g.xlarge}}}
  - {at: 0s, do: {cache-global: {datastore: sgaui-global}}}
  - {at: 0s, do: {product-forget-records: {}}}
  - {at: 0s, do: {artifact-status: {version: v1.50.0, status: CREATING}}}
  - {at: 0s, do: {access-key-add: {user: ann, key: AKIAANN, for: 1h}}}
  - {at: 0s, do: {policy-attach: {principal: 'arn:aws:iam::111122223333:user/ann', name: none, document: {Version: '2012-10-17', Statement: []}}}}
  - {at: 0s, do: {policy-detach: {principal: 'arn:aws:iam::111122223333:user/ann', name: none}}}
  - {at: 0s, do: {identity-delete: {principal: 'arn:aws:iam::111122223333:user/ann'}}}
  - {at: 0s, do: {artifact-add: {version: v1.52.9, like: v1.52.1}}}
",
    );
    let soon = world.now() + Duration::from_secs(2);
    world.advance_to(soon);
    let told: Vec<String> = world.journal().map(|happening| happening.what.clone()).collect();
    assert!(!told.iter().any(|what| what.contains("did not happen")), "{told:?}");
    assert_eq!(world.options.page_size, Some(3));
    assert_eq!(world.scenario.take_orders().len(), 4, "options, speed, a fault, and its end");
    for kind in action::KINDS {
        assert!(used.contains(kind) || told.contains(&format!("scenario: {kind}")), "{kind}");
    }
}

#[test]
fn actions_say_why_they_cannot_be_done() {
    for (why, action, expected) in [
        (
            "no product",
            "{product-delete: {product: ted-none}}",
            "there is no provisioned product `ted-none`",
        ),
        (
            "no status",
            "{product-status: {status: TAINT}}",
            "a product has no status `TAINT`; did you mean `TAINTED`?",
        ),
        ("no version", "{artifact-retire: {version: v9.9.9}}", "there is no version `v9.9.9`"),
        (
            "no database",
            "{database-status: {id: nope, status: backing-up}}",
            "DBInstance nope not found.",
        ),
        ("smaller", "{grow-storage: {to: 10}}", "never shrinks"),
        ("no cache", "{cache-delete: {id: nope}}", "nope"),
        ("no stack", "{stack-delete: {stack: SC-nope}}", "there is no stack `SC-nope`"),
        ("no function", "{trigger-toggle: {function: nope, enabled: true}}", "nope"),
        ("no queue", "{queue-rates: {queues: nope*, arrival: 1}}", "there is no queue `nope*`"),
        (
            "no such state",
            "{artifact-status: {version: v1.50.0, status: GONE}}",
            "a version has no status `GONE`",
        ),
        ("nobody", "{identity-delete: {principal: nobody}}", "there is no user or role `nobody`"),
        ("no policy", "{policy-attach: {principal: x, name: y, document: 3}}", ""),
        ("no key", "{stack-update: {parameters: {Nope: x}}}", "Nope"),
    ] {
        let (world, _) = running(&format!("  - {{at: 0s, do: {action}}}\n"));
        let told: Vec<&str> = world
            .journal()
            .map(|happening| happening.what.as_str())
            .filter(|what| what.contains("did not happen: "))
            .collect();
        assert!(told.len() == 1 && told[0].contains(expected), "{why}: {told:?}");
    }
}
