//! Alarms: there is one on everything that can fail silently, it rings early enough, and it notifies somebody.

use serde_json::{Value, json};

use super::template_check::TemplateCheck;
use crate::json::read_text;
use crate::metrics::{EVENTS_RECEIVED, METRIC_NAMESPACE};
use crate::resolved_template::ResolvedTemplate;

/// An alarm that there must be on each resource of a kind.
#[derive(Clone, Copy)]
struct AlarmInvariant {
    resources: WatchedResources,
    namespace: &'static str,
    metric: &'static str,
    /// The dimension that names the resource.
    dimension: &'static str,
    statistic: &'static str,
    /// The longest that it may take to ring, in seconds.
    rings_within: i64,
    condition: AlarmCondition,
    /// Whether it is about the pages themselves, or about silence: it then notifies the backup topic as well.
    is_watchdog: bool,
}

/// When an alarm rings.
#[derive(Clone, Copy)]
enum AlarmCondition {
    /// There is more than this; the threshold may be lower.
    Above(i64),
    /// There is less than one: silence.
    Silence,
}

/// The resources that a row of the table is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WatchedResources {
    DeadLetterQueues,
    CanaryQueues,
    WorkQueues,
    Functions,
    Handlers,
    Rules,
    PageTopic,
}

use AlarmCondition::{Above, Silence};
use WatchedResources::{CanaryQueues, DeadLetterQueues, Functions, Handlers, PageTopic, Rules, WorkQueues};

#[rustfmt::skip]
const ALARMS: [AlarmInvariant; 9] = [
    row(DeadLetterQueues, ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName"], "Maximum", 60, Above(0)),
    row(WorkQueues, ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName"], "Maximum", 180, Above(600)),
    watchdog(row(CanaryQueues, ["AWS/SQS", "NumberOfMessagesSent", "QueueName"], "Sum", 1_800, Silence)),
    row(Functions, ["AWS/Lambda", "Errors", "FunctionName"], "Sum", 60, Above(0)),
    row(Functions, ["AWS/Lambda", "Throttles", "FunctionName"], "Sum", 300, Above(0)),
    watchdog(row(Handlers, [METRIC_NAMESPACE, EVENTS_RECEIVED, "Handler"], "Sum", 900, Silence)),
    row(Rules, ["AWS/Events", "FailedInvocations", "RuleName"], "Sum", 60, Above(0)),
    row(Rules, ["AWS/Events", "InvocationsFailedToBeSentToDlq", "RuleName"], "Sum", 60, Above(0)),
    watchdog(row(PageTopic, ["AWS/SNS", "NumberOfNotificationsFailed", "TopicName"], "Sum", 60, Above(0))),
];

const fn row(
    resources: WatchedResources,
    [namespace, metric, dimension]: [&'static str; 3],
    statistic: &'static str,
    rings_within: i64,
    condition: AlarmCondition,
) -> AlarmInvariant {
    let is_watchdog = false;
    AlarmInvariant {
        resources,
        namespace,
        metric,
        dimension,
        statistic,
        rings_within,
        condition,
        is_watchdog,
    }
}

const fn watchdog(row: AlarmInvariant) -> AlarmInvariant {
    AlarmInvariant { is_watchdog: true, ..row }
}

/// Checks that there is each alarm of the table once, and no other one.
pub(super) fn check_alarms(check: &mut TemplateCheck<'_>) {
    let template = check.template;
    let mut missing: Vec<(&AlarmInvariant, String)> = Vec::new();
    for invariant in &ALARMS {
        for value in list_dimension_values(template, invariant.resources) {
            missing.push((invariant, value));
        }
    }
    for (id, alarm) in template.resources_of_type("AWS::CloudWatch::Alarm") {
        match missing.iter().position(|(invariant, value)| watches(alarm, invariant, value)) {
            Some(index) => check_alarm(check, id, alarm, missing.swap_remove(index).0),
            None => check.require(
                false,
                id,
                "an alarm that is not in the table, or a second one on the same metric",
            ),
        }
    }
    for (AlarmInvariant { namespace, metric, dimension, .. }, value) in missing {
        let problem = format!("there must be an alarm on {namespace} {metric} of {dimension} {value}");
        check.require(false, "Resources", problem);
    }
}

fn watches(alarm: &Value, invariant: &AlarmInvariant, value: &str) -> bool {
    alarm["Namespace"] == invariant.namespace
        && alarm["MetricName"] == invariant.metric
        && alarm["Dimensions"] == json!([{"Name": invariant.dimension, "Value": value}])
}

fn check_alarm(check: &mut TemplateCheck<'_>, id: &str, alarm: &Value, invariant: &AlarmInvariant) {
    let number = |name: &str| alarm[name].as_i64().unwrap_or(i64::MAX);
    let (operator, missing_data) = match invariant.condition {
        Silence => ("LessThanThreshold", "breaching"),
        Above(_) => ("GreaterThanThreshold", "notBreaching"),
    };
    check.require_value(id, alarm, "ComparisonOperator", operator);
    check.require_value(id, alarm, "TreatMissingData", missing_data);
    check.require_value(id, alarm, "Statistic", invariant.statistic);
    match invariant.condition {
        Silence => check.require_value(id, alarm, "Threshold", 1),
        Above(limit) => {
            let is_right = (0..=limit).contains(&number("Threshold"));
            check.require(is_right, id, format_args!("`Threshold` must be {limit} at most"));
        }
    }
    let rings_after = number("Period").saturating_mul(number("EvaluationPeriods"));
    let within = invariant.rings_within;
    check.require((60..=within).contains(&rings_after), id, format_args!("it must ring within {within} s"));
    match alarm.get("DatapointsToAlarm") {
        Some(points) => {
            let is_right = (1..=number("EvaluationPeriods")).contains(&points.as_i64().unwrap_or_default());
            check.require(is_right, id, "`DatapointsToAlarm` must lie within the periods");
        }
        None => check.require(within <= 60, id, "`DatapointsToAlarm` must be set"),
    }
    let topics = json!(list_notified_topics(check.template, invariant.is_watchdog));
    for actions in ["AlarmActions", "OKActions"] {
        check.require_value(id, alarm, actions, topics.clone());
    }
}

/// The values of the dimension by which the resources of a kind are named.
fn list_dimension_values(template: &ResolvedTemplate, resources: WatchedResources) -> Vec<String> {
    let (kind, property) = match resources {
        DeadLetterQueues | CanaryQueues | WorkQueues => ("AWS::SQS::Queue", "QueueName"),
        Functions | Handlers => ("AWS::Lambda::Function", "FunctionName"),
        Rules => ("AWS::Events::Rule", "Name"),
        PageTopic => ("AWS::SNS::Topic", "TopicName"),
    };
    let mut values = Vec::new();
    for (_, properties) in template.resources_of_type(kind) {
        let name = read_text(&properties[property]);
        let is_listed = match resources {
            DeadLetterQueues => name.ends_with("-dlq"),
            // In an account that the sweep does not see there is no heartbeat.
            CanaryQueues => name.ends_with("-canary") && template.parameter("Heartbeat") != Some("off"),
            WorkQueues => !name.ends_with("-dlq") && !name.ends_with("-canary"),
            PageTopic => name.ends_with("-pages"),
            Functions | Handlers | Rules => true,
        };
        if is_listed {
            // The functions' own metrics name the handler, not the function.
            let value = if resources == Handlers { template.unprefixed(name).unwrap_or(name) } else { name };
            values.push(value.to_owned());
        }
    }
    values
}

/// The topics that an alarm notifies.
fn list_notified_topics(template: &ResolvedTemplate, is_watchdog: bool) -> Vec<String> {
    if template.is_forwarder() {
        return vec![template.prefixed_arn("sns", "forward-alarms")];
    }
    let mut topics = vec![template.prefixed_arn("sns", "pages")];
    if template.parameter("Chat").is_some() {
        topics.push(template.prefixed_arn("sns", "chat"));
    }
    if let (true, Some(backup)) = (is_watchdog, template.parameter("BackupTopicArn")) {
        topics.push(backup.to_owned());
    }
    topics
}
