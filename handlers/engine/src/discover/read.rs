//! Reading task definitions: from this process, then from the ledger, then from ECS; each revision from ECS once ever.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::ready;
use futures_util::stream::{self, Stream, StreamExt as _};

use super::RegionDiscovery;
use super::cache::RegionCache;
use super::survey::PARALLEL;
use crate::error::EngineError;
use crate::pace::EcsCallFamily;
use crate::port::AwsPort;

/// How many the ledger is asked for at once (`BatchGetItem`).
const RECALLED_AT_ONCE: usize = 100;

impl<A: AwsPort> RegionDiscovery<'_, A> {
    /// Reads what comes; returns what could not be read. Each is kept as soon as it is read: when time runs out, the next
    /// invocation goes on from there.
    pub(super) async fn read(
        &self,
        place: &RegionCache,
        wanted: impl Stream<Item = String>,
    ) -> Vec<(String, EngineError)> {
        // A ledger that does not answer is not written to either.
        let remembers = &AtomicBool::new(true);
        let mut seen = BTreeSet::new();
        let unknown = wanted
            .filter(|arn| ready(seen.insert(arn.clone()) && !self.cache.definitions().contains_key(arn)));
        unknown
            .chunks(RECALLED_AT_ONCE)
            .map(|arns| self.recall(arns, remembers))
            .buffer_unordered(PARALLEL)
            .flat_map(stream::iter)
            .map(|arn| self.read_one(place, arn, remembers))
            .buffer_unordered(PARALLEL)
            .filter_map(ready)
            .collect()
            .await
    }

    /// Takes what the ledger knows; returns the rest.
    async fn recall(&self, arns: Vec<String>, remembers: &AtomicBool) -> BTreeSet<String> {
        let mut arns: BTreeSet<String> = arns.into_iter().collect();
        match self.ledger.definitions(&arns).await {
            Ok(known) => {
                arns.retain(|arn| !known.contains_key(arn));
                let known = known.into_iter().map(|(arn, definition)| (arn, Arc::new(definition)));
                self.cache.definitions().extend(known);
            }
            Err(_) => remembers.store(false, Ordering::Relaxed),
        }
        arns
    }

    async fn read_one(
        &self,
        place: &RegionCache,
        arn: String,
        remembers: &AtomicBool,
    ) -> Option<(String, EngineError)> {
        if let Err(error) = self.turn(place, EcsCallFamily::DefinitionRead).await {
            return Some((arn, error));
        }
        let definition = match self.aws.task_definition(self.region, &arn, self.until).await {
            Ok(definition) => Arc::new(definition),
            Err(error) => return Some((arn, error)),
        };
        self.cache.definitions().insert(arn.clone(), Arc::clone(&definition));
        if remembers.load(Ordering::Relaxed)
            && self.ledger.record_definition(&arn, &definition).await.is_err()
        {
            remembers.store(false, Ordering::Relaxed);
        }
        None
    }
}
