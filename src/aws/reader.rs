//! Everything we ask AWS. A reader changes nothing: it is all that `observe` gets.
//!
//! One file a service. Methods are named after what they answer, each lists all pages, and each returns types of our own
//! (`aws::types`). Where "it does not exist" is an answer, it is `Ok(None)`; Service Catalog's "does not exist or access
//! was denied" stays an error, since it proves nothing.

mod cache;
mod catalog;
mod database;
mod identity;
mod stack;
mod stack_events;
mod trigger;

pub use cache::CacheEventSource;
pub(super) use catalog::record_of;
pub use catalog::{ProductRef, ProductSearch};
pub use stack_events::OperationEventsOf;

use super::call::Caller;
use super::session::Clients;
use std::sync::Arc;

/// Reads one account and region, as one principal. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    clients: Arc<Clients>,
    caller: Caller,
}

impl Reader {
    pub(super) fn new(clients: Arc<Clients>, caller: Caller) -> Self {
        Self { clients, caller }
    }
}
