//! Reads recorded input: the bytes of one file become records, and each record becomes an EventBridge event.
//!
//! The stages, each in a file of its own:
//!
//! 1. [`read_files`] lists the files below some paths and reads each one. [`read_content`] returns the uncompressed
//!    bytes of one file.
//! 2. [`find_events`] finds the objects in these bytes. A broken object does not hide the objects after it.
//! 3. `input_kind` is the only place that decides what kind of thing a file or an object is.
//! 4. `record_repair` repairs records that a tool wrote in another way than CloudTrail.
//! 5. `envelope` gives a bare CloudTrail record the envelope that EventBridge would have given it.

mod envelope;
mod event_scanner;
mod file_content;
mod file_list;
mod input_kind;
mod input_problem;
mod json_scan;
mod json_values;
mod object_head;
mod read_files;
mod record_repair;
mod scan_budget;

pub use event_scanner::{FoundEvent, FoundResult, find_events};
pub use file_content::{FileContent, read_content};
pub use input_kind::{FileKind, is_fixture_companion};
pub use input_problem::{ContentProblem, InputProblem};
pub(crate) use json_values::scan_values;
pub use read_files::{NoProgress, ReadProgress, read_events, read_files};
