//! Surveying a Region: what the inventory lacks is listed and described, and the task definitions are read meanwhile.
//!
//! Pages of `ListServices` are at most 100, `DescribeServices` takes at most 10 services of one cluster and reports what
//! it could not describe in `failures[]` (API reference of ECS).

use std::collections::{BTreeMap, BTreeSet};

use futures_channel::mpsc::unbounded;
use futures_util::future::join;

use super::RegionDiscovery;
use super::cache::RegionCache;
use super::gaps::{DiscoveryFailures, FailedLookup};
use super::inventory::DescribedAt;
use crate::error::{EngineError, word};
use crate::pace::EcsCallFamily;
use crate::parallel::parallel;
use crate::port::{AwsPort, DescribedService};

/// How many calls of a family run at the same time.
pub(super) const PARALLEL: usize = 8;
/// How many services `DescribeServices` takes.
const DESCRIBED_AT_ONCE: usize = 10;

/// What came of looking at a service.
#[derive(Debug)]
pub(super) enum DescribeOutcome {
    /// It is like this.
    Known(Box<DescribedAt>),
    /// There is no such service.
    Gone,
    /// It could not be described, and why.
    Unknown(String),
}

impl<A: AwsPort> RegionDiscovery<'_, A> {
    /// Fills in what the inventory lacks. What is learned stays, whatever else fails.
    pub(super) async fn survey(&self, place: &RegionCache, gaps: &mut DiscoveryFailures) {
        let complete = place.inventory().has_all_clusters();
        if !complete {
            let (clusters, error) = self.clusters(place).await;
            place.inventory().note_clusters(clusters, error.is_none());
            gaps.failed(FailedLookup::Clusters, self.region.name(), error.map_or(Ok(()), Err));
        }
        let unlisted = place.inventory().unlisted();
        let listed = parallel(unlisted.iter().map(|cluster| self.services(place, cluster)), PARALLEL).await;
        for (cluster, services) in unlisted.iter().zip(listed) {
            if let Some(services) = gaps.failed(FailedLookup::Cluster, cluster, services) {
                place.inventory().note_services(cluster, services);
            }
        }
        let (undescribed, unread) = {
            let (inventory, known) = (place.inventory(), self.cache.definitions());
            let definitions = inventory.looks().flat_map(|look| &look.described.task_definitions);
            let unread = definitions.filter(|arn| !known.contains_key(*arn)).cloned().collect();
            (inventory.undescribed(), unread)
        };
        self.describe(place, undescribed, unread, gaps).await;
    }

    /// Describes services, each by cluster and ARN, and reads their task definitions and those of `also` meanwhile.
    pub(super) async fn describe(
        &self,
        place: &RegionCache,
        services: BTreeSet<(String, String)>,
        also: BTreeSet<String>,
        gaps: &mut DiscoveryFailures,
    ) -> BTreeMap<String, DescribeOutcome> {
        let (found, unread) = unbounded();
        let tens = &tens(services);
        let describing = async move {
            // The other end is gone only when nobody reads any more.
            let want = |arn: &String| drop(found.unbounded_send(arn.clone()));
            also.iter().for_each(want);
            let calls = tens.iter().map(|(cluster, arns)| async {
                let seen = self.describe_ten(place, cluster, arns).await;
                for seen in &seen {
                    if let DescribeOutcome::Known(look) = seen {
                        look.described.task_definitions.iter().for_each(want);
                    }
                }
                arns.iter().cloned().zip(seen)
            });
            parallel(calls, PARALLEL).await
        };
        let (seen, unread) = join(describing, self.read(place, unread)).await;
        for (arn, error) in unread {
            gaps.note(FailedLookup::Definition, &arn, &error);
        }
        let seen: BTreeMap<String, DescribeOutcome> = seen.into_iter().flatten().collect();
        let mut inventory = place.inventory();
        for (arn, seen) in &seen {
            match seen {
                DescribeOutcome::Known(look) => inventory.note_look(arn, (**look).clone()),
                DescribeOutcome::Gone => inventory.note_gone(arn),
                DescribeOutcome::Unknown(why) => gaps.note(FailedLookup::Service, arn, why),
            }
        }
        seen
    }

    async fn describe_ten(
        &self,
        place: &RegionCache,
        cluster: &str,
        arns: &[String],
    ) -> Vec<DescribeOutcome> {
        if let Err(error) = self.turn(place, EcsCallFamily::ServiceRead).await {
            return arns.iter().map(|_| DescribeOutcome::Unknown(error.to_string())).collect();
        }
        let at = self.aws.now();
        let answer = match self.aws.describe_services(self.region, cluster, arns, self.until).await {
            Ok(answer) => answer,
            Err(error) if is_gone(&error) => return arns.iter().map(|_| DescribeOutcome::Gone).collect(),
            Err(error) => return arns.iter().map(|_| DescribeOutcome::Unknown(error.to_string())).collect(),
        };
        let described = answer.services.into_iter().map(|described| (described.arn.clone(), described));
        let mut described: BTreeMap<String, DescribedService> = described.collect();
        let failures = answer.failures.into_iter().filter_map(|failure| Some((failure.arn?, failure.reason)));
        let failures: BTreeMap<String, Option<String>> = failures.collect();
        let seen = |arn: &String| match (described.remove(arn), failures.get(arn)) {
            (Some(described), _) => DescribeOutcome::Known(Box::new(DescribedAt { at, described })),
            // It was deleted after it was listed.
            (None, Some(Some(reason))) if reason == "MISSING" => DescribeOutcome::Gone,
            (None, Some(Some(reason))) => DescribeOutcome::Unknown(word(reason)),
            (None, _) => DescribeOutcome::Unknown("ECS does not say why".to_owned()),
        };
        arns.iter().map(seen).collect()
    }

    /// All clusters; those that were listed before an error, with it.
    async fn clusters(&self, place: &RegionCache) -> (Vec<String>, Option<EngineError>) {
        let (mut arns, mut token) = (Vec::new(), None::<String>);
        loop {
            if let Err(error) = self.turn(place, EcsCallFamily::ClusterRead).await {
                return (arns, Some(error));
            }
            match self.aws.list_clusters(self.region, token.as_deref(), self.until).await {
                Ok(page) => {
                    arns.extend(page.arns);
                    token = page.next;
                }
                Err(error) => return (arns, Some(error)),
            }
            if token.is_none() {
                return (arns, None);
            }
        }
    }

    /// All services of a cluster.
    async fn services(&self, place: &RegionCache, cluster: &str) -> Result<Vec<String>, EngineError> {
        let (mut arns, mut token) = (Vec::new(), None::<String>);
        loop {
            self.turn(place, EcsCallFamily::ServiceRead).await?;
            match self.aws.list_services(self.region, cluster, token.as_deref(), self.until).await {
                Ok(page) => {
                    arns.extend(page.arns);
                    token = page.next;
                }
                // It was deleted after it was listed.
                Err(error) if is_gone(&error) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
            if token.is_none() {
                return Ok(arns);
            }
        }
    }

    pub(super) async fn turn(&self, place: &RegionCache, family: EcsCallFamily) -> Result<(), EngineError> {
        place.pace.turn(family, self.aws, self.until).await
    }
}

fn is_gone(error: &EngineError) -> bool {
    matches!(error, EngineError::Call { failure, .. } if failure.is("ClusterNotFoundException"))
}

/// The services, ten of a cluster at a time.
fn tens(services: BTreeSet<(String, String)>) -> Vec<(String, Vec<String>)> {
    let mut clusters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (cluster, service) in services {
        clusters.entry(cluster).or_default().push(service);
    }
    let tens = clusters.iter().flat_map(|(cluster, services)| {
        services.chunks(DESCRIBED_AT_ONCE).map(|ten| (cluster.clone(), ten.to_vec()))
    });
    tens.collect()
}
