//! ECS: what its operations say.

mod map;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::interceptors::InterceptorContext;
use aws_sdk_ecs::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_ecs::error::ProvideErrorMetadata as _;
use aws_sdk_ecs::operation::update_service::UpdateServiceError;
use aws_sdk_ecs::types::{Service as Described, ServiceField};
use responder_core::time::Timestamp;
use responder_engine::port::{ArnPage, DescribedServices, TaskDefinition, UndescribedService};
use responder_engine::{CallFailure, EngineError, FailureCause};

use crate::calls::call;

/// `ListClusters`: a page of at most 100.
///
/// # Errors
/// When the call fails or has no answer at `until`.
pub async fn list_clusters(
    client: &Client,
    token: Option<&str>,
    until: Timestamp,
) -> Result<ArnPage, EngineError> {
    let sent = client.list_clusters().max_results(100).set_next_token(token.map(str::to_owned)).send();
    let page = call(until, "ecs", "ListClusters", sent).await?;
    Ok(ArnPage { arns: page.cluster_arns.unwrap_or_default(), next: page.next_token })
}

/// `ListServices`: a page of at most 100.
///
/// # Errors
/// When the call fails or has no answer at `until`.
pub async fn list_services(
    client: &Client,
    cluster: &str,
    token: Option<&str>,
    until: Timestamp,
) -> Result<ArnPage, EngineError> {
    let sent = client.list_services().cluster(cluster).max_results(100);
    let sent = sent.set_next_token(token.map(str::to_owned)).send();
    let page = call(until, "ecs", "ListServices", sent).await?;
    Ok(ArnPage { arns: page.service_arns.unwrap_or_default(), next: page.next_token })
}

/// `DescribeServices`, with tags; at most 10 services of one cluster.
///
/// # Errors
/// When the call fails or has no answer at `until`.
pub async fn describe_services(
    client: &Client,
    cluster: &str,
    services: &[String],
    until: Timestamp,
) -> Result<DescribedServices, EngineError> {
    let sent = client.describe_services().cluster(cluster).set_services(Some(services.to_vec()));
    let sent = sent.include(ServiceField::Tags).send();
    let answer = call(until, "ecs", "DescribeServices", sent).await?;
    let failures = answer.failures.unwrap_or_default().into_iter();
    Ok(DescribedServices {
        services: answer.services.iter().flatten().filter_map(map::described).collect(),
        failures: failures
            .map(|failure| UndescribedService { arn: failure.arn, reason: failure.reason })
            .collect(),
    })
}

/// `DescribeTaskDefinition`.
///
/// # Errors
/// When the call fails or has no answer at `until`.
pub async fn describe_task_definition(
    client: &Client,
    arn: &str,
    until: Timestamp,
) -> Result<TaskDefinition, EngineError> {
    let (service, operation) = ("ecs", "DescribeTaskDefinition");
    let sent = client.describe_task_definition().task_definition(arn).send();
    let answer = call(until, service, operation, sent).await?;
    let definition = answer.task_definition.as_ref().map(map::definition);
    definition.ok_or(EngineError::CallFailed { service, operation, failure: CallFailure::without_code(FailureCause::ResponseIncomplete) })
}

/// `UpdateService`. Nothing but cluster, service and `forceNewDeployment` is sent: a task definition by family would be the
/// latest revision.
pub(crate) async fn force_deployment(
    client: &Client,
    cluster: &str,
    service: &str,
    until: Timestamp,
) -> Result<Option<String>, EngineError> {
    let sent = client
        .update_service()
        .cluster(cluster)
        .service(service)
        .force_new_deployment(true)
        .customize()
        .config_override(aws_sdk_ecs::Config::builder().retry_classifier(RetryThrottlingOnly))
        .send();
    let answer = call(until, "ecs", "UpdateService", sent).await?;
    let deployments = answer.service.iter().flat_map(Described::deployments);
    let primary = deployments.into_iter().find(|deployment| deployment.status() == Some("PRIMARY"));
    Ok(primary.and_then(|deployment| deployment.id()).map(str::to_owned))
}

/// Forbids to repeat a call that may have had its effect.
#[derive(Debug)]
struct RetryThrottlingOnly;

impl ClassifyRetry for RetryThrottlingOnly {
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
