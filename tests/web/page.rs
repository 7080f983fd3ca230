//! The page as it comes from the server, before any script. `tests/page` has it in a browser.

use crate::fleet::{blocked, settled};
use crate::server::{Server, source};

#[tokio::test]
async fn the_fleet_is_there_without_any_script() {
    let server = Server::start().await;
    assert!(server.get("/").await.text.contains("No TEDs: no valid desired document is in force."));
    settled("curie").await.record(&server.store, None);
    blocked("einstein").await.record(&server.store, None);
    let page = server.get("/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    for part in [
        "<a href=\"#/curie\">curie</a>",
        "<small>111122223333 · us-east-2</small>",
        ">redis 7.1.0</td>",
        ">UPDATE_<wbr>COMPLETE</td>",
        ">Steady</td>",
        "#i-good\"/></svg>Ready</span>",
        ">Blocked</td>",
        "#i-bad\"/></svg>Not ready: ",
        "<noscript>",
        "1.2.3",
    ] {
        assert!(page.text.contains(part), "{part} is not in {}", page.text);
    }
    assert!(!page.text.contains("{{"), "everything is filled in");
}

#[tokio::test]
async fn hostile_strings_stay_text() {
    let server = Server::start().await;
    let mut found = blocked("einstein").await;
    let hostile =
        "</td><script>alert(1)</script>\"'<img src=x onerror=alert(2)>{{fleet}}\u{1b}[31m\u{202e}";
    found.assessment.actual.stack_status = Some(hostile.to_owned());
    for condition in &mut found.assessment.conditions {
        hostile.clone_into(&mut condition.message);
        hostile.clone_into(&mut condition.reason);
    }
    found.record(&server.store, None);
    server.store.set_freeze(true, Some(hostile), ted_controller::clock::wall());
    server.store.set_source(source(&[("<script>alert(3)</script>.yaml", "engine: x\n")]));
    let page = server.get("/").await.text;
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
    for markup in ["<script>alert", "<img src=x", "\u{1b}", "\u{202e}"] {
        assert!(!page.contains(markup), "{markup:?} in {page}");
    }
    assert_eq!(page.matches("<script").count(), 1, "our own");
    let list = server.get("/api/v1/teds").await;
    assert!(!list.text.contains('\u{1b}') && !list.text.contains("\\u001b"), "{}", list.text);
}

#[tokio::test]
async fn the_page_loads_nothing_that_is_not_here() {
    let server = Server::start().await;
    let page = server.get("/").await.text;
    let paths: Vec<&str> = page.split('"').filter(|word| word.starts_with("/page/")).collect();
    assert!(paths.len() >= 10, "{paths:?}");
    for path in paths {
        let file = server.get(path).await;
        assert_eq!(file.status, 200, "{path}");
        assert!(
            !file.text.contains("http://")
                || path.rsplit('.').next() == Some("svg")
                || file.text.contains("w3.org"),
            "{path}"
        );
    }
    for (path, content_type) in [
        ("/page/style.css", "text/css; charset=utf-8"),
        ("/page/main.js", "text/javascript; charset=utf-8"),
        ("/page/icon.svg", "image/svg+xml"),
    ] {
        assert_eq!(server.get(path).await.header("content-type"), content_type);
    }
}
