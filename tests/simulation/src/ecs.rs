//! ECS of one account and Region: services, task definitions, and rollouts that take their time.
//!
//! The sources are the API reference and the developer guide of ECS. Where they leave something open, a comment says what is decided here.
//!
//! | file | what |
//! | --- | --- |
//! | `service`, `task`, `task_definition` | services, their deployments with the tasks of each, revisions of task definitions |
//! | `agenda`, `events`, `operation`, `deployment_log` | what happens later, what ECS did, what can be called, what was started |
//! | `model` | the whole state, and what a test may set |
//! | `setup`, `estate` | what is there before a test begins |
//! | `calls` | the API: pages, limits, refusals, throttling |
//! | `rollout`, `launch`, `state_changes` | how a deployment goes on: it launches tasks, completes, fails, is superseded or rolled back, and ECS says so |

mod agenda;
mod calls;
mod daemon;
mod daemon_calls;
mod deployment_log;
mod estate;
mod events;
mod launch;
mod model;
mod operation;
mod rollback;
mod rollout;
mod service;
mod setup;
mod state_changes;
mod task;
mod task_definition;

pub use agenda::{RollbackShape, RolloutOutcome};
pub use calls::{DescribeFailure, EcsArnPage, ServiceDescriptions};
pub use daemon::SimulatedDaemon;
pub use deployment_log::{DeploymentLog, StartedDeployment};
pub use estate::EcsEstate;
pub use events::{EcsEvent, TaskLaunch};
pub use model::SimulatedEcs;
pub use operation::EcsOperation;
pub use service::{CircuitBreaker, SimulatedDeployment, SimulatedService, spell_rollout_state};
pub use setup::NewService;
pub use task::SimulatedTask;
pub use task_definition::{RegisteredTaskDefinition, TaskContainer};
