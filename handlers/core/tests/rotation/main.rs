//! Rotations: how they are answered by events, by the sweep, and by both over the same facts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod changes;
mod concurrency;
mod corrected_outcomes;
mod distant_consumers;
mod eligibility;
mod halted_changes;
mod newer_deployments;
mod overdue_rotations;
mod read_evidence;
mod rollouts;
mod storms;
mod vocabulary;
