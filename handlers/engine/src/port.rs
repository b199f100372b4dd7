//! The port: what the engine needs of the world.

mod condition;
mod ecs;
mod region;
mod secrets;
mod table;
mod update;

use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::notify::Notification;
use responder_core::time::{Span, Timestamp};

pub use condition::WriteCondition;
pub use ecs::{ArnPage, DescribedService, DescribedServices, TaskDefinition, UndescribedService};
pub use region::Region;
pub use secrets::SecretPage;
pub use table::{AttributeValue, FoundItems, ItemKey, ItemPage, SortKeyRange, TableItem, WriteResult};
pub use update::ItemUpdate;

use crate::error::EngineError;

/// One method a call, and no policy: which calls are made, and what their answers mean, is the engine's to say.
///
/// A call that has no answer at `until` ends with [`EngineError::Deadline`].
pub trait AwsPort {
    /// The present.
    fn now(&self) -> Timestamp;

    /// Waits.
    fn sleep(&self, span: Span) -> impl Future<Output = ()>;

    /// Writes a line to the log.
    fn print(&self, line: &str);

    /// Changes an item of the ledger's table, or makes it, if the condition holds (`UpdateItem`).
    fn update(
        &self,
        update: &ItemUpdate,
        until: Timestamp,
    ) -> impl Future<Output = Result<WriteResult, EngineError>>;

    /// Reads at most 100 items, consistently (`BatchGetItem`).
    fn get(
        &self,
        keys: &[ItemKey],
        until: Timestamp,
    ) -> impl Future<Output = Result<FoundItems, EngineError>>;

    /// Reads a page of a range, consistently and in the order of the keys (`Query`).
    fn query(
        &self,
        range: &SortKeyRange,
        until: Timestamp,
    ) -> impl Future<Output = Result<ItemPage, EngineError>>;

    /// A page of the clusters' ARNs (`ListClusters`), the first or from a token on.
    fn list_clusters(
        &self,
        region: &Region,
        token: Option<&str>,
        until: Timestamp,
    ) -> impl Future<Output = Result<ArnPage, EngineError>>;

    /// A page of the ARNs of a cluster's services (`ListServices`), the first or from a token on.
    fn list_services(
        &self,
        region: &Region,
        cluster: &str,
        token: Option<&str>,
        until: Timestamp,
    ) -> impl Future<Output = Result<ArnPage, EngineError>>;

    /// At most 10 services of a cluster with their tags (`DescribeServices`).
    fn describe_services(
        &self,
        region: &Region,
        cluster: &str,
        services: &[String],
        until: Timestamp,
    ) -> impl Future<Output = Result<DescribedServices, EngineError>>;

    /// What a task definition says of secrets (`DescribeTaskDefinition`).
    fn task_definition(
        &self,
        region: &Region,
        arn: &str,
        until: Timestamp,
    ) -> impl Future<Output = Result<TaskDefinition, EngineError>>;

    /// What Secrets Manager says of a secret, by ARN or name (`DescribeSecret`); of one that does not exist, that it is
    /// missing.
    fn describe_secret(
        &self,
        region: &Region,
        id: &str,
        until: Timestamp,
    ) -> impl Future<Output = Result<SecretMetadata, EngineError>>;

    /// A page of all secrets (`ListSecrets`), the first or from a token on.
    fn list_secrets(
        &self,
        region: &Region,
        token: Option<&str>,
        until: Timestamp,
    ) -> impl Future<Output = Result<SecretPage, EngineError>>;

    /// Forces a new deployment (`UpdateService`); returns the id of the one that is PRIMARY then. Each call starts one: it
    /// is repeated only where ECS says that it did nothing.
    fn force_deployment(
        &self,
        region: &Region,
        cluster: &str,
        service: &str,
        until: Timestamp,
    ) -> impl Future<Output = Result<Option<String>, EngineError>>;

    /// Sends a page to the topic (`Publish`). Its attributes are for subscription filters, `key` for those that
    /// deduplicate.
    fn publish(
        &self,
        page: &Notification,
        key: &str,
        until: Timestamp,
    ) -> impl Future<Output = Result<(), EngineError>>;

    /// Sends a page's notification to the topic of the chats (`Publish`), if there is one.
    fn chat(&self, page: &Notification, until: Timestamp) -> impl Future<Output = Result<(), EngineError>>;
}
