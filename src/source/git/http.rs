//! HTTP for git: the library's requests over our client ([`crate::https`]), with one connection that is kept between visits.
//!
//! Credentials go to the origin of the address and nowhere else: a redirect within it is followed (servers send `/teds` on to `/teds.git`),
//! one that leaves it is an error that names the other place.

use super::error::GitError;
use super::exchange::{Exchange, chain};
use super::protocol::AGENT;
use crate::https::{Unanswered, Web};
use crate::settings::{GitUrl, TokenScheme};
use gix_transport::client::blocking_io::http::{
    Error as TransportError, GetResponse, Http, PostBodyDataKind, PostResponse,
};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use hyper::{HeaderMap, Method, Request, Response, Uri};
use std::any::Any;
use std::io::{self, BufReader, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// The most redirects within a server.
const MAX_REDIRECTS: usize = 3;

/// The most that is read of an answer that nobody wants to the end.
const MAX_LEFT: usize = 64 * 1024;

/// The most of an error's page that is read.
const MAX_ERROR_BODY: usize = 2048;

/// What a visit needs beside the address. Given to the library's transport by `configure`.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) exchange: Arc<Exchange>,
    pub(super) authorization: Option<HeaderValue>,
}

/// Makes the library's requests.
pub(super) struct GitHttp {
    web: Web,
    visit: Visit,
    /// Where the server sent us on to, in place of the address.
    moved: Option<String>,
    last: Option<Arc<Mutex<Call>>>,
}

/// Tells the transport that a visit is over.
pub(super) struct Over;

impl GitHttp {
    pub(super) fn new(web: Web, visit: Visit) -> Self {
        Self { web, visit, moved: None, last: None }
    }

    /// A request after the one before: whose answer is read to its end, since a connection with something left on it is closed.
    fn call(
        &mut self,
        method: Method,
        url: &str,
        base: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Arc<Mutex<Call>> {
        self.finish();
        let call =
            Call::new(&self.web, &self.visit.exchange, self.request(method, url, base, headers));
        self.last = Some(Arc::clone(&call));
        call
    }

    fn finish(&mut self) {
        if let Some(last) = self.last.take() {
            lock(&last).finish();
        }
    }

    fn request(
        &self,
        method: Method,
        url: &str,
        base: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Request<()> {
        let url = match (&self.moved, url.strip_prefix(base)) {
            (Some(moved), Some(rest)) => format!("{moved}{rest}"),
            _ => url.to_owned(),
        };
        let mut request = Request::new(());
        *request.method_mut() = method;
        // The address was checked when it was read; what does not parse here fails when it is sent.
        *request.uri_mut() = url.parse().unwrap_or_default();
        for header in headers {
            let Some((name, value)) = header.as_ref().split_once(": ") else { continue };
            if let (Ok(name), Ok(value)) =
                (name.parse::<HeaderName>(), value.parse::<HeaderValue>())
            {
                request.headers_mut().insert(name, value);
            }
        }
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if let Some(authorization) = &self.visit.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        request
    }
}

impl Http for GitHttp {
    type Headers = BufReader<Headers>;
    type ResponseBody = BufReader<Body>;
    type PostBody = Upload;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<GetResponse<Self::Headers, Self::ResponseBody>, TransportError> {
        let call = self.call(Method::GET, url, base_url, headers);
        let landed = lock(&call).ask().map_err(TransportError::PostBody)?;
        // A server that sends `/teds/info/refs` on to `/teds.git/info/refs` means the other requests too.
        let asked = url.strip_prefix(base_url).unwrap_or_default();
        self.moved =
            landed.and_then(|url| url.strip_suffix(asked).map(str::to_owned)).or(self.moved.take());
        Ok(GetResponse {
            headers: BufReader::new(Headers { call: Arc::clone(&call), text: None }),
            body: BufReader::new(Body { call, rest: Bytes::new() }),
        })
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _body: PostBodyDataKind,
    ) -> Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>, TransportError>
    {
        let call = self.call(Method::POST, url, base_url, headers);
        Ok(PostResponse {
            post_body: Upload { call: Arc::clone(&call) },
            headers: BufReader::new(Headers { call: Arc::clone(&call), text: None }),
            body: BufReader::with_capacity(32 * 1024, Body { call, rest: Bytes::new() }),
        })
    }

    fn configure(
        &mut self,
        config: &dyn Any,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if let Some(visit) = config.downcast_ref::<Visit>() {
            self.visit = visit.clone();
        } else if config.is::<Over>() {
            self.finish();
        }
        Ok(())
    }
}

/// One request and its answer. It is sent when somebody first wants to read: the library writes the body before that, a few hundred bytes.
struct Call {
    web: Web,
    exchange: Arc<Exchange>,
    request: Request<()>,
    upload: Vec<u8>,
    answer: Option<(HeaderMap, Incoming)>,
    sent: bool,
}

fn lock(call: &Arc<Mutex<Call>>) -> std::sync::MutexGuard<'_, Call> {
    call.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Call {
    fn new(web: &Web, exchange: &Arc<Exchange>, request: Request<()>) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            web: web.clone(),
            exchange: Arc::clone(exchange),
            request,
            upload: Vec::new(),
            answer: None,
            sent: false,
        }))
    }

    /// Sends the request, once; says where it landed when that is another place.
    fn ask(&mut self) -> io::Result<Option<String>> {
        if self.sent {
            return Ok(None);
        }
        self.sent = true;
        let body = Bytes::from(std::mem::take(&mut self.upload));
        let mut uri = self.request.uri().clone();
        for redirects in 0..=MAX_REDIRECTS {
            let mut request = Request::new(Full::new(body.clone()));
            *request.method_mut() = self.request.method().clone();
            *request.uri_mut() = uri.clone();
            *request.headers_mut() = self.request.headers().clone();
            let sent = self.exchange.wait(self.web.send(request))?;
            let response =
                sent.map_err(|error| self.exchange.fail(unreachable(&self.exchange, &error)))?;
            if response.status().is_success() {
                let (parts, incoming) = response.into_parts();
                self.answer = Some((parts.headers, incoming));
                return Ok((redirects > 0).then(|| uri.to_string()));
            }
            if !response.status().is_redirection() {
                let error = self.refusal(response)?;
                return Err(self.exchange.fail(error));
            }
            uri = self.onward(&uri, &response).map_err(|error| self.exchange.fail(error))?;
        }
        Err(self.exchange.fail(GitError::Protocol {
            server: self.exchange.server.clone(),
            detail: format!("more than {MAX_REDIRECTS} redirects"),
        }))
    }

    /// Reads what is left of the answer, if it is little.
    fn finish(&mut self) {
        let Some((_, mut incoming)) = self.answer.take() else { return };
        let mut left = MAX_LEFT;
        while let Ok(Some(Ok(frame))) = self.exchange.wait(incoming.frame()) {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                return;
            }
        }
    }

    /// Where a redirect leads, as long as it stays with the server.
    fn onward(&self, from: &Uri, response: &Response<Incoming>) -> Result<Uri, GitError> {
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let target = if location.starts_with('/') && !location.starts_with("//") {
            Uri::builder()
                .scheme(from.scheme_str().unwrap_or_default())
                .authority(from.authority().map(ToString::to_string).unwrap_or_default())
                .path_and_query(location)
                .build()
                .ok()
        } else {
            location.parse().ok()
        };
        let same = target.as_ref().is_some_and(|target: &Uri| {
            target.scheme() == from.scheme() && target.authority() == from.authority()
        });
        match target {
            Some(target) if same => Ok(target),
            _ => {
                let whole = GitUrl::redacted(location);
                let place =
                    whole.split_once("/info/refs").map_or(whole.as_str(), |(place, _)| place);
                Err(GitError::Redirected {
                    server: self.exchange.server.clone(),
                    to: self.exchange.clean(place),
                })
            }
        }
    }

    /// What an answer without success means.
    fn refusal(&self, response: Response<Incoming>) -> io::Result<GitError> {
        let status = response.status().as_u16();
        let is_text = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|kind| kind.starts_with("text/plain"));
        let mut text = Vec::new();
        if is_text {
            let mut body = response.into_body();
            while text.len() < MAX_ERROR_BODY {
                let Some(Ok(frame)) = self.exchange.wait(body.frame())? else { break };
                text.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new()));
            }
            text.truncate(MAX_ERROR_BODY);
        }
        let detail = self.exchange.clean(&String::from_utf8_lossy(&text));
        let server = self.exchange.server.clone();
        Ok(match status {
            401 | 403 | 407 => {
                let code = format!("status {status}");
                let detail = if detail.is_empty() { code } else { format!("{code}, {detail}") };
                GitError::Denied { server, detail }
            }
            404 | 410 => GitError::NoRepository { url: server, detail },
            _ => GitError::Status { server, status, detail },
        })
    }
}

/// Why no answer came.
fn unreachable(exchange: &Exchange, error: &Unanswered) -> GitError {
    let detail = exchange.clean(&chain(error));
    let server = exchange.server.clone();
    if detail.contains("certificate") {
        GitError::Certificate { server, detail }
    } else {
        GitError::Unreachable { server, detail }
    }
}

/// What is to be sent.
pub(super) struct Upload {
    call: Arc<Mutex<Call>>,
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.call).upload.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The answer's headers, a line each.
pub(super) struct Headers {
    call: Arc<Mutex<Call>>,
    text: Option<io::Cursor<Vec<u8>>>,
}

impl Read for Headers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.text.is_none() {
            let mut call = lock(&self.call);
            call.ask()?;
            let mut text = Vec::new();
            for (name, value) in call.answer.iter().flat_map(|(headers, _)| headers) {
                // The library reads lines of UTF-8.
                if let Ok(value) = value.to_str() {
                    text.extend_from_slice(format!("{name}: {value}\n").as_bytes());
                }
            }
            self.text = Some(io::Cursor::new(text));
        }
        self.text.as_mut().map_or(Ok(0), |text| text.read(buffer))
    }
}

/// The answer's body.
pub(super) struct Body {
    call: Arc<Mutex<Call>>,
    rest: Bytes,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            let mut call = lock(&self.call);
            call.ask()?;
            let exchange = Arc::clone(&call.exchange);
            let Some((_, incoming)) = &mut call.answer else { return Ok(0) };
            match exchange.wait(incoming.frame())? {
                None => return Ok(0),
                Some(Ok(frame)) => self.rest = frame.into_data().unwrap_or_default(),
                Some(Err(error)) => {
                    let detail = exchange.clean(&chain(&error));
                    return Err(exchange.fail(GitError::Unreachable {
                        server: exchange.server.clone(),
                        detail: format!("the answer broke off: {detail}"),
                    }));
                }
            }
            exchange.count(self.rest.len())?;
        }
        let taken = self.rest.split_to(buffer.len().min(self.rest.len()));
        buffer[..taken.len()].copy_from_slice(&taken);
        Ok(taken.len())
    }
}

/// `Authorization` for a token.
pub(super) fn token_header(token: &str, scheme: TokenScheme) -> Result<HeaderValue, GitError> {
    match scheme {
        // Servers look at the password only; the name is the one that GitHub documents for tokens of its apps.
        TokenScheme::Basic => basic_header("x-access-token", token),
        TokenScheme::Bearer => sensitive(&format!("Bearer {token}")),
    }
}

/// `Authorization` for a user and a password.
pub(super) fn basic_header(user: &str, password: &str) -> Result<HeaderValue, GitError> {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    sensitive(&format!("Basic {encoded}"))
}

fn sensitive(text: &str) -> Result<HeaderValue, GitError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        GitError::Unsupported("the secret holds characters that HTTP cannot carry".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(value)
}
