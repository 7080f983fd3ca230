//! The command line: one file a command. All terminal output is here; data goes to standard output, everything else to standard error.

mod adopt;
mod client;
mod completions;
#[cfg(feature = "demo")]
mod demo;
mod diagnose;
mod doctor;
mod explain;
mod freeze;
mod iam_policy;
mod known;
mod output;
mod plan;
mod reconcile;
mod resume_events;
mod run;
mod schema;
mod signals;
#[cfg(feature = "demo")]
mod sim;
mod status;
mod support_bundle;
mod terminal;
mod validate;
mod what;

use clap::{Parser, Subcommand, ValueEnum};
use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Reconciles Turbot Guardrails Enterprise Database (TED) provisioned products toward a desired document.
#[derive(Debug, Parser)]
#[command(
    name = "ted-controller",
    version,
    about,
    after_help = "Exit codes: 0 done or in sync; 1 error; 2 differs or waiting; 3 a person is needed; 64 wrong usage",
    propagate_version = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep TEDs as their documents say, or only look: the daemon
    Run(run::Args),
    /// Say how the TEDs of a running daemon stand
    Status(status::Args),
    /// Have a running daemon look at a TED now
    Reconcile(reconcile::Args),
    /// Have a running daemon start nothing, or let it start things again
    Freeze(freeze::Args),
    /// Look and say what differs, what is wrong, and what would be done; change nothing
    Plan(plan::Args),
    /// Write desired documents that match what is deployed
    Adopt(adopt::Args),
    /// Say what is missing before the controller can work, and how to get it
    Doctor(doctor::Args),
    /// Explain the last failure of an update
    Diagnose(diagnose::Args),
    /// Give events back by hand: enable the triggers that are paused for a TED
    ResumeEvents(resume_events::Args),
    /// Write all that a support ticket needs, without secrets, into one archive
    SupportBundle(support_bundle::Args),
    /// Say what a code means and what to do about it
    Explain(explain::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Print the rights that the controller needs, as an IAM policy
    IamPolicy(iam_policy::IamPolicy),
    /// Check desired documents, offline: exit code 0 when all are valid, 1 when not
    Validate(validate::Args),
    /// Print the JSON Schema of desired documents
    Schema,
    /// Show a whole migration in a simulated AWS, in half a minute
    #[cfg(feature = "demo")]
    Demo(demo::Args),
    /// Run a local AWS with a simulated TED installation
    #[cfg(feature = "demo")]
    Sim(sim::Args),
}

/// How output is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// How the process ends.
mod exit {
    /// Something went wrong.
    pub(super) const ERROR: u8 = 1;
    /// Something differs, or time will heal it.
    pub(super) const DIFFERS: u8 = 2;
    /// Nothing goes on before a person did something.
    pub(super) const NEEDS_PERSON: u8 = 3;
    /// The command line is wrong (`EX_USAGE` of BSD's sysexits).
    pub(super) const USAGE: u8 = 64;
}

/// Why a command could not do its work, as people see it.
#[derive(Debug)]
struct Failure {
    /// The error and its causes, on one line.
    message: String,
    /// What to do next.
    hint: Option<String>,
}

impl Failure {
    fn new(error: &dyn Error, hint: Option<String>) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let _ = write!(message, ": {error}");
            cause = error.source();
        }
        Self { message, hint }
    }
}

/// Runs the command that the arguments ask for, and says how the process ends.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(exit::USAGE)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let outcome: Result<ExitCode, Failure> = match cli.command {
        Command::Run(args) => run::run(args),
        Command::Status(args) => wait(status::run(&args)),
        Command::Reconcile(args) => wait(reconcile::run(&args)),
        Command::Freeze(args) => wait(freeze::run(&args)),
        Command::Plan(args) => wait(plan::run(&args)),
        Command::Adopt(args) => wait(adopt::run(&args)),
        Command::Doctor(args) => wait(doctor::run(&args)),
        Command::Diagnose(args) => wait(diagnose::run(&args)),
        Command::ResumeEvents(args) => wait(resume_events::run(&args)),
        Command::SupportBundle(args) => wait(support_bundle::run(&args)),
        Command::Explain(args) => Ok(explain::run(&args)),
        Command::Completions(args) => Ok(completions::run(&args)),
        Command::IamPolicy(args) => Ok(iam_policy::run(&args)),
        Command::Validate(args) => validate::run(&args),
        Command::Schema => Ok(schema::run()),
        #[cfg(feature = "demo")]
        Command::Demo(args) => wait(demo::run(args)),
        #[cfg(feature = "demo")]
        Command::Sim(args) => sim::run(&args),
    };
    outcome.unwrap_or_else(|failure| {
        output::error(&failure.message, failure.hint.as_deref());
        ExitCode::from(exit::ERROR)
    })
}

/// Runs a command that waits for AWS or a daemon.
fn wait(command: impl Future<Output = Result<ExitCode, Failure>>) -> Result<ExitCode, Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime
        .map_err(|error| Failure { message: format!("cannot start: {error}"), hint: None })?;
    runtime.block_on(command)
}

#[cfg(test)]
mod tests;
