//! `DynamoDB`: the ledger's table. Its items are not read.

use aws_sdk_dynamodb::Client;

use super::account::RegionGatherer;
use crate::aws_session::{CallAnswer as _, CallResult};
use crate::snapshot::ObservedTable;

impl RegionGatherer<'_> {
    /// The table, if it exists.
    pub(super) async fn gather_table(&self) -> CallResult<Option<ObservedTable>> {
        let client = Client::new(&self.config);
        let answer = client.describe_table().table_name(&self.expected.table).send().await;
        let Some(described) = answer.if_exists("dynamodb:DescribeTable")? else { return Ok(None) };
        let expiry = client.describe_time_to_live().table_name(&self.expected.table).send().await;
        let expiry = expiry.for_call("dynamodb:DescribeTimeToLive")?;
        let backups = client.describe_continuous_backups().table_name(&self.expected.table).send().await;
        let backups = backups.for_call("dynamodb:DescribeContinuousBackups")?;
        let described = described.table();
        let expiry = expiry.time_to_live_description();
        let expires = match expiry.and_then(|expiry| expiry.time_to_live_status()) {
            Some(status) => matches!(status.as_str(), "ENABLED" | "ENABLING"),
            None => false,
        };
        let recovery = backups
            .continuous_backups_description()
            .and_then(|backups| backups.point_in_time_recovery_description())
            .and_then(|recovery| recovery.point_in_time_recovery_status());
        let status = described.and_then(|table| table.table_status());
        Ok(Some(ObservedTable {
            status: status.map_or("", |status| status.as_str()).to_owned(),
            protected: described.and_then(|table| table.deletion_protection_enabled).unwrap_or_default(),
            ttl: expiry.filter(|_| expires).and_then(|expiry| expiry.attribute_name.clone()),
            recovery: recovery.is_some_and(|status| status.as_str() == "ENABLED"),
        }))
    }
}
