//! Describes services, and reads their task definitions at the same time.
//!
//! `DescribeServices` takes at most 10 services of one cluster, and reports the services that it could not describe in
//! `failures[]` (API reference of ECS).

use std::collections::{BTreeMap, BTreeSet};

use futures_channel::mpsc::{UnboundedSender, unbounded};
use futures_util::future::join;

use super::discovery_failures::{DiscoveryFailures, FailedLookup};
use super::process_cache::RegionCache;
use super::region_discovery::{MAX_PARALLEL_CALLS, RegionDiscovery, is_cluster_missing};
use super::service_inventory::DescribedAt;
use crate::error::sanitize_code;
use crate::port::{AwsPort, DescribedService, DescribedServices};
use crate::rate_limit::EcsCallFamily;
use crate::run_parallel::run_parallel;

/// How many services `DescribeServices` takes.
const MAX_SERVICES_OF_DESCRIBE: usize = 10;

/// The outcome of describing one service.
#[derive(Debug)]
pub(super) enum DescribeOutcome {
    /// The description.
    Described(Box<DescribedAt>),
    /// There is no such service.
    Missing,
    /// ECS did not describe it, and why.
    Failed(String),
}

/// Services of one cluster that are described by one call.
struct DescribeBatch {
    cluster: String,
    services: Vec<String>,
}

impl<A: AwsPort> RegionDiscovery<'_, A> {
    /// Describes services, each given by cluster and ARN, and returns the outcomes by ARN. The descriptions stay in the
    /// inventory.
    ///
    /// Two tasks run side by side, connected by a channel: the first describes services and sends the ARN of each task
    /// definition that it finds; the second reads the definitions that it receives, beginning with `more_definitions`. So
    /// 3,000 definitions do not wait for 5,000 services.
    pub(super) async fn describe_services(
        &self,
        region_cache: &RegionCache,
        services: BTreeSet<(String, String)>,
        more_definitions: BTreeSet<String>,
        failures: &mut DiscoveryFailures,
    ) -> BTreeMap<String, DescribeOutcome> {
        let (definition_sender, definition_receiver) = unbounded();
        let describing = async move {
            for arn in more_definitions {
                send_definition(&definition_sender, &arn);
            }
            let batches = split_into_batches(services);
            let calls =
                batches.iter().map(|batch| self.describe_batch(region_cache, batch, &definition_sender));
            run_parallel(calls, MAX_PARALLEL_CALLS).await
            // The sender is dropped here, which ends the reading of definitions.
        };
        let reading = self.read_definitions(region_cache, definition_receiver);
        let (described, unread_definitions) = join(describing, reading).await;
        for (arn, error) in unread_definitions {
            failures.add_failure(FailedLookup::Definition, &arn, &error);
        }
        let mut inventory = region_cache.inventory();
        let mut outcomes = BTreeMap::new();
        for (arn, outcome) in described.into_iter().flatten() {
            match &outcome {
                DescribeOutcome::Described(description) => {
                    inventory.set_description(&arn, (**description).clone());
                }
                DescribeOutcome::Missing => inventory.remove_service(&arn),
                DescribeOutcome::Failed(why) => failures.add_failure(FailedLookup::Service, &arn, why),
            }
            outcomes.insert(arn, outcome);
        }
        outcomes
    }

    /// Describes the services of a batch, and sends the ARNs of their task definitions.
    async fn describe_batch(
        &self,
        region_cache: &RegionCache,
        batch: &DescribeBatch,
        definition_sender: &UnboundedSender<String>,
    ) -> Vec<(String, DescribeOutcome)> {
        if let Err(error) = self.wait_for_call(region_cache, EcsCallFamily::ServiceRead).await {
            return batch.same_outcome_for_all(|| DescribeOutcome::Failed(error.to_string()));
        }
        let at = self.aws.now();
        let DescribeBatch { cluster, services } = batch;
        let answer = match self.aws.describe_services(self.region, cluster, services, self.until).await {
            Ok(answer) => answer,
            Err(error) if is_cluster_missing(&error) => {
                return batch.same_outcome_for_all(|| DescribeOutcome::Missing);
            }
            Err(error) => return batch.same_outcome_for_all(|| DescribeOutcome::Failed(error.to_string())),
        };
        for described in &answer.services {
            for arn in &described.task_definitions {
                send_definition(definition_sender, arn);
            }
        }
        let mut answers = AnswersByArn::new(answer);
        let mut outcomes = Vec::new();
        for arn in services {
            let outcome = match answers.described.remove(arn) {
                Some(described) => DescribeOutcome::Described(Box::new(DescribedAt { at, described })),
                None => answers.explain_failure(arn),
            };
            outcomes.push((arn.clone(), outcome));
        }
        outcomes
    }
}

/// Sends the ARN of a task definition. The receiver is gone only if nobody reads definitions any more.
fn send_definition(sender: &UnboundedSender<String>, arn: &str) {
    drop(sender.unbounded_send(arn.to_owned()));
}

impl DescribeBatch {
    fn same_outcome_for_all(
        &self,
        make_outcome: impl Fn() -> DescribeOutcome,
    ) -> Vec<(String, DescribeOutcome)> {
        self.services.iter().map(|arn| (arn.clone(), make_outcome())).collect()
    }
}

/// An answer of `DescribeServices`, by ARN.
struct AnswersByArn {
    described: BTreeMap<String, DescribedService>,
    failure_reasons: BTreeMap<String, Option<String>>,
}

impl AnswersByArn {
    fn new(answer: DescribedServices) -> Self {
        let mut answers = Self { described: BTreeMap::new(), failure_reasons: BTreeMap::new() };
        for described in answer.services {
            answers.described.insert(described.arn.clone(), described);
        }
        for failure in answer.failures {
            if let Some(arn) = failure.arn {
                answers.failure_reasons.insert(arn, failure.reason);
            }
        }
        answers
    }

    /// The outcome for a service that is not among the described ones.
    fn explain_failure(&self, arn: &str) -> DescribeOutcome {
        match self.failure_reasons.get(arn) {
            // Somebody deleted the service after it was listed.
            Some(Some(reason)) if reason == "MISSING" => DescribeOutcome::Missing,
            Some(Some(reason)) => DescribeOutcome::Failed(sanitize_code(reason)),
            Some(None) | None => DescribeOutcome::Failed("ECS does not say why".to_owned()),
        }
    }
}

/// Splits services, each given by cluster and ARN, into batches of ten of one cluster.
fn split_into_batches(services: BTreeSet<(String, String)>) -> Vec<DescribeBatch> {
    let mut clusters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (cluster, service) in services {
        clusters.entry(cluster).or_default().push(service);
    }
    let mut batches = Vec::new();
    for (cluster, services) in &clusters {
        for ten in services.chunks(MAX_SERVICES_OF_DESCRIBE) {
            batches.push(DescribeBatch { cluster: cluster.clone(), services: ten.to_vec() });
        }
    }
    batches
}
