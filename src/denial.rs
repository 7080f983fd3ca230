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
    /// ARN of the resource, or `*`.
    pub resource: Option<String>,
    /// Which kind of policy said no.
    pub by: DeniedBy,
}

/// The kind of policy that denies, in the order in which they are looked for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum DeniedBy {
    /// A service control policy: only the organisation's administrators can change it.
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

impl Denial {
    /// Reads the text of IAM's user guide ("Troubleshoot access denied error messages"), tolerantly:
    /// `User: P is not authorized to perform: A on resource: R because no identity-based policy allows the A action`.
    pub fn parse(message: &str) -> Self {
        Self {
            principal: word_after(message, "User: "),
            action: word_after(message, "not authorized to perform: "),
            resource: word_after(message, "on resource: "),
            by: denied_by(message),
        }
    }
}

fn word_after(message: &str, lead: &str) -> Option<String> {
    let rest = &message[message.find(lead)? + lead.len()..];
    let word = rest.split_whitespace().next()?;
    let word = word.trim_end_matches('.');
    let word = word.trim_matches(|c| matches!(c, '"' | '\'' | '`' | ',' | ';'));
    (!word.is_empty()).then(|| sanitize_to(word, MAX_PART_CHARS))
}

fn denied_by(message: &str) -> DeniedBy {
    let text = message.to_ascii_lowercase();
    let says = |phrase: &str| text.contains(phrase);
    if says("service control policy") {
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
