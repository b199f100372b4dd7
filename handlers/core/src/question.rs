//! Questions: what must be known to decide about an event.

use serde::Serialize;

use crate::aws::ecs_arn::{ClusterArn, ServiceArn};
use crate::aws::secret_ref::SecretRef;
use crate::state::observation::Observation;
use crate::time::{Date, Timestamp};

/// Something that must be known to decide about an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Question {
    /// The ECS services of an account and Region that may use a secret, as they are after its change.
    Consumers {
        /// The account.
        account: String,
        /// The Region.
        region: String,
        /// The secret, which may be of another account or Region.
        secret: SecretRef,
        /// When it changed: what is known of earlier does not count.
        since: Timestamp,
    },
    /// One ECS service, as it is.
    Service {
        /// Its cluster's ARN.
        cluster: ClusterArn,
        /// Its ARN.
        service: ServiceArn,
    },
    /// What Secrets Manager says of a secret.
    Secret {
        /// The secret.
        secret: SecretRef,
        /// The version that should be AWSCURRENT: worth waiting for a little.
        version: Option<String>,
    },
    /// Whether a secret has exactly this ARN; only a secret that has it is an answer.
    SecretWithArn {
        /// The ARN.
        secret: SecretRef,
    },
    /// What Secrets Manager says of every secret of an account and Region.
    Secrets {
        /// The account.
        account: String,
        /// The Region.
        region: String,
    },
    /// What the ledger holds of our work in an account and Region.
    RotationState {
        /// The account.
        account: String,
        /// The Region.
        region: String,
    },
    /// The last deployment of a service that we requested.
    Deployment {
        /// The service's ARN.
        service: ServiceArn,
    },
    /// The consumers of a secret that a role's read of it would prove.
    PendingEvidence {
        /// The key, of role and secret.
        key: String,
    },
    /// The secrets that a role's task definitions refer to.
    LaunchSecrets {
        /// The role's ARN.
        role: String,
    },
    /// The observations of a group between two instants, this one included: asking adds it, so that of two functions that
    /// count at the same time at least one sees both.
    Observations {
        /// The group's key.
        group: String,
        /// The observation to add.
        observation: Observation,
        /// The earliest observation wanted.
        from: Timestamp,
        /// The latest observation wanted.
        to: Timestamp,
    },
    /// The same observations, and none is added.
    GroupWindow {
        /// The group's key.
        group: String,
        /// The earliest observation wanted.
        from: Timestamp,
        /// The latest observation wanted.
        to: Timestamp,
    },
    /// The incidents that were paged and may still be open.
    OpenIncidents,
    /// The digest entries of a day, for its summary.
    DigestDay {
        /// The date, in UTC.
        date: Date,
    },
    /// When a principal last read a secret.
    LastSeen {
        /// The key, of principal and secret.
        key: String,
    },
    /// What was already notified about an incident.
    Incident {
        /// The incident's key.
        key: String,
    },
}
