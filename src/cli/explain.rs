//! `ted-controller explain CODE`: what a finding, gate, reason or cause means, and what to do.

use super::{Format, exit, output};
use crate::assess::codes;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A code, such as `sync/storage`, `one-way`, `Unreadable`
    #[arg(value_name = "CODE", required_unless_present = "all")]
    code: Option<String>,
    /// All of them, as Markdown
    #[arg(long, conflicts_with = "code")]
    all: bool,
    /// How to write the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub(super) fn run(args: &Args) -> ExitCode {
    let Some(code) = &args.code else {
        output::data(codes::reference());
        return ExitCode::SUCCESS;
    };
    let found = codes::explain(code);
    if found.is_empty() {
        let near = codes::similar(code);
        let hint = match near.as_slice() {
            [] => "`ted-controller explain --all` lists all codes".to_owned(),
            near => format!(
                "did you mean {}?",
                near.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(" or ")
            ),
        };
        output::error(
            format_args!("there is no code `{}`", crate::text::sanitize_to(code, 80)),
            Some(&hint),
        );
        return ExitCode::from(exit::ERROR);
    }
    for (place, known) in found.iter().enumerate() {
        match args.output {
            Format::Json => output::line(serde_json::json!({
                "code": known.code, "kind": known.of.heading(), "meaning": known.meaning, "action": known.action,
            })),
            Format::Text => {
                let gap = if place > 0 { "\n" } else { "" };
                output::line(format_args!(
                    "{gap}{} ({})\n\n{}\n\nWhat to do: {}",
                    known.code,
                    known.of.heading().to_lowercase(),
                    known.meaning,
                    known.action
                ));
            }
        }
    }
    ExitCode::SUCCESS
}
