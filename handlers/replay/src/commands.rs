//! The commands, one file for each.

mod baseline;
mod completions;
mod explain;
mod facts;
mod match_pattern;
mod page;
mod proof;
mod reads;
mod rules;
mod run;
mod verify;

pub(crate) use baseline::learn_baseline;
pub(crate) use completions::print_completions;
pub(crate) use explain::explain_events;
pub(crate) use facts::guess_facts;
pub(crate) use match_pattern::match_pattern;
pub(crate) use page::show_page;
pub(crate) use proof::prove_rotations;
pub(crate) use reads::list_reads;
pub(crate) use rules::list_rules;
pub(crate) use run::run_replay;
pub(crate) use verify::verify_fixtures;
