//! Clients: a real one, and one that sends whatever bytes it is told to.

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderName};
use hyper::{Request, Response};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longer than anything here takes: what is not there by then does not come.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    inner: hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// What went wrong, and what to do: every refusal says it in the same form.
    pub(crate) fn error(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/json", "{}", self.text);
        (self.status, self.json()["error"].as_str().unwrap().to_owned())
    }
}

impl Client {
    pub(crate) fn of(address: SocketAddr) -> Self {
        let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
        Self { inner: client.build_http(), address }
    }

    /// A request, and its answer's head.
    pub(crate) async fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Incoming> {
        let uri = format!("http://{}{path}", self.address);
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(HeaderName::try_from(*name).unwrap(), *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
        tokio::time::timeout(LIMIT, self.inner.request(request)).await.unwrap().unwrap()
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let (head, body) = self.open(method, path, headers, body).await.into_parts();
        let body = tokio::time::timeout(LIMIT, body.collect()).await.unwrap().unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: head.status.as_u16(), headers: head.headers, text }
    }
}

/// A connection that sends what it is told to.
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Everything until the server closes the connection. Nothing when it was reset.
    pub(crate) async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let _ = tokio::time::timeout(LIMIT, self.0.read_to_end(&mut bytes)).await.unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The next line.
    pub(crate) async fn line(&mut self) -> String {
        let mut bytes = Vec::new();
        while bytes.last() != Some(&b'\n') {
            bytes.push(tokio::time::timeout(LIMIT, self.0.read_u8()).await.unwrap().unwrap());
        }
        String::from_utf8_lossy(&bytes).trim_end().to_owned()
    }
}

/// Server-sent events as they come.
pub(crate) struct Events {
    body: Incoming,
    read: String,
}

impl Events {
    pub(crate) async fn open(client: &Client) -> Self {
        let response = client.open("GET", "/api/v1/stream", &[], "").await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), read: String::new() }
    }

    /// The next event, name and data; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = event.lines();
                    lines.find_map(|line| line.strip_prefix(name)).map(str::to_owned)
                };
                let found = field("event: ").zip(field("data: "));
                self.read = rest.to_string();
                // What has no name is a comment.
                match found {
                    Some((name, data)) => {
                        return Some((name, serde_json::from_str(&data).unwrap()));
                    }
                    None => continue,
                }
            }
            let frame = tokio::time::timeout(LIMIT, self.body.frame()).await.unwrap()?;
            let data = frame.unwrap().into_data().unwrap_or_default();
            self.read.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// The next event, which has to be of this name.
    pub(crate) async fn expect(&mut self, name: &str) -> Value {
        let (found, data) = self.next().await.unwrap();
        assert_eq!(found, name, "{data}");
        data
    }
}
