//! Why the newest change of a stack failed: the first real failure in the deepest stack, not its echo. Pure.
//!
//! A failed update shows as one failure and many echoes: siblings that were cancelled, parents whose "embedded stack was not
//! successfully updated", the stack's own event. [`diagnose`] walks down to the event that began it, and [`classify()`] says what its text
//! means. What could not be seen is part of the answer ([`Diagnosis::unseen`]): half a story never passes for a whole one.

mod classify;
#[cfg(test)]
mod tests;

pub use classify::{Cause, classify};

use crate::denial::Denial;
use crate::observe::story::{StackEvent, StackStory, Story};
use crate::text::sanitize;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How deep stacks are followed. CloudFormation nests at most five levels.
const MAX_DEPTH: usize = 8;

/// A nested stack, as a resource.
const STACK: &str = "AWS::CloudFormation::Stack";

/// What led to the failure of the newest change, and what it touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// The class of the cause.
    pub cause: Cause,
    /// The first failure of the way forward; absent when only the way back is seen to have failed.
    pub failure: Option<Failure>,
    /// What failed on the way back, in the order of time. Empty: the rollback went well, or there was none.
    pub rollback: Vec<Failure>,
    /// What to do.
    pub remedy: String,
    /// Who was denied what, when that is the cause.
    pub denial: Option<Denial>,
    /// The IAM statement that would allow it, as JSON text, when the denied action and resource are known.
    pub statement: Option<String>,
    /// Whether the change got as far as the cache: then it is a person's to try again.
    pub touched_cache: bool,
    /// When the change began, as far as its events are seen.
    pub began: Option<Timestamp>,
    /// What could not be seen, a sentence each. Not empty: the cause may be another one.
    pub unseen: Vec<String>,
}

/// A resource that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Its name in the template.
    pub logical_id: String,
    /// Its id in its own service.
    pub physical_id: Option<String>,
    /// `AWS::RDS::DBInstance`, …
    pub kind: String,
    /// Logical ids of the stacks from the root down; empty: in the root.
    pub stack_path: Vec<String>,
    /// The physical name of its stack: what "resources to skip" are named by.
    pub stack_name: String,
    /// When.
    pub at: Option<Timestamp>,
    /// CloudFormation's words, on one line.
    pub message: String,
}

impl Failure {
    fn of(stack: &StackStory, event: &StackEvent) -> Self {
        Self {
            logical_id: sanitize(&event.logical_id),
            physical_id: event.physical_id.as_deref().filter(|id| !id.is_empty()).map(sanitize),
            kind: sanitize(&event.kind),
            stack_path: stack.path.iter().map(|part| sanitize(part)).collect(),
            stack_name: sanitize(&stack.name),
            at: event.at,
            message: sanitize(event.reason.as_deref().unwrap_or("CloudFormation gives no reason")),
        }
    }

    /// `DatabaseStack/HivePrimary`: the path from the root.
    pub fn place(&self) -> String {
        let mut parts = self.stack_path.clone();
        parts.push(self.logical_id.clone());
        parts.join("/")
    }
}

/// Says why the newest change failed. `cache_is_valkey`: every node of the real cache runs Valkey.
///
/// `None`: the events tell of no failure, and nothing was left out.
pub fn diagnose(story: &Story, cache_is_valkey: bool) -> Option<Diagnosis> {
    let mut unseen = Vec::new();
    let root = story.stacks.first()?;
    let began = beginning(root);
    if began.is_none() && !root.complete {
        unseen
            .push(format!("the events of `{}` end before the change began", sanitize(&root.name)));
    }
    let window = Window { from: began, rollback: None };
    let mut failures = Walk { story, unseen: &mut unseen };
    let forward = failures.first_failure(root, window, 0);
    let mut rollback = Vec::new();
    failures.rollback_failures(root, began, 0, &mut rollback);
    rollback.sort_by(|a: &Failure, b: &Failure| {
        a.at.cmp(&b.at).then_with(|| a.place().cmp(&b.place()))
    });
    unseen.sort();
    unseen.dedup();
    if forward.is_none() && rollback.is_empty() && unseen.is_empty() {
        return None;
    }
    let past_the_door = cache_is_valkey && rollback.iter().any(|failure| is_cache(&failure.kind));
    let shown = forward.as_ref().or(rollback.first());
    let cause = if past_the_door {
        Cause::PastTheDoor
    } else {
        shown.map_or(Cause::Unknown, |failure| classify(&failure.message))
    };
    let denial = shown
        .filter(|failure| classify(&failure.message) == Cause::PermissionDenied)
        .map(|failure| Denial::parse(&failure.message));
    let statement = denial.as_ref().and_then(statement);
    Some(Diagnosis {
        remedy: remedy(cause, denial.as_ref(), shown),
        cause,
        failure: forward,
        rollback,
        denial,
        statement,
        touched_cache: touched_cache(story, began),
        began,
        unseen,
    })
}

/// When the newest change began: the stack's own newest `UPDATE_IN_PROGRESS` or `CREATE_IN_PROGRESS`.
///
/// "Continue rollback" begins with `UPDATE_ROLLBACK_IN_PROGRESS`, so it belongs to the change that failed.
fn beginning(stack: &StackStory) -> Option<Timestamp> {
    stack
        .events
        .iter()
        .find(|event| {
            is_of_itself(stack, event)
                && matches!(
                    event.status.as_str(),
                    "UPDATE_IN_PROGRESS" | "CREATE_IN_PROGRESS" | "IMPORT_IN_PROGRESS"
                )
        })
        .and_then(|event| event.at)
}

/// An event about the stack itself. A nested stack's event in its parent has the child's ARN, not the parent's.
fn is_of_itself(stack: &StackStory, event: &StackEvent) -> bool {
    event.kind == STACK && event.physical_id.as_deref() == Some(stack.id.as_str())
}

fn is_cache(kind: &str) -> bool {
    kind.starts_with("AWS::ElastiCache::")
}

/// Which of a stack's events belong to the way forward of the newest change.
#[derive(Clone, Copy)]
struct Window {
    from: Option<Timestamp>,
    /// When the way back of the stack began; failures from then on are of the way back.
    rollback: Option<Timestamp>,
}

struct Walk<'a> {
    story: &'a Story,
    unseen: &'a mut Vec<String>,
}

impl Walk<'_> {
    /// The first failure of the way forward, in the deepest stack that it can be followed to.
    fn first_failure(
        &mut self,
        stack: &StackStory,
        window: Window,
        depth: usize,
    ) -> Option<Failure> {
        let window = Window { rollback: way_back(stack, window.from), ..window };
        // Oldest first. Of two in one second the list's order decides: it is by time, newest first.
        let first = stack.events.iter().rev().find(|event| {
            belongs(event, window)
                && event.status.ends_with("_FAILED")
                && !is_of_itself(stack, event)
                && !is_echo(event)
        })?;
        if first.kind != STACK || depth >= MAX_DEPTH {
            return Some(Failure::of(stack, first));
        }
        let child = first.physical_id.as_deref().and_then(|id| self.story.stack(id));
        let Some(child) = child.filter(|child| child.gap.is_none()) else {
            let why = child
                .and_then(|child| child.gap.as_ref())
                .map(|gap| format!(": {}", sanitize(&gap.message)));
            self.unseen.push(format!(
                "the events of the nested stack `{}`{}",
                sanitize(&first.logical_id),
                why.unwrap_or_default()
            ));
            return Some(Failure::of(stack, first));
        };
        let deeper = self.first_failure(child, window, depth + 1);
        if deeper.is_none() && !child.complete {
            self.unseen.push(format!("the older events of `{}`", sanitize(&child.name)));
        }
        deeper.or_else(|| Some(Failure::of(stack, first)))
    }

    /// Everything that failed on the way back, down to the resources.
    fn rollback_failures(
        &mut self,
        stack: &StackStory,
        from: Option<Timestamp>,
        depth: usize,
        found: &mut Vec<Failure>,
    ) {
        let Some(back) = way_back(stack, from) else { return };
        for event in stack.events.iter().rev() {
            let late = event.at.is_none_or(|at| at >= back);
            if !late
                || !event.status.ends_with("_FAILED")
                || is_of_itself(stack, event)
                || is_echo(event)
                || !last_word(stack, event)
                || of_the_way_forward(stack, event, back)
            {
                continue;
            }
            let child = event
                .physical_id
                .as_deref()
                .filter(|_| event.kind == STACK)
                .and_then(|id| self.story.stack(id));
            let before = found.len();
            if let Some(child) = child.filter(|_| depth < MAX_DEPTH) {
                self.rollback_failures(child, from, depth + 1, found);
            }
            if found.len() == before {
                found.push(Failure::of(stack, event));
            }
        }
    }
}

/// Whether the failure is that of the way forward, told in the second in which the way back began.
fn of_the_way_forward(stack: &StackStory, event: &StackEvent, back: Timestamp) -> bool {
    event.at == Some(back)
        && stack.events.iter().any(|own| {
            is_of_itself(stack, own)
                && own.status == "UPDATE_ROLLBACK_IN_PROGRESS"
                && position(stack, own) < position(stack, event)
        })
}

/// Where in the list, newest first.
fn position(stack: &StackStory, event: &StackEvent) -> usize {
    stack.events.iter().position(|other| std::ptr::eq(other, event)).unwrap_or(usize::MAX)
}

/// Whether nothing newer was said about the same resource: a failure that was healed by continuing is none, and one that came again
/// counts once.
fn last_word(stack: &StackStory, event: &StackEvent) -> bool {
    stack.events.iter().take(position(stack, event)).all(|newer| {
        newer.logical_id != event.logical_id
            || !(newer.status.ends_with("_COMPLETE") || newer.status.ends_with("_FAILED"))
    })
}

/// When the stack's way back began, in the newest change.
fn way_back(stack: &StackStory, from: Option<Timestamp>) -> Option<Timestamp> {
    // Continuing a rollback begins another way back: the first one counts.
    stack
        .events
        .iter()
        .rev()
        .filter(|event| from.is_none_or(|from| event.at.is_none_or(|at| at >= from)))
        .find(|event| is_of_itself(stack, event) && event.status.contains("ROLLBACK_IN_PROGRESS"))
        .and_then(|event| event.at)
}

fn belongs(event: &StackEvent, window: Window) -> bool {
    let after = window.from.is_none_or(|from| event.at.is_none_or(|at| at >= from));
    // A failure and the way back it leads to may bear the same time.
    let before = window.rollback.is_none_or(|back| event.at.is_none_or(|at| at <= back));
    after && before
}

/// Siblings that were stopped because of the failure.
///
/// Texts as met in events ("Resource update cancelled"; AWS docs, troubleshooting, have "Resource creation cancelled").
fn is_echo(event: &StackEvent) -> bool {
    event.reason.as_deref().is_some_and(|reason| {
        let reason = reason.to_ascii_lowercase();
        reason.starts_with("resource ")
            && (reason.contains("cancelled") || reason.contains("canceled"))
    })
}

/// Whether any event of the change is about a resource of the cache itself: an update of every nested stack is begun even when nothing
/// in it changes (CloudFormation user guide, nested stacks), so only resources count, and not those that stayed as they were.
fn touched_cache(story: &Story, began: Option<Timestamp>) -> bool {
    story.stacks.iter().any(|stack| {
        stack.gap.is_none()
            && stack.events.iter().any(|event| {
                is_cache(&event.kind)
                    && began.is_none_or(|began| event.at.is_none_or(|at| at >= began))
                    && !is_echo(event)
            })
    })
}

/// A statement that allows what was denied. A deny by an organisation, a boundary or a policy is not lifted by an allow.
fn statement(denial: &Denial) -> Option<String> {
    use crate::denial::DeniedBy;
    match denial.by {
        DeniedBy::NoIdentityPolicy | DeniedBy::NoResourcePolicy | DeniedBy::Unsaid => {}
        DeniedBy::ServiceControlPolicy
        | DeniedBy::PermissionsBoundary
        | DeniedBy::SessionPolicy
        | DeniedBy::ExplicitDeny => return None,
    }
    let action = denial.action.as_deref().filter(|action| action.contains(':'))?;
    let resource = denial
        .resource
        .as_deref()
        .filter(|resource| resource.starts_with("arn:") || *resource == "*")
        .unwrap_or("*");
    let statement = serde_json::json!({"Effect": "Allow", "Action": action, "Resource": resource});
    Some(statement.to_string())
}

fn remedy(cause: Cause, denial: Option<&Denial>, shown: Option<&Failure>) -> String {
    let what =
        shown.map_or_else(|| "the resource".to_owned(), |failure| format!("`{}`", failure.place()));
    match cause {
        Cause::DatabaseNotAvailable => "wait until the database is `available`, then update again".to_owned(),
        Cause::StorageOutOfStep => format!(
            "the template and the database have different sizes of storage (RDS may have grown it): if the stack is UPDATE_ROLLBACK_FAILED, continue the rollback \
             (skipping {what} if it fails again), then update with the storage parameters at the real size (`storage: adopt`)"
        ),
        Cause::StorageCooldown => {
            "wait: storage can be changed again about six hours after its last change, once its optimization is over".to_owned()
        }
        Cause::PermissionDenied => match denial {
            Some(Denial { principal, action, resource, by }) => {
                use crate::denial::DeniedBy;
                let whom = principal.as_deref().unwrap_or("the role that CloudFormation acts as");
                let what = action.as_deref().unwrap_or("the denied action");
                let on = resource.as_deref().map(|resource| format!(" on `{resource}`")).unwrap_or_default();
                match by {
                    DeniedBy::ServiceControlPolicy => {
                        format!("a service control policy denies `{what}`{on} to `{whom}`: ask the organisation's administrators")
                    }
                    DeniedBy::PermissionsBoundary => format!("the permissions boundary of `{whom}` denies `{what}`{on}: widen it"),
                    DeniedBy::ExplicitDeny | DeniedBy::SessionPolicy => {
                        format!("a policy denies `{what}`{on} to `{whom}`: find the Deny and remove it")
                    }
                    DeniedBy::NoIdentityPolicy | DeniedBy::NoResourcePolicy | DeniedBy::Unsaid => {
                        format!("allow `{what}`{on} to `{whom}`, then update again")
                    }
                }
            }
            None => format!("find out who was denied what for {what} (CloudTrail), allow it, then update again"),
        },
        Cause::ValueNotAllowed => format!("correct the parameter that {what} complains about, then update again"),
        Cause::Quota => "raise the quota that the message names (Service Quotas), or free something, then update again".to_owned(),
        Cause::ResourceMissing => {
            format!("{what} or something it refers to is gone: put it back as the template has it, or ask Turbot support; then update again")
        }
        Cause::ServiceTrouble => "AWS had trouble of its own: update again later".to_owned(),
        Cause::PastTheDoor => {
            "the cache already runs Valkey, and there is no way back to Redis: go forward. Continue the rollback skipping the cache's \
             resources, then update to Valkey again; approve `past-the-door` to have it done"
                .to_owned()
        }
        Cause::Unknown => format!("read the message of {what}; `ted-controller support-bundle` collects what a support ticket asks for"),
    }
}
