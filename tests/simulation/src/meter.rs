//! What a world uses of what AWS bills: units of the table, bytes of logs, metrics, and the time that functions take.

use std::collections::BTreeMap;

use responder_core::rules::Handler;
use responder_core::time::Span;
use responder_engine::port::{AttributeValue, TableItem};
use serde_json::Value as Json;

/// What was used.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    /// Write request units: one for each KB of the item, before or after, whichever is larger; also of a write whose
    /// condition does not hold (`DynamoDB` developer guide, "Read and write operations").
    pub writes: u64,
    /// Read request units: one for each 4 KB, consistent; of a query for all its items together.
    pub reads: u64,
    /// Bytes of logs as they are billed: 26 more for each line (`CloudWatch` Logs, `PutLogEvents`).
    pub logged: u64,
    /// Metrics of our own, each with its dimensions, and how often it got data.
    pub metrics: BTreeMap<String, u64>,
    /// How long the functions worked.
    pub worked: BTreeMap<Handler, Span>,
}

impl Meter {
    /// `UpdateItem`.
    pub(crate) fn write(&mut self, before: Option<&TableItem>, after: Option<&TableItem>) {
        let size = before.into_iter().chain(after).map(size).max().unwrap_or_default();
        self.writes += size.div_ceil(1_024).max(1);
    }

    /// `BatchGetItem` of so many keys: what is not there costs a unit, too.
    pub(crate) fn get(&mut self, keys: usize, items: &[TableItem]) {
        let missing = u64::try_from(keys.saturating_sub(items.len())).unwrap_or_default();
        let found: u64 = items.iter().map(|item| size(item).div_ceil(4_096).max(1)).sum();
        self.reads += missing + found;
    }

    /// A page of `Query`.
    pub(crate) fn query(&mut self, items: &[TableItem]) {
        self.reads += items.iter().map(size).sum::<u64>().div_ceil(4_096).max(1);
    }

    /// A line of a function's log.
    pub(crate) fn line(&mut self, line: &str) {
        self.logged += u64::try_from(line.len()).unwrap_or_default() + 26;
        if line.starts_with('{') && line.contains("\"_aws\"") {
            for metric in metrics(line) {
                *self.metrics.entry(metric).or_default() += 1;
            }
        }
    }

    /// An invocation that ended.
    pub(crate) fn invocation(&mut self, handler: Handler, took: Span) {
        let all = self.worked.entry(handler).or_default();
        *all = Span::from_millis(all.millis() + took.millis());
    }
}

/// The metrics of a line in `CloudWatch`'s embedded format.
fn metrics(line: &str) -> Vec<String> {
    let document: Json = serde_json::from_str(line).unwrap_or_default();
    let directive = &document["_aws"]["CloudWatchMetrics"][0];
    let list = |value: &Json| value.as_array().cloned().unwrap_or_default();
    let dimensions = list(&directive["Dimensions"][0]);
    let dimensions: Vec<String> = dimensions
        .iter()
        .filter_map(|name| Some(format!("{}={}", name.as_str()?, document[name.as_str()?])))
        .collect();
    let names = list(&directive["Metrics"]);
    names.iter().map(|metric| format!("{} {}", metric["Name"], dimensions.join(","))).collect()
}

/// The size of an item as `DynamoDB` counts it ("`DynamoDB` item sizes and formats").
pub(crate) fn size(item: &TableItem) -> u64 {
    let value = |value: &AttributeValue| match value {
        AttributeValue::Text(text) => text.len(),
        AttributeValue::Number(number) => number.to_string().len() / 2 + 2,
        AttributeValue::Set(set) => 3 + set.iter().map(|text| text.len() + 1).sum::<usize>(),
    };
    let values: usize = item.values.iter().map(|(name, known)| name.len() + value(known)).sum();
    u64::try_from(values + item.key.pk.len() + item.key.sk.len() + 4).unwrap_or_default()
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
    fn units_are_begun_kilobytes_of_the_larger_item_and_begun_four_of_what_is_read() {
        assert_eq!((size(&item(1_024)), size(&item(4_096))), (1_024, 4_096));
        let mut meter = Meter::default();
        meter.write(None, None);
        meter.write(None, Some(&item(1_024)));
        meter.write(Some(&item(3_000)), Some(&item(500)));
        assert_eq!(meter.writes, 1 + 1 + 3);
        meter.get(3, &[item(100), item(4_097)]);
        meter.query(&[]);
        meter.query(&[item(3_000), item(3_000)]);
        assert_eq!(meter.reads, (1 + 1 + 2) + 1 + 2);
    }

    #[test]
    fn a_metric_is_a_name_and_its_dimensions() {
        let line = r#"{"_aws":{"CloudWatchMetrics":[{"Dimensions":[["Handler"]],"Metrics":[{"Name":"A"},{"Name":"B"}]}]},"Handler":"access","A":1,"B":2}"#;
        let mut meter = Meter::default();
        meter.line(line);
        meter.line(&line.replace("access", "sweep"));
        meter.line(line);
        meter.line("plain");
        assert_eq!(meter.metrics.values().copied().collect::<Vec<u64>>(), [2, 1, 2, 1]);
        let lines = [line.len(), line.len() - 1, line.len(), 5];
        assert_eq!(meter.logged, lines.iter().map(|length| u64::try_from(length + 26).unwrap()).sum::<u64>());
    }
}
