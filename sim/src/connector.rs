//! The door without sockets: the HTTP client of a Rust SDK, in process.
//!
//! Everything that waits here waits on tokio's clock, so a paused runtime plays a whole migration in milliseconds. The real HTTP client
//! of the SDK applies its connect and read timeouts itself; so does this one.

use crate::front::{Delivery, Sim};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

/// A client of one simulated AWS that needs no sockets.
#[derive(Clone, Debug)]
pub(crate) struct InProcess {
    sim: Sim,
    read_timeout: Option<Duration>,
}

impl InProcess {
    pub(crate) fn new(sim: Sim, read_timeout: Option<Duration>) -> Self {
        Self { sim, read_timeout }
    }
}

/// The simulated AWS's clock, for clients that sign with its time.
#[derive(Clone, Debug)]
struct VirtualTime(Sim);

impl Sim {
    /// An HTTP client for `aws_config`'s `http_client`, without sockets.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(InProcess::new(self.clone(), None))
    }

    /// A time source for `aws_config`'s `time_source`: virtual time.
    pub fn time_source(&self) -> SharedTimeSource {
        SharedTimeSource::new(VirtualTime(self.clone()))
    }
}

impl TimeSource for VirtualTime {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
            + Duration::from_millis(u64::try_from(self.0.clock().now().as_millis()).unwrap_or(0))
    }
}

impl HttpClient for InProcess {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Self::new(self.sim.clone(), settings.read_timeout()))
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { sim, read_timeout } = self.clone();
        HttpConnectorFuture::new(async move {
            let answer = exchange(&sim, request);
            match read_timeout {
                None => answer.await,
                Some(limit) => tokio::time::timeout(limit, answer)
                    .await
                    .unwrap_or_else(|elapsed| Err(ConnectorError::timeout(elapsed.into()))),
            }
        })
    }
}

async fn exchange(sim: &Sim, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let body = match body.bytes() {
        Some(bytes) => Bytes::copy_from_slice(bytes),
        None => body.collect().await.map_err(ConnectorError::user)?.to_bytes(),
    };
    match sim.serve(Request::from_parts(parts, body)).await {
        Delivery::Whole(response) => response.map(SdkBody::from).try_into().map_err(
            |error: aws_smithy_runtime_api::http::HttpError| {
                ConnectorError::other(error.into(), None)
            },
        ),
        Delivery::Truncated(response) => response
            .map(|body| SdkBody::from_body_1_x(Cut(Some(body))))
            .try_into()
            .map_err(|error: aws_smithy_runtime_api::http::HttpError| {
                ConnectorError::other(error.into(), None)
            }),
        Delivery::Dropped => Err(ConnectorError::io(
            io::Error::new(
                io::ErrorKind::ConnectionReset,
                "connection closed before message completed",
            )
            .into(),
        )),
        Delivery::Never => std::future::pending().await,
    }
}

/// The first half of a body, and then an error.
#[derive(Debug)]
struct Cut(Option<Bytes>);

impl Body for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(Some(match self.0.take() {
            Some(whole) => Ok(Frame::data(whole.slice(..whole.len() / 2))),
            None => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "end of file before message length reached",
            )),
        }))
    }
}
