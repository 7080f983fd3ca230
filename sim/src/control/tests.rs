//! The control API, as a person with curl meets it.

use super::*;

fn sim() -> Sim {
    Sim::start(&Scenario::named("default").unwrap(), 0.0).unwrap()
}

fn ask(sim: &Sim, method: &str, path: &str, body: &str) -> (u16, Value) {
    let request =
        Request::builder().method(method).uri(path).body(Bytes::from(body.to_owned())).unwrap();
    let response = answer(sim, &request);
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}

#[test]
fn bad_input_is_told_what_is_wrong_with_it() {
    let sim = sim();
    for (method, path, body, status, reason) in [
        ("GET", "/_sim/lgo", "", 404, "there is no /_sim/lgo; did you mean /_sim/log?"),
        ("PUT", "/_sim/log", "", 405, "PUT is not a method of /_sim/log"),
        ("GET", "/_sim/log?sins=3", "", 400, "unknown filter `sins`"),
        ("GET", "/_sim/log?since=x", "", 400, "`since` is `x`"),
        ("GET", "/_sim/log?effect=maybe", "", 400, "unknown variant `maybe`"),
        ("POST", "/_sim/clock", "", 400, "nothing to change"),
        ("POST", "/_sim/clock", r#"{"advance": "soon"}"#, 400, "`soon` is not a duration"),
        ("POST", "/_sim/clock", r#"{"speed": -1}"#, 400, "`speed` is -1"),
        ("POST", "/_sim/clock", "{", 400, "EOF while parsing"),
        ("POST", "/_sim/faults", r#"{"fault": "nope"}"#, 400, "unknown variant `nope`"),
        (
            "POST",
            "/_sim/faults",
            r#"{"operation": "AssumeRoll", "fault": "drop"}"#,
            400,
            "did you mean `AssumeRole`?",
        ),
        ("DELETE", "/_sim/faults?id=7", "", 404, "there is no fault 7"),
        ("PATCH", "/_sim/options", r#"{"pageSice": 1}"#, 400, "did you mean `pageSize`?"),
        ("PATCH", "/_sim/options", r#"{"pageSize": "x"}"#, 400, "invalid type"),
        ("POST", "/_sim/actions", r#"{"explode": {}}"#, 400, "unknown variant `explode`"),
        (
            "POST",
            "/_sim/actions",
            r#"{"stack-update": {"stack": "SC-none", "parameters": {}}}"#,
            409,
            "there is no stack `SC-none`",
        ),
        ("POST", "/_sim/reset", r#"{"scenario": "fleat"}"#, 400, "did you mean `fleet`?"),
        ("POST", "/_sim/reset", r#"{"scenario": "/etc/passwd"}"#, 400, "there is no scenario"),
    ] {
        let (found, answer) = ask(&sim, method, path, body);
        let told = answer["error"].as_str().unwrap_or_default();
        assert!(found == status && told.contains(reason), "{method} {path} {body}: {found} {told}");
    }
}

#[test]
fn the_clock_is_moved() {
    let sim = sim();
    let (status, clock) = ask(&sim, "POST", "/_sim/clock", r#"{"advance": "10m", "speed": 0}"#);
    assert_eq!(
        (status, &clock["now"], &clock["sinceStart"]),
        (200, &json!("2026-08-01T10:10:00.000Z"), &json!(600.0))
    );
}

#[test]
fn faults_come_and_go_one_by_one() {
    let sim = sim();
    let (_, added) = ask(
        &sim,
        "POST",
        "/_sim/faults",
        r#"{"faults": [{"fault": "drop"}, {"nth": 2, "fault": {"latency": "1s..2s"}}]}"#,
    );
    assert_eq!(added, json!({"ids": [1, 2]}));
    assert_eq!(ask(&sim, "DELETE", "/_sim/faults?id=1", "").0, 200);
    let (_, left) = ask(&sim, "GET", "/_sim/faults", "");
    assert_eq!(
        left,
        json!({"faults": [{"id": 2, "matched": 0, "struck": 0, "rule": {"nth": 2, "fault": {"latency": "1s..2s"}}}]})
    );
    ask(&sim, "DELETE", "/_sim/faults", "");
    assert_eq!(ask(&sim, "GET", "/_sim/faults", "").1, json!({"faults": []}));
}

#[test]
fn options_change_one_by_one() {
    let sim = sim();
    let (status, options) =
        ask(&sim, "PATCH", "/_sim/options", r#"{"pageSize": 2, "searchLag": "5s"}"#);
    assert_eq!(
        (status, &options["pageSize"], &options["searchLag"]),
        (200, &json!(2), &json!(5.0))
    );
    assert_eq!(ask(&sim, "GET", "/_sim/options", "").1, options);
}

#[test]
fn a_reset_begins_again() {
    let sim = sim();
    sim.clock().advance(Duration::from_mins(10));
    ask(&sim, "POST", "/_sim/faults", r#"{"fault": "drop"}"#);
    let (status, begun) =
        ask(&sim, "POST", "/_sim/reset", r#"{"scenario": "throttled", "seed": "another"}"#);
    assert_eq!(
        (status, begun),
        (200, json!({"scenario": "throttled", "time": "2026-08-01T10:00:00.000Z"}))
    );
    assert_eq!(ask(&sim, "GET", "/_sim/world", "").1["seed"], "another");
    assert_eq!(ask(&sim, "GET", "/_sim/faults", "").1["faults"].as_array().unwrap().len(), 1);
    assert_eq!(ask(&sim, "GET", "/_sim/health", "").1["scenario"], "throttled");
}

#[test]
fn the_table_of_operations_has_members_and_limits() {
    let (_, table) = ask(&sim(), "GET", "/_sim/operations", "");
    let rows = table["operations"].as_array().unwrap();
    let assume = rows.iter().find(|row| row["operation"] == "AssumeRole").unwrap();
    assert_eq!(
        assume["input"]["DurationSeconds"],
        json!({"type": "integer", "min": 900, "max": 43200, "required": false})
    );
    assert_eq!(
        (&assume["effect"], &assume["service"], &assume["protocol"]),
        (&json!("write"), &json!("sts"), &json!("query"))
    );
}

#[test]
fn no_web_page_reaches_it_through_a_browser() {
    let sim = sim();
    for (host, origin, allowed) in [
        (Some("127.0.0.1:4566"), None, true),
        (Some("localhost"), Some("http://localhost:4566"), true),
        (Some("[::1]:4566"), None, true),
        (Some("evil.example"), None, false),
        (Some("127.0.0.1.evil.example"), None, false),
        (Some("localhost"), Some("https://evil.example"), false),
        (Some("localhost"), Some("null"), false),
        (None, None, false),
    ] {
        let mut request = Request::builder().uri("/_sim/health").extension(LoopbackOnly);
        for (name, value) in [("host", host), ("origin", origin)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let status = answer(&sim, &request.body(Bytes::new()).unwrap()).status();
        assert_eq!(status == StatusCode::OK, allowed, "{host:?} {origin:?}");
    }
}

#[test]
fn the_view_of_the_world_shows_what_matters_and_no_secret() {
    let sim = sim();
    let (_, world) = ask(&sim, "GET", "/_sim/world", "");
    let home = &world["scopes"][0];
    assert_eq!((&home["account"], &home["region"]), (&json!("111122223333"), &json!("us-east-2")));
    let ted = &home["products"]["provisioned"]["ted-einstein"];
    assert_eq!(
        (&ted["status"], &ted["version"], &ted["lastRecord"]["status"]),
        (&json!("AVAILABLE"), &json!("v1.44.0"), &json!("SUCCEEDED"))
    );
    let cache = &home["caches"]["turbot-einstein-cache-cluster"];
    assert_eq!(
        (&cache["engine"], &cache["version"], &cache["status"]),
        (&json!("redis"), &json!("7.1.0"), &json!("available"))
    );
    let database = &home["databases"]["turbot-einstein"];
    assert_eq!(
        (&database["status"], &database["storage"]["gib"]),
        (&json!("available"), &json!(200))
    );
    let triggers = home["triggers"].as_object().unwrap();
    assert!(
        triggers.values().any(|trigger| trigger["function"] == "turbot_5_39_12_worker"
            && trigger["state"] == "Enabled"
            && !trigger["runs"].as_array().unwrap().is_empty()),
        "{triggers:?}"
    );
    assert!(
        !home["queues"].as_object().unwrap().is_empty() && home["functions"].as_u64() > Some(6)
    );
    assert!(!world.to_string().contains("correct-horse"), "a secret is shown");
}
