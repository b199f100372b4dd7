//! Appointments: the next steps of deployments, and how those end.

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

/// How the deployment is shown to which ECS goes back. Public dumps have all three; no document says when which comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RollbackShape {
    /// The old deployment is PRIMARY again, with its id and its creation time.
    #[default]
    SameDeployment,
    /// The old deployment is PRIMARY again, with its id; its creation time is that of the rollback.
    NewCreationTime,
    /// A new deployment is PRIMARY, which takes over the tasks of the old one.
    NewDeployment,
}

impl RollbackShape {
    /// All shapes.
    pub const ALL: [Self; 3] = [Self::SameDeployment, Self::NewCreationTime, Self::NewDeployment];
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
