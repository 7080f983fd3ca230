//! The HTTP server as clients meet it: a real listener, a real HTTP client, raw bytes where a client would not send them, and TEDs as
//! the controller's own eyes found them in the simulated AWS.

#![cfg(feature = "demo")]
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its work fails its test")]
#![expect(clippy::panic, reason = "a helper that cannot do its work fails its test")]

mod client;
mod docs;
mod fleet;
mod limits;
#[path = "../support/look.rs"]
mod look;
mod orders;
mod page;
mod reads;
mod refusals;
mod server;
mod stream;
