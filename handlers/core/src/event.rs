//! Events in the envelope of EventBridge, tolerantly typed: unknown and missing fields never lose an event.

mod copy_key;
mod event_error;
mod event_record;
mod find_secrets;

pub use event_error::EventError;
pub use event_record::Event;
