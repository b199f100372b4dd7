//! The inventory of a Region: its services as a scan found them, and which changes that scan still serves.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::time::{Span, Timestamp};

use crate::port::DescribedService;

/// The services of a Region, as far as they are known. It fills part by part: only the missing parts are asked for again.
#[derive(Debug, Default)]
pub(super) struct ServiceInventory {
    /// When its listing began.
    began_at: Option<Timestamp>,
    /// The latest change that the listing was begun for.
    begun_for: Timestamp,
    has_all_clusters: bool,
    /// The ARNs of the services of each cluster; `None` where they could not be listed yet.
    clusters: BTreeMap<String, Option<BTreeSet<String>>>,
    descriptions: BTreeMap<String, DescribedAt>,
    /// The ARNs of the managed daemons of each cluster for which they are listed.
    daemons: BTreeMap<String, Vec<String>>,
}

/// A service as it was described at an instant.
#[derive(Clone, Debug)]
pub(super) struct DescribedAt {
    /// When ECS was asked.
    pub(super) at: Timestamp,
    pub(super) described: DescribedService,
}

/// A listing serves a change if it began later than the change by more than this: events give instants in whole seconds,
/// and ECS is eventually consistent.
const LISTING_MARGIN: Span = Span::from_secs(2);
/// An inventory is used for this long: tags and clusters change without a deployment.
const INVENTORY_LIFETIME: Span = Span::from_secs(3_600);

impl ServiceInventory {
    /// Empties the inventory, unless its listing serves a change at `changed_at`.
    ///
    /// A listing serves changes from before it began. A service that starts to use the secret after the listing gets a new
    /// deployment by that, which is newer than the change: that the service is missing here does no harm. The listing that
    /// was begun for a change serves this change ever after, for there was no better one when the change was answered
    /// first.
    pub(super) fn renew(&mut self, changed_at: Timestamp, now: Timestamp) {
        if !self.serves_change(changed_at, now) {
            *self = Self { began_at: Some(now), begun_for: changed_at.min(now), ..Self::default() };
        }
    }

    fn serves_change(&self, changed_at: Timestamp, now: Timestamp) -> bool {
        let Some(began_at) = self.began_at else { return false };
        let is_current = began_at <= now && now <= began_at.plus(INVENTORY_LIFETIME);
        is_current && (changed_at <= self.begun_for || changed_at < began_at.minus(LISTING_MARGIN))
    }

    pub(super) fn has_all_clusters(&self) -> bool {
        self.has_all_clusters
    }

    /// Whether nothing at all is known of the Region.
    pub(super) fn is_empty(&self) -> bool {
        self.clusters.is_empty() && !self.has_all_clusters
    }

    /// The clusters whose managed daemons are still to be listed.
    pub(super) fn clusters_without_daemon_list(&self) -> Vec<String> {
        let mut unlisted = Vec::new();
        for cluster in self.clusters.keys() {
            if !self.daemons.contains_key(cluster) {
                unlisted.push(cluster.clone());
            }
        }
        unlisted
    }

    /// The ARNs of all managed daemons that are known.
    pub(super) fn daemons(&self) -> Vec<String> {
        self.daemons.values().flatten().cloned().collect()
    }

    /// Sets all managed daemons of a cluster.
    pub(super) fn set_daemons(&mut self, cluster: &str, daemons: Vec<String>) {
        self.daemons.insert(cluster.to_owned(), daemons);
    }

    /// The clusters whose services are still to be listed.
    pub(super) fn unlisted_clusters(&self) -> Vec<String> {
        let mut unlisted = Vec::new();
        for (cluster, services) in &self.clusters {
            if services.is_none() {
                unlisted.push(cluster.clone());
            }
        }
        unlisted
    }

    /// The services that are still to be described, by cluster and ARN.
    pub(super) fn undescribed_services(&self) -> BTreeSet<(String, String)> {
        let mut undescribed = BTreeSet::new();
        for (cluster, services) in &self.clusters {
            for service in services.iter().flatten() {
                if !self.descriptions.contains_key(service) {
                    undescribed.insert((cluster.clone(), service.clone()));
                }
            }
        }
        undescribed
    }

    /// The services, as they were described last.
    pub(super) fn descriptions(&self) -> impl Iterator<Item = &DescribedAt> {
        self.descriptions.values()
    }

    /// Adds clusters. `all` says whether no cluster is missing now.
    pub(super) fn add_clusters(&mut self, clusters: Vec<String>, all: bool) {
        for cluster in clusters {
            self.clusters.entry(cluster).or_default();
        }
        self.has_all_clusters = all;
    }

    /// Sets all services of a cluster.
    pub(super) fn set_services(&mut self, cluster: &str, services: Vec<String>) {
        self.clusters.insert(cluster.to_owned(), Some(services.into_iter().collect()));
    }

    /// Sets the description of a service.
    pub(super) fn set_description(&mut self, service: &str, description: DescribedAt) {
        self.descriptions.insert(service.to_owned(), description);
    }

    /// Removes a service that no longer exists.
    pub(super) fn remove_service(&mut self, service: &str) {
        self.descriptions.remove(service);
        for services in self.clusters.values_mut().flatten() {
            services.remove(service);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1_000)
    }

    /// Whether an inventory that was begun at 100 for a change at 99 still stands after another look.
    fn stands(since: i64, now: i64) -> bool {
        let mut inventory = ServiceInventory::default();
        inventory.renew(at(99), at(100));
        inventory.add_clusters(vec!["c".to_owned()], true);
        inventory.renew(at(since), at(now));
        inventory.has_all_clusters()
    }

    #[test]
    fn it_serves_the_change_it_was_begun_for_and_those_well_before() {
        assert!(stands(99, 100) && stands(97, 200) && stands(0, 3_700));
        assert!(!stands(100, 101) && !stands(101, 102) && !stands(0, 3_701));
        // A clock that goes back, and an event from the future.
        assert!(!stands(0, 99) && !stands(5_000, 101));
    }

    #[test]
    fn an_event_from_the_future_does_not_make_it_last_for_ever() {
        let mut inventory = ServiceInventory::default();
        inventory.renew(at(9_000), at(100));
        inventory.add_clusters(Vec::new(), true);
        inventory.renew(at(150), at(151));
        assert!(!inventory.has_all_clusters());
    }

    #[test]
    fn what_is_missing_is_what_was_not_noted() {
        let mut inventory = ServiceInventory::default();
        inventory.renew(at(99), at(100));
        inventory.add_clusters(vec!["a".to_owned(), "b".to_owned()], false);
        inventory.set_services("a", vec!["x".to_owned(), "y".to_owned()]);
        let look = DescribedAt { at: at(100), described: DescribedService::default() };
        inventory.set_description("x", look);
        // Listing again forgets nothing.
        inventory.add_clusters(vec!["a".to_owned()], true);
        assert_eq!(inventory.unlisted_clusters(), ["b"]);
        assert_eq!(inventory.undescribed_services(), BTreeSet::from([("a".to_owned(), "y".to_owned())]));
        inventory.remove_service("y");
        assert!(inventory.undescribed_services().is_empty() && inventory.has_all_clusters());
    }
}
