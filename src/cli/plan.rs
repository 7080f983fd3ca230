//! `ted-controller plan WHAT…`: looks, says what it means and what would be done, and changes nothing.

use super::what::{AwsArgs, Subject, look_at_all, subjects};
use super::{Failure, exit, output, terminal};
use crate::assess::diagnosis::{Diagnosis, last_failure};
use crate::assess::facts::Facts;
use crate::assess::{Context, assess, survey};
use crate::desired::Mode;
use crate::observe::Observer;
use crate::observe::observation::Observation;
use crate::redact::Redactor;
use crate::report::{Plan, render, sides};
use crate::support;
use crate::support::recording::{self, Recorded};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Documents (files or folders), names of TEDs, names or ids of provisioned products; none: all that the region has
    #[arg(value_name = "WHAT")]
    what: Vec<String>,
    /// How to write the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    /// Exit with 2 when something differs, is found, or would be done
    #[arg(long)]
    detailed_exitcode: bool,
    /// Also run CloudFormation's own drift detection on every stack, and wait for it: minutes, and it leaves its result on the stacks
    #[arg(long, conflicts_with = "replay")]
    deep: bool,
    /// Also write what AWS said, without secrets, for tests and support
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    record: Option<PathBuf>,
    /// Assess what such a file, or a support bundle, holds instead of asking AWS
    #[arg(long, value_name = "FILE", visible_alias = "from-bundle")]
    replay: Option<PathBuf>,
    #[command(flatten)]
    aws: AwsArgs,
}

/// How a plan is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For a comment on a pull request
    Markdown,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut failed = false;
    let seen = match &args.replay {
        Some(file) => replayed(file, args).await?,
        None => Box::pin(looked(args, &mut failed)).await?,
    };
    if let Some(file) = &args.record {
        record(file, &seen)?;
    }
    let plans: Vec<Plan> = seen
        .iter()
        .map(|seen| {
            let diagnosis = seen.diagnosis.clone();
            let context = Context { mode_bound: Mode::Apply, diagnosis, ..Context::default() };
            plan(&seen.subject, &seen.observation, &context)
        })
        .collect();
    if !plans.is_empty() || !failed {
        match args.output {
            Format::Text => {
                output::data(render::plan(&plans, terminal::paint(), terminal::columns()));
            }
            Format::Json => output::data(render::plans_json(&plans)),
            Format::Markdown => output::data(render::markdown(&plans)),
        }
    }
    let differs = plans.iter().any(Plan::differs);
    Ok(match (failed, args.detailed_exitcode && differs) {
        (true, _) => ExitCode::from(exit::ERROR),
        (false, true) => ExitCode::from(exit::DIFFERS),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// A TED that was looked at.
struct SeenTed {
    subject: Subject,
    observation: Observation,
    /// Why the update of that record failed, when it did.
    diagnosis: Option<(String, Diagnosis)>,
}

type SeenTeds = Vec<SeenTed>;

/// Looks at all at once. One that cannot be looked at is said and keeps the others from nothing.
async fn looked(args: &Args, failed: &mut bool) -> Result<SeenTeds, Failure> {
    let observer = Arc::new(args.aws.observer().await?);
    let subjects = subjects(&args.what, &args.aws, &observer).await?;
    let mut seen = Vec::new();
    for (subject, look) in look_at_all(subjects, &observer, args.deep).await {
        match look {
            Ok(observation) => {
                let diagnosis = diagnosis(&subject, &observer, &observation).await;
                seen.push(SeenTed { subject, observation, diagnosis });
            }
            Err(failure) => {
                *failed = true;
                output::error(
                    format_args!("{}: {}", subject.name, failure.message),
                    failure.hint.as_deref(),
                );
            }
        }
    }
    Ok(seen)
}

/// Why the last update failed, if it did: its events are read then, and only then.
async fn diagnosis(
    subject: &Subject,
    observer: &Observer,
    observation: &Observation,
) -> Option<(String, Diagnosis)> {
    observation.last_record.present().filter(|record| record.status == "FAILED")?;
    let story = observer.story(&subject.query, observation).await.ok()?;
    last_failure(observation, &story).of_a_failed_record()
}

/// The verdict on one TED, as people see it.
pub(super) fn plan(subject: &Subject, observation: &Observation, context: &Context) -> Plan {
    let assessment = match &subject.desired {
        Some(desired) => assess(desired, observation, context),
        None => survey(observation, context),
    };
    let facts = Facts::of(subject.desired.as_ref(), observation);
    let sides = sides(subject.desired.as_ref(), observation, &facts.roles, &assessment.findings);
    let product = facts
        .product
        .one()
        .map_or_else(|| subject.query.product.as_str(), |product| product.name.as_str());
    let revision = subject.revision.as_ref().map(crate::desired::Revision::as_str);
    Plan::new(&subject.name, product, revision, observation.now, &sides, &assessment)
}

fn record(file: &std::path::Path, seen: &SeenTeds) -> Result<(), Failure> {
    let mut redactor = Redactor::default();
    for seen in seen {
        redactor.learn_observation(&seen.observation);
    }
    let all: Vec<Recorded> = seen
        .iter()
        .map(|seen| Recorded {
            name: seen.subject.name.clone(),
            observation: redactor.observation(&seen.observation),
            diagnosis: seen.diagnosis.as_ref().and_then(|it| support::clean(it, &redactor)),
        })
        .collect();
    std::fs::write(file, recording::write(&all)).map_err(|error| Failure {
        message: format!("cannot write `{}`: {error}", file.display()),
        hint: None,
    })
}

/// What a file holds; documents named on the command line are held against it.
async fn replayed(file: &std::path::Path, args: &Args) -> Result<SeenTeds, Failure> {
    let wrong = |message: String| {
        Failure {
        message: format!("cannot replay `{}`: {message}", file.display()),
        hint: Some(
            "write such a file with `ted-controller plan --record FILE` or `ted-controller support-bundle`"
                .to_owned(),
        ),
    }
    };
    let bytes = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let all = recording::read(&bytes).map_err(|error| wrong(error.to_string()))?;
    // Nobody is asked: only documents count among the arguments.
    let observer = Observer::offline();
    let documents = if args.what.is_empty() {
        Vec::new()
    } else {
        subjects(&args.what, &args.aws, &observer).await?
    };
    for document in &documents {
        if !all.iter().any(|recorded| is_of(document, recorded)) {
            let name = &document.name;
            output::note(format_args!("nothing in `{}` is about `{name}`", file.display()));
        }
    }
    Ok(all
        .into_iter()
        .map(|recorded| {
            let subject = documents.iter().find(|document| is_of(document, &recorded)).cloned();
            let subject = subject.unwrap_or_else(|| Subject::recorded(&recorded.name));
            let Recorded { name: _, observation, diagnosis } = recorded;
            SeenTed { subject, observation, diagnosis }
        })
        .collect())
}

/// Whether a document is that of a recorded TED: by its name, or by the product that was recorded without a document.
fn is_of(document: &Subject, recorded: &Recorded) -> bool {
    let product = document.query.product.as_str();
    let products = recorded.observation.products.present();
    document.name == recorded.name
        || products.is_some_and(|found| {
            found.iter().any(|found| found.name == product || found.id == product)
        })
}
