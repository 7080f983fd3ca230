//! Finding, among the events of all stacks, the failure that began it.
//!
//! Every stack tells its own part, and a nested stack's failure shows in its parent only later, when the child has given up. So the
//! earliest failure over all stacks counts, not the one whose parent noticed first. A parent's event about a stack that tells its own
//! part is an echo; about one that cannot be read it is as far as can be seen.

use super::{Cause, Failure, STACK, WayBack, is_cache};
use crate::observe::story::{StackEvent, StackStory, Story};
use crate::text::sanitize;
use jiff::Timestamp;

/// What the events show.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) failure: Option<Failure>,
    pub(super) rollback: Vec<Failure>,
    pub(super) left_behind: Vec<Failure>,
    pub(super) touched_cache: bool,
    pub(super) began: Option<Timestamp>,
    pub(super) way_back: Option<WayBack>,
    pub(super) unseen: Vec<String>,
}

/// A look through a story.
pub(super) struct Walk<'a> {
    story: &'a Story,
    root: &'a StackStory,
    /// When the change began.
    began: Option<Timestamp>,
    /// From when on events belong to it, as far as can be told.
    from: Option<Timestamp>,
}

impl<'a> Walk<'a> {
    /// `None`: there is no stack.
    pub(super) fn of(story: &'a Story) -> Option<Self> {
        let root = story.stacks.first()?;
        let began = beginning(root);
        // Where the beginning is out of sight, everything that the root still shows lies after it.
        let from = began.or_else(|| root.events.last().and_then(|event| event.at));
        Some(Self { story, root, began, from })
    }

    pub(super) fn see(&self) -> Seen {
        let mut seen = Seen { began: self.began, ..Seen::default() };
        self.gaps(&mut seen.unseen);
        if !self.went_well() {
            seen.failure = self.first_failure(&mut seen.unseen);
            seen.rollback = self.rollback();
        }
        seen.left_behind = self.left_behind();
        seen.touched_cache = self.touched_cache();
        seen.way_back = self.how_it_goes_back();
        seen.unseen.sort();
        seen.unseen.dedup();
        seen
    }

    /// What is missing in the first place.
    fn gaps(&self, unseen: &mut Vec<String>) {
        if let Some(gap) = &self.root.gap {
            unseen.push(format!("the root stack's events: {}", sanitize(&gap.message)));
        } else if self.began.is_none() && !self.root.complete {
            unseen.push(format!(
                "the events of `{}` end before the change began",
                sanitize(&self.root.name)
            ));
        }
    }

    /// Whether the root says that the change succeeded: then what failed in it was healed, or was clean-up.
    fn went_well(&self) -> bool {
        newest_of_itself(self.root, self.from).is_some_and(|event| {
            matches!(
                event.status.as_str(),
                "UPDATE_COMPLETE"
                    | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
                    | "CREATE_COMPLETE"
                    | "IMPORT_COMPLETE"
            )
        })
    }

    fn since<'b>(&self, stack: &'b StackStory) -> impl Iterator<Item = &'b StackEvent> {
        let from = self.from;
        // Oldest first. Of two in one second the list's order decides: it is by time, newest first.
        stack.events.iter().rev().filter(move |event| after(event, from))
    }

    fn child(&self, event: &StackEvent) -> Option<&'a StackStory> {
        event.physical_id.as_deref().and_then(|id| self.story.stack(id))
    }

    /// Failures of a stack's way forward, the echoes left out, oldest first.
    fn forward<'b>(&self, stack: &'b StackStory) -> impl Iterator<Item = &'b StackEvent> {
        let back = way_back(stack, self.from);
        self.since(stack).filter(move |event| {
            fails(stack, event)
                // A failure and the way back it leads to may bear the same time.
                && back.is_none_or(|back| event.at.is_none_or(|at| at <= back))
        })
    }

    /// The first failure of the way forward.
    fn first_failure(&self, unseen: &mut Vec<String>) -> Option<Failure> {
        let mut found: Vec<Failure> = Vec::new();
        for stack in self.story.stacks.iter().filter(|stack| stack.gap.is_none()) {
            for event in self.forward(stack) {
                if event.kind == STACK && self.tells_itself(event, unseen) {
                    continue;
                }
                found.push(Failure::of(stack, event));
            }
        }
        // The sort is stable: what it leaves equal stays in the order of the stacks and of each list.
        found.sort_by_key(|failure| (failure.at.is_none(), failure.at, failure.kind == STACK));
        found.into_iter().next().or_else(|| self.cancelled())
    }

    /// Whether a nested stack's own events tell of the failure that its parent speaks of. What keeps them from it is said.
    fn tells_itself(&self, event: &StackEvent, unseen: &mut Vec<String>) -> bool {
        let name = sanitize(&event.logical_id);
        let Some(child) = self.child(event) else {
            unseen.push(format!("the events of the nested stack `{name}`"));
            return false;
        };
        if let Some(gap) = &child.gap {
            unseen.push(format!(
                "the events of the nested stack `{name}`: {}",
                sanitize(&gap.message)
            ));
            return false;
        }
        let tells = self.forward(child).next().is_some();
        let cut = !child.complete
            && self.from.is_none_or(|from| {
                child
                    .events
                    .last()
                    .is_none_or(|oldest| oldest.at.is_none_or(|oldest| oldest > from))
            });
        if cut {
            unseen.push(format!("the older events of `{}`", sanitize(&child.name)));
        }
        tells
    }

    /// A way back that no failure led to: somebody cancelled the update. The root's own event says so.
    fn cancelled(&self) -> Option<Failure> {
        let turned = self.since(self.root).find(|event| {
            is_of_itself(self.root, event) && event.status.contains("ROLLBACK_IN_PROGRESS")
        })?;
        let reason = turned.reason.as_deref().unwrap_or_default().to_ascii_lowercase();
        // Continuing a rollback is initiated by a user, too; then the change's beginning is out of sight.
        let by_hand = reason.contains("user initiated") || reason.contains("cancel");
        (self.began.is_some() && by_hand)
            .then(|| Failure { cause: Cause::Cancelled, ..Failure::of(self.root, turned) })
    }

    /// Everything that failed on the way back and was not healed since.
    fn rollback(&self) -> Vec<Failure> {
        let mut found = Vec::new();
        for stack in self.story.stacks.iter().filter(|stack| stack.gap.is_none()) {
            for event in self.backward(stack) {
                let tells_itself = event.kind == STACK
                    && self.child(event).is_some_and(|child| self.backward(child).next().is_some());
                if !tells_itself {
                    found.push(Failure::of(stack, event));
                }
            }
        }
        found.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.place().cmp(&b.place())));
        found
    }

    /// Failures of a stack's way back that still stand. A stack that got back in the end has none: what was skipped counts as healed.
    fn backward<'b>(&self, stack: &'b StackStory) -> impl Iterator<Item = &'b StackEvent> {
        let healed = newest_of_itself(stack, self.from)
            .is_some_and(|event| event.status.ends_with("_COMPLETE"));
        let back = way_back(stack, self.from).filter(|_| !healed);
        self.since(stack).filter(move |event| {
            back.is_some_and(|back| {
                event.at.is_none_or(|at| at >= back)
                    && fails(stack, event)
                    && last_word(stack, event)
                    && !of_the_way_forward(stack, event, back)
            })
        })
    }

    /// How the way back stands. The root's own events from the change's beginning on tell it whole: a list is cut off at its old end.
    fn how_it_goes_back(&self) -> Option<WayBack> {
        let began = self.began?;
        let own = |event: &&StackEvent| is_of_itself(self.root, event);
        let of_itself: Vec<&StackEvent> = self.since(self.root).filter(own).collect();
        let count = |status: &str| of_itself.iter().filter(|event| event.status == status).count();
        let failed = of_itself.last().filter(|event| event.status == "UPDATE_ROLLBACK_FAILED");
        // Whoever continues it begins it anew. What failed more often than it is seen to have begun counts, too: rather one too many.
        let times = count("UPDATE_ROLLBACK_IN_PROGRESS").max(count("UPDATE_ROLLBACK_FAILED"));
        (times > 0).then(|| WayBack {
            began,
            continued: times - 1,
            failed: failed.and_then(|event| event.at),
        })
    }

    fn left_behind(&self) -> Vec<Failure> {
        let mut found: Vec<Failure> = Vec::new();
        for stack in &self.story.stacks {
            let failed = self.since(stack).filter(|event| {
                event.status == "DELETE_FAILED"
                    && !is_of_itself(stack, event)
                    && last_word(stack, event)
            });
            found.extend(failed.map(|event| Failure::of(stack, event)));
        }
        found
    }

    /// Whether any event of the change is about a resource of the cache itself: an update of every nested stack is begun even when
    /// nothing in it changes (CloudFormation user guide, nested stacks), so only resources count. A stack that cannot be read may
    /// have touched it.
    fn touched_cache(&self) -> bool {
        self.story.stacks.iter().any(|stack| {
            let hidden = stack.gap.is_some();
            let of_cache = |event: &StackEvent| is_cache(&event.kind) && !is_echo(event);
            let unread = |event: &StackEvent| {
                event.kind == STACK && !is_of_itself(stack, event) && self.child(event).is_none()
            };
            hidden || self.since(stack).any(|event| of_cache(event) || unread(event))
        })
    }
}

/// When the newest change began: the stack's own newest `UPDATE_IN_PROGRESS` or `CREATE_IN_PROGRESS`.
///
/// "Continue rollback" begins with `UPDATE_ROLLBACK_IN_PROGRESS`, so it belongs to the change that failed.
pub(super) fn beginning(stack: &StackStory) -> Option<Timestamp> {
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

fn after(event: &StackEvent, from: Option<Timestamp>) -> bool {
    from.is_none_or(|from| event.at.is_none_or(|at| at >= from))
}

/// An event about the stack itself. A nested stack's event in its parent has the child's ARN, not the parent's.
fn is_of_itself(stack: &StackStory, event: &StackEvent) -> bool {
    event.kind == STACK && event.physical_id.as_deref() == Some(stack.id.as_str())
}

fn newest_of_itself(stack: &StackStory, from: Option<Timestamp>) -> Option<&StackEvent> {
    stack.events.iter().find(|event| is_of_itself(stack, event)).filter(|event| after(event, from))
}

/// A failure of a resource, on whichever way. What a clean-up cannot delete fails no update (user guide, stack status codes).
fn fails(stack: &StackStory, event: &StackEvent) -> bool {
    event.status.ends_with("_FAILED")
        && event.status != "DELETE_FAILED"
        && !is_of_itself(stack, event)
        && !is_echo(event)
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

/// When the stack's way back began, in the newest change.
fn way_back(stack: &StackStory, from: Option<Timestamp>) -> Option<Timestamp> {
    // Continuing a rollback begins another way back: the first one counts.
    stack
        .events
        .iter()
        .rev()
        .filter(|event| after(event, from))
        .find(|event| is_of_itself(stack, event) && event.status.contains("ROLLBACK_IN_PROGRESS"))
        .and_then(|event| event.at)
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
