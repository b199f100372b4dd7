//! A world's use of what AWS bills: units of the table, bytes of logs, metrics, and the time that functions work.

use std::collections::BTreeMap;

use responder_core::rules::Handler;
use responder_core::time::Span;
use responder_engine::port::{AttributeValue, TableItem};
use serde_json::Value;

/// The use of a world.
#[derive(Clone, Debug, Default)]
pub struct UsageMeter {
    /// Write request units: one for each KB of the item, before or after, whichever is larger; also of a write whose
    /// condition does not hold (`DynamoDB` developer guide, "Read and write operations").
    pub write_units: u64,
    /// Read request units: one for each 4 KB, consistent; of a query for all its items together.
    pub read_units: u64,
    /// Bytes of logs as they are billed: 26 more for each line (`CloudWatch` Logs, `PutLogEvents`).
    pub log_bytes: u64,
    /// Metrics of our own, each with its dimensions, and how often it got data.
    pub metrics: BTreeMap<String, u64>,
    /// How long the functions worked.
    pub working_times: BTreeMap<Handler, Span>,
}

const WRITE_UNIT_BYTES: u64 = 1_024;
const READ_UNIT_BYTES: u64 = 4_096;
const LOG_LINE_EXTRA_BYTES: u64 = 26;

impl UsageMeter {
    /// Counts an `UpdateItem` of an item that had so many bytes before it and has so many after it.
    pub(crate) fn count_write(&mut self, before: Option<u64>, after: Option<u64>) {
        let bytes = before.max(after).unwrap_or_default();
        self.write_units += bytes.div_ceil(WRITE_UNIT_BYTES).max(1);
    }

    /// Counts a `BatchGetItem` of so many keys: one that is not there costs a unit, too.
    pub(crate) fn count_get(&mut self, keys: usize, items: &[TableItem]) {
        self.read_units += u64::try_from(keys.saturating_sub(items.len())).unwrap_or_default();
        for item in items {
            self.read_units += count_item_bytes(item).div_ceil(READ_UNIT_BYTES).max(1);
        }
    }

    /// Counts a page of `Query`.
    pub(crate) fn count_query(&mut self, items: &[TableItem]) {
        let bytes: u64 = items.iter().map(count_item_bytes).sum();
        self.read_units += bytes.div_ceil(READ_UNIT_BYTES).max(1);
    }

    /// Counts a line of a function's log.
    pub(crate) fn count_log_line(&mut self, line: &str) {
        self.log_bytes += u64::try_from(line.len()).unwrap_or_default() + LOG_LINE_EXTRA_BYTES;
        if line.starts_with('{') && line.contains("\"_aws\"") {
            for metric in list_metrics(line) {
                *self.metrics.entry(metric).or_default() += 1;
            }
        }
    }

    /// Counts an invocation that ended.
    pub(crate) fn count_invocation(&mut self, handler: Handler, took: Span) {
        let all = self.working_times.entry(handler).or_default();
        *all = Span::from_millis(all.millis() + took.millis());
    }
}

/// The metrics of a line in `CloudWatch`'s embedded format.
fn list_metrics(line: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(line).unwrap_or_default();
    let directive = &document["_aws"]["CloudWatchMetrics"][0];
    let mut values = Vec::new();
    for name in list_members(&directive["Dimensions"][0]) {
        if let Some(name) = name.as_str() {
            values.push(format!("{name}={}", document[name]));
        }
    }
    let dimensions = values.join(",");
    let mut metrics = Vec::new();
    for metric in list_members(&directive["Metrics"]) {
        metrics.push(format!("{} {dimensions}", metric["Name"]));
    }
    metrics
}

fn list_members(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The size of an item as `DynamoDB` counts it ("`DynamoDB` item sizes and formats").
pub fn count_item_bytes(item: &TableItem) -> u64 {
    let mut bytes = item.key.pk.len() + item.key.sk.len() + 4;
    for (name, value) in &item.values {
        bytes += name.len();
        bytes += match value {
            AttributeValue::Text(text) => text.len(),
            AttributeValue::Number(number) => number.to_string().len() / 2 + 2,
            AttributeValue::Set(set) => 3 + set.iter().map(|text| text.len() + 1).sum::<usize>(),
        };
    }
    u64::try_from(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use responder_engine::port::ItemKey;

    use super::*;

    fn item(bytes: usize) -> TableItem {
        let values = BTreeMap::from([("a".to_owned(), AttributeValue::Text("x".repeat(bytes - 7)))]);
        TableItem { key: ItemKey { pk: "p".to_owned(), sk: "s".to_owned() }, values }
    }

    #[test]
    fn units_are_begun_kilobytes_of_the_larger_item_and_begun_four_of_a_read() {
        assert_eq!((count_item_bytes(&item(1_024)), count_item_bytes(&item(4_096))), (1_024, 4_096));
        let mut meter = UsageMeter::default();
        meter.count_write(None, None);
        meter.count_write(None, Some(1_024));
        meter.count_write(Some(3_000), Some(500));
        assert_eq!(meter.write_units, 1 + 1 + 3);
        meter.count_get(3, &[item(100), item(4_097)]);
        meter.count_query(&[]);
        meter.count_query(&[item(3_000), item(3_000)]);
        assert_eq!(meter.read_units, (1 + 1 + 2) + 1 + 2);
    }

    #[test]
    fn a_metric_is_a_name_and_its_dimensions() {
        let line = r#"{"_aws":{"CloudWatchMetrics":[{"Dimensions":[["Handler"]],"Metrics":[{"Name":"A"},{"Name":"B"}]}]},"Handler":"access","A":1,"B":2}"#;
        let mut meter = UsageMeter::default();
        meter.count_log_line(line);
        meter.count_log_line(&line.replace("access", "sweep"));
        meter.count_log_line(line);
        meter.count_log_line("plain");
        assert_eq!(meter.metrics.values().copied().collect::<Vec<u64>>(), [2, 1, 2, 1]);
        let lengths = [line.len(), line.len() - 1, line.len(), 5];
        assert_eq!(
            meter.log_bytes,
            lengths.iter().map(|bytes| u64::try_from(bytes + 26).unwrap()).sum::<u64>()
        );
    }
}
