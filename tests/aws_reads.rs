//! The reader against the simulated AWS in process, on the default installation: what one look at a TED reads.

#![cfg(feature = "demo")]

use aws_credential_types::Credentials;
use ted_controller::aws::reader::{CacheEventSource, OperationEventsOf, ProductRef, ProductSearch};
use ted_controller::aws::session::InProcess;
use ted_controller::aws::{Reader, Session, Sessions, SessionsOptions, Target};
use ted_sim::{Scenario, Sim};

async fn session(sim: &Sim) -> Session {
    let wire = InProcess {
        http_client: sim.http_client(),
        credentials: Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"),
        time_source: Some(sim.time_source()),
    };
    let options = SessionsOptions { region: Some("us-east-2".to_owned()), ..Default::default() };
    Sessions::in_process(options, wire).session(&Target::default()).await.expect("a region is set")
}

#[tokio::test(start_paused = true)]
async fn everything_about_the_default_ted_can_be_read() {
    let sim = Sim::start(&Scenario::named("default").unwrap(), 1.0).unwrap();
    let session = session(&sim).await;
    let reader: Reader = session.reader();
    let identity = session.identity().await.unwrap();
    assert!(session.aws_now().is_some());

    let search = ProductSearch::One(ProductRef::Name("ted-einstein".to_owned()));
    let found = reader.search_provisioned_products(&search).await.unwrap().remove(0);
    let by_id = ProductRef::Id(found.id.clone());
    let product = reader.provisioned_product(&by_id).await.unwrap();
    assert_eq!(
        (product.name.as_str(), product.status.as_deref()),
        ("ted-einstein", Some("AVAILABLE"))
    );
    let product_id = product.product_id.unwrap();
    let artifact_id = product.artifact_id.unwrap();

    let record = reader.record(&product.last_provisioning_record_id.unwrap()).await.unwrap();
    assert!(record.outputs.iter().any(|output| output.key == "CloudformationStackARN"));
    assert!(!reader.record_history(&found.id, 5).await.unwrap().is_empty());
    assert!(!reader.provisioned_product_outputs(&by_id).await.unwrap().unwrap().is_empty());
    let artifacts = reader.artifacts(&product_id).await.unwrap();
    assert!(artifacts.iter().any(|artifact| artifact.name.as_deref() == Some("v1.52.1")));
    let paths = reader.launch_paths(&product_id).await.unwrap();
    let version = reader.artifact(&product_id, &artifact_id).await.unwrap();
    let by_path = reader
        .provisioning_parameters(&product_id, &artifact_id, Some(&paths[0].id))
        .await
        .unwrap();
    assert_eq!(version.parameters, by_path.parameters);
    assert!(by_path.usage["metadata"].contains("ParameterLabels"));
    assert!(!reader.product(&product_id).await.unwrap().artifacts.is_empty());

    let stack = reader.stack(&found.physical_id.unwrap()).await.unwrap().unwrap();
    assert!(
        stack
            .outputs
            .iter()
            .any(|o| o.key == "ReleaseVersion" && o.value.as_deref() == Some("1.44.0"))
    );
    assert_eq!(reader.stack("SC-000000000000-pp-none").await, Ok(None));
    assert!(reader.stacks().await.unwrap().len() > 10);
    let summaries = reader.stack_summaries().await.unwrap();
    assert!(
        summaries.iter().any(|summary| summary.parent_id.as_deref() == Some(stack.id.as_str()))
    );
    assert!(!reader.stack_resources(&stack.name).await.unwrap().unwrap().is_empty());
    assert!(reader.stack_events(&stack.name, None, 5).await.unwrap().is_some());
    let of = OperationEventsOf::Stack(stack.name.clone());
    assert!(reader.operation_events(&of, true).await.unwrap().is_some());
    let template = reader.template_summary(&stack.name).await.unwrap().unwrap();
    assert!(template.metadata.unwrap().contains("ParameterLabels"));

    let groups = reader.replication_groups().await.unwrap();
    let group = groups.iter().find(|group| group.id == "turbot-einstein-cache-cluster").unwrap();
    assert_eq!(group.engine.as_deref(), Some("redis"));
    assert_eq!(reader.replication_group(&group.id).await.unwrap().as_ref(), Some(group));
    assert_eq!(reader.replication_group("none").await, Ok(None));
    let node = reader.cache_cluster(&group.members[0]).await.unwrap().unwrap();
    assert_eq!(node.engine_version.as_deref(), Some("7.1.0"));
    assert!(reader.cache_clusters().await.unwrap().contains(&node));
    assert_eq!(reader.cache_cluster("none").await, Ok(None));
    assert!(!reader.cache_engine_versions("valkey").await.unwrap().is_empty());
    reader.cache_events(CacheEventSource::ReplicationGroup, &group.id, 60).await.unwrap();

    let database = reader.db_instance("turbot-einstein").await.unwrap().unwrap();
    assert_eq!(database.status.as_deref(), Some("available"));
    assert!(database.storage.allocated_gib.is_some());
    assert!(reader.db_instances().await.unwrap().contains(&database));
    assert_eq!(reader.db_instance("none").await, Ok(None));
    reader.db_events("turbot-einstein", 60).await.unwrap();

    let functions = reader.functions().await.unwrap();
    let worker = functions.iter().find(|function| function.name.ends_with("_worker")).unwrap();
    let mapping = reader.mappings_of(&worker.name).await.unwrap().remove(0);
    assert_eq!(reader.mapping(&mapping.uuid).await.unwrap().as_ref(), Some(&mapping));
    assert!(reader.mappings().await.unwrap().contains(&mapping));
    assert!(reader.mappings_of("no-such-function").await.unwrap().is_empty());
    assert!(reader.tags(mapping.arn.as_deref().unwrap()).await.unwrap().is_some());
    let queue_name = mapping.event_source_arn.as_deref().unwrap().rsplit(':').next().unwrap();
    let url = reader.queue_url(queue_name, Some(&identity.account)).await.unwrap().unwrap();
    assert!(reader.queue(&url).await.unwrap().unwrap().retention_seconds.is_some());
}
