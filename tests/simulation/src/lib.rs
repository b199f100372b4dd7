//! A model of the parts of AWS that the product works on: deterministic, in memory, without a clock and without I/O.
//!
//! Every call is told the time, and chance comes from a seed: the same seed and the same calls give the same answers, identifiers and events.
//! The acceptance tests serve the model over HTTP to the real functions. A [`world::World`] runs the real engine over it on virtual time instead: from the
//! events of the models through a bus and queues to decisions, the ledger's protocol and calls, whose effects are events again.
//!
//! | simulated | how |
//! | --- | --- |
//! | time | stands still while anything can run; every call takes a while, and others run meanwhile, in an order that the seed decides |
//! | calls | one call of the port is one of the adapter, after the SDK's retries; one in ten is throttled, fails with or without its effect, hangs until its deadline, or loses its answer; a write to the table may also be repeated by the SDK, and meet itself |
//! | the table | atomic for each item, reads consistent, pages, keys left over |
//! | deaths | an invocation is dropped at any point where it waits, or at its timeout; the next one starts cold |
//! | SNS | its limits and those of chats: a page or notification that they would refuse is refused ([`sns`]) |
//! | events | lost (one in five), told twice, late, out of order; queues with visibility, batches of ten and dead letters |
//! | ECS | rollouts that complete, fail with and without rollback, stall; somebody else's deployments; throttling in the storm |
//! | Secrets Manager | rotations, reads that are stale for some seconds |
//!
//! Not simulated: clocks that differ, expiry of items, throttling of the table, several Regions and replicas, Lambda's own retries of a sweep, messages that are
//! no events.
//!
//! [`corpus`] makes labelled events, of thefts and of everyday work, for the rules to tell apart; [`functions`] delivers given events to the engine, in batches and in any
//! order. [`cost`] measures months and prices them. [`oracle`] says what must hold at the end. The tests plant bugs to see that it can fail.

mod bus;
pub mod clock;
mod cloud;
pub mod corpus;
pub mod cost;
pub mod ecs;
mod event;
pub mod explore;
mod faults;
pub mod functions;
mod meter;
pub mod oracle;
mod place;
mod ports;
mod queue;
mod random;
pub mod random_world;
pub mod secrets;
pub mod sns;
pub mod store;
pub mod storm;
pub mod throttle;
pub mod world;

pub use faults::{Calls, Fault, Refusal};
pub use meter::Meter;
pub use place::Place;
pub use random::Random;

use std::sync::{Arc, OnceLock};

use responder_core::rules::{RuleSet, RulesError, builtin};

/// The rules, loaded once in a process: a function that starts cold loads them, thousands of worlds need not.
fn rules() -> Result<Arc<RuleSet>, RulesError> {
    static RULES: OnceLock<Arc<RuleSet>> = OnceLock::new();
    if let Some(rules) = RULES.get() {
        return Ok(Arc::clone(rules));
    }
    let rules = Arc::new(builtin()?);
    Ok(Arc::clone(RULES.get_or_init(|| rules)))
}
