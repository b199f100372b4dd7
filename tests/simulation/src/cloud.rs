//! The one in-process fake of AWS: ECS, Secrets Manager, the ledger's table, SNS and a clock, behind the engine's port.
//!
//! A test builds a [`SimulatedCloud`] with a [`CloudBuilder`], gives an engine a [`SimulatedPort`] to it, and lets it run: alone with
//! [`SimulatedCloud::run_to_end`], or beside others in a `TaskPool`. Time stands still while anything can run.
//!
//! | file | what |
//! | --- | --- |
//! | `call_fault` | what can go wrong with a call, by plan or by chance |
//! | `latency` | how long a call takes |
//! | `record` | what happened: pages, deployments, calls, log lines |
//! | `state` | the models and the table, with what a test may set |
//! | `simulated_cloud`, `builder` | the cloud, and how a test makes one |
//! | `call`, `port`, `answers` | how a call is made, the engine's port over the models, and their answers as the adapter to the SDKs gives them |

mod answers;
mod builder;
mod call;
mod call_fault;
mod latency;
mod port;
mod record;
mod simulated_cloud;
mod state;

pub use builder::CloudBuilder;
pub use call::SimulatedPort;
pub use call_fault::{CallFault, CallFaults};
pub use latency::CallLatency;
pub use record::{CloudJournal, CloudRecord, ForcedDeployment, SentNotification};
pub use simulated_cloud::SimulatedCloud;
pub use state::{CloudBug, CloudState};
