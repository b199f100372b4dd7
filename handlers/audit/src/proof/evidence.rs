//! Evidence about rotations: each event says at most one thing about a change, a deployment or a read.

mod identity;
mod label_move;
mod rollout_event;
mod rotation_events;
mod rotation_failure;
mod service_call;
mod task_definition;
mod task_read;

pub(super) use identity::{RoleIdentity, ServiceIdentity};
pub(super) use label_move::LabelMove;
pub(super) use rollout_event::{RolloutEvent, RolloutProgress};
pub(super) use rotation_events::SortedEvidence;
pub use rotation_events::{RotationEvents, UndatedEvent};
pub(super) use rotation_failure::RotationFailure;
pub(super) use service_call::ServiceCall;
pub(super) use task_definition::RegisteredDefinition;
pub(super) use task_read::TaskRead;
