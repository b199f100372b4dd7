//! The incident whose page `replay page` shows: one that the events are, or an invented one.

use responder_core::detail_kind::DetailKind;
use responder_core::detection::window_match::WindowMatch;
use responder_core::event::Event;
use responder_core::facts::Facts;
use responder_core::incident::{Incident, IncidentDetail};
use responder_core::memory_store::MemoryStore;
use responder_core::plan::PlanStep;
use responder_core::rules::{DistinctBy, MatchedEvent, Response, RuleSet};
use responder_core::state::observation::Observation;
use responder_core::text::Untrusted;
use serde_json::{Value, json};

/// The key of an incident that is not in the ledger.
const EXAMPLE_KEY: &str = "example";

/// Decides about events, which are in order of time, and returns the incident of the first notification of a response.
pub(crate) fn find_incident(
    events: &[MatchedEvent<'_>],
    facts: Facts,
    response: &Response,
) -> Option<Incident> {
    let mut store = MemoryStore::new(facts);
    for event in events {
        for step in store.decide(event).steps {
            if let PlanStep::Page { incident, .. } | PlanStep::Digest { incident, .. } = step
                && (incident.rule == response.id || incident.also.contains(&response.id))
            {
                return Some(*incident);
            }
        }
    }
    None
}

/// The incident that the events of a response's rules would be if they were enough; `None` if there is no such event.
pub(crate) fn incident_below_threshold(events: &[MatchedEvent<'_>], response: &Response) -> Option<Incident> {
    let mut own: Vec<&Event> = Vec::new();
    for event in events {
        if event.rules.iter().any(|rule| response.on.contains(&rule.id)) {
            own.push(&event.event);
        }
    }
    build_incident(&own, response)
}

/// An incident about invented events of the response's first rule, as many as its threshold needs.
pub(crate) fn example_incident(rules: &RuleSet, response: &Response) -> Option<Incident> {
    let pattern = response.on.first().and_then(|id| rules.rules.iter().find(|rule| rule.id == *id));
    let pattern: Value = match pattern {
        Some(rule) => serde_json::from_str(rule.pattern.minified()).unwrap_or_default(),
        None => Value::Null,
    };
    let mut events = Vec::new();
    for index in 0..response.when.at_least.max(1) {
        events.extend(Event::parse(&example_event(&pattern, response, index).to_string()));
    }
    build_incident(&events.iter().collect::<Vec<_>>(), response)
}

fn build_incident(events: &[&Event], response: &Response) -> Option<Incident> {
    let last = events.last()?;
    let observations: Vec<Observation> = events.iter().map(|event| Observation::from_event(event)).collect();
    let window_match = WindowMatch {
        observations: observations.iter().collect(),
        severity: response.severity,
        resolved: None,
    };
    let mut details = vec![IncidentDetail { kind: DetailKind::Event, value: last.event_name() }];
    for (kind, pointer) in [
        (DetailKind::SourceAddress, "/detail/sourceIPAddress"),
        (DetailKind::UserAgent, "/detail/userAgent"),
        (DetailKind::ErrorMessage, "/detail/additionalEventData/message"),
    ] {
        if let Some(value) = last.find_value(pointer).and_then(Value::as_str) {
            details.push(IncidentDetail { kind, value: Untrusted::new(value) });
        }
    }
    Some(Incident::from_match(response, EXAMPLE_KEY.to_owned(), &window_match, details))
}

/// An invented event: a call with the name that the pattern wants. What the response counts differs from event to event.
fn example_event(pattern: &Value, response: &Response, index: usize) -> Value {
    let wanted = |name: &str, default: &str| {
        find_member(pattern, name).and_then(find_string).unwrap_or(default).to_owned()
    };
    let is_counted = |by: DistinctBy| if response.when.distinct == by { index } else { 0 };
    let region =
        ["eu-central-1", "us-east-1", "eu-west-1", "ap-southeast-2"][is_counted(DistinctBy::Region) % 4];
    let caller = format!(
        "arn:aws:sts::111122223333:assumed-role/example-{}/session",
        is_counted(DistinctBy::Principal)
    );
    let secret = format!(
        "arn:aws:secretsmanager:{region}:111122223333:secret:prod/example/secret-{}-a1B2c3",
        is_counted(DistinctBy::Secret)
    );
    let time = "2026-01-31T12:00:00Z";
    json!({
        "version": "0", "id": format!("example-{index}"), "account": "111122223333", "region": region, "time": time,
        "source": wanted("source", "aws.secretsmanager"),
        "detail-type": wanted("detail-type", "AWS API Call via CloudTrail"),
        "detail": {
            "eventVersion": "1.11", "eventID": format!("example-{index}"), "eventTime": time, "awsRegion": region,
            "eventSource": wanted("eventSource", "secretsmanager.amazonaws.com"),
            "eventName": wanted("eventName", "GetSecretValue"),
            "recipientAccountId": "111122223333", "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.15",
            "requestParameters": {"secretId": secret}, "additionalEventData": {"SecretId": secret},
            "userIdentity": {"type": "AssumedRole", "arn": caller, "accountId": "111122223333"},
        },
    })
}

/// Finds the first member of this name, at any depth.
fn find_member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => {
            let own = members.get(name);
            own.or_else(|| members.values().find_map(|member| find_member(member, name)))
        }
        Value::Array(values) => values.iter().find_map(|value| find_member(value, name)),
        _ => None,
    }
}

/// Finds the first string below a value: of `[{"prefix": "Update"}]`, it is `Update`.
fn find_string(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Object(members) => members.values().find_map(find_string),
        Value::Array(values) => values.iter().find_map(find_string),
        _ => None,
    }
}
