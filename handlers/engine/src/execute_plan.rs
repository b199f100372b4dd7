//! Executes plans: the steps become effects, each claimed first, so that copies of an event change nothing.

mod execute;
mod extend_incident;
mod page;
mod plan_executor;
mod record;
mod redeploy;
mod resolve;

pub(crate) use plan_executor::PlanExecutor;
