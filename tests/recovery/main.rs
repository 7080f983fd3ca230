//! What becomes of updates that failed, by the real loop against the simulated AWS in process, under virtual time: every row of the
//! guides' troubleshooting table is found, named, and recovered or left to a person for the right reason. Events are never lost, and
//! updates are counted.

#![cfg(feature = "demo")]

#[path = "../support/look.rs"]
mod look;

#[path = "../support/daemon.rs"]
mod daemon;

mod binary;
mod failed;
mod left_to_a_person;
mod rollback;
mod story;
