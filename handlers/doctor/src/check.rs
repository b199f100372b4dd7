//! The checks: what is wrong with an installation, decided from a snapshot alone.

mod alarms;
mod bus;
mod fault;
mod functions;
mod installation;
mod ledger;
mod matcher;
mod queues;
mod region_check;
mod rules;
mod stacks;
mod topics;
mod trails;

pub(crate) use installation::check_installation;

#[cfg(test)]
mod tests;
