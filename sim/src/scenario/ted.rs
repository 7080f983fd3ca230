//! The TED that actions mean when they name none, and the hands of somebody else in Service Catalog.

use super::run::State as Running;
use crate::services::Call;
use crate::services::cloudformation::{self, template::Template};
use crate::services::iam::Principal;
use crate::services::servicecatalog::{self, Artifact, Guidance, NewArtifact};
use crate::spec::{self, Service};
use crate::world::{Region, Scope, World};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A provisioned product that an action is about.
#[derive(Debug)]
pub(super) struct Ted {
    pub(super) scope: Scope,
    pub(super) id: String,
    pub(super) product_id: String,
    pub(super) artifact_id: String,
    pub(super) stack_id: String,
}

impl Ted {
    /// The provisioned product with this name or id; without one the scenario's first TED.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn find(world: &World, named: Option<&str>) -> Result<Self, String> {
        let running: &Running = &world.scenario;
        let scope = running.home().clone();
        let name = named.unwrap_or(running.first_ted());
        let catalog = &world.region(&scope).servicecatalog;
        let found = catalog.provisioned(name).or_else(|| catalog.provisioned_by_name(name));
        let found = found.ok_or_else(|| format!("there is no provisioned product `{name}`"))?;
        Ok(Self {
            id: found.id.clone(),
            product_id: found.product_id.clone(),
            artifact_id: found.artifact_id.clone(),
            stack_id: found.stack_id.clone(),
            scope,
        })
    }

    /// The physical id of its first resource of `kind`.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn resource(&self, world: &World, kind: &str) -> Result<String, String> {
        let ids = cloudformation::physical_ids(world.region(&self.scope), &self.stack_id, kind);
        ids.into_iter().next().ok_or_else(|| format!("stack {} has no {kind}", self.stack_id))
    }

    /// The name of its root stack.
    pub(super) fn stack_name(&self) -> &str {
        self.stack_id.split('/').nth(1).unwrap_or(&self.stack_id)
    }

    /// The role of its product's first launch path.
    pub(super) fn launch_role(&self, world: &World) -> Option<String> {
        let product = world.region(&self.scope).servicecatalog.product(&self.product_id)?;
        product.paths.first()?.launch_role.clone()
    }

    fn versions<'r>(&self, region: &'r Region) -> &'r [Artifact] {
        region
            .servicecatalog
            .product(&self.product_id)
            .map(|product| product.artifacts.as_slice())
            .unwrap_or_default()
    }

    fn template(&self, region: &Region, artifact_id: &str) -> Result<Arc<Template>, String> {
        let found = self.versions(region).iter().find(|artifact| artifact.id == artifact_id);
        found
            .map(|artifact| Arc::clone(&artifact.template))
            .ok_or_else(|| format!("there is no version {artifact_id}"))
    }

    /// The id of a version of its product.
    ///
    /// # Errors
    /// When there is no such version.
    pub(super) fn version(&self, region: &Region, name: &str) -> Result<String, String> {
        let found = self.versions(region).iter().find(|artifact| artifact.name == name);
        found
            .map(|artifact| artifact.id.clone())
            .ok_or_else(|| format!("there is no version `{name}`"))
    }

    /// Updates it through Service Catalog, as the operation does for a careful person: what is not changed keeps its value, and the path
    /// is the product's first.
    ///
    /// # Errors
    /// As Service Catalog refuses it.
    pub(super) fn update(
        &self,
        world: &mut World,
        caller: Principal,
        version: Option<&str>,
        changed: &BTreeMap<String, String>,
    ) -> Result<(), String> {
        let region = world.region(&self.scope);
        let artifact_id = match version {
            Some(name) => self.version(region, name)?,
            None => self.artifact_id.clone(),
        };
        let running: BTreeSet<String> =
            cloudformation::parameter_keys(region, &self.stack_id).into_iter().collect();
        let template = self.template(region, &artifact_id)?;
        let parameter = |key: &String| match changed.get(key) {
            Some(value) => Some(json!({"Key": key, "Value": value})),
            None if running.contains(key) => Some(json!({"Key": key, "UsePreviousValue": true})),
            None => None,
        };
        let parameters: Vec<Value> =
            template.parameters.iter().filter_map(|known| parameter(&known.key)).collect();
        let path = region
            .servicecatalog
            .product(&self.product_id)
            .and_then(|product| product.paths.first())
            .map(|path| path.id.clone());
        let token = world.uuid();
        let request = json!({
            "ProvisionedProductId": self.id,
            "ProductId": self.product_id,
            "ProvisioningArtifactId": artifact_id,
            "PathId": path,
            "ProvisioningParameters": parameters,
            "UpdateToken": token,
        });
        let operation = Service::ServiceCatalog
            .operation("UpdateProvisionedProduct")
            .ok_or("Service Catalog takes no updates")?;
        let input = spec::validate(Service::ServiceCatalog, operation, &request)
            .map_err(|error| error.message)?;
        let mut call = Call { world, scope: self.scope.clone(), caller, input };
        (operation.run)(&mut call).map(drop).map_err(|error| error.message)
    }

    /// Puts a version on offer that differs from `like` in its number only.
    ///
    /// # Errors
    /// When there is no version `like`.
    pub(super) fn offer(&self, world: &mut World, version: &str, like: &str) -> Result<(), String> {
        let region = world.region(&self.scope);
        let model = self.version(region, like)?;
        let template = self.template(region, &model)?;
        let mut body = template.body.clone();
        let (from, to) = (like.trim_start_matches('v'), version.trim_start_matches('v'));
        renumber(&mut body, from, to);
        // The number is in the URLs of nested templates too; what is behind them stays.
        let nested = template
            .nested
            .iter()
            .map(|(url, nested)| (url.replace(from, to), Arc::clone(nested)))
            .collect();
        let description = body.get("Description").and_then(Value::as_str).map(str::to_owned);
        let template = Template::parse(body, nested)?;
        let new = NewArtifact {
            name: version.to_owned(),
            description,
            created: world.now(),
            active: true,
            guidance: Guidance::Default,
            template: Arc::new(template),
        };
        servicecatalog::add_artifact(world, &self.scope, &self.product_id, new)
            .map(drop)
            .map_err(|error| error.to_string())
    }
}

/// Replaces a version number in every text.
fn renumber(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) => *text = text.replace(from, to),
        Value::Array(items) => items.iter_mut().for_each(|item| renumber(item, from, to)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| renumber(member, from, to));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
