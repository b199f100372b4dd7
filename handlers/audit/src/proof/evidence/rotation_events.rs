//! Collects the evidence: one piece for each event, however many copies of the event there are.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::label_move::LabelMove;
use super::rollout_event::RolloutEvent;
use super::rotation_failure::RotationFailure;
use super::service_call::ServiceCall;
use super::task_definition::RegisteredDefinition;
use super::task_read::TaskRead;
use responder_core::event::Event;
use responder_core::time::Timestamp;

/// The evidence of a set of events. Copies of an event count once. It is a function of the set.
#[derive(Clone, Debug, Default)]
pub struct RotationEvents {
    /// The evidence, by the key of the event; of several copies the one that says most.
    by_event: BTreeMap<String, RankedEvidence>,
    /// The time of the last event of any kind.
    until: Option<Timestamp>,
}

/// Evidence, after its rank among the copies of its event: the smallest one says most.
type RankedEvidence = (Reverse<usize>, EventEvidence);

/// The evidence of one event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum EventEvidence {
    Move(LabelMove),
    Failure(RotationFailure),
    Call(ServiceCall),
    Rollout(RolloutEvent),
    Read(TaskRead),
    Definition(RegisteredDefinition),
}

/// An event about a secret or a service that has no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event about a secret or a service without a time")]
pub struct UndatedEvent;

impl RotationEvents {
    /// Adds an event, if it is evidence. Most events are not.
    ///
    /// # Errors
    /// When the event is evidence and has no time.
    pub fn add_event(&mut self, event: &Event) -> Result<(), UndatedEvent> {
        let evidence = EventEvidence::from_event(event);
        if !event.time_known {
            return if evidence.is_some() { Err(UndatedEvent) } else { Ok(()) };
        }
        self.until = self.until.max(Some(event.time));
        if let Some(evidence) = evidence {
            let found = (Reverse(event.count_known_parties()), evidence);
            match self.by_event.get_mut(event.key()) {
                Some(known) if found < *known => *known = found,
                Some(_) => {}
                None => {
                    self.by_event.insert(event.key().to_owned(), found);
                }
            }
        }
        Ok(())
    }

    /// The evidence by its kind, each by time.
    pub(crate) fn sort_evidence(&self) -> SortedEvidence<'_> {
        let mut sorted = SortedEvidence { until: self.until, ..SortedEvidence::default() };
        for (_, evidence) in self.by_event.values() {
            match evidence {
                EventEvidence::Move(label_move) => sorted.moves.push(label_move),
                EventEvidence::Failure(failure) => sorted.failures.push(failure),
                EventEvidence::Call(call) => sorted.calls.push(call),
                EventEvidence::Rollout(rollout) => sorted.rollouts.push(rollout),
                EventEvidence::Read(read) => sorted.reads.push(read),
                EventEvidence::Definition(definition) => sorted.definitions.push(definition),
            }
        }
        sorted.moves.sort();
        sorted.failures.sort();
        sorted.calls.sort();
        sorted.rollouts.sort();
        sorted.reads.sort();
        sorted
    }
}

impl EventEvidence {
    /// Reads an event. Only sources of AWS count: anybody can put events on a bus, but not with a source of AWS.
    fn from_event(event: &Event) -> Option<Self> {
        let source = event.find_text("/source")?;
        match (source.raw(), event.event_name().raw()) {
            ("aws.ecs", "CreateService" | "UpdateService") => ServiceCall::from_event(event).map(Self::Call),
            ("aws.ecs", "RegisterTaskDefinition") if !event.is_error() => {
                RegisteredDefinition::from_event(event).map(Self::Definition)
            }
            ("aws.ecs", _) if event.find_text("/detail-type")?.raw() == "ECS Deployment State Change" => {
                RolloutEvent::from_event(event).map(Self::Rollout)
            }
            ("aws.secretsmanager", "GetSecretValue") if !event.is_error() => {
                TaskRead::from_event(event).map(Self::Read)
            }
            ("aws.secretsmanager", "RotationFailed" | "RotationAbandoned") => {
                RotationFailure::from_event(event).map(Self::Failure)
            }
            ("aws.secretsmanager", _) if !event.is_error() => LabelMove::from_event(event).map(Self::Move),
            _ => None,
        }
    }
}

/// The evidence by its kind, each by time.
#[derive(Debug, Default)]
pub(crate) struct SortedEvidence<'e> {
    pub(crate) moves: Vec<&'e LabelMove>,
    pub(crate) failures: Vec<&'e RotationFailure>,
    pub(crate) calls: Vec<&'e ServiceCall>,
    pub(crate) rollouts: Vec<&'e RolloutEvent>,
    pub(crate) reads: Vec<&'e TaskRead>,
    pub(crate) definitions: Vec<&'e RegisteredDefinition>,
    /// The time of the last event of any kind.
    pub(crate) until: Option<Timestamp>,
}
