use super::super::gates;
use super::super::testing::{World, denied, there};
use super::super::types::Assessment;
use super::*;
use std::collections::BTreeSet;

fn known(of: Of) -> BTreeSet<&'static str> {
    all().filter(|known| known.of == of).map(|known| known.code).collect()
}

#[test]
fn every_code_is_there_once_and_explained() {
    let mut seen = BTreeSet::new();
    for known in all() {
        assert!(seen.insert((known.of, known.code)), "{} twice", known.code);
        assert!(known.meaning.ends_with('.') && known.action.ends_with('.'), "{}", known.code);
    }
}

#[test]
fn every_gate_is_explained_and_no_other() {
    let gates: BTreeSet<&str> = gates::names().collect();
    assert_eq!(known(Of::Gate), gates);
}

#[test]
fn every_code_in_the_source_of_the_findings_is_explained_and_no_other() {
    let source = [
        include_str!("../findings/drift.rs"),
        include_str!("../findings/sync.rs"),
        include_str!("../findings/info.rs"),
    ]
    .concat();
    let pattern = regex_lite::Regex::new(r#""((?:drift|sync|info)/[a-z-]+)""#).unwrap();
    let mut found: BTreeSet<&str> =
        pattern.captures_iter(&source).map(|found| found.get(1).unwrap().as_str()).collect();
    // Fixed by the design; it takes two looks, and is found by what remembers the first.
    found.insert("sync/backlog-not-draining");
    assert_eq!(known(Of::Finding), found);
}

#[test]
fn every_reason_that_conditions_give_is_explained() {
    let reasons = known(Of::Reason);
    let check = |assessment: &Assessment| {
        for condition in &assessment.conditions {
            assert!(reasons.contains(condition.reason.as_str()), "{}", condition.reason);
        }
    };
    check(&World::staying().assess());
    check(&World::migrating().assess());
    check(&World::migrated().assess());
    check(&World::migrating().with(|w| w.observation.caches = denied()).assess());
    check(&World::migrating().edit("approve: [redis-to-valkey]", "approve: []").assess());
    check(&World::staying().with(|w| there(&mut w.observation.products).clear()).assess());
    let source = include_str!("../conditions.rs");
    for reason in &reasons {
        assert!(source.contains(&format!("\"{reason}\"")), "nobody gives the reason {reason}");
    }
}

#[test]
fn a_slip_of_the_pen_is_met_with_what_was_meant() {
    assert_eq!(explain("SYNC/Storage")[0].code, "sync/storage");
    assert_eq!(similar("sync/storrage"), ["sync/storage"]);
    assert!(similar("one-wya").contains(&"one-way"));
    assert!(similar("zzzzzz").is_empty());
}

#[test]
fn the_reference_is_current() {
    crate::golden::check("docs/reference/codes.md", &reference());
}
