//! SNS and KMS: the topics that pages go to, who gets them, and the keys.

use std::collections::BTreeMap;

use crate::aws::{Aws, is_missing, why};
use crate::snapshot::{Key, Look, Subscription, Topic};

/// The topics of these ARNs, as far as they exist, by name.
pub(super) async fn topics(
    aws: &Aws,
    region: &str,
    arns: impl Iterator<Item = String>,
) -> Look<BTreeMap<String, Topic>> {
    let client = aws_sdk_sns::Client::new(&aws.of(region));
    let mut topics = BTreeMap::new();
    for arn in arns {
        let read = match client.get_topic_attributes().topic_arn(&arn).send().await {
            Ok(read) => read,
            Err(error) if is_missing(&error) => continue,
            Err(error) => return Look::Unseen(why("sns:GetTopicAttributes", &error)),
        };
        let text = |name: &str| read.attributes().and_then(|attributes| attributes.get(name)).cloned();
        let topic = Topic {
            key: text("KmsMasterKeyId").filter(|key| !key.is_empty()),
            policy: text("Policy").and_then(|policy| serde_json::from_str(&policy).ok()),
            subscriptions: subscriptions(&client, &arn).await,
            arn: arn.clone(),
        };
        topics.insert(arn.rsplit(':').next().unwrap_or_default().to_owned(), topic);
    }
    Look::Seen(topics)
}

async fn subscriptions(client: &aws_sdk_sns::Client, topic: &str) -> Look<Vec<Subscription>> {
    let (mut subscriptions, mut token) = (Vec::new(), None);
    loop {
        let page = client.list_subscriptions_by_topic().topic_arn(topic).set_next_token(token).send().await;
        let page = match page {
            Ok(page) => page,
            Err(error) => return Look::Unseen(why("sns:ListSubscriptionsByTopic", &error)),
        };
        subscriptions.extend(page.subscriptions().iter().map(|subscription| Subscription {
            protocol: subscription.protocol().unwrap_or_default().to_owned(),
            // Until it is confirmed, a subscription has this word in place of an ARN (`API_Subscribe`).
            confirmed: subscription.subscription_arn().is_some_and(|arn| arn.starts_with("arn:")),
        }));
        token = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        if token.is_none() {
            return Look::Seen(subscriptions);
        }
    }
}

/// The customer-managed keys of these ids.
pub(super) async fn keys(
    aws: &Aws,
    region: &str,
    ids: impl Iterator<Item = String>,
) -> Look<BTreeMap<String, Key>> {
    let client = aws_sdk_kms::Client::new(&aws.of(region));
    let mut keys = BTreeMap::new();
    for id in ids {
        let described = match client.describe_key().key_id(&id).send().await {
            Ok(described) => described,
            Err(error) if is_missing(&error) => continue,
            Err(error) => return Look::Unseen(why("kms:DescribeKey", &error)),
        };
        let Some(metadata) = described.key_metadata() else { continue };
        let policy = client.get_key_policy().key_id(metadata.key_id()).policy_name("default").send().await;
        let policy = match policy {
            Ok(answer) => Look::Seen(answer.policy().and_then(|policy| serde_json::from_str(policy).ok())),
            Err(error) => Look::Unseen(why("kms:GetKeyPolicy", &error)),
        };
        keys.insert(id, Key { enabled: metadata.enabled(), policy });
    }
    Look::Seen(keys)
}
