//! Secrets Manager: the metadata of secrets. No operation that answers with a value is ever called.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::describe_secret::{DescribeSecretError, DescribeSecretOutput};
use aws_sdk_secretsmanager::primitives::DateTime;
use aws_sdk_secretsmanager::types::SecretListEntry;
use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::time::Timestamp;
use responder_engine::EngineError;
use responder_engine::port::SecretPage;

use crate::calls::{make_call, wait_until};
use crate::error::call_failed;

/// `DescribeSecret`. That the secret does not exist is no error.
pub(crate) async fn describe_secret(
    client: &Client,
    id: &str,
    until: Timestamp,
) -> Result<SecretMetadata, EngineError> {
    let sent = client.describe_secret().secret_id(id).send();
    match wait_until(until, "DescribeSecret", sent).await? {
        Ok(answer) => Ok(map_description(answer)),
        Err(error) => match error.as_service_error() {
            Some(DescribeSecretError::ResourceNotFoundException(_)) => {
                Ok(SecretMetadata { arn: id.to_owned(), missing: true, ..SecretMetadata::default() })
            }
            _ => Err(call_failed("secretsmanager", "DescribeSecret", &error)),
        },
    }
}

/// `ListSecrets`, without the secrets that are scheduled for deletion.
pub(crate) async fn list_secrets(
    client: &Client,
    token: Option<&str>,
    until: Timestamp,
) -> Result<SecretPage, EngineError> {
    let request = client.list_secrets().max_results(100).set_next_token(token.map(str::to_owned));
    let page = make_call(until, "secretsmanager", "ListSecrets", request.send()).await?;
    let secrets = page.secret_list.unwrap_or_default().into_iter().map(map_list_entry).collect();
    Ok(SecretPage { secrets, next_token: page.next_token })
}

/// All replicas are kept, whatever their status: AWSCURRENT of the replica itself says whether it has the value.
fn map_description(answer: DescribeSecretOutput) -> SecretMetadata {
    let replicas = answer.replication_status.unwrap_or_default();
    SecretMetadata {
        replicas: replicas.into_iter().filter_map(|replica| replica.region).collect(),
        arn: answer.arn.unwrap_or_default(),
        versions: map_versions(answer.version_ids_to_stages),
        created_at: map_instant(answer.created_date),
        modified_at: map_instant(answer.last_changed_date),
        rotated_at: map_instant(answer.last_rotated_date),
        next_rotation: map_instant(answer.next_rotation_date),
        rotates: answer.rotation_enabled.unwrap_or_default(),
        deleted_at: map_instant(answer.deleted_date),
        missing: false,
        primary_region: answer.primary_region,
    }
}

/// A list entry does not name the replicas.
fn map_list_entry(entry: SecretListEntry) -> SecretMetadata {
    SecretMetadata {
        arn: entry.arn.unwrap_or_default(),
        versions: map_versions(entry.secret_versions_to_stages),
        created_at: map_instant(entry.created_date),
        modified_at: map_instant(entry.last_changed_date),
        rotated_at: map_instant(entry.last_rotated_date),
        next_rotation: map_instant(entry.next_rotation_date),
        rotates: entry.rotation_enabled.unwrap_or_default(),
        deleted_at: map_instant(entry.deleted_date),
        primary_region: entry.primary_region,
        ..SecretMetadata::default()
    }
}

/// The staging labels of each version.
fn map_versions(versions: Option<HashMap<String, Vec<String>>>) -> BTreeMap<String, BTreeSet<String>> {
    let mut mapped = BTreeMap::new();
    for (id, labels) in versions.unwrap_or_default() {
        mapped.insert(id, labels.into_iter().collect());
    }
    mapped
}

fn map_instant(at: Option<DateTime>) -> Option<Timestamp> {
    Some(Timestamp::from_millis(at?.to_millis().ok()?))
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
        let metadata = map_description(
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
        let metadata = map_list_entry(entry);
        assert_eq!((metadata.current_version(), metadata.arn.as_str()), (Some("new"), ARN));
        assert_eq!(metadata.created_at, Some(Timestamp::from_millis(1_500)));
        assert!(metadata.is_replica() && metadata.is_readable() && !metadata.rotates);
        assert_eq!(map_list_entry(SecretListEntry::builder().build()), SecretMetadata::default());
    }
}
