//! The core's conditions in the ledger's attributes: nothing is decided here.

use responder_core::state::condition::{Condition, FieldValue};
use responder_core::state::consumer_decision::ProofField;
use responder_core::state::deployment::{ChangeField, DeploymentField};
use responder_core::state::incident_state::IncidentField;

use crate::port::{AttributeValue, WriteCondition};

/// A field of a record, and the attribute that holds it.
pub(super) trait RecordField: Copy {
    /// The attribute's name.
    fn attribute(self) -> &'static str;
}

impl RecordField for IncidentField {
    fn attribute(self) -> &'static str {
        match self {
            Self::FirstEvent => "first",
            Self::LastEvent => "last",
            Self::PagedSeverity => "paged",
            Self::ResolvedAt => "resolved",
            Self::AutoResolvedAfter => "silent_since",
        }
    }
}

impl RecordField for DeploymentField {
    fn attribute(self) -> &'static str {
        match self {
            Self::RequestedAt => "asked_at",
            Self::Outcome => "ended",
        }
    }
}

impl RecordField for ChangeField {
    fn attribute(self) -> &'static str {
        match self {
            Self::ChangedAt => "at",
            Self::Version => "version",
        }
    }
}

impl RecordField for ProofField {
    fn attribute(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::CompletedAt => "completed_at",
            Self::FailedAt => "failed_at",
            Self::SupersededAt => "superseded_at",
        }
    }
}

/// The condition as a write carries it.
pub(super) fn write_condition<F: RecordField>(condition: &Condition<F>) -> WriteCondition {
    match condition {
        Condition::Absent(field) => WriteCondition::Absent(field.attribute()),
        Condition::Exists(field) => WriteCondition::Exists(field.attribute()),
        Condition::Equal(field, value) => WriteCondition::Equal(field.attribute(), attribute_value(*value)),
        Condition::Below(field, bound) => WriteCondition::Less(field.attribute(), *bound),
        Condition::Above(field, bound) => WriteCondition::More(field.attribute(), *bound),
        Condition::All(conditions) => WriteCondition::All(conditions.iter().map(write_condition).collect()),
        Condition::Any(conditions) => WriteCondition::Any(conditions.iter().map(write_condition).collect()),
    }
}

fn attribute_value(value: FieldValue) -> AttributeValue {
    match value {
        FieldValue::Number(number) => AttributeValue::Number(number),
        FieldValue::Word(word) => AttributeValue::Text(word.to_owned()),
    }
}
