//! Server-sent events: everything first, then what changes.
//!
//! Who connects is sent `list`, `sources` and `daemon`, and from then on `ted`, `gone`, `happened`, `sources` and `freeze` as they come.
//! Every event is whole in itself, so one too many does no harm. A reader that is slower than the changes is sent the whole list again
//! in their place: it never sees a gap, and we never keep more for it than the store's queue. `daemon` comes every [`BEAT`] as well:
//! a reader that hears nothing for longer has lost us.

use super::Shared;
use super::answer::Refusal;
use super::read::{Items, List};
use crate::clock;
use crate::report::Change;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use serde::Serialize;
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;

/// How often the daemon says how it is.
const BEAT: Duration = Duration::from_secs(15);

/// How often there is at least a comment: proxies close what is silent, and a write is how we notice that nobody reads.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// After how long a browser connects again by itself.
const RECONNECT: Duration = Duration::from_secs(2);

/// How many events wait for a connection. The list is one event: this bounds what a slow reader costs.
const MAX_WAITING: usize = 4;

type Sender = mpsc::Sender<Result<Event, Infallible>>;

pub(super) async fn stream(State(shared): State<Arc<Shared>>) -> Result<Response<Body>, Refusal> {
    let Ok(place) = Arc::clone(&shared.streams).try_acquire_owned() else {
        let hint = "close a window on the page, or read `/api/v1/teds` now and then";
        let error = "too many streams are open";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error, hint));
    };
    // Before the list is read: what changes in between is sent twice, and nothing is lost.
    let changes = shared.store.subscribe();
    let (sender, receiver) = mpsc::channel(MAX_WAITING);
    tokio::spawn(feed(shared, changes, sender, place));
    let events = Sse::new(ReceiverStream::new(receiver));
    Ok(events.keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// Sends until the reader has gone or the server stops.
async fn feed(
    shared: Arc<Shared>,
    changes: Receiver<Change>,
    sender: Sender,
    place: OwnedSemaphorePermit,
) {
    tokio::select! {
        () = shared.stop.cancelled() => {}
        // Also while nothing is to be told.
        () = sender.closed() => {}
        Gone = tell(&shared, changes, &sender) => {}
    }
    drop(place);
}

/// The reader has gone.
struct Gone;

async fn tell(shared: &Shared, mut changes: Receiver<Change>, sender: &Sender) -> Gone {
    let reader = Reader { shared, sender };
    let told = async {
        reader.everything().await?;
        let mut beat = clock::now() + BEAT;
        loop {
            tokio::select! {
                change = changes.recv() => match change {
                    Ok(change) => reader.change(change).await?,
                    Err(RecvError::Lagged(_)) => reader.everything().await?,
                    Err(RecvError::Closed) => return Err(Gone),
                },
                () = clock::sleep(beat.saturating_duration_since(clock::now())) => {
                    reader.send("daemon", &shared.daemon()).await?;
                    beat = clock::now() + BEAT;
                }
            }
        }
    };
    let Err(gone): Result<Infallible, Gone> = told.await;
    gone
}

struct Reader<'a> {
    shared: &'a Shared,
    sender: &'a Sender,
}

impl Reader<'_> {
    async fn everything(&self) -> Result<(), Gone> {
        let store = &self.shared.store;
        let teds = store.teds();
        self.send("list", &List::of(&teds, store.freeze())).await?;
        self.sources().await?;
        self.send("daemon", &self.shared.daemon()).await
    }

    async fn change(&self, change: Change) -> Result<(), Gone> {
        match change {
            Change::Ted(ted) => self.send("ted", &*ted).await,
            Change::Gone(name) => self.send("gone", &json!({ "name": name })).await,
            Change::Happened { name, event } => {
                self.send("happened", &json!({ "name": name, "event": event })).await
            }
            Change::Sources => self.sources().await,
            Change::Freeze(freeze) => self.send("freeze", &freeze).await,
        }
    }

    async fn sources(&self) -> Result<(), Gone> {
        self.send("sources", &Items { items: self.shared.store.sources() }).await
    }

    async fn send(&self, name: &str, data: &impl Serialize) -> Result<(), Gone> {
        // What is sent here has text keys only, and JSON has no line breaks, so this does not fail.
        let Ok(event) = Event::default().event(name).retry(RECONNECT).json_data(data) else {
            return Ok(());
        };
        self.sender.send(Ok(event)).await.map_err(|_| Gone)
    }
}
