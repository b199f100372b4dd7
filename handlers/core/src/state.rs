//! The state that decisions rest on, as the ledger keeps it: observations, changes and deployments, incidents, digest entries.

pub mod condition;
pub mod consumer_decision;
pub mod deployment;
pub mod digest_entry;
pub mod digest_report;
pub mod incident_extent;
pub mod incident_state;
pub mod observation;
pub mod open_incident;
pub mod origin_set;
