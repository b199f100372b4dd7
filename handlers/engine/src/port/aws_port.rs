//! The trait of the world: one method for each call of AWS, a clock, a way to wait and a log.

use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::notify::Notification;
use responder_core::time::{Span, Timestamp};

use super::daemons::{DescribedDaemon, DescribedDaemonRevision};
use super::ecs::{ArnPage, DescribedServices, DescribedTaskDefinition};
use super::item_update::ItemUpdate;
use super::region::Region;
use super::secrets::SecretPage;
use super::table::{FoundItems, ItemKey, ItemPage, SortKeyRange, WriteResult};
use crate::error::EngineError;

/// The world, as the engine sees it. An implementation makes the calls and holds no policy: the engine decides which calls
/// are made, and what their answers mean.
///
/// A call that has no answer at `until` ends with [`EngineError::DeadlineReached`].
pub trait AwsPort {
    /// The present.
    fn now(&self) -> Timestamp;

    /// Waits for so long.
    fn sleep(&self, span: Span) -> impl Future<Output = ()>;

    /// Writes a line to the log.
    fn print_line(&self, line: &str);

    /// Changes an item of the ledger's table, or makes it, if the condition holds (`UpdateItem`).
    fn update_item(
        &self,
        update: &ItemUpdate,
        until: Timestamp,
    ) -> impl Future<Output = Result<WriteResult, EngineError>>;

    /// Reads at most 100 items, consistently (`BatchGetItem`).
    fn get_items(
        &self,
        keys: &[ItemKey],
        until: Timestamp,
    ) -> impl Future<Output = Result<FoundItems, EngineError>>;

    /// Reads a page of a range, consistently and in the order of the keys (`Query`).
    fn query_items(
        &self,
        range: &SortKeyRange,
        until: Timestamp,
    ) -> impl Future<Output = Result<ItemPage, EngineError>>;

    /// Lists a page of the clusters' ARNs (`ListClusters`): the first page, or the page of a token.
    fn list_clusters(
        &self,
        region: &Region,
        token: Option<&str>,
        until: Timestamp,
    ) -> impl Future<Output = Result<ArnPage, EngineError>>;

    /// Lists a page of the ARNs of a cluster's services (`ListServices`): the first page, or the page of a token.
    fn list_services(
        &self,
        region: &Region,
        cluster: &str,
        token: Option<&str>,
        until: Timestamp,
    ) -> impl Future<Output = Result<ArnPage, EngineError>>;

    /// Describes at most 10 services of a cluster with their tags (`DescribeServices`).
    fn describe_services(
        &self,
        region: &Region,
        cluster: &str,
        services: &[String],
        until: Timestamp,
    ) -> impl Future<Output = Result<DescribedServices, EngineError>>;

    /// Reads which secrets a task definition refers to (`DescribeTaskDefinition`).
    fn describe_task_definition(
        &self,
        region: &Region,
        arn: &str,
        until: Timestamp,
    ) -> impl Future<Output = Result<DescribedTaskDefinition, EngineError>>;

    /// Reads the metadata of a secret, by ARN or name (`DescribeSecret`). A secret that does not exist is no error: its
    /// metadata say that it is missing.
    fn describe_secret(
        &self,
        region: &Region,
        id: &str,
        until: Timestamp,
    ) -> impl Future<Output = Result<SecretMetadata, EngineError>>;

    /// Lists a page of all secrets (`ListSecrets`): the first page, or the page of a token.
    fn list_secrets(
        &self,
        region: &Region,
        token: Option<&str>,
        until: Timestamp,
    ) -> impl Future<Output = Result<SecretPage, EngineError>>;

    /// Lists a page of the ARNs of a cluster's managed daemons (`ListDaemons`): the first page, or the page of a token.
    fn list_daemons(
        &self,
        region: &Region,
        cluster: &str,
        token: Option<&str>,
        until: Timestamp,
    ) -> impl Future<Output = Result<ArnPage, EngineError>>;

    /// Describes a managed daemon (`DescribeDaemon`).
    fn describe_daemon(
        &self,
        region: &Region,
        arn: &str,
        until: Timestamp,
    ) -> impl Future<Output = Result<DescribedDaemon, EngineError>>;

    /// Describes revisions of managed daemons (`DescribeDaemonRevisions`); an error unless it describes all of them.
    fn describe_daemon_revisions(
        &self,
        region: &Region,
        arns: &[String],
        until: Timestamp,
    ) -> impl Future<Output = Result<Vec<DescribedDaemonRevision>, EngineError>>;

    /// Describes a revision of a daemon's task definition (`DescribeDaemonTaskDefinition`).
    fn describe_daemon_task_definition(
        &self,
        region: &Region,
        arn: &str,
        until: Timestamp,
    ) -> impl Future<Output = Result<DescribedTaskDefinition, EngineError>>;

    /// Forces a new deployment of a service (`UpdateService`), and returns the id of its PRIMARY deployment after that. Each
    /// call starts a deployment: an implementation repeats it only where ECS says that it did nothing.
    fn force_deployment(
        &self,
        region: &Region,
        cluster: &str,
        service: &str,
        until: Timestamp,
    ) -> impl Future<Output = Result<Option<String>, EngineError>>;

    /// Sends a page to the topic (`Publish`). Its attributes serve subscription filters; `key` is the incident's key, by
    /// which receivers deduplicate.
    fn publish_page(
        &self,
        page: &Notification,
        key: &str,
        until: Timestamp,
    ) -> impl Future<Output = Result<(), EngineError>>;

    /// Sends a page's short form to the topic of the chats (`Publish`); does nothing if there is no such topic.
    fn publish_chat(
        &self,
        page: &Notification,
        until: Timestamp,
    ) -> impl Future<Output = Result<(), EngineError>>;
}
