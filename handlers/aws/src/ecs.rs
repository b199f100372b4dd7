//! ECS: which services there are and what they refer to, and a new deployment for one of them.
//!
//! Pages of `ListServices` are at most 100, `DescribeServices` takes at most 10 services and reports what it could not
//! describe in `failures[]` (API reference of ECS). What one cluster or service hides becomes a gap and costs no other.

mod map;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::interceptors::InterceptorContext;
use aws_sdk_ecs::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_ecs::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_ecs::operation::update_service::UpdateServiceError;
use aws_sdk_ecs::types::{Service as Described, ServiceField, TaskDefinition};
use responder_core::service::{Reference, Service};
use tokio::task::JoinSet;

use crate::deadline::Deadline;
use crate::error::{Error, Failure, word};

/// How many calls run at the same time: the account's other users of the API want to be served too.
const PARALLEL: usize = 4;
/// How many services `DescribeServices` takes.
const DESCRIBED_AT_ONCE: usize = 10;

/// The references of task definitions, by ARN with revision. Revisions never change: kept as long as the process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cache(Arc<Mutex<BTreeMap<String, Arc<[Reference]>>>>);

/// The services of one account and Region, as far as they could be learned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Landscape {
    /// The services; `None` if not even the clusters could be listed.
    pub(crate) services: Option<Vec<Service>>,
    /// What could not be learned.
    pub(crate) gaps: BTreeSet<String>,
    /// What can never be learned from here.
    pub(crate) limits: BTreeSet<String>,
}

/// One Region's ECS, for one invocation.
#[derive(Clone, Debug)]
pub(crate) struct Ecs {
    pub(crate) client: Client,
    pub(crate) deadline: Deadline,
    pub(crate) cache: Cache,
}

impl Ecs {
    /// Every service with everything in it that may refer to a secret.
    pub(crate) async fn landscape(&self) -> Landscape {
        let mut land = Landscape::default();
        let (clusters, error) = self.clusters().await;
        if let Some(error) = error {
            land.gap(format!("not all clusters could be listed: {error}"));
            if clusters.is_empty() {
                return land;
            }
        }
        let tasks = clusters.iter().cloned().map(|cluster| {
            let ecs = self.clone();
            async move { ecs.describe_cluster(cluster).await }
        });
        let mut described = Vec::new();
        for (cluster, found) in clusters.iter().zip(bounded(tasks).await) {
            match found {
                Some((services, gaps)) => {
                    described.extend(services);
                    land.gaps.extend(gaps);
                }
                None => land.gap(format!("the services of {cluster} could not be listed")),
            }
        }
        let wanted: BTreeSet<String> = described.iter().flat_map(map::task_definitions).collect();
        let unread = self.read_task_definitions(wanted).await;
        let references = self.cache.0.lock().unwrap_or_else(PoisonError::into_inner);
        let services = described.iter().filter_map(|service| {
            for arn in map::task_definitions(service).intersection(&unread) {
                let whose = service.service_arn().unwrap_or("a service");
                land.gap(format!("the task definition {arn} of {whose} could not be read"));
            }
            map::service(service, &references)
        });
        let services = services.collect();
        land.services = Some(services);
        land
    }

    /// Forces a new deployment; returns the id of the one that is PRIMARY then.
    ///
    /// Nothing but cluster, service and `forceNewDeployment` is sent: a task definition by family would be the latest
    /// revision. The call is repeated by the SDK only where ECS says that it did nothing: each one starts a deployment.
    ///
    /// # Errors
    /// [`Error::Refused`] where no repetition helps; the others may heal.
    pub(crate) async fn redeploy(&self, cluster: &str, service: &str) -> Result<Option<String>, Error> {
        let call = self
            .client
            .update_service()
            .cluster(cluster)
            .service(service)
            .force_new_deployment(true)
            .customize()
            .config_override(aws_sdk_ecs::Config::builder().retry_classifier(ThrottlingOnly));
        let answer = self.deadline.bound("UpdateService", call.send()).await?;
        let output = answer.map_err(|error| refusal(&error))?;
        let deployments = output.service.iter().flat_map(Described::deployments);
        let primary = deployments.into_iter().find(|deployment| deployment.status() == Some("PRIMARY"));
        Ok(primary.and_then(|deployment| deployment.id()).map(str::to_owned))
    }

    async fn clusters(&self) -> (Vec<String>, Option<Error>) {
        let mut arns = Vec::new();
        let mut token = None;
        loop {
            let call = self.client.list_clusters().max_results(100).set_next_token(token.take());
            match self.deadline.call("ecs", "ListClusters", call.send()).await {
                Ok(page) => {
                    arns.extend(page.cluster_arns.unwrap_or_default());
                    token = page.next_token;
                }
                Err(error) => return (arns, Some(error)),
            }
            if token.is_none() {
                return (arns, None);
            }
        }
    }

    async fn describe_cluster(&self, cluster: String) -> (Vec<Described>, Vec<String>) {
        let (mut described, mut gaps) = (Vec::new(), Vec::new());
        let arns = match self.services(&cluster).await {
            Ok(arns) => arns,
            // It was deleted after it was listed.
            Err(Error::Call { failure, .. }) if failure.is("ClusterNotFoundException") => Vec::new(),
            Err(error) => {
                gaps.push(format!("the services of {cluster} could not be listed: {error}"));
                Vec::new()
            }
        };
        for arns in arns.chunks(DESCRIBED_AT_ONCE) {
            let call = self.client.describe_services().cluster(&cluster).set_services(Some(arns.to_vec()));
            let call = call.include(ServiceField::Tags).send();
            match self.deadline.call("ecs", "DescribeServices", call).await {
                Ok(output) => {
                    // MISSING: it was deleted after it was listed.
                    let failed =
                        output.failures().iter().filter(|failure| failure.reason() != Some("MISSING"));
                    gaps.extend(failed.map(|failure| {
                        let (arn, reason) = (failure.arn(), failure.reason());
                        let arn = arn.filter(|arn| arns.iter().any(|asked| asked == arn)).unwrap_or(&cluster);
                        format!("{arn} could not be described: {}", word(reason.unwrap_or("unknown")))
                    }));
                    described.extend(output.services.unwrap_or_default());
                }
                Err(error) => {
                    gaps.extend(arns.iter().map(|arn| format!("{arn} could not be described: {error}")));
                }
            }
        }
        (described, gaps)
    }

    async fn services(&self, cluster: &str) -> Result<Vec<String>, Error> {
        let mut arns = Vec::new();
        let mut token = None;
        loop {
            let call = self.client.list_services().cluster(cluster).max_results(100).set_next_token(token);
            let page = self.deadline.call("ecs", "ListServices", call.send()).await?;
            arns.extend(page.service_arns.unwrap_or_default());
            token = page.next_token;
            if token.is_none() {
                return Ok(arns);
            }
        }
    }

    /// Fills the cache; returns what could not be read.
    async fn read_task_definitions(&self, mut wanted: BTreeSet<String>) -> BTreeSet<String> {
        {
            let known = self.cache.0.lock().unwrap_or_else(PoisonError::into_inner);
            wanted.retain(|arn| !known.contains_key(arn));
        }
        let tasks = wanted.iter().cloned().map(|arn| {
            let ecs = self.clone();
            async move { ecs.task_definition(&arn).await.ok() }
        });
        let read = bounded(tasks).await;
        let mut known = self.cache.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut unread = BTreeSet::new();
        for (arn, definition) in wanted.into_iter().zip(read) {
            match definition.flatten() {
                Some(definition) => {
                    known.insert(arn, map::references(&definition).into());
                }
                None => {
                    unread.insert(arn);
                }
            }
        }
        unread
    }

    async fn task_definition(&self, arn: &str) -> Result<TaskDefinition, Error> {
        let call = self.client.describe_task_definition().task_definition(arn);
        let output = self.deadline.call("ecs", "DescribeTaskDefinition", call.send()).await?;
        let failure = Failure { kind: "the answer holds no task definition", code: None };
        output.task_definition.ok_or(Error::Call {
            service: "ecs",
            operation: "DescribeTaskDefinition",
            failure,
        })
    }
}

impl Landscape {
    pub(crate) fn gap(&mut self, what: String) {
        self.gaps.insert(what);
    }
}

/// Runs the tasks, a few at a time; the results stand in the order of the tasks, `None` for one that broke.
async fn bounded<T, F>(tasks: impl Iterator<Item = F>) -> Vec<Option<T>>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut running = JoinSet::new();
    let mut results = Vec::new();
    for (index, task) in tasks.enumerate() {
        results.push(None);
        running.spawn(async move { (index, task.await) });
        if running.len() >= PARALLEL {
            store(running.join_next().await, &mut results);
        }
    }
    while let Some(done) = running.join_next().await {
        store(Some(done), &mut results);
    }
    results
}

fn store<T>(done: Option<Result<(usize, T), tokio::task::JoinError>>, results: &mut [Option<T>]) {
    if let Some(Ok((index, value))) = done
        && let Some(result) = results.get_mut(index)
    {
        *result = Some(value);
    }
}

/// Codes with which ECS says that it will not deploy this service, now or later.
const REFUSALS: [&str; 8] = [
    "AccessDeniedException",
    "ClusterNotFoundException",
    "InvalidParameterException",
    "ClientException",
    "ServiceNotActiveException",
    "ServiceNotFoundException",
    "PlatformUnknownException",
    "UnsupportedFeatureException",
];

fn refusal(error: &SdkError<UpdateServiceError>) -> Error {
    let failure = Failure::of(error);
    if REFUSALS.iter().any(|code| failure.is(code)) {
        Error::Refused(failure)
    } else {
        Error::Call { service: "ecs", operation: "UpdateService", failure }
    }
}

/// Forbids to repeat a call that may have had its effect.
#[derive(Debug)]
struct ThrottlingOnly;

impl ClassifyRetry for ThrottlingOnly {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let error = error.as_operation_error().and_then(|error| error.downcast_ref::<UpdateServiceError>());
        match error.and_then(|error| error.code()) {
            Some(
                "ThrottlingException" | "Throttling" | "RequestLimitExceeded" | "TooManyRequestsException",
            ) => RetryAction::NoActionIndicated,
            _ => RetryAction::RetryForbidden,
        }
    }

    fn name(&self) -> &'static str {
        "throttling only"
    }
}
