//! The engine's port, over the SDKs and the system's clock.

use std::io::Write as _;
use std::time::Duration;

use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::notify::Notification;
use responder_core::time::{Span, Timestamp};
use responder_engine::EngineError;
use responder_engine::port::{
    ArnPage, AwsPort, DescribedDaemon, DescribedDaemonRevision, DescribedServices, DescribedTaskDefinition,
    FoundItems, ItemKey, ItemPage, ItemUpdate, Region, SecretPage, SortKeyRange, WriteResult,
};

use crate::clients::SdkClients;
use crate::{calls, dynamodb, ecs, secrets, sns};

/// AWS, as the configuration says.
#[derive(Debug)]
pub(crate) struct AwsSdks {
    pub(crate) clients: SdkClients,
    /// The ledger's table, by name or ARN.
    pub(crate) table: String,
    /// The ARN of the topic of the pages.
    pub(crate) topic: String,
    /// The ARN of the topic of the chats, if there is one.
    pub(crate) chat_topic: Option<String>,
}

impl AwsPort for AwsSdks {
    fn now(&self) -> Timestamp {
        calls::now()
    }

    async fn sleep(&self, span: Span) {
        tokio::time::sleep(Duration::from_millis(u64::try_from(span.millis()).unwrap_or_default())).await;
    }

    fn print_line(&self, line: &str) {
        drop(writeln!(std::io::stdout(), "{line}"));
    }

    async fn update_item(&self, update: &ItemUpdate, until: Timestamp) -> Result<WriteResult, EngineError> {
        dynamodb::update_item(&self.clients.dynamodb, &self.table, update, until).await
    }

    async fn get_items(&self, keys: &[ItemKey], until: Timestamp) -> Result<FoundItems, EngineError> {
        dynamodb::get_items(&self.clients.dynamodb, &self.table, keys, until).await
    }

    async fn query_items(&self, range: &SortKeyRange, until: Timestamp) -> Result<ItemPage, EngineError> {
        dynamodb::query_items(&self.clients.dynamodb, &self.table, range, until).await
    }

    async fn list_clusters(
        &self,
        region: &Region,
        token: Option<&str>,
        until: Timestamp,
    ) -> Result<ArnPage, EngineError> {
        ecs::list_clusters(&self.clients.ecs(region), token, until).await
    }

    async fn list_services(
        &self,
        region: &Region,
        cluster: &str,
        token: Option<&str>,
        until: Timestamp,
    ) -> Result<ArnPage, EngineError> {
        ecs::list_services(&self.clients.ecs(region), cluster, token, until).await
    }

    async fn describe_services(
        &self,
        region: &Region,
        cluster: &str,
        services: &[String],
        until: Timestamp,
    ) -> Result<DescribedServices, EngineError> {
        ecs::describe_services(&self.clients.ecs(region), cluster, services, until).await
    }

    async fn describe_task_definition(
        &self,
        region: &Region,
        arn: &str,
        until: Timestamp,
    ) -> Result<DescribedTaskDefinition, EngineError> {
        ecs::describe_task_definition(&self.clients.ecs(region), arn, until).await
    }

    async fn list_daemons(
        &self,
        region: &Region,
        cluster: &str,
        token: Option<&str>,
        until: Timestamp,
    ) -> Result<ArnPage, EngineError> {
        ecs::list_daemons(&self.clients.ecs(region), cluster, token, until).await
    }

    async fn describe_daemon(
        &self,
        region: &Region,
        arn: &str,
        until: Timestamp,
    ) -> Result<DescribedDaemon, EngineError> {
        ecs::describe_daemon(&self.clients.ecs(region), arn, until).await
    }

    async fn describe_daemon_revisions(
        &self,
        region: &Region,
        arns: &[String],
        until: Timestamp,
    ) -> Result<Vec<DescribedDaemonRevision>, EngineError> {
        ecs::describe_daemon_revisions(&self.clients.ecs(region), arns, until).await
    }

    async fn describe_daemon_task_definition(
        &self,
        region: &Region,
        arn: &str,
        until: Timestamp,
    ) -> Result<DescribedTaskDefinition, EngineError> {
        ecs::describe_daemon_task_definition(&self.clients.ecs(region), arn, until).await
    }

    async fn describe_secret(
        &self,
        region: &Region,
        id: &str,
        until: Timestamp,
    ) -> Result<SecretMetadata, EngineError> {
        secrets::describe_secret(&self.clients.secrets(region), id, until).await
    }

    async fn list_secrets(
        &self,
        region: &Region,
        token: Option<&str>,
        until: Timestamp,
    ) -> Result<SecretPage, EngineError> {
        secrets::list_secrets(&self.clients.secrets(region), token, until).await
    }

    async fn force_deployment(
        &self,
        region: &Region,
        cluster: &str,
        service: &str,
        until: Timestamp,
    ) -> Result<Option<String>, EngineError> {
        ecs::force_deployment(&self.clients.ecs(region), cluster, service, until).await
    }

    async fn publish_page(
        &self,
        page: &Notification,
        key: &str,
        until: Timestamp,
    ) -> Result<(), EngineError> {
        sns::publish_page(&self.clients.sns, &self.topic, page, key, until).await
    }

    async fn publish_chat(&self, page: &Notification, until: Timestamp) -> Result<(), EngineError> {
        match &self.chat_topic {
            Some(topic) => sns::publish_chat(&self.clients.sns, topic, page, until).await,
            None => Ok(()),
        }
    }
}
