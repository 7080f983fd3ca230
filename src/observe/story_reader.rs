//! Reading the events of a change: the root's, and those of every stack nested in it.

use super::convert::gap;
use super::join::join_all;
use super::observation::{NestedStack, Observation};
use super::story::{StackEvent, StackStory, Story};
use crate::aws::{Reader, types as aws};
use crate::text::sanitize;
use jiff::{SignedDuration, Timestamp};

/// Events of one stack that are read at most: a nested stack of TED has some tens of resources, each with a few events a change.
const MOST_EVENTS: usize = 2_000;

/// How long before the newest record events are still of interest: clocks of two services, and a change begun by hand.
const BEFORE_RECORD: SignedDuration = SignedDuration::from_hours(2);

/// The events since a while before the newest change was asked for.
pub(super) async fn story(reader: &Reader, observation: &Observation) -> Story {
    // The newest change of the stack: the last record, or something that went past Service Catalog.
    let record = observation.last_record.present().and_then(|record| record.created);
    // A way back that failed may be that of an older request: those after it were refused.
    let refused = observation.history.present().into_iter().flatten();
    let refused = refused.take_while(|record| record.status != "SUCCEEDED");
    let record = refused.filter_map(|record| record.created).chain(record).min();
    let since = record.map(|at| at.saturating_sub(BEFORE_RECORD).unwrap_or(Timestamp::MIN));
    read(reader, observation, since).await
}

/// All events that CloudFormation keeps, as far as the limit goes.
pub(super) async fn whole_story(reader: &Reader, observation: &Observation) -> Story {
    read(reader, observation, None).await
}

async fn read(reader: &Reader, observation: &Observation, since: Option<Timestamp>) -> Story {
    let Some(root) = observation.root.present() else { return Story::default() };
    let nested = observation.nested.present().map_or(&[][..], Vec::as_slice);
    let mut stacks = vec![(root.id.clone(), root.name.clone(), Vec::new())];
    for stack in nested {
        stacks.push((stack.id.clone(), stack.name.clone(), path(stack, nested, &root.name)));
    }
    let events =
        join_all(stacks.iter().map(|(id, ..)| reader.stack_events(id, since, MOST_EVENTS))).await;
    let stories = stacks.into_iter().zip(events).map(|((id, name, path), events)| {
        let mut story = StackStory { id, name, path, ..StackStory::default() };
        match events {
            Ok(Some(found)) => {
                story.complete = found.complete;
                story.events = found.events.into_iter().map(event).collect();
            }
            Ok(None) => story.complete = true,
            Err(error) => story.gap = Some(gap(&error)),
        }
        story
    });
    Story { stacks: stories.collect() }
}

/// Logical ids from the root down.
fn path(stack: &NestedStack, all: &[NestedStack], root: &str) -> Vec<String> {
    let mut path = vec![stack.logical_id.clone()];
    let mut parent = &stack.parent;
    // CloudFormation nests at most five levels; a longer chain would be a mistake of ours.
    while parent != root && path.len() < 8 {
        let Some(above) = all.iter().find(|other| other.name == *parent) else { break };
        path.push(above.logical_id.clone());
        parent = &above.parent;
    }
    path.reverse();
    path
}

fn event(found: aws::StackEvent) -> StackEvent {
    StackEvent {
        logical_id: found.logical_id.unwrap_or_default(),
        physical_id: found.physical_id,
        kind: found.kind.unwrap_or_default(),
        status: found.status.unwrap_or_default(),
        reason: found.reason.as_deref().map(sanitize),
        at: found.at,
        token: found.client_request_token,
    }
}
