//! The access history of one secret, or of those whose names fit wildcards: every call that read it, and every call that may have, as a function of a set of
//! events.

mod access_call;
mod access_report;
mod batch_reads;
mod call_collection;
mod call_evidence;
mod each_read;
mod nearest_names;

pub use access_call::{CallerKind, CountedCall, UndatedRead};
pub use access_report::{AccessReport, AccessRow};
pub use call_collection::AccessHistory;
pub use call_evidence::AccessDoubt;
pub use each_read::EachRead;
