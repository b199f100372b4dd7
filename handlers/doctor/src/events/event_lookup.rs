//! The events that a lookup asks for.

use responder_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The events to look up. It is kept in the state file of an interrupted lookup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EventLookup {
    /// `--since` and `--until`, as they were typed.
    #[serde(rename = "asked")]
    pub(crate) typed_period: String,
    /// The first instant.
    pub(crate) since: Timestamp,
    /// The last instant.
    pub(crate) until: Timestamp,
    /// The event sources, such as `secretsmanager.amazonaws.com`.
    pub(crate) sources: Vec<String>,
    /// The Regions.
    pub(crate) regions: Vec<String>,
}
