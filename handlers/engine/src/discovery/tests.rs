//! Discovery against a fleet in memory: how many calls it makes, what it finds again, and what it says of what it cannot.

use responder_core::aws::ecs_arn::ClusterArn;
use responder_core::aws::ecs_service::EcsDeployment;
use responder_core::settings::DeploymentRisk;
use responder_core::text::Untrusted;

use std::collections::{BTreeMap, BTreeSet};

use responder_core::aws::secret_ref::SecretRef;
use responder_core::settings::Settings;
use responder_core::time::Span;

use super::request::DiscoveryResult;
use super::*;
use crate::deadline::Deadline;
use crate::fleet::{self, AGAIN, Fleet};
use crate::port::{AwsPort as _, Region};
use crate::store::Ledger;

/// A process with its cache, in front of a fleet.
struct Process<'f> {
    fleet: &'f Fleet,
    cache: ProcessCache,
    settings: Settings,
}

impl<'f> Process<'f> {
    fn new(fleet: &'f Fleet) -> Self {
        fleet.described.borrow_mut().clear();
        Self { fleet, cache: ProcessCache::default(), settings: Settings::default() }
    }

    /// Looks for what is wanted within a time; returns what was learned and the calls that it took.
    fn look_within(&self, wanted: &DiscoveryRequest, time: Span) -> (DiscoveryResult, Calls) {
        let before = self.fleet.calls.borrow().clone();
        let (region, now) = (Region::parse("us-west-2").unwrap(), self.fleet.now());
        let deadline = Deadline::from_invocation(
            now.plus(time).plus(Span::from_secs(1)),
            time.max(Span::from_secs(4)),
            now,
        );
        let ledger = Ledger::new(self.fleet, "me", time, deadline, &self.settings);
        let discovery = RegionDiscovery {
            aws: self.fleet,
            region: &region,
            cache: &self.cache,
            ledger: &ledger,
            settings: &self.settings,
            until: now.plus(time),
        };
        let land = self.fleet.block_on(discovery.find_services(wanted));
        let mut calls = self.fleet.calls.borrow().clone();
        calls.retain(|operation, count| {
            *count -= before.get(operation).unwrap_or(&0);
            *count > 0
        });
        (land, Calls(calls))
    }

    fn look(&self, wanted: &DiscoveryRequest) -> (DiscoveryResult, Calls) {
        self.look_within(wanted, Span::from_secs(900))
    }

    /// Looks for the users of the secret 0 that changed so many seconds ago.
    fn users(&self, ago: i64) -> (DiscoveryResult, Calls) {
        self.look(&self.changed(0, ago))
    }

    fn changed(&self, secret: usize, ago: i64) -> DiscoveryRequest {
        let secret = SecretRef::from_arn(&fleet::secret(secret)).unwrap();
        DiscoveryRequest {
            secrets: vec![(secret, self.fleet.now().minus(Span::from_secs(ago)))],
            services: Vec::new(),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Calls(BTreeMap<&'static str, usize>);

impl Calls {
    /// `ListClusters`, `ListServices`, `DescribeServices`, `DescribeTaskDefinition`.
    fn ecs(&self) -> [usize; 4] {
        ["ListClusters", "ListServices", "DescribeServices", "DescribeTaskDefinition"]
            .map(|name| self.of(name))
    }

    fn of(&self, operation: &str) -> usize {
        self.0.get(operation).copied().unwrap_or_default()
    }
}

fn arns(land: &DiscoveryResult) -> Vec<&str> {
    let services = land.services.as_deref().unwrap();
    services.iter().map(|service| service.arn.rsplit('/').next().unwrap()).collect()
}

fn pass(fleet: &Fleet, secs: i64) {
    fleet.block_on(fleet.sleep(Span::from_secs(secs)));
}

/// Two clusters of 15 and 8 services with 6 revisions, of which every third uses the secret 0.
fn small() -> Fleet {
    Fleet::of(&[15, 8], 6, 3)
}

#[test]
fn five_thousand_services_cost_the_fewest_calls_there_can_be() {
    let sizes: Vec<usize> = [[120; 20], [130; 20]].concat();
    let mut fleet = Fleet::of(&sizes, 3_000, 300);
    fleet.latency = Span::from_millis(10);
    let process = Process::new(&fleet);
    let (land, calls) = process.users(1);
    assert_eq!(land.failures, BTreeSet::new());
    // Revisions 0, 300, ... 2,700 use it; 2,000 services use the first 2,000 revisions once more.
    assert_eq!(land.services.as_ref().unwrap().len(), 10 + 7);
    // A page of clusters; two pages for each cluster (5,000 / 100 + 40 at most); 5,000 / 10, and the 17 users, which are
    // in as many clusters, once more, because the task definitions took minutes; each revision once.
    assert_eq!(calls.ecs(), [1, 80, 500 + 17, 3_000]);
    assert!(calls.ecs()[1] <= 5_000 / 100 + 40);
    assert_eq!(calls.of(AGAIN), 17);
    assert_eq!((calls.of("BatchGetItem"), calls.of("UpdateItem")), (30, 3_000));
    assert_eq!(fleet.throttled.get(), 0, "the pace keeps below ECS's limits");

    // The inventory was begun for a later change. What uses the secret is looked at again: 17 services in 17 clusters.
    pass(&fleet, 60);
    let (again, calls) = process.look(&process.changed(0, 3_000));
    assert_eq!((again.services == land.services, calls.ecs()), (true, [0, 0, 17, 0]));

    // Another process reads no task definition.
    let (other, calls) = Process::new(&fleet).users(1);
    // The last that were described are still fresh.
    assert_eq!((other, calls.ecs()), (land, [1, 80, 500 + 14, 0]));
    assert_eq!((calls.of("BatchGetItem"), calls.of("UpdateItem")), (30, 0));
    assert_eq!(fleet.throttled.get(), 0);
}

#[test]
fn an_inventory_serves_what_changed_before_it_and_not_what_changed_later() {
    let fleet = small();
    let process = Process::new(&fleet);
    let (first, calls) = process.users(1);
    assert_eq!(calls.ecs(), [1, 2, 3, 6]);
    assert_eq!(arns(&first), ["s0000", "s0003", "s0006", "s0009", "s0012", "s0015", "s0018", "s0021"]);
    // Its repetition, and another secret that changed before: nothing is old yet.
    assert_eq!(process.users(1).1.ecs(), [0; 4]);
    assert_eq!(process.look(&process.changed(1, 100)).1.ecs(), [0; 4]);
    pass(&fleet, 60);
    let (later, calls) = process.users(61);
    assert_eq!((later, calls.ecs()), (first.clone(), [0, 0, 2, 0]));
    // It has been looked at right now.
    assert_eq!(process.users(61).1.ecs(), [0; 4]);
    assert_eq!(process.users(30).1.ecs(), [1, 2, 3, 0]);
    pass(&fleet, 3_601);
    assert_eq!(process.users(9_000).1.ecs(), [1, 2, 3, 0]);
}

#[test]
fn a_service_whose_tags_nobody_understands_is_kept() {
    let fleet = small();
    if let Some(service) =
        fleet.clusters.borrow_mut().values_mut().flatten().find(|one| one.arn.ends_with("s0001"))
    {
        service.tags.insert("secrets-responder:secret".to_owned(), "db-000".to_owned());
    }
    let (land, _) = Process::new(&fleet).users(1);
    assert_eq!(arns(&land)[..3], ["s0000", "s0001", "s0003"]);
}

#[test]
fn what_uses_a_secret_is_described_as_it_is_now() {
    let fleet = small();
    let process = Process::new(&fleet);
    process.users(1);
    pass(&fleet, 60);
    let created_at = fleet.now();
    for services in fleet.clusters.borrow_mut().values_mut() {
        services.retain(|service| !service.arn.ends_with("s0003"));
        for service in services.iter_mut().filter(|service| service.arn.ends_with("s0000")) {
            service.primary =
                Some(EcsDeployment { id: "new".to_owned(), created_at, ..EcsDeployment::default() });
            service.task_definitions.insert("new:1".to_owned());
        }
        for service in services.iter_mut().filter(|service| service.arn.ends_with("s0006")) {
            service.task_definitions = BTreeSet::from([fleet::definition_arn(1)]);
        }
    }
    let role = Some(Untrusted::new("role"));
    let findings = BTreeSet::from([DeploymentRisk::MutableImage]);
    let new = crate::port::DescribedTaskDefinition {
        role,
        risks: findings,
        ..crate::port::DescribedTaskDefinition::default()
    };
    fleet.definitions.borrow_mut().insert("new:1".to_owned(), new);
    let (land, calls) = process.users(61);
    // One is gone, one does not use the secret any more, and the new revision is read.
    assert_eq!(arns(&land), ["s0000", "s0009", "s0012", "s0015", "s0018", "s0021"]);
    assert_eq!(calls.ecs(), [0, 0, 2, 1]);
    let service = &land.services.unwrap()[0];
    assert_eq!(service.primary.as_ref().unwrap().id, "new");
    assert_eq!(
        (service.execution_roles.len(), service.risks.contains(&DeploymentRisk::MutableImage)),
        (1, true)
    );
    assert_eq!(service.references.len(), 1);
}

#[test]
fn a_named_service_is_always_described_and_one_that_is_gone_is_inactive() {
    let fleet = small();
    let process = Process::new(&fleet);
    let cluster = ClusterArn::from(fleet.clusters.borrow().keys().next().unwrap().as_str());
    let service = |name: &str| {
        (cluster.clone(), format!("{}/{name}", cluster.replace(":cluster/", ":service/")).into())
    };
    let mut wanted = DiscoveryRequest {
        services: vec![service("s0001"), service("nobody")],
        ..DiscoveryRequest::default()
    };
    for _ in 0..2 {
        let (land, calls) = process.look(&wanted);
        assert_eq!((arns(&land), calls.ecs()[..3].to_vec()), (vec!["nobody", "s0001"], vec![0, 0, 1]));
        let services = land.services.unwrap();
        assert_eq!((services[0].status.as_str(), services[1].status.as_str()), ("INACTIVE", "ACTIVE"));
        assert_eq!((&services[0].cluster, services[1].references.len()), (&cluster, 1));
    }
    // A whole cluster that is gone.
    wanted.services = vec![("arn:aws:ecs:us-west-2:111122223333:cluster/x".into(), "x".into())];
    let (land, _) = process.look(&wanted);
    assert_eq!((land.failures.len(), land.services.unwrap()[0].status.as_str()), (0, "INACTIVE"));
    // Together with a secret, which a named service need not use.
    wanted = DiscoveryRequest { services: vec![service("s0001")], ..process.changed(0, 1) };
    assert_eq!(arns(&process.look(&wanted).0).len(), 8 + 1);
}

#[test]
fn only_what_is_missing_is_asked_for_again() {
    let fleet = small();
    let process = Process::new(&fleet);
    let (cluster, service) = {
        let clusters = fleet.clusters.borrow();
        let arns: Vec<&String> = clusters.keys().collect();
        (arns[1].clone(), clusters[arns[0]][3].arn.clone())
    };
    assert!(cluster.ends_with("c01"));
    let definition = fleet::definition_arn(0);
    fleet.hidden.borrow_mut().extend([cluster.clone(), service.clone(), definition.clone()]);
    let (land, calls) = process.users(1);
    let denied = "refused (AccessDeniedException)";
    let gaps = [
        format!("the service {service} could not be described: HIDDENb"),
        format!("the services of the cluster {cluster} could not be listed: ecs ListServices: {denied}"),
        format!("the task definition {definition} could not be read: ecs DescribeTaskDefinition: {denied}"),
    ];
    assert_eq!(land.failures.iter().collect::<Vec<_>>(), gaps.iter().collect::<Vec<_>>());
    assert_eq!((arns(&land), calls.ecs()), (vec!["s0009"], [1, 2, 2, 6]));
    // Nothing of it is visible yet.
    assert_eq!(process.users(1).1.ecs(), [0, 1, 1, 1]);
    fleet.hidden.borrow_mut().clear();
    let (land, calls) = process.users(1);
    assert_eq!((land.failures.len(), arns(&land).len(), calls.ecs()), (0, 8, [0, 1, 2, 1]));
    assert_eq!(process.users(1).1.ecs(), [0; 4]);
}

#[test]
fn without_any_cluster_nothing_is_known_and_no_cluster_is_an_answer() {
    let fleet = small();
    fleet.hidden.borrow_mut().insert("clusters".to_owned());
    let process = Process::new(&fleet);
    let (land, _) = process.users(1);
    assert_eq!((land.services, land.failures.len()), (None, 1));
    fleet.hidden.borrow_mut().clear();
    fleet.clusters.borrow_mut().clear();
    assert_eq!(
        process.users(1).0,
        DiscoveryResult { services: Some(Vec::new()), ..DiscoveryResult::default() }
    );
}

#[test]
fn when_time_runs_out_the_next_invocation_goes_on_from_there_in_any_process() {
    let mut fleet = Fleet::of(&[400, 400], 800, 3);
    fleet.latency = Span::from_millis(10);
    let (mut read, mut attempts) = (0, 0);
    loop {
        let process = Process::new(&fleet);
        let (land, calls) = process.look_within(&process.changed(0, 1), Span::from_secs(8));
        read += calls.ecs()[3];
        attempts += 1;
        if land.failures.is_empty() {
            assert_eq!(land.services.unwrap().len(), 267);
            break;
        }
        // What is missing are task definitions: one sentence.
        let gaps: Vec<String> = land.failures.into_iter().collect();
        assert!(
            gaps.len() == 1 && gaps[0].contains("task definitions could not be read (such as"),
            "{gaps:?}"
        );
        assert!(calls.ecs()[3] > 40 + 5 * 18, "it reads while it describes: {calls:?}");
    }
    assert_eq!(read, 800, "each revision is read once ever");
    assert_eq!(attempts, 6);
}

#[test]
fn without_the_ledger_ecs_is_asked_and_nothing_is_written() {
    let fleet = small();
    fleet.hidden.borrow_mut().insert("ledger".to_owned());
    let (land, calls) = Process::new(&fleet).users(1);
    assert_eq!((land.failures.len(), arns(&land).len()), (0, 8));
    assert_eq!((calls.ecs()[3], calls.of("BatchGetItem"), calls.of("UpdateItem")), (6, 1, 0));
}

#[test]
fn what_tags_and_settings_declare_is_used_too() {
    let fleet = small();
    let process = Process::new(&fleet);
    let mut settings = Settings::default();
    settings.declared_secrets.insert("c01/s0016".to_owned(), vec![Untrusted::new("elsewhere")]);
    let process = Process { settings, ..process };
    let secret = SecretRef::from_name_or_arn("elsewhere", "111122223333", "us-west-2").unwrap();
    let wanted = DiscoveryRequest { secrets: vec![(secret, fleet.now())], services: Vec::new() };
    assert_eq!(arns(&process.look(&wanted).0), ["s0016"]);
}
