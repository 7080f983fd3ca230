//! CloudFormation: what happened, per stack and per operation.

use super::Reader;
use crate::aws::call::{all_pages, pages_until};
use crate::aws::convert::{prose, time, word};
use crate::aws::errors::{Error, absent_if_not_found};
use crate::aws::table::Op;
use crate::aws::types::{OperationEvent, StackEvent, StackEvents};
use aws_sdk_cloudformation::types;
use jiff::Timestamp;

/// Whose operation events to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationEventsOf {
    /// Those of a stack, by name or ARN.
    Stack(String),
    /// Those of one operation (`Stack::last_operations`).
    Operation(String),
}

impl Reader {
    /// Events of one stack (not of its nested ones), newest first, back to `not_before` and at most `limit` of them.
    ///
    /// None: no such stack.
    ///
    /// # Errors
    /// The request failed.
    pub async fn stack_events(
        &self,
        name_or_arn: &str,
        not_before: Option<Timestamp>,
        limit: usize,
    ) -> Result<Option<StackEvents>, Error> {
        let is_older = |event: &StackEvent| {
            not_before.is_some_and(|from| event.at.is_some_and(|at| at < from))
        };
        let pages = pages_until(
            Op::DescribeStackEvents,
            |token| async move {
                let send = || {
                    let call =
                        self.clients.cloudformation.describe_stack_events().stack_name(name_or_arn);
                    call.set_next_token(token.clone()).send()
                };
                let page = self.caller.read(Op::DescribeStackEvents, send).await?;
                let events = page.stack_events.unwrap_or_default();
                Ok((events.into_iter().map(stack_event).collect(), page.next_token))
            },
            |events: &[StackEvent]| events.len() >= limit || events.last().is_some_and(is_older),
        );
        let Some((mut events, mut complete)) = absent_if_not_found(pages.await)? else {
            return Ok(None);
        };
        // Newest first: the first that is too old ends what was asked for.
        if let Some(end) = events.iter().position(is_older) {
            events.truncate(end);
            complete = true;
        }
        if events.len() > limit {
            events.truncate(limit);
            complete = false;
        }
        Ok(Some(StackEvents { events, complete }))
    }

    /// Events over root and nested stacks, in AWS's order; with `failed_only` the nearest thing to the console's root cause.
    ///
    /// None: no such stack or operation.
    ///
    /// # Errors
    /// The request failed. The call is new: a policy written for an older version lacks it, so be ready for a denial.
    pub async fn operation_events(
        &self,
        of: &OperationEventsOf,
        failed_only: bool,
    ) -> Result<Option<Vec<OperationEvent>>, Error> {
        let filters =
            failed_only.then(|| types::EventFilter::builder().failed_events(true).build());
        let (stack, operation) = match of {
            OperationEventsOf::Stack(name) => (Some(name.clone()), None),
            OperationEventsOf::Operation(id) => (None, Some(id.clone())),
        };
        let events = all_pages(Op::DescribeOperationEvents, |token| {
            let (stack, operation, filters) = (stack.clone(), operation.clone(), filters.clone());
            async move {
                let send = || {
                    let call =
                        self.clients.cloudformation.describe_events().set_stack_name(stack.clone());
                    let call =
                        call.set_operation_id(operation.clone()).set_filters(filters.clone());
                    call.set_next_token(token.clone()).send()
                };
                let page = self.caller.read(Op::DescribeOperationEvents, send).await?;
                Ok((page.operation_events.unwrap_or_default(), page.next_token))
            }
        });
        let events = absent_if_not_found(events.await)?;
        Ok(events.map(|events| events.into_iter().map(operation_event).collect()))
    }
}

fn stack_event(event: types::StackEvent) -> StackEvent {
    StackEvent {
        id: event.event_id.unwrap_or_default(),
        stack_id: event.stack_id.unwrap_or_default(),
        stack_name: event.stack_name,
        operation_id: event.operation_id,
        logical_id: event.logical_resource_id,
        physical_id: event.physical_resource_id,
        kind: event.resource_type,
        at: time(event.timestamp),
        status: word(event.resource_status),
        reason: prose(event.resource_status_reason),
        client_request_token: event.client_request_token,
    }
}

fn operation_event(event: types::OperationEvent) -> OperationEvent {
    OperationEvent {
        id: event.event_id,
        stack_id: event.stack_id,
        operation_id: event.operation_id,
        operation_kind: word(event.operation_type),
        operation_status: word(event.operation_status),
        event_kind: word(event.event_type),
        logical_id: event.logical_resource_id,
        physical_id: event.physical_resource_id,
        kind: event.resource_type,
        at: time(event.timestamp),
        status: word(event.resource_status),
        reason: prose(event.resource_status_reason.or(event.validation_status_reason)),
    }
}
