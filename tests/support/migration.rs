//! A whole migration from Redis to Valkey with the Rust SDKs against the simulated AWS in process, as a plain client would do it.

#![expect(clippy::unwrap_used, reason = "a failed call fails the test or benchmark that runs this")]

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use aws_sdk_servicecatalog::types::{
    AccessLevelFilter, AccessLevelFilterKey, RecordStatus, UpdateProvisioningParameter,
};
use std::collections::BTreeSet;
use std::time::Duration;
use ted_sim::Sim;

/// What a migration ended in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Migrated {
    pub(crate) record: RecordStatus,
    pub(crate) stack: String,
    /// Engine and version of every node of every replication group.
    pub(crate) nodes: BTreeSet<(String, String)>,
    pub(crate) triggers: BTreeSet<String>,
    /// Events of the root's tree that tell of a failure.
    pub(crate) failed_events: Vec<String>,
}

/// SDK settings for `sim`: in process, signing with virtual time.
pub(crate) fn sdk(sim: &Sim) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-2"))
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
            Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "test"),
        ))
        .http_client(sim.http_client())
        .time_source(sim.time_source())
        .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(
            aws_smithy_async::rt::sleep::TokioSleep::new(),
        ))
        .build()
}

/// Finds `ted-einstein`, pauses its workers' triggers, updates it to v1.52.1 on Valkey 8.0, follows it to the end, resumes.
pub(crate) async fn migrate(sim: &Sim) -> Migrated {
    let config = sdk(sim);
    let catalog = aws_sdk_servicecatalog::Client::new(&config);
    let stacks = aws_sdk_cloudformation::Client::new(&config);
    let lambda = aws_sdk_lambda::Client::new(&config);
    let cache = aws_sdk_elasticache::Client::new(&config);

    let account =
        AccessLevelFilter::builder().key(AccessLevelFilterKey::Account).value("self").build();
    let found = catalog
        .search_provisioned_products()
        .access_level_filter(account)
        .filters(
            aws_sdk_servicecatalog::types::ProvisionedProductViewFilterBy::SearchQuery,
            vec!["name:ted-einstein".to_owned()],
        )
        .send()
        .await
        .unwrap();
    let product = found
        .provisioned_products()
        .iter()
        .find(|product| product.name() == Some("ted-einstein"))
        .unwrap();
    let (id, product_id, stack_id) =
        (product.id().unwrap(), product.product_id().unwrap(), product.physical_id().unwrap());

    let versions =
        catalog.list_provisioning_artifacts().product_id(product_id).send().await.unwrap();
    let artifact = versions
        .provisioning_artifact_details()
        .iter()
        .find(|version| version.name() == Some("v1.52.1"))
        .unwrap()
        .id()
        .unwrap()
        .to_owned();
    let paths = catalog.list_launch_paths().product_id(product_id).send().await.unwrap();
    let path = paths.launch_path_summaries()[0].id().unwrap().to_owned();
    let target = catalog
        .describe_provisioning_parameters()
        .product_id(product_id)
        .provisioning_artifact_id(&artifact)
        .path_id(&path)
        .send()
        .await
        .unwrap();
    let running = stacks.describe_stacks().stack_name(stack_id).send().await.unwrap();
    let present: BTreeSet<&str> = running.stacks()[0]
        .parameters()
        .iter()
        .filter_map(|parameter| parameter.parameter_key())
        .collect();
    let parameters = target.provisioning_artifact_parameters().iter().filter_map(|parameter| {
        let key = parameter.parameter_key()?;
        let builder = UpdateProvisioningParameter::builder().key(key);
        match key {
            "ElastiCacheEngine" => Some(builder.value("valkey").build()),
            "ValkeyCacheVersion" => Some(builder.value("8.0").build()),
            key if present.contains(key) => Some(builder.use_previous_value(true).build()),
            _ => None,
        }
    });
    let parameters: Vec<_> = parameters.collect();

    let paused = workers(&lambda).await;
    for trigger in &paused {
        lambda
            .update_event_source_mapping()
            .uuid(trigger.uuid().unwrap())
            .enabled(false)
            .send()
            .await
            .unwrap();
    }
    wait_for(&lambda, &paused, "Disabled").await;

    let update = catalog
        .update_provisioned_product()
        .provisioned_product_id(id)
        .product_id(product_id)
        .provisioning_artifact_id(&artifact)
        .path_id(&path)
        .set_provisioning_parameters(Some(parameters))
        .update_token("migration-1")
        .send()
        .await
        .unwrap();
    let record_id = update.record_detail().unwrap().record_id().unwrap().to_owned();
    let record = loop {
        let record = catalog.describe_record().id(&record_id).send().await.unwrap();
        let status = record.record_detail().unwrap().status().unwrap().clone();
        if matches!(status, RecordStatus::Succeeded | RecordStatus::Failed) {
            break status;
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
    };

    for trigger in &paused {
        lambda
            .update_event_source_mapping()
            .uuid(trigger.uuid().unwrap())
            .enabled(true)
            .send()
            .await
            .unwrap();
    }
    wait_for(&lambda, &paused, "Enabled").await;
    let stack = stacks.describe_stacks().stack_name(stack_id).send().await.unwrap().stacks()[0]
        .stack_status()
        .unwrap()
        .as_str()
        .to_owned();
    let nodes = cache.describe_cache_clusters().send().await.unwrap();
    let nodes = nodes
        .cache_clusters()
        .iter()
        .map(|node| {
            (
                node.engine().unwrap_or_default().to_owned(),
                node.engine_version().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    let triggers = workers(&lambda)
        .await
        .iter()
        .filter_map(|trigger| trigger.state().map(str::to_owned))
        .collect();
    let failed_events = failures(&stacks, stack_id).await;
    Migrated { record, stack, nodes, triggers, failed_events }
}

/// The failed events of the operation that ran last on a stack, in all its nested stacks.
async fn failures(stacks: &aws_sdk_cloudformation::Client, stack_id: &str) -> Vec<String> {
    let stack = stacks.describe_stacks().stack_name(stack_id).send().await.unwrap();
    let operation = stack.stacks()[0].last_operations()[0].operation_id().unwrap().to_owned();
    let filters = aws_sdk_cloudformation::types::EventFilter::builder().failed_events(true).build();
    let events =
        stacks.describe_events().operation_id(operation).filters(filters).send().await.unwrap();
    events
        .operation_events()
        .iter()
        .map(|event| {
            format!("{:?} {:?}", event.logical_resource_id(), event.resource_status_reason())
        })
        .collect()
}

/// The triggers of the worker functions.
async fn workers(lambda: &aws_sdk_lambda::Client) -> Vec<EventSourceMappingConfiguration> {
    let mut found = Vec::new();
    let mut marker = None;
    loop {
        let page = lambda.list_event_source_mappings().set_marker(marker).send().await.unwrap();
        let worker = |name: &str| {
            name.starts_with("turbot_5_")
                && (name.ends_with("_worker")
                    || name.ends_with("_worker_priority")
                    || name.ends_with("_worker_retry"))
        };
        let of_worker = |mapping: &&EventSourceMappingConfiguration| {
            mapping.function_arn().and_then(|arn| arn.rsplit(':').next()).is_some_and(worker)
        };
        found.extend(page.event_source_mappings().iter().filter(of_worker).cloned());
        marker = page.next_marker().filter(|marker| !marker.is_empty()).map(str::to_owned);
        if marker.is_none() {
            return found;
        }
    }
}

async fn wait_for(
    lambda: &aws_sdk_lambda::Client,
    triggers: &[EventSourceMappingConfiguration],
    state: &str,
) {
    for trigger in triggers {
        while lambda
            .get_event_source_mapping()
            .uuid(trigger.uuid().unwrap())
            .send()
            .await
            .unwrap()
            .state()
            != Some(state)
        {
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }
}
