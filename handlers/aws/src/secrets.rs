//! Secrets Manager: what it says of secrets. Only metadata: no operation that answers with a value is ever called.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::describe_secret::{DescribeSecretError, DescribeSecretOutput};
use aws_sdk_secretsmanager::primitives::DateTime;
use aws_sdk_secretsmanager::types::SecretListEntry;
use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::time::Timestamp;
use responder_engine::EngineError;
use responder_engine::port::SecretPage;

use crate::calls::{bound, call};
use crate::error::failed;

/// `DescribeSecret`; a secret that does not exist is no error.
pub(crate) async fn describe(
    client: &Client,
    id: &str,
    until: Timestamp,
) -> Result<SecretMetadata, EngineError> {
    let sent = client.describe_secret().secret_id(id).send();
    match bound(until, "DescribeSecret", sent).await? {
        Ok(answer) => Ok(described(answer)),
        Err(error) => match error.as_service_error() {
            Some(DescribeSecretError::ResourceNotFoundException(_)) => {
                Ok(SecretMetadata { arn: id.to_owned(), missing: true, ..Metadata::default() })
            }
            _ => Err(failed("secretsmanager", "DescribeSecret", &error)),
        },
    }
}

/// `ListSecrets`, without those whose deletion was asked for.
pub(crate) async fn list(
    client: &Client,
    token: Option<&str>,
    until: Timestamp,
) -> Result<SecretPage, EngineError> {
    let sent = client.list_secrets().max_results(100);
    let sent = sent.set_next_token(token.map(str::to_owned)).send();
    let page = call(until, "secretsmanager", "ListSecrets", sent).await?;
    let secrets = page.secret_list.unwrap_or_default().into_iter().map(listed).collect();
    Ok(SecretPage { secrets, next: page.next_token })
}

/// All replicas, whatever their status: what one of them shows for AWSCURRENT says whether it has the value.
fn described(answer: DescribeSecretOutput) -> SecretMetadata {
    let replicas = answer.replication_status.iter().flatten();
    SecretMetadata {
        replicas: replicas.filter_map(|replica| replica.region.clone()).collect(),
        arn: answer.arn.unwrap_or_default(),
        versions: labels(answer.version_ids_to_stages),
        created_at: instant(answer.created_date),
        modified_at: instant(answer.last_changed_date),
        rotated_at: instant(answer.last_rotated_date),
        next_rotation: instant(answer.next_rotation_date),
        rotates: answer.rotation_enabled.unwrap_or_default(),
        deleted_at: instant(answer.deleted_date),
        missing: false,
        primary_region: answer.primary_region,
    }
}

/// The list does not say where a secret is replicated to.
fn listed(entry: SecretListEntry) -> SecretMetadata {
    SecretMetadata {
        arn: entry.arn.unwrap_or_default(),
        versions: labels(entry.secret_versions_to_stages),
        created_at: instant(entry.created_date),
        modified_at: instant(entry.last_changed_date),
        rotated_at: instant(entry.last_rotated_date),
        next_rotation: instant(entry.next_rotation_date),
        rotates: entry.rotation_enabled.unwrap_or_default(),
        deleted_at: instant(entry.deleted_date),
        primary_region: entry.primary_region,
        ..Metadata::default()
    }
}

fn labels(versions: Option<HashMap<String, Vec<String>>>) -> BTreeMap<String, BTreeSet<String>> {
    let versions = versions.unwrap_or_default().into_iter();
    versions.map(|(id, labels)| (id, labels.into_iter().collect())).collect()
}

fn instant(at: Option<DateTime>) -> Option<Timestamp> {
    at.and_then(|at| at.to_millis().ok()).map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use aws_sdk_secretsmanager::types::{ReplicationStatusType, StatusType};

    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";

    fn replica(region: &str, status: StatusType) -> ReplicationStatusType {
        ReplicationStatusType::builder().region(region).status(status).build()
    }

    #[test]
    fn a_description_keeps_dates_labels_and_all_replicas() {
        let at = |secs| DateTime::from_secs(secs);
        let metadata = described(
            DescribeSecretOutput::builder()
                .arn(ARN)
                .version_ids_to_stages("new", vec!["AWSCURRENT".to_owned(), "blue".to_owned()])
                .version_ids_to_stages("old", vec!["AWSPREVIOUS".to_owned()])
                .created_date(at(1))
                .last_changed_date(at(2))
                .last_rotated_date(at(3))
                .next_rotation_date(at(4))
                .deleted_date(at(5))
                .rotation_enabled(true)
                .primary_region("us-west-2")
                .replication_status(replica("eu-west-1", StatusType::InSync))
                .replication_status(replica("eu-west-2", StatusType::InProgress))
                .replication_status(replica("eu-west-3", StatusType::Failed))
                .build(),
        );
        let dates = [metadata.created_at, metadata.modified_at, metadata.rotated_at, metadata.next_rotation];
        assert_eq!(dates.map(|at| at.map(Timestamp::millis)), [1_000, 2_000, 3_000, 4_000].map(Some));
        assert_eq!(
            (metadata.current_version(), metadata.version_with_label("AWSPREVIOUS")),
            (Some("new"), Some("old"))
        );
        assert_eq!(metadata.replicas.iter().collect::<Vec<_>>(), ["eu-west-1", "eu-west-2", "eu-west-3"]);
        assert!(metadata.rotates && !metadata.missing && !metadata.is_readable() && !metadata.is_replica());
    }

    #[test]
    fn an_entry_of_the_list_says_the_same_but_for_the_replicas() {
        let entry = SecretListEntry::builder()
            .arn(ARN)
            .secret_versions_to_stages("new", vec!["AWSCURRENT".to_owned()])
            .created_date(DateTime::from_millis(1_500))
            .primary_region("eu-west-1")
            .build();
        let metadata = listed(entry);
        assert_eq!((metadata.current_version(), metadata.arn.as_str()), (Some("new"), ARN));
        assert_eq!(metadata.created_at, Some(Timestamp::from_millis(1_500)));
        assert!(metadata.is_replica() && metadata.is_readable() && !metadata.rotates);
        assert_eq!(listed(SecretListEntry::builder().build()), SecretMetadata::default());
    }
}
