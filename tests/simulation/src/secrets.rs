//! Secrets Manager of one account, in all its Regions: versions, staging labels, rotation and replicas. There are no values.
//!
//! Each Region has a history of what it shows: a replica shows a change later, and a read may show the state before a change ("a change might not be
//! visible until previously cached data times out", Secrets Manager user guide, troubleshooting).

mod calls;
mod changes;
mod description;
mod events;
mod model;

pub use calls::{ListedVersion, SecretDescriptionPage, VersionListing};
pub use description::{SecretDescription, StagedVersion};
pub use model::{SecretsEvent, SecretsOperation, SimulatedSecrets};
