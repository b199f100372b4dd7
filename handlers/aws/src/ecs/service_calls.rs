//! The calls of ECS.

use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::interceptors::InterceptorContext;
use aws_sdk_ecs::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_ecs::error::ProvideErrorMetadata as _;
use aws_sdk_ecs::operation::update_service::UpdateServiceError;
use aws_sdk_ecs::types::ServiceField;
use responder_core::aws::ecs_refusal::is_throttling;
use responder_core::time::Timestamp;
use responder_engine::port::{ArnPage, DescribedServices, DescribedTaskDefinition, UndescribedService};
use responder_engine::{CallFailure, EngineError, FailureCause};

use super::map_answers::{map_service, map_task_definition};
use crate::calls::{make_call, wait_until};
use crate::error::forced_deployment_failed;

/// `ListClusters`: a page of at most 100.
///
/// # Errors
/// When the call fails or has no answer at `until`.
pub async fn list_clusters(
    client: &Client,
    token: Option<&str>,
    until: Timestamp,
) -> Result<ArnPage, EngineError> {
    let request = client.list_clusters().max_results(100).set_next_token(token.map(str::to_owned));
    let page = make_call(until, "ecs", "ListClusters", request.send()).await?;
    Ok(ArnPage { arns: page.cluster_arns.unwrap_or_default(), next_token: page.next_token })
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
    let request = client.list_services().cluster(cluster).max_results(100);
    let sent = request.set_next_token(token.map(str::to_owned)).send();
    let page = make_call(until, "ecs", "ListServices", sent).await?;
    Ok(ArnPage { arns: page.service_arns.unwrap_or_default(), next_token: page.next_token })
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
    let request = client.describe_services().cluster(cluster).set_services(Some(services.to_vec()));
    let sent = request.include(ServiceField::Tags).send();
    let answer = make_call(until, "ecs", "DescribeServices", sent).await?;
    let mut described = DescribedServices::default();
    for service in answer.services.unwrap_or_default() {
        described.services.extend(map_service(&service));
    }
    for failure in answer.failures.unwrap_or_default() {
        described.failures.push(UndescribedService { arn: failure.arn, reason: failure.reason });
    }
    Ok(described)
}

/// `DescribeTaskDefinition`.
///
/// # Errors
/// When the call fails or has no answer at `until`.
pub async fn describe_task_definition(
    client: &Client,
    arn: &str,
    until: Timestamp,
) -> Result<DescribedTaskDefinition, EngineError> {
    let service = "ecs";
    let operation = "DescribeTaskDefinition";
    let sent = client.describe_task_definition().task_definition(arn).send();
    let answer = make_call(until, service, operation, sent).await?;
    let Some(definition) = answer.task_definition else {
        let failure = CallFailure::without_code(FailureCause::ResponseIncomplete);
        return Err(EngineError::CallFailed { service, operation, failure });
    };
    Ok(map_task_definition(&definition))
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
    let answered = wait_until(until, "UpdateService", sent).await?;
    let answer = answered.map_err(|error| forced_deployment_failed(&error))?;
    let Some(service) = answer.service else { return Ok(None) };
    let primary = service.deployments().iter().find(|deployment| deployment.status() == Some("PRIMARY"));
    Ok(primary.and_then(|deployment| deployment.id.clone()))
}

/// Forbids the SDK to repeat a call that may have had its effect.
#[derive(Debug)]
struct RetryThrottlingOnly;

impl ClassifyRetry for RetryThrottlingOnly {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let error = error.as_operation_error().and_then(|error| error.downcast_ref::<UpdateServiceError>());
        match error.and_then(|error| error.code()) {
            Some(code) if is_throttling(code) => RetryAction::NoActionIndicated,
            _ => RetryAction::RetryForbidden,
        }
    }

    fn name(&self) -> &'static str {
        "throttling only"
    }
}
