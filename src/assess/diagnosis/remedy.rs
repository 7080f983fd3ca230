//! What to do about a failure, and who would have to be allowed what.

use super::{Cause, Failure};
use crate::denial::{Denial, DeniedBy};
use crate::observe::observation::Observation;
use serde::{Deserialize, Serialize};

/// A denial, with who has to be allowed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Denied {
    /// Who was denied what on what, as far as AWS says.
    #[serde(flatten)]
    pub denial: Denial,
    /// ARN of the policy that holds the deny, where AWS names it.
    pub policy: Option<String>,
    /// Whose rights these are.
    pub whose: Whose,
    /// The IAM statement that would allow it; absent when no allow helps, or too little is known.
    pub statement: Option<serde_json::Value>,
}

/// Whose rights were missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// The product's launch role, which CloudFormation acts as.
    LaunchRole,
    /// The role that the stack itself names.
    StackRole,
    /// The credentials that this controller asks with.
    Ours,
    /// Somebody else's.
    Another,
    /// AWS does not say, and nothing tells.
    #[default]
    Unsaid,
}

impl Whose {
    /// As the rest of "the rights of …".
    pub fn phrase(self) -> &'static str {
        match self {
            Self::LaunchRole => "the product's launch role",
            Self::StackRole => "the role of the stack",
            Self::Ours => "our own credentials",
            Self::Another => "another principal",
            Self::Unsaid => "the role that CloudFormation acts as",
        }
    }
}

impl Denied {
    /// The denial that a failure tells of, if it tells of one.
    pub(super) fn of(failure: &Failure) -> Option<Self> {
        (failure.cause == Cause::PermissionDenied).then(|| Self::read(&failure.message))
    }

    /// The denial in a text.
    pub(super) fn read(message: &str) -> Self {
        let denial = Denial::parse(message);
        Self {
            statement: statement(&denial),
            policy: Denial::policy_in(message),
            denial,
            whose: Whose::Unsaid,
        }
    }

    /// Works out whose rights these are.
    pub(super) fn assign(&mut self, observation: &Observation, by_cloudformation: bool) {
        let product = observation.products.present().and_then(|products| products.first());
        let launch = product.and_then(|product| product.launch_role_arn.as_deref());
        let stack = observation.root.present().and_then(|root| root.role_arn.as_deref());
        let caller = observation.caller.present().map(|caller| caller.arn.as_str());
        self.whose = match self.denial.principal.as_deref() {
            Some(principal) if is_same(Some(principal), launch) => Whose::LaunchRole,
            Some(principal) if is_same(Some(principal), stack) => Whose::StackRole,
            Some(principal) if is_same(Some(principal), caller) => Whose::Ours,
            Some(_) => Whose::Another,
            // A stack event that names nobody: CloudFormation acts as the launch role, or, without one, as whoever asked.
            None if by_cloudformation && launch.is_some() => Whose::LaunchRole,
            None if by_cloudformation && stack.is_some() => Whose::StackRole,
            None => Whose::Unsaid,
        };
    }
}

/// Whether two ARNs mean the same user or role: `assumed-role/R/session` is `role/path/R`.
fn is_same(one: Option<&str>, other: Option<&str>) -> bool {
    matches!((one.and_then(identity), other.and_then(identity)), (Some(one), Some(other)) if one == other)
}

/// Account, kind and name of a user or role.
fn identity(arn: &str) -> Option<(&str, &str, &str)> {
    let mut parts = arn.splitn(6, ':').skip(4);
    let (account, rest) = (parts.next()?, parts.next()?);
    let mut path = rest.split('/');
    match path.next()? {
        "assumed-role" => Some((account, "role", path.next()?)),
        kind @ ("role" | "user") => Some((account, kind, path.next_back()?)),
        _ => None,
    }
}

/// A statement that allows what was denied. A deny by an organisation, a boundary or a policy is not lifted by an allow.
fn statement(denial: &Denial) -> Option<serde_json::Value> {
    match denial.by {
        DeniedBy::NoIdentityPolicy | DeniedBy::NoResourcePolicy | DeniedBy::Unsaid => {}
        DeniedBy::ServiceControlPolicy
        | DeniedBy::PermissionsBoundary
        | DeniedBy::SessionPolicy
        | DeniedBy::ExplicitDeny => return None,
    }
    let action = denial.action.as_deref()?;
    let resource = denial.resource_arn().unwrap_or_else(|| "*".to_owned());
    Some(serde_json::json!({"Effect": "Allow", "Action": action, "Resource": resource}))
}

/// What to do about what a clean-up could not delete.
pub(super) fn of_left_behind(left: &[Failure]) -> String {
    let places: Vec<String> = left.iter().map(|failure| format!("`{}`", failure.place())).collect();
    format!(
        "the change itself went well; {} could not be deleted afterwards: see what still holds it, and delete it by hand once nothing does",
        places.join(", ")
    )
}

/// What to do about a cause.
pub(super) fn of(
    cause: Cause,
    shown: Option<&Failure>,
    rollback: &[Failure],
    denials: &[Denied],
) -> String {
    let what =
        shown.map_or_else(|| "the resource".to_owned(), |failure| format!("`{}`", failure.place()));
    let forward = forward(cause, shown, &what, denials);
    // What stands in the way back has to be dealt with first, whatever began it.
    let Some(stuck) = rollback.first().filter(|_| cause != Cause::PastTheDoor) else {
        return forward;
    };
    if (cause, stuck.cause) == (Cause::PermissionDenied, Cause::PermissionDenied) {
        return format!(
            "{forward}. The way back failed at `{}`, too: once that is allowed, continue the rollback first, skipping nothing",
            stuck.place()
        );
    }
    let skip = rollback
        .iter()
        .filter(|failure| failure.may_be_skipped())
        .map(|failure| format!("`{}`", failure.skip_name()))
        .collect::<Vec<_>>();
    let continued = if skip.is_empty() {
        let first = match stuck.cause {
            Cause::PermissionDenied => "once that is allowed, continue",
            Cause::DatabaseNotAvailable | Cause::CacheNotAvailable | Cause::StorageCooldown => {
                "once that has passed, continue"
            }
            Cause::StorageOutOfStep
            | Cause::CredentialsExpired
            | Cause::ValueNotAllowed
            | Cause::NothingToChange
            | Cause::StackNotUpdatable
            | Cause::Quota
            | Cause::ResourceMissing
            | Cause::ServiceTrouble
            | Cause::Cancelled
            | Cause::PastTheDoor
            | Cause::Unknown => "continue",
        };
        format!(
            "the way back failed at `{}`: {first} the rollback, skipping nothing",
            stuck.place()
        )
    } else {
        format!(
            "the way back failed, too: continue the rollback; if it fails again, skip {} and nothing else",
            skip.join(", ")
        )
    };
    format!("{continued}. Then: {forward}")
}

fn forward(cause: Cause, shown: Option<&Failure>, what: &str, denials: &[Denied]) -> String {
    match cause {
        Cause::DatabaseNotAvailable => {
            "wait until the database is `available`, then update again".to_owned()
        }
        Cause::StorageOutOfStep => "update with the storage parameters at the size that the database really has, which RDS may have grown by itself \
            (`storage: adopt` does that); storage never shrinks"
            .to_owned(),
        Cause::StorageCooldown => {
            "wait: storage can be changed again about six hours after its last change, once its optimization is over".to_owned()
        }
        Cause::CacheNotAvailable => {
            "wait until the cache is `available` with nothing pending, then update again".to_owned()
        }
        Cause::PermissionDenied => denials.first().map_or_else(
            || format!("find out who was denied what for {what} (CloudTrail), allow it, then update again"),
            allow,
        ),
        Cause::CredentialsExpired => {
            "an update outlasts a session: give the portfolio a launch role, under which CloudFormation keeps its own credentials; then update again".to_owned()
        }
        Cause::ValueNotAllowed => {
            format!("correct the parameter that {what} complains about, then update again")
        }
        Cause::NothingToChange => "nothing ran and nothing was changed: an update that does change something succeeds and heals the taint; \
            `approve: [retrigger]` sends one that only toggles ParameterDeploymentTrigger"
            .to_owned(),
        Cause::StackNotUpdatable => {
            "the stack takes no update in its state: if it is UPDATE_ROLLBACK_FAILED, continue the rollback first; else wait".to_owned()
        }
        Cause::Quota => {
            "raise the quota that the message names (Service Quotas), or free something, then update again".to_owned()
        }
        Cause::ResourceMissing => {
            format!("{what} or something it refers to is gone: put it back as the template has it, or ask Turbot support; then update again")
        }
        Cause::ServiceTrouble => "AWS had trouble of its own: update again later".to_owned(),
        Cause::Cancelled => {
            "somebody cancelled the update: find out who and why (CloudTrail, `CancelUpdateStack`) before updating again".to_owned()
        }
        Cause::PastTheDoor => "the cache already runs Valkey, and there is no way back to Redis: go forward. Continue the rollback skipping the cache's \
            resources, then update to Valkey again; approve `past-the-door` to have it done"
            .to_owned(),
        Cause::Unknown => {
            let read = if shown.is_some() {
                format!("read the message of {what}")
            } else {
                "look at the stack's events in CloudFormation".to_owned()
            };
            format!("{read}; `ted-controller support-bundle` collects what a support ticket asks for")
        }
    }
}

/// What lifts a denial.
fn allow(denied: &Denied) -> String {
    let Denied { denial, policy, whose, statement: _ } = denied;
    let Denial { principal, action, resource, by } = denial;
    let whom = match principal.as_deref() {
        Some(principal) => format!("`{principal}` ({})", whose.phrase()),
        None => whose.phrase().to_owned(),
    };
    let what =
        action.as_deref().map_or("the denied action".to_owned(), |action| format!("`{action}`"));
    let on = resource.as_deref().map(|resource| format!(" on `{resource}`")).unwrap_or_default();
    let named = policy.as_deref().map(|policy| format!(" `{policy}`")).unwrap_or_default();
    match by {
        DeniedBy::ServiceControlPolicy => format!(
            "a policy of the organisation (service control policy{named}) denies {what}{on} to {whom}: ask the organisation's administrators"
        ),
        DeniedBy::PermissionsBoundary => {
            format!("the permissions boundary of {whom} denies {what}{on}: widen it")
        }
        DeniedBy::ExplicitDeny | DeniedBy::SessionPolicy => {
            format!("a policy{named} denies {what}{on} to {whom}: find the Deny and remove it")
        }
        DeniedBy::NoIdentityPolicy | DeniedBy::NoResourcePolicy | DeniedBy::Unsaid => {
            format!("allow {what}{on} to {whom}, then update again")
        }
    }
}
