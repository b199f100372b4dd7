//! First reads: a principal reads a secret that it has not read for a month, or ever. Meaningful once a baseline is learned.

use super::plan_builder::PlanBuilder;
use crate::detail_kind::DetailKind;
use crate::detection::window_match::WindowMatch;
use crate::facts::Facts;
use crate::hash;
use crate::incident::{Incident, IncidentDetail, incident_key};
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::{MatchedEvent, Response, ResponseAction};
use crate::state::observation::Observation;
use crate::text::Untrusted;
use crate::time::{Date, Span, Timestamp};

/// After how long without a read the next one is a first read again.
const FIRST_READ_AFTER: Span = Span::from_secs(30 * 86_400);

/// The key of the record of when a principal last read a secret (its [`crate::aws::secret_ref::SecretRef::key`]).
pub fn last_seen_key(account: &str, principal: &Untrusted, secret: &str) -> String {
    // The principal is a part of its own: the ledger keeps what one principal has read in one partition.
    format!(
        "{}/{}",
        hash::hash_parts(&["seen", account, principal.raw()]),
        hash::hash_parts(&["seen", secret])
    )
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
    /// The item of a [`last_seen_key`] and an instant.
    pub fn of(key: &str, at: Timestamp) -> Self {
        let (principal, secret) = key.split_once('/').unwrap_or((key, "-"));
        let (pk, sk) = (format!("{PARTITION_PREFIX}{principal}"), secret.to_owned());
        Self { pk, sk, at: at.millis(), ttl: at.plus(ITEM_RETENTION).millis() / 1_000 }
    }

    /// The [`last_seen_key`] of an item's key, if it is such an item's.
    pub fn key(pk: &str, sk: &str) -> Option<String> {
        pk.strip_prefix(PARTITION_PREFIX).map(|principal| format!("{principal}/{sk}"))
    }
}

/// The beginning of the partition keys.
const PARTITION_PREFIX: &str = "seen#";
/// How long an item is kept: a little longer than a read counts as the last one.
const ITEM_RETENTION: Span = Span::from_secs(35 * 86_400);

/// The reads of an event: the keys of principal and secret, and when. Empty for an event that is no read.
pub fn reads(event: &MatchedEvent<'_>) -> Vec<(String, Timestamp)> {
    let is_read = event.responses.iter().any(|response| response.action == ResponseAction::FirstRead);
    let event = &event.event;
    let mut reads = Vec::new();
    if is_read && event.time_known {
        for secret in &event.secrets {
            let key = last_seen_key(&event.account, &event.principal.id, &secret.key());
            reads.push((key, event.time));
        }
    }
    reads
}

pub(super) fn questions(event: &MatchedEvent<'_>, facts: &Facts) -> Vec<Question> {
    if !facts.settings.first_reads {
        return Vec::new();
    }
    let mut questions = Vec::new();
    for read in list_reads(event) {
        for key in read.keys() {
            questions.push(Question::LastSeen { key: key.clone() });
        }
    }
    questions
}

/// A read of one secret by one principal.
struct SecretRead {
    key: String,
    /// The key under which the same secret was recorded where somebody spelled it otherwise.
    other_key: Option<String>,
    at: Timestamp,
}

impl SecretRead {
    fn keys(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.key).chain(&self.other_key)
    }

    /// When the principal last read the secret before.
    fn find_last(&self, facts: &Facts) -> Option<Timestamp> {
        self.keys().filter_map(|key| facts.last_seen.get(key).copied()).max()
    }
}

fn list_reads(event: &MatchedEvent<'_>) -> Vec<SecretRead> {
    let record = &event.event;
    let mut list = Vec::new();
    for ((key, at), secret) in reads(event).into_iter().zip(&record.secrets) {
        let other = secret.other_reading();
        let other_key = other.map(|other| last_seen_key(&record.account, &record.principal.id, &other.key()));
        list.push(SecretRead { key, other_key, at });
    }
    list
}

pub(super) fn respond(builder: &mut PlanBuilder<'_, '_>, response: &Response) {
    if !builder.facts.settings.first_reads {
        return;
    }
    for read in list_reads(builder.case) {
        let last = read.find_last(builder.facts);
        let SecretRead { key, at, .. } = read;
        if last.is_none_or(|last| last.plus(FIRST_READ_AFTER) < at) {
            builder.add_digest_entry(first_read(builder, response, &key, last));
        }
        // The day is enough: one write for each principal, secret and day.
        if last.is_none_or(|last| Date::from_timestamp(last) < Date::from_timestamp(at)) {
            builder.steps.push(PlanStep::UpdateLastSeen { key, at });
        }
    }
}

/// The incident of a first read.
fn first_read(
    builder: &PlanBuilder<'_, '_>,
    response: &Response,
    key: &str,
    last: Option<Timestamp>,
) -> Incident {
    let observation = Observation::from_event(builder.event());
    let window_match =
        WindowMatch { observations: vec![&observation], severity: response.severity, resolved: None };
    let before = match last {
        Some(last) => Date::from_timestamp(last).to_string(),
        None => "none is known".to_owned(),
    };
    let details = vec![IncidentDetail { kind: DetailKind::LastRead, value: Untrusted::new(before) }];
    Incident::from_match(response, incident_key(response, key), &window_match, details)
}
