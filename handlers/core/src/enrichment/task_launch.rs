//! Reads of secrets by ECS for a task that starts.

use crate::aws::secret_ref::SecretRef;
use crate::event::Event;
use crate::facts::Facts;

/// Whether the event may be the read of a secret for a task that starts. Whether it is one follows from what the task
/// definitions of its role refer to.
pub fn may_be_task_launch(event: &Event) -> bool {
    event.principal.is_task_session()
        && event.event_name().raw() == "GetSecretValue"
        && !event.secrets.is_empty()
}

/// Whether ECS reads the secret for a task that starts: the execution role reads what its task definitions refer to, in a
/// session that is named like a task.
pub(super) fn is_task_launch(event: &Event, facts: &Facts) -> bool {
    let Some(launch_secrets) = facts.launch_secrets.get(event.principal.id.raw()) else { return false };
    if !may_be_task_launch(event) {
        return false;
    }
    for secret in &event.secrets {
        let mut is_known = launch_secrets.contains(&secret.key());
        for key in launch_secrets {
            let launch_secret = SecretRef::from_key(key);
            is_known |= launch_secret.is_some_and(|launch_secret| launch_secret.may_be_same_secret(secret));
        }
        if !is_known {
            return false;
        }
    }
    true
}
