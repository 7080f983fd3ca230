//! Who we are, and what we may do.

use serde::{Deserialize, Serialize};

/// The caller, as STS sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerIdentity {
    /// Account id.
    pub account: String,
    /// ARN; of an assumed role: `arn:aws:sts::<account>:assumed-role/<role>/<session>`.
    pub arn: String,
    /// AWS's unique id of the principal.
    pub user_id: String,
}

/// What IAM's simulation says about one action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimulatedPermission {
    /// The IAM action.
    pub action: String,
    /// The resource it was tried on.
    pub resource: Option<String>,
    /// `allowed`, `explicitDeny` or `implicitDeny`.
    pub decision: String,
    /// False if an organisation's policy denies it, empty if there is none.
    pub allowed_by_organization: Option<bool>,
}
