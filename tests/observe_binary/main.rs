//! The read-only half as shipped: the built binary against the simulated AWS over HTTP.
//!
//! Every run in here is made by a user who has the observe policy and nothing else, and every world, when it is over, is asked whether
//! that user called anything that writes. [`harness`] sees to both.

#![cfg(feature = "demo")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that cannot do its work fails its test"
)]

mod alike;
mod bad_input;
mod bad_wire;
mod denials;
mod findings;
#[path = "../support/golden.rs"]
mod golden;
mod harness;
mod hostile;
mod operator;
mod policy;
mod tickets;
