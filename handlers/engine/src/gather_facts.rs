//! Gathers facts: the core's questions about a batch go in, the facts come out.

mod describe_secrets;
mod fact_sources;
mod find_consumers;
mod gather;
mod gathered_facts;
mod ledger_answers;
mod merge_facts;
mod question_batch;

pub(crate) use fact_sources::FactSources;
pub(crate) use gather::gather_facts;
pub(crate) use gathered_facts::GatheredFacts;
