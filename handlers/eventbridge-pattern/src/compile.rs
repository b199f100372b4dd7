//! Compiles the text of a pattern.
//!
//! The order of the checks, and the words of the errors, are those of event-ruler 2.0.1 (`JsonRuleCompiler`): of two faults, the
//! pattern is refused for the one that the engine would name.
//!
//! - [`fields`]: objects, nesting and `$or`
//! - [`match_expression`]: the entries of one field's array
//! - [`anything_but`], [`numeric`]: the two match expressions with a grammar of their own
//! - [`pattern_reader`]: the tokens of a pattern, with what all of them need

mod anything_but;
mod fields;
mod match_expression;
mod numeric;
mod pattern_reader;

pub(crate) use fields::compile;
