//! Finding provisioned products and describing them.

use super::access::{self, invalid, named, page};
use super::products::{filters, tags};
use super::state::{Provisioned, State};
use crate::error::ApiError;
use crate::node::Map;
use crate::options::SearchMatch;
use crate::services::Call;
use crate::services::iam::Principal;
use crate::spec::Input;
use crate::world::{Scope, World};
use std::sync::Arc;
use std::time::Duration;

/// The type of every provisioned product here.
pub(super) const TYPE: &str = "CFN_STACK";

/// The fields a search can name (API reference, `SearchProvisionedProducts`).
const FIELDS: [&str; 18] = [
    "arn",
    "createdTime",
    "id",
    "lastRecordId",
    "idempotencyToken",
    "name",
    "physicalId",
    "productId",
    "provisioningArtifactId",
    "type",
    "status",
    "tags",
    "userArn",
    "userArnSession",
    "lastProvisioningRecordId",
    "lastSuccessfulProvisioningRecordId",
    "productName",
    "provisioningArtifactName",
];

pub(super) fn search_provisioned_products(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let lag = call.world.options.search_lag;
    seen_late(call, lag, |asked, world| {
        let state = &world.region(asked.scope).servicecatalog;
        let level = access::level(asked.input, asked.caller, "Account");
        let queries =
            filters(asked.input, &["SearchQuery"])?.remove("SearchQuery").unwrap_or_default();
        let matching = world.options.search_match;
        let wanted = |it: &&Arc<Provisioned>| {
            level.shows(&it.owner)
                && queries.iter().all(|query| answers(query, state, it, matching))
        };
        let mut found: Vec<&Arc<Provisioned>> = state.provisioned.values().filter(wanted).collect();
        sort(&mut found, asked.input.text("SortBy"), asked.input.text("SortOrder"))?;
        let count = found.len();
        let page =
            page(found, "SearchProvisionedProducts", asked.input, 100, world.options.page_size)?;
        Ok(Map::new()
            .list("ProvisionedProducts", page.items.into_iter().map(|it| attributes(state, it)))
            .with("TotalResultsCount", count)
            .maybe("NextPageToken", page.next))
    })
}

/// Only the caller's own unless another level is asked for (facts: botocore model).
pub(super) fn scan_provisioned_products(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let level = access::level(&call.input, &call.caller, "User");
    let shown =
        call.region().servicecatalog.provisioned.values().filter(|it| level.shows(&it.owner));
    let page =
        page(shown, "ScanProvisionedProducts", &call.input, 20, call.world.options.page_size)?;
    Ok(Map::new()
        .list("ProvisionedProducts", page.items.into_iter().map(|it| detail(it)))
        .maybe("NextPageToken", page.next))
}

pub(super) fn describe_provisioned_product(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let lag = call.world.options.describe_lag;
    seen_late(call, lag, |asked, world| {
        let state = &world.region(asked.scope).servicecatalog;
        let named = named(asked.input, "Id", "Name")?;
        let provisioned = access::provisioned(state, named)?;
        Ok(Map::new()
            .with("ProvisionedProductDetail", detail(provisioned))
            .list("CloudWatchDashboards", Vec::<Map>::new()))
    })
}

/// What a read of a region may be told of the call that makes it.
struct Asked<'c> {
    scope: &'c Scope,
    caller: &'c Principal,
    input: &'c Input,
}

/// Answers as the region stood `lag` ago.
fn seen_late(
    call: &mut Call<'_>,
    lag: Duration,
    read: impl FnOnce(&Asked<'_>, &mut World) -> Result<Map, ApiError>,
) -> Result<Map, ApiError> {
    let asked = Asked { scope: &call.scope, caller: &call.caller, input: &call.input };
    if lag.is_zero() {
        return read(&asked, call.world);
    }
    call.world.keep_history(lag);
    call.world.as_of(&call.scope, lag, |world| read(&asked, world))
}

fn sort(
    found: &mut [&Arc<Provisioned>],
    by: Option<&str>,
    order: Option<&str>,
) -> Result<(), ApiError> {
    match by {
        None => {}
        Some("arn") => found.sort_by(|a, b| a.arn.cmp(&b.arn)),
        Some("id") => found.sort_by(|a, b| a.id.cmp(&b.id)),
        Some("name") => found.sort_by(|a, b| a.name.cmp(&b.name)),
        Some("lastRecordId") => found.sort_by(|a, b| a.last_record.cmp(&b.last_record)),
        Some(other) => {
            return Err(invalid(format!(
                "Invalid SortBy: {other}. Valid values are arn, id, name, lastRecordId."
            )));
        }
    }
    if order == Some("DESCENDING") {
        found.reverse();
    }
    Ok(())
}

/// Whether `provisioned` answers a query: `field:value`, or a value that any field may have.
fn answers(query: &str, state: &State, provisioned: &Provisioned, matching: SearchMatch) -> bool {
    let unquoted = |value: &str| value.trim().trim_matches('"').to_owned();
    let named = query.split_once(':').and_then(|(field, value)| {
        let field = FIELDS.iter().find(|known| known.eq_ignore_ascii_case(field.trim()))?;
        Some((*field, unquoted(value)))
    });
    let has = |field: &str, wanted: &str| {
        values(field, state, provisioned).iter().any(|value| matches(value, wanted, matching))
    };
    match named {
        Some((field, wanted)) => has(field, &wanted),
        None => FIELDS.iter().any(|field| has(field, &unquoted(query))),
    }
}

fn matches(value: &str, wanted: &str, matching: SearchMatch) -> bool {
    match matching {
        SearchMatch::Exact => value == wanted,
        SearchMatch::Prefix => value.starts_with(wanted),
        SearchMatch::Token => {
            let words = |text: &str| {
                text.to_lowercase()
                    .split(|c: char| !c.is_alphanumeric())
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            let wanted = words(wanted);
            words(value).iter().any(|word| !word.is_empty() && wanted.contains(word))
        }
    }
}

/// What `provisioned` has in `field`; tags can be asked for by key, by value, or by both.
fn values(field: &str, state: &State, provisioned: &Provisioned) -> Vec<String> {
    let it = provisioned;
    let one = |value: &str| vec![value.to_owned()];
    let maybe = |value: &Option<String>| value.iter().cloned().collect();
    match field {
        "arn" => one(&it.arn),
        "createdTime" => vec![it.created.iso()],
        "id" => one(&it.id),
        "lastRecordId" => maybe(&it.last_record),
        "idempotencyToken" => maybe(&it.token),
        "name" => one(&it.name),
        "physicalId" => one(&it.stack_id),
        "productId" => one(&it.product_id),
        "provisioningArtifactId" => one(&it.artifact_id),
        "type" => one(TYPE),
        "status" => one(it.status.as_str()),
        "tags" => it
            .tags
            .iter()
            .flat_map(|(key, value)| {
                [key.clone(), value.clone(), format!("{key}:{value}"), format!("{key}={value}")]
            })
            .collect(),
        "userArn" => one(&it.owner.user),
        "userArnSession" => one(&it.owner.session),
        "lastProvisioningRecordId" => maybe(&it.last_provisioning_record),
        "lastSuccessfulProvisioningRecordId" => maybe(&it.last_successful_record),
        "productName" => {
            state.product(&it.product_id).map(|product| product.name.clone()).into_iter().collect()
        }
        "provisioningArtifactName" => {
            artifact_name(state, it).map(str::to_owned).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn artifact_name<'s>(state: &'s State, provisioned: &Provisioned) -> Option<&'s str> {
    let product = state.product(&provisioned.product_id)?;
    product.artifact(&provisioned.artifact_id).map(|artifact| artifact.name.as_str())
}

/// What Search, Scan and Describe have in common.
fn common(it: &Provisioned) -> Map {
    Map::new()
        .with("Name", &it.name)
        .with("Arn", &it.arn)
        .with("Type", TYPE)
        .with("Id", &it.id)
        .with("Status", it.status.as_str())
        .maybe("StatusMessage", it.message.as_ref())
        .with("CreatedTime", it.created)
        .maybe("IdempotencyToken", it.token.as_ref())
        .maybe("LastRecordId", it.last_record.as_ref())
        .maybe("LastProvisioningRecordId", it.last_provisioning_record.as_ref())
        .maybe("LastSuccessfulProvisioningRecordId", it.last_successful_record.as_ref())
        .with("ProductId", &it.product_id)
        .with("ProvisioningArtifactId", &it.artifact_id)
}

fn detail(it: &Provisioned) -> Map {
    common(it).maybe("LaunchRoleArn", it.launch_role.as_ref())
}

fn attributes(state: &State, it: &Provisioned) -> Map {
    common(it)
        .list("Tags", tags(&it.tags))
        .with("PhysicalId", &it.stack_id)
        .maybe("ProductName", state.product(&it.product_id).map(|product| &product.name))
        .maybe("ProvisioningArtifactName", artifact_name(state, it))
        .with("UserArn", &it.owner.user)
        .with("UserArnSession", &it.owner.session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_matches_as_the_world_says() {
        for (matching, value, wanted, result, why) in [
            (SearchMatch::Exact, "ted-einstein", "ted-einstein", true, "the same"),
            (SearchMatch::Exact, "ted-einstein-2", "ted-einstein", false, "only begins so"),
            (SearchMatch::Prefix, "ted-einstein-2", "ted-einstein", true, "begins so"),
            (SearchMatch::Prefix, "my-ted-einstein", "ted-einstein", false, "does not begin so"),
            (SearchMatch::Token, "ted-newton", "ted-einstein", true, "a common word is enough"),
            (SearchMatch::Token, "Newton", "newton", true, "words are compared without case"),
            (SearchMatch::Token, "newton", "ted-einstein", false, "no common word"),
            (SearchMatch::Token, "--", "-", false, "punctuation is no word"),
        ] {
            assert_eq!(
                matches(value, wanted, matching),
                result,
                "{matching:?} {value} {wanted}: {why}"
            );
        }
    }
}
