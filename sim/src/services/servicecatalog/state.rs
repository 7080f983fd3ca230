//! What Service Catalog remembers: products and their versions, portfolios and launch paths, provisioned products, records, tokens.
//!
//! Everything large is shared (`Arc`), so that keeping an older state of a region costs a few pointers a product. Which product stands
//! in which table is decided here and nowhere else; what an operation answers is decided in the other files.

use crate::services::cloudformation::template::Template;
use crate::time::SimTime;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All of Service Catalog in one account and region.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// By id.
    pub(super) products: BTreeMap<String, Arc<Product>>,
    /// By id.
    pub(super) portfolios: BTreeMap<String, Arc<Portfolio>>,
    /// By id.
    pub(super) provisioned: BTreeMap<String, Arc<Provisioned>>,
    /// By id.
    pub(super) records: BTreeMap<String, Arc<Record>>,
    /// Update tokens and what they were sent with.
    pub(super) tokens: BTreeMap<String, Remembered>,
    /// How many records were ever made: orders records of the same millisecond.
    pub(super) records_made: u64,
}

/// A product.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    /// `prod-…`
    pub(crate) id: String,
    /// `prodview-…`: the id of the end user's view of it.
    pub(super) view_id: String,
    pub(crate) name: String,
    pub(super) owner: String,
    pub(super) description: Option<String>,
    pub(super) distributor: Option<String>,
    pub(super) support_email: Option<String>,
    pub(super) support_description: Option<String>,
    pub(super) support_url: Option<String>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) created: SimTime,
    /// In the order in which they were added, which is no order of versions.
    pub(crate) artifacts: Vec<Artifact>,
    /// One for each portfolio that holds the product.
    pub(crate) paths: Vec<Path>,
}

/// A provisioning artifact: one version of a product.
#[derive(Clone, Debug)]
pub(crate) struct Artifact {
    /// `pa-…`
    pub(crate) id: String,
    /// Free text such as `v1.2.3`; not necessarily unique.
    pub(crate) name: String,
    pub(super) description: Option<String>,
    pub(super) created: SimTime,
    /// An inactive version is hidden from end users, and takes no updates.
    pub(super) active: bool,
    pub(super) guidance: Guidance,
    pub(super) status: ArtifactStatus,
    pub(crate) template: Arc<Template>,
}

/// What an administrator says of a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Guidance {
    /// Nothing.
    #[default]
    Default,
    /// It cannot be newly launched.
    Deprecated,
}

impl Guidance {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "DEFAULT",
            Self::Deprecated => "DEPRECATED",
        }
    }
}

/// Whether a version's template was taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ArtifactStatus {
    /// It can be used.
    #[default]
    Available,
    /// Not yet.
    Creating,
    /// Never.
    Failed,
}

impl ArtifactStatus {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::Creating => "CREATING",
            Self::Failed => "FAILED",
        }
    }
}

/// A portfolio: who may use the products in it.
#[derive(Clone, Debug)]
pub(crate) struct Portfolio {
    pub(crate) name: String,
    pub(super) principals: Principals,
}

/// The principals a portfolio is shared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Principals {
    /// Everybody in the account.
    #[default]
    All,
    /// Users and roles by ARN; `*` stands for anything.
    Only(Vec<String>),
}

/// A launch path: a product in a portfolio, with the constraints it has there.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    /// `lp-…`; changes when the product moves.
    pub(crate) id: String,
    pub(super) portfolio_id: String,
    /// The launch constraint's role.
    pub(crate) launch_role: Option<String>,
    /// The template constraint's rules, in the form of a template's `Rules`.
    pub(super) rules: Option<Value>,
    /// Whether a resource-update constraint lets updates change tags.
    pub(super) tag_updates: bool,
}

/// A provisioned product of type `CFN_STACK`.
#[derive(Clone, Debug)]
pub(crate) struct Provisioned {
    /// `pp-…`
    pub(crate) id: String,
    pub(crate) name: String,
    pub(super) arn: String,
    pub(crate) status: Status,
    pub(super) message: Option<String>,
    pub(super) created: SimTime,
    /// The token of the last request.
    pub(super) token: Option<String>,
    /// Absent on products older than this member, as the two below.
    pub(crate) last_record: Option<String>,
    pub(super) last_provisioning_record: Option<String>,
    pub(super) last_successful_record: Option<String>,
    pub(super) tags: Vec<(String, String)>,
    /// The root stack's ARN.
    pub(crate) stack_id: String,
    pub(crate) product_id: String,
    /// The version that was last asked for, whether the update to it succeeded or not.
    pub(crate) artifact_id: String,
    pub(super) launch_role: Option<String>,
    pub(super) owner: Identity,
}

/// Who asked: the user or role, and its session (the same ARN for a user).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// `arn:aws:iam::<account>:user/<name>` or `…:role/<name>`.
    pub(super) user: String,
    /// `arn:aws:sts::<account>:assumed-role/<role>/<session>`, or the user again.
    pub(super) session: String,
}

/// The status of a provisioned product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Stable, as asked for.
    Available,
    /// An operation runs.
    UnderChange,
    /// Stable, not as asked for.
    Tainted,
    /// Its stack does not run.
    Error,
    /// A plan for a new product was made.
    PlanInProgress,
}

impl Status {
    /// Every status.
    pub(crate) const ALL: [Self; 5] =
        [Self::Available, Self::UnderChange, Self::Tainted, Self::Error, Self::PlanInProgress];

    /// The status that is written so on the wire, for scenario files.
    pub(crate) fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// As it is on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::UnderChange => "UNDER_CHANGE",
            Self::Tainted => "TAINTED",
            Self::Error => "ERROR",
            Self::PlanInProgress => "PLAN_IN_PROGRESS",
        }
    }
}

/// What Service Catalog wrote down of one request.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// `rec-…`
    pub(crate) id: String,
    /// The how-manieth it is.
    pub(super) number: u64,
    pub(super) kind: RecordKind,
    pub(crate) status: RecordStatus,
    pub(super) created: SimTime,
    pub(super) updated: SimTime,
    pub(super) provisioned_id: String,
    pub(super) provisioned_name: String,
    pub(super) product_id: String,
    pub(super) artifact_id: String,
    pub(super) path_id: Option<String>,
    pub(super) launch_role: Option<String>,
    pub(super) errors: Vec<RecordError>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) outputs: Arc<[Output]>,
    pub(super) by: Identity,
}

/// Why a record failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordError {
    pub(super) code: String,
    pub(super) description: String,
}

/// What a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordKind {
    /// The launch.
    Provision,
    /// An update.
    Update,
}

impl RecordKind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Provision => "PROVISION_PRODUCT",
            Self::Update => "UPDATE_PROVISIONED_PRODUCT",
        }
    }
}

/// How far a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordStatus {
    /// Accepted, not started.
    Created,
    /// Running.
    InProgress,
    /// Failed, and being rolled back.
    InProgressInError,
    /// Done.
    Succeeded,
    /// Done, and failed.
    Failed,
}

impl RecordStatus {
    /// As it is on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::InProgress => "IN_PROGRESS",
            Self::InProgressInError => "IN_PROGRESS_IN_ERROR",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
        }
    }

    /// Whether nothing more will come of it.
    pub(super) const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// An output of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) description: Option<String>,
}

/// A token, the request it came with and the record that was made.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    pub(super) request: Value,
    pub(super) record_id: String,
    pub(super) at: SimTime,
}

impl State {
    /// The provisioned product with this id.
    pub(crate) fn provisioned(&self, id: &str) -> Option<&Provisioned> {
        self.provisioned.get(id).map(AsRef::as_ref)
    }

    /// The provisioned product with this name, which is unique in account and region.
    pub(crate) fn provisioned_by_name(&self, name: &str) -> Option<&Provisioned> {
        self.provisioned.values().find(|provisioned| provisioned.name == name).map(AsRef::as_ref)
    }

    /// All provisioned products, by id.
    pub(crate) fn all_provisioned(&self) -> impl Iterator<Item = &Provisioned> {
        self.provisioned.values().map(AsRef::as_ref)
    }

    /// The record with this id.
    pub(crate) fn record(&self, id: &str) -> Option<&Record> {
        self.records.get(id).map(AsRef::as_ref)
    }

    /// The product with this id.
    pub(crate) fn product(&self, id: &str) -> Option<&Product> {
        self.products.get(id).map(AsRef::as_ref)
    }

    /// All products, by id.
    pub(crate) fn all_products(&self) -> impl Iterator<Item = &Product> {
        self.products.values().map(AsRef::as_ref)
    }

    pub(super) fn provisioned_mut(&mut self, id: &str) -> Option<&mut Provisioned> {
        self.provisioned.get_mut(id).map(Arc::make_mut)
    }

    pub(super) fn record_mut(&mut self, id: &str) -> Option<&mut Record> {
        self.records.get_mut(id).map(Arc::make_mut)
    }

    pub(super) fn product_mut(&mut self, id: &str) -> Option<&mut Product> {
        self.products.get_mut(id).map(Arc::make_mut)
    }

    /// The name of a path is that of its portfolio; two paths can have the same.
    pub(super) fn path_name(&self, path: &Path) -> &str {
        self.portfolios.get(&path.portfolio_id).map_or("", |portfolio| &portfolio.name)
    }

    /// Adds `record` as the newest.
    pub(super) fn add_record(&mut self, mut record: Record) {
        self.records_made += 1;
        record.number = self.records_made;
        self.records.insert(record.id.clone(), Arc::new(record));
    }
}

impl Product {
    /// The version with this id.
    pub(crate) fn artifact(&self, id: &str) -> Option<&Artifact> {
        self.artifacts.iter().find(|artifact| artifact.id == id)
    }
}
