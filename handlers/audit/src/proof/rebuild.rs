//! Rebuilds the records that the ledger would hold, from events alone, and judges them.

mod consumers;
mod deployment_history;
mod failed_rotations;
mod rebuilt_proofs;
mod secret_changes;
mod task_reads;

pub use failed_rotations::FailedRotation;
pub use rebuilt_proofs::{RebuiltProofs, UnattributedRead, UnconsumedChange, rebuild_proofs};
