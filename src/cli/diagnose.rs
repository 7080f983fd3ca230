//! `ted-controller diagnose WHAT`: the last failure, explained. Looks, and changes nothing.

use super::what::{AwsArgs, Subject, subjects};
use super::{Failure, Format, exit, output, terminal};
use crate::assess::diagnosis::{LastFailure, last_failure};
use crate::observe::Observer;
use crate::report::render;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A document, the name of a TED, or the name or id of a provisioned product
    #[arg(value_name = "WHAT")]
    what: String,
    /// How to write the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    #[command(flatten)]
    aws: AwsArgs,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let observer = args.aws.observer().await?;
    let subjects = subjects(std::slice::from_ref(&args.what), &args.aws, &observer).await?;
    let mut failed = false;
    let mut found = Vec::new();
    for subject in &subjects {
        match Box::pin(explain(subject, &observer)).await {
            Ok(last) => found.push((subject, last)),
            Err(failure) => {
                failed = true;
                output::error(
                    format_args!("{}: {}", subject.name, failure.message),
                    failure.hint.as_deref(),
                );
            }
        }
    }
    match args.output {
        Format::Json => {
            let items: Vec<_> = found
                .iter()
                .map(|(subject, last)| serde_json::json!({"name": subject.name, "lastFailure": last}))
                .collect();
            output::data(render::json(&serde_json::json!({ "items": items })));
        }
        Format::Text => {
            let texts: Vec<String> = found
                .iter()
                .map(|(subject, last)| {
                    render::diagnosis(&subject.name, last, terminal::paint(), terminal::columns())
                })
                .collect();
            output::data(texts.join("\n"));
        }
    }
    Ok(if failed { ExitCode::from(exit::ERROR) } else { ExitCode::SUCCESS })
}

async fn explain(subject: &Subject, observer: &Observer) -> Result<LastFailure, Failure> {
    let observation = subject.look(observer).await?;
    let story = observer.story(&subject.query, &observation).await?;
    Ok(last_failure(&observation, &story))
}
