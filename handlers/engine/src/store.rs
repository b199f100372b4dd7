//! The ledger in `DynamoDB`: what is remembered between invocations, and the claims by which one of many invocations acts.
//!
//! [`schema`] lists every item. The other files read and write one kind each.

mod claims;
mod concurrency_slots;
mod conditions;
mod deployment_request;
mod deployments;
mod digest;
mod incident_state;
mod last_seen;
mod ledger;
mod observation_codec;
mod observations;
mod open_incidents;
mod proofs;
mod read_evidence;
mod rotation_state;
mod schema;
mod stored_facts;
mod task_definitions;

pub(crate) use claims::{ClaimResult, ClaimSubject};
pub(crate) use deployment_request::{DeploymentClaimResult, DeploymentRequest};
pub(crate) use deployments::DeploymentEndReport;
pub(crate) use incident_state::IncidentExtension;
pub(crate) use ledger::Ledger;
pub(crate) use observations::{ObservationAnswer, ObservationQuery};
pub(crate) use open_incidents::OpenIncidentEntry;
pub(crate) use proofs::ProvenDeployment;
pub(crate) use stored_facts::{StoredFactKeys, StoredFacts};
