//! A document as a tree again: for YAML (`adopt`), for the API, and for the digest of its spec.

use super::document::{
    API_VERSION, Approval, Cache, Desired, Events, KIND, Policy, Suspend, TedSpec,
};
use super::duration;
use super::parse::to_yaml;
use super::window::{MaintenanceWindow, day_name, time_text};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;

/// A value of a document, its fields in the order in which people write them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    Text(String),
    Flag(bool),
    Number(usize),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => serializer.serialize_u64(*number as u64),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

/// The identity of one document's spec. Part of a hold's tag, so short and of letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpecDigest(String);

impl SpecDigest {
    /// 16 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SpecDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much of a document a tree shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// What is set, as in a file that a person reads on.
    AsWritten,
    /// Defaults too.
    Whole,
    /// Defaults too, and no secret.
    Public,
}

impl Desired {
    /// The document in full form: what is set, and always the mode. It parses to this document again.
    pub fn to_yaml(&self) -> String {
        to_yaml(&self.tree(Detail::AsWritten))
    }

    /// The document in full form, with approvals that it would need as a comment: whoever wants one takes the `#` away.
    pub fn to_yaml_suggesting(&self, approvals: &[Approval]) -> String {
        let text = self.to_yaml();
        if approvals.is_empty() || !self.spec.policy.approve.is_empty() {
            return text;
        }
        let words = approvals.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mut in_policy = false;
        let mut out = String::new();
        for line in text.lines() {
            in_policy = line == "  policy:" || (in_policy && line.starts_with("    "));
            out.push_str(line);
            out.push('\n');
            if in_policy && line.starts_with("    mode: ") {
                out.push_str("    # approve: [");
                out.push_str(&words);
                out.push_str("]\n");
            }
        }
        out
    }

    /// The document as the API shows it: defaults filled in, secrets left out.
    pub fn to_api(&self) -> serde_json::Value {
        serde_json::to_value(self.tree(Detail::Public)).unwrap_or_default()
    }

    /// The identity of the spec: two documents that say the same have the same, however they are written.
    pub fn digest(&self) -> SpecDigest {
        let text = serde_json::to_string(&self.spec_tree(Detail::Whole)).unwrap_or_default();
        SpecDigest(crate::text::hex(&Sha256::digest(text.as_bytes())[..8]))
    }

    fn tree(&self, detail: Detail) -> Tree {
        let mut map = Map::new(detail);
        map.text("apiVersion", API_VERSION);
        map.text("kind", KIND);
        map.put(
            "metadata",
            Tree::Map(vec![("name".to_owned(), Tree::Text(self.name.to_string()))]),
        );
        map.put("spec", self.spec_tree(detail));
        map.done()
    }

    fn spec_tree(&self, detail: Detail) -> Tree {
        // Destructured, so that a new field cannot be forgotten here.
        let TedSpec {
            account,
            region,
            role,
            provisioned_product,
            hive,
            ted_version,
            cache,
            parameters,
            parameter_keys,
            events,
            policy,
            suspend,
        } = &self.spec;
        let mut map = Map::new(detail);
        map.maybe("account", account.as_ref());
        map.maybe("region", region.as_ref());
        map.maybe("roleArn", role.as_ref().map(|role| &role.arn));
        if let Some(id) = role.as_ref().and_then(|role| role.external_id.as_ref()) {
            map.text(
                "externalId",
                if detail == Detail::Public { "(redacted)" } else { id.reveal() },
            );
        }
        map.text("provisionedProduct", provisioned_product);
        map.text("hive", hive);
        map.maybe("tedVersion", ted_version.as_ref());
        if let Some(cache) = cache {
            map.put("cache", cache_tree(cache, detail));
        }
        if !parameters.is_empty() {
            let entries =
                parameters.iter().map(|(key, value)| (key.to_string(), Tree::Text(value.clone())));
            map.put("parameters", Tree::Map(entries.collect()));
        }
        if !parameter_keys.is_empty() {
            let entries = parameter_keys
                .iter()
                .map(|(role, key)| (role.to_string(), Tree::Text(key.to_string())));
            map.put("parameterKeys", Tree::Map(entries.collect()));
        }
        map.unless_empty("events", events_tree(events, detail));
        map.put("policy", policy_tree(policy, detail));
        map.unless("suspend", suspend_tree(suspend.as_ref()), &Tree::Flag(false));
        map.done()
    }
}

fn cache_tree(cache: &Cache, detail: Detail) -> Tree {
    let Cache { engine, version, node_type, nodes, multi_az, auth_mode } = cache;
    let mut map = Map::new(detail);
    map.text("engine", engine);
    map.text("version", version);
    map.maybe("nodeType", node_type.as_ref());
    if let Some(nodes) = nodes {
        map.put("nodes", Tree::Number((*nodes).into()));
    }
    if let Some(multi_az) = multi_az {
        map.put("multiAz", Tree::Flag(*multi_az));
    }
    map.maybe("authMode", auth_mode.as_ref());
    map.done()
}

fn events_tree(events: &Events, detail: Detail) -> Tree {
    let Events { pause, prefix, drain } = events;
    let default = Events::default();
    let mut map = Map::new(detail);
    map.unless("pause", Tree::Flag(*pause), &Tree::Flag(default.pause));
    map.unless("prefix", text(prefix), &text(&default.prefix));
    map.unless("drain", text(duration::render(*drain)), &text(duration::render(default.drain)));
    map.done()
}

fn policy_tree(policy: &Policy, detail: Detail) -> Tree {
    let Policy {
        mode,
        approve,
        self_heal,
        settle,
        storage,
        recovery,
        maintenance_windows,
        interval,
        deep_drift_interval,
        update_timeout,
        max_attempts,
    } = policy;
    let default = Policy::default();
    let time = |duration| text(duration::render(duration));
    let mut map = Map::new(detail);
    map.text("mode", mode);
    map.unless_empty("approve", Tree::List(approve.iter().map(text).collect()));
    map.unless("selfHeal", Tree::Flag(*self_heal), &Tree::Flag(default.self_heal));
    map.unless("settle", time(*settle), &time(default.settle));
    map.unless("storage", text(storage), &text(default.storage));
    map.unless("recovery", text(recovery), &text(default.recovery));
    map.unless_empty(
        "maintenanceWindows",
        Tree::List(maintenance_windows.windows().iter().map(window_tree).collect()),
    );
    map.unless("interval", time(*interval), &time(default.interval));
    map.unless("deepDriftInterval", time(*deep_drift_interval), &time(default.deep_drift_interval));
    map.unless("updateTimeout", time(*update_timeout), &time(default.update_timeout));
    map.unless(
        "maxAttempts",
        Tree::Number((*max_attempts).into()),
        &Tree::Number(default.max_attempts.into()),
    );
    map.done()
}

fn window_tree(window: &MaintenanceWindow) -> Tree {
    let MaintenanceWindow { days, start, end, timezone: _ } = window;
    Tree::Map(vec![
        ("days".to_owned(), Tree::List(days.iter().map(|day| text(day_name(*day))).collect())),
        ("start".to_owned(), text(time_text(Some(*start)))),
        ("end".to_owned(), text(time_text(*end))),
        ("timezone".to_owned(), text(window.timezone_name())),
    ])
}

fn suspend_tree(suspend: Option<&Suspend>) -> Tree {
    match suspend {
        None => Tree::Flag(false),
        Some(Suspend { reason: None, until: None }) => Tree::Flag(true),
        Some(Suspend { reason, until }) => {
            let reason = reason.as_ref().map(|reason| ("reason".to_owned(), text(reason)));
            let until = until.map(|until| ("until".to_owned(), text(until)));
            Tree::Map(reason.into_iter().chain(until).collect())
        }
    }
}

fn text(value: impl fmt::Display) -> Tree {
    Tree::Text(value.to_string())
}

/// A mapping that is being put together.
struct Map {
    detail: Detail,
    entries: Vec<(String, Tree)>,
}

impl Map {
    fn new(detail: Detail) -> Self {
        Self { detail, entries: Vec::new() }
    }

    fn put(&mut self, name: &str, value: Tree) {
        self.entries.push((name.to_owned(), value));
    }

    fn text(&mut self, name: &str, value: impl fmt::Display) {
        self.put(name, text(value));
    }

    fn maybe(&mut self, name: &str, value: Option<impl fmt::Display>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// Leaves a default out where only what is set is shown.
    fn unless(&mut self, name: &str, value: Tree, default: &Tree) {
        if self.detail != Detail::AsWritten || value != *default {
            self.put(name, value);
        }
    }

    fn unless_empty(&mut self, name: &str, value: Tree) {
        let empty = match &value {
            Tree::List(items) => items.is_empty(),
            Tree::Map(entries) => entries.is_empty(),
            Tree::Text(_) | Tree::Flag(_) | Tree::Number(_) => false,
        };
        if !empty {
            self.put(name, value);
        }
    }

    fn done(self) -> Tree {
        Tree::Map(self.entries)
    }
}
