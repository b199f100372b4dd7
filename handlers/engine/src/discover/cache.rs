//! What a process remembers between invocations: what task definitions say, and of each Region its services and the pace.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use responder_core::time::Timestamp;

use super::inventory::ServiceInventory;
use crate::error::EngineError;
use crate::pace::EcsRateLimit;
use crate::port::{AwsPort, Region, TaskDefinition};

/// What a process remembers.
#[derive(Debug, Default)]
pub(crate) struct ProcessCache {
    regions: Mutex<BTreeMap<Region, Arc<RegionCache>>>,
    definitions: Mutex<TaskDefinitionMap>,
}

/// What revisions of task definitions say, by ARN with revision. They never change.
pub(super) type TaskDefinitionMap = BTreeMap<String, Arc<TaskDefinition>>;

/// What a process remembers of a Region.
#[derive(Debug, Default)]
pub(super) struct RegionCache {
    /// Its calls are spread.
    pub(super) pace: EcsRateLimit,
    inventory: Mutex<ServiceInventory>,
}

impl ProcessCache {
    /// Waits until a deployment of this service may be asked for; await it right before the call.
    ///
    /// # Errors
    /// [`EngineError::Deadline`], at once, if that would be after `until`: nothing was asked for then.
    pub(crate) async fn deploy_slot(
        &self,
        aws: &impl AwsPort,
        region: &Region,
        service: &str,
        until: Timestamp,
    ) -> Result<(), EngineError> {
        self.place(region).pace.deploy_slot(aws, service, until).await
    }

    pub(super) fn place(&self, region: &Region) -> Arc<RegionCache> {
        lock(&self.regions).entry(region.clone()).or_default().clone()
    }

    pub(super) fn definitions(&self) -> MutexGuard<'_, TaskDefinitionMap> {
        lock(&self.definitions)
    }
}

impl RegionCache {
    /// The inventory; never held while something is awaited.
    pub(super) fn inventory(&self) -> MutexGuard<'_, ServiceInventory> {
        lock(&self.inventory)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
