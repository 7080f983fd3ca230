//! The git source against real repositories: read in place, over HTTP from `git http-backend`, and over SSH from `sshd`.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a call that fails fails the test; figures and reasons to skip are printed"
)]

mod faults;
mod files;
mod http;
mod measures;
mod place;
mod repository;
mod server;
mod ssh;
mod sshd;
mod support;
