//! Answers that are the same for every TED of an account and region: asked for once, however many look at the same time.
//!
//! **Nobody gets an answer that is older than it asked for.** Whoever needs to see the present takes only answers to requests that were
//! begun after its own look was; a look at what moves slowly may take one that is some seconds old. So sharing saves requests and
//! memory, and never shows the world as it was before a look.
//!
//! An answer is kept until the next one. What of it nobody looks at is dropped before, since a region can have thousands of stacks.

use crate::aws::reader::ProductSearch;
use crate::aws::{Error, Reader, types as aws};
use crate::clock::{self, Instant};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;

/// Products, versions and paths of which answers are kept. A region has one TED product with some versions in use.
const MOST_KEYS: usize = 64;

/// A place in the order in which things happen in this process. Clocks are too coarse for that, and stand still in tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn(u64);

impl Turn {
    /// Later than all that were taken before.
    pub(super) fn take() -> Self {
        static TURNS: AtomicU64 = AtomicU64::new(1);
        Self(TURNS.fetch_add(1, Ordering::Relaxed))
    }
}

/// Which answers are good enough.
#[derive(Clone, Copy, Debug)]
pub(super) struct Since {
    /// Those to requests that were begun later than this.
    pub(super) turn: Turn,
    /// And, if it is given, not before this moment.
    pub(super) moment: Option<Instant>,
}

impl Since {
    /// What is asked for from now on.
    pub(super) fn now() -> Self {
        Self { turn: Turn::take(), moment: None }
    }

    /// What was asked for at most so long ago, and after `turn`.
    pub(super) fn ago(age: Duration, turn: Turn) -> Self {
        let now = clock::now();
        // A host that has only just started has no such past.
        Self { turn, moment: Some(now.checked_sub(age).unwrap_or(now)) }
    }

    fn takes<T>(self, last: &Last<T>) -> bool {
        last.turn > self.turn && self.moment.is_none_or(|moment| last.asked >= moment)
    }
}

/// The last answer.
#[derive(Debug)]
struct Last<T> {
    turn: Turn,
    asked: Instant,
    answer: Result<Arc<T>, Error>,
}

/// An answer, and when it was asked for.
pub(super) type Answer<T> = Result<(Arc<T>, Instant), Error>;

/// One answer.
#[derive(Debug)]
struct Slot<T>(Mutex<Option<Last<T>>>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Slot<T> {
    /// An answer that is good enough; asks for one if there is none. Others wait for it meanwhile.
    async fn get(&self, since: Since, ask: impl Future<Output = Result<T, Error>>) -> Answer<T> {
        let mut slot = self.0.lock().await;
        if let Some(last) = slot.as_ref().filter(|last| since.takes(last)) {
            return last.answer.clone().map(|answer| (answer, last.asked));
        }
        let (turn, asked) = (Turn::take(), clock::now());
        let answer = ask.await.map(Arc::new);
        *slot = Some(Last { turn, asked, answer: answer.clone() });
        answer.map(|answer| (answer, asked))
    }

    /// An answer that is good enough, if there is one.
    async fn known(&self, since: Since) -> Option<Arc<T>> {
        let slot = self.0.lock().await;
        slot.as_ref().filter(|last| since.takes(last))?.answer.as_ref().ok().cloned()
    }
}

/// Answers by what was asked for.
#[derive(Debug)]
struct Slots<T>(Lock<BTreeMap<String, Arc<Slot<T>>>>);

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self(Lock::default())
    }
}

impl<T> Slots<T> {
    fn of(&self, key: &str) -> Arc<Slot<T>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_KEYS && !all.contains_key(key) {
            all.clear();
        }
        Arc::clone(all.entry(key.to_owned()).or_default())
    }
}

/// What one account and region say to whoever looks with the same rights.
#[derive(Debug, Default)]
pub(super) struct Shared {
    stacks: Slot<Vec<aws::Stack>>,
    groups: Slot<Vec<aws::ReplicationGroup>>,
    clusters: Slot<Vec<aws::CacheCluster>>,
    instances: Slot<Vec<aws::DbInstance>>,
    mappings: Slot<Vec<aws::Mapping>>,
    found: Slot<Vec<aws::FoundProduct>>,
    /// By product.
    artifacts: Slots<Vec<aws::Artifact>>,
    paths: Slots<Vec<aws::LaunchPath>>,
    /// By product and version, and by launch path too.
    described: Slots<aws::ArtifactDescription>,
    offered: Slots<aws::ProvisioningParameters>,
}

/// A reader that shares: for one look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lists<'a> {
    reader: &'a Reader,
    shared: &'a Shared,
    since: Since,
}

impl<'a> Lists<'a> {
    pub(super) fn new(reader: &'a Reader, shared: &'a Shared, since: Since) -> Self {
        Self { reader, shared, since }
    }

    /// All stacks; of nested ones without what only their own templates know.
    pub(super) async fn stacks(&self) -> Answer<Vec<aws::Stack>> {
        let ask = async {
            let mut all = self.reader.stacks().await?;
            for nested in all.iter_mut().filter(|stack| stack.root_id.is_some()) {
                (nested.parameters, nested.outputs) = (Vec::new(), Vec::new());
            }
            Ok(all)
        };
        self.shared.stacks.get(self.since, ask).await
    }

    pub(super) async fn replication_groups(&self) -> Answer<Vec<aws::ReplicationGroup>> {
        self.shared.groups.get(self.since, self.reader.replication_groups()).await
    }

    pub(super) async fn cache_clusters(&self) -> Answer<Vec<aws::CacheCluster>> {
        self.shared.clusters.get(self.since, self.reader.cache_clusters()).await
    }

    pub(super) async fn db_instances(&self) -> Answer<Vec<aws::DbInstance>> {
        self.shared.instances.get(self.since, self.reader.db_instances()).await
    }

    pub(super) async fn mappings(&self) -> Answer<Vec<aws::Mapping>> {
        self.shared.mappings.get(self.since, self.reader.mappings()).await
    }

    /// All provisioned products of the account.
    pub(super) async fn products(&self) -> Answer<Vec<aws::FoundProduct>> {
        let all = self.reader.search_provisioned_products(&ProductSearch::All);
        self.shared.found.get(self.since, all).await
    }

    /// All provisioned products of the account, if somebody asked for them within the last half minute.
    pub(super) async fn products_known(&self) -> Option<Arc<Vec<aws::FoundProduct>>> {
        self.shared.found.known(Since::ago(super::SEARCH_AGE, Turn::default())).await
    }

    pub(super) async fn artifacts(&self, product: &str) -> Answer<Vec<aws::Artifact>> {
        let slot = self.shared.artifacts.of(product);
        slot.get(self.since, self.reader.artifacts(product)).await
    }

    pub(super) async fn launch_paths(&self, product: &str) -> Answer<Vec<aws::LaunchPath>> {
        let slot = self.shared.paths.of(product);
        slot.get(self.since, self.reader.launch_paths(product)).await
    }

    pub(super) async fn artifact(
        &self,
        product: &str,
        artifact: &str,
    ) -> Answer<aws::ArtifactDescription> {
        let slot = self.shared.described.of(&format!("{product} {artifact}"));
        slot.get(self.since, self.reader.artifact(product, artifact)).await
    }

    pub(super) async fn provisioning_parameters(
        &self,
        product: &str,
        artifact: &str,
        path: Option<&str>,
    ) -> Answer<aws::ProvisioningParameters> {
        let slot = self.shared.offered.of(&format!("{product} {artifact} {path:?}"));
        slot.get(self.since, self.reader.provisioning_parameters(product, artifact, path)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::time::Duration;

    /// Counts how often it was asked.
    async fn ask(count: &Cell<u32>) -> Result<u32, Error> {
        clock::sleep(Duration::from_secs(1)).await;
        count.set(count.get() + 1);
        Ok(count.get())
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_look_at_the_same_time_ask_once() {
        let (slot, count) = (Slot::default(), Cell::new(0));
        let (start, since) = (clock::now(), Since::now());
        let (a, b, c) = tokio::join!(
            slot.get(since, ask(&count)),
            slot.get(since, ask(&count)),
            slot.get(since, ask(&count)),
        );
        assert_eq!([*a.unwrap().0, *b.unwrap().0, *c.unwrap().0], [1, 1, 1]);
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_to_an_older_request_is_never_taken() {
        let (slot, count) = (Slot::default(), Cell::new(0));
        let first = slot.get(Since::now(), ask(&count));
        let late = async {
            // The first request is under way, and may have seen the world before this look began.
            tokio::task::yield_now().await;
            slot.get(Since::now(), ask(&count)).await
        };
        let (first, late) = tokio::join!(first, late);
        assert_eq!((*first.unwrap().0, *late.unwrap().0), (1, 2));
        let old = Since::ago(Duration::from_secs(10), Turn::default());
        assert_eq!(
            *slot.get(old, ask(&count)).await.unwrap().0,
            2,
            "who may take an older one does"
        );
        let seen = Since::ago(Duration::from_secs(10), Turn::take());
        assert_eq!(*slot.get(seen, ask(&count)).await.unwrap().0, 3, "but none that it has seen");
        clock::sleep(Duration::from_secs(11)).await;
        assert_eq!(
            *slot.get(old, ask(&count)).await.unwrap().0,
            3,
            "its ten seconds were from then"
        );
        let old = Since::ago(Duration::from_secs(10), Turn::default());
        assert_eq!(*slot.get(old, ask(&count)).await.unwrap().0, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_leaves_the_asking_to_the_next() {
        let (slot, count) = (Slot::default(), Cell::new(0));
        let since = Since::now();
        let given_up =
            tokio::time::timeout(Duration::from_millis(10), slot.get(since, ask(&count)));
        assert!(given_up.await.is_err());
        assert_eq!(*slot.get(since, ask(&count)).await.unwrap().0, 1);
    }

    #[test]
    fn answers_for_many_things_do_not_pile_up() {
        let slots: Slots<u32> = Slots::default();
        for key in 0..1000 {
            slots.of(&key.to_string());
        }
        assert!(slots.0.lock().unwrap().len() <= MOST_KEYS);
    }
}
