//! The rules between fields of one document, and between documents.
//!
//! What can only be known from AWS (whether a version is on offer, whether a key exists, whether a parameter is `NoEcho`)
//! is a gate of the assessment and no business of this module.

use super::document::{Desired, Role};
use super::ids::{AccountId, Region};
use super::parse::Defaults;
use super::problem::{Complaint, Problem, ProblemKind};
use super::reader::Reader;
use super::window::never_fitting;
use super::yaml::Position;
use std::collections::{BTreeMap, BTreeSet};

/// Checks one document whose fields are each right by themselves.
pub(super) fn document(reader: &mut Reader<'_>, at: Position, desired: &Desired) {
    account_of_role(reader, at, desired);
    zones_need_nodes(reader, at, desired);
    keys_are_distinct(reader, at, desired);
    parameters_are_not_said_twice(reader, at, desired);
    let windows = desired.spec.policy.maintenance_windows.windows();
    for index in never_fitting(windows) {
        let complaint = Complaint::new("a window that no update fits into")
            .allowed("20m or longer, together with windows that it touches")
            .hint("an update takes 20 to 60 minutes");
        reader.refuse_field(at, &format!("spec.policy.maintenanceWindows[{index}]"), complaint);
    }
}

fn account_of_role(reader: &mut Reader<'_>, at: Position, desired: &Desired) {
    if let (Some(account), Some(role)) = (&desired.spec.account, &desired.spec.role)
        && *account != role.arn.account()
    {
        let complaint = Complaint::new(format!(
            "the role lives in account {}, the TED in {account}",
            role.arn.account()
        ))
        .hint("a role acts in its own account: correct one of the two");
        reader.refuse_field(at, "spec.roleArn", complaint);
    }
}

fn zones_need_nodes(reader: &mut Reader<'_>, at: Position, desired: &Desired) {
    if let Some(cache) = &desired.spec.cache
        && (cache.multi_az, cache.nodes) == (Some(true), Some(1))
    {
        let complaint = Complaint::new("several zones need several nodes")
            .hint("write `nodes: 2`, or `multiAz: false`");
        reader.refuse_field(at, "spec.cache.multiAz", complaint);
    }
}

fn keys_are_distinct(reader: &mut Reader<'_>, at: Position, desired: &Desired) {
    let mut roles_by_key: BTreeMap<_, Vec<Role>> = BTreeMap::new();
    for (role, key) in &desired.spec.parameter_keys {
        roles_by_key.entry(key).or_default().push(*role);
    }
    for (key, roles) in roles_by_key {
        // One parameter for the version of whichever engine is thinkable; any other pair is a slip.
        if roles.len() < 2 || roles == [Role::RedisVersion, Role::ValkeyVersion] {
            continue;
        }
        for role in roles.iter().skip(1) {
            let complaint = Complaint::new(format!("`{key}` is named for `{}` too", roles[0]))
                .hint("one parameter has one role: correct one of the two");
            reader.refuse_field(at, &format!("spec.parameterKeys.{role}"), complaint);
        }
    }
}

fn parameters_are_not_said_twice(reader: &mut Reader<'_>, at: Position, desired: &Desired) {
    for (role, key) in &desired.spec.parameter_keys {
        if let Some(field) = role.field()
            && desired.spec.parameters.contains_key(key)
        {
            let complaint =
                Complaint::new(format!("the parameter is the `{role}`, which `{field}` sets"))
                    .hint(format!("remove it here and write it as `{field}`"));
            reader.refuse_field(at, &format!("spec.parameters.{key}"), complaint);
        }
    }
}

/// Two documents that cannot both be obeyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conflicts {
    /// An error on each document concerned.
    pub(super) problems: Vec<Problem>,
    /// Their places in the list that was checked.
    pub(super) contested: BTreeSet<usize>,
}

/// Finds documents of one name, and documents for one product of one account and region.
///
/// Documents that do not name their account are compared under the controller's default and, without one, with each
/// other: which account the credentials belong to is not known here. The controller asks again once it knows.
pub(super) fn conflicts(documents: &[&Desired], defaults: &Defaults) -> Conflicts {
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut by_target: BTreeMap<Target<'_>, Vec<usize>> = BTreeMap::new();
    for (index, desired) in documents.iter().enumerate() {
        by_name.entry(desired.name.to_string()).or_default().push(index);
        by_target.entry(target(desired, defaults)).or_default().push(index);
    }
    let mut found = Conflicts { problems: Vec::new(), contested: BTreeSet::new() };
    for (name, indices) in by_name.iter().filter(|(_, indices)| indices.len() > 1) {
        let hint = "names are unique in one controller: rename one of them";
        report(documents, indices, &format!("the name `{name}` is taken"), hint, &mut found);
    }
    for ((account, region, product), indices) in &by_target {
        // Of one name they are reported already: the same document in two places needs one message.
        let names: BTreeSet<_> = indices.iter().map(|index| &documents[*index].name).collect();
        if names.len() > 1 {
            let place =
                [region.as_ref().map(Region::as_str), account.as_ref().map(AccountId::as_str)];
            let place: Vec<&str> = place.into_iter().flatten().collect();
            let place =
                if place.is_empty() { String::new() } else { format!(" of {}", place.join(", ")) };
            let message =
                format!("the provisioned product `{product}`{place} has another document");
            report(
                documents,
                indices,
                &message,
                "one product, one document: remove one of them",
                &mut found,
            );
        }
    }
    found.problems.sort_by(|a, b| a.location.cmp(&b.location));
    found
}

/// What a document acts on: its account as far as it is known, its region, its product.
type Target<'a> = (Option<AccountId>, Option<Region>, &'a str);

fn target<'a>(desired: &'a Desired, defaults: &Defaults) -> Target<'a> {
    let role_account = desired.spec.role.as_ref().map(|role| role.arn.account());
    let account =
        desired.spec.account.clone().or(role_account).or_else(|| defaults.account.clone());
    let region = desired.spec.region.clone().or_else(|| defaults.region.clone());
    (account, region, desired.spec.provisioned_product.as_str())
}

fn report(
    documents: &[&Desired],
    indices: &[usize],
    message: &str,
    hint: &str,
    found: &mut Conflicts,
) {
    for &index in indices {
        let others: Vec<String> = indices
            .iter()
            .filter(|other| **other != index)
            .take(5)
            .map(|other| documents[*other].location.to_string())
            .collect();
        found.contested.insert(index);
        found.problems.push(Problem {
            location: documents[index].location.clone(),
            kind: ProblemKind::Conflict,
            field: String::new(),
            message: format!("{message}: see {}", others.join(", ")),
            found: None,
            allowed: None,
            hint: Some(hint.to_owned()),
        });
    }
}
