//! What may change about a mapping, and when: the rules of creation and `UpdateEventSourceMapping`.

use super::mappings::SETTINGS;
use super::name::FunctionName;
use super::state::{Mapping, MappingState};
use super::{invalid, transitions};
use crate::error::ApiError;
use crate::spec::Input;
use crate::world::{Scope, World};
use serde_json::Value;
use std::sync::Arc;

/// A batch above this needs a batching window (Lambda API reference, `UpdateEventSourceMapping`).
const BATCH_WITHOUT_WINDOW: i64 = 10;
/// A FIFO queue's largest batch.
const FIFO_BATCH: i64 = 10;

/// What a mapping of a queue does not have: these are for streams and brokers.
const NOT_FOR_QUEUES: [&str; 10] = [
    "ParallelizationFactor",
    "DestinationConfig",
    "MaximumRecordAgeInSeconds",
    "BisectBatchOnFunctionError",
    "MaximumRetryAttempts",
    "TumblingWindowInSeconds",
    "SourceAccessConfigurations",
    "AmazonManagedKafkaEventSourceConfig",
    "SelfManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
];

/// Carries out the members of an `UpdateEventSourceMapping`.
///
/// # Errors
/// `ResourceInUseException` in a transitional state; otherwise what is wrong with the members. Nothing has changed then.
pub(super) fn change(
    world: &mut World,
    scope: &Scope,
    uuid: &str,
    input: &Input,
) -> Result<(), ApiError> {
    let before = transitions::changeable(world, scope, uuid)?.clone();
    let others = ["FunctionName", "BatchSize", "MaximumBatchingWindowInSeconds"]
        .iter()
        .chain(&SETTINGS)
        .any(|name| input.has(name));
    let after = changed(world, scope, before.clone(), input)?;
    let enabled = input.bool("Enabled").unwrap_or(before.enabled);
    if let Some(mapping) = world.region_mut(scope).lambda.mapping_mut(uuid) {
        *mapping = after;
    }
    if others && enabled == before.enabled {
        transitions::begin(world, scope, uuid, MappingState::Updating, enabled);
    } else if input.has("Enabled") {
        transitions::switch(world, scope, uuid, enabled)?;
    }
    Ok(())
}

/// Sets the members of an `UpdateEventSourceMapping`, `Enabled` aside, on a mapping that is being created.
///
/// # Errors
/// As [`change`].
pub(super) fn configure(
    world: &mut World,
    scope: &Scope,
    uuid: &str,
    input: &Input,
) -> Result<(), ApiError> {
    let before = world
        .region(scope)
        .lambda
        .mapping(uuid)
        .ok_or_else(transitions::mapping_not_found)?
        .clone();
    let after = changed(world, scope, before, input)?;
    if let Some(mapping) = world.region_mut(scope).lambda.mapping_mut(uuid) {
        *mapping = after;
    }
    Ok(())
}

/// Adds a mapping in the state `Creating`. Answers its UUID.
///
/// # Errors
/// When function or queue are missing, or function and source are mapped already.
pub(super) fn create(
    world: &mut World,
    scope: &Scope,
    function: &str,
    source_arn: &str,
) -> Result<String, ApiError> {
    let uuid = world.uuid();
    let region = world.region(scope);
    let (found, qualifier) = FunctionName::parse(function).find(region, scope)?;
    let twin = region
        .lambda
        .mappings_of(&found.name)
        .find(|other| *other.source_arn == *source_arn && other.qualifier.as_deref() == qualifier);
    if let Some(twin) = twin {
        let message = format!(
            "An event source mapping with SQS arn (\" {source_arn} \") and function (\" {} \") already exists. Please update or delete the existing mapping with UUID {}",
            found.name, twin.uuid
        );
        return Err(ApiError::new("ResourceConflictException", message).with_status(409));
    }
    let queue = source_arn.rsplit(':').next().unwrap_or_default();
    if source_arn == scope.arn("sqs", queue) && region.sqs.queue(queue).is_none() {
        let message = "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.";
        return Err(invalid(message));
    }
    let mapping = transitions::fresh(&uuid, source_arn, function, &found.name, qualifier);
    world.region_mut(scope).lambda.put_mapping(scope, mapping);
    transitions::begin(world, scope, &uuid, MappingState::Creating, true);
    Ok(uuid)
}

fn changed(
    world: &World,
    scope: &Scope,
    mut mapping: Mapping,
    input: &Input,
) -> Result<Mapping, ApiError> {
    if let Some(name) = NOT_FOR_QUEUES.iter().find(|name| input.has(name)) {
        return Err(invalid(format!(
            "Unsupported {name} parameter for given event source mapping type."
        )));
    }
    if let Some(told) = input.text("FunctionName") {
        let (function, qualifier) = FunctionName::parse(told).find(world.region(scope), scope)?;
        mapping.function = Arc::clone(&function.name);
        mapping.qualifier = qualifier.map(Into::into);
        mapping.told = told.into();
    }
    mapping.batch_size = input.int("BatchSize").unwrap_or(mapping.batch_size);
    mapping.window = input.int("MaximumBatchingWindowInSeconds").unwrap_or(mapping.window);
    if mapping.source_arn.ends_with(".fifo") && mapping.batch_size > FIFO_BATCH {
        return Err(invalid("Batch size must be less than or equal to 10 for FIFO queues."));
    }
    if mapping.batch_size > BATCH_WITHOUT_WINDOW && mapping.window == 0 {
        return Err(invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ));
    }
    for name in SETTINGS {
        let Some(value) = input.0.get(name) else { continue };
        // An empty structure takes the setting away.
        if is_empty(value) {
            mapping.settings.remove(name);
        } else {
            mapping.settings.insert(name, value.clone());
        }
    }
    Ok(mapping)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::services::iam::testing::scope;
    use crate::services::lambda::add_mapping;
    use crate::services::lambda::mappings::tests::{WORKER, update, with_workers};
    use serde_json::json;

    #[test]
    fn an_update_that_cannot_be_is_refused_and_changes_nothing() {
        let (mut world, uuids) = with_workers(Options::default());
        for (why, uuid, members, code, status) in [
            (
                "unknown",
                "00000000-0000-4000-8000-000000000000",
                json!({"Enabled": false}),
                "ResourceNotFoundException",
                404,
            ),
            ("no UUID", "x", json!({"Enabled": false}), "ValidationException", 400),
            (
                "no such function",
                &uuids[0],
                json!({"FunctionName": "nobody"}),
                "ResourceNotFoundException",
                404,
            ),
            (
                "a batch without a window",
                &uuids[0],
                json!({"BatchSize": 11}),
                "InvalidParameterValueException",
                400,
            ),
            (
                "too large a batch",
                &uuids[0],
                json!({"BatchSize": 10_001}),
                "ValidationException",
                400,
            ),
            (
                "a stream's setting",
                &uuids[0],
                json!({"Enabled": false, "MaximumRetryAttempts": 3}),
                "InvalidParameterValueException",
                400,
            ),
            (
                "one worker",
                &uuids[0],
                json!({"ScalingConfig": {"MaximumConcurrency": 1}}),
                "ValidationException",
                400,
            ),
        ] {
            let error = update(&mut world, uuid, &members).unwrap_err();
            assert_eq!(
                (error.code.as_ref(), error.status),
                (code, status),
                "{why}: {}",
                error.message
            );
            let mapping = world.region(&scope()).lambda.mapping(&uuids[0]).unwrap();
            assert_eq!((mapping.state, mapping.batch_size), (MappingState::Enabled, 10), "{why}");
        }
        update(&mut world, &uuids[0], &json!({"Enabled": false})).unwrap();
        let error = update(&mut world, &uuids[0], &json!({"BatchSize": 5})).unwrap_err();
        assert_eq!(error.code, "ResourceInUseException");
    }

    #[test]
    fn a_mapping_needs_function_and_queue_and_is_unique() {
        let (mut world, _) = with_workers(Options::default());
        let queue = scope().arn("sqs", WORKER);
        for (why, function, source, code) in [
            ("no function", "nobody", queue.clone(), "ResourceNotFoundException"),
            ("no queue", WORKER, scope().arn("sqs", "nothing"), "InvalidParameterValueException"),
            ("twice", WORKER, queue, "ResourceConflictException"),
        ] {
            assert_eq!(
                add_mapping(&mut world, &scope(), function, &source).unwrap_err().code,
                code,
                "{why}"
            );
        }
    }
}
