//! Topics: a page that nobody gets, or that cannot be encrypted, is no page.

use super::policy::{allows, condition_keys, names, statements, texts, wild};
use crate::finding::Findings;
use crate::snapshot::{Key, Look, Observed, Topic};
use crate::wiring::Part;

/// The services that publish to the page topic themselves.
const PUBLISHERS: [&str; 2] = ["cloudwatch.amazonaws.com", "events.amazonaws.com"];
/// What they need of the key (SNS: key management).
const NEEDED: [&str; 2] = ["kms:GenerateDataKey", "kms:Decrypt"];

/// The page topic and the chat topic: who gets what is sent, who may send, the key.
pub(super) fn check(part: &Part, account: &str, observed: &Observed, found: &mut Findings<'_>) {
    for name in &part.topics {
        let topics = match &observed.topics {
            Look::Seen(topics) => topics,
            Look::Unseen(why) => return found.unseen("topic", name, why),
        };
        let Some(topic) = topics.get(name) else {
            found.fail("topic", name, "it does not exist", "no page can be sent", "deploy the stack again");
            continue;
        };
        subscribers(name, topic, found);
        let mut publishers = PUBLISHERS.to_vec();
        // Only alarms go to the chat.
        publishers.retain(|publisher| name == part.pages() || *publisher != "events.amazonaws.com");
        publish(name, topic, &publishers, account, found);
        encryption(name, topic, &publishers, observed, found);
    }
}

/// CloudWatch says for which account it acts; that EventBridge does is not documented for topics.
fn publish(name: &str, topic: &Topic, publishers: &[&str], account: &str, found: &mut Findings<'_>) {
    for publisher in publishers {
        let account = Some(account).filter(|_| *publisher != "events.amazonaws.com");
        let may = |policy| allows(policy, publisher, "sns:Publish", None, account);
        if topic.policy.as_ref().is_some_and(may) {
            found.ok("topic-policy", name, format!("{publisher} may publish"));
        } else {
            found.fail(
                "topic-policy",
                name,
                format!("its policy does not let {publisher} publish"),
                "what that service tells (alarms; EventBridge's own pages) is dropped",
                "deploy the stack again: allow it sns:Publish",
            );
        }
    }
}

fn encryption(name: &str, topic: &Topic, publishers: &[&str], observed: &Observed, found: &mut Findings<'_>) {
    let Some(id) = &topic.key else {
        found.warn(
            "topic-encryption",
            name,
            "it is not encrypted at rest",
            "pages name secrets and principals",
            "deploy the stack again",
        );
        return;
    };
    if id.ends_with("alias/aws/sns") {
        found.fail(
            "topic-key",
            name,
            "it is encrypted with the key of AWS for SNS",
            "its policy cannot be changed: EventBridge and CloudWatch cannot publish, and nothing says so",
            "deploy the stack again: it makes a key of its own",
        );
        return;
    }
    match &observed.keys {
        Look::Unseen(why) => found.unseen("topic-key", name, why),
        Look::Seen(keys) => match keys.get(id) {
            None => found.fail(
                "topic-key",
                name,
                "its key does not exist",
                "no page can be sent",
                "deploy the stack again",
            ),
            Some(key) => encrypts(name, key, publishers, found),
        },
    }
}

fn subscribers(name: &str, topic: &Topic, found: &mut Findings<'_>) {
    let subscriptions = match &topic.subscriptions {
        Look::Seen(subscriptions) => subscriptions,
        Look::Unseen(why) => return found.unseen("topic-subscribers", name, why),
    };
    let confirmed = subscriptions.iter().filter(|one| one.confirmed).count();
    let pending = subscriptions.len() - confirmed;
    if confirmed == 0 {
        let what = if pending == 0 { "nobody is subscribed" } else { "no subscription is confirmed" };
        found.fail(
            "topic-subscribers",
            name,
            what,
            "pages are accepted and reach nobody",
            "subscribe the on-call (aws sns subscribe) and follow the link in the confirmation",
        );
    } else {
        found.ok("topic-subscribers", name, format!("{confirmed} confirmed"));
        if pending > 0 {
            found.warn(
                "topic-subscribers",
                name,
                format!("{pending} not confirmed"),
                "these get no pages",
                "follow the link in the confirmation, or delete them",
            );
        }
    }
}

/// EventBridge cannot use a key whose policy asks for its source (SNS: key management): the page is dropped silently.
fn encrypts(name: &str, key: &Key, publishers: &[&str], found: &mut Findings<'_>) {
    if !key.enabled {
        return found.fail(
            "topic-key",
            name,
            "its key is disabled or will be deleted",
            "no page can be sent",
            "aws kms enable-key, or cancel-key-deletion; find out who did it",
        );
    }
    let policy = match &key.policy {
        Look::Seen(Some(policy)) => policy,
        Look::Seen(None) => return found.unseen("topic-key", name, "kms:GetKeyPolicy: not JSON"),
        Look::Unseen(why) => return found.unseen("topic-key", name, why),
    };
    for publisher in publishers {
        let fitting = statements(policy).into_iter().filter(|statement| {
            statement.get("Effect").and_then(serde_json::Value::as_str) == Some("Allow")
                && names(statement.get("Principal"), publisher)
                && NEEDED
                    .iter()
                    .all(|action| texts(statement.get("Action")).iter().any(|pattern| wild(pattern, action)))
        });
        let conditions: Vec<Vec<String>> = fitting.map(condition_keys).collect();
        let source = |keys: &Vec<String>| keys.iter().any(|key| key.starts_with("aws:source"));
        if conditions.is_empty() {
            found.fail(
                "topic-key",
                name,
                format!("its key's policy does not let {publisher} use it"),
                "what that service publishes (alarms, EventBridge's own pages) is dropped",
                "deploy the stack again: kms:GenerateDataKey* and kms:Decrypt",
            );
        } else if *publisher == "events.amazonaws.com" && conditions.iter().all(source) {
            found.fail(
                "topic-key",
                name,
                format!("its key's policy asks {publisher} for its source"),
                "EventBridge does not say it for an encrypted topic: its messages are dropped",
                "leave out the condition on aws:SourceAccount or aws:SourceArn",
            );
        } else {
            found.ok("topic-key", name, format!("{publisher} may use its key"));
        }
    }
}
