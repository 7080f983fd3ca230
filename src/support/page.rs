//! `report.html`: what happened, what is wrong, and what AWS says, in the order in which a person asks.

mod aws;

use super::html::{Cell, Page};
use super::{File, Shown};
use crate::assess::types::{ConditionStatus, ConditionType, Finding, GateState, Severity};
use crate::report::{Plan, render};
use crate::text::moment;
use jiff::Timestamp;
use serde_json::Value;

/// How wide the diagnosis is, which is text here as it is on a terminal.
const COLUMNS: usize = 110;

/// The page over all files of a bundle. Everything it is given has no secrets any more.
pub(super) fn page(
    teds: &[Shown],
    controller: &Value,
    missing: &[String],
    files: &[File],
    made: Timestamp,
) -> String {
    let names: Vec<&str> = teds.iter().map(|ted| ted.name.as_str()).collect();
    let title = format!("Support bundle: {}", names.join(", "));
    let mut page = Page::new();
    page.heading(1, &title);
    page.paragraph(
        "dim",
        &format!(
            "Made {} by ted-controller. Secrets are taken out: what stood there reads [redacted] or [withheld].",
            moment(made)
        ),
    );
    if !missing.is_empty() {
        page.heading(2, "Missing");
        page.paragraph("dim", "This could not be read or was not given. All else was.");
        page.list("missing", missing);
    }
    for ted in teds {
        one(&mut page, ted);
    }
    page.heading(2, "The controller");
    page.folded("Versions and environment", |page| {
        page.preformatted(&render::yaml(controller));
    });
    page.heading(2, "Files beside this report");
    page.table(
        &["File", "What it holds", "Bytes"],
        files
            .iter()
            .map(|file| {
                vec![file.path.as_str().into(), file.what.as_str().into(), file.text.len().into()]
            })
            .collect(),
    );
    page.finish(&title)
}

fn one(page: &mut Page, ted: &Shown) {
    page.heading(1, &ted.name);
    if let Some(plan) = &ted.plan {
        headline(page, plan, ted);
    }
    if let Some(last) = &ted.last {
        page.heading(2, "The last change");
        let text = render::diagnosis(&ted.name, last, render::Paint::PLAIN, COLUMNS);
        page.preformatted(&text);
    }
    if let Some(plan) = &ted.plan {
        verdict(page, plan);
    }
    aws::product(page, &ted.observation);
    aws::stacks(page, &ted.observation);
    if let Some(dossier) = &ted.dossier {
        aws::stack_events(page, dossier);
    }
    aws::database(page, &ted.observation, ted.dossier.as_ref());
    aws::cache(page, &ted.observation, ted.dossier.as_ref());
    aws::triggers(page, &ted.observation, ted.dossier.as_ref());
    if let Some(document) = &ted.document {
        page.heading(2, "The document");
        page.folded("The desired document, defaults filled in", |page| {
            page.preformatted(&render::yaml(document));
        });
    }
}

/// Where it is, how it stands, and the six conditions.
fn headline(page: &mut Page, plan: &Plan, ted: &Shown) {
    let actual = &plan.verdict.actual;
    page.facts(vec![
        ("provisioned product", Some(plan.provisioned_product.clone())),
        ("account", actual.account.clone()),
        ("region", Some(ted.observation.region.clone())),
        ("looked at", Some(moment(plan.observed_at))),
        ("revision", plan.revision.clone()),
        ("phase", Some(word(plan.verdict.phase))),
        ("TED version", actual.ted_version.clone()),
        (
            "cache engine",
            actual.engine.as_ref().map(|engine| {
                format!("{engine} {}", actual.engine_version.as_deref().unwrap_or(""))
            }),
        ),
    ]);
    page.heading(2, "Conditions");
    let rows = plan.verdict.conditions.iter().map(|condition| {
        let status = word(condition.status);
        vec![
            word(condition.kind).into(),
            Cell::Marked(mark(condition.kind, condition.status), status),
            condition.reason.as_str().into(),
            condition.message.as_str().into(),
        ]
    });
    page.table(&["Condition", "Status", "Reason", "Message"], rows.collect());
}

/// `Ready` should be, the others should not.
fn mark(kind: ConditionType, status: ConditionStatus) -> &'static str {
    let well = match kind {
        ConditionType::Ready => status == ConditionStatus::True,
        ConditionType::Reconciling
        | ConditionType::Stalled
        | ConditionType::Drifted
        | ConditionType::OutOfSync
        | ConditionType::EventsPaused => status == ConditionStatus::False,
    };
    if well { "good" } else { "warn" }
}

fn verdict(page: &mut Page, plan: &Plan) {
    let verdict = &plan.verdict;
    page.heading(2, "Findings");
    if verdict.findings.is_empty() {
        page.paragraph("good", "Nothing disagrees.");
    }
    for found in &verdict.findings {
        finding(page, found);
    }
    page.heading(2, "Gates");
    let shut: Vec<_> = verdict.gates.iter().filter(|gate| !gate.holds).collect();
    if shut.is_empty() {
        page.paragraph("good", "All gates hold.");
    }
    let rows = shut.into_iter().map(|gate| {
        let class = match gate.state {
            GateState::Waiting => "dim",
            GateState::NeedsPerson | GateState::Unknown => "warn",
            GateState::Holds | GateState::NotApplicable => "good",
        };
        vec![
            gate.gate.as_str().into(),
            Cell::Marked(class, word(gate.state)),
            gate.message.as_str().into(),
            gate.remedy.as_str().into(),
            at(gate.until).into(),
        ]
    });
    page.table(&["Gate", "State", "What was found", "What opens it", "Opens"], rows.collect());
    if !verdict.plan.is_empty() {
        page.heading(2, "What would be done");
        let rows = verdict
            .plan
            .iter()
            .map(|step| vec![step.step.as_str().into(), step.summary.as_str().into()]);
        page.table(&["Step", "What it does"], rows.collect());
    }
    if !verdict.parameters.is_empty() {
        let rows = verdict.parameters.iter().map(|change| {
            vec![
                change.key.as_str().into(),
                word(change.change).into(),
                change.from.as_deref().unwrap_or_default().into(),
                change.to.as_deref().unwrap_or_default().into(),
                change.why.as_str().into(),
            ]
        });
        page.table(&["Parameter", "Change", "From", "To", "Why"], rows.collect());
    }
    page.heading(2, "The four sides");
    let rows = plan.sides.iter().map(|side| {
        vec![
            side.what.as_str().into(),
            side.desired.to_string().into(),
            side.service_catalog.to_string().into(),
            side.cloud_formation.to_string().into(),
            side.real.to_string().into(),
            side.findings.join(", ").into(),
        ]
    });
    page.table(
        &["What", "Document", "Service Catalog", "CloudFormation", "Real", "Findings"],
        rows.collect(),
    );
}

fn finding(page: &mut Page, finding: &Finding) {
    let class = match finding.severity {
        Severity::Info => "dim",
        Severity::Warning => "warn",
        Severity::Critical => "bad",
    };
    page.heading(3, &finding.code);
    let rows = [
        ("severity", Some(Cell::Marked(class, word(finding.severity)))),
        ("what disagrees", Some(finding.message.as_str().into())),
        ("desired", finding.desired.as_deref().map(Into::into)),
        ("actual", finding.actual.as_deref().map(Into::into)),
        ("read from", Some(finding.read_from.as_str().into())),
        ("since", finding.since.map(|since| moment(since).into())),
        ("remedy", Some(finding.remedy.as_str().into())),
        ("guide", finding.guide.clone().map(Cell::Link)),
    ];
    page.cells(rows.into_iter());
}

/// A word as it stands in JSON.
fn word(value: impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

fn at(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, moment)
}
