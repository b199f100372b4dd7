//! Answers an auditor's questions from recorded events and ledger exports: finds the events in files, proves that
//! services run the new value of a rotated secret, and lists the callers that read a secret.

pub mod access_history;
pub mod input;
pub mod proof;
pub mod query;
