//! The database's storage as the stack names it and as RDS has it, and the rules by which one can become the other.
//!
//! RDS grows storage by itself and never shrinks it. A template that names less than there is fails in the update and may fail in the
//! rollback too, which is the most common way for a TED to get out of step.

use super::facts::{Facts, StorageFact};
use super::parameters::Draft;
use crate::desired::Role;
use crate::observe::observation::Database;

/// From this size on, gp3 storage of PostgreSQL is striped and has other limits (RDS user guide, gp3 storage).
pub(super) const GP3_STRIPED_FROM: i64 = 400;
/// What gp3 storage below [`GP3_STRIPED_FROM`] has; it cannot be given more.
pub(super) const GP3_SMALL: (i64, i64) = (3000, 125);
/// The least that gp3 storage from [`GP3_STRIPED_FROM`] on has.
pub(super) const GP3_STRIPED_LEAST: (i64, i64) = (12_000, 500);

/// A storage parameter that takes over what RDS has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Adoption {
    /// Which one.
    pub(super) role: Role,
    /// `max(named, real)`.
    pub(super) value: i64,
}

/// What adopting storage changes: each dimension of which RDS has more than the stack names.
///
/// Where it has less, the named value is already the greater one and stays.
pub(super) fn adoptions(facts: &Facts<'_>) -> Vec<Adoption> {
    let more = |fact: &StorageFact| match (fact.named, fact.real) {
        (Some(named), Some(real)) if real > named => {
            Some(Adoption { role: fact.role, value: real })
        }
        (Some(_), Some(_)) | (None, _) | (_, None) => None,
    };
    facts.storage.iter().filter_map(more).collect()
}

/// Storage as an update would leave it, by role; the real one where no parameter says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) size: i64,
    pub(super) iops: Option<i64>,
    pub(super) throughput: Option<i64>,
    pub(super) most: Option<i64>,
}

/// What an update would make of a dimension.
pub(super) fn outcome_of(fact: &StorageFact, facts: &Facts<'_>, draft: &Draft) -> Option<i64> {
    let named =
        draft.role_value(facts, fact.role).and_then(|value| super::facts::amount(fact.role, value));
    named.or(fact.named).or(fact.real)
}

/// Whether an update touches storage: it sets one of its parameters, or leaves one that differs from what RDS has.
pub(super) fn is_touched(facts: &Facts<'_>, draft: &Draft) -> bool {
    facts.storage.iter().any(|fact| {
        let sets = facts.roles.target_key(fact.role).is_some_and(|key| draft.sets(key));
        let differs = match (outcome_of(fact, facts, draft), fact.real) {
            (Some(outcome), Some(real)) => outcome != real,
            (Some(_), None) | (None, _) => false,
        };
        sets || differs
    })
}

/// What RDS would not do, as sentences with what to write instead.
pub(super) fn refusals(
    outcome: Outcome,
    real: Outcome,
    database: &Database,
) -> Vec<(String, String)> {
    let mut refusals = Vec::new();
    let mut refuse = |message: String, remedy: String| refusals.push((message, remedy));
    let grows = outcome.size > real.size;
    if outcome.size < real.size {
        refuse(
            format!(
                "storage never shrinks: RDS has {} GiB, and {} GiB are named",
                real.size, outcome.size
            ),
            format!("name at least {} GiB, or nothing", real.size),
        );
    }
    // At least 10 %; RDS rounds a smaller request up, and then parameter and storage are out of step again.
    let least = real.size + (real.size + 9) / 10;
    if grows && outcome.size < least {
        refuse(
            format!(
                "storage grows by 10 % at least: from {} GiB to {least} GiB or more",
                real.size
            ),
            format!("name {least} GiB or more"),
        );
    }
    if database.storage_type.as_deref() == Some("gp3") {
        let (iops, throughput) = (outcome.iops, outcome.throughput);
        let changes = outcome != real;
        if changes && outcome.size < GP3_STRIPED_FROM {
            let (only_iops, only_throughput) = GP3_SMALL;
            if iops.is_some_and(|iops| iops != only_iops)
                || throughput.is_some_and(|own| own != only_throughput)
            {
                refuse(
                    format!(
                        "gp3 storage below {GP3_STRIPED_FROM} GiB has {only_iops} IOPS and {only_throughput} MiB/s, and no other"
                    ),
                    format!("name these, or {GP3_STRIPED_FROM} GiB or more"),
                );
            }
        } else if changes {
            let (least_iops, least_throughput) = GP3_STRIPED_LEAST;
            if iops.is_some_and(|iops| iops < least_iops)
                || throughput.is_some_and(|own| own < least_throughput)
            {
                refuse(
                    format!(
                        "gp3 storage from {GP3_STRIPED_FROM} GiB on has {least_iops} IOPS and {least_throughput} MiB/s at least"
                    ),
                    "name at least these".to_owned(),
                );
            }
        }
    }
    if let Some(most) = outcome.most.filter(|most| *most != 0 && outcome.most != real.most) {
        let least = outcome.size + (outcome.size + 9) / 10;
        if most < least {
            refuse(
                format!(
                    "the maximum has to lie 10 % above the size: {least} GiB or more, and {most} GiB are named"
                ),
                format!("name {least} GiB or more, or 0 to switch autoscaling off"),
            );
        }
    }
    refusals
}
