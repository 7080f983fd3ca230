//! The same thing as four see it: the document, Service Catalog, CloudFormation, and the resources themselves.
//!
//! Nothing is judged here. Which rows disagree is what the findings say; a row names the findings that are about it.

use crate::assess::roles::Roles;
use crate::assess::types::Finding;
use crate::desired::{Desired, Engine, Role};
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
    let mut rows = vec![table.status(), table.ted_version()];
    rows.extend(table.cache());
    rows.extend(table.storage());
    rows.retain(|row| {
        let cells = [&row.desired, &row.service_catalog, &row.cloud_formation, &row.real];
        cells.iter().any(|cell| cell.state != CellState::Silent)
    });
    for row in &mut rows {
        let about = codes_about(&row.what);
        let mut codes: Vec<String> = findings
            .iter()
            .map(|finding| finding.code.clone())
            .filter(|code| about.contains(&code.as_str()))
            .collect();
        codes.dedup();
        row.findings = codes;
    }
    rows
}

/// The finding codes that are about a row.
fn codes_about(what: &str) -> &'static [&'static str] {
    match what {
        "status" => &[
            "sync/product-tainted",
            "sync/product-error",
            "sync/stack-changed-outside",
            "sync/stack-missing",
            "sync/stack-failed",
            "sync/rollback-failed",
            "sync/database-missing",
            "sync/cache-missing",
        ],
        "TED version" => &["drift/ted-version", "sync/version-mismatch"],
        "cache engine" => &["drift/cache-engine", "sync/cache-engine", "sync/cache-left-behind"],
        "cache version" => &["drift/cache-version", "sync/cache-version"],
        "storage" | "maximum storage" | "IOPS" | "throughput" => &["sync/storage"],
        _ => &[],
    }
}

struct Table<'a> {
    desired: Option<&'a Desired>,
    observation: &'a Observation,
    roles: &'a Roles,
}

impl Table<'_> {
    fn status(&self) -> Side {
        let seen = self.observation;
        let database = Cell::seen(&seen.database, |database| Some(database.status.clone()));
        let caches =
            Cell::seen(&seen.caches, |caches| distinct(caches, |cache| Some(cache.status.clone())));
        Side {
            service_catalog: Cell::seen(&seen.products, |products| {
                distinct(products, |product| Some(product.status.clone()))
            }),
            cloud_formation: Cell::seen(&seen.root, |root| Some(root.status.clone())),
            real: both(&database, &caches),
            ..row("status")
        }
    }

    fn ted_version(&self) -> Side {
        let seen = self.observation;
        let wish = self.desired.and_then(|desired| desired.spec.ted_version.as_ref());
        Side {
            desired: Cell::optional(wish),
            service_catalog: self.catalog_version(),
            cloud_formation: Cell::seen(&seen.root, |root| {
                root.outputs.get("ReleaseVersion").cloned()
            }),
            ..row("TED version")
        }
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

    fn cache(&self) -> [Side; 6] {
        let cache = self.desired.and_then(|desired| desired.spec.cache.as_ref());
        let engine = self.parameter(Role::CacheEngine);
        // Which of the two version parameters counts is the running engine's to say.
        let version = match engine.value.as_deref().and_then(|text| Engine::parse(text).ok()) {
            Some(Engine::Redis) => self.parameter(Role::RedisVersion),
            Some(Engine::Valkey) => self.parameter(Role::ValkeyVersion),
            None => Cell::silent(),
        };
        let real = |value: fn(&Cache) -> Option<String>| {
            Cell::seen(&self.observation.caches, |caches| distinct(caches, value))
        };
        [
            Side {
                desired: Cell::optional(cache.map(|cache| cache.engine)),
                cloud_formation: engine,
                real: real(|cache| cache.engine.clone()),
                ..row("cache engine")
            },
            Side {
                desired: Cell::optional(cache.map(|cache| cache.version.as_str())),
                cloud_formation: version,
                real: real(|cache| distinct(&cache.nodes, |node| node.engine_version.clone())),
                ..row("cache version")
            },
            Side {
                desired: Cell::optional(cache.and_then(|cache| cache.node_type.as_ref())),
                cloud_formation: self.parameter(Role::CacheNodeType),
                real: real(|cache| cache.node_type.clone()),
                ..row("cache node type")
            },
            Side {
                desired: Cell::optional(cache.and_then(|cache| cache.nodes)),
                cloud_formation: self.parameter(Role::CacheNodes),
                real: real(|cache| Some(cache.nodes.len().to_string())),
                ..row("cache nodes")
            },
            Side {
                desired: Cell::optional(cache.and_then(|cache| cache.multi_az)),
                cloud_formation: self.parameter(Role::CacheMultiAz),
                real: real(|cache| cache.multi_az.clone()),
                ..row("multi-AZ")
            },
            Side {
                desired: Cell::optional(cache.and_then(|cache| cache.auth_mode.as_ref())),
                cloud_formation: self.parameter(Role::CacheAuthMode),
                ..row("cache access")
            },
        ]
    }

    fn storage(&self) -> [Side; 4] {
        let one = |what, role, unit: &str, value: fn(&Database) -> Option<i64>| {
            let with_unit = |value: String| format!("{value}{unit}");
            let mut parameter = self.parameter(role);
            parameter.value = match parameter.state {
                CellState::Known => parameter.value.map(with_unit),
                CellState::Absent | CellState::Unreadable | CellState::Silent => parameter.value,
            };
            Side {
                desired: self.named(role, unit),
                cloud_formation: parameter,
                real: Cell::seen(&self.observation.database, |database| {
                    value(database).map(|value| with_unit(value.to_string()))
                }),
                ..row(what)
            }
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

/// Two cells in one: of the database and of the cache.
fn both(database: &Cell, cache: &Cell) -> Cell {
    let state = match (database.state, cache.state) {
        (CellState::Silent, CellState::Silent) => return Cell::silent(),
        (CellState::Unreadable, CellState::Unreadable) => CellState::Unreadable,
        // One of the two says something, and the other one's state stands beside it in words.
        (
            CellState::Known | CellState::Absent | CellState::Unreadable | CellState::Silent,
            CellState::Known | CellState::Absent | CellState::Unreadable | CellState::Silent,
        ) => CellState::Known,
    };
    let value = match state {
        CellState::Unreadable => database.value.clone(),
        CellState::Known | CellState::Absent | CellState::Silent => {
            Some(format!("database {database}, cache {cache}"))
        }
    };
    Cell { state, value }
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
