//! Why a pattern does not match an event, without a word of the event's values.

mod explanation;
mod matcher_words;

pub(crate) use explanation::explain_mismatch;
pub use explanation::{FieldMismatch, MatchExplanation};
