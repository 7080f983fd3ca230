//! A stack whose rollback failed: whether and how the rollback is continued. Pure.
//!
//! By the book (Turbot's guide "Service Catalog Out of Sync", CloudFormation's `ContinueUpdateRollback`), and no further:
//!
//! 1. Wait until the database, instance and replica, is `available`.
//! 2. Continue the rollback and skip nothing: what was in the way may have passed.
//! 3. Only if that failed too: continue it once more and skip exactly those database instances whose *rollback* failed because their
//!    storage is out of step, and that RDS says are well. A skipped resource is out of step with its template, so it is never more.
//! 4. Then the update, aligned: with the storage that RDS has ([`must_align`]). That one is planned like any other.
//!
//! No third continuation, whoever made the first two: the root stack's own events are counted, not what is remembered. A resource of the
//! cache is never skipped, but for one case that a person has to approve (`past-the-door`): the cache runs Valkey, so its way back to
//! Redis cannot succeed, and the only way is forward.
//!
//! What is left to a person is said with the commands that do it ([`commands`]).

mod commands;
#[cfg(test)]
mod tests;

use super::diagnosis::{Cause, Diagnosis, Failure, WayBack, is_of_a_record};
use super::gates::{Case, Verdict, events_pausable, may_act, refused, right_product, stands};
use super::types::{ContinueOrder, GateState};
use super::{Context, plan};
use crate::desired::{Approval, Desired, Engine, Recovery as Who, Storage};
use crate::observe::observation::{Database, Observation, ROLLBACK_FAILED, Stack};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// How often a rollback is continued after it failed: once as it is, once without what is proven to be in the way.
const MOST_CONTINUATIONS: usize = 2;

/// What is to be done about a rollback that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recovery {
    /// Whether it may be done now, by itself: `Holds`, `Waiting`, or a person is needed.
    pub(super) verdict: Verdict,
    /// The continuation, as far as it can be named. It is no permission.
    pub(super) order: Option<ContinueOrder>,
    /// What a person does, where one is needed: the verdict's remedy without the command that sends an update, which is long.
    pub(super) told: String,
}

impl Recovery {
    /// Whether the rollback may be continued now.
    pub(super) fn goes(&self) -> bool {
        self.verdict.passes() && self.order.is_some()
    }

    /// Whether it is recovered without anybody: now, or when time has opened what is in the way.
    pub(super) fn goes_on(&self) -> bool {
        self.goes() || self.verdict.state == GateState::Waiting
    }
}

/// Whether a rollback runs that was continued: the request that led to it has ended before.
pub(super) fn is_going_back(observation: &Observation) -> bool {
    let back = observation.root.present().is_some_and(|root| {
        root.status.starts_with("UPDATE_ROLLBACK_") && root.status.ends_with("_IN_PROGRESS")
    });
    let product = observation.products.present().and_then(|products| products.first());
    let over = observation.last_record.present().is_some_and(|record| record.status == "FAILED");
    back && over && product.is_some_and(|product| product.status != "UNDER_CHANGE")
}

/// Whether an update is due that names the storage RDS has, even if nothing else is to change: the rollback was continued or has to be,
/// and what it leaves of the database may not be what the template says.
pub(super) fn must_align(desired: &Desired, observation: &Observation, context: &Context) -> bool {
    let policy = &desired.spec.policy;
    let Some(record) = observation.last_record.present().filter(|it| it.status == "FAILED") else {
        return false;
    };
    let continued = diagnosis_of(context, &record.id)
        .and_then(|found| found.way_back)
        .is_some_and(|way_back| way_back.continued > 0);
    let tainted = observation.products.present().is_some_and(|products| {
        products.first().is_some_and(|product| product.status != "AVAILABLE")
    });
    policy.storage == Storage::Adopt
        && policy.recovery == Who::Auto
        && tainted
        && (continued || observation.is_stuck())
}

/// The token of a continuation: whoever continues the same failed rollback of the same change asks for the same one continuation.
pub(super) fn token(stack_id: &str, way_back: &WayBack) -> String {
    let mut digest = Sha256::new();
    for part in [stack_id, &way_back.began.as_second().to_string(), &way_back.continued.to_string()]
    {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    // Letters and digits, a letter first: CloudFormation takes `[a-zA-Z0-9][-a-zA-Z0-9]*`, at most 128.
    digest.finalize().iter().take(16).fold("ted".to_owned(), |mut token, byte| {
        let _ = write!(token, "{byte:02x}");
        token
    })
}

/// What is to be done about the rollback; `None`: it has not failed, or nobody knows whether it has.
pub(super) fn recovery(case: &Case<'_>) -> Option<Recovery> {
    let root = case.observation.root.present().filter(|root| root.status == ROLLBACK_FAILED)?;
    let Way { verdict: way, order, by_hand } = way(case, root);
    // What forbids all starts comes first: it is the first that a person has to undo.
    let mut parts = vec![right_product(case), may_act(case)];
    let forbidden = parts.iter().any(|part| !part.passes());
    let how = way.message.clone();
    parts.extend([by_whom(case, root), way]);
    if order.is_some() {
        parts.push(stands(case));
        parts.push(events_pausable(case));
        parts.extend(refused(case));
    }
    let mut verdict = Verdict::all(parts);
    if verdict.passes() {
        verdict.message = how;
    }
    let mut told = String::new();
    if matches!(verdict.state, GateState::NeedsPerson | GateState::Unknown) {
        told = format!("{}; by hand: {}", verdict.remedy, commands::way_back(case, root, &by_hand));
        let update = commands::update(case).filter(|_| !forbidden);
        verdict.remedy = match update {
            Some(update) => format!("{told}, then `{update}`"),
            None => told.clone(),
        };
        if verdict.remedy != told {
            told.push_str(", then the update whose command the gate `stable` shows");
        }
    }
    Some(Recovery { verdict, order, told })
}

/// Whether it is this controller's to do.
fn by_whom(case: &Case<'_>, root: &Stack) -> Verdict {
    if case.desired.spec.policy.recovery == Who::Manual {
        return Verdict::person(
            "the rollback failed, and the document leaves recovery to a person (`recovery: manual`)",
            "continue it by hand, or write `recovery: auto`",
        );
    }
    if root.role_arn.is_none() {
        return Verdict::person(
            "the stack has no role of its own: a continued rollback would run on this controller's credentials",
            "continue it by hand, with credentials that may change what the stack holds",
        );
    }
    Verdict::holds("")
}

/// What is known of the failure of a record.
fn diagnosis_of<'a>(context: &'a Context, record: &str) -> Option<&'a Diagnosis> {
    context.diagnosis.as_ref().filter(|(of, _)| of == record).map(|(_, found)| found)
}

/// How it goes on, as far as the failure itself goes.
struct Way {
    verdict: Verdict,
    /// The next continuation; absent when none may follow, whatever else holds.
    order: Option<ContinueOrder>,
    /// What a person would skip who continues it by hand.
    by_hand: Vec<String>,
}

impl Way {
    fn none(verdict: Verdict) -> Self {
        Self { verdict, order: None, by_hand: Vec::new() }
    }
}

fn way(case: &Case<'_>, root: &Stack) -> Way {
    let record = case.observation.last_record.present().filter(|it| it.status == "FAILED");
    let Some(record) = record else {
        let outside = Verdict::person(
            "the rollback of a change failed that was made past Service Catalog: whoever made it may be at work on it",
            "find out who (CloudTrail, `UpdateStack`)",
        );
        return Way::none(outside);
    };
    let Some(found) = diagnosis_of(case.context, &record.id) else {
        let unknown = Verdict::unknown(
            "why the rollback failed is not known",
            "`ted-controller diagnose` says what it can see and what it cannot",
        );
        return Way::none(unknown);
    };
    let Some(way_back) = found.way_back else {
        let unknown = Verdict::unknown(
            "where the failed change begins is out of sight, and so is how often its rollback was continued",
            "`ted-controller diagnose` says what it can see and what it cannot",
        );
        return Way::none(unknown);
    };
    if !is_of_a_record(case.observation, way_back.began) {
        let outside = Verdict::person(
            "the rollback of a change failed that was made past Service Catalog: whoever made it may be at work on it",
            "find out who (CloudTrail, `UpdateStack`)",
        );
        return Way::none(outside);
    }
    let past_the_door = found.cause == Cause::PastTheDoor;
    let approved = past_the_door && case.approves(&Approval::PastTheDoor);
    let verdict = if way_back.continued >= MOST_CONTINUATIONS {
        given_up(found, &way_back)
    } else if past_the_door {
        through_the_door(case, approved)
    } else if way_back.continued == 0 {
        as_it_is(case, found, &way_back)
    } else {
        without_what_is_proven(case, found)
    };
    let may_follow = way_back.continued < MOST_CONTINUATIONS && (approved || !past_the_door);
    let order = may_follow.then(|| ContinueOrder {
        stack_id: root.id.clone(),
        stack_name: root.name.clone(),
        skip: skip(case, found, &way_back, approved),
        token: token(&root.id, &way_back),
        began: way_back.began,
        continued: way_back.continued,
    });
    Way { verdict, order, by_hand: skip(case, found, &way_back, past_the_door) }
}

/// What is skipped, as "resources to skip" name it. `cache`: also what of the cache cannot go back.
fn skip(case: &Case<'_>, found: &Diagnosis, way_back: &WayBack, cache: bool) -> Vec<String> {
    let proven = |failure: &Failure| {
        way_back.continued > 0 && failure.may_be_skipped() && is_well(case, failure)
    };
    let barred = |failure: &Failure| cache && failure.bars_the_way_back();
    let skipped = found.rollback.iter().filter(|failure| proven(failure) || barred(failure));
    skipped.map(Failure::skip_name).collect()
}

/// Whether RDS says of the database that failed that it is well.
fn is_well(case: &Case<'_>, failure: &Failure) -> bool {
    let (primary, replica) = (&case.observation.database, &case.observation.replica);
    let is = |database: &&Database| failure.physical_id.as_deref() == Some(database.id.as_str());
    let mut all = primary.present().into_iter().chain(replica.present());
    all.find(is).is_some_and(|database| database.status == "available")
}

/// The first continuation, which skips nothing.
fn as_it_is(case: &Case<'_>, found: &Diagnosis, way_back: &WayBack) -> Verdict {
    let lasting = found.rollback.iter().find(|failure| !may_pass(failure.cause));
    // A person who says "again" says that it is gone.
    let told = case.context.past.retry_at.zip(way_back.failed).is_some_and(|(at, last)| at > last);
    match lasting {
        Some(failure) if !told => Verdict::person(
            format!("the way back failed at {}", named(failure)),
            format!("{}: when the cause is gone, `ted-controller reconcile --retry`", found.remedy),
        ),
        Some(_) | None => Verdict::holds("the rollback is continued, skipping nothing"),
    }
}

/// Where something failed and why: by its class, else in CloudFormation's own words, which are long.
fn named(failure: &Failure) -> String {
    if failure.cause == Cause::Unknown {
        format!("`{}` ({})", failure.place(), failure.message)
    } else {
        format!("`{}` ({})", failure.place(), failure.cause)
    }
}

/// Whether what failed may go better without anybody's doing. Of what is not known nobody can say that it will not.
fn may_pass(cause: Cause) -> bool {
    match cause {
        Cause::DatabaseNotAvailable
        | Cause::StorageOutOfStep
        | Cause::StorageCooldown
        | Cause::CacheNotAvailable
        | Cause::ServiceTrouble
        | Cause::Cancelled
        | Cause::Unknown => true,
        Cause::PermissionDenied
        | Cause::CredentialsExpired
        | Cause::ValueNotAllowed
        | Cause::NothingToChange
        | Cause::StackNotUpdatable
        | Cause::Quota
        | Cause::ResourceMissing
        | Cause::PastTheDoor => false,
    }
}

/// The second continuation, which skips what is proven to be in the way, if that is all there is.
fn without_what_is_proven(case: &Case<'_>, found: &Diagnosis) -> Verdict {
    let other =
        found.rollback.iter().find(|failure| !(failure.may_be_skipped() && is_well(case, failure)));
    match other {
        Some(failure) => Verdict::person(
            format!(
                "the rollback was continued once and failed again at {}; that is nothing that may be skipped",
                named(failure)
            ),
            found.remedy.clone(),
        ),
        None if found.rollback.is_empty() => Verdict::unknown(
            "the rollback was continued once and failed again, and where cannot be seen",
            "`ted-controller diagnose` says what it can see and what it cannot",
        ),
        None => {
            let names: Vec<String> =
                found.rollback.iter().map(|failure| format!("`{}`", failure.place())).collect();
            Verdict::holds(format!(
                "the rollback is continued without {}, whose storage is out of step",
                names.join(", ")
            ))
        }
    }
}

/// Past the door: the way back of the cache is skipped, if a person has approved it and the document wants what is there.
fn through_the_door(case: &Case<'_>, approved: bool) -> Verdict {
    let message = "the cache already runs Valkey, so the way back to Redis cannot succeed: it goes forward only";
    if case.desired.spec.cache.as_ref().is_some_and(|cache| cache.engine == Engine::Redis) {
        return Verdict::person(message, "write `engine: valkey` with a version of Valkey");
    }
    if approved {
        return Verdict::holds(format!(
            "{message}; the rollback is continued without the cache's resources, as approved"
        ));
    }
    Verdict::person(
        message,
        format!("approve it, and it is done: `approve: [{}]`", Approval::PastTheDoor),
    )
}

/// Nothing more is tried.
fn given_up(found: &Diagnosis, way_back: &WayBack) -> Verdict {
    let places: Vec<String> = found.rollback.iter().map(named).collect();
    let at = if places.is_empty() { String::new() } else { format!(" at {}", places.join(", ")) };
    Verdict::person(
        format!(
            "the rollback was continued {} times and failed again{at}: nothing more is tried",
            way_back.continued
        ),
        format!("{}; decide what may be skipped, or ask Turbot support", found.remedy),
    )
}

/// The update that follows, as far as it can be named: aligned, also where nothing else is to change.
fn update_after(case: &Case<'_>) -> Option<super::types::UpdateOrder> {
    let aligned = super::parameters::draft(case.desired, case.facts, true);
    plan::update_order(&Case { draft: &aligned, ..*case })
}
