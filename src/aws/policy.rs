//! IAM policies, generated from the table of operations. Pure and deterministic.

use super::table::{Holder, Need, OPERATIONS, Resource, Service};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The most characters, blanks not counted, that IAM takes in a managed policy (IAM user guide, quotas).
pub const MAX_POLICY_CHARS: usize = 6_144;

/// What a policy is to allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyKind {
    /// Changes as well; else reads only.
    pub apply: bool,
    /// The CloudFormation rights that an update needs when the product launches without a role. Only with `apply`.
    pub no_launch_role: bool,
    /// Also what is used only by features that are off by default, or as a fallback.
    pub optional: bool,
}

/// Actions that CloudFormation checks against the caller when Service Catalog has no launch role to assume.
///
/// What the template's own resources need comes on top and cannot be known here: it has to be derived from CloudTrail.
/// The exact set is not documented (Service Catalog administrator guide, launch constraints, says only that the
/// end user's credentials are used).
const WITHOUT_LAUNCH_ROLE: &[&str] = &[
    "cloudformation:CreateChangeSet",
    "cloudformation:DescribeChangeSet",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:SetStackPolicy",
    "cloudformation:UpdateStack",
];

/// As [`WITHOUT_LAUNCH_ROLE`], for actions that know no stack.
const WITHOUT_LAUNCH_ROLE_ANYWHERE: &[&str] = &["cloudformation:ValidateTemplate", "s3:GetObject"];

/// The policy document. Statements are in the order of the services, actions sorted.
pub fn policy(kind: PolicyKind, partition: &str) -> Value {
    // Ordered by (why, service, resource), which is also the order a reader wants: reading first.
    let mut groups: BTreeMap<(Holder, Service, Resource), BTreeSet<String>> = BTreeMap::new();
    for operation in OPERATIONS {
        let wanted = match operation.need {
            Need::Always => true,
            Need::Acting => kind.apply,
            Need::Optional => kind.optional,
            Need::NoGrant | Need::Spare => false,
        };
        if !wanted || (operation.holder == Holder::Writer && !kind.apply) {
            continue;
        }
        let group = |resource| (operation.holder, operation.service, resource);
        groups.entry(group(operation.resource)).or_default().insert(operation.action());
        for action in operation.also {
            // BatchDescribeTypeConfigurations is granted on types, not on stacks.
            let resource = if action.contains("Type") { Resource::Any } else { operation.resource };
            groups.entry(group(resource)).or_default().insert((*action).to_owned());
        }
    }
    let mut statements: Vec<Value> = groups
        .into_iter()
        .map(|((holder, service, resource), actions)| {
            statement(&sid(holder, service, resource), &actions, &resource.pattern(partition))
        })
        .collect();
    if kind.apply && kind.no_launch_role {
        let actions = |list: &[&str]| list.iter().map(|&action| action.to_owned()).collect();
        let stacks = Resource::CatalogStack.pattern(partition);
        statements.push(statement(
            "UpdateWithoutLaunchRole",
            &actions(WITHOUT_LAUNCH_ROLE),
            &stacks,
        ));
        statements.push(statement(
            "TemplateWithoutLaunchRole",
            &actions(WITHOUT_LAUNCH_ROLE_ANYWHERE),
            "*",
        ));
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// The IAM actions that change something, by what they are granted on; both in order. What `doctor` asks IAM's simulation about.
pub fn write_actions() -> BTreeMap<Resource, BTreeSet<String>> {
    let mut actions: BTreeMap<Resource, BTreeSet<String>> = BTreeMap::new();
    for operation in OPERATIONS.iter().filter(|operation| operation.holder == Holder::Writer) {
        actions.entry(operation.resource).or_default().insert(operation.action());
    }
    actions
}

fn statement(sid: &str, actions: &BTreeSet<String>, resource: &str) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource})
}

/// Letters and digits only: IAM allows nothing else.
fn sid(holder: Holder, service: Service, resource: Resource) -> String {
    let verb = match holder {
        Holder::Reader => "Read",
        Holder::Detector => "Detect",
        Holder::Writer => "Write",
    };
    let service = service.to_string().replace(' ', "");
    let what = match resource {
        Resource::Any => "",
        Resource::Product => "Product",
        Resource::CatalogStack => "Stack",
        Resource::Mapping => "Trigger",
    };
    format!("{verb}{service}{what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBSERVE: PolicyKind = PolicyKind { apply: false, no_launch_role: false, optional: false };
    const APPLY: PolicyKind = PolicyKind { apply: true, ..OBSERVE };

    fn actions(policy: &Value) -> BTreeSet<String> {
        let statements = policy["Statement"].as_array().unwrap();
        statements
            .iter()
            .flat_map(|statement| statement["Action"].as_array().unwrap())
            .map(|action| action.as_str().unwrap().to_owned())
            .collect()
    }

    fn all_kinds() -> impl Iterator<Item = PolicyKind> {
        (0..8).map(|bits| PolicyKind {
            apply: bits & 1 > 0,
            no_launch_role: bits & 2 > 0,
            optional: bits & 4 > 0,
        })
    }

    #[test]
    fn observing_is_allowed_to_read_and_nothing_else() {
        for action in actions(&policy(OBSERVE, "aws")) {
            let name = action.split(':').nth(1).unwrap();
            assert!(
                ["Describe", "List", "Get", "Search"].iter().any(|verb| name.starts_with(verb)),
                "{action}"
            );
            assert_ne!(action, "cloudformation:GetTemplate", "it shows secrets");
        }
    }

    #[test]
    fn applying_adds_four_changes_and_the_read_before_them() {
        let (observe, apply) = (actions(&policy(OBSERVE, "aws")), actions(&policy(APPLY, "aws")));
        assert!(observe.is_subset(&apply));
        let added: Vec<_> = apply.difference(&observe).map(String::as_str).collect();
        assert_eq!(
            added,
            [
                "cloudformation:ContinueUpdateRollback",
                "lambda:GetEventSourceMapping",
                "lambda:TagResource",
                "lambda:UpdateEventSourceMapping",
                "servicecatalog:UpdateProvisionedProduct",
            ]
        );
    }

    #[test]
    fn what_nothing_asks_for_is_granted_by_no_policy() {
        let spare = OPERATIONS.iter().filter(|operation| operation.need == Need::Spare);
        let spare: BTreeSet<String> = spare.map(super::super::table::Operation::action).collect();
        // `rds:DescribeEvents` and `elasticache:DescribeEvents` share a name, not an action.
        for kind in all_kinds() {
            let granted = actions(&policy(kind, "aws"));
            assert!(granted.is_disjoint(&spare), "{kind:?}");
        }
    }

    #[test]
    fn no_policy_allows_a_deletion() {
        for kind in all_kinds() {
            for action in actions(&policy(kind, "aws")) {
                assert!(
                    !action.contains("Delete")
                        && !action.contains("Terminate")
                        && !action.contains('*'),
                    "{action}"
                );
            }
        }
    }

    #[test]
    fn rights_without_a_launch_role_come_only_with_apply() {
        let observe = policy(PolicyKind { no_launch_role: true, ..OBSERVE }, "aws");
        assert_eq!(observe, policy(OBSERVE, "aws"));
        assert!(
            actions(&policy(PolicyKind { no_launch_role: true, ..APPLY }, "aws"))
                .contains("cloudformation:UpdateStack")
        );
    }

    #[test]
    fn every_policy_is_one_that_iam_takes() {
        for kind in all_kinds() {
            let document = policy(kind, "aws-us-gov");
            let size = document.to_string().chars().filter(|c| !c.is_whitespace()).count();
            assert!(size < MAX_POLICY_CHARS, "{kind:?} has {size} characters");
            let mut sids = BTreeSet::new();
            for statement in document["Statement"].as_array().unwrap() {
                let sid = statement["Sid"].as_str().unwrap();
                assert!(sid.chars().all(|c| c.is_ascii_alphanumeric()), "{sid}");
                assert!(sids.insert(sid.to_owned()), "{sid} twice");
                let resource = statement["Resource"].as_str().unwrap();
                assert!(resource == "*" || resource.starts_with("arn:aws-us-gov:"), "{resource}");
                assert!(!statement["Action"].as_array().unwrap().is_empty());
            }
            assert_eq!(document, policy(kind, "aws-us-gov"), "deterministic");
        }
    }

    #[test]
    fn product_actions_name_products_by_their_own_arn() {
        let document = policy(OBSERVE, "aws");
        let statements = document["Statement"].as_array().unwrap();
        let products = statements.iter().find(|s| s["Sid"] == "ReadServiceCatalogProduct").unwrap();
        assert_eq!(
            products["Resource"], "arn:aws:catalog:*:*:product/*",
            "the service part is `catalog`"
        );
    }
}
