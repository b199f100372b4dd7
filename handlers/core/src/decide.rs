//! Decisions: what must be known about an event, and what is to be done about it. Pure.

mod apply;
mod auto_resolve;
mod detect;
mod digest;
mod eligibility;
mod event_decision;
mod first_seen;
mod incident_details;
mod invalid_tags;
mod overdue_rotation;
mod plan_builder;
mod quarantine;
mod read_evidence;
mod redeploy;
mod rollout;
mod secret_change;
mod sweep;

pub use crate::detection::membership::{GroupMembership, group_memberships};
pub use apply::apply;
pub use eligibility::{ChangeIndex, LONGEST_WAIT};
pub use event_decision::{notify_refusals, questions, respond};
pub use first_seen::{LastSeenItem, last_seen_key, reads};
pub use invalid_tags::are_unclear;
pub use quarantine::quarantine;
