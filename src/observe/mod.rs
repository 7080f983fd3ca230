//! What is: AWS's answers, taken together as an observation.

pub mod observation;
pub mod story;
