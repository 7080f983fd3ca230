//! Disagreements: AWS against the document (`drift/…`), AWS against itself (`sync/…`), and what is merely worth knowing (`info/…`).
//!
//! A finding says both values, where each was read, and what to do. What could not be read is a finding of its own and never a
//! difference. Findings decide nothing; the gates do.

mod drift;
mod events;
mod info;
mod noise;
mod resource;
mod sync;

pub(super) use sync::asked_by;
#[cfg(test)]
mod tests;

use super::facts::Facts;
use super::guides;
use super::parameters::Draft;
use super::types::{Finding, Severity};
use crate::desired::Desired;
use crate::observe::observation::Observation;

/// Everything that disagrees: the worst first, then by code and message.
pub fn findings(
    desired: Option<&Desired>,
    observation: &Observation,
    facts: &Facts<'_>,
    draft: Option<&Draft>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(desired) = desired {
        drift::find(desired, facts, draft, &mut found);
    }
    sync::find(observation, facts, &mut found);
    events::find(observation, &mut found);
    info::find(observation, facts, &mut found);
    resource::find(observation, &mut found);
    for finding in &mut found {
        finding.guide = guides::of_finding(&finding.code).map(str::to_owned);
    }
    found.sort_by(|a, b| (b.severity, &a.code, &a.message).cmp(&(a.severity, &b.code, &b.message)));
    found.dedup();
    found
}

/// Whether a finding makes Ready false: storage that AWS grew, resources changed by hand and news do not (design, "Finding codes").
pub fn makes_unready(finding: &Finding) -> bool {
    !finding.code.starts_with("info/")
        && !matches!(finding.code.as_str(), "sync/storage" | "drift/resource")
}

/// The beginning of a finding.
fn finding(code: &str, severity: Severity, message: impl Into<String>) -> Finding {
    Finding {
        code: code.to_owned(),
        severity,
        message: message.into(),
        desired: None,
        actual: None,
        read_from: String::new(),
        since: None,
        remedy: String::new(),
        guide: None,
    }
}

impl Finding {
    /// What should be and what is.
    #[expect(clippy::needless_pass_by_value, reason = "callers read better with plain values")]
    fn values(mut self, desired: impl ToString, actual: impl ToString) -> Self {
        (self.desired, self.actual) = (Some(desired.to_string()), Some(actual.to_string()));
        self
    }

    /// Only what is.
    #[expect(clippy::needless_pass_by_value, reason = "callers read better with plain values")]
    fn actual(mut self, actual: impl ToString) -> Self {
        self.actual = Some(actual.to_string());
        self
    }

    fn read_from(mut self, places: impl Into<String>) -> Self {
        self.read_from = places.into();
        self
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}
