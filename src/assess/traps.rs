//! The traps of AWS that concern reading and deciding, each with a test that fails when it is walked into. Numbered as in the notes
//! on AWS that this program was written from; those that are about sending or about the wire are tested where that is done.

use super::facts::{Agreed, Effective, Facts, VersionSource};
use super::testing::{World, denied, gate, offer, record, there};
use super::tests::update;
use super::types::{GateState, ParameterValue, StepKind, UpdateOrder};
use super::{Credentials, Lifetime, holds::Hold};
use crate::desired::Engine;
use crate::observe::observation::{Parameter, Seen};

fn sent<'a>(order: &'a UpdateOrder, key: &str) -> Option<&'a ParameterValue> {
    order.parameters.iter().find(|parameter| parameter.key == key).map(|parameter| &parameter.value)
}

fn wish(world: World, line: &str) -> World {
    world.edit("  policy:", &format!("  parameters: {{{line}}}\n  policy:"))
}

#[test]
fn trap_01_a_masked_value_is_never_compared_and_never_sent() {
    let order = update(&World::migrating()).unwrap();
    assert_eq!(sent(&order, "MasterPassword"), Some(&ParameterValue::Previous));
    // Known by the flag: real asterisks in another parameter are a value, and a secret that shows none is a secret.
    let world = World::migrating().with(|world| {
        let parameters = &mut there(&mut world.observation.root).parameters;
        parameters.get_mut("ResourceNamePrefix").unwrap().value = "***".into();
        parameters.get_mut("MasterPassword").unwrap().value = "hunter2".into();
    });
    let facts = Facts::of(None, &world.observation);
    assert_eq!(facts.value("ResourceNamePrefix").and_then(Effective::given), Some("***"));
    assert_eq!(facts.value("MasterPassword"), Some(Effective::Secret));
    let text = format!("{:?}", world.assess());
    assert!(!text.contains("hunter2"));
}

#[test]
fn trap_02_a_value_or_the_previous_one_and_never_both() {
    let json =
        serde_json::to_value(update(&wish(World::migrating(), "MaxConnections: 800")).unwrap())
            .unwrap();
    for parameter in json["parameters"].as_array().unwrap() {
        let value = &parameter["value"];
        assert!(
            value == "previous" || value == "default" || value["value"].is_string(),
            "{parameter}"
        );
    }
}

#[test]
fn trap_03_every_parameter_of_the_target_version_is_named() {
    let world = World::migrating();
    let offered = world.observation.target.present().unwrap().parameters.present().unwrap();
    let order = update(&world).unwrap();
    let keys: Vec<&String> = order.parameters.iter().map(|parameter| &parameter.key).collect();
    assert_eq!(keys, offered.iter().map(|parameter| &parameter.key).collect::<Vec<_>>());
    assert_eq!(
        sent(&order, "MaxConnections"),
        Some(&ParameterValue::Previous),
        "600 is not the default, and stays"
    );
}

#[test]
fn trap_04_no_previous_value_for_what_is_new_and_nothing_for_what_was_dropped() {
    let order = update(&World::migrating()).unwrap();
    assert_eq!(sent(&order, "PgBouncer"), Some(&ParameterValue::Default));
    assert_eq!(sent(&order, "DatabaseStatementLogging"), None);
}

#[test]
fn trap_05_a_new_parameter_without_a_default_stops_before_anything_is_sent() {
    let world = World::migrating().with(|world| {
        there(&mut there(&mut world.observation.target).parameters).push(Parameter {
            key: "Retention".into(),
            kind: "Number".into(),
            ..Parameter::default()
        });
    });
    assert_eq!(update(&world), None);
    assert_eq!(gate(&world.assess(), "parameters-known").state, GateState::NeedsPerson);
    let decided = wish(world, "Retention: 90");
    assert_eq!(
        sent(&update(&decided).unwrap(), "Retention"),
        Some(&ParameterValue::Value("90".into()))
    );
}

#[test]
fn trap_06_tainted_hides_which_version_runs() {
    let tainted = |world: &mut World| {
        let product = &mut there(&mut world.observation.products)[0];
        product.status = "TAINTED".into();
        product.artifact_id = Some("pa-1521".into());
    };
    let world = World::migrating().with(tainted);
    assert_eq!(world.assess().actual.ted_version.as_deref(), Some("1.44.0"));
    assert!(update(&world).is_some(), "the failed target is still to be reached");
    let without_output = world.with(|world| there(&mut world.observation.root).outputs.clear());
    let facts = Facts::of(None, &without_output.observation);
    assert_eq!(
        (facts.running.version.unwrap().to_string(), facts.running.source),
        ("v1.44.0".into(), VersionSource::LastSuccess)
    );
    let blind = without_output.with(|world| world.observation.last_success = denied());
    assert_eq!(
        Facts::of(None, &blind.observation).running.version,
        None,
        "the product's artifact is no answer"
    );
    assert_eq!(gate(&blind.assess(), "version-forward").state, GateState::Unknown);
}

#[test]
fn trap_07_tainted_may_be_updated_error_may_not_and_under_change_is_no_failure() {
    for (status, state) in [
        ("TAINTED", GateState::Holds),
        ("ERROR", GateState::NeedsPerson),
        ("UNDER_CHANGE", GateState::Waiting),
    ] {
        let world = World::migrating()
            .with(|world| there(&mut world.observation.products)[0].status = status.into());
        assert_eq!(gate(&world.assess(), "product").state, state, "{status}");
    }
}

#[test]
fn trap_08_an_update_that_changes_nothing_is_not_planned() {
    for line in [
        "MaxConnections: \"0600\"",
        "AllowedCidrs: \"10.21.0.0/16,10.20.0.0/16\"",
        "CacheMultiAZ: \"True\"",
    ] {
        let world = wish(World::staying(), line);
        assert_eq!(update(&world), None, "{line}");
    }
    let tainted = World::staying()
        .with(|world| there(&mut world.observation.products)[0].status = "TAINTED".into());
    assert_eq!(update(&tainted), None, "taint alone is no change");
}

#[test]
fn trap_10_paths_are_settled_before_anything_is_paused() {
    for paths in [Seen::Present(vec![]), denied()] {
        let world = World::migrating().with(|world| world.observation.paths = paths);
        assert_eq!(world.assess().plan, [], "no hold for an update that cannot be sent");
    }
}

#[test]
fn trap_12_not_found_may_be_not_allowed() {
    let world = World::staying().with(|world| world.observation.products = Seen::Absent);
    let assessment = world.assess();
    assert!(gate(&assessment, "product").message.contains("not allowed"));
    assert_eq!(assessment.plan, []);
}

#[test]
fn trap_13_versions_come_in_no_order_and_are_no_text() {
    let world = World::migrating().edit("v1.52.1", "\">=1.5, <1.60\"").with(|world| {
        there(&mut world.observation.root).outputs.insert("ReleaseVersion".into(), "1.4.0".into());
        there(&mut world.observation.versions).push(super::testing::artifact("pa-9", "v1.9.0"));
    });
    let desired = world.desired();
    let facts = Facts::of(Some(&desired), &world.observation);
    assert_eq!(facts.target_version().unwrap().to_string(), "v1.52.1", "1.9 is older than 1.52");
}

#[test]
fn trap_14_a_request_just_sent_is_seen_in_its_record_while_the_product_looks_as_before() {
    let world = World::migrating().with(|world| {
        world.observation.last_record = Seen::Present(record(
            "rec-2",
            "pa-1521",
            "CREATED",
            "2026-08-05T11:59:59Z",
            "2026-08-05T11:59:59Z",
        ));
    });
    let assessment = world.assess();
    assert_eq!(gate(&assessment, "stable").state, GateState::Waiting);
    assert_eq!(assessment.plan[0].step, StepKind::Wait);
}

#[test]
fn trap_15_all_four_truths_have_to_agree_before_a_start() {
    type Bend = fn(&mut World);
    let bends: [(&str, Bend); 4] = [
        ("record", |w| {
            there(&mut w.observation.last_record).status = "IN_PROGRESS_IN_ERROR".into();
        }),
        ("product", |w| there(&mut w.observation.products)[0].status = "UNDER_CHANGE".into()),
        ("stack", |w| there(&mut w.observation.root).status = "UPDATE_ROLLBACK_FAILED".into()),
        ("resource", |w| there(&mut w.observation.caches)[0].status = "modifying".into()),
    ];
    for (which, bend) in bends {
        assert!(!World::migrating().with(bend).assess().may_start(), "{which}");
    }
}

#[test]
fn trap_17_a_stack_changed_behind_service_catalogs_back_is_noticed_before_sending() {
    let before = update(&World::migrating()).unwrap();
    let after = update(&World::migrating().with(|world| {
        there(&mut world.observation.root).updated = Some("2026-08-05T11:00:00Z".parse().unwrap());
    }))
    .unwrap();
    assert_eq!(before.token, after.token, "Service Catalog sees the same before");
    assert_ne!(before.expects, after.expects, "we do not");
}

#[test]
fn trap_19_a_child_that_cleans_up_is_waited_for() {
    let world = World::migrating().with(|world| {
        there(&mut world.observation.nested)[0].status =
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS".into();
    });
    assert_eq!(gate(&world.assess(), "stable").state, GateState::Waiting);
}

#[test]
fn trap_23_the_nodes_have_the_version_and_it_reads_back_with_a_patch() {
    let world = World::migrated();
    let facts = Facts::of(None, &world.observation);
    assert_eq!(
        (facts.engine, facts.engine_version),
        (Agreed::All(Engine::Valkey), Agreed::All("8.0.1".into()))
    );
    assert_eq!(world.assess().plan, [], "8.0.1 is the wanted 8.0");
    let one_left = World::migrated().with(|world| {
        there(&mut world.observation.caches)[0].nodes[1].engine_version = Some("7.2.6".into());
    });
    assert!(matches!(Facts::of(None, &one_left.observation).engine_version, Agreed::Mixed(_)));
}

#[test]
fn trap_24_there_is_no_way_back_from_valkey_whatever_is_approved() {
    let world = wish(World::migrated(), "MaxConnections: 800")
        .edit("{engine: valkey, version: \"8.0\"}", "{engine: redis, version: \"7.1\"}");
    let all = world.edit(
        "[redis-to-valkey]",
        "[redis-to-valkey, cache-recreate@v1.52.1, retrigger, past-the-door, no-launch-role]",
    );
    assert_eq!(gate(&all.assess(), "one-way").state, GateState::NeedsPerson);
}

#[test]
fn trap_25_storage_that_grew_by_itself_is_named_before_an_update_and_never_lowered() {
    let grown = World::migrating()
        .with(|world| there(&mut world.observation.database).allocated_storage = Some(210));
    assert_eq!(
        sent(&update(&grown).unwrap(), "AllocatedStorage"),
        Some(&ParameterValue::Value("210".into()))
    );
    assert!(grown.assess().may_start());
    let lowered = wish(grown, "AllocatedStorage: 200");
    assert!(!lowered.assess().may_start(), "a document that names less");
}

#[test]
fn trap_26_a_backup_that_runs_or_is_near_is_waited_for() {
    let runs = World::migrating()
        .with(|world| there(&mut world.observation.database).status = "backing-up".into());
    assert_eq!(gate(&runs.assess(), "database-available").state, GateState::Waiting);
    let near = World::migrating()
        .with(|world| world.observation.now = "2026-08-05T02:50:00Z".parse().unwrap());
    assert_eq!(gate(&near.assess(), "backup-clear").state, GateState::Waiting);
}

#[test]
fn trap_27_a_trigger_on_its_way_is_waited_for() {
    let world = World::migrating().with(|world| {
        there(&mut world.observation.triggers).mappings[0].state = "Disabling".into();
    });
    assert_eq!(gate(&world.assess(), "events-pausable").state, GateState::Waiting);
}

#[test]
fn trap_28_only_what_was_paused_is_given_back() {
    let world = World::migrating()
        .with(|world| there(&mut world.observation.triggers).mappings[0].state = "Disabled".into());
    let assessment = world.assess();
    let enable = assessment.plan.last().unwrap();
    assert_eq!(
        (enable.step, enable.summary.as_str()),
        (StepKind::Enable, "enable 2 worker triggers of TE 5.39.12")
    );
    assert_eq!(
        Hold::parse("held rec-1 soon ctl-1 0123"),
        Hold::Garbled("held rec-1 soon ctl-1 0123")
    );
}

#[test]
fn trap_29_a_version_keeps_its_spelling() {
    let world = World::migrating().with(|world| {
        let parameters = there(&mut there(&mut world.observation.target).parameters);
        parameters
            .iter_mut()
            .filter(|p| p.key == "ValkeyCacheVersion")
            .for_each(|p| p.allowed_values.push("8.10".into()));
    });
    let order = update(&world.edit("\"8.0\"", "8.10")).unwrap();
    assert_eq!(sent(&order, "ValkeyCacheVersion"), Some(&ParameterValue::Value("8.10".into())));
}

#[test]
fn trap_30_an_ssm_parameter_is_its_name_to_an_update_and_its_value_to_a_reader() {
    let world = World::migrating();
    let facts = Facts::of(None, &world.observation);
    let value = facts.value("VpcId").unwrap();
    assert_eq!((value.given(), value.used()), (Some("/turbot/tef/vpc_id"), Some("vpc-0a1b")));
    assert_eq!(sent(&update(&world).unwrap(), "VpcId"), Some(&ParameterValue::Previous));
    assert_eq!(
        update(&wish(World::staying(), "VpcId: /turbot/tef/vpc_id")),
        None,
        "the same name is no change"
    );
}

#[test]
fn trap_31_no_default_and_an_empty_one_differ() {
    let with = |default: Option<&str>| {
        let default = default.map(str::to_owned);
        World::migrating().with(|world| {
            there(&mut there(&mut world.observation.target).parameters).push(Parameter {
                key: "Email".into(),
                kind: "String".into(),
                default,
                ..Parameter::default()
            });
        })
    };
    assert!(update(&with(Some(""))).is_some());
    assert!(update(&with(None)).is_none());
}

#[test]
fn trap_36_a_token_has_only_letters_and_digits() {
    let token = super::plan::update_token("pp-senyqa2ncjkws", Some("rec-1"));
    assert!(token.bytes().all(|b| b.is_ascii_alphanumeric()) && token.len() <= 128, "{token}");
}

#[test]
fn trap_38_what_is_new_to_us_is_not_safe_to_act_on() {
    type Bend = fn(&mut World);
    let bends: [Bend; 6] = [
        |w| there(&mut w.observation.products)[0].status = "NEW".into(),
        |w| there(&mut w.observation.root).status = "NEW".into(),
        |w| there(&mut w.observation.nested)[0].status = "NEW".into(),
        |w| there(&mut w.observation.database).status = "new".into(),
        |w| there(&mut w.observation.caches)[0].status = "new".into(),
        |w| there(&mut w.observation.triggers).mappings[0].state = "New".into(),
    ];
    for bend in bends {
        let assessment = World::migrating().with(bend).assess();
        assert!(assessment.gates.iter().any(|gate| gate.state == GateState::Unknown));
        assert!(!assessment.may_start());
    }
}

#[test]
fn trap_39_credentials_have_to_outlast_the_update() {
    let world = World::migrating().with(|world| {
        there(&mut world.observation.products)[0].launch_role_arn = None;
        there(&mut there(&mut world.observation.target).usage).launch_role = None;
        there(&mut world.observation.paths)[0].launch_constraint = false;
        let long =
            record("r", "pa-1440", "SUCCEEDED", "2026-01-01T00:00:00Z", "2026-01-01T00:50:00Z");
        world.observation.history = Seen::Present(vec![long]);
        let an_hour = Lifetime::Until("2026-08-05T13:00:00Z".parse().unwrap());
        world.context.credentials = Credentials { lifetime: an_hour, may_change: Some(true) };
    });
    assert_eq!(gate(&world.assess(), "launch-role").state, GateState::NeedsPerson);
}

#[test]
fn a_default_that_goes_through_the_door_is_stopped_like_a_wish() {
    let world = World::migrating()
        .edit("  cache: {engine: valkey, version: \"8.0\"}\n", "")
        .edit(", approve: [redis-to-valkey]", "")
        .with(|world| {
            offer(&mut world.observation, "v1.52.1");
            let parameters = there(&mut there(&mut world.observation.target).parameters);
            parameters
                .iter_mut()
                .filter(|p| p.key == "ElastiCacheEngine")
                .for_each(|p| p.default = Some("valkey".into()));
        });
    assert!(!world.assess().may_start());
    let pinned = wish(world, "ElastiCacheEngine: redis");
    assert!(pinned.assess().may_start(), "the document can stay with Redis");
    assert_eq!(
        sent(&update(&pinned).unwrap(), "ElastiCacheEngine"),
        Some(&ParameterValue::Value("redis".into()))
    );
}
