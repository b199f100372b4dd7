//! `doctor services`: the ECS services, with everything in them that may refer to a secret, as facts for the replay.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use responder_aws::ecs;
use responder_core::facts::Facts;
use responder_core::time::{Span, Timestamp};
use responder_engine::EngineError;
use responder_engine::port::{DescribedService, DescribedTaskDefinition};

use crate::aws_session::AwsSession;
use crate::clock::current_time;
use crate::progress::ProgressDisplay;

/// How long one call may take.
const CALL_TIMEOUT: Span = Span::from_secs(60);
/// The pause between two calls: ECS lets an account read 20 times a second (ECS: request throttling), and deployments need some of it.
const CALL_PAUSE: Duration = Duration::from_millis(100);
/// How many services one call of `DescribeServices` takes.
const SERVICES_A_CALL: usize = 10;

/// Every service of these Regions. What cannot be read is among the discovery failures of the facts.
pub(crate) async fn gather_services(
    session: &AwsSession,
    regions: &[String],
    progress: &ProgressDisplay,
) -> Facts {
    let mut facts = Facts { now: Some(current_time()), services: Some(Vec::new()), ..Facts::default() };
    progress.start_steps(regions.len());
    for region in regions {
        progress.begin_step(region);
        let client = aws_sdk_ecs::Client::new(&session.config_for(region));
        let mut ecs = RegionalEcs { region, client, failures: BTreeSet::new() };
        let services = ecs.describe_services(progress).await;
        let definitions = ecs.describe_task_definitions(&services).await;
        for service in services {
            facts.services.get_or_insert_default().push(service.with_definitions(|arn| definitions.get(arn)));
        }
        for failure in ecs.failures {
            facts.add_discovery_failure(&session.account, region, failure);
        }
    }
    progress.finish();
    facts
}

/// The ECS of one Region.
struct RegionalEcs<'r> {
    region: &'r str,
    client: aws_sdk_ecs::Client,
    /// The parts that could not be read.
    failures: BTreeSet<String>,
}

impl RegionalEcs<'_> {
    async fn describe_services(&mut self, progress: &ProgressDisplay) -> Vec<DescribedService> {
        let mut described = Vec::new();
        for cluster in self.list_clusters().await {
            for arns in self.list_services(&cluster).await.chunks(SERVICES_A_CALL) {
                let answer = ecs::describe_services(&self.client, &cluster, arns, call_deadline()).await;
                if let Some(answer) = self.note_failure("a service", answer).await {
                    described.extend(answer.services);
                    for failure in answer.failures {
                        // A missing service was deleted after it had been listed.
                        if failure.reason.as_deref() != Some("MISSING") {
                            self.failures.insert("a service could not be described".to_owned());
                        }
                    }
                }
                progress.show_message(format!("{}: {} services", self.region, described.len()));
            }
        }
        described
    }

    async fn describe_task_definitions(
        &mut self,
        services: &[DescribedService],
    ) -> BTreeMap<String, DescribedTaskDefinition> {
        let mut arns = BTreeSet::new();
        for service in services {
            arns.extend(service.task_definitions.iter().cloned());
        }
        let mut definitions = BTreeMap::new();
        for arn in arns {
            let answer = ecs::describe_task_definition(&self.client, &arn, call_deadline()).await;
            if let Some(definition) = self.note_failure("a task definition", answer).await {
                definitions.insert(arn, definition);
            }
        }
        definitions
    }

    async fn list_clusters(&mut self) -> Vec<String> {
        let mut arns = Vec::new();
        let mut token = None::<String>;
        loop {
            let page = ecs::list_clusters(&self.client, token.as_deref(), call_deadline()).await;
            let Some(page) = self.note_failure("the clusters", page).await else { return arns };
            arns.extend(page.arns);
            token = page.next_token;
            if token.is_none() {
                return arns;
            }
        }
    }

    async fn list_services(&mut self, cluster: &str) -> Vec<String> {
        let mut arns = Vec::new();
        let mut token = None::<String>;
        loop {
            let page = ecs::list_services(&self.client, cluster, token.as_deref(), call_deadline()).await;
            let Some(page) = self.note_failure("the services of a cluster", page).await else { return arns };
            arns.extend(page.arns);
            token = page.next_token;
            if token.is_none() {
                return arns;
            }
        }
    }

    /// The answer of a call. A failed call is noted, and the rest goes on.
    async fn note_failure<T>(&mut self, part: &str, answer: Result<T, EngineError>) -> Option<T> {
        tokio::time::sleep(CALL_PAUSE).await;
        match answer {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.failures.insert(format!("{part} could not be read: {error}"));
                None
            }
        }
    }
}

fn call_deadline() -> Timestamp {
    current_time().plus(CALL_TIMEOUT)
}
