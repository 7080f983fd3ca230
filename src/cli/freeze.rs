//! `ted-controller freeze on|off`: a running daemon starts nothing any more, or may again. It gives events back in any case.

use super::client::ServerArgs;
use super::{Failure, exit, output};
use crate::report::{Freeze, render};
use serde_json::json;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Whether nothing may start
    #[arg(value_enum, value_name = "on|off")]
    state: State,
    /// Why, for those who see it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum State {
    /// Nothing starts
    On,
    /// Things may start again
    Off,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    if args.state == State::Off && args.reason.is_some() {
        output::error("`--reason` is for `freeze on`", None);
        return Ok(ExitCode::from(exit::USAGE));
    }
    let daemon = args.server.daemon()?;
    let order = json!({"frozen": args.state == State::On, "reason": args.reason});
    let freeze: Freeze = daemon.order("/api/v1/freeze", &order).await?;
    output::line(said(&freeze));
    if args.state == State::Off && freeze.frozen {
        return Err(Failure {
            message: "it is the controller's settings that let nothing start".to_owned(),
            hint: Some("change `frozen` there, and start it again".to_owned()),
        });
    }
    Ok(ExitCode::SUCCESS)
}

/// `Frozen since 2026-07-01 12:00:05 UTC: change freeze. Nothing starts; events are still given back.`
fn said(freeze: &Freeze) -> String {
    if freeze.frozen {
        render::frozen(freeze)
    } else {
        "Not frozen: what is due may start.".to_owned()
    }
}
