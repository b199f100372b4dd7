//! `doctor services`: the ECS services with everything in them that may refer to a secret, as facts for the replay.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use responder_aws::ecs;
use responder_core::facts::Facts;
use responder_core::time::{Span, Timestamp};
use responder_engine::EngineError;
use responder_engine::port::{DescribedService, DescribedTaskDefinition};

use crate::aws::Aws;
use crate::now;
use crate::progress::Progress;

/// How long one call may take.
const CALL: Span = Span::from_secs(60);
/// Between two calls: ECS lets an account read 20 times a second (ECS: request throttling), and deployments need some.
const PAUSE: Duration = Duration::from_millis(100);
/// How many services `DescribeServices` takes.
const DESCRIBED_AT_ONCE: usize = 10;

/// Every service of these Regions. What could not be learned is in the facts' gaps.
pub(crate) async fn services(aws: &Aws, regions: &[String], progress: &Progress) -> Facts {
    let mut facts = Facts { now: Some(now()), services: Some(Vec::new()), ..Facts::default() };
    progress.start(regions.len());
    for region in regions {
        progress.step(region);
        let client = aws_sdk_ecs::Client::new(&aws.of(region));
        let mut land = Land { region, client, gaps: BTreeSet::new() };
        let (described, definitions) = land.walk(progress).await;
        let complete =
            described.into_iter().map(|service| service.with_definitions(|arn| definitions.get(arn)));
        facts.services.get_or_insert_default().extend(complete);
        for gap in land.gaps {
            facts.gap(&aws.account, region, gap);
        }
    }
    progress.done();
    facts
}

/// The ECS of one Region.
struct Land<'l> {
    region: &'l str,
    client: aws_sdk_ecs::Client,
    gaps: BTreeSet<String>,
}

impl Land<'_> {
    async fn walk(
        &mut self,
        progress: &Progress,
    ) -> (Vec<DescribedService>, BTreeMap<String, DescribedTaskDefinition>) {
        let (mut found, mut definitions) = (Vec::new(), BTreeMap::new());
        for cluster in self.clusters().await {
            for ten in self.services(&cluster).await.chunks(DESCRIBED_AT_ONCE) {
                let answer = ecs::describe_services(&self.client, &cluster, ten, deadline()).await;
                if let Some(answer) = self.note("a service", answer).await {
                    found.extend(answer.services);
                    // Gone since they were listed.
                    let failures = answer.failures.into_iter();
                    let unknown = failures.filter(|failure| failure.reason.as_deref() != Some("MISSING"));
                    self.gaps.extend(unknown.map(|_| "a service could not be described".to_owned()));
                }
                progress.say(format!("{}: {} services", self.region, found.len()));
            }
        }
        let wanted: BTreeSet<String> =
            found.iter().flat_map(|service| service.task_definitions.iter().cloned()).collect();
        for arn in wanted {
            let definition = ecs::describe_task_definition(&self.client, &arn, deadline()).await;
            if let Some(definition) = self.note("a task definition", definition).await {
                definitions.insert(arn, definition);
            }
        }
        (found, definitions)
    }

    async fn clusters(&mut self) -> Vec<String> {
        let (mut arns, mut token) = (Vec::new(), None::<String>);
        loop {
            let page = ecs::list_clusters(&self.client, token.as_deref(), deadline()).await;
            let Some(page) = self.note("the clusters", page).await else { return arns };
            arns.extend(page.arns);
            token = page.next_token;
            if token.is_none() {
                return arns;
            }
        }
    }

    async fn services(&mut self, cluster: &str) -> Vec<String> {
        let (mut arns, mut token) = (Vec::new(), None::<String>);
        loop {
            let page = ecs::list_services(&self.client, cluster, token.as_deref(), deadline()).await;
            let Some(page) = self.note("the services of a cluster", page).await else { return arns };
            arns.extend(page.arns);
            token = page.next_token;
            if token.is_none() {
                return arns;
            }
        }
    }

    /// What failed is a gap.
    async fn note<T>(&mut self, what: &str, answer: Result<T, EngineError>) -> Option<T> {
        tokio::time::sleep(PAUSE).await;
        answer.map_err(|error| self.gaps.insert(format!("{what} could not be read: {error}"))).ok()
    }
}

fn deadline() -> Timestamp {
    now().plus(CALL)
}
