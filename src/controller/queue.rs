//! Which of the TEDs that are due come first, and how many of one place at a time.
//!
//! A place is what answers or hangs as one: a region, seen through a role. A look at an AWS that does not answer takes minutes to fail; a
//! place that does not answer must not take all workers with it.

use crate::clock::Instant;
use crate::desired::Name;
use crate::observe::Query;
use std::collections::{BTreeMap, BTreeSet};

/// Which part of the workers a single place leaves to the others, as long as there are others: a quarter, at least one.
const LEFT_TO_OTHERS: usize = 4;

/// Where a TED is, as far as it is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    region: Option<String>,
    role: Option<String>,
}

impl Place {
    pub(super) fn of(query: &Query) -> Self {
        Self {
            region: query.region.clone(),
            role: query.role.as_ref().map(|role| role.arn.clone()),
        }
    }
}

/// A TED that waits for a worker.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub(super) name: Name,
    pub(super) place: Place,
    /// Since when it is due.
    pub(super) since: Instant,
}

/// Which passes to start now, in order.
///
/// `running` has the place of every pass under way, `places` all places that there are. The place with the fewest passes goes first, of
/// one place who waits longest.
pub(super) fn choose(
    mut due: Vec<Due>,
    running: &[Place],
    places: &BTreeSet<Place>,
    workers: usize,
) -> Vec<Name> {
    let most = if places.len() > 1 {
        workers.saturating_sub((workers / LEFT_TO_OTHERS).max(1)).max(1)
    } else {
        workers
    };
    let mut busy: BTreeMap<Place, usize> = BTreeMap::new();
    for place in running {
        *busy.entry(place.clone()).or_default() += 1;
    }
    let mut chosen = Vec::new();
    while running.len() + chosen.len() < workers {
        let busy_at = |due: &Due| busy.get(&due.place).copied().unwrap_or(0);
        let next = due
            .iter()
            .enumerate()
            .filter(|(_, due)| busy_at(due) < most)
            .min_by_key(|(_, due)| (busy_at(due), due.since));
        let Some((next, _)) = next else { break };
        let next = due.swap_remove(next);
        *busy.entry(next.place).or_default() += 1;
        chosen.push(next.name);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use std::time::Duration;

    fn place(region: &str) -> Place {
        Place { region: Some(region.to_owned()), role: None }
    }

    /// TEDs by name, each with its region and since when it is due, in seconds.
    fn chosen(due: &[(&str, &str, u64)], running: &[&str], workers: usize) -> Vec<String> {
        let start = clock::now();
        let list: Vec<Due> = due
            .iter()
            .map(|(name, region, since)| Due {
                name: Name::parse(name).unwrap(),
                place: place(region),
                since: start + Duration::from_secs(*since),
            })
            .collect();
        let running: Vec<Place> = running.iter().map(|region| place(region)).collect();
        let places = list.iter().map(|due| due.place.clone()).chain(running.iter().cloned());
        let places = places.collect();
        choose(list, &running, &places, workers).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn who_waits_longest_goes_first_and_there_are_no_more_than_workers() {
        let due = [("b", "x", 2), ("a", "x", 3), ("c", "x", 1)];
        assert_eq!(chosen(&due, &[], 8), ["c", "b", "a"]);
        assert_eq!(chosen(&due, &[], 2), ["c", "b"]);
        assert_eq!(chosen(&due, &["x"], 2), ["c"]);
        assert_eq!(chosen(&due, &["x", "x"], 2), [""; 0]);
    }

    #[test]
    fn a_place_does_not_take_all_workers_while_there_are_others() {
        let hung: Vec<(String, u64)> = (0..20).map(|n| (format!("hung-{n}"), n)).collect();
        let mut due: Vec<(&str, &str, u64)> =
            hung.iter().map(|(name, since)| (name.as_str(), "hung", *since)).collect();
        due.push(("well", "well", 100));
        let first = chosen(&due, &[], 8);
        assert!(first.contains(&"well".to_owned()) && first.len() == 7, "{first:?}");
        // Two workers are left for whoever else becomes due.
        assert_eq!(chosen(&due, &["hung"; 6], 8), ["well"]);
        // Alone, it may have them all.
        due.pop();
        assert_eq!(chosen(&due, &[], 8).len(), 8);
    }

    #[test]
    fn there_is_always_room_for_one() {
        assert_eq!(chosen(&[("a", "x", 0), ("b", "y", 1)], &[], 1), ["a"]);
        assert_eq!(chosen(&[("a", "x", 0), ("b", "y", 1)], &[], 2), ["a", "b"]);
    }
}
