//! The simulated AWS as it is, read past all AWS calls: what the audience sees, and what every claim of the daemon is checked against.

use jiff::Timestamp;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use ted_sim::Sim;

/// What a hold's tag key begins with, and its value while it holds. The daemon's words, read here as any other tool would read them.
const HOLD_KEY: &str = "ted-controller:hold:";
const HELD: &str = "held";

/// Everything there is.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct World {
    /// AWS's time.
    pub(super) time: Timestamp,
    /// Accounts and regions; the first one is where the story plays.
    scopes: Vec<Scope>,
}

/// What an account has in a region.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Scope {
    pub(super) account: String,
    pub(super) region: String,
    products: Products,
    pub(super) stacks: BTreeMap<String, Stack>,
    pub(super) caches: BTreeMap<String, Cache>,
    pub(super) triggers: BTreeMap<String, Trigger>,
    queues: BTreeMap<String, Queue>,
}

#[derive(Clone, Debug, Deserialize)]
struct Products {
    provisioned: BTreeMap<String, Product>,
    offered: BTreeMap<String, Offered>,
}

/// A provisioned product.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Product {
    pub(super) status: String,
    pub(super) version: Option<String>,
    /// The root stack's ARN.
    stack: String,
    pub(super) last_record: Option<Record>,
}

/// A record of Service Catalog.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Record {
    pub(super) id: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Offered {
    versions: Vec<Version>,
}

#[derive(Clone, Debug, Deserialize)]
struct Version {
    name: String,
    active: bool,
    deprecated: bool,
}

/// A stack.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Stack {
    /// Its ARN.
    pub(super) id: String,
    pub(super) status: String,
    /// The name of the stack it is nested in.
    pub(super) parent: Option<String>,
    pub(super) resources: BTreeMap<String, Resource>,
    /// How many events it has.
    pub(super) events: usize,
}

/// A resource of a stack.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource {
    physical_id: Option<String>,
    pub(super) status: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

/// A replication group.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Cache {
    pub(super) status: String,
    pub(super) engine: String,
    pub(super) version: String,
    pub(super) members: Vec<Member>,
}

/// A node of a replication group.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) status: String,
}

/// An event source mapping.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Trigger {
    pub(super) function: String,
    source: String,
    pub(super) state: String,
    tags: BTreeMap<String, String>,
    runs: Vec<Run>,
}

/// A time in which a trigger handed events to its function.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Run {
    from: Timestamp,
    to: Option<Timestamp>,
}

#[derive(Clone, Debug, Deserialize)]
struct Queue {
    visible: u64,
}

impl World {
    /// How it is now.
    pub(super) fn of(sim: &Sim) -> Result<Self, serde_json::Error> {
        serde_json::from_value(sim.world())
    }

    /// Where the story plays.
    pub(super) fn home(&self) -> Option<&Scope> {
        self.scopes.first()
    }

    /// AWS's time of day.
    pub(super) fn clock(&self) -> String {
        self.time.strftime("%H:%M:%S").to_string()
    }

    /// How old the oldest hold is under which an update is still to be sent; nothing when there is none.
    pub(super) fn pause_age(&self) -> Option<Duration> {
        let open = |scope: &Scope| scope.triggers.values().filter_map(|it| it.held(scope)).min();
        let since = self.scopes.iter().filter_map(open).min()?;
        Some(Duration::try_from(self.time.duration_since(since)).unwrap_or(Duration::ZERO))
    }
}

impl Scope {
    /// The provisioned products that are TEDs, by name.
    pub(super) fn teds(&self) -> impl Iterator<Item = (&str, &Product)> {
        self.products
            .provisioned
            .iter()
            .map(|(name, product)| (name.as_str(), product))
            .filter(|(name, _)| name.starts_with("ted-"))
    }

    /// A provisioned product.
    pub(super) fn product(&self, name: &str) -> Option<&Product> {
        self.products.provisioned.get(name)
    }

    /// The newest version of TED that may be updated to.
    pub(super) fn newest_version(&self) -> Option<&str> {
        let offered = self.products.offered.get("Turbot Guardrails Enterprise Database")?;
        let number = |name: &str| semver::Version::parse(name.trim_start_matches('v')).ok();
        offered
            .versions
            .iter()
            .filter(|version| version.active && !version.deprecated)
            .filter_map(|version| number(&version.name).map(|number| (number, &version.name)))
            .filter(|(number, _)| number.pre.is_empty())
            .max_by(|(one, _), (other, _)| one.cmp(other))
            .map(|(_, name)| name.as_str())
    }

    /// The name of a product's root stack.
    pub(super) fn root_of(&self, product: &str) -> Option<&str> {
        self.product(product)?.stack.split('/').nth(1)
    }

    /// The stacks nested in one, with their logical ids there.
    pub(super) fn nested_in(&self, parent: &str) -> Vec<(String, &str)> {
        let logical = |nested: &Stack| {
            let resources = &self.stacks.get(parent)?.resources;
            let found = resources
                .iter()
                .find(|(_, resource)| resource.physical_id.as_deref() == Some(&nested.id));
            found.map(|(logical, _)| logical.clone())
        };
        let mut nested: Vec<(String, &str)> = self
            .stacks
            .iter()
            .filter(|(_, stack)| stack.parent.as_deref() == Some(parent))
            .map(|(name, stack)| (logical(stack).unwrap_or_else(|| name.clone()), name.as_str()))
            .collect();
        nested.sort();
        nested
    }

    /// The cache that a product's stacks made, with its id; also one that was left behind is one of these.
    pub(super) fn cache_of(&self, product: &str) -> Option<(&str, &Cache)> {
        let root = self.root_of(product)?;
        let mut stacks = vec![root];
        while let Some(name) = stacks.pop() {
            let groups = self.stacks.get(name)?.resources.values();
            let groups = groups.filter(|it| it.kind == "AWS::ElastiCache::ReplicationGroup");
            let mut found =
                groups.filter_map(|group| self.caches.get_key_value(group.physical_id.as_deref()?));
            if let Some((id, cache)) = found.next() {
                return Some((id, cache));
            }
            stacks.extend(self.nested_in(name).into_iter().map(|(_, nested)| nested));
        }
        None
    }

    /// The triggers of worker functions: what a migration has to pause.
    pub(super) fn workers(&self) -> impl Iterator<Item = &Trigger> {
        self.triggers.values().filter(|trigger| trigger.is_of_worker())
    }

    /// Messages that wait for workers.
    pub(super) fn backlog(&self) -> u64 {
        let names: BTreeSet<&str> = self.workers().map(Trigger::queue).collect();
        names.into_iter().filter_map(|name| self.queues.get(name)).map(|queue| queue.visible).sum()
    }
}

impl Trigger {
    /// Whether it feeds one of a TE version's three workers.
    fn is_of_worker(&self) -> bool {
        let rest = self.function.strip_prefix("turbot_");
        let is_version = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
        rest.is_some_and(is_version)
            && ["_worker", "_worker_priority", "_worker_retry"]
                .iter()
                .any(|end| self.function.ends_with(end))
    }

    /// The name of its queue.
    fn queue(&self) -> &str {
        self.source.rsplit(':').next().unwrap_or(&self.source)
    }

    /// Since when it is held by a hold under which nothing was sent yet: the product's last record is still the one that it names.
    fn held(&self, scope: &Scope) -> Option<Timestamp> {
        let is_last = |record: &str| {
            let mut products = scope.products.provisioned.values();
            products.any(|it| it.last_record.as_ref().is_some_and(|last| last.id == record))
        };
        let holds = self.tags.iter().filter(|(key, _)| key.starts_with(HOLD_KEY));
        holds
            .filter_map(|(_, value)| held(value))
            .filter_map(|(record, since)| is_last(record).then_some(since))
            .min()
    }

    /// Whether it handed on events at any moment between two.
    pub(super) fn ran_between(&self, from: Timestamp, to: Timestamp) -> bool {
        self.runs.iter().any(|run| run.from < to && run.to.is_none_or(|end| end > from))
    }
}

/// The record that a hold names, and since when it holds: `held rec-… 1785578400 …`.
fn held(value: &str) -> Option<(&str, Timestamp)> {
    let mut words = value.split_whitespace();
    let is_held = words.next() == Some(HELD);
    let (record, epoch) = (words.next()?, words.next()?.parse().ok()?);
    Timestamp::from_second(epoch).ok().filter(|_| is_held).map(|since| (record, since))
}

impl Cache {
    /// `redis 7.1.0`.
    pub(super) fn runs(&self) -> String {
        format!("{} {}", self.engine, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ted_sim::Scenario;

    fn world(name: &str) -> World {
        let sim = Sim::start(&Scenario::named(name).unwrap(), 0.0).unwrap();
        World::of(&sim).unwrap()
    }

    #[tokio::test]
    async fn every_named_world_can_be_read() {
        for name in Scenario::names() {
            let world = world(name);
            let home = world.home().unwrap();
            assert!(home.teds().next().is_some(), "{name}");
            assert!(home.newest_version().is_some(), "{name}");
            assert!(world.pause_age().is_none(), "{name}: nobody holds anything");
        }
    }

    #[tokio::test]
    async fn the_default_world_is_what_the_story_begins_with() {
        let world = world("default");
        let home = world.home().unwrap();
        let (id, cache) = home.cache_of("ted-einstein").unwrap();
        assert_eq!((id, cache.runs().as_str()), ("turbot-einstein-cache-cluster", "redis 7.1.0"));
        assert_eq!(home.newest_version(), Some("v1.52.1"));
        let root = home.root_of("ted-einstein").unwrap();
        let nested: Vec<String> =
            home.nested_in(root).into_iter().map(|(logical, _)| logical).collect();
        assert!(nested.len() >= 10 && nested.contains(&"CacheStack".to_owned()), "{nested:?}");
        assert_eq!(home.workers().count(), 6);
        assert!(home.workers().all(|trigger| trigger.state == "Enabled"));
        assert_eq!(home.backlog(), 0);
    }

    #[test]
    fn a_hold_is_read_and_what_was_released_is_none() {
        let text = "held rec-1 1700000000 ted-controller abc made:x";
        let (record, since) = held(text).unwrap();
        assert_eq!((record, since.as_second()), ("rec-1", 1_700_000_000));
        assert_eq!(held("released 1700000000 ted-controller abc"), None);
        assert_eq!(held("held rec-1"), None);
    }

    #[test]
    fn a_trigger_ran_when_a_run_of_it_touches_the_time() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let trigger = Trigger {
            function: "turbot_5_40_3_worker".to_owned(),
            source: "arn:aws:sqs:us-east-2:111122223333:turbot_5_40_3_worker".to_owned(),
            state: "Enabled".to_owned(),
            tags: BTreeMap::new(),
            runs: vec![Run { from: at(0), to: Some(at(100)) }, Run { from: at(200), to: None }],
        };
        for (from, to, ran) in
            [(100, 200, false), (99, 150, true), (150, 201, true), (300, 400, true)]
        {
            assert_eq!(trigger.ran_between(at(from), at(to)), ran, "{from}..{to}");
        }
        assert_eq!(trigger.queue(), "turbot_5_40_3_worker");
    }
}
