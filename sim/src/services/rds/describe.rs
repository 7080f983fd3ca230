//! What RDS shows. Members of the answers and the names of list items are those of the public API reference.

use super::change::not_found;
use super::{Instance, Settings, State};
use crate::error::ApiError;
use crate::node::{Map, Node};
use crate::services::Call;
use crate::services::event_log::{Event, Wanted};
use crate::services::paging::{Page, marked};
use crate::spec::{INT, Input, Member, Operation, Shape, TEXT, opt, req};
use crate::time::SimTime;
use std::time::Duration;

/// AWS docs: `MaxRecords`, "minimum 20, maximum 100".
const MAX_RECORDS: Shape = Shape::Int { min: 20, max: 100 };
const FILTER: Shape = Shape::Struct(&[
    req("Name", TEXT),
    req("Values", Shape::List { item: &TEXT, name: "Value", max: usize::MAX }),
]);
const FILTERS: Member =
    opt("Filters", Shape::List { item: &FILTER, name: "Filter", max: usize::MAX });
const SOURCE_TYPES: &[&str] = &[
    "db-instance",
    "db-parameter-group",
    "db-security-group",
    "db-snapshot",
    "db-cluster",
    "db-cluster-snapshot",
    "custom-engine-version",
    "db-proxy",
    "blue-green-deployment",
    "db-shard-group",
    "zero-etl",
];

pub(super) const INSTANCES: Operation = Operation::read(
    "DescribeDBInstances",
    &[
        opt("DBInstanceIdentifier", TEXT),
        FILTERS,
        opt("MaxRecords", MAX_RECORDS),
        opt("Marker", TEXT),
    ],
    instances,
);
pub(super) const EVENTS: Operation = Operation::read(
    "DescribeEvents",
    &[
        opt("SourceIdentifier", TEXT),
        opt("SourceType", Shape::Enum(SOURCE_TYPES)),
        opt("StartTime", Shape::Time),
        opt("EndTime", Shape::Time),
        opt("Duration", INT),
        opt("EventCategories", Shape::List { item: &TEXT, name: "EventCategory", max: usize::MAX }),
        FILTERS,
        opt("MaxRecords", MAX_RECORDS),
        opt("Marker", TEXT),
    ],
    events,
);

fn instances(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let state = &call.region().rds;
    let filters = call.input.list("Filters");
    if let Some(unknown) =
        filters.iter().find(|filter| !FILTER_NAMES.contains(&filter.need("Name")))
    {
        return Err(ApiError::new(
            "InvalidParameterValue",
            format!("Unrecognized filter name: {}", unknown.need("Name")),
        ));
    }
    let wanted = |instance: &&Instance| filters.iter().all(|filter| passes(instance, filter));
    let page = match call.input.text("DBInstanceIdentifier") {
        Some(id) => Page {
            items: state
                .instance(id)
                .filter(wanted)
                .map(|instance| vec![instance])
                .ok_or_else(|| not_found(id))?,
            next: None,
        },
        None => marked(call, state.instances.values().filter(wanted), "db-instances")?,
    };
    let items = page.items.into_iter().map(|instance| db_instance(state, instance, call.now()));
    Ok(Map::new().maybe("Marker", page.next).named_list("DBInstances", "DBInstance", items))
}

/// AWS docs: `DescribeDBInstances`, supported filters.
const FILTER_NAMES: [&str; 5] =
    ["db-instance-id", "dbi-resource-id", "engine", "db-cluster-id", "domain"];

fn passes(instance: &Instance, filter: &Input) -> bool {
    let values = filter.texts("Values");
    match filter.need("Name") {
        "db-instance-id" => values.iter().any(|value| super::key(value) == instance.id),
        "dbi-resource-id" => values.contains(&instance.resource_id),
        "engine" => values.contains(&instance.fixed.engine),
        // No instance here is in a cluster or a domain.
        _ => false,
    }
}

fn events(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let wanted = Wanted::of(call)?;
    let state = &call.region().rds;
    let page = marked(call, state.events.of(&wanted), "events")?;
    let event = |event: &Event| {
        Map::new()
            .with("SourceIdentifier", &event.source)
            .with("SourceType", event.source_type)
            .with("Message", &event.message)
            .named_list("EventCategories", "EventCategory", event.categories.iter().copied())
            .with("Date", event.at)
            .with("SourceArn", call.scope.arn("rds", format_args!("db:{}", event.source)))
    };
    Ok(Map::new().maybe("Marker", page.next).named_list(
        "Events",
        "Event",
        page.items.into_iter().map(event),
    ))
}

/// An instance as every operation shows it.
pub(super) fn db_instance(state: &State, instance: &Instance, now: SimTime) -> Map {
    let (settings, fixed) = (&instance.settings, &instance.fixed);
    let created = instance.status() != "creating";
    let endpoint = || {
        Map::new()
            .with("Address", &fixed.address)
            .with("Port", fixed.port)
            .with("HostedZoneId", &fixed.hosted_zone)
    };
    let replicates = fixed.source.as_ref().map(|_| {
        Map::new()
            .with("StatusType", "read replication")
            .with("Normal", true)
            .with("Status", "replicating")
    });
    let group = Map::new()
        .with("DBParameterGroupName", &settings.parameter_group)
        .with("ParameterApplyStatus", parameter_status(instance));
    let (option_group, in_sync) =
        (format!("default:{}-{}", fixed.engine, major(&settings.version)), "in-sync");
    let map = Map::new()
        .with("DBInstanceIdentifier", &instance.id)
        .with("DBInstanceClass", &settings.class)
        .with("Engine", &fixed.engine)
        .with("DBInstanceStatus", instance.status())
        .with("MasterUsername", &fixed.master_username)
        .maybe("DBName", fixed.db_name.as_ref())
        .maybe("Endpoint", created.then(endpoint))
        .with("AllocatedStorage", settings.storage.gib)
        .with("InstanceCreateTime", instance.created)
        .with("PreferredBackupWindow", &settings.backup_window)
        .with("BackupRetentionPeriod", settings.backup_retention)
        .named_list("DBSecurityGroups", "DBSecurityGroup", Vec::<Node>::new())
        .named_list(
            "VpcSecurityGroups",
            "VpcSecurityGroupMembership",
            settings
                .security_groups
                .iter()
                .map(|id| Map::new().with("VpcSecurityGroupId", id).with("Status", "active")),
        )
        .named_list("DBParameterGroups", "DBParameterGroup", [group])
        .with("AvailabilityZone", &fixed.zone)
        .maybe("DBSubnetGroup", fixed.subnet_group.as_ref().map(|name| subnet_group(name)))
        .with("PreferredMaintenanceWindow", &settings.maintenance_window)
        .maybe("PendingModifiedValues", pending(instance))
        .maybe(
            "LatestRestorableTime",
            (created && settings.backup_retention > 0).then(|| restorable(now)),
        )
        .with("MultiAZ", settings.multi_az)
        .with("EngineVersion", &settings.version)
        .with("AutoMinorVersionUpgrade", settings.auto_minor_upgrade)
        .maybe("ReadReplicaSourceDBInstanceIdentifier", fixed.source.as_ref())
        .named_list(
            "ReadReplicaDBInstanceIdentifiers",
            "ReadReplicaDBInstanceIdentifier",
            instance.replicas.iter().filter(|id| state.instance(id).is_some()),
        )
        .with("LicenseModel", "postgresql-license")
        .maybe("Iops", settings.storage.iops)
        .maybe("StorageThroughput", settings.storage.throughput)
        .named_list(
            "OptionGroupMemberships",
            "OptionGroupMembership",
            [Map::new().with("OptionGroupName", option_group).with("Status", in_sync)],
        )
        .maybe("SecondaryAvailabilityZone", settings.multi_az.then(|| other_zone(&fixed.zone)))
        .with("PubliclyAccessible", settings.publicly_accessible)
        .maybe(
            "StatusInfos",
            replicates.map(|info| Node::List("DBInstanceStatusInfo", vec![info.into()])),
        );
    with_progress(more(map, instance), instance, now)
}

/// The second half of an instance.
fn more(map: Map, instance: &Instance) -> Map {
    let (settings, fixed) = (&instance.settings, &instance.fixed);
    map.with("StorageType", &settings.storage.kind)
        .with("DbInstancePort", 0_i64)
        .with("StorageEncrypted", fixed.encrypted)
        .maybe("KmsKeyId", fixed.kms_key.as_ref())
        .with("DbiResourceId", &instance.resource_id)
        .with("CACertificateIdentifier", &settings.certificate)
        .named_list("DomainMemberships", "DomainMembership", Vec::<Node>::new())
        .with("CopyTagsToSnapshot", settings.copy_tags)
        .with("MonitoringInterval", settings.monitoring_interval)
        .maybe("MonitoringRoleArn", settings.monitoring_role.as_ref())
        .with("DBInstanceArn", &instance.arn)
        .with("IAMDatabaseAuthenticationEnabled", settings.iam_authentication)
        .with("PerformanceInsightsEnabled", settings.performance_insights)
        .maybe(
            "EnabledCloudwatchLogsExports",
            (!settings.log_exports.is_empty()).then(|| {
                Node::List("member", settings.log_exports.iter().map(Node::from).collect())
            }),
        )
        .with("DeletionProtection", settings.deletion_protection)
        .named_list("AssociatedRoles", "DBInstanceRole", Vec::<Node>::new())
        .maybe("MaxAllocatedStorage", settings.storage.max_gib)
        .named_list(
            "TagList",
            "Tag",
            fixed.tags.iter().map(|(key, value)| Map::new().with("Key", key).with("Value", value)),
        )
        .with("CustomerOwnedIpEnabled", false)
        .with("NetworkType", "IPV4")
        .with("ActivityStreamStatus", "stopped")
        .with("BackupTarget", "region")
        .with("DedicatedLogVolume", false)
        .with("IsStorageConfigUpgradeAvailable", false)
        .with("EngineLifecycleSupport", "open-source-rds-extended-support")
}

/// Adds the progress of storage optimization; it is absent when there is none.
fn with_progress(map: Map, instance: &Instance, now: SimTime) -> Map {
    let Some(optimizing) =
        instance.optimizing.filter(|_| instance.status() == "storage-optimization")
    else {
        return map;
    };
    let (done, all) = (
        now.since(optimizing.from).as_millis(),
        optimizing.until.since(optimizing.from).as_millis().max(1),
    );
    let percent = i64::try_from((done * 100 / all).min(99)).unwrap_or(99);
    map.with("PercentProgress", percent.to_string())
        .with("StorageOperationStatus", "Optimizing")
        .with("StorageOperationPercentProgress", percent)
}

fn parameter_status(instance: &Instance) -> &'static str {
    let changes = instance
        .work
        .as_ref()
        .is_some_and(|work| work.target.parameter_group != instance.settings.parameter_group);
    match (changes, instance.needs_reboot) {
        (true, _) => "applying",
        (false, true) => "pending-reboot",
        (false, false) => "in-sync",
    }
}

/// What is pending, while something is: the password only as a mask.
fn pending(instance: &Instance) -> Option<Map> {
    let (now, target) = (&instance.settings, instance.target()?);
    let text = |value: fn(&Settings) -> &String| {
        Some(value(target)).filter(|target| *target != value(now))
    };
    let number =
        |value: fn(&Settings) -> Option<i64>| value(target).filter(|_| value(now) != value(target));
    let map = Map::new()
        .maybe("DBInstanceClass", text(|settings| &settings.class))
        .maybe("AllocatedStorage", number(|settings| Some(settings.storage.gib)))
        .maybe("MasterUserPassword", (now.password != target.password).then_some("****"))
        .maybe("MultiAZ", (now.multi_az != target.multi_az).then_some(target.multi_az))
        .maybe("EngineVersion", text(|settings| &settings.version))
        .maybe("Iops", number(|settings| settings.storage.iops))
        .maybe("StorageThroughput", number(|settings| settings.storage.throughput))
        .maybe("StorageType", text(|settings| &settings.storage.kind));
    (map != Map::new()).then_some(map)
}

fn subnet_group(name: &str) -> Map {
    Map::new().with("DBSubnetGroupName", name).with("SubnetGroupStatus", "Complete").named_list(
        "Subnets",
        "Subnet",
        Vec::<Node>::new(),
    )
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

/// Backups allow a restore up to the last five minutes.
fn restorable(now: SimTime) -> SimTime {
    let step = 5 * 60 * 1000;
    SimTime::from_millis((now - Duration::from_mins(5)).as_millis() / step * step)
}

/// The zone of the standby.
fn other_zone(zone: &str) -> String {
    let other = if zone.ends_with('a') { 'b' } else { 'a' };
    format!("{}{other}", zone.trim_end_matches(|last: char| last.is_ascii_lowercase()))
}
