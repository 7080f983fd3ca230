use super::super::gates;
use super::super::testing::{World, denied, there};
use super::super::types::Assessment;
use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

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
fn the_page_for_the_night_leaves_no_gate_finding_or_condition_out() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let page = fs::read_to_string(path).unwrap();
    let conditions = ["Ready", "Reconciling", "Stalled", "Drifted", "OutOfSync", "EventsPaused"];
    let codes = known(Of::Gate).into_iter().chain(known(Of::Finding)).chain(conditions);
    let missing: Vec<&str> = codes.filter(|code| !page.contains(&format!("`{code}`"))).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_code_in_the_source_of_the_findings_is_explained_and_no_other() {
    let source = [
        include_str!("../findings/drift.rs"),
        include_str!("../findings/sync.rs"),
        include_str!("../findings/info.rs"),
        include_str!("../findings/resource.rs"),
        include_str!("../findings/events.rs"),
    ]
    .concat();
    let pattern = regex_lite::Regex::new(r#""((?:drift|sync|info)/[a-z-]+)""#).unwrap();
    let found: BTreeSet<&str> =
        pattern.captures_iter(&source).map(|found| found.get(1).unwrap().as_str()).collect();
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
}

/// The source of the program, by path below `src/`, without its tests.
fn sources() -> Vec<(String, String)> {
    fn collect(folder: &Path, sources: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, sources);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                if !name.contains("tests") && !name.ends_with("testing.rs") {
                    sources.push((name, code.to_owned()));
                }
            }
        }
    }
    let mut sources = Vec::new();
    collect(&root(), &mut sources);
    sources
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Where a reason stands in the source: what comes before the word, and where the text in which it is looked for begins and ends.
const PLACES: &[(&str, &str, &str)] = &[
    // A field, everywhere.
    (r#"reason: "([A-Z][A-Za-z]+)""#, "", ""),
    // A function that says it, or a match that chooses it.
    (r#"=> "([A-Z][A-Za-z]+)""#, "fn reason(", "\n    }\n"),
    (r#"=> "([A-Z][A-Za-z]+)""#, "let reason = match", "};"),
    // An event.
    (r#"EventKind::[A-Za-z]+,\s*"([A-Z][A-Za-z]+)""#, "", ""),
    (r#"tell\([a-z:A-Z]+, "([A-Z][A-Za-z]+)""#, "", ""),
];

/// Every reason that the source can give, with the file that gives it.
fn given() -> BTreeMap<String, String> {
    let mut given = BTreeMap::new();
    for (name, code) in sources() {
        for (pattern, from, to) in PLACES {
            let pattern = regex_lite::Regex::new(pattern).unwrap();
            let parts: Vec<&str> = if from.is_empty() {
                vec![&code]
            } else {
                let begin = code.match_indices(from).map(|(at, _)| &code[at..]);
                begin.map(|rest| rest.split(to).next().unwrap_or_default()).collect()
            };
            for part in parts {
                for found in pattern.captures_iter(part) {
                    given.insert(found[1].to_owned(), name.clone());
                }
            }
        }
        // So are notices, and what is not a reason there is who is told.
        if name.starts_with("notify/") {
            let word = regex_lite::Regex::new(r#""([A-Z][a-z]+[A-Za-z]*)""#).unwrap();
            let who = ["Slack", "GitHub"];
            for found in word.captures_iter(&code).filter(|found| !who.contains(&&found[1])) {
                given.insert(found[1].to_owned(), name.clone());
            }
        }
        // Conditions are made in many places of one file; what is not a reason there is a state of AWS's.
        if name == "assess/conditions.rs" {
            let word = regex_lite::Regex::new(r#""([A-Z][a-z]+[A-Za-z]*)""#).unwrap();
            let states = ["Enabled", "Enabling"];
            for found in word.captures_iter(&code) {
                if !states.contains(&&found[1]) {
                    given.insert(found[1].to_owned(), name.clone());
                }
            }
        }
    }
    given
}

#[test]
fn every_reason_in_the_source_is_explained_and_no_other() {
    let given = given();
    let all = [Of::Reason, Of::Trouble, Of::Problem, Of::Event, Of::Notice];
    let known: BTreeSet<&str> = all.into_iter().flat_map(known).collect();
    for (reason, file) in &given {
        assert!(
            known.contains(reason.as_str()),
            "src/{file} gives the reason {reason}: explain it in src/assess/codes/table.rs"
        );
    }
    for reason in known {
        assert!(given.contains_key(reason), "nobody gives the reason {reason}");
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
