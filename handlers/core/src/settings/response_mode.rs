//! The mode: whether services are redeployed.

use serde::{Deserialize, Serialize};

/// Whether services are redeployed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResponseMode {
    /// Redeploy.
    #[default]
    Enforce,
    /// Notify a human of each service that would be redeployed.
    Notify,
}
