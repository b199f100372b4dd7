//! Rotations that failed or were given up: the evidence for what no consumer could answer.

use responder_core::aws::secret_ref::SecretRef;
use responder_core::event::Event;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// An event that shows that a rotation failed. The derived order is by time first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RotationFailure {
    pub(crate) at: Timestamp,
    pub(crate) secret: SecretRef,
    /// The event's name.
    pub(crate) event: Untrusted,
    /// Why, in Secrets Manager's words; empty if the event does not say.
    pub(crate) message: Untrusted,
}

impl RotationFailure {
    /// Reads an event of Secrets Manager. A failed test of a rotation changes nothing, and is none.
    pub(super) fn from_event(event: &Event) -> Option<Self> {
        let name = event.event_name();
        if !matches!(name.raw(), "RotationFailed" | "RotationAbandoned") {
            return None;
        }
        Some(Self {
            at: event.time,
            secret: event.secrets.first()?.clone(),
            event: name,
            message: event.find_text("/detail/errorMessage").unwrap_or_default(),
        })
    }
}
