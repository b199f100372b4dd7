//! Discovery: finds the ECS services of a Region that use a secret, with few calls.
//!
//! The services are listed and described once for many changes, and each task definition is read once ever. A cluster or
//! service that cannot be read becomes a discovery failure, and keeps no other from being found.

mod daemons;
mod describe;
mod discovery_failures;
mod find_services;
mod process_cache;
mod read_definitions;
mod region_discovery;
mod request;
mod scan;
mod service_inventory;
#[cfg(test)]
mod tests;

pub(crate) use process_cache::ProcessCache;
pub(crate) use region_discovery::RegionDiscovery;
pub(crate) use request::{DiscoveryRequest, DiscoveryResult};
