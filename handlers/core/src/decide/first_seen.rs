//! First reads: a principal reads a secret that it has not read for a month, or ever. Meaningful once a baseline is learned.

use super::PlanBuilder;
use crate::facts::{Facts, Question};
use crate::hash;
use crate::incident::{Incident, IncidentDetail};
use crate::plan::PlanStep;
use crate::rules::{MatchedEvent, Response, ResponseAction};
use crate::state::observation::{Observation, WindowMatch};
use crate::text::Untrusted;
use crate::time::{Date, Span, Timestamp};

/// After how long a read is a first one again; the ledger remembers for a little longer.
const FORGOTTEN: Span = Span::from_secs(30 * 86_400);

/// The key under which it is remembered when a principal last read a secret (its [`crate::aws::secret_ref::SecretRef::key`]).
pub fn last_seen_key(account: &str, principal: &Untrusted, secret: &str) -> String {
    // The principal apart: the ledger keeps what one has read together.
    format!("{}/{}", hash::id(&["seen", account, principal.raw()]), hash::id(&["seen", secret]))
}

/// A read as an item of the ledger's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastSeenItem {
    /// The partition key, the attribute `pk`: one for each principal.
    pub pk: String,
    /// The sort key, the attribute `sk`.
    pub sk: String,
    /// The attribute `at`, in milliseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// The attribute `ttl`, in seconds since then.
    pub ttl: i64,
}

impl LastSeenItem {
    /// The item of a [`seen_key`] and an instant.
    pub fn of(key: &str, at: Timestamp) -> Self {
        let (principal, secret) = key.split_once('/').unwrap_or((key, "-"));
        let (pk, sk) = (format!("{PARTITION}{principal}"), secret.to_owned());
        Self { pk, sk, at: at.millis(), ttl: at.plus(KEPT).millis() / 1_000 }
    }

    /// The [`seen_key`] of an item's key, if it is such an item's.
    pub fn key(pk: &str, sk: &str) -> Option<String> {
        pk.strip_prefix(PARTITION).map(|principal| format!("{principal}/{sk}"))
    }
}

/// How the partition keys begin, and how long an item is kept.
const PARTITION: &str = "seen#";
const KEPT: Span = Span::from_secs(35 * 86_400);

/// What a case says of who read what: the keys, and when. Empty for what is no read.
pub fn reads(case: &MatchedEvent<'_>) -> Vec<(String, Timestamp)> {
    let event = &case.event;
    let counts = case.responses.iter().any(|response| response.action == ResponseAction::FirstRead);
    let keys =
        event.secrets.iter().map(|secret| last_seen_key(&event.account, &event.principal.id, &secret.key()));
    let known = counts && event.time_known;
    keys.filter(|_| known).map(|key| (key, event.time)).collect()
}

pub(super) fn questions(case: &MatchedEvent<'_>, facts: &Facts) -> Vec<Question> {
    if !facts.settings.first_reads {
        return Vec::new();
    }
    reads(case).into_iter().map(|(key, _)| Question::LastSeen { key }).collect()
}

pub(super) fn respond(draft: &mut PlanBuilder<'_, '_>, response: &Response) {
    if !draft.facts.settings.first_reads {
        return;
    }
    let mut steps = Vec::new();
    for (key, at) in reads(draft.case) {
        let last = draft.facts.last_seen.get(&key).copied();
        if last.is_none_or(|last| last.plus(FORGOTTEN) < at) {
            let observation = Observation::of(draft.event(), false);
            let window_match =
                WindowMatch { observations: vec![&observation], severity: response.severity, resolved: None };
            let before = last.map_or("none is known".to_owned(), |last| Date::of(last).to_string());
            let details = vec![IncidentDetail { label: "last read before", value: Untrusted::new(before) }];
            let incident =
                Incident::of(response, super::incident_key(response, &key), &window_match, details);
            let (rule, key) = (incident.rule.clone(), incident.key.clone());
            steps.push(PlanStep::Digest { rule, key, incident: Box::new(incident) });
        }
        // The day is enough, and one write a day.
        if last.is_none_or(|last| Date::of(last) < Date::of(at)) {
            steps.push(PlanStep::UpdateLastSeen { key, at });
        }
    }
    draft.steps.extend(steps);
}
