//! Who was denied what, read from AWS's text, in answers and in stack events. Pure. Services leave parts out: every part is optional.

use crate::text::sanitize_to;
use serde::{Deserialize, Serialize};

/// Longest principal, action or resource that is kept: an ARN has at most 2,048 characters, useful ones under 300.
const MAX_PART_CHARS: usize = 512;

/// A denial, as far as AWS explains it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// ARN of the caller.
    pub principal: Option<String>,
    /// The IAM action, such as `rds:DescribeDBInstances`. It can differ from the operation that was called.
    pub action: Option<String>,
    /// ARN of the resource, or `*`; IAM writes some by kind and name: `role turbot-worker`.
    pub resource: Option<String>,
    /// Which kind of policy said no.
    pub by: DeniedBy,
}

/// The kind of policy that denies, in the order in which they are looked for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum DeniedBy {
    /// A service control policy or a resource control policy: only the organisation's administrators can change it.
    ServiceControlPolicy,
    /// A permissions boundary.
    PermissionsBoundary,
    /// The policy given to the session when the role was assumed.
    SessionPolicy,
    /// An explicit deny in some other policy.
    ExplicitDeny,
    /// No identity policy allows it: a grant is missing.
    NoIdentityPolicy,
    /// No resource policy allows it.
    NoResourcePolicy,
    /// AWS does not say.
    #[default]
    Unsaid,
}

/// Kinds that IAM names a resource by, and the same in an ARN. The longer ones first.
const IAM_KINDS: [(&str, &str); 5] = [
    ("instance profile", "instance-profile"),
    ("role", "role"),
    ("policy", "policy"),
    ("user", "user"),
    ("group", "group"),
];

impl Denial {
    /// Reads the text of IAM's user guide ("Troubleshoot access denied error messages"), tolerantly:
    /// `User: P is not authorized to perform: A on resource: R because no identity-based policy allows the A action`.
    pub fn parse(message: &str) -> Self {
        Self {
            principal: word_after(message, "User: "),
            action: action(message),
            resource: resource(message),
            by: denied_by(message),
        }
    }

    /// ARN of the policy that holds the deny, which newer texts give.
    pub fn policy_in(message: &str) -> Option<String> {
        word_after(message, "policy: ").filter(|policy| policy.starts_with("arn:"))
    }

    /// The resource as IAM takes it in a statement: `role X` becomes an ARN of the principal's account.
    pub fn resource_arn(&self) -> Option<String> {
        let resource = self.resource.as_deref()?;
        if resource == "*" || resource.starts_with("arn:") {
            return Some(resource.to_owned());
        }
        let (kind, name) = IAM_KINDS.iter().find_map(|(said, kind)| {
            Some((kind, resource.strip_prefix(said)?.strip_prefix(' ')?))
        })?;
        if name.starts_with("arn:") {
            return Some(name.to_owned());
        }
        let mut parts = self.principal.as_deref()?.split(':');
        let (partition, account) = (parts.nth(1)?, parts.nth(2)?);
        Some(format!("arn:{partition}:iam::{account}:{kind}/{name}"))
    }
}

/// The action, wherever a service puts it: `not authorized to perform: A`; `API: A`, before an encoded message; `An additional
/// permission "A" is required`.
fn action(message: &str) -> Option<String> {
    let leads = ["not authorized to perform: ", "API: ", "additional permission "];
    leads
        .into_iter()
        .filter_map(|lead| word_after(message, lead))
        .find(|action| action.split_once(':').is_some_and(|(service, _)| !service.is_empty()))
}

fn resource(message: &str) -> Option<String> {
    const LEAD: &str = "on resource: ";
    let rest = &message[message.find(LEAD)? + LEAD.len()..];
    for (said, _) in IAM_KINDS {
        let name = rest.strip_prefix(said).and_then(|rest| rest.strip_prefix(' ')).and_then(word);
        if let Some(name) = name {
            return Some(format!("{said} {name}"));
        }
    }
    word(rest)
}

fn word_after(message: &str, lead: &str) -> Option<String> {
    word(&message[message.find(lead)? + lead.len()..])
}

fn word(rest: &str) -> Option<String> {
    let word = rest.split_whitespace().next()?;
    let word = word.trim_end_matches('.');
    let word = word.trim_matches(|c| matches!(c, '"' | '\'' | '`' | ',' | ';'));
    (!word.is_empty()).then(|| sanitize_to(word, MAX_PART_CHARS))
}

fn denied_by(message: &str) -> DeniedBy {
    let text = message.to_ascii_lowercase();
    let says = |phrase: &str| text.contains(phrase);
    if says("service control policy") || says("resource control policy") {
        DeniedBy::ServiceControlPolicy
    } else if says("permissions boundary") {
        DeniedBy::PermissionsBoundary
    } else if says("session policy") {
        DeniedBy::SessionPolicy
    } else if says("explicit deny") {
        DeniedBy::ExplicitDeny
    } else if says("no identity-based policy") {
        DeniedBy::NoIdentityPolicy
    } else if says("no resource-based policy") {
        DeniedBy::NoResourcePolicy
    } else {
        DeniedBy::Unsaid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_that_services_write_a_denial_is_read_as_far_as_it_goes() {
        // Message, principal, action, resource as in a statement, policy kind; the source.
        type Row = (&'static str, [Option<&'static str>; 3], DeniedBy, &'static str);
        let table: &[Row] = &[
            (
                "User: arn:aws:sts::111111111111:assumed-role/adf/AWSCodeBuild-x is not authorized to perform: cloudformation:UpdateTerminationProtection on resource: \
                 arn:aws:cloudformation:eu-west-1:111111111111:stack/adf/x because no identity-based policy allows the cloudformation:UpdateTerminationProtection action",
                [
                    Some("arn:aws:sts::111111111111:assumed-role/adf/AWSCodeBuild-x"),
                    Some("cloudformation:UpdateTerminationProtection"),
                    Some("arn:aws:cloudformation:eu-west-1:111111111111:stack/adf/x"),
                ],
                DeniedBy::NoIdentityPolicy,
                "https://github.com/awslabs/aws-deployment-framework/pull/511",
            ),
            (
                "API: iam:CreateRole User: arn:aws:sts::111122223333:assumed-role/r/j is not authorized to perform: iam:CreateRole on resource: \
                 arn:aws:iam::111122223333:role/limitmonitor-LimitMonitorRole-1M8F with an explicit deny",
                [
                    Some("arn:aws:sts::111122223333:assumed-role/r/j"),
                    Some("iam:CreateRole"),
                    Some("arn:aws:iam::111122223333:role/limitmonitor-LimitMonitorRole-1M8F"),
                ],
                DeniedBy::ExplicitDeny,
                "https://github.com/aws-solutions/quota-monitor-for-aws/issues/86",
            ),
            (
                "Resource handler returned message: \"User: arn:aws-us-gov:sts::111122223333:assumed-role/r/u is not authorized to perform: iam:DeleteRole on resource: \
                 role idp-DOCUMENTKB--DataSourceSchedulerRole-x with an explicit deny in a session policy (Service: Iam, Status Code: 403) (HandlerErrorCode: AccessDenied)\"",
                [
                    Some("arn:aws-us-gov:sts::111122223333:assumed-role/r/u"),
                    Some("iam:DeleteRole"),
                    Some(
                        "arn:aws-us-gov:iam::111122223333:role/idp-DOCUMENTKB--DataSourceSchedulerRole-x",
                    ),
                ],
                DeniedBy::SessionPolicy,
                "https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/issues/315",
            ),
            (
                "API: iam:UpdateRole User: arn:aws:sts::011571571136:assumed-role/sandbox-service-operator/1581603874295411240 is not authorized to perform: iam:UpdateRole \
                 on resource: role svcop-sandbox-sandbox-main-testsvcacc",
                [
                    Some(
                        "arn:aws:sts::011571571136:assumed-role/sandbox-service-operator/1581603874295411240",
                    ),
                    Some("iam:UpdateRole"),
                    Some("arn:aws:iam::011571571136:role/svcop-sandbox-sandbox-main-testsvcacc"),
                ],
                DeniedBy::Unsaid,
                "https://github.com/alphagov/gsp/pull/990",
            ),
            (
                "API: ec2:deleteTags You are not authorized to perform this operation. Encoded authorization failure message: ab12",
                [None, Some("ec2:deleteTags"), None],
                DeniedBy::Unsaid,
                "https://github.com/convox/rack/issues/2142",
            ),
            (
                "User with accountId: 111111111111 is not authorized to perform CreateLogGroup with Tags. An additional permission \"logs:TagResource\" is required. \
                 (Service: CloudWatchLogs, Status Code: 400)",
                [None, Some("logs:TagResource"), None],
                DeniedBy::Unsaid,
                "https://github.com/DataDog/cloudformation-template/pull/61",
            ),
            (
                "S3 error: Access Denied For more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
                [None, None, None],
                DeniedBy::Unsaid,
                "https://github.com/awslabs/sagemaker-explaining-credit-decisions/issues/1",
            ),
            (
                "User: arn:aws:iam::111122223333:user/x is not authorized to perform: rds:ModifyDBInstance with an explicit deny in a service control policy: \
                 arn:aws:organizations::1:policy/o-1/service_control_policy/p-1",
                [Some("arn:aws:iam::111122223333:user/x"), Some("rds:ModifyDBInstance"), None],
                DeniedBy::ServiceControlPolicy,
                "IAM user guide, access denied error messages",
            ),
        ];
        for (message, parts, by, source) in table {
            let found = Denial::parse(message);
            let wanted = parts.map(|part| part.map(str::to_owned));
            assert_eq!(
                [found.principal.clone(), found.action.clone(), found.resource_arn()],
                wanted,
                "{source}"
            );
            assert_eq!(found.by, *by, "{source}");
        }
        let policy = Denial::policy_in(table.last().unwrap().0);
        assert_eq!(
            policy.as_deref(),
            Some("arn:aws:organizations::1:policy/o-1/service_control_policy/p-1")
        );
        assert_eq!(Denial::policy_in(table[0].0), None);
    }

    #[test]
    fn a_resource_that_is_no_arn_and_of_no_known_kind_makes_none() {
        let denial = Denial::parse("not authorized to perform: x:Y on resource: something odd");
        assert_eq!(denial.resource.as_deref(), Some("something"));
        assert_eq!(denial.resource_arn(), None);
        assert_eq!(Denial::parse(""), Denial::default());
    }
}
