//! SNS and KMS: the topics that pages go to, their subscriptions, and their keys.

use std::collections::BTreeMap;

use aws_sdk_sns::Client;

use super::account::RegionGatherer;
use crate::aws_session::{CallAnswer as _, CallResult};
use crate::snapshot::{ObservedKey, ObservedSubscription, ObservedTopic};

impl RegionGatherer<'_> {
    /// The expected topics, as far as they exist.
    pub(super) async fn gather_topics(&self) -> CallResult<BTreeMap<String, ObservedTopic>> {
        let client = Client::new(&self.config);
        let mut topics = BTreeMap::new();
        for name in &self.expected.topics {
            let arn = self.session.home_arn("sns", name);
            let answer = client.get_topic_attributes().topic_arn(&arn).send().await;
            let Some(answer) = answer.if_exists("sns:GetTopicAttributes")? else { continue };
            let attribute =
                |name: &str| answer.attributes().and_then(|attributes| attributes.get(name)).cloned();
            let topic = ObservedTopic {
                key: attribute("KmsMasterKeyId").filter(|key| !key.is_empty()),
                policy: serde_json::from_str(&attribute("Policy").unwrap_or_default()).ok(),
                subscriptions: gather_subscriptions(&client, &arn).await.into(),
                arn,
            };
            topics.insert(name.clone(), topic);
        }
        Ok(topics)
    }

    /// The customer-managed keys of these ids, as far as they exist.
    pub(super) async fn gather_keys(&self, ids: &[String]) -> CallResult<BTreeMap<String, ObservedKey>> {
        let client = aws_sdk_kms::Client::new(&self.config);
        let mut keys = BTreeMap::new();
        for id in ids {
            let answer = client.describe_key().key_id(id).send().await;
            let Some(described) = answer.if_exists("kms:DescribeKey")? else { continue };
            let Some(metadata) = described.key_metadata() else { continue };
            let answer =
                client.get_key_policy().key_id(metadata.key_id()).policy_name("default").send().await;
            let policy = answer.for_call("kms:GetKeyPolicy").map(|answer| {
                let text = answer.policy().unwrap_or_default();
                serde_json::from_str(text).ok()
            });
            keys.insert(id.clone(), ObservedKey { enabled: metadata.enabled(), policy: policy.into() });
        }
        Ok(keys)
    }
}

async fn gather_subscriptions(client: &Client, topic: &str) -> CallResult<Vec<ObservedSubscription>> {
    let mut pages = client.list_subscriptions_by_topic().topic_arn(topic).into_paginator().send();
    let mut subscriptions = Vec::new();
    while let Some(page) = pages.next().await {
        for subscription in page.for_call("sns:ListSubscriptionsByTopic")?.subscriptions() {
            subscriptions.push(ObservedSubscription {
                protocol: subscription.protocol().unwrap_or_default().to_owned(),
                // Until it is confirmed, a subscription has a word in place of its ARN (`API_Subscribe`).
                confirmed: subscription.subscription_arn().unwrap_or_default().starts_with("arn:"),
            });
        }
    }
    Ok(subscriptions)
}
