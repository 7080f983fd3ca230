//! Whole assessments: what comes of a document and an observation.

use super::facts::{Agreed, Facts, Target};
use super::testing::{World, artifact, denial, denied, gate, rename_all, there};
use super::types::StepKind::{Disable, Enable, Hold, Release, Update};
use super::types::{Assessment, ConditionType, GateState, Order, Phase, StepKind, UpdateOrder};
use super::{Frozen, plan::update_token, survey};
use crate::desired::TedVersion;
use crate::observe::observation::Seen;
use proptest::prelude::*;
use std::fmt::Write as _;

/// The update that a world plans.
pub(super) fn update(world: &World) -> Option<UpdateOrder> {
    planned_update(&world.assess())
}

fn planned_update(assessment: &Assessment) -> Option<UpdateOrder> {
    assessment.plan.iter().find_map(|step| match &step.order {
        Order::Update(order) => Some((**order).clone()),
        Order::Triggers(_) | Order::Continue(_) | Order::Wait(_) | Order::Later => None,
    })
}

fn steps(world: &World) -> Vec<StepKind> {
    world.assess().plan.iter().map(|step| step.step).collect()
}

/// Gates that do not hold, for messages.
fn closed(world: &World) -> String {
    let mut text = String::new();
    for gate in world.assess().gates.iter().filter(|gate| !gate.holds) {
        let _ =
            writeln!(text, "{} {:?}: {} [{}]", gate.gate, gate.state, gate.message, gate.remedy);
    }
    text
}

#[test]
fn a_healthy_ted_and_a_document_that_migrates_it_need_five_steps_and_nobody() {
    let world = World::migrating();
    assert_eq!(closed(&world), "");
    assert_eq!(steps(&world), [Hold, Disable, Update, Release, Enable]);
    let assessment = world.assess();
    assert_eq!(assessment.next_step(), assessment.plan.first());
    assert_eq!(
        assessment.plan[2].summary,
        "update `ted-einstein` from v1.44.0 to v1.52.1: ElastiCacheEngine = valkey, ValkeyCacheVersion = 8.0"
    );
    let order = planned_update(&assessment).unwrap();
    assert_eq!((order.artifact_id.as_str(), order.path_id.as_str()), ("pa-1521", "lp-1"));
    assert_eq!(order.expects.last_provisioning_record_id.as_deref(), Some("rec-1"));
    assert_eq!(order.token, update_token("pp-senyqa2ncjkws", Some("rec-1")));
}

#[test]
fn what_equals_its_document_has_an_empty_plan_before_and_after_the_migration() {
    for world in [World::staying(), World::migrated()] {
        let assessment = world.assess();
        assert_eq!(assessment.plan, []);
        assert_eq!(assessment.parameters, []);
        assert_eq!(closed(&world), "");
        assert_eq!(assessment.phase, Phase::Steady);
        assert_eq!(assessment.next_step(), None);
        let kinds: Vec<ConditionType> =
            assessment.conditions.iter().map(|condition| condition.kind).collect();
        assert_eq!(kinds.len(), 6);
    }
    let migrated = World::migrated().assess();
    assert_eq!(migrated.actual.ted_version.as_deref(), Some("1.52.1"));
    assert_eq!(migrated.actual.engine_version.as_deref(), Some("8.0.1"));
    assert!(
        migrated.notes.iter().any(|note| note.contains("redis-to-valkey")),
        "{:?}",
        migrated.notes
    );
}

#[test]
fn the_plan_shows_what_would_be_done_while_a_gate_is_closed() {
    let world = World::migrating().edit(", approve: [redis-to-valkey]", "");
    let assessment = world.assess();
    assert!(planned_update(&assessment).is_some());
    assert_eq!(assessment.next_step(), None);
    assert_eq!(assessment.phase, Phase::Blocked);
    // Whoever only looks has such a plan for as long as it differs: that is no reason to look more often.
    for blocked in [world, World::migrating().edit("mode: apply", "mode: observe")] {
        assert_eq!(blocked.assess().requeue_after, blocked.desired().spec.policy.interval);
    }
}

#[test]
fn time_to_wait_is_a_step() {
    let world = World::migrating()
        .with(|world| there(&mut world.observation.database).status = "backing-up".into());
    let assessment = world.assess();
    assert_eq!(assessment.plan[0].step, StepKind::Wait);
    assert_eq!(assessment.plan[0].summary, "wait for database-available to open");
    assert_eq!(assessment.next_step().map(|step| step.step), Some(StepKind::Wait));
    assert_eq!(assessment.phase, Phase::Waiting);
    assert_eq!(assessment.requeue_after, super::SOON);
}

#[test]
fn while_a_change_runs_the_only_step_is_to_wait() {
    for world in [
        World::migrating()
            .with(|world| there(&mut world.observation.products)[0].status = "UNDER_CHANGE".into()),
        World::migrated()
            .with(|world| there(&mut world.observation.root).status = "UPDATE_IN_PROGRESS".into()),
        World::staying()
            .with(|world| there(&mut world.observation.last_record).status = "IN_PROGRESS".into()),
    ] {
        assert_eq!(steps(&world), [StepKind::Wait]);
    }
}

#[test]
fn events_that_are_not_paused_need_no_steps() {
    let world = World::migrating().edit("{pause: true}", "{pause: false}");
    assert_eq!(steps(&world), [StepKind::Update]);
}

/// Every trigger off, under a hold that was made at noon less so many seconds.
fn held(age: i64, by: &str) -> World {
    World::migrating().with(|world| {
        let digest = world.desired().digest();
        let at = world.observation.now.as_second() - age;
        for trigger in &mut there(&mut world.observation.triggers).mappings {
            let tags = trigger.tags.as_mut().unwrap();
            let value = format!("held rec-1 {at} ctl-1 {} {by}", digest.as_str());
            tags.insert("ted-controller:hold:pp-senyqa2ncjkws".into(), value);
            trigger.state = "Disabled".into();
        }
    })
}

#[test]
fn what_is_held_or_disabled_already_is_not_done_again() {
    assert_eq!(steps(&held(200, "made:0")), [Update, Release, Enable]);
    assert_eq!(next(&held(200, "made:0")), Some(Update));
}

#[test]
fn the_update_waits_for_running_events_and_comes_in_the_first_half_of_the_lease_or_not_at_all() {
    assert_eq!(next(&held(30, "made:0")), Some(StepKind::Wait), "the drain");
    assert_eq!(next(&held(899, "made:0")), Some(Update));
    assert_eq!(next(&held(901, "made:0")), Some(Release), "too old: given back by its maker");
    assert_eq!(next(&held(200, "")), Some(Hold), "of an earlier process: taken over");
    assert_eq!(next(&held(901, "")), Some(StepKind::Wait), "an earlier process may be at work");
    assert_eq!(next(&held(1801, "")), Some(Release), "nobody is coming any more");
}

#[test]
fn a_gate_that_stays_closed_gives_events_back_and_one_that_opens_soon_does_not() {
    let backup = |world: &mut World, status: &str| {
        there(&mut world.observation.database).status = status.into();
    };
    let soon = held(200, "made:0").with(|world| backup(world, "backing-up"));
    assert_eq!(next(&soon), Some(StepKind::Wait));
    assert_eq!(next(&held(301, "made:0").with(|world| backup(world, "backing-up"))), Some(Release));
    assert_eq!(next(&held(200, "made:0").with(|world| backup(world, "stopped"))), Some(Release));
    let frozen = held(200, "made:0")
        .with(|world| world.context.frozen = Some(Frozen::ByHand(String::new())));
    assert_eq!(next(&frozen), Some(Release));
    assert_eq!(
        survey(&frozen.observation, &frozen.context).next.map(|step| step.step),
        Some(Release)
    );
}

fn next(world: &World) -> Option<StepKind> {
    world.assess().next_step().map(|step| step.step)
}

#[test]
fn what_could_not_be_read_never_passes_for_in_sync() {
    use super::types::ConditionStatus::{self, False, True, Unknown};
    type Row = (&'static str, fn(&mut World), [ConditionStatus; 4], Phase);
    let status = |assessment: &Assessment, kind| {
        assessment.conditions.iter().find(|condition| condition.kind == kind).unwrap().status
    };
    let none = |world: &mut World| there(&mut world.observation.products).clear();
    // Ready, Reconciling, Drifted, OutOfSync.
    let rows: [Row; 14] = [
        ("nothing", |_| {}, [True, False, False, False], Phase::Steady),
        ("products", |w| w.observation.products = denied(), [Unknown; 4], Phase::Blocked),
        ("root", |w| w.observation.root = denied(), [Unknown; 4], Phase::Blocked),
        ("nested", |w| w.observation.nested = denied(), [Unknown; 4], Phase::Blocked),
        ("caches", |w| w.observation.caches = denied(), [Unknown; 4], Phase::Blocked),
        ("database", |w| w.observation.database = denied(), [Unknown; 4], Phase::Blocked),
        ("template", |w| w.observation.template = denied(), [Unknown; 4], Phase::Blocked),
        (
            "last record",
            |w| w.observation.last_record = denied(),
            [Unknown, Unknown, False, Unknown],
            Phase::Blocked,
        ),
        (
            "versions",
            |w| w.observation.versions = denied(),
            [Unknown, Unknown, False, Unknown],
            Phase::Blocked,
        ),
        (
            "triggers",
            |w| w.observation.triggers = denied(),
            [Unknown, Unknown, False, Unknown],
            Phase::Blocked,
        ),
        (
            "tags of a trigger that is off",
            |w| {
                let trigger = &mut there(&mut w.observation.triggers).mappings[0];
                (trigger.tags, trigger.state) = (None, "Disabled".into());
                w.observation.details.tags = Some(denial());
            },
            [Unknown, Unknown, False, Unknown],
            Phase::Blocked,
        ),
        // No finding needs these: they are reported, and nothing else hangs on them.
        (
            "tags of a trigger that is on",
            |w| w.observation.details.tags = Some(denial()),
            [True, False, False, False],
            Phase::Steady,
        ),
        (
            "history",
            |w| w.observation.history = denied(),
            [True, False, False, False],
            Phase::Steady,
        ),
        ("paths", |w| w.observation.paths = denied(), [True, False, False, False], Phase::Steady),
    ];
    for (why, bend, wanted, phase) in rows {
        let assessment = World::staying().with(bend).assess();
        let found = [
            ConditionType::Ready,
            ConditionType::Reconciling,
            ConditionType::Drifted,
            ConditionType::OutOfSync,
        ]
        .map(|kind| status(&assessment, kind));
        assert_eq!(
            (found, assessment.phase),
            (wanted, phase),
            "{why}: {:?}",
            assessment.conditions
        );
    }
    let gone = World::staying().with(none).assess();
    assert_eq!(status(&gone, ConditionType::Ready), False);
    assert_eq!(status(&gone, ConditionType::Drifted), Unknown, "nothing was compared");
    assert_eq!(status(&gone, ConditionType::OutOfSync), Unknown, "nothing was compared");
}

#[test]
fn what_is_known_to_differ_is_false_whatever_else_is_unread() {
    let world = World::migrating().with(|world| world.observation.last_record = denied());
    let ready = world.assess().conditions[0].clone();
    assert_eq!(
        (ready.status, ready.reason.as_str()),
        (super::types::ConditionStatus::False, "Drifted")
    );
}

#[test]
fn a_survey_needs_no_document() {
    let world = World::migrating();
    let assessment = survey(&world.observation, &world.context);
    assert_eq!((assessment.plan.len(), assessment.gates.len()), (0, 0));
    assert_eq!(assessment.actual.engine.as_deref(), Some("redis"));
    assert!(!assessment.may_start());
}

#[test]
fn an_assessment_is_the_same_byte_for_byte_and_reads_back() {
    let world = World::migrating();
    let text = serde_json::to_string(&world.assess()).unwrap();
    assert_eq!(text, serde_json::to_string(&world.clone().assess()).unwrap());
    let back: Assessment = serde_json::from_str(&text).unwrap();
    assert_eq!(back.plan, world.assess().plan);
    assert!(!text.contains("hunter"), "{text}");
}

/// What can happen to a world, so that worlds of every kind come about.
pub(super) const BENDS: &[fn(&mut World)] = &[
    |w| w.observation.caller = denied(),
    |w| w.observation.products = denied(),
    |w| w.observation.last_record = denied(),
    |w| w.observation.last_success = denied(),
    |w| w.observation.history = denied(),
    |w| w.observation.versions = denied(),
    |w| w.observation.paths = denied(),
    |w| w.observation.target = denied(),
    |w| w.observation.root = denied(),
    |w| w.observation.template = denied(),
    |w| w.observation.nested = denied(),
    |w| w.observation.relatives = denied(),
    |w| w.observation.caches = denied(),
    |w| w.observation.database = denied(),
    |w| w.observation.triggers = denied(),
    |w| w.observation.products = Seen::Absent,
    |w| w.observation.caches = Seen::Absent,
    |w| w.observation.database = Seen::Absent,
    |w| w.document = w.document.replace("v1.52.1", "v1.39.2"),
    |w| w.document = w.document.replace("v1.52.1", "\">=1.50, <2\""),
    |w| w.document = w.document.replace("approve: [redis-to-valkey]", "approve: []"),
    |w| {
        w.document = w
            .document
            .replace("{engine: valkey, version: \"8.0\"}", "{engine: redis, version: \"7.1\"}");
    },
    |w| w.document = w.document.replace("\"8.0\"", "\"7.2\""),
    |w| w.document = w.document.replace("\"8.0\"", "\"8.1\""),
    |w| w.document = w.document.replace("mode: apply", "mode: observe"),
    |w| {
        // A bend may come twice, a field may not.
        if !w.document.contains("  parameters:") {
            w.document =
                w.document.replace("  events:", "  parameters: {MaxConnections: 800}\n  events:");
        }
    },
    |w| w.document = w.document.replace("pause: true", "pause: false"),
    |w| {
        if let Seen::Present(caches) = &mut w.observation.caches {
            caches[0].nodes.iter_mut().for_each(|node| {
                node.engine = Some("valkey".into());
                node.engine_version = Some("8.1.0".into());
            });
        }
    },
    |w| {
        if let Seen::Present(caches) = &mut w.observation.caches
            && let Some(node) = caches[0].nodes.first_mut()
        {
            node.engine = Some("valkey".into());
        }
    },
    |w| {
        if let Seen::Present(products) = &mut w.observation.products
            && let Some(product) = products.first_mut()
        {
            product.status = "TAINTED".into();
            product.artifact_id = Some("pa-1521".into());
        }
    },
    |w| {
        if let Seen::Present(root) = &mut w.observation.root {
            root.outputs.clear();
        }
    },
    |w| {
        if let Seen::Present(database) = &mut w.observation.database {
            database.allocated_storage = Some(180);
        }
    },
    |w| w.context.frozen = Some(Frozen::ByHand(String::new())),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is bent, what may be started never goes back, never skips a gate, and never sends what it must not.
    #[test]
    fn what_may_start_is_always_right(
        migrated in any::<bool>(),
        renamed in any::<bool>(),
        bends in proptest::collection::vec(0..BENDS.len(), 0..4),
    ) {
        let mut world = if migrated { World::migrated() } else { World::migrating() };
        if renamed {
            rename_all(&mut world.observation);
        }
        for bend in &bends {
            BENDS[*bend](&mut world);
        }
        // Renamed keys make documents that name one ask for what is not there; that is their obstacle.
        let assessment = world.assess();
        prop_assert_eq!(&assessment, &world.assess(), "the same again");
        let desired = world.desired();
        let facts = Facts::of(Some(&desired), &world.observation);
        let startable = assessment.next_step().is_some_and(|step| step.step.begins_something());
        let closed: Vec<_> = assessment.gates.iter().filter(|gate| !gate.holds).collect();
        if startable {
            prop_assert!(closed.is_empty(), "{closed:?}");
            let order = planned_update(&assessment).unwrap();
            prop_assert!(assessment.next_step().is_some());
            // Said again, from the observation itself.
            let read = |text: &str| TedVersion::read(text).unwrap();
            let root = world.observation.root.present().unwrap();
            if let Some(release) = root.outputs.get("ReleaseVersion") {
                prop_assert!(read(&order.artifact_name) >= read(release), "never a downgrade");
            }
            let engines: Vec<&str> = world.observation.caches.present().into_iter().flatten()
                .flat_map(|cache| cache.nodes.iter().filter_map(|node| node.engine.as_deref())).collect();
            if engines.contains(&"valkey") {
                prop_assert!(desired.spec.cache.as_ref().is_none_or(|cache| cache.engine == crate::desired::Engine::Valkey), "never back to Redis");
            } else if desired.spec.cache.as_ref().is_some_and(|cache| cache.engine == crate::desired::Engine::Valkey) {
                prop_assert!(world.document.contains("redis-to-valkey"), "never through the door without its key");
            }
            let gap = [world.observation.caller.gap(), world.observation.root.gap(), world.observation.database.gap(), world.observation.caches.gap(), world.observation.nested.gap()];
            prop_assert!(gap.iter().all(Option::is_none), "nothing starts on what could not be read");
            let changes = facts.target.moves() || order.parameters.iter().any(|parameter| matches!(parameter.value, super::types::ParameterValue::Value(_)));
            prop_assert!(changes, "never an empty update");
        }
        for gate in &assessment.gates {
            prop_assert_eq!(gate.holds, matches!(gate.state, GateState::Holds | GateState::NotApplicable));
        }
    }

    /// The choice of a version, said again as a filter and a maximum.
    #[test]
    fn a_range_takes_the_newest_that_is_fit(
        running in 0_usize..8,
        on_offer in proptest::collection::btree_map(0_usize..8, (any::<bool>(), any::<bool>()), 1..8),
    ) {
        const NAMES: [&str; 8] = ["v1.9.0", "v1.10.0", "v1.44.0", "v1.50.0", "v1.51.0-beta.2", "v1.51.0", "v1.52.1", "v2.0.0"];
        let in_range = |place: usize| matches!(place, 3 | 5 | 6);
        let mut world = World::migrating().edit("v1.52.1", "\">=1.50, <2\"");
        there(&mut world.observation.root).outputs.insert("ReleaseVersion".into(), NAMES[running][1..].into());
        let artifacts = on_offer.iter().map(|(place, (active, deprecated))| {
            let mut artifact = artifact(&format!("pa-{place}"), NAMES[*place]);
            (artifact.active, artifact.deprecated) = (*active, *deprecated);
            artifact
        });
        world.observation.versions = Seen::Present(artifacts.collect());
        let desired = world.desired();
        let facts = Facts::of(Some(&desired), &world.observation);
        // The names are in their order already.
        let newest = on_offer.iter().filter(|(place, (active, deprecated))| *active && !*deprecated && in_range(**place)).map(|(place, _)| *place).max();
        match &facts.target {
            Target::Keep { artifact: _ } => prop_assert!(in_range(running)),
            Target::Move { version, artifact } => {
                prop_assert!(!in_range(running));
                prop_assert_eq!(version.to_string(), NAMES[newest.unwrap()]);
                prop_assert_eq!(&artifact.name, &version.to_string());
            }
            Target::NotOffered => prop_assert!(!in_range(running) && newest.is_none()),
            other @ (Target::Several(_) | Target::Unknown(_)) => prop_assert!(false, "{other:?}"),
        }
    }

    /// Two befores have two tokens, one before has one, and Service Catalog takes them all.
    #[test]
    fn a_token_tells_befores_apart(one in "[a-z-]{0,6}", record in proptest::option::of("[a-z-]{0,6}"), other in "[a-z-]{0,6}", other_record in proptest::option::of("[a-z-]{0,6}")) {
        let token = update_token(&one, record.as_deref());
        let same = one == other && record == other_record;
        prop_assert_eq!(token == update_token(&other, other_record.as_deref()), same);
        prop_assert!((1..=128).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}

#[test]
fn mixed_nodes_are_shown_as_such() {
    let world = World::migrating().with(|world| {
        there(&mut world.observation.caches)[0].nodes[0].engine_version = Some("7.0.7".into());
    });
    let desired = world.desired();
    let facts = Facts::of(Some(&desired), &world.observation);
    assert_eq!(facts.engine_version, Agreed::Mixed(vec!["7.0.7".into(), "7.1.0".into()]));
    assert_eq!(world.assess().actual.engine_version.as_deref(), Some("7.0.7, 7.1.0"));
    assert!(gate(&world.assess(), "product").holds);
}
