//! The table of paths, and what every request goes through before and after.

use super::answer::{Refusal, harden};
use super::connection::Peer;
use super::{Shared, order, page, read, stream};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Response, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use std::future::ready;
use std::sync::Arc;

/// Everything that is served.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(read::health))
        .route("/readyz", get(read::ready))
        .route("/metrics", get(read::metrics))
        .route("/api/v1/teds", get(read::teds))
        .route("/api/v1/teds/{name}", get(read::ted))
        .route("/api/v1/teds/{name}/events", get(read::events))
        .route("/api/v1/teds/{name}/reconcile", post(order::reconcile))
        .route("/api/v1/sources", get(read::source_list))
        .route("/api/v1/stream", get(stream::stream))
        .route("/api/v1/freeze", get(read::freeze).post(order::freeze))
        .route("/", get(page::index));
    for file in &page::FILES {
        router = router
            .route(file.path, get(move |headers: HeaderMap| ready(page::file(file, &headers))));
    }
    router
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(Arc::clone(&shared), every_request))
        .with_state(shared)
}

async fn every_request(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.to_string());
    let checked = shared.guard.check(&method, request.uri(), request.headers());
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    harden(response.headers_mut());
    let status = response.status().as_u16();
    let path = crate::text::sanitize_to(&path, 200);
    if matches!(status, 401 | 403 | 421) {
        tracing::warn!(peer, %method, path, status, "a request was refused");
    } else {
        tracing::debug!(peer, %method, path, status, "answered");
    }
    response
}

async fn no_such_path(request: Request) -> Refusal {
    let path = crate::text::sanitize_to(request.uri().path(), 200);
    let hint = "the API is below `/api/v1/`: `teds`, `sources`, `stream`, `freeze`; beside it `/healthz`, `/readyz`, `/metrics` and the page at `/`";
    Refusal::new(StatusCode::NOT_FOUND, format!("there is nothing at `{path}`"), hint)
}

/// axum adds which methods there are, in the header `Allow`.
async fn no_such_method(method: Method) -> Refusal {
    let method = crate::text::sanitize_to(method.as_str(), 20);
    let error = format!("`{method}` is not what this path is for");
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, error, "the header `Allow` lists what is")
}
