//! Somebody else at work in the same account: at the consoles of ElastiCache and Lambda.

#![expect(
    clippy::disallowed_methods,
    reason = "an operator changes things; that this is not ours to do is what these tests show"
)]

use crate::harness::{OPERATOR, RUNTIME, World};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_elasticache::operation::modify_replication_group::builders::ModifyReplicationGroupFluentBuilder;

fn sdk(world: &World) -> SdkConfig {
    let credentials = Credentials::new(OPERATOR, "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-2"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(world.sim.http_client())
        .time_source(world.sim.time_source())
        .build()
}

/// Changes the cache of the first TED, and waits until that is done.
pub(crate) fn change_cache(
    world: &World,
    change: fn(ModifyReplicationGroupFluentBuilder) -> ModifyReplicationGroupFluentBuilder,
) {
    let client = aws_sdk_elasticache::Client::new(&sdk(world));
    let call = client.modify_replication_group().apply_immediately(true);
    let call = change(call.replication_group_id("turbot-einstein-cache-cluster"));
    RUNTIME.block_on(call.send()).unwrap();
    world.later(2);
}

/// Puts a tag on every trigger of a function.
pub(crate) fn tag_triggers(world: &World, function: &str, key: &str, value: &str) {
    let client = aws_sdk_lambda::Client::new(&sdk(world));
    RUNTIME.block_on(async {
        let found = client.list_event_source_mappings().function_name(function).send().await;
        for mapping in found.unwrap().event_source_mappings.unwrap() {
            let arn = mapping.event_source_mapping_arn.unwrap();
            client.tag_resource().resource(arn).tags(key, value).send().await.unwrap();
        }
    });
}
