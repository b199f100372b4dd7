//! Window matches: windows of observations that hold enough distinct values, in event time.
//!
//! Every function here is a function of the set of observations: order and duplicates change nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::secret_ref::{SecretRef, resolve_spellings};
use crate::rules::{DistinctBy, ExceptionEffect, Response};
use crate::severity::Severity;
use crate::state::observation::{Observation, ObservationRole};
use crate::time::Timestamp;

/// Observations close enough to each other, and many enough, to be one occurrence of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowMatch<'m> {
    /// The observations that fired, by time and key.
    pub observations: Vec<&'m Observation>,
    /// The severity at the highest count within one window.
    pub severity: Severity,
    /// When a later event resolved it.
    pub resolved: Option<Timestamp>,
}

impl<'m> WindowMatch<'m> {
    /// A match of which nothing is left but the observation that resolved it.
    pub(crate) fn resolved_by(observation: &'m Observation, severity: Severity) -> Self {
        Self { observations: vec![observation], severity, resolved: Some(observation.at) }
    }

    /// When its first event happened.
    pub fn first(&self) -> Timestamp {
        self.observations.first().map(|observation| observation.at).unwrap_or_default()
    }

    /// When its last event happened.
    pub fn last(&self) -> Timestamp {
        self.observations.last().map(|observation| observation.at).unwrap_or_default()
    }

    /// How many different secrets it is about; `None` where an event hides which it concerned.
    pub fn distinct_secrets(&self) -> Option<usize> {
        for observation in &self.observations {
            if !observation.only_precedes() && !observation.secrets_known {
                return None;
            }
        }
        let keys = resolve_spellings(self.observations.iter().flat_map(|observation| &observation.secrets));
        let distinct: BTreeSet<String> = keys.into_values().collect();
        Some(distinct.len())
    }
}

/// The names of secrets by spelling: all spellings of one secret have the same name.
type SecretNames<'m> = BTreeMap<&'m SecretRef, String>;

/// How many distinct values some observations hold, of those that count for a response.
pub fn count_distinct<'m>(
    response: &Response,
    observations: impl IntoIterator<Item = &'m Observation>,
) -> usize {
    let mut observed = Vec::new();
    for observation in observations {
        if is_observed_by(observation, response) {
            observed.push(observation);
        }
    }
    observed.sort_by_key(|observation| observation.at);
    let counting = retain_counting(response, observed);
    let names = match response.when.distinct {
        DistinctBy::Secret => resolve_spellings(counting.iter().flat_map(|observation| &observation.secrets)),
        DistinctBy::Region | DistinctBy::Principal | DistinctBy::Event => BTreeMap::new(),
    };
    let mut distinct = BTreeSet::new();
    for observation in counting {
        distinct.extend(counted_values(response, observation, &names));
    }
    distinct.len()
}

/// The matches among some observations, in order of time.
///
/// A window of `response.when.within` that holds `at_least` distinct values fires. Windows that fire are one match as long as
/// no more than `response.resolve_after` lies between them, and no observation that resolves the incident does.
pub fn find_window_matches<'m>(
    response: &Response,
    observations: impl IntoIterator<Item = &'m Observation>,
) -> Vec<WindowMatch<'m>> {
    let counting = retain_counting(response, one_for_each_event(response, observations));
    let names = resolve_spellings(counting.iter().flat_map(|observation| &observation.secrets));
    let mut matches = Vec::new();
    for segment in counting.split_inclusive(|observation| observation.resolves) {
        let (events, resolved) = match segment.split_last() {
            Some((last, events)) if last.resolves => (events, Some(last.at)),
            _ => (segment, None),
        };
        for mut window_match in match_segment(response, events, &names) {
            window_match.resolved = resolved;
            matches.push(window_match);
        }
    }
    matches
}

/// The matches among events between two resolutions, each with the severity that exceptions leave it.
///
/// Events that an exception lowers fill no window of those that none does: twenty reads of a declared pipeline and one by hand
/// are not twenty-one reads. So the others are counted by themselves first. If they fire, and no less severely than all
/// together as lowered, the match is theirs alone.
fn match_segment<'m>(
    response: &Response,
    events: &[&'m Observation],
    names: &SecretNames<'m>,
) -> Vec<WindowMatch<'m>> {
    let mut together = Vec::new();
    slide_window(response, events, names, &mut together);
    let mut others = events.to_vec();
    others.retain(|observation| !is_downgraded(observation, response));
    if others.len() == events.len() {
        return together;
    }
    for window_match in &mut together {
        window_match.severity = downgraded_severity(response, window_match);
    }
    let mut alone = Vec::new();
    slide_window(response, &others, names, &mut alone);
    let mut matches = Vec::new();
    for window_match in together {
        let (first, last) = (window_match.first(), window_match.last());
        let mut own = alone.clone();
        own.retain(|found| found.first() >= first && found.last() <= last);
        let severity = own.iter().map(|found| found.severity).max();
        if severity >= Some(window_match.severity) {
            matches.extend(own);
        } else {
            matches.push(window_match);
        }
    }
    matches
}

fn is_downgraded(observation: &Observation, response: &Response) -> bool {
    matches!(observation.role_for(&response.id), Some(ObservationRole::Downgraded(_)))
}

/// One observation for each event, by time: of several copies the one that the response prefers, the same in each process.
fn one_for_each_event<'m>(
    response: &Response,
    observations: impl IntoIterator<Item = &'m Observation>,
) -> Vec<&'m Observation> {
    let mut by_event: BTreeMap<(Timestamp, bool, &str), &Observation> = BTreeMap::new();
    for observation in observations {
        if !is_observed_by(observation, response) {
            continue;
        }
        let kept =
            by_event.entry((observation.at, observation.resolves, &observation.key)).or_insert(observation);
        if is_preferred(observation, kept, response) {
            *kept = observation;
        }
    }
    by_event.into_values().collect()
}

/// Whether a response looks at an observation of a group that it shares with others. An observation that resolves the
/// incident resolves it for all of them.
fn is_observed_by(observation: &Observation, response: &Response) -> bool {
    observation.resolves || observation.role_for(&response.id).is_some()
}

/// Whether a response prefers an observation to another copy of the same event:
///
/// 1. a copy that counts is taken before one that an exception suppresses (one function may have decided without knowing
///    that the caller's role launches tasks),
/// 2. then the caller's copy of a cross-account call before the owner's, which does not name the caller,
/// 3. then any fixed order.
fn is_preferred(observation: &Observation, other: &Observation, response: &Response) -> bool {
    let rank = |one: &Observation| {
        let role = one.role_for(&response.id).cloned();
        let is_suppressed = matches!(role, Some(ObservationRole::Suppressed(_)));
        let names_caller = one.principal.raw().starts_with("arn:");
        (is_suppressed, !names_caller, role)
    };
    (rank(observation), observation) < (rank(other), other)
}

/// The observations that count, of some in order of time: none that is suppressed; and where something must come first
/// ([`crate::rules::Threshold::after`]), only that and what follows it within the window.
fn retain_counting<'m>(response: &Response, mut observations: Vec<&'m Observation>) -> Vec<&'m Observation> {
    observations.retain(|observation| {
        !matches!(observation.role_for(&response.id), Some(ObservationRole::Suppressed(_)))
    });
    if response.when.after.is_none() {
        return observations;
    }
    let mut preceding: Vec<Timestamp> = Vec::new();
    for observation in &observations {
        if matches!(observation.role_for(&response.id), Some(ObservationRole::Precedes(_))) {
            preceding.push(observation.at);
        }
    }
    observations.retain(|observation| {
        let before = preceding.partition_point(|at| *at <= observation.at);
        let latest = before.checked_sub(1).and_then(|index| preceding.get(index));
        observation.resolves || latest.is_some_and(|at| *at >= observation.at.minus(response.when.within))
    });
    observations
}

/// The severity of a match that needs events which an exception lowers: the weakest of their exceptions decides. What comes first
/// ([`crate::rules::Threshold::after`]) lifts it if no exception applies to that.
fn downgraded_severity(response: &Response, window_match: &WindowMatch<'_>) -> Severity {
    let mut weakest: Option<ExceptionEffect> = None;
    for observation in &window_match.observations {
        let id = match observation.role_for(&response.id) {
            Some(ObservationRole::Downgraded(id) | ObservationRole::Precedes(Some(id))) => id,
            Some(ObservationRole::Precedes(None)) => return window_match.severity,
            _ => continue,
        };
        let Some(exception) = response.exceptions.iter().find(|exception| exception.id == *id) else {
            return window_match.severity;
        };
        weakest = Some(match weakest {
            Some(effect) => effect.min(exception.effect),
            None => exception.effect,
        });
    }
    match weakest {
        None => window_match.severity,
        Some(ExceptionEffect::Lower) => window_match.severity.lower_by_one(),
        Some(ExceptionEffect::Info | ExceptionEffect::Drop) => Severity::Info,
    }
}

/// Slides the window over events in order of time and adds what fires to `found`.
///
/// `left..right` are the events within `within` of the newest one, `counts` holds how often each distinct value occurs in
/// them, and `principals` how often each principal does. For three secrets `a b a` in a window of which the first `a` leaves, `a` still counts once.
fn slide_window<'m>(
    response: &Response,
    events: &[&'m Observation],
    names: &SecretNames<'m>,
    found: &mut Vec<WindowMatch<'m>>,
) {
    let mut counts = DistinctCounts::default();
    let mut principals = DistinctCounts::default();
    let mut left = 0;
    let mut right = 0;
    // The first event that no match holds yet.
    let mut unmatched = 0;
    while let Some(newest) = events.get(right) {
        // Events of one instant enter together: their order must not matter.
        while let Some(observation) = events.get(right).filter(|observation| observation.at == newest.at) {
            for value in counted_values(response, observation, names) {
                counts.add(value);
                principals.add(observation.principal.raw());
            }
            right += 1;
        }
        let start = newest.at.minus(response.when.within);
        while let Some(observation) = events.get(left).filter(|observation| observation.at < start) {
            for value in counted_values(response, observation, names) {
                counts.remove(value);
                principals.remove(observation.principal.raw());
            }
            left += 1;
        }
        if principals.len() < response.when.principals {
            continue;
        }
        let Some(severity) = response.severity_at(counts.len()) else { continue };
        let fresh = events.get(left.max(unmatched)..right).unwrap_or_default();
        let begins = events.get(left).map(|observation| observation.at).unwrap_or_default();
        match found.last_mut() {
            Some(last) if begins <= last.last().plus(response.resolve_after) => {
                last.observations.extend(fresh);
                last.severity = last.severity.max(severity);
            }
            _ => found.push(WindowMatch { observations: fresh.to_vec(), severity, resolved: None }),
        }
        unmatched = right;
    }
}

/// How often each distinct value occurs in a window.
#[derive(Default)]
struct DistinctCounts<'v>(BTreeMap<&'v str, usize>);

impl<'v> DistinctCounts<'v> {
    fn add(&mut self, value: &'v str) {
        *self.0.entry(value).or_default() += 1;
    }

    fn remove(&mut self, value: &str) {
        if let Some(count) = self.0.get_mut(value) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(value);
            }
        }
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// The values of an observation that a response counts; none of one that only precedes what counts.
fn counted_values<'v>(
    response: &Response,
    observation: &'v Observation,
    names: &'v SecretNames<'_>,
) -> Vec<&'v str> {
    if matches!(observation.role_for(&response.id), Some(ObservationRole::Precedes(_))) {
        return Vec::new();
    }
    match response.when.distinct {
        DistinctBy::Secret => {
            let mut values = Vec::new();
            for secret in &observation.secrets {
                values.extend(names.get(secret).map(String::as_str));
            }
            values
        }
        DistinctBy::Region => vec![&observation.region],
        DistinctBy::Principal => vec![observation.principal.raw()],
        DistinctBy::Event => vec![&observation.key],
    }
}
