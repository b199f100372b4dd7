//! An inventory: the services of a Region as they were when somebody looked, and whether that is late enough.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::time::{Span, Timestamp};

use crate::port::DescribedService;

/// What is known of a Region's services. It fills part by part: what could not be learned is asked for again, what was
/// learned is not.
#[derive(Debug, Default)]
pub(super) struct ServiceInventory {
    /// When its listing began.
    began: Option<Timestamp>,
    /// The latest change that it was begun for.
    begun_for: Timestamp,
    /// Whether all clusters are in it.
    all_clusters: bool,
    /// The services of each cluster, where they could be listed.
    clusters: BTreeMap<String, Option<BTreeSet<String>>>,
    looks: BTreeMap<String, DescribedAt>,
}

/// A service as it was described at an instant.
#[derive(Clone, Debug)]
pub(super) struct DescribedAt {
    /// When it was asked for.
    pub(super) at: Timestamp,
    /// What ECS said.
    pub(super) described: DescribedService,
}

/// How much later than a change a listing must begin: instants in events are cut to whole seconds, and ECS is eventually
/// consistent.
const MARGIN: Span = Span::from_secs(2);
/// How long an inventory is used: tags and clusters change without a deployment.
const KEPT: Span = Span::from_secs(3_600);

impl ServiceInventory {
    /// Begins anew, unless this one is late enough for a change at `since`.
    ///
    /// A service that begins to use the secret after the listing gets a new deployment by that, which is newer than the
    /// change: that it is missing here does no harm. The listing that was begun for a change serves this change ever
    /// after: nothing better could be had when it was answered first.
    pub(super) fn renew(&mut self, since: Timestamp, now: Timestamp) {
        let serves = self.began.is_some_and(|began| {
            let late_enough = since <= self.begun_for || since < began.minus(MARGIN);
            late_enough && began <= now && now <= began.plus(KEPT)
        });
        if !serves {
            *self = Self { began: Some(now), begun_for: since.min(now), ..Self::default() };
        }
    }

    pub(super) fn has_all_clusters(&self) -> bool {
        self.all_clusters
    }

    /// Whether it says nothing at all of the Region.
    pub(super) fn is_blind(&self) -> bool {
        self.clusters.is_empty() && !self.all_clusters
    }

    /// The clusters whose services are still to be listed.
    pub(super) fn unlisted(&self) -> Vec<String> {
        let clusters = self.clusters.iter();
        clusters.filter(|(_, services)| services.is_none()).map(|(cluster, _)| cluster.clone()).collect()
    }

    /// The services that are still to be described, by cluster.
    pub(super) fn undescribed(&self) -> BTreeSet<(String, String)> {
        let listed = self
            .clusters
            .iter()
            .flat_map(|(cluster, services)| services.iter().flatten().map(move |service| (cluster, service)));
        let unknown = listed.filter(|(_, service)| !self.looks.contains_key(*service));
        unknown.map(|(cluster, service)| (cluster.clone(), service.clone())).collect()
    }

    /// The services, as they were described last.
    pub(super) fn looks(&self) -> impl Iterator<Item = &DescribedAt> {
        self.looks.values()
    }

    /// Notes clusters, and whether that is all of them.
    pub(super) fn note_clusters(&mut self, clusters: Vec<String>, all: bool) {
        for cluster in clusters {
            self.clusters.entry(cluster).or_default();
        }
        self.all_clusters = all;
    }

    /// Notes all services of a cluster.
    pub(super) fn note_services(&mut self, cluster: &str, services: Vec<String>) {
        self.clusters.insert(cluster.to_owned(), Some(services.into_iter().collect()));
    }

    /// Notes what a service is like.
    pub(super) fn note_look(&mut self, service: &str, look: DescribedAt) {
        self.looks.insert(service.to_owned(), look);
    }

    /// Notes that a service is gone.
    pub(super) fn note_gone(&mut self, service: &str) {
        self.looks.remove(service);
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
        inventory.note_clusters(vec!["c".to_owned()], true);
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
        inventory.note_clusters(Vec::new(), true);
        inventory.renew(at(150), at(151));
        assert!(!inventory.has_all_clusters());
    }

    #[test]
    fn what_is_missing_is_what_was_not_noted() {
        let mut inventory = ServiceInventory::default();
        inventory.renew(at(99), at(100));
        inventory.note_clusters(vec!["a".to_owned(), "b".to_owned()], false);
        inventory.note_services("a", vec!["x".to_owned(), "y".to_owned()]);
        let look = DescribedAt { at: at(100), described: DescribedService::default() };
        inventory.note_look("x", look);
        // Listing again forgets nothing.
        inventory.note_clusters(vec!["a".to_owned()], true);
        assert_eq!(inventory.unlisted(), ["b"]);
        assert_eq!(inventory.undescribed(), BTreeSet::from([("a".to_owned(), "y".to_owned())]));
        inventory.note_gone("y");
        assert!(inventory.undescribed().is_empty() && inventory.has_all_clusters());
    }
}
