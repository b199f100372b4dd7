//! A fleet on ECS for unit tests: many services in memory, behind the engine's port, on a clock that only waits
//! move. Every call is counted and takes its time.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use crate::port::{
    ArnPage, AwsPort, DescribedDaemon, DescribedDaemonRevision, DescribedService, DescribedServices,
    DescribedTaskDefinition, FoundItems, ItemKey, ItemPage, ItemUpdate, Region, SecretPage, SortKeyRange,
    TableItem, UndescribedService, WriteResult,
};
use crate::test_clock::TestClock;
use crate::{CallFailure, EngineError, FailureCause};
use responder_core::aws::ecs_service::EcsDeployment;
use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
use responder_core::notify::Notification;
use responder_core::text::Untrusted;
use responder_core::time::{Span, Timestamp};

/// The account, Region and partition of everything.
const PLACE: &str = "us-west-2:111122223333";

/// The calls that only describe services once more.
pub(crate) const AGAIN: &str = "DescribeServices, once more";

/// The fleet.
#[derive(Debug)]
pub(crate) struct Fleet {
    /// Services by cluster.
    pub(crate) clusters: RefCell<BTreeMap<String, Vec<DescribedService>>>,
    /// Task definitions by ARN.
    pub(crate) definitions: RefCell<BTreeMap<String, DescribedTaskDefinition>>,
    /// Clusters, services and task definitions that cannot be looked at, and whether the ledger cannot: `ledger`.
    pub(crate) hidden: RefCell<BTreeSet<String>>,
    /// How long a call takes.
    pub(crate) latency: Span,
    /// Whether who wants to wait has to; calls take their time in any case.
    pub(crate) waits: bool,
    /// The calls so far, by operation; [`AGAIN`] are among those of `DescribeServices`.
    pub(crate) calls: RefCell<BTreeMap<&'static str, usize>>,
    /// How many of them ECS would have throttled.
    pub(crate) throttled: Cell<usize>,
    /// The ledger.
    pub(crate) table: RefCell<BTreeMap<ItemKey, TableItem>>,
    /// The services that were described since somebody emptied this.
    pub(crate) described: RefCell<BTreeSet<String>>,
    clock: TestClock,
    buckets: RefCell<BTreeMap<&'static str, i64>>,
}

impl Default for Fleet {
    /// Nothing is there, and calls take no time.
    fn default() -> Self {
        Self {
            clusters: RefCell::default(),
            definitions: RefCell::default(),
            hidden: RefCell::default(),
            latency: Span::default(),
            waits: true,
            calls: RefCell::default(),
            throttled: Cell::default(),
            table: RefCell::default(),
            described: RefCell::default(),
            clock: TestClock::at(Timestamp::from_millis(1_800_000_000_000)),
            buckets: RefCell::default(),
        }
    }
}

/// The ARN of a secret.
pub(crate) fn secret(number: usize) -> String {
    format!("arn:aws:secretsmanager:{PLACE}:secret:db-{number:03}-a1B2c3")
}

impl Fleet {
    /// Clusters of these sizes; revision after revision is used by one service after the other, and uses one of the
    /// secrets in turn.
    pub(crate) fn of(sizes: &[usize], revisions: usize, secrets: usize) -> Self {
        let fleet = Self::default();
        let mut numbers = 0..;
        for (index, size) in sizes.iter().enumerate() {
            let cluster = format!("arn:aws:ecs:{PLACE}:cluster/c{index:02}");
            let services = numbers.by_ref().take(*size).map(|number| {
                let arn = format!("arn:aws:ecs:{PLACE}:service/c{index:02}/s{number:04}");
                described(arn, &cluster, &definition_arn(number % revisions))
            });
            fleet.clusters.borrow_mut().insert(cluster.clone(), services.collect());
        }
        for number in 0..revisions {
            let value = Untrusted::new(secret(number % secrets));
            let references = vec![SecretReference { kind: ReferenceKind::ContainerSecret, value }];
            let definition = DescribedTaskDefinition { references, ..DescribedTaskDefinition::default() };
            fleet.definitions.borrow_mut().insert(definition_arn(number), definition);
        }
        fleet
    }

    /// Runs a future; time passes only while everything waits.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.clock.block_on(future)
    }

    /// Counts a call, and lets it take its time.
    async fn call(&self, operation: &'static str) {
        *self.calls.borrow_mut().entry(operation).or_default() += 1;
        self.throttle(operation);
        self.pass(self.latency).await;
    }

    async fn pass(&self, span: Span) {
        self.clock.sleep(span).await;
    }

    /// Counts what is beyond ECS's limits: a burst, and a rate a second ("Request throttling" in ECS's API reference).
    fn throttle(&self, operation: &'static str) {
        let (family, window_match, rate) = match operation {
            "ListServices" | "DescribeServices" => ("services", 100, 20),
            "DescribeTaskDefinition" => ("definitions", 50, 20),
            "ListClusters" => ("clusters", 50, 20),
            "UpdateService" => ("modify", 50, 5),
            _ => return,
        };
        let (now, each) = (self.clock.now().millis(), 1_000 / rate);
        let mut buckets = self.buckets.borrow_mut();
        let full = buckets.entry(family).or_default();
        let next = (*full).max(now) + each;
        if next > now + window_match * each {
            self.throttled.set(self.throttled.get() + 1);
        } else {
            *full = next;
        }
    }

    fn is_hidden(&self, name: &str) -> bool {
        self.hidden.borrow().contains(name)
    }

    fn seen(&self, name: &str, service: &'static str, operation: &'static str) -> Result<(), EngineError> {
        let code = Some("AccessDeniedException".to_owned());
        let failure = CallFailure { cause: FailureCause::ServiceError, code };
        if self.is_hidden(name) {
            Err(EngineError::CallFailed { service, operation, failure })
        } else {
            Ok(())
        }
    }
}

/// A service whose deployment is older than every change.
fn described(arn: String, cluster: &str, definition: &str) -> DescribedService {
    let created_at = Timestamp::from_millis(1_700_000_000_000);
    DescribedService {
        arn,
        cluster: cluster.to_owned(),
        status: "ACTIVE".to_owned(),
        controller: "ECS".to_owned(),
        primary: Some(EcsDeployment { id: "ecs-svc/1".to_owned(), created_at, ..EcsDeployment::default() }),
        task_definitions: BTreeSet::from([definition.to_owned()]),
        ..DescribedService::default()
    }
}

/// The ARN of a revision.
pub(crate) fn definition_arn(number: usize) -> String {
    format!("arn:aws:ecs:{PLACE}:task-definition/f{number:04}:7")
}

impl AwsPort for Fleet {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, span: Span) {
        if self.waits {
            self.pass(span).await;
        }
    }

    fn print_line(&self, _: &str) {}

    async fn update_item(&self, update: &ItemUpdate, _: Timestamp) -> Result<WriteResult, EngineError> {
        self.call("UpdateItem").await;
        self.seen("ledger", "dynamodb", "UpdateItem")?;
        let mut table = self.table.borrow_mut();
        let known = table.get(&update.key).cloned();
        if !update.condition.holds(known.as_ref()) {
            return Ok(WriteResult::ConditionFailed(known));
        }
        table.insert(update.key.clone(), update.apply(known));
        Ok(WriteResult::Written)
    }

    async fn get_items(&self, keys: &[ItemKey], _: Timestamp) -> Result<FoundItems, EngineError> {
        self.call("BatchGetItem").await;
        self.seen("ledger", "dynamodb", "BatchGetItem")?;
        let table = self.table.borrow();
        Ok(FoundItems {
            items: keys.iter().filter_map(|key| table.get(key).cloned()).collect(),
            unprocessed_keys: Vec::new(),
        })
    }

    async fn query_items(&self, range: &SortKeyRange, _: Timestamp) -> Result<ItemPage, EngineError> {
        self.call("Query").await;
        self.seen("ledger", "dynamodb", "Query")?;
        let table = self.table.borrow();
        let inside = |key: &ItemKey| key.pk == range.pk && key.sk >= range.from && key.sk <= range.to;
        let items = table.values().filter(|item| inside(&item.key)).cloned().collect();
        Ok(ItemPage { items, next_key: None })
    }

    async fn list_clusters(
        &self,
        _: &Region,
        token: Option<&str>,
        _: Timestamp,
    ) -> Result<ArnPage, EngineError> {
        self.call("ListClusters").await;
        self.seen("clusters", "ecs", "ListClusters")?;
        Ok(listed(self.clusters.borrow().keys(), token))
    }

    async fn list_services(
        &self,
        _: &Region,
        cluster: &str,
        token: Option<&str>,
        _: Timestamp,
    ) -> Result<ArnPage, EngineError> {
        self.call("ListServices").await;
        self.seen(cluster, "ecs", "ListServices")?;
        let clusters = self.clusters.borrow();
        let services = clusters.get(cluster).ok_or_else(|| no_cluster("ListServices"))?;
        Ok(listed(services.iter().map(|service| &service.arn), token))
    }

    async fn describe_services(
        &self,
        _: &Region,
        cluster: &str,
        services: &[String],
        _: Timestamp,
    ) -> Result<DescribedServices, EngineError> {
        self.call("DescribeServices").await;
        let new = services.iter().filter(|arn| self.described.borrow_mut().insert((*arn).clone())).count();
        if new == 0 {
            *self.calls.borrow_mut().entry(AGAIN).or_default() += 1;
        }
        let clusters = self.clusters.borrow();
        let known = clusters.get(cluster).ok_or_else(|| no_cluster("DescribeServices"))?;
        let mut answer = DescribedServices::default();
        for arn in services {
            let found = known.iter().find(|service| service.arn == *arn).filter(|_| !self.is_hidden(arn));
            let reason = if self.is_hidden(arn) { "HIDDEN <b>" } else { "MISSING" };
            let failure = UndescribedService { arn: Some(arn.clone()), reason: Some(reason.to_owned()) };
            match found {
                Some(service) => answer.services.push(service.clone()),
                None => answer.failures.push(failure),
            }
        }
        Ok(answer)
    }

    async fn describe_task_definition(
        &self,
        _: &Region,
        arn: &str,
        _: Timestamp,
    ) -> Result<DescribedTaskDefinition, EngineError> {
        self.call("DescribeTaskDefinition").await;
        self.seen(arn, "ecs", "DescribeTaskDefinition")?;
        Ok(self.definitions.borrow().get(arn).cloned().unwrap_or_default())
    }

    async fn list_daemons(
        &self,
        _: &Region,
        _: &str,
        _: Option<&str>,
        _: Timestamp,
    ) -> Result<ArnPage, EngineError> {
        Ok(ArnPage::default())
    }

    async fn describe_daemon(
        &self,
        _: &Region,
        _: &str,
        _: Timestamp,
    ) -> Result<DescribedDaemon, EngineError> {
        Ok(DescribedDaemon::default())
    }

    async fn describe_daemon_revisions(
        &self,
        _: &Region,
        _: &[String],
        _: Timestamp,
    ) -> Result<Vec<DescribedDaemonRevision>, EngineError> {
        Ok(Vec::new())
    }

    async fn describe_daemon_task_definition(
        &self,
        _: &Region,
        _: &str,
        _: Timestamp,
    ) -> Result<DescribedTaskDefinition, EngineError> {
        Ok(DescribedTaskDefinition::default())
    }

    async fn describe_secret(
        &self,
        _: &Region,
        id: &str,
        _: Timestamp,
    ) -> Result<SecretMetadata, EngineError> {
        self.call("DescribeSecret").await;
        let current = BTreeSet::from(["AWSCURRENT".to_owned()]);
        let versions = BTreeMap::from([("new".to_owned(), current)]);
        Ok(SecretMetadata { arn: id.to_owned(), versions, ..SecretMetadata::default() })
    }

    async fn list_secrets(
        &self,
        _: &Region,
        _: Option<&str>,
        _: Timestamp,
    ) -> Result<SecretPage, EngineError> {
        self.call("ListSecrets").await;
        Ok(SecretPage::default())
    }

    async fn force_deployment(
        &self,
        _: &Region,
        _: &str,
        _: &str,
        _: Timestamp,
    ) -> Result<Option<String>, EngineError> {
        self.call("UpdateService").await;
        Ok(None)
    }

    async fn publish_chat(&self, _: &Notification, _: Timestamp) -> Result<(), EngineError> {
        Ok(())
    }

    async fn publish_page(&self, _: &Notification, _: &str, _: Timestamp) -> Result<(), EngineError> {
        self.call("Publish").await;
        Ok(())
    }
}

fn no_cluster(operation: &'static str) -> EngineError {
    let failure =
        CallFailure { cause: FailureCause::ServiceError, code: Some("ClusterNotFoundException".to_owned()) };
    EngineError::CallFailed { service: "ecs", operation, failure }
}

/// A page of at most 100.
fn listed<'a>(arns: impl Iterator<Item = &'a String>, token: Option<&str>) -> ArnPage {
    let from: usize = token.and_then(|token| token.parse().ok()).unwrap_or_default();
    let mut left = arns.skip(from).cloned().peekable();
    let arns = left.by_ref().take(100).collect();
    ArnPage { arns, next_token: left.peek().map(|_| (from + 100).to_string()) }
}
