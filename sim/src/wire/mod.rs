//! The wire: from an HTTP request to an operation and its input, and from its answer back to bytes.
//!
//! Nothing here knows what an operation does. A request that cannot be read gets AWS's own error in the protocol it came in.

pub(crate) mod auth;
mod json;
mod query;
mod rest;

use crate::error::ApiError;
use crate::node::Map;
use crate::spec::{Operation, Protocol, Service};
use crate::time::SimTime;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use serde_json::Value;

/// A request whose operation is known, its input not yet validated.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) service: Service,
    pub(crate) operation: &'static Operation,
    pub(crate) input: Value,
}

/// A request that could not be read: what to answer, and in whose protocol.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) service: Service,
    /// The operation as far as it could be made out, for the call log.
    pub(crate) operation: String,
    pub(crate) error: ApiError,
}

/// Which service a request is for: the target header, the path or the form's version tell, else its
/// credential scope.
///
/// What the request itself says comes first, so that a call signed for another service meets the
/// service it asked for, which refuses it.
pub(crate) fn service_of(request: &Request<Bytes>) -> Option<Service> {
    asked_of(request).or_else(|| Service::from_name(&auth::scope(request.headers())?.service))
}

fn asked_of(request: &Request<Bytes>) -> Option<Service> {
    if let Some(target) =
        request.headers().get("x-amz-target").and_then(|value| value.to_str().ok())
    {
        let prefix = target.split('.').next().unwrap_or_default();
        return Service::ALL.into_iter().find(|service| matches!(service.protocol(), Protocol::Json { target, .. } if target == prefix));
    }
    let path = request.uri().path();
    if path.starts_with("/2015-03-31/") || path.starts_with("/2017-03-31/") {
        return Some(Service::Lambda);
    }
    if media_type(request.headers()) != "application/x-www-form-urlencoded" {
        return None;
    }
    let sent = form_urlencoded::parse(request.body())
        .find(|(key, _)| key == "Version")
        .map(|(_, value)| value.into_owned())?;
    Service::ALL.into_iter().find(
        |service| matches!(service.protocol(), Protocol::Query { version, .. } if version == sent),
    )
}

/// Reads operation and input of a request for `service`.
pub(crate) fn decode(service: Service, request: &Request<Bytes>) -> Result<Decoded, Unreadable> {
    match service.protocol() {
        Protocol::Json { target, version } => json::decode(service, target, version, request),
        Protocol::Query { version, .. } => query::decode(service, version, request),
        Protocol::Rest => rest::decode(service, request),
    }
}

/// Writes a successful answer.
pub(crate) fn encode(
    decoded: &Decoded,
    answer: &Map,
    request_id: &str,
    now: SimTime,
) -> Response<Bytes> {
    match decoded.service.protocol() {
        Protocol::Json { version, .. } => {
            reply(200, &json::content_type(version), json::write(answer), request_id, now)
        }
        Protocol::Query { namespace, .. } => reply(
            200,
            "text/xml",
            query::write(decoded.operation, namespace, answer, request_id),
            request_id,
            now,
        ),
        Protocol::Rest => {
            let status = decoded.operation.route.as_ref().map_or(200, |route| route.success);
            let body = if status == 204 { String::new() } else { json::write(answer) };
            reply(status, "application/json", body, request_id, now)
        }
    }
}

/// Writes an error in the protocol of `service`.
pub(crate) fn encode_error(
    service: Service,
    error: &ApiError,
    request_id: &str,
    now: SimTime,
) -> Response<Bytes> {
    let mut response = match service.protocol() {
        Protocol::Json { version, .. } => {
            let mut response = reply(
                error.status,
                &json::content_type(version),
                json::error(service, error),
                request_id,
                now,
            );
            if service == Service::Sqs {
                set(
                    response.headers_mut(),
                    "x-amzn-query-error",
                    &format!("{};Sender", json::sqs_query_code(&error.code)),
                );
            }
            response
        }
        Protocol::Query { namespace, .. } => reply(
            error.status,
            "text/xml",
            query::error(namespace, error, request_id),
            request_id,
            now,
        ),
        Protocol::Rest => {
            let mut response =
                reply(error.status, "application/json", json::rest_error(error), request_id, now);
            set(response.headers_mut(), "x-amzn-errortype", &error.code);
            response
        }
    };
    if let Some(seconds) = error.retry_after {
        set(response.headers_mut(), "retry-after", &seconds.to_string());
    }
    response
}

fn reply(
    status: u16,
    content_type: &str,
    body: String,
    request_id: &str,
    now: SimTime,
) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if status != 204 {
        set(headers, header::CONTENT_TYPE.as_str(), content_type);
    }
    set(headers, header::DATE.as_str(), &now.http_date());
    set(headers, "x-amzn-requestid", request_id);
    response
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The media type of a request without its parameters (boto adds `; charset=utf-8`).
fn media_type(headers: &HeaderMap) -> &str {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
}
