//! AWS: the only place that names an `aws_sdk` crate.
//!
//! [`Sessions`] gives a [`Session`] for each role and region; a session hands out a [`Reader`] (changes nothing; all that
//! `observe` gets), a [`Detector`] (drift detection) and a [`Writer`] (for `act` only). No call here terminates or deletes
//! anything. Errors are classified once ([`Error`]); requests are counted and kept within a budget; the table of
//! operations ([`table`]) is what policies are made from.
//!
//! Read next: [`session`], then [`reader`].

pub mod budget;
mod call;
mod convert;
pub mod detector;
pub mod errors;
pub mod policy;
pub mod reader;
pub mod session;
pub mod table;
pub mod types;
pub mod writer;

#[cfg(test)]
mod tests;

pub use call::RetryPolicy;
pub use detector::Detector;
pub use errors::{Class, Denial, DeniedBy, Error, Kind};
pub use reader::Reader;
pub use session::{Role, RolePattern, Session, SessionError, Sessions, SessionsOptions, Target};
pub use table::Service;
pub use writer::{IdempotencyToken, Outcome, ParameterValue, PathRef, UpdateRequest, Writer};
