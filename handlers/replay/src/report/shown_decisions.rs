//! Leaves out the decisions and incidents that do not fit a filter. Everything was decided before.

use std::collections::BTreeSet;

use responder_audit::query::{EventFilter, EventSubject};
use responder_core::incident::Incident;
use responder_core::rules::MatchedEvent;
use responder_core::state::observation::Observation;
use responder_core::text::Untrusted;

use super::report_filter::ReportFilter;

/// The events of the input, and which of them fit.
pub(super) struct ShownEvents {
    /// For each decision, the id of its event.
    ids: Vec<Untrusted>,
    /// For each decision, whether its event fits.
    fits: Vec<bool>,
}

impl ShownEvents {
    /// Finds the events that fit, in the order of the decisions.
    pub(super) fn find(events: &[MatchedEvent<'_>], filter: &EventFilter) -> Self {
        let mut shown = Self { ids: Vec::new(), fits: Vec::new() };
        for matched in events {
            // An incident names its events by the ids of their observations, which are bounded.
            shown.ids.push(Observation::from_event(&matched.event).id);
            shown.fits.push(filter.fits(&EventSubject::from_event(&matched.event)));
        }
        shown
    }

    /// Leaves out the incidents of a lower severity, and those of which no event fits.
    pub(super) fn retain_incidents(&self, filter: &mut ReportFilter, incidents: &mut Vec<Incident>) {
        let mut fitting_ids = BTreeSet::new();
        for (id, fits) in self.ids.iter().zip(&self.fits) {
            if *fits {
                fitting_ids.insert(id);
            }
        }
        let lowest = filter.severity;
        filter.retain(incidents, |incident| {
            let is_severe = lowest.is_none_or(|lowest| incident.severity >= lowest);
            is_severe && incident.event_ids.iter().any(|id| fitting_ids.contains(id))
        });
    }

    /// Marks the decisions whose events fit. With a severity, only those about an event of an incident that is shown.
    pub(super) fn mark_decisions(&self, filter: &ReportFilter, incidents: &[Incident]) -> Vec<bool> {
        let mut incident_ids = BTreeSet::new();
        for incident in incidents {
            incident_ids.extend(&incident.event_ids);
        }
        let mut marks = Vec::new();
        for (id, fits) in self.ids.iter().zip(&self.fits) {
            marks.push(*fits && (filter.severity.is_none() || incident_ids.contains(id)));
        }
        marks
    }
}

/// Keeps the values at the places that are marked.
pub(super) fn retain_marked<T>(values: &mut Vec<T>, marks: &[bool]) {
    let mut marks = marks.iter();
    values.retain(|_| marks.next().copied().unwrap_or(true));
}
