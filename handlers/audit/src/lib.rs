//! What an auditor asks of recorded events: reads files of them, proves rotations, lists who read a secret.

pub mod access_history;
pub mod input;
pub mod proof;
