//! Counting in event time: marks of events, and the bursts among them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::aws::secret_ref::{SecretRef, resolve_spellings};
use crate::event::Event;
use crate::hash;
use crate::rules::{DistinctBy, ExceptionEffect, Response, Severity};
use crate::text::Untrusted;
use crate::time::Timestamp;

/// What is kept of an event for counting and for the incident's text.
///
/// Marks are a set: adding one twice changes nothing, and so neither the order nor the duplication of events does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Observation {
    /// When it happened.
    pub at: Timestamp,
    /// The event's key.
    pub key: String,
    /// Whether it closes the incident instead of adding to it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub resolves: bool,
    /// The event's id, for people.
    pub id: Untrusted,
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// Who called.
    pub principal: Untrusted,
    /// Which secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretRef>,
    /// Whether `secrets` is all of them.
    pub secrets_known: bool,
    /// Whether the call was refused or failed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub error: bool,
    /// What it is to each response that it is of, by id: those that share an incident share the mark.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, ObservationRole>,
}

/// What an event is to a response.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObservationRole {
    /// It counts.
    Counts,
    /// It counts, and an incident of such events is less severe, by this exception.
    Downgraded(String),
    /// It is what [`crate::rules::Threshold::after`] waits for; by this exception it means less.
    Precedes(Option<String>),
    /// It never counts, by this exception.
    Suppressed(String),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Observation {
    /// Sorts before every mark of that instant.
    pub(crate) fn first_at(at: Timestamp) -> Self {
        Self {
            at,
            key: String::new(),
            resolves: false,
            id: Untrusted::default(),
            account: String::new(),
            region: String::new(),
            principal: Untrusted::default(),
            secrets: Vec::new(),
            secrets_known: false,
            error: false,
            roles: BTreeMap::new(),
        }
    }

    /// The mark of an event: bounded, whatever the event says.
    pub fn of(event: &Event, resolves: bool) -> Self {
        let bounded = |text: &Untrusted| Untrusted::new(bounded(text.raw(), LONGEST_TEXT));
        let secret = |secret: &SecretRef| SecretRef {
            account: self::bounded(&secret.account, LONGEST_NAME),
            region: self::bounded(&secret.region, LONGEST_NAME),
            text: bounded(&secret.text),
            from_arn: secret.from_arn,
        };
        Self {
            at: event.time,
            key: event.key().to_owned(),
            resolves,
            id: bounded(&event.id()),
            account: self::bounded(&event.account, LONGEST_NAME),
            region: self::bounded(&event.region, LONGEST_NAME),
            principal: bounded(&event.principal.id),
            secrets: event.secrets.iter().take(MOST_SECRETS).map(secret).collect(),
            secrets_known: event.secrets_known && event.secrets.len() <= MOST_SECRETS,
            error: event.is_error(),
            roles: BTreeMap::new(),
        }
    }

    /// How much room it takes: as many marks as it is long. Ordinary ones are one.
    pub fn weight(&self) -> usize {
        let secrets: usize = self.secrets.iter().map(|secret| secret.text.raw().len()).sum();
        1 + (self.principal.raw().len() + secrets) / 512
    }

    /// What it is to a response.
    fn role(&self, response: &Response) -> Option<&ObservationRole> {
        self.roles.get(&response.id)
    }

    /// Whether a response looks at it, in a stream that others share: what closes an incident closes it for all.
    fn is_of(&self, response: &Response) -> bool {
        self.resolves || self.role(response).is_some()
    }

    /// Whether it counts for none of its responses, but is what one waits for.
    pub(crate) fn only_opens(&self) -> bool {
        !self.roles.is_empty() && self.roles.values().all(|role| matches!(role, ObservationRole::Precedes(_)))
    }

    /// The exception by which it counts for none of its responses.
    pub(crate) fn suppressed(&self) -> Option<&String> {
        let counts =
            |role: &ObservationRole| matches!(role, ObservationRole::Counts | ObservationRole::Downgraded(_));
        let mut dropped = self.roles.values().filter_map(|role| match role {
            ObservationRole::Suppressed(exception) => Some(exception),
            _ => None,
        });
        if self.roles.values().any(counts) { None } else { dropped.next() }
    }

    /// Whether it tells a response more than another copy of its event: what counts is taken before what does not, and the
    /// caller's copy of a cross-account call names the caller.
    fn tells_more(&self, other: &Self, response: &Response) -> bool {
        let dropped =
            |observation: &Self| matches!(observation.role(response), Some(ObservationRole::Suppressed(_)));
        let names = |observation: &Self| observation.principal.raw().starts_with("arn:");
        let less = |observation: &Self| {
            (dropped(observation), !names(observation), observation.role(response).cloned())
        };
        (less(self), self) < (less(other), other)
    }
}

/// How many secrets of one event count: `BatchGetSecretValue` takes 20 (`API_BatchGetSecretValue`).
const MOST_SECRETS: usize = 32;
/// How many bytes of a text are kept: a secret's name has at most 512 characters (`API_CreateSecret`), a role's ARN
/// less than 640 (512 of path and 64 of name, `API_CreateRole`).
const LONGEST_TEXT: usize = 640;
/// How many bytes of the name of an account or a Region are kept.
const LONGEST_NAME: usize = 64;

/// A text that is too long to be what it should be: its beginning, and a hash that keeps it apart from others.
fn bounded(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let kept = text.floor_char_boundary(longest - 33);
    format!("{}#{}", text.get(..kept).unwrap_or_default(), hash::id_of(text.as_bytes()))
}

/// Events close enough to each other, and many enough, to be one occurrence of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowMatch<'m> {
    /// The marks that fired, by time and key.
    pub observations: Vec<&'m Observation>,
    /// The severity at the highest count within one window.
    pub severity: Severity,
    /// When a later event closed it.
    pub resolved: Option<Timestamp>,
}

impl<'m> WindowMatch<'m> {
    /// A burst of which nothing is left but the mark that closed it.
    pub(crate) fn closed(by: &'m Observation, severity: Severity) -> Self {
        Self { observations: vec![by], severity, resolved: Some(by.at) }
    }

    /// When its first event happened.
    pub fn first(&self) -> Timestamp {
        self.observations.first().map(|observation| observation.at).unwrap_or_default()
    }

    /// When its last event happened.
    pub fn last(&self) -> Timestamp {
        self.observations.last().map(|observation| observation.at).unwrap_or_default()
    }

    /// How many different secrets; `None` where an event hides which it concerned.
    pub fn distinct_secrets(&self) -> Option<usize> {
        let mut counted = self.observations.iter().filter(|observation| !observation.only_opens());
        let known = counted.all(|observation| observation.secrets_known);
        known.then(|| {
            let named =
                resolve_spellings(self.observations.iter().flat_map(|observation| &observation.secrets));
            named.into_values().collect::<BTreeSet<_>>().len()
        })
    }
}

/// How many distinct things some marks hold, of those that count.
pub fn distinct<'m>(response: &Response, observations: impl IntoIterator<Item = &'m Observation>) -> usize {
    let mut observations: Vec<&Observation> =
        observations.into_iter().filter(|observation| observation.is_of(response)).collect();
    observations.sort_by_key(|observation| observation.at);
    let observations = counting(response, observations);
    let names = match response.when.distinct {
        DistinctBy::Secret => {
            resolve_spellings(observations.iter().flat_map(|observation| &observation.secrets))
        }
        DistinctBy::Region | DistinctBy::Principal | DistinctBy::Event => BTreeMap::new(),
    };
    let values = observations.into_iter().flat_map(|observation| values(response, observation, &names));
    values.collect::<BTreeSet<_>>().len()
}

/// What counts of some marks in order of time: nothing that is suppressed; and where something must come first, only that
/// and what follows it soon enough.
fn counting<'m>(response: &Response, mut observations: Vec<&'m Observation>) -> Vec<&'m Observation> {
    observations
        .retain(|observation| !matches!(observation.role(response), Some(ObservationRole::Suppressed(_))));
    if response.when.after.is_some() {
        let opens = observations
            .iter()
            .filter(|observation| matches!(observation.role(response), Some(ObservationRole::Precedes(_))));
        let opens: Vec<Timestamp> = opens.map(|observation| observation.at).collect();
        observations.retain(|observation| {
            let before = opens.partition_point(|at| *at <= observation.at);
            let latest = before.checked_sub(1).and_then(|index| opens.get(index));
            observation.resolves || latest.is_some_and(|at| *at >= observation.at.minus(response.when.within))
        });
    }
    observations
}

/// The bursts among `marks`, in order of time: a function of the set, whatever its order and duplicates.
///
/// A window of `response.when.within` that holds `at_least` distinct things fires. Windows that fire are one burst
/// as long as no more than `response.quiet` lies between them and no resolving mark does.
pub fn find_window_matches<'m>(
    response: &Response,
    observations: impl IntoIterator<Item = &'m Observation>,
) -> Vec<WindowMatch<'m>> {
    // One mark an event: copies of it are equal, or told apart the same way everywhere.
    let mut by_event: BTreeMap<(Timestamp, bool, &str), &Observation> = BTreeMap::new();
    for observation in observations.into_iter().filter(|observation| observation.is_of(response)) {
        by_event
            .entry((observation.at, observation.resolves, &observation.key))
            .and_modify(|kept| {
                *kept = if observation.tells_more(kept, response) { observation } else { *kept }
            })
            .or_insert(observation);
    }
    let observations = counting(response, by_event.into_values().collect());
    let names = resolve_spellings(observations.iter().flat_map(|observation| &observation.secrets));
    let mut found = Vec::new();
    for segment in observations.split_inclusive(|observation| observation.resolves) {
        let (events, closing) = match segment.split_last() {
            Some((last, events)) if last.resolves => (events, Some(last.at)),
            _ => (segment, None),
        };
        let before = found.len();
        windows(response, events, &names, &mut found);
        for window_match in found.iter_mut().skip(before) {
            window_match.resolved = closing;
            window_match.severity = eased(response, window_match);
        }
    }
    found
}

/// The severity of a burst as the exceptions leave it: one event to which none applies keeps it as it is.
fn eased(response: &Response, window_match: &WindowMatch<'_>) -> Severity {
    let effect = |observation: &&Observation| {
        let (ObservationRole::Downgraded(id) | ObservationRole::Precedes(Some(id))) =
            observation.role(response)?
        else {
            return None;
        };
        response.exceptions.iter().find(|exception| exception.id == *id).map(|exception| exception.effect)
    };
    let effects: Option<Vec<ExceptionEffect>> = window_match.observations.iter().map(effect).collect();
    match effects.and_then(|effects| effects.into_iter().min()) {
        None => window_match.severity,
        Some(ExceptionEffect::Lower) => window_match.severity.lower(),
        Some(ExceptionEffect::Info | ExceptionEffect::Drop) => Severity::Info,
    }
}

type SecretNames<'m> = BTreeMap<&'m SecretRef, String>;

fn windows<'m>(
    response: &Response,
    events: &[&'m Observation],
    names: &SecretNames<'m>,
    found: &mut Vec<WindowMatch<'m>>,
) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut left, mut right) = (0, 0);
    // The first event that no burst of this segment holds yet, and where the last burst began.
    let (mut taken, own) = (0, found.len());
    while let Some(newest) = events.get(right) {
        // Events of one instant enter together: their order must not matter.
        while let Some(observation) = events.get(right).filter(|observation| observation.at == newest.at) {
            for value in values(response, observation, names) {
                *counts.entry(value).or_default() += 1;
            }
            right += 1;
        }
        let start = newest.at.minus(response.when.within);
        while let Some(observation) = events.get(left).filter(|observation| observation.at < start) {
            for value in values(response, observation, names) {
                if let Some(count) = counts.get_mut(value) {
                    *count -= 1;
                    if *count == 0 {
                        counts.remove(value);
                    }
                }
            }
            left += 1;
        }
        let Some(severity) = response.severity_at(counts.len()) else { continue };
        let fresh = events.get(left.max(taken)..right).unwrap_or_default();
        let begins = events.get(left).map(|observation| observation.at).unwrap_or_default();
        let open = found.len() > own
            && found.last().is_some_and(|last| begins <= last.last().plus(response.resolve_after));
        match found.last_mut().filter(|_| open) {
            Some(window_match) => {
                window_match.observations.extend(fresh);
                window_match.severity = window_match.severity.max(severity);
            }
            None => found.push(WindowMatch { observations: fresh.to_vec(), severity, resolved: None }),
        }
        taken = right;
    }
}

fn values<'v>(response: &Response, observation: &'v Observation, names: &'v SecretNames<'_>) -> Vec<&'v str> {
    match response.when.distinct {
        _ if matches!(observation.role(response), Some(ObservationRole::Precedes(_))) => Vec::new(),
        DistinctBy::Secret => {
            observation.secrets.iter().filter_map(|secret| names.get(secret).map(String::as_str)).collect()
        }
        DistinctBy::Region => vec![&observation.region],
        DistinctBy::Principal => vec![observation.principal.raw()],
        DistinctBy::Event => vec![&observation.key],
    }
}
