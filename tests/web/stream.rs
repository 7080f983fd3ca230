//! Server-sent events.

use crate::client::{Events, LIMIT};
use crate::fleet::{blocked, settled};
use crate::server::{Server, source};
use ted_controller::clock;
use ted_controller::desired::Name;
use ted_controller::report::{Event, EventKind};

/// The three that a stream begins with.
async fn greeting(events: &mut Events) -> serde_json::Value {
    let list = events.expect("list").await;
    events.expect("sources").await;
    assert_eq!(events.expect("daemon").await["version"], "1.2.3");
    list
}

#[tokio::test]
async fn everything_comes_first_and_then_what_changes() {
    let server = Server::start().await;
    let curie = settled("curie").await;
    curie.record(&server.store, None);
    let mut events = Events::open(&server.client).await;
    let list = greeting(&mut events).await;
    assert_eq!(list, server.get("/api/v1/teds").await.json(), "as the list has it");

    blocked("einstein").await.record(&server.store, None);
    // Its document came into force, and then it was looked at.
    assert_eq!(events.expect("ted").await["status"]["phase"], serde_json::Value::Null);
    let einstein = events.expect("ted").await;
    assert_eq!(einstein, server.get("/api/v1/teds/einstein").await.json(), "as it is asked for");
    loop {
        // What follows from a look is told: conditions that flipped, findings that are new.
        let (name, data) = events.next().await.unwrap();
        assert_eq!((name.as_str(), &data["name"]), ("happened", &"einstein".into()));
        if data["event"]["message"].as_str().unwrap().contains("drift/")
            || data["event"]["type"] == "Warning"
        {
            break;
        }
    }
    let mut events = Events::open(&server.client).await;
    greeting(&mut events).await;
    let now = clock::wall();
    server.store.happened(&curie.desired.name, Event::new(now, EventKind::Normal, "Tried", "x"));
    assert_eq!(events.expect("happened").await["event"]["reason"], "Tried");
    server.store.set_freeze(true, Some("audit"), now);
    assert_eq!(events.expect("freeze").await["reason"], "audit");
    server.store.set_source(source(&[("a.yaml", "engine: nonsense\n")]));
    assert_eq!(events.expect("sources").await["items"][0]["files"][0]["valid"], false);
    server.store.forget(&Name::parse("curie").unwrap());
    assert_eq!(events.expect("gone").await["name"], "curie");
}

#[tokio::test]
async fn who_falls_behind_is_sent_the_whole_list_again() {
    let server = Server::start().await;
    let curie = settled("curie").await;
    curie.record(&server.store, None);
    let mut events = Events::open(&server.client).await;
    greeting(&mut events).await;
    // More than any buffer on the way holds: the connection stands still, and changes go on.
    let long = "x".repeat(900);
    let mut told = 0;
    while told < 60_000 {
        for _ in 0..500 {
            let event =
                Event::new(clock::wall(), EventKind::Normal, "Tried", format!("{told} {long}"));
            server.store.happened(&curie.desired.name, event);
            told += 1;
        }
        tokio::task::yield_now().await;
    }
    server.store.set_freeze(true, Some("the last word"), clock::wall());
    let mut seen = 0;
    let list = loop {
        let (name, data) = events.next().await.unwrap();
        match name.as_str() {
            "happened" => seen += 1,
            "list" => break data,
            _ => {}
        }
    };
    assert!(seen < told, "{seen} of {told}");
    assert_eq!(list["items"][0]["metadata"]["name"], "curie");
    // Nothing is missed in the end.
    let mut frozen = list["freeze"]["frozen"] == true;
    while !frozen {
        let (name, data) = events.next().await.unwrap();
        frozen = match name.as_str() {
            "list" => data["freeze"]["frozen"] == true,
            "freeze" => data["frozen"] == true,
            _ => false,
        };
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_silent_says_so_now_and_then() {
    let server = Server::start().await;
    let mut events = Events::open(&server.client).await;
    greeting(&mut events).await;
    let began = clock::now();
    assert_eq!(events.expect("daemon").await["healthy"], true);
    let waited = began.elapsed().as_secs();
    assert!((14..=16).contains(&waited), "{waited}");
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let server = Server::start().await;
    let mut events = Events::open(&server.client).await;
    greeting(&mut events).await;
    server.stop.cancel();
    assert!(events.next().await.is_none(), "ended, not broken off");
    tokio::time::timeout(LIMIT, server.end()).await.unwrap();
}

#[tokio::test]
async fn there_are_only_so_many_streams_and_a_closed_one_makes_room() {
    let server = Server::start().await;
    let mut open = Vec::new();
    loop {
        let response = server.client.open("GET", "/api/v1/stream", &[], "").await;
        match response.status().as_u16() {
            200 => open.push(response),
            503 => break,
            status => panic!("{status}"),
        }
        assert!(open.len() <= 64);
    }
    assert_eq!(open.len(), 64);
    assert_eq!(server.get("/healthz").await.status, 200, "others are served");
    open.truncate(10);
    let again = async {
        while server.client.open("GET", "/api/v1/stream", &[], "").await.status() != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, again).await.unwrap();
}
