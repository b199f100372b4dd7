//! `doctor events`: the events that `CloudTrail` still knows, in a file that the replay reads.
//!
//! `LookupEvents` answers with 90 days of management events of one Region, at most 50 at a time, newest first, twice a second
//! for each account and Region (`API_LookupEvents`). It knows reads and service events. It does not know native events, such as
//! `Secret Label Updated`.

mod event_file;
mod event_lookup;
mod lookup;

pub(crate) use event_file::EventFileError;
pub(crate) use event_lookup::EventLookup;
pub(crate) use lookup::look_up_events;
