//! AWS Lambda: functions, the event source mappings that feed them from queues, and tags. Nothing is invoked here.
//!
//! [`transitions`] is the state machine of mappings, [`change`] what may change about them; [`functions`], [`mappings`]
//! and [`tags`] are the operations, [`outside`] is what
//! people do without us. Facts: Lambda API reference (`UpdateEventSourceMapping`, `ListFunctions`, tags), Lambda developer guide (quotas).

mod change;
mod functions;
mod input;
mod mappings;
mod name;
mod outside;
mod provider;
mod quota;
mod state;
mod tags;
mod transitions;
mod view;

pub(crate) use outside::{
    add_function, remove_function, remove_mapping, stick_triggers, toggle_triggers,
};
#[cfg(test)]
pub(crate) use outside::{add_mapping, set_stuck, toggle};
pub(crate) use provider::{PROVIDERS, function};
pub(crate) use quota::Quota;
#[cfg(test)]
pub(crate) use state::ran_between;
pub(crate) use state::{Function, MappingState, State};
pub(crate) use transitions::{Timer, fire};
pub(crate) use view::view;

use crate::error::ApiError;
use crate::node::{Map, Node};
use crate::services::Call;
use crate::spec::Operation;
use crate::world::Scope;
use name::FunctionName;
use serde_json::Value;

const FUNCTION: &str = "/2015-03-31/functions/{FunctionName}/configuration";
const MAPPINGS: &str = "/2015-03-31/event-source-mappings";
const MAPPING: &str = "/2015-03-31/event-source-mappings/{UUID}";
const TAGS: &str = "/2017-03-31/tags/{Resource}";

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::read("ListFunctions", &input::LIST_FUNCTIONS, |call| {
        admitted(call, functions::list)
    })
    .at("GET", "/2015-03-31/functions", &[], 200),
    Operation::read("GetFunctionConfiguration", &input::GET_FUNCTION_CONFIGURATION, |call| {
        admitted(call, functions::get)
    })
    .at("GET", FUNCTION, &[], 200),
    Operation::read("ListEventSourceMappings", &input::LIST_EVENT_SOURCE_MAPPINGS, |call| {
        admitted(call, mappings::list)
    })
    .at("GET", MAPPINGS, &[], 200),
    Operation::read("GetEventSourceMapping", &input::GET_EVENT_SOURCE_MAPPING, |call| {
        admitted(call, mappings::get)
    })
    .at("GET", MAPPING, &[], 200),
    Operation::write("UpdateEventSourceMapping", &input::UPDATE_EVENT_SOURCE_MAPPING, |call| {
        admitted(call, mappings::update)
    })
    .at("PUT", MAPPING, &[], 202),
    Operation::read("ListTags", &input::LIST_TAGS, |call| admitted(call, tags::list)).at(
        "GET",
        TAGS,
        &[],
        200,
    ),
    Operation::write("TagResource", &input::TAG_RESOURCE, |call| admitted(call, tags::tag)).at(
        "POST",
        TAGS,
        &[],
        204,
    ),
    Operation::write("UntagResource", &input::UNTAG_RESOURCE, |call| admitted(call, tags::untag))
        .at("DELETE", TAGS, &[("tagKeys", "TagKeys")], 204),
];

/// Runs an operation when the quota of requests is not used up.
fn admitted(
    call: &mut Call<'_>,
    run: fn(&mut Call<'_>) -> Result<Map, ApiError>,
) -> Result<Map, ApiError> {
    let (now, rate) = (call.now(), call.world.options.lambda_requests_per_second);
    call.world.lambda_quota.admit(&call.scope, rate, now)?;
    run(call)
}

/// What IAM is asked about for an operation: a function, a mapping, the tagged resource, or `*` for lists (service authorization
/// reference, Lambda). The request is not validated yet.
pub(crate) fn resource(scope: &Scope, operation: &str, input: &Value) -> String {
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    match operation {
        "GetFunctionConfiguration" => {
            let name = FunctionName::parse(text("FunctionName").unwrap_or_default());
            let qualifier = name.qualifier.or(text("Qualifier"));
            function_arn(scope, name.name, qualifier)
        }
        "GetEventSourceMapping" | "UpdateEventSourceMapping" => {
            mapping_arn(scope, text("UUID").unwrap_or_default())
        }
        "ListTags" | "TagResource" | "UntagResource" => text("Resource").unwrap_or("*").to_owned(),
        _ => "*".to_owned(),
    }
}

fn function_arn(scope: &Scope, name: &str, qualifier: Option<&str>) -> String {
    let arn = scope.arn("lambda", format_args!("function:{name}"));
    qualifier.map_or(arn.clone(), |qualifier| format!("{arn}:{qualifier}"))
}

fn mapping_arn(scope: &Scope, uuid: &str) -> String {
    scope.arn("lambda", format_args!("event-source-mapping:{uuid}"))
}

fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new("ResourceNotFoundException", message).with_status(404)
}

fn function_not_found(scope: &Scope, name: &str, qualifier: Option<&str>) -> ApiError {
    not_found(format!("Function not found: {}", function_arn(scope, name, qualifier)))
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValueException", message)
}

/// JSON as an answer's node.
fn node(value: &Value) -> Node {
    match value {
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| number.as_f64().unwrap_or_default().into(), Node::from)
        }
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => Node::List("member", items.iter().map(node).collect()),
        Value::Object(members) => Node::Map(
            members
                .iter()
                .fold(Map::new(), |map, (name, value)| map.with(name.clone(), node(value))),
        ),
        Value::Null => Node::Text("".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::iam::testing::scope;
    use crate::spec::Service;
    use crate::time::SimTime;
    use crate::wire;
    use bytes::Bytes;
    use http::Request;
    use serde_json::json;

    #[test]
    fn iam_is_asked_about_what_an_operation_touches() {
        let arn = "arn:aws:lambda:us-east-2:111122223333:";
        for (operation, input, expected) in [
            ("ListFunctions", json!({}), "*".to_owned()),
            ("ListEventSourceMappings", json!({"FunctionName": "f"}), "*".to_owned()),
            ("GetFunctionConfiguration", json!({"FunctionName": "f"}), format!("{arn}function:f")),
            (
                "GetFunctionConfiguration",
                json!({"FunctionName": "111122223333:f", "Qualifier": "live"}),
                format!("{arn}function:f:live"),
            ),
            (
                "UpdateEventSourceMapping",
                json!({"UUID": "u"}),
                format!("{arn}event-source-mapping:u"),
            ),
            ("TagResource", json!({"Resource": "arn:x"}), "arn:x".to_owned()),
        ] {
            assert_eq!(resource(&scope(), operation, &input), expected, "{operation}");
        }
    }
    #[test]
    fn requests_find_their_operation_and_answers_their_status() {
        let arn = "arn%3Aaws%3Alambda%3Aus-east-2%3A111122223333%3Afunction%3Aw";
        let tags = format!("/2017-03-31/tags/{arn}");
        for (method, path, body, operation, input, status) in [
            (
                "GET",
                "/2015-03-31/functions?FunctionVersion=ALL&MaxItems=5",
                "",
                "ListFunctions",
                json!({"FunctionVersion": "ALL", "MaxItems": "5"}),
                200,
            ),
            (
                "GET",
                "/2015-03-31/functions/w/configuration",
                "",
                "GetFunctionConfiguration",
                json!({"FunctionName": "w"}),
                200,
            ),
            (
                "GET",
                "/2015-03-31/event-source-mappings/?FunctionName=w",
                "",
                "ListEventSourceMappings",
                json!({"FunctionName": "w"}),
                200,
            ),
            (
                "GET",
                "/2015-03-31/event-source-mappings/u",
                "",
                "GetEventSourceMapping",
                json!({"UUID": "u"}),
                200,
            ),
            (
                "PUT",
                "/2015-03-31/event-source-mappings/u",
                r#"{"Enabled":false}"#,
                "UpdateEventSourceMapping",
                json!({"UUID": "u", "Enabled": false}),
                202,
            ),
            (
                "GET",
                &tags,
                "",
                "ListTags",
                json!({"Resource": "arn:aws:lambda:us-east-2:111122223333:function:w"}),
                200,
            ),
            (
                "POST",
                &tags,
                r#"{"Tags":{"a":"b"}}"#,
                "TagResource",
                json!({"Resource": "arn:aws:lambda:us-east-2:111122223333:function:w", "Tags": {"a": "b"}}),
                204,
            ),
            (
                "DELETE",
                &format!("{tags}?tagKeys=a&tagKeys=b%3Ac"),
                "",
                "UntagResource",
                json!({"Resource": "arn:aws:lambda:us-east-2:111122223333:function:w", "TagKeys": ["a", "b:c"]}),
                204,
            ),
        ] {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .body(Bytes::from(body.to_owned()))
                .unwrap();
            let decoded = wire::decode(Service::Lambda, &request).unwrap();
            assert_eq!(
                (decoded.operation.name, &decoded.input),
                (operation, &input),
                "{method} {path}"
            );
            let response = wire::encode(&decoded, &Map::new(), "id", SimTime::default());
            assert_eq!(response.status(), status, "{operation}");
            assert_eq!(response.body().is_empty(), status == 204, "{operation}");
        }
    }
}
