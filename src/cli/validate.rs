//! `ted-controller validate PATH…`: reads documents and says everything that is wrong with them. Asks nobody.

use super::{Failure, Format, exit, output};
use crate::desired::{self, Defaults, Desired, Loaded, Problem};
use crate::source::collect;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files, or folders that are read recursively (`*.yaml`, `*.yml`; hidden folders are skipped)
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How to write the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut files = Vec::new();
    for path in &args.paths {
        collect(path, &mut files)
            .map_err(|error| Failure::new(&error, Some(error.hint().to_owned())))?;
    }
    let loaded = desired::load(&files, &Defaults::default());
    match args.output {
        Format::Text => text(&loaded),
        Format::Json => output::line(json(&loaded)),
    }
    let valid = loaded.problems.is_empty();
    Ok(if valid { ExitCode::SUCCESS } else { ExitCode::from(exit::ERROR) })
}

fn text(loaded: &Loaded) {
    for desired in &loaded.documents {
        output::line(summary(desired));
    }
    for note in &loaded.notes {
        output::note(note);
    }
    for problem in &loaded.problems {
        output::error(problem, problem.hint.as_deref());
    }
    output::line(verdict(loaded));
}

/// `teds/einstein.yaml:1:1: einstein: valkey 8.0, TED v1.52.1, product ted-einstein in us-east-2, mode observe`.
fn summary(desired: &Desired) -> String {
    let spec = &desired.spec;
    let cache = spec.cache.as_ref().map_or_else(
        || "cache as it is".to_owned(),
        |cache| format!("{} {}", cache.engine, cache.version),
    );
    let version = spec
        .ted_version
        .as_ref()
        .map_or_else(|| "TED as it is".to_owned(), |wish| format!("TED {wish}"));
    let region = spec.region.as_ref().map_or_else(String::new, |region| format!(" in {region}"));
    let suspended = if spec.suspend.is_some() { ", suspended" } else { "" };
    format!(
        "{}: {}: {cache}, {version}, product {}{region}, mode {}{suspended}",
        desired.location, desired.name, spec.provisioned_product, spec.policy.mode
    )
}

fn verdict(loaded: &Loaded) -> String {
    let count = |number: usize, word: &str| {
        if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
    };
    let documents = count(loaded.documents.len(), "valid document");
    if loaded.problems.is_empty() {
        documents
    } else {
        format!("{documents}, {}", count(loaded.problems.len(), "problem"))
    }
}

fn json(loaded: &Loaded) -> String {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Report<'a> {
        valid: bool,
        revision: &'a desired::Revision,
        documents: Vec<Document<'a>>,
        problems: &'a [Problem],
        notes: &'a [desired::Note],
    }
    #[derive(serde::Serialize)]
    struct Document<'a> {
        location: &'a desired::Location,
        document: serde_json::Value,
    }
    let documents = loaded.documents.iter();
    let report = Report {
        valid: loaded.problems.is_empty(),
        revision: &loaded.revision,
        documents: documents
            .map(|desired| Document { location: &desired.location, document: desired.to_api() })
            .collect(),
        problems: &loaded.problems,
        notes: &loaded.notes,
    };
    serde_json::to_string_pretty(&report).unwrap_or_default()
}
