//! Rebuilds the records that the ledger would hold, from events alone, and judges them.

mod consumers;
mod deployment_history;
mod rebuilt_proofs;
mod secret_changes;
mod task_reads;

pub use rebuilt_proofs::{RebuiltProofs, UnattributedRead, UnconsumedChange, rebuild_proofs};
