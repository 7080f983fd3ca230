//! Whether what AWS shows contradicts that a parameter has a role.
//!
//! Two kinds of evidence: the parameter's *shape* (its allowed values, or its value, can only be an engine, a node type, a number) and
//! its *value* against what runs. A value alone contradicts only where the shape says nothing: after a change outside the stack the
//! right parameter has another value than the cache, and that is a finding, not a doubt about the parameter.

use super::values;
use crate::desired::{CacheVersion, Engine, Role};
use crate::observe::observation::{Parameter, StackParameter};
use std::collections::BTreeMap;

/// What AWS shows of what runs; `None` where it is not known.
#[derive(Clone, Debug, Default)]
pub struct Witness<'a> {
    /// The running stack's values.
    pub values: Option<&'a BTreeMap<String, StackParameter>>,
    /// The engine that all nodes run.
    pub engine: Option<Engine>,
    /// The version that all nodes run.
    pub version: Option<&'a str>,
    /// The node type.
    pub node_type: Option<&'a str>,
    /// How many nodes there are.
    pub nodes: Option<usize>,
}

/// What speaks against it, as the rest of a sentence that begins with the key.
pub(super) fn contradiction(
    role: Role,
    parameter: &Parameter,
    witness: &Witness<'_>,
) -> Option<String> {
    if parameter.no_echo {
        return Some("its value is secret".to_owned());
    }
    let value = witness
        .values
        .and_then(|values| values.get(&parameter.key))
        .map(|value| value.resolved.as_deref().unwrap_or(&value.value).trim());
    match role {
        Role::CacheEngine => engine(parameter, value, witness),
        Role::RedisVersion => version(parameter, value, witness, Engine::Redis),
        Role::ValkeyVersion => version(parameter, value, witness, Engine::Valkey),
        Role::CacheNodeType => {
            let wrong = |value: &&str| !value.starts_with("cache.");
            shape(parameter, value, wrong, "cache node types").or_else(|| {
                differs(
                    parameter,
                    value,
                    witness.node_type,
                    |value, actual| value == actual,
                    "node type",
                )
            })
        }
        Role::CacheNodes => shape(parameter, value, not_an_integer, "numbers").or_else(|| {
            let nodes = witness.nodes.map(|nodes| nodes.to_string());
            // A number may be anything: only the value tells it from other numbers.
            differs(
                parameter,
                value,
                nodes.as_deref(),
                |value, actual| value == actual,
                "number of nodes",
            )
        }),
        Role::UseCache | Role::CacheMultiAz => {
            let wrong = |value: &&str| values::truth(value).is_none();
            shape(parameter, value, wrong, "`true` and `false`")
        }
        Role::AllocatedStorage
        | Role::AllocatedIops
        | Role::StorageThroughput
        | Role::MaxAllocatedStorage => {
            let wrong = |value: &&str| !value.is_empty() && not_an_integer(value);
            shape(parameter, value, wrong, "numbers")
        }
        Role::DeploymentTrigger => (parameter.allowed_values.len() != 2)
            .then(|| "it has not two allowed values to switch between".to_owned()),
        Role::CacheAuthMode | Role::HiveName | Role::ResourcePrefix => None,
    }
}

fn engine(parameter: &Parameter, value: Option<&str>, witness: &Witness<'_>) -> Option<String> {
    let has = |engine: Engine| {
        parameter
            .allowed_values
            .iter()
            .any(|value| value.trim().eq_ignore_ascii_case(engine.as_str()))
    };
    if has(Engine::Redis) && has(Engine::Valkey) {
        return None;
    }
    if !parameter.allowed_values.is_empty() {
        let listed = values::listed(&parameter.allowed_values);
        return Some(format!("its allowed values are {listed} and not redis and valkey"));
    }
    let value = value?;
    match Engine::parse(value) {
        Err(_) => Some(format!("its value `{value}` is no cache engine")),
        Ok(engine) => match witness.engine {
            Some(actual) if actual != engine => {
                Some(format!("its value is `{value}` while the nodes run {actual}"))
            }
            Some(_) | None => None,
        },
    }
}

fn version(
    parameter: &Parameter,
    value: Option<&str>,
    witness: &Witness<'_>,
    engine: Engine,
) -> Option<String> {
    // Redis OSS ends at 7.1 and Valkey begins at 7.2 (ElastiCache user guide, engine versions).
    let wrong = |value: &&str| match CacheVersion::read(value) {
        None => !value.is_empty(),
        Some(version) => match (engine, version.components()) {
            (Engine::Redis, [major, minor, ..]) => (*major, *minor) > (7, 1),
            (Engine::Valkey, [major, minor, ..]) => (*major, *minor) < (7, 2),
            (Engine::Redis | Engine::Valkey, _) => false,
        },
    };
    let runs = witness.version.filter(|_| witness.engine == Some(engine));
    shape(parameter, value, wrong, &format!("versions of {engine}"))
        .or_else(|| differs(parameter, value, runs, values::version_satisfies, "version"))
}

fn not_an_integer(value: &&str) -> bool {
    value.parse::<i64>().is_err()
}

/// A shape that cannot be the role's: any allowed value, else the present one.
fn shape(
    parameter: &Parameter,
    value: Option<&str>,
    wrong: impl Fn(&&str) -> bool,
    wanted: &str,
) -> Option<String> {
    if parameter.allowed_values.is_empty() {
        let value = value.filter(|value| wrong(value))?;
        return Some(format!("its value is `{value}`, and wanted are {wanted}"));
    }
    let value = parameter.allowed_values.iter().map(String::as_str).find(|value| wrong(value))?;
    Some(format!("its allowed values hold `{value}`, and wanted are {wanted}"))
}

/// A value that is not what runs, where the shape says nothing.
fn differs(
    parameter: &Parameter,
    value: Option<&str>,
    actual: Option<&str>,
    same: impl Fn(&str, &str) -> bool,
    what: &str,
) -> Option<String> {
    let (value, actual) = (value?, actual?);
    (parameter.allowed_values.is_empty() && !same(value, actual))
        .then(|| format!("its value is `{value}` while the cache's {what} is `{actual}`"))
}
