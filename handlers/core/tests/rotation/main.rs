//! How rotations are answered: by events, by the sweep, and by both over one world.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod changes;
mod corrections;
mod rollouts;
mod storms;
mod verdicts;
mod waves;
mod world;
