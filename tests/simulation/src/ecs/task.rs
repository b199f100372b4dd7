//! A task of a deployment.

use responder_core::time::Timestamp;

/// A task. It keeps the values that it read at its start for as long as it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedTask {
    /// 32 hexadecimal digits.
    pub id: String,
    /// When it started and read its secrets.
    pub started_at: Timestamp,
}
