//! Reads of secrets by ECS for a task that starts.

use crate::aws::secret_ref::SecretRef;
use crate::event::Event;
use crate::facts::Facts;
use crate::time::{Span, Timestamp};

/// Whether the event may be the read of a secret for a task that starts. Whether it is one follows from what the task
/// definitions of its role refer to.
pub fn may_be_task_launch(event: &Event) -> bool {
    event.principal.is_task_session()
        && event.event_name().raw() == "GetSecretValue"
        && !event.secrets.is_empty()
}

/// How long after its session began a task may still read its secrets: the session begins when the task starts, and ECS
/// reads before the containers do; pulling images comes in between.
const LAUNCH_DURATION_MAX: Span = Span::from_secs(15 * 60);

/// The beginnings of user agents that ECS never has, in lower case. What Fargate sends is not published, so other agents
/// are not held against a launch.
const OTHER_CLIENTS: [&str; 10] = [
    "aws-cli",
    "aws-sdk-js",
    "aws-sdk-nodejs",
    "aws-sdk-ruby",
    "aws-tools-powershell",
    "boto3",
    "botocore",
    "curl",
    "mozilla",
    "terraform",
];

/// Whether ECS reads the secret for a task that starts: the execution role reads what its task definitions refer to, in a
/// session that is named like a task, within minutes of its start, and with no client of a person.
pub(super) fn is_task_launch(event: &Event, facts: &Facts) -> bool {
    let Some(launch_secrets) = facts.launch_secrets.get(event.principal.id.raw()) else { return false };
    if !may_be_task_launch(event) || !is_near_session_start(event) || is_other_client(event) {
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

/// Whether the session began minutes ago; so do sessions whose record does not say when.
fn is_near_session_start(event: &Event) -> bool {
    let created = event.find_text("/detail/userIdentity/sessionContext/attributes/creationDate");
    let Some(created) = created.and_then(|created| created.raw().parse::<Timestamp>().ok()) else {
        return true;
    };
    !event.time_known || event.time <= created.plus(LAUNCH_DURATION_MAX)
}

fn is_other_client(event: &Event) -> bool {
    let user_agent = event.find_text("/detail/userAgent").unwrap_or_default().raw().to_ascii_lowercase();
    let user_agent = user_agent.trim_start_matches('[');
    OTHER_CLIENTS.iter().any(|client| user_agent.starts_with(client))
}
