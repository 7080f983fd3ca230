//! `ModifyDBInstance`, for changes that nobody's stack makes.

use super::change::{self, Change, not_found};
use super::describe::db_instance;
use super::storage::Ask;
use super::work;
use crate::error::ApiError;
use crate::node::Map;
use crate::services::Call;
use crate::spec::{INT, Member, Operation, Shape, TEXT, list, opt, pattern, req};

const fn named(item: &'static Shape, name: &'static str) -> Shape {
    Shape::List { item, name, max: usize::MAX }
}

const PROCESSOR_FEATURE: &[Member] = &[opt("Name", TEXT), opt("Value", TEXT)];
const VOLUME: &[Member] = &[
    req("VolumeName", TEXT),
    opt("AllocatedStorage", INT),
    opt("IOPS", INT),
    opt("MaxAllocatedStorage", INT),
    opt("StorageThroughput", INT),
    opt("StorageType", TEXT),
    opt("SetForDelete", Shape::Bool),
];
const TAGS: &[Member] = &[
    opt("ResourceType", TEXT),
    opt("Tags", named(&Shape::Struct(&[opt("Key", TEXT), opt("Value", TEXT)]), "Tag")),
];

/// Members of the request that would change what is not modelled here: refused, so that nobody believes they worked.
const NOT_MODELLED: [&str; 14] = [
    "NewDBInstanceIdentifier",
    "DBSubnetGroupName",
    "DBSecurityGroups",
    "DBPortNumber",
    "Domain",
    "ReplicaMode",
    "AutomationMode",
    "ManageMasterUserPassword",
    "RotateMasterUserPassword",
    "MultiTenant",
    "DedicatedLogVolume",
    "Engine",
    "AdditionalStorageVolumes",
    "NetworkType",
];

pub(super) const MODIFY: Operation = Operation::write(
    "ModifyDBInstance",
    &[
        req("DBInstanceIdentifier", TEXT),
        opt("AllocatedStorage", INT),
        opt("DBInstanceClass", TEXT),
        opt("DBSubnetGroupName", TEXT),
        opt("DBSecurityGroups", named(&TEXT, "DBSecurityGroupName")),
        opt("VpcSecurityGroupIds", named(&TEXT, "VpcSecurityGroupId")),
        opt("ApplyImmediately", Shape::Bool),
        opt("MasterUserPassword", TEXT),
        opt("DBParameterGroupName", TEXT),
        opt("BackupRetentionPeriod", INT),
        opt("PreferredBackupWindow", TEXT),
        opt("PreferredMaintenanceWindow", TEXT),
        opt("MultiAZ", Shape::Bool),
        opt("EngineVersion", TEXT),
        opt("AllowMajorVersionUpgrade", Shape::Bool),
        opt("AutoMinorVersionUpgrade", Shape::Bool),
        opt("LicenseModel", TEXT),
        opt("Iops", INT),
        opt("StorageThroughput", INT),
        opt("OptionGroupName", TEXT),
        opt("NewDBInstanceIdentifier", TEXT),
        opt("StorageType", TEXT),
        opt("TdeCredentialArn", TEXT),
        opt("TdeCredentialPassword", TEXT),
        opt("CACertificateIdentifier", TEXT),
        opt("Domain", TEXT),
        opt("DomainFqdn", TEXT),
        opt("DomainOu", TEXT),
        opt("DomainAuthSecretArn", TEXT),
        opt("DomainDnsIps", list(&TEXT)),
        opt("DisableDomain", Shape::Bool),
        opt("CopyTagsToSnapshot", Shape::Bool),
        opt("MonitoringInterval", INT),
        opt("DBPortNumber", INT),
        opt("PubliclyAccessible", Shape::Bool),
        opt("MonitoringRoleArn", TEXT),
        opt("DomainIAMRoleName", TEXT),
        opt("PromotionTier", INT),
        opt("EnableIAMDatabaseAuthentication", Shape::Bool),
        opt("DatabaseInsightsMode", Shape::Enum(&["standard", "advanced"])),
        opt("EnablePerformanceInsights", Shape::Bool),
        opt("PerformanceInsightsKMSKeyId", TEXT),
        opt("PerformanceInsightsRetentionPeriod", INT),
        opt(
            "CloudwatchLogsExportConfiguration",
            Shape::Struct(&[
                opt("EnableLogTypes", list(&TEXT)),
                opt("DisableLogTypes", list(&TEXT)),
            ]),
        ),
        opt("ProcessorFeatures", named(&Shape::Struct(PROCESSOR_FEATURE), "ProcessorFeature")),
        opt("UseDefaultProcessorFeatures", Shape::Bool),
        opt("DeletionProtection", Shape::Bool),
        opt("MaxAllocatedStorage", INT),
        opt("CertificateRotationRestart", Shape::Bool),
        opt("ReplicaMode", Shape::Enum(&["open-read-only", "mounted"])),
        opt("AutomationMode", Shape::Enum(&["full", "all-paused"])),
        opt("ResumeFullAutomationModeMinutes", INT),
        opt("EnableCustomerOwnedIp", Shape::Bool),
        opt("NetworkType", TEXT),
        opt(
            "AwsBackupRecoveryPointArn",
            pattern(
                43,
                350,
                "arn:aws[a-z-]*:backup:[-a-z0-9]+:[0-9]{12}:[-a-z]+:([a-z0-9\\-]+:)?[a-z][a-z0-9\\-]{0,255}",
            ),
        ),
        opt("ManageMasterUserPassword", Shape::Bool),
        opt("RotateMasterUserPassword", Shape::Bool),
        opt("MasterUserSecretKmsKeyId", TEXT),
        opt("MultiTenant", Shape::Bool),
        opt("DedicatedLogVolume", Shape::Bool),
        opt("Engine", TEXT),
        opt("AdditionalStorageVolumes", list(&Shape::Struct(VOLUME))),
        opt("DBCapacityReservationIdentifier", pattern(1, 63, "[a-z](?:-?[a-z0-9]+){0,15}")),
        opt("TagSpecifications", named(&Shape::Struct(TAGS), "item")),
        opt("MasterUserAuthenticationType", Shape::Enum(&["password", "iam-db-auth"])),
        opt("EngineLifecycleSupport", TEXT),
    ],
    modify,
);

fn modify(call: &mut Call<'_>) -> Result<Map, ApiError> {
    if let Some(name) = NOT_MODELLED.into_iter().find(|name| call.input.has(name)) {
        return Err(ApiError::new("InvalidParameterValue", format!("{name} is not simulated.")));
    }
    let asked = call.input.need("DBInstanceIdentifier").to_owned();
    let instance = call.region().rds.instance(&asked).ok_or_else(|| not_found(&asked))?;
    let id = instance.id.clone();
    let target = change::check(
        &call.world.options,
        instance,
        &change_of(call, &instance.settings.log_exports),
        call.now(),
    )?;
    let immediately = call.input.bool("ApplyImmediately").unwrap_or(false);
    work::begin(call.world, &call.scope, &id, target, immediately, false);
    let state = &call.region().rds;
    let instance = state.instance(&id).ok_or_else(|| not_found(&id))?;
    Ok(Map::new().with("DBInstance", db_instance(state, instance, call.now())))
}

fn change_of(call: &Call<'_>, exported: &[String]) -> Change {
    let input = &call.input;
    let text = |name: &str| input.text(name).map(str::to_owned);
    let exports = input.inner("CloudwatchLogsExportConfiguration").map(|change| {
        let stopped = change.texts("DisableLogTypes");
        let mut exports: Vec<String> =
            exported.iter().filter(|kind| !stopped.contains(kind)).cloned().collect();
        exports.extend(
            change.texts("EnableLogTypes").into_iter().filter(|kind| !exported.contains(kind)),
        );
        exports
    });
    Change {
        class: text("DBInstanceClass"),
        storage: Ask {
            gib: input.int("AllocatedStorage"),
            kind: text("StorageType"),
            iops: input.int("Iops"),
            throughput: input.int("StorageThroughput"),
            max_gib: input.int("MaxAllocatedStorage"),
        },
        version: text("EngineVersion"),
        allow_major_upgrade: input.bool("AllowMajorVersionUpgrade").unwrap_or(false),
        multi_az: input.bool("MultiAZ"),
        parameter_group: text("DBParameterGroupName"),
        password: text("MasterUserPassword"),
        backup_retention: input.int("BackupRetentionPeriod"),
        backup_window: text("PreferredBackupWindow"),
        maintenance_window: text("PreferredMaintenanceWindow"),
        auto_minor_upgrade: input.bool("AutoMinorVersionUpgrade"),
        deletion_protection: input.bool("DeletionProtection"),
        iam_authentication: input.bool("EnableIAMDatabaseAuthentication"),
        copy_tags: input.bool("CopyTagsToSnapshot"),
        publicly_accessible: input.bool("PubliclyAccessible"),
        monitoring_interval: input.int("MonitoringInterval"),
        monitoring_role: text("MonitoringRoleArn"),
        performance_insights: input.bool("EnablePerformanceInsights"),
        log_exports: exports,
        security_groups: input
            .has("VpcSecurityGroupIds")
            .then(|| input.texts("VpcSecurityGroupIds")),
        certificate: text("CACertificateIdentifier"),
    }
}
