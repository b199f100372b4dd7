//! Tasks of ECS that start: their execution role reads the secrets of their task definition, under the task's id.

use std::collections::BTreeSet;

use responder_core::aws::ecs_service::{DeploymentController, EcsDeployment, EcsService, ServiceStatus};
use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
use responder_core::text::Untrusted;
use responder_core::time::Span;
use serde_json::json;

use super::caller::CorpusCaller;
use super::secret::CorpusSecret;
use super::stage::CorpusStage;

/// A service of a stage.
#[derive(Clone, Debug)]
pub(super) struct StagedService {
    role: CorpusCaller,
    secrets: Vec<CorpusSecret>,
}

/// The agent of container instances (amazon-ecs-agent, `httpclient`); that of Fargate is not known.
const ECS_AGENT: &str =
    "Amazon ECS Agent - v1.89.2 (*0a1b2c3d) (linux; 2023.6.20250115) (+http://aws.amazon.com/ecs/)";

impl CorpusStage {
    /// An execution role.
    pub(super) fn make_execution_role(&mut self) -> CorpusCaller {
        let account = self.account.clone();
        let task = self.random.hex(32);
        let role = CorpusCaller::role(&mut self.random, &account, "", "ecsTaskExecutionRole", &task);
        role.with_agent(ECS_AGENT)
    }

    /// A service whose task definition refers to these secrets.
    pub(super) fn make_service(
        &mut self,
        name: &str,
        role: &CorpusCaller,
        secrets: &[CorpusSecret],
    ) -> StagedService {
        let account = &self.account;
        let region = self.region;
        let mut service = EcsService {
            arn: format!("arn:aws:ecs:{region}:{account}:service/main/{name}").into(),
            cluster: format!("arn:aws:ecs:{region}:{account}:cluster/main").into(),
            status: ServiceStatus::Active,
            controller: DeploymentController::Ecs,
            primary: Some(EcsDeployment {
                id: format!("ecs-svc/{}", self.random.digits(19)),
                created_at: self.now.minus(Span::from_secs(86_400)),
                ..EcsDeployment::default()
            }),
            execution_roles: BTreeSet::from([Untrusted::new(role.id.clone())]),
            ..EcsService::default()
        };
        for secret in secrets {
            let value = Untrusted::new(secret.arn());
            service.references.push(SecretReference { kind: ReferenceKind::ContainerSecret, value });
        }
        self.services.push(service);
        StagedService { role: role.clone(), secrets: secrets.to_vec() }
    }

    /// A task of the service starts, and reads each secret as the task definition spells it.
    pub(super) fn launch_task(&mut self, service: &StagedService) {
        let task = self.random.hex(32);
        let role = service.role.open_session(&mut self.random, &task).begun_at(self.now);
        for secret in &service.secrets {
            let parameters = json!({ "secretId": secret.arn() });
            self.record_call(&role, "GetSecretValue", secret.region(), &parameters);
        }
    }
}
