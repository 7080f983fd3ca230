//! What a support ticket gets: everything that Turbot's guides ask for, as one archive without secrets. Pure: evidence in, files out.
//!
//! A bundle is for two readers. A person opens `report.html`, which needs no network, no script and nothing beside it. A program reads the
//! JSON files; `observation.json` is a recording as `plan --record` writes it, so that `plan --from-bundle` sees what was seen here.
//! Whatever could not be had is listed under "missing", and the rest is there all the same.
//!
//! Nothing gets into a file but through [`crate::redact`].

pub mod archive;
mod html;
mod page;
pub mod recording;

pub use recording::Recorded;

use crate::assess::diagnosis::LastFailure;
use crate::desired::Desired;
use crate::observe::dossier::Dossier;
use crate::observe::observation::Observation;
use crate::redact::Redactor;
use crate::report::{Plan, render};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The form of a bundle.
const FORMAT: u32 = 1;

/// What is known of one TED.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Its document, if there is one.
    pub desired: Option<&'a Desired>,
    /// What was seen.
    pub observation: &'a Observation,
    /// Events and queues.
    pub dossier: &'a Dossier,
    /// Why the last update failed, if it did.
    pub last: &'a LastFailure,
    /// The verdict.
    pub plan: &'a Plan,
}

/// What there is around the TEDs.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// What made the bundle, and on what.
    pub tool: Vec<(String, String)>,
    /// Variables of the environment that say how AWS is asked.
    pub environment: Vec<(String, String)>,
    /// What the controller noted by the name of a file: its fields are ours and say nothing about secrets.
    pub notes: Vec<(String, Value)>,
    /// Files of people and programs by name, with their text: settings, logs.
    pub files: Vec<(String, String)>,
    /// What was not given or could not be read, a sentence each.
    pub missing: Vec<String>,
}

/// A file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path in the bundle.
    pub path: String,
    /// What it holds.
    pub what: String,
    /// Its content.
    pub text: String,
}

/// A bundle, before it is packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The files, the report first.
    pub files: Vec<File>,
    /// What is missing, a sentence each.
    pub missing: Vec<String>,
}

/// The evidence of one TED as it may be shown.
#[derive(Debug)]
struct Shown {
    name: String,
    document: Option<Value>,
    observation: Observation,
    /// `None`: it could not be shown without secrets.
    dossier: Option<Dossier>,
    last: Option<LastFailure>,
    plan: Option<Plan>,
}

/// Puts a bundle together. `redactor` knows the secrets that are not in the evidence: of the environment, of settings.
pub fn bundle(
    teds: &[Evidence<'_>],
    around: &Surroundings,
    mut redactor: Redactor,
    made: Timestamp,
) -> Bundle {
    for ted in teds {
        redactor.learn_observation(ted.observation);
        if let Some(desired) = ted.desired {
            learn_document(&mut redactor, desired, ted.observation);
        }
    }
    for (_, text) in &around.files {
        redactor.learn_file(text);
    }
    let shown: Vec<Shown> = teds.iter().map(|ted| show(ted, &redactor)).collect();
    let mut missing: Vec<String> = around.missing.clone();
    for ted in teds {
        missing.extend(missing_of(ted));
    }
    let missing: Vec<String> = missing.iter().map(|what| redactor.text(what)).collect();

    let mut files = Vec::new();
    let recorded: Vec<Recorded> = shown
        .iter()
        .map(|ted| {
            let (name, observation) = (ted.name.clone(), ted.observation.clone());
            let diagnosis = ted.last.clone().and_then(LastFailure::of_a_failed_record);
            Recorded { name, observation, diagnosis }
        })
        .collect();
    files.push(File {
        path: recording::FILE.to_owned(),
        what: "what AWS said, for `plan --from-bundle`".to_owned(),
        text: recording::write(&recorded),
    });
    for ted in &shown {
        files.extend(files_of(ted));
    }
    let mut controller =
        json!({"tool": pairs(&around.tool), "environment": pairs(&around.environment)});
    redactor.json(&mut controller);
    files.push(File {
        path: "controller.json".to_owned(),
        what: "versions and environment".to_owned(),
        text: render::json(&controller),
    });
    for (name, value) in &around.notes {
        let mut value = value.clone();
        redactor.texts(&mut value);
        files.push(File {
            path: format!("controller/{}", file_name(name)),
            what: "noted by the controller".to_owned(),
            text: render::json(&value),
        });
    }
    for (name, text) in &around.files {
        files.push(File {
            path: format!("controller/{}", file_name(name)),
            what: "given to this command".to_owned(),
            text: redactor.file(text),
        });
    }
    let html = page::page(&shown, &controller, &missing, &files, made);
    files.insert(
        0,
        File {
            path: "report.html".to_owned(),
            what: "this report, for people".to_owned(),
            // Names of files and the like come from outside, too.
            text: redactor.without_known(&html),
        },
    );
    let manifest = manifest(&files, &missing, made);
    files.push(File {
        path: "manifest.json".to_owned(),
        what: "the list of the files".to_owned(),
        text: redactor.without_known(&render::json(&manifest)),
    });
    Bundle { files, missing }
}

fn learn_document(redactor: &mut Redactor, desired: &Desired, seen: &Observation) {
    if let Some(id) = desired.spec.role.as_ref().and_then(|role| role.external_id.as_ref()) {
        redactor.learn(id.reveal());
    }
    let parameters = &desired.spec.parameters;
    redactor.learn_parameters(
        parameters.iter().map(|(key, value)| (key.as_str(), value.as_str())),
        seen,
    );
}

fn show(ted: &Evidence<'_>, redactor: &Redactor) -> Shown {
    let document = ted.desired.map(|desired| {
        let mut document = desired.to_api();
        redactor.json(&mut document);
        document
    });
    Shown {
        name: redactor.text(ted.name),
        document,
        observation: redactor.observation(ted.observation),
        dossier: clean(ted.dossier, redactor),
        last: clean(ted.last, redactor),
        plan: clean_plan(ted.plan, redactor),
    }
}

/// The same without secrets in its texts. Its names are ours, so they say nothing: the token of a stack event is an id.
pub(crate) fn clean<T: Serialize + DeserializeOwned>(value: &T, redactor: &Redactor) -> Option<T> {
    let mut tree = serde_json::to_value(value).ok()?;
    redactor.texts(&mut tree);
    serde_json::from_value(tree).ok()
}

/// A plan names parameters beside their values.
fn clean_plan(plan: &Plan, redactor: &Redactor) -> Option<Plan> {
    let mut tree = serde_json::to_value(plan).ok()?;
    redactor.json(&mut tree);
    serde_json::from_value(tree).ok()
}

/// The files of one TED, in its own folder.
fn files_of(ted: &Shown) -> Vec<File> {
    let seen = &ted.observation;
    let dossier = ted.dossier.as_ref();
    let mut files = vec![
        ("plan.json", "findings, gates, conditions and plan", json!(ted.plan)),
        ("diagnosis.json", "the last failure, explained", json!(ted.last)),
        (
            "events.json",
            "events of root and nested stacks",
            json!(dossier.map(|dossier| &dossier.story)),
        ),
        (
            "product.json",
            "provisioned product, records and versions on offer",
            json!({
                "products": seen.products, "lastRecord": seen.last_record, "lastSuccess": seen.last_success,
                "history": seen.history, "versions": seen.versions, "paths": seen.paths,
            }),
        ),
        ("stacks.json", "root stack with its parameters, nested stacks", json!({"root": seen.root, "nested": seen.nested, "deepDrift": seen.deep_drift})),
        (
            "database.json",
            "RDS: summary, configuration, recent events",
            json!({
                "database": seen.database, "replica": seen.replica,
                "events": dossier.map(|dossier| &dossier.database_events),
                "replicaEvents": dossier.map(|dossier| &dossier.replica_events),
            }),
        ),
        (
            "cache.json",
            "ElastiCache: groups, nodes, recent events",
            json!({"caches": seen.caches, "events": dossier.map(|dossier| &dossier.cache_events)}),
        ),
        (
            "triggers.json",
            "worker triggers, their queues, Workspace and TE stacks",
            json!({
                "triggers": seen.triggers, "queues": dossier.map(|dossier| &dossier.queues), "relatives": seen.relatives,
            }),
        ),
    ]
    .into_iter()
    .map(|(name, what, value)| File {
        path: format!("{}/{name}", file_name(&ted.name)),
        what: what.to_owned(),
        text: render::json(&value),
    })
    .collect::<Vec<_>>();
    if let Some(document) = &ted.document {
        files.push(File {
            path: format!("{}/document.yaml", file_name(&ted.name)),
            what: "the desired document, defaults filled in".to_owned(),
            text: render::yaml(document),
        });
    }
    files
}

/// What could not be had of a TED.
fn missing_of(ted: &Evidence<'_>) -> Vec<String> {
    let seen = ted.observation;
    let dossier = ted.dossier;
    let more = [
        ("who asks", seen.caller.gap()),
        ("the events of the database", dossier.database_events.gap()),
        ("the events of the replica", dossier.replica_events.gap()),
        ("the events of the cache", dossier.cache_events.gap()),
        ("the queues", dossier.queues.gap().or(dossier.queues_gap.as_ref())),
    ];
    let more = more.into_iter().filter_map(|(what, gap)| Some((what, gap?)));
    let mut missing: Vec<String> = seen
        .gaps()
        .into_iter()
        .chain(more)
        .map(|(what, gap)| format!("{}: {what}: {}", ted.name, gap.message))
        .collect();
    for stack in &dossier.story.stacks {
        if let Some(gap) = &stack.gap {
            missing.push(format!("{}: events of stack {}: {}", ted.name, stack.name, gap.message));
        } else if !stack.complete {
            missing.push(format!(
                "{}: older events of stack {}: only the newest {} were read",
                ted.name,
                stack.name,
                stack.events.len()
            ));
        }
    }
    missing.extend(ted.last.unseen.iter().map(|what| format!("{}: {what}", ted.name)));
    missing.sort();
    missing.dedup();
    missing
}

fn manifest(files: &[File], missing: &[String], made: Timestamp) -> Value {
    let files: Vec<Value> = files
        .iter()
        .map(|file| json!({"path": file.path, "bytes": file.text.len(), "what": file.what}))
        .collect();
    json!({"format": FORMAT, "made": made, "files": files, "missing": missing})
}

fn pairs(all: &[(String, String)]) -> Vec<Value> {
    all.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

/// A name that is one part of a path on every system.
fn file_name(name: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = name.chars().map(|c| if safe(c) { c } else { '_' }).take(80).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "unnamed".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests;
