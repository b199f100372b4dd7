//! Detection: which observations fire, and which of several detections are one incident.

pub(crate) mod correlate;
