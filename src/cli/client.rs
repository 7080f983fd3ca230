//! How `status`, `reconcile` and `freeze` talk to a running daemon: plain HTTP, JSON, and its stream of changes.
//!
//! It is not spoken over TLS: the daemon serves this machine, or stands behind something that does. Everything has a limit, and
//! whatever goes wrong is said in the words of who typed the command: nobody there, somebody else there, not allowed.

use super::Failure;
use crate::report::{Freeze, Ted, TedList};
use crate::settings::{Secret, SecretRef};
use crate::text::{sanitize, sanitize_to};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode, Uri, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::timeout;

/// The address of a daemon that was started without an address.
const DEFAULT_SERVER: &str = "http://127.0.0.1:8080";

/// The variables that say the same as the flags.
const SERVER_VARIABLE: &str = "TED_CONTROLLER_SERVER";
const TOKEN_VARIABLE: &str = "TED_CONTROLLER_TOKEN_FILE";

const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How long an answer may take. Orders are taken up between two passes, which is soon.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// How long a stream may be silent. The daemon says something every 10 seconds.
const SILENCE_LIMIT: Duration = Duration::from_mins(1);

/// How large an answer, or one event, may be: 1,000 TEDs have about 20 MB.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Flags of every command that talks to a daemon.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ServerArgs {
    /// The daemon; without it `TED_CONTROLLER_SERVER`, or `http://127.0.0.1:8080`
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The file of the daemon's token, where it wants one [default: `TED_CONTROLLER_TOKEN_FILE`]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl ServerArgs {
    /// The daemon that is meant. Asks it nothing yet.
    pub(super) fn daemon(&self) -> Result<Daemon, Failure> {
        let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        let server = self.server.clone().or_else(|| variable(SERVER_VARIABLE));
        let base = base(server.as_deref().unwrap_or(DEFAULT_SERVER))?;
        let token = self.token_file.clone().or_else(|| variable(TOKEN_VARIABLE).map(PathBuf::from));
        let token = token.map(|path| SecretRef::File(path).read()).transpose();
        let token = token.map_err(|error| Failure::new(&error, None))?;
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_LIMIT));
        let http = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Daemon { base, token, http })
    }
}

/// The address without a slash at its end.
fn base(text: &str) -> Result<String, Failure> {
    let wrong = |hint: &str| Failure {
        message: format!("`{}` is no address of a ted-controller", sanitize_to(text, 200)),
        hint: Some(hint.to_owned()),
    };
    let example = "write it as `http://127.0.0.1:8080`";
    let uri: Uri = text.parse().map_err(|_| wrong(example))?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http"), Some(_)) if uri.query().is_none() => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        (Some("https"), Some(_)) => Err(wrong(
            "this command speaks plain HTTP: ask the daemon's own address, through `kubectl port-forward` or `ssh -L` if it is elsewhere",
        )),
        _ => Err(wrong(example)),
    }
}

/// A daemon, as far as it is known: its address.
pub(super) struct Daemon {
    base: String,
    token: Option<Secret>,
    http: Client<HttpConnector, Full<Bytes>>,
}

impl Daemon {
    /// Where it is.
    pub(super) fn address(&self) -> &str {
        &self.base
    }

    /// All TEDs: as values for people, and exactly as they were sent.
    pub(super) async fn teds(&self) -> Result<(TedList, Value), Failure> {
        self.read("/api/v1/teds").await
    }

    /// Any other thing that can be read.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<(T, Value), Failure> {
        let response = self.send(Method::GET, path, None).await?;
        self.taken(response).await
    }

    /// An order.
    pub(super) async fn order<T: DeserializeOwned>(
        &self,
        path: &str,
        order: &Value,
    ) -> Result<T, Failure> {
        let response = self.send(Method::POST, path, Some(order)).await?;
        Ok(self.taken(response).await?.0)
    }

    /// What changes from now on, everything first.
    pub(super) async fn stream(&self) -> Result<Stream, Failure> {
        let response = self.send(Method::GET, "/api/v1/stream", None).await?;
        let is_stream = response
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("text/event-stream"));
        match response.status() {
            StatusCode::OK if is_stream => Ok(Stream {
                body: response.into_body(),
                address: self.base.clone(),
                lines: Vec::new(),
                event: Parsed::default(),
            }),
            StatusCode::OK => Err(self.foreign()),
            _ => Err(self.refused(response).await),
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        order: Option<&Value>,
    ) -> Result<Response<Incoming>, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::USER_AGENT, concat!("ted-controller/", env!("CARGO_PKG_VERSION")));
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.reveal()));
        }
        if order.is_some() {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .header("x-ted-controller", "cli");
        }
        let body = order.map(|order| Bytes::from(order.to_string())).unwrap_or_default();
        // The address was parsed, so what can be wrong is the token.
        let request = request.body(Full::new(body)).map_err(|_| Failure {
            message: "the token cannot be sent: it has characters that no header may have"
                .to_owned(),
            hint: Some("see that `--token-file` names the token's file and no other".to_owned()),
        })?;
        match timeout(ANSWER_LIMIT, self.http.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) if error.is_connect() => Err(Failure {
                message: format!(
                    "no ted-controller answers at {}: {}",
                    self.base,
                    innermost(&error)
                ),
                hint: Some(format!(
                    "`ted-controller run` starts one; `--server` or `{SERVER_VARIABLE}` names another"
                )),
            }),
            Ok(Err(error)) => Err(Failure {
                message: format!(
                    "{} does not answer as a ted-controller does: {}",
                    self.base,
                    innermost(&error)
                ),
                hint: Some(self.who_is_there()),
            }),
            Err(_) => Err(self.too_slow()),
        }
    }

    /// The body of an answer that says yes.
    async fn taken<T: DeserializeOwned>(
        &self,
        response: Response<Incoming>,
    ) -> Result<(T, Value), Failure> {
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        let value = self.body(response).await?.ok_or_else(|| self.foreign())?;
        // What people see comes from here, so it is made safe once more: the server may be of another make.
        let typed = serde_json::from_value(cleaned(value.clone())).map_err(|_| self.foreign())?;
        Ok((typed, value))
    }

    /// The body as JSON; `None` when it is none.
    async fn body(&self, response: Response<Incoming>) -> Result<Option<Value>, Failure> {
        let body = Limited::new(response.into_body(), MAX_BYTES).collect();
        match timeout(ANSWER_LIMIT, body).await {
            Ok(Ok(body)) => Ok(serde_json::from_slice(&body.to_bytes()).ok()),
            Ok(Err(error)) => Err(Failure {
                message: format!("the answer of {} broke off: {error}", self.base),
                hint: None,
            }),
            Err(_) => Err(self.too_slow()),
        }
    }

    /// Why an answer says no, in the words of the daemon.
    async fn refused(&self, response: Response<Incoming>) -> Failure {
        #[derive(Deserialize)]
        struct Refusal {
            error: String,
            #[serde(default)]
            hint: String,
        }
        let status = response.status();
        let body = match self.body(response).await {
            Ok(body) => body,
            Err(failure) => return failure,
        };
        let Some(refusal) = body.and_then(|body| serde_json::from_value::<Refusal>(body).ok())
        else {
            return Failure {
                message: format!(
                    "{} answers `{status}`, and not as a ted-controller does",
                    self.base
                ),
                hint: Some(self.who_is_there()),
            };
        };
        let hint = if status == StatusCode::UNAUTHORIZED {
            format!("`--token-file` or `{TOKEN_VARIABLE}` names the file of the daemon's token")
        } else {
            sanitize(&refusal.hint)
        };
        Failure {
            message: sanitize(&refusal.error),
            hint: Some(hint).filter(|hint| !hint.is_empty()),
        }
    }

    fn foreign(&self) -> Failure {
        Failure {
            message: format!("what answers at {} is no ted-controller", self.base),
            hint: Some(self.who_is_there()),
        }
    }

    fn too_slow(&self) -> Failure {
        Failure {
            message: format!(
                "{} did not answer within {} seconds",
                self.base,
                ANSWER_LIMIT.as_secs()
            ),
            hint: Some(format!("`curl {}/healthz` says whether it is alive", self.base)),
        }
    }

    fn who_is_there(&self) -> String {
        format!(
            "see what listens at {}; `--server` or `{SERVER_VARIABLE}` names another address",
            self.base
        )
    }
}

/// The last cause: "Connection refused" rather than "client error".
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    sanitize(&innermost.to_string())
}

/// All texts of a value made safe to print.
fn cleaned(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(sanitize(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(cleaned).collect()),
        Value::Object(fields) => {
            fields.into_iter().map(|(key, value)| (sanitize(&key), cleaned(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// Something that changed.
#[derive(Debug)]
pub(super) enum Told {
    /// How everything is; first of all, and again when the daemon sees us fall behind.
    List(TedList, Value),
    /// How one TED is now.
    Ted(Box<Ted>, Value),
    /// A TED is gone.
    Gone(String),
    /// Starts are stopped, or allowed again.
    Freeze(Freeze),
    /// Something that no command of ours shows.
    Other,
}

/// Changes as they come.
pub(super) struct Stream {
    body: Incoming,
    address: String,
    /// What has come of a line that is not complete.
    lines: Vec<u8>,
    event: Parsed,
}

/// An event whose lines are still coming.
#[derive(Default)]
struct Parsed {
    name: String,
    data: String,
}

impl Stream {
    /// The next change; an error when the connection is lost.
    pub(super) async fn next(&mut self) -> Result<Told, Failure> {
        let lost = |why: String| Failure {
            message: format!("the connection to {} is lost: {why}", self.address),
            hint: None,
        };
        loop {
            while let Some(line) = take_line(&mut self.lines) {
                if let Some((name, data)) = self.event.take(&line) {
                    return told(&name, &data)
                        .ok_or_else(|| lost("it says what no ted-controller says".to_owned()));
                }
            }
            if self.lines.len() + self.event.data.len() > MAX_BYTES {
                return Err(lost("an event is far too large".to_owned()));
            }
            match timeout(SILENCE_LIMIT, self.body.frame()).await {
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.lines.extend_from_slice(&data);
                    }
                }
                Ok(Some(Err(error))) => return Err(lost(innermost(&error))),
                Ok(None) => return Err(lost("the daemon ended it".to_owned())),
                Err(_) => return Err(lost("it is silent".to_owned())),
            }
        }
    }
}

/// Takes the first whole line, without its end.
fn take_line(bytes: &mut Vec<u8>) -> Option<String> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line: Vec<u8> = bytes.drain(..=end).take(end).collect();
    Some(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned())
}

impl Parsed {
    /// Takes a line up (WHATWG, server-sent events); what it completes.
    fn take(&mut self, line: &str) -> Option<(String, String)> {
        if line.is_empty() {
            let Self { name, data } = std::mem::take(self);
            return (!data.is_empty()).then_some((name, data));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            // Comments begin with the colon; ids and times to wait are for browsers.
            _ => {}
        }
        None
    }
}

/// `None`: it is not what a daemon says.
fn told(name: &str, data: &str) -> Option<Told> {
    #[derive(Deserialize)]
    struct Gone {
        name: String,
    }
    let value: Value = serde_json::from_str(data).ok()?;
    let clean = cleaned(value.clone());
    Some(match name {
        "list" => Told::List(serde_json::from_value(clean).ok()?, value),
        "ted" => Told::Ted(serde_json::from_value(clean).ok()?, value),
        "gone" => Told::Gone(serde_json::from_value::<Gone>(clean).ok()?.name),
        "freeze" => Told::Freeze(serde_json::from_value(clean).ok()?),
        _ => Told::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_plain_http_and_nothing_else() {
        for (text, wanted) in [
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("http://[::1]:8080/", Some("http://[::1]:8080")),
            ("http://proxy.example.com/ted/", Some("http://proxy.example.com/ted")),
            ("https://ted.example.com", None),
            ("127.0.0.1:8080", None),
            ("localhost", None),
            ("ftp://x", None),
            ("http://x/?a=b", None),
            ("", None),
        ] {
            assert_eq!(base(text).ok().as_deref(), wanted, "{text}");
        }
        let hint = base("https://ted.example.com").unwrap_err().hint.unwrap();
        assert!(hint.contains("plain HTTP"), "{hint}");
    }

    #[test]
    fn events_are_read_whatever_they_come_in() {
        let text = ": nothing\n\nevent: gone\ndata: {\"name\":\n data is no field\ndata: \"a\"}\r\n\nretry: 5\n\ndata: x\n\n";
        for size in [1, 3, text.len()] {
            let (mut bytes, mut event, mut found) = (Vec::new(), Parsed::default(), Vec::new());
            for chunk in text.as_bytes().chunks(size) {
                bytes.extend_from_slice(chunk);
                while let Some(line) = take_line(&mut bytes) {
                    found.extend(event.take(&line));
                }
            }
            let wanted = [
                ("gone".to_owned(), "{\"name\":\n\"a\"}".to_owned()),
                (String::new(), "x".to_owned()),
            ];
            assert_eq!(found, wanted, "in pieces of {size}");
        }
        assert!(
            matches!(told("gone", r#"{"name":"a\u001b[31m"}"#), Some(Told::Gone(name)) if name == "a")
        );
        assert!(matches!(told("later", "{}"), Some(Told::Other)));
        assert!(told("ted", "{}").is_none());
    }
}
