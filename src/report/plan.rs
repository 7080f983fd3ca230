//! What `plan` tells about one TED: the verdict, with the four sides it comes from.

use super::clean;
use super::sides::Side;
use crate::assess::types::{
    Actual, Assessment, Condition, Finding, Gate, ParameterChange, Phase, StepKind,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A verdict on one TED with where and when it was reached. Its texts are safe to print.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The TED's name, or the provisioned product's when there is no document.
    pub name: String,
    /// The provisioned product.
    pub provisioned_product: String,
    /// The document's revision; absent when there is no document.
    pub revision: Option<String>,
    /// AWS's time of the look.
    pub observed_at: Timestamp,
    /// Document, Service Catalog, CloudFormation and the real resources side by side.
    pub sides: Vec<Side>,
    /// What is wrong and what would be done.
    #[serde(flatten)]
    pub verdict: Verdict,
}

impl Plan {
    /// What an assessment says, made safe to print.
    pub fn new(
        name: impl AsRef<str>,
        provisioned_product: impl AsRef<str>,
        revision: Option<&str>,
        observed_at: Timestamp,
        sides: &[Side],
        assessment: &Assessment,
    ) -> Self {
        Self {
            name: clean::word(name.as_ref()),
            provisioned_product: clean::word(provisioned_product.as_ref()),
            revision: revision.map(clean::word),
            observed_at,
            sides: clean::sides(sides),
            verdict: clean::verdict(assessment),
        }
    }

    /// Whether the TED is not as its document says, something would be done, or nobody can tell: what `plan --detailed-exitcode` asks.
    /// Nothing but "in sync" passes for that: a product that is not there has neither findings nor a plan.
    pub fn differs(&self) -> bool {
        use crate::assess::types::{ConditionStatus, ConditionType, Severity};
        let ready = self.verdict.conditions.iter().any(|condition| {
            condition.kind == ConditionType::Ready && condition.status == ConditionStatus::True
        });
        !ready
            || !self.verdict.plan.is_empty()
            || self.verdict.findings.iter().any(|finding| match finding.severity {
                Severity::Info => false,
                Severity::Warning | Severity::Critical => true,
            })
    }
}

/// An assessment as it is shown: without the orders of its steps, and with texts that are safe to print.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// A word for a table column.
    pub phase: Phase,
    /// All six.
    pub conditions: Vec<Condition>,
    /// What runs.
    pub actual: Actual,
    /// What disagrees.
    pub findings: Vec<Finding>,
    /// What must hold before anything starts.
    pub gates: Vec<Gate>,
    /// What would be done, in order.
    pub plan: Vec<PlannedStep>,
    /// What an update would do to parameters.
    pub parameters: Vec<ParameterChange>,
    /// Approvals that nothing asks for, and the like.
    pub notes: Vec<String>,
}

/// A step as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStep {
    /// What kind of step.
    pub step: StepKind,
    /// What it does, in one sentence.
    pub summary: String,
}
