//! awsJson1.0 and 1.1, and the JSON bodies of restJson1.

use super::{Decoded, Unreadable, media_type};
use crate::error::ApiError;
use crate::node::{Map, Node};
use crate::spec::Service;
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

pub(super) fn content_type(version: &str) -> String {
    format!("application/x-amz-json-{version}")
}

pub(super) fn decode(
    service: Service,
    prefix: &str,
    version: &str,
    request: &Request<Bytes>,
) -> Result<Decoded, Unreadable> {
    let target = request
        .headers()
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let name =
        target.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
    let fail = |error: ApiError| Unreadable { service, operation: name.to_owned(), error };
    if request.uri().path().contains("/operation/")
        || media_type(request.headers()) == "application/cbor"
    {
        return Err(fail(
            ApiError::new(
                "UnsupportedProtocolException",
                "rpc-v2-cbor is not spoken here; send awsJson",
            )
            .with_status(415),
        ));
    }
    if request.method() != http::Method::POST
        || media_type(request.headers()) != content_type(version)
    {
        return Err(fail(ApiError::new(
            "UnknownOperationException",
            format!("expected POST with content type {}", content_type(version)),
        )));
    }
    let Some(operation) = service.operation(name) else {
        return Err(fail(ApiError::new(
            "UnknownOperationException",
            format!("Operation '{target}' does not exist or is not simulated"),
        )));
    };
    let body = if request.body().is_empty() { b"{}".as_slice() } else { request.body() };
    match serde_json::from_slice::<Value>(body) {
        Ok(input @ Value::Object(_)) => Ok(Decoded { service, operation, input }),
        Ok(_) => Err(fail(ApiError::new(
            "SerializationException",
            "Start of structure or map found where not expected.",
        ))),
        Err(error) => Err(fail(ApiError::new(
            "SerializationException",
            format!("Could not parse the request body: {error}"),
        ))),
    }
}

pub(super) fn write(answer: &Map) -> String {
    let mut text = String::with_capacity(512);
    structure(answer, &mut text);
    text
}

fn structure(map: &Map, text: &mut String) {
    text.push('{');
    for (index, (name, value)) in map.members().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&quoted(name));
        text.push(':');
        node(value, text);
    }
    text.push('}');
}

fn node(value: &Node, text: &mut String) {
    match value {
        Node::Text(value) => text.push_str(&quoted(value)),
        Node::Int(value) => text.push_str(&value.to_string()),
        Node::Float(value) => text.push_str(&json!(value).to_string()),
        Node::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        // Live Service Catalog writes doubles in scientific notation, `1.536221931782E9`.
        Node::Time(value) => text.push_str(&scientific(value.epoch_seconds())),
        Node::List(_, items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                node(item, text);
            }
            text.push(']');
        }
        Node::Map(map) => structure(map, text),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn scientific(seconds: f64) -> String {
    format!("{seconds:E}")
}

/// The body of an error in awsJson. SQS writes a namespaced type and lower-case `message`; Service Catalog `Message`.
pub(super) fn error(service: Service, error: &ApiError) -> String {
    match service {
        Service::Sqs => {
            json!({"__type": format!("com.amazonaws.sqs#{}", error.code), "message": error.message})
                .to_string()
        }
        _ => json!({"__type": error.code, "Message": error.message}).to_string(),
    }
}

/// The code that SQS's Query protocol had for an error; SDKs show it to stay compatible.
pub(super) fn sqs_query_code(code: &str) -> &str {
    match code {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue",
        other => other,
    }
}

pub(super) fn rest_error(error: &ApiError) -> String {
    let kind = if error.status < 500 { "User" } else { "Service" };
    match error.code.as_ref() {
        // Access denied comes from the front, which writes `Message` alone.
        "AccessDeniedException" => json!({"Message": error.message}).to_string(),
        "TooManyRequestsException" => {
            json!({"Type": kind, "Message": error.message, "Reason": "CallerRateLimitExceeded"})
                .to_string()
        }
        _ => json!({"Type": kind, "Message": error.message}).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SimTime;

    #[test]
    fn an_answer_is_written_as_service_catalog_writes_it() {
        let answer = Map::new()
            .with("At", SimTime::from_millis(1_536_221_931_782))
            .with("Name", "a\"b")
            .list("None", Vec::<Node>::new());
        assert_eq!(write(&answer), r#"{"At":1.536221931782E9,"Name":"a\"b","None":[]}"#);
    }
}
