//! The pattern language: AWS's own verdicts, the semantics next to them, and properties.

mod conformance;
mod explanations;
mod hostile_events;
mod naive_search;
mod properties;
mod readme;
mod refusals;
mod semantics;
mod verdict;
