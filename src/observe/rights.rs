//! Reads that a look has no reason to make while nothing is to be changed and nothing failed, made all the same: so that a right that is
//! missing shows before it is needed.

use super::collect::path_id;
use super::convert::gap;
use super::observation::{Gap, Observation};
use super::triggers;
use crate::aws::{Error, Reader};

/// Tries what `observation` did not need. Answers why what could not be read.
pub(super) async fn try_rest(reader: &Reader, observation: &Observation) -> Vec<Gap> {
    let (parameters, usage, events, queue) = tokio::join!(
        version(reader, observation),
        offer(reader, observation),
        events(reader, observation),
        queue(reader, observation),
    );
    [parameters, usage, events, queue]
        .into_iter()
        .filter_map(|answer| answer.err().map(|error| gap(&error)))
        .collect()
}

/// The product, and the version that it was last asked for.
fn asked(observation: &Observation) -> Option<(&str, &str)> {
    let [product] = observation.products.present()?.as_slice() else { return None };
    Some((product.product_id.as_deref()?, product.artifact_id.as_deref()?))
}

async fn version(reader: &Reader, observation: &Observation) -> Result<(), Error> {
    let Some((product, artifact)) = asked(observation) else { return Ok(()) };
    reader.artifact(product, artifact).await.map(drop)
}

async fn offer(reader: &Reader, observation: &Observation) -> Result<(), Error> {
    let Some((product, artifact)) = asked(observation) else { return Ok(()) };
    let path = path_id(observation);
    let reachable = observation.paths.present().is_some_and(|paths| !paths.is_empty());
    // Several paths of which none is the right one: that is a gate's affair, no missing right.
    if reachable && path.is_none() {
        return Ok(());
    }
    reader.provisioning_parameters(product, artifact, path).await.map(drop)
}

async fn events(reader: &Reader, observation: &Observation) -> Result<(), Error> {
    let Some(root) = observation.root.present() else { return Ok(()) };
    reader.stack_events(&root.id, Some(observation.now), 1).await.map(drop)
}

async fn queue(reader: &Reader, observation: &Observation) -> Result<(), Error> {
    let mappings = observation.triggers.present().map_or(&[][..], |triggers| &triggers.mappings);
    let queues = mappings.iter().filter_map(|trigger| trigger.queue.as_deref());
    let Some(arn) = queues.into_iter().find(|arn| arn.split(':').nth(2) == Some("sqs")) else {
        return Ok(());
    };
    match triggers::queue_url(reader, arn).await? {
        Some(url) => triggers::backlog(reader, arn, &url).await.map(drop),
        None => Ok(()),
    }
}
