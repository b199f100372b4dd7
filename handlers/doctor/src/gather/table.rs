//! DynamoDB: the ledger's table. Its items are not read.

use aws_sdk_dynamodb::Client;

use crate::aws::{Aws, is_missing, why};
use crate::snapshot::{Look, Table};

/// The table, if it exists.
pub(super) async fn table(aws: &Aws, region: &str, name: &str) -> Look<Option<Table>> {
    let client = Client::new(&aws.of(region));
    let described = match client.describe_table().table_name(name).send().await {
        Ok(described) => described,
        Err(error) if is_missing(&error) => return Look::Seen(None),
        Err(error) => return Look::Unseen(why("dynamodb:DescribeTable", &error)),
    };
    let expiry = match client.describe_time_to_live().table_name(name).send().await {
        Ok(expiry) => expiry,
        Err(error) => return Look::Unseen(why("dynamodb:DescribeTimeToLive", &error)),
    };
    let backups = match client.describe_continuous_backups().table_name(name).send().await {
        Ok(backups) => backups,
        Err(error) => return Look::Unseen(why("dynamodb:DescribeContinuousBackups", &error)),
    };
    let described = described.table();
    let expiry = expiry.time_to_live_description();
    let is_on = expiry
        .and_then(|expiry| expiry.time_to_live_status())
        .is_some_and(|status| matches!(status.as_str(), "ENABLED" | "ENABLING"));
    let recovery = backups
        .continuous_backups_description()
        .and_then(|backups| backups.point_in_time_recovery_description())
        .and_then(|recovery| recovery.point_in_time_recovery_status());
    Look::Seen(Some(Table {
        status: described
            .and_then(|table| table.table_status())
            .map_or("", |status| status.as_str())
            .to_owned(),
        protected: described
            .and_then(aws_sdk_dynamodb::types::TableDescription::deletion_protection_enabled)
            .unwrap_or_default(),
        ttl: expiry.and_then(|expiry| expiry.attribute_name()).filter(|_| is_on).map(str::to_owned),
        recovery: recovery.is_some_and(|status| status.as_str() == "ENABLED"),
    }))
}
