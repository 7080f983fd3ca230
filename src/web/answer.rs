//! The form of every answer: JSON, entity tags, refusals, and the headers that keep browsers from doing more than asked.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_NONE_MATCH, REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// The type of JSON answers.
pub(super) const JSON: &str = "application/json";

/// What the page may do: load our own script and style, ask us, and nothing else. Text cannot become markup (`require-trusted-types-for`),
/// whatever a resource in AWS is called.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// On every answer. There is no header that lets another origin read: that there is none is the point.
const HEADERS: [(HeaderName, &str); 7] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Adds what every answer carries. What says nothing of being kept is not kept.
pub(super) fn harden(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// A request that is not carried out, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refusal {
    #[serde(skip)]
    pub(super) status: StatusCode,
    /// What is wrong.
    pub(super) error: String,
    /// What to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) hint: String,
}

impl Refusal {
    pub(super) fn new(
        status: StatusCode,
        error: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { status, error: error.into(), hint: hint.into() }
    }

    pub(super) fn no_such_ted(name: &str) -> Self {
        let name = crate::text::sanitize_to(name, 80);
        let hint = "`GET /api/v1/teds` lists them; `GET /api/v1/sources` says which documents are not in force, and why";
        Self::new(StatusCode::NOT_FOUND, format!("there is no TED `{name}`"), hint)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        let mut response = json(self.status, &self);
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
            }
            _ => {}
        }
        response
    }
}

/// Anything of ours as JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    // What is answered here has text keys only, so this does not fail.
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    (status, [(CONTENT_TYPE, HeaderValue::from_static(JSON))], text).into_response()
}

/// As [`json`], or "you have it already".
pub(super) fn tagged_json(request: &HeaderMap, value: &impl Serialize) -> Response<Body> {
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    tagged(request, JSON, text)
}

/// Something with its entity tag; only the tag when the client says that it has it already.
pub(super) fn tagged(
    request: &HeaderMap,
    content_type: &'static str,
    body: impl Into<Body> + AsRef<[u8]>,
) -> Response<Body> {
    let tag = entity_tag(body.as_ref());
    let body = if is_known(request, &tag) { None } else { Some(body.into()) };
    let mut response = Response::new(Body::empty());
    match body {
        Some(body) => {
            *response.body_mut() = body;
            let content_type = HeaderValue::from_static(content_type);
            response.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        None => *response.status_mut() = StatusCode::NOT_MODIFIED,
    }
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// Half a digest is more than enough to tell two versions of one thing apart.
fn entity_tag(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    let mut tag = String::with_capacity(34);
    tag.push('"');
    for byte in digest.iter().take(16) {
        // Writing to a string does not fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// RFC 9110, 13.1.2: a list of tags, weak ones compare like strong ones, or `*`.
fn is_known(request: &HeaderMap, tag: &str) -> bool {
    request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|list| {
        list.split(',')
            .map(str::trim)
            .any(|known| known == "*" || known.trim_start_matches("W/") == tag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_in_any_of_its_forms() {
        let tag = entity_tag(b"x");
        assert_eq!(tag.len(), 34);
        for (sent, known, why) in [
            (tag.clone(), true, "as it was sent"),
            (format!("\"other\", W/{tag}"), true, "weakened by a proxy, one of several"),
            ("*".to_owned(), true, "anything"),
            (tag.trim_matches('"').to_owned(), false, "without its quotes it is no tag"),
            (String::new(), false, "nothing"),
        ] {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, sent.parse().unwrap())]);
            assert_eq!(is_known(&headers, &tag), known, "{why}: {sent}");
        }
        assert!(!is_known(&HeaderMap::new(), &tag));
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let refusal = Refusal::no_such_ted("a\u{1b}[31m\nb");
        let text = serde_json::to_string(&refusal).unwrap();
        assert!(text.starts_with(r#"{"error":"there is no TED `a b`","hint":""#), "{text}");
    }
}
