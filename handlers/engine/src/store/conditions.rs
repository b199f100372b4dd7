//! The core's conditions in the ledger's attributes: nothing is decided here.

use responder_core::state::condition::{Condition, FieldValue};
use responder_core::state::consumer_decision::ProofField;
use responder_core::state::deployment::{ChangeField, DeploymentField};
use responder_core::state::incident_state::IncidentField;

use super::schema;
use crate::port::{AttributeValue, WriteCondition};

/// A field of a record, and the attribute that holds it.
pub(super) trait RecordField: Copy {
    /// The attribute's name.
    fn attribute(self) -> &'static str;
}

impl RecordField for IncidentField {
    fn attribute(self) -> &'static str {
        match self {
            Self::FirstEvent => schema::FIRST,
            Self::LastEvent => schema::LAST,
            Self::PagedSeverity => schema::PAGED,
            Self::PagedSecrets => schema::PAGED_SECRETS,
            Self::PagedRegions => schema::PAGED_REGIONS,
            Self::PagedLists => schema::PAGED_LISTS,
            Self::PagedReminders => schema::PAGED_REMINDERS,
            Self::PagedOrigins => schema::PAGED_ORIGINS,
            Self::ResolvedAt => schema::RESOLVED,
            Self::AutoResolvedAfter => schema::AUTO_RESOLVED_AFTER,
        }
    }
}

impl RecordField for DeploymentField {
    fn attribute(self) -> &'static str {
        match self {
            Self::RequestedAt => schema::REQUESTED_AT,
            Self::Outcome => schema::OUTCOME,
        }
    }
}

impl RecordField for ChangeField {
    fn attribute(self) -> &'static str {
        match self {
            Self::ChangedAt => schema::AT,
            Self::Version => schema::VERSION,
        }
    }
}

impl RecordField for ProofField {
    fn attribute(self) -> &'static str {
        match self {
            Self::Decision => schema::DECISION,
            Self::CompletedAt => schema::COMPLETED_AT,
            Self::FailedAt => schema::FAILED_AT,
            Self::SupersededAt => schema::SUPERSEDED_AT,
        }
    }
}

/// Translates a condition of the core into one that a write carries.
pub(super) fn write_condition<F: RecordField>(condition: &Condition<F>) -> WriteCondition {
    match condition {
        Condition::Absent(field) => WriteCondition::Absent(field.attribute()),
        Condition::Exists(field) => WriteCondition::Exists(field.attribute()),
        Condition::Equal(field, value) => WriteCondition::Equals(field.attribute(), attribute_value(*value)),
        Condition::Below(field, bound) => WriteCondition::LessThan(field.attribute(), *bound),
        Condition::Above(field, bound) => WriteCondition::GreaterThan(field.attribute(), *bound),
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
