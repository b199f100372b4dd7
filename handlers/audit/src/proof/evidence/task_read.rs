//! Reads of secrets by tasks: the evidence that a new task has the value.

use super::identity::RoleIdentity;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::event::Event;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// A task's read of a secret. The derived order is by time first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskRead {
    pub(crate) at: Timestamp,
    pub(crate) secret: SecretRef,
    /// The role of the task.
    pub(crate) role: RoleIdentity,
    /// The same role, as the record names it.
    pub(crate) principal: Untrusted,
    /// The version that the task asked for, if it did not ask for AWSCURRENT.
    pub(crate) version: Option<String>,
}

impl TaskRead {
    /// Reads a record of `GetSecretValue`. Returns `None` if the session is not named like a task, or if it asked for
    /// another label than AWSCURRENT.
    pub(super) fn from_event(event: &Event) -> Option<Self> {
        if !event.principal.is_task_session() {
            return None;
        }
        if let Some(stage) = event.find_text("/detail/requestParameters/versionStage")
            && stage.raw() != "AWSCURRENT"
        {
            return None;
        }
        let principal = event.principal.id.clone();
        let version = event.find_text("/detail/requestParameters/versionId");
        Some(Self {
            at: event.time,
            secret: event.secrets.first()?.clone(),
            role: RoleIdentity::parse(principal.raw(), &event.account)?,
            principal,
            version: version.map(|version| version.raw().to_owned()),
        })
    }
}
