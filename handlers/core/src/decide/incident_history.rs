//! The history of an open incident: everything that is known of it, counted as one incident.

use super::plan_builder::PlanBuilder;
use crate::detection::correlate::{Detection, merge_into_incident};
use crate::detection::window_match::{WindowMatch, find_window_matches};
use crate::facts::{Facts, IncidentState};
use crate::incident::{Incident, IncidentDetail};
use crate::question::Question;
use crate::rules::Response;
use crate::state::observation::Observation;
use crate::state::open_incident::OpenIncident;
use crate::time::{Span, Timestamp};

/// How far back the observations of an incident are counted, at most. A slow theft takes hours; the ledger keeps observations
/// for a day, and an attacker may have made very many.
const COUNTED_HISTORY: Span = Span::from_secs(12 * 3_600);

/// An open incident with its state.
pub(super) struct OpenIncidentHistory<'f> {
    /// Its key.
    pub(super) key: &'f String,
    /// Its entry in the index.
    pub(super) opened: &'f OpenIncident,
    /// Its state.
    pub(super) state: &'f IncidentState,
}

/// The open incidents whose state is known.
pub(super) fn list_known_incidents(facts: &Facts) -> Vec<OpenIncidentHistory<'_>> {
    let mut known = Vec::new();
    for (key, opened) in &facts.open_incidents {
        if let Some(state) = facts.incidents.get(key) {
            known.push(OpenIncidentHistory { key, opened, state });
        }
    }
    known
}

impl<'f> OpenIncidentHistory<'f> {
    /// Whether the incident goes on as far as its state says, and the state is no older than the last page: the state of a page
    /// that is not yet marked as sent is older.
    pub(super) fn is_open(&self) -> bool {
        self.opened.resolved.is_none()
            && self.opened.last <= self.state.last
            && self.state.resolved < Some(self.state.first)
    }

    /// From when on its observations are counted.
    pub(super) fn counted_from(&self) -> Timestamp {
        self.state.first.max(self.state.last.minus(self.opened.resolve_after.max(COUNTED_HISTORY)))
    }

    /// The questions for its observations.
    pub(super) fn questions(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        for group in &self.opened.groups {
            questions.push(Question::GroupWindow {
                group: group.clone(),
                from: self.counted_from(),
                to: self.state.last,
            });
        }
        questions
    }

    /// Whether its observations are known.
    pub(super) fn is_counted(&self, facts: &Facts) -> bool {
        self.opened.groups.iter().all(|group| facts.observations.contains_key(group))
    }

    /// Everything that is known of it as one incident of the response that paged last, from its first to its last event.
    /// `resolved` is when it ended.
    pub(super) fn count(
        &self,
        builder: &PlanBuilder<'_, '_>,
        response: &Response,
        resolved: Option<Timestamp>,
        details: Vec<IncidentDetail>,
    ) -> Incident {
        let observations = self.observations(builder.facts);
        let mut detections = Vec::new();
        for sharing in builder.case.all_responses.values() {
            if sharing.incident == response.incident {
                for window_match in find_window_matches(sharing, observations.iter().copied()) {
                    detections.push(Detection { response: sharing, window_match });
                }
            }
        }
        if detections.is_empty() {
            detections.push(Detection { response, window_match: self.match_all(&observations) });
        }
        for detection in &mut detections {
            detection.window_match.resolved = resolved;
        }
        let mut incident =
            merge_into_incident(response, self.key.clone(), &detections, observations, details);
        incident.first = self.state.first;
        incident.last = self.state.last;
        incident.severity = self.state.severity;
        incident
    }

    /// The observations of its time that do not resolve it, those that never count included.
    fn observations(&self, facts: &'f Facts) -> Vec<&'f Observation> {
        let from = self.counted_from();
        let mut observations = Vec::new();
        for group in &self.opened.groups {
            for observation in facts.observations.get(group).into_iter().flatten() {
                if !observation.resolves && observation.at >= from && observation.at <= self.state.last {
                    observations.push(observation);
                }
            }
        }
        observations
    }

    /// All observations that count, where no response finds a match among those that are known.
    fn match_all<'m>(&self, observations: &[&'m Observation]) -> WindowMatch<'m> {
        let mut counting = observations.to_vec();
        counting.retain(|observation| observation.suppressed_by().is_none() && !observation.only_precedes());
        WindowMatch { observations: counting, severity: self.state.severity, resolved: None }
    }
}
