//! ElastiCache.

use super::Reader;
use crate::aws::call::all_pages;
use crate::aws::convert::{time, word};
use crate::aws::errors::{Error, absent_if_not_found};
use crate::aws::table::Op;
use crate::aws::types::{
    CacheCluster, CacheEngineVersion, NodeGroup, NodeGroupMember, ReplicationGroup, ServiceEvent,
    UserGroup,
};
use crate::text::sanitize;
use aws_sdk_elasticache::types;

/// Whose events to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheEventSource {
    /// Of a replication group.
    ReplicationGroup,
    /// Of a cache node.
    CacheCluster,
}

impl Reader {
    /// One replication group.
    ///
    /// # Errors
    /// The request failed.
    pub async fn replication_group(&self, id: &str) -> Result<Option<ReplicationGroup>, Error> {
        let answer = self
            .caller
            .read(Op::DescribeReplicationGroups, || {
                self.clients
                    .elasticache
                    .describe_replication_groups()
                    .replication_group_id(id)
                    .send()
            })
            .await;
        let groups = absent_if_not_found(answer)?.and_then(|answer| answer.replication_groups);
        Ok(groups.unwrap_or_default().into_iter().next().map(replication_group))
    }

    /// All replication groups of the region.
    ///
    /// # Errors
    /// The request failed.
    pub async fn replication_groups(&self) -> Result<Vec<ReplicationGroup>, Error> {
        let groups = all_pages(Op::DescribeReplicationGroups, |marker| async move {
            let send = || {
                self.clients
                    .elasticache
                    .describe_replication_groups()
                    .set_marker(marker.clone())
                    .send()
            };
            let page = self.caller.read(Op::DescribeReplicationGroups, send).await?;
            Ok((page.replication_groups.unwrap_or_default(), page.marker))
        });
        Ok(groups.await?.into_iter().map(replication_group).collect())
    }

    /// One cache node.
    ///
    /// # Errors
    /// The request failed.
    pub async fn cache_cluster(&self, id: &str) -> Result<Option<CacheCluster>, Error> {
        let answer = self
            .caller
            .read(Op::DescribeCacheClusters, || {
                self.clients.elasticache.describe_cache_clusters().cache_cluster_id(id).send()
            })
            .await;
        let clusters = absent_if_not_found(answer)?.and_then(|answer| answer.cache_clusters);
        Ok(clusters.unwrap_or_default().into_iter().next().map(cache_cluster))
    }

    /// All cache nodes of the region: one call for many groups, where [`Reader::cache_cluster`] is one a node.
    ///
    /// # Errors
    /// The request failed.
    pub async fn cache_clusters(&self) -> Result<Vec<CacheCluster>, Error> {
        let clusters = all_pages(Op::DescribeCacheClusters, |marker| async move {
            let send = || {
                self.clients.elasticache.describe_cache_clusters().set_marker(marker.clone()).send()
            };
            let page = self.caller.read(Op::DescribeCacheClusters, send).await?;
            Ok((page.cache_clusters.unwrap_or_default(), page.marker))
        });
        Ok(clusters.await?.into_iter().map(cache_cluster).collect())
    }

    /// One user group.
    ///
    /// # Errors
    /// The request failed.
    pub async fn user_group(&self, id: &str) -> Result<Option<UserGroup>, Error> {
        let answer = self
            .caller
            .read(Op::DescribeUserGroups, || {
                self.clients.elasticache.describe_user_groups().user_group_id(id).send()
            })
            .await;
        let groups = absent_if_not_found(answer)?.and_then(|answer| answer.user_groups);
        Ok(groups.unwrap_or_default().into_iter().next().map(user_group))
    }

    /// The versions of an engine that ElastiCache offers.
    ///
    /// # Errors
    /// The request failed.
    pub async fn cache_engine_versions(
        &self,
        engine: &str,
    ) -> Result<Vec<CacheEngineVersion>, Error> {
        let versions = all_pages(Op::DescribeCacheEngineVersions, |marker| async move {
            let send = || {
                let call = self.clients.elasticache.describe_cache_engine_versions().engine(engine);
                call.set_marker(marker.clone()).send()
            };
            let page = self.caller.read(Op::DescribeCacheEngineVersions, send).await?;
            Ok((page.cache_engine_versions.unwrap_or_default(), page.marker))
        });
        let versions = versions.await?.into_iter().map(|version| CacheEngineVersion {
            engine: version.engine.unwrap_or_default(),
            version: version.engine_version.unwrap_or_default(),
            parameter_group_family: version.cache_parameter_group_family,
        });
        Ok(versions.collect())
    }

    /// What happened to a cache in the last minutes; AWS keeps 14 days (20,160 minutes).
    ///
    /// # Errors
    /// The request failed.
    pub async fn cache_events(
        &self,
        source: CacheEventSource,
        id: &str,
        minutes: u16,
    ) -> Result<Vec<ServiceEvent>, Error> {
        let kind = match source {
            CacheEventSource::ReplicationGroup => types::SourceType::ReplicationGroup,
            CacheEventSource::CacheCluster => types::SourceType::CacheCluster,
        };
        let events = all_pages(Op::DescribeCacheEvents, |marker| {
            let kind = kind.clone();
            async move {
                let send = || {
                    let call = self.clients.elasticache.describe_events().source_type(kind.clone());
                    let call = call.source_identifier(id).duration(i32::from(minutes));
                    call.set_marker(marker.clone()).send()
                };
                let page = self.caller.read(Op::DescribeCacheEvents, send).await?;
                Ok((page.events.unwrap_or_default(), page.marker))
            }
        });
        let events = events.await?.into_iter().map(|event| ServiceEvent {
            at: time(event.date),
            source: event.source_identifier,
            message: sanitize(&event.message.unwrap_or_default()),
            categories: Vec::new(),
        });
        Ok(events.collect())
    }
}

fn replication_group(group: types::ReplicationGroup) -> ReplicationGroup {
    ReplicationGroup {
        id: group.replication_group_id.unwrap_or_default(),
        arn: group.arn,
        description: crate::aws::convert::prose(group.description),
        status: group.status,
        engine: group.engine,
        members: group.member_clusters.unwrap_or_default(),
        node_groups: group.node_groups.unwrap_or_default().into_iter().map(node_group).collect(),
        node_type: group.cache_node_type,
        cluster_enabled: group.cluster_enabled,
        automatic_failover: word(group.automatic_failover),
        multi_az: word(group.multi_az),
        transit_encryption: group.transit_encryption_enabled,
        transit_encryption_mode: word(group.transit_encryption_mode),
        at_rest_encryption: group.at_rest_encryption_enabled,
        auth_token: group.auth_token_enabled,
        user_group_ids: group.user_group_ids.unwrap_or_default(),
        global_datastore: group
            .global_replication_group_info
            .and_then(|info| info.global_replication_group_id),
        snapshot_window: group.snapshot_window,
        snapshot_retention: group.snapshot_retention_limit,
        pending: group.pending_modified_values.as_ref().map(pending_names).unwrap_or_default(),
        created_at: time(group.replication_group_create_time),
    }
}

/// Which members of the pending values are set, in alphabetical order.
fn pending_names(pending: &types::ReplicationGroupPendingModifiedValues) -> Vec<String> {
    let names = [
        ("AuthTokenStatus", pending.auth_token_status.is_some()),
        ("AutomaticFailoverStatus", pending.automatic_failover_status.is_some()),
        ("ClusterMode", pending.cluster_mode.is_some()),
        (
            "LogDeliveryConfigurations",
            pending.log_delivery_configurations.as_ref().is_some_and(|list| !list.is_empty()),
        ),
        ("PrimaryClusterId", pending.primary_cluster_id.is_some()),
        ("Resharding", pending.resharding.is_some()),
        ("TransitEncryptionEnabled", pending.transit_encryption_enabled.is_some()),
        ("TransitEncryptionMode", pending.transit_encryption_mode.is_some()),
        ("UserGroups", pending.user_groups.is_some()),
    ];
    names.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name.to_owned()).collect()
}

fn node_group(group: types::NodeGroup) -> NodeGroup {
    let members =
        group.node_group_members.unwrap_or_default().into_iter().map(|member| NodeGroupMember {
            cluster_id: member.cache_cluster_id,
            role: member.current_role,
            availability_zone: member.preferred_availability_zone,
        });
    NodeGroup {
        id: group.node_group_id,
        status: group.status,
        primary_endpoint: group.primary_endpoint.and_then(|endpoint| endpoint.address),
        members: members.collect(),
    }
}

fn cache_cluster(cluster: types::CacheCluster) -> CacheCluster {
    let (parameter_group, parameter_apply_status) = cluster
        .cache_parameter_group
        .map(|group| (group.cache_parameter_group_name, group.parameter_apply_status))
        .unwrap_or_default();
    let (pending_engine_version, pending_node_type) = cluster
        .pending_modified_values
        .map(|pending| (pending.engine_version, pending.cache_node_type))
        .unwrap_or_default();
    CacheCluster {
        id: cluster.cache_cluster_id.unwrap_or_default(),
        arn: cluster.arn,
        replication_group_id: cluster.replication_group_id,
        status: cluster.cache_cluster_status,
        engine: cluster.engine,
        engine_version: cluster.engine_version,
        node_type: cluster.cache_node_type,
        parameter_group,
        parameter_apply_status,
        pending_engine_version,
        pending_node_type,
        maintenance_window: cluster.preferred_maintenance_window,
        snapshot_window: cluster.snapshot_window,
        availability_zone: cluster.preferred_availability_zone,
        created_at: time(cluster.cache_cluster_create_time),
    }
}

fn user_group(group: types::UserGroup) -> UserGroup {
    UserGroup {
        id: group.user_group_id.unwrap_or_default(),
        status: group.status,
        engine: group.engine,
        user_ids: group.user_ids.unwrap_or_default(),
        replication_groups: group.replication_groups.unwrap_or_default(),
    }
}
