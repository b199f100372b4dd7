//! The digest entries of a plan: the events for the summary of their day.

use crate::facts::{Facts, Settings};
use crate::incident::Incident;
use crate::plan::{Plan, PlanStep};
use crate::state::digest_entry::{DIGEST_TEXT_MAX_CHARS, DigestDay, DigestEntry, digest_date};
use crate::text::Untrusted;
use crate::time::{Date, Timestamp};

/// How many secrets an entry names.
const ENTRY_SECRETS_MAX: usize = 3;

/// The digest entries of a plan, and the day under which they are kept; nothing for a plan without entries.
pub fn digest_entries(plan: &Plan, now: Timestamp, settings: &Settings) -> Option<(Date, DigestDay)> {
    let mut day = DigestDay::default();
    for step in &plan.steps {
        match step {
            PlanStep::Digest { incident, .. } => {
                day.entries.insert(digest_entry(plan, incident));
            }
            // One event, however many responses it does not count for.
            PlanStep::Suppress { exception, .. } => {
                day.suppressed.entry(exception.clone()).or_default().insert(plan.event.clone());
            }
            _ => {}
        }
    }
    if day.is_empty() {
        return None;
    }
    Some((digest_date(plan.time, now, settings), day))
}

/// Adds the digest entries of a plan to the facts.
pub(super) fn apply_digest_entries(plan: &Plan, facts: &mut Facts) {
    if let Some((date, day)) = digest_entries(plan, facts.now.unwrap_or(plan.time), &facts.settings) {
        facts.digest_days.entry(date).or_default().merge(day);
    }
}

fn digest_entry(plan: &Plan, incident: &Incident) -> DigestEntry {
    DigestEntry {
        rule: incident.rule.clone(),
        at: plan.time,
        event: plan.event.clone(),
        account: incident.account.clone(),
        region: incident.regions.first().cloned().unwrap_or_default(),
        principal: incident.principal.as_ref().map(bound_text),
        secrets: incident.secrets.iter().take(ENTRY_SECRETS_MAX).map(bound_text).collect(),
    }
}

/// As much of a text as a summary ever shows, and a little more.
fn bound_text(text: &Untrusted) -> Untrusted {
    Untrusted::new(text.raw().chars().take(2 * DIGEST_TEXT_MAX_CHARS).collect::<String>())
}
