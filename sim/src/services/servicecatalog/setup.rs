//! The first state of a world, and the changes that happen outside of any request.
//!
//! Functions that can meet an unknown id answer [`NoSuch`], because scenario files name ids too.

use super::access::identity;
use super::products::{portfolio_arn, product_arn};
use super::state::{
    Artifact, ArtifactStatus, Guidance, Identity, Output, Path, Portfolio, Principals, Product,
    Provisioned, Record, RecordError, RecordKind, RecordStatus, State, Status,
};
use crate::services::cloudformation::template::Template;
use crate::services::cloudformation::{self, Seen};
use crate::services::iam::Principal;
use crate::time::SimTime;
use crate::world::{Scope, World};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Something was named that Service Catalog does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Service Catalog has no {what} `{id}`")]
pub(crate) struct NoSuch {
    what: &'static str,
    id: String,
}

impl NoSuch {
    fn new(what: &'static str, id: &str) -> Self {
        Self { what, id: id.to_owned() }
    }
}

/// A product to add.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewProduct {
    pub(crate) name: String,
    /// Who publishes it.
    pub(crate) owner: String,
    pub(crate) description: Option<String>,
    pub(crate) distributor: Option<String>,
    pub(crate) support_email: Option<String>,
    pub(crate) support_description: Option<String>,
    pub(crate) support_url: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) created: SimTime,
}

/// A version to add.
#[derive(Clone, Debug)]
pub(crate) struct NewArtifact {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) created: SimTime,
    pub(crate) active: bool,
    pub(crate) guidance: Guidance,
    pub(crate) template: Arc<Template>,
}

/// A portfolio to add.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewPortfolio {
    pub(crate) name: String,
    pub(crate) principals: Principals,
}

/// A launch path to add: a product's place in a portfolio.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewPath {
    pub(crate) portfolio_id: String,
    /// The launch constraint's role.
    pub(crate) launch_role: Option<String>,
    /// The template constraint, in the form of a template's `Rules`.
    pub(crate) rules: Option<Value>,
    /// Whether updates may change tags.
    pub(crate) tag_updates: bool,
}

/// A provisioned product that is there already.
#[derive(Clone, Debug)]
pub(crate) struct Existing {
    /// `pp-…`; the stack is called `SC-<account>-<id>`, so the id is chosen before the stack is made (`World::id("pp-")`).
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) product_id: String,
    pub(crate) artifact_id: String,
    /// Absent: the product's first path.
    pub(crate) path_id: Option<String>,
    /// Name or ARN of the root stack, which exists.
    pub(crate) stack: String,
    /// Who launched it.
    pub(crate) owner: Principal,
    pub(crate) created: SimTime,
    /// The owner's tags; Service Catalog adds its own.
    pub(crate) tags: Vec<(String, String)>,
    /// What happened before, oldest first. The present state comes last and is not part of it.
    pub(crate) history: Vec<Past>,
}

/// One request of long ago.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    pub(crate) artifact_id: String,
    pub(crate) at: SimTime,
    pub(crate) took: Duration,
    pub(crate) outcome: Outcome,
}

/// How a request of long ago ended.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Succeeded,
    /// With this description.
    Failed(String),
}

/// Adds a product without versions and paths. Answers its id.
pub(crate) fn add_product(world: &mut World, scope: &Scope, new: NewProduct) -> String {
    let NewProduct {
        name,
        owner,
        description,
        distributor,
        support_email,
        support_description,
        support_url,
        tags,
        created,
    } = new;
    let (id, view_id) = (world.id("prod-"), world.id("prodview-"));
    let product = Product {
        id: id.clone(),
        view_id,
        name,
        owner,
        description,
        distributor,
        support_email,
        support_description,
        support_url,
        tags,
        created,
        artifacts: Vec::new(),
        paths: Vec::new(),
    };
    state(world, scope).products.insert(id.clone(), Arc::new(product));
    id
}

/// Adds a version to a product; at any time, also while an update runs. Answers its id.
///
/// # Errors
/// When there is no such product.
pub(crate) fn add_artifact(
    world: &mut World,
    scope: &Scope,
    product_id: &str,
    new: NewArtifact,
) -> Result<String, NoSuch> {
    let NewArtifact { name, description, created, active, guidance, template } = new;
    let id = world.id("pa-");
    let product = product(world, scope, product_id)?;
    product.artifacts.push(Artifact {
        id: id.clone(),
        name,
        description,
        created,
        active,
        guidance,
        status: ArtifactStatus::Available,
        template,
    });
    Ok(id)
}

/// Adds a portfolio without products. Answers its id.
pub(crate) fn add_portfolio(world: &mut World, scope: &Scope, new: NewPortfolio) -> String {
    let id = world.id("port-");
    let portfolio = Portfolio { name: new.name, principals: new.principals };
    state(world, scope).portfolios.insert(id.clone(), Arc::new(portfolio));
    id
}

/// Puts a product into a portfolio. Answers the launch path's id.
///
/// # Errors
/// When there is no such product or portfolio.
pub(crate) fn add_path(
    world: &mut World,
    scope: &Scope,
    product_id: &str,
    new: NewPath,
) -> Result<String, NoSuch> {
    let NewPath { portfolio_id, launch_role, rules, tag_updates } = new;
    if !world.region(scope).servicecatalog.portfolios.contains_key(&portfolio_id) {
        return Err(NoSuch::new("portfolio", &portfolio_id));
    }
    let id = world.id("lp-");
    product(world, scope, product_id)?.paths.push(Path {
        id: id.clone(),
        portfolio_id,
        launch_role,
        rules,
        tag_updates,
    });
    Ok(id)
}

/// Makes a provisioned product over a stack that is there already: AVAILABLE, with a SUCCEEDED record of how it got here (the launch,
/// or after a history the last update) whose outputs are the stack's. Answers its id.
///
/// # Errors
/// When there is no such product, version, path or stack.
pub(crate) fn provision_existing(
    world: &mut World,
    scope: &Scope,
    existing: Existing,
) -> Result<String, NoSuch> {
    let seen = cloudformation::see(world.region(scope), &existing.stack)
        .ok_or_else(|| NoSuch::new("stack", &existing.stack))?;
    provision_over(world, scope, existing, seen)
}

/// The same over the stack that is `seen`.
pub(super) fn provision_over(
    world: &mut World,
    scope: &Scope,
    existing: Existing,
    seen: Seen,
) -> Result<String, NoSuch> {
    let Existing {
        id,
        name,
        product_id,
        artifact_id,
        path_id,
        stack: _,
        owner,
        created,
        tags,
        history,
    } = existing;
    let owner = identity(&owner);
    let product = product(world, scope, &product_id)?;
    let versions = history.iter().map(|past| &past.artifact_id).chain([&artifact_id]);
    if let Some(unknown) = versions.into_iter().find(|id| product.artifact(id).is_none()) {
        return Err(NoSuch::new("version", unknown));
    }
    let path = match &path_id {
        Some(wanted) => product.paths.iter().find(|path| path.id == *wanted),
        None => product.paths.first(),
    };
    let path = path.cloned().ok_or_else(|| {
        NoSuch::new("launch path", path_id.as_deref().unwrap_or("of the product"))
    })?;
    let system_tags = system_tags(scope, &product_id, &path, &owner);

    // Launch first; what is now came last, just after the history.
    let now = history.last().map_or(created, |past| past.at + past.took + Duration::from_hours(24));
    let last = Past {
        artifact_id: artifact_id.clone(),
        at: now,
        took: Duration::from_mins(20),
        outcome: Outcome::Succeeded,
    };
    let mut last_record = String::new();
    for (index, past) in history.into_iter().chain([last]).enumerate() {
        last_record = world.id("rec-");
        let failed = match past.outcome {
            Outcome::Succeeded => None,
            Outcome::Failed(description) => {
                Some(RecordError { code: "FAILED".to_owned(), description })
            }
        };
        let record = Record {
            id: last_record.clone(),
            number: 0,
            kind: if index == 0 { RecordKind::Provision } else { RecordKind::Update },
            status: if failed.is_some() { RecordStatus::Failed } else { RecordStatus::Succeeded },
            created: past.at,
            updated: past.at + past.took,
            provisioned_id: id.clone(),
            provisioned_name: name.clone(),
            product_id: product_id.clone(),
            artifact_id: past.artifact_id,
            path_id: Some(path.id.clone()),
            launch_role: path.launch_role.clone(),
            outputs: if failed.is_some() { Arc::default() } else { outputs(&seen) },
            errors: failed.into_iter().collect(),
            tags: system_tags.clone(),
            by: owner.clone(),
        };
        state(world, scope).add_record(record);
    }
    let provisioned = Provisioned {
        arn: scope.arn("servicecatalog", format_args!("stack/{name}/{id}")),
        id: id.clone(),
        name,
        status: Status::Available,
        message: None,
        created,
        token: None,
        last_record: Some(last_record.clone()),
        last_provisioning_record: Some(last_record.clone()),
        last_successful_record: Some(last_record),
        tags: tags.into_iter().chain(system_tags).collect(),
        stack_id: seen.id,
        product_id,
        artifact_id,
        launch_role: path.launch_role,
        owner,
    };
    state(world, scope).provisioned.insert(id.clone(), Arc::new(provisioned));
    Ok(id)
}

/// Makes a provisioned product vanish; its stack and its records stay.
///
/// # Errors
/// When there is no such provisioned product.
pub(crate) fn delete_provisioned(world: &mut World, scope: &Scope, id: &str) -> Result<(), NoSuch> {
    state(world, scope)
        .provisioned
        .remove(id)
        .map(drop)
        .ok_or_else(|| NoSuch::new("provisioned product", id))
}

/// Sets the status of a provisioned product, and the message that goes with it.
///
/// # Errors
/// When there is no such provisioned product.
pub(crate) fn set_status(
    world: &mut World,
    scope: &Scope,
    id: &str,
    status: Status,
    message: Option<String>,
) -> Result<(), NoSuch> {
    let provisioned = state(world, scope)
        .provisioned_mut(id)
        .ok_or_else(|| NoSuch::new("provisioned product", id))?;
    provisioned.status = status;
    provisioned.message = message;
    Ok(())
}

/// Takes the record ids from a provisioned product, as old ones have none.
///
/// # Errors
/// When there is no such provisioned product.
pub(crate) fn forget_record_ids(world: &mut World, scope: &Scope, id: &str) -> Result<(), NoSuch> {
    let provisioned = state(world, scope)
        .provisioned_mut(id)
        .ok_or_else(|| NoSuch::new("provisioned product", id))?;
    provisioned.last_record = None;
    provisioned.last_provisioning_record = None;
    provisioned.last_successful_record = None;
    Ok(())
}

/// Moves a product to a new portfolio of the same kind: its paths get new ids, and the old ids are stale. Answers the new ids.
///
/// # Errors
/// When there is no such product.
pub(crate) fn move_product_to_new_path(
    world: &mut World,
    scope: &Scope,
    product_id: &str,
) -> Result<Vec<String>, NoSuch> {
    let count = product(world, scope, product_id)?.paths.len();
    let ids: Vec<String> = (0..count).map(|_| world.id("lp-")).collect();
    for (path, id) in product(world, scope, product_id)?.paths.iter_mut().zip(&ids) {
        path.id.clone_from(id);
    }
    Ok(ids)
}

/// Makes a version inactive: hidden from end users, closed to updates.
///
/// # Errors
/// When there is no such product or version.
pub(crate) fn retire_artifact(
    world: &mut World,
    scope: &Scope,
    product_id: &str,
    artifact_id: &str,
) -> Result<(), NoSuch> {
    artifact(world, scope, product_id, artifact_id).map(|artifact| artifact.active = false)
}

/// Marks a version deprecated.
///
/// # Errors
/// When there is no such product or version.
pub(crate) fn deprecate_artifact(
    world: &mut World,
    scope: &Scope,
    product_id: &str,
    artifact_id: &str,
) -> Result<(), NoSuch> {
    artifact(world, scope, product_id, artifact_id)
        .map(|artifact| artifact.guidance = Guidance::Deprecated)
}

/// Sets whether a version's template was taken over; a new one is available at once.
///
/// # Errors
/// When there is no such product or version.
pub(crate) fn set_artifact_status(
    world: &mut World,
    scope: &Scope,
    product_id: &str,
    artifact_id: &str,
    status: ArtifactStatus,
) -> Result<(), NoSuch> {
    artifact(world, scope, product_id, artifact_id).map(|artifact| artifact.status = status)
}

/// The outputs of a record over the stack that is `seen`: its ARN under the key AWS gives it, then its own outputs.
pub(super) fn outputs(seen: &Seen) -> Arc<[Output]> {
    let own = seen.outputs.iter().map(|(key, value, description)| Output {
        key: key.clone(),
        value: value.clone(),
        description: description.clone(),
    });
    std::iter::once(stack_output(&seen.id)).chain(own).collect()
}

/// The output that names the stack; the lower-case "f" is AWS's (facts: live recordings).
pub(super) fn stack_output(stack_id: &str) -> Output {
    Output {
        key: "CloudformationStackARN".to_owned(),
        value: stack_id.to_owned(),
        description: Some("The ARN of the launched Cloudformation Stack".to_owned()),
    }
}

/// The tags Service Catalog puts on records and provisioned products (facts: live recordings).
pub(super) fn system_tags(
    scope: &Scope,
    product_id: &str,
    path: &Path,
    by: &Identity,
) -> Vec<(String, String)> {
    vec![
        ("aws:servicecatalog:productArn".to_owned(), product_arn(scope, product_id)),
        ("aws:servicecatalog:portfolioArn".to_owned(), portfolio_arn(scope, &path.portfolio_id)),
        ("aws:servicecatalog:provisioningPrincipalArn".to_owned(), by.session.clone()),
    ]
}

fn state<'w>(world: &'w mut World, scope: &Scope) -> &'w mut State {
    &mut world.region_mut(scope).servicecatalog
}

fn product<'w>(world: &'w mut World, scope: &Scope, id: &str) -> Result<&'w mut Product, NoSuch> {
    state(world, scope).product_mut(id).ok_or_else(|| NoSuch::new("product", id))
}

fn artifact<'w>(
    world: &'w mut World,
    scope: &Scope,
    product_id: &str,
    id: &str,
) -> Result<&'w mut Artifact, NoSuch> {
    let product = product(world, scope, product_id)?;
    product
        .artifacts
        .iter_mut()
        .find(|artifact| artifact.id == id)
        .ok_or_else(|| NoSuch::new("version", id))
}
