//! Reads recorded input: the bytes of one file become records, and each record becomes an EventBridge event.
//!
//! The stages, each in a file of its own:
//!
//! 1. [`read_files`] lists the files below some paths and reads each one. `unpack` unpacks it: an archive has one content
//!    for each of its members.
//! 2. [`find_events`] finds the objects in these bytes. A broken object does not hide the objects after it.
//!    `content_form` decides first whether they are JSON, a table, or something that holds no events.
//! 3. `input_kind` decides what kind of thing an object is. `opened_value` opens an object that holds events, such as an
//!    answer of a query.
//! 4. `record_repair` gives a record that an export has reshaped its own shape again.
//! 5. `envelope` gives a bare CloudTrail record the envelope that EventBridge would have given it.

mod beside_kind;
mod content_form;
mod content_tally;
mod coverage;
mod envelope;
mod event_origin;
mod event_scanner;
mod file_content;
mod file_list;
mod input_kind;
mod input_problem;
mod json_scan;
mod json_values;
mod member_names;
mod object_head;
mod opened_value;
mod read_content;
mod read_files;
mod record_repair;
mod scan_budget;
mod struct_text;
mod table_reader;
mod text_encoding;
mod torn_list;
mod unpack;
mod zstandard;

pub use beside_kind::BesideKind;
pub use content_tally::ContentTally;
pub use coverage::{CoverageGap, CoverageReport, InputCoverage};
pub use event_origin::{EventOrigin, MissingMember};
pub use event_scanner::{FoundEvent, FoundResult, find_events};
pub use file_content::FileContent;
pub use input_kind::{FileKind, is_fixture_companion};
pub use input_problem::{ContentProblem, InputProblem};
pub(crate) use json_values::scan_values;
pub use read_content::{read_content, visit_contents};
pub use read_files::{
    ContentVisit, EventVisit, InputReading, LocatedEvent, NoProgress, ReadProgress, read_content_events,
    read_events, read_files,
};
