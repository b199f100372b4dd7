//! Correlation: what several responses detected about one subject at one time is one incident.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::window_match::WindowMatch;
use crate::incident::{Incident, IncidentDetail};
use crate::rules::Response;
use crate::severity::Severity;
use crate::state::observation::Observation;
use crate::time::{Span, Timestamp};

/// What one response detected.
#[derive(Clone, Debug)]
pub(crate) struct Detection<'r, 'm> {
    /// The response.
    pub(crate) response: &'r Response,
    /// The observations that fired.
    pub(crate) window_match: WindowMatch<'m>,
}

/// The detections by occurrence, in order of time: a function of their set. Detections no further apart than `resolve_after`
/// are one occurrence, unless an event resolved the incident between them.
pub(crate) fn group_by_occurrence<'r, 'm>(
    mut detections: Vec<Detection<'r, 'm>>,
) -> Vec<Vec<Detection<'r, 'm>>> {
    detections.sort_by(|a, b| {
        let times =
            |detection: &Detection<'r, 'm>| (detection.window_match.first(), detection.window_match.last());
        times(a).cmp(&times(b)).then_with(|| a.response.id.cmp(&b.response.id))
    });
    let mut occurrences: Vec<Vec<Detection<'r, 'm>>> = Vec::new();
    for detection in detections {
        match occurrences.last_mut() {
            Some(occurrence) if continues(occurrence, &detection) => occurrence.push(detection),
            _ => occurrences.push(vec![detection]),
        }
    }
    occurrences
}

/// Whether a detection belongs to an occurrence that began no later.
fn continues(occurrence: &[Detection<'_, '_>], detection: &Detection<'_, '_>) -> bool {
    let last = occurrence.iter().map(|known| known.window_match.last()).max().unwrap_or_default();
    let resolved = occurrence.first().and_then(|known| known.window_match.resolved);
    detection.window_match.first() <= last.plus(detection.response.resolve_after)
        && resolved == detection.window_match.resolved
}

/// The response that names the incident: that of the most severe detection, of equals the first by id.
pub(crate) fn lead_response<'r>(detections: &[Detection<'r, '_>]) -> Option<&'r Response> {
    let lead = detections
        .iter()
        .max_by_key(|detection| (detection.window_match.severity, Reverse(detection.response.id.clone())))?;
    Some(lead.response)
}

/// The incident that some detections are. `observations` are all that are known of its groups, those that never count
/// included. Where detections without an event that an exception lowers are as severe as the others, it holds no such event:
/// the numbers of a theft are not those of the pipeline whose role was stolen.
pub(crate) fn merge_into_incident<'m>(
    lead: &Response,
    key: String,
    detections: &[Detection<'_, '_>],
    observations: impl IntoIterator<Item = &'m Observation>,
    details: Vec<IncidentDetail>,
) -> Incident {
    let mut by_event: BTreeMap<(Timestamp, &str), &Observation> = BTreeMap::new();
    let mut severity = Severity::Info;
    for detection in detections {
        severity = severity.max(detection.window_match.severity);
    }
    let stands_without_downgraded = detections.iter().any(|detection| {
        let WindowMatch { observations, severity: own, .. } = &detection.window_match;
        *own == severity && observations.iter().all(|observation| observation.downgraded_by().is_none())
    });
    let mut within = Span::default();
    let mut also = BTreeSet::new();
    for detection in detections {
        for observation in &detection.window_match.observations {
            if !stands_without_downgraded || observation.downgraded_by().is_none() {
                by_event.insert((observation.at, observation.key.as_str()), observation);
            }
        }
        within = within.max(detection.response.when.within);
        if detection.response.id != lead.id {
            also.insert(detection.response.id.clone());
        }
    }
    let resolved = detections.first().and_then(|detection| detection.window_match.resolved);
    let merged = WindowMatch { observations: by_event.into_values().collect(), severity, resolved };
    let mut incident = Incident::from_match(lead, key, &merged, details);
    incident.also = also.into_iter().collect();
    let observations: Vec<&Observation> = observations.into_iter().collect();
    let from = incident.first.minus(within);
    incident.counted_apart = count_apart(&observations, &merged, from, incident.last);
    incident.suppressed = count_suppressed(observations, from, incident.last);
    incident
}

/// How many events between two instants an exception lowers that are not among those of an incident, by exception.
fn count_apart(
    observations: &[&Observation],
    merged: &WindowMatch<'_>,
    from: Timestamp,
    to: Timestamp,
) -> BTreeMap<String, usize> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    seen.extend(merged.observations.iter().map(|observation| observation.key.as_str()));
    let mut counts = BTreeMap::new();
    for observation in observations {
        let is_within = !observation.resolves && observation.at >= from && observation.at <= to;
        if let Some(exception) = observation.downgraded_by()
            && is_within
            && seen.insert(&observation.key)
        {
            *counts.entry(exception.clone()).or_default() += 1;
        }
    }
    counts
}

/// How many events between two instants never counted, by exception. An event of which another copy counts is not suppressed.
fn count_suppressed<'m>(
    observations: impl IntoIterator<Item = &'m Observation>,
    from: Timestamp,
    to: Timestamp,
) -> BTreeMap<String, usize> {
    // `None`, of a copy that counts, is less than any exception's id.
    let mut by_event: BTreeMap<&str, Option<&String>> = BTreeMap::new();
    for observation in observations {
        if observation.resolves || observation.at < from || observation.at > to {
            continue;
        }
        let exception = observation.suppressed_by();
        let known = by_event.entry(&observation.key).or_insert(exception);
        *known = (*known).min(exception);
    }
    let mut counts = BTreeMap::new();
    for exception in by_event.into_values().flatten() {
        *counts.entry(exception.clone()).or_default() += 1;
    }
    counts
}
