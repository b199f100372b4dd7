//! Queues: whether they take what the rules send, keep what nobody could answer, and are empty of it.

use std::collections::BTreeMap;

use infra::resource_policy::{ServiceRequest, allows_request, list_allowing_statements, list_condition_keys};

use crate::expected::ExpectedRegion;
use crate::finding::RegionFindings;
use crate::snapshot::{ObservedQueue, RegionSnapshot};

/// Rules that send to a queue: name and ARN.
type Senders<'s> = Vec<(&'s str, &'s str)>;

/// Checks every queue that should be there.
pub(super) fn check_queues(
    expected: &ExpectedRegion,
    observed: &RegionSnapshot,
    findings: &mut RegionFindings<'_>,
) {
    let Some(queues) = findings.require_seen("queue", "queues", &observed.queues) else { return };
    let senders = group_senders(expected, observed);
    for (name, retention) in &expected.queues {
        let Some(queue) = queues.get(name) else {
            findings.fail(
                "queue",
                name,
                "it does not exist",
                "what should wait in it is gone",
                "deploy the stack of this Region again",
            );
            continue;
        };
        if !queue.encrypted {
            findings.warn(
                "queue-encryption",
                name,
                "it is not encrypted at rest",
                "events name secrets and principals",
                "deploy the stack again (SqsManagedSseEnabled)",
            );
        }
        if name.ends_with("-dlq") {
            check_dead_letters(name, queue, *retention, findings);
        }
        if let Some(rules) = senders.get(queue.arn.as_str()) {
            check_policy(name, queue, rules, findings);
        }
    }
}

/// Checks that a dead-letter queue keeps its messages, and that it is empty: a message in it is an event that nobody answered.
fn check_dead_letters(name: &str, queue: &ObservedQueue, retention: i64, findings: &mut RegionFindings<'_>) {
    if queue.retention < retention {
        findings.fail(
            "dlq-retention",
            name,
            format!("it keeps messages for {} s, not {retention}", queue.retention),
            "the time counts from the first sending: what arrives here may be gone before anybody looks",
            "deploy the stack again; set MessageRetentionPeriod to 14 days",
        );
    }
    if queue.depth > 0 {
        findings.fail(
            "dlq-depth",
            name,
            format!("messages in it: {}", queue.depth),
            "these events were not answered",
            "read them, fix the cause, then start a redrive: rules/README.md#event-parked",
        );
    } else {
        findings.ok("dlq-depth", name, "empty");
    }
}

/// Checks that each rule may send to the queue.
fn check_policy(name: &str, queue: &ObservedQueue, rules: &Senders<'_>, findings: &mut RegionFindings<'_>) {
    let mut refused = Vec::new();
    for (rule, arn) in rules {
        let request = ServiceRequest {
            service: "events.amazonaws.com",
            action: "sqs:SendMessage",
            source_arn: Some(arn),
            source_account: None,
        };
        if !queue.policy.as_ref().is_some_and(|policy| allows_request(policy, &request)) {
            refused.push(*rule);
        }
    }
    if refused.is_empty() {
        return findings.ok("queue-policy", name, format!("{} rules may send to it", rules.len()));
    }
    let mut conditions = Vec::new();
    if let Some(policy) = &queue.policy {
        for statement in list_allowing_statements(policy, "events.amazonaws.com") {
            conditions.append(&mut list_condition_keys(statement));
        }
    }
    let under = if conditions.is_empty() {
        String::new()
    } else {
        format!(" (it asks for {})", conditions.join(", "))
    };
    let (check, means) = if name.ends_with("-dlq") {
        (
            "dlq-policy",
            "an event that cannot be delivered is gone; only InvocationsFailedToBeSentToDlq counts it",
        )
    } else {
        ("queue-policy", "events are dropped without a retry")
    };
    findings.fail(
        check,
        name,
        format!("its policy does not let {} send{under}", refused.join(", ")),
        means,
        "deploy the stack again: allow sqs:SendMessage to events.amazonaws.com for the rules' ARNs (aws:SourceArn), and ask for nothing else",
    );
}

/// The rules that send to a queue, or leave there what they cannot deliver, by the queue's ARN.
fn group_senders<'s>(
    expected: &'s ExpectedRegion,
    observed: &'s RegionSnapshot,
) -> BTreeMap<&'s str, Senders<'s>> {
    let mut senders: BTreeMap<&str, Senders<'s>> = BTreeMap::new();
    for rule in &expected.rules {
        let Some(found) = observed.rules.seen().and_then(|rules| rules.get(&rule.name)) else { continue };
        let sender = (rule.name.as_str(), found.arn.as_str());
        for target in &rule.targets {
            for queue in [&target.arn, &target.dlq] {
                let rules = senders.entry(queue).or_default();
                // Several targets of a rule share one queue for dead letters.
                if rules.last() != Some(&sender) {
                    rules.push(sender);
                }
            }
        }
    }
    senders
}
