//! Proofs that services run the new value of a secret: one record for each change and each service that uses the
//! secret.
//!
//! There are two sources. `ledger_item` reads the records that the functions wrote to the ledger. `evidence` and
//! `rebuild` find out from recorded events alone what happened, whether the functions were there or not. `proof_chain`
//! judges the records of both.
//!
//! The records cannot come from deciding about the events again: decisions say what should be done, and a proof says
//! what was done. For example, a replay plans a deployment for 03:00:34 and takes it for granted. The events may show
//! that ECS refused it, that somebody else deployed, or that nobody did.

mod evidence;
mod ledger_item;
mod merge_copies;
mod missing_link;
mod proof_chain;
mod proof_scope;
mod rebuild;
mod rotation_proof;

pub use evidence::{RotationEvents, UndatedEvent};
pub use ledger_item::{LedgerItemError, read_ledger_items};
pub use merge_copies::merge_copies;
pub use missing_link::{ChainState, ProofLink};
pub use proof_chain::ProofChain;
pub use proof_scope::ProofScope;
pub use rebuild::{FailedRotation, RebuiltProofs, UnattributedRead, UnconsumedChange, rebuild_proofs};
pub use rotation_proof::{RecordedDecision, RotationProof};
