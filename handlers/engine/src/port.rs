//! The port: everything that the engine needs of the world, as one trait and the plain data of its calls.

mod aws_port;
mod daemons;
mod ecs;
mod item_update;
mod region;
mod secrets;
mod table;
mod write_condition;

pub use aws_port::AwsPort;
pub use daemons::{DescribedDaemon, DescribedDaemonRevision};
pub use ecs::{ArnPage, DescribedService, DescribedServices, DescribedTaskDefinition, UndescribedService};
pub use item_update::ItemUpdate;
pub use region::Region;
pub use secrets::SecretPage;
pub use table::{AttributeValue, FoundItems, ItemKey, ItemPage, SortKeyRange, TableItem, WriteResult};
pub use write_condition::WriteCondition;
