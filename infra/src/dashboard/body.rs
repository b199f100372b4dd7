//! The body of the dashboard: JSON, made from the names of the metrics.

use responder_core::rules::Handler;
use serde_json::{Value, json};

use crate::metrics::{METRIC_NAMESPACE, SECONDS_TO_CONSUME};

/// The template. Its body is one `Fn::Sub`, so that names follow the parameter `Prefix`: every `${` in it is meant as a reference.
pub(crate) fn render_dashboard_template() -> String {
    let json = serde_json::to_string_pretty(&dashboard_body()).unwrap_or_default();
    let mut body = String::new();
    for line in json.lines() {
        body.extend(["        ", line, "\n"]);
    }
    include_str!("../../source/dashboard.yaml").replace("@body@", body.trim_end())
}

/// The widgets, in the order in which one asks: are rotations answered, is anybody stealing, does it work, what does it cost?
pub(super) fn dashboard_body() -> Value {
    let mut widgets = Vec::new();
    let mut row = 0;
    for (heading, charts) in [
        ("Rotations", rotation_charts()),
        ("Incidents", incident_charts()),
        ("Health", health_charts()),
        ("Cost", cost_charts()),
    ] {
        widgets.push(json!({"type": "text", "x": 0, "y": row, "width": 24, "height": 1, "properties": {"markdown": format!("## {heading}")}}));
        let width = 24 / charts.len().max(1);
        for (index, chart) in charts.into_iter().enumerate() {
            let metrics = draw_gaps_as_zero(chart.metrics);
            widgets.push(json!({"type": "metric", "x": index * width, "y": row + 1, "width": width, "height": 6, "properties": {
                "title": chart.title, "region": "${AWS::Region}", "view": "timeSeries", "stacked": false, "period": 300,
                "yAxis": {"left": {"label": chart.unit, "showUnits": false, "min": 0}}, "metrics": metrics}}));
        }
        row += 7;
    }
    json!({ "widgets": widgets })
}

struct DashboardChart {
    title: &'static str,
    unit: &'static str,
    /// As in `API_PutDashboard`: `[namespace, metric, dimension, value, options]`.
    metrics: Vec<Value>,
}

/// The rules whose number of events says most, by their names after the prefix.
const TELLING_RULES: [&str; 4] =
    ["access-secret-read", "access-read-denied", "access-batch-read", "failure-rotation-failed"];

fn own_metric(metric: &str, handler: Handler, label: &str, statistic: &str) -> Value {
    json!([METRIC_NAMESPACE, metric, "Handler", handler.as_str(), {"label": label, "stat": statistic}])
}

fn queue_metric(metric: &str, queue: &str, label: &str) -> Value {
    let name = format!("${{Prefix}}-{queue}");
    json!(["AWS/SQS", metric, "QueueName", name, {"label": label, "stat": "Maximum"}])
}

fn function_metrics(metric: &str) -> Vec<Value> {
    let mut metrics = Vec::new();
    for handler in Handler::ALL {
        let name = format!("${{Prefix}}-{handler}");
        metrics.push(
            json!(["AWS/Lambda", metric, "FunctionName", name, {"label": handler.as_str(), "stat": "Sum"}]),
        );
    }
    metrics
}

fn rule_metrics(metric: &str) -> Vec<Value> {
    let mut metrics = Vec::new();
    for rule in TELLING_RULES {
        metrics
            .push(json!(["AWS/Events", metric, "RuleName", format!("${{Prefix}}-{rule}"), {"stat": "Sum"}]));
    }
    metrics
}

/// Draws our own counters as zero where they have no data: an expression fills the gaps, and the counter itself is hidden. Times
/// keep their gaps, because nothing was consumed then.
fn draw_gaps_as_zero(metrics: Vec<Value>) -> Vec<Value> {
    let mut drawn = Vec::new();
    for (index, mut metric) in metrics.into_iter().enumerate() {
        if metric[0] == METRIC_NAMESPACE && metric[1] != SECONDS_TO_CONSUME {
            let id = format!("m{index}");
            let label = metric[4]["label"].clone();
            drawn.push(json!([{"expression": format!("FILL({id}, 0)"), "id": format!("filled{index}"), "label": label}]));
            metric[4]["id"] = json!(id);
            metric[4]["visible"] = json!(false);
        }
        drawn.push(metric);
    }
    drawn
}

fn rotation_charts() -> Vec<DashboardChart> {
    let mut deployments = Vec::new();
    for (metric, label) in
        [("DeploymentsForced", "forced"), ("DeploymentsDeferred", "deferred"), ("RedeployRefused", "refused")]
    {
        for handler in [Handler::Rotation, Handler::Sweep] {
            deployments.push(own_metric(metric, handler, &format!("{label}, {handler}"), "Sum"));
        }
    }
    let mut times = Vec::new();
    for (statistic, label) in [("p50", "half"), ("p90", "nine in ten"), ("Maximum", "the last")] {
        // The read that proves a deployment comes to the function that counts reads.
        times.push(own_metric(SECONDS_TO_CONSUME, Handler::Access, label, statistic));
    }
    vec![
        DashboardChart { title: "Deployments", unit: "deployments", metrics: deployments },
        DashboardChart {
            title: "From a change to the first read of the new value",
            unit: "seconds",
            metrics: times,
        },
    ]
}

fn incident_charts() -> Vec<DashboardChart> {
    let pages = Handler::ALL.map(|handler| own_metric("PagesSent", handler, handler.as_str(), "Sum"));
    let mut outcomes = Vec::new();
    for (metric, label) in [
        ("EventsAnswered", "answered"),
        ("EventsCoalesced", "coalesced"),
        ("EventsQuarantined", "quarantined"),
        ("EventsFailed", "come again"),
    ] {
        outcomes.push(own_metric(metric, Handler::Access, label, "Sum"));
    }
    vec![
        DashboardChart { title: "Pages", unit: "pages", metrics: pages.to_vec() },
        DashboardChart { title: "Reads of secrets", unit: "events", metrics: outcomes },
        DashboardChart { title: "Events by rule", unit: "events", metrics: rule_metrics("MatchedEvents") },
    ]
}

fn health_charts() -> Vec<DashboardChart> {
    let mut waiting = Vec::new();
    let mut oldest = Vec::new();
    let mut dead_letters = Vec::new();
    for handler in Handler::ALL {
        let name = handler.as_str();
        waiting.push(queue_metric("ApproximateNumberOfMessagesVisible", name, name));
        oldest.push(queue_metric("ApproximateAgeOfOldestMessage", name, name));
        dead_letters.push(queue_metric("ApproximateNumberOfMessagesVisible", &format!("{name}-dlq"), name));
    }
    for name in ["rules", "schedules"] {
        dead_letters.push(queue_metric("ApproximateNumberOfMessagesVisible", &format!("{name}-dlq"), name));
    }
    vec![
        DashboardChart { title: "Messages that wait", unit: "messages", metrics: waiting },
        DashboardChart { title: "Oldest message", unit: "seconds", metrics: oldest },
        DashboardChart { title: "Dead letters", unit: "messages", metrics: dead_letters },
        DashboardChart { title: "Errors", unit: "invocations", metrics: function_metrics("Errors") },
    ]
}

fn cost_charts() -> Vec<DashboardChart> {
    let capacity = ["ConsumedWriteCapacityUnits", "ConsumedReadCapacityUnits"]
        .map(|metric| json!(["AWS/DynamoDB", metric, "TableName", "${Prefix}-ledger", {"stat": "Sum"}]));
    vec![
        DashboardChart {
            title: "Invocations",
            unit: "invocations",
            metrics: function_metrics("Invocations"),
        },
        DashboardChart { title: "Time", unit: "milliseconds", metrics: function_metrics("Duration") },
        DashboardChart { title: "Ledger", unit: "capacity units", metrics: capacity.to_vec() },
        DashboardChart {
            title: "Messages from rules",
            unit: "messages",
            metrics: rule_metrics("Invocations"),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_of_ours_is_one_that_is_written() {
        let text = dashboard_body().to_string();
        for part in text.split(&format!("[\"{METRIC_NAMESPACE}\",\"")).skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(crate::metrics::list_metrics().contains(&name), "{name}");
        }
    }

    #[test]
    fn a_counter_of_ours_is_drawn_as_zero_where_it_has_no_data_and_a_time_is_not() {
        let body = dashboard_body();
        let (mut counters, mut times) = (0, 0);
        for widget in body["widgets"].as_array().unwrap() {
            let metrics = widget["properties"]["metrics"].as_array().cloned().unwrap_or_default();
            let expressions: Vec<&str> =
                metrics.iter().filter_map(|one| one[0]["expression"].as_str()).collect();
            let own = metrics.iter().filter(|one| one[0] == METRIC_NAMESPACE);
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
