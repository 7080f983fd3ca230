//! The HTTP server: health, metrics, API and page. Decides nothing.
//!
//! Read in this order: `guard` says who may ask for what; `routes` is the table of paths; `read` answers from the store; `order` hands
//! what is asked for to the loop; `stream` tells what changes; `page` is for people; `answer` has the form of every answer, errors
//! among them; `connection` bounds what a client can take of us.
//!
//! What it never does: send anything but our own files to a browser, allow another site's page anything, show a secret, wait for a
//! client without a limit.

mod accept;
mod answer;
mod connection;
mod guard;
mod order;
mod page;
mod read;
mod routes;
mod stream;

use crate::report::commands::Commands;
use crate::report::{Health, Store};
use crate::settings::Secret;
use guard::Guard;
use jiff::Timestamp;
use serde::Serialize;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// How old the last completed pass may be, or the last moment in which none was due.
///
/// Against an AWS that does not answer, a pass takes as long as its calls may: some 65 seconds a round trip, three in a row. Whoever is
/// ended for that fares no better afterwards; what takes longer hangs.
const HEALTHY_FOR: Duration = Duration::from_mins(5);

/// How many streams may be open at a time: every browser window on the page has one, and each costs a task and its place in the queue.
const MAX_STREAMS: usize = 64;

/// What is served.
#[derive(Clone, Debug)]
pub struct Site {
    /// What is known.
    pub store: Arc<Store>,
    /// Where to ask for something.
    pub commands: Commands,
    /// The token that orders need, if there is one. Beyond loopback there are no orders without one.
    pub token: Option<Secret>,
    /// Host names by which it may be asked, beside `localhost` and addresses.
    pub hosts: Vec<String>,
    /// This controller's version.
    pub version: &'static str,
}

/// Serves until `stop`, then lets answers under way end for a few seconds.
///
/// # Errors
/// The listener cannot say where it listens. Whatever goes wrong with a connection ends that connection and nothing else.
pub async fn serve(listener: TcpListener, site: Site, stop: CancellationToken) -> io::Result<()> {
    let local = listener.local_addr()?;
    let guard = Guard::new(&site.hosts, site.token.as_ref(), local.ip());
    let Site { store, commands, token: _, hosts: _, version } = site;
    let streams = Arc::new(Semaphore::new(MAX_STREAMS));
    let shared = Shared { store, commands, guard, version, stop: stop.clone(), streams };
    connection::serve(listener, routes::router(Arc::new(shared)), stop).await;
    Ok(())
}

/// What every answer is made from.
#[derive(Debug)]
struct Shared {
    store: Arc<Store>,
    commands: Commands,
    guard: Guard,
    version: &'static str,
    stop: CancellationToken,
    /// Places for streams.
    streams: Arc<Semaphore>,
}

/// How the daemon itself is: what `/healthz` says, and the stream now and then.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Daemon {
    #[serde(flatten)]
    health: Health,
    /// Whether every TED had its first look.
    ready: bool,
    /// The host's time, so that ages can be told whatever the reader's clock says.
    now: Timestamp,
    version: &'static str,
    /// Who may give orders.
    orders: guard::Orders,
}

impl Shared {
    fn daemon(&self) -> Daemon {
        let now = crate::clock::wall();
        Daemon {
            health: self.store.health(now, HEALTHY_FOR),
            ready: self.store.is_ready(),
            now,
            version: self.version,
            orders: self.guard.orders(),
        }
    }
}
