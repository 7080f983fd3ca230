//! The four sides of a TED, cell by cell.

use super::*;
use crate::assess::facts::Facts;
use crate::assess::testing::{World, denied, rename_all, there};
use crate::observe::observation::Cache;
use proptest::prelude::*;

fn table(world: &World) -> Vec<Side> {
    let desired = world.desired();
    let assessment = world.assess();
    let roles = Facts::of(Some(&desired), &world.observation).roles;
    sides(Some(&desired), &world.observation, &roles, &assessment.findings)
}

/// A row's cells as they are shown, and whether it is marked.
fn row_of(world: &World, what: &str) -> Option<([String; 4], bool)> {
    let row = table(world).into_iter().find(|row| row.what == what)?;
    let cells = [&row.desired, &row.service_catalog, &row.cloud_formation, &row.real]
        .map(ToString::to_string);
    Some((cells, !row.findings.is_empty()))
}

type Row = (&'static str, fn(World) -> World, &'static str, [&'static str; 4], bool);

const MARKED: bool = true;
const QUIET: bool = false;

/// Each row bends a TED that is as its document says: why, how, which row of the table, what the four say, whether it is marked.
const ROWS: &[Row] = &[
    ("as it is", |w| w, "status", ["–", "AVAILABLE", "UPDATE_COMPLETE", "–"], QUIET),
    ("as it is", |w| w, "database", ["–", "–", "–", "available"], QUIET),
    ("as it is", |w| w, "cache", ["–", "–", "–", "available"], QUIET),
    ("versions are spelled alike", |w| w, "TED version", ["–", "v1.44.0", "v1.44.0", "–"], QUIET),
    ("before 1.50 no parameter", |w| w, "cache engine", ["redis", "–", "–", "redis"], QUIET),
    ("patch levels", |w| w, "cache version", ["7.1", "–", "–", "7.1.0"], QUIET),
    ("as it is", |w| w, "storage", ["–", "–", "200 GiB", "200 GiB"], QUIET),
    ("as it is", |w| w, "throughput", ["–", "–", "125 MiB/s", "125 MiB/s"], QUIET),
    (
        "a tainted product",
        |w| w.with(|w| there(&mut w.observation.products)[0].status = "TAINTED".into()),
        "status",
        ["–", "TAINTED", "UPDATE_COMPLETE", "–"],
        MARKED,
    ),
    (
        "what was asked for last did not come",
        |w| {
            w.with(|w| {
                there(&mut w.observation.last_record).artifact_id = Some("pa-1521".into());
                let product = &mut there(&mut w.observation.products)[0];
                product.artifact_id = Some("pa-1521".into());
                product.status = "TAINTED".into();
            })
        },
        "TED version",
        ["–", "v1.44.0 (asked for v1.52.1)", "v1.44.0", "–"],
        MARKED,
    ),
    (
        "a version that is not on offer any more is its id",
        |w| w.with(|w| there(&mut w.observation.versions).clear()),
        "TED version",
        ["–", "pa-1440", "v1.44.0", "–"],
        QUIET,
    ),
    (
        "an output that is no version stays as it is",
        |w| {
            w.with(|w| {
                let outputs = &mut there(&mut w.observation.root).outputs;
                outputs.insert("ReleaseVersion".into(), "latest".into());
            })
        },
        "TED version",
        ["–", "v1.44.0", "latest", "–"],
        QUIET,
    ),
    (
        "the wish",
        |_| World::migrating(),
        "TED version",
        ["v1.52.1", "v1.44.0", "v1.44.0", "–"],
        MARKED,
    ),
    ("the wish", |_| World::migrating(), "cache engine", ["valkey", "–", "–", "redis"], MARKED),
    (
        "another engine has another version",
        |_| World::migrating(),
        "cache version",
        ["8.0", "–", "–", "7.1.0"],
        MARKED,
    ),
    ("done", |_| World::migrated(), "cache engine", ["valkey", "–", "valkey", "valkey"], QUIET),
    (
        "keys tell nothing, labels do",
        |_| World::migrated().with(|w| rename_all(&mut w.observation)),
        "cache version",
        ["8.0", "–", "8.0", "8.0.1"],
        QUIET,
    ),
    (
        "one node is ahead of the other",
        |w| {
            w.with(|w| {
                let nodes = &mut there(&mut w.observation.caches)[0].nodes;
                nodes[0].engine = Some("valkey".into());
                nodes[0].engine_version = Some("8.0.1".into());
            })
        },
        "cache engine",
        ["redis", "–", "–", "valkey, redis"],
        MARKED,
    ),
    (
        "the nodes count, not what the group says it is",
        |w| w.with(|w| there(&mut w.observation.caches)[0].engine = Some("valkey".into())),
        "cache engine",
        ["redis", "–", "–", "redis"],
        QUIET,
    ),
    (
        "a group that was left behind is another matter",
        |w| {
            w.with(|w| {
                let mut old = Cache { id: "turbot-einstein-cache-old".into(), ..Cache::default() };
                old.engine = Some("valkey".into());
                old.status = "deleting".into();
                there(&mut w.observation.caches).push(old);
            })
        },
        "cache",
        ["–", "–", "–", "available"],
        MARKED,
    ),
    (
        "grown storage marks its own row",
        |w| w.with(|w| there(&mut w.observation.database).allocated_storage = Some(240)),
        "storage",
        ["–", "–", "200 GiB", "240 GiB"],
        MARKED,
    ),
    (
        "and no other",
        |w| w.with(|w| there(&mut w.observation.database).allocated_storage = Some(240)),
        "IOPS",
        ["–", "–", "3000", "3000"],
        QUIET,
    ),
    (
        "storage that the document names",
        |w| w.edit("  policy:", "  parameters: {AllocatedStorage: 300}\n  policy:"),
        "storage",
        ["300 GiB", "–", "200 GiB", "200 GiB"],
        MARKED,
    ),
    (
        "another node type than the stack says",
        |w| {
            w.with(|w| {
                there(&mut w.observation.caches)[0].node_type = Some("cache.r6g.large".into());
            })
        },
        "cache node type",
        ["–", "–", "cache.m6g.large", "cache.r6g.large"],
        MARKED,
    ),
    (
        "zones are spelled as the template spells them",
        |w| {
            w.with(|w| there(&mut w.observation.caches)[0].multi_az = Some("disabled".into()))
                .edit("version: \"7.1\"}", "version: \"7.1\", multiAz: true}")
        },
        "multi-AZ",
        ["true", "–", "true", "false"],
        MARKED,
    ),
    (
        "an SSM parameter shows what it comes to",
        |w| {
            w.with(|w| {
                let root = there(&mut w.observation.root);
                let parameter = root.parameters.get_mut("CacheAuthMode").unwrap();
                parameter.resolved = Some("IAM".into());
            })
        },
        "cache access",
        ["–", "–", "IAM", "–"],
        MARKED,
    ),
    (
        "how clients get in",
        |w| {
            w.with(|w| {
                let cache = &mut there(&mut w.observation.caches)[0];
                cache.auth_token = Some(false);
                cache.transit_encryption = Some(false);
            })
        },
        "cache access",
        ["–", "–", "Redis Password", "no password, not encrypted"],
        MARKED,
    ),
    (
        "no cache",
        |w| w.with(|w| w.observation.caches = Seen::Absent),
        "cache",
        ["–", "–", "–", "absent"],
        MARKED,
    ),
    (
        "a cache that may not be seen is not absent",
        |w| w.with(|w| w.observation.caches = denied()),
        "cache engine",
        ["redis", "–", "–", "unreadable (AccessDenied)"],
        QUIET,
    ),
    (
        "a stack that may not be seen",
        |w| w.with(|w| w.observation.root = denied()),
        "status",
        ["–", "AVAILABLE", "unreadable (AccessDenied)", "–"],
        QUIET,
    ),
];

#[test]
fn each_side_says_what_it_knows() {
    for (why, bend, what, cells, marked) in ROWS {
        let (found, is_marked) = row_of(&bend(World::staying()), what).unwrap();
        assert_eq!(found, *cells, "{what}: {why}");
        assert_eq!(is_marked, *marked, "{what}: {why}");
    }
}

#[test]
fn a_row_about_which_nobody_says_anything_is_left_out() {
    let mute = World::staying().with(|w| there(&mut w.observation.caches)[0].multi_az = None);
    assert!(row_of(&mute, "multi-AZ").is_some(), "the stack says something");
    let silent = mute.with(|w| {
        there(&mut w.observation.root).parameters.remove("CacheMultiAZ");
    });
    assert!(row_of(&silent, "multi-AZ").is_none());
}

#[test]
fn rows_come_in_the_order_in_which_people_ask() {
    let rows: Vec<String> = table(&World::migrating()).into_iter().map(|row| row.what).collect();
    assert_eq!(
        rows,
        [
            "status",
            "database",
            "cache",
            "TED version",
            "cache engine",
            "cache version",
            "cache node type",
            "cache nodes",
            "multi-AZ",
            "cache access",
            "storage",
            "maximum storage",
            "IOPS",
            "throughput",
        ]
    );
}

/// What may be unreadable.
const DENIALS: &[fn(&mut World)] = &[
    |w| w.observation.products = denied(),
    |w| w.observation.root = denied(),
    |w| w.observation.caches = denied(),
    |w| w.observation.database = denied(),
];

proptest! {
    /// What could not be read is shown as that: it is never a value, and so never equal to one.
    #[test]
    fn unknown_is_never_equal(
        migrated in any::<bool>(),
        denials in proptest::collection::btree_set(0..DENIALS.len(), 1..=DENIALS.len()),
    ) {
        let mut world = if migrated { World::migrated() } else { World::migrating() };
        let whole = table(&world);
        for denial in &denials {
            DENIALS[*denial](&mut world);
        }
        for row in table(&world) {
            for cell in [&row.desired, &row.service_catalog, &row.cloud_formation, &row.real] {
                prop_assert_eq!(
                    cell.state == CellState::Unreadable,
                    cell.to_string().starts_with("unreadable"),
                );
                prop_assert_eq!(cell.state == CellState::Silent, cell.to_string() == "–");
            }
            // A cell whose source is denied says so or nothing; all others say what they said before.
            let before = whole.iter().find(|other| other.what == row.what);
            for (place, cell) in [
                (0, &row.service_catalog),
                (1, &row.cloud_formation),
            ] {
                // Which version was asked for last is read from records, which these denials leave alone.
                if place == 0 && row.what != "status" {
                    continue;
                }
                if denials.contains(&place) {
                    prop_assert_ne!(cell.state, CellState::Known, "{} {:?}", row.what, cell);
                } else if let Some(before) = before {
                    let was = [&before.service_catalog, &before.cloud_formation][place];
                    // Without the stack's template no key is known.
                    prop_assert!(cell == was || denials.contains(&1), "{}: {was} became {cell}", row.what);
                }
            }
            let of_database = ["database", "storage", "maximum storage", "IOPS", "throughput"]
                .contains(&row.what.as_str());
            let source = if of_database { 3 } else { 2 };
            if denials.contains(&source) {
                prop_assert_ne!(row.real.state, CellState::Known, "{}", row.what);
            }
        }
    }
}
