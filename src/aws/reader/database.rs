//! RDS.

use super::Reader;
use crate::aws::call::all_pages;
use crate::aws::convert::time;
use crate::aws::errors::{Error, absent_if_not_found};
use crate::aws::table::Op;
use crate::aws::types::{DbInstance, DbPending, DbStorage, ServiceEvent};
use crate::text::sanitize;
use aws_sdk_rds::types;

impl Reader {
    /// One database instance, by identifier or ARN.
    ///
    /// # Errors
    /// The request failed.
    pub async fn db_instance(&self, id_or_arn: &str) -> Result<Option<DbInstance>, Error> {
        let answer = self
            .caller
            .read(Op::DescribeDbInstances, || {
                self.clients.rds.describe_db_instances().db_instance_identifier(id_or_arn).send()
            })
            .await;
        let instances = absent_if_not_found(answer)?.and_then(|answer| answer.db_instances);
        Ok(instances.unwrap_or_default().into_iter().next().map(db_instance))
    }

    /// All database instances of the region.
    ///
    /// # Errors
    /// The request failed.
    pub async fn db_instances(&self) -> Result<Vec<DbInstance>, Error> {
        let instances = all_pages(Op::DescribeDbInstances, |marker| async move {
            let send =
                || self.clients.rds.describe_db_instances().set_marker(marker.clone()).send();
            let page = self.caller.read(Op::DescribeDbInstances, send).await?;
            Ok((page.db_instances.unwrap_or_default(), page.marker))
        });
        Ok(instances.await?.into_iter().map(db_instance).collect())
    }

    /// What happened to a database instance in the last minutes; AWS keeps 14 days (20,160 minutes).
    ///
    /// # Errors
    /// The request failed.
    pub async fn db_events(&self, id: &str, minutes: u16) -> Result<Vec<ServiceEvent>, Error> {
        let events = all_pages(Op::DescribeDbEvents, |marker| async move {
            let send = || {
                let call =
                    self.clients.rds.describe_events().source_type(types::SourceType::DbInstance);
                let call = call.source_identifier(id).duration(i32::from(minutes));
                call.set_marker(marker.clone()).send()
            };
            let page = self.caller.read(Op::DescribeDbEvents, send).await?;
            Ok((page.events.unwrap_or_default(), page.marker))
        });
        let events = events.await?.into_iter().map(|event| ServiceEvent {
            at: time(event.date),
            source: event.source_identifier,
            message: sanitize(&event.message.unwrap_or_default()),
            categories: event.event_categories.unwrap_or_default(),
        });
        Ok(events.collect())
    }
}

fn db_instance(instance: types::DbInstance) -> DbInstance {
    DbInstance {
        id: instance.db_instance_identifier.unwrap_or_default(),
        arn: instance.db_instance_arn,
        resource_id: instance.dbi_resource_id,
        status: instance.db_instance_status,
        engine: instance.engine,
        engine_version: instance.engine_version,
        class: instance.db_instance_class,
        storage: DbStorage {
            allocated_gib: instance.allocated_storage,
            max_allocated_gib: instance.max_allocated_storage,
            kind: instance.storage_type,
            iops: instance.iops,
            throughput_mib_s: instance.storage_throughput,
        },
        multi_az: instance.multi_az,
        pending: instance
            .pending_modified_values
            .map(pending)
            .filter(|pending| !pending.is_empty()),
        percent_progress: instance.percent_progress,
        replicas: instance.read_replica_db_instance_identifiers.unwrap_or_default(),
        replica_source: instance.read_replica_source_db_instance_identifier,
        backup_window: instance.preferred_backup_window,
        backup_retention_days: instance.backup_retention_period,
        maintenance_window: instance.preferred_maintenance_window,
        auto_minor_upgrade: instance.auto_minor_version_upgrade,
        created_at: time(instance.instance_create_time),
    }
}

fn pending(pending: types::PendingModifiedValues) -> DbPending {
    DbPending {
        storage: DbStorage {
            allocated_gib: pending.allocated_storage,
            max_allocated_gib: None,
            kind: pending.storage_type,
            iops: pending.iops,
            throughput_mib_s: pending.storage_throughput,
        },
        class: pending.db_instance_class,
        engine_version: pending.engine_version,
        multi_az: pending.multi_az,
    }
}
