//! The real daemon over the simulated AWS: the same source, loop, store and server that `run` starts.

use super::folder::Folder;
use crate::aws::budget::Rate;
use crate::aws::session::InProcess;
use crate::aws::{Service, Sessions, SessionsOptions};
use crate::clock;
use crate::controller::Controller;
use crate::desired::Region;
use crate::observe::Observer;
use crate::report::commands::{self, Command, Commands};
use crate::report::{Memory, Status, Store};
use crate::settings::{Aws, Settings};
use crate::source::{self, Documents};
use crate::web;
use std::sync::Arc;
use std::time::Duration;
use ted_sim::{Scenario, Sim};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long passes under way get to end; after it they are cut off, which costs nothing but them.
const DRAIN: Duration = Duration::from_secs(3);

/// A daemon that runs.
#[derive(Debug)]
pub(super) struct Daemon {
    pub(super) store: Arc<Store>,
    /// Where it is asked for something.
    pub(super) commands: Commands,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Daemon {
    /// Starts one. It reads documents from the folder and serves its page at `listener`; AWS goes `speed` times as fast as this host.
    pub(super) fn start(
        sim: &Sim,
        scenario: &Scenario,
        folder: &Folder,
        speed: f64,
        listener: TcpListener,
    ) -> Self {
        let settings = Arc::new(Settings {
            desired: Some(folder.documents()),
            state_dir: Some(folder.state()),
            source_poll: Duration::from_secs(2),
            aws: Aws { region: Region::parse(&scenario.world.region).ok(), ..Aws::default() },
            ..Settings::default()
        });
        let observer = Arc::new(Observer::new(Arc::new(sessions(sim, scenario, speed))));
        let store = Arc::new(Store::new(Memory::default(), clock::wall()));
        let (commands, asked) = commands::channel();
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();

        let (sources, defaults) = (settings.all_sources(), settings.defaults());
        let snapshots =
            source::start(&sources, &defaults, settings.source_poll, None, &mut tasks, &stop);
        let (sender, documents) = watch::channel(Arc::new(Documents::unread(&snapshots)));
        tasks.spawn(source::merge(snapshots, defaults, sender, stop.clone()));
        let site = web::Site {
            store: Arc::clone(&store),
            commands: commands.clone(),
            token: None,
            hosts: Vec::new(),
            version: env!("CARGO_PKG_VERSION"),
        };
        let stopped = stop.clone();
        tasks.spawn(async move {
            // Without its page the demo is the same.
            let _ = web::serve(listener, site, stopped).await;
        });
        let controller = Controller::new(settings, observer, Arc::clone(&store), documents, asked);
        let stopped = stop.clone();
        tasks.spawn(async move {
            controller.run(stopped).await;
        });
        Self { store, commands, stop, tasks }
    }

    /// What it knows of a TED.
    pub(super) fn status(&self, name: &str) -> Option<Status> {
        self.store.ted(name).map(|ted| ted.status.clone())
    }

    /// Has it look at every TED now, as `ted-controller reconcile` does.
    pub(super) async fn look_now(&self) {
        for ted in self.store.teds() {
            let name = ted.metadata.name.clone();
            let look = Command::Reconcile { name, token: "demo".to_owned(), retry: false };
            // A TED that is gone by now needs no look.
            let _ = self.commands.send(look).await;
        }
    }

    /// Ends it; when this returns, nothing of it writes any more.
    pub(super) async fn end(mut self) {
        self.stop.cancel();
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        tokio::select! {
            () = drained => {}
            () = clock::sleep(DRAIN) => {}
        }
        self.tasks.shutdown().await;
    }
}

/// Sessions that ask the simulated AWS.
fn sessions(sim: &Sim, scenario: &Scenario, speed: f64) -> Sessions {
    let wire =
        InProcess::new(sim.http_client(), &scenario.world.account, "simulated", sim.time_source());
    // The budgets keep to rates of AWS's time, and that is faster here.
    let rates = Service::ALL.map(|service| {
        let Rate { burst, per_second } = Rate::default_for(service);
        (service, Rate { burst, per_second: per_second * speed.max(1.0) })
    });
    let options = SessionsOptions {
        region: Some(scenario.world.region.clone()),
        rates: rates.into_iter().collect(),
        ..SessionsOptions::default()
    };
    Sessions::in_process(options, wire)
}
