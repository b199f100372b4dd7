//! Tasks of ECS that start: their execution role reads the secrets of their task definition, under the task's id.

use std::collections::BTreeSet;

use responder_core::aws::ecs_service::{DeploymentController, EcsDeployment, EcsService, ServiceStatus};
use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
use responder_core::text::Untrusted;
use responder_core::time::Span;

use super::caller::Caller;
use super::scene::Scene;
use super::secret::Secret;

/// A service, as the scene knows it.
#[derive(Clone, Debug)]
pub(super) struct Launched {
    role: Caller,
    secrets: Vec<Secret>,
}

impl Scene {
    /// An execution role.
    pub(super) fn execution_role(&mut self) -> Caller {
        let (account, task) = (self.account.clone(), self.random.hex(32));
        // Fargate's agent is not known; that of container instances is (amazon-ecs-agent, `httpclient`).
        let agent =
            "Amazon ECS Agent - v1.89.2 (*0a1b2c3d) (linux; 2023.6.20250115) (+http://aws.amazon.com/ecs/)";
        Caller::role(&mut self.random, &account, "", "ecsTaskExecutionRole", &task).with_agent(agent)
    }

    /// A service whose task definition refers to these secrets.
    pub(super) fn service(&mut self, name: &str, role: &Caller, secrets: &[Secret]) -> Launched {
        let (account, region) = (&self.account, self.region);
        let reference = |secret: &Secret| SecretReference {
            kind: ReferenceKind::ContainerSecret,
            value: Untrusted::new(secret.arn()),
        };
        self.services.push(EcsService {
            arn: format!("arn:aws:ecs:{region}:{account}:service/main/{name}"),
            cluster: format!("arn:aws:ecs:{region}:{account}:cluster/main"),
            status: ServiceStatus::Active,
            controller: DeploymentController::Ecs,
            primary: Some(EcsDeployment {
                id: format!("ecs-svc/{}", self.random.digits(19)),
                created_at: self.now.minus(Span::from_secs(86_400)),
                rollout_state: None,
            }),
            execution_roles: BTreeSet::from([Untrusted::new(role.id.clone())]),
            references: secrets.iter().map(reference).collect(),
            ..EcsService::default()
        });
        Launched { role: role.clone(), secrets: secrets.to_vec() }
    }

    /// A task of the service starts.
    pub(super) fn launch(&mut self, service: &Launched) {
        let task = self.random.hex(32);
        let role = service.role.session(&mut self.random, &task);
        for secret in &service.secrets {
            // As the task definition spells it.
            let parameters = serde_json::json!({ "secretId": secret.arn() });
            self.call(&role, "GetSecretValue", secret.region(), &parameters);
        }
    }
}
