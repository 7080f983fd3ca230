//! The HTTP door: HTTP/1.1 on a loopback address.
//!
//! Connections are served concurrently and kept alive. What a fault does to an answer happens here for real: a dropped connection is
//! closed, a truncated body is shorter than its `Content-Length`, a hanging answer stays away until the client or the server leaves.

use crate::front::{Delivery, MAX_BODY, Sim};
use bytes::{Bytes, BytesMut};
use http::{Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How long a failing `accept` is left alone (out of file descriptors: trying again at once would only spin).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A request body is read up to here, however large it is, before the connection is given up.
const MAX_DRAIN: usize = 16 * MAX_BODY;

/// A server that does not run yet.
#[derive(Clone, Debug)]
pub struct Server {
    sim: Sim,
    beyond_loopback: bool,
}

/// A running server. Dropping it stops the server at once.
#[derive(Debug)]
pub struct Handle {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Marks a request that came over a loopback address: its `Host` has to be a loopback name where that matters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoopbackOnly;

impl Server {
    /// A server in front of `sim`.
    pub fn new(sim: Sim) -> Self {
        Self { sim, beyond_loopback: false }
    }

    /// Listens on other addresses than loopback as well. Whoever reaches it may do anything with the simulated AWS.
    #[must_use]
    pub fn beyond_loopback(mut self) -> Self {
        self.beyond_loopback = true;
        self
    }

    /// Listens on `address` (port 0: a free one) and serves from then on. Answers where it listens.
    ///
    /// # Errors
    /// When the address is taken, or is not loopback and that was not allowed.
    pub async fn bind(self, address: SocketAddr) -> io::Result<(SocketAddr, Handle)> {
        if !address.ip().is_loopback() && !self.beyond_loopback {
            let why = format!(
                "{address} is not a loopback address, and the simulated AWS lets anybody do anything"
            );
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let task = tokio::spawn(accept(listener, self.sim, local.ip().is_loopback(), stopping));
        Ok((local, Handle { stop, task }))
    }
}

impl Handle {
    /// Takes no more connections, lets requests in progress finish for at most `grace`, then closes what is left.
    pub async fn shut_down(mut self, grace: Duration) {
        let _ = self.stop.send(true);
        if tokio::time::timeout(grace, &mut self.task).await.is_err() {
            self.task.abort();
            let _ = (&mut self.task).await;
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Until the server is told to stop, or its handle is gone.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

async fn accept(listener: TcpListener, sim: Sim, loopback: bool, stopping: watch::Receiver<bool>) {
    let mut stop = stopping.clone();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, sim.clone(), loopback, stopping.clone()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            // Connections that are over leave the set, which would grow otherwise.
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Serves one connection until either side ends it.
async fn converse(
    stream: TcpStream,
    sim: Sim,
    loopback: bool,
    mut stopping: watch::Receiver<bool>,
) {
    // Without it an answer can wait 40 ms for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let sim = sim.clone();
        async move { respond(&sim, request, loopback).await }
    });
    let mut connection =
        pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    // An error is the client's leaving or a fault's doing; nobody is there to be told.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stopped(&mut stopping) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn respond(
    sim: &Sim,
    request: Request<Incoming>,
    loopback: bool,
) -> io::Result<Response<Answer>> {
    let (mut parts, body) = request.into_parts();
    let body = collect(body).await?;
    let too_large = body.len() > MAX_BODY;
    if loopback {
        parts.extensions.insert(LoopbackOnly);
    }
    match sim.serve(Request::from_parts(parts, body)).await {
        Delivery::Whole(mut response) => {
            if too_large {
                // The rest of the request is still on its way; the connection cannot carry another one.
                response
                    .headers_mut()
                    .insert(header::CONNECTION, header::HeaderValue::from_static("close"));
            }
            Ok(response.map(Answer::whole))
        }
        Delivery::Truncated(mut response) => {
            let length = response.body().len();
            response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
            Ok(response.map(|body| Answer::cut(&body)))
        }
        // An error here makes hyper close the connection without a word.
        Delivery::Dropped => {
            Err(io::Error::new(io::ErrorKind::ConnectionAborted, "dropped by a fault"))
        }
        Delivery::Never => std::future::pending().await,
    }
}

/// The body of a request, or its beginning when it is larger than a request may be.
async fn collect(mut body: Incoming) -> io::Result<Bytes> {
    let mut collected = BytesMut::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(io::Error::other)?;
        let Ok(data) = frame.into_data() else { continue };
        // Enough is kept to see that it is too much. The rest is read and forgotten, so that the client gets round to reading the answer.
        if collected.len() <= MAX_BODY {
            collected.extend_from_slice(&data);
        }
        seen += data.len();
        if seen > MAX_DRAIN {
            break;
        }
    }
    Ok(collected.freeze())
}

/// A body that is sent whole, or cut in the middle.
#[derive(Debug)]
struct Answer {
    data: Option<Bytes>,
    /// What is left to do of a cut body, once its half is out.
    cut: Option<Cut>,
}

#[derive(Debug)]
enum Cut {
    /// The half waits in a buffer: one round through the connection sends it.
    Flush,
    Close,
}

impl Answer {
    fn whole(data: Bytes) -> Self {
        Self { data: (!data.is_empty()).then_some(data), cut: None }
    }

    fn cut(data: &Bytes) -> Self {
        Self { data: Some(data.slice(..data.len() / 2)), cut: Some(Cut::Flush) }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match self.cut {
            None => Poll::Ready(None),
            Some(Cut::Flush) => {
                self.cut = Some(Cut::Close);
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Cut::Close) => Poll::Ready(Some(Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "truncated by a fault",
            )))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.cut.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.data, &self.cut) {
            (Some(data), None) => SizeHint::with_exact(data.len() as u64),
            (None, None) => SizeHint::with_exact(0),
            (_, Some(_)) => SizeHint::default(),
        }
    }
}
