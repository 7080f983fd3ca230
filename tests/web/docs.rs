//! Is `docs/reference/http.md` about this server?

use crate::fleet::blocked;
use crate::server::{Server, source};
use serde_json::Value;
use ted_controller::clock;
use ted_controller::report::{Event, EventKind};

const TEXT: &str = include_str!("../../docs/reference/http.md");

#[tokio::test]
async fn every_path_in_the_reference_is_there_for_its_methods() {
    let server = Server::start().await;
    blocked("einstein").await.record(&server.store, None);
    let row = |line: &'static str| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let path = cells.next()?.split('`').nth(1).filter(|path| path.starts_with('/'))?;
        Some((path.replace("{name}", "einstein"), cells.next()?))
    };
    let rows: Vec<_> = TEXT.lines().filter_map(row).collect();
    assert_eq!(rows.len(), 11, "{rows:?}");
    for (path, methods) in rows {
        for method in methods.split(", ") {
            let body = if path.ends_with("freeze") { r#"{"frozen": false}"# } else { "" };
            let json = [("content-type", "application/json")];
            let body = if method == "POST" { body } else { "" };
            let status = server.client.open(method, &path, &json, body).await.status().as_u16();
            assert!([200, 202, 503].contains(&status), "{method} {path}: {status}");
        }
    }
}

#[tokio::test]
async fn every_field_that_is_served_is_in_the_reference() {
    let server = Server::start().await;
    let found = blocked("einstein").await;
    found.record(&server.store, None);
    let event = Event::new(clock::wall(), EventKind::Normal, "Tried", "x");
    server.store.happened(&found.desired.name, event);
    server.store.set_source(source(&[("a.yaml", "engine: valkei\nversion: x\n")]));
    for path in [
        "/healthz",
        "/readyz",
        "/api/v1/freeze",
        "/api/v1/teds",
        "/api/v1/teds/einstein/events",
        "/api/v1/sources",
    ] {
        let answer = server.get(path).await.json();
        missing(&answer, path);
    }
}

/// Fails when a field is not named. What stands in the document itself is the document's business.
fn missing(value: &Value, place: &str) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter().filter(|(name, _)| *name != "spec") {
                let own = ["apiVersion", "kind", "metadata", "name"].contains(&name.as_str());
                let named =
                    TEXT.contains(&format!("`{name}`")) || TEXT.contains(&format!("\"{name}\":"));
                assert!(own || named, "`{name}` of {place} is not in docs/reference/http.md");
                missing(value, &format!("{place} {name}"));
            }
        }
        Value::Array(items) => {
            for item in items {
                missing(item, place);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
