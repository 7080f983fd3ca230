//! `ted-controller explain CODE`: what a finding, gate, reason or cause means, and what to do.

use super::{Format, exit, output, terminal};
use crate::assess::codes::{self, Explanation};
use crate::report::render;
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
        let hint = match codes::similar(code).as_slice() {
            [] => "`ted-controller explain --all` lists all codes".to_owned(),
            [one] => format!("did you mean `{one}`?"),
            [most @ .., last] => {
                let most: Vec<String> = most.iter().map(|code| format!("`{code}`")).collect();
                format!("did you mean {} or `{last}`?", most.join(", "))
            }
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
                output::data(format_args!("{gap}{}", text(known)));
            }
        }
    }
    ExitCode::SUCCESS
}

/// A code as people read it, no wider than the terminal.
fn text(known: &Explanation) -> String {
    let (paint, columns) = (terminal::paint(), terminal::columns());
    let head = format!("{}  {}", paint.bold(known.code), paint.dim(known.of.word()));
    let meaning = render::paragraph("  ", known.meaning, columns, str::to_owned);
    let action = render::paragraph("→ ", known.action, columns, |line| paint.remedy(line));
    format!("{head}\n\n{meaning}\n{action}")
}
