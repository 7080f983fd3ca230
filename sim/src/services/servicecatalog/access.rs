//! Who sees what, how things are named in a request, and the errors of both.

use super::state::{Artifact, Identity, Path, Principals, Product, Provisioned, State};
use crate::error::ApiError;
use crate::services::iam::Principal;
use crate::services::iam::policy::glob;
use crate::services::paging::{self, Page};
use crate::spec::Input;
use std::sync::Arc;

/// What is missing and what may not be seen answers the same (facts: live recordings).
pub(super) fn not_found(what: &str) -> ApiError {
    ApiError::new(
        "ResourceNotFoundException",
        format!("{what} does not exist or access was denied"),
    )
}

pub(super) fn invalid(text: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParametersException", text)
}

/// How a request names a thing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Named<'a> {
    Id(&'a str),
    Name(&'a str),
}

/// The one of the members `id` and `name` that a request has.
pub(super) fn named<'a>(input: &'a Input, id: &str, name: &str) -> Result<Named<'a>, ApiError> {
    match (input.text(id), input.text(name)) {
        (Some(value), None) => Ok(Named::Id(value)),
        (None, Some(value)) => Ok(Named::Name(value)),
        (Some(_), Some(_)) => Err(invalid(format!("You cannot specify both {id} and {name}."))),
        (None, None) => Err(invalid(format!("You must specify either {id} or {name}."))),
    }
}

/// Who `principal` is to Service Catalog: a role's sessions are the same user.
pub(super) fn identity(principal: &Principal) -> Identity {
    Identity {
        user: principal.role_arn().unwrap_or_else(|| principal.arn.clone()),
        session: principal.arn.clone(),
    }
}

/// Whose provisioned products and records a list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// Everybody's in the account.
    Account,
    /// Those of a user or role.
    Role(String),
    /// Those of one session.
    User(String),
}

/// The `AccessLevelFilter` of a request, `default` without one. A value that is not `self` names somebody else.
pub(super) fn level(input: &Input, principal: &Principal, default: &str) -> Level {
    let filter = input.inner("AccessLevelFilter").unwrap_or_default();
    let whom = filter.text("Value").filter(|value| *value != "self");
    let me = identity(principal);
    match filter.text("Key").unwrap_or(default) {
        "Role" => Level::Role(whom.map_or(me.user, str::to_owned)),
        "User" => Level::User(whom.map_or(me.session, str::to_owned)),
        _ => Level::Account,
    }
}

impl Level {
    /// Whether what `owner` has belongs to it. Somebody is named by ARN, or by what comes last in it.
    pub(super) fn shows(&self, owner: &Identity) -> bool {
        let is = |arn: &str, whom: &str| arn == whom || arn.rsplit(['/', ':']).next() == Some(whom);
        match self {
            Self::Account => true,
            Self::Role(whom) => is(&owner.user, whom),
            Self::User(whom) => is(&owner.session, whom),
        }
    }
}

/// The provisioned product a request names; a name may be its ARN.
pub(super) fn provisioned<'s>(
    state: &'s State,
    named: Named<'_>,
) -> Result<&'s Arc<Provisioned>, ApiError> {
    match named {
        Named::Id(id) => state.provisioned.get(id).ok_or_else(|| not_found(id)),
        Named::Name(name) => state
            .provisioned
            .values()
            .find(|it| it.name == name || it.arn == name)
            .ok_or_else(|| not_found(name)),
    }
}

/// The product a request names, among those that `visible` lets through.
pub(super) fn product<'s>(
    state: &'s State,
    named: Named<'_>,
    visible: impl Fn(&Product) -> bool,
) -> Result<&'s Arc<Product>, ApiError> {
    match named {
        Named::Id(id) => {
            state.products.get(id).filter(|product| visible(product)).ok_or_else(|| not_found(id))
        }
        Named::Name(name) => {
            let mut found =
                state.products.values().filter(|product| product.name == name && visible(product));
            match (found.next(), found.next()) {
                (Some(product), None) => Ok(product),
                (None, _) => Err(not_found(name)),
                (Some(_), Some(_)) => {
                    Err(invalid(format!("Multiple products with name {name} found.")))
                }
            }
        }
    }
}

/// The version of `product` a request names. Names can be ambiguous (facts: a field report has the text).
pub(super) fn artifact<'p>(
    product: &'p Product,
    named: Named<'_>,
) -> Result<&'p Artifact, ApiError> {
    match named {
        Named::Id(id) => product.artifact(id).ok_or_else(|| not_found(id)),
        Named::Name(name) => {
            let mut found = product.artifacts.iter().filter(|artifact| artifact.name == name);
            match (found.next(), found.next()) {
                (Some(artifact), None) => Ok(artifact),
                (None, _) => Err(not_found(name)),
                (Some(_), Some(_)) => {
                    Err(invalid(format!("Multiple Provisioning Artifact with name {name} found.")))
                }
            }
        }
    }
}

/// The launch paths by which `principal` reaches `product`.
pub(super) fn paths<'p>(
    state: &State,
    product: &'p Product,
    principal: &Principal,
) -> Vec<&'p Path> {
    let me = identity(principal);
    let open = |path: &&Path| match state
        .portfolios
        .get(&path.portfolio_id)
        .map(|portfolio| &portfolio.principals)
    {
        None => false,
        Some(Principals::All) => true,
        Some(Principals::Only(arns)) => {
            arns.iter().any(|arn| glob(arn, &me.user) || glob(arn, &me.session))
        }
    };
    product.paths.iter().filter(open).collect()
}

/// The one launch path a request means. Without a name it is the only one there is.
///
/// The texts are from field reports (Terraform and Control Tower issues); the code of an unknown path id is an option of the world.
pub(super) fn path<'p>(
    state: &State,
    product: &'p Product,
    principal: &Principal,
    input: &Input,
    unknown_path: &'static str,
) -> Result<&'p Path, ApiError> {
    let paths = paths(state, product, principal);
    if paths.is_empty() {
        return Err(ApiError::new(
            "ResourceNotFoundException",
            format!("No launch paths found for resource: {}", product.id),
        ));
    }
    let found: Vec<&Path> = match (input.text("PathId"), input.text("PathName")) {
        (Some(_), Some(_)) => return Err(invalid("You cannot specify both PathId and PathName.")),
        (Some(id), None) => {
            let path = paths.into_iter().find(|path| path.id == id);
            return path
                .ok_or_else(|| ApiError::new(unknown_path, format!("Invalid PathId: {id}")));
        }
        (None, Some(name)) => {
            paths.into_iter().filter(|path| state.path_name(path) == name).collect()
        }
        (None, None) => paths,
    };
    match found.as_slice() {
        [path] => Ok(path),
        [] => Err(not_found(input.text("PathName").unwrap_or_default())),
        _ => Err(invalid("More than one launch path ids exist. Please specify the launch path id")),
    }
}

/// One page of a list of `operation`. Its tokens are good for the same question only; a page size of 0 is the default size.
pub(super) fn page<T>(
    items: impl IntoIterator<Item = T>,
    operation: &str,
    input: &Input,
    default_size: usize,
    limit: Option<usize>,
) -> Result<Page<T>, ApiError> {
    let size = input
        .int("PageSize")
        .and_then(|size| usize::try_from(size).ok())
        .filter(|size| *size > 0)
        .unwrap_or(default_size);
    let of = format!("{operation}-{:016x}", digest(input));
    paging::page(items, &of, input.text("PageToken"), size, limit)
        .map_err(|_| invalid("Invalid PageToken."))
}

/// A digest of what a request asks, its place in the pages aside.
fn digest(input: &Input) -> u64 {
    let mut question = input.0.clone();
    if let Some(members) = question.as_object_mut() {
        members.remove("PageToken");
        members.remove("PageSize");
        members.remove("AcceptLanguage");
    }
    // FNV-1a, the same on every machine.
    question.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_shows_its_own() {
        let principal = Principal {
            arn: "arn:aws:sts::1:assumed-role/ops/me".to_owned(),
            account: "1".to_owned(),
        };
        let other_session = Identity {
            user: "arn:aws:iam::1:role/ops".to_owned(),
            session: "arn:aws:sts::1:assumed-role/ops/you".to_owned(),
        };
        let filter = |key: &str, value: &str| {
            Input(serde_json::json!({"AccessLevelFilter": {"Key": key, "Value": value}}))
        };
        for (input, default, shown, why) in [
            (filter("Account", "self"), "User", true, "the account sees everything"),
            (filter("Role", "self"), "Account", true, "the same role"),
            (filter("User", "self"), "Account", false, "another session"),
            (filter("User", "you"), "Account", true, "named by the end of its ARN"),
            (filter("Role", "arn:aws:iam::1:role/other"), "Account", false, "another role's ARN"),
            (Input::default(), "Account", true, "the default of a search"),
            (Input::default(), "User", false, "the default of a scan"),
        ] {
            assert_eq!(level(&input, &principal, default).shows(&other_session), shown, "{why}");
        }
    }
}
