//! What CloudFormation asks of a resource type: the contract between the stack engine and the services.

use crate::error::ApiError;
use crate::services::iam::Principal;
use crate::world::{Region, Scope, World};
use serde_json::Value;
use std::collections::BTreeMap;

/// For whom and for what a provider acts.
#[derive(Debug)]
pub(crate) struct On<'w> {
    pub(crate) world: &'w mut World,
    pub(crate) scope: &'w Scope,
    /// The launch role, or the caller when there is none.
    pub(crate) principal: &'w Principal,
    pub(crate) stack_name: &'w str,
    pub(crate) logical_id: &'w str,
}

impl On<'_> {
    /// Whether the principal may: the check of IAM that the service would make.
    pub(crate) fn allow(&self, action: &str, resource: &str) -> Result<(), ApiError> {
        self.world.iam.authorize(self.principal, action, resource)
    }

    /// A generated physical name: `<stack>-<logical>-<suffix>`.
    pub(crate) fn generated_name(&mut self) -> String {
        format!("{}-{}-{}", self.stack_name, self.logical_id, self.world.suffix())
    }
}

/// How far a resource is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Still changing.
    Busy,
    /// As asked.
    Done,
    /// Will not get there.
    Failed(ApiError),
}

/// What a resource is like in reality, for drift detection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Actual {
    /// There is none.
    Missing,
    /// Its properties that can be read, with values of the kinds its template has.
    Properties(BTreeMap<String, Value>),
    /// The type does not support drift detection.
    Unsupported,
}

/// Carries out resources of one type.
pub(crate) trait Provider: Sync {
    /// The service's name in messages of its handler, e.g. `Rds`.
    fn service(&self) -> &'static str;
    /// Properties whose change makes a new resource.
    fn create_only(&self) -> &'static [&'static str];
    /// Starts creating it. Answers its physical id.
    fn create(&self, on: &mut On<'_>, properties: &Value) -> Result<String, ApiError>;
    /// Starts changing it from `before` to `after` (properties of the template; they differ).
    fn update(
        &self,
        on: &mut On<'_>,
        id: &str,
        before: &Value,
        after: &Value,
    ) -> Result<(), ApiError>;
    /// Starts removing it. A resource that is gone already is no error.
    fn delete(&self, on: &mut On<'_>, id: &str) -> Result<(), ApiError>;
    /// How far it is.
    fn progress(&self, world: &World, scope: &Scope, id: &str) -> Progress;
    /// What `Fn::GetAtt` reads.
    fn attributes(&self, region: &Region, id: &str) -> BTreeMap<String, String>;
    /// What it is like in reality.
    fn actual(&self, region: &Region, id: &str) -> Actual;
    /// Makes it as if created long ago, for the first state of a world: finishes at once whatever `create` began.
    fn settle(&self, on: &mut On<'_>, id: &str);
}
