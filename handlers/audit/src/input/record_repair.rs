//! Gives an event or a record that an export has reshaped its own shape again.

use eventbridge_pattern::json::parse_value;
use responder_core::time::Timestamp;
use serde_json::{Map, Value};

use super::member_names::{find_identity_name, find_parameter_name, find_record_path};
use super::struct_text::parse_struct_text;

/// The members that hold an object or a list, never a text.
const OBJECT_MEMBERS: [&str; 10] = [
    "userIdentity",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "serviceEventDetails",
    "addendum",
    "tlsDetails",
    "edgeDeviceDetails",
    "resources",
    "detail",
];

/// The members that hold a text, which a table leaves empty where the record has none.
const TEXT_MEMBERS: [&str; 6] =
    ["errorCode", "errorMessage", "sharedEventID", "vpcEndpointId", "eventCategory", "signInSessionArn"];

/// Whether a member of this name holds an object or a list, never a text.
pub(super) fn holds_object(name: &str) -> bool {
    OBJECT_MEMBERS.contains(&name)
}

/// Whether a member of this name holds a text that says something only if it is not empty.
pub(super) fn holds_text(name: &str) -> bool {
    TEXT_MEMBERS.contains(&name)
}

/// Returns the event or record in the shape that AWS gave it; `None` if the text is not one object.
///
/// 1. Names that a table or a tool has respelled get their spelling back: `eventtime`, `UserIdentityArn`.
/// 2. Dotted names become objects: `{"userIdentity.arn": …}`.
/// 3. Objects that are written as text become objects, be the text JSON or a structure of Athena.
/// 4. Texts that are empty go, because an empty `errorCode` is no error.
/// 5. The time of the call becomes a time, if it is a number or a time of a table.
///
/// A member that has its name already is never replaced by a respelled one.
pub(super) fn repair_record(text: &str) -> Option<String> {
    let Ok(Value::Object(members)) = parse_value(text) else { return None };
    Some(Value::Object(repair_members(members)).to_string())
}

fn repair_members(members: Map<String, Value>) -> Map<String, Value> {
    let mut repaired = Map::new();
    let mut respelled = Vec::new();
    for (name, value) in members {
        match find_record_path(&name) {
            Some(path) if path == name && !path.contains('.') => {
                repaired.insert(name, value);
            }
            Some(path) => respelled.push((path.to_owned(), value)),
            // A list has its places in brackets in some spellings: `resources[0].ARN`.
            None => respelled.push((name.replace('[', ".").replace(']', ""), value)),
        }
    }
    // 1. and 2. The names.
    for (path, value) in respelled {
        insert_at_path(&mut repaired, &path, value);
    }
    for (name, value) in &mut repaired {
        repair_member(name, value);
    }
    repaired.retain(|name, value| !(holds_text(name) && is_empty_text(value)));
    repaired
}

/// Inserts a value below the objects that the path names, unless one stands there.
fn insert_at_path(members: &mut Map<String, Value>, path: &str, value: Value) {
    let Some((first, rest)) = path.split_once('.') else {
        members.entry(path.to_owned()).or_insert(value);
        return;
    };
    let first = find_record_path(first).unwrap_or(first);
    let inner = members.entry(first.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    if inner.is_null() {
        *inner = Value::Object(Map::new());
    }
    if let Value::Object(inner) = inner {
        insert_at_path_below(inner, rest, value);
    }
}

fn insert_at_path_below(members: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            members.entry(path.to_owned()).or_insert(value);
        }
        Some((first, rest)) => {
            let inner = members.entry(first.to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                insert_at_path_below(inner, rest, value);
            }
        }
    }
}

fn repair_member(name: &str, value: &mut Value) {
    // 3. Objects that are written as text.
    if holds_object(name)
        && let Value::String(text) = value
        && let Some(parsed) = parse_object_text(text)
    {
        *value = parsed;
    }
    restore_lists(value);
    match name {
        "detail" => {
            if let Value::Object(detail) = value {
                *detail = repair_members(std::mem::take(detail));
            }
        }
        "userIdentity" => rename_members(value, find_identity_name),
        "resources" => rename_members(value, |name| match find_identity_name(name) {
            Some("arn") => Some("ARN"),
            found => found,
        }),
        "requestParameters" => rename_members(value, find_parameter_name),
        // 5. The time of the call.
        "eventTime" | "time" => repair_time(value),
        _ => {}
    }
}

/// Reads the text of an object or a list. A text that is empty or `null` stands for none.
fn parse_object_text(text: &str) -> Option<Value> {
    let text = text.trim();
    if text.is_empty() || text == "null" {
        return Some(Value::Null);
    }
    match parse_value(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => Some(value),
        // Some tools write the text of a text.
        Ok(Value::String(inner)) if inner.len() < text.len() => parse_object_text(&inner),
        _ => parse_struct_text(text),
    }
}

/// Turns objects whose names are the numbers from 0 on back into lists, as `resources.0.ARN` needs it.
fn restore_lists(value: &mut Value) {
    let Value::Object(members) = value else { return };
    for inner in members.values_mut() {
        restore_lists(inner);
    }
    let mut entries = Vec::new();
    for index in 0..members.len() {
        match members.get(&index.to_string()) {
            Some(entry) => entries.push(entry.clone()),
            None => return,
        }
    }
    if !entries.is_empty() {
        *value = Value::Array(entries);
    }
}

/// Gives respelled members their names back, on every level.
fn rename_members(value: &mut Value, find: fn(&str) -> Option<&'static str>) {
    match value {
        Value::Array(entries) => {
            for entry in entries {
                rename_members(entry, find);
            }
        }
        Value::Object(members) => {
            let mut renamed = Map::new();
            for (name, mut inner) in std::mem::take(members) {
                rename_members(&mut inner, find);
                let name = find(&name).map_or(name, ToOwned::to_owned);
                renamed.entry(name).or_insert(inner);
            }
            *members = renamed;
        }
        _ => {}
    }
}

fn is_empty_text(value: &Value) -> bool {
    value.as_str().is_some_and(is_absent_text)
}

/// Whether a text stands for a member that the record does not have.
pub(super) fn is_absent_text(text: &str) -> bool {
    text.is_empty() || text == "null"
}

fn repair_time(value: &mut Value) {
    let repaired = match value {
        Value::Number(number) => number.as_f64().and_then(time_from_number),
        Value::String(text) if text.parse::<Timestamp>().is_err() => time_from_text(text.trim()),
        _ => None,
    };
    if let Some(time) = repaired {
        *value = Value::String(time.to_string());
    }
}

/// Reads a time as tables print it: a number, or a time with the name of its zone behind it.
fn time_from_text(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<f64>() {
        return time_from_number(number);
    }
    let without_zone = text.strip_suffix("UTC").or_else(|| text.strip_suffix("GMT"))?;
    without_zone.trim().parse().ok()
}

/// Reads a number of seconds, milliseconds, microseconds or nanoseconds since 1970, whichever gives a time between 1973
/// and 5138.
fn time_from_number(number: f64) -> Option<Timestamp> {
    const SECONDS_MAX: f64 = 1e11;
    if !(1e8..SECONDS_MAX * 1e9).contains(&number) {
        return None;
    }
    let mut millis = number * 1e3;
    while millis >= SECONDS_MAX * 1e3 {
        millis /= 1e3;
    }
    // The range above keeps the number far below the largest integer that a float holds exactly.
    format!("{millis:.0}").parse().ok().map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn repaired(record: &Value) -> Value {
        serde_json::from_str(&repair_record(&record.to_string()).unwrap()).unwrap()
    }

    #[test]
    fn numbers_and_times_of_tables_become_times() {
        for time in [
            json!(1_773_050_400),
            json!(1_773_050_400_000_u64),
            json!(1_773_050_400_000_000_u64),
            json!(1_773_050_400_000_000_000_u64),
            json!(1_773_050_400.0),
            json!("1773050400"),
            json!("2026-03-09 10:00:00.000 UTC"),
        ] {
            assert_eq!(repaired(&json!({"eventTime": time}))["eventTime"], "2026-03-09T10:00:00Z", "{time}");
        }
        for other in [json!(5), json!("soon"), json!(null), json!(-1), json!("inf")] {
            assert_eq!(repaired(&json!({"eventTime": other}))["eventTime"], other);
        }
    }

    #[test]
    fn dotted_names_become_objects_and_lists_and_replace_nothing() {
        let flat = json!({"userIdentity.sessionContext.sessionIssuer.arn": "a", "resources.0.ARN": "r0",
            "resources[1].ARN": "r1", "eventName": "x", "EVENT_NAME": "y"});
        let expected = json!({"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": "a"}}},
            "resources": [{"ARN": "r0"}, {"ARN": "r1"}], "eventName": "x"});
        assert_eq!(repaired(&flat), expected);
    }

    #[test]
    fn a_column_of_sentinel_reaches_the_identity() {
        let row = json!({"EventName": "x", "UserIdentityArn": "a", "SessionIssuerArn": "i", "ErrorCode": ""});
        let expected = json!({"eventName": "x",
            "userIdentity": {"arn": "a", "sessionContext": {"sessionIssuer": {"arn": "i"}}}});
        assert_eq!(repaired(&row), expected);
    }

    #[test]
    fn an_event_is_repaired_in_its_detail_too() {
        let event = json!({"DetailType": "t", "detail": "{\"errorCode\":\"\",\"eventTime\":1773050400}"});
        let expected = json!({"detail-type": "t", "detail": {"eventTime": "2026-03-09T10:00:00Z"}});
        assert_eq!(repaired(&event), expected);
    }
}
