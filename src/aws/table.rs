//! The one table of AWS operations we use. There is none that terminates or deletes anything.
//!
//! Every call names its row ([`Op`]); the row says what the call may touch and why it is made. The IAM policies
//! (`aws::policy`), the counters and the error texts come from here, so that what is granted, what is called and what is
//! documented cannot drift apart. A test reads the source of the reader and the writer and compares.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An AWS service we talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Service {
    /// Service Catalog: the provisioned product, its versions and records.
    ServiceCatalog,
    /// CloudFormation: root and nested stacks.
    CloudFormation,
    /// ElastiCache: the real cache.
    ElastiCache,
    /// RDS: the real database.
    Rds,
    /// Lambda: worker functions and their triggers.
    Lambda,
    /// SQS: the backlog behind a trigger.
    Sqs,
    /// STS: who we are.
    Sts,
    /// IAM: permission checks of `doctor`.
    Iam,
}

impl Service {
    /// Every service, in the order of the policies.
    pub const ALL: [Self; 8] = [
        Self::ServiceCatalog,
        Self::CloudFormation,
        Self::ElastiCache,
        Self::Rds,
        Self::Lambda,
        Self::Sqs,
        Self::Sts,
        Self::Iam,
    ];

    /// The prefix of its IAM actions, which is also its signing name and metric label.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::ServiceCatalog => "servicecatalog",
            Self::CloudFormation => "cloudformation",
            Self::ElastiCache => "elasticache",
            Self::Rds => "rds",
            Self::Lambda => "lambda",
            Self::Sqs => "sqs",
            Self::Sts => "sts",
            Self::Iam => "iam",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ServiceCatalog => "Service Catalog",
            Self::CloudFormation => "CloudFormation",
            Self::ElastiCache => "ElastiCache",
            Self::Rds => "RDS",
            Self::Lambda => "Lambda",
            Self::Sqs => "SQS",
            Self::Sts => "STS",
            Self::Iam => "IAM",
        })
    }
}

/// Who may make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// The reader: changes nothing.
    Reader,
    /// The detector: reads, but AWS keeps a trace of it (drift information on the stack).
    Detector,
    /// The writer: changes the installation. Given to `act` only.
    Writer,
}

/// What a call is made on, as far as IAM can tell (service authorization reference).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// The action knows no resource, or we look for things whose names we do not know yet.
    Any,
    /// A Service Catalog product. Its ARN says `catalog`, not `servicecatalog`.
    Product,
    /// A stack that Service Catalog made: `SC-<account>-<provisioned product>`, and its nested stacks.
    CatalogStack,
    /// A Lambda event source mapping.
    Mapping,
}

impl Resource {
    /// The pattern for IAM in a partition (`aws`, `aws-us-gov`, `aws-cn`).
    pub fn pattern(self, partition: &str) -> String {
        match self {
            Self::Any => "*".to_owned(),
            Self::Product => format!("arn:{partition}:catalog:*:*:product/*"),
            Self::CatalogStack => format!("arn:{partition}:cloudformation:*:*:stack/SC-*"),
            Self::Mapping => format!("arn:{partition}:lambda:*:*:event-source-mapping:*"),
        }
    }
}

/// Does everything need it, or a feature that is off by default?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// Without it we see less than we promise.
    Always,
    /// Read right before something is changed, so only where things are changed.
    Acting,
    /// Used by something that is off by default, or as a fallback.
    Optional,
    /// AWS asks for no permission.
    NoGrant,
    /// The reader can do it and nothing in this version asks it to: granted by no policy. Whoever begins to use it, says so here.
    Spare,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The service.
    pub service: Service,
    /// The operation, in AWS's spelling; also the name of its IAM action.
    pub name: &'static str,
    /// Who may call it.
    pub holder: Holder,
    /// What the grant is for.
    pub resource: Resource,
    /// Who needs the grant.
    pub need: Need,
    /// IAM actions that AWS checks besides the one of the same name.
    pub also: &'static [&'static str],
    /// What we need it for, in words.
    pub purpose: &'static str,
}

impl Operation {
    /// The IAM action, such as `servicecatalog:DescribeRecord`.
    pub fn action(&self) -> String {
        format!("{}:{}", self.service.prefix(), self.name)
    }
}

macro_rules! operations {
    ($($op:ident: $service:ident $name:literal, $holder:ident, $resource:ident, $need:ident $(+ $also:literal)*, $purpose:literal;)*) => {
        /// A row of [`OPERATIONS`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Op {
            $(#[doc = $purpose] $op,)*
        }

        /// Every operation we use.
        pub const OPERATIONS: &[Operation] = &[
            $(Operation {
                service: Service::$service,
                name: $name,
                holder: Holder::$holder,
                resource: Resource::$resource,
                need: Need::$need,
                also: &[$($also),*],
                purpose: $purpose,
            },)*
        ];

        #[cfg(test)]
        pub(crate) const OP_NAMES: &[&str] = &[$(stringify!($op)),*];
    };
}

operations! {
    // `DescribeStacks` and the list of triggers are granted on everything: Workspace and TE stacks have names of their own, and
    // which worker functions serve a hive is what we want to find out.
    SearchProvisionedProducts: ServiceCatalog "SearchProvisionedProducts", Reader, Any, Always, "find provisioned products, their stack and version name";
    DescribeProvisionedProduct: ServiceCatalog "DescribeProvisionedProduct", Reader, Any, Always, "status, version, records and launch role of the product";
    GetProvisionedProductOutputs: ServiceCatalog "GetProvisionedProductOutputs", Reader, Any, Spare, "outputs of the last successful provisioning";
    DescribeRecord: ServiceCatalog "DescribeRecord", Reader, Any, Always, "what an update did, and whether it is done";
    ListRecordHistory: ServiceCatalog "ListRecordHistory", Reader, Any, Always, "past updates, their outcome and duration";
    ListProvisioningArtifacts: ServiceCatalog "ListProvisioningArtifacts", Reader, Product, Always, "the versions on offer";
    DescribeProduct: ServiceCatalog "DescribeProduct", Reader, Product, Spare, "the versions an end user sees";
    ListLaunchPaths: ServiceCatalog "ListLaunchPaths", Reader, Product, Always, "the launch path and its constraints";
    DescribeProvisioningArtifact: ServiceCatalog "DescribeProvisioningArtifact", Reader, Product, Always, "parameters of a version, without a launch path";
    DescribeProvisioningParameters: ServiceCatalog "DescribeProvisioningParameters", Reader, Product, Always, "parameters, labels, rules and launch role of a version";
    DescribeStacks: CloudFormation "DescribeStacks", Reader, Any, Always, "status, parameters and outputs of a stack; Hive and Version of Workspace stacks";
    ListStacks: CloudFormation "ListStacks", Reader, Any, Spare, "nested stacks and Workspace and TE stacks";
    ListStackResources: CloudFormation "ListStackResources", Reader, CatalogStack, Always, "which nested stack, database and cache belong to the product";
    DescribeStackEvents: CloudFormation "DescribeStackEvents", Reader, CatalogStack, Always, "progress, and the cause of a failure";
    DescribeOperationEvents: CloudFormation "DescribeEvents", Reader, CatalogStack, Spare, "the failed events of one operation";
    GetTemplateSummary: CloudFormation "GetTemplateSummary", Reader, CatalogStack, Always, "parameters and labels of the running template";
    DescribeStackResourceDrifts: CloudFormation "DescribeStackResourceDrifts", Reader, CatalogStack, Optional, "results of CloudFormation's drift detection";
    DescribeStackDriftDetectionStatus: CloudFormation "DescribeStackDriftDetectionStatus", Reader, Any, Optional, "whether a drift detection is done";
    DetectStackDrift: CloudFormation "DetectStackDrift", Detector, CatalogStack, Optional + "cloudformation:DetectStackResourceDrift" + "cloudformation:BatchDescribeTypeConfigurations", "start CloudFormation's drift detection (`deepDriftInterval`)";
    DescribeReplicationGroups: ElastiCache "DescribeReplicationGroups", Reader, Any, Always, "engine, status and encryption of the cache";
    DescribeCacheClusters: ElastiCache "DescribeCacheClusters", Reader, Any, Always, "engine version of each cache node";
    DescribeUserGroups: ElastiCache "DescribeUserGroups", Reader, Any, Spare, "who may use the cache";
    DescribeCacheEngineVersions: ElastiCache "DescribeCacheEngineVersions", Reader, Any, Spare, "engine versions and their parameter group family";
    DescribeCacheEvents: ElastiCache "DescribeEvents", Reader, Any, Spare, "what happened to the cache";
    DescribeDbInstances: Rds "DescribeDBInstances", Reader, Any, Always, "status and storage of the database";
    DescribeDbEvents: Rds "DescribeEvents", Reader, Any, Always, "what happened to the database";
    ListFunctions: Lambda "ListFunctions", Reader, Any, Spare, "functions, with or without a trigger";
    ListEventSourceMappings: Lambda "ListEventSourceMappings", Reader, Any, Always, "the triggers of a worker function";
    GetEventSourceMapping: Lambda "GetEventSourceMapping", Reader, Mapping, Acting, "the state of a trigger";
    ListTags: Lambda "ListTags", Reader, Mapping, Always, "holds on a trigger";
    GetQueueAttributes: Sqs "GetQueueAttributes", Reader, Any, Always, "backlog and retention of the events";
    GetQueueUrl: Sqs "GetQueueUrl", Reader, Any, Always, "the address of a queue known by name";
    GetCallerIdentity: Sts "GetCallerIdentity", Reader, Any, NoGrant, "who we are, and in which account";
    SimulatePrincipalPolicy: Iam "SimulatePrincipalPolicy", Reader, Any, Optional, "`doctor`: check permissions to write without writing";
    UpdateProvisionedProduct: ServiceCatalog "UpdateProvisionedProduct", Writer, Any, Always, "the update itself";
    ContinueUpdateRollback: CloudFormation "ContinueUpdateRollback", Writer, CatalogStack, Always, "recover a stack whose rollback failed";
    UpdateEventSourceMapping: Lambda "UpdateEventSourceMapping", Writer, Mapping, Always, "pause and resume a trigger";
    TagResource: Lambda "TagResource", Writer, Mapping, Always, "put a hold on a trigger, and mark it released";
}

impl Op {
    /// Its row.
    pub fn operation(self) -> &'static Operation {
        &OPERATIONS[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Where calls are made, with the holder each file belongs to.
    const SOURCES: &[(&str, &str, Holder)] = &[
        ("reader/catalog.rs", include_str!("reader/catalog.rs"), Holder::Reader),
        ("reader/stack.rs", include_str!("reader/stack.rs"), Holder::Reader),
        ("reader/stack_events.rs", include_str!("reader/stack_events.rs"), Holder::Reader),
        ("reader/cache.rs", include_str!("reader/cache.rs"), Holder::Reader),
        ("reader/database.rs", include_str!("reader/database.rs"), Holder::Reader),
        ("reader/trigger.rs", include_str!("reader/trigger.rs"), Holder::Reader),
        ("reader/identity.rs", include_str!("reader/identity.rs"), Holder::Reader),
        ("detector.rs", include_str!("detector.rs"), Holder::Detector),
        ("writer.rs", include_str!("writer.rs"), Holder::Writer),
    ];

    fn snake(name: &str) -> String {
        let mut out = String::new();
        let chars: Vec<char> = name.chars().collect();
        for (i, c) in chars.iter().enumerate() {
            let after_lower = i > 0 && chars[i - 1].is_lowercase();
            let before_lower = i > 0
                && chars[i - 1].is_uppercase()
                && chars.get(i + 1).is_some_and(|c| c.is_lowercase());
            if c.is_uppercase() && (after_lower || before_lower) {
                out.push('_');
            }
            out.extend(c.to_lowercase());
        }
        out
    }

    #[test]
    fn operation_names_become_method_names() {
        for (name, method) in [
            ("DescribeDBInstances", "describe_db_instances"),
            ("GetQueueUrl", "get_queue_url"),
            ("ListTags", "list_tags"),
        ] {
            assert_eq!(snake(name), method);
        }
    }

    #[test]
    fn every_request_names_its_row_and_every_row_is_used_by_its_holder() {
        let mut used: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (file, source, holder) in SOURCES {
            let source = source.split("#[cfg(test)]").next().unwrap();
            // A request is `Op::X … .send()`; the text between must call the SDK's method of that row.
            let mut sends = 0;
            for (at, _) in source.match_indices(".send()") {
                sends += 1;
                let before = &source[..at];
                let op_at = before
                    .rfind("Op::")
                    .unwrap_or_else(|| panic!("{file}: a request without a row"));
                let request = &before[op_at + 4..];
                assert!(!request.contains(".send()"), "{file}: two requests under one row");
                let op: String = request.chars().take_while(char::is_ascii_alphanumeric).collect();
                let index =
                    OP_NAMES.iter().position(|name| *name == op).expect("the compiler knows it");
                let operation = OPERATIONS[index];
                assert!(
                    request.contains(&format!(".{}()", snake(operation.name))),
                    "{file}: Op::{op} does not send {}",
                    operation.name
                );
                assert_eq!(operation.holder, *holder, "{file}: Op::{op} belongs to another holder");
                used.entry(OP_NAMES[index]).or_default().push(file);
            }
            assert!(sends > 0, "{file} sends nothing");
        }
        for name in OP_NAMES {
            assert!(used.contains_key(name), "nobody uses Op::{name}: take it out of the table");
        }
    }

    #[test]
    fn every_file_that_sends_is_looked_at() {
        fn visit(folder: &std::path::Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    visit(&path, found);
                } else if std::fs::read_to_string(&path).unwrap().contains(".send()") {
                    found.push(path.to_string_lossy().into_owned());
                }
            }
        }
        let mut found = Vec::new();
        visit(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        for path in found.iter().filter(|path| !path.ends_with("aws/table.rs")) {
            assert!(
                SOURCES.iter().any(|(file, _, _)| path.ends_with(&format!("src/aws/{file}"))),
                "{path} sends requests"
            );
        }
    }

    #[test]
    fn nothing_here_destroys_anything() {
        for operation in OPERATIONS {
            for verb in
                ["Delete", "Terminate", "Untag", "Remove", "Reboot", "Cancel", "Modify", "Create"]
            {
                assert!(!operation.name.starts_with(verb), "{}", operation.name);
            }
            let reads = ["Describe", "List", "Get", "Search", "Simulate"]
                .iter()
                .any(|verb| operation.name.starts_with(verb));
            assert_eq!(reads, operation.holder == Holder::Reader, "{}", operation.name);
        }
    }
}
