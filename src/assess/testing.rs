//! The smallest observation of a healthy TED: v1.44.0 on Redis 7.1, as `facts` of the field show it, and ways to bend it.

use super::types::{Assessment, Gate};
use super::{Context, assess};
use crate::desired::{Defaults, Desired, File, Mode, load};
use crate::observe::observation::{
    Artifact, Cache, CacheNode, Caller, Database, Details, Gap, LaunchPath, NestedStack,
    Observation, Offer, Parameter, Product, Record, Relative, Seen, Stack, StackParameter,
    TemplateSummary, Trigger, Triggers, Usage,
};
use std::collections::BTreeMap;

/// A Wednesday noon, far from every window.
pub(crate) const NOW: &str = "2026-08-05T12:00:00Z";

/// A document that migrates the healthy TED to Valkey, with all that it takes.
pub(crate) const MIGRATE: &str = r#"
apiVersion: ted-controller.dev/v1alpha1
kind: TurbotEnterpriseDatabase
metadata: {name: einstein}
spec:
  account: "111122223333"
  region: us-east-2
  tedVersion: v1.52.1
  cache: {engine: valkey, version: "8.0"}
  events: {pause: true}
  policy: {mode: apply, approve: [redis-to-valkey]}
"#;

/// A document that the healthy TED fulfils.
pub(crate) const STAY: &str = r#"
apiVersion: ted-controller.dev/v1alpha1
kind: TurbotEnterpriseDatabase
metadata: {name: einstein}
spec:
  account: "111122223333"
  region: us-east-2
  cache: {engine: redis, version: "7.1"}
  policy: {mode: apply}
"#;

/// Everything an assessment takes.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) document: String,
    pub(crate) observation: Observation,
    pub(crate) context: Context,
}

impl World {
    /// The healthy TED, the document that migrates it, and the version that it wants on offer.
    pub(crate) fn migrating() -> Self {
        let mut world = Self::staying();
        MIGRATE.clone_into(&mut world.document);
        offer(&mut world.observation, "v1.52.1");
        world
    }

    /// The healthy TED and a document that it fulfils.
    pub(crate) fn staying() -> Self {
        let context = Context {
            mode_bound: Mode::Apply,
            controller_id: "ctl-1".to_owned(),
            ..Context::default()
        };
        Self { document: STAY.to_owned(), observation: healthy(), context }
    }

    /// The TED after the migration, and the document that asked for it.
    pub(crate) fn migrated() -> Self {
        let mut world = Self { document: MIGRATE.to_owned(), ..Self::staying() };
        after_migration(&mut world.observation);
        world
    }

    /// The world with something in its document replaced, which has to be there.
    pub(crate) fn edit(mut self, from: &str, to: &str) -> Self {
        assert!(self.document.contains(from), "the document holds no `{from}`");
        self.document = self.document.replace(from, to);
        self
    }

    /// The world bent.
    pub(crate) fn with(mut self, bend: impl FnOnce(&mut Self)) -> Self {
        bend(&mut self);
        self
    }

    pub(crate) fn desired(&self) -> Desired {
        let files = [File::new("einstein.yaml", self.document.as_bytes())];
        let mut loaded = load(&files, &Defaults::default());
        let problems: Vec<_> = loaded.problems.iter().map(ToString::to_string).collect();
        assert!(problems.is_empty(), "{problems:?}\n{}", self.document);
        loaded.documents.pop().unwrap()
    }

    pub(crate) fn assess(&self) -> Assessment {
        assess(&self.desired(), &self.observation, &self.context)
    }
}

/// A gate of an assessment.
pub(crate) fn gate<'a>(assessment: &'a Assessment, name: &str) -> &'a Gate {
    assessment.gates.iter().find(|gate| gate.gate == name).unwrap()
}

/// A gap in what was read.
pub(crate) fn denied<T>() -> Seen<T> {
    Seen::Unreadable(denial())
}

/// Why it could not be read.
pub(crate) fn denial() -> Gap {
    Gap {
        operation: "service:Operation".to_owned(),
        reason: "AccessDenied".to_owned(),
        message: "not authorized to perform service:Operation".to_owned(),
        passing: false,
    }
}

/// What is in a `Seen` that tests know to be there.
pub(crate) fn there<T>(seen: &mut Seen<T>) -> &mut T {
    match seen {
        Seen::Present(value) => value,
        Seen::Absent | Seen::Unreadable(_) | Seen::NotLooked => panic!("it is not there"),
    }
}

/// A row of the template: key, type, label, description, default, allowed values.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static [&'static str],
);

const COMMON: &[Row] = &[
    ("HiveName", "String", "Hive Name", "Name of the hive. It cannot be changed later.", None, &[]),
    (
        "ResourceNamePrefix",
        "String",
        "Resource Name Prefix",
        "Prefix of all names.",
        Some("turbot"),
        &[],
    ),
    (
        "PrimaryRegion",
        "String",
        "Primary Region",
        "Region of the primary database.",
        Some("us-east-1"),
        &[],
    ),
    ("MasterPassword", "String", "Master Password", "Password of the master user.", None, &[]),
    ("MaxConnections", "Number", "Max Connections", "Most connections.", Some("500"), &[]),
    ("AllocatedStorage", "Number", "Allocated Storage", "Size in GiB.", Some("200"), &[]),
    ("AllocatedIops", "Number", "Allocated IOPS", "Operations a second.", Some("3000"), &[]),
    ("StorageThroughput", "Number", "Storage Throughput", "MiB a second.", Some("125"), &[]),
    (
        "MaxAllocatedStorage",
        "Number",
        "Maximum Allocated Storage",
        "Ceiling of autoscaling.",
        Some("500"),
        &[],
    ),
    ("ElastiCache", "String", "ElastiCache", "Use ElastiCache.", Some("true"), &["true", "false"]),
    (
        "ElastiCacheVersion",
        "String",
        "ElastiCache Version",
        "Version of Redis.",
        Some("7.1"),
        &["6.2", "7.0", "7.1"],
    ),
    (
        "CacheAuthMode",
        "String",
        "Cache Authentication Mode",
        "How clients authenticate.",
        Some("Redis Password"),
        &["Redis Password", "IAM", "Redis Password & IAM"],
    ),
    (
        "CacheNodeType",
        "String",
        "Cache Node Type",
        "Node type of the cache.",
        Some("cache.t3.medium"),
        &["cache.t3.medium", "cache.m6g.large", "cache.r6g.large"],
    ),
    (
        "CacheNumberOfNodes",
        "Number",
        "Cache Number Of Nodes",
        "Nodes of the cache.",
        Some("1"),
        &[],
    ),
    (
        "CacheMultiAZ",
        "String",
        "Enable Multi-AZ",
        "Spread over zones.",
        Some("false"),
        &["true", "false"],
    ),
    (
        "ParameterDeploymentTrigger",
        "String",
        "Parameter Deployment Trigger",
        "Switch it.",
        Some("Blue"),
        &["Blue", "Green"],
    ),
    (
        "VpcId",
        "AWS::SSM::Parameter::Value<AWS::EC2::VPC::Id>",
        "VPC",
        "The VPC.",
        Some("/turbot/tef/vpc_id"),
        &[],
    ),
    (
        "AllowedCidrs",
        "CommaDelimitedList",
        "Allowed Address Ranges",
        "Who may connect.",
        Some("10.0.0.0/8"),
        &[],
    ),
];

const BEFORE_1_50: &[Row] = &[(
    "DatabaseStatementLogging",
    "String",
    "",
    "Statements that are logged.",
    Some("none"),
    &["none", "ddl", "all"],
)];

const SINCE_1_50: &[Row] = &[
    (
        "ElastiCacheEngine",
        "String",
        "ElastiCache Engine",
        "Engine of the cache. Once changed from redis to valkey, the migration is irreversible.",
        Some("redis"),
        &["redis", "valkey"],
    ),
    (
        "ValkeyCacheVersion",
        "String",
        "Valkey Cache Version",
        "Version of Valkey.",
        Some("8.0"),
        &["7.2", "8.0", "8.1"],
    ),
    ("PgBouncer", "String", "PgBouncer", "Pool connections.", Some("false"), &["true", "false"]),
];

/// The template of a version: its parameters and labels.
pub(crate) fn template(version: &str) -> TemplateSummary {
    let has_valkey =
        crate::desired::TedVersion::read(version) >= crate::desired::TedVersion::read("1.50.0");
    let rows = COMMON.iter().chain(if has_valkey { SINCE_1_50 } else { BEFORE_1_50 });
    let mut template = TemplateSummary::default();
    for (key, kind, label, description, default, allowed) in rows {
        if !label.is_empty() {
            template.labels.insert((*key).to_owned(), (*label).to_owned());
        }
        template.parameters.push(Parameter {
            key: (*key).to_owned(),
            kind: (*kind).to_owned(),
            default: default.map(str::to_owned),
            no_echo: *key == "MasterPassword",
            description: Some((*description).to_owned()),
            allowed_values: allowed.iter().map(|value| (*value).to_owned()).collect(),
            ..Parameter::default()
        });
    }
    template
}

/// Puts a version on offer as the one that the document wants.
pub(crate) fn offer(observation: &mut Observation, version: &str) {
    let TemplateSummary { parameters, labels, groups } = template(version);
    let artifact = there(&mut observation.versions)
        .iter()
        .find(|artifact| artifact.name == version)
        .unwrap()
        .clone();
    let launch_role = Some("arn:aws:iam::111122223333:role/launch".to_owned());
    let usage = Usage { labels, groups, launch_role, has_rules: false };
    observation.target = Seen::Present(Offer {
        artifact,
        parameters: Seen::Present(parameters),
        usage: Seen::Present(usage),
    });
}

/// What the document of the migration asks for is done.
fn after_migration(observation: &mut Observation) {
    observation.template = Seen::Present(template("v1.52.1"));
    let root = there(&mut observation.root);
    root.outputs.insert("ReleaseVersion".to_owned(), "1.52.1".to_owned());
    root.parameters.remove("DatabaseStatementLogging");
    for (key, value) in
        [("ElastiCacheEngine", "valkey"), ("ValkeyCacheVersion", "8.0"), ("PgBouncer", "false")]
    {
        root.parameters
            .insert(key.to_owned(), StackParameter { value: value.to_owned(), resolved: None });
    }
    for record in [&mut observation.last_record, &mut observation.last_success] {
        there(record).artifact_id = Some("pa-1521".to_owned());
    }
    let product = &mut there(&mut observation.products)[0];
    product.artifact_id = Some("pa-1521".to_owned());
    let cache = &mut there(&mut observation.caches)[0];
    cache.engine = Some("valkey".to_owned());
    for node in &mut cache.nodes {
        node.engine = Some("valkey".to_owned());
        node.engine_version = Some("8.0.1".to_owned());
        node.parameter_group = Some("default.valkey8".to_owned());
    }
}

pub(crate) fn artifact(id: &str, name: &str) -> Artifact {
    Artifact {
        id: id.to_owned(),
        name: name.to_owned(),
        description: Some(format!(
            "Turbot Guardrails Enterprise Database {name} [Build #20240813120826859]"
        )),
        created: None,
        active: true,
        deprecated: false,
    }
}

pub(crate) fn record(id: &str, artifact: &str, status: &str, from: &str, to: &str) -> Record {
    Record {
        id: id.to_owned(),
        status: status.to_owned(),
        kind: "UPDATE_PROVISIONED_PRODUCT".to_owned(),
        created: Some(from.parse().unwrap()),
        updated: Some(to.parse().unwrap()),
        artifact_id: Some(artifact.to_owned()),
        path_id: Some("lp-1".to_owned()),
        errors: Vec::new(),
        outputs: BTreeMap::new(),
        principal: None,
    }
}

pub(crate) fn trigger(te_version: &str, kind: &str) -> Trigger {
    let function = format!("turbot_{}_{kind}", te_version.replace('.', "_"));
    Trigger {
        uuid: format!("uuid-{function}"),
        arn: format!("arn:aws:lambda:us-east-2:111122223333:event-source-mapping:uuid-{function}"),
        te_version: te_version.to_owned(),
        function,
        state: "Enabled".to_owned(),
        last_modified: None,
        queue: None,
        tags: Some(BTreeMap::new()),
    }
}

fn node(number: u8) -> CacheNode {
    CacheNode {
        id: format!("turbot-einstein-cache-cluster-00{number}"),
        status: "available".to_owned(),
        engine: Some("redis".to_owned()),
        engine_version: Some("7.1.0".to_owned()),
        parameter_group: Some("default.redis7".to_owned()),
        pending: false,
    }
}

/// A TED v1.44.0 on Redis 7.1 with nothing amiss.
pub(crate) fn healthy() -> Observation {
    let updated =
        record("rec-1", "pa-1440", "SUCCEEDED", "2026-06-01T10:00:00Z", "2026-06-01T10:25:00Z");
    let values = [
        ("HiveName", "einstein"),
        ("ResourceNamePrefix", "turbot"),
        ("PrimaryRegion", "us-east-2"),
        ("MasterPassword", "****"),
        ("MaxConnections", "600"),
        ("AllocatedStorage", "200"),
        ("AllocatedIops", "3000"),
        ("StorageThroughput", "125"),
        ("MaxAllocatedStorage", "1000"),
        ("ElastiCache", "true"),
        ("ElastiCacheVersion", "7.1"),
        ("CacheAuthMode", "Redis Password"),
        ("CacheNodeType", "cache.m6g.large"),
        ("CacheNumberOfNodes", "2"),
        ("CacheMultiAZ", "true"),
        ("ParameterDeploymentTrigger", "Blue"),
        ("AllowedCidrs", "10.20.0.0/16, 10.21.0.0/16"),
        ("DatabaseStatementLogging", "none"),
    ];
    let mut parameters: BTreeMap<String, StackParameter> = values
        .iter()
        .map(|(key, value)| {
            ((*key).to_owned(), StackParameter { value: (*value).to_owned(), resolved: None })
        })
        .collect();
    let vpc = StackParameter {
        value: "/turbot/tef/vpc_id".to_owned(),
        resolved: Some("vpc-0a1b".to_owned()),
    };
    parameters.insert("VpcId".to_owned(), vpc);
    Observation {
        now: NOW.parse().unwrap(),
        region: "us-east-2".to_owned(),
        caller: Seen::Present(Caller {
            account: "111122223333".to_owned(),
            arn: "arn:aws:sts::111122223333:assumed-role/ted-controller/s".to_owned(),
        }),
        products: Seen::Present(vec![Product {
            id: "pp-senyqa2ncjkws".to_owned(),
            name: "ted-einstein".to_owned(),
            kind: "CFN_STACK".to_owned(),
            status: "AVAILABLE".to_owned(),
            product_id: Some("prod-4cmpny7iskfea".to_owned()),
            product_name: Some("Turbot Guardrails Enterprise Database".to_owned()),
            artifact_id: Some("pa-1440".to_owned()),
            launch_role_arn: Some("arn:aws:iam::111122223333:role/launch".to_owned()),
            last_record_id: Some("rec-1".to_owned()),
            last_provisioning_record_id: Some("rec-1".to_owned()),
            last_successful_provisioning_record_id: Some("rec-1".to_owned()),
            ..Product::default()
        }]),
        last_record: Seen::Present(updated.clone()),
        last_success: Seen::Present(updated.clone()),
        history: Seen::Present(vec![updated]),
        // In no order, as AWS lists them.
        versions: Seen::Present(vec![
            artifact("pa-1500", "v1.50.0"),
            artifact("pa-1521", "v1.52.1"),
            artifact("pa-1440", "v1.44.0"),
            artifact("pa-1390", "v1.39.2"),
        ]),
        paths: Seen::Present(vec![LaunchPath {
            id: "lp-1".to_owned(),
            name: "Turbot".to_owned(),
            launch_constraint: true,
        }]),
        target: Seen::NotLooked,
        root: Seen::Present(Stack {
            id: "arn:aws:cloudformation:us-east-2:111122223333:stack/SC-111122223333-pp-senyqa2ncjkws/u".to_owned(),
            name: "SC-111122223333-pp-senyqa2ncjkws".to_owned(),
            status: "UPDATE_COMPLETE".to_owned(),
            parameters,
            outputs: BTreeMap::from([("ReleaseVersion".to_owned(), "1.44.0".to_owned())]),
            ..Stack::default()
        }),
        template: Seen::Present(template("v1.44.0")),
        nested: Seen::Present(vec![NestedStack {
            name: "SC-111122223333-pp-senyqa2ncjkws-CacheStack-1".to_owned(),
            logical_id: "CacheStack".to_owned(),
            status: "UPDATE_COMPLETE".to_owned(),
            ..NestedStack::default()
        }]),
        relatives: Seen::Present(vec![Relative {
            name: "turbot-workspace-acme".to_owned(),
            status: "UPDATE_COMPLETE".to_owned(),
            workspace: Some("acme".to_owned()),
            te_version: Some("5.39.12".to_owned()),
        }]),
        caches: Seen::Present(vec![Cache {
            id: "turbot-einstein-cache-cluster".to_owned(),
            in_stack: true,
            status: "available".to_owned(),
            engine: Some("redis".to_owned()),
            node_type: Some("cache.m6g.large".to_owned()),
            nodes: vec![node(1), node(2)],
            snapshot_window: Some("05:00-06:00".to_owned()),
            maintenance_window: Some("sun:07:00-sun:08:00".to_owned()),
            snapshot_retention: Some(3),
            ..Cache::default()
        }]),
        database: Seen::Present(Database {
            id: "turbot-einstein".to_owned(),
            status: "available".to_owned(),
            allocated_storage: Some(200),
            max_allocated_storage: Some(1000),
            storage_type: Some("gp3".to_owned()),
            iops: Some(3000),
            storage_throughput: Some(125),
            backup_window: Some("03:00-03:30".to_owned()),
            maintenance_window: Some("sun:04:00-sun:05:00".to_owned()),
            backup_retention: Some(7),
            ..Database::default()
        }),
        replica: Seen::Absent,
        triggers: Seen::Present(Triggers {
            te_versions: vec!["5.39.12".to_owned()],
            missing_functions: Vec::new(),
            queues: Vec::new(),
            elsewhere: Vec::new(),
            mappings: vec![
                trigger("5.39.12", "worker"),
                trigger("5.39.12", "worker_priority"),
                trigger("5.39.12", "worker_retry"),
            ],
        }),
        deep_drift: Seen::NotLooked,
        details: Details::default(),
        read_at: BTreeMap::new(),
    }
}

/// Renames every key of the template, of the stack and of the offer, to names that tell nothing; labels stay.
pub(crate) fn rename_all(observation: &mut Observation) {
    let keys: Vec<String> =
        COMMON.iter().chain(BEFORE_1_50).chain(SINCE_1_50).map(|row| row.0.to_owned()).collect();
    let new = |key: &str| {
        let place = keys.iter().position(|own| own == key).unwrap();
        format!("P{place}")
    };
    let labels = |labels: &BTreeMap<String, String>| {
        labels.iter().map(|(key, label)| (new(key), label.clone())).collect()
    };
    let template = there(&mut observation.template);
    template.labels = labels(&template.labels);
    template.parameters.iter_mut().for_each(|parameter| parameter.key = new(&parameter.key));
    let root = there(&mut observation.root);
    root.parameters =
        root.parameters.iter().map(|(key, value)| (new(key), value.clone())).collect();
    if let Seen::Present(offer) = &mut observation.target {
        for parameter in there(&mut offer.parameters) {
            parameter.key = new(&parameter.key);
        }
        let usage = there(&mut offer.usage);
        usage.labels = labels(&usage.labels);
    }
}
