//! Reads that a look has no reason to make while nothing is to be changed and nothing failed, made all the same: so that a right that is
//! missing shows before it is needed.

use super::collect::path_id;
use super::convert::gap;
use super::observation::{Gap, Observation};
use super::triggers;
use crate::aws::policy::write_actions;
use crate::aws::table::Resource;
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
        Some(url) => triggers::backlog(reader, arn, &url, observation.now).await.map(drop),
        None => Ok(()),
    }
}

/// Which changing actions IAM's simulation denies to `principal`, each asked about with a resource of this TED: without one the simulation
/// takes `*`, which a policy for certain stacks or triggers does not allow (IAM API reference, `SimulatePrincipalPolicy`).
pub(super) async fn denied_writes(
    reader: &Reader,
    principal: &str,
    observation: &Observation,
) -> Result<Vec<String>, String> {
    let mut denied = Vec::new();
    for (resource, actions) in write_actions() {
        let actions: Vec<String> = actions.into_iter().collect();
        let resources = match resource {
            Resource::Any => Vec::new(),
            Resource::Product | Resource::CatalogStack | Resource::Mapping => {
                let arn = an_arn(resource, observation).ok_or_else(|| {
                    format!("there is nothing to ask about {} with", actions.join(", "))
                })?;
                vec![arn]
            }
        };
        let answers = reader.simulate_permissions(principal, &actions, &resources).await;
        let answers = answers.map_err(|error| error.to_string())?;
        denied.extend(answers.into_iter().filter_map(|answer| {
            let allowed =
                answer.decision == "allowed" && answer.allowed_by_organization != Some(false);
            (!allowed).then_some(answer.action)
        }));
    }
    denied.sort();
    Ok(denied)
}

/// One thing of this TED that such actions are granted on.
fn an_arn(resource: Resource, observation: &Observation) -> Option<String> {
    match resource {
        Resource::Any => None,
        Resource::Product => {
            let [product] = observation.products.present()?.as_slice() else { return None };
            // A provisioned product's own ARN is one of `servicecatalog`; that of its product is one of `catalog`.
            let id = product.product_id.as_deref()?;
            let mut parts = product.arn.split(':').skip(1);
            let (partition, _, region, account) =
                (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
            Some(format!("arn:{partition}:catalog:{region}:{account}:product/{id}"))
        }
        Resource::CatalogStack => Some(observation.root.present()?.id.clone()),
        Resource::Mapping => {
            let triggers = observation.triggers.present()?;
            triggers.mappings.iter().map(|trigger| trigger.arn.clone()).find(|arn| !arn.is_empty())
        }
    }
}
