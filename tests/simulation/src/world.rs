//! A world: functions over a cloud, from the events of the models to the end of their effects, on virtual time.
//!
//! | file | what |
//! | --- | --- |
//! | `conditions` | how a world behaves |
//! | `agenda`, `history` | what happens later, and what happened |
//! | `simulated_world` | the world, and what a test lets happen in it |
//! | `run` | how it goes on: events to queues, messages to functions, and time |
//! | `inspect` | what oracles and tests look at |

mod agenda;
mod conditions;
mod history;
mod inspect;
mod run;
mod simulated_world;

pub use conditions::WorldConditions;
pub use history::{DeploymentStateChange, WorldHistory};
pub use simulated_world::SimulatedWorld;
