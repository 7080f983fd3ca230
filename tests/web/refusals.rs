//! What is refused, and how: hosts, pages, methods, forms, sizes. The rules themselves are tried case by case beside the code.

use crate::client::Raw;
use crate::fleet::settled;
use crate::server::Server;

/// The status of the answer to a request that no ordinary client sends.
async fn raw(server: &Server, request: &str) -> String {
    let mut raw = Raw::open(server.address).await;
    raw.send(request).await;
    let answer = raw.rest().await;
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_host_that_is_not_ours_is_refused_on_every_path() {
    let server = Server::start().await;
    for path in
        ["/", "/healthz", "/metrics", "/api/v1/teds", "/api/v1/stream", "/page/main.js", "/x"]
    {
        let answer = server.client.send("GET", path, &[("host", "evil.example")], "").await;
        let (status, error) = answer.error();
        assert_eq!((status, error.as_str()), (421, "this is not `evil.example`"), "{path}");
    }
    for host in ["localhost:1234", "ted.example.com", "[::1]", "10.1.2.3:80"] {
        let answer = server.client.send("GET", "/healthz", &[("host", host)], "").await;
        assert_eq!(answer.status, 200, "{host}");
    }
}

#[tokio::test]
async fn requests_without_a_sound_host_are_refused() {
    let server = Server::start().await;
    for (request, wanted, why) in [
        ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "400", "no host"),
        ("GET / HTTP/1.0\r\n\r\n", "400", "HTTP/1.0 without a host"),
        ("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", "200", "HTTP/1.0"),
        (
            "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
            "400",
            "two hosts",
        ),
        (
            "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            "400",
            "another host in the request line",
        ),
        (
            "GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            "200",
            "the same host in the request line",
        ),
        (
            "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nConnection: close\r\n\r\n",
            "421",
            "no proxy",
        ),
        (
            "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            "404",
            "the server as a whole",
        ),
        ("\u{16}\u{3}\u{1}\u{2}\r\n\r\n", "400", "TLS"),
        ("GET /\u{1} HTTP/1.1\r\nHost: localhost\r\n\r\n", "400", "a path that is none"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", "HTTP/2 is not spoken here"),
    ] {
        assert_eq!(raw(&server, request).await, wanted, "{why}");
    }
}

#[tokio::test]
async fn another_sites_page_gets_nothing() {
    let server = Server::start().await;
    settled("curie").await.record(&server.store, None);
    let json = ("content-type", "application/json");
    for (method, path) in [
        ("POST", "/api/v1/teds/curie/reconcile"),
        ("POST", "/api/v1/freeze"),
        ("GET", "/api/v1/teds"),
        ("GET", "/api/v1/stream"),
        ("OPTIONS", "/api/v1/freeze"),
    ] {
        let headers = [json, ("origin", "https://evil.example")];
        let answer = server.client.send(method, path, &headers, "").await;
        assert_eq!(answer.error().0, 403, "{method} {path}");
        let allows = answer.headers.keys().any(|name| name.as_str().starts_with("access-control"));
        assert!(!allows, "{method} {path}: nothing allows another origin anything");
    }
    // What a page may send anywhere without asking.
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let headers = [("content-type", content_type)];
        let answer =
            server.client.send("POST", "/api/v1/freeze", &headers, r#"{"frozen": true}"#).await;
        assert_eq!(answer.error().0, 415, "{content_type}");
    }
    assert_eq!(server.client.send("POST", "/api/v1/freeze", &[], "").await.error().0, 415);
    assert!(!server.store.freeze().frozen);
}

#[tokio::test]
async fn our_own_page_may_give_orders() {
    let server = Server::start().await;
    let origin = format!("http://{}", server.address);
    let headers = [
        ("content-type", "application/json"),
        ("origin", origin.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    let body = r#"{"frozen": true}"#;
    assert_eq!(server.client.send("POST", "/api/v1/freeze", &headers, body).await.status, 200);
}

#[tokio::test]
async fn beyond_loopback_without_a_token_there_are_reads_only() {
    let server = Server::with("0.0.0.0:0", None).await;
    let answer = server.post("/api/v1/freeze", r#"{"frozen": true}"#).await;
    let (status, error) = answer.error();
    assert_eq!(status, 403, "{error}");
    assert!(
        answer.json()["hint"].as_str().unwrap().contains("`server.tokenFile`"),
        "{}",
        answer.text
    );
    assert_eq!(server.get("/api/v1/teds").await.status, 200);
    assert_eq!(server.get("/healthz").await.json()["orders"], "off");
    assert!(!server.store.freeze().frozen);
}

#[tokio::test]
async fn methods_that_a_path_is_not_for_are_told_which_are() {
    let server = Server::start().await;
    for (method, path, allow) in [
        ("POST", "/api/v1/teds", "GET,HEAD"),
        ("DELETE", "/api/v1/teds/curie", "GET,HEAD"),
        ("GET", "/api/v1/teds/curie/reconcile", "POST"),
        ("PUT", "/api/v1/freeze", "GET,HEAD,POST"),
        ("PATCH", "/", "GET,HEAD"),
        ("OPTIONS", "/api/v1/teds", "GET,HEAD"),
        ("TRACE", "/healthz", "GET,HEAD"),
        ("BREW", "/metrics", "GET,HEAD"),
    ] {
        let answer = server.client.send(method, path, &[], "").await;
        assert_eq!(answer.error().0, 405, "{method} {path}");
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
    }
}

#[tokio::test]
async fn every_answer_keeps_browsers_from_doing_more_than_asked() {
    let server = Server::start().await;
    for path in ["/", "/healthz", "/metrics", "/api/v1/teds", "/page/style.css", "/nowhere"] {
        let answer = server.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
            "{path}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
        let kept = if path == "/page/style.css" { "no-cache" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), kept, "{path}");
        assert!(!answer.header("content-type").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn bodies_are_bounded() {
    let server = Server::start().await;
    let large = " ".repeat(17 * 1024);
    assert_eq!(server.post("/api/v1/freeze", &large).await.error().0, 413);
    let huge = " ".repeat(900 * 1024);
    let (status, error) = server.post("/api/v1/freeze", &huge).await.error();
    assert_eq!((status, error.as_str()), (413, "the body is larger than 16384 bytes"));

    // One that never ends is not read to its end.
    let mut raw = Raw::open(server.address).await;
    raw.send("POST /api/v1/freeze HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    for _ in 0..20 {
        if tokio::io::AsyncWriteExt::write_all(&mut raw.0, chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    let answer = raw.rest().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn heads_are_bounded() {
    let server = Server::start().await;
    let large =
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(20 * 1024));
    assert_eq!(raw(&server, &large).await, "431");
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: y\r\n".repeat(100));
    assert_eq!(raw(&server, &many).await, "431");
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(70_000));
    let status = raw(&server, &long).await;
    assert!(status == "414" || status == "431", "{status}");
}
