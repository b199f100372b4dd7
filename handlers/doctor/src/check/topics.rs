//! Topics: whether pages can be published, can be encrypted, and reach somebody.

use infra::invariants::{TOPIC_KEY_ACTIONS, TopicPublisher, topic_publishers};
use infra::resource_policy::{
    ServiceRequest, allows_request, covers_action, list_allowing_statements, list_condition_keys,
};

use super::fault::WiringFault;
use super::region_check::RegionCheck;
use crate::snapshot::{Inspection, ObservedKey, ObservedTopic};

/// Checks the page topic and the chat topic: their subscriptions, the services that publish to them, and their key.
pub(super) fn check_topics(check: &mut RegionCheck<'_>) {
    for name in &check.expected.topics {
        let Some(topics) = check.require_seen("topic", name, &check.observed.topics) else { return };
        let Some(topic) = topics.get(name) else {
            check.report(WiringFault::TopicMissing, name, &[]);
            continue;
        };
        check_subscriptions(check, name, topic);
        for publisher in topic_publishers(name) {
            check_publisher(check, name, topic, publisher);
        }
        check_encryption(check, name, topic);
    }
}

fn check_subscriptions(check: &mut RegionCheck<'_>, name: &str, topic: &ObservedTopic) {
    let subscriptions = check.require_seen("topic-subscribers", name, &topic.subscriptions);
    let Some(subscriptions) = subscriptions else { return };
    let confirmed = subscriptions.iter().filter(|subscription| subscription.confirmed).count();
    let pending = subscriptions.len() - confirmed;
    if confirmed == 0 {
        let what = if pending == 0 { "nobody is subscribed" } else { "no subscription is confirmed" };
        return check.report(WiringFault::TopicWithoutSubscriber, name, &[("what", what)]);
    }
    check.ok("topic-subscribers", name, format!("{confirmed} confirmed"));
    if pending > 0 {
        check.report(WiringFault::SubscriptionsPending, name, &[("pending", &pending.to_string())]);
    }
}

fn check_publisher(
    check: &mut RegionCheck<'_>,
    name: &str,
    topic: &ObservedTopic,
    publisher: &TopicPublisher,
) {
    let request = ServiceRequest {
        service: publisher.service,
        action: "sns:Publish",
        source_arn: None,
        source_account: publisher.states_account.then_some(&check.snapshot.account),
    };
    if topic.policy.as_ref().is_some_and(|policy| allows_request(policy, &request)) {
        check.ok("topic-policy", name, format!("{} may publish", publisher.service));
    } else {
        check.report(WiringFault::TopicClosed, name, &[("service", publisher.service)]);
    }
}

fn check_encryption(check: &mut RegionCheck<'_>, name: &str, topic: &ObservedTopic) {
    let Some(id) = &topic.key else {
        return check.report(WiringFault::TopicUnencrypted, name, &[]);
    };
    if id.ends_with("alias/aws/sns") {
        return check.report(WiringFault::TopicKeyOfAws, name, &[]);
    }
    let Some(keys) = check.require_seen("topic-key", name, &check.observed.keys) else { return };
    match keys.get(id) {
        Some(key) => check_key(check, name, key),
        None => check.report(WiringFault::TopicKeyMissing, name, &[]),
    }
}

/// `EventBridge` cannot use a key whose policy asks for its source (SNS: key management): the page is dropped silently.
fn check_key(check: &mut RegionCheck<'_>, name: &str, key: &ObservedKey) {
    if !key.enabled {
        return check.report(WiringFault::TopicKeyDisabled, name, &[]);
    }
    let policy = match &key.policy {
        Inspection::Seen(Some(policy)) => policy,
        Inspection::Seen(None) => {
            return check.report_unseen("topic-key", name, "kms:GetKeyPolicy: not JSON");
        }
        Inspection::Unseen(reason) => return check.report_unseen("topic-key", name, reason),
    };
    for publisher in topic_publishers(name) {
        let service = publisher.service;
        let mut may_use = false;
        let mut asks_for_source = true;
        for statement in list_allowing_statements(policy, service) {
            // `kms:GenerateDataKey` itself is the one that is needed of `kms:GenerateDataKey*`.
            let mut needed = TOPIC_KEY_ACTIONS.iter().map(|action| action.trim_end_matches('*'));
            if needed.all(|action| covers_action(statement, action)) {
                may_use = true;
                let keys = list_condition_keys(statement);
                asks_for_source &= keys.iter().any(|key| key.starts_with("aws:source"));
            }
        }
        if !may_use {
            check.report(WiringFault::TopicKeyClosed, name, &[("service", service)]);
        } else if asks_for_source && !publisher.states_account {
            check.report(WiringFault::TopicKeyAsksForSource, name, &[("service", service)]);
        } else {
            check.ok("topic-key", name, format!("{service} may use its key"));
        }
    }
}
