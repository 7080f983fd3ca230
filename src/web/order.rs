//! What the loop is asked for: look at a TED now, stop or allow starts. Everything else is the document's to say.

use super::Shared;
use super::answer::{Refusal, json};
use super::connection::Peer;
use super::read::named;
use crate::report::commands::{Command, Refused};
use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How large an order's body may be. A reason is cut at 1,000 characters anyway.
const MAX_BODY: usize = 16 * 1024;

/// How much of a body that is too large is read all the same: a client that is cut off while it sends may never see why.
const MAX_DRAIN: usize = 1024 * 1024;

/// How long a body may take.
const BODY_LIMIT: Duration = Duration::from_secs(10);

/// How long the loop may take to take up an order. It does so between two rounds, which do not wait for AWS.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How long the token of a request may be. Ours have 32 characters.
const MAX_TOKEN_CHARS: usize = 128;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ReconcileOrder {
    retry: bool,
    token: Option<String>,
}

#[derive(Debug, Serialize)]
struct Accepted {
    token: String,
}

/// Looks at a TED now; `status.lastHandledReconcile` shows the token that is answered once that is done.
pub(super) async fn reconcile(
    State(shared): State<Arc<Shared>>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response<Body>, Refusal> {
    let peer = peer(&request);
    let order: Option<ReconcileOrder> = read(&shared, request).await?;
    let name = named(name)?;
    let ReconcileOrder { retry, token } = order.unwrap_or_default();
    let token = token.map_or_else(|| Ok(new_token()), checked_token)?;
    let command = Command::Reconcile { name: name.clone(), token: token.clone(), retry };
    hand_over(&shared, command).await?;
    tracing::info!(peer, ted = name, retry, token, "asked to look now");
    Ok(json(StatusCode::ACCEPTED, &Accepted { token }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FreezeOrder {
    frozen: bool,
    #[serde(default)]
    reason: Option<String>,
}

/// Stops every start, or allows them again, and answers how it is then.
pub(super) async fn freeze(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response<Body>, Refusal> {
    let peer = peer(&request);
    let order: Option<FreezeOrder> = read(&shared, request).await?;
    let FreezeOrder { frozen, reason } = order.ok_or_else(|| bad_body("there is none"))?;
    let reason =
        reason.map(|reason| crate::text::sanitize(&reason)).filter(|reason| !reason.is_empty());
    let command = Command::Freeze { on: frozen, reason: reason.clone() };
    hand_over(&shared, command).await?;
    tracing::info!(peer, frozen, reason, "asked to stop or allow starts");
    Ok(json(StatusCode::OK, &shared.store.freeze()))
}

/// The body of an order that may be given; `None` when there is none.
async fn read<T: DeserializeOwned>(
    shared: &Shared,
    request: Request,
) -> Result<Option<T>, Refusal> {
    shared.guard.check_order(request.headers())?;
    let collected = tokio::time::timeout(BODY_LIMIT, collect(request.into_body())).await;
    let late = |_| {
        let error = format!("the body did not come within {} seconds", BODY_LIMIT.as_secs());
        Refusal::new(StatusCode::REQUEST_TIMEOUT, error, "")
    };
    let body = collected.map_err(late)??;
    match body.trim_ascii().first() {
        None => return Ok(None),
        Some(b'{') => {}
        // serde would take a list for an object's values in their order.
        Some(_) => return Err(bad_body("it is no object")),
    }
    serde_json::from_slice(&body).map(Some).map_err(|error| bad_body(&error.to_string()))
}

async fn collect(mut body: Body) -> Result<Bytes, Refusal> {
    let mut collected = Vec::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let cut_off = |_| Refusal::new(StatusCode::BAD_REQUEST, "the body broke off", "");
        let Ok(data) = frame.map_err(cut_off)?.into_data() else { continue };
        seen += data.len();
        if seen <= MAX_BODY {
            collected.extend_from_slice(&data);
        } else if seen > MAX_DRAIN {
            break;
        }
    }
    if seen > MAX_BODY {
        let error = format!("the body is larger than {MAX_BODY} bytes");
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error, ""));
    }
    Ok(collected.into())
}

fn bad_body(why: &str) -> Refusal {
    let error = format!("the body is not what is expected: {}", crate::text::sanitize_to(why, 300));
    let hint = r#"`{"retry": true, "token": "…"}`, both optional, to reconcile; `{"frozen": true, "reason": "…"}` to freeze"#;
    Refusal::new(StatusCode::BAD_REQUEST, error, hint)
}

/// A token that comes back in a status as it was sent.
fn checked_token(token: String) -> Result<String, Refusal> {
    let is_plain = token.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain && (1..=MAX_TOKEN_CHARS).contains(&token.len()) {
        return Ok(token);
    }
    let error =
        format!("`token` is 1 to {MAX_TOKEN_CHARS} printable ASCII characters without blanks");
    Err(Refusal::new(StatusCode::BAD_REQUEST, error, "leave it out, and one is made"))
}

/// A token that no other request of this controller has: the time, and a number for those of one instant.
fn new_token() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{}-{number}", crate::clock::wall().strftime("%Y%m%dT%H%M%S%.6fZ"))
}

async fn hand_over(shared: &Shared, command: Command) -> Result<(), Refusal> {
    let answer = tokio::time::timeout(ANSWER_LIMIT, shared.commands.send(command)).await;
    let unavailable =
        |error: String, hint| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error, hint);
    match answer {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Refused::NoSuchTed(name))) => Err(Refusal::no_such_ted(&name)),
        Ok(Err(busy @ Refused::Busy)) => {
            Err(unavailable(busy.to_string(), "try again in a moment"))
        }
        Err(_) => Err(unavailable(
            "the controller did not take it up in time; it may still do so".to_owned(),
            "asking again does no harm; `GET /healthz` says whether the loop is alive",
        )),
    }
}

fn peer(request: &Request) -> Option<String> {
    request.extensions().get::<Peer>().map(|peer| peer.0.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_plain_and_our_own_never_repeat() {
        for (token, taken, why) in [
            ("now-1", true, "plain"),
            (&"x".repeat(MAX_TOKEN_CHARS), true, "just short enough"),
            (&"x".repeat(MAX_TOKEN_CHARS + 1), false, "too long"),
            ("", false, "nothing"),
            ("a b", false, "a blank"),
            ("a\u{1b}[0m", false, "an escape"),
            ("é", false, "no ASCII"),
        ] {
            assert_eq!(checked_token(token.to_owned()).is_ok(), taken, "{why}: {token:?}");
        }
        let (one, other) = (new_token(), new_token());
        assert_ne!(one, other);
        assert_eq!(checked_token(one.clone()), Ok(one));
    }
}
