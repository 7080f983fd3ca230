//! What is asked for: look now, freeze.

use crate::client::Client;
use crate::fleet::settled;
use crate::server::{Server, TOKEN};
use std::sync::Arc;
use ted_controller::clock;
use ted_controller::report::commands::{self, Command};
use ted_controller::report::{Memory, Store};
use ted_controller::web::{Site, serve};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const RECONCILE: &str = "/api/v1/teds/curie/reconcile";

async fn with_curie() -> Server {
    let server = Server::start().await;
    settled("curie").await.record(&server.store, None);
    server
}

#[tokio::test]
async fn a_look_is_asked_for_and_known_by_its_token() {
    let mut server = with_curie().await;
    let answer = server.post(RECONCILE, r#"{"retry": true, "token": "now-1"}"#).await;
    assert_eq!((answer.status, answer.json()), (202, serde_json::json!({"token": "now-1"})));
    let asked = server.asked.recv().await.unwrap();
    let wanted =
        Command::Reconcile { name: "curie".to_owned(), token: "now-1".to_owned(), retry: true };
    assert_eq!(asked, wanted);

    // A token of ours, when none is sent; with a body that says nothing, and without one.
    let mut tokens = Vec::new();
    for body in ["{}", "", " \n"] {
        let answer = server.post(RECONCILE, body).await;
        assert_eq!(answer.status, 202, "{body:?}");
        let Command::Reconcile { token, retry: false, .. } = server.asked.recv().await.unwrap()
        else {
            panic!("another order")
        };
        assert_eq!(answer.json()["token"], token.as_str());
        tokens.push(token);
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 3, "each is another one");

    // Without a body, a header that no form can have says that it is an order.
    let answer = server.client.send("POST", RECONCILE, &[("x-ted-controller", "1")], "").await;
    assert_eq!(answer.status, 202);
    settled("curie").await.record(&server.store, Some("now-1"));
    let ted = server.get("/api/v1/teds/curie").await.json();
    assert_eq!(ted["status"]["lastHandledReconcile"], "now-1");
}

#[tokio::test]
async fn starts_are_stopped_and_allowed_again() {
    let mut server = with_curie().await;
    let frozen = server
        .post("/api/v1/freeze", r#"{"frozen": true, "reason": "audit\u001b[31m\nweek"}"#)
        .await;
    assert_eq!(frozen.status, 200);
    let frozen = frozen.json();
    assert_eq!((&frozen["frozen"], &frozen["reason"]), (&true.into(), &"audit week".into()));
    assert!(frozen["since"].is_string());
    assert_eq!(
        server.asked.recv().await,
        Some(Command::Freeze { on: true, reason: Some("audit week".to_owned()) })
    );
    assert_eq!(server.get("/api/v1/freeze").await.json(), frozen);
    assert_eq!(server.get("/api/v1/teds").await.json()["freeze"], frozen, "shown everywhere");
    assert!(server.get("/").await.text.contains("Frozen: audit week."), "shown everywhere");

    let thawed = server.post("/api/v1/freeze", r#"{"frozen": false}"#).await.json();
    assert_eq!(thawed, serde_json::json!({"frozen": false, "reason": null, "since": null}));
    let empty = server.post("/api/v1/freeze", r#"{"frozen": true, "reason": " "}"#).await.json();
    assert_eq!(empty["reason"], serde_json::Value::Null, "a blank reason is none");
}

#[tokio::test]
async fn a_body_that_is_not_understood_changes_nothing_and_says_why() {
    let mut server = with_curie().await;
    let deep = "[".repeat(10_000);
    let freeze = "/api/v1/freeze";
    for (path, body, part, why) in [
        (RECONCILE, "{", "EOF", "cut off"),
        (RECONCILE, "[true]", "it is no object", "another shape"),
        (RECONCILE, "null", "it is no object", "nothing"),
        (RECONCILE, r#"{"retri": true}"#, "unknown field `retri`", "a slip"),
        (RECONCILE, r#"{"retry": "yes"}"#, "line 1 column", "another type"),
        (RECONCILE, r#"{"token": "a b"}"#, "`token` is 1 to 128", "a token with a blank"),
        (RECONCILE, r#"{"token": ""}"#, "`token` is 1 to 128", "no token"),
        (RECONCILE, "{\"\u{1b}[31mx\": 1}", "", "hostile"),
        (RECONCILE, deep.as_str(), "", "deep"),
        (freeze, "", "there is none", "a freeze without a word"),
        (freeze, "{}", "missing field `frozen`", "neither on nor off"),
        (freeze, r#"{"frozen": null}"#, "", "neither on nor off"),
        (freeze, r#"{"frozen": true, "until": "x"}"#, "unknown field `until`", "not known"),
    ] {
        let answer = server.post(path, body).await;
        let (status, error) = answer.error();
        assert_eq!(status, 400, "{why}: {error}");
        assert!(error.contains(part) && !error.contains(char::is_control), "{why}: {error}");
        assert!(answer.json()["hint"].is_string(), "{why}");
    }
    assert!(server.asked.try_recv().is_err(), "nothing was asked for");
    assert!(!server.store.freeze().frozen);
}

#[tokio::test]
async fn a_ted_that_is_not_there_cannot_be_looked_at() {
    let server = with_curie().await;
    let (status, error) = server.post("/api/v1/teds/nobody/reconcile", "{}").await.error();
    assert_eq!((status, error.as_str()), (404, "there is no TED `nobody`"));
    assert_eq!(server.post("/api/v1/teds/%ff/reconcile", "{}").await.error().0, 400);
}

#[tokio::test]
async fn a_loop_that_has_ended_takes_nothing_up() {
    let (commands, receiver) = commands::channel();
    drop(receiver);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::of(listener.local_addr().unwrap());
    let store = Arc::new(Store::new(Memory::default(), clock::wall()));
    let site = Site { store, commands, token: None, hosts: Vec::new(), version: "1" };
    let stop = CancellationToken::new();
    let task = tokio::spawn(serve(listener, site, stop.clone()));
    let json = [("content-type", "application/json")];
    let answer = client.send("POST", RECONCILE, &json, "{}").await;
    assert_eq!(answer.error().0, 503);
    assert_eq!(answer.header("retry-after"), "2");
    stop.cancel();
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_token_opens_what_it_should_and_shows_nowhere() {
    let server = Server::with("0.0.0.0:0", Some(TOKEN)).await;
    settled("curie").await.record(&server.store, None);
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
    let answer = server.client.send("POST", RECONCILE, &headers, "{}").await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let wrong = [("content-type", "application/json"), ("authorization", "Bearer wrong")];
    let answer = server.client.send("POST", RECONCILE, &wrong, "{}").await;
    assert_eq!(answer.error(), (401, "this is not the token".to_owned()));
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    for path in ["/", "/healthz", "/metrics", "/api/v1/teds", "/api/v1/sources"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status == 200, path != "/readyz", "{path}");
        assert!(!answer.text.contains(TOKEN), "{path}");
    }
    assert_eq!(server.get("/healthz").await.json()["orders"], "token");
}
