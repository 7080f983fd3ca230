//! `AWS::ElastiCache::ParameterGroup` and `AWS::ElastiCache::UserGroup`: what replication groups refer to.

use super::versions::{Engine, OFFERED};
use super::{ParameterGroup, State, Timer, UserGroup};
use crate::error::ApiError;
use crate::services::cloudformation::provider::{Actual, On, Progress, Provider};
use crate::services::properties::{text, texts};
use crate::world::{Region, Scope, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The provider of parameter groups.
#[derive(Debug)]
pub(super) struct ParameterGroupProvider;

/// The provider of user groups.
#[derive(Debug)]
pub(super) struct UserGroupProvider;

fn state<'w>(on: &'w mut On<'_>) -> &'w mut State {
    &mut on.world.region_mut(on.scope).elasticache
}

fn missing_parameter_group(name: &str) -> ApiError {
    ApiError::new("CacheParameterGroupNotFound", format!("CacheParameterGroup {name} not found."))
        .with_status(404)
}

fn missing_user_group(id: &str) -> ApiError {
    ApiError::new("UserGroupNotFound", format!("User group {id} not found.")).with_status(404)
}

fn parameters(properties: &Value) -> BTreeMap<String, String> {
    let set = properties.get("Properties").cloned().unwrap_or_default();
    set.as_object()
        .into_iter()
        .flat_map(|entries| entries.keys())
        .filter_map(|key| Some((key.clone(), text(&set, key)?)))
        .collect()
}

impl Provider for ParameterGroupProvider {
    fn service(&self) -> &'static str {
        "ElastiCache"
    }

    fn create_only(&self) -> &'static [&'static str] {
        &["CacheParameterGroupFamily", "CacheParameterGroupName"]
    }

    fn create(&self, on: &mut On<'_>, properties: &Value) -> Result<String, ApiError> {
        let name = text(properties, "CacheParameterGroupName")
            .unwrap_or_else(|| on.generated_name())
            .to_ascii_lowercase();
        on.allow(
            "elasticache:CreateCacheParameterGroup",
            &on.scope.arn("elasticache", format_args!("parametergroup:{name}")),
        )?;
        let family = text(properties, "CacheParameterGroupFamily").unwrap_or_default();
        if !OFFERED.iter().any(|offered| offered.family == family) {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!(
                    "CacheParameterGroupFamily {family} is not a valid parameter group family."
                ),
            ));
        }
        if state(on).parameter_groups.contains_key(&name) {
            return Err(ApiError::new(
                "CacheParameterGroupAlreadyExists",
                format!("CacheParameterGroup {name} already exists."),
            ));
        }
        let group = ParameterGroup {
            family,
            description: text(properties, "Description").unwrap_or_default(),
            parameters: parameters(properties),
        };
        state(on).parameter_groups.insert(name.clone(), group);
        Ok(name)
    }

    fn update(
        &self,
        on: &mut On<'_>,
        id: &str,
        _before: &Value,
        after: &Value,
    ) -> Result<(), ApiError> {
        on.allow(
            "elasticache:ModifyCacheParameterGroup",
            &on.scope.arn("elasticache", format_args!("parametergroup:{id}")),
        )?;
        let group =
            state(on).parameter_groups.get_mut(id).ok_or_else(|| missing_parameter_group(id))?;
        group.parameters = parameters(after);
        Ok(())
    }

    fn delete(&self, on: &mut On<'_>, id: &str) -> Result<(), ApiError> {
        on.allow(
            "elasticache:DeleteCacheParameterGroup",
            &on.scope.arn("elasticache", format_args!("parametergroup:{id}")),
        )?;
        if state(on)
            .groups
            .values()
            .any(|group| group.members().any(|member| member.parameter_group == id))
        {
            let message = format!(
                "One or more cache clusters are still members of this parameter group {id}, so the group cannot be deleted."
            );
            return Err(ApiError::new("InvalidCacheParameterGroupState", message));
        }
        state(on).parameter_groups.remove(id);
        Ok(())
    }

    fn progress(&self, world: &World, scope: &Scope, id: &str) -> Progress {
        let known = world.region(scope).elasticache.parameter_groups.contains_key(id);
        if known { Progress::Done } else { Progress::Failed(missing_parameter_group(id)) }
    }

    fn attributes(&self, region: &Region, id: &str) -> BTreeMap<String, String> {
        let known = region.elasticache.parameter_groups.contains_key(id);
        known.then(|| ("CacheParameterGroupName".to_owned(), id.to_owned())).into_iter().collect()
    }

    fn actual(&self, region: &Region, id: &str) -> Actual {
        let Some(group) = region.elasticache.parameter_groups.get(id) else {
            return Actual::Missing;
        };
        Actual::Properties(BTreeMap::from([
            ("CacheParameterGroupFamily".to_owned(), json!(group.family)),
            ("Description".to_owned(), json!(group.description)),
            ("Properties".to_owned(), json!(group.parameters)),
        ]))
    }

    fn settle(&self, _on: &mut On<'_>, _id: &str) {}
}

impl Provider for UserGroupProvider {
    fn service(&self) -> &'static str {
        "ElastiCache"
    }

    fn create_only(&self) -> &'static [&'static str] {
        &["UserGroupId"]
    }

    fn create(&self, on: &mut On<'_>, properties: &Value) -> Result<String, ApiError> {
        let id = text(properties, "UserGroupId")
            .unwrap_or_else(|| on.generated_name())
            .to_ascii_lowercase();
        let arn = on.scope.arn("elasticache", format_args!("usergroup:{id}"));
        on.allow("elasticache:CreateUserGroup", &arn)?;
        if state(on).user_groups.contains_key(&id) {
            return Err(ApiError::new(
                "UserGroupAlreadyExists",
                format!("User group {id} already exists."),
            ));
        }
        let engine =
            Engine::parse(&text(properties, "Engine").unwrap_or_else(|| "redis".to_owned()))?;
        let group = UserGroup {
            id: id.clone(),
            arn,
            engine,
            status: "creating",
            users: texts(properties, "UserIds"),
        };
        state(on).user_groups.insert(id.clone(), group);
        on.world.after(
            on.world.options.resource_time,
            on.scope,
            Timer::UserGroup { id: id.clone() },
        );
        Ok(id)
    }

    fn update(
        &self,
        on: &mut On<'_>,
        id: &str,
        _before: &Value,
        after: &Value,
    ) -> Result<(), ApiError> {
        on.allow(
            "elasticache:ModifyUserGroup",
            &on.scope.arn("elasticache", format_args!("usergroup:{id}")),
        )?;
        let engine = Engine::parse(&text(after, "Engine").unwrap_or_else(|| "redis".to_owned()))?;
        let used_by_redis = |state: &State| {
            let uses =
                |group: &&super::Group| group.settings.user_groups.iter().any(|user| user == id);
            state.groups.values().filter(uses).any(|group| group.settings.engine == Engine::Redis)
        };
        if engine == Engine::Valkey && used_by_redis(state(on)) {
            return Err(ApiError::new(
                "InvalidParameterCombination",
                format!("User group {id} is in use by a cache of engine redis."),
            ));
        }
        let group = state(on).user_groups.get_mut(id).ok_or_else(|| missing_user_group(id))?;
        if group.status != "active" {
            return Err(ApiError::new(
                "InvalidUserGroupState",
                format!("User group {id} is not in active state."),
            ));
        }
        group.users = texts(after, "UserIds");
        group.engine = engine;
        group.status = "modifying";
        on.world.after(
            on.world.options.resource_time,
            on.scope,
            Timer::UserGroup { id: id.to_owned() },
        );
        Ok(())
    }

    fn delete(&self, on: &mut On<'_>, id: &str) -> Result<(), ApiError> {
        on.allow(
            "elasticache:DeleteUserGroup",
            &on.scope.arn("elasticache", format_args!("usergroup:{id}")),
        )?;
        if state(on)
            .groups
            .values()
            .any(|group| group.settings.user_groups.iter().any(|user| user == id))
        {
            return Err(ApiError::new(
                "InvalidUserGroupState",
                format!("User group {id} is associated with a replication group."),
            ));
        }
        state(on).user_groups.remove(id);
        Ok(())
    }

    fn progress(&self, world: &World, scope: &Scope, id: &str) -> Progress {
        match world.region(scope).elasticache.user_groups.get(id) {
            None => Progress::Failed(missing_user_group(id)),
            Some(group) if group.status == "active" => Progress::Done,
            Some(_) => Progress::Busy,
        }
    }

    fn attributes(&self, region: &Region, id: &str) -> BTreeMap<String, String> {
        let Some(group) = region.elasticache.user_groups.get(id) else { return BTreeMap::new() };
        BTreeMap::from([
            ("Arn".to_owned(), group.arn.clone()),
            ("Status".to_owned(), group.status.to_owned()),
        ])
    }

    fn actual(&self, region: &Region, id: &str) -> Actual {
        let Some(group) = region.elasticache.user_groups.get(id) else { return Actual::Missing };
        Actual::Properties(BTreeMap::from([
            ("UserGroupId".to_owned(), json!(group.id)),
            ("Engine".to_owned(), json!(group.engine.as_str())),
            ("UserIds".to_owned(), json!(group.users)),
        ]))
    }

    fn settle(&self, on: &mut On<'_>, id: &str) {
        activated(on.world, on.scope, id);
    }
}

/// A user group is done with what it was doing.
pub(super) fn activated(world: &mut World, scope: &Scope, id: &str) {
    if let Some(group) = world.region_mut(scope).elasticache.user_groups.get_mut(id) {
        group.status = "active";
    }
}
