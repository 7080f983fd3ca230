//! Carries out actions: each through the service it belongs to, as whoever does it would.

use super::action::{Action, DenyKind, FailPhase, patched};
use super::run::Order;
use super::ted::Ted;
use super::words::nearest;
use crate::error::ApiError;
use crate::faults::Pattern;
use crate::services::cloudformation::{self, During, Given, Injection, Update};
use crate::services::elasticache::Pending;
use crate::services::iam::policy::Policy;
use crate::services::iam::{Denial, DenialKind, Principal};
use crate::services::servicecatalog::{self, ArtifactStatus, NoSuch, Status};
use crate::services::{elasticache, lambda, rds, sqs};
use crate::setup;
use crate::world::{Scope, World};
use std::collections::BTreeMap;

const DATABASE: &str = "AWS::RDS::DBInstance";
const CACHE: &str = "AWS::ElastiCache::ReplicationGroup";

/// What an action came to; its error says why it could not be done.
type Outcome = Result<(), String>;

impl Action {
    /// Does it, in the first installation.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(super) fn perform(&self, world: &mut World) -> Outcome {
        let home = &world.scenario.home().clone();
        match self {
            Self::DatabaseStatus { id, status, lasting } => {
                let id = or_first(world, id.as_ref(), DATABASE)?;
                rds::set_status(world, home, &id, status, *lasting).map_err(message)
            }
            Self::GrowStorage { id, to, optimizing } => {
                let id = or_first(world, id.as_ref(), DATABASE)?;
                grow_storage(world, home, &id, *to, *optimizing)
            }
            Self::DatabaseDelete { id } => {
                let id = or_first(world, id.as_ref(), DATABASE)?;
                rds::delete_now(world, home, &id).map_err(message)
            }
            Self::DatabaseAutoscale { id, growth } => {
                let id = or_first(world, id.as_ref(), DATABASE)?;
                rds::autoscale(world, home, &id, i64::from(*growth)).map(drop).map_err(message)
            }
            Self::DatabaseReboot { id } => {
                let id = or_first(world, id.as_ref(), DATABASE)?;
                rds::reboot(world, home, &id).map_err(message)
            }
            Self::CacheUpgrade { id, engine, version } => {
                let id = or_first(world, id.as_ref(), CACHE)?;
                elasticache::upgrade_now(world, home, &id, engine, version).map_err(message)
            }
            Self::CacheStatus { id, status, lasting } => {
                let id = or_first(world, id.as_ref(), CACHE)?;
                elasticache::set_status(world, home, &id, status, *lasting).map_err(message)
            }
            Self::CacheDelete { id } => {
                let id = or_first(world, id.as_ref(), CACHE)?;
                elasticache::delete_now(world, home, &id).map_err(message)
            }
            Self::CachePending { id, engine_version, node_type } => {
                let id = or_first(world, id.as_ref(), CACHE)?;
                let pending = Pending {
                    engine_version: engine_version.clone(),
                    node_type: node_type.clone(),
                };
                let pending = (pending != Pending::default()).then_some(pending);
                elasticache::set_pending(world, home, &id, pending.as_ref()).map_err(message)
            }
            Self::CacheGlobal { id, datastore } => {
                let id = or_first(world, id.as_ref(), CACHE)?;
                elasticache::set_global_datastore(world, home, &id, datastore.as_deref())
                    .map_err(message)
            }
            Self::ProductForgetRecords { product } => {
                let ted = Ted::find(world, product.as_deref())?;
                servicecatalog::forget_record_ids(world, home, &ted.id).map_err(none)
            }
            Self::QueueRates { queues, arrival, drain } => {
                set_rates(world, home, queues, *arrival, *drain)
            }
            Self::ArtifactStatus { version, status } => {
                let (ted, artifact_id) = offered(world, version)?;
                let status = artifact_status(status)?;
                servicecatalog::set_artifact_status(
                    world,
                    home,
                    &ted.product_id,
                    &artifact_id,
                    status,
                )
                .map_err(none)
            }
            Self::PolicyAttach { principal, name, document } => {
                let policy = Policy::from_value(name, document)
                    .map_err(|malformed| malformed.to_string())?;
                there(world.iam.attach(principal, policy), "user or role", principal)
            }
            Self::IdentityDelete { principal } => {
                there(world.iam.remove_identity(principal), "user or role", principal)
            }
            Self::StackUpdate { stack, parameters } => {
                update_stack(world, home, stack.as_deref(), parameters)
            }
            Self::StackDelete { stack } => delete_stack(world, home, stack.as_deref()),
            Self::ProductUpdate { product, version, parameters } => {
                let ted = Ted::find(world, product.as_deref())?;
                ted.update(world, operator(home), version.as_deref(), parameters)
            }
            Self::ProductDelete { product } => {
                let ted = Ted::find(world, product.as_deref())?;
                servicecatalog::delete_provisioned(world, home, &ted.id).map_err(none)
            }
            Self::ProductStatus { product, status, message } => {
                let ted = Ted::find(world, product.as_deref())?;
                servicecatalog::set_status(
                    world,
                    home,
                    &ted.id,
                    product_status(status)?,
                    message.clone(),
                )
                .map_err(none)
            }
            Self::TriggerToggle { function, enabled } => {
                lambda::toggle_triggers(world, home, function, *enabled)
            }
            Self::TriggerStuck { function, stuck } => {
                lambda::stick_triggers(world, home, function, *stuck)
            }
            Self::TeVersionAdd { version } => setup::add_te_version(world, home, version),
            Self::WorkspaceAdd { name, hive, version } => {
                setup::add_workspace(world, home, name, hive, version)
            }
            Self::FailResource { logical_id, stack, phase, message, times, after_change } => {
                let during = match phase {
                    FailPhase::Update => During::Update,
                    FailPhase::Rollback => During::Rollback,
                };
                let (logical_id, stack, message) =
                    (logical_id.clone(), stack.clone(), message.clone());
                let injection = Injection {
                    logical_id,
                    stack,
                    during,
                    message,
                    times: *times,
                    after_change: *after_change,
                };
                cloudformation::fail_resource(world, home, injection);
                Ok(())
            }
            Self::ArtifactRetire { version } => {
                let (ted, artifact_id) = offered(world, version)?;
                servicecatalog::retire_artifact(world, home, &ted.product_id, &artifact_id)
                    .map_err(none)
            }
            Self::ArtifactDeprecate { version } => {
                let (ted, artifact_id) = offered(world, version)?;
                servicecatalog::deprecate_artifact(world, home, &ted.product_id, &artifact_id)
                    .map_err(none)
            }
            Self::ArtifactAdd { version, like } => {
                Ted::find(world, None)?.offer(world, version, like)
            }
            Self::PathMove => {
                let ted = Ted::find(world, None)?;
                servicecatalog::move_product_to_new_path(world, home, &ted.product_id)
                    .map(drop)
                    .map_err(none)
            }
            Self::Deny { principal, actions, kind } => {
                let principal = who(world, principal)?;
                deny(world, &principal, actions, *kind);
                Ok(())
            }
            Self::PolicyDetach { .. }
            | Self::AccessKeyAdd { .. }
            | Self::Allow
            | Self::CredentialsExpire { .. }
            | Self::CredentialsRenew { .. } => {
                self.perform_in_iam(world);
                Ok(())
            }
            Self::Options(patch) => {
                world.options = patched(&world.options, patch)?;
                world.scenario.order(Order::KeepHistory);
                Ok(())
            }
            Self::ClockSpeed { .. } | Self::Fault(_) | Self::ClearFaults | Self::Note { .. } => {
                self.perform_outside(world);
                Ok(())
            }
        }
    }

    /// What changes who may do what.
    fn perform_in_iam(&self, world: &mut World) {
        let now = world.now();
        match self {
            Self::Allow => {
                for number in std::mem::take(&mut world.scenario.denials) {
                    world.iam.remove_denial(number);
                }
            }
            Self::CredentialsExpire { keys, lasting } => {
                world.iam.expire(keys, now);
                if let Some(lasting) = lasting {
                    world.scenario.later(*lasting, Self::CredentialsRenew { keys: keys.clone() });
                }
            }
            Self::CredentialsRenew { keys } => world.iam.renew(keys),
            Self::PolicyDetach { principal, name } => world.iam.detach(principal, name),
            Self::AccessKeyAdd { user, key, lasting } => {
                let account = world.scenario.home().account.clone();
                let arn = world.iam.add_user(&account, user);
                world.iam.add_key(key, &arn, lasting.map(|lasting| now + lasting));
            }
            _ => {}
        }
    }

    /// What is not of the world: orders to the doors, and the journal.
    fn perform_outside(&self, world: &mut World) {
        match self {
            Self::ClockSpeed { speed } => world.scenario.order(Order::Speed(*speed)),
            Self::Fault(rule) => world.scenario.order(Order::Fault(rule.clone())),
            Self::ClearFaults => world.scenario.order(Order::ClearFaults),
            Self::Note { text } => world.note(text.clone()),
            _ => {}
        }
    }
}

fn message(error: ApiError) -> String {
    error.message
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that `map_err` asks for")]
fn none(missing: NoSuch) -> String {
    missing.to_string()
}

/// The id that is given, or that of the first TED's first resource of `kind`.
fn or_first(world: &World, id: Option<&String>, kind: &str) -> Result<String, String> {
    match id {
        Some(id) => Ok(id.clone()),
        None => Ted::find(world, None)?.resource(world, kind),
    }
}

fn or_first_stack(world: &World, stack: Option<&str>) -> Result<String, String> {
    match stack {
        Some(name) => Ok(name.to_owned()),
        None => Ted::find(world, None).map(|ted| ted.stack_name().to_owned()),
    }
}

/// The first TED, and the id of a version of its product.
fn offered(world: &World, version: &str) -> Result<(Ted, String), String> {
    let ted = Ted::find(world, None)?;
    let artifact_id = ted.version(world.region(&ted.scope), version)?;
    Ok((ted, artifact_id))
}

fn there(found: bool, what: &str, name: &str) -> Outcome {
    if found { Ok(()) } else { Err(format!("there is no {what} `{name}`")) }
}

fn set_rates(
    world: &mut World,
    home: &Scope,
    queues: &Pattern,
    arrival: f64,
    drain: f64,
) -> Outcome {
    let names: Vec<String> = world
        .region(home)
        .sqs
        .queues()
        .map(|queue| queue.name.clone())
        .filter(|name| queues.matches(name))
        .collect();
    for name in &names {
        sqs::set_rates(world, home, name, arrival, drain);
    }
    there(!names.is_empty(), "queue", &queues.0)
}

fn artifact_status(text: &str) -> Result<ArtifactStatus, String> {
    let known = [ArtifactStatus::Available, ArtifactStatus::Creating, ArtifactStatus::Failed];
    known
        .into_iter()
        .find(|status| status.as_str() == text)
        .ok_or_else(|| format!("a version has no status `{text}`"))
}

fn product_status(text: &str) -> Result<Status, String> {
    Status::from_wire(text).ok_or_else(|| {
        let near = nearest(text, Status::ALL.map(Status::as_str))
            .map(|near| format!("; did you mean `{near}`?"));
        format!("a product has no status `{text}`{}", near.unwrap_or_default())
    })
}

/// Who acts in the consoles: an administrator of the account.
fn operator(scope: &Scope) -> Principal {
    Principal {
        arn: format!("arn:{}:iam::{}:user/operator", scope.partition(), scope.account),
        account: scope.account.clone(),
    }
}

fn grow_storage(world: &mut World, home: &Scope, id: &str, to: u32, optimizing: bool) -> Outcome {
    rds::grow_storage(world, home, id, i64::from(to)).map_err(message)?;
    if !optimizing {
        rds::set_status(world, home, id, "available", None).map_err(message)?;
        // Long ago: neither does it optimize, nor does its storage cool down.
        if let Some(instance) = world.region_mut(home).rds.instances.get_mut(id) {
            instance.storage_changed = None;
        }
    }
    Ok(())
}

/// `launch-role` is the role of the first TED's launch path; any other text is IAM's to read.
fn who(world: &World, principal: &str) -> Result<String, String> {
    if principal != "launch-role" {
        return Ok(principal.to_owned());
    }
    Ted::find(world, None)?
        .launch_role(world)
        .ok_or_else(|| "the product launches without a role".to_owned())
}

fn deny(world: &mut World, principal: &str, actions: &[String], kind: DenyKind) {
    let kind = match kind {
        DenyKind::Identity => DenialKind::Identity,
        DenyKind::Explicit => DenialKind::Explicit,
        DenyKind::Scp => DenialKind::Scp,
    };
    for action in actions {
        let denial = Denial {
            principal: principal.to_owned(),
            action: action.clone(),
            resource: "*".to_owned(),
            kind,
        };
        let number = world.iam.deny(denial);
        world.scenario.denials.push(number);
    }
}

fn update_stack(
    world: &mut World,
    home: &Scope,
    stack: Option<&str>,
    changed: &BTreeMap<String, String>,
) -> Outcome {
    let name = or_first_stack(world, stack)?;
    let region = world.region(home);
    let template = cloudformation::template_of(region, &name)
        .ok_or_else(|| format!("there is no stack `{name}`"))?;
    let mut parameters: BTreeMap<String, Given> = cloudformation::parameter_keys(region, &name)
        .into_iter()
        .map(|key| (key, Given::Previous))
        .collect();
    parameters
        .extend(changed.iter().map(|(key, value)| (key.clone(), Given::Value(value.clone()))));
    let update =
        Update { stack_name: name, template, parameters, role_arn: None, client_token: None };
    cloudformation::start_update(world, home, &operator(home), update).map(drop).map_err(message)
}

fn delete_stack(world: &mut World, home: &Scope, stack: Option<&str>) -> Outcome {
    let name = or_first_stack(world, stack)?;
    if cloudformation::see(world.region(home), &name).is_none() {
        return Err(format!("there is no stack `{name}`"));
    }
    cloudformation::delete_now(world, home, &name);
    Ok(())
}
