//! `AWS::RDS::DBInstance`, as CloudFormation's handler treats it.
//!
//! An update sends what differs between two versions of the template, and with it always `AllocatedStorage`. That is why, once storage
//! has grown by itself, any change of the instance fails until the template says the real size.

use super::change::{self, Change, not_available, not_found};
use super::storage::{Ask, Storage};
use super::{Fixed, Instance, Settings, versions, work};
use crate::error::ApiError;
use crate::options::StorageBelowActual;
use crate::services::cloudformation::provider::{Actual, On, Progress, Provider};
use crate::services::properties::{differs, flag, int, text, texts};
use crate::services::secret::Secret;
use crate::world::{Region, Scope, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PORT: i64 = 5432;

/// The provider of instances.
#[derive(Debug)]
pub(super) struct DbInstance;

/// Properties that lead to a call of `ModifyDBInstance` when they change.
const MODIFIABLE: [&str; 23] = [
    "AllocatedStorage",
    "AutoMinorVersionUpgrade",
    "BackupRetentionPeriod",
    "CACertificateIdentifier",
    "CopyTagsToSnapshot",
    "DBInstanceClass",
    "DBParameterGroupName",
    "DeletionProtection",
    "EnableCloudwatchLogsExports",
    "EnableIAMDatabaseAuthentication",
    "EnablePerformanceInsights",
    "EngineVersion",
    "Iops",
    "MasterUserPassword",
    "MaxAllocatedStorage",
    "MonitoringInterval",
    "MonitoringRoleArn",
    "MultiAZ",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "StorageThroughput",
    "StorageType",
    "VPCSecurityGroups",
];

fn arn(scope: &Scope, id: &str) -> String {
    scope.arn("rds", format_args!("db:{id}"))
}

impl Provider for DbInstance {
    fn service(&self) -> &'static str {
        "Rds"
    }

    /// The create-only list of the resource type's registry schema.
    fn create_only(&self) -> &'static [&'static str] {
        &[
            "CharacterSetName",
            "CustomIAMInstanceProfile",
            "DBClusterIdentifier",
            "DBInstanceIdentifier",
            "DBName",
            "DBSubnetGroupName",
            "Engine",
            "KmsKeyId",
            "MasterUsername",
            "NcharCharacterSetName",
            "Port",
            "SourceRegion",
            "StorageEncrypted",
            "Timezone",
        ]
    }

    fn create(&self, on: &mut On<'_>, properties: &Value) -> Result<String, ApiError> {
        let id = text(properties, "DBInstanceIdentifier")
            .unwrap_or_else(|| on.generated_name())
            .to_ascii_lowercase();
        let source =
            text(properties, "SourceDBInstanceIdentifier").map(|source| super::key(&source));
        let action = if source.is_some() {
            "rds:CreateDBInstanceReadReplica"
        } else {
            "rds:CreateDBInstance"
        };
        on.allow(action, &arn(on.scope, &id))?;
        if !crate::spec::matches("[a-z][a-z0-9-]{0,62}", &id)
            || id.ends_with('-')
            || id.contains("--")
        {
            let message =
                format!("The parameter DBInstanceIdentifier is not a valid identifier: {id}");
            return Err(ApiError::new("InvalidParameterValue", message));
        }
        let state = &on.world.region(on.scope).rds;
        if state.instance(&id).is_some() {
            return Err(ApiError::new("DBInstanceAlreadyExists", "DB instance already exists"));
        }
        let source = source
            .map(|source| state.instance(&source).cloned().ok_or_else(|| not_found(&source)))
            .transpose()?;
        let mut instance = match &source {
            Some(source) => replica(source, properties)?,
            None => primary(on, properties)?,
        };
        change::valid(&on.world.options, &instance.settings)?;
        name(on, &mut instance, &id, properties);
        if let Some(source) = source
            && let Some(source) = on.world.region_mut(on.scope).rds.instance_mut(&source.id)
        {
            source.replicas.push(id.clone());
        }
        work::create(on.world, on.scope, instance);
        Ok(id)
    }

    fn update(
        &self,
        on: &mut On<'_>,
        id: &str,
        before: &Value,
        after: &Value,
    ) -> Result<(), ApiError> {
        let state = &on.world.region(on.scope).rds;
        let instance = state.instance(id).ok_or_else(|| not_found(id))?;
        let id = instance.id.clone();
        if MODIFIABLE.iter().any(|name| differs(before, after, name)) {
            on.allow("rds:ModifyDBInstance", &arn(on.scope, &id))?;
            let mut wanted = difference(before, after);
            let below = wanted.storage.gib.is_some_and(|gib| gib < instance.settings.storage.gib);
            if below && on.world.options.storage_below_actual == StorageBelowActual::Ignored {
                wanted.storage.gib = None;
            }
            let target = change::check(&on.world.options, instance, &wanted, on.world.now())?;
            work::begin(on.world, on.scope, &id, target, true, true);
        }
        if let Some(instance) = on.world.region_mut(on.scope).rds.instance_mut(&id) {
            instance.fixed.template_version = text(after, "EngineVersion");
            instance.fixed.tags = tags(after);
        }
        Ok(())
    }

    fn delete(&self, on: &mut On<'_>, id: &str) -> Result<(), ApiError> {
        on.allow("rds:DeleteDBInstance", &arn(on.scope, id))?;
        let Some(instance) = on.world.region(on.scope).rds.instance(id) else { return Ok(()) };
        let id = instance.id.clone();
        if instance.settings.deletion_protection {
            let message = "Cannot delete protected DB Instance, please disable deletion protection and try again.";
            return Err(ApiError::new("InvalidParameterCombination", message));
        }
        if instance.status() != "deleting" {
            work::delete(on.world, on.scope, &id);
        }
        Ok(())
    }

    /// An instance that is optimizing its storage is done, unless `Options::stack_waits_for_optimization`.
    fn progress(&self, world: &World, scope: &Scope, id: &str) -> Progress {
        let Some(instance) = world.region(scope).rds.instance(id) else {
            return Progress::Failed(not_found(id));
        };
        match instance.status() {
            "available" => Progress::Done,
            "storage-optimization" | "storage-initialization"
                if !world.options.stack_waits_for_optimization =>
            {
                Progress::Done
            }
            status if needs_person(status) => Progress::Failed(ApiError::new(
                "NotStabilized",
                format!("DB instance {id} is in status {status}."),
            )),
            _ => Progress::Busy,
        }
    }

    fn attributes(&self, region: &Region, id: &str) -> BTreeMap<String, String> {
        let Some(instance) = region.rds.instance(id) else { return BTreeMap::new() };
        let fixed = &instance.fixed;
        let pairs = [
            ("Endpoint.Address", fixed.address.clone()),
            ("Endpoint.Port", fixed.port.to_string()),
            ("Endpoint.HostedZoneId", fixed.hosted_zone.clone()),
            ("DbiResourceId", instance.resource_id.clone()),
            ("DBInstanceArn", instance.arn.clone()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// `EngineVersion` compares by prefix: when the template's `15` is the real `15.7`, the template's is given. The password is
    /// write-only.
    fn actual(&self, region: &Region, id: &str) -> Actual {
        let Some(instance) = region.rds.instance(id) else { return Actual::Missing };
        Actual::Properties(readable(instance))
    }

    fn settle(&self, on: &mut On<'_>, id: &str) {
        work::settle(on.world, on.scope, id);
    }
}

/// Statuses that no time heals (RDS user guide, "Viewing DB instance status").
fn needs_person(status: &str) -> bool {
    matches!(
        status,
        "failed" | "restore-error" | "storage-full" | "stopped" | "insufficient-capacity"
    ) || status.starts_with("incompatible-")
        || status.starts_with("inaccessible-")
}

/// What the properties of a template ask for.
fn wanted(properties: &Value) -> Change {
    let list = |name: &str| properties.get(name).map(|_| texts(properties, name));
    Change {
        class: text(properties, "DBInstanceClass"),
        storage: Ask {
            gib: int(properties, "AllocatedStorage"),
            kind: text(properties, "StorageType"),
            iops: int(properties, "Iops"),
            throughput: int(properties, "StorageThroughput"),
            max_gib: int(properties, "MaxAllocatedStorage"),
        },
        version: text(properties, "EngineVersion"),
        allow_major_upgrade: flag(properties, "AllowMajorVersionUpgrade").unwrap_or(false),
        multi_az: flag(properties, "MultiAZ"),
        parameter_group: text(properties, "DBParameterGroupName"),
        password: text(properties, "MasterUserPassword"),
        backup_retention: int(properties, "BackupRetentionPeriod"),
        backup_window: text(properties, "PreferredBackupWindow"),
        maintenance_window: text(properties, "PreferredMaintenanceWindow"),
        auto_minor_upgrade: flag(properties, "AutoMinorVersionUpgrade"),
        deletion_protection: flag(properties, "DeletionProtection"),
        iam_authentication: flag(properties, "EnableIAMDatabaseAuthentication"),
        copy_tags: flag(properties, "CopyTagsToSnapshot"),
        publicly_accessible: flag(properties, "PubliclyAccessible"),
        monitoring_interval: int(properties, "MonitoringInterval"),
        monitoring_role: text(properties, "MonitoringRoleArn"),
        performance_insights: flag(properties, "EnablePerformanceInsights"),
        log_exports: list("EnableCloudwatchLogsExports"),
        security_groups: list("VPCSecurityGroups"),
        certificate: text(properties, "CACertificateIdentifier"),
    }
}

/// Only what differs between two versions of the template is sent, and the size of the storage.
fn difference(before: &Value, after: &Value) -> Change {
    let mut changed = json!({});
    for name in MODIFIABLE.iter().filter(|name| differs(before, after, name)) {
        if let Some(value) = after.get(*name) {
            changed[*name] = value.clone();
        }
    }
    for always in ["AllocatedStorage", "AllowMajorVersionUpgrade"] {
        if let Some(value) = after.get(always) {
            changed[always] = value.clone();
        }
    }
    wanted(&changed)
}

fn settings(asked: &Change, storage: Storage, version: String) -> Settings {
    let major = version.split('.').next().unwrap_or_default().to_owned();
    let text =
        |given: &Option<String>, default: &str| given.clone().unwrap_or_else(|| default.to_owned());
    Settings {
        class: text(&asked.class, "db.t3.medium"),
        storage,
        version,
        multi_az: asked.multi_az.unwrap_or(false),
        parameter_group: text(&asked.parameter_group, &format!("default.postgres{major}")),
        password: asked.password.as_ref().map(Secret::new),
        backup_retention: asked.backup_retention.unwrap_or(1),
        backup_window: text(&asked.backup_window, "06:24-06:54"),
        maintenance_window: text(&asked.maintenance_window, "sun:07:30-sun:08:00"),
        auto_minor_upgrade: asked.auto_minor_upgrade.unwrap_or(true),
        deletion_protection: asked.deletion_protection.unwrap_or(false),
        iam_authentication: asked.iam_authentication.unwrap_or(false),
        copy_tags: asked.copy_tags.unwrap_or(false),
        publicly_accessible: asked.publicly_accessible.unwrap_or(false),
        monitoring_interval: asked.monitoring_interval.unwrap_or(0),
        monitoring_role: asked.monitoring_role.clone(),
        performance_insights: asked.performance_insights.unwrap_or(false),
        log_exports: asked.log_exports.clone().unwrap_or_default(),
        security_groups: asked.security_groups.clone().unwrap_or_default(),
        certificate: text(&asked.certificate, "rds-ca-rsa2048-g1"),
    }
}

fn primary(on: &On<'_>, properties: &Value) -> Result<Instance, ApiError> {
    let asked = wanted(properties);
    let engine = text(properties, "Engine").unwrap_or_default();
    if engine != "postgres" {
        return Err(ApiError::new("InvalidParameterValue", format!("Invalid DB engine: {engine}")));
    }
    let storage = Storage::first(&engine, &asked.storage)?;
    let version = versions::resolve(asked.version.as_deref().unwrap_or("17"))?;
    let fixed = Fixed {
        engine,
        master_username: text(properties, "MasterUsername").unwrap_or_else(|| "master".to_owned()),
        db_name: text(properties, "DBName"),
        subnet_group: text(properties, "DBSubnetGroupName"),
        encrypted: flag(properties, "StorageEncrypted").unwrap_or(false),
        kms_key: text(properties, "KmsKeyId"),
        port: int(properties, "Port").unwrap_or(PORT),
        zone: text(properties, "AvailabilityZone")
            .unwrap_or_else(|| format!("{}a", on.scope.region)),
        ..Fixed::default()
    };
    Ok(blank(settings(&asked, storage, version), fixed))
}

/// A read replica is like its source where its template says nothing.
fn replica(source: &Instance, properties: &Value) -> Result<Instance, ApiError> {
    if !matches!(source.status(), "available" | "storage-optimization") {
        return Err(not_available());
    }
    if source.settings.backup_retention == 0 {
        let message = "Automated backups are not enabled for this database instance. To enable automated backups, use ModifyDBInstance to set the backup retention period to a non-zero value.";
        return Err(ApiError::new("InvalidDBInstanceState", message));
    }
    let mut asked = wanted(properties);
    let from = &source.settings;
    asked.storage.gib = asked.storage.gib.or(Some(from.storage.gib));
    asked.storage.kind = asked.storage.kind.or_else(|| Some(from.storage.kind.clone()));
    asked.class = asked.class.or_else(|| Some(from.class.clone()));
    asked.parameter_group = asked.parameter_group.or_else(|| Some(from.parameter_group.clone()));
    asked.backup_retention = asked.backup_retention.or(Some(0));
    let storage = Storage::first(&source.fixed.engine, &asked.storage)?;
    let mut settings = settings(&asked, storage, from.version.clone());
    settings.password.clone_from(&from.password);
    let zone = text(properties, "AvailabilityZone").unwrap_or_else(|| source.fixed.zone.clone());
    let fixed =
        Fixed { source: Some(source.id.clone()), zone, tags: Vec::new(), ..source.fixed.clone() };
    Ok(blank(settings, fixed))
}

fn blank(settings: Settings, fixed: Fixed) -> Instance {
    Instance {
        id: String::new(),
        arn: String::new(),
        resource_id: String::new(),
        created: crate::time::SimTime::default(),
        settings,
        fixed,
        replicas: Vec::new(),
        needs_reboot: false,
        forced: None,
        work: None,
        optimizing: None,
        storage_changed: None,
        deferred: None,
        backup: 0,
    }
}

/// Gives an instance its names: identifier, ARN, resource id, host.
fn name(on: &mut On<'_>, instance: &mut Instance, id: &str, properties: &Value) {
    id.clone_into(&mut instance.id);
    instance.arn = arn(on.scope, id);
    instance.resource_id = format!("db-{}{}", on.world.suffix(), on.world.suffix());
    instance.created = on.world.now();
    instance.fixed.template_version = text(properties, "EngineVersion");
    instance.fixed.tags = tags(properties);
    // The middle of the host name and the hosted zone are the same for all instances of an account in a region.
    let mut names =
        on.world.rng(&format!("rds names of {} in {}", on.scope.account, on.scope.region));
    let middle = names.text(b"abcdefghijklmnopqrstuvwxyz0123456789", 12);
    instance.fixed.hosted_zone =
        format!("Z{}", names.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 13));
    let domain =
        if on.scope.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    instance.fixed.address = format!("{id}.{middle}.{}.rds.{domain}", on.scope.region);
}

fn tags(properties: &Value) -> Vec<(String, String)> {
    let tags = properties.get("Tags").and_then(Value::as_array).into_iter().flatten();
    tags.filter_map(|tag| Some((text(tag, "Key")?, text(tag, "Value")?))).collect()
}

fn readable(instance: &Instance) -> BTreeMap<String, Value> {
    let (settings, fixed) = (&instance.settings, &instance.fixed);
    let storage = &settings.storage;
    let asked = fixed
        .template_version
        .as_ref()
        .filter(|asked| versions::matches_prefix(asked, &settings.version));
    let mut properties = BTreeMap::from([
        ("DBInstanceIdentifier", json!(instance.id)),
        ("DBInstanceClass", json!(settings.class)),
        ("Engine", json!(fixed.engine)),
        ("EngineVersion", json!(asked.unwrap_or(&settings.version))),
        // Text in the template, a number in the API.
        ("AllocatedStorage", json!(storage.gib.to_string())),
        ("StorageType", json!(storage.kind)),
        ("MultiAZ", json!(settings.multi_az)),
        ("MasterUsername", json!(fixed.master_username)),
        ("DBParameterGroupName", json!(settings.parameter_group)),
        ("BackupRetentionPeriod", json!(settings.backup_retention)),
        ("PreferredBackupWindow", json!(settings.backup_window)),
        ("PreferredMaintenanceWindow", json!(settings.maintenance_window)),
        ("AutoMinorVersionUpgrade", json!(settings.auto_minor_upgrade)),
        ("DeletionProtection", json!(settings.deletion_protection)),
        ("EnableIAMDatabaseAuthentication", json!(settings.iam_authentication)),
        ("CopyTagsToSnapshot", json!(settings.copy_tags)),
        ("PubliclyAccessible", json!(settings.publicly_accessible)),
        ("MonitoringInterval", json!(settings.monitoring_interval)),
        ("EnablePerformanceInsights", json!(settings.performance_insights)),
        ("StorageEncrypted", json!(fixed.encrypted)),
        ("Port", json!(fixed.port.to_string())),
        ("VPCSecurityGroups", json!(settings.security_groups)),
        ("CACertificateIdentifier", json!(settings.certificate)),
        ("EnableCloudwatchLogsExports", json!(settings.log_exports)),
    ]);
    let texts = [
        ("DBName", &fixed.db_name),
        ("DBSubnetGroupName", &fixed.subnet_group),
        ("KmsKeyId", &fixed.kms_key),
        ("SourceDBInstanceIdentifier", &fixed.source),
    ];
    properties
        .extend(texts.into_iter().filter_map(|(name, value)| Some((name, json!(value.as_ref()?)))));
    let numbers = [
        ("MaxAllocatedStorage", storage.max_gib),
        ("Iops", storage.iops),
        ("StorageThroughput", storage.throughput),
    ];
    properties.extend(numbers.into_iter().filter_map(|(name, value)| Some((name, json!(value?)))));
    properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
