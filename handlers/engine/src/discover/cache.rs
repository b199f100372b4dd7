//! What a process remembers between invocations: what task definitions say, and of each Region its services and the pace.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use responder_core::time::Timestamp;

use super::inventory::Inventory;
use crate::error::Error;
use crate::pace::Pace;
use crate::port::{Aws, Definition, Region};

/// What a process remembers.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    regions: Mutex<BTreeMap<Region, Arc<Place>>>,
    definitions: Mutex<Definitions>,
}

/// What revisions of task definitions say, by ARN with revision. They never change.
pub(super) type Definitions = BTreeMap<String, Arc<Definition>>;

/// What a process remembers of a Region.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// Its calls are spread.
    pub(super) pace: Pace,
    inventory: Mutex<Inventory>,
}

impl Cache {
    /// Waits until a deployment of this service may be asked for; await it right before the call.
    ///
    /// # Errors
    /// [`Error::Deadline`], at once, if that would be after `until`: nothing was asked for then.
    pub(crate) async fn deploy_slot(
        &self,
        aws: &impl Aws,
        region: &Region,
        service: &str,
        until: Timestamp,
    ) -> Result<(), Error> {
        self.place(region).pace.deploy_slot(aws, service, until).await
    }

    pub(super) fn place(&self, region: &Region) -> Arc<Place> {
        lock(&self.regions).entry(region.clone()).or_default().clone()
    }

    pub(super) fn definitions(&self) -> MutexGuard<'_, Definitions> {
        lock(&self.definitions)
    }
}

impl Place {
    /// The inventory; never held while something is awaited.
    pub(super) fn inventory(&self) -> MutexGuard<'_, Inventory> {
        lock(&self.inventory)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
