//! Events, patterns, rules and decisions: pure, no clock, no network.

pub mod arn;
pub mod event;
pub mod hash;
pub mod json;
pub mod pattern;
pub mod principal;
pub mod secret;
pub mod text;
pub mod time;
