//! A deferral: the answer of a gate that leaves a redeployment for later.

use crate::plan::DeferReason;
use crate::time::Timestamp;

/// Why a redeployment is deferred.
pub(super) struct Deferral {
    pub(super) reason: DeferReason,
    /// Until when, as far as that is known.
    pub(super) until: Option<Timestamp>,
    /// When a healthy deployment that is waited for will have ended, where the service says that it takes longer than others.
    pub(super) expected_end: Option<Timestamp>,
    pub(super) why: String,
}
