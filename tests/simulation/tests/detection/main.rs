//! The detections of the rules: on labelled and recorded attacks, and in any order of events.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod corpus;
mod permutations;
mod stories;
