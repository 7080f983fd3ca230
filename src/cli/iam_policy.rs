//! `ted-controller iam-policy`: the rights the controller needs, as an IAM policy document.
//!
//! Offline: the policy comes from the table of operations, so it is what this version calls.

use super::output;
use crate::aws::policy::{PolicyKind, policy};
use clap::{Args, ValueEnum};
use std::process::ExitCode;

/// Flags of `iam-policy`.
#[derive(Args, Clone, Debug)]
pub(super) struct IamPolicy {
    /// Only what observing needs: the policy for `run --mode observe`, `plan` and `adopt`
    #[arg(long, conflicts_with = "no_launch_role")]
    observe: bool,
    /// Also what an update needs when the product has no launch constraint
    #[arg(long)]
    no_launch_role: bool,
    /// Also what features that are off by default, and fallbacks, need
    #[arg(long)]
    with_optional: bool,
    /// The AWS partition
    #[arg(long, value_enum, default_value_t = Partition::Aws)]
    partition: Partition,
}

/// A set of AWS regions with ARNs of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Partition {
    /// The commercial regions
    #[default]
    Aws,
    /// China
    AwsCn,
    /// GovCloud
    AwsUsGov,
}

impl Partition {
    fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
        }
    }
}

/// Prints the policy as data, and what it cannot say as notes.
pub(super) fn run(args: &IamPolicy) -> ExitCode {
    output::data(args.document());
    for note in args.notes() {
        output::note(note);
    }
    ExitCode::SUCCESS
}

impl IamPolicy {
    /// What goes to standard output: the policy document, ending in a newline.
    fn document(&self) -> String {
        let kind = PolicyKind {
            apply: !self.observe,
            no_launch_role: self.no_launch_role,
            optional: self.with_optional,
        };
        format!("{:#}\n", policy(kind, self.partition.name()))
    }

    /// What goes to standard error: what the policy cannot say.
    fn notes(&self) -> Vec<&'static str> {
        let mut notes = vec![
            "the principal must also be associated with the portfolio: IAM alone gives no launch path",
            "for documents with `roleArn` this belongs to that role; the controller itself then needs `sts:AssumeRole` on it",
        ];
        if self.no_launch_role {
            notes.push(
                "without a launch role an update also needs the rights that the template's resources need (RDS, \
                 ElastiCache, IAM, …); derive them from CloudTrail, or better: add a launch constraint",
            );
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags() -> IamPolicy {
        IamPolicy {
            observe: false,
            no_launch_role: false,
            with_optional: false,
            partition: Partition::Aws,
        }
    }

    #[test]
    fn the_document_is_json_that_names_the_partition() {
        let text = IamPolicy { partition: Partition::AwsCn, ..flags() }.document();
        assert!(text.ends_with("}\n"));
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["Version"], "2012-10-17");
        assert!(text.contains("arn:aws-cn:cloudformation"));
    }

    #[test]
    fn observe_leaves_the_writes_out() {
        assert!(flags().document().contains("servicecatalog:UpdateProvisionedProduct"));
        assert!(
            !IamPolicy { observe: true, ..flags() }.document().contains("UpdateProvisionedProduct")
        );
    }

    #[test]
    fn what_a_policy_cannot_grant_is_said() {
        assert!(flags().notes().iter().any(|note| note.contains("portfolio")));
        assert!(flags().notes().iter().any(|note| note.contains("sts:AssumeRole")));
        assert!(
            IamPolicy { no_launch_role: true, ..flags() }
                .notes()
                .iter()
                .any(|note| note.contains("CloudTrail"))
        );
    }
}
