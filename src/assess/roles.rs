//! Which parameter is the cache's engine, its version, the database's storage …, whatever its key is called.
//!
//! The keys are not public, so none is taken for granted. In this order: the key that the document names under `parameterKeys`; the
//! one key whose label in the template's metadata is known for the role; for roles that are neither one-way nor storage, the one key
//! whose name or description tells. The running template and the target version must agree, and what AWS shows must not
//! contradict. Where that leaves a doubt the answer is the candidates, and a person decides: this module never picks one of several.

use super::evidence::{self, Witness};
use crate::desired::{ParameterKey, Role};
use crate::observe::observation::Parameter;
use std::collections::BTreeMap;

/// Parameters of one version of the template, with what its metadata calls them.
#[derive(Clone, Copy, Debug)]
pub struct Template<'a> {
    /// In the template's order.
    pub parameters: &'a [Parameter],
    /// Label by key; `None`: the metadata could not be read, which is not "there are no labels".
    pub labels: Option<&'a BTreeMap<String, String>>,
}

impl<'a> Template<'a> {
    /// A parameter by its key.
    pub fn parameter(&self, key: &str) -> Option<&'a Parameter> {
        self.parameters.iter().find(|parameter| parameter.key == key)
    }

    /// What people see instead of the key.
    pub fn label(&self, key: &str) -> Option<&'a str> {
        self.labels?.get(key).map(String::as_str)
    }
}

/// What came of looking for a role's parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// This key, in the templates that have it.
    Found {
        /// The key.
        key: String,
        /// Whether the running template has it.
        in_present: bool,
        /// Whether the target version has it.
        in_target: bool,
    },
    /// Neither template has such a parameter, as far as labels tell. These look a little like it.
    Absent {
        /// Keys with labels, for a message.
        candidates: Vec<Candidate>,
    },
    /// There is a doubt that a person has to settle.
    Doubtful {
        /// What the doubt is, as a sentence without its end.
        why: String,
        /// What it may be.
        candidates: Vec<Candidate>,
    },
    /// What it takes to tell could not be read.
    Unknown {
        /// What could not be read.
        why: String,
    },
}

/// A key that may be meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The key.
    pub key: String,
    /// Its label.
    pub label: Option<String>,
}

/// The parameters of all roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles(BTreeMap<Role, Resolution>);

impl Roles {
    /// What came of one role.
    pub fn of(&self, role: Role) -> &Resolution {
        // `resolve` fills in every role; a missing one would be as good as unreadable.
        static NOTHING: Resolution = Resolution::Unknown { why: String::new() };
        self.0.get(&role).unwrap_or(&NOTHING)
    }

    /// The role's key in the running template.
    pub fn present_key(&self, role: Role) -> Option<&str> {
        match self.of(role) {
            Resolution::Found { key, in_present: true, in_target: _ } => Some(key),
            Resolution::Found { key: _, in_present: false, in_target: _ }
            | Resolution::Absent { candidates: _ }
            | Resolution::Doubtful { why: _, candidates: _ }
            | Resolution::Unknown { why: _ } => None,
        }
    }

    /// The role's key in the target version.
    pub fn target_key(&self, role: Role) -> Option<&str> {
        match self.of(role) {
            Resolution::Found { key, in_present: _, in_target: true } => Some(key),
            Resolution::Found { key: _, in_present: _, in_target: false }
            | Resolution::Absent { candidates: _ }
            | Resolution::Doubtful { why: _, candidates: _ }
            | Resolution::Unknown { why: _ } => None,
        }
    }

    /// The role whose parameter this is.
    pub fn role_of(&self, key: &str) -> Option<Role> {
        self.0.iter().find_map(|(role, resolution)| match resolution {
            Resolution::Found { key: found, in_present: _, in_target: _ } => {
                (found == key).then_some(*role)
            }
            Resolution::Absent { candidates: _ }
            | Resolution::Doubtful { why: _, candidates: _ }
            | Resolution::Unknown { why: _ } => None,
        })
    }
}

/// How a role's parameter is known.
struct Signs {
    /// Labels, as words. From Turbot's guide "Upgrading Redis OSS to Valkey Cache" and its screenshots, where they show the role.
    labels: &'static [&'static str],
    /// The key, where the guides name it.
    key: Option<&'static str>,
    /// Words that its key or description has: candidates for a message, and, for roles that are not strict, the last resort.
    words: &'static [&'static [&'static str]],
    /// Whether a wrong guess cannot be undone: one-way, destructive, storage.
    strict: bool,
}

fn signs(role: Role) -> Signs {
    let signs = |labels, key, words, strict| Signs { labels, key, words, strict };
    match role {
        Role::UseCache => {
            signs(&["elasticache"], None, &[&["use", "cache"], &["elasticache"]], true)
        }
        Role::CacheEngine => signs(&["elasticache engine"], None, &[&["cache", "engine"]], true),
        Role::RedisVersion => signs(
            &["elasticache version"],
            None,
            &[&["redis", "version"], &["elasticache", "version"]],
            true,
        ),
        Role::ValkeyVersion => {
            signs(&["valkey cache version"], None, &[&["valkey", "version"]], true)
        }
        Role::CacheAuthMode => signs(
            &["cache authentication mode"],
            None,
            &[&["cache", "auth", "mode"], &["cache", "authenticate"]],
            false,
        ),
        Role::CacheNodeType => {
            signs(&["cache node type"], None, &[&["cache", "node", "type"]], false)
        }
        Role::CacheNodes => signs(
            &["cache number of nodes"],
            None,
            &[&["cache", "number", "nodes"], &["nodes", "of", "cache"]],
            false,
        ),
        Role::CacheMultiAz => signs(
            &["enable multi az"],
            None,
            &[&["cache", "multi", "az"], &["cache", "availability", "zones"]],
            false,
        ),
        Role::AllocatedStorage => signs(
            &["allocated storage"],
            Some("AllocatedStorage"),
            &[&["allocated", "storage"]],
            true,
        ),
        Role::AllocatedIops => {
            signs(&["allocated iops"], Some("AllocatedIops"), &[&["iops"]], true)
        }
        Role::StorageThroughput => {
            signs(&["storage throughput"], None, &[&["storage", "throughput"]], true)
        }
        Role::MaxAllocatedStorage => signs(
            &["max allocated storage", "maximum allocated storage"],
            Some("MaxAllocatedStorage"),
            &[&["max", "storage"], &["maximum", "storage"]],
            true,
        ),
        Role::HiveName => signs(&["hive name"], Some("HiveName"), &[&["hive", "name"]], false),
        Role::ResourcePrefix => signs(
            &["resource name prefix"],
            Some("ResourceNamePrefix"),
            &[&["resource", "prefix"], &["prefix", "resources"]],
            false,
        ),
        Role::DeploymentTrigger => signs(
            &["parameter deployment trigger"],
            Some("ParameterDeploymentTrigger"),
            &[&["deployment", "trigger"]],
            false,
        ),
    }
}

/// What was found in one template.
enum Lookup {
    Key(String),
    Nothing,
    Several(Vec<String>),
    NoLabels,
}

/// Resolves every role.
///
/// `present` is the running template, `target` that of the version to have (the same one when the version stays); each is `None` when
/// it could not be read.
pub fn resolve(
    present: Option<Template<'_>>,
    target: Option<Template<'_>>,
    named: &BTreeMap<Role, ParameterKey>,
    witness: &Witness<'_>,
) -> Roles {
    // Each label is read once, not once a role.
    let spoken = |template: Option<Template<'_>>| template.map(Spoken::of).unwrap_or_default();
    let (spoken_present, spoken_target) = (spoken(present), spoken(target));
    let resolution = |role: Role| match (present, target) {
        (Some(present), Some(target)) => {
            let named = named.get(&role).map(ParameterKey::as_str);
            let found = || {
                let present = look_up(role, &present, &spoken_present, witness);
                (present, look_up(role, &target, &spoken_target, witness))
            };
            resolve_role(role, present, target, named, witness, found)
        }
        (None, _) => {
            Resolution::Unknown { why: "the running template could not be read".to_owned() }
        }
        (_, None) => Resolution::Unknown {
            why: "the target version's parameters could not be read".to_owned(),
        },
    };
    Roles(Role::ALL.iter().map(|role| (*role, resolution(*role))).collect())
}

fn resolve_role(
    role: Role,
    present: Template<'_>,
    target: Template<'_>,
    named: Option<&str>,
    witness: &Witness<'_>,
    look_up: impl FnOnce() -> (Lookup, Lookup),
) -> Resolution {
    let has = |template: &Template<'_>, key: &str| template.parameter(key).is_some();
    let found = |key: &str| Resolution::Found {
        key: key.to_owned(),
        in_present: has(&present, key),
        in_target: has(&target, key),
    };
    let candidates = |keys: &[&String]| {
        let keys = keys.iter().map(|key| key.as_str());
        keys.map(|key| candidate(key, &present, &target)).collect::<Vec<_>>()
    };
    let similar = || similar(role, &present, &target);
    if let Some(key) = named {
        // A person's word stands over labels and evidence; only a key that is nowhere is no answer.
        return if has(&present, key) || has(&target, key) {
            found(key)
        } else {
            let why = format!(
                "the document's `parameterKeys` name `{key}` for it, which no version here has"
            );
            Resolution::Doubtful { why, candidates: similar() }
        };
    }
    let key = match look_up() {
        (Lookup::NoLabels, _) => {
            return Resolution::Unknown {
                why: "the running template's labels could not be read".to_owned(),
            };
        }
        (_, Lookup::NoLabels) => {
            return Resolution::Unknown {
                why: "the target version's labels could not be read".to_owned(),
            };
        }
        (Lookup::Several(keys), _) | (_, Lookup::Several(keys)) => {
            let keys: Vec<&String> = keys.iter().collect();
            return Resolution::Doubtful {
                why: "several parameters look like it".to_owned(),
                candidates: candidates(&keys),
            };
        }
        (Lookup::Nothing, Lookup::Nothing) => return Resolution::Absent { candidates: similar() },
        (Lookup::Key(one), Lookup::Key(other)) if one != other => {
            return Resolution::Doubtful {
                why: format!(
                    "it is `{one}` in the running version and `{other}` in the target version"
                ),
                candidates: candidates(&[&one, &other]),
            };
        }
        (Lookup::Key(key), Lookup::Key(_)) => key,
        // Found in one only. That is right when the other does not have the key; when it has, its label there is gone or
        // changed hands, and for what cannot be undone that is a doubt.
        (Lookup::Key(key), Lookup::Nothing) if signs(role).strict && has(&target, &key) => {
            return Resolution::Doubtful {
                why: format!(
                    "`{key}` is it in the running version, and in the target version nothing says so"
                ),
                candidates: candidates(&[&key]),
            };
        }
        (Lookup::Nothing, Lookup::Key(key)) if signs(role).strict && has(&present, &key) => {
            return Resolution::Doubtful {
                why: format!(
                    "`{key}` is it in the target version, and in the running version nothing says so"
                ),
                candidates: candidates(&[&key]),
            };
        }
        (Lookup::Key(key), Lookup::Nothing) | (Lookup::Nothing, Lookup::Key(key)) => key,
    };
    for template in [&present, &target] {
        if let Some(parameter) = template.parameter(&key)
            && let Some(contradiction) = evidence::contradiction(role, parameter, witness)
        {
            return Resolution::Doubtful {
                why: format!("`{key}` is called that, but {contradiction}"),
                candidates: candidates(&[&key]),
            };
        }
    }
    found(&key)
}

/// The labels of a template by key, as words.
#[derive(Default)]
struct Spoken(BTreeMap<String, String>);

impl Spoken {
    fn of(template: Template<'_>) -> Self {
        let labels = template.labels.into_iter().flatten();
        Self(labels.map(|(key, label)| (key.clone(), words(label).join(" "))).collect())
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

fn look_up(role: Role, template: &Template<'_>, spoken: &Spoken, witness: &Witness<'_>) -> Lookup {
    if template.labels.is_none() {
        return Lookup::NoLabels;
    }
    let signs = signs(role);
    let labelled = |parameter: &&Parameter| {
        spoken.get(&parameter.key).is_some_and(|label| signs.labels.contains(&label))
    };
    let mut keys: Vec<String> = template
        .parameters
        .iter()
        .filter(labelled)
        .map(|parameter| parameter.key.clone())
        .collect();
    // A key that the guides name is as good as a label; where they disagree, it is a doubt.
    if let Some(key) = signs.key.filter(|key| template.parameter(key).is_some())
        && !keys.iter().any(|found| found == key)
        // An own label that means another role takes the key out of this one.
        && spoken.get(key).is_none_or(|label| !is_another_roles_label(role, label))
    {
        keys.push(key.to_owned());
    }
    if keys.is_empty() && !signs.strict {
        keys = by_words(&signs, template, spoken, role, witness);
    }
    match keys.len() {
        0 => Lookup::Nothing,
        1 => keys.pop().map_or(Lookup::Nothing, Lookup::Key),
        _ => Lookup::Several(keys),
    }
}

fn is_another_roles_label(role: Role, label: &str) -> bool {
    Role::ALL.iter().any(|other| *other != role && signs(*other).labels.contains(&label))
}

/// The last resort: words of the key, else words of the description; only what evidence does not rule out.
fn by_words(
    signs: &Signs,
    template: &Template<'_>,
    spoken: &Spoken,
    role: Role,
    witness: &Witness<'_>,
) -> Vec<String> {
    let fits = |text: &str| has_words(signs, text);
    let possible: Vec<&Parameter> = template
        .parameters
        .iter()
        .filter(|parameter| {
            spoken.get(&parameter.key).is_none_or(|label| !is_another_roles_label(role, label))
        })
        .filter(|parameter| evidence::contradiction(role, parameter, witness).is_none())
        .collect();
    let keys = |fits: &dyn Fn(&Parameter) -> bool| {
        let fitting = possible.iter().filter(|parameter| fits(parameter));
        fitting.map(|parameter| parameter.key.clone()).collect::<Vec<_>>()
    };
    let by_key = keys(&|parameter| fits(&parameter.key));
    if by_key.is_empty() {
        keys(&|parameter| parameter.description.as_deref().is_some_and(fits))
    } else {
        by_key
    }
}

/// Whether a text has all words of one of the role's sets. `ElastiCache` is a cache too.
fn has_words(signs: &Signs, text: &str) -> bool {
    let words = words(text);
    let has = |wanted: &&str| {
        words.iter().any(|word| word == wanted || (*wanted == "cache" && word == "elasticache"))
    };
    signs.words.iter().any(|wanted| wanted.iter().all(has))
}

/// Parameters that share words with a role: what a person would look at first.
fn similar(role: Role, present: &Template<'_>, target: &Template<'_>) -> Vec<Candidate> {
    let signs = signs(role);
    let mut found: Vec<Candidate> = Vec::new();
    for template in [target, present] {
        for parameter in template.parameters {
            let label = template.label(&parameter.key).unwrap_or_default();
            let description = parameter.description.as_deref().unwrap_or_default();
            let fits = has_words(&signs, &format!("{} {label} {description}", parameter.key));
            let candidate = candidate(&parameter.key, present, target);
            if fits && !found.contains(&candidate) {
                found.push(candidate);
            }
        }
    }
    found.truncate(8);
    found
}

fn candidate(key: &str, present: &Template<'_>, target: &Template<'_>) -> Candidate {
    let label = target.label(key).or_else(|| present.label(key)).map(str::to_owned);
    Candidate { key: key.to_owned(), label }
}

/// The words of a key, label or description, in lower case: `CacheMultiAZ` is `cache multi az`.
/// `ElastiCache` is one word.
pub fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let characters: Vec<char> = text.chars().collect();
    let mut word = String::new();
    for (index, character) in characters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| characters.get(before));
        let after = characters.get(index + 1);
        let begins = character.is_uppercase()
            && (before.is_some_and(|before| before.is_lowercase() || before.is_numeric())
                || (before.is_some_and(|before| before.is_uppercase())
                    && after.is_some_and(|after| after.is_lowercase())));
        if (begins || !character.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    let mut joined: Vec<String> = Vec::new();
    for word in words {
        match joined.last_mut() {
            Some(last) if last == "elasti" && word == "cache" => last.push_str("cache"),
            Some(_) | None => joined.push(word),
        }
    }
    joined
}

#[cfg(test)]
mod tests;
