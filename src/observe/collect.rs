//! One look: which calls are made, in which round, and how their answers become an observation.
//!
//! Round 1 asks for what needs no ids: the product by its name, all stacks, caches, databases and triggers of the region. Round 2 asks for
//! what these named: records, versions, launch paths, the running template, the resources of each stack, the tags of the triggers.
//! Round 3 asks for the version to have. A fourth is made only while triggers are off: what waits in their queues.

mod brisk;

use super::convert::{self, gap, seen};
use super::join::join_all;
use super::observation::{
    Artifact, Backlog, Caller, Details, Gap, LaunchPath, NestedStack, Observation, Offer, Product,
    Record, Relative, Seen, Stack, StackResource, TemplateSummary, Triggers,
};
use super::shared::{Answer, Lists, Shared, Since, Turn};
use super::triggers::{self, Workers};
use super::{Depth, Look, Query, check};
use crate::aws::reader::{ProductRef as ReaderRef, ProductSearch};
use crate::aws::{Error, Kind, Reader, Session, SessionError, types as aws};
use crate::clock::Instant;
use crate::desired::{self, Offer as Wishable, ProductRef, TedVersion};
use crate::text::sanitize;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How old the parts on the slower clock may get (design: triggers every ten minutes).
const SLOW_CLOCK: SignedDuration = SignedDuration::from_mins(10);

/// How old the lists of caches and databases may be that a steady look shares with those of other TEDs.
const SHARED_AGE: Duration = Duration::from_secs(10);

/// Records that are read of a product's past.
const HISTORY: usize = 20;

/// What the last look found.
#[derive(Debug)]
pub(super) struct Known {
    observation: Observation,
    /// Physical ids of what the stacks hold in RDS and ElastiCache.
    resources: Resources,
    /// When the parts on the slower clock were read, by AWS's time.
    slow_at: Timestamp,
    /// Addresses of queues by ARN.
    queue_urls: BTreeMap<String, String>,
    /// For which version the offer was read.
    wish: Option<desired::VersionWish>,
    /// The stacks of the product as they were when their resources and the template were listed.
    tree: Tree,
    /// When this look ended: what was asked for until then shows nothing new.
    ended: Turn,
}

/// Root and nested stacks: id, status, and when each was last updated. A stack's template and resources change only by an operation,
/// and that moves one of these (CloudFormation API reference, `Stack`).
type Tree = Vec<(String, Option<String>, Option<Timestamp>)>;

impl Known {
    /// The same, with what was read again.
    fn with(&self, observation: Observation) -> Self {
        Self {
            observation,
            tree: self.tree.clone(),
            ended: Turn::take(),
            resources: self.resources.clone(),
            slow_at: self.slow_at,
            queue_urls: self.queue_urls.clone(),
            wish: self.wish.clone(),
        }
    }
}

/// What the stacks say that they made.
#[derive(Clone, Debug)]
struct Resources(Result<Vec<StackResource>, Gap>);

/// Looks. Returns what to remember, too.
pub(super) async fn look(
    session: &Session,
    shared: &Shared,
    query: &Query,
    depth: Depth,
    known: Option<&Known>,
) -> Result<(Look, Known), SessionError> {
    let mut rounds = 0;
    let reader = session.reader();
    // Nothing that was asked for before this look began.
    let lists = Lists::new(&reader, shared, Since::now());
    if depth == Depth::Brisk
        && let Some(known) = known.filter(|known| known.wish == query.wish)
    {
        rounds = 2;
        if let Some(observation) = Box::pin(brisk::brisk(session, lists, query, known)).await? {
            let remembered = known.with(observation.clone());
            return Ok((Look { observation, rounds }, remembered));
        }
    }
    if depth == Depth::Steady
        && let Some(known) = known.filter(|known| known.wish == query.wish)
        && let Some(ids) = Ids::of(known)
    {
        rounds = 1;
        // Others of the region may have asked a moment ago; what this TED has seen already is not worth seeing again.
        let lists = Lists::new(&reader, shared, Since::ago(SHARED_AGE, known.ended));
        if let Some(observation) = Box::pin(steady(session, lists, query, known, &ids)).await? {
            let remembered = known.with(observation.clone());
            return Ok((Look { observation, rounds }, remembered));
        }
    }
    let mut collector = Collector {
        session,
        reader: &reader,
        lists,
        query,
        known: known.filter(|known| known.observation.root.present().is_some()),
        rounds,
        queue_urls: known.map(|known| known.queue_urls.clone()).unwrap_or_default(),
        queues_before: known
            .and_then(|known| known.observation.triggers.present())
            .map(|triggers| triggers.queues.clone())
            .unwrap_or_default(),
    };
    let (observation, resources, tree) = Box::pin(collector.everything()).await?;
    let remembered = Known {
        observation: observation.clone(),
        resources,
        tree,
        ended: Turn::take(),
        slow_at: observation.now,
        queue_urls: collector.queue_urls,
        wish: query.wish.clone(),
    };
    Ok((Look { observation, rounds: collector.rounds }, remembered))
}

/// What a steady look asks by.
struct Ids<'a> {
    product: &'a Product,
    root: &'a Stack,
    record: &'a Record,
}

impl<'a> Ids<'a> {
    /// `None`: something is missing, so everything has to be found again.
    fn of(known: &'a Known) -> Option<Self> {
        let [product] = known.observation.products.present()?.as_slice() else { return None };
        Some(Self {
            product,
            root: known.observation.root.present()?,
            record: known.observation.last_record.present()?,
        })
    }
}

/// A look at what moves. `None`: something happened, or the rest is too old; then everything is read.
async fn steady(
    session: &Session,
    lists: Lists<'_>,
    query: &Query,
    known: &Known,
    ids: &Ids<'_>,
) -> Result<Option<Observation>, SessionError> {
    let reader = session.reader();
    let by_id = ReaderRef::Id(ids.product.id.clone());
    let (checked, product, root, groups, clusters, databases) = tokio::join!(
        check(session, query.account.as_deref()),
        reader.provisioned_product(&by_id),
        reader.stack(&ids.root.id),
        lists.replication_groups(),
        lists.cache_clusters(),
        lists.db_instances(),
    );
    checked?;
    let now = now(session, known.observation.now);
    let age = |asked: Instant| SignedDuration::try_from(asked.elapsed()).unwrap_or_default();
    let read_at = |asked: &[Option<Instant>]| {
        let oldest = asked.iter().copied().flatten().map(age).max().unwrap_or_default();
        now.checked_sub(oldest).unwrap_or(now)
    };
    let caches_at = read_at(&[asked_at(&groups), asked_at(&clusters)]);
    let databases_at = read_at(&[asked_at(&databases)]);
    let (Ok(product), Ok(Some(root))) = (product, root) else {
        return Ok(None);
    };
    let product = Product {
        product_name: ids.product.product_name.clone(),
        physical_id: ids.product.physical_id.clone(),
        ..convert::product(product)
    };
    // Of a stack that was deleted everything has to be found again.
    let Some(root) = existing(Some(convert::stack(&root))) else { return Ok(None) };
    // A new record shows as the product's last.
    let over = ids.record.is_over();
    let as_before = product == *ids.product && root == *ids.root && over;
    let quiet = product.status != "UNDER_CHANGE" && !root.status.ends_with("_IN_PROGRESS");
    let fresh = now.duration_since(known.slow_at) < SLOW_CLOCK;
    if !(as_before && quiet && fresh) || passing_gap(&known.observation) {
        return Ok(None);
    }
    let mut observation = known.observation.clone();
    observation.now = now;
    let hive = hive_of(query, &observation);
    observation.caches = caches(&groups, &clusters, &known.resources, hive.as_deref());
    let storage_changed =
        known.observation.database.present().and_then(|database| database.storage_changed);
    (observation.database, observation.replica) =
        self::databases(&databases, &known.resources, storage_changed);
    let read = [
        ("products", now),
        ("root", now),
        ("caches", caches_at),
        ("database", databases_at),
        ("replica", databases_at),
    ];
    observation.read_at.extend(read.map(|(part, at)| (part.to_owned(), at)));
    Ok(Some(observation))
}

/// The hive that a look without a document found is the one that its caches were chosen by.
fn hive_of(query: &Query, observation: &Observation) -> Option<String> {
    query.hive.clone().or_else(|| {
        let root = observation.root.present()?;
        let relatives = observation.relatives.present()?;
        relatives.iter().any(|relative| relative.workspace.is_some()).then(|| {
            // The parameter whose value names a database of the stack: `<prefix>-<hive>`.
            let database = observation.database.present()?;
            root.parameters
                .values()
                .map(|parameter| parameter.value.clone())
                .filter(|value| !value.is_empty())
                .find(|value| database.id.ends_with(&format!("-{}", value.replace('_', "-"))))
        })?
    })
}

/// Whether something could not be read that may be readable by now.
fn passing_gap(observation: &Observation) -> bool {
    // Cache, database, product and root stack are read again in any case.
    let Details { search: _, database_events, tags, queues } = &observation.details;
    let gaps = [
        database_events.as_ref(),
        tags.as_ref(),
        queues.as_ref(),
        observation.last_success.gap(),
        observation.history.gap(),
        observation.versions.gap(),
        observation.paths.gap(),
        observation.target.gap(),
        observation.template.gap(),
        observation.nested.gap(),
        observation.relatives.gap(),
        observation.triggers.gap(),
    ];
    gaps.into_iter().flatten().any(|gap| gap.passing)
}

/// A stack, unless it was deleted: by its ARN CloudFormation shows it for 90 days more (API reference, `DescribeStacks`).
fn existing(stack: Option<Stack>) -> Option<Stack> {
    stack.filter(|stack| stack.status != "DELETE_COMPLETE")
}

fn now(session: &Session, otherwise: Timestamp) -> Timestamp {
    session.aws_now().unwrap_or(otherwise)
}

/// When an answer was asked for.
fn asked_at<T>(answer: &Answer<T>) -> Option<Instant> {
    answer.as_ref().ok().map(|(_, asked)| *asked)
}

struct Collector<'a> {
    session: &'a Session,
    reader: &'a Reader,
    lists: Lists<'a>,
    query: &'a Query,
    /// What an earlier look found, if it found the product and its stack.
    known: Option<&'a Known>,
    rounds: u32,
    queue_urls: BTreeMap<String, String>,
    /// What waited in the queues when they were last read.
    queues_before: Vec<super::observation::Backlog>,
}

/// What round 1 found of the stacks.
struct Stacks {
    root: Option<Stack>,
    nested: Vec<aws::Stack>,
    relatives: Vec<Relative>,
    hive: Option<String>,
    tree: Tree,
}

impl Collector<'_> {
    async fn everything(&mut self) -> Result<(Observation, Resources, Tree), SessionError> {
        let by = reader_ref(&self.query.product);
        self.rounds += 1;
        let (checked, product, found, stacks, groups, clusters, databases, mappings) = tokio::join!(
            check(self.session, self.query.account.as_deref()),
            self.reader.provisioned_product(&by),
            self.search(&by),
            self.lists.stacks(),
            self.lists.replication_groups(),
            self.lists.cache_clusters(),
            self.lists.db_instances(),
            self.lists.mappings(),
        );
        checked?;
        let identity = self.session.identity().await?;
        let mut observation = Observation::nothing(Timestamp::UNIX_EPOCH, self.session.region());
        observation.caller =
            Seen::Present(Caller { account: identity.account.clone(), arn: identity.arn.clone() });
        (observation.products, observation.details.search) = products(product, found);
        let Some([product]) = observation.products.present().map(Vec::as_slice) else {
            observation.now = now(self.session, Timestamp::UNIX_EPOCH);
            let unknown = Gap {
                operation: "servicecatalog:DescribeProvisionedProduct".to_owned(),
                reason: "NoProduct".to_owned(),
                message: "the provisioned product is not known".to_owned(),
                passing: false,
            };
            return Ok((observation, Resources(Err(unknown)), Tree::new()));
        };
        let product = product.clone();
        let root_ref = product
            .physical_id
            .clone()
            .unwrap_or_else(|| format!("SC-{}-{}", identity.account, product.id));
        let sorted = stacks.as_ref().ok().map(|(all, _)| self.sort_out(all, &root_ref));
        let hold = super::hold_key(&product.id);
        let workers = match (&sorted, &mappings) {
            (Some(sorted), Ok((mappings, _))) => {
                Ok(triggers::workers(mappings, &sorted.relatives, &self.query.prefix))
            }
            (_, Err(error)) => Err(gap(error)),
            (None, Ok(_)) => Err(stacks.as_ref().err().map_or_else(unexplained, gap)),
        };

        let same = sorted.as_ref().and_then(|sorted| unmoved(self.known, &sorted.tree));
        self.rounds += 1;
        let (root, records, lists, template, resources, triggers) = tokio::join!(
            Box::pin(self.root(sorted.as_ref(), &root_ref)),
            Box::pin(self.records(&product)),
            Box::pin(self.lists(&product)),
            Box::pin(self.template(same, &root_ref)),
            Box::pin(self.resources(same, sorted.as_ref(), &root_ref)),
            Box::pin(self.tagged(workers, &hold)),
        );
        observation.root = root;
        (observation.last_record, observation.last_success) = records;
        (observation.history, observation.versions, observation.paths) = lists;
        observation.template = template;
        (observation.triggers, observation.details.tags) = triggers;
        let hive = sorted.as_ref().and_then(|sorted| sorted.hive.clone());
        match (&sorted, stacks) {
            (Some(sorted), _) => {
                observation.relatives = Seen::Present(sorted.relatives.clone());
                observation.nested = match same {
                    Some(known) => known.observation.nested.clone(),
                    None => nested(&sorted.nested, &root_ref, &resources),
                };
            }
            (None, Err(error)) => {
                observation.relatives = Seen::Unreadable(gap(&error));
                observation.nested = Seen::Unreadable(gap(&error));
            }
            (None, Ok(_)) => {}
        }
        let resources = match (observation.nested.gap(), same) {
            (Some(gap), _) => Resources(Err(gap.clone())),
            (None, Some(known)) => known.resources.clone(),
            (None, None) => known_resources(&resources),
        };
        let tree = sorted.map(|sorted| sorted.tree).unwrap_or_default();
        observation.caches = caches(&groups, &clusters, &resources, hive.as_deref());
        (observation.database, observation.replica) = self::databases(&databases, &resources, None);

        self.rounds += 1;
        let (offer, storage_changed, watched) = tokio::join!(
            Box::pin(self.offer(&observation, &product)),
            Box::pin(self.storage_changed(&observation)),
            Box::pin(self.watched(&observation, &hold)),
        );
        observation.target = offer;
        match storage_changed {
            Ok(at) => {
                if let Seen::Present(database) = &mut observation.database {
                    database.storage_changed = at;
                }
            }
            Err(error) => observation.details.database_events = Some(gap(&error)),
        }
        self.backlogs(&mut observation, watched).await;
        observation.now = now(self.session, Timestamp::UNIX_EPOCH);
        for part in PARTS {
            observation.read_at.insert((*part).to_owned(), observation.now);
        }
        Ok((observation, resources, tree))
    }

    /// The product as a search shows it. A search over all that was made a moment ago will do as well: what it adds does not change.
    async fn search(&self, by: &ReaderRef) -> Result<Vec<aws::FoundProduct>, Error> {
        let one = ProductSearch::One(by.clone());
        match self.lists.products_known().await {
            Some(all) if all.iter().any(|found| one.matches(found)) => {
                Ok(all.iter().filter(|found| one.matches(found)).cloned().collect())
            }
            _ => self.reader.search_provisioned_products(&one).await,
        }
    }

    async fn template(&self, same: Option<&Known>, root_ref: &str) -> Seen<TemplateSummary> {
        match same {
            Some(known) => known.observation.template.clone(),
            None => optional(self.reader.template_summary(root_ref).await, convert::template),
        }
    }

    /// Root, nested stacks and relatives among all stacks of the region.
    fn sort_out(&self, all: &[aws::Stack], root_ref: &str) -> Stacks {
        let root = all.iter().find(|stack| stack.id == root_ref || stack.name == root_ref);
        let nested = root.map_or_else(Vec::new, |root| {
            let below = |stack: &&aws::Stack| stack.root_id.as_deref() == Some(&root.id);
            all.iter().filter(below).cloned().collect()
        });
        let hive = self.query.hive.clone().or_else(|| {
            // Without a document: what a workspace calls its hive and the stack has as a parameter.
            let values: BTreeSet<&str> = root?
                .parameters
                .iter()
                .filter_map(|parameter| parameter.value.as_deref())
                .collect();
            all.iter()
                .filter_map(|stack| value(stack, "Hive"))
                .find(|hive| values.contains(hive))
                .map(str::to_owned)
        });
        let relatives = hive.as_deref().map_or_else(Vec::new, |hive| relatives(all, hive));
        let state = |stack: &aws::Stack| (stack.id.clone(), stack.status.clone(), stack.updated_at);
        let mut tree: Tree = root.into_iter().chain(&nested).map(state).collect();
        tree.sort();
        Stacks { root: root.map(convert::stack), nested, relatives, hive, tree }
    }

    async fn root(&self, sorted: Option<&Stacks>, root_ref: &str) -> Seen<Stack> {
        if let Some(root) = sorted.and_then(|sorted| sorted.root.clone()) {
            return Seen::Present(root);
        }
        let asked = self.reader.stack(root_ref).await;
        optional(asked.map(|stack| existing(stack.as_ref().map(convert::stack))), |stack| stack)
    }

    async fn records(&self, product: &Product) -> (Seen<Record>, Seen<Record>) {
        let last = product.last_provisioning_record_id.as_deref();
        let success = product.last_successful_provisioning_record_id.as_deref();
        // Mostly they are the same one.
        let other = success.filter(|success| Some(*success) != last);
        let (last_seen, other) = tokio::join!(self.record(last), self.record(other));
        let success = if success.is_some() && success == last { last_seen.clone() } else { other };
        (last_seen, success)
    }

    async fn record(&self, id: Option<&str>) -> Seen<Record> {
        let Some(id) = id else { return Seen::Absent };
        // A record that is over stays as it is; its outputs take several pages.
        let known = self.known.map(|known| &known.observation).and_then(|seen| {
            [&seen.last_record, &seen.last_success]
                .into_iter()
                .filter_map(Seen::present)
                .find(|record| record.id == id && record.is_over())
        });
        if let Some(known) = known {
            return Seen::Present(known.clone());
        }
        seen(self.reader.record(id).await, |found| convert::record(found.record, &found.outputs))
    }

    async fn lists(
        &self,
        product: &Product,
    ) -> (Seen<Vec<Record>>, Seen<Vec<Artifact>>, Seen<Vec<LaunchPath>>) {
        let history = async {
            seen(self.reader.record_history(&product.id, HISTORY).await, |records| {
                records.into_iter().map(|record| convert::record(record, &[])).collect()
            })
        };
        let Some(product_id) = product.product_id.as_deref() else {
            return (history.await, Seen::NotLooked, Seen::NotLooked);
        };
        let (history, versions, paths) = tokio::join!(
            history,
            self.lists.artifacts(product_id),
            self.lists.launch_paths(product_id),
        );
        (
            history,
            seen(versions, |(all, _)| all.iter().cloned().map(convert::artifact).collect()),
            seen(paths, |(all, _)| all.iter().cloned().map(convert::path).collect()),
        )
    }

    /// The resources of the root and of each nested stack, by the stack's ARN (of the root: by what it was asked by).
    /// None, where what an earlier look found still holds.
    async fn resources(
        &self,
        same: Option<&Known>,
        sorted: Option<&Stacks>,
        root_ref: &str,
    ) -> OfStacks {
        if same.is_some() {
            return OfStacks::new();
        }
        let nested = sorted.map_or(&[][..], |sorted| &sorted.nested);
        let names: Vec<&str> =
            std::iter::once(root_ref).chain(nested.iter().map(|stack| stack.id.as_str())).collect();
        let answers = join_all(names.iter().map(|name| self.reader.stack_resources(name))).await;
        names
            .into_iter()
            .map(str::to_owned)
            .zip(answers.into_iter().map(|answer| answer.map(Option::unwrap_or_default)))
            .collect()
    }

    async fn tagged(
        &self,
        workers: Result<Workers, Gap>,
        hold: &str,
    ) -> (Seen<Triggers>, Option<Gap>) {
        match workers {
            Ok(workers) => {
                let (triggers, unread) = workers.tagged(self.reader, hold).await;
                (Seen::Present(triggers), unread)
            }
            Err(gap) => (Seen::Unreadable(gap), None),
        }
    }

    /// The version to have, with what it takes; `NotLooked` when the running one stays or nobody can tell.
    async fn offer(&self, observation: &Observation, product: &Product) -> Seen<Offer> {
        let Some(artifact) = wanted(self.query, observation) else { return Seen::NotLooked };
        let Some(product_id) = product.product_id.as_deref() else { return Seen::NotLooked };
        let path = path_id(observation);
        let (described, parameters) = tokio::join!(
            self.lists.artifact(product_id, &artifact.id),
            self.lists.provisioning_parameters(product_id, &artifact.id, path),
        );
        let usage = seen(parameters, |(found, _)| convert::usage(&found.usage));
        let parameters = seen(described, |(found, _)| {
            found.parameters.iter().cloned().map(convert::parameter).collect()
        });
        Seen::Present(Offer { artifact: artifact.clone(), parameters, usage })
    }

    async fn storage_changed(&self, observation: &Observation) -> Result<Option<Timestamp>, Error> {
        let Some(database) = observation.database.present() else { return Ok(None) };
        let events = self.reader.db_events(&database.id, convert::EVENTS_KEPT_MINUTES).await?;
        Ok(convert::storage_changed(&events))
    }

    /// Queues to look into, with their addresses.
    async fn watched(&self, observation: &Observation, hold: &str) -> Vec<Watched> {
        let Some(triggers) = observation.triggers.present() else { return Vec::new() };
        let now = now(self.session, Timestamp::UNIX_EPOCH);
        let queues = triggers::queues_to_watch(triggers, &self.queues_before, hold, now);
        let urls = queues.iter().map(|arn| async {
            match self.queue_urls.get(arn) {
                Some(url) => Ok(Some(url.clone())),
                None => triggers::queue_url(self.reader, arn).await,
            }
        });
        let urls = join_all(urls).await;
        queues.into_iter().zip(urls).collect()
    }

    async fn backlogs(&mut self, observation: &mut Observation, watched: Vec<Watched>) {
        let Seen::Present(triggers) = &mut observation.triggers else { return };
        if watched.is_empty() {
            return;
        }
        self.rounds += 1;
        let now = now(self.session, Timestamp::UNIX_EPOCH);
        let unknown = |arn: &str| Backlog { queue: arn.to_owned(), ..Backlog::default() };
        let answers = watched.iter().map(|(arn, url)| async {
            match url {
                Ok(Some(url)) => triggers::backlog(self.reader, arn, url, now).await,
                Ok(None) => Ok(unknown(arn)),
                Err(error) => Err(error.clone()),
            }
        });
        let answers = join_all(answers).await;
        for ((arn, _), answer) in watched.iter().zip(answers) {
            triggers.queues.push(answer.unwrap_or_else(|error| {
                observation.details.queues.get_or_insert_with(|| gap(&error));
                unknown(arn)
            }));
        }
        triggers::remember_first(&mut triggers.queues, &self.queues_before, &triggers.mappings);
        self.queue_urls
            .extend(watched.into_iter().filter_map(|(arn, url)| Some((arn, url.ok()??))));
    }
}

/// What an earlier look found, if the stacks have not moved since: then they hold what they held.
fn unmoved<'a>(known: Option<&'a Known>, tree: &Tree) -> Option<&'a Known> {
    let quiet = |status: &Option<String>| {
        status.as_ref().is_some_and(|status| !status.ends_with("_IN_PROGRESS"))
    };
    known.filter(|known| {
        known.tree == *tree
            && tree.iter().all(|(_, status, _)| quiet(status))
            && known.resources.0.is_ok()
            && known.observation.nested.present().is_some()
            && known.observation.template.present().is_some()
    })
}

/// A queue's ARN, and its address.
type Watched = (String, Result<Option<String>, Error>);

/// The resources of each stack, in the order in which they were asked for: the root first.
type OfStacks = Vec<(String, Result<Vec<aws::StackResource>, Error>)>;

/// Names of the parts of an observation, as in its JSON.
const PARTS: &[&str] = &[
    "caller",
    "products",
    "lastRecord",
    "lastSuccess",
    "history",
    "versions",
    "paths",
    "target",
    "root",
    "template",
    "nested",
    "relatives",
    "caches",
    "database",
    "replica",
    "triggers",
];

fn unexplained() -> Gap {
    Gap {
        operation: "cloudformation:DescribeStacks".to_owned(),
        reason: "BadAnswer".to_owned(),
        message: "the stacks of the region could not be read".to_owned(),
        passing: true,
    }
}

fn reader_ref(product: &ProductRef) -> ReaderRef {
    match product {
        ProductRef::Name(name) => ReaderRef::Name(name.clone()),
        ProductRef::Id(id) => ReaderRef::Id(id.clone()),
    }
}

fn optional<T, U>(answer: Result<Option<T>, Error>, convert: impl FnOnce(T) -> U) -> Seen<U> {
    match answer {
        Ok(Some(value)) => Seen::Present(convert(value)),
        Ok(None) => Seen::Absent,
        Err(error) => Seen::Unreadable(gap(&error)),
    }
}

/// The product, told by the description; the search adds what that leaves out.
///
/// "Does not exist or access was denied" (Service Catalog's one text for both) is absence only when a search over the whole account finds
/// nothing either.
fn products(
    described: Result<aws::ProvisionedProduct, Error>,
    found: Result<Vec<aws::FoundProduct>, Error>,
) -> (Seen<Vec<Product>>, Option<Gap>) {
    let searched: Vec<Product> =
        found.iter().flatten().cloned().map(convert::found_product).collect();
    let unread = found.as_ref().err().map(gap);
    let products = match described {
        Ok(described) => {
            let mut product = convert::product(described);
            if let Some(found) = searched.into_iter().find(|found| found.id == product.id) {
                product.product_name = found.product_name;
                product.physical_id = found.physical_id;
            }
            Seen::Present(vec![product])
        }
        Err(error) => match (&error.kind, found) {
            (Kind::NotFound | Kind::NotFoundOrDenied, Ok(found)) if found.is_empty() => {
                Seen::Present(Vec::new())
            }
            _ => Seen::Unreadable(gap(&error)),
        },
    };
    (products, unread)
}

fn value<'a>(stack: &'a aws::Stack, key: &str) -> Option<&'a str> {
    stack.parameters.iter().find(|parameter| parameter.key == key)?.value.as_deref()
}

/// The Workspace stacks of a hive (parameters `Name`, `Hive`, `Version`: Turbot's guide "Pause Event Processing"), and the TE stacks of
/// the versions that they run (a stack with that `Version` that belongs to no hive; how Turbot names them is not published).
fn relatives(all: &[aws::Stack], hive: &str) -> Vec<Relative> {
    let plain = |version: &str| version.strip_prefix('v').unwrap_or(version).to_owned();
    let relative = |stack: &aws::Stack, workspace: Option<&str>, version: &str| Relative {
        name: stack.name.clone(),
        status: stack.status.clone().unwrap_or_default(),
        workspace: workspace.map(sanitize),
        te_version: Some(plain(version)),
    };
    let roots = || all.iter().filter(|stack| stack.root_id.is_none());
    let mut found: Vec<Relative> = roots()
        .filter(|stack| value(stack, "Hive") == Some(hive))
        .filter_map(|stack| {
            let version = value(stack, "Version")?;
            Some(relative(stack, Some(value(stack, "Name").unwrap_or(&stack.name)), version))
        })
        .collect();
    let versions: BTreeSet<String> =
        found.iter().filter_map(|relative| relative.te_version.clone()).collect();
    found.extend(roots().filter(|stack| value(stack, "Hive").is_none()).filter_map(|stack| {
        let version = value(stack, "Version")?;
        versions.contains(&plain(version)).then(|| relative(stack, None, version))
    }));
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// The stack's name in its ARN: `arn:…:stack/<name>/<uuid>`.
fn name_in(arn: &str) -> &str {
    arn.split('/').nth(1).unwrap_or(arn)
}

/// Nested stacks, parents first. One whose resources could not be listed makes all of them unreadable: what it holds is not known.
fn nested(stacks: &[aws::Stack], root_ref: &str, resources: &OfStacks) -> Seen<Vec<NestedStack>> {
    let mut of: BTreeMap<&str, &[aws::StackResource]> = BTreeMap::new();
    let mut logical: BTreeMap<&str, &str> = BTreeMap::new();
    for (stack, list) in resources {
        match list {
            Ok(list) => {
                of.insert(stack, list);
                logical.extend(list.iter().filter_map(|resource| {
                    Some((resource.physical_id.as_deref()?, resource.logical_id.as_str()))
                }));
            }
            Err(error) => return Seen::Unreadable(gap(error)),
        }
    }
    let mut found: Vec<NestedStack> = stacks
        .iter()
        .map(|stack| {
            let all = of.get(stack.id.as_str()).copied().unwrap_or_default();
            let complete = |resource: &&aws::StackResource| {
                resource.status.as_deref().is_some_and(|status| status.ends_with("_COMPLETE"))
            };
            NestedStack {
                id: stack.id.clone(),
                name: stack.name.clone(),
                logical_id: logical
                    .get(stack.id.as_str())
                    .map_or_else(|| stack.name.clone(), |logical| (*logical).to_owned()),
                parent: name_in(stack.parent_id.as_deref().unwrap_or(root_ref)).to_owned(),
                status: stack.status.clone().unwrap_or_default(),
                reason: stack.status_reason.as_deref().map(sanitize),
                updated: stack.updated_at.or(stack.created_at),
                heard: all.iter().filter_map(|resource| resource.updated_at).max(),
                resources: all
                    .iter()
                    .filter(|resource| convert::is_known_by_services(resource))
                    .map(convert::resource)
                    .collect(),
                resources_total: all.len(),
                resources_complete: all.iter().filter(complete).count(),
            }
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    // Parents first: CloudFormation nests at most five levels, so a few passes order any tree.
    let mut placed: Vec<NestedStack> = Vec::new();
    while !found.is_empty() {
        let names: BTreeSet<String> = found.iter().map(|stack| stack.name.clone()).collect();
        let (later, now): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|stack| names.contains(&stack.parent));
        if now.is_empty() {
            placed.extend(later);
            break;
        }
        placed.extend(now);
        found = later;
    }
    Seen::Present(placed)
}

fn known_resources(resources: &OfStacks) -> Resources {
    let mut all = Vec::new();
    for (_, list) in resources {
        match list {
            Ok(list) => all.extend(
                list.iter()
                    .filter(|resource| convert::is_known_by_services(resource))
                    .map(convert::resource),
            ),
            Err(error) => return Resources(Err(gap(error))),
        }
    }
    Resources(Ok(all))
}

impl Resources {
    fn of_kind<'a>(
        &'a self,
        kind: &'a str,
    ) -> Result<impl Iterator<Item = &'a StackResource>, Gap> {
        match &self.0 {
            Ok(all) => Ok(all.iter().filter(move |resource| {
                resource.kind == kind && resource.status != "DELETE_COMPLETE"
            })),
            Err(gap) => Err(gap.clone()),
        }
    }
}

/// The stack's replication group, and others that bear the hive's name.
fn caches(
    groups: &Answer<Vec<aws::ReplicationGroup>>,
    clusters: &Answer<Vec<aws::CacheCluster>>,
    resources: &Resources,
    hive: Option<&str>,
) -> Seen<Vec<super::observation::Cache>> {
    let (groups, clusters) = match (groups, clusters) {
        (Ok((groups, _)), Ok((clusters, _))) => (groups, clusters),
        (Err(error), _) | (_, Err(error)) => return Seen::Unreadable(gap(error)),
    };
    let own: BTreeSet<String> = match resources.of_kind("AWS::ElastiCache::ReplicationGroup") {
        Ok(own) => own.map(|resource| resource.physical_id.clone()).collect(),
        Err(gap) => return Seen::Unreadable(gap),
    };
    // Underscores of a hive's name become hyphens in ElastiCache's names.
    let hive = hive.map(|hive| format!("-{}-", hive.replace('_', "-")));
    let bears_the_name =
        |id: &str| hive.as_ref().is_some_and(|hive| format!("-{id}-").contains(hive));
    let found: Vec<_> = groups
        .iter()
        .filter(|group| own.contains(&group.id) || bears_the_name(&group.id))
        .map(|group| convert::cache(group, clusters, own.contains(&group.id)))
        .collect();
    if found.is_empty() { Seen::Absent } else { Seen::Present(found) }
}

/// The stack's database and its replica.
fn databases(
    instances: &Answer<Vec<aws::DbInstance>>,
    resources: &Resources,
    storage_changed: Option<Timestamp>,
) -> (Seen<super::observation::Database>, Seen<super::observation::Database>) {
    let instances = match instances {
        Ok((instances, _)) => instances,
        Err(error) => {
            return (Seen::Unreadable(gap(error)), Seen::Unreadable(gap(error)));
        }
    };
    let own: BTreeSet<String> = match resources.of_kind("AWS::RDS::DBInstance") {
        Ok(own) => own.map(|resource| resource.physical_id.clone()).collect(),
        Err(gap) => return (Seen::Unreadable(gap.clone()), Seen::Unreadable(gap)),
    };
    let of_stack = || instances.iter().filter(|instance| own.contains(&instance.id));
    let Some(primary) = of_stack().find(|instance| instance.replica_source.is_none()) else {
        return (Seen::Absent, Seen::NotLooked);
    };
    let replica = of_stack()
        .find(|instance| instance.replica_source.is_some())
        // One that somebody made outside the stack is a replica all the same.
        .or_else(|| instances.iter().find(|instance| primary.replicas.contains(&instance.id)));
    let mut database = convert::database(primary);
    database.storage_changed = storage_changed;
    let replica = replica.map_or(Seen::Absent, |replica| Seen::Present(convert::database(replica)));
    (Seen::Present(database), replica)
}

/// The artifact of the version to have, when it is not the running one. Which one it is `assess` says again; here it only decides which
/// parameters are worth reading.
fn wanted<'a>(query: &Query, observation: &'a Observation) -> Option<&'a Artifact> {
    let wish = query.wish.as_ref()?;
    let versions = observation.versions.present()?;
    let of = |artifact: &Artifact| TedVersion::read(&artifact.name);
    let by_output = observation
        .root
        .present()
        .and_then(|root| root.outputs.get("ReleaseVersion"))
        .and_then(|version| TedVersion::read(version));
    let by_record = || {
        let id = observation.last_success.present()?.artifact_id.as_deref()?;
        of(versions.iter().find(|artifact| artifact.id == id)?)
    };
    let running = by_output.or_else(by_record);
    if running.as_ref().is_some_and(|running| wish.is_satisfied_by(running)) {
        return None;
    }
    let offers: Vec<Wishable> = versions
        .iter()
        .filter(|artifact| artifact.active)
        .filter_map(|artifact| {
            Some(Wishable { version: of(artifact)?, deprecated: artifact.deprecated })
        })
        .collect();
    let target = wish.target(running.as_ref(), &offers)?;
    let fits = |artifact: &&Artifact| of(artifact).as_ref() == Some(&target);
    let mut active = versions.iter().filter(|artifact| artifact.active).filter(fits);
    active.next().or_else(|| versions.iter().find(fits))
}

/// The launch path to ask by: the one that the last record used, else the only one.
pub(super) fn path_id(observation: &Observation) -> Option<&str> {
    let paths = observation.paths.present()?;
    let used = [&observation.last_success, &observation.last_record]
        .into_iter()
        .filter_map(|record| record.present()?.path_id.as_deref())
        .find(|used| paths.iter().any(|path| path.id == *used));
    match paths.as_slice() {
        _ if used.is_some() => used,
        [path] => Some(&path.id),
        _ => None,
    }
}
