//! A source that runs, and waiting for what it says.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use ted_controller::desired::Defaults;
use ted_controller::settings::{GitSettings, GitUrl};
use ted_controller::source::{GitSource, Snapshot};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Longer than anything should take, so that a test that hangs ends.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// What a test asks a source for: often, so that nobody waits.
pub(crate) fn settings(url: &str) -> GitSettings {
    GitSettings {
        interval: Duration::from_millis(150),
        timeout: LIMIT,
        ..GitSettings::new(GitUrl::parse(url).unwrap())
    }
}

/// A source that runs until this goes.
pub(crate) struct Running {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    task: JoinHandle<()>,
    stop: Option<DropGuard>,
}

impl Running {
    pub(crate) fn start(settings: GitSettings, state: Option<&Path>) -> Self {
        let source = GitSource::new(settings, Defaults::default(), state);
        let (sender, snapshots) = watch::channel(Arc::new(source.unread()));
        let stop = CancellationToken::new();
        let task = tokio::spawn(source.run(sender, stop.clone()));
        Self { snapshots, task, stop: Some(stop.drop_guard()) }
    }

    /// Waits for a snapshot.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        is: impl Fn(&Snapshot) -> bool,
    ) -> Arc<Snapshot> {
        let waited = tokio::time::timeout(LIMIT, self.snapshots.wait_for(|snapshot| is(snapshot)));
        let found = waited.await.map(|found| Arc::clone(&found.unwrap()));
        found.unwrap_or_else(|_| panic!("never {what}: {:#?}", self.snapshots.borrow()))
    }

    /// Waits for the first thing it says.
    pub(crate) async fn first(&mut self) -> Arc<Snapshot> {
        self.until("read", |snapshot| snapshot.reading > 0).await
    }

    /// Waits until a commit is in force without a problem.
    pub(crate) async fn at(&mut self, commit: &str) -> Arc<Snapshot> {
        let is =
            |snapshot: &Snapshot| snapshot.commit.as_ref().is_some_and(|found| found.id == commit);
        self.until(&format!("at {commit}"), |snapshot| is(snapshot) && snapshot.problem.is_none())
            .await
    }

    /// Waits for a problem that says this.
    pub(crate) async fn problem(&mut self, part: &str) -> Arc<Snapshot> {
        let says = |snapshot: &Snapshot| {
            snapshot.problem.as_ref().is_some_and(|problem| problem.contains(part))
        };
        self.until(&format!("says `{part}`"), says).await
    }

    /// Waits for this many more readings, news or not.
    pub(crate) async fn readings(&mut self, count: u64) -> Arc<Snapshot> {
        let from = self.snapshots.borrow().reading;
        let ready = async {
            // A reading that is no news wakes nobody.
            while self.snapshots.borrow().reading < from + count {
                ted_controller::clock::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LIMIT, ready).await.unwrap();
        Arc::clone(&self.snapshots.borrow())
    }

    /// Stops it and waits for its end.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        tokio::time::timeout(LIMIT, self.task).await.unwrap().unwrap();
    }
}

/// The names in force.
pub(crate) fn names(snapshot: &Snapshot) -> Vec<String> {
    snapshot.in_force.entries.iter().map(|entry| entry.desired.name.to_string()).collect()
}

/// The notes, in words.
pub(crate) fn notes(snapshot: &Snapshot) -> String {
    snapshot.in_force.notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Everything that was logged by anybody in this process from the first call on, down to traces.
pub(crate) fn logged() -> String {
    static LOG: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();
    let log = LOG.get_or_init(|| {
        let log: Arc<Mutex<Vec<u8>>> = Arc::default();
        let writer = Arc::clone(&log);
        let _ = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || Writer(Arc::clone(&writer)))
            .try_init();
        log
    });
    String::from_utf8_lossy(&log.lock().unwrap()).into_owned()
}

struct Writer(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
