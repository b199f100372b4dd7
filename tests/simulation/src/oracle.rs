//! The oracle: everything that must hold at the end of a world, whatever went wrong in it. Each violation is a sentence; none means that everything holds.
//!
//! Each check is a function in a file of its own, named in `checks`: a new one is a new line there. All of them look at one
//! `OracleContext`, which knows the deployments of the world from their beginning to their end.

mod answered_changes;
mod checks;
mod context;
mod deployments;
mod notifications;
mod page_subject;
mod rollouts;

pub use checks::list_violations;
pub use context::WorldPromises;
pub use deployments::{MostInFlight, find_most_in_flight};
