//! Reading a dossier: every part by itself, so that one that is denied keeps the others from nothing.

use super::convert::{EVENTS_KEPT_MINUTES, gap};
use super::dossier::{Dossier, ServiceEvent};
use super::join::join_all;
use super::observation::{Backlog, Database, Gap, Observation, Seen};
use super::{story_reader, triggers};
use crate::aws::reader::CacheEventSource;
use crate::aws::{Error, Reader, types as aws};
use std::collections::BTreeSet;

/// Reads what a support ticket asks for.
pub(super) async fn dossier(reader: &Reader, observation: &Observation) -> Dossier {
    let (story, database_events, replica_events, cache_events, (queues, queues_gap)) = tokio::join!(
        Box::pin(story_reader::whole_story(reader, observation)),
        Box::pin(database(reader, &observation.database)),
        Box::pin(database(reader, &observation.replica)),
        Box::pin(cache(reader, observation)),
        Box::pin(queues(reader, observation)),
    );
    Dossier { story, database_events, replica_events, cache_events, queues, queues_gap }
}

async fn database(reader: &Reader, database: &Seen<Database>) -> Seen<Vec<ServiceEvent>> {
    match database {
        Seen::Present(database) => {
            events(vec![reader.db_events(&database.id, EVENTS_KEPT_MINUTES).await])
        }
        Seen::Absent => Seen::Absent,
        Seen::Unreadable(gap) => Seen::Unreadable(gap.clone()),
        Seen::NotLooked => Seen::NotLooked,
    }
}

/// Of the stack's groups and of their nodes.
async fn cache(reader: &Reader, observation: &Observation) -> Seen<Vec<ServiceEvent>> {
    let caches = match &observation.caches {
        Seen::Present(caches) => caches,
        Seen::Absent => return Seen::Absent,
        Seen::Unreadable(gap) => return Seen::Unreadable(gap.clone()),
        Seen::NotLooked => return Seen::NotLooked,
    };
    let groups = caches.iter().map(|cache| (CacheEventSource::ReplicationGroup, &cache.id));
    let nodes = caches
        .iter()
        .flat_map(|cache| &cache.nodes)
        .map(|node| (CacheEventSource::CacheCluster, &node.id));
    let asked = groups.chain(nodes);
    let answers =
        join_all(asked.map(|(kind, id)| reader.cache_events(kind, id, EVENTS_KEPT_MINUTES))).await;
    events(answers)
}

/// All of them, newest first; unreadable if any of them is.
fn events(answers: Vec<Result<Vec<aws::ServiceEvent>, Error>>) -> Seen<Vec<ServiceEvent>> {
    let mut all = Vec::new();
    for answer in answers {
        match answer {
            Ok(events) => all.extend(events.into_iter().map(|event| ServiceEvent {
                at: event.at,
                source: event.source,
                message: event.message,
            })),
            Err(error) => return Seen::Unreadable(gap(&error)),
        }
    }
    all.sort_by(|a: &ServiceEvent, b| b.at.cmp(&a.at).then_with(|| a.message.cmp(&b.message)));
    Seen::Present(all)
}

/// The queues, and why one of them could not be read.
async fn queues(reader: &Reader, observation: &Observation) -> (Seen<Vec<Backlog>>, Option<Gap>) {
    let triggers = match &observation.triggers {
        Seen::Present(triggers) => triggers,
        Seen::Absent => return (Seen::Absent, None),
        Seen::Unreadable(gap) => return (Seen::Unreadable(gap.clone()), None),
        Seen::NotLooked => return (Seen::NotLooked, None),
    };
    let arns: BTreeSet<&String> =
        triggers.mappings.iter().filter_map(|trigger| trigger.queue.as_ref()).collect();
    let looks = arns.into_iter().map(|arn| async move {
        let answer = match triggers::queue_url(reader, arn).await {
            Ok(Some(url)) => triggers::backlog(reader, arn, &url, observation.now).await,
            Ok(None) => Ok(unknown(arn)),
            Err(error) => Err(error),
        };
        answer.map_err(|error| (unknown(arn), gap(&error)))
    });
    let mut why = None;
    let queues = join_all(looks).await.into_iter().map(|look| {
        look.unwrap_or_else(|(queue, gap)| {
            why.get_or_insert(gap);
            queue
        })
    });
    let queues = queues.collect();
    (Seen::Present(queues), why)
}

fn unknown(arn: &str) -> Backlog {
    Backlog { queue: arn.to_owned(), ..Backlog::default() }
}
