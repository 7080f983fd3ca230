//! The simulated AWS through the in-process door, with the Rust SDKs as clients, under paused time.

#![expect(clippy::unwrap_used, reason = "a world that does not start fails the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "here the SDKs are the judges of the simulated AWS: they write, and wait, as any client would"
)]

#[path = "support/migration.rs"]
mod migration;

use migration::{Migrated, migrate};
use std::collections::BTreeSet;
use ted_sim::{Scenario, Sim};

fn nodes(of: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    of.iter().map(|(engine, version)| ((*engine).to_owned(), (*version).to_owned())).collect()
}

async fn migrated(scenario: &str) -> (Sim, Migrated) {
    let sim = Sim::start(&Scenario::named(scenario).unwrap(), 1.0).unwrap();
    let outcome = migrate(&sim).await;
    (sim, outcome)
}

#[tokio::test(start_paused = true)]
async fn the_rust_sdks_migrate_to_valkey_in_each_of_the_three_ways() {
    let valkey = &[("valkey", "8.0.1")][..];
    for (scenario, expected) in [
        ("in-place", valkey),
        ("replace", valkey),
        ("leave-behind", &[("redis", "7.1.0"), ("valkey", "8.0.1")][..]),
    ] {
        let (_, outcome) = migrated(scenario).await;
        assert_eq!(outcome.record.as_str(), "SUCCEEDED", "{scenario}");
        assert_eq!(outcome.stack, "UPDATE_COMPLETE", "{scenario}");
        assert_eq!(outcome.nodes, nodes(expected), "{scenario}");
        assert_eq!(outcome.triggers, BTreeSet::from(["Enabled".to_owned()]), "{scenario}");
        // The group that stays behind still uses its parameter group, so that cannot go either.
        let kept: Vec<&str> = outcome.failed_events.iter().map(|event| &event[..28]).collect();
        let expected: &[&str] =
            if scenario == "leave-behind" { &["Some(\"CacheParameterGroup\") "] } else { &[] };
        assert_eq!(kept, expected, "{scenario}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_run_to_the_byte() {
    let (first, _) = migrated("in-place").await;
    let (second, _) = migrated("in-place").await;
    let told = |sim: &Sim| {
        (
            format!("{:?}", sim.log()),
            sim.look(|world| format!("{:?}", world.journal().collect::<Vec<_>>())),
        )
    };
    let (first, second) = (told(&first), told(&second));
    assert!(first.0.len() > 10_000, "the log tells of the whole migration");
    assert_eq!(first, second);
}
