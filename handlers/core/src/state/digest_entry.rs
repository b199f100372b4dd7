//! Entries of the daily summary: events that nobody is paged for, kept by day.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::incident::Incident;
use crate::plan::{Plan, PlanStep};
use crate::settings::Settings;
use crate::text::Untrusted;
use crate::time::{Date, Span, Timestamp};

/// What is noted of an event that nobody is paged for. Notes are a set: an event that is delivered again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// Who, if one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Untrusted>,
    /// The names of the secrets, as far as they are known and fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Untrusted>,
}

/// What is noted of a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DigestDay {
    /// What nobody was paged for.
    pub notes: BTreeSet<DigestEntry>,
    /// The keys of the events that an exception kept from counting, by exception.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub suppressed: BTreeMap<String, BTreeSet<String>>,
    /// Whether there is more than was read.
    pub more: bool,
}

/// How many secrets an entry names.
const ENTRY_SECRETS_MAX: usize = 3;
/// How long anything from outside may be in a line of the summary, in characters.
pub(crate) const DIGEST_TEXT_MAX_CHARS: usize = 120;

/// Under which day something is noted: that on which it happened, unless its summary was due before we learned of it.
pub fn date(at: Timestamp, now: Timestamp, settings: &Settings) -> Date {
    let own = Date::of(at);
    if own <= due(now, settings) { Date::of(now) } else { own }
}

/// The last day whose summary is due.
pub fn due(now: Timestamp, settings: &Settings) -> Date {
    Date::of(now.minus(Span::from_secs(i64::from(settings.summary_hour) * 3_600))).before()
}

/// What a plan notes, and under which day; nothing, if it is nothing.
pub fn noted(plan: &Plan, now: Timestamp, settings: &Settings) -> Option<(Date, DigestDay)> {
    let mut day = DigestDay::default();
    for step in &plan.steps {
        match step {
            PlanStep::Digest { incident, .. } => {
                day.notes.insert(note(plan, incident));
            }
            // For however many responses it does not count.
            PlanStep::Suppress { exception, .. } => {
                day.suppressed.entry(exception.clone()).or_default().insert(plan.event.clone());
            }
            _ => {}
        }
    }
    (!day.is_empty()).then(|| (date(plan.time, now, settings), day))
}

/// Carries out in the facts what a plan notes.
pub(crate) fn apply(plan: &Plan, facts: &mut Facts) {
    if let Some((date, noted)) = noted(plan, facts.now.unwrap_or(plan.time), &facts.settings) {
        facts.digest_days.entry(date).or_default().merge(noted);
    }
}

impl DigestDay {
    /// Whether nothing is noted.
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty() && self.suppressed.is_empty()
    }

    /// Adds what else is noted: in any order, and however often.
    pub fn merge(&mut self, other: Self) {
        self.notes.extend(other.notes);
        for (exception, events) in other.suppressed {
            self.suppressed.entry(exception).or_default().extend(events);
        }
        self.more |= other.more;
    }
}

fn note(plan: &Plan, incident: &Incident) -> DigestEntry {
    DigestEntry {
        rule: incident.rule.clone(),
        at: plan.time,
        event: plan.event.clone(),
        account: incident.account.clone(),
        region: incident.regions.first().cloned().unwrap_or_default(),
        principal: incident.principal.as_ref().map(bounded),
        secrets: incident.secrets.iter().take(ENTRY_SECRETS_MAX).map(bounded).collect(),
    }
}

/// As much as is ever shown, and a little more.
fn bounded(text: &Untrusted) -> Untrusted {
    Untrusted::new(text.raw().chars().take(2 * DIGEST_TEXT_MAX_CHARS).collect::<String>())
}
