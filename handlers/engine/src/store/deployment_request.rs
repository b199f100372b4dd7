//! A deployment that is to be requested, and the claim for it.

use responder_core::aws::ecs_arn::{ClusterArn, ServiceArn};
use responder_core::state::deployment::SecretChange;
use responder_core::time::{Span, Timestamp};

/// A deployment that is to be requested.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeploymentRequest<'r> {
    pub(crate) cluster: &'r ClusterArn,
    pub(crate) service: &'r ServiceArn,
    /// The changes that it answers.
    pub(crate) changes: &'r [SecretChange],
    /// A deployment that was requested from this instant on makes it unnecessary.
    pub(crate) fresh_from: Timestamp,
    /// A deployment that was requested after this instant makes it wait.
    pub(crate) cooldown_from: Timestamp,
    /// The number of its concurrency slot.
    pub(crate) slot: u32,
    /// How long it may take.
    pub(crate) rollout: Span,
}

/// The result of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeploymentClaimResult {
    /// This invocation calls ECS, and records the answer.
    Granted(DeploymentClaim),
    /// A deployment was requested already that answers the changes.
    AlreadyRequested,
    /// The slot is taken, the service is cooling down, or another invocation holds the service.
    Deferred,
}

/// A claim that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeploymentClaim {
    /// The time of the request: before the call, so that a change during the call counts as later.
    pub(crate) requested_at: Timestamp,
    /// By this instant the call has ended.
    pub(crate) lease_until: Timestamp,
}
