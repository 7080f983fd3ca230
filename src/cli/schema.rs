//! `ted-controller schema`: the JSON Schema of desired documents, for editors.

use super::output;
use crate::desired;
use std::process::ExitCode;

pub(super) fn run() -> ExitCode {
    output::data(desired::json_schema());
    ExitCode::SUCCESS
}
