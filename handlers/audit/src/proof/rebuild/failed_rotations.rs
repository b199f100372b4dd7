//! Rotations that failed, and whether a later change of the secret made up for them.

use serde::Serialize;

use super::secret_changes::ObservedChange;
use crate::proof::evidence::RotationFailure;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// A rotation that failed. Its tries until the next change of the secret are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedRotation {
    /// The secret.
    pub secret: SecretRef,
    /// The time of the first try that failed.
    pub failed_at: Timestamp,
    /// How many tries failed.
    pub tries: usize,
    /// The name of the first event.
    pub event: Untrusted,
    /// Why the last try failed, in Secrets Manager's words; empty if no event says it.
    pub message: Untrusted,
    /// The time at which the secret got a new value after all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered_at: Option<Timestamp>,
}

/// Finds the rotations that failed, by time. Both lists come by time.
pub(super) fn find_failed_rotations(
    failures: &[&RotationFailure],
    changes: &[ObservedChange],
) -> Vec<FailedRotation> {
    let mut found: Vec<FailedRotation> = Vec::new();
    for failure in failures {
        let recovered_at = find_recovery(failure, changes);
        let mut earlier = found.iter_mut();
        let same = earlier.find(|known| {
            known.recovered_at == recovered_at && known.secret.may_be_same_secret(&failure.secret)
        });
        if let Some(known) = same {
            known.tries += 1;
            known.message.clone_from(&failure.message);
            continue;
        }
        found.push(FailedRotation {
            secret: failure.secret.clone(),
            failed_at: failure.at,
            tries: 1,
            event: failure.event.clone(),
            message: failure.message.clone(),
            recovered_at,
        });
    }
    found
}

/// The time of the first change of the secret after a failure.
fn find_recovery(failure: &RotationFailure, changes: &[ObservedChange]) -> Option<Timestamp> {
    for change in changes {
        if change.at >= failure.at && change.secret.may_be_same_secret(&failure.secret) {
            return Some(change.at);
        }
    }
    None
}
