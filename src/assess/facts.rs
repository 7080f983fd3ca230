//! What an observation means, computed once: which product, which version runs, what the parameters are, what the nodes say.
//!
//! Facts judge nothing. Gates and findings read them instead of working the same things out again, so that they cannot disagree.
//! Whatever could not be read is named as such here too; nothing is filled in.

use super::evidence::Witness;
use super::roles::{self, Roles, Template};
use crate::desired::window::FIRST_EXPECTED_UPDATE;
use crate::desired::{
    CacheVersion, Desired, Engine, Offer as Wishable, ParameterKey, Role, TedVersion, VersionWish,
};
use crate::observe::observation::{
    Artifact, Cache, Database, LaunchPath, Observation, Offer, Parameter, Product, Record, Seen,
    StackParameter, WITHHELD,
};
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many of the last successful updates say how long the next one will take.
const UPDATES_LEARNED_FROM: usize = 5;

/// The meaning of an observation. `desired` is absent for a product without a document.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The provisioned product.
    pub product: TheProduct<'a>,
    /// The TED version that runs.
    pub running: Running<'a>,
    /// The highest version that may be running, for checks that a change goes forward.
    pub highest_plausible: Option<TedVersion>,
    /// The version to have.
    pub target: Target<'a>,
    /// How the product is reached.
    pub path: ThePath<'a>,
    /// The running template; `None`: not readable.
    pub present: Option<Template<'a>>,
    /// The target version's parameters; the running template's when the version stays. `None`: not readable.
    pub offered: Option<Template<'a>>,
    /// What of these two or of the stack's values could not be read, and why.
    pub gap: Option<String>,
    /// What the running stack's parameters are, by key; `None`: not readable.
    pub values: Option<BTreeMap<&'a str, Effective<'a>>>,
    /// Which parameter is for what.
    pub roles: Roles,
    /// The cache of this stack.
    pub cache: TheCache<'a>,
    /// Replication groups that bear this TED's name and are not its cache.
    pub other_caches: Vec<&'a Cache>,
    /// The engine that the nodes run.
    pub engine: Agreed<Engine>,
    /// The version that the nodes run, with patch level.
    pub engine_version: Agreed<String>,
    /// The hive's name, as the running stack has it.
    pub hive: Option<&'a str>,
    /// The prefix of resource names, as the running stack has it.
    pub prefix: Option<&'a str>,
    /// Storage as the stack names it and as RDS has it: size, IOPS, throughput, maximum.
    pub storage: [StorageFact; 4],
    /// How long an update takes: the longest of the last five that succeeded, never less than 20 minutes.
    pub expected_update: Duration,
}

/// Which provisioned product a document means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TheProduct<'a> {
    /// This one.
    One(&'a Product),
    /// None, or none that may be seen: Service Catalog does not tell these apart.
    None,
    /// Several fit.
    Several(&'a [Product]),
    /// Nobody knows; why.
    Unknown(&'a str),
}

impl<'a> TheProduct<'a> {
    /// The product, if it is exactly one.
    pub fn one(self) -> Option<&'a Product> {
        match self {
            Self::One(product) => Some(product),
            Self::None | Self::Several(_) | Self::Unknown(_) => None,
        }
    }
}

/// The version that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running<'a> {
    /// The version; `None`: not known.
    pub version: Option<TedVersion>,
    /// Where that was read.
    pub source: VersionSource,
    /// The artifact of that version, when it is exactly one.
    pub artifact: Option<&'a Artifact>,
}

/// Where the running version was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionSource {
    /// The root stack's output `ReleaseVersion`.
    ReleaseVersion,
    /// The artifact of the last provisioning record that succeeded.
    LastSuccess,
    /// Nowhere.
    Unknown,
}

/// The version to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// The running one stays: the document names none, or it satisfies.
    Keep {
        /// Its artifact, if it is known.
        artifact: Option<&'a Artifact>,
    },
    /// Another one, on offer once.
    Move {
        /// The version.
        version: TedVersion,
        /// Its artifact; it may be inactive or deprecated.
        artifact: &'a Artifact,
    },
    /// The wanted version is not on offer, or nothing on offer satisfies the wanted range.
    NotOffered,
    /// Several artifacts have the wanted version's name.
    Several(Vec<&'a Artifact>),
    /// Nobody knows; why.
    Unknown(&'a str),
}

impl<'a> Target<'a> {
    /// The artifact to have.
    pub fn artifact(&self) -> Option<&'a Artifact> {
        match self {
            Self::Keep { artifact } => *artifact,
            Self::Move { version: _, artifact } => Some(artifact),
            Self::NotOffered | Self::Several(_) | Self::Unknown(_) => None,
        }
    }

    /// Whether the running version is the one to have.
    pub fn keeps(&self) -> bool {
        match self {
            Self::Keep { artifact: _ } => true,
            Self::Move { .. } | Self::NotOffered | Self::Several(_) | Self::Unknown(_) => false,
        }
    }

    /// Whether an update would change the version.
    pub fn moves(&self) -> bool {
        match self {
            Self::Move { .. } => true,
            Self::Keep { .. } | Self::NotOffered | Self::Several(_) | Self::Unknown(_) => false,
        }
    }
}

/// The launch path to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThePath<'a> {
    /// This one: the only one, or the one the last record used.
    One(&'a LaunchPath),
    /// The caller reaches the product by none.
    None,
    /// Several, and the last record used none of them.
    Several(&'a [LaunchPath]),
    /// Nobody knows; why.
    Unknown(&'a str),
}

/// What a parameter of the running stack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effective<'a> {
    /// A value.
    Known {
        /// As it was given: for an SSM-typed parameter the name in Systems Manager.
        given: &'a str,
        /// What that name resolved to.
        resolved: Option<&'a str>,
    },
    /// Masked. It is compared with nothing and sent nowhere.
    Secret,
}

impl<'a> Effective<'a> {
    /// The value as it was given, unless it is masked.
    pub fn given(self) -> Option<&'a str> {
        match self {
            Self::Known { given, resolved: _ } => Some(given),
            Self::Secret => None,
        }
    }

    /// What the value comes to: what an SSM parameter resolved to, else the value.
    pub fn used(self) -> Option<&'a str> {
        match self {
            Self::Known { given, resolved } => Some(resolved.unwrap_or(given)),
            Self::Secret => None,
        }
    }
}

/// The cache of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TheCache<'a> {
    /// This replication group.
    One(&'a Cache),
    /// There is none.
    None,
    /// Several claim to be it.
    Several,
    /// Nobody knows; why.
    Unknown(&'a str),
}

/// What several nodes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreed<T> {
    /// All the same.
    All(T),
    /// Not the same: what each says, sorted, once.
    Mixed(Vec<T>),
    /// Nobody knows: no nodes, or one that does not tell.
    Unknown,
}

impl<T> Agreed<T> {
    /// What all say.
    pub fn all(&self) -> Option<&T> {
        match self {
            Self::All(value) => Some(value),
            Self::Mixed(_) | Self::Unknown => None,
        }
    }
}

/// One dimension of the database's storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageFact {
    /// Which one.
    pub role: Role,
    /// Its parameter's key in the running template.
    pub key: Option<String>,
    /// What the parameter says. Of the maximum, 0 is "no autoscaling".
    pub named: Option<i64>,
    /// What RDS has, in the same terms; `None`: not known, or the storage type has no such thing.
    pub real: Option<i64>,
}

/// Storage, in the order of [`Facts::storage`].
pub const STORAGE: [Role; 4] = [
    Role::AllocatedStorage,
    Role::AllocatedIops,
    Role::StorageThroughput,
    Role::MaxAllocatedStorage,
];

impl<'a> Facts<'a> {
    /// What an observation means for a document, or for a product without one.
    pub fn of(desired: Option<&Desired>, observation: &'a Observation) -> Self {
        let product = the_product(&observation.products);
        let running = running(observation);
        let wish = desired.and_then(|desired| desired.spec.ted_version.as_ref());
        let target = target(wish, &running, &observation.versions);
        let present = observation.template.present().map(|template| Template {
            parameters: &template.parameters,
            labels: Some(&template.labels),
        });
        let offered = offered(&target, &observation.target, present);
        let values = effective(observation, present);
        let (cache, other_caches) = the_cache(&observation.caches);
        let (engine, engine_version) = nodes_say(cache);
        let no_keys = BTreeMap::new();
        let named: &BTreeMap<Role, ParameterKey> =
            desired.map_or(&no_keys, |desired| &desired.spec.parameter_keys);
        let witness = witness(observation, cache, &engine, &engine_version);
        let roles = roles::resolve(present, offered, named, &witness);
        let value = |role| {
            let key = roles.present_key(role)?;
            values.as_ref()?.get(key)?.used()
        };
        let (hive, prefix) = (value(Role::HiveName), value(Role::ResourcePrefix));
        let database = observation.database.present();
        let storage = STORAGE.map(|role| StorageFact {
            role,
            key: roles.present_key(role).map(str::to_owned),
            named: value(role).and_then(|value| amount(role, value)),
            real: database.and_then(|database| real_storage(role, database)),
        });
        Self {
            gap: gap(observation, &target),
            highest_plausible: highest_plausible(product, &running, observation),
            path: the_path(observation),
            expected_update: expected_update(&observation.history),
            product,
            running,
            target,
            present,
            offered,
            values,
            cache,
            other_caches,
            engine,
            engine_version,
            hive,
            prefix,
            storage,
            roles,
        }
    }

    /// What a parameter of the running stack is.
    pub fn value(&self, key: &str) -> Option<Effective<'a>> {
        self.values.as_ref()?.get(key).copied()
    }

    /// What the running stack's parameter of a role comes to.
    pub fn role_value(&self, role: Role) -> Option<&'a str> {
        self.value(self.roles.present_key(role)?)?.used()
    }

    /// The parameter, by its key, of the version to have.
    pub fn offered_parameter(&self, key: &str) -> Option<&'a Parameter> {
        self.offered.as_ref()?.parameter(key)
    }

    /// The version that an update would lead to, the running one if it stays.
    pub fn target_version(&self) -> Option<&TedVersion> {
        match &self.target {
            Target::Move { version, artifact: _ } => Some(version),
            Target::Keep { .. } => self.running.version.as_ref(),
            Target::NotOffered | Target::Several(_) | Target::Unknown(_) => None,
        }
    }
}

/// What it takes to draft an update and could not be read.
fn gap(observation: &Observation, target: &Target<'_>) -> Option<String> {
    let gap =
        |what: &str, why: Option<&str>| why.map(|why| format!("{what} could not be read: {why}"));
    let offer = || match &observation.target {
        Seen::Present(offer)
            if target.artifact().is_some_and(|artifact| artifact.id == offer.artifact.id) =>
        {
            missing(&offer.parameters)
        }
        // Read for another version than the one to have now: the next look reads the right one.
        Seen::Present(_) => Some("another version's were read"),
        other @ (Seen::Absent | Seen::Unreadable(_) | Seen::NotLooked) => missing(other),
    };
    gap("the root stack", missing(&observation.root))
        .or_else(|| gap("the running template", missing(&observation.template)))
        .or_else(|| gap("the target version's parameters", offer().filter(|_| target.moves())))
}

/// Why something is not present, as the rest of a sentence; `None`: it is present.
pub(super) fn missing<T>(seen: &Seen<T>) -> Option<&str> {
    match seen {
        Seen::Present(_) => None,
        Seen::Absent => Some("it is not there"),
        // A word: the finding `sync/unreadable` has the whole sentence of AWS.
        Seen::Unreadable(gap) => Some(&gap.reason),
        Seen::NotLooked => Some("what leads there is not known"),
    }
}

fn the_product(products: &Seen<Vec<Product>>) -> TheProduct<'_> {
    match products {
        Seen::Present(products) => match products.as_slice() {
            [] => TheProduct::None,
            [product] => TheProduct::One(product),
            several => TheProduct::Several(several),
        },
        Seen::Absent => TheProduct::None,
        Seen::Unreadable(gap) => TheProduct::Unknown(&gap.reason),
        Seen::NotLooked => TheProduct::Unknown("what leads there is not known"),
    }
}

/// The stack's `ReleaseVersion`; else the artifact of the last successful record; else unknown. Never the product's artifact: after a
/// failed update it is the version that was asked for (terraform-provider-aws PR 43956).
fn running(observation: &Observation) -> Running<'_> {
    let artifacts = observation.versions.present().map_or(&[][..], Vec::as_slice);
    let succeeded = last_success_artifact(observation);
    let output = observation
        .root
        .present()
        .and_then(|stack| stack.outputs.get("ReleaseVersion"))
        .and_then(|text| TedVersion::read(text));
    let (version, source) =
        match (output, succeeded.and_then(|artifact| TedVersion::read(&artifact.name))) {
            (Some(version), _) => (Some(version), VersionSource::ReleaseVersion),
            (None, Some(version)) => (Some(version), VersionSource::LastSuccess),
            (None, None) => (None, VersionSource::Unknown),
        };
    let named =
        |artifact: &&Artifact| version.is_some() && TedVersion::read(&artifact.name) == version;
    let artifact = succeeded.filter(named).or_else(|| {
        let mut all = artifacts.iter().filter(named);
        all.next().filter(|_| all.next().is_none())
    });
    Running { version, source, artifact }
}

fn artifact_by_id<'a>(observation: &'a Observation, id: &str) -> Option<&'a Artifact> {
    observation.versions.present()?.iter().find(|artifact| artifact.id == id)
}

fn last_success_artifact(observation: &Observation) -> Option<&Artifact> {
    artifact_by_id(observation, observation.last_success.present()?.artifact_id.as_deref()?)
}

/// The highest of all places that may tell the truth. The product's own artifact is one of them only while it is `AVAILABLE`.
fn highest_plausible(
    product: TheProduct<'_>,
    running: &Running<'_>,
    observation: &Observation,
) -> Option<TedVersion> {
    let asked = product
        .one()
        .filter(|product| product.status == "AVAILABLE")
        .and_then(|product| artifact_by_id(observation, product.artifact_id.as_deref()?));
    let named = [last_success_artifact(observation), asked].into_iter().flatten();
    named
        .filter_map(|artifact| TedVersion::read(&artifact.name))
        .chain(running.version.clone())
        .max()
}

fn target<'a>(
    wish: Option<&VersionWish>,
    running: &Running<'a>,
    versions: &'a Seen<Vec<Artifact>>,
) -> Target<'a> {
    let Some(wish) = wish else { return Target::Keep { artifact: running.artifact } };
    if running.version.as_ref().is_some_and(|version| wish.is_satisfied_by(version)) {
        return Target::Keep { artifact: running.artifact };
    }
    let artifacts = match versions {
        Seen::Present(artifacts) => artifacts,
        Seen::Absent => return Target::NotOffered,
        Seen::Unreadable(gap) => return Target::Unknown(&gap.reason),
        Seen::NotLooked => return Target::Unknown("what leads there is not known"),
    };
    // A range is a choice, and choices are made among what end users see; an exact version is somebody's word.
    let offers: Vec<Wishable> = artifacts
        .iter()
        .filter(|artifact| artifact.active)
        .filter_map(|artifact| {
            let version = TedVersion::read(&artifact.name)?;
            Some(Wishable { version, deprecated: artifact.deprecated })
        })
        .collect();
    let Some(version) = wish.target(running.version.as_ref(), &offers) else {
        return Target::NotOffered;
    };
    let all: Vec<&Artifact> = artifacts
        .iter()
        .filter(|artifact| TedVersion::read(&artifact.name).as_ref() == Some(&version))
        .collect();
    let active: Vec<&Artifact> = all.iter().copied().filter(|artifact| artifact.active).collect();
    match (active.as_slice(), all.as_slice()) {
        ([artifact], _) | ([], [artifact]) => Target::Move { version, artifact },
        ([], []) => Target::NotOffered,
        ([], several) | (several, _) => Target::Several(several.to_vec()),
    }
}

/// The target version's parameters, from an offer of exactly that artifact; the running template when the version stays.
fn offered<'a>(
    target: &Target<'a>,
    offer: &'a Seen<Offer>,
    present: Option<Template<'a>>,
) -> Option<Template<'a>> {
    let artifact = target.artifact();
    let read = offer
        .present()
        // An offer that was read for another version says nothing about this one.
        .filter(|offer| artifact.is_some_and(|artifact| artifact.id == offer.artifact.id))
        .and_then(|offer| {
            let labels = offer.usage.present().map(|usage| &usage.labels);
            Some(Template { parameters: offer.parameters.present()?, labels })
        });
    match target {
        // The patterns are in the offer only; the running template does as well without it.
        Target::Keep { artifact: _ } => read
            .filter(|template| template.labels.is_some() && same_keys(*template, present))
            .or(present),
        Target::Move { version: _, artifact: _ } => read,
        Target::NotOffered | Target::Several(_) | Target::Unknown(_) => None,
    }
}

fn same_keys(one: Template<'_>, other: Option<Template<'_>>) -> bool {
    other.is_some_and(|other| {
        one.parameters.len() == other.parameters.len()
            && one.parameters.iter().all(|parameter| other.parameter(&parameter.key).is_some())
    })
}

/// Values by key. What is masked is known by the template's flag. Without the template's word on a parameter, asterisks count as
/// masked too: CloudFormation has shown four and five of them. What a recording withholds is as little known.
fn effective<'a>(
    observation: &'a Observation,
    present: Option<Template<'a>>,
) -> Option<BTreeMap<&'a str, Effective<'a>>> {
    let stack = observation.root.present()?;
    let read = |(key, value): (&'a String, &'a StackParameter)| {
        let flag =
            present.and_then(|template| template.parameter(key)).map(|parameter| parameter.no_echo);
        let asterisks = !value.value.is_empty() && value.value.bytes().all(|b| b == b'*');
        let effective = if flag.unwrap_or(asterisks) || value.value == WITHHELD {
            Effective::Secret
        } else {
            Effective::Known { given: &value.value, resolved: value.resolved.as_deref() }
        };
        (key.as_str(), effective)
    };
    Some(stack.parameters.iter().map(read).collect())
}

fn the_path(observation: &Observation) -> ThePath<'_> {
    let paths = match &observation.paths {
        Seen::Present(paths) => paths,
        Seen::Absent => return ThePath::None,
        Seen::Unreadable(gap) => return ThePath::Unknown(&gap.reason),
        Seen::NotLooked => return ThePath::Unknown("what leads there is not known"),
    };
    match paths.as_slice() {
        [] => ThePath::None,
        [path] => ThePath::One(path),
        several => {
            // Ids go stale when the product moves, so the record's path counts only while it is one of today's.
            let used = [&observation.last_success, &observation.last_record]
                .into_iter()
                .filter_map(|record| record.present()?.path_id.as_deref());
            let mut known = used.filter_map(|id| several.iter().find(|path| path.id == id));
            known.next().map_or(ThePath::Several(several), ThePath::One)
        }
    }
}

fn the_cache(caches: &Seen<Vec<Cache>>) -> (TheCache<'_>, Vec<&Cache>) {
    let caches = match caches {
        Seen::Present(caches) => caches,
        Seen::Absent => return (TheCache::None, Vec::new()),
        Seen::Unreadable(gap) => return (TheCache::Unknown(&gap.reason), Vec::new()),
        Seen::NotLooked => return (TheCache::Unknown("what leads there is not known"), Vec::new()),
    };
    let (own, others): (Vec<&Cache>, Vec<&Cache>) = caches.iter().partition(|cache| cache.in_stack);
    match own.as_slice() {
        [cache] => (TheCache::One(cache), others),
        // A group that only bears the name is not the stack's.
        [] => (TheCache::None, others),
        _ => (TheCache::Several, others),
    }
}

/// Engine and version as the nodes have them: the group has no version, and during an upgrade its members differ.
fn nodes_say(cache: TheCache<'_>) -> (Agreed<Engine>, Agreed<String>) {
    let TheCache::One(cache) = cache else { return (Agreed::Unknown, Agreed::Unknown) };
    let engine = cache.nodes.iter().map(|node| {
        let engine = node.engine.as_deref().or(cache.engine.as_deref())?;
        Engine::parse(engine).ok()
    });
    let version = cache.nodes.iter().map(|node| {
        node.engine_version.clone().filter(|version| CacheVersion::read(version).is_some())
    });
    (agreed(engine), agreed(version))
}

fn agreed<T: Ord>(each: impl Iterator<Item = Option<T>>) -> Agreed<T> {
    let Some(mut all) = each.collect::<Option<Vec<T>>>() else { return Agreed::Unknown };
    all.sort();
    all.dedup();
    match (all.len(), all.pop()) {
        (_, None) => Agreed::Unknown,
        (1, Some(value)) => Agreed::All(value),
        (_, Some(last)) => {
            all.push(last);
            Agreed::Mixed(all)
        }
    }
}

fn witness<'a>(
    observation: &'a Observation,
    cache: TheCache<'a>,
    engine: &Agreed<Engine>,
    version: &'a Agreed<String>,
) -> Witness<'a> {
    let cache = match cache {
        TheCache::One(cache) => Some(cache),
        TheCache::None | TheCache::Several | TheCache::Unknown(_) => None,
    };
    Witness {
        values: observation.root.present().map(|stack| &stack.parameters),
        engine: engine.all().copied(),
        version: version.all().map(String::as_str),
        node_type: cache.and_then(|cache| cache.node_type.as_deref()),
        nodes: cache.map(|cache| cache.nodes.len()).filter(|nodes| *nodes > 0),
    }
}

/// A storage parameter's value as a number. An empty maximum is as good as none.
pub(super) fn amount(role: Role, value: &str) -> Option<i64> {
    match value.trim() {
        "" if role == Role::MaxAllocatedStorage => Some(0),
        text => text.parse().ok(),
    }
}

fn real_storage(role: Role, database: &Database) -> Option<i64> {
    if role == Role::AllocatedStorage {
        database.allocated_storage
    } else if role == Role::AllocatedIops {
        database.iops
    } else if role == Role::StorageThroughput {
        database.storage_throughput
    } else if role == Role::MaxAllocatedStorage {
        // Absent when autoscaling is off, which RDS also writes as a maximum equal to the size.
        Some(match (database.max_allocated_storage, database.allocated_storage) {
            (Some(most), Some(size)) if most > size => most,
            (Some(most), None) => most,
            (Some(_), Some(_)) | (None, _) => 0,
        })
    } else {
        None
    }
}

fn expected_update(history: &Seen<Vec<Record>>) -> Duration {
    let succeeded = history.present().into_iter().flatten().filter(|record| {
        record.kind == "UPDATE_PROVISIONED_PRODUCT" && record.status == "SUCCEEDED"
    });
    let took = succeeded.filter_map(|record| {
        let took: SignedDuration = record.updated?.duration_since(record.created?);
        Duration::try_from(took).ok()
    });
    took.take(UPDATES_LEARNED_FROM).max().unwrap_or_default().max(FIRST_EXPECTED_UPDATE)
}
