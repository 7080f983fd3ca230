//! CloudFormation: stacks, resources, templates, results of drift detection.

use super::Reader;
use crate::aws::call::all_pages;
use crate::aws::convert::{default_value, prose, time, word};
use crate::aws::errors::{Error, absent_if_not_found};
use crate::aws::table::Op;
use crate::aws::types::{
    DriftDetection, Output, PropertyDifference, ResourceDrift, Stack, StackOperation,
    StackParameter, StackResource, StackSummary, TemplateParameter, TemplateSummary,
};
use aws_sdk_cloudformation::types;

/// Page size of the drift results (botocore model: at most 100).
const DRIFT_PAGE: i32 = 100;

impl Reader {
    /// One stack, by name or ARN; a deleted one is found by its ARN only.
    ///
    /// # Errors
    /// The request failed.
    pub async fn stack(&self, name_or_arn: &str) -> Result<Option<Stack>, Error> {
        let answer = self
            .caller
            .read(Op::DescribeStacks, || {
                self.clients.cloudformation.describe_stacks().stack_name(name_or_arn).send()
            })
            .await;
        let answer = absent_if_not_found(answer)?;
        Ok(answer
            .and_then(|answer| answer.stacks.unwrap_or_default().into_iter().next())
            .map(stack))
    }

    /// All stacks with parameters and outputs, root and nested, without deleted ones. Pages are large (1 MB).
    ///
    /// # Errors
    /// The request failed.
    pub async fn stacks(&self) -> Result<Vec<Stack>, Error> {
        let stacks = all_pages(Op::DescribeStacks, |token| async move {
            let send = || {
                self.clients.cloudformation.describe_stacks().set_next_token(token.clone()).send()
            };
            let page = self.caller.read(Op::DescribeStacks, send).await?;
            Ok((page.stacks.unwrap_or_default(), page.next_token))
        });
        Ok(stacks.await?.into_iter().map(stack).collect())
    }

    /// A line for each stack, root and nested, without deleted ones (which AWS lists for 90 days).
    ///
    /// The deleted ones are dropped here and not by AWS's filter: it wants the states to *keep*, and would hide a state
    /// that this version does not know.
    ///
    /// # Errors
    /// The request failed.
    pub async fn stack_summaries(&self) -> Result<Vec<StackSummary>, Error> {
        let summaries = all_pages(Op::ListStacks, |token| async move {
            let send =
                || self.clients.cloudformation.list_stacks().set_next_token(token.clone()).send();
            let page = self.caller.read(Op::ListStacks, send).await?;
            Ok((page.stack_summaries.unwrap_or_default(), page.next_token))
        });
        let summaries = summaries.await?.into_iter().map(|summary| StackSummary {
            id: summary.stack_id.unwrap_or_default(),
            name: summary.stack_name.unwrap_or_default(),
            status: word(summary.stack_status),
            parent_id: summary.parent_id,
            root_id: summary.root_id,
            created_at: time(summary.creation_time),
            updated_at: time(summary.last_updated_time),
            description: prose(summary.template_description),
        });
        Ok(summaries
            .filter(|summary| summary.status.as_deref() != Some("DELETE_COMPLETE"))
            .collect())
    }

    /// The resources of one stack; a nested stack is one of type `AWS::CloudFormation::Stack`. None: no such stack.
    ///
    /// # Errors
    /// The request failed.
    pub async fn stack_resources(
        &self,
        name_or_arn: &str,
    ) -> Result<Option<Vec<StackResource>>, Error> {
        let resources = all_pages(Op::ListStackResources, |token| async move {
            let send = || {
                let call =
                    self.clients.cloudformation.list_stack_resources().stack_name(name_or_arn);
                call.set_next_token(token.clone()).send()
            };
            let page = self.caller.read(Op::ListStackResources, send).await?;
            Ok((page.stack_resource_summaries.unwrap_or_default(), page.next_token))
        });
        let resources = absent_if_not_found(resources.await)?;
        Ok(resources.map(|resources| resources.into_iter().map(resource).collect()))
    }

    /// Parameters and labels of the template that a stack runs.
    ///
    /// # Errors
    /// The request failed.
    pub async fn template_summary(
        &self,
        name_or_arn: &str,
    ) -> Result<Option<TemplateSummary>, Error> {
        let answer = self
            .caller
            .read(Op::GetTemplateSummary, || {
                self.clients.cloudformation.get_template_summary().stack_name(name_or_arn).send()
            })
            .await;
        Ok(absent_if_not_found(answer)?.map(|answer| TemplateSummary {
            parameters: answer
                .parameters
                .unwrap_or_default()
                .into_iter()
                .map(template_parameter)
                .collect(),
            metadata: answer.metadata,
            description: prose(answer.description),
            resource_kinds: answer.resource_types.unwrap_or_default(),
        }))
    }

    /// How far a drift detection is.
    ///
    /// # Errors
    /// The request failed.
    pub async fn drift_detection(&self, detection_id: &str) -> Result<DriftDetection, Error> {
        let answer = self
            .caller
            .read(Op::DescribeStackDriftDetectionStatus, || {
                let call = self.clients.cloudformation.describe_stack_drift_detection_status();
                call.stack_drift_detection_id(detection_id).send()
            })
            .await?;
        Ok(DriftDetection {
            stack_id: answer.stack_id,
            status: word(answer.detection_status),
            status_reason: prose(answer.detection_status_reason),
            drift_status: word(answer.stack_drift_status),
            drifted_resources: answer.drifted_stack_resource_count,
            at: time(answer.timestamp),
        })
    }

    /// What the last drift detection found on each resource of one stack; nested stacks have their own. None: no such stack.
    ///
    /// # Errors
    /// The request failed.
    pub async fn resource_drifts(
        &self,
        name_or_arn: &str,
    ) -> Result<Option<Vec<ResourceDrift>>, Error> {
        let drifts = all_pages(Op::DescribeStackResourceDrifts, |token| async move {
            let send = || {
                let call = self
                    .clients
                    .cloudformation
                    .describe_stack_resource_drifts()
                    .stack_name(name_or_arn);
                call.max_results(DRIFT_PAGE).set_next_token(token.clone()).send()
            };
            let page = self.caller.read(Op::DescribeStackResourceDrifts, send).await?;
            Ok((page.stack_resource_drifts.unwrap_or_default(), page.next_token))
        });
        let drifts = absent_if_not_found(drifts.await)?;
        Ok(drifts.map(|drifts| drifts.into_iter().map(drift).collect()))
    }
}

fn stack(stack: types::Stack) -> Stack {
    let parameters =
        stack.parameters.unwrap_or_default().into_iter().map(|parameter| StackParameter {
            key: parameter.parameter_key.unwrap_or_default(),
            value: parameter.parameter_value,
            resolved_value: parameter.resolved_value,
        });
    let outputs = stack.outputs.unwrap_or_default().into_iter().map(|output| Output {
        key: output.output_key.unwrap_or_default(),
        value: output.output_value,
        description: prose(output.description),
    });
    let tags = stack.tags.unwrap_or_default().into_iter();
    let operations =
        stack.last_operations.unwrap_or_default().into_iter().filter_map(|operation| {
            Some(StackOperation {
                id: operation.operation_id?,
                kind: word(operation.operation_type),
            })
        });
    let (drift_status, drift_checked_at) = stack
        .drift_information
        .map(|drift| (word(drift.stack_drift_status), time(drift.last_check_timestamp)))
        .unwrap_or_default();
    Stack {
        id: stack.stack_id.unwrap_or_default(),
        name: stack.stack_name.unwrap_or_default(),
        status: word(stack.stack_status),
        status_reason: prose(stack.stack_status_reason),
        detailed_status: word(stack.detailed_status),
        parameters: parameters.collect(),
        outputs: outputs.collect(),
        tags: tags.filter_map(|tag| Some((tag.key?, tag.value?))).collect(),
        created_at: time(stack.creation_time),
        updated_at: time(stack.last_updated_time),
        role_arn: stack.role_arn,
        parent_id: stack.parent_id,
        root_id: stack.root_id,
        disable_rollback: stack.disable_rollback,
        drift_status,
        drift_checked_at,
        last_operations: operations.collect(),
    }
}

fn resource(resource: types::StackResourceSummary) -> StackResource {
    StackResource {
        logical_id: resource.logical_resource_id.unwrap_or_default(),
        physical_id: resource.physical_resource_id,
        kind: resource.resource_type.unwrap_or_default(),
        status: word(resource.resource_status),
        status_reason: prose(resource.resource_status_reason),
        updated_at: time(resource.last_updated_timestamp),
    }
}

fn template_parameter(parameter: types::ParameterDeclaration) -> TemplateParameter {
    let no_echo = parameter.no_echo.unwrap_or_default();
    TemplateParameter {
        key: parameter.parameter_key.unwrap_or_default(),
        default: default_value(parameter.default_value, no_echo),
        kind: parameter.parameter_type,
        no_echo,
        description: prose(parameter.description),
        allowed_values: parameter
            .parameter_constraints
            .and_then(|limits| limits.allowed_values)
            .unwrap_or_default(),
        ..TemplateParameter::default()
    }
}

fn drift(drift: types::StackResourceDrift) -> ResourceDrift {
    let differences =
        drift.property_differences.unwrap_or_default().into_iter().map(|difference| {
            PropertyDifference {
                path: difference.property_path.unwrap_or_default(),
                expected: difference.expected_value,
                actual: difference.actual_value,
                kind: word(difference.difference_type),
            }
        });
    ResourceDrift {
        stack_id: drift.stack_id,
        logical_id: drift.logical_resource_id,
        physical_id: drift.physical_resource_id,
        kind: drift.resource_type,
        status: word(drift.stack_resource_drift_status),
        differences: differences.collect(),
        at: time(drift.timestamp),
    }
}
