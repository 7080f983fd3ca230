//! The command line: one file a command. All terminal output is here; data goes to standard output, everything else to standard error.

mod iam_policy;
mod output;
mod schema;
#[cfg(feature = "demo")]
mod sim;
mod validate;

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
    propagate_version = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the rights that the controller needs, as an IAM policy
    IamPolicy(iam_policy::IamPolicy),
    /// Check desired documents, offline: exit code 0 when all are valid, 1 when not
    Validate(validate::Args),
    /// Print the JSON Schema of desired documents
    Schema,
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

/// How the process ends. 2 (differs) and 3 (a person is needed) belong to commands that look at TEDs.
mod exit {
    /// Something went wrong.
    pub(super) const ERROR: u8 = 1;
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
        Command::IamPolicy(args) => Ok(iam_policy::run(&args)),
        Command::Validate(args) => validate::run(&args),
        Command::Schema => Ok(schema::run()),
        #[cfg(feature = "demo")]
        Command::Sim(args) => sim::run(&args),
    };
    outcome.unwrap_or_else(|failure| {
        output::error(&failure.message, failure.hint.as_deref());
        ExitCode::from(exit::ERROR)
    })
}
