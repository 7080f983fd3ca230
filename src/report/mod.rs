//! What people and machines are told: status with conditions, events, metrics, and text. Decides nothing and asks nobody.
//!
//! Read in this order: `status` has the shapes of the API; `sides` puts document, Service Catalog, CloudFormation and the real
//! resources side by side; `transitions` is the pure part that remembers since when something is so; `memory` keeps that across a
//! restart; `store` is the shared state that the controller writes and everybody else reads; `events` and `metrics` follow from
//! what is written there; [`render`] turns it into text, Markdown, JSON and tables.
//!
//! Time comes in as a value. Foreign text is made safe once, by `clean`, where it enters a [`Status`] or a [`Plan`].

pub mod audit;
mod clean;
pub mod commands;
mod events;
mod memory;
pub mod metrics;
mod plan;
pub mod render;
mod sides;
mod status;
mod store;
pub mod transitions;

pub use events::{Event, EventKind, MAX_EVENTS};
pub(crate) use memory::write_whole;
pub use memory::{Memory, MemoryError, Remembered};
pub use plan::{Plan, PlannedStep, Verdict};
pub use sides::{Cell, CellState, Side, sides};
pub use status::{
    EventsState, Freeze, History, Metadata, Outcome, Progress, SourceCommit, SourceFile,
    SourceReport, Standing, Status, Ted, TedList, TimedCondition, Trouble,
};
pub use store::{Change, Health, Look, Store, Unreadable};
