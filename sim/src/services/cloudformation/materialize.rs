//! Stacks that exist from the beginning: made at once, as if created and updated long ago.

use super::context::nested_version;
use super::engine::Engine;
use super::provider::On;
use super::state::{Event, NESTED, Resource, ResourceStatus, Stack, Status, Version, interned};
use super::template::Template;
use super::{evaluate, resources, start};
use crate::services::iam::Principal;
use crate::time::SimTime;
use crate::world::{Scope, World};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A root stack to be made.
#[derive(Clone, Debug)]
pub(crate) struct Existing {
    pub(crate) name: String,
    pub(crate) template: Arc<Template>,
    /// Values that differ from the template's defaults.
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created: SimTime,
    /// When it was last updated; absent: never.
    pub(crate) updated: Option<SimTime>,
}

/// Makes a root stack with everything below it. Answers its ARN.
///
/// # Errors
/// What is wrong with template or parameters, as a sentence.
pub(crate) fn materialize(
    world: &mut World,
    scope: &Scope,
    principal: &Principal,
    existing: Existing,
) -> Result<String, String> {
    let mut given: BTreeMap<String, String> = existing
        .template
        .parameters
        .iter()
        .filter_map(|parameter| Some((parameter.key.clone(), parameter.default.clone()?)))
        .collect();
    if let Some(unknown) =
        existing.parameters.keys().find(|key| existing.template.parameter(key).is_none())
    {
        return Err(format!("stack {}: the template has no parameter `{unknown}`", existing.name));
    }
    given.extend(existing.parameters);
    if let Some(missing) =
        existing.template.parameters.iter().find(|parameter| !given.contains_key(&parameter.key))
    {
        return Err(format!("stack {}: parameter `{}` needs a value", existing.name, missing.key));
    }
    let parameters = start::check(world.region(scope), &existing.template, given)
        .map_err(|error| format!("stack {}: {}", existing.name, error.message))?;
    let id = scope.arn("cloudformation", format_args!("stack/{}/{}", existing.name, world.uuid()));
    let stack = Stack {
        role_arn: existing.role_arn,
        tags: Arc::new(existing.tags),
        updated: existing.updated,
        ..Stack::new(id.clone(), existing.name, existing.created)
    };
    fill(world, scope, principal, stack, &Version { template: existing.template, parameters })?;
    Ok(id)
}

/// Makes `stack` with its resources, dependencies first.
fn fill(
    world: &mut World,
    scope: &Scope,
    principal: &Principal,
    mut stack: Stack,
    version: &Version,
) -> Result<(), String> {
    let name = stack.name.clone();
    let at = stack.updated.unwrap_or(stack.created);
    stack.template = Arc::clone(&version.template);
    stack.parameters = version.parameters.clone();
    finish(&mut stack, at, world.uuid(), world.uuid());
    world.region_mut(scope).cloudformation.stacks.insert(name.clone(), Arc::new(stack));
    for logical_id in order(world, scope, &name, version) {
        let said = |reason: String| format!("stack {name}, resource {logical_id}: {reason}");
        let kind = interned(
            version
                .template
                .resources()
                .get(&logical_id)
                .and_then(|resource| resource.get("Type"))
                .and_then(Value::as_str)
                .unwrap_or_default(),
        );
        let engine = Engine { world, scope };
        let stack = engine.stack(&name).ok_or("the stack is gone")?;
        let properties = engine.properties(stack, version, &logical_id).map_err(said)?;
        let physical_id = if &*kind == NESTED {
            nest(
                world,
                scope,
                principal,
                &name,
                &logical_id,
                &nested_version(world.region(scope), version, &properties).map_err(said)?,
            )?
        } else {
            create(world, scope, principal, &name, &logical_id, &kind, &properties).map_err(said)?
        };
        let resource = Resource {
            kind,
            physical_id,
            status: ResourceStatus::CreateComplete,
            reason: None,
            updated: at,
            drift: None,
        };
        if let Some(stack) = world.region_mut(scope).cloudformation.stack_mut(&name) {
            stack.resources.insert(logical_id, resource);
        }
    }
    let engine = Engine { world, scope };
    let outputs = engine.stack(&name).map(|stack| engine.outputs(stack)).unwrap_or_default();
    if let Some(stack) = world.region_mut(scope).cloudformation.stack_mut(&name) {
        stack.outputs = outputs;
    }
    Ok(())
}

/// The final status, and the two stack events that are left of the last operation.
fn finish(stack: &mut Stack, at: SimTime, first: String, second: String) {
    let (began, ended) = if stack.updated.is_some() {
        (Status::UpdateInProgress, Status::UpdateComplete)
    } else {
        (Status::CreateInProgress, Status::CreateComplete)
    };
    stack.status = ended;
    let logical_id = stack
        .parent
        .as_ref()
        .map_or_else(|| stack.name.clone(), |(_, logical_id)| logical_id.clone());
    let event = |id: String, status: Status, reason: Option<&str>| Event {
        id,
        at,
        operation: None,
        token: None,
        logical_id: logical_id.clone(),
        physical_id: stack.id.clone(),
        kind: interned(NESTED),
        status: status.as_str(),
        reason: reason.map(str::to_owned),
    };
    let events = vec![
        event(first, began, stack.parent.is_none().then_some("User Initiated")),
        event(second, ended, None),
    ];
    stack.events = events;
}

fn nest(
    world: &mut World,
    scope: &Scope,
    principal: &Principal,
    parent: &str,
    logical_id: &str,
    version: &Version,
) -> Result<String, String> {
    let name = format!("{parent}-{logical_id}-{}", world.suffix());
    let id = scope.arn("cloudformation", format_args!("stack/{name}/{}", world.uuid()));
    let above =
        world.region(scope).cloudformation.stacks.get(parent).ok_or("the parent is gone")?;
    let stack = Stack {
        role_arn: above.role_arn.clone(),
        tags: Arc::clone(&above.tags),
        updated: above.updated,
        parent: Some((parent.to_owned(), logical_id.to_owned())),
        root: above.root.clone(),
        ..Stack::new(id.clone(), name, above.created)
    };
    fill(world, scope, principal, stack, version)?;
    Ok(id)
}

fn create(
    world: &mut World,
    scope: &Scope,
    principal: &Principal,
    stack_name: &str,
    logical_id: &str,
    kind: &str,
    properties: &Value,
) -> Result<String, String> {
    let Some(provider) = resources::provider(kind) else {
        return Ok(super::generic::named(kind, properties)
            .unwrap_or_else(|| format!("{stack_name}-{logical_id}-{}", world.suffix())));
    };
    let mut on = On { world, scope, principal, stack_name, logical_id };
    let id = provider
        .create(&mut on, properties)
        .map_err(|error| format!("{}: {}", error.code, error.message))?;
    provider.settle(&mut on, &id);
    Ok(id)
}

/// The wanted resources of `version`, dependencies first.
fn order(world: &mut World, scope: &Scope, name: &str, version: &Version) -> Vec<String> {
    let engine = Engine { world, scope };
    let Some(stack) = engine.stack(name) else { return Vec::new() };
    let wanted: BTreeSet<&String> = version
        .template
        .resources()
        .iter()
        .filter(|(_, resource)| {
            resource.get("Condition").and_then(Value::as_str).is_none_or(|condition| {
                engine
                    .with_environment(stack, version, |environment| {
                        environment.condition(condition)
                    })
                    .unwrap_or(false)
            })
        })
        .map(|(id, _)| id)
        .collect();
    let is_wanted = |id: &str| wanted.iter().any(|wanted| *wanted == id);
    let mut waiting: BTreeMap<String, BTreeSet<String>> = wanted
        .iter()
        .map(|id| {
            (
                (*id).clone(),
                version
                    .template
                    .resources()
                    .get(*id)
                    .map(|resource| evaluate::dependencies(resource, &is_wanted))
                    .unwrap_or_default(),
            )
        })
        .collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let ready: Vec<String> = waiting
            .iter()
            .filter(|(_, after)| after.iter().all(|id| ordered.contains(id)))
            .map(|(id, _)| id.clone())
            .collect();
        if ready.is_empty() {
            // A circle: CloudFormation refuses such a template; the data's own test finds it.
            ordered.extend(waiting.into_keys());
            break;
        }
        for id in ready {
            waiting.remove(&id);
            ordered.push(id);
        }
    }
    ordered
}
