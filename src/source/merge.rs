//! Several sources as one set of documents.

use super::{Commit, Snapshot};
use crate::desired::{Defaults, InForce, Revision, unite};
use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What all sources say together.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// The documents in force.
    pub in_force: Arc<InForce>,
    /// Every source, in the order in which they were named.
    pub sources: Vec<SourceState>,
    /// Whether every source has been read, or could not be. Before that nothing is in force: what is not there yet may contradict what
    /// is, and what is missing is not gone.
    pub complete: bool,
}

/// How one source stands.
#[derive(Clone, Debug)]
pub struct SourceState {
    /// The file, folder or repository, as it was named.
    pub origin: String,
    /// Of what it has in force; absent before it was read.
    pub revision: Option<Revision>,
    /// Why it cannot be read now.
    pub problem: Option<String>,
    /// Its own documents and files, contradictions of other sources among their problems.
    pub in_force: Arc<InForce>,
    /// When what it has in force was last seen to be what it says, by the host's clock.
    pub last_read_at: Option<Timestamp>,
    /// The commit of what it has in force.
    pub commit: Option<Commit>,
}

impl Documents {
    /// What a single source says.
    pub fn of(snapshot: &Arc<Snapshot>) -> Self {
        let sources = vec![SourceState {
            origin: snapshot.origin.clone(),
            revision: Some(snapshot.revision.clone()),
            problem: snapshot.problem.clone(),
            in_force: Arc::clone(&snapshot.in_force),
            last_read_at: snapshot.read_at,
            commit: snapshot.commit.clone(),
        }];
        Self { in_force: Arc::clone(&snapshot.in_force), sources, complete: snapshot.reading > 0 }
    }

    /// Nothing is known of any of the sources yet.
    pub fn unread(sources: &[watch::Receiver<Arc<Snapshot>>]) -> Self {
        let states = sources.iter().map(|source| SourceState {
            origin: source.borrow().origin.clone(),
            revision: None,
            problem: None,
            in_force: Arc::default(),
            last_read_at: None,
            commit: None,
        });
        Self { in_force: Arc::default(), sources: states.collect(), complete: false }
    }
}

/// Makes one set of what the sources say, whenever one of them says something, until `stop`.
///
/// A receiver of `documents` is woken for news only. A reading that found nothing new moves [`SourceState::last_read_at`], which is there
/// for whoever looks.
pub async fn merge(
    sources: Vec<watch::Receiver<Arc<Snapshot>>>,
    defaults: Defaults,
    documents: watch::Sender<Arc<Documents>>,
    stop: CancellationToken,
) {
    let something = Arc::new(Notify::new());
    // Dropped, and with that ended, when this is.
    let mut listeners = JoinSet::new();
    for mut source in sources.clone() {
        let something = Arc::clone(&something);
        listeners.spawn(async move {
            while source.changed().await.is_ok() {
                something.notify_one();
            }
        });
    }
    let mut merging = Merging {
        seen: sources.iter().map(|source| Arc::clone(&source.borrow())).collect(),
        defaults,
    };
    let mut first = true;
    loop {
        let now: Vec<Arc<Snapshot>> =
            sources.iter().map(|source| Arc::clone(&source.borrow())).collect();
        let last = Arc::clone(&documents.borrow());
        let news = std::mem::take(&mut first) || merging.is_news(&now);
        let next = merging.next(&last, now, news);
        documents.send_if_modified(|documents| {
            *documents = Arc::new(next);
            news
        });
        tokio::select! {
            () = stop.cancelled() => return,
            () = something.notified() => {}
        }
    }
}

struct Merging {
    seen: Vec<Arc<Snapshot>>,
    defaults: Defaults,
}

impl Merging {
    fn is_news(&self, now: &[Arc<Snapshot>]) -> bool {
        self.seen.iter().zip(now).any(|(last, next)| differs(last, next))
    }

    fn next(&mut self, last: &Documents, now: Vec<Arc<Snapshot>>, news: bool) -> Documents {
        let mut next = last.clone();
        for (state, snapshot) in next.sources.iter_mut().zip(&now) {
            state.last_read_at = snapshot.read_at;
        }
        if news {
            let parts: Vec<&InForce> =
                now.iter().map(|snapshot| snapshot.in_force.as_ref()).collect();
            let union = unite(&last.in_force, &parts, &self.defaults);
            for ((state, snapshot), part) in next.sources.iter_mut().zip(&now).zip(union.parts) {
                state.revision = (snapshot.reading > 0 && state.last_read_at.is_some())
                    .then(|| snapshot.revision.clone());
                state.problem.clone_from(&snapshot.problem);
                state.commit.clone_from(&snapshot.commit);
                state.in_force = Arc::new(part);
            }
            next.complete = now.iter().all(|snapshot| snapshot.reading > 0);
            if next.complete {
                next.in_force = Arc::new(union.in_force);
            }
        }
        self.seen = now;
        next
    }
}

/// Whether a reading is news.
fn differs(last: &Snapshot, next: &Snapshot) -> bool {
    // The first one always is.
    (last.reading == 0) != (next.reading == 0)
        || last.revision != next.revision
        || last.problem != next.problem
        || last.in_force != next.in_force
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::desired::{File, Standing, keep_last_good, load};

    const A: &str = "engine: redis\nversion: '7.1'\nhive: hv\n";

    /// A source whose readings the test makes.
    struct Source(watch::Sender<Arc<Snapshot>>);

    impl Source {
        fn new(origin: &str) -> Self {
            let snapshot = Snapshot {
                revision: Revision::of_files(&[]),
                in_force: Arc::default(),
                problem: None,
                origin: origin.to_owned(),
                commit: None,
                read_at: None,
                reading: 0,
            };
            Self(watch::channel(Arc::new(snapshot)).0)
        }

        fn reads(&self, files: &[(&str, &str)]) {
            let files: Vec<File> =
                files.iter().map(|(path, text)| File::new(*path, *text)).collect();
            let last = Arc::clone(&self.0.borrow());
            let loaded = load(&files, &Defaults::default());
            let in_force = Arc::new(keep_last_good(&last.in_force, &loaded));
            self.0.send_replace(Arc::new(Snapshot {
                revision: loaded.revision,
                in_force,
                problem: None,
                read_at: Some(clock::wall()),
                reading: last.reading + 1,
                ..Snapshot::clone(&last)
            }));
        }

        fn fails(&self) {
            let last = Arc::clone(&self.0.borrow());
            let problem = Some("it is not there".to_owned());
            let reading = last.reading + 1;
            self.0.send_replace(Arc::new(Snapshot { problem, reading, ..Snapshot::clone(&last) }));
        }
    }

    fn start(sources: &[&Source]) -> watch::Receiver<Arc<Documents>> {
        let sources: Vec<_> = sources.iter().map(|source| source.0.subscribe()).collect();
        let (sender, receiver) = watch::channel(Arc::new(Documents::unread(&sources)));
        tokio::spawn(merge(sources, Defaults::default(), sender, CancellationToken::new()));
        receiver
    }

    fn names(documents: &Documents) -> Vec<&str> {
        documents.in_force.entries.iter().map(|entry| entry.desired.name.as_str()).collect()
    }

    async fn news(
        documents: &mut watch::Receiver<Arc<Documents>>,
        wanted: impl Fn(&Documents) -> bool,
    ) -> Arc<Documents> {
        let found = documents.wait_for(|documents| wanted(documents));
        let limit = std::time::Duration::from_mins(1);
        let found = tokio::time::timeout(limit, found).await.expect("in time").expect("a merge");
        Arc::clone(&found)
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_in_force_before_every_source_was_read() {
        let (quick, slow) = (Source::new("quick"), Source::new("slow"));
        let mut documents = start(&[&quick, &slow]);
        quick.reads(&[("a.yaml", A)]);
        let early = news(&mut documents, |documents| documents.sources[0].revision.is_some()).await;
        assert!(!early.complete && early.in_force.entries.is_empty());
        assert_eq!(early.sources[1].last_read_at, None);
        // What cannot be read is not waited for.
        slow.fails();
        let late = news(&mut documents, |documents| documents.complete).await;
        assert_eq!(names(&late), ["a"]);
        assert_eq!(late.sources[1].problem.as_deref(), Some("it is not there"));
        assert_eq!((late.sources[1].last_read_at, &late.sources[1].revision), (None, &None));
    }

    #[tokio::test(start_paused = true)]
    async fn what_one_source_says_may_contradict_another_one() {
        let (one, two) = (Source::new("one"), Source::new("two"));
        let mut documents = start(&[&one, &two]);
        one.reads(&[("one/a.yaml", A)]);
        two.reads(&[("two/b.yaml", A)]);
        news(&mut documents, |documents| names(documents) == ["a", "b"]).await;
        two.reads(&[("two/a.yaml", A)]);
        let contested = news(&mut documents, |documents| names(documents) == ["a"]).await;
        assert_eq!(contested.in_force.entries[0].standing, Standing::Contested);
        assert!(contested.sources.iter().all(|source| !source.in_force.files[0].valid));
        // A source that is gone keeps what it said, so the contradiction stays too.
        one.fails();
        let gone = news(&mut documents, |documents| documents.sources[0].problem.is_some()).await;
        assert_eq!(gone.in_force.entries[0].standing, Standing::Contested);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_without_news_moves_the_time_and_wakes_nobody() {
        let source = Source::new("one");
        let mut documents = start(&[&source]);
        source.reads(&[("a.yaml", A)]);
        let first = news(&mut documents, |documents| documents.complete).await;
        documents.mark_unchanged();
        let before = first.sources[0].last_read_at.expect("it was read");
        // The host's clock is not paused: some time passes between two readings.
        while clock::wall() == before {
            tokio::task::yield_now().await;
        }
        source.reads(&[("a.yaml", A)]);
        while documents.borrow().sources[0].last_read_at == Some(before) {
            tokio::task::yield_now().await;
        }
        assert!(!documents.has_changed().expect("a merge"));
    }
}
