//! The real loop over the simulated AWS in process, under paused time: documents in, status out, and the simulator's call log.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use super::look::observer;
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use ted_controller::assess::types::{ConditionStatus, ConditionType};
use ted_controller::clock;
use ted_controller::controller::{Controller, Summary};
use ted_controller::desired::{Defaults, File, InForce, Revision, keep_last_good, load};
use ted_controller::report::commands::{Command, Commands, channel};
use ted_controller::report::{Memory, Status, Store};
use ted_controller::settings::Settings;
use ted_controller::source::{Documents, Snapshot};
use ted_sim::Sim;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A controller that runs.
pub(crate) struct Daemon {
    pub(crate) store: Arc<Store>,
    pub(crate) commands: Commands,
    documents: watch::Sender<Arc<Documents>>,
    stop: CancellationToken,
    running: JoinHandle<Summary>,
}

/// How a controller is told to run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) settings: Settings,
    pub(crate) memory: Memory,
}

impl Options {
    /// One with a state directory.
    pub(crate) fn with_state(folder: impl Into<PathBuf>) -> Self {
        let settings = Settings { state_dir: Some(folder.into()), ..Settings::default() };
        Self { settings, ..Self::default() }
    }
}

impl Daemon {
    /// Starts one with a document of `einstein`, or several of others too.
    pub(crate) fn start(sim: &Sim, document: &str, options: Options) -> Self {
        Self::with(sim, Some(document), options)
    }

    /// Starts one, with or without a document.
    pub(crate) fn with(sim: &Sim, document: Option<&str>, options: Options) -> Self {
        let settings = Arc::new(options.settings);
        let store = Arc::new(Store::new(options.memory, Timestamp::UNIX_EPOCH));
        let (commands, asked) = channel();
        let (documents, documents_seen) =
            watch::channel(Arc::new(documents(&InForce::default(), document)));
        let stop = CancellationToken::new();
        let controller = Controller::new(
            settings,
            Arc::new(observer(sim)),
            Arc::clone(&store),
            documents_seen,
            asked,
        );
        let running = tokio::spawn(controller.run(stop.clone()));
        Self { store, commands, documents, stop, running }
    }

    /// Another state of the document; `None`: it is deleted.
    pub(crate) fn commit(&self, document: Option<&str>) {
        let last = Arc::clone(&self.documents.borrow());
        self.documents.send_replace(Arc::new(documents(&last.in_force, document)));
    }

    /// What is known of `einstein`; nothing once it is gone.
    pub(crate) fn status(&self) -> Option<Status> {
        self.store.ted("einstein").map(|ted| ted.status.clone())
    }

    /// Waits, in virtual time, until the status is as wanted.
    pub(crate) async fn until(&self, what: &str, limit: Duration, is: impl Fn(&Status) -> bool) {
        self.until_some("einstein", what, limit, |status| status.is_some_and(&is)).await;
    }

    /// Waits until the TED is forgotten: its document is gone, and so is what was held for it.
    pub(crate) async fn until_gone(&self, limit: Duration) {
        self.until_some("einstein", "to be forgotten", limit, |status| status.is_none()).await;
    }

    /// As [`Self::until`], of any TED, also of one that is gone.
    pub(crate) async fn until_some(
        &self,
        name: &str,
        what: &str,
        limit: Duration,
        is: impl Fn(Option<&Status>) -> bool,
    ) {
        let end = clock::now() + limit;
        loop {
            let ted = self.store.ted(name);
            let status = ted.as_ref().map(|ted| &ted.status);
            if is(status) {
                return;
            }
            assert!(
                clock::now() < end,
                "{name}: {what}: not within {limit:?}\n{}",
                describe(name, status, &self.store)
            );
            clock::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Asks for something.
    pub(crate) async fn ask(&self, command: Command) {
        self.commands.send(command).await.expect("it is taken up");
    }

    /// Stops it in an orderly way.
    pub(crate) async fn stop(self) -> Summary {
        self.stop.cancel();
        self.running.await.expect("it ends")
    }

    /// Ends it as `kill -9` does: at whatever it is waiting for. What it kept is what the next one may find.
    pub(crate) fn kill(self) -> Memory {
        let memory = self.store.memory_since(None).map(|(_, memory)| memory);
        self.running.abort();
        memory.unwrap_or_default()
    }
}

/// Whether a condition is true.
pub(crate) fn is(status: &Status, kind: ConditionType) -> bool {
    status.condition(kind).is_some_and(|condition| condition.status == ConditionStatus::True)
}

/// A status in a few lines, for a test that failed.
pub(crate) fn describe(name: &str, status: Option<&Status>, store: &Store) -> String {
    let Some(status) = status else { return "there is no such TED".to_owned() };
    let mut lines = vec![format!("phase {:?}, {:?}", status.phase, status.actual)];
    lines.extend(
        status
            .conditions
            .iter()
            .map(|it| format!("{:?} {:?} {}: {}", it.kind, it.status, it.reason, it.message)),
    );
    lines.extend(status.gates.iter().filter(|gate| !gate.holds).map(|gate| {
        format!("gate {} {:?}: {} [{}]", gate.gate, gate.state, gate.message, gate.remedy)
    }));
    lines.extend(status.plan.iter().map(|step| format!("step {:?}: {}", step.step, step.summary)));
    lines.extend(status.findings.iter().map(|it| format!("{}: {}", it.code, it.message)));
    lines.extend(status.trouble.iter().map(|it| format!("trouble {}: {}", it.reason, it.message)));
    lines.extend(store.events(name).into_iter().flatten().take(20).map(|event| {
        format!("event {} {} x{}: {}", event.at, event.reason, event.count, event.message)
    }));
    lines.join("\n")
}

fn documents(before: &InForce, document: Option<&str>) -> Documents {
    let files: Vec<File> =
        document.map(|text| File::new("einstein.yaml", text.as_bytes())).into_iter().collect();
    let loaded = load(&files, &Defaults::default());
    Documents::of(&Arc::new(Snapshot {
        revision: Revision::of_files(&files),
        in_force: Arc::new(keep_last_good(before, &loaded)),
        problem: None,
        origin: "teds".to_owned(),
        commit: None,
        read_at: Some(ted_controller::clock::wall()),
        reading: 1,
    }))
}
