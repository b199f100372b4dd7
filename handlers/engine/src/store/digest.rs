//! The entries of the daily digests. They are sets, so that an event that is delivered again changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::facts::Facts;
use responder_core::state::digest_entry::{DigestDay, DigestEntry};
use responder_core::time::Date;

use super::ledger::{Ledger, MAX_PARALLEL_WRITES};
use super::schema::{self, DIGEST_LIFETIME, ENTRIES, SUPPRESSED, TTL, expiry_seconds};
use crate::error::EngineError;
use crate::port::{AwsPort, ItemUpdate, TableItem};
use crate::run_parallel::run_parallel;

/// How many bytes of entries go into one item, which may have 400 KB with its names and keys (developer guide of
/// `DynamoDB`: service quotas).
const MAX_ITEM_BYTES: usize = 280_000;
/// How many pages of a day are read, a megabyte each: more than anybody reads.
const MAX_PAGES_OF_DAY: usize = 8;

impl<A: AwsPort> Ledger<'_, A> {
    /// Adds entries to their days. An item is never changed: entries that are written again make the same item, or another
    /// one with the same entries.
    pub(crate) async fn write_digest_days(
        &self,
        days: &BTreeMap<Date, DigestDay>,
    ) -> Result<(), EngineError> {
        let mut updates = Vec::new();
        for (date, day) in days {
            let ttl = expiry_seconds(self.aws.now(), date.end(), DIGEST_LIFETIME);
            updates.extend(build_updates(*date, day, ttl));
        }
        let writes = updates.iter().map(|update| self.write_or_skip(update));
        run_parallel(writes, MAX_PARALLEL_WRITES).await.into_iter().collect()
    }

    /// Reads the entries of a day into the facts, as far as [`MAX_PAGES_OF_DAY`] pages hold them.
    pub(crate) async fn read_digest_day(&self, date: Date, facts: &mut Facts) -> Result<(), EngineError> {
        let mut range = schema::whole_partition(schema::digest_partition(date));
        let mut day = DigestDay::default();
        for page_number in 1.. {
            let page = self.query_items(&range).await?;
            for item in &page.items {
                read_item(item, &mut day);
            }
            range.after = page.next_key;
            day.more = range.after.is_some() && page_number == MAX_PAGES_OF_DAY;
            if range.after.is_none() || day.more {
                break;
            }
        }
        facts.digest_days.insert(date, day);
        Ok(())
    }
}

/// An entry as a string of one of the two sets.
struct SetString {
    attribute: &'static str,
    text: String,
}

/// As few writes as hold the day.
fn build_updates(date: Date, day: &DigestDay, ttl: i64) -> Vec<ItemUpdate> {
    let mut updates = Vec::new();
    let mut item: Vec<SetString> = Vec::new();
    let mut item_bytes = 0;
    for string in list_strings(day) {
        if !item.is_empty() && item_bytes + string.text.len() > MAX_ITEM_BYTES {
            updates.push(build_update(date, &item, ttl));
            item.clear();
            item_bytes = 0;
        }
        item_bytes += string.text.len();
        item.push(string);
    }
    if !item.is_empty() {
        updates.push(build_update(date, &item, ttl));
    }
    updates
}

fn list_strings(day: &DigestDay) -> Vec<SetString> {
    let mut strings = Vec::new();
    for entry in &day.entries {
        if let Ok(text) = serde_json::to_string(entry) {
            strings.push(SetString { attribute: ENTRIES, text });
        }
    }
    for (exception, events) in &day.suppressed {
        for event in events {
            strings.push(SetString { attribute: SUPPRESSED, text: format!("{exception} {event}") });
        }
    }
    strings
}

fn build_update(date: Date, strings: &[SetString], ttl: i64) -> ItemUpdate {
    let content: Vec<&str> = strings.iter().map(|string| string.text.as_str()).collect();
    let mut update = ItemUpdate::new(schema::digest_key(date, &content)).set_number(TTL, ttl);
    for attribute in [ENTRIES, SUPPRESSED] {
        let mut set = BTreeSet::new();
        for string in strings {
            if string.attribute == attribute {
                set.insert(string.text.clone());
            }
        }
        if !set.is_empty() {
            update = update.add_strings(attribute, set);
        }
    }
    update
}

/// Adds an item to its day. An entry that cannot be read was written by another release, and is left out.
fn read_item(item: &TableItem, day: &mut DigestDay) {
    for text in item.set(ENTRIES).into_iter().flatten() {
        if let Ok(entry) = serde_json::from_str::<DigestEntry>(text) {
            day.entries.insert(entry);
        }
    }
    for text in item.set(SUPPRESSED).into_iter().flatten() {
        let Some((exception, event)) = text.split_once(' ') else { continue };
        day.suppressed.entry(exception.to_owned()).or_default().insert(event.to_owned());
    }
}
