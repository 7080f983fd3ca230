//! What is read: every path, its shape and its code.

use crate::fleet::{blocked, settled};
use crate::server::{Server, source};
use std::time::Duration;
use ted_controller::clock;
use ted_controller::desired::Name;
use ted_controller::report::{Event, EventKind, Memory, Store};

#[tokio::test]
async fn the_list_is_every_document_with_its_status() {
    let server = Server::start().await;
    assert_eq!(server.get("/api/v1/teds").await.json()["items"], serde_json::json!([]));
    blocked("einstein").await.record(&server.store, None);
    settled("curie").await.record(&server.store, None);
    let list = server.get("/api/v1/teds").await;
    assert_eq!((list.status, list.header("content-type")), (200, "application/json"));
    let list = list.json();
    assert_eq!(list["freeze"]["frozen"], false);
    let items = list["items"].as_array().unwrap();
    let names: Vec<_> = items.iter().map(|item| item["metadata"]["name"].as_str()).collect();
    assert_eq!(names, [Some("curie"), Some("einstein")]);
    for item in items {
        assert_eq!(item["apiVersion"], "ted-controller.dev/v1alpha1");
        assert_eq!(item["kind"], "TurbotEnterpriseDatabase");
        assert_eq!(item["status"]["conditions"].as_array().unwrap().len(), 6);
    }
    let einstein = &items[1];
    assert_eq!(einstein["status"]["phase"], "Blocked");
    assert_eq!(einstein["status"]["actual"]["engine"], "redis");
    let codes: Vec<_> =
        einstein["status"]["findings"].as_array().unwrap().iter().map(|f| &f["code"]).collect();
    assert!(codes.iter().any(|code| *code == "drift/cache-engine"), "{codes:?}");

    let one = server.get("/api/v1/teds/einstein").await;
    assert_eq!(one.json(), *einstein, "one TED is as the list has it");
}

#[tokio::test]
async fn names_are_percent_encoded_and_unknown_ones_are_told() {
    let server = Server::start().await;
    settled("curie").await.record(&server.store, None);
    for (path, wanted, why) in [
        ("/api/v1/teds/curie", 200, "plain"),
        ("/api/v1/teds/%63urie", 200, "the same, encoded"),
        ("/api/v1/teds/curie/events", 200, "its events"),
        ("/api/v1/teds/%63urie/events", 200, "its events, encoded"),
        ("/api/v1/teds/Curie", 404, "names have case"),
        ("/api/v1/teds/curie%2Fevents", 404, "a slash that is none"),
        ("/api/v1/teds/nobody/events", 404, "nobody"),
        ("/api/v1/teds/..%2f..%2fetc%2fpasswd", 404, "there are no files here"),
        ("/api/v1/teds/%3Cscript%3E%1b%5B31m%0a", 404, "hostile"),
        ("/api/v1/teds/%ff", 400, "no UTF-8"),
        ("/api/v1/teds/", 404, "no name"),
        ("/api/v1", 404, "nothing there"),
        ("/api/v2/teds", 404, "nothing there"),
        ("/page/../main.js", 404, "nothing there"),
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, wanted, "{why}: {path}: {}", answer.text);
        if wanted != 200 {
            let (_, error) = answer.error();
            assert!(!error.contains(char::is_control) && !error.contains("\\u"), "{why}: {error}");
        }
    }
    let (_, error) = server.get("/api/v1/teds/%1b%5B31mx%0ay").await.error();
    assert_eq!(error, "there is no TED `x y`");
}

#[tokio::test]
async fn events_are_told_newest_first() {
    let server = Server::start().await;
    let found = settled("curie").await;
    found.record(&server.store, None);
    let event = |reason| Event::new(clock::wall(), EventKind::Warning, reason, "a\n\u{1b}[31mb");
    server.store.happened(&found.desired.name, event("First"));
    server.store.happened(&found.desired.name, event("Second"));
    let events = server.get("/api/v1/teds/curie/events").await.json();
    assert_eq!(events["items"][0]["reason"], "Second");
    assert_eq!(events["items"][1]["reason"], "First");
    assert_eq!(events["items"][1]["message"], "a b");
    assert_eq!(events["items"][1]["type"], "Warning");
}

#[tokio::test]
async fn sources_tell_which_files_are_not_in_force_and_why() {
    let server = Server::start().await;
    assert_eq!(server.get("/api/v1/sources").await.json()["items"], serde_json::json!([]));
    server.store.set_source(source(&[
        ("teds/curie.yaml", "engine: redis\nversion: \"7.1\"\n"),
        ("teds/einstein.yaml", "engine: valkei\nversion: \"8.0\"\n"),
    ]));
    let sources = server.get("/api/v1/sources").await.json();
    let files = &sources["items"][0]["files"];
    assert_eq!((&files[0]["valid"], &files[1]["valid"]), (&true.into(), &false.into()));
    let problem = &files[1]["problems"][0];
    assert_eq!(problem["location"]["line"], 1);
    assert!(problem["hint"].as_str().unwrap().contains("valkey"), "{problem}");
}

#[tokio::test]
async fn health_is_the_age_of_the_loop_and_not_that_of_the_process() {
    let now = clock::wall();
    for (age, status, why) in [
        (Duration::ZERO, 200, "just started"),
        (Duration::from_secs(50), 200, "starting takes its time"),
        (Duration::from_mins(6), 503, "the loop never came up"),
    ] {
        let store = Store::new(Memory::default(), now.checked_sub(age).unwrap());
        let server = Server::of(store, "127.0.0.1:0", None).await;
        let health = server.get("/healthz").await;
        assert_eq!(health.status, status, "{why}");
        assert_eq!(health.json()["healthy"], status == 200);
        assert_eq!(health.json()["limitSeconds"], 300);
        assert_eq!(health.json()["version"], "1.2.3");
        server.store.idle(clock::wall());
        assert_eq!(server.get("/healthz").await.status, 200, "{why}: it gave a sign of life");
    }
}

#[tokio::test]
async fn ready_is_when_every_ted_had_its_first_look() {
    let server = Server::start().await;
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, 503, "no source was read");
    assert_eq!(ready.json()["sourcesRead"], false);
    server.store.set_source(source(&[]));
    let (curie, einstein) = (settled("curie").await, blocked("einstein").await);
    server.store.put_document(&curie.desired, clock::wall());
    server.store.put_document(&einstein.desired, clock::wall());
    curie.record(&server.store, None);
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, 503, "one of two");
    assert_eq!(ready.json()["waitingFor"], serde_json::json!(["einstein"]));
    einstein.record(&server.store, None);
    let ready = server.get("/readyz").await;
    assert_eq!((ready.status, ready.json()["ready"].clone()), (200, true.into()));
    server.store.put_document(&blocked("newton").await.desired, clock::wall());
    assert_eq!(server.get("/readyz").await.status, 200, "a new TED makes it no less ready");
}

#[tokio::test]
async fn metrics_are_in_the_form_that_is_asked_for() {
    let server = Server::start().await;
    settled("curie").await.record(&server.store, None);
    let open = server.get("/metrics").await;
    assert!(open.header("content-type").starts_with("application/openmetrics-text"));
    assert!(open.text.ends_with("# EOF\n"), "{}", open.text);
    let ready = r#"ted_controller_condition{name="curie",type="Ready",status="True"} 1"#;
    assert!(open.text.contains(ready), "{}", open.text);
    let text = server.client.send("GET", "/metrics", &[("accept", "text/plain")], "").await;
    assert_eq!(text.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(text.text.contains("# TYPE ted_controller_reconcile_total counter\n"));
    assert!(text.text.contains(ready) && !text.text.contains("# EOF"));
}

#[tokio::test]
async fn what_is_known_already_is_not_sent_again() {
    let server = Server::start().await;
    let found = settled("curie").await;
    found.record(&server.store, None);
    for path in [
        "/api/v1/teds",
        "/api/v1/teds/curie",
        "/api/v1/teds/curie/events",
        "/api/v1/sources",
        "/page/main.js",
        "/page/style.css",
    ] {
        let first = server.get(path).await;
        let tag = first.header("etag").to_owned();
        let known = [("if-none-match", tag.as_str())];
        let again = server.client.send("GET", path, &known, "").await;
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{path}");
        assert_eq!(again.header("etag"), tag, "{path}");
        let head = server.client.send("HEAD", path, &[], "").await;
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
    }
    let tag = server.get("/api/v1/teds").await.header("etag").to_owned();
    server.store.forget(&Name::parse("curie").unwrap());
    let known = [("if-none-match", tag.as_str())];
    assert_eq!(server.client.send("GET", "/api/v1/teds", &known, "").await.status, 200);
}
