//! Desired documents: what should be, as people write it. Pure: no files, no clock, no AWS.
//!
//! Read in this order: the types of `document`, `ids`, `version`, `engine` say what a checked document holds; `fields` is
//! the one description of which fields there are; `yaml` reads a file into a tree that remembers places and spellings;
//! `reader` and `parse` make documents of it and say *everything* that is wrong, each with file, line, column, value and
//! what to write instead; `validate` has the rules between fields and between documents; `set` takes files together and
//! keeps the last good state of a broken one in force; `union` takes several such sets together; `render` writes a document again; `schema` tells editors what is
//! allowed; `window` says when maintenance windows are open.
//!
//! Callers: the source hands [`load`] the files it found and [`keep_last_good`] what was in force before. Nothing here
//! ever refuses a document because of what AWS says: that is the assessment's.

#![warn(clippy::wildcard_enum_match_arm)]

mod document;
pub mod duration;
mod engine;
mod fields;
mod ids;
mod parse;
mod problem;
mod reader;
mod render;
mod schema;
mod set;
mod union;
mod validate;
mod version;
pub mod window;
pub mod yaml;

/// What any YAML form of ours is described and read with. The controller's settings use it too, so that their errors say
/// what a document's errors say.
pub(crate) mod form {
    pub(crate) use super::document::not_one_of;
    pub(crate) use super::fields::{
        ACCOUNT, DURATION, Field, Kind, REGION, SUSPEND, WINDOW, field, required, with_default,
    };
    pub(crate) use super::parse::spec::{duration, flag, number, suspend, windows};
    pub(crate) use super::parse::yaml_problem;
    pub(crate) use super::reader::{Fields, Reader};
    pub(crate) use super::window::never_fitting;
}

pub use document::{
    API_VERSION, Approval, AssumedRole, Cache, Desired, Events, KIND, Mode, Policy, Recovery, Role,
    Storage, Suspend, TedSpec,
};
pub use engine::{CacheVersion, Engine};
pub use ids::{
    AccountId, ExternalId, FunctionPrefix, HiveName, Name, NodeType, ParameterKey, ProductRef,
    Region, RoleArn,
};
pub use parse::Defaults;
pub(crate) use parse::to_yaml;
pub use problem::{Complaint, Location, Note, Problem, ProblemKind};
pub use render::SpecDigest;
pub use schema::json_schema;
pub use set::{
    Committed, Entry, File, FileState, InForce, Loaded, Revision, Standing, keep_last_good, load,
    load_at,
};
pub use union::{Union, unite};
pub use version::{Offer, TedVersion, VersionRange, VersionWish};
pub use window::{MaintenanceWindow, MaintenanceWindows, Opening};
