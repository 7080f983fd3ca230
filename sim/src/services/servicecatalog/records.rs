//! Records: what was asked for, by whom, what came of it.

use super::access::{self, invalid, named, not_found, page};
use super::search::TYPE;
use super::state::{Output, Record, State};
use crate::error::ApiError;
use crate::node::Map;
use crate::services::Call;
use std::sync::Arc;

/// The record, and its outputs page by page (the pages are of outputs only).
pub(super) fn describe_record(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let id = call.input.need("Id");
    let record = call.region().servicecatalog.record(id).ok_or_else(|| not_found(id))?;
    // The operation has no other error in the model than the missing record.
    let page = page(
        record.outputs.iter(),
        "DescribeRecord",
        &call.input,
        20,
        call.world.options.page_size,
    )?;
    Ok(Map::new()
        .with("RecordDetail", detail(record))
        .list("RecordOutputs", page.items.into_iter().map(output))
        .maybe("NextPageToken", page.next))
}

/// The newest first; only those of the caller's own provisioned products unless another level is asked for.
pub(super) fn list_record_history(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let state = &call.region().servicecatalog;
    let level = access::level(&call.input, &call.caller, "User");
    let filter = call.input.inner("SearchFilter").unwrap_or_default();
    let wanted: fn(&Record) -> &str = match filter.text("Key") {
        None => |_| "",
        Some("product") => |record| &record.product_id,
        Some("provisionedproduct") => |record| &record.provisioned_id,
        Some(other) => {
            return Err(invalid(format!(
                "Invalid search filter key: {other}. Valid values are product, provisionedproduct."
            )));
        }
    };
    let value = filter.text("Key").and(filter.text("Value")).unwrap_or_default();
    let shown = |record: &&Arc<Record>| {
        wanted(record) == value && level.shows(&owner(state, record).clone())
    };
    let mut found: Vec<&Arc<Record>> = state.records.values().filter(shown).collect();
    found.sort_by_key(|record| std::cmp::Reverse((record.created, record.number)));
    let page = page(found, "ListRecordHistory", &call.input, 20, call.world.options.page_size)?;
    Ok(Map::new()
        .list("RecordDetails", page.items.into_iter().map(|record| detail(record)))
        .maybe("NextPageToken", page.next))
}

/// The outputs of the last successful record.
///
/// Keys that are no outputs are passed over: the API reference does not say otherwise.
pub(super) fn get_provisioned_product_outputs(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let state = &call.region().servicecatalog;
    let provisioned = access::provisioned(
        state,
        named(&call.input, "ProvisionedProductId", "ProvisionedProductName")?,
    )?;
    let record = provisioned.last_successful_record.as_deref().and_then(|id| state.record(id));
    let record =
        record.ok_or_else(|| invalid("Last Successful Provisioning Record doesn't exist."))?;
    let keys = call.input.texts("OutputKeys");
    let wanted =
        record.outputs.iter().filter(|output| keys.is_empty() || keys.contains(&output.key));
    let page = page(
        wanted,
        "GetProvisionedProductOutputs",
        &call.input,
        20,
        call.world.options.page_size,
    )?;
    Ok(Map::new()
        .list("Outputs", page.items.into_iter().map(output))
        .maybe("NextPageToken", page.next))
}

/// `RecordDetail`, as updates answer it too.
pub(super) fn detail(record: &Record) -> Map {
    let pair = |(key, value): &(String, String)| Map::new().with("Key", key).with("Value", value);
    Map::new()
        .with("RecordId", &record.id)
        .with("ProvisionedProductName", &record.provisioned_name)
        .with("Status", record.status.as_str())
        .with("CreatedTime", record.created)
        .with("UpdatedTime", record.updated)
        .with("ProvisionedProductType", TYPE)
        .with("RecordType", record.kind.as_str())
        .with("ProvisionedProductId", &record.provisioned_id)
        .with("ProductId", &record.product_id)
        .with("ProvisioningArtifactId", &record.artifact_id)
        .maybe("PathId", record.path_id.as_ref())
        .list(
            "RecordErrors",
            record.errors.iter().map(|error| {
                Map::new().with("Code", &error.code).with("Description", &error.description)
            }),
        )
        .list("RecordTags", record.tags.iter().map(pair))
        .maybe("LaunchRoleArn", record.launch_role.as_ref())
}

fn output(output: &Output) -> Map {
    Map::new()
        .with("OutputKey", &output.key)
        .with("OutputValue", &output.value)
        .maybe("Description", output.description.as_ref())
}

/// A record belongs to the owner of its provisioned product (facts: botocore model, changing an owner), and when that is gone to
/// whoever made it.
fn owner<'s>(state: &'s State, record: &'s Record) -> &'s super::state::Identity {
    state.provisioned(&record.provisioned_id).map_or(&record.by, |provisioned| &provisioned.owner)
}
