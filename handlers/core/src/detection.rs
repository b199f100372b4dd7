//! Detection: which groups an event is observed in, which windows of observations fire, and which of several detections are
//! one incident.

pub(crate) mod correlate;
pub(crate) mod membership;
pub mod window_match;
