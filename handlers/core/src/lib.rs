//! Events, rules and decisions: pure, no clock, no network.

pub mod arn;
pub mod control;
pub mod decide;
pub mod derive;
pub mod event;
pub mod facts;
pub mod hash;
pub mod incident;
pub mod ledger;
pub mod life;
pub mod mark;
pub mod metadata;
mod occurrence;
pub mod page;
pub mod plan;
pub mod principal;
pub mod progress;
pub mod proof;
pub mod readers;
pub mod rules;
pub mod secret;
pub mod service;
pub mod settings;
pub mod summary;
pub mod text;
pub mod time;
