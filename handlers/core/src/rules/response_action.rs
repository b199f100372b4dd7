//! The actions of responses (`do` in `responses.json`).

use serde::{Deserialize, Serialize};

/// The action of a response on an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResponseAction {
    /// Open an incident and page.
    #[default]
    Page,
    /// Redeploy the services that use the secret; page about those that cannot be.
    Redeploy,
    /// Follow a deployment that was requested; page when it fails.
    Follow,
    /// Page about rotations that should have happened.
    Overdue,
    /// Record that a new task read a secret that had changed.
    Prove,
    /// Report, in the daily summary, that a principal reads a secret that it has not read for long.
    #[serde(rename = "first-read")]
    FirstRead,
    /// Report once a day the incidents that paged nobody.
    Summarise,
    /// Page about messages that arrive and cannot be understood.
    #[serde(alias = "park")]
    Quarantine,
}
