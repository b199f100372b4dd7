//! Topics: a page that nobody gets, or that cannot be encrypted, is no page.

use infra::invariants::{TOPIC_KEY_ACTIONS, TopicPublisher, topic_publishers};
use infra::resource_policy::{
    ServiceRequest, allows_request, covers_action, list_allowing_statements, list_condition_keys,
};

use crate::expected::ExpectedRegion;
use crate::finding::RegionFindings;
use crate::snapshot::{Inspection, ObservedKey, ObservedTopic, RegionSnapshot};

/// Checks the page topic and the chat topic: their subscriptions, the services that publish to them, and their key.
pub(super) fn check_topics(
    expected: &ExpectedRegion,
    account: &str,
    observed: &RegionSnapshot,
    findings: &mut RegionFindings<'_>,
) {
    for name in &expected.topics {
        let Some(topics) = findings.require_seen("topic", name, &observed.topics) else { return };
        let Some(topic) = topics.get(name) else {
            findings.fail(
                "topic",
                name,
                "it does not exist",
                "no page can be sent",
                "deploy the stack again",
            );
            continue;
        };
        check_subscriptions(name, topic, findings);
        for publisher in topic_publishers(name) {
            check_publisher(name, topic, publisher, account, findings);
        }
        check_encryption(name, topic, observed, findings);
    }
}

fn check_subscriptions(name: &str, topic: &ObservedTopic, findings: &mut RegionFindings<'_>) {
    let Some(subscriptions) = findings.require_seen("topic-subscribers", name, &topic.subscriptions) else {
        return;
    };
    let confirmed = subscriptions.iter().filter(|subscription| subscription.confirmed).count();
    let pending = subscriptions.len() - confirmed;
    if confirmed == 0 {
        let what = if pending == 0 { "nobody is subscribed" } else { "no subscription is confirmed" };
        return findings.fail(
            "topic-subscribers",
            name,
            what,
            "pages are accepted and reach nobody",
            "subscribe the on-call (aws sns subscribe) and follow the link in the confirmation",
        );
    }
    findings.ok("topic-subscribers", name, format!("{confirmed} confirmed"));
    if pending > 0 {
        findings.warn(
            "topic-subscribers",
            name,
            format!("{pending} not confirmed"),
            "these get no pages",
            "follow the link in the confirmation, or delete them",
        );
    }
}

fn check_publisher(
    name: &str,
    topic: &ObservedTopic,
    publisher: &TopicPublisher,
    account: &str,
    findings: &mut RegionFindings<'_>,
) {
    let service = publisher.service;
    let request = ServiceRequest {
        service,
        action: "sns:Publish",
        source_arn: None,
        source_account: publisher.states_account.then_some(account),
    };
    if topic.policy.as_ref().is_some_and(|policy| allows_request(policy, &request)) {
        findings.ok("topic-policy", name, format!("{service} may publish"));
    } else {
        findings.fail(
            "topic-policy",
            name,
            format!("its policy does not let {service} publish"),
            "what that service tells (alarms; EventBridge's own pages) is dropped",
            "deploy the stack again: allow it sns:Publish",
        );
    }
}

fn check_encryption(
    name: &str,
    topic: &ObservedTopic,
    observed: &RegionSnapshot,
    findings: &mut RegionFindings<'_>,
) {
    let Some(id) = &topic.key else {
        return findings.warn(
            "topic-encryption",
            name,
            "it is not encrypted at rest",
            "pages name secrets and principals",
            "deploy the stack again",
        );
    };
    if id.ends_with("alias/aws/sns") {
        return findings.fail(
            "topic-key",
            name,
            "it is encrypted with the key of AWS for SNS",
            "its policy cannot be changed: EventBridge and CloudWatch cannot publish, and nothing says so",
            "deploy the stack again: it makes a key of its own",
        );
    }
    let Some(keys) = findings.require_seen("topic-key", name, &observed.keys) else { return };
    match keys.get(id) {
        Some(key) => check_key(name, key, findings),
        None => findings.fail(
            "topic-key",
            name,
            "its key does not exist",
            "no page can be sent",
            "deploy the stack again",
        ),
    }
}

/// `EventBridge` cannot use a key whose policy asks for its source (SNS: key management): the page is dropped silently.
fn check_key(name: &str, key: &ObservedKey, findings: &mut RegionFindings<'_>) {
    if !key.enabled {
        return findings.fail(
            "topic-key",
            name,
            "its key is disabled or will be deleted",
            "no page can be sent",
            "aws kms enable-key, or cancel-key-deletion; find out who did it",
        );
    }
    let policy = match &key.policy {
        Inspection::Seen(Some(policy)) => policy,
        Inspection::Seen(None) => return findings.unseen("topic-key", name, "kms:GetKeyPolicy: not JSON"),
        Inspection::Unseen(reason) => return findings.unseen("topic-key", name, reason),
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
                asks_for_source &=
                    list_condition_keys(statement).iter().any(|key| key.starts_with("aws:source"));
            }
        }
        if !may_use {
            findings.fail(
                "topic-key",
                name,
                format!("its key's policy does not let {service} use it"),
                "what that service publishes (alarms, EventBridge's own pages) is dropped",
                "deploy the stack again: kms:GenerateDataKey* and kms:Decrypt",
            );
        } else if asks_for_source && !publisher.states_account {
            findings.fail(
                "topic-key",
                name,
                format!("its key's policy asks {service} for its source"),
                "EventBridge does not say it for an encrypted topic: its messages are dropped",
                "leave out the condition on aws:SourceAccount or aws:SourceArn",
            );
        } else {
            findings.ok("topic-key", name, format!("{service} may use its key"));
        }
    }
}
