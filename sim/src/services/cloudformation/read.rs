//! The operations that look at stacks.

use super::start::refused;
use super::state::{Event, NESTED, Resource, Stack, Status};
use super::template::{Parameter, Template};
use crate::error::ApiError;
use crate::node::{Map, Node};
use crate::services::Call;
use crate::services::paging::{self, Page};
use crate::spec::{Member, Operation, Shape, TEXT, list, opt, pattern, req, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Pages end at 1 MB; this many entries of a TED stay below it.
const STACKS_PER_PAGE: usize = 100;
const EVENTS_PER_PAGE: usize = 100;
const RESOURCES_PER_PAGE: usize = 100;
/// `DescribeStackResources` is not paged and shows the first 100.
const RESOURCES_SHOWN: usize = 100;

pub(super) const TOKEN: Shape = text(1, 1024);
/// A stack's name or ARN, as newer operations check it.
pub(super) const NAME_OR_ID: Shape = pattern(
    1,
    usize::MAX,
    r"([a-zA-Z][-a-zA-Z0-9]*)|(arn:\b(aws|aws-us-gov|aws-cn)\b:[-a-zA-Z0-9:/._+]*)",
);
const CHANGE_SET: Shape = pattern(1, 1600, "[a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/]*");
const STATUSES: Shape = Shape::Enum(&[
    "CREATE_IN_PROGRESS",
    "CREATE_FAILED",
    "CREATE_COMPLETE",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_FAILED",
    "ROLLBACK_COMPLETE",
    "DELETE_IN_PROGRESS",
    "DELETE_FAILED",
    "DELETE_COMPLETE",
    "UPDATE_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE",
    "REVIEW_IN_PROGRESS",
    "IMPORT_IN_PROGRESS",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_IN_PROGRESS",
    "IMPORT_ROLLBACK_FAILED",
    "IMPORT_ROLLBACK_COMPLETE",
]);

pub(super) const DESCRIBE_STACKS: Operation = Operation::read(
    "DescribeStacks",
    &[opt("StackName", TEXT), opt("NextToken", TOKEN)],
    describe_stacks,
);
pub(super) const LIST_STACKS: Operation = Operation::read(
    "ListStacks",
    &[opt("NextToken", TOKEN), opt("StackStatusFilter", list(&STATUSES))],
    list_stacks,
);
pub(super) const DESCRIBE_STACK_EVENTS: Operation = Operation::read(
    "DescribeStackEvents",
    &[req("StackName", TEXT), opt("NextToken", TOKEN)],
    describe_stack_events,
);
pub(super) const DESCRIBE_EVENTS: Operation = Operation::read(
    "DescribeEvents",
    &[
        opt("StackName", NAME_OR_ID),
        opt("ChangeSetName", CHANGE_SET),
        opt("OperationId", TEXT),
        opt("Filters", Shape::Struct(FILTERS)),
        opt("NextToken", TOKEN),
    ],
    describe_events,
);
const FILTERS: &[Member] = &[opt("FailedEvents", Shape::Bool)];
pub(super) const LIST_STACK_RESOURCES: Operation = Operation::read(
    "ListStackResources",
    &[req("StackName", TEXT), opt("NextToken", TOKEN)],
    list_stack_resources,
);
pub(super) const DESCRIBE_STACK_RESOURCES: Operation = Operation::read(
    "DescribeStackResources",
    &[opt("StackName", TEXT), opt("LogicalResourceId", TEXT), opt("PhysicalResourceId", TEXT)],
    describe_stack_resources,
);
pub(super) const GET_TEMPLATE: Operation = Operation::read(
    "GetTemplate",
    &[
        opt("StackName", TEXT),
        opt("ChangeSetName", CHANGE_SET),
        opt("TemplateStage", Shape::Enum(&["Original", "Processed"])),
    ],
    get_template,
);
pub(super) const GET_TEMPLATE_SUMMARY: Operation = Operation::read(
    "GetTemplateSummary",
    &[
        opt("TemplateBody", text(1, usize::MAX)),
        opt("TemplateURL", text(1, 5120)),
        opt("StackName", NAME_OR_ID),
        opt(
            "StackSetName",
            pattern(
                0,
                usize::MAX,
                "[a-zA-Z][-a-zA-Z0-9]*(?::[a-zA-Z0-9]{8}-[a-zA-Z0-9]{4}-[a-zA-Z0-9]{4}-[a-zA-Z0-9]{4}-[a-zA-Z0-9]{12})?",
            ),
        ),
        opt("CallAs", Shape::Enum(&["SELF", "DELEGATED_ADMIN"])),
        opt("TemplateSummaryConfig", Shape::Struct(SUMMARY_CONFIG)),
    ],
    get_template_summary,
);
const SUMMARY_CONFIG: &[Member] = &[opt("TreatUnrecognizedResourceTypesAsWarnings", Shape::Bool)];

/// The stack called `name` (or with this ARN).
pub(super) fn find<'w>(
    call: &'w Call<'_>,
    name: &str,
    missing: impl FnOnce() -> String,
) -> Result<&'w Arc<Stack>, ApiError> {
    call.region().cloudformation.find(name).ok_or_else(|| refused(missing()))
}

/// The page that the call's `NextToken` asks for.
pub(super) fn page<T>(
    call: &Call<'_>,
    items: impl IntoIterator<Item = T>,
    of: &str,
    size: usize,
) -> Result<Page<T>, ApiError> {
    paging::page(items, of, call.input.text("NextToken"), size, call.world.options.page_size)
        .map_err(|_| refused("Invalid NextToken"))
}

fn describe_stacks(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let all = call.region().cloudformation.stacks.values();
    let stacks: Vec<&Arc<Stack>> =
        match call.input.text("StackName").filter(|name| !name.is_empty()) {
            Some(name) => {
                vec![find(call, name, || format!("Stack with id {name} does not exist"))?]
            }
            None => all.collect(),
        };
    let page = page(call, stacks, "stacks", STACKS_PER_PAGE)?;
    Ok(Map::new()
        .list("Stacks", page.items.into_iter().map(|stack| detail(call, stack)))
        .maybe("NextToken", page.next))
}

fn detail(call: &Call<'_>, stack: &Stack) -> Map {
    let mask = call.world.options.no_echo_mask.as_str();
    let parameters = stack.parameters.given.iter().map(|(key, value)| {
        let hidden = stack.template.parameter(key).is_some_and(|parameter| parameter.no_echo);
        Map::new()
            .with("ParameterKey", key)
            .with("ParameterValue", if hidden { mask } else { value.as_str() })
            .maybe("ResolvedValue", stack.parameters.resolved.get(key))
    });
    let outputs = stack.outputs.iter().map(|output| {
        Map::new()
            .with("OutputKey", &output.key)
            .with("OutputValue", &output.value)
            .maybe("Description", output.description.as_ref())
            .maybe("ExportName", output.export.as_ref())
    });
    let tags =
        stack.tags.iter().map(|(key, value)| Map::new().with("Key", key).with("Value", value));
    let operations = stack.operations.iter().rev().map(|operation| {
        Map::new().with("OperationType", operation.kind).with("OperationId", &operation.id)
    });
    Map::new()
        .with("StackId", &stack.id)
        .with("StackName", &stack.name)
        .maybe("Description", Some(&stack.template.description).filter(|text| !text.is_empty()))
        .list("Parameters", parameters)
        .with("CreationTime", stack.created)
        .maybe("DeletionTime", stack.deleted)
        .maybe("LastUpdatedTime", stack.updated)
        .with("RollbackConfiguration", Map::new())
        .with("StackStatus", stack.status.as_str())
        .maybe("StackStatusReason", stack.reason.as_ref())
        .with("DisableRollback", false)
        .list("NotificationARNs", Vec::<Node>::new())
        .list("Capabilities", ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"])
        .list("Outputs", outputs)
        .maybe("RoleARN", stack.role_arn.as_ref())
        .list("Tags", tags)
        .with("EnableTerminationProtection", false)
        .maybe("ParentId", parent_id(call, stack))
        .maybe("RootId", root_id(call, stack))
        .with("DriftInformation", drift_information(stack))
        .list("LastOperations", operations)
}

fn parent_id<'w>(call: &'w Call<'_>, stack: &Stack) -> Option<&'w String> {
    let (parent, _) = stack.parent.as_ref()?;
    call.region().cloudformation.stacks.get(parent).map(|stack| &stack.id)
}

fn root_id<'w>(call: &'w Call<'_>, stack: &Stack) -> Option<&'w String> {
    stack.parent.as_ref()?;
    call.region().cloudformation.stacks.get(&stack.root).map(|stack| &stack.id)
}

fn drift_information(stack: &Stack) -> Map {
    Map::new()
        .with("StackDriftStatus", stack.drift.status.unwrap_or("NOT_CHECKED"))
        .maybe("LastCheckTimestamp", stack.drift.checked)
}

fn list_stacks(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let wanted = call.input.texts("StackStatusFilter");
    let state = &call.region().cloudformation;
    let all = state.stacks.values().chain(state.deleted.iter());
    let stacks: Vec<&Arc<Stack>> = all
        .filter(|stack| {
            wanted.is_empty() || wanted.iter().any(|status| status == stack.status.as_str())
        })
        .collect();
    let page = page(call, stacks, "list-stacks", STACKS_PER_PAGE)?;
    let summaries = page.items.into_iter().map(|stack| {
        Map::new()
            .with("StackId", &stack.id)
            .with("StackName", &stack.name)
            .maybe(
                "TemplateDescription",
                Some(&stack.template.description).filter(|text| !text.is_empty()),
            )
            .with("CreationTime", stack.created)
            .maybe("LastUpdatedTime", stack.updated)
            .maybe("DeletionTime", stack.deleted)
            .with("StackStatus", stack.status.as_str())
            .maybe("StackStatusReason", stack.reason.as_ref())
            .maybe("ParentId", parent_id(call, stack))
            .maybe("RootId", root_id(call, stack))
            .with("DriftInformation", drift_information(stack))
    });
    Ok(Map::new().list("StackSummaries", summaries).maybe("NextToken", page.next))
}

fn describe_stack_events(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let name = call.input.need("StackName").to_owned();
    let stack = find(call, &name, || format!("Stack [{name}] does not exist"))?;
    let page =
        page(call, stack.events.iter().rev(), &format!("events-{}", stack.id), EVENTS_PER_PAGE)?;
    let events = page.items.into_iter().map(|event| {
        Map::new()
            .with("StackId", &stack.id)
            .with("EventId", &event.id)
            .with("StackName", &stack.name)
            .maybe("OperationId", event.operation.as_deref())
            .with("LogicalResourceId", &event.logical_id)
            .maybe("PhysicalResourceId", Some(&event.physical_id).filter(|id| !id.is_empty()))
            .with("ResourceType", &*event.kind)
            .with("Timestamp", event.at)
            .with("ResourceStatus", event.status)
            .maybe("ResourceStatusReason", event.reason.as_ref())
            .maybe("ClientRequestToken", event.token.as_deref())
    });
    Ok(Map::new().list("StackEvents", events).maybe("NextToken", page.next))
}

/// Events by operation. What AWS groups under one operation id in a tree of stacks is not documented; here the nested stacks share
/// their root's.
fn describe_events(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let input = &call.input;
    let named = [input.text("StackName"), input.text("ChangeSetName"), input.text("OperationId")];
    if named.iter().flatten().count() != 1 {
        return Err(refused(
            "Exactly one of StackName, ChangeSetName or OperationId must be specified",
        ));
    }
    if let Some(name) = input.text("ChangeSetName") {
        return Err(ApiError::new(
            "ChangeSetNotFound",
            format!("ChangeSet [{name}] does not exist"),
        )
        .with_status(404));
    }
    let failed_only =
        input.inner("Filters").and_then(|filters| filters.bool("FailedEvents")).unwrap_or(false);
    let state = &call.region().cloudformation;
    let mut found: Vec<(&Arc<Stack>, &Event)> =
        match (input.text("StackName"), input.text("OperationId")) {
            (Some(name), _) => {
                let stack = find(call, name, || format!("Stack [{name}] does not exist"))?;
                stack.events.iter().map(|event| (stack, event)).collect()
            }
            (None, operation) => {
                let operation = operation.unwrap_or_default();
                let all = state
                    .stacks
                    .values()
                    .flat_map(|stack| stack.events.iter().map(move |event| (stack, event)));
                let found: Vec<_> = all
                    .filter(|(_, event)| event.operation.as_deref() == Some(operation))
                    .collect();
                if found.is_empty() {
                    return Err(refused(format!("Operation [{operation}] does not exist")));
                }
                found
            }
        };
    found.retain(|(_, event)| !failed_only || event.status.ends_with("_FAILED"));
    found.sort_by_key(|(_, event)| std::cmp::Reverse(event.at));
    let page = page(call, found, "operation-events", EVENTS_PER_PAGE)?;
    let events = page.items.into_iter().map(|(stack, event)| operation_event(stack, event));
    Ok(Map::new().list("OperationEvents", events).maybe("NextToken", page.next))
}

fn operation_event(stack: &Stack, event: &Event) -> Map {
    let operation = stack
        .operations
        .iter()
        .find(|operation| Some(operation.id.as_str()) == event.operation.as_deref());
    let status = operation.map(|operation| match (operation.ended, operation.failed) {
        (None, _) => "IN_PROGRESS",
        (Some(_), true) => "FAILED",
        (Some(_), false) => "SUCCEEDED",
    });
    let is_stack = event.physical_id == stack.id;
    let kind = match (event.status.ends_with("_FAILED"), is_stack) {
        (true, false) => "PROVISIONING_ERROR",
        (_, true) => "STACK_EVENT",
        (false, false) => "PROGRESS_EVENT",
    };
    Map::new()
        .with("EventId", &event.id)
        .with("StackId", &stack.id)
        .maybe("OperationId", event.operation.as_deref())
        .maybe("OperationType", operation.map(|operation| operation.kind))
        .maybe("OperationStatus", status)
        .with("EventType", kind)
        .with("LogicalResourceId", &event.logical_id)
        .maybe("PhysicalResourceId", Some(&event.physical_id).filter(|id| !id.is_empty()))
        .with("ResourceType", &*event.kind)
        .with("Timestamp", event.at)
        .maybe("StartTime", operation.map(|operation| operation.started))
        .maybe("EndTime", operation.and_then(|operation| operation.ended))
        .with("ResourceStatus", event.status)
        .maybe("ResourceStatusReason", event.reason.as_ref())
        .maybe("ClientRequestToken", event.token.as_deref())
}

fn resource_drift(resource: &Resource) -> Map {
    let drift = resource.drift.as_ref();
    Map::new()
        .with("StackResourceDriftStatus", drift.map_or("NOT_CHECKED", |(drift, _)| drift.status))
        .maybe("LastCheckTimestamp", drift.map(|(_, at)| *at))
}

fn list_stack_resources(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let name = call.input.need("StackName").to_owned();
    let stack = find(call, &name, || format!("Stack with id {name} does not exist"))?;
    let page =
        page(call, stack.resources.iter(), &format!("resources-{}", stack.id), RESOURCES_PER_PAGE)?;
    let resources = page.items.into_iter().map(|(logical_id, resource)| {
        Map::new()
            .with("LogicalResourceId", logical_id)
            .maybe("PhysicalResourceId", Some(&resource.physical_id).filter(|id| !id.is_empty()))
            .with("ResourceType", &*resource.kind)
            .with("LastUpdatedTimestamp", resource.updated)
            .with("ResourceStatus", resource.status.as_str())
            .maybe("ResourceStatusReason", resource.reason.as_ref())
            .with("DriftInformation", resource_drift(resource))
    });
    Ok(Map::new().list("StackResourceSummaries", resources).maybe("NextToken", page.next))
}

fn describe_stack_resources(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let input = &call.input;
    let stack = match (input.text("StackName"), input.text("PhysicalResourceId")) {
        (Some(name), None) => find(call, name, || format!("Stack with id {name} does not exist"))?,
        (None, Some(physical_id)) => {
            let owns = |stack: &&Arc<Stack>| {
                stack.resources.values().any(|resource| resource.physical_id == physical_id)
            };
            let owner = call.region().cloudformation.stacks.values().find(owns);
            owner.ok_or_else(|| refused(format!("Stack for {physical_id} does not exist")))?
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(refused(
                "Exactly one of StackName or PhysicalResourceId must be specified",
            ));
        }
    };
    let wanted = input.text("LogicalResourceId");
    let resources: Vec<Map> = stack
        .resources
        .iter()
        .filter(|(logical_id, _)| wanted.is_none_or(|wanted| wanted == logical_id.as_str()))
        .take(RESOURCES_SHOWN)
        .map(|(logical_id, resource)| {
            Map::new()
                .with("StackName", &stack.name)
                .with("StackId", &stack.id)
                .with("LogicalResourceId", logical_id)
                .maybe(
                    "PhysicalResourceId",
                    Some(&resource.physical_id).filter(|id| !id.is_empty()),
                )
                .with("ResourceType", &*resource.kind)
                .with("Timestamp", resource.updated)
                .with("ResourceStatus", resource.status.as_str())
                .maybe("ResourceStatusReason", resource.reason.as_ref())
                .with("DriftInformation", resource_drift(resource))
        })
        .collect();
    if let (Some(wanted), true) = (wanted, resources.is_empty()) {
        return Err(refused(format!("Resource {wanted} does not exist for stack {}", stack.name)));
    }
    Ok(Map::new().list("StackResources", resources))
}

fn get_template(call: &mut Call<'_>) -> Result<Map, ApiError> {
    if let Some(name) = call.input.text("ChangeSetName") {
        return Err(ApiError::new(
            "ChangeSetNotFound",
            format!("ChangeSet [{name}] does not exist"),
        )
        .with_status(404));
    }
    let name = call
        .input
        .text("StackName")
        .ok_or_else(|| refused("Either StackName or ChangeSetName must be specified"))?
        .to_owned();
    let stack = find(call, &name, || format!("Stack with id {name} does not exist"))?;
    Ok(Map::new()
        .with("TemplateBody", stack.template.body.to_string())
        .list("StagesAvailable", ["Original", "Processed"]))
}

fn get_template_summary(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let input = &call.input;
    if let Some(name) = input.text("StackSetName") {
        return Err(ApiError::new(
            "StackSetNotFoundException",
            format!("StackSet {name} not found"),
        )
        .with_status(404));
    }
    let template =
        match (input.text("StackName"), input.text("TemplateBody"), input.text("TemplateURL")) {
            (Some(name), None, None) => Arc::clone(
                &find(call, name, || format!("Stack with id {name} does not exist"))?.template,
            ),
            (None, Some(body), None) => Arc::new(super::write::parse(body, &BTreeMap::new())?),
            (None, None, Some(url)) => super::write::at_url(call, url)?,
            _ => {
                return Err(refused(
                    "Exactly one of StackName, TemplateBody or TemplateURL must be specified",
                ));
            }
        };
    Ok(summary(&template, call.world.options.empty_default == crate::options::EmptyDefault::Shown))
}

fn summary(template: &Template, shows_empty: bool) -> Map {
    let declared = |parameter: &Parameter| {
        let constraints = match parameter.allowed_values.as_slice() {
            [] => Map::new(),
            values => Map::new().list("AllowedValues", values.iter()),
        };
        Map::new()
            .with("ParameterKey", &parameter.key)
            .maybe(
                "DefaultValue",
                parameter.default.as_ref().filter(|value| shows_empty || !value.is_empty()),
            )
            .with("ParameterType", &parameter.kind)
            .with("NoEcho", parameter.no_echo)
            .maybe("Description", parameter.description.as_ref())
            .with("ParameterConstraints", constraints)
    };
    let types: BTreeSet<&str> = template
        .resources()
        .values()
        .filter_map(|resource| resource.get("Type").and_then(Value::as_str))
        .collect();
    let needs_iam = types.iter().any(|kind| kind.starts_with("AWS::IAM::") || *kind == NESTED);
    let mut identifiers: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for (logical_id, resource) in template.resources() {
        identifiers
            .entry(resource.get("Type").and_then(Value::as_str).unwrap_or_default())
            .or_default()
            .push(logical_id);
    }
    let summaries = identifiers.into_iter().map(|(kind, ids)| {
        Map::new()
            .with("ResourceType", kind)
            .list("LogicalResourceIds", ids)
            .list("ResourceIdentifiers", ["Id"])
    });
    let mut answer = Map::new()
        .list("Parameters", template.parameters.iter().map(declared))
        .maybe("Description", Some(&template.description).filter(|text| !text.is_empty()));
    if needs_iam {
        answer = answer.list("Capabilities", ["CAPABILITY_NAMED_IAM"]).with(
            "CapabilitiesReason",
            "The following resource(s) require capabilities: [AWS::IAM::Role]",
        );
    }
    answer
        .list("ResourceTypes", types)
        .with("Version", "2010-09-09")
        .maybe("Metadata", template.metadata.as_ref().map(Value::to_string))
        .list("DeclaredTransforms", Vec::<Node>::new())
        .list("ResourceIdentifierSummaries", summaries)
}

/// The stack statuses that `view` counts as under change.
pub(super) fn under_change(status: Status) -> bool {
    status.as_str().ends_with("_IN_PROGRESS")
}
