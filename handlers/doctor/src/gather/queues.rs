//! SQS: our queues and their dead-letter queues.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::Value;

use crate::aws::{Aws, why};
use crate::snapshot::{Look, Queue};

/// The queues whose names begin with the prefix.
pub(super) async fn queues(aws: &Aws, region: &str, prefix: &str) -> Look<BTreeMap<String, Queue>> {
    let client = Client::new(&aws.of(region));
    let (mut queues, mut token) = (BTreeMap::new(), None);
    loop {
        let page = client.list_queues().queue_name_prefix(prefix).max_results(1_000).set_next_token(token);
        let page = match page.send().await {
            Ok(page) => page,
            Err(error) => return Look::Unseen(why("sqs:ListQueues", &error)),
        };
        for url in page.queue_urls() {
            let read = client.get_queue_attributes().queue_url(url).attribute_names(Name::All).send().await;
            match read {
                Ok(read) => {
                    let name = url.rsplit('/').next().unwrap_or_default().to_owned();
                    queues.insert(name, queue(read.attributes().unwrap_or(&HashMap::new())));
                }
                Err(error) => return Look::Unseen(why("sqs:GetQueueAttributes", &error)),
            }
        }
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Look::Seen(queues);
        }
    }
}

fn queue(attributes: &HashMap<Name, String>) -> Queue {
    let text = |name: &Name| attributes.get(name).filter(|text| !text.is_empty()).cloned();
    let number = |name: &Name| text(name).and_then(|text| text.parse().ok()).unwrap_or_default();
    let redrive: Option<Value> =
        text(&Name::RedrivePolicy).and_then(|redrive| serde_json::from_str(&redrive).ok());
    // The API answers with a number or with a string, depending on how it was set.
    let receives = redrive.as_ref().and_then(|redrive| {
        let count = redrive.get("maxReceiveCount")?;
        count.as_i64().or_else(|| count.as_str()?.parse().ok())
    });
    let key = text(&Name::KmsMasterKeyId);
    Queue {
        arn: text(&Name::QueueArn).unwrap_or_default(),
        visibility: number(&Name::VisibilityTimeout),
        delay: number(&Name::DelaySeconds),
        retention: number(&Name::MessageRetentionPeriod),
        encrypted: key.is_some() || text(&Name::SqsManagedSseEnabled).as_deref() == Some("true"),
        key,
        dlq: redrive
            .as_ref()
            .and_then(|redrive| redrive.get("deadLetterTargetArn")?.as_str().map(str::to_owned)),
        max_receives: receives,
        policy: text(&Name::Policy).and_then(|policy| serde_json::from_str(&policy).ok()),
        depth: number(&Name::ApproximateNumberOfMessages),
    }
}
