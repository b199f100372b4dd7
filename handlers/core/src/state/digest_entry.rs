//! The daily summary: what is noted of a day, and the page that tells of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::incident::Incident;
use crate::plan::{Plan, PlanStep};
use crate::rules::Response;
use crate::settings::Settings;
use crate::severity::Severity;
use crate::state::open_incident::OpenIncident;
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

/// How many lines of detail a summary has.
const LINES: usize = 200;
/// How many secrets a note names, and how long anything from outside may be in a line.
const SECRETS: usize = 3;
const SHOWN: usize = 120;

/// Under which day something is noted: that on which it happened, unless its summary was due before we learned of it.
pub fn date(at: Timestamp, now: Timestamp, settings: &Settings) -> Date {
    let own = Date::from_timestamp(at);
    if own <= due(now, settings) { Date::from_timestamp(now) } else { own }
}

/// The last day whose summary is due.
pub fn due(now: Timestamp, settings: &Settings) -> Date {
    Date::from_timestamp(now.minus(Span::from_secs(i64::from(settings.summary_hour) * 3_600))).previous_day()
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
        secrets: incident.secrets.iter().take(SECRETS).map(bounded).collect(),
    }
}

/// As much as is ever shown, and a little more.
fn bounded(text: &Untrusted) -> Untrusted {
    Untrusted::new(text.raw().chars().take(2 * SHOWN).collect::<String>())
}

/// The text of a summary; `None` if there is nothing to say. Laid out for reading: counts first, then what happened.
pub(crate) fn text(
    date: Date,
    account: &str,
    day: &DigestDay,
    open: &BTreeMap<String, OpenIncident>,
    own: &Response,
    book: &BTreeMap<String, Response>,
) -> Option<String> {
    let paged: Vec<(&OpenIncident, Severity)> = open
        .values()
        .filter(|opened| opened.rule != own.id)
        .filter_map(|opened| Some((opened, *opened.pages.get(&date)?)))
        .collect();
    if paged.is_empty() && day.is_empty() {
        return None;
    }
    let title = |rule: &str| match book.get(rule) {
        Some(response) => format!("{rule}: {}", response.title),
        None => Untrusted::new(rule).show(SHOWN),
    };
    let mut lines =
        vec![format!("Daily summary of {date} (UTC), account {}", Untrusted::new(account).show(32))];
    lines.extend(["", "Paged"].map(str::to_owned));
    lines.extend(
        incidents(&paged).iter().map(|(rule, said)| format!("{:>7}  {}{}", said.0, title(rule), said.1)),
    );
    if paged.is_empty() {
        lines.push("  nobody".to_owned());
    }
    let mut by_rule: BTreeMap<&str, Vec<&DigestEntry>> = BTreeMap::new();
    for note in &day.notes {
        by_rule.entry(&note.rule).or_default().push(note);
    }
    let at_least = if day.more { "at least " } else { "" };
    if !day.suppressed.is_empty() {
        lines.extend(["", "Kept from counting, by exception"].map(str::to_owned));
        let row = |(exception, events): (&String, &BTreeSet<String>)| {
            let count = if events.len() == 1 { "event" } else { "events" };
            format!(
                "{:>7}  {count}: {}",
                format!("{at_least}{}", events.len()),
                Untrusted::new(exception).show(SHOWN)
            )
        };
        lines.extend(day.suppressed.iter().map(row));
    }
    if !by_rule.is_empty() {
        lines.extend(["", "Worth knowing, nobody was paged"].map(str::to_owned));
        for (rule, notes) in &by_rule {
            let events: BTreeSet<&str> = notes.iter().map(|note| note.event.as_str()).collect();
            lines.push(format!("{:>7}  {}", format!("{at_least}{}", events.len()), title(rule)));
        }
        // Each rule gets its share of the lines.
        let share = (LINES / by_rule.len()).max(1);
        for (rule, notes) in &by_rule {
            lines.extend([String::new(), title(rule)]);
            details(notes, share, &mut lines);
        }
    }
    Some(lines.join("\n") + "\n")
}

/// How many incidents of each rule, and how severe they were.
fn incidents<'o>(paged: &[(&'o OpenIncident, Severity)]) -> BTreeMap<&'o str, (usize, String)> {
    let mut by_rule: BTreeMap<&str, BTreeMap<Severity, usize>> = BTreeMap::new();
    for (opened, severity) in paged {
        *by_rule.entry(&opened.rule).or_default().entry(*severity).or_default() += 1;
    }
    let words = |counts: &BTreeMap<Severity, usize>| {
        let counts = counts.iter().rev().map(|(severity, count)| format!("{count} {}", severity.as_str()));
        format!(" ({})", counts.collect::<Vec<_>>().join(", "))
    };
    by_rule.into_iter().map(|(rule, counts)| (rule, (counts.values().sum(), words(&counts)))).collect()
}

/// One line for each principal and what it did: whoever did it often stands once.
fn details(notes: &[&DigestEntry], most: usize, lines: &mut Vec<String>) {
    let mut grouped: BTreeMap<_, Vec<Timestamp>> = BTreeMap::new();
    for note in notes {
        let what = (&note.principal, &note.secrets, &note.account, &note.region);
        grouped.entry(what).or_default().push(note.at);
    }
    let mut grouped: Vec<_> = grouped.into_iter().collect();
    grouped.sort_by_key(|(_, times)| times.iter().min().copied());
    let more = grouped.len().saturating_sub(most);
    for ((principal, secrets, account, region), times) in grouped.into_iter().take(most) {
        let first = times.iter().min().copied().unwrap_or_default().to_string();
        let clock = first.get(11..16).unwrap_or("--:--");
        let times = if times.len() > 1 { format!(", {} times", times.len()) } else { String::new() };
        let who = principal.as_ref().map_or("several principals".to_owned(), |who| who.show(SHOWN));
        let secrets: Vec<String> = secrets.iter().map(|name| name.show(SHOWN)).collect();
        let place = format!("{} {}", Untrusted::new(&**account).show(32), Untrusted::new(&**region).show(32));
        lines.push(format!("  {clock}  {who}  {}  ({}{times})", secrets.join(", "), place.trim()));
    }
    if more > 0 {
        lines.push(format!("         and {more} more"));
    }
}
