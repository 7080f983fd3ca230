//! Several sets of documents taken together: what one source says may contradict what another one says.

use super::parse::Defaults;
use super::problem::{Problem, ProblemKind};
use super::set::{Entry, FileState, InForce, settle};
use super::validate::conflicts;

/// Several sets as one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Union {
    /// What is in force in all of them together.
    pub in_force: InForce,
    /// The sets as they were given, in their order, with an error on each document that another set contradicts.
    pub parts: Vec<InForce>,
}

/// Takes sets together. `previous` is what was in force in all of them before.
///
/// The rules are those of files in one set: documents of one name, or for one product, are an error on each of them, stay visible and
/// start nothing; of one name, the one in force stays.
pub fn unite(previous: &InForce, parts: &[&InForce], defaults: &Defaults) -> Union {
    if let [only] = parts {
        // A source has applied these rules to itself.
        return Union { in_force: (*only).clone(), parts: vec![(*only).clone()] };
    }
    let candidates: Vec<Entry> =
        parts.iter().flat_map(|part| part.entries.iter().cloned()).collect();
    let desired: Vec<_> = candidates.iter().map(|entry| &entry.desired).collect();
    let found = conflicts(&desired, defaults);
    let parts: Vec<InForce> =
        parts.iter().map(|part| with_problems(part, &found.problems)).collect();
    let in_force = InForce {
        entries: settle(previous, candidates, &found),
        files: parts.iter().flat_map(|part| part.files.iter().cloned()).collect(),
        notes: parts.iter().flat_map(|part| part.notes.iter().cloned()).collect(),
    };
    Union { in_force, parts }
}

/// The set, with those of the problems that are about its documents and that it does not know yet.
fn with_problems(part: &InForce, problems: &[Problem]) -> InForce {
    let mut part = part.clone();
    for problem in problems {
        let is_ours = part.entries.iter().any(|entry| entry.desired.location == problem.location);
        let file = part.files.iter_mut().find(|file| file.path == problem.location.file);
        if let Some(file) = file.filter(|_| is_ours) {
            add(file, problem);
        }
    }
    part
}

fn add(file: &mut FileState, problem: &Problem) {
    let is_known = file.problems.iter().any(|known| {
        known.kind == ProblemKind::Conflict
            && known.location == problem.location
            && known.message == problem.message
    });
    if !is_known {
        file.problems.push(problem.clone());
        file.problems.sort_by(|a, b| a.location.cmp(&b.location));
        file.valid = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::{File, Standing, keep_last_good, load};
    use Standing::{Contested, Current};

    const A: &str = "engine: redis\nversion: '7.1'\nhive: hv\n";
    const A2: &str = "engine: valkey\nversion: '8.0'\nhive: hv\n";
    const OTHER: &str = "engine: redis\nversion: '7.1'\nhive: hv\nprovisionedProduct: ted-a\n";

    fn set(files: &[(&str, &str)]) -> InForce {
        let files: Vec<File> = files.iter().map(|(path, text)| File::new(*path, *text)).collect();
        keep_last_good(&InForce::default(), &load(&files, &Defaults::default()))
    }

    fn together(previous: &InForce, parts: &[InForce]) -> Union {
        unite(previous, &parts.iter().collect::<Vec<_>>(), &Defaults::default())
    }

    /// Name, standing and engine of what is in force.
    fn standings(in_force: &InForce) -> Vec<(String, Standing, String)> {
        let entries = in_force.entries.iter();
        entries
            .map(|entry| {
                let engine =
                    entry.desired.spec.cache.as_ref().map(|cache| cache.engine.to_string());
                (entry.desired.name.to_string(), entry.standing, engine.unwrap_or_default())
            })
            .collect()
    }

    fn problems(part: &InForce) -> Vec<String> {
        part.problems().map(ToString::to_string).collect()
    }

    #[test]
    fn sets_that_do_not_contradict_each_other_are_all_in_force() {
        let union = together(
            &InForce::default(),
            &[set(&[("x/b.yaml", A)]), set(&[("y/a.yaml", A), ("y/c.txt", "x: 1")])],
        );
        let names: Vec<_> = standings(&union.in_force).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(union.parts.iter().all(|part| problems(part).is_empty()));
        assert_eq!(union.in_force.files.len(), 3);
        assert_eq!(union.in_force.notes.len(), 1);
    }

    #[test]
    fn one_name_in_two_sets_is_an_error_on_both_and_what_was_in_force_stays() {
        let first = set(&[("x/a.yaml", A)]);
        let before = together(&InForce::default(), &[first.clone(), InForce::default()]);
        let union = together(&before.in_force, &[first, set(&[("y/a.yaml", A2)])]);
        assert_eq!(
            standings(&union.in_force),
            [("a".to_owned(), Standing::Contested, "redis".to_owned())]
        );
        assert_eq!(
            problems(&union.parts[0]),
            ["x/a.yaml:1:1: the name `a` is taken: see y/a.yaml:1:1"]
        );
        assert_eq!(
            problems(&union.parts[1]),
            ["y/a.yaml:1:1: the name `a` is taken: see x/a.yaml:1:1"]
        );
        assert!(union.in_force.files.iter().all(|file| !file.valid));

        // The other order of sources: still what was in force.
        let turned =
            together(&before.in_force, &[set(&[("y/a.yaml", A2)]), set(&[("x/a.yaml", A)])]);
        assert_eq!(standings(&turned.in_force)[0].2, "redis");
    }

    #[test]
    fn one_product_in_two_sets_is_an_error_on_both() {
        let union = together(
            &InForce::default(),
            &[set(&[("x/a.yaml", A)]), set(&[("y/other.yaml", OTHER)])],
        );
        assert!(union.in_force.entries.iter().all(|entry| entry.standing == Standing::Contested));
        assert!(union.parts.iter().all(|part| problems(part).len() == 1));
    }

    #[test]
    fn what_a_set_knows_of_itself_stays_and_is_not_said_twice() {
        let contested = set(&[("x/a.yaml", A), ("x/other.yaml", OTHER)]);
        let union = together(&InForce::default(), &[contested.clone(), set(&[("y/b.yaml", A)])]);
        assert_eq!(problems(&union.parts[0]), problems(&contested));
        let contested: Vec<_> = union
            .in_force
            .entries
            .iter()
            .map(|entry| (entry.desired.name.as_str(), entry.standing))
            .collect();
        assert_eq!(contested, [("a", Contested), ("b", Current), ("other", Contested)]);
    }

    #[test]
    fn a_conflict_that_is_over_leaves_nothing_behind() {
        let both =
            together(&InForce::default(), &[set(&[("x/a.yaml", A)]), set(&[("y/a.yaml", A2)])]);
        let after = together(&both.in_force, &[InForce::default(), set(&[("y/a.yaml", A2)])]);
        assert_eq!(
            standings(&after.in_force),
            [("a".to_owned(), Standing::Current, "valkey".to_owned())]
        );
        assert!(problems(&after.parts[1]).is_empty());
    }
}
