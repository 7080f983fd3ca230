//! The world and the table of operations as JSON, for people, tests and the conformance suite.

use crate::services::{cloudformation, elasticache, lambda, rds, servicecatalog, sqs};
use crate::spec::{Member, Operation, Protocol, Service, Shape};
use crate::world::{Scope, World};
use serde_json::{Map, Value, json};

/// Every scope with what is in it. Secrets do not appear.
pub(super) fn world(world: &World) -> Value {
    let scopes: Vec<Value> = world.scopes().map(|scope| region(world, scope)).collect();
    json!({"time": world.now(), "seed": world.seed(), "nextTimer": world.next_timer(), "scopes": scopes})
}

fn region(world: &World, scope: &Scope) -> Value {
    let region = world.region(scope);
    json!({
        "account": scope.account,
        "region": scope.region,
        "products": servicecatalog::view(&region.servicecatalog),
        "stacks": cloudformation::view(&region.cloudformation),
        "caches": elasticache::view(&region.elasticache),
        "databases": rds::view(&region.rds),
        "triggers": lambda::view(&region.lambda),
        "functions": region.lambda.functions().count(),
        "queues": sqs::view(&region.sqs, world.now()),
    })
}

/// Every operation with its input members and their limits.
pub(super) fn operations() -> Value {
    let all = Service::ALL.into_iter().flat_map(|service| {
        service.operations().iter().map(move |operation| row(service, operation))
    });
    json!({"operations": all.collect::<Vec<_>>()})
}

fn row(service: Service, operation: &Operation) -> Value {
    let protocol = match service.protocol() {
        Protocol::Json { .. } => "json",
        Protocol::Query { .. } => "query",
        Protocol::Rest => "rest",
    };
    let route = operation
        .route
        .as_ref()
        .map(|route| json!({"method": route.method, "path": route.path, "success": route.success}));
    json!({
        "service": service.name(),
        "protocol": protocol,
        "operation": operation.name,
        "effect": operation.effect,
        "input": members(operation.input),
        "route": route,
    })
}

fn members(table: &[Member]) -> Value {
    let described = table.iter().map(|member| {
        let mut row = shape(&member.shape);
        row.insert("required".to_owned(), member.required.into());
        (member.name.to_owned(), Value::Object(row))
    });
    Value::Object(described.collect())
}

fn shape(shape_of: &Shape) -> Map<String, Value> {
    // The largest number stands for "no limit" in the table; no limit is left out here.
    let limit = |limit: usize| (limit != usize::MAX).then_some(limit);
    let described = match shape_of {
        Shape::Text { min, max, pattern } => {
            json!({"type": "string", "min": (*min > 0).then_some(min), "max": limit(*max), "pattern": (!pattern.is_empty()).then_some(pattern)})
        }
        Shape::Enum(values) => json!({"type": "string", "enum": values}),
        Shape::Int { min, max } => {
            json!({"type": "integer", "min": (*min != i64::MIN).then_some(min), "max": (*max != i64::MAX).then_some(max)})
        }
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Time => json!({"type": "timestamp"}),
        Shape::List { item, name, max } => {
            json!({"type": "list", "item": shape(item), "itemName": name, "max": limit(*max)})
        }
        Shape::Struct(table) => json!({"type": "structure", "members": members(table)}),
        Shape::Map(item) => json!({"type": "map", "value": shape(item)}),
    };
    match described {
        Value::Object(members) => {
            members.into_iter().filter(|(_, value)| !value.is_null()).collect()
        }
        _ => Map::new(),
    }
}
