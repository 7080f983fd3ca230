//! Changes of an instance: what was asked, whether RDS takes it, and the settings it leads to. Nothing happens here.

use super::storage::{Ask, Storage, cooling_down};
use super::{Instance, Settings, storage, versions};
use crate::error::ApiError;
use crate::options::{Options, ShortPassword};
use crate::services::secret::Secret;
use crate::services::window::Window;
use crate::time::SimTime;

/// What a request asks for; what is absent stays.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    pub(super) class: Option<String>,
    pub(super) storage: Ask,
    pub(super) version: Option<String>,
    pub(super) allow_major_upgrade: bool,
    pub(super) multi_az: Option<bool>,
    pub(super) parameter_group: Option<String>,
    pub(super) password: Option<String>,
    pub(super) backup_retention: Option<i64>,
    pub(super) backup_window: Option<String>,
    pub(super) maintenance_window: Option<String>,
    pub(super) auto_minor_upgrade: Option<bool>,
    pub(super) deletion_protection: Option<bool>,
    pub(super) iam_authentication: Option<bool>,
    pub(super) copy_tags: Option<bool>,
    pub(super) publicly_accessible: Option<bool>,
    pub(super) monitoring_interval: Option<i64>,
    pub(super) monitoring_role: Option<String>,
    pub(super) performance_insights: Option<bool>,
    pub(super) log_exports: Option<Vec<String>>,
    pub(super) security_groups: Option<Vec<String>>,
    pub(super) certificate: Option<String>,
}

/// The error for an instance that is not there.
pub(super) fn not_found(id: &str) -> ApiError {
    ApiError::new("DBInstanceNotFound", format!("DBInstance {id} not found.")).with_status(404)
}

/// The error for an instance in a status that takes no change (met in the field).
pub(super) fn not_available() -> ApiError {
    ApiError::new("InvalidDBInstanceState", "Database instance is not in available state.")
}

/// How an instance takes changes in its present status (RDS user guide, "Viewing DB instance status").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taking {
    All,
    /// Its storage is being optimized: another change of storage is refused, others by `Options::optimizing_takes_other_changes`.
    NoStorage,
    /// It is full: only more storage helps.
    MoreStorage,
    Nothing,
}

fn taking(instance: &Instance) -> Taking {
    match instance.status() {
        "available" => Taking::All,
        "storage-optimization" | "storage-initialization" => Taking::NoStorage,
        "storage-full" => Taking::MoreStorage,
        _ => Taking::Nothing,
    }
}

/// The settings that `change` leads to.
///
/// # Errors
/// As `ModifyDBInstance` refuses it: `InvalidDBInstanceState`, `InvalidParameterCombination`, `InvalidParameterValue`.
pub(super) fn check(
    options: &Options,
    instance: &Instance,
    change: &Change,
    now: SimTime,
) -> Result<Settings, ApiError> {
    let taking = taking(instance);
    if taking == Taking::Nothing {
        return Err(not_available());
    }
    let old = instance.deferred.as_ref().map_or(&instance.settings, |(settings, _)| settings);
    let storage = old.storage.next(
        &instance.fixed.engine,
        &change.storage,
        options.small_storage_increase,
    )?;
    let version = match &change.version {
        Some(asked) => versions::upgrade(&old.version, asked, change.allow_major_upgrade)?,
        None => old.version.clone(),
    };
    let new = apply(options, old, change, storage, version)?;
    let stored = instance.settings.storage.is_changed_by(&new.storage);
    let others =
        Settings { storage: instance.settings.storage.clone(), ..new.clone() } != instance.settings;
    match taking {
        Taking::NoStorage if stored => Err(cool_down(instance, now)),
        Taking::NoStorage if others && !options.optimizing_takes_other_changes => {
            Err(not_available())
        }
        Taking::MoreStorage if others || new.storage.gib <= instance.settings.storage.gib => {
            Err(not_available())
        }
        Taking::All if stored => cooling_down(instance.cools_until(), now).map_or(Ok(new), Err),
        _ => Ok(new),
    }
}

/// The refusal while optimization runs; an instance that a scenario put there knows no end and gets the whole cool-down.
fn cool_down(instance: &Instance, now: SimTime) -> ApiError {
    cooling_down(instance.cools_until(), now)
        .or_else(|| cooling_down(now + storage::COOL_DOWN, now))
        .unwrap_or_else(not_available)
}

fn apply(
    options: &Options,
    old: &Settings,
    change: &Change,
    storage: Storage,
    version: String,
) -> Result<Settings, ApiError> {
    let text = |given: &Option<String>, old: &String| given.clone().unwrap_or_else(|| old.clone());
    let new = Settings {
        class: text(&change.class, &old.class),
        storage,
        version,
        multi_az: change.multi_az.unwrap_or(old.multi_az),
        parameter_group: text(&change.parameter_group, &old.parameter_group),
        password: change.password.as_ref().map(Secret::new).or_else(|| old.password.clone()),
        backup_retention: change.backup_retention.unwrap_or(old.backup_retention),
        backup_window: text(&change.backup_window, &old.backup_window),
        maintenance_window: text(&change.maintenance_window, &old.maintenance_window),
        auto_minor_upgrade: change.auto_minor_upgrade.unwrap_or(old.auto_minor_upgrade),
        deletion_protection: change.deletion_protection.unwrap_or(old.deletion_protection),
        iam_authentication: change.iam_authentication.unwrap_or(old.iam_authentication),
        copy_tags: change.copy_tags.unwrap_or(old.copy_tags),
        publicly_accessible: change.publicly_accessible.unwrap_or(old.publicly_accessible),
        monitoring_interval: change.monitoring_interval.unwrap_or(old.monitoring_interval),
        monitoring_role: change.monitoring_role.clone().or_else(|| old.monitoring_role.clone()),
        performance_insights: change.performance_insights.unwrap_or(old.performance_insights),
        log_exports: change.log_exports.clone().unwrap_or_else(|| old.log_exports.clone()),
        security_groups: change
            .security_groups
            .clone()
            .unwrap_or_else(|| old.security_groups.clone()),
        certificate: text(&change.certificate, &old.certificate),
    };
    valid(options, &new)?;
    Ok(new)
}

/// Whether settings are possible by themselves; for new instances too.
///
/// # Errors
/// `InvalidParameterValue` as RDS words it.
pub(super) fn valid(options: &Options, settings: &Settings) -> Result<(), ApiError> {
    let invalid = |message: String| Err(ApiError::new("InvalidParameterValue", message));
    if !crate::spec::matches("db\\.[a-z0-9]+\\.[a-z0-9]+", &settings.class) {
        return invalid(format!("Invalid DB Instance class: {}", settings.class));
    }
    if !(0..=35).contains(&settings.backup_retention) {
        return invalid(format!(
            "Invalid backup retention period: {}. Must be between 0 and 35 days",
            settings.backup_retention
        ));
    }
    if Window::daily(&settings.backup_window).is_none() {
        return invalid(format!("Invalid backup window format: {}", settings.backup_window));
    }
    if Window::weekly(&settings.maintenance_window).is_none() {
        return invalid(format!(
            "Invalid maintenance window format: {}",
            settings.maintenance_window
        ));
    }
    settings.password.as_ref().map_or(Ok(()), |password| acceptable(options, password))
}

/// AWS docs: `ModifyDBInstance`, `MasterUserPassword`: 8 to 128 printable characters except `/`, `"`, `@` and blanks.
fn acceptable(options: &Options, password: &Secret) -> Result<(), ApiError> {
    let invalid = |why: &str| {
        Err(ApiError::new(
            "InvalidParameterValue",
            format!("The parameter MasterUserPassword is not a valid password{why}"),
        ))
    };
    if password.length() < 8 && options.short_password == ShortPassword::Refused {
        return invalid(" because it is shorter than 8 characters.");
    }
    if password.length() > 128 {
        return invalid(" because it is longer than 128 characters.");
    }
    if password.is_printable_without("/\"@") {
        Ok(())
    } else {
        invalid(". Only printable ASCII characters besides '/', '@', '\"', ' ' may be used.")
    }
}
