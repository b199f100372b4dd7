//! Enrichment: attributes that follow from an event, the settings and the facts, in words that the patterns of responses
//! can match (`derived` in rule files).

mod caller;
mod calling_service;
mod enrich_event;
mod kms_key;
mod policy_condition;
mod region_kind;
mod resource_policy;
mod secret_attributes;
mod secret_version;
mod task_launch;
mod trail_selectors;

pub use enrich_event::enrich_event;
pub use task_launch::may_be_task_launch;
