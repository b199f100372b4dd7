//! The scope of a proof: everything that can be known about a record at the place that it comes from.

use responder_core::text::Untrusted;
use responder_core::time::{Span, Timestamp};

/// Everything that can be known about a record at the place that it comes from. A missing link means little where it
/// could not be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofScope {
    /// Whether the end of the rollout would be known.
    pub ends_known: bool,
    /// Whether the reads of a deployment that somebody else began would be known. The ledger waits only for reads of the
    /// deployments that the functions requested.
    pub reads_known: bool,
    /// The time until which everything is known. Something that had to happen before then and did not is missing for
    /// good.
    pub until: Option<Timestamp>,
    /// How long after the change a deployment may begin.
    pub answer: Span,
    /// How long a rollout may take.
    pub rollout: Span,
    /// Why the new value cannot reach the service at all, if it cannot.
    pub excluded: Option<&'static str>,
    /// Something else that is known about the end of the chain.
    pub note: Option<Untrusted>,
}

impl ProofScope {
    /// The ledger: it holds the ends of rollouts, and does not say until when it is complete.
    pub const LEDGER: Self = Self {
        ends_known: true,
        reads_known: false,
        until: None,
        answer: Span::from_secs(900),
        rollout: Span::from_secs(1_800),
        excluded: None,
        note: None,
    };

    /// Whether more than `limit` after `since` is known.
    pub(super) fn is_overdue(&self, since: Timestamp, limit: Span) -> bool {
        self.until.is_some_and(|until| until > since.plus(limit))
    }
}
