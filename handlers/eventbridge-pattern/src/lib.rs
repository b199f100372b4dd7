//! Amazon EventBridge event patterns, matched as AWS's own engine matches them.
//!
#![doc = include_str!("../README.md")]

mod array_consistency;
mod case_folding;
mod cidr;
mod comparable_number;
mod compile;
mod compiled_pattern;
mod complexity;
mod error;
mod excluded_values;
mod explain;
mod field_matcher;
mod field_paths;
mod flat_event;
mod flatten_event;
mod ip_address;
pub mod json;
mod minify;
mod pattern;
mod pattern_set;
mod value_matcher;
mod value_reading;
mod wildcard;

pub use error::{EventFormatError, PatternError};
pub use explain::{FieldMismatch, MatchExplanation};
pub use pattern::{MAX_PATTERN_CHARACTERS, Pattern};
pub use pattern_set::PatternSet;
pub use wildcard::{Wildcard, WildcardError};
