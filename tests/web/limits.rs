//! What a client can take of us. Time stands still here and is moved when nothing else happens, so that a limit of a minute takes none.

use crate::client::{LIMIT, Raw};
use crate::server::Server;
use std::time::Duration;
use ted_controller::clock;

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_ends_the_connection() {
    let server = Server::start().await;
    for sent in
        ["", "GET / HTTP/1.1\r\nHost: loc", "GET / HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n"]
    {
        let mut raw = Raw::open(server.address).await;
        raw.send(sent).await;
        let began = clock::now();
        let answer = raw.rest().await;
        let waited = began.elapsed();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{sent:?}: {answer}");
        assert!(waited <= Duration::from_secs(16), "{sent:?}: {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_comes_byte_by_byte_has_no_more_time() {
    let server = Server::start().await;
    let mut raw = Raw::open(server.address).await;
    let began = clock::now();
    let dripped = async {
        loop {
            if tokio::io::AsyncWriteExt::write_all(&mut raw.0, b"X").await.is_err() {
                break;
            }
            clock::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(2), dripped).await.unwrap();
    assert!(began.elapsed() <= Duration::from_secs(20), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_answered_all_the_same() {
    let server = Server::start().await;
    let mut raw = Raw::open(server.address).await;
    raw.send("POST /api/v1/freeze HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{").await;
    assert_eq!(raw.line().await, "HTTP/1.1 408 Request Timeout");
    assert!(raw.rest().await.contains("the body did not come within 10 seconds"));
    assert!(!server.store.freeze().frozen);
}

#[tokio::test]
async fn a_body_that_breaks_off_changes_nothing() {
    let server = Server::start().await;
    let mut raw = Raw::open(server.address).await;
    raw.send("POST /api/v1/freeze HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{\"frozen\": true}").await;
    drop(raw);
    assert_eq!(server.get("/healthz").await.status, 200);
    assert!(!server.store.freeze().frozen);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_left() {
    let server = Server::start().await;
    let mut raw = Raw::open(server.address).await;
    // Answers pile up until the connection takes no more.
    let request = "GET /page/style.css HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(200);
    let mut sent = 0;
    let pressed = async {
        loop {
            if tokio::io::AsyncWriteExt::write_all(&mut raw.0, request.as_bytes()).await.is_err() {
                break;
            }
            sent += 1;
        }
    };
    let began = clock::now();
    tokio::time::timeout(Duration::from_mins(5), pressed).await.unwrap();
    assert!(began.elapsed() <= Duration::from_secs(65), "{:?}", began.elapsed());
    assert_eq!(server.get("/healthz").await.status, 200, "after {sent} rounds");
}

#[tokio::test]
async fn only_so_many_connections_are_open_and_others_wait_their_turn() {
    let server = Server::start().await;
    let mut idle = Vec::new();
    for _ in 0..256 {
        let mut raw = Raw::open(server.address).await;
        raw.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert_eq!(raw.line().await, "HTTP/1.1 200 OK");
        idle.push(raw);
    }
    let mut late = Raw::open(server.address).await;
    late.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    let early = tokio::time::timeout(Duration::from_millis(200), late.line()).await;
    assert!(early.is_err(), "no place yet: {early:?}");
    idle.pop();
    let rest = tokio::time::timeout(LIMIT, late.rest()).await.unwrap();
    assert!(rest.contains("\"healthy\":true"), "{rest}");
}

#[tokio::test]
async fn an_idle_client_does_not_hold_up_the_end() {
    let server = Server::start().await;
    let mut idle = Raw::open(server.address).await;
    idle.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(idle.line().await, "HTTP/1.1 200 OK");
    let address = server.address;
    tokio::time::timeout(LIMIT, server.end()).await.unwrap();
    idle.rest().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_is_cut_off_at_the_end() {
    let server = Server::start().await;
    let mut slow = Raw::open(server.address).await;
    slow.send("POST /api/v1/freeze HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{").await;
    // It is being served: another request that came after it was.
    assert_eq!(server.get("/healthz").await.status, 200);
    let began = clock::now();
    server.stop.cancel();
    server.into_task().await.unwrap().unwrap();
    assert!(began.elapsed() <= Duration::from_secs(6), "{:?}", began.elapsed());
}
