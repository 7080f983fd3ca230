//! The first state of a world: accounts, products, stacks, as a spec describes them.
//!
//! Nothing here knows a parameter's key or a resource's name: templates and what an operator chose at installation are data
//! ([`crate::catalog`]); the stack engine makes what they say.

use crate::catalog::{Catalog, Install, Product as CatalogProduct, Release, Ted, published};
use crate::options::Options;
use crate::services::cloudformation::{self, template::Template};
use crate::services::iam::{Principal, Trust};
use crate::services::servicecatalog::{
    self, Existing, NewArtifact, NewPath, NewPortfolio, NewProduct, Outcome, Past, Principals,
};
use crate::services::{lambda, servicecatalog::Guidance, sqs};
use crate::spec_file::{Installation, PathSpec, Rename, TedSpec, WorldSpec};
use crate::time::SimTime;
use crate::world::{Scope, World};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// When worlds begin that do not say when: 2026-08-01T10:00:00Z, a Saturday.
pub(crate) const START: SimTime = SimTime::from_millis(1_785_578_400_000);
/// The prefix of resource names, TED's parameter for it left at its default.
const PREFIX: &str = "turbot";
/// The role that launch constraints name.
const LAUNCH_ROLE: &str = "turbot-launch";
/// The user that launched what is there. Somebody else than the default caller, whose lists of level `User` are empty therefore, as
/// operators find theirs (Turbot's guides: the filter must be Account).
const OWNER: &str = "turbot-installer";
/// A role that everybody of the same world's accounts may assume: for whoever works across accounts.
const OPERATOR_ROLE: &str = "turbot-operator";
/// Events that reach each worker a second. Small beside what a worker takes, so that queues are all but empty until it is paused.
const EVENTS: f64 = 0.5;
/// Messages that a worker takes a second.
const TAKEN: f64 = 100.0;
/// The version of TEF; nothing depends on it.
const TEF_VERSION: &str = "1.58.0";
/// Installations are this old at first.
const AGE: Duration = Duration::from_hours(24 * 400);
/// So long ago the last update began.
const LAST_UPDATE: Duration = Duration::from_hours(24 * 60);
/// The tag that tells a world's own additions from those of a request: who put them there.
const TAG: (&str, &str) = ("Turbot Controlled", "true");

/// Makes the world of `spec`.
///
/// # Errors
/// What in the spec cannot be made, as a sentence.
pub(crate) fn build(spec: &WorldSpec, options: Options) -> Result<World, String> {
    let mut world = World::new(spec.start.unwrap_or(START), &spec.seed, options);
    for installation in spec.installations() {
        install(&mut world, spec, &installation)?;
    }
    open_accounts(&mut world, spec);
    Ok(world)
}

/// Gives every account the role that the others may assume.
fn open_accounts(world: &mut World, spec: &WorldSpec) {
    let scopes: Vec<Scope> = spec
        .installations()
        .into_iter()
        .map(|installation| Scope::new(installation.account, installation.region))
        .collect();
    let accounts: Vec<&str> = scopes.iter().map(|scope| scope.account.as_str()).collect();
    for scope in &scopes {
        let arn = format!("arn:{}:iam::{}:role/{OPERATOR_ROLE}", scope.partition(), scope.account);
        world.iam.add_role(&arn, Trust::of(accounts.iter().copied()));
    }
}

fn install(world: &mut World, spec: &WorldSpec, installation: &Installation) -> Result<(), String> {
    let scope = Scope::new(&*installation.account, &*installation.region);
    let catalog = Catalog::get()?;
    world.iam.add_account(&scope.account, scope.partition());
    world.iam.add_user(&scope.account, OWNER);
    world.iam.add_role(
        &launch_role(&scope),
        Trust::of(["servicecatalog.amazonaws.com", "cloudformation.amazonaws.com"]),
    );
    let tef = catalog.tef(TEF_VERSION)?;
    world.region_mut(&scope).parameters.extend(published(&tef));
    let ted = catalog.ted(world.options.cache_upgrade, &spec.rename)?;

    let owner = owner(&scope);
    let product_id = offer_ted(world, &scope, &ted, &installation.paths)?;
    let [foundation, enterprise, workspaces] = catalog.siblings();
    let created = world.now() - AGE;
    let tef_id = offer_sibling(world, &scope, foundation)?;
    launch(
        world,
        &scope,
        &tef_id,
        &format!("v{TEF_VERSION}"),
        "tef",
        tef,
        BTreeMap::new(),
        created,
    )?;
    offer_sibling(world, &scope, enterprise)?;
    offer_sibling(world, &scope, workspaces)?;

    for te in &installation.te_versions {
        te_version(world, &scope, &te.version, created)?;
    }
    let busy: Vec<String> = {
        let queues = world.region(&scope).sqs.queues();
        let names = queues.map(|queue| queue.name.clone());
        names.filter(|name| name.contains("_worker") && !name.ends_with("_dead")).collect()
    };
    for queue in busy {
        sqs::set_rates(world, &scope, &queue, EVENTS, TAKEN);
    }
    plain_stack(world, &scope, "turbot-mods", catalog.mods()?, created)?;
    let extra = installation.extra_functions
        + installation.te_versions.iter().filter_map(|te| te.functions).sum::<usize>();
    for properties in catalog.extra_functions(&scope.account, PREFIX, extra)? {
        lambda::add_function(world, &scope, lambda::function(&properties));
    }
    for workspace in &installation.workspaces {
        workspace_stack(
            world,
            &scope,
            &workspace.name,
            &workspace.hive,
            &workspace.version,
            created,
        )?;
    }
    let offer = Offer { product_id, ted, rename: &spec.rename, owner };
    for one in &installation.teds {
        ted_product(world, &scope, &offer, one)?;
    }
    for number in 1..=installation.count {
        let one = TedSpec { hive: format!("hive{number}"), ..TedSpec::default() };
        ted_product(world, &scope, &offer, &one)?;
    }
    Ok(())
}

/// Who launched what is there.
fn owner(scope: &Scope) -> Principal {
    let arn = format!("arn:{}:iam::{}:user/{OWNER}", scope.partition(), scope.account);
    Principal { arn, account: scope.account.clone() }
}

fn launch_role(scope: &Scope) -> String {
    format!("arn:{}:iam::{}:role/{LAUNCH_ROLE}", scope.partition(), scope.account)
}

/// Puts the TED product with all its versions on offer, by every path of the spec.
fn offer_ted(
    world: &mut World,
    scope: &Scope,
    ted: &Ted,
    paths: &[PathSpec],
) -> Result<String, String> {
    let product_id =
        servicecatalog::add_product(world, scope, product(&ted.product, world.now() - AGE));
    for release in &ted.releases {
        let artifact = NewArtifact {
            name: release.name.clone(),
            description: Some(release.description.clone()),
            created: release.created,
            active: release.active,
            guidance: if release.guidance == "DEPRECATED" {
                Guidance::Deprecated
            } else {
                Guidance::Default
            },
            template: Arc::clone(&release.template),
        };
        servicecatalog::add_artifact(world, scope, &product_id, artifact)
            .map_err(|error| error.to_string())?;
    }
    for path in paths {
        let portfolio_id = servicecatalog::add_portfolio(
            world,
            scope,
            NewPortfolio { name: path.name.clone(), principals: principals(path) },
        );
        let launch_role = path.launch_role.then(|| launch_role(scope));
        let new = NewPath { portfolio_id, launch_role, ..NewPath::default() };
        servicecatalog::add_path(world, scope, &product_id, new)
            .map_err(|error| error.to_string())?;
    }
    Ok(product_id)
}

/// Puts a product beside TED on offer; its versions come with what is launched of it.
fn offer_sibling(
    world: &mut World,
    scope: &Scope,
    sibling: &CatalogProduct,
) -> Result<String, String> {
    let product_id = servicecatalog::add_product(world, scope, product(sibling, world.now() - AGE));
    let portfolio_id = servicecatalog::add_portfolio(
        world,
        scope,
        NewPortfolio { name: PathSpec::default().name, ..NewPortfolio::default() },
    );
    let new = NewPath { portfolio_id, launch_role: Some(launch_role(scope)), ..NewPath::default() };
    servicecatalog::add_path(world, scope, &product_id, new).map_err(|error| error.to_string())?;
    Ok(product_id)
}

fn product(data: &CatalogProduct, created: SimTime) -> NewProduct {
    NewProduct {
        name: data.name.clone(),
        owner: data.owner.clone(),
        description: Some(data.description.clone()),
        distributor: Some(data.distributor.clone()),
        support_email: Some(data.support_email.clone()),
        support_url: Some(data.support_url.clone()),
        created,
        ..NewProduct::default()
    }
}

/// The TED product of a scope, and who launches it.
struct Offer<'s> {
    product_id: String,
    ted: Arc<Ted>,
    rename: &'s Rename,
    owner: Principal,
}

/// A TED: its stack, and the provisioned product over it.
fn ted_product(
    world: &mut World,
    scope: &Scope,
    offer: &Offer<'_>,
    spec: &TedSpec,
) -> Result<(), String> {
    let Offer { product_id, ted, rename, owner } = offer;
    let release = ted.release(&spec.version).ok_or_else(|| {
        let known: Vec<&str> = ted.releases.iter().map(|release| release.name.as_str()).collect();
        format!(
            "hive {}: there is no TED {}; there are {}",
            spec.hive,
            spec.version,
            known.join(", ")
        )
    })?;
    let mut parameters = ted.install_parameters(
        release,
        Install { hive: &spec.hive, prefix: PREFIX, region: &scope.region },
    );
    parameters.extend(
        spec.parameters.iter().map(|(key, value)| (rename.key(key).to_owned(), value.clone())),
    );
    let launched = world.now() - AGE;
    let updated = world.now() - LAST_UPDATE;
    let id = world.id("pp-");
    let stack_name = format!("SC-{}-{id}", scope.account);
    let product = world.region(scope).servicecatalog.product(product_id);
    let artifact = |name: &str| {
        product
            .and_then(|product| product.artifacts.iter().find(|artifact| artifact.name == name))
            .map(|artifact| artifact.id.clone())
            .unwrap_or_default()
    };
    let (oldest, present) = (artifact(&oldest(ted, release).name), artifact(&release.name));
    let role_arn =
        product.and_then(|product| product.paths.first()).and_then(|path| path.launch_role.clone());
    let stack = cloudformation::Existing {
        name: stack_name.clone(),
        template: Arc::clone(&release.template),
        parameters,
        role_arn,
        tags: BTreeMap::from([(TAG.0.to_owned(), TAG.1.to_owned())]),
        created: launched,
        updated: Some(updated),
    };
    cloudformation::materialize(world, scope, owner, stack)
        .map_err(|error| format!("hive {}: {error}", spec.hive))?;
    let history = history(spec, oldest, &present, updated);
    let existing = Existing {
        id,
        name: spec.product_name(),
        product_id: product_id.clone(),
        artifact_id: present,
        path_id: None,
        stack: stack_name,
        owner: owner.clone(),
        created: launched,
        tags: vec![(TAG.0.to_owned(), TAG.1.to_owned())],
        history,
    };
    servicecatalog::provision_existing(world, scope, existing)
        .map(drop)
        .map_err(|error| error.to_string())
}

/// What happened before the present state: the launch, and failed updates one a day. The record of the present state follows by a day.
fn history(spec: &TedSpec, oldest: String, present: &str, updated: SimTime) -> Vec<Past> {
    let took = Duration::from_mins(20);
    let day = Duration::from_hours(24);
    let at = |days: u32| updated - (day + took) * days;
    let launch = Past {
        artifact_id: oldest,
        at: at(spec.failed_updates + 1),
        took,
        outcome: Outcome::Succeeded,
    };
    let failed = (1..=spec.failed_updates).rev().map(|days| Past {
        artifact_id: present.to_owned(),
        at: at(days),
        took,
        outcome: Outcome::Failed("UPDATE_ROLLBACK_COMPLETE".to_owned()),
    });
    std::iter::once(launch).chain(failed).collect()
}

/// Who reaches a path.
fn principals(path: &PathSpec) -> Principals {
    if path.principals.is_empty() {
        Principals::All
    } else {
        Principals::Only(path.principals.clone())
    }
}

/// The version that a TED at `present` was installed with: the oldest there is.
fn oldest<'t>(ted: &'t Ted, present: &'t Release) -> &'t Release {
    ted.releases
        .iter()
        .filter(|release| release.active)
        .min_by(|a, b| a.version.cmp(&b.version))
        .unwrap_or(present)
}

/// Launches a version of a sibling product: adds the version if it is new, makes the stack, provisions it.
#[expect(clippy::too_many_arguments, reason = "what a launch is made of")]
fn launch(
    world: &mut World,
    scope: &Scope,
    product_id: &str,
    version: &str,
    name: &str,
    template: Arc<Template>,
    parameters: BTreeMap<String, String>,
    created: SimTime,
) -> Result<(), String> {
    let known = world
        .region(scope)
        .servicecatalog
        .product(product_id)
        .and_then(|product| product.artifacts.iter().find(|artifact| artifact.name == version))
        .map(|artifact| artifact.id.clone());
    let artifact_id = if let Some(id) = known {
        id
    } else {
        let artifact = NewArtifact {
            name: version.to_owned(),
            description: None,
            created,
            active: true,
            guidance: Guidance::Default,
            template: Arc::clone(&template),
        };
        servicecatalog::add_artifact(world, scope, product_id, artifact)
            .map_err(|error| error.to_string())?
    };
    let owner = owner(scope);
    let id = world.id("pp-");
    let stack = format!("SC-{}-{id}", scope.account);
    let new = cloudformation::Existing {
        name: stack.clone(),
        template,
        parameters,
        role_arn: Some(launch_role(scope)),
        tags: BTreeMap::new(),
        created,
        updated: None,
    };
    cloudformation::materialize(world, scope, &owner, new)?;
    let existing = Existing {
        id,
        name: name.to_owned(),
        product_id: product_id.to_owned(),
        artifact_id,
        path_id: None,
        stack,
        owner,
        created,
        tags: Vec::new(),
        history: Vec::new(),
    };
    servicecatalog::provision_existing(world, scope, existing)
        .map(drop)
        .map_err(|error| error.to_string())
}

fn plain_stack(
    world: &mut World,
    scope: &Scope,
    name: &str,
    template: Arc<Template>,
    created: SimTime,
) -> Result<(), String> {
    let new = cloudformation::Existing {
        name: name.to_owned(),
        template,
        parameters: BTreeMap::new(),
        role_arn: None,
        tags: BTreeMap::new(),
        created,
        updated: None,
    };
    cloudformation::materialize(world, scope, &owner(scope), new).map(drop)
}

fn te_version(
    world: &mut World,
    scope: &Scope,
    version: &str,
    created: SimTime,
) -> Result<(), String> {
    let catalog = Catalog::get()?;
    let product_id = sibling_id(world, scope, &catalog.siblings()[1].name)?;
    let name = format!("te-{}", version.replace('.', "-"));
    launch(
        world,
        scope,
        &product_id,
        &format!("v{version}"),
        &name,
        catalog.te(version)?,
        BTreeMap::new(),
        created,
    )
}

fn workspace_stack(
    world: &mut World,
    scope: &Scope,
    name: &str,
    hive: &str,
    version: &str,
    created: SimTime,
) -> Result<(), String> {
    let catalog = Catalog::get()?;
    let product_id = sibling_id(world, scope, &catalog.siblings()[2].name)?;
    let parameters = [("Name", name), ("Hive", hive), ("Version", version)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    launch(
        world,
        scope,
        &product_id,
        "v1.0.0",
        &format!("workspace-{name}"),
        catalog.workspace()?,
        BTreeMap::from(parameters),
        created,
    )
}

fn sibling_id(world: &World, scope: &Scope, name: &str) -> Result<String, String> {
    let found =
        world.region(scope).servicecatalog.all_products().find(|product| product.name == name);
    found.map(|product| product.id.clone()).ok_or_else(|| {
        format!("nothing is installed in account {} and region {}", scope.account, scope.region)
    })
}

/// Installs one more version of TE, with its workers and their triggers.
///
/// # Errors
/// When `version` is none, is there already, or nothing is installed in `scope`.
pub(crate) fn add_te_version(
    world: &mut World,
    scope: &Scope,
    version: &str,
) -> Result<(), String> {
    let now = world.now();
    te_version(world, scope, version, now)?;
    world.note(format!("TE {version} was installed"));
    Ok(())
}

/// Adds a workspace.
///
/// # Errors
/// When nothing is installed in `scope`, or a parameter is refused.
pub(crate) fn add_workspace(
    world: &mut World,
    scope: &Scope,
    name: &str,
    hive: &str,
    version: &str,
) -> Result<(), String> {
    let now = world.now();
    workspace_stack(world, scope, name, hive, version, now)?;
    world.note(format!("workspace {name} was added to hive {hive} on TE {version}"));
    Ok(())
}
