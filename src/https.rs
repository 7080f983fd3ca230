//! Requests to servers other than AWS, over hyper and rustls: connections that are kept, the host's certificates, the proxies of the
//! environment. What is asked, of whom and as whom, is the caller's; a redirect is an answer like any other and never followed here.

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
pub(crate) use hyper_util::client::legacy::Error as Unanswered;

use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a connection waits for the next request; servers close theirs after about a minute.
const KEEP: Duration = Duration::from_secs(90);

/// How long getting a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// The client of one server, over a proxy or not; a copy shares its connection.
#[derive(Clone)]
pub(crate) enum Web {
    Direct(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
    Proxied(Client<HttpsConnector<Tunnel<HttpConnector>>, Full<Bytes>>),
}

/// Why no certificate can be checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrustError {
    /// The named authorities cannot be used.
    #[error("`{file}` cannot be used: {detail}")]
    BadFile {
        /// The file.
        file: String,
        /// Why.
        detail: String,
    },
    /// The library does not take what it is given.
    #[error("{0}")]
    Unsupported(String),
}

impl Web {
    /// A client for the server of this address. Proxies are for `https://` only; `ca_file` has authorities that are trusted beside the
    /// host's.
    ///
    /// # Errors
    /// The certificates cannot be used.
    pub(crate) fn new(server: &Uri, ca_file: Option<&Path>) -> Result<Self, TrustError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT));
        let builder = HttpsConnectorBuilder::new()
            .with_tls_config(tls(ca_file)?)
            .https_or_http()
            .enable_http1();
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_idle_timeout(KEEP).pool_max_idle_per_host(1).pool_timer(TokioTimer::new());
        let is_https = server.scheme_str() == Some("https");
        let proxy = is_https.then(|| Matcher::from_env().intercept(server)).flatten();
        Ok(match proxy {
            None => Self::Direct(client.build(builder.wrap_connector(tcp))),
            Some(proxy) => {
                let mut tunnel = Tunnel::new(proxy.uri().clone(), tcp);
                if let Some(auth) = proxy.basic_auth() {
                    tunnel = tunnel.with_auth(auth.clone());
                }
                Self::Proxied(client.build(builder.wrap_connector(tunnel)))
            }
        })
    }

    /// Sends a request and gives the answer once its head is there. The caller sets the limit.
    ///
    /// # Errors
    /// No answer came.
    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Unanswered> {
        match self {
            Self::Direct(client) => client.request(request).await,
            Self::Proxied(client) => client.request(request).await,
        }
    }
}

/// The host's certificate authorities, and those of `ca_file`.
fn tls(ca_file: Option<&Path>) -> Result<rustls::ClientConfig, TrustError> {
    let mut roots = rustls::RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(native.certs);
    if let Some(file) = ca_file {
        let bad = |detail: String| TrustError::BadFile { file: file.display().to_string(), detail };
        let certificates: Result<Vec<CertificateDer<'_>>, _> =
            CertificateDer::pem_file_iter(file).map_err(|error| bad(error.to_string()))?.collect();
        let certificates = certificates.map_err(|error| bad(error.to_string()))?;
        if certificates.is_empty() {
            return Err(bad(
                "there is no certificate in it (`-----BEGIN CERTIFICATE-----`)".to_owned()
            ));
        }
        for certificate in certificates {
            roots.add(certificate).map_err(|error| bad(error.to_string()))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TrustError::Unsupported(error.to_string()))
        .map(|config| config.with_root_certificates(roots).with_no_client_auth())
}
