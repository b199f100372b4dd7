//! Observes an account. Every call only reads; a call that is refused leaves a gap in the snapshot and costs nothing else.

mod account;
mod alarms;
mod functions;
mod queues;
mod rules;
mod stacks;
mod table;
mod topics;
mod trails;

pub(crate) use account::gather_snapshot;
