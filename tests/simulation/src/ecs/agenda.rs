//! Appointments: the next steps of deployments.

use responder_core::time::Span;

/// The outcome of a deployment, from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutOutcome {
    /// All its tasks run after this time.
    Completes(Span),
    /// Its tasks fail. With a circuit breaker it is FAILED after this time, without one it is in progress for ever.
    Fails(Span),
    /// All its tasks run after `started_after`; then it waits at a hook until a person continues it, or for ever.
    Pauses {
        /// When its tasks run.
        started_after: Span,
        /// How long after that a person continues it.
        continued_after: Option<Span>,
    },
    /// It waits for capacity for ever: no task starts, and the circuit breaker has nothing to count.
    Stalls,
}

/// Something that happens at its time, unless the deployment is over by then.
#[derive(Clone, Debug)]
pub(super) struct RolloutAppointment {
    pub(super) service: String,
    pub(super) deployment: String,
    pub(super) step: RolloutStep,
}

/// A step of a rollout.
#[derive(Clone, Copy, Debug)]
pub(super) enum RolloutStep {
    /// A task is launched.
    Launch,
    /// The deployment waits at a hook.
    Pause,
    /// The deployment completes.
    Complete,
    /// The circuit breaker ends the deployment.
    Fail,
    /// The last task of a superseded deployment ends.
    Drain,
    /// The last task of a deleted service ends.
    Retire,
}
