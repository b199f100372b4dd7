//! The engine's port, over the SDKs and the system's clock.

use std::io::Write as _;
use std::time::Duration;

use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::notify::Notification;
use responder_core::time::{Span, Timestamp};
use responder_engine::Error;
use responder_engine::port::{
    Aws, Definition, Descriptions, Got, Items, Key, Listed, ListedSecrets, Range, Region, Update, Written,
};

use crate::clients::Clients;
use crate::{calls, dynamodb, ecs, secrets, sns};

/// AWS, as the configuration says.
#[derive(Debug)]
pub(crate) struct Sdks {
    pub(crate) clients: Clients,
    /// The ledger's table.
    pub(crate) table: String,
    /// The topic that pages go to.
    pub(crate) topic: String,
    /// The topic of the chats.
    pub(crate) chat_topic: Option<String>,
}

impl Aws for Sdks {
    fn now(&self) -> Timestamp {
        calls::now()
    }

    async fn sleep(&self, span: Span) {
        tokio::time::sleep(Duration::from_millis(u64::try_from(span.millis()).unwrap_or_default())).await;
    }

    fn print(&self, line: &str) {
        drop(writeln!(std::io::stdout(), "{line}"));
    }

    async fn update(&self, update: &Update, until: Timestamp) -> Result<Written, Error> {
        dynamodb::update(&self.clients.dynamodb, &self.table, update, until).await
    }

    async fn get(&self, keys: &[Key], until: Timestamp) -> Result<Got, Error> {
        dynamodb::get(&self.clients.dynamodb, &self.table, keys, until).await
    }

    async fn query(&self, range: &Range, until: Timestamp) -> Result<Items, Error> {
        dynamodb::query(&self.clients.dynamodb, &self.table, range, until).await
    }

    async fn list_clusters(
        &self,
        region: &Region,
        token: Option<&str>,
        until: Timestamp,
    ) -> Result<Listed, Error> {
        ecs::list_clusters(&self.clients.ecs(region), token, until).await
    }

    async fn list_services(
        &self,
        region: &Region,
        cluster: &str,
        token: Option<&str>,
        until: Timestamp,
    ) -> Result<Listed, Error> {
        ecs::list_services(&self.clients.ecs(region), cluster, token, until).await
    }

    async fn describe_services(
        &self,
        region: &Region,
        cluster: &str,
        services: &[String],
        until: Timestamp,
    ) -> Result<Descriptions, Error> {
        ecs::describe_services(&self.clients.ecs(region), cluster, services, until).await
    }

    async fn task_definition(
        &self,
        region: &Region,
        arn: &str,
        until: Timestamp,
    ) -> Result<Definition, Error> {
        ecs::task_definition(&self.clients.ecs(region), arn, until).await
    }

    async fn describe_secret(
        &self,
        region: &Region,
        id: &str,
        until: Timestamp,
    ) -> Result<SecretMetadata, Error> {
        secrets::describe(&self.clients.secrets(region), id, until).await
    }

    async fn list_secrets(
        &self,
        region: &Region,
        token: Option<&str>,
        until: Timestamp,
    ) -> Result<ListedSecrets, Error> {
        secrets::list(&self.clients.secrets(region), token, until).await
    }

    async fn force_deployment(
        &self,
        region: &Region,
        cluster: &str,
        service: &str,
        until: Timestamp,
    ) -> Result<Option<String>, Error> {
        ecs::force_deployment(&self.clients.ecs(region), cluster, service, until).await
    }

    async fn publish(&self, page: &Notification, key: &str, until: Timestamp) -> Result<(), Error> {
        sns::publish(&self.clients.sns, &self.topic, page, key, until).await
    }

    async fn chat(&self, page: &Notification, until: Timestamp) -> Result<(), Error> {
        match &self.chat_topic {
            Some(topic) => sns::chat(&self.clients.sns, topic, page, until).await,
            None => Ok(()),
        }
    }
}
