//! The growth of an incident: each step of it is paged once, under one key, in any order of events.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod any_order;
mod calls;
mod last_figures;
mod steps;
