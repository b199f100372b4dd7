//! The crate against AWS's own engine: every vector must agree in verdict and words.

use serde_json::Value;

use crate::verdict::verdict;

/// The quirks of the reference engine that the crate does not follow, each with its reason.
const DEVIATIONS: [(&str, &str); 1] = [(
    "quirk-043",
    "In one list, a wildcard before an equals-ignore-case prefix lets the prefix match values that do not start with it: a fault \
     of the reference machine that would turn a pattern into one that its author did not write.",
)];

pub(crate) const PATTERN_VECTORS: &str = include_str!("../../vectors/patterns.jsonl");
pub(crate) const EVENT_VECTORS: &str = include_str!("../../vectors/events.jsonl");

#[test]
fn every_vector_agrees() {
    let mut differences = Vec::new();
    for vector in vectors(PATTERN_VECTORS).iter().chain(&vectors(EVENT_VECTORS)) {
        let id = text_of(vector, "id");
        let is_deviation = DEVIATIONS.iter().any(|(deviation, _)| *deviation == id);
        if let Err(difference) = check_vector(vector)
            && !is_deviation
        {
            differences.push(format!("{id}: {difference}"));
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn only_quirks_deviate() {
    let vectors = vectors(PATTERN_VECTORS);
    for (id, reason) in DEVIATIONS {
        let vector = vectors.iter().find(|vector| text_of(vector, "id") == id).unwrap();
        assert_eq!(text_of(vector, "group"), "quirk", "{id}");
        assert!(!reason.is_empty() && check_vector(vector).is_err(), "{id} agrees: remove it");
    }
}

/// How many vectors agree, and how many there are.
pub(crate) fn agreement(lines: &str) -> (usize, usize) {
    let vectors = vectors(lines);
    let agreeing = vectors.iter().filter(|vector| check_vector(vector).is_ok()).count();
    (agreeing, vectors.len())
}

pub(crate) fn vectors(lines: &str) -> Vec<Value> {
    // A line that is not JSON is a vector without an id, which agrees with nothing.
    lines.lines().map(|line| serde_json::from_str(line).unwrap_or_default()).collect()
}

pub(crate) fn text_of<'v>(vector: &'v Value, key: &str) -> &'v str {
    vector[key].as_str().unwrap_or_default()
}

fn check_vector(vector: &Value) -> Result<(), String> {
    let pattern = text_of(vector, "pattern");
    let event = text_of(vector, "event");
    // `strict` is what the API says where the engine is more lenient.
    let key = if vector.get("strict").is_some() { "strict" } else { "expected" };
    let expected = text_of(vector, key);
    let (found, found_message) = verdict(pattern, event);
    if found != expected {
        return Err(format!(
            "expected {expected}, got {found} {found_message}\n    {pattern:.200}\n    {event:.200}"
        ));
    }
    let recorded = vector.get("strict_error").or(vector.get("error"));
    let Some(mut message) = recorded.and_then(Value::as_str) else { return Ok(()) };
    if expected == "event_error" {
        // The recorded message begins with the class of the exception.
        message = message.split_once(": ").map_or(message, |(_, rest)| rest);
    }
    if found_message != message {
        return Err(format!("expected the message\n    {message}\n  got\n    {found_message}"));
    }
    Ok(())
}
