//! The pattern language against AWS's own answers: every recorded vector must agree.

mod behaviour;
mod properties;

use responder_core::pattern::{Event, EventError, Pattern, PatternSet};
use serde_json::Value;

/// Quirks of the reference engine that we do not follow, each with its reason.
const DEVIATIONS: &[(&str, &str)] = &[(
    "quirk-043",
    "in one list, a wildcard before an equals-ignore-case prefix lets the prefix match values that do not start with it: \
     a fault of the reference machine that would turn a rule into one its author did not write",
)];

const PATTERNS: &str = include_str!("../../../../tests/vectors/patterns.jsonl");
const EVENTS: &str = include_str!("../../../../tests/vectors/events.jsonl");

#[test]
fn every_vector_agrees() {
    let mut differences = Vec::new();
    for vector in vectors(PATTERNS).iter().chain(&vectors(EVENTS)) {
        if let Err(difference) = check(vector)
            && !DEVIATIONS.iter().any(|(id, _)| *id == text(vector, "id"))
        {
            differences.push(format!("{}: {difference}", text(vector, "id")));
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn only_quirks_deviate() {
    let vectors = vectors(PATTERNS);
    for (id, reason) in DEVIATIONS {
        let vector = vectors.iter().find(|vector| text(vector, "id") == *id).unwrap();
        assert_eq!(text(vector, "group"), "quirk", "{id}");
        assert!(!reason.is_empty() && check(vector).is_err(), "{id} agrees: remove it");
    }
}

fn check(vector: &Value) -> Result<(), String> {
    let (pattern, event) = (text(vector, "pattern"), text(vector, "event"));
    let expected =
        if vector.get("strict").is_some() { text(vector, "strict") } else { text(vector, "expected") };
    let verdict = verdict(pattern, event);
    if verdict.0 != expected {
        return Err(format!(
            "expected {expected}, got {} {}\n    {pattern:.200}\n    {event:.200}",
            verdict.0, verdict.1
        ));
    }
    let message = vector.get("strict_error").or(vector.get("error")).and_then(Value::as_str);
    let Some(mut message) = message else { return Ok(()) };
    if expected == "event_error" {
        // The recorded message begins with the class of the exception.
        message = message.split_once(": ").map_or(message, |(_, rest)| rest);
    }
    if verdict.1 != message {
        return Err(format!("expected the message\n    {message}\n  got\n    {}", verdict.1));
    }
    Ok(())
}

/// Our verdict, and the message of an error.
fn verdict(pattern: &str, event: &str) -> (&'static str, String) {
    let pattern = match Pattern::parse(pattern) {
        Ok(pattern) => pattern,
        Err(error) => return ("invalid", error.message),
    };
    let set = PatternSet::new(vec![pattern.clone()]).matches(event.as_bytes());
    match (Event::read(event.as_bytes()), set) {
        (Err(error), Err(again)) => {
            assert_eq!(error, again);
            let message =
                if let EventError::Json(error) = &error { error.message.clone() } else { error.to_string() };
            ("event_error", message)
        }
        (Ok(read), Ok(indices)) => {
            let matches = pattern.matches(&read);
            assert_eq!(matches, indices == [0]);
            assert_eq!(matches, pattern.explain(&read).to_string() == "matches");
            (if matches { "match" } else { "no_match" }, String::new())
        }
        (alone, set) => ("one reads the event, the other does not", format!("{alone:?} {set:?}")),
    }
}

fn vectors(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap_or_default()).collect()
}

fn text<'v>(vector: &'v Value, key: &str) -> &'v str {
    vector[key].as_str().unwrap_or_default()
}
