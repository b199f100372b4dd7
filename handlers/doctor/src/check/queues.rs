//! Queues: whether they take what the rules send, keep what nobody could answer, and are empty of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::policy::{allows, condition_keys, names, statements};
use crate::finding::Findings;
use crate::snapshot::{Look, Observed, Queue};
use crate::wiring::Part;

/// Every queue that should be there.
pub(super) fn check(part: &Part, observed: &Observed, found: &mut Findings<'_>) {
    let queues = match &observed.queues {
        Look::Seen(queues) => queues,
        Look::Unseen(why) => return found.unseen("queue", "queues", why),
    };
    let senders = senders(part, observed);
    for (name, retention) in &part.queues {
        let Some(queue) = queues.get(name) else {
            found.fail(
                "queue",
                name,
                "it does not exist",
                "what should wait in it is gone",
                "deploy the stack of this Region again",
            );
            continue;
        };
        keeps(name, queue, *retention, found);
        if let Some(rules) = senders.get(queue.arn.as_str()) {
            takes(name, queue, rules, found);
        }
    }
}

/// Encryption, retention, and what was not answered.
fn keeps(name: &str, queue: &Queue, retention: i64, found: &mut Findings<'_>) {
    if !queue.encrypted {
        found.warn(
            "queue-encryption",
            name,
            "it is not encrypted at rest",
            "events name secrets and principals",
            "deploy the stack again (SqsManagedSseEnabled)",
        );
    }
    if !name.ends_with("-dlq") {
        return;
    }
    if queue.retention < retention {
        found.fail(
            "dlq-retention",
            name,
            format!("it keeps messages for {} s, not {retention}", queue.retention),
            "the time counts from the first sending: what arrives here may be gone before anybody looks",
            "deploy the stack again; set MessageRetentionPeriod to 14 days",
        );
    }
    // A dead-letter queue that is not empty is something that nobody answered.
    if queue.depth > 0 {
        found.fail(
            "dlq-depth",
            name,
            format!("messages in it: {}", queue.depth),
            "these events were not answered",
            "read them, fix the cause, then start a redrive: rules/README.md#event-parked",
        );
    } else {
        found.ok("dlq-depth", name, "empty");
    }
}

/// Whether the rules may send to the queue.
fn takes(name: &str, queue: &Queue, rules: &[(&str, &str)], found: &mut Findings<'_>) {
    let may = |arn: &str| {
        queue
            .policy
            .as_ref()
            .is_some_and(|policy| allows(policy, "events.amazonaws.com", "sqs:SendMessage", Some(arn), None))
    };
    let refused: Vec<&str> = rules.iter().filter(|(_, arn)| !may(arn)).map(|(name, _)| *name).collect();
    if refused.is_empty() {
        found.ok("queue-policy", name, format!("{} rules may send to it", rules.len()));
        return;
    }
    let conditions: Vec<String> = queue.policy.iter().flat_map(conditions).collect();
    let under = if conditions.is_empty() {
        String::new()
    } else {
        format!(" (it asks for {})", conditions.join(", "))
    };
    let is_last = name.ends_with("-dlq");
    let means = if is_last {
        "an event that cannot be delivered is gone; only InvocationsFailedToBeSentToDlq counts it"
    } else {
        "events are dropped without a retry"
    };
    found.fail(
        if is_last { "dlq-policy" } else { "queue-policy" },
        name,
        format!("its policy does not let {} send{under}", refused.join(", ")),
        means,
        "deploy the stack again: allow sqs:SendMessage to events.amazonaws.com for the rules' ARNs (aws:SourceArn), and ask for nothing else",
    );
}

/// What the statements for EventBridge ask for.
fn conditions(policy: &Value) -> Vec<String> {
    let about = |statement: &&Value| names(statement.get("Principal"), "events.amazonaws.com");
    let allowed = |statement: &&Value| statement.get("Effect").and_then(Value::as_str) == Some("Allow");
    statements(policy).into_iter().filter(about).filter(allowed).flat_map(condition_keys).collect()
}

/// The rules that send to a queue, or give up to it: name and ARN, by the queue's ARN.
fn senders<'a>(part: &'a Part, observed: &'a Observed) -> BTreeMap<&'a str, Vec<(&'a str, &'a str)>> {
    let mut senders: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for wanted in &part.rules {
        let Some(rule) = observed.rules.seen().and_then(|rules| rules.get(&wanted.name)) else { continue };
        for queue in wanted.aims.iter().flat_map(|aim| [&*aim.arn, &*aim.dlq]) {
            let rules = senders.entry(queue).or_default();
            if rules.last() != Some(&(&*wanted.name, &*rule.arn)) {
                rules.push((&wanted.name, &rule.arn));
            }
        }
    }
    senders
}
