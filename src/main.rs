//! Entry only: everything is in the library, where tests reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    ted_controller::cli::main()
}
