//! Status and plans as text, Markdown, JSON, YAML and tables. Everything rendered here went through `report::clean` before, or came
//! from a daemon that did that; what tables, Markdown and terminals need on top is done here.

mod diagnosis;
mod follow;
mod layout;
mod markdown;
mod paint;
mod plan;
mod status;
mod ted;
mod told;

pub use diagnosis::diagnosis;
pub use follow::Follow;
pub use layout::{age, paragraph};
pub use markdown::markdown;
pub use paint::Paint;
pub use plan::plan;
pub use status::{frozen, status_table, status_wide};
pub use ted::{Extent, ted};

use super::Plan;
use serde::Serialize;

/// How wide text is when nobody says.
pub const DEFAULT_WIDTH: usize = 100;

/// Plans as JSON: `{"items": […]}`, two blanks a level, keys always in the same order.
pub fn plans_json(plans: &[Plan]) -> String {
    json(&serde_json::json!({ "items": plans }))
}

/// Anything of ours as JSON with a newline at its end. Keys are sorted, so that two of the same are the same text.
pub fn json(value: &impl Serialize) -> String {
    // Through a tree, whose maps are sorted. What is rendered here has text keys only, so neither step fails.
    let tree = serde_json::to_value(value).unwrap_or_default();
    let mut text = serde_json::to_string_pretty(&tree).unwrap_or_default();
    text.push('\n');
    text
}

/// Anything of ours as YAML, quoted so that no reader mistakes a text for something else.
pub fn yaml(value: &impl Serialize) -> String {
    let tree = serde_json::to_value(value).unwrap_or_default();
    crate::desired::to_yaml(&tree)
}

#[cfg(test)]
mod tests;
