//! Reads task definitions: from this process, then from the ledger, then from ECS; each revision from ECS once ever.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::ready;
use futures_util::stream::{self, Stream, StreamExt as _};

use super::process_cache::RegionCache;
use super::region_discovery::{MAX_PARALLEL_CALLS, RegionDiscovery};
use crate::error::EngineError;
use crate::port::AwsPort;
use crate::rate_limit::EcsCallFamily;

/// How many definitions are read from the ledger at once (`BatchGetItem`).
const MAX_LEDGER_BATCH: usize = 100;

impl<A: AwsPort> RegionDiscovery<'_, A> {
    /// Reads the definitions of the ARNs that `wanted` yields, and returns those that could not be read. Each definition is
    /// kept as soon as it is read: when time runs out, the next invocation goes on from there.
    ///
    /// The stream does it in three stages: it drops the ARNs that were wanted before or that this process knows, asks the
    /// ledger for up to a hundred of the others at once, and reads from ECS what the ledger does not know.
    pub(super) async fn read_definitions(
        &self,
        region_cache: &RegionCache,
        wanted: impl Stream<Item = String>,
    ) -> Vec<(String, EngineError)> {
        // A ledger that does not answer is not written to either.
        let ledger_answers = &AtomicBool::new(true);
        let mut seen = BTreeSet::new();
        let unknown = wanted.filter(|arn| {
            let is_new = seen.insert(arn.clone());
            ready(is_new && !self.cache.definitions().contains_key(arn))
        });
        let batches = unknown.chunks(MAX_LEDGER_BATCH);
        let unknown_to_ledger = batches
            .map(|arns| self.read_from_ledger(arns, ledger_answers))
            .buffer_unordered(MAX_PARALLEL_CALLS)
            .flat_map(stream::iter);
        unknown_to_ledger
            .map(|arn| self.read_from_ecs(region_cache, arn, ledger_answers))
            .buffer_unordered(MAX_PARALLEL_CALLS)
            .filter_map(ready)
            .collect()
            .await
    }

    /// Takes the definitions that the ledger knows, and returns the ARNs of the others.
    async fn read_from_ledger(&self, arns: Vec<String>, ledger_answers: &AtomicBool) -> BTreeSet<String> {
        let mut unknown: BTreeSet<String> = arns.into_iter().collect();
        let Ok(stored) = self.ledger.read_task_definitions(&unknown).await else {
            ledger_answers.store(false, Ordering::Relaxed);
            return unknown;
        };
        let mut definitions = self.cache.definitions();
        for (arn, definition) in stored {
            unknown.remove(&arn);
            definitions.insert(arn, Arc::new(definition));
        }
        unknown
    }

    /// Reads a definition from ECS, and keeps it in this process and in the ledger. Returns the error, if there is one.
    async fn read_from_ecs(
        &self,
        region_cache: &RegionCache,
        arn: String,
        ledger_answers: &AtomicBool,
    ) -> Option<(String, EngineError)> {
        if let Err(error) = self.wait_for_call(region_cache, EcsCallFamily::DefinitionRead).await {
            return Some((arn, error));
        }
        let definition = match self.aws.describe_task_definition(self.region, &arn, self.until).await {
            Ok(definition) => Arc::new(definition),
            Err(error) => return Some((arn, error)),
        };
        self.cache.definitions().insert(arn.clone(), Arc::clone(&definition));
        if ledger_answers.load(Ordering::Relaxed)
            && self.ledger.write_task_definition(&arn, &definition).await.is_err()
        {
            ledger_answers.store(false, Ordering::Relaxed);
        }
        None
    }
}
