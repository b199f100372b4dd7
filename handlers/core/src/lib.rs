//! Events, rules and decisions: pure, no clock, no network.

pub mod aws;
pub mod decide;
pub mod detail_kind;
pub mod detection;
pub mod edit_distance;
pub mod enrichment;
pub mod event;
pub mod facts;
pub mod hash;
pub mod incident;
pub mod memory_store;
pub mod notify;
pub mod plan;
pub mod question;
pub mod rules;
pub mod settings;
pub mod severity;
pub mod state;
mod string_type;
pub mod text;
pub mod time;
pub mod time_window;
