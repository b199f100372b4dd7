//! ECS in its JSON: requests to the model's calls, its answers to the API's names.

use responder_core::aws::ecs_service::{DeploymentController, RolloutState};
use responder_core::time::Timestamp;
use serde_json::{Value, json};
use simulation::ecs::{
    EcsOperation, RegisteredTaskDefinition, SimulatedDeployment, SimulatedEcs, SimulatedService,
    TaskContainer, spell_rollout_state,
};
use simulation::service_calls::ApiRefusal;

use super::json::{read_page_size, refuse_unknown_members, write_seconds};

/// Answers one call of ECS.
pub(super) fn answer_ecs_call(
    ecs: &mut SimulatedEcs,
    name: &str,
    body: &Value,
    now: Timestamp,
) -> Result<Value, ApiRefusal> {
    let operation = EcsOperation::ALL.into_iter().find(|operation| operation.name() == name);
    let operation = operation.ok_or_else(|| ApiRefusal::new("UnknownOperationException", name))?;
    let cluster = body["cluster"].as_str();
    let token = body["nextToken"].as_str();
    match operation {
        EcsOperation::ListClusters => {
            refuse_unknown_members(body, &["maxResults", "nextToken"])?;
            let page = ecs.list_clusters(read_page_size(body, "maxResults"), token, now)?;
            Ok(with_token(json!({"clusterArns": page.arns}), page.next_token))
        }
        EcsOperation::ListServices => {
            refuse_unknown_members(body, &["cluster", "maxResults", "nextToken"])?;
            let page = ecs.list_services(cluster, read_page_size(body, "maxResults"), token, now)?;
            Ok(with_token(json!({"serviceArns": page.arns}), page.next_token))
        }
        EcsOperation::DescribeServices => {
            refuse_unknown_members(body, &["cluster", "services", "include"])?;
            let tags = texts(&body["include"]).iter().any(|included| included == "TAGS");
            let described = ecs.describe_services(cluster, &texts(&body["services"]), now)?;
            let services: Vec<Value> = described.services.iter().map(|found| service(found, tags)).collect();
            let failures = described.failures.iter();
            let failures: Vec<Value> =
                failures.map(|failure| json!({"arn": failure.arn, "reason": failure.reason})).collect();
            Ok(json!({"services": services, "failures": failures}))
        }
        EcsOperation::DescribeTaskDefinition => {
            refuse_unknown_members(body, &["taskDefinition"])?;
            let name = body["taskDefinition"].as_str().unwrap_or_default();
            Ok(
                json!({"taskDefinition": task_definition(&ecs.describe_task_definition(name, now)?), "tags": []}),
            )
        }
        EcsOperation::UpdateService => {
            refuse_unknown_members(body, &["cluster", "service", "forceNewDeployment"])?;
            let name = body["service"].as_str().unwrap_or_default();
            let updated = ecs.update_service(cluster, name, body["forceNewDeployment"] == true, now)?;
            Ok(json!({"service": service(&updated, true)}))
        }
        EcsOperation::ListDaemons
        | EcsOperation::DescribeDaemon
        | EcsOperation::DescribeDaemonRevisions
        | EcsOperation::DescribeDaemonTaskDefinition => answer_daemon_call(ecs, operation, body, now),
    }
}

/// Answers one call about managed daemons.
fn answer_daemon_call(
    ecs: &mut SimulatedEcs,
    operation: EcsOperation,
    body: &Value,
    now: Timestamp,
) -> Result<Value, ApiRefusal> {
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    match operation {
        EcsOperation::ListDaemons => {
            refuse_unknown_members(body, &["clusterArn", "maxResults", "nextToken"])?;
            let page = ecs.list_daemons(text("clusterArn"), now)?;
            let summaries = page.arns.iter().map(|arn| json!({"daemonArn": arn, "status": "ACTIVE"}));
            Ok(json!({"daemonSummariesList": summaries.collect::<Vec<Value>>()}))
        }
        EcsOperation::DescribeDaemon => {
            refuse_unknown_members(body, &["daemonArn"])?;
            let daemon = ecs.describe_daemon(text("daemonArn"), now)?;
            let revision = json!({"arn": daemon.revision, "totalRunningCount": 1});
            let described = json!({"daemonArn": daemon.arn, "clusterArn": daemon.cluster, "status": "ACTIVE",
                "currentRevisions": [revision]});
            Ok(json!({"daemon": described}))
        }
        EcsOperation::DescribeDaemonRevisions => {
            refuse_unknown_members(body, &["daemonRevisionArns"])?;
            let mut revisions = Vec::new();
            for daemon in ecs.describe_daemon_revisions(&texts(&body["daemonRevisionArns"]), now)? {
                revisions.push(json!({"daemonRevisionArn": daemon.revision, "daemonArn": daemon.arn,
                    "daemonTaskDefinitionArn": daemon.task_definition,
                    "createdAt": write_seconds(daemon.created_at)}));
            }
            Ok(json!({"daemonRevisions": revisions, "failures": []}))
        }
        _ => {
            refuse_unknown_members(body, &["daemonTaskDefinition"])?;
            let found = ecs.describe_daemon_task_definition(text("daemonTaskDefinition"), now)?;
            let mut definition = task_definition(&found);
            definition["daemonTaskDefinitionArn"] = found.arn.as_str().into();
            Ok(json!({"daemonTaskDefinition": definition}))
        }
    }
}

fn with_token(mut body: Value, token: Option<String>) -> Value {
    if let Some(token) = token {
        body["nextToken"] = token.into();
    }
    body
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn service(service: &SimulatedService, tags: bool) -> Value {
    let by_ecs = service.controller == DeploymentController::Ecs;
    let each = |to_json: fn(&SimulatedService, &SimulatedDeployment) -> Value| -> Vec<Value> {
        service.deployments.iter().map(|deployment| to_json(service, deployment)).collect()
    };
    let running = service.primary().map_or(0, |primary| primary.count_tasks().min(service.desired));
    let mut body = json!({
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster,
        "status": service.status.as_str(),
        "desiredCount": service.desired,
        "runningCount": running,
        "pendingCount": service.desired - running,
        "launchType": "FARGATE",
        "taskDefinition": service.task_definition,
        "deploymentController": {"type": service.controller.as_str()},
        "deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100},
        "deployments": if by_ecs { each(deployment) } else { Vec::new() },
        "createdAt": write_seconds(service.created_at),
        "events": [],
    });
    if !by_ecs {
        body["taskSets"] = each(task_set).into();
    }
    if let Some(breaker) = service.circuit_breaker {
        let breaker = json!({"enable": true, "rollback": breaker.rollback});
        body["deploymentConfiguration"]["deploymentCircuitBreaker"] = breaker;
    }
    if let Some(version) = &service.platform_version {
        body["platformVersion"] = version.as_str().into();
    }
    if let Some(kind) = &service.resource_management_type {
        body["resourceManagementType"] = kind.as_str().into();
    }
    if tags {
        let tags = service.tags.iter().map(|(key, value)| json!({"key": key, "value": value}));
        body["tags"] = tags.collect::<Vec<Value>>().into();
    }
    body
}

fn deployment(service: &SimulatedService, deployment: &SimulatedDeployment) -> Value {
    let launched = deployment.count_tasks().min(service.desired);
    let failed = deployment.rollout_state == RolloutState::Failed;
    let mut body = json!({
        "id": deployment.id,
        "status": status(deployment),
        "taskDefinition": deployment.task_definition,
        "desiredCount": if deployment.primary { service.desired } else { 0 },
        "runningCount": if failed { 0 } else { launched },
        "pendingCount": 0,
        "failedTasks": if failed { deployment.count_tasks() } else { 0 },
        "createdAt": write_seconds(deployment.created_at),
        "updatedAt": write_seconds(deployment.updated_at),
        "launchType": "FARGATE",
        "rolloutState": spell_rollout_state(deployment.rollout_state),
        "rolloutStateReason": deployment.reason,
    });
    if !deployment.connect_secrets.is_empty() {
        let options = named(&deployment.connect_secrets);
        let log = json!({"logDriver": "splunk", "secretOptions": options});
        body["serviceConnectConfiguration"] = json!({"enabled": true, "logConfiguration": log});
    }
    body
}

fn task_set(service: &SimulatedService, set: &SimulatedDeployment) -> Value {
    json!({
        "id": set.id,
        "taskSetArn": service.arn.replacen(":service/", ":task-set/", 1) + "/" + &set.id,
        "serviceArn": service.arn,
        "clusterArn": service.cluster,
        "status": status(set),
        "taskDefinition": set.task_definition,
        "createdAt": write_seconds(set.created_at),
        "updatedAt": write_seconds(set.updated_at),
        "launchType": "FARGATE",
        "stabilityStatus": if set.rollout_state == RolloutState::Completed { "STEADY_STATE" } else { "STABILIZING" },
    })
}

fn status(deployment: &SimulatedDeployment) -> &'static str {
    if deployment.primary { "PRIMARY" } else { "ACTIVE" }
}

fn task_definition(definition: &RegisteredTaskDefinition) -> Value {
    let containers: Vec<Value> = definition.containers.iter().map(container).collect();
    let volumes = definition.fsx_credentials.iter().enumerate().map(|(number, credentials)| {
        json!({
            "name": format!("share-{number}"),
            "fsxWindowsFileServerVolumeConfiguration": {
                "fileSystemId": "fs-0123456789abcdef0",
                "rootDirectory": "share",
                "authorizationConfig": {"credentialsParameter": credentials, "domain": "corp.example.com"},
            },
        })
    });
    let mut body = json!({
        "taskDefinitionArn": definition.arn,
        "family": definition.family,
        "revision": definition.revision,
        "status": "ACTIVE",
        "containerDefinitions": containers,
        "volumes": volumes.collect::<Vec<Value>>(),
    });
    if let Some(role) = &definition.execution_role {
        body["executionRoleArn"] = role.as_str().into();
    }
    body
}

fn container(container: &TaskContainer) -> Value {
    let mut body = json!({
        "name": container.name,
        "image": container.image,
        "essential": true,
        "secrets": named(&container.secrets),
    });
    if !container.log_secrets.is_empty() {
        let options = named(&container.log_secrets);
        body["logConfiguration"] = json!({"logDriver": "splunk", "secretOptions": options});
    }
    if let Some(credentials) = &container.repository_credentials {
        body["repositoryCredentials"] = json!({"credentialsParameter": credentials});
    }
    body
}

/// References have names, which mean nothing to anybody here.
fn named(references: &[String]) -> Vec<Value> {
    let numbered = references.iter().enumerate();
    numbered.map(|(number, value)| json!({"name": format!("SECRET_{number}"), "valueFrom": value})).collect()
}
