//! A local AWS that hosts Turbot Guardrails Enterprise Database (TED) installations.

mod catalog;
mod connector;
mod control;
pub mod error;
pub mod faults;
pub mod front;
pub mod node;
pub mod options;
pub mod rng;
pub mod scenario;
pub mod server;
mod services;
mod setup;
pub mod spec;
pub mod spec_file;
pub mod time;
mod wire;
pub mod world;

pub use front::{Delivery, Sim};
pub use scenario::Scenario;
pub use server::Server;
