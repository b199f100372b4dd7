//! The `EventBridge` pattern language, as AWS's own engine (event-ruler 2.0.1) behaves.
//!
//! A pattern names fields by path and gives each a list of matchers. It matches an event if every field has a value that
//! satisfies one of its matchers, all within the same element of every array they share. The semantics, the order of checks
//! and the words of errors were taken from the engine's behaviour; `tests/vectors/README.md` says how they were recorded.
//!
//! - [`Pattern`] is one pattern: parse, match, explain.
//! - [`PatternSet`] matches many patterns against the bytes of an event in one reading. Each pattern is judged alone: AWS's
//!   machine, given many rules, lets a wildcard of one make another match what it should not.
//!
//! Two guards are not the engine's but the API's: the complexity of wildcards and the number of combinations of `$or`.

mod compile;
mod complexity;
mod error;
mod explain;
mod expression;
mod flatten;
mod fold;
mod ip;
mod matcher;
mod minify;
mod number;
mod paths;
mod search;
mod set;
mod wildcard;

pub use error::PatternError;
pub use explain::Explanation;
pub use flatten::EventError;
pub use set::{Event, MAX_LEN, Pattern, PatternSet};
pub use wildcard::Wildcard;
