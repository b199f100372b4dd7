//! The one in-process fake of AWS, and worlds in which the functions run over it: deterministic, in memory, without a clock and without I/O.
//!
//! Every call gets the time as an argument, and chance comes from a seed: the same seed and the same calls give the same answers, identifiers and events. Three kinds of
//! tests use the fake:
//!
//! - Tests and benches of the engine build a [`cloud::SimulatedCloud`] with what they need in it, and run invocations against its [`cloud::SimulatedPort`].
//! - The simulations of this crate run a [`world::SimulatedWorld`] on virtual time: from the events of the models through a bus and queues to decisions, the ledger's
//!   protocol and calls, whose effects are events again. [`oracle`] says what must hold at the end.
//! - The acceptance tests serve [`ecs`] and [`secrets`] over HTTP to the real functions.
//!
//! | simulated | how |
//! | --- | --- |
//! | time | stands still while anything can run; every call takes a while, and others run meanwhile, in an order that the seed decides |
//! | calls | one call of the port is one of the adapter, after the SDK's retries; one in ten is throttled, fails with or without its effect, hangs until its deadline, or loses its answer; a write to the table may also be repeated by the SDK, and meet itself |
//! | the table | atomic for each item, reads consistent, pages, keys left over |
//! | deaths | an invocation ends at any point where it waits, or at its timeout; the next one starts cold |
//! | SNS | its limits and those of chats: a page or notification that they would refuse is refused ([`sns`]) |
//! | events | lost (one in five), delivered twice, late, out of order; queues with visibility, batches of ten and dead letters |
//! | ECS | rollouts that complete, fail with and without rollback, stall; somebody else's deployments; throttling in the storm |
//! | Secrets Manager | rotations, reads that are stale for some seconds |
//!
//! Not simulated: clocks that differ, expiry of items, throttling of the table, several Regions and replicas, Lambda's own retries of a sweep, messages that are
//! no events.
//!
//! [`corpus`] makes labelled events, of thefts and of everyday work, for the rules to tell apart; [`functions`] delivers given events to the engine, in batches and in any
//! order. [`explore`] visits every interleaving of the paging path. [`cost`] measures months and prices them. The tests plant bugs to see that the oracles can fail.

pub mod builtin_rules;
mod bus;
pub mod cloud;
pub mod corpus;
pub mod cost;
pub mod ecs;
mod event_envelope;
pub mod explore;
pub mod functions;
pub mod invocations;
pub mod location;
pub mod oracle;
mod queue;
pub mod random;
pub mod random_world;
pub mod secrets;
pub mod service_calls;
pub mod sns;
pub mod storm;
pub mod table;
pub mod throttle;
pub mod usage_meter;
pub mod virtual_time;
pub mod world;
