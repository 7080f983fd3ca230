//! The operations that change stacks, and drift detection (which writes its result).

use super::read::{NAME_OR_ID, TOKEN, find, page};
use super::start::refused;
use super::state::Status;
use super::template::Template;
use super::{Given, Update, drift};
use crate::error::ApiError;
use crate::node::Map;
use crate::services::Call;
use crate::services::iam::Principal;
use crate::spec::{Member, Operation, Shape, TEXT, list, opt, pattern, req, text};
use std::collections::BTreeMap;
use std::sync::Arc;

const ROLE: Shape = text(20, 2048);
const REQUEST_TOKEN: Shape = pattern(1, 128, "[a-zA-Z0-9][-a-zA-Z0-9]*");
const SKIPPED: Shape = pattern(0, usize::MAX, r"[a-zA-Z0-9]+|[a-zA-Z][-a-zA-Z0-9]*\.[a-zA-Z0-9]+");
const DETECTION_ID: Shape = text(1, 36);
const TAG: &[Member] = &[req("Key", text(1, 128)), req("Value", text(1, 256))];
const PARAMETER: &[Member] = &[
    opt("ParameterKey", TEXT),
    opt("ParameterValue", TEXT),
    opt("UsePreviousValue", Shape::Bool),
    opt("ResolvedValue", TEXT),
];
const TRIGGER: &[Member] = &[req("Arn", TEXT), req("Type", TEXT)];
const ROLLBACK_CONFIGURATION: &[Member] = &[
    opt("RollbackTriggers", Shape::List { item: &Shape::Struct(TRIGGER), name: "member", max: 5 }),
    opt("MonitoringTimeInMinutes", Shape::Int { min: 0, max: 180 }),
];
const DEPLOYMENT: &[Member] =
    &[opt("Mode", Shape::Enum(&["STANDARD", "EXPRESS"])), opt("DisableRollback", Shape::Bool)];
const CAPABILITY: Shape =
    Shape::Enum(&["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]);
const RESOURCE_DRIFT: Shape =
    Shape::Enum(&["IN_SYNC", "MODIFIED", "DELETED", "NOT_CHECKED", "UNKNOWN", "UNSUPPORTED"]);
/// Resource drifts a page, when nothing else is asked for.
const DRIFTS_PER_PAGE: i64 = 100;

pub(super) const CONTINUE_UPDATE_ROLLBACK: Operation = Operation::write(
    "ContinueUpdateRollback",
    &[
        req("StackName", NAME_OR_ID),
        opt("RoleARN", ROLE),
        opt("ResourcesToSkip", list(&SKIPPED)),
        opt("ClientRequestToken", REQUEST_TOKEN),
        opt("ForceRollback", Shape::Bool),
    ],
    continue_update_rollback,
);
pub(super) const UPDATE_STACK: Operation = Operation::write(
    "UpdateStack",
    &[
        req("StackName", TEXT),
        opt("TemplateBody", text(1, usize::MAX)),
        opt("TemplateURL", text(1, 5120)),
        opt("UsePreviousTemplate", Shape::Bool),
        opt("StackPolicyDuringUpdateBody", text(1, 16384)),
        opt("StackPolicyDuringUpdateURL", text(1, 5120)),
        opt("Parameters", list(&Shape::Struct(PARAMETER))),
        opt("Capabilities", list(&CAPABILITY)),
        opt("ResourceTypes", list(&text_256())),
        opt("RoleARN", ROLE),
        opt("RollbackConfiguration", Shape::Struct(ROLLBACK_CONFIGURATION)),
        opt("StackPolicyBody", text(1, 16384)),
        opt("StackPolicyURL", text(1, 5120)),
        opt("NotificationARNs", Shape::List { item: &TEXT, name: "member", max: 5 }),
        opt("Tags", Shape::List { item: &Shape::Struct(TAG), name: "member", max: 50 }),
        opt("DisableRollback", Shape::Bool),
        opt("ClientRequestToken", REQUEST_TOKEN),
        opt("RetainExceptOnCreate", Shape::Bool),
        opt("DeploymentConfig", Shape::Struct(DEPLOYMENT)),
        opt("DisableValidation", Shape::Bool),
    ],
    update_stack,
);
pub(super) const DETECT_STACK_DRIFT: Operation = Operation::write(
    "DetectStackDrift",
    &[
        req("StackName", NAME_OR_ID),
        opt("LogicalResourceIds", Shape::List { item: &TEXT, name: "member", max: 200 }),
    ],
    detect_stack_drift,
);
pub(super) const DESCRIBE_STACK_DRIFT_DETECTION_STATUS: Operation = Operation::read(
    "DescribeStackDriftDetectionStatus",
    &[req("StackDriftDetectionId", DETECTION_ID)],
    describe_stack_drift_detection_status,
);
pub(super) const DESCRIBE_STACK_RESOURCE_DRIFTS: Operation = Operation::read(
    "DescribeStackResourceDrifts",
    &[
        req("StackName", NAME_OR_ID),
        opt(
            "StackResourceDriftStatusFilters",
            Shape::List { item: &RESOURCE_DRIFT, name: "member", max: 4 },
        ),
        opt("NextToken", TOKEN),
        opt("MaxResults", Shape::Int { min: 1, max: 100 }),
    ],
    describe_stack_resource_drifts,
);

const fn text_256() -> Shape {
    text(1, 256)
}

/// As whom CloudFormation acts: the role it is given, else the caller.
fn acting(call: &Call<'_>, role: Option<&str>) -> Result<Principal, ApiError> {
    let Some(role) = role else { return Ok(call.caller.clone()) };
    Principal::of_role(role, "AWSCloudFormation")
        .ok_or_else(|| refused(format!("Role {role} is invalid or cannot be assumed")))
}

/// Whether a request with this token has been accepted before; the same request again is no new operation.
///
/// # Errors
/// `TokenAlreadyExistsException` when the token came with another request.
fn seen_before(call: &Call<'_>, request: &str) -> Result<bool, ApiError> {
    let Some(token) = call.input.text("ClientRequestToken").map(str::to_owned) else {
        return Ok(false);
    };
    match call.region().cloudformation.tokens.get(&token) {
        None => Ok(false),
        Some(before) if before == request => Ok(true),
        Some(_) => Err(ApiError::new(
            "TokenAlreadyExistsException",
            format!("A client request token [{token}] already exists"),
        )),
    }
}

fn remember(call: &mut Call<'_>, request: String) {
    if let Some(token) = call.input.text("ClientRequestToken").map(str::to_owned) {
        call.region_mut().cloudformation.tokens.insert(token, request);
    }
}

fn continue_update_rollback(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let name = call.input.need("StackName").to_owned();
    let skip = call.input.texts("ResourcesToSkip");
    let request = format!("continue {name} {skip:?}");
    if seen_before(call, &request)? {
        return Ok(Map::new());
    }
    let role = call.input.text("RoleARN").map(str::to_owned);
    let stack_role =
        call.region().cloudformation.find(&name).and_then(|stack| stack.role_arn.clone());
    let principal = acting(call, role.or(stack_role).as_deref())?;
    let force = call.input.bool("ForceRollback").unwrap_or(false);
    super::start::continue_rollback(call.world, &call.scope, &principal, &name, &skip, force)?;
    remember(call, request);
    Ok(Map::new())
}

/// Reads a template in JSON or YAML (short function tags are not read).
pub(super) fn parse(
    body: &str,
    nested: &BTreeMap<String, Arc<Template>>,
) -> Result<Template, ApiError> {
    let value = serde_yaml::from_str(body)
        .map_err(|error| refused(format!("Template format error: {error}")))?;
    Template::parse(value, nested.clone())
        .map_err(|error| refused(format!("Template format error: {error}")))
}

/// The template that a URL names: those of the product's versions and their nested ones are known.
pub(super) fn at_url(call: &Call<'_>, url: &str) -> Result<Arc<Template>, ApiError> {
    let nested = call
        .region()
        .cloudformation
        .stacks
        .values()
        .find_map(|stack| stack.template.nested.get(url));
    nested.cloned().ok_or_else(|| refused(format!("S3 error: Access Denied for {url}")))
}

fn update_stack(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let name = call.input.need("StackName").to_owned();
    let stack = Arc::clone(find(call, &name, || format!("Stack [{name}] does not exist"))?);
    let template = match (
        call.input.text("TemplateBody"),
        call.input.text("TemplateURL"),
        call.input.bool("UsePreviousTemplate"),
    ) {
        (None, None, Some(true)) => Arc::clone(&stack.template),
        (Some(body), None, _) => Arc::new(parse(body, &stack.template.nested)?),
        (None, Some(url), _) => at_url(call, url)?,
        _ => return Err(refused("Either Template URL or Template Body must be specified.")),
    };
    let mut parameters = BTreeMap::new();
    for parameter in call.input.list("Parameters") {
        let key = parameter.need("ParameterKey").to_owned();
        let previous = parameter.bool("UsePreviousValue").unwrap_or(false);
        let value = parameter.text("ParameterValue");
        if previous && value.is_some() {
            return Err(refused(format!(
                "Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and non empty value for a parameter"
            )));
        }
        parameters.insert(
            key,
            if previous {
                Given::Previous
            } else {
                Given::Value(value.unwrap_or_default().to_owned())
            },
        );
    }
    let request = format!("update {name} {parameters:?}");
    let answer = |stack_id: &str| Map::new().with("StackId", stack_id);
    if seen_before(call, &request)? {
        return Ok(answer(&stack.id));
    }
    let role_arn = call.input.text("RoleARN").map(str::to_owned).or_else(|| stack.role_arn.clone());
    let principal = acting(call, role_arn.as_deref())?;
    let client_token = call.input.text("ClientRequestToken").map(str::to_owned);
    super::start_update(
        call.world,
        &call.scope,
        &principal,
        Update { stack_name: name, template, parameters, role_arn, client_token },
    )?;
    remember(call, request);
    let operation = call
        .region()
        .cloudformation
        .find(&stack.id)
        .and_then(|stack| stack.operations.last().map(|operation| operation.id.clone()));
    Ok(answer(&stack.id).maybe("OperationId", operation))
}

fn detect_stack_drift(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let name = call.input.need("StackName").to_owned();
    let stack = Arc::clone(find(call, &name, || format!("Stack [{name}] does not exist"))?);
    if !drift::allowed(stack.status) {
        return Err(refused(format!(
            "Drift detection cannot be performed on stack [{}] while in stack status [{}]",
            stack.id,
            stack.status.as_str()
        )));
    }
    if call
        .region()
        .cloudformation
        .detections
        .values()
        .any(|detection| detection.stack_id == stack.id && !detection.done)
    {
        return Err(refused(format!(
            "Drift detection is already in progress for stack [{}]",
            stack.id
        )));
    }
    let id = drift::start(call.world, &call.scope, &stack.name);
    Ok(Map::new().with("StackDriftDetectionId", id))
}

fn describe_stack_drift_detection_status(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let id = call.input.need("StackDriftDetectionId");
    let detection = call
        .region()
        .cloudformation
        .detections
        .get(id)
        .ok_or_else(|| refused(format!("Drift detection {id} does not exist")))?;
    let status = match (detection.done, &detection.failed) {
        (false, _) => "DETECTION_IN_PROGRESS",
        (true, Some(_)) => "DETECTION_FAILED",
        (true, None) => "DETECTION_COMPLETE",
    };
    let mut answer =
        Map::new().with("StackId", &detection.stack_id).with("StackDriftDetectionId", id);
    if detection.done {
        answer = answer.with("StackDriftStatus", detection.status);
    }
    answer = answer
        .with("DetectionStatus", status)
        .maybe("DetectionStatusReason", detection.failed.as_ref());
    if detection.done {
        answer = answer.with("DriftedStackResourceCount", detection.drifted);
    }
    Ok(answer.with("Timestamp", detection.started))
}

fn describe_stack_resource_drifts(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let name = call.input.need("StackName").to_owned();
    let stack = find(call, &name, || format!("Stack with id {name} does not exist"))?;
    if stack.status == Status::DeleteComplete {
        return Err(refused(format!("Stack with id {name} does not exist")));
    }
    let wanted = call.input.texts("StackResourceDriftStatusFilters");
    let found = stack.resources.iter().filter_map(|(logical_id, resource)| {
        resource.drift.as_ref().map(|(drift, at)| (logical_id, resource, drift, *at))
    });
    let found = found.filter(|(_, _, drift, _)| {
        wanted.is_empty() || wanted.iter().any(|status| status == drift.status)
    });
    let size =
        usize::try_from(call.input.int("MaxResults").unwrap_or(DRIFTS_PER_PAGE)).unwrap_or(1);
    let page = page(call, found, &format!("drifts-{}", stack.id), size)?;
    let drifts = page.items.into_iter().map(|(logical_id, resource, drift, at)| {
        let compared = matches!(drift.status, "IN_SYNC" | "MODIFIED" | "DELETED");
        let differences = drift.differences.iter().map(|(path, expected, actual, kind)| {
            Map::new()
                .with("PropertyPath", path)
                .with("ExpectedValue", expected)
                .with("ActualValue", actual)
                .with("DifferenceType", *kind)
        });
        Map::new()
            .with("StackId", &stack.id)
            .with("LogicalResourceId", logical_id)
            .with("PhysicalResourceId", &resource.physical_id)
            .with("ResourceType", &*resource.kind)
            .maybe("ExpectedProperties", compared.then(|| hide(stack, &drift.expected)))
            .maybe(
                "ActualProperties",
                (compared && drift.status != "DELETED").then(|| hide(stack, &drift.actual)),
            )
            .list("PropertyDifferences", differences)
            .with("StackResourceDriftStatus", drift.status)
            .with("Timestamp", at)
    });
    Ok(Map::new().list("StackResourceDrifts", drifts).maybe("NextToken", page.next))
}

/// Properties as JSON text, with the stack's secrets masked.
fn hide(stack: &super::state::Stack, properties: &serde_json::Value) -> String {
    let mut text = properties.to_string();
    for parameter in stack.template.parameters.iter().filter(|parameter| parameter.no_echo) {
        if let Some(secret) =
            stack.parameters.given.get(&parameter.key).filter(|secret| !secret.is_empty())
        {
            text = text.replace(secret.as_str(), "****");
        }
    }
    text
}
