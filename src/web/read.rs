//! Answers from the store. Nothing here changes anything or waits for anything.

use super::Shared;
use super::accept::Exposition;
use super::answer::{Refusal, json, tagged_json};
use crate::report::{Freeze, SourceReport, Ted};
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse as _;
use serde::Serialize;
use std::sync::Arc;

/// All TEDs as the API lists them, without copying them.
#[derive(Serialize)]
pub(super) struct List<'a> {
    items: Vec<&'a Ted>,
    freeze: Freeze,
}

impl<'a> List<'a> {
    pub(super) fn of(teds: &'a [Arc<Ted>], freeze: Freeze) -> Self {
        Self { items: teds.iter().map(AsRef::as_ref).collect(), freeze }
    }
}

/// Any other list.
#[derive(Serialize)]
pub(super) struct Items<T> {
    pub(super) items: Vec<T>,
}

fn all_read(sources: &[SourceReport]) -> bool {
    !sources.is_empty() && sources.iter().all(|source| source.last_read_at.is_some())
}

/// The name in a path.
pub(super) fn named(name: Result<Path<String>, PathRejection>) -> Result<String, Refusal> {
    let bad = "the name in the path is not percent-encoded UTF-8";
    name.map(|Path(name)| name).map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, bad, ""))
}

pub(super) async fn health(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let daemon = shared.daemon();
    let status =
        if daemon.health.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, &daemon)
}

/// Whether every TED had its first look, and which ones did not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Readiness {
    ready: bool,
    sources_read: bool,
    waiting_for: Vec<String>,
}

pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let store = &shared.store;
    let ready = store.is_ready();
    let unseen = |ted: &Arc<Ted>| {
        let status = &ted.status;
        let unseen = !ready && status.looked_at.is_none() && status.trouble.is_none();
        unseen.then(|| ted.metadata.name.clone())
    };
    let answer = Readiness {
        ready,
        sources_read: all_read(&store.sources()),
        waiting_for: store.teds().iter().filter_map(unseen).collect(),
    };
    json(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &answer)
}

pub(super) async fn metrics(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Response<Body> {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let exposition = Exposition::preferred(accept);
    let text = exposition.convert(shared.store.metrics_text(crate::clock::wall()));
    ([(CONTENT_TYPE, HeaderValue::from_static(exposition.content_type()))], text).into_response()
}

pub(super) async fn teds(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    tagged_json(&headers, &List::of(&shared.store.teds(), shared.store.freeze()))
}

pub(super) async fn ted(
    State(shared): State<Arc<Shared>>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response<Body>, Refusal> {
    let name = named(name)?;
    let ted = shared.store.ted(&name).ok_or_else(|| Refusal::no_such_ted(&name))?;
    Ok(tagged_json(&headers, &*ted))
}

pub(super) async fn events(
    State(shared): State<Arc<Shared>>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response<Body>, Refusal> {
    let name = named(name)?;
    let items = shared.store.events(&name).ok_or_else(|| Refusal::no_such_ted(&name))?;
    Ok(tagged_json(&headers, &Items { items }))
}

pub(super) async fn source_list(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Response<Body> {
    tagged_json(&headers, &Items { items: shared.store.sources() })
}

pub(super) async fn freeze(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Response<Body> {
    tagged_json(&headers, &shared.store.freeze())
}
