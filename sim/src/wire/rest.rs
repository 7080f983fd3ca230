//! restJson1: method and path name the operation; path segments, query string and JSON body hold its members.

use super::{Decoded, Unreadable};
use crate::error::ApiError;
use crate::spec::{Operation, Route, Service, Shape};
use bytes::Bytes;
use http::Request;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

pub(super) fn decode(service: Service, request: &Request<Bytes>) -> Result<Decoded, Unreadable> {
    let path = request.uri().path();
    let found = service.operations().iter().find_map(|operation| {
        let route = operation.route.as_ref()?;
        (route.method == request.method().as_str())
            .then(|| segments(route, path))
            .flatten()
            .map(|labels| (operation, route, labels))
    });
    let Some((operation, route, labels)) = found else {
        let error = ApiError::new(
            "UnknownOperationException",
            format!("{} {path} is not an operation of {}", request.method(), service.name()),
        );
        return Err(Unreadable {
            service,
            operation: format!("{} {path}", request.method()),
            error: error.with_status(404),
        });
    };
    let fail =
        |error: ApiError| Unreadable { service, operation: operation.name.to_owned(), error };
    let mut input = match request.body() {
        body if body.is_empty() => Map::new(),
        body => match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(members)) => members,
            Ok(_) => {
                return Err(fail(ApiError::new(
                    "SerializationException",
                    "Start of structure or map found where not expected.",
                )));
            }
            Err(error) => {
                return Err(fail(ApiError::new(
                    "InvalidRequestContentException",
                    format!("Could not parse request body into json: {error}"),
                )));
            }
        },
    };
    query_string(operation, route, request.uri().query().unwrap_or_default(), &mut input);
    input.extend(labels);
    Ok(Decoded { service, operation, input: Value::Object(input) })
}

/// The members in the path, when it has the route's form. Segments are percent-decoded: SDKs encode even the colons of an ARN.
fn segments(route: &Route, path: &str) -> Option<Vec<(String, Value)>> {
    let path = path.trim_end_matches('/');
    let wanted = route.path.trim_end_matches('/');
    let mut labels = Vec::new();
    let (mut given, mut template) = (path.split('/'), wanted.split('/'));
    loop {
        match (given.next(), template.next()) {
            (None, None) => return Some(labels),
            (Some(value), Some(part)) => match part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'))
            {
                Some(name) if !value.is_empty() => {
                    labels.push((
                        name.to_owned(),
                        Value::String(percent_decode_str(value).decode_utf8().ok()?.into_owned()),
                    ));
                }
                None if value == part => {}
                _ => return None,
            },
            _ => return None,
        }
    }
}

fn query_string(operation: &Operation, route: &Route, query: &str, input: &mut Map<String, Value>) {
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let name = route
            .query
            .iter()
            .find(|(sent, _)| *sent == key)
            .map_or(key.as_ref(), |(_, member)| member);
        let is_list = operation
            .input
            .iter()
            .any(|member| member.name == name && matches!(member.shape, Shape::List { .. }));
        let value = Value::String(value.into_owned());
        if is_list {
            match input.entry(name.to_owned()).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(items) => items.push(value),
                other => *other = Value::Array(vec![value]),
            }
        } else {
            input.insert(name.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_arn_is_one_segment() {
        let route =
            Route { method: "GET", path: "/2017-03-31/tags/{Resource}", query: &[], success: 200 };
        let found = segments(
            &route,
            "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-2%3A1%3Aevent-source-mapping%3Ax",
        )
        .unwrap();
        assert_eq!(
            found,
            [(
                "Resource".to_owned(),
                Value::from("arn:aws:lambda:us-east-2:1:event-source-mapping:x")
            )]
        );
        assert_eq!(segments(&route, "/2017-03-31/tags"), None);
        assert_eq!(segments(&route, "/2017-03-31/tags/a/b"), None);
    }
}
