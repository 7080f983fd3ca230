//! Connections, and what a client can take of us: their number, the size and time of a request's head, the time that an answer may take
//! to be read.
//!
//! A client that is slow, silent or hostile costs one of [`MAX_CONNECTIONS`] places for at most the limits below. Streams are long by
//! nature; `web` counts them apart.

use crate::clock;
use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How many connections there are at a time; further ones wait to be accepted. A browser opens up to six.
const MAX_CONNECTIONS: usize = 256;

/// How long a request's head may take, and how long a connection may be idle.
const HEAD_LIMIT: Duration = Duration::from_secs(15);

/// How large a request's head may be. A browser sends about 1 KiB.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// How many headers a request may have. A browser sends about 15.
const MAX_HEADERS: usize = 64;

/// How long what was begun to be written may take to be written whole.
///
/// The list of 1,000 TEDs has about 20 MB: that is a line of 3 Mbit/s.
const FLUSH_LIMIT: Duration = Duration::from_mins(1);

/// How long answers under way may take when the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// How long to wait when a connection could not be accepted: mostly there are no file descriptors left, and trying again at once does not
/// make more.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Serves connections until `stop`, and for [`GRACE`] after it.
pub(super) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            // Connections that are over leave the set, which would grow otherwise.
            Some(_) = connections.join_next() => {}
            (place, accepted) = accepted => match accepted {
                Ok((stream, peer)) => {
                    let served = converse(stream, peer, router.clone(), stop.clone());
                    connections.spawn(async move {
                        served.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    clock::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    tokio::select! {
        () = ended => {}
        () = clock::sleep(GRACE) => tracing::debug!("connections did not end in time: they are cut off"),
    }
}

/// Serves one connection until either side ends it.
async fn converse(stream: TcpStream, peer: SocketAddr, router: Router, stop: CancellationToken) {
    // Without it an event can wait 40 ms for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        router.call(request)
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_LIMIT)
            .max_header_size(MAX_HEAD_BYTES)
            .max_headers(MAX_HEADERS)
            .serve_connection(TokioIo::new(Impatient::new(stream)), service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection broke off");
    }
}

/// A stream that breaks off when what was begun to be written is not written whole within [`FLUSH_LIMIT`].
///
/// Counted from the first byte of it, so that a client which takes a byte now and then has no more time than one that takes none.
struct Impatient {
    stream: TcpStream,
    /// Runs while something is being written.
    limit: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Impatient {
    fn new(stream: TcpStream) -> Self {
        Self { stream, limit: None }
    }

    /// Passes on what writing came to, unless it waits for too long.
    fn within_limit<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let limit = self.limit.get_or_insert_with(|| Box::pin(clock::sleep(FLUSH_LIMIT)));
        if written.is_pending() && limit.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }
}

impl AsyncRead for Impatient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Impatient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.within_limit(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.within_limit(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes once its own buffer is empty: everything begun is written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.limit = None;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
