//! Functions, mappings, and when each mapping ran.

use crate::options::TransitionReason;
use crate::time::SimTime;
#[cfg(test)]
use crate::world::Region;
use crate::world::Scope;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Intervals kept per mapping; older ones are forgotten.
const MAX_RUNS: usize = 1000;

/// The functions and mappings of one account and region. A clone shares all of them: history keeps many.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// Where it lies, once anything does: stacks read ARNs from here.
    place: Option<Arc<Scope>>,
    functions: Arc<BTreeMap<Arc<str>, Arc<Function>>>,
    mappings: Arc<BTreeMap<Arc<str>, Arc<Mapping>>>,
    /// Also of mappings that are gone.
    runs: Arc<BTreeMap<Arc<str>, Vec<Run>>>,
}

/// A function.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) name: Arc<str>,
    pub(crate) description: Arc<str>,
    pub(crate) runtime: Cow<'static, str>,
    pub(crate) handler: Cow<'static, str>,
    /// The execution role's ARN.
    pub(crate) role: Arc<str>,
    /// Seconds.
    pub(crate) timeout: u32,
    /// MiB.
    pub(crate) memory: u32,
    pub(crate) code_size: u32,
    /// Environment variables.
    pub(crate) environment: Arc<BTreeMap<String, String>>,
    pub(crate) modified: SimTime,
    /// Published versions, ascending.
    pub(crate) versions: Vec<u32>,
    /// Aliases and the version each names.
    pub(crate) aliases: BTreeMap<String, u32>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Function {
    /// A small function without versions, aliases and tags.
    pub(crate) fn new(name: &str, role: Arc<str>) -> Self {
        Self {
            name: name.into(),
            description: "".into(),
            runtime: "nodejs20.x".into(),
            handler: "index.handler".into(),
            role,
            timeout: 3,
            memory: 128,
            code_size: 4096,
            environment: Arc::default(),
            modified: SimTime::default(),
            versions: Vec::new(),
            aliases: BTreeMap::new(),
            tags: BTreeMap::new(),
        }
    }

    /// The version behind a version, alias or `$LATEST`; absent when there is no such thing.
    pub(super) fn version_of(&self, qualifier: &str) -> Option<String> {
        if qualifier == "$LATEST"
            || self.versions.iter().any(|version| version.to_string() == qualifier)
        {
            return Some(qualifier.to_owned());
        }
        self.aliases.get(qualifier).map(u32::to_string)
    }
}

/// A state as `State` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MappingState {
    Creating,
    Enabling,
    Enabled,
    Disabling,
    Disabled,
    Updating,
    Deleting,
}

impl MappingState {
    /// The text on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Enabling => "Enabling",
            Self::Enabled => "Enabled",
            Self::Disabling => "Disabling",
            Self::Disabled => "Disabled",
            Self::Updating => "Updating",
            Self::Deleting => "Deleting",
        }
    }

    /// Whether it takes changes.
    pub(crate) fn is_stable(self) -> bool {
        matches!(self, Self::Enabled | Self::Disabled)
    }
}

/// An event source mapping, "trigger" in the console.
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    pub(crate) uuid: Arc<str>,
    pub(crate) source_arn: Arc<str>,
    /// The function as the mapping was told, for templates: a name or an ARN.
    pub(crate) told: Arc<str>,
    /// The function's name.
    pub(crate) function: Arc<str>,
    pub(crate) qualifier: Option<Arc<str>>,
    pub(crate) state: MappingState,
    /// Whether it is, or will be once the transition ends, enabled.
    pub(crate) enabled: bool,
    /// Whether it takes messages from its source. Set in `transitions::enter` only, which tells the queue and keeps the interval.
    pub(crate) polling: bool,
    pub(crate) reason: TransitionReason,
    pub(crate) modified: SimTime,
    pub(crate) batch_size: i64,
    /// `MaximumBatchingWindowInSeconds`.
    pub(crate) window: i64,
    /// The optional structures that are set, as requests bring them: `ScalingConfig`, `FilterCriteria` …
    pub(crate) settings: BTreeMap<&'static str, Value>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Whether `Enabling`, `Disabling` and `Updating` never end.
    pub(crate) stuck: bool,
    /// Counts transitions, so that a timer of an earlier one is known.
    pub(super) transition: u32,
}

/// An interval in which a mapping took messages; without an end it still does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) from: SimTime,
    pub(crate) to: Option<SimTime>,
}

impl State {
    /// The function called `name`.
    pub(crate) fn function(&self, name: &str) -> Option<&Function> {
        self.functions.get(name).map(AsRef::as_ref)
    }

    /// All functions, by name.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &Function> {
        self.functions.values().map(AsRef::as_ref)
    }

    /// The mapping with this UUID.
    pub(crate) fn mapping(&self, uuid: &str) -> Option<&Mapping> {
        self.mappings.get(uuid).map(AsRef::as_ref)
    }

    /// All mappings, by UUID.
    pub(crate) fn mappings(&self) -> impl Iterator<Item = &Mapping> {
        self.mappings.values().map(AsRef::as_ref)
    }

    /// The mappings of a function, its versions and aliases.
    pub(crate) fn mappings_of(&self, function: &str) -> impl Iterator<Item = &Mapping> {
        self.mappings().filter(move |mapping| *mapping.function == *function)
    }

    /// How many mappings take messages from the source with this ARN.
    pub(crate) fn pollers(&self, source_arn: &str) -> u32 {
        let polling =
            self.mappings().filter(|mapping| mapping.polling && *mapping.source_arn == *source_arn);
        u32::try_from(polling.count()).unwrap_or(u32::MAX)
    }

    /// When a mapping took messages, oldest first; also of one that is gone.
    pub(crate) fn runs(&self, uuid: &str) -> &[Run] {
        self.runs.get(uuid).map_or(&[], Vec::as_slice)
    }

    /// Where it lies, once anything does.
    pub(super) fn place(&self) -> Option<&Scope> {
        self.place.as_deref()
    }

    /// Adds or replaces a function.
    pub(super) fn put_function(&mut self, scope: &Scope, function: Function) {
        self.settle_at(scope);
        Arc::make_mut(&mut self.functions).insert(Arc::clone(&function.name), Arc::new(function));
    }

    /// A function, to change it.
    pub(super) fn function_mut(&mut self, name: &str) -> Option<&mut Function> {
        // Looked up first: `make_mut` would copy the map for nothing.
        self.functions.contains_key(name).then_some(())?;
        Arc::make_mut(&mut self.functions).get_mut(name).map(Arc::make_mut)
    }

    /// Removes a function; its mappings stay, as AWS leaves them.
    pub(super) fn drop_function(&mut self, name: &str) -> bool {
        Arc::make_mut(&mut self.functions).remove(name).is_some()
    }

    /// Adds a mapping.
    pub(super) fn put_mapping(&mut self, scope: &Scope, mapping: Mapping) {
        self.settle_at(scope);
        Arc::make_mut(&mut self.mappings).insert(Arc::clone(&mapping.uuid), Arc::new(mapping));
    }

    /// A mapping, to change it. Its state changes through `transitions` only.
    pub(super) fn mapping_mut(&mut self, uuid: &str) -> Option<&mut Mapping> {
        self.mappings.contains_key(uuid).then_some(())?;
        Arc::make_mut(&mut self.mappings).get_mut(uuid).map(Arc::make_mut)
    }

    /// Removes a mapping; its runs stay.
    pub(super) fn drop_mapping(&mut self, uuid: &str) {
        Arc::make_mut(&mut self.mappings).remove(uuid);
    }

    /// Notes that a mapping begins or ends to take messages.
    pub(super) fn note_run(&mut self, uuid: &Arc<str>, now: SimTime, begins: bool) {
        let runs = Arc::make_mut(&mut self.runs).entry(Arc::clone(uuid)).or_default();
        match runs.last_mut() {
            Some(run) if !begins && run.to.is_none() => run.to = Some(now),
            _ if begins => runs.push(Run { from: now, to: None }),
            _ => {}
        }
        if runs.len() > MAX_RUNS {
            runs.remove(0);
        }
    }

    fn settle_at(&mut self, scope: &Scope) {
        self.place.get_or_insert_with(|| Arc::new(scope.clone()));
    }
}

/// Whether the mapping took messages at any time between `from` and `to`: while it was `Enabled` or still `Disabling`.
#[cfg(test)]
pub(crate) fn ran_between(region: &Region, uuid: &str, from: SimTime, to: SimTime) -> bool {
    region.lambda.runs(uuid).iter().any(|run| run.from < to && run.to.is_none_or(|end| end > from))
}
