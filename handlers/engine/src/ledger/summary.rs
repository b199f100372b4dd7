//! What is noted for the daily summaries, and when secrets were last read: sets and days, so that an event that is delivered
//! again changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::decide::LastSeenItem;
use responder_core::facts::Facts;
use responder_core::hash;
use responder_core::state::digest_entry::{DigestDay, DigestEntry};
use responder_core::time::{Date, Span, Timestamp};

use super::{Ledger, expiry};
use crate::error::EngineError;
use crate::parallel::parallel;
use crate::port::WriteCondition::{Absent, Any, Less};
use crate::port::{AwsPort, ItemKey, ItemUpdate, SortKeyRange};

/// How long the notes of a day are kept.
const DAYS_KEPT: Span = Span::from_secs(7 * 86_400);
/// How many bytes of notes go into one item, which may have 400 KB with its names and keys (developer guide of `DynamoDB`:
/// service quotas).
const LONGEST: usize = 280_000;
/// How many pages of a day are read, a megabyte each: more than anybody reads.
const PAGES: usize = 8;
/// The attributes of an item.
const NOTES: &str = "notes";
const SUPPRESSED: &str = "suppressed";
/// How many writes run at the same time.
const PARALLEL: usize = 8;

impl<A: AwsPort> Ledger<'_, A> {
    /// Adds notes to their days. An item is never changed: what is written again is the same item, or another one with the
    /// same notes.
    pub(crate) async fn note_days(&self, days: &BTreeMap<Date, DigestDay>) -> Result<(), EngineError> {
        let updates: Vec<ItemUpdate> = days.iter().flat_map(|(date, day)| self.notes(*date, day)).collect();
        let written = parallel(updates.iter().map(|update| self.write(update)), PARALLEL).await;
        written.into_iter().try_for_each(|written| written.map(|_| ()))
    }

    /// As few items as hold them.
    fn notes(&self, date: Date, day: &DigestDay) -> Vec<ItemUpdate> {
        let notes = day.entries.iter().filter_map(|note| Some((NOTES, serde_json::to_string(note).ok()?)));
        let events = day.suppressed.iter().flat_map(|(exception, events)| {
            events.iter().map(move |event| (SUPPRESSED, format!("{exception} {event}")))
        });
        let texts: Vec<(&str, String)> = notes.chain(events).collect();
        let mut size = 0;
        let items = texts.chunk_by(|_, (_, next)| {
            size = if size + next.len() > LONGEST { 0 } else { size + next.len() };
            size > 0
        });
        let update = |texts: &[(&str, String)]| {
            let parts: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
            let key = ItemKey { pk: format!("summary#{date}"), sk: hash::hash_parts(&parts) };
            let mut update = ItemUpdate::of(key).number("ttl", expiry(self.aws.now(), date.end(), DAYS_KEPT));
            for name in [NOTES, SUPPRESSED] {
                let own = texts.iter().filter(|(of, _)| *of == name).map(|(_, text)| text.clone());
                let own: BTreeSet<String> = own.collect();
                if !own.is_empty() {
                    update = update.add(name, own);
                }
            }
            update
        };
        items.map(update).collect()
    }

    /// Reads the notes of a day.
    pub(crate) async fn day(&self, date: Date, facts: &mut Facts) -> Result<(), EngineError> {
        let (from, to) = ("0".to_owned(), "~".to_owned());
        let mut range = SortKeyRange { pk: format!("summary#{date}"), from, to, after: None };
        let mut day = DigestDay::default();
        for page in 1.. {
            let found = self.call(self.aws.query(&range, self.deadline.at())).await?;
            let texts = found.items.iter().flat_map(|item| item.set(NOTES).into_iter().flatten());
            // A note that cannot be read was written by another release.
            day.entries.extend(texts.filter_map(|text| serde_json::from_str::<DigestEntry>(text).ok()));
            let events = found.items.iter().flat_map(|item| item.set(SUPPRESSED).into_iter().flatten());
            for (exception, event) in events.filter_map(|text| text.split_once(' ')) {
                day.suppressed.entry(exception.to_owned()).or_default().insert(event.to_owned());
            }
            range.after = found.next;
            day.more = range.after.is_some() && page == PAGES;
            if range.after.is_none() || day.more {
                break;
            }
        }
        facts.digest_days.insert(date, day);
        Ok(())
    }

    /// When secrets were last read; returns the keys for which there is no answer.
    pub(crate) async fn seen(&self, keys: &BTreeSet<String>, facts: &mut Facts) -> BTreeSet<String> {
        let keys: Vec<&String> = keys.iter().collect();
        let mut unanswered = BTreeSet::new();
        // `BatchGetItem` takes at most 100 keys.
        for keys in keys.chunks(100) {
            let wanted: Vec<ItemKey> = keys.iter().map(|key| ItemKey::seen(key)).collect();
            let Ok(items) = self.get(&wanted).await else {
                unanswered.extend(keys.iter().map(|key| (*key).clone()));
                continue;
            };
            let read = items.iter().filter_map(|item| {
                Some((LastSeenItem::key(&item.key.pk, &item.key.sk)?, item.instant("at")?))
            });
            facts.last_seen.extend(read);
        }
        unanswered
    }

    /// Remembers that a secret was read.
    pub(crate) async fn see(&self, key: &str, at: Timestamp) -> Result<(), EngineError> {
        let update = ItemUpdate::of(ItemKey::seen(key))
            .number("at", at.millis())
            .number("ttl", LastSeenItem::of(key, at).ttl)
            .only_if(Any(vec![Absent("at"), Less("at", at.millis())]));
        self.write(&update).await.map(|_| ())
    }
}

impl ItemKey {
    fn seen(key: &str) -> Self {
        let LastSeenItem { pk, sk, .. } = LastSeenItem::of(key, Timestamp::default());
        Self { pk, sk }
    }
}
