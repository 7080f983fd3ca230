//! AWS's answers as plain data of our own: what the reader hands out.
//!
//! No type of the SDK leaves `aws/`. Everything can be written to a file and read back, so that a recorded look at a real
//! installation can be replayed. Every status and kind is a string: AWS adds values, and a value that we do not know must
//! be seen as it is. An `Option` is empty where AWS left the member out, which is not the same as an empty string.
//!
//! Secrets stay out by construction: no stack event properties, no template text, no default value of a `NoEcho`
//! parameter, no pending master password.

mod cache;
mod catalog;
mod database;
mod identity;
mod stack;
mod trigger;

pub use cache::*;
pub use catalog::*;
pub use database::*;
pub use identity::*;
pub use stack::*;
pub use trigger::*;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An output of a stack or of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Option<String>,
    /// What the template says about it.
    pub description: Option<String>,
}

/// Something that ElastiCache or RDS noted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEvent {
    /// When.
    pub at: Option<Timestamp>,
    /// The cache or database.
    pub source: Option<String>,
    /// AWS's sentence, on one line.
    pub message: String,
    /// RDS's categories; ElastiCache has none.
    pub categories: Vec<String>,
}
