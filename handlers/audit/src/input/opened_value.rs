//! Opens values that are no events and have some inside: answers of queries, hits of search engines, packed log data.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::file_content::FileContent;
use super::member_names::{is_detail_type, is_event_name};
use super::unpack::unpack_content;

/// How deep the events may lie. Elastic's hits have four levels.
const NESTED_VALUES_MAX: usize = 8;

/// The members that hold a whole event as text, the surest first: CloudTrail's and CloudTrail Lake's, Splunk's, Elastic's,
/// those of CloudWatch Logs, and of queues and topics.
const TEXT_MEMBERS: [&str; 13] = [
    "CloudTrailEvent",
    "cloudtrailevent",
    "eventJson",
    "eventjson",
    "_raw",
    "event.original",
    "original",
    "@message",
    "message",
    "Message",
    "body",
    "Body",
    "line",
];

/// The members of that list that no event and no record has: an object with one of them is opened even if it also has
/// the names of a record.
const WHOLE_EVENT_MEMBERS: usize = 6;

/// The members whose objects and lists may hold events.
const WRAPPER_MEMBERS: [&str; 18] = [
    "result",
    "results",
    "hits",
    "_source",
    "fields",
    "event",
    "events",
    "Events",
    "Records",
    "Messages",
    "Entries",
    "rows",
    "QueryResultRows",
    "logEvents",
    "awslogs",
    "kinesis",
    "@message",
    "record",
];

/// The member that holds compressed log data in Base64, in what CloudWatch Logs sends to Lambda and Kinesis.
const PACKED_MEMBER: &str = "data";

/// The place of a member among those that hold a whole event as text.
pub(super) fn rank_text_member(name: &str) -> Option<usize> {
    TEXT_MEMBERS.iter().position(|member| *member == name)
}

/// Whether a member of this rank shows that the object is no event itself.
pub(super) fn holds_whole_event(rank: usize) -> bool {
    rank < WHOLE_EVENT_MEMBERS
}

/// Returns the texts of the events and rows in a value, in its order; none if it has none.
pub(super) fn open_value(value: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    collect_texts(value, 0, &mut texts);
    texts
}

fn collect_texts(value: &Value, depth: usize, texts: &mut Vec<String>) {
    if depth > NESTED_VALUES_MAX {
        return;
    }
    match value {
        Value::Object(members) => collect_from_object(members, depth, texts),
        Value::Array(entries) => match merge_row(entries) {
            Some(row) => collect_from_object(&row, depth + 1, texts),
            None => {
                for entry in entries {
                    collect_texts(entry, depth + 1, texts);
                }
            }
        },
        Value::String(text) if may_be_json(text) => texts.push(text.clone()),
        _ => {}
    }
}

/// Collects from an object, by the first of these that finds something:
///
/// 1. a text with a whole event;
/// 2. the object itself, if it has the names of an event or a record;
/// 3. the rows of Athena's answer;
/// 4. packed log data;
/// 5. the objects and lists in it.
fn collect_from_object(members: &Map<String, Value>, depth: usize, texts: &mut Vec<String>) {
    // 1. A text. Its text may stand in a list of one.
    for name in TEXT_MEMBERS {
        let text = match members.get(name) {
            Some(Value::String(text)) => text,
            Some(Value::Array(entries)) => match entries.as_slice() {
                [Value::String(text)] => text,
                _ => continue,
            },
            _ => continue,
        };
        if may_be_json(text) {
            texts.push(text.clone());
            return;
        }
    }
    // 2. The object itself.
    if members.keys().any(|name| is_event_name(name) || is_detail_type(name)) {
        texts.push(Value::Object(members.clone()).to_string());
        return;
    }
    // 3. Rows of Athena.
    if let Some(Value::Object(result)) = members.get("ResultSet") {
        return collect_athena_rows(result, texts);
    }
    // 4. Packed log data.
    if let Some(Value::String(packed)) = members.get(PACKED_MEMBER)
        && let Some(text) = unpack_text(packed)
    {
        texts.push(text);
        return;
    }
    // 5. What is in it.
    for name in WRAPPER_MEMBERS {
        if let Some(inner @ (Value::Object(_) | Value::Array(_))) = members.get(name) {
            collect_texts(inner, depth + 1, texts);
        }
    }
}

/// Makes one object of a row that is a list: of `{"field": …, "value": …}` in Logs Insights, of objects with one member
/// in CloudTrail Lake.
fn merge_row(entries: &[Value]) -> Option<Map<String, Value>> {
    let mut row = Map::new();
    for entry in entries {
        let members = entry.as_object()?;
        if let (Some(Value::String(field)), Some(value)) = (members.get("field"), members.get("value")) {
            row.insert(field.clone(), value.clone());
        } else if members.len() == 1 {
            row.extend(members.clone());
        } else {
            return None;
        }
    }
    // A list of one such object may as well be a list of events.
    if row.is_empty() { None } else { Some(row) }
}

/// Makes an object of each row in an answer of Athena. The names come from its metadata, else from the first row.
fn collect_athena_rows(result: &Map<String, Value>, texts: &mut Vec<String>) {
    let Some(Value::Array(rows)) = result.get("Rows") else { return };
    let mut names: Vec<String> = Vec::new();
    let metadata = result.get("ResultSetMetadata").and_then(|metadata| metadata.get("ColumnInfo"));
    for column in metadata.and_then(Value::as_array).into_iter().flatten() {
        names.push(column.get("Name").and_then(Value::as_str).unwrap_or_default().to_owned());
    }
    for row in rows {
        let Some(Value::Array(cells)) = row.get("Data") else { continue };
        let mut values = Vec::new();
        for cell in cells {
            values.push(cell.get("VarCharValue").and_then(Value::as_str).unwrap_or_default().to_owned());
        }
        if names.is_empty() {
            names.clone_from(&values);
        }
        if values != names {
            texts.push(row_to_json(&names, &values));
        }
    }
}

/// Writes a row of a table as an object. An empty cell is a member that is not there.
pub(super) fn row_to_json(names: &[String], cells: &[String]) -> String {
    let mut row = Map::new();
    for (name, cell) in names.iter().zip(cells) {
        if !cell.is_empty() {
            row.insert(name.clone(), Value::String(cell.clone()));
        }
    }
    Value::Object(row).to_string()
}

/// Whether a text may be JSON with an event: an object, a list, or the text of one.
pub(super) fn may_be_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[', '"'])
}

/// Unpacks log data in Base64, which is compressed or not.
fn unpack_text(packed: &str) -> Option<String> {
    let bytes = STANDARD.decode(packed.trim()).ok()?;
    let mut unpacked = None;
    let content = FileContent { name: String::new(), bytes, cut: None };
    unpack_content(content, 0, &mut |content| unpacked = String::from_utf8(content.bytes).ok());
    unpacked.filter(|text| may_be_json(text))
}
