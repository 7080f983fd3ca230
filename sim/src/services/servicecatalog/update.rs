//! `UpdateProvisionedProduct`, up to its answer: what is refused at once, and the record of what is not.
//!
//! Service Catalog checks names, status and path itself; parameters are CloudFormation's to judge, which it normally does after the
//! call has answered (facts: a 200 from the update is no validation). `progress` carries on from here.

use super::access::{self, Named, invalid, named, not_found};
use super::progress::{self, Change, Refusal};
use super::records;
use super::setup::system_tags;
use super::state::{
    Artifact, ArtifactStatus, Guidance, Identity, Path, Product, Provisioned, Record, RecordKind,
    RecordStatus, Remembered, Status,
};
use crate::error::ApiError;
use crate::node::Map;
use crate::options::{NoOpUpdate, RefusalTime, TokenConflict};
use crate::services::Call;
use crate::services::cloudformation::Given;
use crate::spec::Input;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn update_provisioned_product(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let wanted = Wanted::read(&call.input)?;
    if let Some(record_id) = remembered(call)? {
        return answer(call, &record_id);
    }
    let target = wanted.resolve(call)?;
    target.check(call)?;
    let (parameters, mistake) = given(&call.input)?;

    let record_id = call.world.id("rec-");
    let change = Change {
        record_id: record_id.clone(),
        stack_id: target.provisioned.stack_id.clone(),
        template: Arc::clone(&target.artifact.template),
        parameters,
        mistake,
        launch_role: target.path.launch_role.clone(),
        caller: call.caller.clone(),
    };
    // Where refusals are told by the call, CloudFormation is asked before the answer, and has begun when it agrees.
    let asked = if judged_at_once(call) { Some(ask(call, &change)?) } else { None };
    let options = &call.world.options;
    call.world.keep_history(options.search_lag.max(options.describe_lag));
    write_down(call, &target, &record_id);
    progress::started(call.world, &call.scope, change, asked);
    answer(call, &record_id)
}

/// What a request names, each thing by id or by name.
struct Wanted<'a> {
    provisioned: Named<'a>,
    product: Named<'a>,
    artifact: Named<'a>,
}

/// What a request means.
struct Target {
    provisioned: Arc<Provisioned>,
    product: Arc<Product>,
    artifact: Artifact,
    path: Path,
}

impl<'a> Wanted<'a> {
    fn read(input: &'a Input) -> Result<Self, ApiError> {
        Ok(Self {
            provisioned: named(input, "ProvisionedProductId", "ProvisionedProductName")?,
            product: named(input, "ProductId", "ProductName")?,
            artifact: named(input, "ProvisioningArtifactId", "ProvisioningArtifactName")?,
        })
    }

    fn resolve(&self, call: &Call<'_>) -> Result<Target, ApiError> {
        let state = &call.region().servicecatalog;
        let provisioned = access::provisioned(state, self.provisioned)?;
        let product = access::product(state, self.product, |_| true)?;
        let path = access::path(
            state,
            product,
            &call.caller,
            &call.input,
            call.world.options.stale_path.as_str(),
        )?;
        let artifact = access::artifact(product, self.artifact)?;
        Ok(Target {
            provisioned: Arc::clone(provisioned),
            product: Arc::clone(product),
            artifact: artifact.clone(),
            path: path.clone(),
        })
    }
}

impl Target {
    fn check(&self, call: &Call<'_>) -> Result<(), ApiError> {
        let options = &call.world.options;
        let it = &self.provisioned;
        match it.status {
            Status::Available | Status::Tainted => {}
            // `InvalidStateException` is the natural error, but the model does not list it for this operation: an option.
            Status::UnderChange | Status::PlanInProgress | Status::Error => {
                let text = format!(
                    "Provisioned product {} cannot be updated while its status is {}.",
                    it.id,
                    it.status.as_str()
                );
                return Err(ApiError::new(options.update_under_change.as_str(), text));
            }
        }
        // Terraform AWS provider, provisioning artifact: end users cannot launch or update from an inactive one.
        if !self.artifact.active {
            return Err(not_found(&self.artifact.id));
        }
        if self.artifact.status != ArtifactStatus::Available {
            return Err(invalid(format!(
                "Provisioning artifact {} is not available.",
                self.artifact.id
            )));
        }
        let new_version = self.artifact.id != it.artifact_id;
        if self.artifact.guidance == Guidance::Deprecated
            && new_version
            && !options.update_to_deprecated
        {
            return Err(invalid(format!(
                "Provisioning artifact {} is deprecated.",
                self.artifact.id
            )));
        }
        if call.input.has("Tags") && !self.path.tag_updates {
            return Err(invalid("Tag updates are not allowed on this provisioned product."));
        }
        Ok(())
    }
}

/// The record that this request's token stands for, or `None` when it is to be carried out.
fn remembered(call: &Call<'_>) -> Result<Option<String>, ApiError> {
    let options = &call.world.options;
    let token = call.input.need("UpdateToken");
    let Some(remembered) = call.region().servicecatalog.tokens.get(token) else { return Ok(None) };
    if options.token_lifetime.is_some_and(|lifetime| call.now().since(remembered.at) > lifetime) {
        return Ok(None);
    }
    if remembered.request == request(&call.input) {
        return Ok(Some(remembered.record_id.clone()));
    }
    match options.token_with_other_request {
        TokenConflict::SameRecord => Ok(Some(remembered.record_id.clone())),
        TokenConflict::NewRecord => Ok(None),
        TokenConflict::Refused => {
            Err(invalid(format!("The token {token} was already used with other parameters.")))
        }
    }
}

/// What makes two requests the same; the language of messages does not.
fn request(input: &Input) -> Value {
    let mut request = input.0.clone();
    if let Some(members) = request.as_object_mut() {
        members.remove("AcceptLanguage");
    }
    request
}

/// The parameters of a request, and the first that CloudFormation will refuse for its form.
///
/// A value next to `UsePreviousValue` is refused, although the API reference says that it is ignored (facts: boto3 issue 4426). The
/// same key twice cannot mean anything, and is refused by the call.
fn given(input: &Input) -> Result<(BTreeMap<String, Given>, Option<String>), ApiError> {
    let mut parameters = BTreeMap::new();
    let mut mistake = None;
    for parameter in input.list("ProvisioningParameters") {
        let key = parameter.need("Key");
        let value = parameter.need("Value");
        let given = if parameter.bool("UsePreviousValue") == Some(true) {
            if !value.is_empty() && mistake.is_none() {
                mistake = Some(format!(
                    "Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and non empty value for a parameter"
                ));
            }
            Given::Previous
        } else {
            Given::Value(value.to_owned())
        };
        if parameters.insert(key.to_owned(), given).is_some() {
            return Err(invalid(format!("Parameter {key} is specified more than once.")));
        }
    }
    Ok((parameters, mistake))
}

fn judged_at_once(call: &Call<'_>) -> bool {
    let options = &call.world.options;
    options.parameter_refusal == RefusalTime::Call || options.no_op_update == NoOpUpdate::Refused
}

/// Asks CloudFormation to begin, and refuses the call where the world's options say so. Other refusals are for the record.
fn ask(call: &mut Call<'_>, change: &Change) -> Result<Result<(), Refusal>, ApiError> {
    let asked = progress::begin(call.world, &call.scope, change);
    let options = &call.world.options;
    match &asked {
        Err(Refusal::Parameters(text)) if options.parameter_refusal == RefusalTime::Call => {
            Err(ApiError::new("ValidationException", text.clone()))
        }
        Err(Refusal::NoChange(text)) if options.no_op_update == NoOpUpdate::Refused => {
            Err(ApiError::new("ValidationException", text.clone()))
        }
        _ => Ok(asked),
    }
}

/// Makes the record, and has the provisioned product show it.
fn write_down(call: &mut Call<'_>, target: &Target, record_id: &str) {
    let now = call.now();
    let token = call.input.need("UpdateToken").to_owned();
    let by: Identity = access::identity(&call.caller);
    let record = Record {
        id: record_id.to_owned(),
        number: 0,
        kind: RecordKind::Update,
        status: RecordStatus::Created,
        created: now,
        updated: now,
        provisioned_id: target.provisioned.id.clone(),
        provisioned_name: target.provisioned.name.clone(),
        product_id: target.product.id.clone(),
        artifact_id: target.artifact.id.clone(),
        path_id: Some(target.path.id.clone()),
        launch_role: target.path.launch_role.clone(),
        errors: Vec::new(),
        tags: system_tags(&call.scope, &target.product.id, &target.path, &by),
        outputs: Arc::default(),
        by,
    };
    let request = request(&call.input);
    let tags = call.input.has("Tags").then(|| call.input.list("Tags"));
    let state = &mut call.region_mut().servicecatalog;
    state.add_record(record);
    state
        .tokens
        .insert(token.clone(), Remembered { request, record_id: record_id.to_owned(), at: now });
    let Some(it) = state.provisioned_mut(&target.provisioned.id) else { return };
    it.status = Status::UnderChange;
    it.message = None;
    it.token = Some(token);
    it.last_record = Some(record_id.to_owned());
    it.last_provisioning_record = Some(record_id.to_owned());
    it.product_id.clone_from(&target.product.id);
    it.artifact_id.clone_from(&target.artifact.id);
    it.launch_role.clone_from(&target.path.launch_role);
    if let Some(tags) = tags {
        it.tags.retain(|(key, _)| key.starts_with("aws:"));
        it.tags.splice(
            ..0,
            tags.iter().map(|tag| (tag.need("Key").to_owned(), tag.need("Value").to_owned())),
        );
    }
}

fn answer(call: &Call<'_>, record_id: &str) -> Result<Map, ApiError> {
    let record =
        call.region().servicecatalog.record(record_id).ok_or_else(|| not_found(record_id))?;
    Ok(Map::new().with("RecordDetail", records::detail(record)))
}
