use super::*;
use crate::assess::facts::Facts;
use crate::assess::testing::{World, rename_all, template, there};

fn resolution(world: &World, role: Role) -> Resolution {
    Facts::of(Some(&world.desired()), &world.observation).roles.of(role).clone()
}

#[test]
fn words_are_those_of_keys_and_of_labels() {
    for (text, expected) in [
        ("CacheMultiAZ", "cache multi az"),
        ("Enable Multi-AZ", "enable multi az"),
        ("ElastiCache", "elasticache"),
        ("ElastiCacheEngine", "elasticache engine"),
        ("ElastiCache Engine", "elasticache engine"),
        ("DBInstanceClass", "db instance class"),
        ("KmsKeyArn", "kms key arn"),
        ("  ", ""),
    ] {
        assert_eq!(words(text).join(" "), expected, "{text:?}");
    }
}

#[test]
fn every_role_is_found_in_the_default_template_and_when_every_key_is_renamed() {
    let plain = World::migrating();
    let renamed = World::migrating().with(|world| rename_all(&mut world.observation));
    for role in Role::ALL {
        assert!(matches!(resolution(&plain, *role), Resolution::Found { .. }), "{role}");
        let Resolution::Found { key, in_present: _, in_target: true } = resolution(&renamed, *role)
        else {
            panic!("{role}: {:?}", resolution(&renamed, *role))
        };
        assert!(key.starts_with('P'), "{role} is {key}");
    }
    assert_eq!(
        resolution(&plain, Role::CacheEngine),
        Resolution::Found {
            key: "ElastiCacheEngine".to_owned(),
            in_present: false,
            in_target: true
        }
    );
}

#[test]
fn a_renamed_ted_is_assessed_like_any_other() {
    let plain = World::migrating().assess();
    let renamed = World::migrating().with(|world| rename_all(&mut world.observation)).assess();
    let states = |assessment: &crate::assess::types::Assessment| {
        assessment.gates.iter().map(|gate| (gate.gate.clone(), gate.state)).collect::<Vec<_>>()
    };
    assert_eq!(states(&plain), states(&renamed));
    assert_eq!(plain.plan.len(), renamed.plan.len());
}

#[test]
fn a_doubt_is_never_settled_by_a_guess() {
    type Bend = fn(&mut World);
    let rows: &[(&str, Bend, Role, &str)] = &[
        (
            "two parameters with one label",
            |w| {
                let labels = &mut there(&mut w.observation.template).labels;
                labels.insert("MaxConnections".into(), "ElastiCache Version".into());
            },
            Role::RedisVersion,
            "several",
        ),
        (
            "the label moves to another key in the target version",
            |w| {
                let usage = there(&mut there(&mut w.observation.target).usage);
                usage.labels.remove("ElastiCacheVersion");
                usage.labels.insert("ValkeyCacheVersion".into(), "ElastiCache Version".into());
            },
            Role::RedisVersion,
            "in the running version and",
        ),
        (
            "the label is gone in the target version",
            |w| {
                there(&mut there(&mut w.observation.target).usage)
                    .labels
                    .remove("ElastiCacheVersion");
            },
            Role::RedisVersion,
            "nothing says so",
        ),
        (
            "allowed values that are no engines",
            |w| {
                let parameters = there(&mut there(&mut w.observation.target).parameters);
                parameters
                    .iter_mut()
                    .filter(|p| p.key == "ElastiCacheEngine")
                    .for_each(|p| p.allowed_values = vec!["a".into()]);
            },
            Role::CacheEngine,
            "not redis and valkey",
        ),
        (
            "a version of the other engine",
            |w| {
                let parameters = &mut there(&mut w.observation.template).parameters;
                parameters
                    .iter_mut()
                    .filter(|p| p.key == "ElastiCacheVersion")
                    .for_each(|p| p.allowed_values = vec!["8.0".into()]);
            },
            Role::RedisVersion,
            "versions of redis",
        ),
        (
            "another number of nodes than there are, and nothing but the value to tell",
            |w| {
                there(&mut w.observation.root)
                    .parameters
                    .get_mut("CacheNumberOfNodes")
                    .unwrap()
                    .value = "4".into();
            },
            Role::CacheNodes,
            "number of nodes is `2`",
        ),
        (
            "a secret",
            |w| there(&mut w.observation.template).parameters[5].no_echo = true,
            Role::AllocatedStorage,
            "secret",
        ),
        (
            "the document names a key that is nowhere",
            |w| {
                w.document = w
                    .document
                    .replace("  events:", "  parameterKeys: {cacheEngine: CacheKind}\n  events:");
            },
            Role::CacheEngine,
            "no version here has",
        ),
    ];
    for (why, bend, role, expected) in rows {
        let world = World::migrating().with(bend);
        match resolution(&world, *role) {
            Resolution::Doubtful { why: doubt, candidates } => {
                assert!(doubt.contains(expected), "{why}: {doubt}");
                assert!(!candidates.is_empty(), "{why}: a person needs candidates");
            }
            other @ (Resolution::Found { .. }
            | Resolution::Absent { .. }
            | Resolution::Unknown { .. }) => {
                panic!("{why}: {other:?}")
            }
        }
    }
}

#[test]
fn the_documents_word_stands_over_labels_and_evidence() {
    let world = World::migrating()
        .edit("  events:", "  parameterKeys: {cacheEngine: PgBouncer}\n  events:");
    assert_eq!(
        resolution(&world, Role::CacheEngine),
        Resolution::Found { key: "PgBouncer".to_owned(), in_present: false, in_target: true }
    );
}

#[test]
fn what_can_be_undone_is_found_by_its_words_and_what_cannot_is_not() {
    let strip = |world: &mut World| {
        there(&mut world.observation.template).labels.clear();
        there(&mut there(&mut world.observation.target).usage).labels.clear();
    };
    let world = World::migrating().with(strip);
    for (role, expected) in [
        (Role::CacheNodeType, Some("CacheNodeType")),
        (Role::CacheMultiAz, Some("CacheMultiAZ")),
        (Role::HiveName, Some("HiveName")),
        // The guides name this key.
        (Role::AllocatedStorage, Some("AllocatedStorage")),
        (Role::StorageThroughput, None),
        (Role::CacheEngine, None),
        (Role::ValkeyVersion, None),
        (Role::UseCache, None),
    ] {
        match (resolution(&world, role), expected) {
            (Resolution::Found { key, in_present: _, in_target: _ }, Some(expected)) => {
                assert_eq!(key, expected);
            }
            (Resolution::Absent { candidates }, None) => {
                assert!(!candidates.is_empty(), "{role} has look-alikes");
            }
            (other, _) => panic!("{role}: {other:?}"),
        }
    }
}

#[test]
fn a_value_that_was_changed_outside_is_no_doubt_about_the_parameter() {
    let world = World::migrated().with(|world| {
        there(&mut world.observation.caches)[0].nodes.iter_mut().for_each(|node| {
            node.engine = Some("redis".to_owned());
            node.engine_version = Some("7.0.7".to_owned());
        });
    });
    assert!(matches!(resolution(&world, Role::CacheEngine), Resolution::Found { .. }));
    assert!(matches!(resolution(&world, Role::RedisVersion), Resolution::Found { .. }));
}

#[test]
fn without_a_template_nothing_is_known() {
    let template = template("v1.44.0");
    let one = Template { parameters: &template.parameters, labels: Some(&template.labels) };
    for (present, target) in [(None, Some(one)), (Some(one), None), (None, None)] {
        let roles = resolve(present, target, &BTreeMap::new(), &Witness::default());
        assert!(Role::ALL.iter().all(|role| matches!(roles.of(*role), Resolution::Unknown { .. })));
    }
}
