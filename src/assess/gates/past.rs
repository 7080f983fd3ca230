//! The gates about what happened before: failed attempts, updates that changed nothing, and drift that came from outside.

use super::product::minutes;
use super::{Case, Verdict};
use crate::assess::diagnosis::{Cause, Diagnosis};
use crate::assess::facts::Agreed;
use crate::assess::findings::asked_by;
use crate::assess::past::Refused;
use crate::assess::types::{ChangeKind, StepKind};
use crate::desired::{Approval, Engine, Role, Storage};
use crate::observe::observation::{ROLLBACK_FAILED, Record};
use crate::text::moment;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// The wait after the first failed attempt; it grows threefold with each further one: 5, 15, 45 minutes, …
const FIRST_WAIT: Duration = Duration::from_mins(5);

/// No wait is longer.
const LONGEST_WAIT: Duration = Duration::from_hours(6);

/// How many updates may succeed and leave the difference where it was, before a person is asked.
const FRUITLESS: usize = 2;

/// Within this time a correction of drift from outside counts as one of a fight.
const FIGHT: SignedDuration = SignedDuration::from_hours(24);

/// 19. Drift without a new document is corrected only after it has stood for a while, and only if that is wanted.
pub(super) fn self_heal(case: &Case<'_>) -> Verdict {
    let (policy, past) = (&case.desired.spec.policy, &case.context.past);
    if case.draft.aligns {
        return Verdict::not_applicable(
            "the update is part of a recovery, and no correction of drift",
        );
    }
    if !past.was_reached(case.desired.digest().as_str(), case.observation) {
        return Verdict::not_applicable("the document's wish was not in effect yet");
    }
    if !policy.self_heal {
        return Verdict::person(
            "somebody changed what was as the document says, and `selfHeal` is false",
            "put it back by hand, change the document, or write `selfHeal: true`",
        );
    }
    let since = past.differs_since.unwrap_or(case.now());
    // Who puts it back as often as we do is stronger or knows more: the waits grow.
    let fights =
        past.corrections.iter().filter(|at| case.now().duration_since(**at) < FIGHT).count();
    let settle = policy
        .settle
        .saturating_mul(3_u32.saturating_pow(u32::try_from(fights).unwrap_or(u32::MAX).min(5)));
    let until = since.saturating_add(signed(settle)).unwrap_or(Timestamp::MAX);
    if until <= case.now() {
        return Verdict::holds(format!("it has differed since {}", moment(since)));
    }
    let message = if fights == 0 {
        format!(
            "it differs since {}, and is corrected when that has stood for {}",
            moment(since),
            minutes(settle)
        )
    } else {
        format!(
            "it differs again, after {fights} correction{} within a day: somebody may be fighting the document",
            if fights == 1 { "" } else { "s" }
        )
    };
    Verdict::waiting(message, Some(until))
}

/// 20. Attempts are left: not too many failed, what made them fail may be over, and updates come to something.
pub(super) fn attempts(case: &Case<'_>) -> Verdict {
    let past = &case.context.past;
    let since = past.counts_since();
    let counts = |record: &&Record| match (since, record.created) {
        (Some(since), Some(created)) => created >= since,
        (None, _) | (_, None) => true,
    };
    let history = case.observation.history.present().map_or(&[][..], Vec::as_slice);
    let updates = || history.iter().filter(|record| changes_the_stack(record));
    let failed: Vec<&Record> = updates()
        .skip_while(|record| !record.is_over())
        .take_while(|record| record.status != "SUCCEEDED")
        .filter(|record| record.status == "FAILED")
        .filter(counts)
        .collect();
    let mut parts = vec![Verdict::holds("no attempt failed")];
    parts.extend(failed_attempts(case, &failed));
    let of_an_update = |refusal: &&Refused| refusal.step != StepKind::ContinueRollback;
    parts.extend(past.refusal.as_ref().filter(of_an_update).map(|it| refused(case, it)));
    let ours = |record: &&Record| {
        past.updates.iter().any(|sent| {
            sent.record_id.as_deref() == Some(&record.id)
                && sent.digest == case.desired.digest().as_str()
        })
    };
    let fruitless: Vec<&Record> = updates()
        .take_while(|record| record.status == "SUCCEEDED")
        .filter(counts)
        .filter(ours)
        .collect();
    if fruitless.len() >= FRUITLESS && !past.reached {
        parts.push(not_converging(case, &fruitless));
    }
    Verdict::all(parts)
}

/// Updates that come to nothing: sent, succeeded, and what was asked for is not there.
fn not_converging(case: &Case<'_>, updates: &[&Record]) -> Verdict {
    let records: Vec<&str> = updates.iter().map(|record| record.id.as_str()).collect();
    let set = case.draft.changes.iter().filter(|change| change.change == ChangeKind::Set);
    let mut still: Vec<String> = set
        .map(|change| {
            let from = change.from.as_deref().unwrap_or("nothing");
            format!("`{}` is {from}, not {}", change.key, change.to.as_deref().unwrap_or("nothing"))
        })
        .collect();
    if let Some(version) = case.facts.target_version().filter(|_| case.facts.target.moves()) {
        still.insert(0, format!("TED {version} does not run"));
    }
    let still = if still.is_empty() { String::new() } else { format!(": {}", still.join(", ")) };
    Verdict::person(
        format!(
            "not converging: {} updates succeeded (records {}) and what the document asks for is still not there{still}",
            updates.len(),
            records.join(", ")
        ),
        "compare `ted-controller plan` with the stack's events: something undoes the change, or the parameter does not do what it says. Decide whether the document asks for the right thing, then `ted-controller reconcile --retry`",
    )
}

fn changes_the_stack(record: &Record) -> bool {
    record.kind != "TERMINATE_PROVISIONED_PRODUCT"
}

fn failed_attempts(case: &Case<'_>, failed: &[&Record]) -> Option<Verdict> {
    let last = failed.first()?;
    let max = case.desired.spec.policy.max_attempts;
    let retry =
        "when the cause is gone: `ted-controller reconcile --retry`, or change the document";
    let count = failed.len();
    let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
    let diagnosis =
        case.context.diagnosis.as_ref().filter(|(record, _)| *record == last.id).map(|(_, it)| it);
    let why = match diagnosis.and_then(|diagnosis| diagnosis.failure.as_ref()) {
        Some(failure) => format!("{}: {}", failure.place(), failure.message),
        None => last.errors.first().cloned().unwrap_or_else(|| "no reason is known".to_owned()),
    };
    let who = asked_by(last).map(|who| format!(", asked for by {who}")).unwrap_or_default();
    let why = why.trim_end_matches('.');
    let changed = what_it_changed(case, diagnosis);
    let message =
        format!("the update failed {times} (last: record {}{who}): {why}{changed}", last.id);
    if count >= usize::from(max) {
        return Some(Verdict::person(message, retry));
    }
    let Some(diagnosis) = diagnosis else {
        return Some(Verdict::person(
            message,
            format!("`ted-controller diagnose` says why; {retry}"),
        ));
    };
    let heals = match diagnosis.cause {
        Cause::DatabaseNotAvailable
        | Cause::StorageCooldown
        | Cause::CacheNotAvailable
        | Cause::ServiceTrouble => true,
        // The next update sends the real size.
        Cause::StorageOutOfStep => case.desired.spec.policy.storage == Storage::Adopt,
        Cause::PermissionDenied
        | Cause::CredentialsExpired
        | Cause::ValueNotAllowed
        | Cause::NothingToChange
        | Cause::StackNotUpdatable
        | Cause::Cancelled
        | Cause::Quota
        | Cause::ResourceMissing
        | Cause::PastTheDoor
        | Cause::Unknown => false,
    };
    // Past the door the only way is forward, and a person has said so.
    let forward = case.approves(&Approval::PastTheDoor) && is_past_the_door(case);
    if (!heals || diagnosis.touched_cache) && !forward {
        return Some(Verdict::person(message, format!("{}; {retry}", diagnosis.remedy)));
    }
    let ended = last.updated.or(last.created).unwrap_or(case.now());
    Some(wait_after(case, ended, count, &message))
}

/// Whether the cache runs Valkey and the stack, rolled back, says Redis.
fn is_past_the_door(case: &Case<'_>) -> bool {
    let named = case.facts.role_value(Role::CacheEngine).and_then(|it| Engine::parse(it).ok());
    case.facts.engine == Agreed::All(Engine::Valkey) && named != Some(Engine::Valkey)
}

/// What was tried after a failed update, and what it left: the rest of a sentence.
fn what_it_changed(case: &Case<'_>, diagnosis: Option<&Diagnosis>) -> String {
    let mut parts = Vec::new();
    match diagnosis.and_then(|found| found.way_back).map_or(0, |way_back| way_back.continued) {
        0 => {}
        1 => parts.push("its rollback was continued once".to_owned()),
        times => parts.push(format!("its rollback was continued {times} times")),
    }
    let version = case.facts.running.version.as_ref();
    match case.observation.root.present().map(|root| root.status.as_str()) {
        Some("UPDATE_ROLLBACK_COMPLETE") => parts.push(match version {
            Some(version) => format!("the stack is back at {version}"),
            None => "the stack is back where it was".to_owned(),
        }),
        Some(ROLLBACK_FAILED) => {
            parts.push("the stack is stuck on its way back".to_owned());
        }
        Some(_) | None => {}
    }
    if diagnosis.is_some_and(|found| found.touched_cache) {
        let runs = case.facts.engine.all().zip(case.facts.engine_version.all());
        parts.push(match runs {
            Some((engine, version)) => {
                format!("the cache was touched already, and runs {engine} {version}")
            }
            None => "the cache was touched already".to_owned(),
        });
    }
    let left = diagnosis.map_or(&[][..], |found| found.left_behind.as_slice());
    if !left.is_empty() {
        let places: Vec<String> = left.iter().map(|it| format!("`{}`", it.place())).collect();
        parts.push(format!("{} could not be deleted", places.join(", ")));
    }
    parts.iter().fold(String::new(), |all, part| format!("{all}; {part}"))
}

/// A continuation that AWS did not take: it is tried again with growing waits, and not for ever.
pub(in crate::assess) fn refused_continuation(case: &Case<'_>) -> Option<Verdict> {
    let refusal = case.context.past.refusal.as_ref();
    refusal.filter(|it| it.step == StepKind::ContinueRollback).map(|it| refused(case, it))
}

/// A step that AWS did not take: nothing was begun, and nothing shows in the records.
fn refused(case: &Case<'_>, refusal: &Refused) -> Verdict {
    let max = case.desired.spec.policy.max_attempts;
    let message = format!("{:?} was refused: {}", refusal.step, refusal.message);
    if refusal.count >= u32::from(max) && !refusal.passing {
        return Verdict::person(
            message,
            "correct what AWS says, then `ted-controller reconcile --retry`, or change the document",
        );
    }
    let count = usize::try_from(refusal.count).unwrap_or(usize::MAX);
    wait_after(case, refusal.at, count, &message)
}

fn wait_after(case: &Case<'_>, at: Timestamp, count: usize, message: &str) -> Verdict {
    let factor =
        3_u32.saturating_pow(u32::try_from(count.saturating_sub(1)).unwrap_or(u32::MAX).min(10));
    let wait = FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT);
    let until = at.saturating_add(signed(wait)).unwrap_or(Timestamp::MAX);
    if until <= case.now() {
        Verdict::holds(format!("{message}; it is tried again"))
    } else {
        Verdict::waiting(format!("{message}; it is tried again in a while"), Some(until))
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
