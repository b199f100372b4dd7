//! SQS: our queues and their dead-letter queues.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use infra::json::read_number;
use serde_json::Value;

use super::account::RegionGatherer;
use crate::aws_session::{CallAnswer as _, CallResult};
use crate::snapshot::ObservedQueue;

impl RegionGatherer<'_> {
    /// The queues whose names begin with the prefix.
    pub(super) async fn gather_queues(&self) -> CallResult<BTreeMap<String, ObservedQueue>> {
        let client = Client::new(&self.config);
        let request = client.list_queues().queue_name_prefix(self.prefix).max_results(1_000);
        let mut pages = request.into_paginator().send();
        let mut queues = BTreeMap::new();
        while let Some(page) = pages.next().await {
            for url in page.for_call("sqs:ListQueues")?.queue_urls() {
                let answer =
                    client.get_queue_attributes().queue_url(url).attribute_names(Name::All).send().await;
                let answer = answer.for_call("sqs:GetQueueAttributes")?;
                let name = url.rsplit('/').next().unwrap_or_default().to_owned();
                queues.insert(name, read_queue(answer.attributes().unwrap_or(&HashMap::new())));
            }
        }
        Ok(queues)
    }
}

fn read_queue(attributes: &HashMap<Name, String>) -> ObservedQueue {
    let text = |name: &Name| attributes.get(name).map(String::as_str).unwrap_or_default();
    let number = |name: &Name| text(name).parse().unwrap_or_default();
    let redrive: Value = serde_json::from_str(text(&Name::RedrivePolicy)).unwrap_or_default();
    let key = Some(text(&Name::KmsMasterKeyId).to_owned()).filter(|key| !key.is_empty());
    ObservedQueue {
        arn: text(&Name::QueueArn).to_owned(),
        visibility: number(&Name::VisibilityTimeout),
        delay: number(&Name::DelaySeconds),
        retention: number(&Name::MessageRetentionPeriod),
        encrypted: key.is_some() || text(&Name::SqsManagedSseEnabled) == "true",
        key,
        dlq: redrive["deadLetterTargetArn"].as_str().map(str::to_owned),
        // The API answers with a number or with a string, depending on how it was set.
        max_receives: read_number(&redrive["maxReceiveCount"]),
        policy: serde_json::from_str(text(&Name::Policy)).ok(),
        depth: number(&Name::ApproximateNumberOfMessages),
    }
}
