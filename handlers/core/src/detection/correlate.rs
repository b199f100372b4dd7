//! Occurrences: what several responses found about one subject at one time is one incident.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::incident::{Incident, IncidentDetail};
use crate::rules::{Response, Severity};
use crate::state::observation::{Observation, WindowMatch};
use crate::time::{Span, Timestamp};

/// What one response found.
#[derive(Clone, Debug)]
pub(crate) struct Detection<'r, 'm> {
    /// The response.
    pub(crate) response: &'r Response,
    /// What fired.
    pub(crate) window_match: WindowMatch<'m>,
}

/// The findings by occurrence, in order of time: a function of their set. Those whose times are no further apart than
/// `quiet` are one, unless something closed the incident between them.
pub(crate) fn occurrences<'r, 'm>(mut findings: Vec<Detection<'r, 'm>>) -> Vec<Vec<Detection<'r, 'm>>> {
    findings.sort_by(|a, b| {
        let order = |finding: &Detection<'r, 'm>| (finding.window_match.first(), finding.window_match.last());
        order(a).cmp(&order(b)).then_with(|| a.response.id.cmp(&b.response.id))
    });
    let mut occurrences: Vec<Vec<Detection<'r, 'm>>> = Vec::new();
    for finding in findings {
        let joins = |known: &Vec<Detection<'r, 'm>>| {
            let last = known.iter().map(|known| known.window_match.last()).max().unwrap_or_default();
            let resolved = known.first().and_then(|known| known.window_match.resolved);
            finding.window_match.first() <= last.plus(finding.response.resolve_after)
                && resolved == finding.window_match.resolved
        };
        match occurrences.last_mut() {
            Some(known) if joins(known) => known.push(finding),
            _ => occurrences.push(vec![finding]),
        }
    }
    occurrences
}

/// The response that says most: the most severe finding's, of equals the first by id.
pub(crate) fn lead<'r>(findings: &[Detection<'r, '_>]) -> Option<&'r Response> {
    let order =
        |finding: &&Detection<'r, '_>| (finding.window_match.severity, Reverse(finding.response.id.clone()));
    findings.iter().max_by_key(order).map(|finding| finding.response)
}

/// The incident that some findings are; `streams` are all marks that were counted for it, and those that never count.
pub(crate) fn incident<'m>(
    lead: &Response,
    key: String,
    findings: &[Detection<'_, '_>],
    groups: impl IntoIterator<Item = &'m Observation>,
    details: Vec<IncidentDetail>,
) -> Incident {
    let observations: BTreeMap<(Timestamp, &str), &Observation> = findings
        .iter()
        .flat_map(|finding| &finding.window_match.observations)
        .map(|observation| ((observation.at, observation.key.as_str()), *observation))
        .collect();
    let severity =
        findings.iter().map(|finding| finding.window_match.severity).max().unwrap_or(Severity::Info);
    let resolved = findings.first().and_then(|finding| finding.window_match.resolved);
    let window_match = WindowMatch { observations: observations.into_values().collect(), severity, resolved };
    let mut incident = Incident::of(lead, key, &window_match, details);
    let others: BTreeSet<&String> = findings.iter().map(|finding| &finding.response.id).collect();
    incident.also = others.into_iter().filter(|id| **id != lead.id).cloned().collect();
    let within = findings.iter().map(|finding| finding.response.when.within).max().unwrap_or_default();
    incident.suppressed = suppressed(groups, incident.first, incident.last, within);
    incident
}

/// How many events never counted, by exception: those from one window before the incident to its end. An event that also
/// left a mark that counts is none of them.
fn suppressed<'m>(
    groups: impl IntoIterator<Item = &'m Observation>,
    first: Timestamp,
    last: Timestamp,
    within: Span,
) -> BTreeMap<String, usize> {
    let from = first.minus(within);
    let near = groups
        .into_iter()
        .filter(|observation| !observation.resolves && observation.at >= from && observation.at <= last);
    // The mark that counts sorts first.
    let mut events: BTreeMap<&str, Option<&String>> = BTreeMap::new();
    for observation in near {
        let known = events.entry(&observation.key).or_insert(observation.suppressed());
        *known = (*known).min(observation.suppressed());
    }
    let mut counts = BTreeMap::new();
    for exception in events.into_values().flatten() {
        *counts.entry(exception.clone()).or_default() += 1;
    }
    counts
}
