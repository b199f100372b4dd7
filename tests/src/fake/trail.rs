//! The event history of `CloudTrail`: pages by token, and what goes wrong in between.

use std::collections::VecDeque;

use responder_core::time::Timestamp;
use serde_json::{Value, json};
use simulation::service_calls::ApiRefusal;

use super::{max, only};

/// The events of an account, and how the next lookups end.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// Records with their instants in seconds.
    records: Vec<(i64, Value)>,
    pub(super) refusals: VecDeque<Option<&'static str>>,
}

impl Trail {
    /// Keeps the records of events that come via `CloudTrail`.
    pub(super) fn record(&mut self, events: &[Value]) {
        let seconds = |event: &Value| event["time"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
        let new = events.iter().map(|event| {
            let at = seconds(event).unwrap_or_default().millis().div_euclid(1_000);
            (at, event["detail"].clone())
        });
        self.records.extend(new);
        // The newest first (`API_LookupEvents`).
        self.records.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    }

    pub(super) fn answer(
        &mut self,
        region: &str,
        operation: &str,
        body: &Value,
    ) -> Result<Value, ApiRefusal> {
        if operation != "LookupEvents" {
            return Err(ApiRefusal::new("UnknownOperationException", operation));
        }
        only(body, &["LookupAttributes", "StartTime", "EndTime", "MaxResults", "NextToken"])?;
        if let Some(code) = self.refusals.pop_front().flatten() {
            return Err(ApiRefusal::new(code, "planted"));
        }
        let source = &body["LookupAttributes"][0];
        if source["AttributeKey"] != "EventSource" {
            return Err(ApiRefusal::new("InvalidLookupAttributesException", "the fake knows sources only"));
        }
        // A token is good for the parameters that it was made for (`API_LookupEvents`: InvalidNextTokenException).
        let about = json!([source, body["StartTime"], body["EndTime"]]).to_string();
        let offset = match body["NextToken"].as_str().map(|token| token.split_once(' ')) {
            None => 0,
            Some(Some((offset, of))) if of == about => offset.parse().unwrap_or(0),
            Some(_) => return Err(ApiRefusal::new("InvalidNextTokenException", "made for another lookup")),
        };
        let (since, until) = (seconds(&body["StartTime"]), seconds(&body["EndTime"]));
        let wanted = self.records.iter().filter(|(at, record)| {
            (since..=until).contains(at)
                && record["eventSource"] == source["AttributeValue"]
                && record["awsRegion"] == region
        });
        let size = max(body, "MaxResults").unwrap_or(50).min(50);
        let mut page: Vec<Value> = wanted.skip(offset).take(size + 1).map(event).collect();
        let goes_on = page.len() > size;
        page.truncate(size);
        let mut answer = json!({"Events": page});
        if goes_on {
            answer["NextToken"] = format!("{} {about}", offset + size).into();
        }
        Ok(answer)
    }
}

fn event((at, record): &(i64, Value)) -> Value {
    json!({
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "EventSource": record["eventSource"],
        "EventTime": at,
        "CloudTrailEvent": record.to_string(),
    })
}

/// Of an instant, which is a number of seconds; what is not whole is cut.
#[expect(clippy::cast_possible_truncation, reason = "seconds of this millennium are exact")]
fn seconds(at: &Value) -> i64 {
    at.as_f64().map_or(0, |at| at as i64)
}
