//! A server on a free port, with a loop behind it that takes up what is asked for.

use crate::client::{Answer, Client};
use std::net::SocketAddr;
use std::sync::Arc;
use ted_controller::clock;
use ted_controller::desired::{Defaults, File, InForce, keep_last_good, load};
use ted_controller::report::commands::{self, Command, Refused};
use ted_controller::report::{Memory, SourceReport, Store};
use ted_controller::settings::Secret;
use ted_controller::web::{Site, serve};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const TOKEN: &str = "a-token-of-32-characters-or-more";

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<Store>,
    pub(crate) stop: CancellationToken,
    pub(crate) client: Client,
    /// What was asked for and taken up.
    pub(crate) asked: mpsc::UnboundedReceiver<Command>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// On loopback, without a token.
    pub(crate) async fn start() -> Self {
        Self::with("127.0.0.1:0", None).await
    }

    pub(crate) async fn with(listen: &str, token: Option<&str>) -> Self {
        Self::of(Store::new(Memory::default(), clock::wall()), listen, token).await
    }

    pub(crate) async fn of(store: Store, listen: &str, token: Option<&str>) -> Self {
        let store = Arc::new(store);
        let (commands, receiver) = commands::channel();
        let (told, asked) = mpsc::unbounded_channel();
        tokio::spawn(obey(Arc::clone(&store), receiver, told));
        let listener = TcpListener::bind(listen).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = CancellationToken::new();
        let site = Site {
            store: Arc::clone(&store),
            commands,
            token: token.map(Secret::new),
            hosts: vec!["ted.example.com".to_owned()],
            version: "1.2.3",
        };
        let task = tokio::spawn(serve(listener, site, stop.clone()));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Self { address, store, stop, client: Client::of(address), asked, task }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.client.send("GET", path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.client.send("POST", path, &[("content-type", "application/json")], body).await
    }

    /// Stops, and waits for the end.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// How the end goes while somebody else watches.
    pub(crate) fn into_task(self) -> JoinHandle<std::io::Result<()>> {
        self.task
    }
}

/// Takes up what is asked for, as the controller's loop does between two passes.
async fn obey(
    store: Arc<Store>,
    mut receiver: commands::CommandReceiver,
    told: mpsc::UnboundedSender<Command>,
) {
    while let Some((command, answer)) = receiver.recv().await {
        let taken_up = match &command {
            Command::Reconcile { name, .. } if store.ted(name).is_none() => {
                Err(Refused::NoSuchTed(name.clone()))
            }
            Command::Reconcile { .. } => Ok(()),
            Command::Freeze { on, reason } => {
                store.set_freeze(*on, reason.as_deref(), clock::wall());
                Ok(())
            }
        };
        if taken_up.is_ok() {
            let _ = told.send(command);
        }
        let _ = answer.send(taken_up);
    }
}

/// A source that was read and holds what a set of files says.
pub(crate) fn source(files: &[(&str, &str)]) -> SourceReport {
    let files: Vec<File> =
        files.iter().map(|(path, text)| File::new(*path, text.as_bytes())).collect();
    let loaded = load(&files, &Defaults::default());
    let in_force = keep_last_good(&InForce::default(), &loaded);
    SourceReport::read("teds", "sha256:00", &in_force, clock::wall())
}
