//! The facts of a batch, and which of its questions the ledger did not answer.

use std::collections::BTreeSet;

use responder_core::aws::location::Location;
use responder_core::decide::{group_memberships, questions};
use responder_core::facts::Facts;
use responder_core::question::Question;
use responder_core::rules::{Handler, MatchedEvent};

use super::ledger_answers::OPEN_INCIDENTS_NAME;

/// Everything that was learned for a batch.
#[derive(Debug, Default)]
pub(crate) struct GatheredFacts {
    pub(crate) facts: Facts,
    /// Whether there were questions left when the rounds ran out. No event is decided about on what is unknown.
    pub(crate) is_cut_off: bool,
    /// How many observations found no room in the ledger.
    pub(crate) observations_dropped: usize,
    /// The names for which the ledger had no answer: groups, incidents, services, accounts with Regions, keys of evidence and
    /// of last reads, and dates.
    pub(super) unanswered: BTreeSet<String>,
    /// The questions that were asked.
    pub(super) asked: BTreeSet<Question>,
}

impl GatheredFacts {
    /// Whether the ledger answered all that decides about an event. The event ends as failed otherwise, and comes again.
    ///
    /// These answers must be there:
    /// 1. of each group that counts the event, the incident's state and the observations; unless the event paged the
    ///    incident and nothing more can be paged of it (`paged` holds such incidents): more observations then change nothing;
    /// 2. for a rotation or a sweep, the rotation states: without them not even the further questions are known;
    /// 3. all that the event asks for itself.
    pub(crate) fn is_answered(&self, matched_event: &MatchedEvent<'_>, paged: &BTreeSet<String>) -> bool {
        // 1. Counting.
        for membership in group_memberships(matched_event, &self.facts) {
            let incident_key = &membership.incident_key;
            let is_counted = !self.is_unanswered(incident_key) && !self.is_unanswered(&membership.group);
            if !is_counted && !paged.contains(incident_key) {
                return false;
            }
        }
        // 2. Rotation states.
        if matches!(matched_event.handler, Handler::Rotation | Handler::Sweep) {
            for question in &self.asked {
                if matches!(question, Question::RotationState { .. }) && self.is_question_unanswered(question)
                {
                    return false;
                }
            }
        }
        // 3. The event's own questions.
        !questions(matched_event, &self.facts).iter().any(|question| self.is_question_unanswered(question))
    }

    fn is_unanswered(&self, name: &str) -> bool {
        self.unanswered.contains(name)
    }

    fn is_question_unanswered(&self, question: &Question) -> bool {
        match question {
            Question::Deployment { service } => self.is_unanswered(service),
            Question::PendingEvidence { key } | Question::LastSeen { key } => self.is_unanswered(key),
            Question::RotationState { account, region } => {
                self.is_unanswered(&Location::new(account, region))
            }
            Question::DigestDay { date } => self.is_unanswered(&date.to_string()),
            Question::OpenIncidents => self.is_unanswered(OPEN_INCIDENTS_NAME),
            // Without its observations, an incident is auto-resolved by a later sweep.
            Question::GroupWindow { group, .. } => !self.facts.observations.contains_key(group),
            // Observations are checked as counting. The state of an incident only avoids a second page, which the claims
            // avoid as well. The others become discovery failures, which the core decides about.
            Question::Observations { .. }
            | Question::LaunchSecrets { .. }
            | Question::Incident { .. }
            | Question::Consumers { .. }
            | Question::Service { .. }
            | Question::Secret { .. }
            | Question::SecretWithArn { .. }
            | Question::Secrets { .. } => false,
        }
    }
}
