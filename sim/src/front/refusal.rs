//! The errors that every service gives before it looks at an operation, in each service's own code, text and HTTP status.

use crate::error::ApiError;
use crate::services::iam;
use crate::spec::{Protocol, Service};
use crate::time::SimTime;
use crate::wire;
use bytes::Bytes;
use http::{Request, Response};

/// Seconds of `Retry-After` on Lambda's throttling answer.
const RETRY_AFTER: u32 = 1;

/// Too many requests (codes: each service's "common errors"; Lambda: API reference, `TooManyRequestsException`).
pub(crate) fn throttled(service: Service) -> ApiError {
    match service {
        Service::ServiceCatalog => ApiError::new("ThrottlingException", "Rate exceeded"),
        Service::Lambda => ApiError {
            retry_after: Some(RETRY_AFTER),
            ..ApiError::new("TooManyRequestsException", "Rate exceeded").with_status(429)
        },
        // botocore's list of retries knows it by this status.
        Service::Sqs => ApiError::new("RequestThrottled", "Rate exceeded").with_status(403),
        Service::CloudFormation
        | Service::ElastiCache
        | Service::Rds
        | Service::Sts
        | Service::Iam => ApiError::new("Throttling", "Rate exceeded"),
    }
}

/// Not allowed.
pub(crate) fn denied(service: Service, message: impl Into<String>) -> ApiError {
    iam::denied(service, ApiError::new("AccessDenied", message).with_status(403))
}

/// Temporary credentials that are over.
pub(crate) fn expired(service: Service) -> ApiError {
    iam::denied(
        service,
        ApiError::new("ExpiredToken", "The security token included in the request is expired")
            .with_status(403),
    )
}

/// The service broke.
pub(crate) fn internal(service: Service) -> ApiError {
    let code = if service == Service::Lambda { "ServiceException" } else { "InternalFailure" };
    ApiError::new(
        code,
        "The request processing has failed because of an unknown error, exception or failure.",
    )
    .with_status(500)
}

/// The service is away.
pub(crate) fn unavailable(_service: Service) -> ApiError {
    ApiError::new(
        "ServiceUnavailable",
        "The request has failed due to a temporary failure of the server.",
    )
    .with_status(503)
}

/// More than a request may bring.
pub(super) fn too_large(service: Service) -> ApiError {
    let code = match service.protocol() {
        Protocol::Rest => "RequestTooLargeException",
        Protocol::Json { .. } => "RequestEntityTooLargeException",
        Protocol::Query { .. } => "RequestEntityTooLarge",
    };
    ApiError::new(code, format!("Request must be smaller than {} bytes", super::MAX_BODY))
        .with_status(413)
}

/// A request for a service that cannot be made out, or for one that is not simulated.
pub(super) fn no_service(request: &Request<Bytes>) -> ApiError {
    match wire::auth::scope(request.headers()) {
        Some(scope) => ApiError::new("InvalidAction", format!("The service '{}' is not simulated here.", scope.service)),
        None if request.headers().contains_key(http::header::AUTHORIZATION) => {
            ApiError::new("IncompleteSignature", "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.").with_status(403)
        }
        None => ApiError::new("MissingAuthenticationToken", "Request is missing Authentication Token").with_status(403),
    }
}

/// Writes an error when no service could be made out: as STS does, which answers at the root of most endpoints.
pub(super) fn without_service(error: &ApiError, request_id: &str, now: SimTime) -> Response<Bytes> {
    wire::encode_error(Service::Sts, error, request_id, now)
}
