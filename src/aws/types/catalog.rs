//! Service Catalog: provisioned product, records, versions, paths, parameters.

use super::Output;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A provisioned product as the search finds it. The index behind it can lag: good for finding, not for deciding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundProduct {
    /// `pp-…`.
    pub id: String,
    /// Its name, unique in account and region.
    pub name: String,
    /// Its ARN.
    pub arn: Option<String>,
    /// `CFN_STACK` for ours.
    pub kind: Option<String>,
    /// `AVAILABLE`, `UNDER_CHANGE`, `TAINTED`, …
    pub status: Option<String>,
    /// Free text about the status.
    pub status_message: Option<String>,
    /// When it was launched.
    pub created_at: Option<Timestamp>,
    /// The last record of any kind.
    pub last_record_id: Option<String>,
    /// The last record that provisions, updates or terminates.
    pub last_provisioning_record_id: Option<String>,
    /// The last of those that succeeded.
    pub last_successful_provisioning_record_id: Option<String>,
    /// ARN of the root stack.
    pub physical_id: Option<String>,
    /// `prod-…`.
    pub product_id: Option<String>,
    /// The product's name.
    pub product_name: Option<String>,
    /// `pa-…`; while `TAINTED`: what was asked for, not what runs.
    pub artifact_id: Option<String>,
    /// The version's name, with the same reservation.
    pub artifact_name: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A provisioned product as `DescribeProvisionedProduct` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisionedProduct {
    /// `pp-…`.
    pub id: String,
    /// Its name, unique in account and region.
    pub name: String,
    /// Its ARN.
    pub arn: Option<String>,
    /// `CFN_STACK` for ours.
    pub kind: Option<String>,
    /// `AVAILABLE`, `UNDER_CHANGE`, `TAINTED`, …
    pub status: Option<String>,
    /// Free text about the status.
    pub status_message: Option<String>,
    /// When it was launched.
    pub created_at: Option<Timestamp>,
    /// The last record of any kind.
    pub last_record_id: Option<String>,
    /// The last record that provisions, updates or terminates.
    pub last_provisioning_record_id: Option<String>,
    /// The last of those that succeeded.
    pub last_successful_provisioning_record_id: Option<String>,
    /// `prod-…`.
    pub product_id: Option<String>,
    /// `pa-…`; while `TAINTED`: what was asked for, not what runs.
    pub artifact_id: Option<String>,
    /// The role of the launch constraint; empty: updates run on the caller's rights.
    pub launch_role_arn: Option<String>,
}

/// One request to Service Catalog, as it went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `rec-…`.
    pub id: String,
    /// `CREATED`, `IN_PROGRESS`, `IN_PROGRESS_IN_ERROR`, `SUCCEEDED`, `FAILED`.
    pub status: Option<String>,
    /// `UPDATE_PROVISIONED_PRODUCT`, …
    pub kind: Option<String>,
    /// When it was asked for.
    pub created_at: Option<Timestamp>,
    /// When it last moved.
    pub updated_at: Option<Timestamp>,
    /// `pp-…`.
    pub provisioned_product_id: Option<String>,
    /// The provisioned product's name.
    pub provisioned_product_name: Option<String>,
    /// `CFN_STACK`, …
    pub provisioned_product_kind: Option<String>,
    /// `prod-…`.
    pub product_id: Option<String>,
    /// `pa-…`: the version asked for.
    pub artifact_id: Option<String>,
    /// `lp-…`.
    pub path_id: Option<String>,
    /// The role it ran under.
    pub launch_role_arn: Option<String>,
    /// Why it failed.
    pub errors: Vec<RecordError>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// Why a record failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordError {
    /// AWS's code.
    pub code: Option<String>,
    /// AWS's text.
    pub description: Option<String>,
}

/// A record with all its outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordDetail {
    /// The record.
    pub record: Record,
    /// Its outputs: `CloudformationStackARN` (this spelling), then those of the root stack.
    pub outputs: Vec<Output>,
}

/// A version of a product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// `pa-…`.
    pub id: String,
    /// Free text such as `v1.2.3`. Not promised to be unique.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// `CLOUD_FORMATION_TEMPLATE` for ours.
    pub kind: Option<String>,
    /// When it was added.
    pub created_at: Option<Timestamp>,
    /// False: hidden from end users. Empty where the call does not say (`DescribeProduct` leaves inactive ones out).
    pub active: Option<bool>,
    /// `DEFAULT` or `DEPRECATED`.
    pub guidance: Option<String>,
}

/// A product as an end user sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// `prod-…`.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// AWS's flag; was seen false with a single path: not to be relied on.
    pub has_default_path: bool,
    /// Active versions, in no order.
    pub artifacts: Vec<Artifact>,
    /// Paths; without constraints here.
    pub launch_paths: Vec<LaunchPath>,
}

/// One way by which the caller reaches a product: a portfolio.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchPath {
    /// `lp-…`. Goes stale when the product moves to another portfolio.
    pub id: String,
    /// The portfolio's name.
    pub name: Option<String>,
    /// Constraints on the path.
    pub constraints: Vec<Constraint>,
}

/// A constraint on a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraint {
    /// `LAUNCH`, `TEMPLATE`, `NOTIFICATION`, …
    pub kind: Option<String>,
    /// Free text.
    pub description: Option<String>,
}

/// A parameter of a version's template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateParameter {
    /// Its key.
    pub key: String,
    /// Empty: the template has none. `Some("")` is a default. Of a `NoEcho` parameter only that there is one: `****`.
    pub default: Option<String>,
    /// `String`, `Number`, `CommaDelimitedList`, `AWS::SSM::Parameter::Value<String>`, …
    pub kind: Option<String>,
    /// The value is a secret.
    pub no_echo: bool,
    /// What the template says about it.
    pub description: Option<String>,
    /// Empty: any value.
    pub allowed_values: Vec<String>,
    /// A Java regular expression.
    pub allowed_pattern: Option<String>,
    /// What the template says about the constraint.
    pub constraint_description: Option<String>,
    /// Text in AWS's answer, and kept as such; likewise the next three.
    pub min_length: Option<String>,
    /// Longest value.
    pub max_length: Option<String>,
    /// Smallest number.
    pub min_value: Option<String>,
    /// Largest number.
    pub max_value: Option<String>,
}

/// A version with its parameters, as `DescribeProvisioningArtifact` shows it: no launch path needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactDescription {
    /// The version.
    pub artifact: Artifact,
    /// `AVAILABLE`, `CREATING`, `FAILED`.
    pub status: Option<String>,
    /// Its parameters, in the template's order.
    pub parameters: Vec<TemplateParameter>,
}

/// What an update by one path to one version needs, as `DescribeProvisioningParameters` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisioningParameters {
    /// Parameters, in the template's order.
    pub parameters: Vec<TemplateParameter>,
    /// Constraints on the path.
    pub constraints: Vec<Constraint>,
    /// By type: `metadata` is the template's metadata (with the labels) as JSON text, `launchAsRole` the launch role,
    /// `rules` the template's rules, `version`, `description`, …
    pub usage: BTreeMap<String, String>,
    /// Keys of the outputs.
    pub output_keys: Vec<String>,
}
