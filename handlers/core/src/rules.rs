//! Rules: which events matter, and what is done about each.
//!
//! A rule is a pattern file of EventBridge; a response is a row of `responses.json`. [`parse_rules`] reads both into a
//! [`RuleSet`], which turns the text of an event into a [`MatchedEvent`] for each handler that has a matching rule.

mod builtin_rules;
mod event_rule;
mod field_problems;
mod handler;
mod known_fields;
mod matched_event;
mod narrowing_explanation;
mod narrowing_patterns;
mod page_text;
mod parse_exceptions;
mod parse_patterns;
mod parse_responses;
mod parse_rules;
mod pattern_warnings;
mod problem_list;
mod response;
mod response_action;
mod response_exception;
mod response_row;
mod row_problems;
mod rule_id;
mod rule_set;
mod threshold;

pub use builtin_rules::{builtin, builtin_files};
pub use event_rule::EventRule;
pub use handler::Handler;
pub use known_fields::RECORD_FIELDS;
pub use matched_event::{AppliedResponse, MatchedEvent};
pub use narrowing_explanation::NarrowingExplanation;
pub use page_text::{PLACEHOLDERS, WITHOUT_PREFIX, find_placeholders, is_placeholder};
pub use parse_rules::parse_rules;
pub use pattern_warnings::find_pattern_warnings;
pub use problem_list::{RuleFile, RuleProblem, RulesError};
pub use response::Response;
pub use response_action::ResponseAction;
pub use response_exception::{ExceptionEffect, ResponseException};
pub use rule_set::RuleSet;
pub use threshold::{CountPer, DistinctBy, EscalationStep, Threshold};
