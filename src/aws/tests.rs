//! The reader and the writer against canned answers, in process: the three protocols, paging, time, attempts.

pub(super) mod canned;
mod reads;
mod writes;
