//! `ted-controller support-bundle WHAT`: all that a support ticket needs, as one archive without secrets. Looks, and changes nothing.

mod around;

use super::what::{AwsArgs, Subject, subjects};
use super::{Failure, exit, output, plan};
use crate::assess::Context;
use crate::assess::diagnosis::{LastFailure, last_failure};
use crate::desired::Mode;
use crate::observe::Observer;
use crate::observe::dossier::Dossier;
use crate::observe::observation::Observation;
use crate::report::Plan;
use crate::support::{Evidence, archive, bundle};
use jiff::Timestamp;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A document, the name of a TED, or the name or id of a provisioned product
    #[arg(value_name = "WHAT")]
    what: String,
    /// Where to write the archive; `-`: to standard output; absent: `ted-support-<name>-<time>.tar.gz` here
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The controller's settings file, to go into the bundle; what it says about AWS is used [default: `TED_CONTROLLER_CONFIG`]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The controller's state directory: history, attempts and audit of the TED [default: that of the settings]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// A log of the controller, of which the last part goes into the bundle; can be given several times
    #[arg(long, value_name = "FILE")]
    log: Vec<PathBuf>,
    #[command(flatten)]
    aws: AwsArgs,
}

/// What was read of a TED.
struct Read {
    subject: Subject,
    observation: Observation,
    dossier: Dossier,
    last: LastFailure,
    plan: Plan,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut around = around::Around::of(args);
    let flags = around.flags(&args.aws);
    let mut aws = flags.settings()?;
    if aws.allowed_roles.is_empty() {
        aws.allowed_roles = around.allowed_roles();
    }
    let observer = Observer::from_environment(&aws).await;
    let subjects = subjects(std::slice::from_ref(&args.what), &flags, &observer).await?;
    let mut read = Vec::new();
    let mut failed = Vec::new();
    for subject in subjects {
        match Box::pin(evidence(&subject, &observer)).await {
            Ok((observation, dossier)) => {
                let last = last_failure(&observation, &dossier.story);
                let diagnosis = last.clone().of_a_failed_record();
                let context = Context { mode_bound: Mode::Apply, diagnosis, ..Context::default() };
                let plan = plan::plan(&subject, &observation, &context);
                read.push(Read { subject, observation, dossier, last, plan });
            }
            Err(failure) => failed.push((subject, failure)),
        }
    }
    for (subject, failure) in &failed {
        output::error(
            format_args!("{}: {}", subject.name, failure.message),
            failure.hint.as_deref(),
        );
        around.misses(format!("{}: everything: {}", subject.name, failure.message));
    }
    let Some(first) = read.first() else { return Ok(ExitCode::from(exit::ERROR)) };
    for ted in &read {
        around.remembered(&ted.subject.name, &ted.observation);
    }
    let made = first.observation.now;
    let name = folder_name(&first.subject.name, read.len(), made);
    let evidence: Vec<Evidence<'_>> = read
        .iter()
        .map(|ted| Evidence {
            name: &ted.subject.name,
            desired: ted.subject.desired.as_ref(),
            observation: &ted.observation,
            dossier: &ted.dossier,
            last: &ted.last,
            plan: &ted.plan,
        })
        .collect();
    let bundle = bundle(&evidence, &around.surroundings, around.redactor, made);
    for what in &bundle.missing {
        output::note(format_args!("missing: {what}"));
    }
    let packed =
        archive::pack(&name, &bundle.files, made).map_err(|error| Failure::new(&error, None))?;
    match args.output.as_deref() {
        Some(path) if path == Path::new("-") => output::bytes(&packed),
        path => {
            let path = path.map_or_else(|| PathBuf::from(format!("{name}.tar.gz")), Path::to_owned);
            write(&path, &packed).map_err(|error| Failure {
                message: format!("cannot write `{}`: {error}", path.display()),
                hint: Some("name another place with `-o FILE`".to_owned()),
            })?;
            output::line(path.display());
            output::note(
                "secrets are taken out; open report.html in it before you send it to somebody",
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn evidence(
    subject: &Subject,
    observer: &Observer,
) -> Result<(Observation, Dossier), Failure> {
    let observation = subject.look(observer).await?;
    let dossier = Box::pin(observer.dossier(&subject.query, &observation)).await?;
    Ok((observation, dossier))
}

/// `ted-support-einstein-20260805T120000Z`.
fn folder_name(first: &str, teds: usize, made: Timestamp) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = first.chars().map(safe).take(60).collect();
    let more = if teds > 1 { format!("-and-{}-more", teds - 1) } else { String::new() };
    format!("ted-support-{name}{more}-{}", made.strftime("%Y%m%dT%H%M%SZ"))
}

/// Writes a file whole or not at all, for its owner only.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    // One that was left behind may have other rights, or be a link to somewhere else.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}
