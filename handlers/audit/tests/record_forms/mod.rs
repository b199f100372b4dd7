//! The forms in which records are handed over: each builds the same records in another shape.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};

/// How many forms are read, and how many are refused.
pub(crate) const READ_FORMS: usize = 51;
pub(crate) const REFUSED_FORMS: usize = 11;

/// The names of the objects in a record, which Athena prints as structures and others as JSON text.
const OBJECTS: [&str; 4] = ["userIdentity", "requestParameters", "responseElements", "tlsDetails"];

/// The records in every form that is read.
pub(crate) fn forms_of(records: &[Value]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = trail_forms(records);
    forms.extend(log_forms(records));
    forms.extend(row_forms(records));
    forms.extend(product_forms(records));
    forms.into_iter().map(|(name, text)| (name, text.into_bytes())).chain(utf16_forms(records)).collect()
}

fn texts(records: &[Value]) -> Vec<String> {
    records.iter().map(ToString::to_string).collect()
}

fn list(records: &[Value], make: impl Fn(&Value) -> Value) -> Value {
    records.iter().map(make).collect()
}

fn lines(records: &[Value], make: impl Fn(&Value) -> String) -> String {
    records.iter().map(|record| make(record) + "\n").collect()
}

fn enveloped(record: &Value) -> Value {
    json!({
        "version": "0", "id": record["eventID"], "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.secretsmanager", "account": "111122223333", "time": record["eventTime"], "region": "us-east-1",
        "resources": [], "detail": record,
    })
}

fn trail_forms(records: &[Value]) -> Vec<(&'static str, String)> {
    let change = |record: &Value, field: &str, value: Value| {
        let mut changed = record.clone();
        changed[field] = value;
        changed
    };
    let empty_errors = |record: &Value| {
        let mut changed = record.clone();
        for field in ["errorCode", "errorMessage"] {
            if changed[field].is_null() {
                changed[field] = json!("");
            }
        }
        changed
    };
    let seconds = |record: &Value| {
        1_773_050_400 + record["eventTime"].as_str().unwrap()[17..19].parse::<u64>().unwrap()
    };
    let objects_as_text = |record: &Value| {
        let mut changed = record.clone();
        for field in OBJECTS {
            changed[field] = json!(changed[field].to_string());
        }
        changed
    };
    vec![
        ("trail-file", json!({ "Records": records }).to_string()),
        ("list", json!(records).to_string()),
        ("json-lines", lines(records, ToString::to_string)),
        ("concatenated", texts(records).concat()),
        ("eventbridge-lines", lines(records, |record| enveloped(record).to_string())),
        ("eventbridge-detail-as-text", lines(records, |record| {
            change(&enveloped(record), "detail", json!(record.to_string())).to_string()
        })),
        ("eventbridge-dotted", lines(records, |record| flat(&enveloped(record)).to_string())),
        ("eventbridge-empty-errors", lines(records, |record| {
            change(&enveloped(record), "detail", empty_errors(record)).to_string()
        })),
        ("put-events", json!({"Entries": list(records, |record| json!({
            "Source": "aws.secretsmanager", "DetailType": "AWS API Call via CloudTrail", "Detail": record.to_string(),
            "Time": record["eventTime"], "Account": "111122223333", "Region": "us-east-1", "Resources": [],
        }))}).to_string()),
        ("lookup-events", json!({"Events": list(records, |record| json!({
            "EventId": record["eventID"], "EventName": record["eventName"], "EventTime": 1_773_050_400, "ReadOnly": "true",
            "CloudTrailEvent": record.to_string(),
        }))}).to_string()),
        ("list-of-strings", json!(texts(records)).to_string()),
        ("lines-of-strings", lines(records, |record| json!(record.to_string()).to_string())),
        ("tabs-of-text-output", texts(records).join("\t")),
        ("sqs-of-sns", json!({"Messages": list(records, |record| json!({
            "Body": json!({"Type": "Notification", "Message": enveloped(record).to_string()}).to_string(),
        }))}).to_string()),
        ("empty-errors", json!({"Records": list(records, empty_errors)}).to_string()),
        ("seconds-for-times", json!({"Records": list(records, |record| change(record, "eventTime", json!(seconds(record))))}).to_string()),
        ("millis-for-times", json!({"Records": list(records, |record| change(record, "eventTime", json!(seconds(record) * 1000)))}).to_string()),
        ("objects-as-text", json!({"Records": list(records, objects_as_text)}).to_string()),
        ("dotted", lines(records, |record| flat(record).to_string())),
        ("dotted-with-lists", json!(list(records, |record| {
            let mut changed = record.clone();
            changed["resources"] = json!([{"ARN": "arn:aws:iam::111122223333:role/x", "accountId": "111122223333"}]);
            flat(&changed)
        })).to_string()),
        ("byte-order-mark", format!("\u{feff}{}", json!({ "Records": records }))),
    ]
}

/// Dotted names, as `jq` and data frames make them; the places of lists are numbers.
fn flat(value: &Value) -> Value {
    fn walk(value: &Value, path: &str, into: &mut Map<String, Value>) {
        let members: Vec<(String, &Value)> = match value {
            Value::Object(members) if !members.is_empty() => {
                members.iter().map(|(name, inner)| (name.clone(), inner)).collect()
            }
            Value::Array(entries) if !entries.is_empty() => {
                entries.iter().enumerate().map(|(at, inner)| (at.to_string(), inner)).collect()
            }
            _ => {
                into.insert(path.to_owned(), value.clone());
                return;
            }
        };
        for (name, inner) in members {
            let path = if path.is_empty() { name } else { format!("{path}.{name}") };
            walk(inner, &path, into);
        }
    }
    let mut members = Map::new();
    walk(value, "", &mut members);
    Value::Object(members)
}

fn log_forms(records: &[Value]) -> Vec<(&'static str, String)> {
    let events = list(
        records,
        |record| json!({"timestamp": 1_773_050_400_000_u64, "message": record.to_string(), "ingestionTime": 1}),
    );
    let subscription = json!({
        "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "g", "logStream": "s",
        "subscriptionFilters": ["f"], "logEvents": list(records, |record| json!({"id": "1", "timestamp": 1, "message": record.to_string()})),
    });
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(subscription.to_string().as_bytes()).unwrap();
    let packed = STANDARD.encode(encoder.finish().unwrap());
    let message = |record: &Value| json!({"field": "@message", "value": record.to_string()});
    vec![
        ("logs-export-task", lines(records, |record| format!("2026-03-09T10:00:00.000Z {record}"))),
        ("logs-tail", lines(records, |record| format!("2026-03-09T10:00:00+00:00 stream_1 {record}"))),
        ("logs-text-output", lines(records, |record| format!("EVENTS\t31\t1773050500000\tstream_1\t{record}\t1773050400000"))),
        ("logs-filter-log-events", json!({"events": events, "searchedLogStreams": []}).to_string()),
        ("logs-get-log-events", json!({"nextForwardToken": "f/1", "events": events, "nextBackwardToken": "b/1"}).to_string()),
        ("logs-subscription", subscription.to_string()),
        ("logs-subscription-to-lambda", json!({"awslogs": {"data": packed}}).to_string()),
        ("logs-subscription-to-kinesis", json!({"Records": [{"kinesis": {"partitionKey": "p", "data": packed}}]}).to_string()),
        ("insights-results", json!({"results": list(records, |record| json!([message(record), {"field": "@ptr", "value": "p"}])), "status": "Complete"}).to_string()),
        ("insights-fields", json!({"results": list(records, |record| {
            let fields = flat(record);
            let fields = fields.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
            fields.map(|(name, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
                json!({"field": name, "value": text})
            }).collect()
        })}).to_string()),
        ("insights-console-json", json!(list(records, |record| json!({"@timestamp": "2026-03-09 10:00:00.000", "@message": record}))).to_string()),
        ("insights-csv", table(&["@timestamp", "@message"], records, ',', |record| vec!["2026-03-09 10:00:00.000".to_owned(), record.to_string()])),
    ]
}

/// A table in which every cell is quoted, and a quote in a cell stands twice.
fn table(header: &[&str], records: &[Value], delimiter: char, row: impl Fn(&Value) -> Vec<String>) -> String {
    let quoted = |cells: Vec<String>| {
        let cells: Vec<String> =
            cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        cells.join(&delimiter.to_string()) + "\n"
    };
    let head = quoted(header.iter().map(|&name| name.to_owned()).collect());
    head + &records.iter().map(|record| quoted(row(record))).collect::<String>()
}

/// A value as Athena prints a structure.
fn printed(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, inner)| format!("{}={}", name.to_lowercase(), printed(inner)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn column_names(records: &[Value]) -> Vec<String> {
    let mut names: Vec<String> =
        records.iter().flat_map(|record| record.as_object().unwrap().keys().cloned()).collect();
    names.sort();
    names.dedup();
    names
}

/// The cell of a table of Athena: structures are printed, request parameters are JSON text, nothing is empty.
fn athena_cell(record: &Value, name: &str) -> String {
    match (&record[name], name) {
        (Value::Null, _) => String::new(),
        (value, "userIdentity" | "tlsDetails") => printed(value),
        (Value::String(text), _) => text.clone(),
        (value, _) => value.to_string(),
    }
}

fn row_forms(records: &[Value]) -> Vec<(&'static str, String)> {
    let names = column_names(records);
    let lower: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let header: Vec<&str> = lower.iter().map(String::as_str).collect();
    let cells =
        |record: &Value| -> Vec<String> { names.iter().map(|name| athena_cell(record, name)).collect() };
    let data = |cells: Vec<String>| -> Value {
        let cells: Vec<Value> = cells
            .iter()
            .map(|cell| if cell.is_empty() { json!({}) } else { json!({"VarCharValue": cell}) })
            .collect();
        json!({ "Data": cells })
    };
    let mut rows = vec![data(lower.clone())];
    rows.extend(records.iter().map(|record| data(cells(record))));
    let crawled = |record: &Value| {
        let mut row = Map::new();
        for (name, value) in record.as_object().unwrap() {
            let inner = serde_json::from_str(&lower_keys(value).to_string()).unwrap();
            if value != &Value::Null {
                row.insert(name.to_lowercase(), inner);
            }
        }
        Value::Object(row).to_string()
    };
    let upper = |record: &Value| {
        let row: Map<String, Value> = names
            .iter()
            .map(|name| {
                (
                    name.to_uppercase(),
                    json!(record[name].as_str().map_or_else(|| record[name].to_string(), ToOwned::to_owned)),
                )
            })
            .collect();
        Value::Object(row).to_string()
    };
    let lake_row = |record: &Value| -> Value {
        names.iter().map(|name| json!({name: athena_cell(record, name)})).collect()
    };
    vec![
        ("athena-csv", table(&header, records, ',', cells)),
        ("athena-tsv", table(&header, records, '\t', cells)),
        ("athena-answer", json!({"UpdateCount": 0, "ResultSet": {"Rows": rows}}).to_string()),
        ("athena-answer-with-metadata", json!({"ResultSet": {"Rows": rows[1..], "ResultSetMetadata": {"ColumnInfo": lower.iter().map(|name| json!({"Name": name})).collect::<Value>()}}}).to_string()),
        ("glue-json-lines", lines(records, crawled)),
        ("warehouse-json-lines", lines(records, upper)),
        ("lake-answer", json!({"QueryStatus": "FINISHED", "QueryResultRows": list(records, |record| json!([{"eventTime": "2026-03-09 10:00:00.000"}, {"eventJson": record.to_string()}]))}).to_string()),
        ("lake-answer-in-columns", json!({"QueryResultRows": list(records, lake_row)}).to_string()),
        ("lake-csv", table(&["eventJson"], records, ',', |record| vec![record.to_string()])),
    ]
}

/// An object with all names in lower case, as a crawler of Glue makes it.
fn lower_keys(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, inner)| (name.to_lowercase(), lower_keys(inner))).collect()
        }
        other => other.clone(),
    }
}

fn product_forms(records: &[Value]) -> Vec<(&'static str, String)> {
    vec![
        ("splunk-lines", lines(records, |record| json!({"preview": false, "result": {"_raw": record.to_string(), "eventName": "x", "_time": "t"}}).to_string())),
        ("splunk-results", json!({"preview": false, "results": list(records, |record| json!({"_raw": record.to_string()}))}).to_string()),
        ("splunk-csv", table(&["_time", "_raw", "host"], records, ',', |record| vec!["t".to_owned(), record.to_string(), "h".to_owned()])),
        ("elastic-hits", json!({"took": 1, "hits": {"total": {"value": 20}, "hits": list(records, |record| json!({"_index": "i", "_source": {"event": {"original": record.to_string(), "kind": "event"}, "message": "m"}}))}}).to_string()),
        ("elastic-dump", lines(records, |record| json!({"_index": "i", "_source": {"event.original": record.to_string()}}).to_string())),
        ("elastic-fields", json!({"hits": {"hits": list(records, |record| json!({"fields": {"event.original": [record.to_string()]}}))}}).to_string()),
    ]
}

/// As PowerShell's `>` and Windows programs write it.
fn utf16_forms(records: &[Value]) -> Vec<(&'static str, Vec<u8>)> {
    let text = json!({ "Records": records }).to_string().replace(",\"", ",\r\n\"");
    let units: Vec<u16> = format!("\u{feff}{text}").encode_utf16().collect();
    vec![
        ("utf16-little", units.iter().flat_map(|unit| unit.to_le_bytes()).collect()),
        ("utf16-big", units.iter().flat_map(|unit| unit.to_be_bytes()).collect()),
        ("utf16-without-a-mark", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ]
}

/// The records in every form that is refused: with a word for the kind and one for the way out.
pub(crate) fn refused_forms(records: &[Value]) -> Vec<(&'static str, Vec<u8>, &'static str, &'static str)> {
    let history = "Event name,Event time,User name,Event source\nGetSecretValue,\"March 09, 2026\",m,s\n"
        .to_owned()
        + &"GetSecretValue,x,m,s\n".repeat(20);
    let ocsf = lines(records, |_| {
        json!({"class_uid": 6003, "metadata": {"product": {"name": "CloudTrail"}}, "api": {"operation": "GetSecretValue"}}).to_string()
    });
    let few_columns =
        table(&["eventtime", "eventname", "useridentity", "requestparameters"], records, ',', |record| {
            ["eventTime", "eventName", "userIdentity", "requestParameters"]
                .map(|name| athena_cell(record, name))
                .to_vec()
        });
    let without_caller = lines(records, |record| {
        let mut changed = record.clone();
        changed.as_object_mut().unwrap().remove("userIdentity");
        changed.to_string()
    });
    let elastic = json!({"hits": {"hits": list(records, |record| json!({"_source": {"event": {"action": record["eventName"]}}}))}}).to_string();
    vec![
        ("event-history-csv", history.into_bytes(), "Event history", "JSON"),
        ("ocsf", ocsf.into_bytes(), "OCSF", "files of the trail"),
        ("few-columns", few_columns.into_bytes(), "20 records without `eventSource`", "export"),
        ("without-caller", without_caller.into_bytes(), "20 records without `userIdentity`", "export"),
        ("elastic-without-original", elastic.into_bytes(), "event.original", "trail"),
        ("parquet", b"PAR1\x15\x04\x15\x00PAR1".to_vec(), "Parquet", "JSON lines"),
        ("orc", b"ORC\x0a\x00\x01".to_vec(), "ORC", "JSON lines"),
        ("xz", b"\xfd7zXZ\x00\x00\x04".to_vec(), "xz", "unpack"),
        ("seven-zip", b"7z\xbc\xaf\x27\x1c\x00\x04".to_vec(), "7-Zip", "unpack"),
        ("html", b"<!DOCTYPE html><html></html>".to_vec(), "HTML", "again"),
        ("binary", b"\x7fELF\x02\x01\x01\x00\x00".to_vec(), "binary", "neither JSON nor a table"),
    ]
}
