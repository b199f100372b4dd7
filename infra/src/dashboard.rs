//! The dashboard: a body of JSON, from the names of the metrics.

use responder_core::rules::Handler;
use serde_json::{Value, json};

use crate::metrics::{NAMESPACE, TO_CONSUME, WORK};

/// The template. The body is one `Fn::Sub`, so that names follow `Prefix`; no word of it has a `${` that is not meant.
pub(crate) fn text() -> String {
    let body = serde_json::to_string_pretty(&body()).unwrap_or_default();
    let body: Vec<String> = body.lines().map(|line| format!("        {line}\n")).collect();
    include_str!("../source/dashboard.yaml").replace("@body@", body.concat().trim_end())
}

/// What is drawn, in the order of reading: are rotations answered, is anybody stealing, does it work, what does it cost.
pub(crate) fn body() -> Value {
    let mut widgets = Vec::new();
    let mut row = 0;
    for (title, charts) in [
        ("Rotations", rotations()),
        ("Incidents", incidents()),
        ("Does it work", health()),
        ("What it costs", cost()),
    ] {
        widgets.push(json!({"type": "text", "x": 0, "y": row, "width": 24, "height": 1, "properties": {"markdown": format!("## {title}")}}));
        let width = 24 / charts.len().max(1);
        for (index, (title, unit, metrics)) in charts.into_iter().enumerate() {
            let metrics = filled(metrics);
            widgets.push(json!({"type": "metric", "x": index * width, "y": row + 1, "width": width, "height": 6, "properties": {
                "title": title, "region": "${AWS::Region}", "view": "timeSeries", "stacked": false, "period": 300,
                "yAxis": {"left": {"label": unit, "showUnits": false, "min": 0}}, "metrics": metrics}}));
        }
        row += 7;
    }
    json!({ "widgets": widgets })
}

/// Title, unit, and metrics.
type Chart = (&'static str, &'static str, Vec<Value>);

fn ours(metric: &str, handler: Handler, label: &str, stat: &str) -> Value {
    json!([NAMESPACE, metric, "Handler", handler.as_str(), {"label": label, "stat": stat}])
}

/// A counter of ours has no data while it is zero: it is drawn as an expression that fills the gaps, and is hidden itself. Times
/// have gaps: nothing was consumed then.
fn filled(metrics: Vec<Value>) -> Vec<Value> {
    let mut drawn = Vec::new();
    for (index, mut metric) in metrics.into_iter().enumerate() {
        if metric[0] == NAMESPACE && metric[1] != TO_CONSUME {
            let (id, label) = (format!("m{index}"), metric[4]["label"].clone());
            drawn.push(json!([{"expression": format!("FILL({id}, 0)"), "id": format!("filled{index}"), "label": label}]));
            metric[4]["id"] = json!(id);
            metric[4]["visible"] = json!(false);
        }
        drawn.push(metric);
    }
    drawn
}

fn rotations() -> Vec<Chart> {
    let both = |metric: &str, label: &str| {
        [Handler::Rotation, Handler::Sweep]
            .map(|handler| ours(metric, handler, &format!("{label}, {handler}"), "Sum"))
    };
    let answered = ["DeploymentsForced", "DeploymentsHeld", "RedeployRefused"];
    let answered = answered
        .into_iter()
        .zip(["forced", "held back", "refused"])
        .flat_map(|(metric, label)| both(metric, label));
    let times = [("p50", "half"), ("p90", "nine in ten"), ("Maximum", "the last")];
    // The read that proves it comes to the function that counts reads.
    let times = times.map(|(stat, label)| ours(TO_CONSUME, Handler::Access, label, stat));
    vec![
        ("Deployments", "deployments", answered.collect()),
        ("From a change to the first read of the new value", "seconds", times.to_vec()),
    ]
}

fn incidents() -> Vec<Chart> {
    let pages = Handler::ALL.map(|handler| ours(WORK[0], handler, handler.as_str(), "Sum"));
    let ends = [
        ("EventsAnswered", "answered"),
        ("EventsCoalesced", "coalesced"),
        ("EventsParked", "parked"),
        ("EventsFailed", "come again"),
    ];
    let ends = ends.map(|(metric, label)| ours(metric, Handler::Access, label, "Sum"));
    let matched = |name: &str| json!(["AWS/Events", "MatchedEvents", "RuleName", name, {"stat": "Sum"}]);
    let rules = RULES.iter().map(|name| matched(&format!("${{Prefix}}-{name}"))).collect();
    vec![
        ("Pages", "pages", pages.to_vec()),
        ("Reads of secrets", "events", ends.to_vec()),
        ("Events by rule", "events", rules),
    ]
}

/// Those whose number says most.
const RULES: [&str; 4] =
    ["access-secret-read", "access-read-denied", "access-batch-read", "failure-rotation-failed"];

fn health() -> Vec<Chart> {
    let of_queues = |metric: &str, suffix: &str, stat: &str| {
        Handler::ALL.map(|handler| {
            let name = format!("${{Prefix}}-{handler}{suffix}");
            json!(["AWS/SQS", metric, "QueueName", name, {"label": handler.as_str(), "stat": stat}])
        })
    };
    let mut letters = of_queues("ApproximateNumberOfMessagesVisible", "-dlq", "Maximum").to_vec();
    for name in ["rules", "schedules"] {
        let queue = format!("${{Prefix}}-{name}-dlq");
        letters.push(json!(["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue, {"label": name, "stat": "Maximum"}]));
    }
    let errors = Handler::ALL.map(|handler| {
        json!(["AWS/Lambda", "Errors", "FunctionName", format!("${{Prefix}}-{handler}"), {"label": handler.as_str(), "stat": "Sum"}])
    });
    vec![
        (
            "Messages that wait",
            "messages",
            of_queues("ApproximateNumberOfMessagesVisible", "", "Maximum").to_vec(),
        ),
        ("Oldest message", "seconds", of_queues("ApproximateAgeOfOldestMessage", "", "Maximum").to_vec()),
        ("Dead letters", "messages", letters),
        ("Errors", "invocations", errors.to_vec()),
    ]
}

fn cost() -> Vec<Chart> {
    let of_functions = |metric: &str| {
        Handler::ALL.map(|handler| {
            json!(["AWS/Lambda", metric, "FunctionName", format!("${{Prefix}}-{handler}"), {"label": handler.as_str(), "stat": "Sum"}])
        })
    };
    let units = ["ConsumedWriteCapacityUnits", "ConsumedReadCapacityUnits"];
    let units =
        units.map(|metric| json!(["AWS/DynamoDB", metric, "TableName", "${Prefix}-ledger", {"stat": "Sum"}]));
    let events = RULES.map(|name| json!(["AWS/Events", "Invocations", "RuleName", format!("${{Prefix}}-{name}"), {"stat": "Sum"}]));
    vec![
        ("Invocations", "invocations", of_functions("Invocations").to_vec()),
        ("Time", "milliseconds", of_functions("Duration").to_vec()),
        ("Ledger", "capacity units", units.to_vec()),
        ("Messages from rules", "messages", events.to_vec()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_of_ours_is_one_that_is_written() {
        let text = body().to_string();
        for part in text.split(&format!("[\"{NAMESPACE}\",\"")).skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(crate::metrics::all().any(|known| known == name), "{name}");
        }
    }

    #[test]
    fn a_counter_of_ours_is_drawn_as_zero_where_it_has_no_data_and_a_time_is_not() {
        let body = body();
        let (mut counters, mut times) = (0, 0);
        for widget in body["widgets"].as_array().unwrap() {
            let metrics = widget["properties"]["metrics"].as_array().cloned().unwrap_or_default();
            let expressions: Vec<&str> =
                metrics.iter().filter_map(|one| one[0]["expression"].as_str()).collect();
            let own = metrics.iter().filter(|one| one[0] == NAMESPACE);
            for own in own.clone() {
                if own[4]["stat"] == "Sum" {
                    let fill = format!("FILL({}, 0)", own[4]["id"].as_str().unwrap());
                    assert!(own[4]["visible"] == false && expressions.contains(&fill.as_str()), "{own}");
                    counters += 1;
                } else {
                    assert!(own[4].get("visible").is_none(), "{own}");
                    times += 1;
                }
            }
            assert!(expressions.len() <= own.count(), "{expressions:?}");
        }
        assert!(counters >= 14 && times == 3, "{counters} {times}");
    }
}
