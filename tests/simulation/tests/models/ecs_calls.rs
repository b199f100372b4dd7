//! The limits, pages and refusals of the API of ECS.

use std::collections::BTreeSet;

use responder_core::aws::ecs_service::DeploymentController;
use responder_core::time::Timestamp;
use simulation::ecs::{EcsEstate, EcsOperation, NewService, RegisteredTaskDefinition, SimulatedEcs};
use simulation::location::AwsLocation;
use simulation::service_calls::ServiceFault;

fn start() -> Timestamp {
    at(0)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + millis)
}

fn location() -> AwsLocation {
    AwsLocation::new("111122223333", "us-east-1")
}

fn describe_service(cluster: &str, name: &str) -> NewService {
    NewService { cluster: cluster.to_owned(), name: name.to_owned(), desired: 1, ..NewService::default() }
}

/// A cluster `prod` with so many services, and their ARNs.
fn create_services(count: usize) -> (SimulatedEcs, Vec<String>) {
    let mut ecs = SimulatedEcs::new(location(), 1);
    let mut arns = Vec::new();
    for number in 0..count {
        arns.push(ecs.create_service(describe_service("prod", &format!("s{number:03}")), start()));
    }
    (ecs, arns)
}

/// All pages of `ListServices`.
#[derive(Debug, Default, PartialEq)]
struct ServicePages {
    lengths: Vec<usize>,
    arns: Vec<String>,
}

fn list_pages(ecs: &mut SimulatedEcs, cluster: &str, max: Option<usize>) -> ServicePages {
    let mut pages = ServicePages::default();
    let mut token = None;
    loop {
        let page = ecs.list_services(Some(cluster), max, token.as_deref(), start()).unwrap();
        pages.lengths.push(page.arns.len());
        pages.arns.extend(page.arns);
        token = page.next_token;
        if token.is_none() {
            return pages;
        }
    }
}

#[test]
fn pages_end_where_the_services_end() {
    let cases = [
        (0, None, vec![0]),
        (10, None, vec![10]),
        (11, None, vec![10, 1]),
        (100, Some(100), vec![100]),
        (101, Some(100), vec![100, 1]),
        (3, Some(1), vec![1, 1, 1]),
    ];
    for (count, max, lengths) in cases {
        let (mut ecs, arns) = create_services(count);
        ecs.create_cluster("prod");
        // Names that begin alike: another cluster's services must not slip in.
        ecs.create_service(describe_service("prod-eu", "x"), start());
        ecs.create_service(describe_service("pro", "x"), start());
        let expected = ServicePages { lengths, arns };
        assert_eq!(list_pages(&mut ecs, "prod", max), expected, "{count} {max:?}");
    }
}

#[test]
fn a_page_size_or_a_token_that_aws_refuses_is_refused() {
    let (mut ecs, _) = create_services(12);
    ecs.create_service(describe_service("other", "x"), start());
    for max in [0, 101] {
        let refusal = ecs.list_services(Some("prod"), Some(max), None, start()).unwrap_err();
        assert_eq!(refusal.code, "InvalidParameterException");
        let refusal = ecs.list_clusters(Some(max), None, start()).unwrap_err();
        assert_eq!(refusal.code, "InvalidParameterException");
    }
    let token = ecs.list_services(Some("prod"), None, None, start()).unwrap().next_token.unwrap();
    for (cluster, token) in [("other", token.as_str()), ("prod", "nonsense"), ("prod", "")] {
        let refusal = ecs.list_services(Some(cluster), None, Some(token), start()).unwrap_err();
        assert_eq!(refusal.code, "InvalidParameterException", "{cluster} {token}");
    }
    for cluster in [Some("nowhere"), None] {
        let refusal = ecs.list_services(cluster, None, None, start()).unwrap_err();
        assert_eq!(refusal.code, "ClusterNotFoundException");
    }
}

#[test]
fn a_service_that_goes_between_two_pages_hides_no_other() {
    let (mut ecs, arns) = create_services(12);
    let page = ecs.list_services(Some("prod"), None, None, start()).unwrap();
    ecs.delete_service(&arns[9], start());
    ecs.delete_service(&arns[0], start());
    let rest = ecs.list_services(Some("prod"), None, page.next_token.as_deref(), start()).unwrap();
    assert_eq!(rest.arns, arns[10..]);
}

#[test]
fn clusters_come_in_pages_too() {
    let mut ecs = SimulatedEcs::new(location(), 1);
    let clusters: Vec<String> = (0..150).map(|number| ecs.create_cluster(&format!("c{number:03}"))).collect();
    let first = ecs.list_clusters(None, None, start()).unwrap();
    let second = ecs.list_clusters(None, first.next_token.as_deref(), start()).unwrap();
    assert_eq!((first.arns, second.arns), (clusters[..100].to_vec(), clusters[100..].to_vec()));
    assert_eq!(second.next_token, None);
}

#[test]
fn ten_services_are_described_at_once_and_no_more() {
    let (mut ecs, arns) = create_services(11);
    assert_eq!(ecs.describe_services(Some("prod"), &arns[..10], start()).unwrap().services.len(), 10);
    for wrong in [&arns[..], &[]] {
        let refusal = ecs.describe_services(Some("prod"), wrong, start()).unwrap_err();
        assert_eq!(refusal.code, "InvalidParameterException");
    }
}

#[test]
fn a_service_that_cannot_be_described_is_a_failure_and_costs_the_others_nothing() {
    let (mut ecs, arns) = create_services(3);
    let elsewhere = ecs.create_service(describe_service("other", "x"), start());
    ecs.fail_to_describe(&arns[1], "ACCESS_DENIED");
    let requested =
        ["s000".to_owned(), arns[1].clone(), "gone".to_owned(), elsewhere.clone(), arns[2].clone()];
    let answer = ecs.describe_services(Some("prod"), &requested, start()).unwrap();
    let found: Vec<&str> = answer.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(found, ["s000", "s002"]);
    let mut failures = Vec::new();
    for failure in &answer.failures {
        failures.push((failure.arn.as_str(), failure.reason.as_str()));
    }
    let gone = location().arn("ecs", "service/prod/gone");
    assert_eq!(
        failures,
        [(arns[1].as_str(), "ACCESS_DENIED"), (gone.as_str(), "MISSING"), (elsewhere.as_str(), "MISSING")]
    );
}

#[test]
fn hidden_resources_are_denied_until_they_are_revealed() {
    let (mut ecs, arns) = create_services(1);
    let family = RegisteredTaskDefinition { family: "web".to_owned(), ..RegisteredTaskDefinition::default() };
    let definition = ecs.register_task_definition(family);
    let cluster = ecs.create_cluster("prod");
    ecs.hide(&cluster);
    ecs.hide(&definition);
    ecs.fail_to_describe(&arns[0], "ACCESS_DENIED");
    let refusal = ecs.list_services(Some("prod"), None, None, start()).unwrap_err();
    assert_eq!(refusal.code, "AccessDeniedException");
    let refusal = ecs.describe_task_definition(&definition, start()).unwrap_err();
    assert_eq!(refusal.code, "AccessDeniedException");
    ecs.reveal_everything();
    assert_eq!(list_pages(&mut ecs, "prod", None).arns, arns);
    assert!(ecs.describe_task_definition(&definition, start()).is_ok());
    assert!(ecs.describe_services(Some("prod"), &arns, start()).unwrap().failures.is_empty());
}

#[test]
fn outdated_descriptions_show_the_services_of_before() {
    let (mut ecs, arns) = create_services(1);
    let before = ecs.service(&arns[0]).unwrap().clone();
    ecs.outdate_descriptions();
    ecs.update_service(Some("prod"), &arns[0], true, start()).unwrap();
    let shown = ecs.describe_services(Some("prod"), &arns, at(60_000)).unwrap().services;
    assert_eq!((shown.len(), &shown[0]), (1, &before));
    assert_ne!(ecs.service(&arns[0]), Some(&before));
}

#[test]
fn a_deleted_service_is_described_but_not_listed_and_not_updated() {
    let (mut ecs, arns) = create_services(2);
    ecs.delete_service(&arns[0], start());
    assert_eq!(list_pages(&mut ecs, "prod", None).arns, arns[1..]);
    for (now, status, code) in [
        (start(), "DRAINING", "ServiceNotActiveException"),
        (at(60_000), "INACTIVE", "ServiceNotFoundException"),
    ] {
        let answer = ecs.describe_services(Some("prod"), &arns[..1], now).unwrap();
        assert_eq!(answer.services[0].status.as_str(), status);
        let refusal = ecs.update_service(Some("prod"), &arns[0], true, now).unwrap_err();
        assert_eq!(refusal.code, code);
    }
    ecs.forget_service(&arns[0]);
    let answer = ecs.describe_services(Some("prod"), &arns[..1], at(60_000)).unwrap();
    assert_eq!(answer.failures[0].reason, "MISSING");
}

#[test]
fn updates_that_aws_refuses_are_refused_and_start_nothing() {
    let (mut ecs, arns) = create_services(1);
    let controlled_by = |name, controller| NewService { controller, ..describe_service("prod", name) };
    let blue = ecs.create_service(controlled_by("blue", DeploymentController::CodeDeploy), start());
    let external = ecs.create_service(controlled_by("ext", DeploymentController::External), start());
    ecs.deny_updates(&arns[0]);
    for (cluster, service, code, words) in [
        (
            "prod",
            blue.as_str(),
            "InvalidParameterException",
            "Use AWS CodeDeploy to trigger a new deployment.",
        ),
        ("prod", &external, "InvalidParameterException", "EXTERNAL"),
        ("prod", &arns[0], "AccessDeniedException", "ecs:UpdateService"),
        ("prod", "nothing", "ServiceNotFoundException", ""),
        ("nowhere", "s000", "ClusterNotFoundException", ""),
    ] {
        let refusal = ecs.update_service(Some(cluster), service, true, start()).unwrap_err();
        assert_eq!(refusal.code, code);
        assert!(refusal.message.contains(words), "{refusal}");
    }
    assert!(ecs.log.deployments().is_empty() && ecs.advance(at(1_000_000)).is_empty());
    // Without force there is nothing to refuse, and nothing to do.
    let updated = ecs.update_service(Some("prod"), "blue", false, start()).unwrap();
    assert_eq!(&updated, ecs.service(&blue).unwrap());
    assert_eq!(ecs.calls.count(EcsOperation::UpdateService), 6);
}

#[test]
fn a_task_definition_is_found_by_each_of_its_names() {
    let mut ecs = SimulatedEcs::new(location(), 1);
    let family = RegisteredTaskDefinition { family: "web".to_owned(), ..RegisteredTaskDefinition::default() };
    let first = ecs.register_task_definition(family.clone());
    let second = ecs.register_task_definition(family);
    for (name, arn) in [("web:1", &first), ("web:2", &second), ("web", &second), (&first, &first)] {
        assert_eq!(&ecs.describe_task_definition(name, start()).unwrap().arn, arn, "{name}");
    }
    for unknown in ["web:3", "webb", "arn:aws:ecs:us-east-1:111122223333:task-definition/web"] {
        let refusal = ecs.describe_task_definition(unknown, start()).unwrap_err();
        assert_eq!(refusal.code, "ClientException");
    }
}

/// How many of 60 updates of a service are served.
fn count_served_updates(ecs: &mut SimulatedEcs, now: Timestamp) -> usize {
    (0..60).filter(|_| ecs.update_service(Some("prod"), "s000", true, now).is_ok()).count()
}

#[test]
fn reads_of_services_share_a_bucket_and_updates_have_another() {
    let (mut ecs, arns) = create_services(1);
    ecs.refuse_calls_beyond_limits();
    let mut served = 0;
    for _ in 0..60 {
        served += usize::from(ecs.list_services(Some("prod"), None, None, start()).is_ok());
        served += usize::from(ecs.describe_services(Some("prod"), &arns, start()).is_ok());
    }
    assert_eq!(served, 100);
    assert_eq!(count_served_updates(&mut ecs, start()), 50);
    assert_eq!(count_served_updates(&mut ecs, at(2_000)), 10);
    assert_eq!(ecs.log.deployments().len(), 60, "a throttled call starts nothing");
    let refusal = ecs.list_services(Some("prod"), None, None, start()).unwrap_err();
    assert_eq!((refusal.code, refusal.status()), ("ThrottlingException", 400));
}

#[test]
fn calls_beyond_the_limits_may_be_served_and_counted() {
    let (mut ecs, _) = create_services(1);
    ecs.count_calls_beyond_limits();
    assert_eq!((count_served_updates(&mut ecs, start()), ecs.count_throttled()), (60, 10));
}

#[test]
fn a_planted_fault_has_no_effect_but_is_counted() {
    let (mut ecs, arns) = create_services(1);
    let fault = ServiceFault::Internal("ServerException");
    ecs.calls.plant(EcsOperation::UpdateService, [Some(fault), None]);
    let refusal = ecs.update_service(Some("prod"), &arns[0], true, start()).unwrap_err();
    assert_eq!((refusal.code, refusal.status()), ("ServerException", 500));
    assert!(ecs.log.deployments().is_empty());
    ecs.update_service(Some("prod"), &arns[0], true, start()).unwrap();
    assert_eq!((ecs.log.deployments().len(), ecs.calls.count(EcsOperation::UpdateService)), (1, 2));
}

#[test]
fn an_estate_is_as_large_as_requested_and_the_same_each_time() {
    let mut secrets = Vec::new();
    for number in 0..20 {
        secrets.push(location().arn("secretsmanager", &format!("secret:app-{number}-AbCd{number:02}")));
    }
    let estate = EcsEstate { clusters: 4, services: 500, revisions: 300, secrets };
    let mut ecs = SimulatedEcs::make_estate(location(), 7, &estate, start());
    let other = SimulatedEcs::make_estate(location(), 7, &estate, start());
    let arns: Vec<String> = ecs.service_arns().map(str::to_owned).collect();
    assert_eq!(arns.len(), 500);
    let mut used = BTreeSet::new();
    for arn in &arns {
        assert_eq!(ecs.service(arn), other.service(arn));
        used.insert(ecs.service(arn).unwrap().task_definition.clone());
    }
    assert_eq!(used.len(), 300);
    let referring = used.iter().filter(|arn| !ecs.references(arn).is_empty());
    assert!(referring.count() > 150);
    assert_eq!(ecs.list_clusters(None, None, start()).unwrap().arns.len(), 4);
    let mut sizes = Vec::new();
    for number in 0..4 {
        sizes.push(list_pages(&mut ecs, &format!("cluster-{number:03}"), Some(100)).arns.len());
    }
    assert_eq!((sizes.iter().sum(), sizes.contains(&0)), (500, false), "{sizes:?}");
    assert!(sizes[0] > 250, "{} services in the first cluster: several pages", sizes[0]);
}
