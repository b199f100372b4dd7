//! The launch of a task, which reads the secrets of its deployment.

use responder_core::time::Timestamp;

use super::events::{EcsEvent, TaskLaunch};
use super::model::SimulatedEcs;
use super::task::SimulatedTask;

impl SimulatedEcs {
    /// The tasks of a deployment that is there before a test begins: nothing tells of their launch.
    pub(super) fn make_earlier_tasks(&mut self, count: u32, started_at: Timestamp) -> Vec<SimulatedTask> {
        let mut tasks = Vec::new();
        for _ in 0..count {
            self.earlier_tasks += 1;
            tasks.push(SimulatedTask { id: format!("{:032x}", self.earlier_tasks), started_at });
        }
        tasks
    }

    /// Launches a task of a deployment, which reads the secrets of its task definition.
    pub(super) fn launch_task(&mut self, service: &str, deployment: &str, at: Timestamp) {
        let task = self.random.hex(32);
        let Some(known) = self.services.get_mut(service) else { return };
        let Some(launching) = known.deployment_mut(deployment) else { return };
        launching.tasks.push(SimulatedTask { id: task.clone(), started_at: at });
        let mut reads = Vec::new();
        let mut execution_role = None;
        if let Some(definition) = self.definitions.get(&launching.task_definition) {
            reads = definition.references();
            execution_role.clone_from(&definition.execution_role);
        }
        reads.extend_from_slice(&launching.connect_secrets);
        self.outbox.push(EcsEvent::Launched(TaskLaunch {
            service: service.to_owned(),
            deployment: deployment.to_owned(),
            execution_role,
            task,
            started_at: at,
            reads,
        }));
    }
}
