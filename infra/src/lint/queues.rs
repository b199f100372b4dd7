//! Queues: retention, redrive, delay, and policies that let only our rules send.

use responder_core::rules::Handler;
use serde_json::{Value, json};

use super::template_check::{TemplateCheck, find_handler};
use crate::invariants::MAX_RECEIVE_COUNT;
use crate::json::{list_strings, read_text};
use crate::resolved_template::ResolvedTemplate;
use crate::resource_policy::POLICY_VERSION;

const DAY_SECONDS: i64 = 86_400;

/// Checks every queue by what it is for.
pub(super) fn check_queues(check: &mut TemplateCheck<'_>) {
    for (id, queue) in check.template.resources_of_type("AWS::SQS::Queue") {
        let name = read_text(&queue["QueueName"]);
        let short_name = check.template.unprefixed(name).unwrap_or_default();
        if let Some(handler) = find_handler(short_name) {
            check_work_queue(check, id, queue, handler);
        } else if short_name == "canary" {
            // Only the number of the canary's messages counts: no consumer reads them.
            let retention = queue["MessageRetentionPeriod"].as_i64().unwrap_or_default();
            check.require(
                (60..=3_600).contains(&retention),
                id,
                "messages that no consumer reads must not be kept",
            );
        } else {
            check.require_value(id, queue, "MessageRetentionPeriod", 14 * DAY_SECONDS);
            if let Some(handler) = short_name.strip_suffix("-dlq").and_then(find_handler) {
                // Lambda moves what a function gives up, by the right of the queue that the function reads: no policy is needed.
                let source = check.template.prefixed_arn("sqs", handler.as_str());
                let wanted = json!({"redrivePermission": "byQueue", "sourceQueueArns": [source]});
                check.require_value(id, queue, "RedriveAllowPolicy", wanted);
                continue;
            }
        }
        check_queue_policy(check, id, name);
    }
}

fn check_work_queue(check: &mut TemplateCheck<'_>, id: &str, queue: &Value, handler: Handler) {
    let dead_letter_arn = check.template.prefixed_arn("sqs", &format!("{handler}-dlq"));
    check.require_value(id, queue, "RedrivePolicy/deadLetterTargetArn", dead_letter_arn);
    let receives = queue["RedrivePolicy"]["maxReceiveCount"].as_i64().unwrap_or_default();
    let is_right = MAX_RECEIVE_COUNT.contains(&receives);
    check.require(is_right, id, format_args!("`maxReceiveCount` must be in {MAX_RECEIVE_COUNT:?}"));
    let is_kept = queue["MessageRetentionPeriod"].as_i64() >= Some(4 * DAY_SECONDS);
    check.require(is_kept, id, "messages must be kept for four days");
    // A rotation's event waits as long as the functions wait for a change to settle.
    let settle_seconds =
        check.template.parameter("SettleSeconds").unwrap_or("15").parse().unwrap_or_default();
    let delay = if handler == Handler::Rotation { settle_seconds } else { 0_i64 };
    check.require_value(id, queue, "DelaySeconds", delay);
}

/// The policy of the queue of this name.
pub(super) fn find_queue_policy<'t>(template: &'t ResolvedTemplate, queue: &str) -> Option<&'t Value> {
    let url = format!("https://sqs.{}.amazonaws.com/{}/{queue}", template.site.region, template.site.account);
    for (_, policy) in template.resources_of_type("AWS::SQS::QueuePolicy") {
        if policy["Queues"] == json!([url]) {
            return Some(&policy["PolicyDocument"]);
        }
    }
    None
}

/// Requires exactly two statements: one that allows our rules to send, and one that denies everything without TLS.
fn check_queue_policy(check: &mut TemplateCheck<'_>, id: &str, queue: &str) {
    let arn = check.template.arn("sqs", queue);
    let document = find_queue_policy(check.template, queue).cloned().unwrap_or_default();
    let mut statements = document["Statement"].clone();
    let condition = statements.pointer_mut("/0/Condition").map(Value::take).unwrap_or_default();
    let wanted = json!([
        {"Sid": "Rules", "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
         "Action": "sqs:SendMessage", "Resource": arn, "Condition": null},
        {"Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": arn,
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
    ]);
    let is_right = document["Version"] == POLICY_VERSION && statements == wanted;
    check.require(is_right, id, "its policy must allow only EventBridge to send, and only over TLS");
    let names_rules = names_only_our_rules(check.template, &condition);
    check.require(names_rules, id, "its policy must allow only our rules to send");
}

/// Whether the one condition is that the source is a rule of ours: `{"ArnLike": {"aws:SourceArn": [...]}}`.
fn names_only_our_rules(template: &ResolvedTemplate, condition: &Value) -> bool {
    let is_alone = condition.as_object().is_some_and(|operators| operators.len() == 1);
    let operands = condition.get("ArnLike").or(condition.get("ArnEquals")).unwrap_or(&Value::Null);
    let sources = list_strings(&operands["aws:SourceArn"]);
    let our_rules = template.arn("events", &format!("rule/{}", template.prefixed("")));
    is_alone && !sources.is_empty() && sources.iter().all(|source| source.starts_with(&our_rules))
}
