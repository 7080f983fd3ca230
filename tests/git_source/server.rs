//! An HTTP server for git: hyper in this process, `git http-backend` behind it, and whatever can go wrong in front of it.

use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, KeyPair};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// A request that was served.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) sent: usize,
    pub(crate) answered: usize,
    /// Whether a pack was asked for, by either version of the protocol.
    pub(crate) fetches: bool,
}

/// How the server behaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manners {
    /// The one `Authorization` that is let in.
    pub(crate) authorization: Option<String>,
    /// Never answers.
    pub(crate) hangs: bool,
    /// Knows version 0 of the protocol only.
    pub(crate) version_0: bool,
    /// Answers everything with this status and text.
    pub(crate) answers: Option<(u16, String)>,
    /// Answers everything below this path by sending on to another address.
    pub(crate) moved: Option<(String, String)>,
    /// Gives this pack in place of git's.
    pub(crate) pack: Option<Vec<u8>>,
    /// Sends without end in place of git's pack.
    pub(crate) floods: bool,
}

#[derive(Default)]
struct Shared {
    manners: Mutex<Manners>,
    calls: Mutex<Vec<Call>>,
    connections: Mutex<usize>,
}

pub(crate) struct Server {
    root: PathBuf,
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    ended: Option<tokio::task::JoinHandle<()>>,
    acceptor: Option<TlsAcceptor>,
}

impl Server {
    /// Serves the repositories in `root` on a free port.
    pub(crate) async fn start(root: &Path) -> Self {
        Self::begin(root, None).await
    }

    /// The same over TLS; also gives the certificate of the authority, as PEM.
    pub(crate) async fn start_tls(root: &Path) -> (Self, String) {
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = authority.self_signed(&authority_key).unwrap();
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])
            .unwrap()
            .signed_by(&key, &issuer)
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let private = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], private)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        (Self::begin(root, Some(acceptor)).await, certificate.pem())
    }

    async fn begin(root: &Path, acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut server = Self {
            root: root.to_owned(),
            address: listener.local_addr().unwrap(),
            shared: Arc::default(),
            stop: CancellationToken::new(),
            ended: None,
            acceptor,
        };
        server.serve(listener);
        server
    }

    fn serve(&mut self, listener: TcpListener) {
        self.stop = CancellationToken::new();
        let (root, shared) = (self.root.clone(), Arc::clone(&self.shared));
        let (acceptor, stop) = (self.acceptor.clone(), self.stop.clone());
        self.ended = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let accepted = tokio::select! {
                    () = stop.cancelled() => break,
                    accepted = listener.accept() => accepted,
                };
                let (stream, _) = accepted.unwrap();
                *shared.connections.lock().unwrap() += 1;
                let (root, shared, acceptor) =
                    (root.clone(), Arc::clone(&shared), acceptor.clone());
                connections.spawn(async move {
                    match acceptor {
                        None => talk(stream, root, shared).await,
                        // A client that does not trust us hangs up.
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                talk(stream, root, shared).await;
                            }
                        }
                    }
                });
            }
            connections.shutdown().await;
        }));
    }

    /// Stops listening and hangs up on everybody.
    pub(crate) async fn go_down(&mut self) {
        self.stop.cancel();
        self.ended.take().unwrap().await.unwrap();
    }

    /// Listens again on the same port.
    pub(crate) async fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serve(listener);
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.acceptor.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/teds.git", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes how the server behaves from now on.
    pub(crate) fn behave(&self, change: impl FnOnce(&mut Manners)) {
        change(&mut self.shared.manners.lock().unwrap());
    }

    /// What was asked so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    pub(crate) fn forget_calls(&self) {
        self.shared.calls.lock().unwrap().clear();
    }

    pub(crate) fn connections(&self) -> usize {
        *self.shared.connections.lock().unwrap()
    }
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, root: PathBuf, shared: Arc<Shared>) {
    let service = service_fn(move |request| {
        let (root, shared) = (root.clone(), Arc::clone(&shared));
        async move { Ok::<_, std::convert::Infallible>(serve(request, &root, &shared).await) }
    });
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn serve(request: Request<Incoming>, root: &Path, shared: &Shared) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let manners = shared.manners.lock().unwrap().clone();
    let header = |name| {
        parts
            .headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
            .map(str::to_owned)
    };
    let response = answer(&parts, &body, root, &manners, header(AUTHORIZATION.as_str())).await;
    shared.calls.lock().unwrap().push(Call {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        sent: body.len(),
        fetches: contains(&body, b"want "),
        answered: usize::try_from(response.body().size_hint().exact().unwrap()).unwrap(),
    });
    response
}

async fn answer(
    parts: &hyper::http::request::Parts,
    body: &Bytes,
    root: &Path,
    manners: &Manners,
    authorization: Option<String>,
) -> Response<Full<Bytes>> {
    let plain = |status: u16, text: &str| {
        let mut response = Response::new(Full::new(Bytes::from(text.to_owned())));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        response
    };
    if manners.hangs {
        ted_controller::clock::sleep(Duration::from_hours(1)).await;
    }
    if let Some((status, text)) = &manners.answers {
        return plain(*status, text);
    }
    if let Some((from, to)) = &manners.moved
        && let Some(rest) = parts.uri.to_string().strip_prefix(from.as_str())
    {
        let mut response = plain(301, "");
        response.headers_mut().insert(LOCATION, format!("{to}{rest}").parse().unwrap());
        return response;
    }
    if manners.authorization.is_some() && authorization != manners.authorization {
        // Some servers repeat what they did not like.
        let mut response = plain(401, &format!("not for {}", authorization.unwrap_or_default()));
        response
            .headers_mut()
            .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"teds\""));
        return response;
    }
    if contains(body, b"command=fetch") && (manners.floods || manners.pack.is_some()) {
        let pack = manners.pack.clone().unwrap_or_else(|| vec![0; 80 * 1024 * 1024]);
        return in_bands(&pack);
    }
    cgi(parts, body, root, manners.version_0).await
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

/// A fetch's answer in version 2 with this as its pack.
fn in_bands(pack: &[u8]) -> Response<Full<Bytes>> {
    let line = |text: &[u8]| [format!("{:04x}", text.len() + 4).as_bytes(), text].concat();
    let mut body = line(b"packfile\n");
    for chunk in pack.chunks(65_000) {
        body.extend(line(&[&[1], chunk].concat()));
    }
    body.extend(b"0000");
    let mut response = Response::new(Full::new(Bytes::from(body)));
    let kind = HeaderValue::from_static("application/x-git-upload-pack-result");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

async fn cgi(
    parts: &hyper::http::request::Parts,
    body: &Bytes,
    root: &Path,
    version_0: bool,
) -> Response<Full<Bytes>> {
    let header = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let mut command = tokio::process::Command::new("git");
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("CONTENT_TYPE", header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    if let (Some(protocol), false) = (header("git-protocol"), version_0) {
        command.env("GIT_PROTOCOL", protocol);
    }
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(body).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap().stdout;
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(&output[end + 4..])));
    let mut headers = HeaderMap::new();
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(": ").unwrap();
        if name == "Status" {
            *response.status_mut() = StatusCode::from_bytes(&value.as_bytes()[..3]).unwrap();
        } else {
            let name = hyper::header::HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.insert(name, value.parse().unwrap());
        }
    }
    *response.headers_mut() = headers;
    response
}
