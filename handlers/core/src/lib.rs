//! Events, patterns, rules and decisions: pure, no clock, no network.

pub mod json;
pub mod pattern;
