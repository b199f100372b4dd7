//! The memory of a process between invocations: task definitions, and for each Region its services and rate limit.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use responder_core::time::Timestamp;

use super::service_inventory::ServiceInventory;
use crate::error::EngineError;
use crate::port::{AwsPort, DescribedTaskDefinition, Region};
use crate::rate_limit::EcsRateLimit;

/// The memory of a process.
#[derive(Debug, Default)]
pub(crate) struct ProcessCache {
    regions: Mutex<BTreeMap<Region, Arc<RegionCache>>>,
    definitions: Mutex<TaskDefinitionMap>,
}

/// Task definitions by ARN with revision. A revision never changes.
pub(super) type TaskDefinitionMap = BTreeMap<String, Arc<DescribedTaskDefinition>>;

/// The memory of a process about one Region.
#[derive(Debug, Default)]
pub(super) struct RegionCache {
    pub(super) rate_limit: EcsRateLimit,
    inventory: Mutex<ServiceInventory>,
}

impl ProcessCache {
    /// Waits until a deployment of this service may be requested. The caller requests it right after that.
    ///
    /// # Errors
    /// [`EngineError::DeadlineReached`], at once, if that would be after `until`.
    pub(crate) async fn wait_for_deployment(
        &self,
        aws: &impl AwsPort,
        region: &Region,
        service: &str,
        until: Timestamp,
    ) -> Result<(), EngineError> {
        self.region(region).rate_limit.wait_for_deployment(aws, service, until).await
    }

    pub(super) fn region(&self, region: &Region) -> Arc<RegionCache> {
        lock(&self.regions).entry(region.clone()).or_default().clone()
    }

    /// The task definitions. The guard is never held while something is awaited.
    pub(super) fn definitions(&self) -> MutexGuard<'_, TaskDefinitionMap> {
        lock(&self.definitions)
    }
}

impl RegionCache {
    /// The inventory. The guard is never held while something is awaited.
    pub(super) fn inventory(&self) -> MutexGuard<'_, ServiceInventory> {
        lock(&self.inventory)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
