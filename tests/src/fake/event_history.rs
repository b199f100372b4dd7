//! The event history of `CloudTrail`: pages by token, and refused lookups in between.

use std::collections::VecDeque;

use responder_core::time::Timestamp;
use serde_json::{Value, json};
use simulation::service_calls::ApiRefusal;

use super::json::{read_page_size, refuse_unknown_members};

/// The events of an account, and how the next lookups end.
#[derive(Debug, Default)]
pub(super) struct EventHistory {
    /// Records with their instants in seconds.
    records: Vec<(i64, Value)>,
    pub(super) refusals: VecDeque<Option<&'static str>>,
}

impl EventHistory {
    /// Keeps the records of events that come via `CloudTrail`.
    pub(super) fn record(&mut self, events: &[Value]) {
        for event in events {
            let time = event["time"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
            let second = time.unwrap_or_default().millis().div_euclid(1_000);
            self.records.push((second, event["detail"].clone()));
        }
        // The newest first (`API_LookupEvents`).
        self.records.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    }

    /// Answers one call of `CloudTrail`.
    pub(super) fn answer_call(
        &mut self,
        region: &str,
        operation: &str,
        body: &Value,
    ) -> Result<Value, ApiRefusal> {
        if operation != "LookupEvents" {
            return Err(ApiRefusal::new("UnknownOperationException", operation));
        }
        refuse_unknown_members(
            body,
            &["LookupAttributes", "StartTime", "EndTime", "MaxResults", "NextToken"],
        )?;
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
        let since = read_seconds(&body["StartTime"]);
        let until = read_seconds(&body["EndTime"]);
        let wanted = self.records.iter().filter(|(at, record)| {
            (since..=until).contains(at)
                && record["eventSource"] == source["AttributeValue"]
                && record["awsRegion"] == region
        });
        let size = read_page_size(body, "MaxResults").unwrap_or(50).min(50);
        let mut page: Vec<Value> = wanted.skip(offset).take(size + 1).map(write_event).collect();
        let goes_on = page.len() > size;
        page.truncate(size);
        let mut answer = json!({"Events": page});
        if goes_on {
            answer["NextToken"] = format!("{} {about}", offset + size).into();
        }
        Ok(answer)
    }
}

fn write_event((at, record): &(i64, Value)) -> Value {
    json!({
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "EventSource": record["eventSource"],
        "EventTime": at,
        "CloudTrailEvent": record.to_string(),
    })
}

/// An instant, which is a number of seconds, without its fraction.
#[expect(clippy::cast_possible_truncation, reason = "seconds of this millennium are exact")]
fn read_seconds(at: &Value) -> i64 {
    at.as_f64().map_or(0, |at| at as i64)
}
