//! Queues: whether they take what the rules send, and whether the dead-letter queues keep their messages and are empty.

use std::collections::BTreeMap;

use infra::resource_policy::{ServiceRequest, allows_request, list_allowing_statements, list_condition_keys};

use super::fault::WiringFault;
use super::region_check::RegionCheck;
use crate::snapshot::ObservedQueue;

/// The rules that send to a queue: name and ARN.
type RuleSenders<'s> = Vec<(&'s str, &'s str)>;

/// Checks every queue that should be there.
pub(super) fn check_queues(check: &mut RegionCheck<'_>) {
    let Some(queues) = check.require_seen("queue", "queues", &check.observed.queues) else { return };
    let senders = group_senders(check);
    for (name, retention) in &check.expected.queues {
        let Some(queue) = queues.get(name) else {
            check.report(WiringFault::QueueMissing, name, &[]);
            continue;
        };
        if !queue.encrypted {
            check.report(WiringFault::QueueUnencrypted, name, &[]);
        }
        if name.ends_with("-dlq") {
            check_dead_letters(check, name, queue, *retention);
        }
        if let Some(rules) = senders.get(queue.arn.as_str()) {
            check_policy(check, name, queue, rules);
        }
    }
}

/// Checks that a dead-letter queue keeps its messages, and that it is empty: a message in it is an event that was not answered.
fn check_dead_letters(check: &mut RegionCheck<'_>, name: &str, queue: &ObservedQueue, retention: i64) {
    if queue.retention < retention {
        let values = [("kept", &*queue.retention.to_string()), ("wanted", &retention.to_string())];
        check.report(WiringFault::DlqRetentionShort, name, &values);
    }
    if queue.depth > 0 {
        check.report(WiringFault::DlqNotEmpty, name, &[("depth", &queue.depth.to_string())]);
    } else {
        check.ok("dlq-depth", name, "empty");
    }
}

/// Checks that each rule may send to the queue.
fn check_policy(check: &mut RegionCheck<'_>, name: &str, queue: &ObservedQueue, rules: &RuleSenders<'_>) {
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
        return check.ok("queue-policy", name, format!("{} rules may send to it", rules.len()));
    }
    let mut keys = Vec::new();
    if let Some(policy) = &queue.policy {
        for statement in list_allowing_statements(policy, "events.amazonaws.com") {
            keys.append(&mut list_condition_keys(statement));
        }
    }
    let conditions =
        if keys.is_empty() { String::new() } else { format!(" (it has conditions on {})", keys.join(", ")) };
    let fault = if name.ends_with("-dlq") { WiringFault::DlqClosed } else { WiringFault::QueueClosed };
    check.report(fault, name, &[("rules", &refused.join(", ")), ("conditions", &conditions)]);
}

/// The rules that send to a queue, or leave there what they cannot deliver, by the queue's ARN.
fn group_senders<'s>(check: &RegionCheck<'s>) -> BTreeMap<&'s str, RuleSenders<'s>> {
    let mut senders: BTreeMap<&str, RuleSenders<'s>> = BTreeMap::new();
    for rule in &check.expected.rules {
        let rules = check.observed.rules.seen();
        let Some(found) = rules.and_then(|rules| rules.get(&rule.name)) else { continue };
        let sender = (rule.name.as_str(), found.arn.as_str());
        for target in &rule.targets {
            for queue in [&target.arn, &target.dlq] {
                let rules = senders.entry(queue).or_default();
                // Several targets of a rule share one dead-letter queue.
                if rules.last() != Some(&sender) {
                    rules.push(sender);
                }
            }
        }
    }
    senders
}
