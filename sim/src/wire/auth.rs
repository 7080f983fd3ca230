//! Signature Version 4, as far as a server without secrets can check it: presence, form, credential scope.

use crate::error::ApiError;
use crate::spec::{Protocol, Service};
use http::HeaderMap;

/// The credential scope of a signed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CredentialScope {
    pub(crate) access_key: String,
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
}

/// What `authorization` says, when it has the right form.
pub(crate) fn scope(headers: &HeaderMap) -> Option<CredentialScope> {
    let fields = fields(headers)?;
    let mut parts = fields.credential.split('/');
    let scope = CredentialScope {
        access_key: parts.next()?.to_owned(),
        date: parts.next()?.to_owned(),
        region: parts.next()?.to_owned(),
        service: parts.next()?.to_owned(),
    };
    let ends = parts.next() == Some("aws4_request") && parts.next().is_none();
    (ends && !scope.access_key.is_empty()).then_some(scope)
}

struct Fields<'h> {
    credential: &'h str,
    signed_headers: &'h str,
    signature: &'h str,
}

fn fields(headers: &HeaderMap) -> Option<Fields<'_>> {
    let text = headers
        .get(http::header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("AWS4-HMAC-SHA256")?;
    let field = |name: &str| {
        text.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
    };
    Some(Fields {
        credential: field("Credential")?,
        signed_headers: field("SignedHeaders")?,
        signature: field("Signature")?,
    })
}

/// Checks that a request for `service` in `regions` is signed as the service demands.
///
/// # Errors
/// `MissingAuthenticationToken` without a signature, `IncompleteSignature` for a broken one, `InvalidSignatureException` (JSON, REST)
/// or `SignatureDoesNotMatch` (Query) when service or date of the scope are not those of the request.
pub(crate) fn check(service: Service, headers: &HeaderMap) -> Result<CredentialScope, ApiError> {
    let json = !matches!(service.protocol(), Protocol::Query { .. });
    // The signature is checked in front of a Query or REST service, which answers 403, and inside an
    // awsJson one, which answers 400.
    let status = if matches!(service.protocol(), Protocol::Json { .. }) { 400 } else { 403 };
    if !headers.contains_key(http::header::AUTHORIZATION) {
        let code =
            if json { "MissingAuthenticationTokenException" } else { "MissingAuthenticationToken" };
        return Err(
            ApiError::new(code, "Request is missing Authentication Token").with_status(status)
        );
    }
    let incomplete = |what: &str| {
        let code = if json { "IncompleteSignatureException" } else { "IncompleteSignature" };
        ApiError::new(code, format!("Authorization header requires {what}.")).with_status(status)
    };
    let fields = fields(headers)
        .ok_or_else(|| incomplete("'Credential', 'SignedHeaders' and 'Signature' parameters"))?;
    let hexadecimal = fields.signature.len() == 64
        && fields.signature.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !hexadecimal {
        return Err(incomplete("a 'Signature' of 64 hexadecimal digits"));
    }
    if !fields.signed_headers.split(';').any(|name| name == "host" || name == ":authority") {
        return Err(incomplete("'Host' among the signed headers"));
    }
    let scope = scope(headers).ok_or_else(|| {
        incomplete("a Credential of the form <access key>/<date>/<region>/<service>/aws4_request")
    })?;
    let mismatch = |message: String| {
        let code = if json { "InvalidSignatureException" } else { "SignatureDoesNotMatch" };
        ApiError::new(code, message).with_status(status)
    };
    if scope.service != service.name() {
        return Err(mismatch(format!(
            "Credential should be scoped to correct service: '{}'.",
            service.name()
        )));
    }
    let Some(stamp) = headers.get("x-amz-date").and_then(|value| value.to_str().ok()) else {
        return Err(incomplete("existence of either a 'X-Amz-Date' or a 'Date' header"));
    };
    if !stamp.starts_with(&scope.date) {
        return Err(mismatch(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{stamp}'",
            scope.date
        )));
    }
    if !valid_region(&scope.region) {
        return Err(mismatch(format!(
            "Credential should be scoped to a valid region: '{}' is none.",
            scope.region
        )));
    }
    Ok(scope)
}

/// `us-east-2`, `us-gov-west-1`, `ap-southeast-2`: two to four words and a digit.
fn valid_region(region: &str) -> bool {
    crate::spec::matches("[a-z]{2}(-[a-z]+){1,3}-[0-9]", region)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(authorization: &str, date: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", authorization.parse().unwrap());
        headers.insert("x-amz-date", date.parse().unwrap());
        headers
    }

    fn signed(scope: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=AKIA1/{scope}, SignedHeaders=content-type;host;x-amz-date, Signature={}",
            "a".repeat(64)
        )
    }

    #[test]
    fn a_scope_is_read_and_checked() {
        let date = "20260801T100000Z";
        let good = headers(&signed("20260801/us-east-2/rds/aws4_request"), date);
        assert_eq!(check(Service::Rds, &good).unwrap().region, "us-east-2");
        for (why, headers, code) in [
            (
                "another service",
                headers(&signed("20260801/us-east-2/lambda/aws4_request"), date),
                "SignatureDoesNotMatch",
            ),
            (
                "another day",
                headers(&signed("20260731/us-east-2/rds/aws4_request"), date),
                "SignatureDoesNotMatch",
            ),
            (
                "no region",
                headers(&signed("20260801/nowhere/rds/aws4_request"), date),
                "SignatureDoesNotMatch",
            ),
            (
                "too short a scope",
                headers(&signed("20260801/us-east-2/rds"), date),
                "IncompleteSignature",
            ),
            ("basic", headers("Basic abc", date), "IncompleteSignature"),
            ("unsigned", HeaderMap::new(), "MissingAuthenticationToken"),
        ] {
            assert_eq!(check(Service::Rds, &headers).unwrap_err().code, code, "{why}");
        }
    }
}
