//! Products, their versions and the launch paths to them: the reads that need no provisioned product.
//!
//! End users (`SearchProducts`, `DescribeProduct`, `ListLaunchPaths`) see the products they reach by a launch path, and of those the active
//! versions. Administrators of the account see everything.

use super::access::{self, Named, artifact, invalid, named, page, product};
use super::parameters;
use super::state::{Artifact, Product, State};
use crate::error::ApiError;
use crate::node::{Map, Node};
use crate::services::Call;
use crate::spec::Input;
use crate::world::Scope;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The only type of product here, in the words of product views and of versions.
const TYPE: &str = "CLOUD_FORMATION_TEMPLATE";

/// The filters `SearchProducts` takes (botocore model, `ProductViewFilterBy`).
const FILTERS: [&str; 4] = ["FullTextSearch", "Owner", "ProductType", "SourceProductId"];

pub(super) fn search_products(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let state = &call.region().servicecatalog;
    let filters = filters(&call.input, &FILTERS)?;
    let reachable =
        |product: &&Arc<Product>| !access::paths(state, product, &call.caller).is_empty();
    let wanted = |product: &&Arc<Product>| {
        filters.iter().all(|(key, values)| filter_takes(key, values, product))
    };
    let mut found: Vec<&Arc<Product>> =
        state.products.values().filter(reachable).filter(wanted).collect();
    match call.input.text("SortBy") {
        Some("Title") => found.sort_by(|a, b| a.name.cmp(&b.name)),
        Some("VersionCount") => found.sort_by_key(|product| product.artifacts.len()),
        Some("CreationDate") => found.sort_by_key(|product| product.created),
        _ => {}
    }
    if call.input.text("SortOrder") == Some("DESCENDING") {
        found.reverse();
    }
    let aggregations = Map::new()
        .list("Owner", aggregation(found.iter().map(|product| product.owner.as_str())))
        .list("ProductType", aggregation(found.iter().map(|_| TYPE)));
    let page = page(found, "SearchProducts", &call.input, 100, call.world.options.page_size)?;
    Ok(Map::new()
        .list("ProductViewSummaries", page.items.iter().map(|product| view(product, call)))
        .with("ProductViewAggregations", aggregations)
        .maybe("NextPageToken", page.next))
}

pub(super) fn describe_product(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let state = &call.region().servicecatalog;
    let product = product(state, named(&call.input, "Id", "Name")?, |product| {
        !access::paths(state, product, &call.caller).is_empty()
    })?;
    let paths = access::paths(state, product, &call.caller);
    Ok(Map::new()
        .with("ProductViewSummary", view(product, call))
        .list(
            "ProvisioningArtifacts",
            product.artifacts.iter().filter(|artifact| artifact.active).map(short),
        )
        .list("Budgets", Vec::<Map>::new())
        .list(
            "LaunchPaths",
            paths
                .into_iter()
                .map(|path| Map::new().with("Id", &path.id).with("Name", state.path_name(path))),
        ))
}

pub(super) fn describe_product_as_admin(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let state = &call.region().servicecatalog;
    let portfolio = call.input.text("SourcePortfolioId");
    let within = |product: &Product| {
        portfolio.is_none_or(|id| product.paths.iter().any(|path| path.portfolio_id == id))
    };
    let product = product(state, named(&call.input, "Id", "Name")?, within)?;
    let detail = Map::new()
        .with("ProductViewSummary", view(product, call))
        .with("Status", "AVAILABLE")
        .with("ProductARN", product_arn(&call.scope, &product.id))
        .with("CreatedTime", product.created);
    let summary = |artifact: &Artifact| {
        Map::new()
            .with("Id", &artifact.id)
            .with("Name", &artifact.name)
            .maybe("Description", artifact.description.as_ref())
            .with("CreatedTime", artifact.created)
    };
    Ok(Map::new()
        .with("ProductViewDetail", detail)
        .list("ProvisioningArtifactSummaries", product.artifacts.iter().map(summary))
        .list("Tags", tags(&product.tags))
        .list("TagOptions", Vec::<Map>::new())
        .list("Budgets", Vec::<Map>::new()))
}

pub(super) fn list_launch_paths(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let state = &call.region().servicecatalog;
    let product = product(state, Named::Id(call.input.need("ProductId")), |_| true)?;
    let paths = access::paths(state, product, &call.caller);
    if paths.is_empty() {
        return Err(ApiError::new(
            "ResourceNotFoundException",
            format!("No launch paths found for resource: {}", product.id),
        ));
    }
    let page = page(paths, "ListLaunchPaths", &call.input, 20, call.world.options.page_size)?;
    let summaries = page.items.into_iter().map(|path| {
        Map::new()
            .with("Id", &path.id)
            .list("ConstraintSummaries", parameters::constraints(path))
            .list("Tags", Vec::<Map>::new())
            .with("Name", state.path_name(path))
    });
    Ok(Map::new().list("LaunchPathSummaries", summaries).maybe("NextPageToken", page.next))
}

/// All versions at once: the operation takes no page token.
pub(super) fn list_provisioning_artifacts(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let product =
        product(&call.region().servicecatalog, Named::Id(call.input.need("ProductId")), |_| true)?;
    Ok(Map::new().list("ProvisioningArtifactDetails", product.artifacts.iter().map(detail)))
}

pub(super) fn describe_provisioning_artifact(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let product = product(
        &call.region().servicecatalog,
        named(&call.input, "ProductId", "ProductName")?,
        |_| true,
    )?;
    let artifact = artifact(
        product,
        named(&call.input, "ProvisioningArtifactId", "ProvisioningArtifactName")?,
    )?;
    let mut info =
        Map::new().with("TemplateUrl", template_url(&call.scope, &product.id, &artifact.id));
    if call.input.bool("Verbose") == Some(true) {
        info.put("CloudFormationTemplate", artifact.template.body.to_string());
    }
    let mut answer = Map::new()
        .with("ProvisioningArtifactDetail", detail(artifact))
        .with("Info", info)
        .with("Status", artifact.status.as_str());
    if call.input.bool("IncludeProvisioningArtifactParameters") == Some(true) {
        let empty = call.world.options.empty_default;
        answer = answer
            .list("ProvisioningArtifactParameters", parameters::nodes(&artifact.template, empty));
    }
    Ok(answer)
}

pub(super) fn product_arn(scope: &Scope, id: &str) -> String {
    scope.arn("catalog", format_args!("product/{id}"))
}

pub(super) fn portfolio_arn(scope: &Scope, id: &str) -> String {
    scope.arn("catalog", format_args!("portfolio/{id}"))
}

pub(super) fn tags(tags: &[(String, String)]) -> impl Iterator<Item = Map> {
    tags.iter().map(|(key, value)| Map::new().with("Key", key).with("Value", value))
}

/// The values of every filter of a request.
pub(super) fn filters(
    input: &Input,
    known: &[&str],
) -> Result<BTreeMap<String, Vec<String>>, ApiError> {
    let Some(sent) = input.inner("Filters") else { return Ok(BTreeMap::new()) };
    let keys = sent.0.as_object().into_iter().flatten().map(|(key, _)| key.clone());
    let read = |key: String| {
        if known.contains(&key.as_str()) {
            return Ok((sent.texts(&key), key));
        }
        Err(invalid(format!("Invalid filter: {key}. Valid values are {}.", known.join(", "))))
    };
    keys.map(read).map(|read| read.map(|(values, key)| (key, values))).collect()
}

/// A filter takes what any of its values takes; one without values takes everything.
fn filter_takes(key: &str, values: &[String], product: &Product) -> bool {
    let takes = |value: &String| match key {
        "FullTextSearch" => {
            let value = value.to_lowercase();
            let texts = [
                Some(&product.name),
                Some(&product.owner),
                product.description.as_ref(),
                product.distributor.as_ref(),
            ];
            product.id == value
                || texts.into_iter().flatten().any(|text| text.to_lowercase().contains(&value))
        }
        "Owner" => product.owner == *value,
        "ProductType" => value == TYPE,
        // Only a copy has a source.
        _ => false,
    };
    values.is_empty() || values.iter().any(takes)
}

fn aggregation<'a>(values: impl Iterator<Item = &'a str>) -> Vec<Map> {
    let mut counts = BTreeMap::<&str, usize>::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(value, count)| Map::new().with("Value", value).with("ApproximateCount", count))
        .collect()
}

fn view(product: &Product, call: &Call<'_>) -> Map {
    let state: &State = &call.region().servicecatalog;
    let has_default_path = call.world.options.has_default_path
        && access::paths(state, product, &call.caller).len() == 1;
    Map::new()
        .with("Id", &product.view_id)
        .with("ProductId", &product.id)
        .with("Name", &product.name)
        .with("Owner", &product.owner)
        .maybe("ShortDescription", product.description.as_ref())
        .with("Type", TYPE)
        .maybe("Distributor", product.distributor.as_ref())
        .with("HasDefaultPath", has_default_path)
        .maybe("SupportEmail", product.support_email.as_ref())
        .maybe("SupportDescription", product.support_description.as_ref())
        .maybe("SupportUrl", product.support_url.as_ref())
}

/// A version as end users see it.
fn short(artifact: &Artifact) -> Node {
    Map::new()
        .with("Id", &artifact.id)
        .with("Name", &artifact.name)
        .maybe("Description", artifact.description.as_ref())
        .with("CreatedTime", artifact.created)
        .with("Guidance", artifact.guidance.as_str())
        .into()
}

/// A version as administrators see it.
fn detail(artifact: &Artifact) -> Map {
    Map::new()
        .with("Id", &artifact.id)
        .with("Name", &artifact.name)
        .maybe("Description", artifact.description.as_ref())
        .with("Type", TYPE)
        .with("CreatedTime", artifact.created)
        .with("Active", artifact.active)
        .with("Guidance", artifact.guidance.as_str())
}

fn template_url(scope: &Scope, product: &str, artifact: &str) -> String {
    format!(
        "https://s3.{region}.amazonaws.com/cf-templates-{account}-{region}/{product}/{artifact}.json",
        region = scope.region,
        account = scope.account
    )
}
