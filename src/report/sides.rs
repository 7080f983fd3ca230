//! The same thing as four see it: the document, Service Catalog, CloudFormation, and the resources themselves.
//!
//! Nothing is judged here. Which rows disagree is what the findings say; a row names the findings that are about it.

use crate::assess::roles::Roles;
use crate::assess::types::Finding;
use crate::desired::{Desired, Engine, Role, TedVersion};
use crate::observe::observation::{Cache, Database, Observation, Record, Seen, Stack};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One thing as four see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    /// What it is: `cache engine`.
    pub what: String,
    /// What the document says.
    pub desired: Cell,
    /// What Service Catalog says.
    pub service_catalog: Cell,
    /// What CloudFormation says.
    pub cloud_formation: Cell,
    /// What RDS or ElastiCache says.
    pub real: Cell,
    /// Codes of the findings that are about it.
    pub findings: Vec<String>,
}

/// What one of the four says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cell {
    /// Whether there is a value, and if not, why.
    pub state: CellState,
    /// The value.
    pub value: Option<String>,
}

/// Whether there is a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CellState {
    /// There is.
    Known,
    /// It is looked for and not there.
    Absent,
    /// It could not be read.
    Unreadable,
    /// It has nothing to say about this.
    Silent,
}

impl Cell {
    #[expect(clippy::needless_pass_by_value, reason = "callers make the value for this")]
    fn known(value: impl ToString) -> Self {
        Self { state: CellState::Known, value: Some(value.to_string()) }
    }

    fn silent() -> Self {
        Self { state: CellState::Silent, value: None }
    }

    fn optional(value: Option<impl ToString>) -> Self {
        value.map_or_else(Self::silent, Self::known)
    }

    /// What a part of the observation says, if there is something to say.
    fn seen<T>(seen: &Seen<T>, value: impl FnOnce(&T) -> Option<String>) -> Self {
        match seen {
            Seen::Present(thing) => Self::optional(value(thing)),
            Seen::Absent => Self { state: CellState::Absent, value: None },
            Seen::Unreadable(gap) => {
                Self { state: CellState::Unreadable, value: Some(gap.reason.clone()) }
            }
            Seen::NotLooked => Self::silent(),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.state, &self.value) {
            (CellState::Known, Some(value)) => f.write_str(value),
            (CellState::Absent, _) => f.write_str("absent"),
            (CellState::Unreadable, Some(why)) => write!(f, "unreadable ({why})"),
            (CellState::Unreadable, None) => f.write_str("unreadable"),
            (CellState::Silent, _) | (CellState::Known, None) => f.write_str("–"),
        }
    }
}

/// What the four say, in the order in which people ask. A row about which none of them says anything is left out.
pub fn sides(
    desired: Option<&Desired>,
    observation: &Observation,
    roles: &Roles,
    findings: &[Finding],
) -> Vec<Side> {
    let table = Table { desired, observation, roles };
    let mut rows = table.statuses();
    rows.push((table.ted_version(), About::Codes(&["drift/ted-version", "sync/version-mismatch"])));
    rows.extend(table.cache());
    rows.extend(table.storage());
    rows.retain(|(row, _)| {
        let cells = [&row.desired, &row.service_catalog, &row.cloud_formation, &row.real];
        cells.iter().any(|cell| cell.state != CellState::Silent)
    });
    let marked = |(mut row, about): (Side, About)| {
        let mut codes: Vec<String> = findings
            .iter()
            .filter(|finding| about.includes(finding, roles))
            .map(|finding| finding.code.clone())
            .collect();
        codes.dedup();
        row.findings = codes;
        row
    };
    rows.into_iter().map(marked).collect()
}

/// Which findings a row is about.
enum About {
    /// Those of these codes.
    Codes(&'static [&'static str]),
    /// Those that were read from the parameter of a role.
    Parameter(Role),
}

impl About {
    fn includes(&self, finding: &Finding, roles: &Roles) -> bool {
        match self {
            Self::Codes(codes) => codes.contains(&finding.code.as_str()),
            Self::Parameter(role) => [roles.present_key(*role), roles.target_key(*role)]
                .into_iter()
                .flatten()
                .any(|key| {
                    let place = format!("root stack parameter {key}");
                    finding.read_from.split("; ").any(|from| from == place)
                }),
        }
    }
}

struct Table<'a> {
    desired: Option<&'a Desired>,
    observation: &'a Observation,
    roles: &'a Roles,
}

impl Table<'_> {
    /// Service Catalog and CloudFormation have one status each for all of it; RDS and ElastiCache have their own.
    fn statuses(&self) -> Vec<(Side, About)> {
        let seen = self.observation;
        let product = Side {
            service_catalog: Cell::seen(&seen.products, |products| {
                distinct(products, |product| Some(product.status.clone()))
            }),
            cloud_formation: Cell::seen(&seen.root, |root| Some(root.status.clone())),
            ..row("status")
        };
        let database = Side {
            real: Cell::seen(&seen.database, |database| Some(database.status.clone())),
            ..row("database")
        };
        let cache = Side { real: self.real(|cache| Some(cache.status.clone())), ..row("cache") };
        vec![
            (
                product,
                About::Codes(&[
                    "sync/product-tainted",
                    "sync/product-error",
                    "sync/stack-changed-outside",
                    "sync/stack-missing",
                    "sync/stack-failed",
                    "sync/rollback-failed",
                ]),
            ),
            (database, About::Codes(&["sync/database-missing"])),
            (cache, About::Codes(&["sync/cache-missing", "sync/cache-left-behind"])),
        ]
    }

    fn ted_version(&self) -> Side {
        let seen = self.observation;
        let wish = self.desired.and_then(|desired| desired.spec.ted_version.as_ref());
        // In Service Catalog's spelling, so that the same looks the same: the output has no `v`.
        let release = |root: &Stack| {
            let text = root.outputs.get("ReleaseVersion")?;
            Some(TedVersion::read(text).map_or_else(|| text.clone(), |version| version.to_string()))
        };
        Side {
            desired: Cell::optional(wish),
            service_catalog: self.catalog_version(),
            cloud_formation: Cell::seen(&seen.root, release),
            ..row("TED version")
        }
    }

    /// What ElastiCache says of the stack's cache; of all that bear its name when none of them is the stack's.
    fn real(&self, value: impl Fn(&Cache) -> Option<String>) -> Cell {
        Cell::seen(&self.observation.caches, |caches| {
            let own: Vec<&Cache> = caches.iter().filter(|cache| cache.in_stack).collect();
            let own = if own.is_empty() { caches.iter().collect() } else { own };
            distinct(&own, |cache| value(cache))
        })
    }

    /// What Service Catalog runs, and what it was last asked for when that is something else.
    fn catalog_version(&self) -> Cell {
        let name = |record: &Seen<Record>| {
            let id = record.present()?.artifact_id.as_ref()?;
            let versions = self.observation.versions.present()?;
            let artifact = versions.iter().find(|artifact| artifact.id == *id);
            Some(artifact.map_or_else(|| id.clone(), |artifact| artifact.name.clone()))
        };
        let asked = name(&self.observation.last_record);
        Cell::seen(&self.observation.last_success, |_| {
            let runs = name(&self.observation.last_success)?;
            Some(match asked {
                Some(asked) if asked != runs => format!("{runs} (asked for {asked})"),
                Some(_) | None => runs,
            })
        })
    }

    fn cache(&self) -> [(Side, About); 6] {
        let cache = self.desired.and_then(|desired| desired.spec.cache.as_ref());
        let engine = self.parameter(Role::CacheEngine);
        // Which of the two version parameters counts is the running engine's to say.
        let version = match engine.value.as_deref().and_then(|text| Engine::parse(text).ok()) {
            Some(Engine::Redis) => self.parameter(Role::RedisVersion),
            Some(Engine::Valkey) => self.parameter(Role::ValkeyVersion),
            None => Cell::silent(),
        };
        [
            (
                Side {
                    desired: Cell::optional(cache.map(|cache| cache.engine)),
                    cloud_formation: engine,
                    real: self.real(engine_of),
                    ..row("cache engine")
                },
                About::Codes(&["drift/cache-engine", "sync/cache-engine"]),
            ),
            (
                Side {
                    desired: Cell::optional(cache.map(|cache| cache.version.as_str())),
                    cloud_formation: version,
                    real: self
                        .real(|cache| distinct(&cache.nodes, |node| node.engine_version.clone())),
                    ..row("cache version")
                },
                // Another engine has another version too.
                About::Codes(&[
                    "drift/cache-version",
                    "sync/cache-version",
                    "drift/cache-engine",
                    "sync/cache-engine",
                ]),
            ),
            (
                Side {
                    desired: Cell::optional(cache.and_then(|cache| cache.node_type.as_ref())),
                    cloud_formation: self.parameter(Role::CacheNodeType),
                    real: self.real(|cache| cache.node_type.clone()),
                    ..row("cache node type")
                },
                About::Parameter(Role::CacheNodeType),
            ),
            (
                Side {
                    desired: Cell::optional(cache.and_then(|cache| cache.nodes)),
                    cloud_formation: self.parameter(Role::CacheNodes),
                    real: self.real(|cache| Some(cache.nodes.len().to_string())),
                    ..row("cache nodes")
                },
                About::Parameter(Role::CacheNodes),
            ),
            (
                Side {
                    desired: Cell::optional(cache.and_then(|cache| cache.multi_az)),
                    cloud_formation: self.parameter(Role::CacheMultiAz),
                    real: self.real(|cache| cache.multi_az.as_deref().map(truth)),
                    ..row("multi-AZ")
                },
                About::Parameter(Role::CacheMultiAz),
            ),
            (
                Side {
                    desired: Cell::optional(cache.and_then(|cache| cache.auth_mode.as_ref())),
                    cloud_formation: self.parameter(Role::CacheAuthMode),
                    real: self.real(access),
                    ..row("cache access")
                },
                About::Parameter(Role::CacheAuthMode),
            ),
        ]
    }

    fn storage(&self) -> [(Side, About); 4] {
        let one = |what, role, unit: &str, value: fn(&Database) -> Option<i64>| {
            let with_unit = |value: String| format!("{value}{unit}");
            let mut parameter = self.parameter(role);
            parameter.value = match parameter.state {
                CellState::Known => parameter.value.map(with_unit),
                CellState::Absent | CellState::Unreadable | CellState::Silent => parameter.value,
            };
            let side = Side {
                desired: self.named(role, unit),
                cloud_formation: parameter,
                real: Cell::seen(&self.observation.database, |database| {
                    value(database).map(|value| with_unit(value.to_string()))
                }),
                ..row(what)
            };
            (side, About::Parameter(role))
        };
        [
            one("storage", Role::AllocatedStorage, " GiB", |db| db.allocated_storage),
            one("maximum storage", Role::MaxAllocatedStorage, " GiB", |db| {
                db.max_allocated_storage
            }),
            one("IOPS", Role::AllocatedIops, "", |db| db.iops),
            one("throughput", Role::StorageThroughput, " MiB/s", |db| db.storage_throughput),
        ]
    }

    /// What the document says under `parameters`, by the role's key.
    fn named(&self, role: Role, unit: &str) -> Cell {
        let key = self.roles.target_key(role).or_else(|| self.roles.present_key(role));
        let named = self.desired.zip(key).and_then(|(desired, key)| {
            let mut parameters = desired.spec.parameters.iter();
            parameters.find_map(|(named, value)| (named.as_str() == key).then_some(value))
        });
        Cell::optional(named.map(|value| format!("{value}{unit}")))
    }

    /// What the running stack was given for a role.
    fn parameter(&self, role: Role) -> Cell {
        let value = |root: &Stack| {
            let parameter = root.parameters.get(self.roles.present_key(role)?)?;
            Some(parameter.resolved.clone().unwrap_or_else(|| parameter.value.clone()))
        };
        match &self.observation.root {
            // Without its key there is nothing to read, however absent or unreadable the stack is.
            _ if self.roles.present_key(role).is_none() => Cell::silent(),
            root => Cell::seen(root, value),
        }
    }
}

fn row(what: &str) -> Side {
    let [desired, service_catalog, cloud_formation, real] = [(); 4].map(|()| Cell::silent());
    Side {
        what: what.to_owned(),
        desired,
        service_catalog,
        cloud_formation,
        real,
        findings: Vec::new(),
    }
}

/// The engine of a cache's nodes. The group's own is only what it was last asked for.
fn engine_of(cache: &Cache) -> Option<String> {
    distinct(&cache.nodes, |node| node.engine.clone()).or_else(|| cache.engine.clone())
}

/// `enabled` as the template says it.
fn truth(state: &str) -> String {
    match state {
        "enabled" => "true".to_owned(),
        "disabled" => "false".to_owned(),
        other => other.to_owned(),
    }
}

/// How clients get in.
fn access(cache: &Cache) -> Option<String> {
    let mut ways: Vec<String> = Vec::new();
    match cache.auth_token {
        Some(true) => ways.push("password".to_owned()),
        // With user groups a password is the users' own.
        Some(false) if cache.user_groups.is_empty() => ways.push("no password".to_owned()),
        Some(false) | None => {}
    }
    ways.extend(cache.user_groups.iter().map(|group| format!("user group {group}")));
    if cache.transit_encryption == Some(false) {
        ways.push("not encrypted".to_owned());
    }
    (!ways.is_empty()).then(|| ways.join(", "))
}

/// The different values of some things, in their order.
fn distinct<T>(things: &[T], value: impl Fn(&T) -> Option<String>) -> Option<String> {
    let mut values: Vec<String> = Vec::new();
    for value in things.iter().filter_map(value) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    (!values.is_empty()).then(|| values.join(", "))
}

#[cfg(test)]
mod tests;
