//! Entries of the daily summary: events that nobody is paged for, kept by day.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::settings::Settings;
use crate::text::Untrusted;
use crate::time::{Date, Span, Timestamp};

/// One event that nobody is paged for, as the summary lists it. Entries are a set: an event that is delivered again changes
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DigestEntry {
    /// The response's id.
    pub rule: String,
    /// When it happened.
    pub at: Timestamp,
    /// The event's key.
    pub event: String,
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The caller, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Untrusted>,
    /// The names of the secrets, as far as they are known and fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Untrusted>,
}

/// The digest entries of a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DigestDay {
    /// The events that are worth knowing and that nobody was paged for.
    #[serde(alias = "notes")]
    pub entries: BTreeSet<DigestEntry>,
    /// The keys of the events that an exception kept from counting, by exception.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub suppressed: BTreeMap<String, BTreeSet<String>>,
    /// Whether there is more than was read.
    pub more: bool,
}

/// How long anything from outside may be in a line of the summary, in characters.
pub(crate) const DIGEST_TEXT_MAX_CHARS: usize = 120;

/// The day under which an entry is kept: that on which it happened, unless the summary of that day was due before we learned
/// of it.
pub fn digest_date(at: Timestamp, now: Timestamp, settings: &Settings) -> Date {
    let own = Date::from_timestamp(at);
    if own <= last_due_date(now, settings) { Date::from_timestamp(now) } else { own }
}

/// The last day whose summary is due.
pub fn last_due_date(now: Timestamp, settings: &Settings) -> Date {
    Date::from_timestamp(now.minus(Span::from_secs(i64::from(settings.summary_hour) * 3_600))).previous_day()
}

impl DigestDay {
    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.suppressed.is_empty()
    }

    /// Adds further entries, in any order and however often.
    pub fn merge(&mut self, other: Self) {
        self.entries.extend(other.entries);
        for (exception, events) in other.suppressed {
            self.suppressed.entry(exception).or_default().extend(events);
        }
        self.more |= other.more;
    }
}
