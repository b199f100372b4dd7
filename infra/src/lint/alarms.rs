//! Alarms: one on everything that can fail silently, each loud enough, each telling somebody.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Finding;
use super::view::{View, expect};
use crate::metrics;

/// What an alarm looks at: namespace, metric, dimension, its value.
type Watched = (&'static str, &'static str, &'static str, String);

/// How an alarm must be.
struct Wanted {
    statistic: &'static str,
    /// The longest that it may take to ring, in seconds.
    within: i64,
    /// For a limit from above, the highest threshold. For silence, the lowest count that is not silence.
    threshold: i64,
    is_silence: bool,
    /// Whether it is about the pages themselves, or about silence: then it tells the backup topic as well.
    is_watchdog: bool,
}

pub(super) fn check(view: &View, found: &mut Vec<Finding>) {
    let mut wanted = wanted(view);
    for (id, alarm) in view.of_type("AWS::CloudWatch::Alarm") {
        let Some((watched, how)) = watched(alarm).and_then(|key| wanted.remove_entry(&key)) else {
            expect(false, id, "an alarm on what nothing is known of, or a second one on the same", found);
            continue;
        };
        let number = |name: &str| alarm[name].as_i64().unwrap_or(i64::MAX);
        let operator = if how.is_silence { "LessThanThreshold" } else { "GreaterThanThreshold" };
        let missing = if how.is_silence { "breaching" } else { "notBreaching" };
        expect(
            alarm["ComparisonOperator"] == operator,
            id,
            format_args!("`ComparisonOperator` must be {operator}"),
            found,
        );
        expect(
            alarm["TreatMissingData"] == missing,
            id,
            format_args!("`TreatMissingData` must be {missing}"),
            found,
        );
        expect(
            alarm["Statistic"] == how.statistic,
            id,
            format_args!("`Statistic` must be {}", how.statistic),
            found,
        );
        let right = if how.is_silence {
            number("Threshold") == how.threshold
        } else {
            (0..=how.threshold).contains(&number("Threshold"))
        };
        expect(right, id, format_args!("`Threshold` must be {} at most", how.threshold), found);
        let rings = number("Period").saturating_mul(number("EvaluationPeriods"));
        expect(
            (60..=how.within).contains(&rings),
            id,
            format_args!("it must ring within {} s", how.within),
            found,
        );
        let points = alarm.get("DatapointsToAlarm").map_or(Some(number("EvaluationPeriods")), Value::as_i64);
        let many = how.within > 60;
        expect(
            points.is_some_and(|points| (1..=number("EvaluationPeriods")).contains(&points)),
            id,
            "`DatapointsToAlarm` must lie within the periods",
            found,
        );
        expect(
            !many || alarm.get("DatapointsToAlarm").is_some(),
            id,
            "`DatapointsToAlarm` must be said",
            found,
        );
        let told = json!(told(view, how.is_watchdog));
        for actions in ["AlarmActions", "OKActions"] {
            expect(alarm[actions] == told, id, format_args!("`{actions}` must be {told}"), found);
        }
        drop(watched);
    }
    for (namespace, metric, dimension, value) in wanted.keys() {
        expect(
            false,
            "Resources",
            format_args!("no alarm on {namespace} {metric} of {dimension} {value}"),
            found,
        );
    }
}

/// Which alarms there must be: by the queues, functions, rules and topics that there are.
fn wanted(view: &View) -> BTreeMap<Watched, Wanted> {
    let mut all = BTreeMap::new();
    let any =
        |within, statistic| Wanted { statistic, within, threshold: 0, is_silence: false, is_watchdog: false };
    for (_, queue) in view.of_type("AWS::SQS::Queue") {
        let name = queue["QueueName"].as_str().unwrap_or_default().to_owned();
        if name.ends_with("-dlq") {
            all.insert(
                ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name),
                any(60, "Maximum"),
            );
        } else if name.ends_with("-canary") {
            if view.place.parameters.get("Heartbeat").is_some_and(|heartbeat| heartbeat == "off") {
                continue;
            }
            let silence =
                Wanted { statistic: "Sum", within: 1_800, threshold: 1, is_silence: true, is_watchdog: true };
            all.insert(("AWS/SQS", "NumberOfMessagesSent", "QueueName", name), silence);
        } else {
            let limit = Wanted { threshold: 600, ..any(180, "Maximum") };
            all.insert(("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", name), limit);
        }
    }
    for (_, function) in view.of_type("AWS::Lambda::Function") {
        let name = function["FunctionName"].as_str().unwrap_or_default().to_owned();
        let handler = name.trim_start_matches(&view.named("")).to_owned();
        all.insert(("AWS/Lambda", "Errors", "FunctionName", name.clone()), any(60, "Sum"));
        all.insert(("AWS/Lambda", "Throttles", "FunctionName", name), any(300, "Sum"));
        let silence =
            Wanted { statistic: "Sum", within: 900, threshold: 1, is_silence: true, is_watchdog: true };
        all.insert((metrics::NAMESPACE, metrics::RECEIVED, "Handler", handler), silence);
    }
    for (_, rule) in view.of_type("AWS::Events::Rule") {
        let name = rule["Name"].as_str().unwrap_or_default().to_owned();
        all.insert(("AWS/Events", "FailedInvocations", "RuleName", name.clone()), any(60, "Sum"));
        all.insert(("AWS/Events", "InvocationsFailedToBeSentToDlq", "RuleName", name), any(60, "Sum"));
    }
    let pages = view.named("pages");
    if view.find("AWS::SNS::Topic", "TopicName", &pages).is_some() {
        let watchdog = Wanted { is_watchdog: true, ..any(60, "Sum") };
        all.insert(("AWS/SNS", "NumberOfNotificationsFailed", "TopicName", pages), watchdog);
    }
    all
}

fn watched(alarm: &Value) -> Option<Watched> {
    let known = |name: &str| {
        let words = [
            "AWS/SQS",
            "AWS/Lambda",
            "AWS/Events",
            "AWS/SNS",
            "ApproximateNumberOfMessagesVisible",
            "NumberOfMessagesSent",
            "ApproximateAgeOfOldestMessage",
            "Errors",
            "Throttles",
            "FailedInvocations",
            "InvocationsFailedToBeSentToDlq",
            "NumberOfNotificationsFailed",
            "QueueName",
            "FunctionName",
            "RuleName",
            "TopicName",
            "Handler",
            metrics::NAMESPACE,
            metrics::RECEIVED,
        ];
        words.into_iter().find(|word| *word == name)
    };
    let [dimension] = alarm["Dimensions"].as_array()?.as_slice() else { return None };
    Some((
        known(alarm["Namespace"].as_str()?)?,
        known(alarm["MetricName"].as_str()?)?,
        known(dimension["Name"].as_str()?)?,
        dimension["Value"].as_str()?.to_owned(),
    ))
}

/// Who an alarm tells.
fn told(view: &View, is_watchdog: bool) -> Vec<String> {
    if view.place.parameters.contains_key("HomeRegion") {
        return vec![view.arn("sns", &view.named("forward-alarms"))];
    }
    let mut topics = vec![view.arn("sns", &view.named("pages"))];
    if view.place.parameters.contains_key("Chat") {
        topics.push(view.arn("sns", &view.named("chat")));
    }
    if is_watchdog {
        topics.extend(view.place.parameters.get("BackupTopicArn").cloned());
    }
    topics
}
