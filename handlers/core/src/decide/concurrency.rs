//! Concurrency slots: which services are redeployed now, and which wait because too many deployments of ours are in flight
//! in their cluster.

use std::collections::{BTreeMap, BTreeSet};

use super::consumer::SecretConsumer;
use super::eligibility::RedeployTerms;
use crate::aws::ecs_arn::ClusterArn;
use crate::aws::ecs_service::EcsService;
use crate::facts::Facts;
use crate::hash::hash_parts;
use crate::time::Timestamp;

/// A consumer that is eligible for a redeployment.
pub(super) struct EligibleConsumer<'d, 'f> {
    pub(super) consumer: &'d SecretConsumer<'f>,
    pub(super) terms: RedeployTerms,
}

/// Puts the consumers into the order in which they get slots. The one that has waited longest comes first; among those
/// that wait equally long a hash decides, so that it is not always the same services that wait.
pub(super) fn sort_by_waiting_time(eligible: &mut [EligibleConsumer<'_, '_>]) {
    eligible.sort_by_cached_key(|EligibleConsumer { consumer, terms }| {
        let fresh_from = terms.fresh_from.to_string();
        (terms.fresh_from, hash_parts(&["wave", &consumer.service.arn, &fresh_from]))
    });
}

/// The concurrency slots of the clusters, as this plan fills them.
pub(super) struct SlotAllocator<'f> {
    facts: &'f Facts,
    now: Timestamp,
    /// The numbers of the slots that are taken, by cluster.
    taken: BTreeMap<&'f ClusterArn, BTreeSet<u32>>,
}

impl<'f> SlotAllocator<'f> {
    /// The slots as they are now.
    pub(super) fn new(facts: &'f Facts, now: Timestamp) -> Self {
        let mut taken: BTreeMap<&ClusterArn, BTreeSet<u32>> = BTreeMap::new();
        for (cluster, slots) in &facts.concurrency_slots {
            for (number, slot) in slots {
                if slot.until > now {
                    taken.entry(cluster).or_default().insert(*number);
                }
            }
        }
        Self { facts, now, taken }
    }

    /// The slot that a service gets in its cluster; `None` if all are taken.
    pub(super) fn allocate(&mut self, service: &'f EcsService) -> Option<u32> {
        let own = self.find_own_slot(service);
        let taken = self.taken.entry(&service.cluster).or_default();
        let slot = match own {
            Some(own) => own,
            None => (0..self.facts.settings.rollout_limit).find(|slot| !taken.contains(slot))?,
        };
        taken.insert(slot);
        Some(slot)
    }

    /// The slot that the service still holds. A slot that another service got since is not its own any more.
    fn find_own_slot(&self, service: &EcsService) -> Option<u32> {
        for (number, slot) in self.facts.concurrency_slots.get(&service.cluster)? {
            if slot.service == service.arn && slot.until > self.now {
                return Some(*number);
            }
        }
        None
    }
}
