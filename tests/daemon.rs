//! The daemon and the commands that talk to it, as shipped: the real binary, over HTTP, against the simulated AWS. Everything listens on
//! free ports of loopback, every wait is for a state and has a limit.

#![cfg(feature = "demo")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a helper that cannot do its work fails its test, and metrics are whole numbers"
)]

#[path = "daemon/support.rs"]
mod support;

#[path = "daemon/listener.rs"]
mod listener;

#[path = "daemon/audit.rs"]
mod audit;

#[path = "daemon/acting.rs"]
mod acting;
#[path = "daemon/clients.rs"]
mod clients;
#[path = "daemon/documents.rs"]
mod documents;
#[path = "daemon/git.rs"]
mod git;
#[path = "daemon/life.rs"]
mod life;
#[path = "daemon/looping.rs"]
mod looping;
#[path = "daemon/notifications.rs"]
mod notifications;
#[path = "daemon/once.rs"]
mod once;
#[path = "daemon/trouble.rs"]
mod trouble;
