//! The page at `/`: plain HTML, one style, a few scripts, all of them in this binary.
//!
//! The server renders the fleet as it is now, so that there is something to read before, and without, any script. The scripts then
//! follow `/api/v1/stream`, and show one TED as well. Both show the same columns; `page/fleet.js` is the other half of `fleet` here.
//!
//! Every foreign text goes through [`Text`] here, and becomes a text node there.

mod fleet;

use super::Shared;
use super::answer::tagged;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use axum::response::IntoResponse as _;
use std::fmt;
use std::sync::Arc;

/// A file of the page.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: &'static str,
    content_type: &'static str,
    text: &'static str,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// What the page loads. Browsers keep these and ask each time whether they are still the same.
pub(super) const FILES: [File; 10] = [
    File {
        path: "/page/style.css",
        content_type: "text/css; charset=utf-8",
        text: include_str!("page/style.css"),
    },
    File {
        path: "/page/icon.svg",
        content_type: "image/svg+xml",
        text: include_str!("page/icon.svg"),
    },
    File { path: "/page/main.js", content_type: SCRIPT, text: include_str!("page/main.js") },
    File { path: "/page/live.js", content_type: SCRIPT, text: include_str!("page/live.js") },
    File { path: "/page/dom.js", content_type: SCRIPT, text: include_str!("page/dom.js") },
    File { path: "/page/words.js", content_type: SCRIPT, text: include_str!("page/words.js") },
    File { path: "/page/fleet.js", content_type: SCRIPT, text: include_str!("page/fleet.js") },
    File { path: "/page/ted.js", content_type: SCRIPT, text: include_str!("page/ted.js") },
    File { path: "/page/parts.js", content_type: SCRIPT, text: include_str!("page/parts.js") },
    File { path: "/page/orders.js", content_type: SCRIPT, text: include_str!("page/orders.js") },
];

const INDEX: &str = include_str!("page/index.html");

pub(super) fn file(file: &'static File, headers: &HeaderMap) -> Response<Body> {
    let mut response = tagged(headers, file.content_type, file.text);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

pub(super) async fn index(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let store = &shared.store;
    let text = fill(INDEX, |name| match name {
        "version" => Text(shared.version).to_string(),
        "notices" => fleet::notices(&store.freeze(), &store.sources()),
        "fleet" => fleet::table(&store.teds(), crate::clock::wall()),
        _ => String::new(),
    });
    ([(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], text).into_response()
}

/// The template with each `{{name}}` replaced. One pass: what is filled in is not looked at again.
fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        out.push_str(before);
        out.push_str(&value(name));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Text as HTML shows it, between tags and in quoted attributes.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            let (before, after) = rest.split_at(at);
            f.write_str(before)?;
            f.write_str(match after.as_bytes().first() {
                Some(b'&') => "&amp;",
                Some(b'<') => "&lt;",
                Some(b'>') => "&gt;",
                Some(b'"') => "&quot;",
                _ => "&#39;",
            })?;
            rest = after.get(1..).unwrap_or_default();
        }
        f.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        for (text, html) in [
            ("plain é", "plain é"),
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("\" onload='x' &amp;", "&quot; onload=&#39;x&#39; &amp;amp;"),
            ("", ""),
        ] {
            assert_eq!(Text(text).to_string(), html);
        }
    }

    #[test]
    fn what_is_filled_in_is_no_template() {
        let filled = fill("<{{a}}|{{b}}>", |name| format!("{{{{b}}}}{name}"));
        assert_eq!(filled, "<{{b}}a|{{b}}b>");
        assert_eq!(fill("{{a", str::to_owned), "a");
    }

    #[test]
    fn everything_that_the_page_loads_is_served() {
        let named = INDEX.split(['"', '\'']).chain(
            FILES
                .iter()
                .flat_map(|file| file.text.lines())
                .filter(|line| line.starts_with("import"))
                .flat_map(|line| line.split(['"', '\''])),
        );
        for path in named.filter(|word| word.starts_with("/page/")) {
            assert!(FILES.iter().any(|file| file.path == path), "{path}");
        }
        for file in &FILES {
            assert!(!file.text.contains("innerHTML"), "{}: text becomes text nodes", file.path);
        }
    }
}
