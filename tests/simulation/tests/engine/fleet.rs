//! Many services on ECS: for the tests of discovery, and for its bench.

use std::rc::Rc;

use responder_core::time::{Span, Timestamp};
use simulation::cloud::{CallLatency, CloudBuilder, SimulatedCloud};
use simulation::ecs::{NewService, RegisteredTaskDefinition, TaskContainer};
use simulation::location::{HOME_ACCOUNT, HOME_REGION};

/// The age of what is there before a test begins.
const EARLIER: Span = Span::from_secs(40 * 86_400);

/// The ARN of a secret.
pub(crate) fn secret_arn(number: usize) -> String {
    format!("arn:aws:secretsmanager:us-west-2:{HOME_ACCOUNT}:secret:db-{number:03}-a1B2c3")
}

/// The ARN of a task definition.
pub(crate) fn definition_arn(number: usize) -> String {
    format!("arn:aws:ecs:us-west-2:{HOME_ACCOUNT}:task-definition/f{number:04}:1")
}

/// Clusters of these sizes; revision after revision is used by one service after the other, and uses one of the secrets in
/// turn. Calls beyond ECS's limits are counted.
pub(crate) fn build_fleet(
    sizes: &[usize],
    revisions: usize,
    secrets: usize,
    latency: Span,
) -> Rc<SimulatedCloud> {
    let now = Timestamp::from_millis(1_800_000_000_000);
    let builder = CloudBuilder::new(now).journal().latency(CallLatency::Fixed(latency));
    let cloud = builder.build();
    cloud.with_state(|state| {
        let created = now.minus(EARLIER);
        for number in 0..secrets {
            state.secrets.create_with_suffix(HOME_REGION, &format!("db-{number:03}"), "a1B2c3", created);
        }
        for number in 0..revisions {
            let container = TaskContainer {
                name: "app".to_owned(),
                secrets: vec![secret_arn(number % secrets)],
                ..TaskContainer::default()
            };
            state.ecs.register_task_definition(RegisteredTaskDefinition {
                family: format!("f{number:04}"),
                containers: vec![container],
                ..RegisteredTaskDefinition::default()
            });
        }
        let mut numbers = 0..;
        for (cluster, size) in sizes.iter().enumerate() {
            for number in numbers.by_ref().take(*size) {
                let service = NewService {
                    cluster: format!("c{cluster:02}"),
                    name: format!("s{number:04}"),
                    task_definition: definition_arn(number % revisions),
                    desired: 1,
                    ..NewService::default()
                };
                state.ecs.create_service(service, created);
            }
        }
        state.ecs.count_calls_beyond_limits();
    });
    cloud
}
