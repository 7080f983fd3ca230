//! How long a whole migration takes in process, under paused time, with the Rust SDKs as the client.
//!
//! `cargo bench --bench migration`. It prints what it measured and judges nothing.

#![expect(clippy::print_stdout, reason = "a benchmark tells its figures")]
#![expect(
    clippy::disallowed_methods,
    reason = "it is a client of the simulated AWS: it writes, waits, and takes the time"
)]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to tell")]

#[path = "../tests/support/migration.rs"]
mod migration;

use std::time::Instant;
use ted_sim::{Scenario, Sim};

const RUNS: usize = 10;

fn main() {
    let mut took = Vec::new();
    for _ in 0..RUNS {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let started = Instant::now();
            let sim = Sim::start(&Scenario::named("in-place").unwrap(), 1.0).unwrap();
            let outcome = migration::migrate(&sim).await;
            took.push(started.elapsed());
            assert_eq!(outcome.record.as_str(), "SUCCEEDED");
        });
    }
    took.sort();
    println!(
        "a migration in process: median {:?}, worst {:?} of {RUNS}",
        took[RUNS / 2],
        took[RUNS - 1]
    );
}
