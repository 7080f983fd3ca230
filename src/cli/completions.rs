//! `ted-controller completions SHELL`: a script for the shell's completion.

use super::Cli;
use clap::CommandFactory as _;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &Args) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ted-controller", &mut script);
    super::output::data(String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}
