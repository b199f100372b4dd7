//! A corpus of labelled `CloudTrail` events, made from a seed: attacks that must be found, and everyday work that must page nobody.
//!
//! Every class is played in accounts of its own, all at the same time: so a page belongs to the class of its account, and no class is decided in an otherwise
//! empty world. Principals, names, spellings of secrets, times, and the order and number of deliveries vary with the seed. The shapes of the records are those of
//! the fixtures; `fixtures/README.md` says where they come from.

mod attack;
mod caller;
mod class;
mod everyday;
mod launch;
mod sample;
mod secret;
mod stage;
mod verdict;

pub use class::BehaviourClass;
pub use sample::{CorpusSample, list_classes, make_facts, make_sample, make_samples};
pub use verdict::{ClassVerdict, judge_samples};
