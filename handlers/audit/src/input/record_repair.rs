//! Repairs records that a tool wrote in another way than CloudTrail: dotted keys, objects as text, empty error codes, times
//! as numbers.
//!
//! A record that nobody rewrote stays as it is, byte for byte.

use responder_core::time::Timestamp;
use serde_json::{Map, Value};

/// A record after its repair.
#[derive(Debug)]
pub(super) struct RepairedRecord {
    /// The record, or the event with the record in its `detail`.
    pub(super) text: String,
    /// What could not be repaired: a sentence that holds nothing of the record.
    pub(super) problem: Option<&'static str>,
}

/// The members of a record that hold objects or lists ("CloudTrail record contents", CloudTrail user guide).
const OBJECT_MEMBERS: [&str; 8] = [
    "additionalEventData",
    "detail",
    "requestParameters",
    "resources",
    "responseElements",
    "serviceEventDetails",
    "tlsDetails",
    "userIdentity",
];

const UNREADABLE_TEXT: &str =
    "a record whose parameters are a text that is not JSON; what it concerns was not read";

/// Repairs a record, or an event with a record in its `detail`; `None` if nothing has to be repaired.
pub(super) fn repair_record(text: &str) -> Option<RepairedRecord> {
    if !may_need_repair(text) {
        return None;
    }
    let original: Value = serde_json::from_str(text).ok()?;
    let mut repaired = original.clone();
    let problem = repair_object(repaired.as_object_mut()?);
    if repaired == original && problem.is_none() {
        return None;
    }
    Some(RepairedRecord { text: repaired.to_string(), problem })
}

/// Whether a text has one of the forms that are repaired. Most records are not parsed for that.
fn may_need_repair(text: &str) -> bool {
    for name in OBJECT_MEMBERS {
        if text.contains(&format!("\"{name}.")) || text.contains(&format!("\"{name}[")) {
            return true;
        }
        if find_member_starts(text, name).any(|value| value.starts_with('"')) {
            return true;
        }
    }
    for name in ["errorCode", "errorMessage"] {
        if find_member_starts(text, name).any(is_empty_code_text) {
            return true;
        }
    }
    find_member_starts(text, "eventTime").any(|value| !is_usable_time_text(value))
}

/// What follows each member of this name, from its value on.
fn find_member_starts<'t>(text: &'t str, name: &str) -> impl Iterator<Item = &'t str> {
    let key = format!("\"{name}\"");
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once(key.as_str())?;
            rest = after;
            if let Some(value) = after.trim_start().strip_prefix(':') {
                return Some(value.trim_start());
            }
        }
    })
}

fn is_empty_code_text(value: &str) -> bool {
    ["\"\"", "\"null\"", "\"None\"", "\"NaN\""].iter().any(|empty| value.starts_with(empty))
}

fn is_usable_time_text(value: &str) -> bool {
    let Some(quoted) = value.strip_prefix('"') else { return false };
    let Some((time, _)) = quoted.split_once('"') else { return false };
    time.parse::<Timestamp>().is_ok()
}

/// Repairs an object and the record in its `detail`. Returns what could not be repaired.
fn repair_object(object: &mut Map<String, Value>) -> Option<&'static str> {
    nest_dotted_keys(object);
    let mut problem = None;
    for name in OBJECT_MEMBERS {
        let Some(member) = object.get_mut(name) else { continue };
        let Some(text) = member.as_str() else { continue };
        match parse_object_text(text) {
            Some(parsed) => *member = parsed,
            None => problem = Some(UNREADABLE_TEXT),
        }
    }
    for name in ["errorCode", "errorMessage"] {
        let is_empty = object.get(name).and_then(Value::as_str).is_some_and(is_empty_code);
        if is_empty {
            object.remove(name);
        }
    }
    if let Some(time) = object.get("eventTime").and_then(repair_time) {
        object.insert("eventTime".to_owned(), Value::String(time.to_string()));
    }
    if let Some(detail) = object.get_mut("detail").and_then(Value::as_object_mut) {
        problem = problem.or(repair_object(detail));
    }
    problem
}

/// `{"userIdentity.type": "IAMUser"}` becomes `{"userIdentity": {"type": "IAMUser"}}`; keys of other members stay.
fn nest_dotted_keys(object: &mut Map<String, Value>) {
    let mut dotted = Vec::new();
    for key in object.keys() {
        let plain = key.replace('[', ".").replace(']', "");
        let parts: Vec<String> = plain.split('.').map(str::to_owned).collect();
        if parts.len() > 1 && parts.first().is_some_and(|first| OBJECT_MEMBERS.contains(&first.as_str())) {
            dotted.push((key.clone(), parts));
        }
    }
    for (key, parts) in dotted {
        let Some(value) = object.remove(&key) else { continue };
        insert_at_path(object, &parts, value);
    }
    for name in OBJECT_MEMBERS {
        if let Some(member) = object.get_mut(name) {
            make_lists(member);
        }
    }
}

fn insert_at_path(object: &mut Map<String, Value>, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        object.insert(first.clone(), value);
        return;
    }
    let member = object.entry(first.clone()).or_insert_with(|| Value::Object(Map::new()));
    if !member.is_object() {
        *member = Value::Object(Map::new());
    }
    if let Value::Object(nested) = member {
        insert_at_path(nested, rest, value);
    }
}

/// `{"0": a, "1": b}` becomes `[a, b]`.
fn make_lists(value: &mut Value) {
    let Value::Object(members) = value else { return };
    for member in members.values_mut() {
        make_lists(member);
    }
    let is_list =
        !members.is_empty() && (0..members.len()).all(|index| members.contains_key(&index.to_string()));
    if is_list {
        let mut list = Vec::new();
        for index in 0..members.len() {
            list.extend(members.remove(&index.to_string()));
        }
        *value = Value::Array(list);
    }
}

/// An object, a list or nothing, from its text.
fn parse_object_text(text: &str) -> Option<Value> {
    if is_empty_code(text) {
        return Some(Value::Null);
    }
    let parsed: Value = serde_json::from_str(text).ok()?;
    if parsed.is_object() || parsed.is_array() { Some(parsed) } else { None }
}

/// An absent value as tools spell it: empty, or the word of the tool's language.
fn is_empty_code(text: &str) -> bool {
    matches!(text.trim(), "" | "null" | "None" | "NaN" | "nan")
}

/// The time of a number of seconds or milliseconds, or of a text such as `2026-03-09 10:00:00.000`; `None` where the time
/// can be used as it is, or cannot be read.
fn repair_time(time: &Value) -> Option<Timestamp> {
    /// Seconds up to the year 5138; milliseconds from 1973 on.
    const SECONDS_MAX: f64 = 1e11;
    let text = match time {
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.parse::<Timestamp>().is_err() => text.trim().to_owned(),
        _ => return None,
    };
    if let Ok(number) = text.parse::<f64>() {
        let millis = if number.abs() < SECONDS_MAX { number * 1_000.0 } else { number };
        let is_in_range = millis.is_finite() && millis.abs() < 1e15;
        #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
        return is_in_range.then(|| Timestamp::from_millis(millis.round() as i64));
    }
    let plain = text.trim_end_matches(" UTC").trim_end_matches("+00:00").trim_end_matches('Z');
    format!("{}Z", plain.replacen(' ', "T", 1)).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn repair(record: &Value) -> Value {
        let repaired = repair_record(&record.to_string()).expect("it needs a repair");
        assert_eq!(repaired.problem, None);
        serde_json::from_str(&repaired.text).unwrap()
    }

    #[test]
    fn a_record_of_cloudtrail_stays_as_it_is() {
        let record = json!({"eventTime": "2026-03-09T10:00:00Z", "userIdentity": {"type": "IAMUser"}, "errorCode": null,
            "requestParameters": {"secretId": "a.b", "x.y": 1}, "userAgent": "{\"errorCode\":\"\"}"});
        assert!(repair_record(&record.to_string()).is_none());
    }

    #[test]
    fn dotted_keys_become_objects_and_lists() {
        let record = json!({"userIdentity.sessionContext.sessionIssuer.arn": "a", "resources.0.ARN": "b",
            "requestParameters.secretIdList[0]": "c", "requestParameters.secretIdList[1]": "d", "other.key": 1});
        assert_eq!(
            repair(&record),
            json!({"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": "a"}}}, "resources": [{"ARN": "b"}],
                "requestParameters": {"secretIdList": ["c", "d"]}, "other.key": 1})
        );
    }

    #[test]
    fn objects_as_text_and_empty_error_codes_are_read() {
        let record = json!({"detail": {"requestParameters": "{\"secretId\": \"a\"}", "responseElements": "null",
            "errorCode": "", "errorMessage": "None"}});
        let expected = json!({"detail": {"requestParameters": {"secretId": "a"}, "responseElements": null}});
        assert_eq!(repair(&record), expected);
        let broken = repair_record(r#"{"requestParameters":"{secretId=a}"}"#).unwrap();
        assert_eq!(broken.problem, Some(UNREADABLE_TEXT));
    }

    #[test]
    fn times_are_read_in_the_forms_of_tools() {
        for time in [
            json!(1_773_050_400),
            json!(1_773_050_400_000_i64),
            json!("1773050400"),
            json!(1_773_050_400.0),
            json!("2026-03-09 10:00:00.000"),
            json!("2026-03-09 10:00:00 UTC"),
        ] {
            let read = repair_time(&time).unwrap();
            assert_eq!(read.millis(), 1_773_050_400_000, "{time}");
        }
        assert!(repair_record(r#"{"eventTime":"soon"}"#).is_none());
    }
}
