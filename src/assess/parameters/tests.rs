//! The list of an update against a second, simpler statement of its rules, over invented templates.

use super::*;
use crate::assess::testing::{World, there};
use crate::assess::types::Order;
use crate::observe::observation::{Seen, StackParameter};
use proptest::prelude::*;

/// An invented parameter of both versions, of one, or of none.
#[derive(Clone, Debug)]
struct Invented {
    in_present: bool,
    in_target: bool,
    secret: bool,
    default: Option<u8>,
    /// What the running stack has.
    value: u8,
    /// What the document asks for.
    wish: Option<u8>,
}

fn invented() -> impl Strategy<Value = Vec<Invented>> {
    let one = (
        any::<bool>(),
        any::<bool>(),
        proptest::bool::weighted(0.2),
        proptest::option::weighted(0.8, 0_u8..3),
        0_u8..3,
        proptest::option::weighted(0.3, 0_u8..3),
    )
        .prop_map(|(in_present, in_target, secret, default, value, wish)| Invented {
            in_present,
            in_target,
            secret,
            default,
            value,
            wish,
        });
    proptest::collection::vec(one, 0..8)
}

fn key(place: usize) -> String {
    format!("Invented{place}")
}

fn world(invented: &[Invented], moves: bool) -> World {
    let mut world = if moves { World::migrating() } else { World::staying() };
    let mut wishes = Vec::new();
    for (place, one) in invented.iter().enumerate() {
        let parameter = Parameter {
            key: key(place),
            kind: "Number".to_owned(),
            default: one.default.map(|value| value.to_string()),
            no_echo: one.secret,
            ..Parameter::default()
        };
        if one.in_present {
            there(&mut world.observation.template).parameters.push(parameter.clone());
            let value = if one.secret { "****".to_owned() } else { one.value.to_string() };
            there(&mut world.observation.root)
                .parameters
                .insert(key(place), StackParameter { value, resolved: None });
        }
        if let Seen::Present(offer) = &mut world.observation.target
            && one.in_target
        {
            there(&mut offer.parameters).push(parameter);
        }
        wishes.extend(one.wish.map(|wish| format!("{}: {wish}", key(place))));
    }
    world.edit("  policy:", &format!("  parameters: {{{}}}\n  policy:", wishes.join(", ")))
}

fn draft_of(world: &World) -> Draft {
    let desired = world.desired();
    draft(&desired, &Facts::of(Some(&desired), &world.observation), false)
}

proptest! {
    /// Each parameter of the target version once and no other; a value only where one is asked for and differs; the previous one
    /// only where the stack has one; a secret's value never.
    #[test]
    fn the_list_of_an_update_keeps_the_rules(invented in invented(), moves in any::<bool>()) {
        let world = world(&invented, moves);
        let draft = draft_of(&world);
        let template = match &world.observation.target {
            Seen::Present(offer) => offer.parameters.present().unwrap(),
            Seen::Absent | Seen::Unreadable(_) | Seen::NotLooked => &world.observation.template.present().unwrap().parameters,
        };
        let keys: Vec<&String> = draft.list.iter().map(|parameter| &parameter.key).collect();
        prop_assert_eq!(keys, template.iter().map(|parameter| &parameter.key).collect::<Vec<_>>());
        for (place, one) in invented.iter().enumerate() {
            let in_target = if moves { one.in_target } else { one.in_present };
            let sent = draft.list.iter().find(|parameter| parameter.key == key(place)).map(|parameter| &parameter.value);
            let expected = match (in_target, one.in_present, one.secret, one.wish) {
                (false, ..) => None,
                (true, true, false, Some(wish)) if wish != one.value => Some(ParameterValue::Value(wish.to_string())),
                (true, true, ..) => Some(ParameterValue::Previous),
                (true, false, false, Some(wish)) => Some(ParameterValue::Value(wish.to_string())),
                (true, false, ..) => Some(ParameterValue::Default),
            };
            prop_assert_eq!(sent, expected.as_ref(), "{:?}", one);
            // What must stand in the way: a new one that nobody gives a value, a secret in the document, a key that is not there.
            let stuck = (in_target && !one.in_present && one.default.is_none() && (one.secret || one.wish.is_none()))
                || (one.wish.is_some() && (one.secret || !in_target));
            let named = draft.obstacles.iter().any(|obstacle| obstacle.message.contains(&format!("`{}`", key(place))));
            let dropped = one.in_present && !in_target && (one.secret || one.default != Some(one.value));
            prop_assert_eq!(named, stuck || dropped, "{:?}: {:?}", one, draft.obstacles);
        }
        prop_assert!(!format!("{:?}", draft.list).contains("**"), "a mask never travels");
    }

    /// An update that changes nothing is never planned, and one that changes something is, unless something stands in its way.
    #[test]
    fn an_empty_update_is_never_planned(invented in invented(), moves in any::<bool>()) {
        let world = world(&invented, moves);
        let draft = draft_of(&world);
        let assessment = world.assess();
        let update = assessment.plan.iter().find_map(|step| match &step.order {
            Order::Update(order) => Some(order),
            Order::Triggers(_) | Order::Continue(_) | Order::Wait(_) | Order::Later => None,
        });
        let changes = moves || invented.iter().any(|one| one.in_present && !one.secret && one.wish.is_some_and(|wish| wish != one.value));
        prop_assert_eq!(update.is_some(), changes && draft.obstacles.is_empty());
        if let Some(update) = update {
            let differs = update.artifact_name != "v1.44.0"
                || update.parameters.iter().any(|parameter| matches!(parameter.value, ParameterValue::Value(_)));
            prop_assert!(differs);
        }
    }

    /// After an update has done what its list says, nothing is left to do.
    #[test]
    fn an_update_carried_out_is_the_last_one(invented in invented()) {
        let mut world = world(&invented, false);
        let draft = draft_of(&world);
        for parameter in &draft.list {
            if let ParameterValue::Value(value) = &parameter.value {
                there(&mut world.observation.root).parameters.get_mut(&parameter.key).unwrap().value.clone_from(value);
            }
        }
        prop_assert!(!draft_of(&world).differs);
        prop_assert_eq!(world.assess().plan, vec![]);
    }
}

#[test]
fn the_changes_of_a_migration_are_told_in_the_target_versions_order() {
    let told: Vec<String> = draft_of(&World::migrating())
        .changes
        .iter()
        .map(|change| {
            let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            format!(
                "{:?} {} {} > {}: {}",
                change.change,
                change.key,
                text(&change.from),
                text(&change.to),
                change.why
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "New ElastiCacheEngine - > valkey: the document's `spec.cache.engine` asks for it",
            "New ValkeyCacheVersion - > 8.0: the document's `spec.cache.version` asks for it",
            "New PgBouncer - > false: new in v1.52.1: its default",
            "Dropped DatabaseStatementLogging none > -: v1.52.1 has it no more",
        ]
    );
}

#[test]
fn a_redefined_parameter_is_told_and_keeps_its_value() {
    let world = World::migrating().with(|world| {
        let parameters = there(&mut there(&mut world.observation.target).parameters);
        parameters[4].default = Some("800".to_owned());
        parameters[12].allowed_values.push("cache.r7g.large".to_owned());
    });
    let draft = draft_of(&world);
    let told = |key: &str| {
        draft
            .changes
            .iter()
            .find(|change| change.key == key)
            .map(|change| (change.change, change.why.clone()))
    };
    assert_eq!(
        told("MaxConnections"),
        Some((ChangeKind::Redefined, "its default changes from `500` to `800`".to_owned()))
    );
    assert_eq!(told("CacheNodeType").unwrap().1, "it also allows `cache.r7g.large`");
}

#[test]
fn storage_is_adopted_along_with_an_update_and_is_no_reason_for_one() {
    let grown =
        |world: &mut World| there(&mut world.observation.database).allocated_storage = Some(210);
    assert!(!draft_of(&World::staying().with(grown)).differs, "no reason");
    let draft = draft_of(&World::migrating().with(grown));
    let size = draft.list.iter().find(|parameter| parameter.key == "AllocatedStorage").unwrap();
    assert_eq!(
        size.value,
        ParameterValue::Value("210".to_owned()),
        "as text: CloudFormation has no numbers"
    );
    assert_eq!(draft.changes[0].why, "storage is adopted as RDS has it");
}

#[test]
fn a_word_in_the_document_is_not_overruled_by_adoption() {
    let world = World::migrating()
        .edit("  events:", "  parameters: {AllocatedStorage: 300}\n  events:")
        .with(|world| there(&mut world.observation.database).allocated_storage = Some(210));
    let draft = draft_of(&world);
    let size = draft.list.iter().find(|parameter| parameter.key == "AllocatedStorage").unwrap();
    assert_eq!(size.value, ParameterValue::Value("300".to_owned()));
}
