//! Lambda functions and event source mappings, and the SQS queues behind them.

use super::Reader;
use crate::aws::call::all_pages;
use crate::aws::convert::{prose, time};
use crate::aws::errors::{Error, absent_if_not_found};
use crate::aws::table::Op;
use crate::aws::types::{Function, Mapping, Queue};
use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use aws_sdk_sqs::types::QueueAttributeName;
use std::collections::BTreeMap;

impl Reader {
    /// All functions of the region; at most 50 a page, so 1,500 functions are 30 calls.
    ///
    /// # Errors
    /// The request failed.
    pub async fn functions(&self) -> Result<Vec<Function>, Error> {
        let functions = all_pages(Op::ListFunctions, |marker| async move {
            let send = || self.clients.lambda.list_functions().set_marker(marker.clone()).send();
            let page = self.caller.read(Op::ListFunctions, send).await?;
            Ok((page.functions.unwrap_or_default(), page.next_marker))
        });
        let functions = functions.await?.into_iter().map(|function| Function {
            name: function.function_name.unwrap_or_default(),
            arn: function.function_arn,
            modified: function.last_modified,
        });
        Ok(functions.collect())
    }

    /// The triggers of one function; none if there is no such function (AWS says so in two ways).
    ///
    /// # Errors
    /// The request failed.
    pub async fn mappings_of(&self, function: &str) -> Result<Vec<Mapping>, Error> {
        let mappings = all_pages(Op::ListEventSourceMappings, |marker| async move {
            let send = || {
                let call = self.clients.lambda.list_event_source_mappings().function_name(function);
                call.set_marker(marker.clone()).send()
            };
            let page = self.caller.read(Op::ListEventSourceMappings, send).await?;
            Ok((page.event_source_mappings.unwrap_or_default(), page.next_marker))
        });
        let mappings = absent_if_not_found(mappings.await)?.unwrap_or_default();
        Ok(mappings.into_iter().map(listed_mapping).collect())
    }

    /// All triggers of the region; at most 100 a page.
    ///
    /// # Errors
    /// The request failed.
    pub async fn mappings(&self) -> Result<Vec<Mapping>, Error> {
        let mappings = all_pages(Op::ListEventSourceMappings, |marker| async move {
            let send = || {
                self.clients.lambda.list_event_source_mappings().set_marker(marker.clone()).send()
            };
            let page = self.caller.read(Op::ListEventSourceMappings, send).await?;
            Ok((page.event_source_mappings.unwrap_or_default(), page.next_marker))
        });
        Ok(mappings.await?.into_iter().map(listed_mapping).collect())
    }

    /// One trigger.
    ///
    /// # Errors
    /// The request failed.
    pub async fn mapping(&self, uuid: &str) -> Result<Option<Mapping>, Error> {
        let answer = self
            .caller
            .read(Op::GetEventSourceMapping, || {
                self.clients.lambda.get_event_source_mapping().uuid(uuid).send()
            })
            .await;
        Ok(absent_if_not_found(answer)?.map(|mapping| Mapping {
            uuid: mapping.uuid.unwrap_or_default(),
            arn: mapping.event_source_mapping_arn,
            event_source_arn: mapping.event_source_arn,
            function_arn: mapping.function_arn,
            state: mapping.state,
            state_reason: prose(mapping.state_transition_reason),
            modified_at: time(mapping.last_modified),
            last_result: prose(mapping.last_processing_result),
        }))
    }

    /// The tags of a trigger, by the trigger's own ARN. Listings do not carry tags. None: no such trigger.
    ///
    /// # Errors
    /// The request failed.
    pub async fn tags(&self, mapping_arn: &str) -> Result<Option<BTreeMap<String, String>>, Error> {
        let answer = self
            .caller
            .read(Op::ListTags, || self.clients.lambda.list_tags().resource(mapping_arn).send())
            .await;
        Ok(absent_if_not_found(answer)?
            .map(|answer| answer.tags.unwrap_or_default().into_iter().collect()))
    }

    /// The URL of a queue, by its name and the account that owns it.
    ///
    /// # Errors
    /// The request failed.
    pub async fn queue_url(
        &self,
        name: &str,
        owner_account: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let answer = self
            .caller
            .read(Op::GetQueueUrl, || {
                let call = self.clients.sqs.get_queue_url().queue_name(name);
                call.set_queue_owner_aws_account_id(owner_account.map(str::to_owned)).send()
            })
            .await;
        Ok(absent_if_not_found(answer)?.and_then(|answer| answer.queue_url))
    }

    /// Backlog and retention of a queue. SQS's counts are approximate.
    ///
    /// # Errors
    /// The request failed.
    pub async fn queue(&self, url: &str) -> Result<Option<Queue>, Error> {
        let wanted = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
            QueueAttributeName::MessageRetentionPeriod,
            QueueAttributeName::VisibilityTimeout,
            QueueAttributeName::QueueArn,
        ];
        let answer = self
            .caller
            .read(Op::GetQueueAttributes, || {
                let call = self.clients.sqs.get_queue_attributes().queue_url(url);
                call.set_attribute_names(Some(wanted.to_vec())).send()
            })
            .await;
        let Some(answer) = absent_if_not_found(answer)? else { return Ok(None) };
        let attributes = answer.attributes.unwrap_or_default();
        let number =
            |name: &QueueAttributeName| attributes.get(name).and_then(|value| value.parse().ok());
        Ok(Some(Queue {
            url: url.to_owned(),
            arn: attributes.get(&QueueAttributeName::QueueArn).cloned(),
            visible: number(&QueueAttributeName::ApproximateNumberOfMessages),
            in_flight: number(&QueueAttributeName::ApproximateNumberOfMessagesNotVisible),
            delayed: number(&QueueAttributeName::ApproximateNumberOfMessagesDelayed),
            retention_seconds: number(&QueueAttributeName::MessageRetentionPeriod),
            visibility_timeout_seconds: number(&QueueAttributeName::VisibilityTimeout),
        }))
    }
}

fn listed_mapping(mapping: EventSourceMappingConfiguration) -> Mapping {
    Mapping {
        uuid: mapping.uuid.unwrap_or_default(),
        arn: mapping.event_source_mapping_arn,
        event_source_arn: mapping.event_source_arn,
        function_arn: mapping.function_arn,
        state: mapping.state,
        state_reason: prose(mapping.state_transition_reason),
        modified_at: time(mapping.last_modified),
        last_result: prose(mapping.last_processing_result),
    }
}
